"""Distinct: against sets, and its stated error."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import counting as obvious
from strategies import hashes, rows_of

from driftline.kernels.distinct import Distinct, level_of
from driftline.kernels.hashing import hash_numbers


@given(rows_of(hashes), st.integers(1, 6))
def test_the_sample_is_what_the_definition_says(values: list[int], capacity: int) -> None:
    found = Distinct(capacity=capacity).update(np.array(values, np.uint64))
    kept, level = obvious.sample(values, capacity)
    assert dict(zip(found.hashes.tolist(), found.counts.tolist(), strict=True)) == kept
    assert (found.level, found.n) == (level, len(values))


@given(st.lists(hashes, unique=True, max_size=40), st.integers(1, 6), st.integers(0, 5))
def test_level_is_the_smallest_that_fits(values: list[int], capacity: int, least: int) -> None:
    _, needed = obvious.sample(values, capacity)
    assert level_of(np.array(values, np.uint64), capacity, least) == max(needed, least)


@given(rows_of(hashes))
def test_exact_while_there_is_room(values: list[int]) -> None:
    found = Distinct().update(np.array(values, np.uint64))
    assert found.is_exact
    assert found.n_distinct == len(set(values))
    assert found.n_once == sum(values.count(v) == 1 for v in set(values))
    assert found.relative_error == 0.0


@pytest.mark.parametrize("n_distinct", [20_000, 100_000, 1_000_000])
def test_estimates_stay_within_four_standard_errors(n_distinct: int) -> None:
    worst = 0.0
    for seed in range(5):
        values = np.arange(n_distinct, dtype=np.float64) + seed * 10_000_000
        found = Distinct().update(hash_numbers(values), hash_numbers(values[: n_distinct // 4]))
        assert 0.0 < found.relative_error < 0.0111
        worst = max(worst, abs(found.n_distinct / n_distinct - 1) / found.relative_error)
        once = n_distinct - n_distinct // 4
        assert abs(found.n_once / once - 1) < 4 / (0.75 * found.hashes.shape[0]) ** 0.5
    assert worst < 4


def test_weights_count_rows() -> None:
    found = Distinct().weighted(np.array([3, 1, 3], np.uint64), np.array([2, 5, 1]))
    assert found.hashes.tolist() == [1, 3]
    assert found.counts.tolist() == [5, 3]
    assert found.n == 8
