"""Scales and the marks along them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.reports.scale import Scale, finite, span, tick_label, ticks

NUMBERS = st.floats(-1e308, 1e308)


@given(st.lists(NUMBERS, min_size=1, max_size=6), st.floats(0, 0.2))
def test_a_span_holds_its_numbers_and_is_never_empty(values: list[float], pad: float) -> None:
    low, high = span(values, pad=pad)
    assert math.isfinite(low)
    assert math.isfinite(high)
    assert low <= min(values) <= max(values) <= high
    assert low < high


def test_a_span_of_nothing() -> None:
    assert span([]) == (0.0, 1.0)


@given(st.lists(NUMBERS, min_size=2, max_size=6), st.floats(0, 100), st.floats(101, 300))
def test_order_is_kept_on_paper(values: list[float], start: float, end: float) -> None:
    low, high = span(values)
    scale = Scale(low, high, start, end)
    places = [scale.at(x) for x in sorted(values)]
    assert places == sorted(places)
    assert all(start <= place <= end for place in places)
    assert (scale.at(low), scale.at(high)) == (start, end)


def test_beyond_the_ends_is_drawn_at_them() -> None:
    scale = Scale(0.0, 1.0, 10.0, 20.0)
    assert (scale.at(-math.inf), scale.at(0.5), scale.at(math.inf)) == (10.0, 15.0, 20.0)


@given(NUMBERS, NUMBERS, st.integers(2, 8))
def test_marks_are_few_inside_and_in_order(a: float, b: float, n: int) -> None:
    low, high = span([a, b])
    marks = ticks(low, high, n)
    assert marks == sorted(marks)
    assert len(marks) <= 4 * n + 1
    room = (high / 2 - low / 2) * 1e-6
    assert all(low - room <= mark <= high + room for mark in marks)


@pytest.mark.parametrize(
    ("low", "high", "n", "marks"),
    [
        (0, 1, 5, [0, 0.2, 0.4, 0.6, 0.8, 1.0]), (-0.3, 0.3, 3, [-0.2, 0, 0.2]), (3.1, 97, 4, [25, 50, 75]),
        (1, 1, 5, []), (math.nan, 1, 5, []),
    ],
)  # fmt: skip
def test_round_numbers(low: float, high: float, n: int, marks: list[float]) -> None:
    assert ticks(low, high, n) == pytest.approx(marks)


@pytest.mark.parametrize(
    ("x", "step", "unit", "said"),
    [
        (0.25, 0.05, "share", "25%"), (0.125, 0.005, "share", "12.5%"), (-0.0, 0.2, "", "0"), (0.2, 0.2, "", "0.2"),
        (1500.0, 500.0, "", "1,500"), (-2.5, 2.5, "", "−2.5"), (2e9, 1e9, "", "2e9"), (3e-7, 1e-7, "", "3e-7"),
        (0.0, 1e-7, "", "0"), (0.75, 0.25, "", "0.75"), (10.0, 5.0, "", "10"),
    ],
)  # fmt: skip
def test_a_mark_is_spelled_with_the_digits_it_needs(x: float, step: float, unit: str, said: str) -> None:
    assert tick_label(x, step, unit) == said


def test_only_finite_numbers_are_drawn() -> None:
    assert finite([1, None, "2", math.inf, math.nan, -3.5]) == [1.0, -3.5]
