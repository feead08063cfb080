"""Time lines as pictures."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from histories import DAY, START, hourly, month
from hypothesis import given
from hypothesis import strategies as st

from driftline.reports.timeline import STATES, Estimate, Mark, Point, Timeline
from driftline.reports.timeline_svg import HEIGHT, SIGNS, WIDTH, draw

if TYPE_CHECKING:
    from collections.abc import Iterable


def path(drawn: str, name: str) -> str:
    found = re.search(rf'<path class="{name}" d="([^"]*)"', drawn)
    return "" if found is None else found[1]


def line(points: Iterable[Point], check: str = "recall", marks: tuple[Mark, ...] = ()) -> Timeline:
    return Timeline("s", "model-quality", check, None, tuple(points), marks)


def test_every_state_has_a_sign_of_its_own() -> None:
    assert set(SIGNS) == set(STATES)
    assert len(set(SIGNS.values())) == len(SIGNS)


def test_lines_break_where_nothing_was_judged() -> None:
    precision = month(check="precision")[0]
    drawn = path(draw(precision), "t-line")
    assert drawn.count("M") == 5
    assert drawn.count("M") + drawn.count("L") == 27


def test_each_window_has_its_sign_below() -> None:
    recall = draw(month(check="recall")[0])
    lane = recall.partition('<g class="t-lane">')[2]
    for state, n in (
        ("passed", 17),
        ("violated", 5),
        ("no data", 1),
        ("failed", 1),
        ("skipped", 1),
        ("undetermined", 5),
    ):
        assert lane.count(SIGNS[state]) == n, state


def test_estimates_are_dashed_and_hollow_and_what_was_measured_is_not() -> None:
    drawn = draw(month(check="recall")[0])
    assert drawn.count('class="t-est"') == 27
    assert path(drawn, "t-est-line").count("M") == 5
    assert drawn.count('class="x-bad"') == 5
    assert "t-est" not in draw(month(check="precision")[0])


def test_a_bound_is_a_band_with_its_ends() -> None:
    both = draw(month(check="dppl")[0])
    assert path(both, "x-bound").count("M") == 2 * 27
    at_least = draw(month(check="recall")[0])
    assert path(at_least, "x-bound").count("M") == 27


def test_deployments_are_marked_and_their_names_do_not_overlap() -> None:
    points = [Point(START + i * DAY, START + (i + 1) * DAY, "passed", 0.5) for i in range(30)]
    marks = tuple(Mark(START + i * DAY // 3, f"income {i}") for i in range(20))
    drawn = draw(
        line(points, marks=(*marks, Mark(START + 30 * DAY - 1, "the last one"), Mark(START - DAY, "before")))
    )
    assert path(drawn, "t-mark").count("M") == 12
    assert "before" not in drawn
    places = [float(x) for x in re.findall(r'<text x="([\d.]+)" y="16"', drawn)]
    assert places == sorted(places)
    assert 'text-anchor="end">the last one' in drawn


def test_close_windows_are_drawn_as_a_line_with_a_band() -> None:
    drawn = draw(hourly()[0])
    assert 'class="t-spread"' in drawn
    assert "t-bar" not in drawn
    assert 'class="x-now"' not in drawn
    assert drawn.count('class="x-bad"') == 29
    assert SIGNS["passed"] not in drawn
    assert drawn.count(SIGNS["no data"]) == 5
    assert len(drawn) < 60_000


def test_a_picture_says_what_it_shows() -> None:
    drawn = draw(month(check="recall")[0])
    assert drawn.startswith('<svg class="time" role="img"')
    assert "<title>Recall</title><desc>Violated in 5 of 22 windows" in drawn
    assert "<title>2026-11-18 00:00 UTC: 52.5%, violated, at least 55% allowed</title>" in drawn


def test_no_window_no_picture() -> None:
    assert draw(line([])) == ""


NUMBER = st.none() | st.floats(-1e308, 1e308)


@given(
    st.lists(
        st.tuples(st.sampled_from(sorted(STATES)), NUMBER, NUMBER, NUMBER, NUMBER), min_size=1, max_size=8
    ),
    st.sampled_from(["recall", "mae", "bias_dpl", "ks"]),
)
def test_everything_lies_on_paper(
    found: list[tuple[str, float | None, float | None, float | None, float | None]], check: str
) -> None:
    points = [
        Point(
            START + i * DAY, START + (i + 1) * DAY, state, value, low, high, bound, baseline=bound,
            estimate=None if high is None else Estimate(high, low, high),
        )
        for i, (state, value, low, high, bound) in enumerate(found)
    ]  # fmt: skip
    drawn = draw(line(points, check))
    assert not re.search(r"\b(nan|inf)\b", re.sub(r"<(title|desc|text).*?</\1>", "", drawn))
    for y in re.findall(r'c[y]="(-?[\d.]+)"', drawn):
        assert 0 <= float(y) <= HEIGHT
    for x in re.findall(r'c[x]="(-?[\d.]+)"', drawn):
        assert -4 <= float(x) <= WIDTH


@pytest.mark.parametrize("length", [1, 60, 3600, DAY // 1_000_000, 400 * DAY // 1_000_000])
def test_dates_fit_any_stretch_of_time(length: int) -> None:
    points = [
        Point(START + i * length * 1_000_000, START + (i + 1) * length * 1_000_000, "passed", 0.5)
        for i in range(7)
    ]
    labels = re.findall(r'<text x="([\d.]+)" y="240"[^>]*>([^<]*)</text>', draw(line(points)))
    assert length < 60 or labels
    places = [float(x) for x, _ in labels]
    assert all(b - a >= 34 for a, b in zip(places, places[1:], strict=False))


def test_windows_that_overlap_share_the_paper() -> None:
    points = [Point(START + i * DAY, START + (i + 7) * DAY, "passed", 0.5, bound=0.4) for i in range(5)]
    drawn = draw(line(points))
    assert path(drawn, "t-line").count("L") == 4
    assert draw(replace(line(points), points=tuple(points[:1])))
