"""Bins of scores: a State of scores made small enough to be drawn a thousand times.

Hundreds of bins are enough: what the ties inside them do to a metric is the same in every replicate, so that
replicates are moved by the difference between the bins' metric and the State's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from driftline.kernels import ranking
from driftline.kernels.resample import Replicates, bootstrap, sagemaker_deviations
from driftline.kernels.score_cells import NEGATIVE, POSITIVE, log_losses, squared_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from driftline.kernels.scores import ScoreState

__all__ = ["N_BINS", "ScoreBins", "bin_numbers", "score_bins", "score_deviations", "score_replicates"]

N_BINS: Final = 256
"""Bins unless told otherwise."""

_NAMES: Final = ("auc", "au_prc", "log_loss", "brier")


def bin_numbers(rows: NDArray[Any], most: int) -> NDArray[np.int64]:
    """Assign cells to at most so many bins of about equal numbers of rows; a cell is never split.

    Parameters
    ----------
    rows : ndarray of int, shape (k,)
        Rows per cell, in order.
    most : int

    Returns
    -------
    ndarray of int64, shape (k,)
        Bins, numbered from 0 without gaps, not decreasing. Cells without rows go with a neighbour.
    """
    k = rows.shape[0]
    if k <= most:
        return np.arange(k)
    total = float(rows.sum())
    middle = (rows.cumsum() - 0.5 * rows) / total if total else np.arange(k) / k
    bins = np.minimum((middle * most).astype(np.int64), most - 1)
    return np.concatenate([[0], np.cumsum(np.diff(bins) > 0)])


@dataclass(frozen=True, eq=False)
class ScoreBins:
    """Labelled rows by bin of score.

    Attributes
    ----------
    counts : ndarray of int64, shape (m, 2)
        Rows per bin, negative and positive.
    log_losses, squared_errors : ndarray of float64, shape (m, 2), or None
        What a negative and a positive row of a bin add to log loss and Brier score, on average; None where scores are no
        probabilities.
    """

    counts: NDArray[np.int64]
    log_losses: NDArray[np.float64] | None
    squared_errors: NDArray[np.float64] | None

    def metrics(self, weights: NDArray[Any]) -> dict[str, NDArray[np.float64]]:
        """Return auc, au_prc and, of probabilities, log_loss and brier.

        Parameters
        ----------
        weights : ndarray, shape (b, m, 2)
            Rows per bin, resampled.

        Returns
        -------
        dict of str to ndarray of float64, shape (b,)
        """
        negatives, positives = weights[..., 0], weights[..., 1]
        found = {
            "auc": ranking.auc(positives, negatives),
            "au_prc": ranking.au_prc(positives, negatives),
        }
        flat = weights.reshape(*weights.shape[:-2], -1)
        n = flat.sum(axis=-1)
        for name, of_row in (("log_loss", self.log_losses), ("brier", self.squared_errors)):
            if of_row is not None:
                with np.errstate(invalid="ignore", divide="ignore"):
                    found[name] = np.asarray(flat @ of_row.reshape(-1) / n)
        return found


def score_bins(state: ScoreState, most: int = N_BINS) -> ScoreBins:
    """Return the labelled rows of a State in at most so many bins, of about equal numbers of rows."""
    by_score = state.by_score
    cells = np.stack([by_score.negatives, by_score.positives], axis=1)
    used = cells.sum(axis=1) > 0
    cells = cells[used]
    bins = bin_numbers(cells.sum(axis=1), most)
    m = int(bins[-1]) + 1 if bins.shape[0] else 0

    def gathered(weights: NDArray[Any]) -> NDArray[Any]:
        return np.stack([np.bincount(bins, weights[:, i], m) for i in (0, 1)], axis=1)

    counts = np.zeros((m, 2), np.int64)
    np.add.at(counts, bins, cells)
    if not state.are_probabilities:
        return ScoreBins(counts, None, None)
    means = []
    for positive, negative in (log_losses(by_score), squared_errors(by_score)):
        sums = gathered(cells * np.stack([negative[used], positive[used]], axis=1))
        means.append(np.divide(sums, counts, out=np.zeros(sums.shape), where=counts > 0))
    return ScoreBins(counts, *means)


def score_replicates(
    state: ScoreState, n_replicates: int = 1000, seed: int = 0, *, most: int = N_BINS
) -> dict[str, Replicates]:
    """Return auc, au_prc, log_loss and brier with their bootstrap replicates.

    Parameters
    ----------
    state : ScoreState
    n_replicates, seed : int
    most : int
        Bins at most.

    Returns
    -------
    dict of str to Replicates
        Each around the metric of `state` itself. A metric that cannot be computed has estimate None.
    """
    bins = score_bins(state, most)
    exact: Mapping[str, float | None] = state.finalize()
    if not bins.counts.shape[0]:
        return {name: Replicates(None, np.zeros(0), n_replicates) for name in _NAMES}
    found = bootstrap(bins.counts, bins.metrics, n_replicates, seed)
    moved = {}
    for name in _NAMES:
        one, value = found.get(name), exact[name]
        if one is None or one.estimate is None or value is None:
            moved[name] = Replicates(None, np.zeros(0), n_replicates)
        else:
            moved[name] = Replicates(value, one.values + (value - one.estimate), n_replicates)
    return moved


def score_deviations(state: ScoreState, seed: int) -> dict[str, float]:
    """Return SageMaker's standard deviation of auc, au_prc, log_loss and brier, from subsamples of the State's own cells.

    Parameters
    ----------
    state : ScoreState
    seed : int

    Returns
    -------
    dict of str to float
        NaN below 200 labelled rows, and for what cannot be computed.
    """
    bins = score_bins(state, most=max(N_BINS, state.counts.shape[0]))
    metrics: Callable[[NDArray[Any]], dict[str, NDArray[np.float64]]] = bins.metrics
    if not bins.counts.shape[0]:
        return dict.fromkeys(_NAMES, math.nan)
    return dict.fromkeys(_NAMES, math.nan) | sagemaker_deviations(bins.counts, metrics, seed)


# The axes of a bin are those of a State without "unknown".
assert (NEGATIVE, POSITIVE) == (1, 2)
