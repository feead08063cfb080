"""Scores: how many rows of each outcome have which score, exactly while scores are few, then on a fixed grid.

A row has a score, an actual class and a predicted class, each of the two negative, positive or unknown. Everything
that is said of a model that scores (ROC and precision-recall curves, log loss, calibration, the table at any
threshold) is a function of the rows per score and outcome; the order in which they came says nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple

import numpy as np

from driftline.kernels import ranking
from driftline.kernels.score_cells import (
    LEAST,
    NEGATIVE,
    POSITIVE,
    UNKNOWN,
    Cells,
    combined,
    deduplicated,
    log_losses,
    mean_loss,
    squared_errors,
)
from driftline.kernels.score_grid import (
    FINEST,
    N_CELLS,
    N_FINE,
    cell_bounds,
    cells_and_offsets,
    cells_of,
    cells_of_fine,
    fine_cells,
    mean_in_cells,
)
from driftline.kernels.state import Packed, State, same_setting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["LIMIT", "Bound", "ScoreFold", "ScoreState"]

LIMIT: Final = 65_536
"""Distinct scores that are kept exactly."""

_BLOCK, _PIECE = 1 << 15, 1 << 18
_PARTS = 16
_N_OUTCOMES = 9
_NO_DOUBLES: NDArray[np.float64] = np.empty(0, np.float64)
_NO_INTS: NDArray[np.int64] = np.empty(0, np.int64)
_NO_COUNTS: NDArray[np.int64] = np.empty((0, 3, 3), np.int64)
_NO_SUMS: NDArray[np.int64] = np.empty((0, 3), np.int64)


class Bound(NamedTuple):
    """How far the grid can lead a metric astray; 0 while scores are kept exactly.

    Attributes
    ----------
    auc, log_loss, brier : float
    """

    auc: float
    log_loss: float
    brier: float


@dataclass(frozen=True, eq=False)
class ScoreState(State):
    """Rows by score and outcome.

    Attributes
    ----------
    limit : int
        Distinct scores that are kept exactly; a State of more of them is on the grid of
        :mod:`driftline.kernels.score_grid`.
    scores : ndarray of float64, shape (k,)
        The distinct scores, ascending; empty on the grid.
    cells : ndarray of int64, shape (k,)
        The occupied cells, ascending; empty while scores are kept exactly.
    counts : ndarray of int64, shape (k, 3, 3)
        Rows by actual and predicted class, each of (unknown, negative, positive).
    sums : ndarray of int64, shape (k, 3)
        On the grid: sums of the offsets by actual class.
    unscored : ndarray of int64, shape (3, 3)
        Rows without a finite score, by actual and predicted class.

    Notes
    -----
    Whether a State is exact depends on the distinct scores of all its rows, and the cell of a row on its score alone;
    so the laws hold to the last bit across the change. :attr:`bound` tells what the grid costs: for a smooth model
    less than 1e-4 of AUC in the worst case, and a thousandth of that in fact.
    """

    limit: int = LIMIT
    scores: NDArray[np.float64] = field(default_factory=lambda: _NO_DOUBLES)
    cells: NDArray[np.int64] = field(default_factory=lambda: _NO_INTS)
    counts: NDArray[np.int64] = field(default_factory=lambda: _NO_COUNTS)
    sums: NDArray[np.int64] = field(default_factory=lambda: _NO_SUMS)
    unscored: NDArray[np.int64] = field(default_factory=lambda: np.zeros((3, 3), np.int64))

    kind: ClassVar[str] = "scores"

    def empty(self) -> ScoreState:
        """Return a State of the same limit without rows."""
        return ScoreState(self.limit)

    def update(self, *columns: NDArray[Any]) -> ScoreState:
        """Fold in scores and, where they are known, actual and predicted classes.

        Parameters
        ----------
        *columns : ndarray, shape (n,)
            Scores, float64, NaN where there is none; then integers -1 (unknown), 0 (negative) or 1 (positive) for the
            actual classes, and such for the predicted ones. What is left out is unknown.

        Raises
        ------
        ValueError
            If the arrays differ in length, or a class is not -1, 0 or 1.

        See Also
        --------
        ScoreFold : the same for many batches, faster.
        """
        fold = ScoreFold(self.limit)
        fold.add(*columns)
        return self.merge(fold.state())

    def merge(self, other: ScoreState) -> ScoreState:
        """Return the rows of both sides.

        Raises
        ------
        StateMismatchError
            If the limits differ.
        """
        return self.merge_many([self, other])

    @classmethod
    def merge_many(cls, parts: Sequence[ScoreState]) -> ScoreState:
        """Return the rows of all `parts`.

        Raises
        ------
        StateMismatchError
            If the limits differ.
        """
        same_setting(cls.kind, "limit", parts)
        unscored = np.stack([part.unscored for part in parts]).sum(axis=0)
        limit = parts[0].limit
        full = [part for part in parts if part.counts.shape[0]]
        if not full:
            return cls(limit, unscored=unscored)
        if all(part.is_exact for part in full):
            scores, (counts,) = combined([p.scores for p in full], [[p.counts for p in full]])
            exact = cls(limit, scores, counts=counts, unscored=unscored)
            return exact if scores.shape[0] <= limit else exact._on_grid()
        full = [part._on_grid() for part in full]
        columns = [[p.counts for p in full], [p.sums for p in full]]
        cells, (counts, sums) = combined([p.cells for p in full], columns)
        return cls(limit, cells=cells, counts=counts, sums=sums, unscored=unscored)

    def _on_grid(self) -> ScoreState:
        if not self.is_exact:
            return self
        cells, offsets = cells_and_offsets(self.scores)
        sums = self.counts.sum(axis=2) * offsets[:, None]
        cells, (counts, sums) = combined([cells], [[self.counts], [sums]])
        return ScoreState(self.limit, cells=cells, counts=counts, sums=sums, unscored=self.unscored)

    @property
    def is_exact(self) -> bool:
        """Tell whether every distinct score is kept."""
        return not self.cells.size

    @cached_property
    def outcomes(self) -> NDArray[np.int64]:
        """Scored rows by actual and predicted class, shape (3, 3)."""
        return np.asarray(self.counts.sum(axis=0))

    @property
    def n_rows(self) -> int:
        """All rows."""
        return self.n_scored + self.n_unscored

    @property
    def n_scored(self) -> int:
        """Rows with a finite score."""
        return int(self.outcomes.sum())

    @property
    def n_unscored(self) -> int:
        """Rows without a finite score."""
        return int(self.unscored.sum())

    @property
    def n_unlabelled(self) -> int:
        """Scored rows whose actual class is unknown."""
        return int(self.outcomes[UNKNOWN].sum())

    @property
    def n_positive(self) -> int:
        """Scored rows that are positive."""
        return int(self.outcomes[POSITIVE].sum())

    @property
    def n_negative(self) -> int:
        """Scored rows that are negative."""
        return int(self.outcomes[NEGATIVE].sum())

    @cached_property
    def are_probabilities(self) -> bool:
        """Tell whether all scores are between 0 and 1; True without rows."""
        by_score = self.by_score
        return bool(np.all(by_score.low >= 0.0) and np.all(by_score.high <= 1.0))

    @property
    def confusion(self) -> NDArray[np.int64]:
        """Rows by actual and predicted class where both are known, shape (2, 2), as the rows came."""
        return self.outcomes[NEGATIVE:, NEGATIVE:]

    def confusion_at(self, threshold: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the table that another threshold would give.

        Parameters
        ----------
        threshold : float
            Rows with ``score > threshold`` are called positive.

        Returns
        -------
        counts : ndarray of int64, shape (2, 2)
            Labelled rows by actual and predicted class.
        uncertain : ndarray of int64, shape (2,)
            Rows by actual class that the grid cannot tell to which side of the threshold they belong; counted as not
            above it. (0, 0) while scores are kept exactly.
        """
        rows = self.counts.sum(axis=2)[:, NEGATIVE:]
        uncertain = np.zeros(2, np.int64)
        if self.is_exact:
            above = self.scores > threshold
        elif not math.isfinite(threshold):
            above = np.full(self.cells.shape, threshold < 0)
        else:
            cell = cells_of(np.array([threshold]))
            above = self.cells > cell
            if threshold < cell_bounds(cell)[1][0]:
                uncertain = np.asarray(rows[self.cells == cell].sum(axis=0))
        positive = rows[above].sum(axis=0)
        return np.stack([rows.sum(axis=0) - positive, positive], axis=1), uncertain

    @cached_property
    def by_score(self) -> Cells:
        """Rows by score."""
        if self.is_exact:
            mean = np.repeat(self.scores[:, None], 3, axis=1)
            return Cells(self.scores, self.scores, mean, self.counts)
        low, high = cell_bounds(self.cells)
        rows = self.counts.sum(axis=2)
        mean = mean_in_cells(self.cells, self.sums, rows)
        whole = mean_in_cells(self.cells, self.sums.sum(axis=1), rows.sum(axis=1))
        return Cells(low, high, np.where(rows > 0, mean, whole[:, None]), self.counts)

    @cached_property
    def auc(self) -> float | None:
        """Area under the ROC curve, ties counting one half."""
        return _number(ranking.auc(self.by_score.positives, self.by_score.negatives))

    @property
    def auc_deviation(self) -> float | None:
        """Standard error of the area, after DeLong; None with fewer than two rows of a class."""
        return ranking.auc_deviation(self.by_score.positives, self.by_score.negatives)

    @property
    def log_loss(self) -> float | None:
        """Mean negative natural logarithm of the probability of the truth; None unless all scores are probabilities."""
        n = self.n_positive + self.n_negative
        if not n or not self.are_probabilities:
            return None
        positive, negative = log_losses(self.by_score)
        return mean_loss(self.by_score, positive, negative)

    @property
    def brier(self) -> float | None:
        """Mean squared difference of probability and truth; None unless all scores are probabilities."""
        n = self.n_positive + self.n_negative
        if not n or not self.are_probabilities:
            return None
        positive, negative = squared_errors(self.by_score)
        return mean_loss(self.by_score, positive, negative)

    @cached_property
    def bound(self) -> Bound:
        """How far the grid can lead the metrics astray.

        Notes
        -----
        AUC: half the share of pairs that fall into one cell, where it is not a single score. Log loss: within a cell
        from a to b the mean of logarithms is less than the logarithm of the mean by at most ``(b/a - 1)**2 / 8``,
        where a is the distance from the wrong end. Brier score: the variance in a cell is at most ``(b - a)**2 / 4``.
        """
        n = self.n_positive + self.n_negative
        if self.is_exact or not n:
            return Bound(0.0, 0.0, 0.0)
        low, high, _, _ = self.by_score
        positives, negatives = self.by_score.positives, self.by_score.negatives
        wide = high > low
        auc = float((positives[wide] * negatives[wide].astype(np.float64)).sum())
        auc /= 2.0 * self.n_positive * self.n_negative if self.n_positive and self.n_negative else math.inf
        if not self.are_probabilities:
            return Bound(auc, 0.0, 0.0)
        width = high - low
        log_loss = float(
            (positives * (width / np.maximum(low, LEAST)) ** 2).sum()
            + (negatives * (width / np.maximum(1.0 - high, LEAST)) ** 2).sum()
        )
        rows = positives + negatives
        return Bound(auc, log_loss / (8.0 * n), float((rows * width**2).sum()) / (4.0 * n))

    def roc_curve(self, most: int = ranking.MOST_POINTS) -> ranking.Curve | None:
        """Return the ROC curve; None without a positive or without a negative."""
        return ranking.roc_curve(self.by_score.centre, self.by_score.positives, self.by_score.negatives, most)

    def precision_recall_curve(self, most: int = ranking.MOST_POINTS) -> ranking.Curve | None:
        """Return the precision-recall curve; None without a positive."""
        by_score = self.by_score
        return ranking.precision_recall_curve(by_score.centre, by_score.positives, by_score.negatives, most)

    def top_k(self, ks: Sequence[int]) -> list[ranking.TopK]:
        """Return precision and recall among the k highest scores of the labelled rows."""
        return ranking.top_k(self.by_score.positives, self.by_score.negatives, ks)

    @cached_property
    def _metrics(self) -> Mapping[str, float | None]:
        positives, negatives = self.by_score.positives, self.by_score.negatives
        return {
            "auc": self.auc,
            "au_prc": _number(ranking.au_prc(positives, negatives)),
            "average_precision": _number(ranking.average_precision(positives, negatives)),
            "log_loss": self.log_loss,
            "brier": self.brier,
        }

    def finalize(self) -> Mapping[str, float | None]:
        """Return auc, au_prc, average_precision, log_loss and brier; None where one cannot be computed."""
        return dict(self._metrics)

    def pack(self) -> Packed:
        """Return scores or cells, and the outcomes that occur in them."""
        flat = self.counts.reshape(-1)
        places = np.flatnonzero(flat)
        return Packed(
            {"limit": self.limit},
            {
                "scores": self.scores,
                "cells": self.cells,
                "places": places.astype(np.int64),
                "counts": flat[places],
                "sums": self.sums.reshape(-1),
                "unscored": self.unscored.reshape(-1),
            },
        )

    @classmethod
    def unpack(cls, packed: Packed) -> ScoreState:
        """Rebuild from :meth:`pack`."""
        a = packed.arrays
        scores, cells, places, counts = a["scores"], a["cells"], a["places"], a["counts"]
        k, limit = scores.shape[0] + cells.shape[0], int(packed.scalars["limit"])
        of_scores = (
            np.isfinite(scores).all() and (np.diff(scores) > 0).all() and scores.shape[0] <= max(limit, 0)
        )
        of_cells = (np.diff(cells) > 0).all() and (not cells.shape[0] or 0 <= cells[0] <= cells[-1] < N_CELLS)
        if (
            not (of_scores and of_cells)
            or (scores.shape[0] > 0 and cells.shape[0] > 0)
            or limit < 0
            or places.shape != counts.shape
            or (places.shape[0] > 0 and not (places[0] >= 0 and places[-1] < k * _N_OUTCOMES))
            or not (np.diff(places) > 0).all()
            or not np.array_equal(deduplicated(places // _N_OUTCOMES), np.arange(k))
            or not (counts > 0).all()
            or a["sums"].shape != (3 * cells.shape[0],)
            or not (a["sums"] >= 0).all()
            or a["unscored"].shape != (9,)
            or not (a["unscored"] >= 0).all()
        ):
            raise ValueError("scores, cells and counts do not belong together")
        flat = np.zeros(k * _N_OUTCOMES, np.int64)
        flat[places] = counts
        sums = a["sums"].reshape(-1, 3)
        return cls(limit, scores, cells, flat.reshape(k, 3, 3), sums, a["unscored"].reshape(3, 3))


def _number(value: Any) -> float | None:
    return None if np.isnan(value) else float(value)


def _places(given: NDArray[Any] | None, what: str) -> NDArray[np.int8]:
    """Return codes plus one, the place of an outcome."""
    if given is None:
        return np.zeros(1, np.int8)
    if given.shape[0] and (given.min() < -1 or given.max() > 1):
        raise ValueError(f"{what} classes are -1 (unknown), 0 or 1, not {given.min()} to {given.max()}")
    return given.astype(np.int8) + np.int8(1)


class ScoreFold:
    """Folds batches of rows into one :class:`ScoreState`.

    Parameters
    ----------
    limit : int
        As :class:`ScoreState` has it.

    Notes
    -----
    On the grid a row costs some 12 ns: no sorting, no search, whole numbers only. A fold belongs to one thread; NumPy
    lets others run meanwhile, and States of several folds merge.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._exact: ScoreState | None = ScoreState(limit)
        self._rest: list[ScoreState] = []
        # By place among the fine cells, half, actual and predicted class.
        self._counts = self._sums = _NO_INTS
        self._unscored = np.zeros(_N_OUTCOMES, np.int64)

    def add(
        self, scores: NDArray[Any], actual: NDArray[Any] | None = None, predicted: NDArray[Any] | None = None
    ) -> None:
        """Fold in a batch, as :meth:`ScoreState.update` takes it.

        Raises
        ------
        ValueError
            If the arrays differ in length, or a class is not -1, 0 or 1.
        """
        n = scores.shape[0]
        for given, what in ((actual, "actual"), (predicted, "predicted")):
            if given is not None and given.shape != (n,):
                raise ValueError(f"there are {n} scores and {what} classes of shape {given.shape}")
        first = 0
        while first < n:
            # Blocks on the grid stay in the cache, and add.at counts as fast there as bincount; sorting likes them larger.
            rows = slice(first, first + (_BLOCK if self._exact is None else _PIECE))
            first = rows.stop
            codes = _places(None if actual is None else actual[rows], "actual") * np.int8(3)
            codes = codes + _places(None if predicted is None else predicted[rows], "predicted")
            block = np.ascontiguousarray(scores[rows], np.float64)
            self._add(block, np.broadcast_to(codes, block.shape))

    def _add(self, scores: NDArray[np.float64], codes: NDArray[np.int8]) -> None:
        low, high = scores.min(), scores.max()
        if not (math.isfinite(low) and math.isfinite(high)):
            finite = np.isfinite(scores)
            self._unscored += np.bincount(codes[~finite], minlength=_N_OUTCOMES)
            scores, codes = scores[finite], codes[finite]
            if scores.shape[0] == 0:
                return
            low, high = scores.min(), scores.max()
        if self._exact is not None:
            self._add_exactly(scores, codes)
            return
        if low < FINEST or high > 1.0 - FINEST:
            fine = (scores >= FINEST) & (scores <= 1.0 - FINEST)
            self._put_aside(_counted(scores[~fine], codes[~fine], self._limit))
            scores, codes = scores[fine], codes[fine]
        places, offsets = fine_cells(scores)
        places *= 2 * _N_OUTCOMES
        places += codes + (scores > 0.5).view(np.int8) * np.int8(_N_OUTCOMES)
        np.add.at(self._counts, places, 1)
        np.add.at(self._sums, places, offsets)

    def _add_exactly(self, scores: NDArray[np.float64], codes: NDArray[np.int8]) -> None:
        assert self._exact is not None
        whole = self._exact.merge(_counted(scores, codes, self._limit))
        if whole.is_exact:
            self._exact = whole
            return
        self._exact = None
        self._rest = [whole]
        self._counts = np.zeros(N_FINE * 2 * _N_OUTCOMES, np.int64)
        self._sums = np.zeros(N_FINE * 2 * _N_OUTCOMES, np.int64)

    def _put_aside(self, part: ScoreState) -> None:
        """Keep a part of the rows as a State; of many such parts one."""
        self._rest.append(part._on_grid())
        if len(self._rest) > _PARTS:
            self._rest = [ScoreState.merge_many(self._rest)]

    def state(self) -> ScoreState:
        """Return the State of all rows so far."""
        unscored = self._unscored.reshape(3, 3).copy()
        if self._exact is not None:
            return ScoreState(self._limit, self._exact.scores, counts=self._exact.counts, unscored=unscored)
        parts = [ScoreState(self._limit, unscored=unscored), *self._rest]
        counts = self._counts.reshape(N_FINE, 2, 3, 3)
        sums = self._sums.reshape(N_FINE, 2, 3, 3)
        for half, cells in enumerate(cells_of_fine()):
            used = np.flatnonzero(counts[:, half].any(axis=(1, 2)))
            if half:
                used = used[::-1]
            by_actual = sums[used, half].sum(axis=2)
            parts.append(
                ScoreState(self._limit, cells=cells[used], counts=counts[used, half], sums=by_actual)
            )
        return ScoreState.merge_many(parts)


def _counted(scores: NDArray[np.float64], codes: NDArray[np.int8], limit: int) -> ScoreState:
    """Count distinct scores by outcome; exact, whatever the limit."""
    scores = scores + 0.0  # -0.0 and 0.0 are one score
    parts = []
    for code in np.flatnonzero(np.bincount(codes, minlength=_N_OUTCOMES)).tolist():
        ordered = np.sort(scores[codes == code])
        first = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
        parts.append((code, ordered[first], np.diff(first, append=ordered.shape[0])))
    distinct = deduplicated(np.sort(np.concatenate([values for _, values, _ in parts])))
    counts = np.zeros((distinct.shape[0], _N_OUTCOMES), np.int64)
    for code, values, rows in parts:
        counts[np.searchsorted(distinct, values), code] = rows
    return ScoreState(limit, distinct, counts=counts.reshape(-1, 3, 3))
