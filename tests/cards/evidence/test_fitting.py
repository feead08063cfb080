"""Fitting: what matters most is there, nothing is too large, and what is left out is counted."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from driftline.cards.evidence.fitting import Piece, Section, clip, fill, label, weight
from driftline.cards.shapes import metric


def pieces(group: str, n: int, size: int = 10) -> tuple[Piece, ...]:
    return tuple(Piece(group, metric(f"{i}".rjust(size, "x"), "number", i)) for i in range(n))


@given(
    st.integers(0, 3000),
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 1500), st.integers(1, 40)), max_size=4),
)
def test_it_fits_and_all_is_accounted_for(room: int, given_: list[tuple[int, int, int]]) -> None:
    sections = [
        Section(f"thing{at}", pieces(f"g{at}", n), quota, most) for at, (n, quota, most) in enumerate(given_)
    ]
    groups, left_out = fill(room, sections)
    assert sum(weight(one) + 2 for one in groups) <= room
    shown = {one["name"]: [m["value"] for m in one["metric_data"]] for one in groups}
    told = {noun.removesuffix("s"): int(n) for n, noun in (text.split(" ") for text in left_out)}
    for at, (n, _, most) in enumerate(given_):
        there = shown.get(f"g{at}", [])
        assert there == list(range(len(there)))
        assert len(there) <= most
        missing = n - len(there)
        assert told.pop(f"thing{at}", 0) == missing
    assert told == {}


def test_each_section_has_its_own_before_others_get_more() -> None:
    cost = weight(pieces("b", 1)[0].metric) + 2 + weight("b") + 32
    groups, left_out = fill(1000, [Section("a", pieces("a", 50), 400), Section("b", pieces("b", 1), cost)])
    assert [one["name"] for one in groups] == ["a", "b"]
    assert left_out[0].endswith(" as")


def test_groups_of_one_name_are_one() -> None:
    groups, _ = fill(5000, [Section("a", pieces("g", 1), 500), Section("b", pieces("g", 2), 500)])
    assert [(one["name"], len(one["metric_data"])) for one in groups] == [("g", 3)]


@given(st.text(max_size=300), st.integers(5, 200), st.integers(5, 400))
def test_clipped_text_fits_twice(text: str, chars: int, most: int) -> None:
    shown = clip(text, chars, most)
    assert len(shown) <= chars
    assert weight(shown) - 2 <= max(most, weight("…") - 2)
    assert shown.isprintable()


@given(st.text(max_size=400))
def test_labels_stand_on_one_line_and_are_never_blank(text: str) -> None:
    shown = label(text)
    assert len(shown) <= 120
    assert shown.strip()
    assert shown.isprintable()
    assert weight(shown) <= 400
    json.dumps(shown).encode("utf-8")
