"""Resampling: what chance does to counts, drawn from the counts instead of the rows.

Drawing n rows with replacement, again and again, draws the counts of their classes from a multinomial distribution: the
bootstrap of five million rows in eight classes costs eight numbers a replicate, and has the same law. Every metric here
is a function of counts, so that one draw serves all of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from driftline.kernels.special import normal_quantile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    Metrics = Callable[[NDArray[np.float64]], Mapping[str, NDArray[np.float64]]]

__all__ = [
    "LEAST_ROWS",
    "Replicates",
    "bootstrap",
    "generator",
    "plausible_counts",
    "resample_counts",
    "sagemaker_deviations",
    "subsample_counts",
]

LEAST_ROWS: Final = 200
"""Rows from which on SageMaker gives a standard deviation."""

_BIG: Final = 100
"""Count from which on a draw is a normal one, with the skewness of the exact law."""

_ROOM: Final = 1 << 17
"""Most numbers drawn at a time, for memory."""

_EXACT: Final = 1_000_000_000
"""NumPy draws without replacement from fewer rows than these."""


def generator(seed: int) -> np.random.Generator:
    """Return the generator that a seed stands for, the same on every machine."""
    return np.random.Generator(np.random.Philox(seed))


def resample_counts(counts: NDArray[Any], n_replicates: int, seed: int) -> NDArray[np.float64]:
    """Return what the counts are when as many rows are drawn again, with replacement.

    Parameters
    ----------
    counts : ndarray of int64, of any shape
        Rows per cell.
    n_replicates : int
    seed : int

    Returns
    -------
    ndarray of float64, shape (n_replicates, *counts.shape)
        Every replicate sums to ``counts.sum()``, up to rounding. A cell without rows stays empty.

    Notes
    -----
    The law is multinomial, the row bootstrap's own. Cells of fewer than 100 rows are drawn from it exactly. The
    others are drawn from the normal law of the same mean and covariance, with the skewness of the Poisson law put
    back (``(z² - 1)/6``, the first term of Cornish and Fisher); their draws are no whole numbers, which no ratio of
    counts minds.
    """
    counts = np.asarray(counts)
    drawn = list(_draws(counts, n_replicates, generator(seed), _multinomial))
    return np.concatenate(drawn) if drawn else np.zeros((0, *counts.shape))


def plausible_counts(
    counts: NDArray[Any], n_replicates: int, seed: int, *, prior: float = 0.5
) -> NDArray[np.float64]:
    """Return counts as they would be for shares that the rows leave plausible.

    Parameters
    ----------
    counts : ndarray of int64, of any shape
        Rows per cell: few cells, such as a confusion matrix.
    n_replicates : int
    seed : int
    prior : float
        Rows added to every cell beforehand; one half is Jeffreys' prior.

    Returns
    -------
    ndarray of float64, shape (n_replicates, *counts.shape)
        Draws from the Dirichlet posterior of the shares, times ``counts.sum()``.

    Notes
    -----
    The bootstrap of 16 positives of which none was missed says that none will ever be: every replicate has recall 1. Here
    the recall of a replicate is a draw from ``Beta(TP + 1/2, FN + 1/2)``, whose quantiles are Jeffreys' interval, the one
    to recommend for small samples (Brown, Cai and DasGupta, "Interval estimation for a binomial proportion", 2001); and
    what holds for recall holds for every metric that is made of such shares. With many rows it is the bootstrap.
    """
    counts = np.asarray(counts)

    def posterior(flat: NDArray[np.int64], b: int, rng: np.random.Generator) -> NDArray[np.float64]:
        draws = rng.standard_gamma(flat + prior, size=(b, flat.shape[0]))
        return np.asarray(draws * (flat.sum() / draws.sum(axis=1, keepdims=True)))

    drawn = list(_draws(counts, n_replicates, generator(seed), posterior))
    return np.concatenate(drawn) if drawn else np.zeros((0, *counts.shape))


def _draws(
    counts: NDArray[Any],
    n_replicates: int,
    rng: np.random.Generator,
    law: Callable[[NDArray[np.int64], int, np.random.Generator], NDArray[np.float64]],
) -> Iterator[NDArray[np.float64]]:
    """Yield the replicates a handful at a time; how many follows from the number of cells alone."""
    flat = counts.reshape(-1).astype(np.int64)
    if flat.shape[0] and flat.min() < 0:
        raise ValueError("counts of rows are negative")
    at_a_time = max(1, _ROOM // max(1, flat.shape[0]))
    for first in range(0, n_replicates, at_a_time):
        b = min(at_a_time, n_replicates - first)
        yield law(flat, b, rng).reshape(b, *counts.shape)


def _multinomial(flat: NDArray[np.int64], b: int, rng: np.random.Generator) -> NDArray[np.float64]:
    drawn = np.zeros((b, flat.shape[0]))
    small, big = np.flatnonzero((flat > 0) & (flat < _BIG)), np.flatnonzero(flat >= _BIG)
    n, n_small, n_big = int(flat.sum()), int(flat[small].sum()), int(flat[big].sum())
    if n_big == 0:
        if n:
            drawn[:, small] = rng.multinomial(n, flat[small] / n, size=b)
        return drawn
    left = np.full(b, float(n))
    if n_small:
        of_small = rng.binomial(n, n_small / n, size=b)
        drawn[:, small] = rng.multinomial(of_small, flat[small] / n_small)
        left -= of_small
    shares = flat[big] / n_big
    z = rng.standard_normal((b, big.shape[0]))
    moved = z * z
    moved -= 1.0
    moved *= 1.0 / 6.0
    z *= np.sqrt(shares)
    z *= np.sqrt(left)[:, None]
    moved += z
    # Rows that one cell gains the others lose, in proportion: that makes the covariance the multinomial one.
    moved -= moved.sum(axis=1, keepdims=True) * shares
    moved += left[:, None] * shares
    drawn[:, big] = np.maximum(moved, 0.0, out=moved)
    return drawn


@dataclass(frozen=True, slots=True)
class Replicates:
    """A metric, and what it was in every replicate.

    Attributes
    ----------
    estimate : float or None
        The metric of the counts themselves; None where it cannot be computed.
    values : ndarray of float64
        The replicates in which it could be computed.
    n_replicates : int
        All of them.
    """

    estimate: float | None
    values: NDArray[np.float64]
    n_replicates: int

    @property
    def is_telling(self) -> bool:
        """Tell whether the metric could be computed at all, and in nine of ten replicates, twenty or more."""
        return self.estimate is not None and self.values.shape[0] >= max(20.0, 0.9 * self.n_replicates)

    @property
    def standard_error(self) -> float | None:
        """Standard deviation of the replicates; None where too few could be computed."""
        return float(self.values.std(ddof=1)) if self.is_telling else None

    def percentile(self, level: float = 0.95) -> tuple[float, float] | None:
        """Return the interval that holds the middle `level` of the replicates."""
        if not self.is_telling:
            return None
        low, high = np.quantile(self.values, [(1.0 - level) / 2.0, (1.0 + level) / 2.0]).tolist()
        return low, high

    def normal(
        self, level: float = 0.95, *, least: float = -math.inf, most: float = math.inf
    ) -> tuple[float, float] | None:
        """Return the normal interval around the metric less its bias, cut off at `least` and `most`."""
        error = self.standard_error
        if error is None or self.estimate is None:
            return None
        centre = 2.0 * self.estimate - float(self.values.mean())
        reach = normal_quantile((1.0 + level) / 2.0) * error
        return min(most, max(least, centre - reach)), max(least, min(most, centre + reach))


def bootstrap(
    counts: NDArray[Any],
    metrics: Metrics,
    n_replicates: int = 1000,
    seed: int = 0,
    *,
    plausible: bool = False,
) -> dict[str, Replicates]:
    """Return every metric of the counts with its replicates.

    Parameters
    ----------
    counts : ndarray of int64, of any shape
    metrics : callable
        Takes counts of shape (b, *counts.shape); returns arrays of shape (b,) by name, NaN where a metric cannot be
        computed.
    n_replicates : int
    seed : int
    plausible : bool
        Draw as :func:`plausible_counts` does (few cells) instead of :func:`resample_counts`.

    Returns
    -------
    dict of str to Replicates

    Notes
    -----
    The metrics are computed of a handful of replicates at a time, so that memory does not grow with their number.
    """
    counts = np.asarray(counts)
    itself = metrics(counts[None].astype(np.float64))
    values: dict[str, list[NDArray[np.float64]]] = {name: [] for name in itself}
    rng = generator(seed)
    if plausible:
        parts: Iterator[NDArray[np.float64]] = iter([plausible_counts(counts, n_replicates, seed)])
    else:
        parts = _draws(counts, n_replicates, rng, _multinomial)
    for part in parts:
        for name, found in metrics(part).items():
            values[name].append(np.asarray(found, np.float64))
    result = {}
    for name, of in itself.items():
        every = np.concatenate(values[name]) if values[name] else np.zeros(0)
        estimate = float(of[0])
        result[name] = Replicates(
            estimate if math.isfinite(estimate) else None, every[np.isfinite(every)], n_replicates
        )
    return result


def subsample_counts(
    counts: NDArray[Any], seed: int, *, n_draws: int = 5, share: float = 0.8
) -> NDArray[np.int64]:
    """Return the counts of random subsamples, drawn without replacement.

    Parameters
    ----------
    counts : ndarray of int64, of any shape
    seed : int
    n_draws : int
    share : float
        Of the rows; the number of rows drawn is rounded down.

    Returns
    -------
    ndarray of int64, shape (n_draws, *counts.shape)

    Notes
    -----
    Multivariate hypergeometric, exactly; from a thousand million rows on the normal law of the same mean and covariance.
    """
    counts = np.asarray(counts)
    flat = counts.reshape(-1).astype(np.int64)
    n = int(flat.sum())
    taken = int(n * share)
    rng = generator(seed)
    if n < _EXACT:
        drawn = rng.multivariate_hypergeometric(flat, taken, size=n_draws, method="marginals")
    else:
        f = taken / n
        z = rng.standard_normal((n_draws, flat.shape[0])) * np.sqrt(f * (1.0 - f) * flat)
        z -= z.sum(axis=1, keepdims=True) * (flat / n)
        drawn = np.clip(np.rint(f * flat + z), 0, flat)
    return drawn.astype(np.int64).reshape(n_draws, *counts.shape)


def sagemaker_deviations(counts: NDArray[Any], metrics: Metrics, seed: int) -> dict[str, float]:
    """Return what SageMaker calls the standard deviation of a metric.

    Parameters
    ----------
    counts, metrics : as :func:`bootstrap` takes them
    seed : int
        To be recorded beside the numbers.

    Returns
    -------
    dict of str to float
        NaN for fewer than 200 rows, and where a metric could not be computed in every subsample.

    Notes
    -----
    The standard deviation (divided by n - 1) of the metric over five subsamples of 80 % of the rows, drawn without
    replacement. It is no standard error: it is about half of one, ``sqrt(0.2 / 0.8)`` of it.
    """
    counts = np.asarray(counts)
    if int(counts.sum()) < LEAST_ROWS:
        return dict.fromkeys(metrics(counts[None].astype(np.float64)), math.nan)
    found = metrics(subsample_counts(counts, seed).astype(np.float64))
    return {name: float(np.std(values, ddof=1)) for name, values in found.items()}
