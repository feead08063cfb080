"""Distances between two sets of counts, with what sampling and summarising can have done to them.

Every function takes counts of the same ordered cells or unordered classes, baseline first, and returns an
:class:`Effect`. Standard errors come from the delta method: with the gradient ``g`` of the distance in the baseline's
shares ``p``, sampling `n` rows contributes ``(sum(p*g**2) - sum(p*g)**2) / n``, and likewise for the current side.
``detectable`` is the 95 % point of the distance when nothing has changed; below it a distance is noise. It holds while
the classes expect a row or two each; with fewer, Hellinger and Jensen–Shannon exceed it too often.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from driftline.kernels.evidence import effective_size, total_variation_noise
from driftline.kernels.special import chi_squared_quantile, normal_quantile

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "Effect",
    "chi_squared",
    "equal_bins",
    "hellinger",
    "js_distance",
    "ks",
    "l_infinity",
    "l_infinity_robust",
    "psi",
    "total_variation",
    "wasserstein",
]

ROBUST = 1.8
"""Deequ's allowance for sampling, in units of ``sqrt((n+m)/(n*m))``: the KS coefficient for alpha = 0.003."""


@dataclass(frozen=True, slots=True)
class Effect:
    """A distance and its uncertainty.

    Attributes
    ----------
    value : float
    standard_error : float
        From sampling on both sides, delta method.
    detectable : float
        95 % point of the distance when nothing has changed.
    sketch_error : float
        Most that summarising into cells can have hidden; 0 where the counts are of single values or on the very
        bins the distance is defined by.
    most : float
        The distance cannot be larger; infinite for those that are not shares.
    """

    value: float
    standard_error: float
    detectable: float
    sketch_error: float = 0.0
    most: float = 1.0

    def interval(self) -> tuple[float, float]:
        """Return a 95 % interval for the distance (conservative: noise and slope are added in quadrature)."""
        half = math.hypot(1.96 * self.standard_error, self.detectable) + self.sketch_error
        return max(0.0, self.value - half), min(self.most, self.value + half)


def _shares(
    baseline: NDArray[Any], current: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64], float, float]:
    n, m = float(baseline.sum()), float(current.sum())
    if n <= 0 or m <= 0:
        raise ValueError("a distance needs at least one row on either side")
    return baseline / n, current / m, n, m


def _spread(
    p: NDArray[np.float64],
    q: NDArray[np.float64],
    gp: NDArray[np.float64],
    gq: NDArray[np.float64],
    n: float,
    m: float,
) -> float:
    """Return the standard error of a function of shares with gradients `gp` and `gq`."""
    vp = float((p * gp * gp).sum() - (p * gp).sum() ** 2)
    vq = float((q * gq * gq).sum() - (q * gq).sum() ** 2)
    return math.sqrt(max(0.0, vp / n) + max(0.0, vq / m))


def _critical(p: NDArray[np.float64], q: NDArray[np.float64]) -> float:
    df = max(1, int(np.count_nonzero(p + q)) - 1)
    return chi_squared_quantile(0.95, df)


def _by_chance(expected: float, p: NDArray[np.float64], q: NDArray[np.float64], e: float) -> float:
    """Return the 95 % point of a divergence by chance.

    Frequent classes add ``1/(8*e)`` each, less one for the fixed totals, and the sum is spread like chi-squared. Rare
    classes add more or less than that, so the sum's mean for Poisson counts is `expected`.
    """
    df = max(1, int(np.count_nonzero(p + q)) - 1)
    each = 1 / (8 * e)
    return max(df * each, expected - each) * _critical(p, q) / df


_COUNTS = np.arange(81.0)
_LOG_FACTORIALS = np.concatenate([[0.0], np.cumsum(np.log(_COUNTS[1:]))])


def _poisson_mean(rate: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of ``values[X]`` for Poisson counts X of a `rate` below 30."""
    with np.errstate(divide="ignore", invalid="ignore"):
        log_p = _COUNTS * np.log(rate)[:, None] - rate[:, None] - _LOG_FACTORIALS
    result: NDArray[np.float64] = np.where(rate > 0, np.exp(log_p) @ values, values[0])
    return result


def _mean_root(rate: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean square root of Poisson counts."""
    result = np.sqrt(rate)
    rare = rate < 30
    often = np.where(rare, 30.0, rate)
    result *= 1 - 1 / (8 * often) - 7 / (128 * often**2) - 75 / (1024 * often**3)
    result[rare] = _poisson_mean(rate[rare], np.sqrt(_COUNTS))
    return result


def _mean_entropy(share: NDArray[np.float64], n: float) -> float:
    """Return the mean of ``sum(x * ln(x / share))`` for shares x of about `n` Poisson rows."""
    rate = n * share
    rare = rate < 30
    often = np.where(rare, 30.0, rate)
    excess = 0.5 + 1 / (12 * often) + 1 / (12 * often**2)  # E[X ln X] - rate * ln(rate)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.where(rate > 0, rate * np.log(rate), 0.0)
    terms = np.where(_COUNTS > 0, _COUNTS * np.log(np.maximum(_COUNTS, 1.0)), 0.0)
    excess[rare] = _poisson_mean(rate[rare], terms) - logs[rare]
    return float(excess.sum()) / n


def ks(baseline: NDArray[Any], current: NDArray[Any], *, exact: bool | NDArray[np.bool_]) -> Effect:
    """Return the Kolmogorov–Smirnov distance ``max |F - G|`` over ordered cells.

    Parameters
    ----------
    baseline, current : ndarray, shape (k,)
        Counts per cell in ascending order.
    exact : bool or ndarray of bool, shape (k,)
        Which cells are a single value. In the others the largest difference may lie inside a cell; `sketch_error` bounds by
        how much.
    """
    p, q, n, m = _shares(baseline, current)
    f, g = np.cumsum(p), np.cumsum(q)
    difference = f - g
    i = int(np.argmax(np.abs(difference)))
    value = min(1.0, float(abs(difference[i])))
    error = math.sqrt(max(0.0, f[i] * (1 - f[i])) / n + max(0.0, g[i] * (1 - g[i])) / m)
    hidden = 0.0
    if not np.all(exact):
        before = difference - p + q
        inside = np.where(exact, 0.0, np.maximum(np.abs(before + p), np.abs(before - q)))
        hidden = max(0.0, float(inside.max()) - value)
    return Effect(value, error, 1.3581 / math.sqrt(effective_size(n, m)), hidden)


def wasserstein(
    baseline: NDArray[Any],
    current: NDArray[Any],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    scale: float,
) -> Effect:
    """Return the Wasserstein-1 distance ``integral |F - G| dx``, in units of `scale`.

    Parameters
    ----------
    baseline, current : ndarray, shape (k,)
        Counts per cell in ascending order.
    low, high : ndarray, shape (k,)
        Ends of the cells; equal where a cell is a single value.
    scale : float
        Positive; the standard deviation of the baseline.

    Notes
    -----
    Cells that reach over hundreds of powers of ten can make it, or its error, more than a double holds: infinite or
    NaN, with NumPy's warning.
    """
    p, q, n, m = _shares(baseline, current)
    # Scaled first: the difference of two doubles may be more than a double holds.
    bottom, top = low / scale, high / scale
    width = np.diff(bottom + (top - bottom) / 2)
    f, g = np.cumsum(p)[:-1], np.cumsum(q)[:-1]
    difference = f - g
    value = float((np.abs(difference) * width).sum())
    # Moving a row from cell j to the far right lowers F on every step from j on.
    slope = np.sign(difference) * width
    reach = np.append(np.cumsum(slope[::-1])[::-1], 0.0)
    error = _spread(p, q, reach, -reach, n, m)
    pooled = np.cumsum((baseline + current) / (n + m))[:-1]
    noise = float((np.sqrt(np.clip(pooled * (1 - pooled), 0, None)) * width).sum())
    hidden = float(((p + q) / 2 * (top - bottom)).sum())
    return Effect(value, error, 1.96 * noise / math.sqrt(effective_size(n, m)), hidden, math.inf)


def l_infinity(baseline: NDArray[Any], current: NDArray[Any]) -> Effect:
    """Return the largest difference of a class's share."""
    p, q, n, m = _shares(baseline, current)
    i = int(np.argmax(np.abs(p - q)))
    error = math.sqrt(p[i] * (1 - p[i]) / n + q[i] * (1 - q[i]) / m)
    pooled = (baseline + current) / (n + m)
    worst = float(np.sqrt(pooled * (1 - pooled)).max())
    k = max(1, int(np.count_nonzero(pooled)))
    z = normal_quantile(1 - 0.025 / k)
    # Counts of rare classes are skewed: the second term of Cornish and Fisher, for two Poisson counts.
    skew = (z * z - 1) / 6 * abs(1 / n - 1 / m)
    return Effect(float(abs(p[i] - q[i])), error, z * worst / math.sqrt(effective_size(n, m)) + skew)


def l_infinity_robust(baseline: NDArray[Any], current: NDArray[Any]) -> Effect:
    """Return L-infinity less ``1.8 * sqrt((n+m)/(n*m))``, not below 0 (Deequ's ``linf_robust``)."""
    plain = l_infinity(baseline, current)
    allowance = ROBUST / math.sqrt(effective_size(float(baseline.sum()), float(current.sum())))
    return Effect(
        max(0.0, plain.value - allowance), plain.standard_error, max(0.0, plain.detectable - allowance)
    )


def chi_squared(baseline: NDArray[Any], current: NDArray[Any]) -> Effect:
    """Return Cramér's V of the two-row table, ``sqrt(chi2 / (n + m))``: 0 for equal shares, 1 for disjoint ones."""
    p, q, n, m = _shares(baseline, current)
    w = n / (n + m)
    mixture = w * p + (1 - w) * q
    used = mixture > 0
    d = np.where(used, p - q, 0.0)
    safe = np.where(used, mixture, 1.0)
    f = float((d * d / safe).sum())
    value = min(1.0, math.sqrt(w * (1 - w) * f))
    error = 0.0
    if value > 0:
        ratio = d / safe
        slope = w * (1 - w) / (2 * value)
        error = _spread(
            p,
            q,
            slope * (2 * ratio - w * ratio * ratio),
            slope * (-2 * ratio - (1 - w) * ratio * ratio),
            n,
            m,
        )
    return Effect(value, error, math.sqrt(_critical(p, q) / (n + m)))


def psi(baseline: NDArray[Any], current: NDArray[Any]) -> Effect:
    """Return the population stability index ``sum((q - p) * ln(q / p))``, in nats.

    Notes
    -----
    An empty bin would make it infinite; it counts as half a row. Rules of thumb: below 0.1 stable, above 0.25 shifted;
    by chance alone about ``(bins - 1) * (1/n + 1/m)`` (Yurdakul 2018).
    """
    a = np.where(baseline > 0, baseline, 0.5).astype(np.float64)
    b = np.where(current > 0, current, 0.5).astype(np.float64)
    used = (baseline + current) > 0
    p, q, n, m = _shares(a[used], b[used])
    log = np.log(q / p)
    value = float(((q - p) * log).sum())
    error = _spread(p, q, -log - (q - p) / p, log + (q - p) / q, n, m)
    return Effect(value, error, _critical(p, q) / effective_size(n, m), most=math.inf)


def js_distance(baseline: NDArray[Any], current: NDArray[Any]) -> Effect:
    """Return the Jensen–Shannon distance, the square root of the divergence in bits: 0 to 1.

    References
    ----------
    Endres and Schindelin, "A new metric for probability distributions", IEEE Trans. Inf. Theory 49 (2003), eq. 1.
    """
    p, q, n, m = _shares(baseline, current)
    middle = (p + q) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        lp = np.where(p > 0, np.log2(p / middle), 0.0)
        lq = np.where(q > 0, np.log2(q / middle), 0.0)
    divergence = max(0.0, float((p * lp + q * lq).sum()) / 2)
    value = min(1.0, math.sqrt(divergence))
    error = _spread(p, q, lp / 2, lq / 2, n, m) / (2 * value) if value > 0 else 0.0
    share = (baseline + current) / (n + m)
    e = effective_size(n, m)
    # The middle of two Poisson counts is about a Poisson count of its own, with the same mean and variance.
    expected = _mean_entropy(share, n) / 2 + _mean_entropy(share, m) / 2 - _mean_entropy(share, 4 * e)
    return Effect(value, error, math.sqrt(_by_chance(expected, p, q, e) / math.log(2)))


def hellinger(baseline: NDArray[Any], current: NDArray[Any]) -> Effect:
    """Return the Hellinger distance ``sqrt(1 - sum(sqrt(p * q)))``: 0 to 1."""
    p, q, n, m = _shares(baseline, current)
    value = math.sqrt(max(0.0, 1.0 - float(np.sqrt(p * q).sum())))
    error = 0.0
    if value > 0:
        with np.errstate(divide="ignore", invalid="ignore"):
            gp = np.where(p > 0, -0.5 * np.sqrt(q / p), 0.0)
            gq = np.where(q > 0, -0.5 * np.sqrt(p / q), 0.0)
        error = _spread(p, q, gp, gq, n, m) / (2 * value)
    share = (baseline + current) / (n + m)
    expected = float((share - _mean_root(n * share) * _mean_root(m * share) / math.sqrt(n * m)).sum())
    return Effect(value, error, math.sqrt(_by_chance(expected, p, q, effective_size(n, m))))


def total_variation(baseline: NDArray[Any], current: NDArray[Any]) -> Effect:
    """Return the total variation distance ``sum(|p - q|) / 2``: 0 to 1."""
    p, q, n, m = _shares(baseline, current)
    sign = np.sign(p - q)
    value = min(1.0, float(np.abs(p - q).sum()) / 2)
    error = _spread(p, q, sign / 2, -sign / 2, n, m)
    pooled = (baseline + current) / (n + m)
    largest = float((pooled * (1 - pooled)).max()) / effective_size(n, m)
    mean, deviation = total_variation_noise(baseline, current)
    # With few classes one of them is all there is to the distance.
    return Effect(value, error, max(min(1.0, mean + 1.645 * deviation), 1.96 * math.sqrt(largest)))


def equal_bins(baseline: NDArray[Any], n_bins: int = 10) -> NDArray[np.int64]:
    """Return the bin of every cell, for bins that hold about equal shares of the baseline.

    Parameters
    ----------
    baseline : ndarray, shape (k,)
        Counts per cell in ascending order.
    n_bins : int, default 10

    Returns
    -------
    ndarray of int64, shape (k,)
        Ascending from 0 without gaps. Bins end on cell boundaries, so that both sides' counts per bin are exact; a cell
        that holds more than one bin's share is a bin of its own, and what lies between two such cells is another, so
        that there can be up to twice `n_bins`. Cells the baseline never met belong to the bin of their neighbours,
        values beyond its ends to the outermost.
    """
    n = baseline.sum()
    middle = np.cumsum(baseline) - baseline / 2
    raw = np.minimum((middle / n * n_bins).astype(np.int64), n_bins - 1)
    heavy = baseline * n_bins > n
    # A heavy cell must not share its bin: it and whatever follows start anew.
    step = np.zeros(raw.shape[0], np.int64)
    step[1:] = (raw[1:] != raw[:-1]) | heavy[1:] | heavy[:-1]
    return np.cumsum(step)
