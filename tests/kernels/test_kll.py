from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from driftline.kernels.kll import KLL, robust, sagemaker_distance


class Slow:
    """The sketch value by value, as the specification tells it."""

    def __init__(self, k: float) -> None:
        self.k = k
        self.levels: list[list[float]] = [[]]
        self.compactions = [0]

    def capacity(self, level: int) -> int:
        return 2 * (math.ceil(self.k * 0.64**level / 2) + 1)

    @property
    def room(self) -> int:
        return sum(self.capacity(h) for h in range(len(self.levels)))

    @property
    def size(self) -> int:
        return sum(map(len, self.levels))

    def append(self, value: float) -> None:
        self.levels[0].append(value)
        if self.size > self.room:
            self.condense()

    def condense(self) -> None:
        for h in range(len(self.levels)):
            if len(self.levels[h]) >= self.capacity(h):
                if h + 1 == len(self.levels):
                    self.levels.append([])
                    self.compactions.append(0)
                even = len(self.levels[h]) // 2 * 2
                offset = [0, 1, 1, 0][self.compactions[h] % 4]
                self.levels[h + 1] += sorted(self.levels[h][:even])[offset::2]
                self.levels[h] = self.levels[h][even:]
                self.compactions[h] += 1
                return

    def merge(self, other: Slow) -> None:
        while len(self.levels) < len(other.levels):
            self.levels.append([])
            self.compactions.append(0)
        for h, items in enumerate(other.levels):
            self.levels[h] += items
        while self.size >= self.room:
            self.condense()


def slow(values: np.ndarray, k: float) -> Slow:
    result = Slow(k)
    for value in values.tolist():
        result.append(value)
    return result


def levels(sketch: KLL) -> list[list[float]]:
    return [level.tolist() for level in sketch.levels]


seeds = st.integers(0, 2**32 - 1)
sizes = st.integers(0, 1200)


def column(seed: int, n: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.round(rng.normal(size=n), int(rng.integers(0, 6)))


@given(seeds, sizes, st.sampled_from([2.0, 10.0, 64.0, 300.0]))
def test_update_equals_appending_one_by_one(seed: int, n: int, k: float) -> None:
    values = column(seed, n)
    assert levels(KLL(k=k).update(values)) == slow(values, k).levels


def test_update_with_the_real_capacity() -> None:
    values = column(7, 12_000)
    assert levels(KLL().update(values)) == slow(values, 2048.0).levels


@given(seeds, sizes, st.lists(st.integers(0, 1200), max_size=4))
def test_batches_do_not_matter(seed: int, n: int, cuts: list[int]) -> None:
    values = column(seed, n)
    sketch = KLL(k=32.0)
    for part in np.split(values, sorted(min(c, n) for c in cuts)):
        sketch = sketch.update(part)
    assert levels(sketch) == levels(KLL(k=32.0).update(values))


@given(seeds, sizes, sizes)
def test_merge_equals_the_slow_merge(seed: int, n: int, m: int) -> None:
    a, b = column(seed, n), column(seed + 1, m)
    reference = slow(a, 64.0)
    reference.merge(slow(b, 64.0))
    assert levels(KLL(k=64.0).update(a).merge(KLL(k=64.0).update(b))) == reference.levels


@given(seeds, sizes, sizes)
def test_rows_are_conserved(seed: int, n: int, m: int) -> None:
    left, right = KLL(k=16.0).update(column(seed, n)), KLL(k=16.0).update(column(seed + 1, m))
    assert left.n_rows == n
    assert left.merge(right).n_rows == n + m


def test_sketching_does_not_change_what_it_started_from() -> None:
    start = KLL(k=8.0).update(np.arange(20.0))
    before = levels(start)
    start.update(np.arange(100.0))
    start.merge(start)
    assert levels(start) == before


def test_the_example_of_the_specification() -> None:
    values = np.random.default_rng(3).permutation(2333).astype(float)
    sketch = KLL().update(values)
    assert levels(sketch) == [values[2050:].tolist(), np.sort(values[:2050])[::2].tolist()]


@given(seeds, st.integers(1, 400))
def test_small_columns_are_exact(seed: int, n: int) -> None:
    values = column(seed, n)
    sketch = KLL().update(values)
    q = np.linspace(0, 1, 21)
    assert np.array_equal(sketch.quantile(q), np.quantile(values, q, method="inverted_cdf"))
    assert np.array_equal(sketch.cdf(values), [(values <= v).mean() for v in values])
    assert np.array_equal(sketch.rank(values, inclusive=False), [(values < v).sum() for v in values])


@given(seeds, st.integers(2, 1500))
def test_buckets_count_like_a_histogram(seed: int, n: int) -> None:
    values = column(seed, n)
    low, high = values.min(), values.max()
    edges, counts = KLL().update(values).buckets(low, high)
    if low < high:
        assert counts.tolist() == np.histogram(values, edges)[0].tolist()
    else:
        assert counts.tolist() == [0] * 9 + [n]
    assert (edges[0], edges[-1]) == (low, pytest.approx(high))


def test_a_large_column_keeps_its_quantiles() -> None:
    values = np.random.default_rng(0).normal(size=200_000)
    sketch = KLL().update(values)
    assert (
        np.abs(
            sketch.cdf(np.quantile(values, [0.01, 0.25, 0.5, 0.75, 0.99])) - [0.01, 0.25, 0.5, 0.75, 0.99]
        ).max()
        < 0.01
    )


@given(seeds, sizes)
def test_weights_of_stored_values(seed: int, n: int) -> None:
    sketch = KLL(k=32.0).update(column(seed, n))
    rows: dict[float, int] = {}
    distinct: dict[float, int] = {}
    for h, level in enumerate(levels(sketch)):
        for item in level:
            rows[item + 0.0] = rows.get(item + 0.0, 0) + 2**h
            distinct[item + 0.0] = 2**h
    assert dict(zip(*map(np.ndarray.tolist, sketch.weighted("rows")), strict=True)) == rows
    assert dict(zip(*map(np.ndarray.tolist, sketch.weighted("distinct")), strict=True)) == distinct


@given(seeds, st.integers(4, 900), st.integers(4, 900))
def test_row_weights_give_the_two_sample_ks_statistic(seed: int, n: int, m: int) -> None:
    a, b = column(seed, n), column(seed + 1, m) + 0.2
    distance = sagemaker_distance(KLL().update(a), KLL().update(b), "Simple", "rows")
    assert distance == pytest.approx(stats.ks_2samp(a, b, method="asymp").statistic, abs=1e-15)
    assert sagemaker_distance(KLL().update(a), KLL().update(b), "Robust", "rows") == robust(distance, n, m)


@given(seeds, st.integers(20, 900), st.integers(20, 900))
def test_distinct_weights_give_the_ks_statistic_of_different_values(seed: int, n: int, m: int) -> None:
    a, b = column(seed, n), column(seed + 1, m) + 0.2
    both = np.unique(np.concatenate([a, b]))
    left, right = (np.searchsorted(np.unique(x), both, side="right") / np.unique(x).size for x in (a, b))
    expected = np.abs(left - right).max()
    assert sagemaker_distance(KLL().update(a), KLL().update(b), "Simple") == pytest.approx(
        expected, abs=1e-15
    )


def test_robust_subtracts_the_allowance() -> None:
    assert robust(0.9, 10, 10) == 0.9 - 1.8 * math.sqrt(0.2)
    assert robust(0.8, 10, 10) == 0.0


def test_nothing_has_no_distance() -> None:
    some = KLL().update(np.array([1.0]))
    assert math.isnan(sagemaker_distance(KLL(), some))
    assert math.isnan(sagemaker_distance(some, KLL()))
    assert np.isnan(KLL().cdf(0.0))
    assert np.isnan(KLL().quantile(0.5))
    assert KLL.of_levels([]).n_rows == 0


def test_infinity_has_a_rank_and_nan_has_none() -> None:
    sketch = KLL().update(np.array([-np.inf, 0.0, np.inf]))
    assert sketch.rank(np.array([-np.inf, 0.0, np.inf])).tolist() == [1, 2, 3]
    with pytest.raises(ValueError, match="NaN has no rank"):
        sketch.update(np.array([1.0, np.nan]))


def test_sketches_of_different_size_do_not_merge() -> None:
    with pytest.raises(ValueError, match=r"k=2048, c=0\.64 and k=8, c=0\.64"):
        KLL().merge(KLL(k=8.0))
