"""Times as texts: what is read as a time, and how many of a column are."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.baselines.column import Column, ColumnFold, Limits
from driftline.baselines.times import Times, is_time, times_in

ZONES = st.one_of(st.none(), st.integers(-840, 840).map(lambda m: timezone(timedelta(minutes=m))))


def column(values: list[str | None], limits: Limits | None = None) -> Column:
    fold = ColumnFold("x", pa.string(), textual=False, limits=limits or Limits(), compiled=False)
    fold.add(pa.array(values, pa.string()), 0)
    return fold.close()


@given(st.datetimes(timezones=ZONES), st.sampled_from(["T", " "]))
def test_whatever_python_writes_is_a_time(when: datetime, between: str) -> None:
    if when.year >= 1000:
        assert is_time(when.isoformat(between).encode())
        assert is_time(when.date().isoformat().encode())


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T07:00:00Z",
        "2026-11-23 07:00:00 UTC",
        "2026-11-23 07:00",
        "2026-11-23T07:00:00.123456789Z",
        "2026-11-23T07:00:00,5+0100",
        "2026-11-23 07:00:00+01",
        "2024-02-29",
    ],
)
def test_times(text: str) -> None:
    assert is_time(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026",
        "2026-11",
        "20261123",
        "1763884800",
        "2026-02-30",
        "2026-13-01",
        "2026-11-23T25:00",
        "11/23/2026",
        "23.11.2026",
        "2026-11-23x",
        " 2026-11-23",
        "２０２６-11-23",
    ],
)
def test_no_times(text: str) -> None:
    assert not is_time(text.encode())


def test_times_of_a_column_are_counted_by_row() -> None:
    found = column(["2026-11-23"] * 7 + ["x"] * 3 + ["y", None])
    assert times_in(found) == Times(7, True, ("x", "y"))
    assert times_in(found, least=0.6) == Times(7, True, ("x", "y"))
    assert times_in(found, least=0.8) == Times(0, True, ())
    assert times_in(column([])) == Times(0, True, ())


def test_one_odd_text_in_a_sample_is_never_rounded_away() -> None:
    texts = [f"2026-11-23T07:{i // 60:02}:{i % 60:02}" for i in range(3600)]
    limits = Limits(64, 64, 64)
    everything = times_in(column(texts, limits))
    assert everything == Times(3600, False, ())
    odd = times_in(column([*texts, *(f"x{i}" for i in range(400))], limits))
    assert not odd.is_exact
    assert odd.n < 4000
    assert odd.odd
