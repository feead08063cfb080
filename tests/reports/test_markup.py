"""Pieces of markup."""

from __future__ import annotations

from html import unescape

from hypothesis import given
from hypothesis import strategies as st

from driftline.errors import printable
from driftline.reports.markup import chips, fit, icon, name, safe
from driftline.reports.outcome import Status


@given(st.text(max_size=300))
def test_safe_text_holds_no_markup_and_says_the_same(text: str) -> None:
    markup = safe(text, 100)
    assert not set(markup) & set("<>\"'")
    assert markup.isprintable()
    assert unescape(markup) == printable(text, 100)


def test_direction_marks_are_shown_not_obeyed() -> None:
    assert safe("a\u202eb\u2066") == "a\\u202eb\\u2066"
    assert name("a\u202e<b>") == '<span class="name">a\\u202e&lt;b&gt;</span>'


def test_each_status_has_a_mark_of_its_own() -> None:
    assert len({icon(status) for status in Status}) == len(Status)
    assert all('aria-hidden="true"' in icon(status) for status in Status)


@given(st.lists(st.text(max_size=5), max_size=20), st.integers(0, 50))
def test_lists_are_cut_to_their_budget_and_counted(pieces: list[str], budget: int) -> None:
    markup, left_out = fit(pieces, budget)
    kept = pieces[: len(pieces) - left_out]
    assert markup == "".join(kept)
    assert len("".join(kept[1:]).encode()) <= budget
    assert bool(pieces) == bool(kept)


def test_chips_link_where_there_is_a_place() -> None:
    assert chips([("a", "a"), (None, "whole data set")], {"a": "c0"}, 1000) == (
        '<div class="chips"><a href="#c0">a</a><span>whole data set</span></div>'
    )
    assert "and 98 more, all in the JSON report" in chips([(f"{i}", f"{i}") for i in range(100)], {}, 40)
