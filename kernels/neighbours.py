"""Flip test: decisions on members of a group that would change if they were treated like their nearest others.

For every row of the group ("d") the k nearest rows of the others ("a") vote with their predictions. Rows at the same
distance are taken in row order, so that the result depends on the data alone and not on a search algorithm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["BLOCK_BYTES", "FEW", "Flips", "flip_test", "neighbours"]

BLOCK_BYTES: Final = 32 << 20
"""Memory in bytes that one block of distances may take."""

FEW: Final = 9
"""Up to this many others, a single neighbour votes; five beyond."""


class Flips(NamedTuple):
    """How many decisions would flip.

    Attributes
    ----------
    n_d : int
        Rows of the group that were compared.
    to_negative : int
        The model says positive, the vote negative.
    to_positive : int
        The model says negative, the vote positive.
    n_a : int
        Rows of the others that could vote.
    k : int
        Neighbours per vote.
    """

    n_d: int
    to_negative: int
    to_positive: int
    n_a: int
    k: int

    @property
    def value(self) -> float:
        """FT, in [-1, 1]: (to_negative - to_positive) / n_d, NaN without rows on either side.

        The sign is that of SageMaker Clarify's results, which is the negative of the one in its guide.
        """
        return (self.to_negative - self.to_positive) / self.n_d if self.n_d and self.n_a else float("nan")


def neighbours(
    points: NDArray[np.float64], queries: NDArray[np.float64], k: int, *, block_bytes: int = BLOCK_BYTES
) -> NDArray[np.int64]:
    """Return the rows of `points` nearest to every query: Euclidean distance, ties by row order.

    Parameters
    ----------
    points : ndarray of float64, shape (n, p)
        Finite.
    queries : ndarray of float64, shape (m, p)
        Finite.
    k : int
        Neighbours per query, not more than n.
    block_bytes : int
        Bound on the memory for distances.

    Returns
    -------
    ndarray of int64, shape (m, k)
        Indices into `points`, nearest first.

    Notes
    -----
    A matrix product gives all distances up to rounding. It only picks candidates: every point whose rounded distance is
    within a bound on the rounding error of the k-th. The candidates' distances are then summed term by term, which
    is exact for whole numbers as long as the sum of squares is below 2**53, so that ties are ties. Cost O(n m p).
    """
    n, p = points.shape
    found = np.empty((queries.shape[0], k), np.int64)
    # Centring keeps the cancellation in the product small; what it rounds is in the slack.
    centre = points.mean(axis=0)
    centred, moved = points - centre, queries - centre
    squares = np.einsum("ij,ij->i", centred, centred)
    largest = max(float(np.abs(points).max(initial=0.0)), float(np.abs(queries).max(initial=0.0)))
    width = max(1, min(_STRIDE, n // (4 * k)))
    strides = np.arange(0, n, width)
    step = max(1, block_bytes // (_PER_DISTANCE * n))
    for start in range(0, queries.shape[0], step):
        block = slice(start, start + step)
        own = np.einsum("ij,ij->i", moved[block], moved[block])
        with np.errstate(over="ignore", invalid="ignore"):
            rough = moved[block] @ centred.T
            rough *= -2.0
            rough += squares
            # k strides hold a point each that is as near as the k-th nearest of their best: an upper bound on the k-th.
            bests = np.minimum.reduceat(rough, strides, axis=1)
            # Forward error of the product and of centring, with room.
            slack = 16 * (p + 4) * np.finfo(float).eps * (squares.max() + own + p * largest**2)
            limit = np.partition(bests, k - 1, axis=1)[:, k - 1] + slack
        is_near = ~(rough > limit[:, None])
        ends = np.cumsum(np.count_nonzero(is_near, axis=1))
        first = 0
        while first < ends.shape[0]:
            # Where everything is tied every point is near: take as many queries as their candidates have room for.
            before = ends[first - 1] if first else 0
            last = max(first + 1, int(np.searchsorted(ends, before + rough.size // 4, side="right")))
            query, point = np.divmod(np.flatnonzero(is_near[first:last]), n)
            order = np.lexsort(
                (_distances(points, queries[start + first : start + last], point, query), query)
            )
            starts = np.searchsorted(query, np.arange(last - first))
            found[start + first : start + last] = point[order[starts[:, None] + np.arange(k)]]
            first = last
    return found


_STRIDE: Final = 64
_PER_DISTANCE: Final = 24
"""Bytes per pair of rows: the product, what is near, and the candidates of a quarter of the pairs."""


def _distances(
    points: NDArray[np.float64],
    queries: NDArray[np.float64],
    point: NDArray[np.int64],
    query: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return squared distances of pairs, summed column by column, so that equal rows are equally far."""
    total = np.zeros(point.shape[0])
    with np.errstate(over="ignore"):
        for column, values in zip(points.T, queries.T, strict=True):
            total += (column[point] - values[query]) ** 2
    return total


def flip_test(
    features: NDArray[np.float64],
    is_d: NDArray[np.bool_],
    predicted: NDArray[np.bool_],
    *,
    standardise: bool = False,
    most: int | None = None,
    seed: int = 0,
    block_bytes: int = BLOCK_BYTES,
) -> Flips:
    """Compare the decisions on the group with a vote of its nearest others.

    Parameters
    ----------
    features : ndarray of float64, shape (n, p)
        What similarity is judged by, without facet, label and prediction; finite.
    is_d : ndarray of bool, shape (n,)
        Rows of the group; all others may vote.
    predicted : ndarray of bool, shape (n,)
        The model's positive decisions.
    standardise : bool, default False
        Divide every feature by its standard deviation over the rows used; otherwise the widest column decides.
    most : int, optional
        Use at most this many rows of each side, drawn without replacement.
    seed : int, default 0
        Seed of that draw.
    block_bytes : int
        Bound on the memory for distances.

    Returns
    -------
    Flips

    Raises
    ------
    ValueError
        If the shapes differ, or a feature is not finite.

    Notes
    -----
    k is 5 where the others are more than nine, else 1; a vote is positive if more than half of the neighbours are.
    Repeating rows changes the result: the nearest neighbours become copies of one another.
    """
    n = features.shape[0]
    if is_d.shape != (n,) or predicted.shape != (n,):
        raise ValueError(f"{n} rows of features, {is_d.shape} facets and {predicted.shape} predictions")
    if not np.isfinite(features).all():
        raise ValueError("every feature must be finite")
    rows_a, rows_d = np.flatnonzero(~is_d), np.flatnonzero(is_d)
    if most is not None:
        rng = np.random.Generator(np.random.PCG64(seed))
        rows_a, rows_d = (_some(rows, most, rng) for rows in (rows_a, rows_d))
    n_a, n_d = rows_a.shape[0], rows_d.shape[0]
    k = 5 if n_a > FEW else 1
    if n_a == 0 or n_d == 0:
        return Flips(n_d, 0, 0, n_a, k)
    points, queries = features[rows_a], features[rows_d]
    if standardise:
        spread = np.concatenate([points, queries]).std(axis=0)
        spread[spread == 0] = 1.0
        points, queries = points / spread, queries / spread
    votes = predicted[rows_a][neighbours(points, queries, k, block_bytes=block_bytes)].sum(axis=1)
    vote, model = 2 * votes > k, predicted[rows_d]
    return Flips(n_d, int((model & ~vote).sum()), int((~model & vote).sum()), n_a, k)


def _some(rows: NDArray[np.int64], most: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw at most `most` rows, in row order."""
    if rows.shape[0] <= most:
        return rows
    return np.sort(rng.choice(rows, most, replace=False))
