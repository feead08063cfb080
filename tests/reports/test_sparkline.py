"""Histograms as text."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.reports.sparkline import ASCII, BLOCKS, resample, spark, spark_pair, trace

COUNTS = st.lists(st.floats(0, 1e308), max_size=80)


@pytest.mark.parametrize(
    ("counts", "line"),
    [
        ([], ""),
        ([0, 0], "  "),
        ([0, 1, 2, 4, 8], " ▁▂▄█"),
        ([5], "█"),
        ([1, 1, 1], "███"),
        ([1, 1000], "▁█"),
        ([math.nan, -3, math.inf, 2], "   █"),
        ([1e308] * 3, "███"),
    ],
)
def test_lines(counts: list[float], line: str) -> None:
    assert spark(counts) == line


@given(COUNTS, st.integers(1, 30))
def test_a_line_fits_and_shows_what_is_there(counts: list[float], width: int) -> None:
    line = spark(counts, width=width)
    assert len(line) == min(width, len(counts))
    assert set(line) <= {*BLOCKS, " "}
    assert ("█" in line) == any(counts)


@given(COUNTS, st.integers(1, 30))
def test_resampling_keeps_the_total(counts: list[float], width: int) -> None:
    scaled = [count / 1e300 for count in counts]
    if len(scaled) >= width:
        assert math.fsum(resample(scaled, width)) == pytest.approx(math.fsum(scaled), rel=1e-9)


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=60), st.integers(2, 9))
def test_only_shares_count(counts: list[int], factor: int) -> None:
    before, now = spark_pair(counts, [factor * count for count in counts])
    assert before == now


def test_two_sides_share_one_scale() -> None:
    assert spark_pair([1, 1, 1, 1], [4, 0, 0, 0]) == ("▂▂▂▂", "█   ")
    assert spark_pair([], [1, 2]) == ("", "▄█")


def test_ascii_stands_in() -> None:
    assert spark([0, 1, 2, 4, 8], blocks=ASCII) == " .:=@"
    assert ASCII.isascii()
    assert len(ASCII) == len(BLOCKS)


@pytest.mark.parametrize(
    ("values", "low", "high", "drawn"),
    [
        ([], 0.0, 1.0, ""),
        ([0.0, 1.0], 0.0, 1.0, "▁█"),
        ([-9.0, 9.0], 0.0, 1.0, "▁█"),
        ([None, math.nan, 0.5], 0.0, 1.0, "··▅"),
        ([3.0, 3.0], 3.0, 3.0, "▅▅"),
        ([-1e308, 0.0, 1e308], -1e308, 1e308, "▁▅█"),
    ],
)
def test_numbers_one_after_another(values: list[float | None], low: float, high: float, drawn: str) -> None:
    assert trace(values, low, high, gap="·") == drawn
