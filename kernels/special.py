"""The few special functions that evidence needs, in plain Python, so that a small run never waits for SciPy.

Importing ``scipy.stats`` takes about a second, more than a whole scheduled run. SciPy is the oracle of the tests.
"""

from __future__ import annotations

import math
from functools import lru_cache

__all__ = [
    "binomial_sf",
    "chi_squared_quantile",
    "chi_squared_sf",
    "hypergeometric_sf",
    "kolmogorov_sf",
    "normal_quantile",
    "normal_sf",
]

_TINY = 1e-300


def normal_sf(z: float) -> float:
    """Return the probability that a standard normal variable exceeds `z`."""
    return 0.5 * math.erfc(z / math.sqrt(2.0))


def normal_quantile(p: float) -> float:
    """Return z with ``P(Z <= z) = p`` for a standard normal Z; 0 < p < 1.

    Notes
    -----
    Starts from the asymptotic tail and polishes with Newton's method on ``erfc``; relative error below 1e-12.
    """
    if p == 0.5:
        return 0.0
    tail = min(p, 1.0 - p)
    # Abramowitz and Stegun 26.2.23, absolute error 4.5e-4, is a good enough start.
    t = math.sqrt(-2.0 * math.log(tail))
    z = t - (2.515517 + 0.802853 * t + 0.010328 * t * t) / (
        1.0 + 1.432788 * t + 0.189269 * t * t + 0.001308 * t**3
    )
    for _ in range(4):
        density = math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
        z += (normal_sf(z) - tail) / density
    return z if p > 0.5 else -z


def _gamma_q(a: float, x: float) -> float:
    """Return the regularised upper incomplete gamma function Q(a, x)."""
    if x <= 0.0:
        return 1.0
    front = math.exp(-x + a * math.log(x) - math.lgamma(a))
    if x < a + 1.0:
        term = total = 1.0 / a
        n = a
        for _ in range(100_000):
            n += 1.0
            term *= x / n
            total += term
            if term < total * 1e-16:
                break
        return max(0.0, 1.0 - total * front)
    # Lentz's continued fraction (Numerical Recipes, 6.2.7).
    b = x + 1.0 - a
    c = 1.0 / _TINY
    d = 1.0 / b
    h = d
    for i in range(1, 100_000):
        an = -i * (i - a)
        b += 2.0
        d = an * d + b
        d = 1.0 / (d if abs(d) > _TINY else _TINY)
        c = b + an / c
        c = c if abs(c) > _TINY else _TINY
        step = d * c
        h *= step
        if abs(step - 1.0) < 1e-15:
            break
    return front * h


def chi_squared_sf(x: float, df: float) -> float:
    """Return the probability that a chi-squared variable with `df` degrees of freedom exceeds `x`."""
    return _gamma_q(0.5 * df, 0.5 * x)


@lru_cache(maxsize=4096)
def chi_squared_quantile(p: float, df: float) -> float:
    """Return x with ``P(X <= x) = p`` for a chi-squared variable (Wilson–Hilferty, then bisection to 1e-10)."""
    p, df = (
        float(p),
        float(df),
    )  # a NumPy scalar is an equal key: it must not come back to one who asked with a float
    z = normal_quantile(p)
    start = df * max(1e-3, 1.0 - 2.0 / (9.0 * df) + z * math.sqrt(2.0 / (9.0 * df))) ** 3
    low, high = 0.0, max(1.0, start)
    while chi_squared_sf(high, df) > 1.0 - p:
        low, high = high, 2.0 * high
    for _ in range(200):
        middle = 0.5 * (low + high)
        if high - low <= 1e-10 * high:
            break
        if chi_squared_sf(middle, df) > 1.0 - p:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def _beta_fraction(a: float, b: float, x: float) -> float:
    c = 1.0
    d = 1.0 - (a + b) * x / (a + 1.0)
    d = 1.0 / (d if abs(d) > _TINY else _TINY)
    h = d
    for m in range(1, 100_000):
        for numerator in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1.0 + numerator * d
            d = 1.0 / (d if abs(d) > _TINY else _TINY)
            c = 1.0 + numerator / c
            c = c if abs(c) > _TINY else _TINY
            h *= d * c
        if abs(d * c - 1.0) < 1e-15:
            break
    return h


def _beta_i(a: float, b: float, x: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b)."""
    if x <= 0.0:
        return 0.0
    if x >= 1.0:
        return 1.0
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    if x < (a + 1.0) / (a + b + 2.0):
        return front * _beta_fraction(a, b, x) / a
    return 1.0 - front * _beta_fraction(b, a, 1.0 - x) / b


def binomial_sf(k: int, n: int, p: float) -> float:
    """Return the probability of at least `k` successes in `n` trials of probability `p`."""
    if k <= 0:
        return 1.0
    if k > n:
        return 0.0
    return min(1.0, max(0.0, _beta_i(float(k), float(n - k + 1), p)))


def hypergeometric_sf(k: int, marked: int, drawn: int, total: int) -> float:
    """Return the probability of at least `k` marked among `drawn` of `total` things of which `marked` are.

    Notes
    -----
    Sums the tail term by term from `k` on, so it costs a few standard deviations of steps.
    """
    least, most = max(0, drawn + marked - total), min(marked, drawn)
    if k <= least:
        return 1.0
    if k > most:
        return 0.0

    def log_choose(n: int, r: int) -> float:
        return math.lgamma(n + 1) - math.lgamma(r + 1) - math.lgamma(n - r + 1)

    log_first = log_choose(marked, k) + log_choose(total - marked, drawn - k) - log_choose(total, drawn)
    if k * total <= marked * drawn:
        # Below the mean the tail is nearly everything: the other one is the short sum.
        return max(0.0, 1.0 - hypergeometric_sf(drawn - k + 1, total - marked, drawn, total))
    term = tail = 1.0
    for i in range(k, most):
        term *= (marked - i) * (drawn - i) / ((i + 1) * (total - marked - drawn + i + 1))
        tail += term
        if term < tail * 1e-17:
            break
    return min(1.0, math.exp(log_first) * tail)


def kolmogorov_sf(x: float) -> float:
    """Return the survival function of the Kolmogorov distribution at `x`.

    Notes
    -----
    ``2 * sum((-1)**(k-1) * exp(-2 * k**2 * x**2))`` for large `x`, the theta-function form for small `x`.
    """
    if x <= 0.0:
        return 1.0
    if x < 0.8:
        total = sum(math.exp(-((2 * k - 1) ** 2) * math.pi**2 / (8.0 * x * x)) for k in range(1, 8))
        return max(0.0, 1.0 - math.sqrt(2.0 * math.pi) / x * total)
    total = 0.0
    for k in range(1, 101):
        term = math.exp(-2.0 * k * k * x * x)
        total += term if k % 2 else -term
        if term < 1e-18:
            break
    return min(1.0, max(0.0, 2.0 * total))
