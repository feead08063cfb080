"""Cells of scores: rows by score and outcome, in ascending order of score, and what a row of each adds to a loss."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = [
    "LEAST",
    "NEGATIVE",
    "POSITIVE",
    "UNKNOWN",
    "Cells",
    "combined",
    "deduplicated",
    "log_losses",
    "mean_loss",
    "squared_errors",
]

UNKNOWN, NEGATIVE, POSITIVE = 0, 1, 2
"""Places of an outcome in the axes of :attr:`Cells.counts`: its code plus one."""

LEAST: Final = 2.0**-52
"""Probabilities are kept this far from 0 and 1 before their logarithm is taken, as scikit-learn does."""


class Cells(NamedTuple):
    """Rows by score, in ascending order.

    Attributes
    ----------
    low, high : ndarray of float64, shape (k,)
        Between which the scores of a cell are; equal where a cell is one score.
    mean : ndarray of float64, shape (k, 3)
        Mean score of the rows by actual class (unknown, negative, positive); the cell's own where there are none.
    counts : ndarray of int64, shape (k, 3, 3)
        Rows by actual and predicted class.
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    mean: NDArray[np.float64]
    counts: NDArray[np.int64]

    @property
    def positives(self) -> NDArray[np.int64]:
        """Rows that are positive, shape (k,)."""
        return np.asarray(self.counts[:, POSITIVE].sum(axis=-1))

    @property
    def negatives(self) -> NDArray[np.int64]:
        """Rows that are negative, shape (k,)."""
        return np.asarray(self.counts[:, NEGATIVE].sum(axis=-1))

    @property
    def centre(self) -> NDArray[np.float64]:
        """Mean score of all rows of a cell, shape (k,)."""
        rows = self.counts.sum(axis=-1)
        with np.errstate(over="ignore", invalid="ignore"):
            mean = (self.mean * rows).sum(axis=-1) / rows.sum(axis=-1)
        return np.where(self.low == self.high, self.low, mean)


def log_losses(by_score: Cells) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what a positive and a negative row of each cell add to the log loss."""
    positive = np.clip(by_score.mean[:, POSITIVE], LEAST, 1.0 - LEAST)
    negative = np.clip(by_score.mean[:, NEGATIVE], LEAST, 1.0 - LEAST)
    return -np.log(positive), -np.log1p(-negative)


def squared_errors(by_score: Cells) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what a positive and a negative row of each cell add to the Brier score."""
    return (1.0 - by_score.mean[:, POSITIVE]) ** 2, by_score.mean[:, NEGATIVE] ** 2


def mean_loss(by_score: Cells, positive: NDArray[np.float64], negative: NDArray[np.float64]) -> float:
    """Return the mean over the labelled rows of what a positive and a negative row of each cell add."""
    rows = np.concatenate([by_score.positives, by_score.negatives])
    return math.fsum((rows * np.concatenate([positive, negative])).tolist()) / int(rows.sum())


def deduplicated(ascending: NDArray[Any]) -> NDArray[Any]:
    """Return every number of an ascending array once."""
    is_new = np.ones(ascending.shape, np.bool_)
    is_new[1:] = ascending[1:] != ascending[:-1]
    return np.asarray(ascending[is_new])


def combined(
    keys: Sequence[NDArray[Any]], columns: Sequence[Sequence[NDArray[np.int64]]]
) -> tuple[NDArray[Any], list[NDArray[np.int64]]]:
    """Add up the rows of equal keys, in each of several columns; return the keys ascending."""
    every = np.concatenate(keys)
    order = np.argsort(every, kind="stable")
    ordered = every[order]
    first = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    if first.shape[0] == every.shape[0]:
        return ordered, [np.concatenate(column)[order] for column in columns]
    last = np.append(first[1:], every.shape[0]) - 1
    # Differences of running sums: reduceat is many times slower along the first axis.
    return ordered[first], [
        np.diff(np.concatenate(c)[order].cumsum(axis=0)[last], axis=0, prepend=0) for c in columns
    ]
