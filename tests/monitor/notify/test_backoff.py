"""Waits grow, never together, never too long, and come to an end."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.monitor.notify.backoff import next_try

HOUR = 3_600_000_000
DAY = 24 * HOUR
START = 1_795_417_200_000_000


@given(
    st.integers(0, 200),
    st.integers(0, 2 * DAY),
    st.integers(0, 2**32),
    st.none() | st.floats(0, 1e10),
)
def test_the_next_try_is_soon_and_not_too_soon(
    attempt: int, age: int, seed: int, retry_after: float | None
) -> None:
    now = START + age
    found = next_try(attempt, START, now, random.Random(seed), retry_after)
    assert found == next_try(attempt, START, now, random.Random(seed), retry_after)
    if found is None:
        assert attempt >= 100 or age > DAY - HOUR
        return
    ceiling = min(3600.0, 5.0 * 2 ** max(attempt - 1, 0))
    least = max(1.0, min(retry_after or 0.0, 3600.0))
    assert found <= START + DAY
    assert attempt < 100
    assert least * 1e6 - 1 <= found - now <= max(ceiling, least) * 1e6 + 1


@pytest.mark.parametrize(
    ("attempt", "mean"), [(1, 2.5), (2, 5.0), (5, 40.0), (10, 1280.0), (30, 1800.0), (99, 1800.0)]
)
def test_waits_are_spread_over_the_whole(attempt: int, mean: float) -> None:
    rng = random.Random(7)
    waits = [(next_try(attempt, START, START, rng) or 0) - START for _ in range(4000)]
    assert sum(waits) / len(waits) / 1e6 == pytest.approx(mean, rel=0.08)
    assert len(set(waits)) > 3000


def test_a_dead_receiver_is_given_up_after_a_day() -> None:
    rng = random.Random(1)
    now, tries = START, 1
    while (moment := next_try(tries, START, now, rng)) is not None:
        assert moment > now
        now, tries = moment, tries + 1
    assert DAY - HOUR < now - START <= DAY
    assert 30 < tries < 100


def test_limits_are_exact() -> None:
    rng = random.Random(1)
    assert next_try(2, START, START, rng, most_tries=3) is not None
    assert next_try(3, START, START, rng, most_tries=3) is None
    assert next_try(1, START, START, rng, 10.0, dead_after_seconds=10) == START + 10_000_000
    assert next_try(1, START, START + 1, rng, 10.0, dead_after_seconds=10) is None
    assert next_try(1, START, START, rng, 1e9) == START + HOUR
