"""Ranking: how well scores order positives before negatives, from counts in ascending cells of scores.

Every function takes rows per cell, the cells in ascending order of score, on the last axis; leading axes are
replicates. Rows of one cell are tied: of a positive and a negative in one cell, half counts as ordered right.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from driftline.kernels.special import normal_quantile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = [
    "MOST_POINTS",
    "Curve",
    "TopK",
    "au_prc",
    "auc",
    "auc_deviation",
    "auc_interval",
    "average_precision",
    "precision_recall_curve",
    "roc_curve",
    "top_k",
]

MOST_POINTS: Final = 1000
"""Points of a curve unless told otherwise."""


def auc(positives: NDArray[Any], negatives: NDArray[Any]) -> NDArray[np.float64]:
    """Return the area under the ROC curve.

    Parameters
    ----------
    positives, negatives : ndarray, shape (..., k)
        Rows, or resampled weights, per cell.

    Returns
    -------
    ndarray of float64, shape (...,)
        NaN without a positive or without a negative.

    Notes
    -----
    ``sum(p_i * (sum(n_j, j < i) + n_i / 2)) / (P * N)``: the probability that a positive scores higher than a
    negative, ties counting one half, which is the area under the trapezoids between distinct scores. Of whole numbers
    it is computed in whole numbers and rounded once, while they fit into 63 bits.
    """
    positives, negatives = np.asarray(positives), np.asarray(negatives)
    p, n = positives.sum(axis=-1), negatives.sum(axis=-1)
    whole = positives.dtype.kind in "iu" and negatives.dtype.kind in "iu"
    if whole and float(np.max(p, initial=0)) * float(np.max(n, initial=0)) < 2.0**61:
        twice = (positives * (2 * negatives.cumsum(axis=-1) - negatives)).sum(axis=-1)
    else:
        below = negatives.cumsum(axis=-1, dtype=np.float64)
        below *= 2.0
        below -= negatives
        below *= positives
        twice = below.sum(axis=-1)
        p, n = np.asarray(p, np.float64), np.asarray(n, np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.divide(twice, 2 * p * n, dtype=np.float64))


def auc_deviation(positives: NDArray[np.int64], negatives: NDArray[np.int64]) -> float | None:
    """Return the standard error of the area under the ROC curve (DeLong, DeLong and Clarke-Pearson 1988).

    Parameters
    ----------
    positives, negatives : ndarray of int, shape (k,)

    Returns
    -------
    float or None
        None with fewer than two positives or two negatives.

    Notes
    -----
    ``sqrt(S10 / P + S01 / N)`` of the sample variances of the placements: the share of negatives below each positive,
    and of positives above each negative. It is 0 where all positives are above all negatives: see
    :func:`auc_interval`.
    """
    p, n = int(positives.sum()), int(negatives.sum())
    if p < 2 or n < 2:
        return None
    of_positives = (negatives.cumsum() - 0.5 * negatives) / n
    of_negatives = 1.0 - (positives.cumsum() - 0.5 * positives) / p
    area = float((positives * of_positives).sum() / p)
    s10 = float((positives * (of_positives - area) ** 2).sum() / (p - 1))
    s01 = float((negatives * (of_negatives - area) ** 2).sum() / (n - 1))
    return math.sqrt(s10 / p + s01 / n)


def auc_interval(area: float, n_positive: int, n_negative: int, level: float = 0.95) -> tuple[float, float]:
    """Return an interval for the area that says something also where it is 1, or the rows are few.

    Parameters
    ----------
    area : float
    n_positive, n_negative : int
        One or more of each.
    level : float

    Notes
    -----
    The areas whose distance from the one seen is within ``z`` of *their own* standard errors, as Wilson's interval
    has it for shares; the error is Hanley and McNeil's (1982) with ``(P + N) / 2`` for both sizes: method 5 of
    Newcombe, "Confidence intervals for an effect size measure based on the Mann-Whitney statistic", part 2,
    Statistics in Medicine 25 (2006).
    """
    z = normal_quantile((1.0 + level) / 2.0)
    middle = (n_positive + n_negative) / 2.0 - 1.0

    def beyond(candidate: float) -> bool:
        spread = 1.0 + middle * (1.0 - candidate) / (2.0 - candidate) + middle * candidate / (1.0 + candidate)
        variance = candidate * (1.0 - candidate) * spread / (n_positive * n_negative)
        return (area - candidate) ** 2 > z * z * variance

    ends = []
    for end in (0.0, 1.0):
        inner, outer = area, end
        if not beyond(outer) or outer == inner:
            ends.append(outer)
            continue
        for _ in range(60):
            middle_of = (inner + outer) / 2.0
            inner, outer = (inner, middle_of) if beyond(middle_of) else (middle_of, outer)
        ends.append(inner)
    return ends[0], ends[1]


def _descending(
    positives: NDArray[Any], negatives: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return true and false positives when everything from a cell upwards is called positive; highest cell first."""
    true = positives[..., ::-1].cumsum(axis=-1, dtype=np.float64)
    false = negatives[..., ::-1].cumsum(axis=-1, dtype=np.float64)
    return true, false


def _precision_recall(
    positives: NDArray[Any], negatives: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    true, false = _descending(positives, negatives)
    called = true + false
    # Before the first row there is no precision; the first one that there is stands for it.
    precision = np.divide(true, called, out=np.full(true.shape, np.nan), where=called > 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        recall = true / true[..., -1:]
    return precision, recall


def au_prc(positives: NDArray[Any], negatives: NDArray[Any]) -> NDArray[np.float64]:
    """Return the area under the precision-recall curve, by trapezoids between distinct scores.

    Parameters
    ----------
    positives, negatives : ndarray, shape (..., k)

    Returns
    -------
    ndarray of float64, shape (...,)
        NaN without a positive.

    Notes
    -----
    The curve begins at recall 0 with the precision of the highest score, as Spark's ``areaUnderPR`` has it.
    Trapezoids are a little kind where precision jumps; :func:`average_precision` is not.
    """
    precision, recall = _precision_recall(np.asarray(positives), np.asarray(negatives))
    steps = np.diff(recall, axis=-1, prepend=0.0)
    before = np.concatenate([precision[..., :1], precision[..., :-1]], axis=-1)
    first = np.isnan(before)
    area = np.where(steps > 0, steps * (precision + np.where(first, precision, before)) / 2.0, 0.0).sum(
        axis=-1
    )
    return (
        np.where(np.isnan(recall[..., -1]), np.nan, area) if recall.shape[-1] else np.full(area.shape, np.nan)
    )


def average_precision(positives: NDArray[Any], negatives: NDArray[Any]) -> NDArray[np.float64]:
    """Return the average precision, ``sum((R_i - R_{i-1}) * P_i)``: scikit-learn's definition, without interpolation."""
    precision, recall = _precision_recall(np.asarray(positives), np.asarray(negatives))
    steps = np.diff(recall, axis=-1, prepend=0.0)
    area = np.where(steps > 0, steps * precision, 0.0).sum(axis=-1)
    return (
        np.where(np.isnan(recall[..., -1]), np.nan, area) if recall.shape[-1] else np.full(area.shape, np.nan)
    )


class Curve(NamedTuple):
    """Points of a curve, from the highest score to the lowest.

    Attributes
    ----------
    x, y : ndarray of float64, shape (m,)
        False positive rate and true positive rate, or recall and precision.
    scores : ndarray of float64, shape (m,)
        From which score on (``>=``) rows are called positive at a point; NaN at the points that are put before and after.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    scores: NDArray[np.float64]


def _thinned(curve: Curve, most: int) -> Curve:
    """Keep at most so many points, evenly along the way (|dx| + |dy|), both ends among them."""
    n = curve.x.shape[0]
    if n <= most:
        return curve
    way = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(curve.x)) + np.abs(np.diff(curve.y)))])
    at = np.searchsorted(way, np.linspace(0.0, way[-1], most))
    at[0], at[-1] = 0, n - 1
    kept = at[np.concatenate([[True], np.diff(at) > 0])]
    return Curve(*(part[kept] for part in curve))


def roc_curve(
    scores: NDArray[np.float64],
    positives: NDArray[np.int64],
    negatives: NDArray[np.int64],
    most: int = MOST_POINTS,
) -> Curve | None:
    """Return the ROC curve: (0, 0), a point per distinct score, (1, 1).

    Parameters
    ----------
    scores : ndarray of float64, shape (k,)
        Ascending.
    positives, negatives : ndarray of int64, shape (k,)
    most : int
        Points at most, 2 or more; the ends are always among them.

    Returns
    -------
    Curve or None
        None without a positive or without a negative.
    """
    used = (positives + negatives) > 0
    scores, positives, negatives = scores[used], positives[used], negatives[used]
    if not positives.sum() or not negatives.sum():
        return None
    true, false = _descending(positives, negatives)
    x = np.concatenate([[0.0], false / false[-1], [1.0]])
    y = np.concatenate([[0.0], true / true[-1], [1.0]])
    return _thinned(Curve(x, y, np.concatenate([[np.nan], scores[::-1], [np.nan]])), most)


def precision_recall_curve(
    scores: NDArray[np.float64],
    positives: NDArray[np.int64],
    negatives: NDArray[np.int64],
    most: int = MOST_POINTS,
) -> Curve | None:
    """Return the precision-recall curve: recall 0 with the precision of the highest score, then a point per distinct score.

    Parameters
    ----------
    scores, positives, negatives, most
        As :func:`roc_curve` takes them.

    Returns
    -------
    Curve or None
        `x` is recall, `y` precision; None without a positive.
    """
    used = (positives + negatives) > 0
    scores, positives, negatives = scores[used], positives[used], negatives[used]
    if not positives.sum():
        return None
    precision, recall = _precision_recall(positives, negatives)
    x = np.concatenate([[0.0], recall])
    y = np.concatenate([precision[:1], precision])
    return _thinned(Curve(x, y, np.concatenate([[np.nan], scores[::-1]])), most)


class TopK(NamedTuple):
    """What stands among the k highest scores.

    Attributes
    ----------
    k : int
    precision : float or None
        Share of positives among the k; None without rows.
    recall : float or None
        Share of the positives that are among the k; None without positives.
    lift : float or None
        `precision` over the share of positives in all rows.
    n_tied : int
        Rows of the score at which the k end, where only some of them fit; 0 otherwise. Which of them fit is left to
        chance, and the numbers are what is expected.
    """

    k: int
    precision: float | None
    recall: float | None
    lift: float | None
    n_tied: int


def top_k(positives: NDArray[np.int64], negatives: NDArray[np.int64], ks: Sequence[int]) -> list[TopK]:
    """Return precision and recall among the k highest scores.

    Parameters
    ----------
    positives, negatives : ndarray of int64, shape (k,)
        Labelled rows per distinct score, ascending. Rows without a label are in no place of the ranking.
    ks : sequence of int
        1 or more each; one larger than the number of rows means all of them.

    Raises
    ------
    ValueError
        If a k is below 1.
    """
    true, false = _descending(positives, negatives)
    rows = true + false
    n, n_positive = int(positives.sum() + negatives.sum()), int(positives.sum())
    found = []
    for asked in ks:
        if asked < 1:
            raise ValueError(f"precision at k needs a k of 1 or more, not {asked}")
        k = min(asked, n)
        if k == 0:
            found.append(TopK(asked, None, None, None, 0))
            continue
        at = int(np.searchsorted(rows, k))
        before_rows, before = (float(rows[at - 1]), float(true[at - 1])) if at else (0.0, 0.0)
        in_cell = float(rows[at]) - before_rows
        hits = before + (k - before_rows) * (float(true[at]) - before) / in_cell
        precision = hits / k
        found.append(
            TopK(
                asked,
                precision,
                hits / n_positive if n_positive else None,
                precision / (n_positive / n) if n_positive else None,
                0 if rows[at] == k else int(in_cell),
            )
        )
    return found
