"""Special functions against scipy.special and scipy.stats, over grids that go far into the tails."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.special import bdtrc, chdtrc, chdtri, kolmogorov, ndtr, ndtri

from driftline.kernels import special


def _agrees(found: list[float], expected: np.ndarray, rel: float) -> None:
    """Relative agreement wherever the oracle is a normal double."""
    expected = np.asarray(expected, np.float64)
    used = expected > 1e-290
    assert used.any()
    np.testing.assert_allclose(np.array(found)[used], expected[used], rtol=rel)


def test_normal_sf() -> None:
    z = np.linspace(-8, 36, 2000)
    _agrees([special.normal_sf(v) for v in z], ndtr(-z), 2e-12)


def test_normal_quantile() -> None:
    p = np.concatenate(
        [np.logspace(-300, -1, 1500), np.linspace(0.01, 0.99, 999), 1 - np.logspace(-15, -2, 200)]
    )
    np.testing.assert_allclose([special.normal_quantile(v) for v in p], ndtri(p), rtol=1e-12, atol=1e-15)


def test_normal_quantile_of_a_half_is_zero() -> None:
    assert special.normal_quantile(0.5) == 0.0


@pytest.mark.parametrize("df", [1, 2, 3, 5, 10, 30, 119, 1023, 8191, 100_000])
def test_chi_squared_sf(df: int) -> None:
    x = np.concatenate(
        [df * np.linspace(1e-3, 3, 500), df + np.linspace(0, 60, 300) * (2 * df) ** 0.5, [1e-9, 0.0]]
    )
    _agrees([special.chi_squared_sf(v, df) for v in x], chdtrc(df, x), 2e-10)


@pytest.mark.parametrize("df", [1, 2, 9, 50, 119, 1023, 8191])
def test_chi_squared_quantile(df: int) -> None:
    p = np.array([0.001, 0.05, 0.5, 0.9, 0.95, 0.99, 0.999, 1 - 1e-6])
    np.testing.assert_allclose([special.chi_squared_quantile(v, df) for v in p], chdtri(df, 1 - p), rtol=1e-9)


def test_what_is_kept_of_a_numpy_argument_is_a_float() -> None:
    special.chi_squared_quantile.cache_clear()
    assert type(special.chi_squared_quantile(np.float64(0.95), np.float64(7))) is float
    assert type(special.chi_squared_quantile(0.95, 7)) is float


@pytest.mark.parametrize("n", [1, 2, 17, 300, 10_000, 3_000_000])
@pytest.mark.parametrize("p", [1e-9, 1e-4, 0.02, 0.3, 0.5, 0.97, 1 - 1e-6])
def test_binomial_sf(n: int, p: float) -> None:
    spread = max(1.0, (n * p * (1 - p)) ** 0.5)
    k = np.unique(np.clip(np.round(n * p + spread * np.linspace(-6, 20, 60)), 0, n + 1).astype(int))
    expected = bdtrc(k - 1, n, p)
    expected = np.where(k <= 0, 1.0, np.where(k > n, 0.0, expected))
    found = [special.binomial_sf(int(v), n, p) for v in k]
    assert all(0.0 <= v <= 1.0 for v in found)
    used = expected > 1e-290
    np.testing.assert_allclose(np.array(found)[used], expected[used], rtol=max(1e-10, 3e-14 * n))


def test_binomial_sf_at_the_ends() -> None:
    assert special.binomial_sf(0, 5, 0.0) == 1.0
    assert special.binomial_sf(1, 5, 0.0) == 0.0
    assert special.binomial_sf(5, 5, 1.0) == 1.0
    assert special.binomial_sf(6, 5, 1.0) == 0.0


@pytest.mark.parametrize(
    ("marked", "drawn", "total"),
    [
        (5, 7, 20),
        (50, 500, 50_500),
        (50_000, 50, 50_050),
        (1, 1, 2),
        (0, 3, 9),
        (300, 200, 500),
        (400, 300, 500),
    ],
)
def test_hypergeometric_sf(marked: int, drawn: int, total: int) -> None:
    least, most = max(0, drawn + marked - total), min(marked, drawn)
    k = np.unique(np.linspace(least - 1, most + 1, 80).astype(int))
    expected = stats.hypergeom.sf(k - 1, total, marked, drawn)
    found = [special.hypergeometric_sf(int(v), marked, drawn, total) for v in k]
    used = expected > 1e-280
    np.testing.assert_allclose(np.array(found)[used], expected[used], rtol=1e-9, atol=1e-15)


def test_kolmogorov_sf() -> None:
    x = np.concatenate([np.linspace(0.2, 3, 1500), np.linspace(3, 18, 200)])
    _agrees([special.kolmogorov_sf(v) for v in x], kolmogorov(x), 1e-12)
    assert special.kolmogorov_sf(0.0) == 1.0
    assert special.kolmogorov_sf(0.01) == 1.0
