"""Measuring: how far attributions have moved, and how much of that is chance.

The rows that were explained are a sample, so each side is drawn again, with replacement, a few thousand times; what a
number does over the draws is what it does by chance. Rows are drawn, not features: the attributions of one row belong
together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from driftline.errors import SchemaError
from driftline.kernels.special import normal_sf
from driftline.monitor.attribution.explaining import aggregated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Moved", "Number", "distance", "magnitude", "measured", "ndcg"]

REPLICATES: Final = 9_999
MEDIANS: Final = 999
MOST_BLOCKS: Final = 300
_ROOM: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Number:
    """A number with its uncertainty.

    Attributes
    ----------
    value : float
    interval : tuple of float, or None
        95 % interval.
    replicates : ndarray of float64, shape (r,), or None
        Values that chance makes plausible for the truth.
    error : float or None
        Their standard deviation.
    """

    value: float
    interval: tuple[float, float] | None = None
    replicates: NDArray[np.float64] | None = None
    error: float | None = None

    def p_below(self, bound: float) -> float | None:
        """Return the probability of evidence this strong that the number is below `bound`, if it were at the bound."""
        return self._p(bound, below=True)

    def p_above(self, bound: float) -> float | None:
        """Return the same for being above."""
        return self._p(bound, below=False)

    def _p(self, bound: float, *, below: bool) -> float | None:
        if self.replicates is None or self.error is None:
            return None
        n = int(self.replicates.shape[0])
        beyond = int((self.replicates >= bound).sum() if below else (self.replicates <= bound).sum())
        p = (1.0 + beyond) / (n + 1.0)
        if beyond or self.error <= 0:
            return p
        # Beyond what the draws resolve, the normal tail goes on.
        gap = bound - self.value if below else self.value - bound
        return float(min(p, normal_sf(gap / self.error)))


@dataclass(frozen=True, slots=True)
class Moved:
    """How the attributions of one output have moved.

    Attributes
    ----------
    features : tuple of str
    baseline, current : ndarray of float64, shape (G,)
        Attribution of each feature over all rows.
    ndcg : Number or None
        None where the baseline has negative attributions.
    distance, magnitude : Number or None
        None where there is no attribution at all.
    changes : tuple of Number
        For each feature, the change of its attribution as share of all attribution in the baseline.
    """

    features: tuple[str, ...]
    baseline: NDArray[np.float64]
    current: NDArray[np.float64]
    ndcg: Number | None
    distance: Number | None
    magnitude: Number | None
    changes: tuple[Number, ...]


def ndcg(baseline: NDArray[np.float64], current: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how well the order of the features agrees with the baseline's.

    Parameters
    ----------
    baseline : ndarray of float64, shape (..., G)
        Attributions, none negative, finite.
    current : ndarray of float64, shape (..., G)

    Returns
    -------
    ndarray of float64, shape (...,)
        1 for the same order, and where the baseline has no attribution at all.

    Notes
    -----
    ``sum(a(F'_i) / log2(i + 1)) / sum(a(F_i) / log2(i + 1))`` with the baseline's attributions a, its order F and the
    current order F'. Features of equal current attribution stand as in the baseline.

    References
    ----------
    K. Järvelin and J. Kekäläinen, "Cumulated gain-based evaluation of IR techniques", ACM TOIS 20 (2002).
    """
    baseline, current = np.broadcast_arrays(baseline, current)
    order = np.argsort(-baseline, axis=-1, kind="stable")
    gains = np.take_along_axis(baseline, order, axis=-1)
    now = np.argsort(-np.take_along_axis(current, order, axis=-1), axis=-1, kind="stable")
    weights = 1.0 / np.log2(np.arange(baseline.shape[-1]) + 2.0)
    best = (gains * weights).sum(axis=-1)
    found = (np.take_along_axis(gains, now, axis=-1) * weights).sum(axis=-1)
    return np.asarray(np.where(best > 0, found / np.where(best > 0, best, 1.0), 1.0))


def distance(baseline: NDArray[np.float64], current: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the total variation distance of the features' shares of all attribution; NaN where a side has none."""
    with np.errstate(invalid="ignore", divide="ignore"):
        p = np.abs(baseline) / np.abs(baseline).sum(axis=-1, keepdims=True)
        q = np.abs(current) / np.abs(current).sum(axis=-1, keepdims=True)
    return np.asarray(np.abs(p - q).sum(axis=-1) / 2.0)


def magnitude(baseline: NDArray[np.float64], current: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return all attribution over that of the baseline; NaN where the baseline has none."""
    total = np.abs(baseline).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(total > 0, np.abs(current).sum(axis=-1) / total, np.nan))


def measured(
    features: Sequence[str],
    baseline: NDArray[np.float64],
    current: NDArray[np.float64],
    baseline_rows: NDArray[np.float64] | None,
    current_rows: NDArray[np.float64] | None,
    agg: str,
    seed: int,
) -> Moved:
    """Measure how attributions have moved.

    Parameters
    ----------
    features : sequence of str
        G names.
    baseline, current : ndarray of float64, shape (G,)
        Attribution of each feature over all rows.
    baseline_rows, current_rows : ndarray of float64, shape (n, G), or None
        Attributions of the rows. Without those of the current side there are no intervals; without those of the baseline,
        only for NDCG, as if the baseline were exact.
    agg : {"mean_abs", "median", "mean_sq"}
    seed : int

    Raises
    ------
    SchemaError
        ``E-FEATURES`` if there is not one number for each feature.
    """
    g = len(features)
    if baseline.shape != (g,) or current.shape != (g,):
        raise SchemaError(
            f"{baseline.shape[0]} and {current.shape[0]} attributions of {g} features", code="E-FEATURES"
        )
    current_draws = (
        None if current_rows is None or current_rows.shape[0] < 2 else _drawn(current_rows, agg, seed, 1)
    )
    baseline_draws = (
        None if baseline_rows is None or baseline_rows.shape[0] < 2 else _drawn(baseline_rows, agg, seed, 2)
    )
    if baseline_draws is not None and baseline_rows is not None:
        # Where somebody edited the file, the spread of the rows goes to the edited numbers.
        baseline_draws = baseline_draws + (baseline - aggregated(baseline_rows, agg))
    is_ranked = bool((baseline >= 0).all())
    before = baseline if baseline_draws is None else baseline_draws
    if is_ranked and agg != "median":
        before = np.maximum(before, 0.0)
    rank = None
    if is_ranked:
        draws = None
        if current_draws is not None:
            draws = ndcg(np.maximum(before, 0.0), current_draws)
        rank = _number(float(ndcg(baseline, current)), draws, 0.0, 1.0)
    both = current_draws is not None and baseline_draws is not None
    total = float(np.abs(baseline).sum())
    far = size = None
    changes = tuple(Number(math.nan) for _ in features)
    if total > 0:
        moved = (current - baseline) / total
        if both:
            assert current_draws is not None
            totals = np.abs(before).sum(axis=-1, keepdims=True)
            steps = (current_draws - before) / np.where(totals > 0, totals, np.nan)
            changes = tuple(_number(float(moved[j]), steps[:, j]) for j in range(g))
            size = _number(float(magnitude(baseline, current)), magnitude(before, current_draws), 0.0)
            if float(np.abs(current).sum()) > 0:
                far = _number(float(distance(baseline, current)), distance(before, current_draws), 0.0, 1.0)
        else:
            changes = tuple(Number(float(value)) for value in moved)
            size = Number(float(magnitude(baseline, current)))
            if float(np.abs(current).sum()) > 0:
                far = Number(float(distance(baseline, current)))
    return Moved(tuple(features), baseline, current, rank, far, size, changes)


def _number(
    value: float, draws: NDArray[np.float64] | None, low: float = -math.inf, high: float = math.inf
) -> Number:
    if draws is None:
        return Number(value)
    draws = draws[np.isfinite(draws)]
    if draws.shape[0] < 100 or not math.isfinite(value):
        return Number(value)
    # What the draws are to the value, the value is to the truth (the basic bootstrap): it takes out the bias that
    # noise gives to a distance, which is never below 0.
    likely = np.clip(2.0 * value - draws, low, high)
    ends = np.quantile(likely, (0.025, 0.975))
    return Number(value, (float(ends[0]), float(ends[1])), likely, float(draws.std()))


def _drawn(rows: NDArray[np.float64], agg: str, seed: int, side: int) -> NDArray[np.float64]:
    """Return the aggregated attributions of samples drawn again, shape (replicates, G)."""
    rng = np.random.Generator(np.random.Philox([seed, side]))
    # Independent of the order in which the rows came.
    rows = rows[np.lexsort(rows.T[::-1])]
    if agg == "median":
        return _medians(rows, rng)
    worth = np.abs(rows) if agg == "mean_abs" else rows**2
    n, g = worth.shape
    # Blocks of rows, dealt out at random, have the same spread of their mean, and are fewer.
    blocks = min(n, MOST_BLOCKS)
    block_of = rng.permutation(np.arange(n) % blocks)
    sums = np.zeros((blocks, g))
    np.add.at(sums, block_of, worth)
    sizes = np.bincount(block_of, minlength=blocks).astype(np.float64)
    result = np.empty((REPLICATES, g))
    step = max(1, _ROOM // blocks)
    for begin in range(0, REPLICATES, step):
        m = min(step, REPLICATES - begin)
        drawn = rng.integers(0, blocks, (m, blocks)) + blocks * np.arange(m)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=m * blocks).reshape(m, blocks).astype(np.float64)
        result[begin : begin + m] = (counts @ sums) / (counts @ sizes)[:, None]
    return result


def _medians(rows: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    n, g = rows.shape
    shrink = 1.0
    if n > MOST_BLOCKS:
        # A sample of the rows has a median that varies more, by the root of how many fewer they are.
        shrink = math.sqrt(MOST_BLOCKS / n)
        rows = rows[rng.permutation(n)[:MOST_BLOCKS]]
        n = MOST_BLOCKS
    result = np.empty((MEDIANS, g))
    for i in range(MEDIANS):
        result[i] = np.median(rows[rng.integers(0, n, n)], axis=0)
    centre = np.median(rows, axis=0)
    return np.asarray(centre + (result - centre) * shrink)
