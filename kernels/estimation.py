"""Estimation: how well a model does on rows whose truth has not come yet, from its own calibrated probabilities.

If the probability of a positive at every score is still what it was in the baseline, the scores of a window tell how
many positives are to be expected among the rows called positive, and among those that were not: the confusion matrix,
and every metric that follows from it, before a single label is there (confidence-based performance estimation).

It sees a window with harder rows. It does *not* see that the relation of features and truth has changed (concept
drift): then the probabilities are wrong, and so is the estimate. That is why it is drawn beside the realised metric,
and scored against it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from driftline.kernels import ranking
from driftline.kernels.confusion import BINARY, binary_metrics
from driftline.kernels.resample import generator
from driftline.kernels.score_bins import bin_numbers
from driftline.kernels.score_cells import UNKNOWN

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from driftline.kernels.calibration import Calibration
    from driftline.kernels.scores import ScoreState

__all__ = ["Estimate", "Estimated", "estimate"]

_BINS = 256


class Estimated(NamedTuple):
    """A metric that is expected.

    Attributes
    ----------
    value : float or None
        Of the expected counts; None where it cannot be computed.
    low, high : float or None
        In which the realised metric is to be expected.
    standard_error : float or None
    """

    value: float | None
    low: float | None
    high: float | None
    standard_error: float | None


class Estimate(NamedTuple):
    """What is expected of a window without truth.

    Attributes
    ----------
    counts : ndarray of float64, shape (2, 2)
        Expected rows by actual and predicted class.
    metrics : dict of str to Estimated
        The metrics of :data:`driftline.kernels.confusion.BINARY`, then ``auc``, ``brier`` (of the calibrated
        probabilities) and ``positives`` (share of positives).
    n : int
        Rows that it is of.
    n_outside : int
        Rows whose score lies beyond the scores that the calibration was fitted on; their probability is that of the
        nearest.
    """

    counts: NDArray[np.float64]
    metrics: dict[str, Estimated]
    n: int
    n_outside: int


def estimate(
    window: ScoreState,
    calibration: Calibration,
    *,
    rows: Literal["unlabelled", "all"] = "unlabelled",
    level: float = 0.95,
    n_replicates: int = 1000,
    seed: int = 0,
) -> Estimate | None:
    """Return the metrics that a window is expected to have once its truth is known.

    Parameters
    ----------
    window : ScoreState
        Rows with scores and predicted classes.
    calibration : Calibration
        Fitted on the baseline.
    rows : {"unlabelled", "all"}
        Rows whose truth is unknown; or all of them as if it were, to hold the estimate against the truth.
    level : float
        Of the intervals.
    n_replicates, seed : int

    Returns
    -------
    Estimate or None
        None without a row that has score and prediction.

    Notes
    -----
    With ``p`` the calibrated probability of a row, the expected TP is the sum of p over the rows called positive, FN
    over those called negative, and so on; AUC is the expected number of pairs that are ordered right over that of
    all. For the interval, labels are drawn from those probabilities, these taken from one of the resampled
    calibration maps in turn: what is left to chance in the window's labels, and what the baseline leaves open. Rows
    are gathered in 256 bins of score.
    """
    by_score = window.by_score
    known = by_score.counts[:, :, 1:]  # without a prediction a row is in no table
    cells = known[:, UNKNOWN] if rows == "unlabelled" else known.sum(axis=1)
    used = cells.sum(axis=1) > 0
    if not used.any():
        return None
    cells = cells[used]
    n = cells.sum(axis=1)
    if rows == "unlabelled":
        score = by_score.mean[used, UNKNOWN]
    else:
        of_class = known[used].sum(axis=2)
        score = (by_score.mean[used] * of_class).sum(axis=1) / of_class.sum(axis=1)
    outside = (score < calibration.scores[0]) | (score > calibration.scores[-1])
    bins = bin_numbers(n, _BINS)
    m = int(bins[-1]) + 1
    table = np.zeros((m, 2), np.int64)
    np.add.at(table, bins, cells)
    p = _binned(calibration.apply(score)[:, None], cells, bins, table)
    maps = _resampled(calibration, score, cells, bins, table)
    expected = _figures(p[None] * table, table)
    drawn = _draw(maps, table, n_replicates, seed)
    found = _figures(drawn, table)
    square = ((p * (1.0 - p)) * table).sum() / table.sum()
    probability = np.divide((p * table).sum(axis=1), table.sum(axis=1))
    found["brier"] = _brier(drawn, table, probability)
    expected["brier"] = np.array([square])
    metrics = {name: _told(float(expected[name][0]), found[name], level) for name in expected}
    positive = (p * table).sum(axis=0)
    counts = np.stack([table.sum(axis=0) - positive, positive])
    return Estimate(counts, metrics, int(n.sum()), int(n[outside].sum()))


def _binned(
    p: NDArray[np.float64], cells: NDArray[np.int64], bins: NDArray[np.int64], table: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the mean probability of the rows of each bin by predicted class, shape (m, 2)."""
    sums = np.zeros(table.shape)
    np.add.at(sums, bins, p * cells)
    return np.clip(np.divide(sums, table, out=np.zeros(table.shape), where=table > 0), 0.0, 1.0)


def _resampled(
    calibration: Calibration,
    score: NDArray[np.float64],
    cells: NDArray[np.int64],
    bins: NDArray[np.int64],
    table: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return the mean probabilities by bin and predicted class that the resampled maps give, shape (b, m, 2)."""
    first = np.flatnonzero(np.concatenate([[True], bins[1:] != bins[:-1]]))
    # The mean score of a bin by predicted class is near enough for how sure a map is.
    sums = np.add.reduceat(score[:, None] * cells, first, axis=0)
    whole = sums.sum(axis=1) / table.sum(axis=1)
    mean = np.where(
        table > 0, np.divide(sums, table, out=np.zeros(sums.shape), where=table > 0), whole[:, None]
    )
    maps = calibration.apply_resampled(mean.reshape(-1))
    return np.clip(maps, 0.0, 1.0).reshape(-1, *table.shape)


def _draw(
    maps: NDArray[np.float64], table: NDArray[np.int64], n_replicates: int, seed: int
) -> NDArray[np.float64]:
    """Draw the positives of every bin and predicted class, shape (n_replicates, m, 2)."""
    rng = generator(seed)
    chosen = maps[np.arange(n_replicates) % maps.shape[0]]
    return rng.binomial(table, chosen).astype(np.float64)


def _figures(positives: NDArray[Any], table: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
    """Return the metrics of tables with so many positives by bin and predicted class, shape (b, m, 2)."""
    negatives = table - positives
    counts = np.stack([negatives.sum(axis=1), positives.sum(axis=1)], axis=1)
    found = {name: values for name, values in binary_metrics(counts).items() if name in BINARY}
    found["auc"] = ranking.auc(positives.sum(axis=2), negatives.sum(axis=2).astype(np.float64))
    found["positives"] = positives.sum(axis=(1, 2)) / table.sum()
    return found


def _brier(
    positives: NDArray[np.float64], table: NDArray[np.int64], probability: NDArray[np.float64]
) -> NDArray[np.float64]:
    rows, hits = table.sum(axis=1), positives.sum(axis=2)
    losses = hits * (1.0 - probability) ** 2 + (rows - hits) * probability**2
    return np.asarray(losses.sum(axis=1) / rows.sum())


def _told(value: float, values: NDArray[np.float64], level: float) -> Estimated:
    if not np.isfinite(value):
        return Estimated(None, None, None, None)
    finite = values[np.isfinite(values)]
    if finite.shape[0] < max(20.0, 0.9 * values.shape[0]):
        return Estimated(value, None, None, None)
    # A resampled map fits its sample twice over, and promises a little more than the map itself.
    moved = np.clip(finite + (value - finite.mean()), 0.0, 1.0)
    low, high = np.quantile(moved, [(1.0 - level) / 2.0, (1.0 + level) / 2.0]).tolist()
    return Estimated(value, low, high, float(finite.std(ddof=1)))
