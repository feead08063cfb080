"""Evidence: p-values against scipy, and that chance makes them small no oftener than they say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import counting as obvious
from scipy import stats

from driftline.kernels.evidence import (
    benjamini_hochberg,
    chi_squared_test,
    classes_p,
    effective_size,
    exceedance_p,
    ks_p,
    newcomers_p,
    share_p,
    total_variation_noise,
    total_variation_p,
    two_sample_p,
)

counts = st.lists(st.integers(0, 300), min_size=2, max_size=8)


def test_effective_size() -> None:
    assert effective_size(100, 100) == 50
    assert effective_size(0, 5) == 0.0


@pytest.mark.parametrize(
    ("n", "m"), [(3, 3), (5, 5), (8, 8), (20, 20), (50, 50), (10, 50), (7, 100), (50, 500), (3, 400)]
)
def test_ks_p_is_hardly_ever_below_the_exact_one(n: int, m: int) -> None:
    steps = math.lcm(n, m)
    for step in sorted({round(steps * part) for part in np.linspace(0.02, 1, 25)} - {0}):
        exact = obvious.ks_exact_p(step, n, m)
        assert ks_p(step / steps, n, m) >= exact * (0.9 if exact > 0.01 else 0.99)


@pytest.mark.parametrize(("n", "m"), [(4, 4), (5, 7), (20, 30)])
def test_the_exact_p_is_scipys(n: int, m: int) -> None:
    """Oracle: scipy.stats.ks_2samp(method="exact")."""
    rng = np.random.default_rng(n)
    for shift in (0.0, 0.5, 1.0):
        found = stats.ks_2samp(rng.standard_normal(n), rng.standard_normal(m) + shift, method="exact")
        step = round(found.statistic * math.lcm(n, m))
        assert obvious.ks_exact_p(step, n, m) == pytest.approx(found.pvalue, rel=1e-9)


@pytest.mark.parametrize(("n", "m"), [(500, 500), (500, 50_000), (5_000, 20_001)])
def test_ks_p_of_large_samples_is_the_limit(n: int, m: int) -> None:
    for distance in np.linspace(0.005, 5.0, 40) / math.sqrt(effective_size(n, m)):
        expected = stats.kstwobign.sf(math.sqrt(effective_size(n, m)) * distance)
        if 1e-9 < expected < 0.999:
            assert ks_p(distance, n, m) == pytest.approx(expected, rel=0.4)


def test_ks_p_of_nothing_is_one() -> None:
    assert ks_p(1.0, 0, 5) == 1.0
    assert ks_p(0.0, 5, 5) == 1.0


@given(counts, counts)
def test_chi_squared_is_pearsons(a: list[int], b: list[int]) -> None:
    """Oracle: scipy.stats.chi2_contingency(correction=False), on the classes that occur."""
    k = min(len(a), len(b))
    table = np.array([a[:k], b[:k]])
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2 or (table.sum(axis=1) == 0).any():
        return
    expected = stats.chi2_contingency(table, correction=False)
    statistic, df, p_value = chi_squared_test(table[0], table[1], least_expected=0.0)
    assert statistic == pytest.approx(expected.statistic, rel=1e-9, abs=1e-12)
    assert df == expected.dof
    assert p_value == pytest.approx(expected.pvalue, rel=1e-8, abs=1e-280)


@given(counts, counts, st.sampled_from([1, 7, 50]))
def test_pooled_classes_are_frequent_enough(a: list[int], b: list[int], times: int) -> None:
    k = min(len(a), len(b))
    baseline, current = np.array(a[:k]) * times, np.array(b[:k])
    _, df, p_value = chi_squared_test(baseline, current)
    n, m = baseline.sum(), current.sum()
    enough = (baseline + current) * min(n, m) >= 5 * (n + m)
    assert 0 <= df <= max(0, int(np.count_nonzero(enough)))
    assert 0.0 <= p_value <= 1.0
    if n and m and enough.all() and k > 1:
        assert df == k - 1


def test_an_empty_side_says_nothing() -> None:
    assert chi_squared_test(np.array([1, 2]), np.array([0, 0])) == (0.0, 0, 1.0)


def test_a_class_that_pooling_hides_is_still_seen() -> None:
    assert classes_p(np.array([50_000, 0]), np.array([0, 50])) < 1e-100
    assert classes_p(np.array([49_990, 10, 0]), np.array([0, 0, 50])) < 1e-100
    assert classes_p(np.array([25_000, 25_000, 0]), np.array([25, 0, 25])) < 1e-20
    assert classes_p(np.array([0, 50_000]), np.array([0, 50])) == 1.0


def test_frequent_classes_are_judged_by_pearson_alone() -> None:
    a, b = np.array([500, 300, 200]), np.array([40, 35, 25])
    assert classes_p(a, b) == chi_squared_test(a, b)[2]


@pytest.mark.parametrize("n_bad", [0, 1, 3, 10])
def test_share_p_is_binomial(n_bad: int) -> None:
    expected = stats.binomtest(n_bad, 200, 0.01, alternative="greater").pvalue
    assert share_p(n_bad, 200, 0.01) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize(
    ("k", "n", "m"), [(1, 10, 10), (2, 100, 5), (3, 50, 500), (5, 4, 5), (500, 500, 500)]
)
def test_exceedance_is_hypergeometric(k: int, n: int, m: int) -> None:
    """The k most extreme of n + m exchangeable values are all new: one way to draw k marked out of m."""
    expected = stats.hypergeom.pmf(k, n + m, m, k)
    assert exceedance_p(k, n, m) == pytest.approx(expected, rel=1e-9)


def test_exceedance_at_the_ends() -> None:
    assert exceedance_p(0, 10, 10) == 1.0
    assert exceedance_p(100_000, 10**9, 10**6) == 0.0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_benjamini_hochberg(p_values: list[float]) -> None:
    """Oracle: scipy.stats.false_discovery_control(method="bh")."""
    expected = stats.false_discovery_control(p_values, method="bh")
    np.testing.assert_allclose(benjamini_hochberg(p_values), expected, rtol=1e-12, atol=0)


def test_benjamini_hochberg_of_nothing() -> None:
    assert benjamini_hochberg([]) == []


LEVELS = (0.1, 0.02, 0.005)
N_TRIALS = 2_000


def _allowed(level: float) -> float:
    """Four standard errors above the level, and room for what an asymptotic test may be off by."""
    return level + 4 * math.sqrt(level * (1 - level) / N_TRIALS)


@pytest.mark.parametrize(("n", "m"), [(5, 5), (20, 20), (15, 200), (300, 50)])
@pytest.mark.parametrize("family", ["continuous", "ties", "two values"])
def test_chance_makes_ks_p_small_no_oftener_than_it_says(n: int, m: int, family: str) -> None:
    rng = np.random.default_rng(n * 100 + m)
    draw = {
        "continuous": lambda k: rng.standard_normal((N_TRIALS, k)),
        "ties": lambda k: rng.poisson(2, (N_TRIALS, k)).astype(float),
        "two values": lambda k: (rng.random((N_TRIALS, k)) < 0.3).astype(float),
    }[family]
    a, b = np.sort(draw(n), axis=1), np.sort(draw(m), axis=1)
    p_values = []
    for x, y in zip(a, b, strict=True):
        points = np.concatenate([x, y])
        f = np.searchsorted(x, points, "right") / n - np.searchsorted(y, points, "right") / m
        p_values.append(ks_p(float(np.abs(f).max()), n, m))
    for level in LEVELS:
        assert np.mean(np.array(p_values) <= level) <= _allowed(level)


@pytest.mark.parametrize(("n", "m"), [(20, 20), (60, 300), (5_000, 50), (50_000, 500)])
@pytest.mark.parametrize("shares", ["even", "zipf", "one rare"])
def test_chance_makes_class_p_small_no_oftener_than_it_says(n: int, m: int, shares: str) -> None:
    weights = {
        "even": np.full(6, 1 / 6),
        "zipf": 1 / np.arange(1, 61) / (1 / np.arange(1, 61)).sum(),
        "one rare": np.array([0.995, 0.005]),
    }[shares]
    rng = np.random.default_rng(n + m)
    a, b = rng.multinomial(n, weights, N_TRIALS), rng.multinomial(m, weights, N_TRIALS)
    p_values = np.array([classes_p(x, y) for x, y in zip(a, b, strict=True)])
    for level in LEVELS:
        assert np.mean(p_values <= level) <= _allowed(level)


def test_chance_makes_exceedance_p_small_no_oftener_than_it_says() -> None:
    rng = np.random.default_rng(11)
    for n, m in ((20, 20), (100, 10), (10, 400)):
        old, new = rng.standard_t(2, (N_TRIALS, n)), rng.standard_t(2, (N_TRIALS, m))
        beyond = (new > old.max(axis=1, keepdims=True)).sum(axis=1)
        p_values = np.array([exceedance_p(int(k), n, m) for k in beyond])
        for level in LEVELS:
            assert np.mean(p_values <= level) <= _allowed(level)


@given(st.integers(0, 60), st.integers(1, 3000), st.integers(0, 60), st.integers(1, 3000))
def test_two_sample_p_is_fishers(k: int, m: int, k0: int, n: int) -> None:
    """Oracle: scipy.stats.hypergeom.sf, which is scipy.stats.fisher_exact one-sided."""
    k, k0 = min(k, m), min(k0, n)
    expected = stats.hypergeom.sf(k - 1, n + m, k + k0, m)
    assert two_sample_p(k, m, k0, n) == pytest.approx(expected, rel=1e-7, abs=1e-300)


def test_one_new_value_is_as_surprising_as_its_rows() -> None:
    before, now = np.array([3000, 2000, 0]), np.array([300, 194, 6])
    found = newcomers_p(before, now, 6, 5000, 500, repeats=np.ones(3))
    assert found == pytest.approx(exceedance_p(6, 5000, 500), rel=1e-6)
    assert newcomers_p(before, now, 0, 5000, 500, repeats=np.ones(3)) == 1.0


def test_new_values_are_less_surprising_where_many_are_rare() -> None:
    rare = np.r_[np.ones(100, int), np.zeros(10, int)], np.r_[np.zeros(100, int), np.ones(10, int)]
    frequent = np.r_[np.full(10, 10), np.zeros(10, int)], rare[1][90:]
    few = newcomers_p(*frequent, 10, 100, 10, repeats=np.ones(20))
    many = newcomers_p(*rare, 10, 100, 10, repeats=np.ones(110))
    assert few < 1e-6 < 0.5 < many
    # A sampled text stands for many.
    sample = newcomers_p(frequent[0][:11], frequent[1][:11], 10, 100, 10, repeats=np.r_[np.ones(10), 10.0])
    assert sample == pytest.approx(few, rel=1e-6)


@pytest.mark.parametrize(
    ("k", "power", "n", "m"),
    [(50, 2.0, 5_000, 50_000), (100, 1.5, 5_000, 50_000), (400, 1.0, 500, 500), (2_000, 0.5, 2_000, 500)],
)
def test_chance_makes_the_p_of_categories_small_no_oftener_than_it_says(
    k: int, power: float, n: int, m: int
) -> None:
    rng = np.random.default_rng([k, n, m])
    shares = 1 / np.arange(1, k + 1) ** power
    shares /= shares.sum()
    new, moved = [], []
    for _ in range(300):
        a, b = rng.multinomial(n, shares), rng.multinomial(m, shares)
        used = a + b > 0
        new.append(newcomers_p(a[used], b[used], int(b[a == 0].sum()), n, m, repeats=np.ones(used.sum())))
        moved.append(total_variation_p(a, b))
    for p_values in (np.array(new), np.array(moved)):
        for level in (0.5, 0.1, 0.01):
            assert (p_values <= level).mean() <= level + 3 * math.sqrt(level / 300)


@pytest.mark.parametrize(("k", "n", "m"), [(30, 5_000, 500), (500, 5_000, 2_000), (3_000, 1_000, 1_000)])
def test_the_noise_of_total_variation_is_what_chance_does(k: int, n: int, m: int) -> None:
    """Oracle: dealing the rows of both sides anew, numpy's multivariate hypergeometric."""
    rng = np.random.default_rng(k)
    pool = rng.multinomial(n + m, np.full(k, 1 / k))
    found = []
    for a in rng.multivariate_hypergeometric(pool, n, size=200, method="marginals"):
        found.append(np.abs(a / n - (pool - a) / m).sum() / 2)
    mean, deviation = total_variation_noise(*_dealt(pool, n))
    assert mean == pytest.approx(np.mean(found), rel=0.02)
    assert mean >= np.mean(found) - 3 * np.std(found) / math.sqrt(200)
    assert deviation == pytest.approx(np.std(found), rel=0.25)


def _dealt(pool: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Put the first n rows on one side: only the pool and the sizes matter to what is tested."""
    left = np.clip(n - (np.cumsum(pool) - pool), 0, pool)
    return left, pool - left


def test_total_variation_sees_what_pooling_hides() -> None:
    a, b = np.r_[np.full(500, 10), np.zeros(500, int)], np.r_[np.zeros(500, int), np.full(500, 4)]
    assert classes_p(a, b) > 0.01
    assert total_variation_p(a, b) < 1e-100
    frequent = np.array([500, 300]), np.array([250, 240])
    assert total_variation_p(*frequent) == classes_p(*frequent)
