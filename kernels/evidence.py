"""Evidence: how surprising a difference is if nothing has changed, and how to weigh many surprises at once."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from driftline.kernels.special import binomial_sf, chi_squared_sf, hypergeometric_sf, kolmogorov_sf

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = [
    "benjamini_hochberg",
    "chi_squared_test",
    "classes_p",
    "effective_size",
    "exceedance_p",
    "ks_p",
    "newcomers_p",
    "share_p",
    "total_variation_noise",
    "total_variation_p",
    "two_sample_p",
]


def effective_size(n: float, m: float) -> float:
    """Return ``n*m / (n + m)``, the size that two samples are worth when they are compared."""
    return n * m / (n + m) if n and m else 0.0


def ks_p(distance: float, n: int, m: int) -> float:
    """Return the p-value of a two-sample Kolmogorov–Smirnov distance.

    Parameters
    ----------
    distance : float
        Largest difference of the two empirical distribution functions.
    n, m : int
        Sample sizes.

    Returns
    -------
    float

    Notes
    -----
    The limit distribution with the finite-sample correction of Stephens (1970),
    ``(sqrt(e) + 0.12 + 0.11/sqrt(e)) * D`` with ``e = n*m/(n+m)``. The distance moves in steps of ``1/lcm(n, m)``, and
    half a step is taken off; without it the p-value of two samples of 20 would be up to 1.5 times too small. From 3
    values a side on it is at most 10 % below the exact p-value, 1 % where that is below 0.01, and usually above. Ties make
    the exact one smaller still.
    """
    e = effective_size(n, m)
    if e <= 0:
        return 1.0
    root = math.sqrt(e)
    half_step = 0.5 / math.lcm(n, m)
    return kolmogorov_sf((root + 0.12 + 0.11 / root) * max(0.0, distance - half_step))


def chi_squared_test(
    baseline: NDArray[Any], current: NDArray[Any], least_expected: float = 5.0
) -> tuple[float, int, float]:
    """Return Pearson's two-sample statistic, its degrees of freedom and p-value.

    Parameters
    ----------
    baseline, current : ndarray, shape (k,)
        Counts of the same classes.
    least_expected : float, default 5
        Classes that either sample can expect to meet less often are pooled into one (Cochran's rule).

    Returns
    -------
    statistic : float
    df : int
        0 where fewer than two classes are left: there is nothing to compare, and p is 1.
    p_value : float
    """
    a, b = _pooled(baseline, current, least_expected)
    n, m = a.sum(), b.sum()
    if a.shape[0] < 2 or n == 0 or m == 0:
        return 0.0, 0, 1.0
    total = n + m
    both = a + b
    expected = both * n / total
    statistic = float(
        ((a - expected) ** 2 / expected).sum() + ((b - (both - expected)) ** 2 / (both - expected)).sum()
    )
    df = a.shape[0] - 1
    return statistic, df, chi_squared_sf(statistic, df)


def classes_p(baseline: NDArray[Any], current: NDArray[Any]) -> float:
    """Return the p-value of "both sides have the same shares of every class".

    Parameters
    ----------
    baseline, current : ndarray, shape (k,)
        Counts of the same classes, a row or more on either side.

    Notes
    -----
    Pearson's test (:func:`chi_squared_test`) where every class is frequent enough for it. Otherwise its pooling can hide
    the one class that came, or went: a column that was always ``A`` and is now always ``B`` is left with a single class.
    So half of the error goes to Fisher's exact test on the class whose share moved most, in its own standard errors,
    corrected for having been chosen from k classes and two directions.
    """
    _, df, p_value = chi_squared_test(baseline, current)
    used = int(np.count_nonzero(baseline + current))
    if df == used - 1:
        return p_value
    n, m = int(baseline.sum()), int(current.sum())
    pooled = (baseline + current) / (n + m)
    spread = np.sqrt(pooled * (1.0 - pooled))
    i = int(np.argmax(np.abs(baseline / n - current / m) / np.where(spread > 0, spread, 1.0)))
    a, b = int(baseline[i]), int(current[i])
    k, drawn = (b, m) if b * n > a * m else (a, n)
    return min(1.0, 2.0 * min(p_value, 2.0 * used * hypergeometric_sf(k, a + b, drawn, n + m)))


def _pooled(
    baseline: NDArray[Any], current: NDArray[Any], least_expected: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    a = baseline.astype(np.float64)
    b = current.astype(np.float64)
    both = a + b
    n, m = a.sum(), b.sum()
    if n == 0 or m == 0:
        return a[:0], b[:0]
    smaller = min(n, m) / (n + m)
    keep = both * smaller >= least_expected
    if keep.all():
        return a, b
    # The pool itself must reach the threshold, so it takes in the smallest of the others until it does.
    order = np.argsort(both, kind="stable")
    cut = int(np.count_nonzero(~keep))
    pooled = np.cumsum(both[order])
    while cut < order.shape[0] and pooled[cut - 1] * smaller < least_expected:
        cut += 1
    pool, rest = order[:cut], order[cut:]
    return np.append(a[rest], a[pool].sum()), np.append(b[rest], b[pool].sum())


def share_p(n_bad: int, n: int, allowed: float) -> float:
    """Return the probability of at least `n_bad` bad values among `n` if a share of `allowed` is bad (binomial)."""
    return binomial_sf(n_bad, n, allowed)


def two_sample_p(n_bad: int, n: int, bad_before: int, n_before: int) -> float:
    """Return the probability of at least `n_bad` bad values among `n`, with `bad_before` among `n_before`, by chance.

    Notes
    -----
    Fisher's exact test, one-sided: given how many of all values are bad, the bad ones are dealt to the two sides as the
    others are. It counts both samples, so a baseline of 50 rows proves less than one of 50,000. Where the baseline had
    none it is :func:`exceedance_p`: ``prod((n - i) / (n_before + n - i))``.

    References
    ----------
    R. A. Fisher, Journal of the Royal Statistical Society 98 (1935) 39–82.
    """
    if bad_before == 0:
        return exceedance_p(n_bad, n_before, n)
    return hypergeometric_sf(n_bad, n_bad + bad_before, n, n + n_before)


def newcomers_p(
    baseline: NDArray[Any], current: NDArray[Any], n_new: int, n: int, m: int, *, repeats: NDArray[Any]
) -> float:
    """Return a bound on the probability of at least `n_new` of `m` current rows with values that `n` rows lacked.

    Parameters
    ----------
    baseline, current : ndarray, shape (k,)
        Rows of each value on either side; 0 in `baseline` for the new ones.
    n_new : int
        Current rows with a new value.
    n, m : int
        Rows of the two sides.
    repeats : ndarray, shape (k,)
        How many values an entry stands for, where some are only a sample of many.

    Notes
    -----
    If nothing has changed, the rows of both sides are dealt at random, and a value that stands in `c` rows of both sides
    together is new with probability ``r(c) = prod((m - i) / (n + m - i))`` for i below c: then it adds `c` to the count.
    Such events are negatively associated, so Chernoff's bound for independent ones holds,
    ``min over s of exp(-s*n_new) * prod(1 - r + r*exp(s*c))``. For one new value it is ``r(c)`` itself; where the baseline
    has many rare values it allows for as many rare new ones.

    References
    ----------
    K. Joag-Dev and F. Proschan, Annals of Statistics 11 (1983) 286–295, section 3.
    """
    if n_new <= 0:
        return 1.0
    sizes, place = np.unique(baseline + current, return_inverse=True)
    number = np.bincount(place, weights=repeats)
    log_r = np.array([_log_all_new(int(c), n, m) for c in sizes.tolist()])
    # Frequent values are new so rarely that their sum settles it; they would only blunt the bound.
    order = np.argsort(log_r, kind="stable")
    chance = np.cumsum(np.exp(log_r[order]) * number[order])
    kept = order[chance > 1e-15]
    rest = float(chance[chance <= 1e-15][-1]) if kept.shape[0] < order.shape[0] else 0.0
    if kept.shape[0] == 0:
        return rest
    sizes, number, log_r = sizes[kept].astype(np.float64), number[kept], log_r[kept]
    log_not = np.log1p(-np.minimum(np.exp(log_r), 1.0 - 1e-16))

    def exponent(s: float) -> float:
        return float((number * np.logaddexp(log_not, log_r + s * sizes)).sum()) - s * n_new

    low, high = 0.0, 40.0 + float((-log_r / sizes).max())
    ratio = (math.sqrt(5.0) - 1.0) / 2.0
    for _ in range(80):  # the exponent is convex in s
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        if exponent(left) <= exponent(right):
            high = right
        else:
            low = left
    return min(1.0, math.exp(min(0.0, exponent((low + high) / 2.0))) + rest)


def _log_all_new(c: int, n: int, m: int) -> float:
    """Return the logarithm of the probability that `c` given rows of ``n + m`` are all among the `m`."""
    if c > m:
        return -math.inf
    if c <= 64:
        return sum(math.log((m - i) / (n + m - i)) for i in range(c))
    return math.lgamma(m + 1) - math.lgamma(m - c + 1) - math.lgamma(n + m + 1) + math.lgamma(n + m - c + 1)


def total_variation_p(baseline: NDArray[Any], current: NDArray[Any]) -> float:
    """Return the p-value of "both sides have the same shares of every class", however rare the classes are.

    Parameters
    ----------
    baseline, current : ndarray, shape (k,)
        Counts of the same classes, a row or more on either side.

    Notes
    -----
    :func:`classes_p` pools the rare classes, and where all are rare nothing is left of them. So half of the error goes to
    the total variation distance `d` itself. If nothing has changed, its mean `f` is at most
    :func:`total_variation_noise`, and exchanging two rows changes it by at most ``1/e`` with ``e = n*m / (n + m)``, so that
    ``P(d - f >= t) <= exp(-2*e*t**2 * c)`` with a factor c just below 1.

    References
    ----------
    R. El-Yaniv and D. Pechyony, Journal of Artificial Intelligence Research 35 (2009), lemma 2.
    """
    n, m = int(baseline.sum()), int(current.sum())
    p_value = classes_p(baseline, current)
    both = baseline + current
    used = both > 0
    if (both[used] * min(n, m) >= 5.0 * (n + m)).all():
        return p_value
    mean, _ = total_variation_noise(baseline, current)
    beyond = float(np.abs(baseline / n - current / m).sum()) / 2.0 - mean
    if beyond <= 0.0:
        return min(1.0, 2.0 * p_value)
    factor = (1.0 - 0.5 / (n + m)) * (1.0 - 0.5 / max(n, m))
    return min(1.0, 2.0 * min(p_value, math.exp(-2.0 * effective_size(n, m) * beyond**2 * factor)))


def total_variation_noise(baseline: NDArray[Any], current: NDArray[Any]) -> tuple[float, float]:
    """Return mean and standard deviation of the total variation distance when nothing has changed.

    Notes
    -----
    Given its `c` rows on both sides, a class has X of them in the baseline, and adds ``|X - c*r| / (2*e)`` with
    ``r = n / (n + m)``. The mean is exact for binomial X, ``2*v*(1-r)*P(X = v)`` with ``v = floor(c*r) + 1`` (de Moivre).
    Rows are dealt without replacement and scatter less (Hoeffding 1963), so it is an upper bound, close by for
    classes that are a small part of all.
    """
    n, m = float(baseline.sum()), float(current.sum())
    r = n / (n + m)
    sizes, number = np.unique(baseline + current, return_counts=True)
    deviation = np.array([_mean_deviation(int(c), r) for c in sizes.tolist()])
    scale = 2.0 * effective_size(n, m)
    variance = sizes * r * (1.0 - r) - deviation**2
    mean = float((deviation * number).sum()) / scale
    return min(1.0, mean), math.sqrt(max(0.0, float((variance * number).sum()))) / scale


def _mean_deviation(c: int, r: float) -> float:
    """Return ``E|X - c*r|`` for binomial X of `c` trials: ``2*v*(1-r) * C(c, v) * r**v * (1-r)**(c-v)``."""
    if c == 0:
        return 0.0
    v = min(math.floor(c * r) + 1, c)
    log_p = math.lgamma(c + 1) - math.lgamma(v + 1) - math.lgamma(c - v + 1)
    log_p += v * math.log(r) + (c - v) * math.log1p(-r)
    return 2.0 * v * (1.0 - r) * math.exp(log_p)


def exceedance_p(n_beyond: int, n: int, m: int) -> float:
    """Return the probability that at least `n_beyond` of `m` new values lie beyond the extreme of `n` old ones.

    Notes
    -----
    If old and new values are exchangeable, the `n_beyond` most extreme of all ``n + m`` are all new with probability
    ``prod((m - i) / (n + m - i))``: no assumption on the distribution is needed. Ties only make it smaller.
    """
    if n_beyond <= 0:
        return 1.0
    k = min(n_beyond, m)
    if k <= 64:
        log_p = sum(math.log((m - i) / (n + m - i)) for i in range(k))
    else:
        log_p = (math.lgamma(m + 1) - math.lgamma(m - k + 1)) - (
            math.lgamma(n + m + 1) - math.lgamma(n + m - k + 1)
        )
    return math.exp(log_p) if log_p > -700.0 else 0.0


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Return the p-values corrected for their number (Benjamini and Hochberg 1995).

    Rejecting every hypothesis whose corrected value is at most ``alpha`` keeps the expected share of false alarms
    among all alarms at ``alpha``, and the probability of any alarm when nothing has changed at ``alpha`` too.
    """
    m = len(p_values)
    if m == 0:
        return []
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    scaled = p[order] * m / np.arange(1, m + 1)
    corrected = np.minimum.accumulate(scaled[::-1])[::-1]
    result = np.empty(m)
    result[order] = np.minimum(corrected, 1.0)
    return [float(v) for v in result]
