"""Durations: both spellings, what is refused, and that what is written reads back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.configuration.duration import LONGEST, format_duration, parse_duration
from driftline.errors import UsageError
from driftline.monitor.schedule import duration_us


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("PT30M", 1800),
        ("30m", 1800),
        ("P7D", 604_800),
        ("7d", 604_800),
        ("2w", 1_209_600),
        ("P1W", 604_800),
        ("P1DT12H", 129_600),
        ("1h30m", 5400),
        ("PT90S", 90),
        ("-PT1H", -3600),
        ("-1h", -3600),
        ("+PT1H", 3600),
        ("PT0S", 0),
        ("-PT0H", 0),
        ("0s", 0),
        ("P3660D", 3660 * 86_400),
    ],
)
def test_both_spellings_are_read(text: str, seconds: int) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "P",
        "PT",
        "-",
        "30",
        "m",
        "30 m",
        "30 minutes",
        "5 parsecs",
        "PT30",
        "P30M1D",
        "P1H",
        "30M",
        "pt30m",
        "1m1h",
        "PT1.5H",
        "1.5h",
        "1,5h",
        "PT-5M",
        "--1h",
        "P1DT",
        "٣m",
        "PT٣M",
        "1h\n",
        "m" * 100_000,
        "9" * 100_000 + "d",
    ],
)
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_duration(text)
    assert refused.value.code == "E-CONFIG"
    assert "PT30M" in str(refused.value) or "PT1M" in str(refused.value)
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize("text", ["P1M", "P1Y", "-P2M", "P1Y2M3DT4H", "P2W1M"])
def test_months_have_no_length_and_may_have_meant_minutes(text: str) -> None:
    with pytest.raises(UsageError, match=r'no fixed length.*"PT1M"'):
        parse_duration(text)


@pytest.mark.parametrize("text", ["P3660DT1S", "999999999999w", "-999999999999d"])
def test_more_than_ten_years_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="longer than ten years"):
        parse_duration(text)


@given(st.integers(-int(LONGEST.total_seconds()), int(LONGEST.total_seconds())))
def test_what_is_written_reads_back_here_and_in_the_scheduler(seconds: int) -> None:
    text = format_duration(timedelta(seconds=seconds))
    assert parse_duration(text) == timedelta(seconds=seconds)
    assert duration_us(text) == seconds * 1_000_000
