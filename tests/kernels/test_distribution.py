"""Distribution: cells by definition, ranks within what it promises, and ends that stay finite."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from reference import counting as obvious
from reference.keys import key
from strategies import LARGEST, finite, integers, rows_of

from driftline.kernels.distribution import (
    Distribution,
    align,
    cell_bounds,
    from_key,
    key_of,
    smallest_shift,
)

capacities = st.sampled_from([2, 3, 5, 16, 1 << 13])
levels = st.one_of(st.sampled_from([0.0, 0.07, 0.25, 0.5, 1.0]), st.floats(0, 1))


def _of(values: list[float], capacity: int = 1 << 13) -> Distribution:
    return Distribution(capacity=capacity).update(np.array(values, np.float64))


@given(st.lists(finite, max_size=20))
def test_keys_are_those_of_the_loop_and_have_an_inverse(values: list[float]) -> None:
    x = np.array(values, np.float64)
    keys = key_of(x)
    assert keys.tolist() == [key(v) for v in values]
    assert np.array_equal(from_key(keys), x)


@given(finite, finite)
def test_keys_order_as_the_numbers_do(a: float, b: float) -> None:
    ka, kb = key_of(np.array([a, b])).tolist()
    assert (ka < kb) == (a < b)
    assert (ka == kb) == (a == b)


@given(rows_of(finite), capacities)
def test_cells_are_what_the_definition_says(values: list[float], capacity: int) -> None:
    found = _of(values, capacity)
    cells, shift = obvious.cells(values, capacity)
    assert dict(zip(found.cells.tolist(), found.counts.tolist(), strict=True)) == cells
    assert found.shift == shift
    assert found.n == len(values)
    assert found.is_exact == (shift == 0)


@given(rows_of(integers), capacities)
def test_integers_count_as_their_nearest_double(values: list[int], capacity: int) -> None:
    found = Distribution(capacity=capacity).update(np.array(values, np.int64))
    assert found == _of([float(v) for v in values], capacity)


@given(st.lists(st.integers(-(2**63), 2**63 - 1), unique=True, min_size=1, max_size=40), st.integers(2, 20))
def test_shift_is_the_smallest_that_fits(keys: list[int], capacity: int) -> None:
    shift = smallest_shift(np.array(sorted(keys)), capacity)
    occupied = {k >> shift for k in keys}
    assert len(occupied) <= capacity
    assert shift == 0 or len({k >> (shift - 1) for k in keys}) > capacity


@given(rows_of(finite), st.lists(st.integers(1, 9), min_size=60, max_size=60), capacities)
def test_weights_are_repetitions(values: list[float], weights: list[int], capacity: int) -> None:
    counts = np.array(weights[: len(values)], np.int64)
    weighted = Distribution(capacity=capacity).weighted(np.array(values, np.float64), counts)
    assert weighted == _of(np.repeat(np.array(values, np.float64), counts).tolist(), capacity)


@given(rows_of(finite), levels)
def test_quantiles_of_few_values_are_values(values: list[float], q: float) -> None:
    assume(values)
    found = _of(values).quantile(q)[0]
    assert found == np.quantile(np.array(values) + 0.0, q, method="inverted_cdf")
    assert found == obvious.quantile(values, q)


@given(rows_of(finite), levels, st.sampled_from([2, 3, 5, 16]))
def test_rank_of_a_quantile_is_off_by_one_cell_at_most(values: list[float], q: float, capacity: int) -> None:
    assume(values)
    found = _of(values, capacity)
    answer = found.quantile(q)[0]
    wanted = max(1, math.ceil(q * len(values)))
    low, high = sum(v < answer for v in values) + 1, sum(v <= answer for v in values)
    assert math.isfinite(answer)
    assert low - found.counts.max() <= wanted <= high + found.counts.max()
    assert found.quantile([0.0, 1.0]).tolist() == sorted(found.quantile([0.0, 1.0]).tolist())


def test_quantiles_of_many_values_stay_within_the_stated_blur() -> None:
    rng = np.random.default_rng(7)
    for x in (
        rng.standard_normal(200_000),
        np.exp(3 * rng.standard_normal(200_000)),
        rng.standard_t(1, 200_000),
    ):
        found = Distribution().update(x)
        assert 0.0 < found.largest_blur < 2e-3
        ordered = np.sort(x)
        q = np.linspace(0, 1, 401)
        rank = np.searchsorted(ordered, found.quantile(q)) / x.shape[0]
        assert np.abs(rank - q).max() <= found.largest_blur + 1 / x.shape[0]


@given(rows_of(finite), st.lists(finite, max_size=5), capacities)
def test_counts_below_an_edge_are_exact_but_for_its_own_cell(
    values: list[float], edges: list[float], capacity: int
) -> None:
    found = _of(values, capacity)
    counted = found.count_below(np.array(edges, np.float64))
    for edge, count in zip(edges, counted.tolist(), strict=True):
        own = key(edge) >> found.shift
        in_own = sum(key(v) >> found.shift == own for v in values) if found.shift else 0
        surely = sum(v < edge and key(v) >> found.shift != own for v in values)
        true = sum(v < edge for v in values)
        if found.is_exact:
            assert count == true
        else:
            assert surely <= count <= surely + in_own


@given(rows_of(finite), st.tuples(finite, finite), capacities)
def test_rows_outside_a_range(values: list[float], ends: tuple[float, float], capacity: int) -> None:
    low, high = sorted(ends)
    found = _of(values, capacity)
    below, above, across = found.count_outside(low, high)
    assert below <= sum(v < low for v in values) <= below + across
    assert above <= sum(v > high for v in values) <= above + across
    if found.is_exact:
        assert across == 0


def test_an_open_range_leaves_nothing_outside() -> None:
    assert _of([-LARGEST, 0.0, LARGEST]).count_outside(-math.inf, math.inf) == (0, 0, 0)


@given(rows_of(finite), rows_of(finite), capacities, capacities)
def test_two_sides_are_aligned_exactly(left: list[float], right: list[float], a: int, b: int) -> None:
    pair = align(_of(left, a), _of(right, b))
    expected = sorted(key(v) >> pair.shift for v in left), sorted(key(v) >> pair.shift for v in right)
    assert np.repeat(pair.cells, pair.baseline).tolist() == expected[0]
    assert np.repeat(pair.cells, pair.current).tolist() == expected[1]
    assert pair.cells.tolist() == sorted({*expected[0], *expected[1]})
    assert pair.is_value.all() or pair.shift > 0


@given(rows_of(finite), st.integers(2, 8))
@example([2.0**e for e in range(-1022, 1024)] + [-(2.0**e) for e in range(-1022, 1024)], 2)
def test_cells_have_finite_ends_that_hold_their_values(values: list[float], most: int) -> None:
    coarse = _of(values).coarsened(most)
    assert coarse.cells.shape[0] <= most
    low, high = coarse.bounds()
    assert np.isfinite(low).all()
    assert np.isfinite(high).all()
    middle = coarse.midpoints()
    assert ((low <= middle) & (middle <= high)).all()
    for value in values:
        at = coarse.cells.tolist().index(key(value) >> coarse.shift)
        assert low[at] <= value <= high[at]


def test_cells_of_one_value_end_where_they_start() -> None:
    low, high = cell_bounds(key_of(np.array([-1.5, 0.0, 2.0])), 0)
    assert low.tolist() == high.tolist() == [-1.5, 0.0, 2.0]


def test_cells_are_not_split() -> None:
    with pytest.raises(ValueError, match="cannot be split"):
        _of([1.0, 2.0, 3.0], 2).at(0)


def test_empty_has_no_quantile_and_no_rows() -> None:
    assert np.isnan(Distribution().quantile([0.0, 0.5])).all()
    assert Distribution().count_below(np.array([1.0])).tolist() == [0.0]
    assert Distribution().largest_blur == 0.0
    assert align(Distribution(), Distribution()).cells.shape == (0,)


def test_frequent_values_are_not_blurred() -> None:
    """Zeros and whole numbers are known to be what they are, however many other values there are."""
    rng = np.random.default_rng(4)
    zeros = np.where(rng.random(40_000) < 0.7, 0.0, rng.exponential(1000.0, 40_000))
    mostly_zero = Distribution(capacity=256).update(zeros)
    assert mostly_zero.shift > 0
    assert mostly_zero.zeros == np.count_nonzero(zeros == 0)
    assert mostly_zero.quantile([0.1, 0.5, 0.69]).tolist() == [0.0, 0.0, 0.0]
    assert mostly_zero.largest_blur < 0.01
    whole = np.minimum(rng.zipf(1.5, 40_000), 10**9).astype(np.float64)
    counted = Distribution(capacity=256).update(whole)
    assert counted.shift > 0
    assert counted.is_whole
    np.testing.assert_array_equal(
        counted.quantile([0.1, 0.3, 0.5]), np.quantile(whole, [0.1, 0.3, 0.5], method="inverted_cdf")
    )
    assert counted.count_outside(1.0, 1e10) == (0, 0, 0)
    assert counted.count_outside(2.0, 1e10) == (int((whole < 2).sum()), 0, 0)
    assert counted.count_below(np.array([2.0, 2.5])).tolist() == [(whole < 2).sum(), (whole < 2.5).sum()]
    more = counted.merge(Distribution(capacity=256).update(np.array([0.5])))
    assert not more.is_whole


def test_the_cell_of_zero_is_not_zero_where_it_holds_more() -> None:
    values = np.concatenate([np.zeros(50), np.full(50, 5e-324), -np.geomspace(1e-300, 1e300, 50)])
    found = Distribution(capacity=8).update(values)
    _, high = found.bounds()
    assert high[found.cells == 0] > 0.0


@given(st.lists(finite, min_size=1, max_size=40), st.integers(2, 8))
def test_what_is_counted_outside_is_outside(values: list[float], capacity: int) -> None:
    found = _of(values, capacity)
    low, high = values[0], max(values[0], values[-1])
    below, above, across = found.count_outside(low, high)
    assert below <= sum(v < low for v in values) <= below + across
    assert above <= sum(v > high for v in values) <= above + across
