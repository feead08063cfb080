"""Distances: against scipy or the formula itself; their intervals hold, and chance stays below `detectable`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from reference import counting as obvious
from scipy import stats
from scipy.spatial.distance import jensenshannon
from strategies import finite, rows_of

from driftline.kernels import distance
from driftline.kernels.distribution import Distribution, align

if TYPE_CHECKING:
    from collections.abc import Callable

    from driftline.kernels.distance import Effect

pairs = st.integers(1, 12).flatmap(
    lambda k: st.tuples(*[st.lists(st.integers(0, 50), min_size=k, max_size=k).filter(any)] * 2)
)
moderate = st.floats(-1e6, 1e6).map(lambda v: round(v, 3))


def _line(k: int) -> np.ndarray:
    return np.arange(k, dtype=np.float64)


EVERY: dict[str, Callable[[np.ndarray, np.ndarray], Effect]] = {
    "ks": lambda a, b: distance.ks(a, b, exact=True),
    "wasserstein": lambda a, b: distance.wasserstein(a, b, _line(a.shape[0]), _line(a.shape[0]), 1.0),
    "l_infinity": distance.l_infinity,
    "l_infinity_robust": distance.l_infinity_robust,
    "chi_squared": distance.chi_squared,
    "psi": distance.psi,
    "js_distance": distance.js_distance,
    "hellinger": distance.hellinger,
    "total_variation": distance.total_variation,
}


@given(pairs)
def test_ks_is_scipys(pair: tuple[list[int], list[int]]) -> None:
    """Oracle: scipy.stats.ks_2samp, whose statistic is max |F - G|."""
    a, b = (np.repeat(np.arange(len(side)), side) for side in pair)
    found = distance.ks(np.array(pair[0]), np.array(pair[1]), exact=True)
    with np.errstate(divide="ignore"):  # scipy's, for one value a side
        expected = stats.ks_2samp(a, b, method="asymp").statistic
    assert found.value == pytest.approx(expected, abs=1e-12)
    assert found.sketch_error == 0.0


@given(st.lists(moderate, min_size=1, max_size=40), st.lists(moderate, min_size=1, max_size=40))
def test_wasserstein_is_scipys(left: list[float], right: list[float]) -> None:
    """Oracle: scipy.stats.wasserstein_distance, divided by the scale."""
    pair = align(Distribution().update(np.array(left)), Distribution().update(np.array(right)))
    low, high = pair.low, pair.high
    found = distance.wasserstein(pair.baseline, pair.current, low, high, 2.5)
    assert found.value == pytest.approx(stats.wasserstein_distance(left, right) / 2.5, rel=1e-9, abs=1e-9)
    assert found.sketch_error == 0.0


@given(pairs)
def test_js_distance_is_scipys(pair: tuple[list[int], list[int]]) -> None:
    """Oracle: scipy.spatial.distance.jensenshannon(base=2)."""
    found = distance.js_distance(np.array(pair[0]), np.array(pair[1])).value
    expected = jensenshannon(*pair, base=2)
    # A square root of what should be zero is all rounding error.
    assert found == pytest.approx(0.0 if math.isnan(expected) else expected, abs=1e-7)
    assert 0.0 <= found <= 1.0 + 1e-12


@given(pairs)
def test_chi_squared_is_cramers_v(pair: tuple[list[int], list[int]]) -> None:
    """Oracle: scipy.stats.contingency.association(method="cramer"); two rows, so the smaller side is 2."""
    table = np.array(pair)
    table = table[:, table.sum(axis=0) > 0]
    found = distance.chi_squared(table[0], table[1]).value
    if table.shape[1] > 1:
        expected = stats.contingency.association(table, method="cramer", correction=False)
        assert found == pytest.approx(expected, abs=1e-9)
    else:
        assert found == 0.0


@given(pairs)
def test_the_others_are_their_formulas(pair: tuple[list[int], list[int]]) -> None:
    a, b = (np.array(side) for side in pair)
    p, q = (a / a.sum()).tolist(), (b / b.sum()).tolist()
    assert distance.l_infinity(a, b).value == pytest.approx(
        max(abs(x - y) for x, y in zip(p, q, strict=True))
    )
    assert distance.total_variation(a, b).value == pytest.approx(
        sum(abs(x - y) for x, y in zip(p, q, strict=True)) / 2
    )
    assert distance.hellinger(a, b).value == pytest.approx(
        math.sqrt(max(0.0, sum((math.sqrt(x) - math.sqrt(y)) ** 2 for x, y in zip(p, q, strict=True)) / 2)),
        abs=1e-7,
    )
    robust = max(
        0.0, distance.l_infinity(a, b).value - 1.8 * math.sqrt((a.sum() + b.sum()) / (a.sum() * b.sum()))
    )
    assert distance.l_infinity_robust(a, b).value == pytest.approx(robust, abs=1e-12)


@given(pairs)
def test_psi_counts_an_empty_bin_as_half_a_row(pair: tuple[list[int], list[int]]) -> None:
    used = [(x, y) for x, y in zip(*pair, strict=True) if x or y]
    a, b = [x or 0.5 for x, _ in used], [y or 0.5 for _, y in used]
    expected = sum(
        (y / sum(b) - x / sum(a)) * math.log((y / sum(b)) / (x / sum(a))) for x, y in zip(a, b, strict=True)
    )
    assert distance.psi(np.array(pair[0]), np.array(pair[1])).value == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", EVERY)
@given(pairs)
def test_equal_shares_are_no_distance_apart(name: str, pair: tuple[list[int], list[int]]) -> None:
    # Half a row more in an empty bin is not the same share on both sides: PSI is asked about bins that are filled.
    counts = np.array(pair[0]) + 1
    found = EVERY[name](counts, 3 * counts)
    assert found.value == pytest.approx(0.0, abs=1e-7)
    assert found.detectable >= 0.0


@pytest.mark.parametrize("name", EVERY)
@given(pairs)
def test_sides_may_be_swapped(name: str, pair: tuple[list[int], list[int]]) -> None:
    a, b = (np.array(side) for side in pair)
    there, back = EVERY[name](a, b), EVERY[name](b, a)
    assert there.value == pytest.approx(back.value, rel=1e-9, abs=1e-7)
    assert there.detectable == pytest.approx(back.detectable, rel=1e-9)
    assert all(map(math.isfinite, (there.value, there.standard_error, there.detectable)))
    low, high = there.interval()
    assert 0.0 <= low <= there.value <= high


@pytest.mark.parametrize("name", [n for n in EVERY if n not in ("psi", "wasserstein", "l_infinity_robust")])
def test_disjoint_sides_are_one_apart(name: str) -> None:
    assert EVERY[name](np.array([40, 60, 0, 0]), np.array([0, 0, 0, 9])).value == pytest.approx(
        0.6 if name == "l_infinity" else 1.0, abs=0.41 if name == "l_infinity" else 1e-12
    )


@pytest.mark.parametrize("name", EVERY)
def test_an_empty_side_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="at least one row"):
        EVERY[name](np.array([0, 0]), np.array([0, 0]))


@given(rows_of(finite), rows_of(finite), st.sampled_from([2, 3, 8]))
def test_ks_of_cells_is_at_most_its_sketch_error_too_small(
    left: list[float], right: list[float], capacity: int
) -> None:
    if not left or not right:
        return
    sides = (Distribution(capacity=capacity).update(np.array(v)) for v in (left, right))
    pair = align(*sides)
    found = distance.ks(pair.baseline, pair.current, exact=pair.is_value)
    true = obvious.ks(left, right)
    assert found.value <= true + 1e-12
    assert true <= found.value + found.sketch_error + 1e-12


@given(
    st.lists(moderate, min_size=2, max_size=40),
    st.lists(moderate, min_size=2, max_size=40),
    st.sampled_from([8, 16]),
)
def test_wasserstein_of_cells_is_off_by_at_most_its_sketch_error(
    left: list[float], right: list[float], capacity: int
) -> None:
    pair = align(*(Distribution(capacity=capacity).update(np.array(v)) for v in (left, right)))
    low, high = pair.low, pair.high
    with np.errstate(over="ignore", invalid="ignore"):
        found = distance.wasserstein(pair.baseline, pair.current, low, high, 1.0)
    assume(math.isfinite(found.sketch_error))
    true = stats.wasserstein_distance(left, right)
    assert abs(found.value - true) <= found.sketch_error + 1e-6


def test_ks_of_many_continuous_values_is_off_by_less_than_two_in_ten_thousand() -> None:
    rng = np.random.default_rng(2)
    for shift in (0.0, 0.02, 0.3):
        a, b = rng.standard_normal(300_000), rng.standard_normal(300_000) + shift
        pair = align(Distribution().update(a), Distribution().update(b))
        found = distance.ks(pair.baseline, pair.current, exact=pair.is_value)
        true = stats.ks_2samp(a, b, method="asymp").statistic
        assert not pair.is_value.all()
        assert abs(found.value - true) <= min(2e-4, found.sketch_error)


@given(pairs, st.integers(2, 12))
def test_bins_of_about_equal_shares(pair: tuple[list[int], list[int]], n_bins: int) -> None:
    baseline = np.array(pair[0])
    bins = distance.equal_bins(baseline, n_bins)
    assert bins[0] == 0
    assert set(np.diff(bins).tolist()) <= {0, 1}
    assert bins[-1] < 2 * n_bins
    heavy = np.flatnonzero(baseline * n_bins > baseline.sum())
    for cell in heavy:
        assert (bins == bins[cell]).sum() == 1
    light = np.bincount(bins, weights=baseline)
    for number in set(range(bins[-1] + 1)) - {int(bins[c]) for c in heavy}:
        assert light[number] <= 2 * baseline.sum() / n_bins


def test_bins_of_a_smooth_column_are_tenths() -> None:
    bins = distance.equal_bins(np.ones(1000, np.int64))
    assert np.bincount(bins).tolist() == [100] * 10


SIZES = [(500, 500), (50_000, 500), (300, 5_000), (200, 60)]
N_TRIALS = 400
MONTE_CARLO = 2.5 * math.sqrt(0.93 * 0.07 / N_TRIALS)


def _shares(family: str) -> np.ndarray:
    k = {"bins": 10, "yes or no": 2, "zipf": 12}[family]
    weights = 1 / np.arange(1, k + 1) if family == "zipf" else np.ones(k)
    return weights / weights.sum()


def _tilted(p: np.ndarray, by: float) -> np.ndarray:
    q = p * (1 + by * np.linspace(-1, 1, p.shape[0]))
    return q / q.sum()


def _true(name: str, p: np.ndarray, q: np.ndarray, n: int, m: int) -> float:
    """The distance of the shares themselves; the chi-squared effect and Deequ's allowance depend on the sizes."""
    if name == "l_infinity_robust":
        return max(0.0, float(np.abs(p - q).max()) - 1.8 * math.sqrt((n + m) / (n * m)))
    return EVERY[name](p * n * 1e9, q * m * 1e9).value


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("family", ["bins", "yes or no", "zipf"])
def test_the_interval_holds_the_true_distance_93_times_of_100(name: str, family: str) -> None:
    """In 400 pairs of samples each, with nothing changed, little and much."""
    p = _shares(family)
    for by in (0.0, 0.05, 0.5, 0.9):
        q = _tilted(p, by)
        for n, m in SIZES:
            rng = np.random.default_rng([n, m, int(100 * by)])
            true = _true(name, p, q, n, m)
            held = 0
            for a, b in zip(rng.multinomial(n, p, N_TRIALS), rng.multinomial(m, q, N_TRIALS), strict=True):
                low, high = EVERY[name](a, b).interval()
                held += low - 1e-9 <= true <= high + 1e-9
            assert held / N_TRIALS >= 0.93 - MONTE_CARLO, (by, n, m, held)


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("family", ["bins", "yes or no", "zipf"])
def test_chance_exceeds_detectable_one_time_in_twenty(name: str, family: str) -> None:
    """At most, that is, but for Monte Carlo error; and it is no idle bound for the distances that follow chi-squared."""
    p = _shares(family)
    for n, m in SIZES:
        rng = np.random.default_rng([n, m])
        beyond = 0
        ratios = []
        for a, b in zip(rng.multinomial(n, p, N_TRIALS), rng.multinomial(m, p, N_TRIALS), strict=True):
            found = EVERY[name](a, b)
            beyond += found.value > found.detectable + 1e-12
            if found.detectable:
                ratios.append(found.value / found.detectable)
        assert beyond / N_TRIALS <= 0.09, (n, m, beyond)
        if name in ("chi_squared", "js_distance", "hellinger", "total_variation"):
            assert np.quantile(ratios, 0.95) >= 0.85, (n, m)


def test_detectable_of_ks_is_the_kolmogorov_point_of_continuous_data() -> None:
    rng = np.random.default_rng(3)
    for n, m in SIZES:
        values = []
        for _ in range(N_TRIALS):
            x, y = np.sort(rng.random(n)), np.sort(rng.random(m))
            points = np.concatenate([x, y])
            gap = np.searchsorted(x, points, "right") / n - np.searchsorted(y, points, "right") / m
            values.append(np.abs(gap).max())
        detectable = distance.ks(np.array([n]), np.array([m]), exact=True).detectable
        assert np.quantile(values, 0.95) == pytest.approx(detectable, rel=0.08)
