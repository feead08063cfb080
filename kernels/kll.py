"""KLL: Deequ's quantile sketch, bit for bit.

SageMaker Model Monitor keeps one such sketch per numeric column in ``statistics.json`` and computes drift
from two of them. It is a KLL sketch (Karnin, Lang, Liberty, "Optimal quantile approximation in streams", FOCS
2016) with two peculiarities of Deequ's: the *lowest* level is the largest, and nothing is random. Level ``h``
holds items that stand for ``2**h`` rows each and has the capacity ``2 * (ceil(k * c**h / 2) + 1)``: 2050,
1314, 842, 540, 346, …

Values are appended to level 0. When, after an append, more items are stored than all existing levels have
room for, the lowest level that is at its capacity is compacted: its even-length prefix is sorted and every
second item, from an offset that goes 0, 1, 1, 0, 0, 1, 1, … with that level's compactions, moves up; an odd
last item stays.

The result depends on the order of the rows and on how a merge is grouped, so this is not a
:class:`~driftline.kernels.state.State`. It exists to read, continue and reproduce SageMaker's files.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

__all__ = ["KLL", "Method", "Weights", "robust", "sagemaker_distance"]

Weights = Literal["distinct", "rows"]
Method = Literal["Robust", "Simple"]


def _capacity(level: int, k: float, c: float) -> int:
    return 2 * (math.ceil(k * c**level / 2) + 1)


@dataclass(frozen=True, eq=False, slots=True)
class KLL:
    """A sketch of a column of numbers.

    Attributes
    ----------
    levels : tuple of ndarray of float64
        Stored items; an item of level ``h`` stands for ``2**h`` rows. There is always a level 0.
    compactions : tuple of int
        How often each level has been compacted. Not part of SageMaker's files: a sketch that was read from
        one starts from 0.
    k, c : float
        Capacity of level 0 (about) and the factor from level to level.
    """

    levels: tuple[NDArray[np.float64], ...] = field(default_factory=lambda: (np.empty(0),))
    compactions: tuple[int, ...] = (0,)
    k: float = 2048.0
    c: float = 0.64

    @classmethod
    def of_levels(cls, levels: Iterable[Sequence[float]], *, k: float = 2048.0, c: float = 0.64) -> KLL:
        """Rebuild a sketch from the ``data`` of a statistics file."""
        arrays = tuple(np.asarray(level, np.float64) for level in levels) or (np.empty(0),)
        return cls(arrays, (0,) * len(arrays), k, c)

    @property
    def n_rows(self) -> int:
        """Rows the items stand for."""
        return sum(int(level.shape[0]) << h for h, level in enumerate(self.levels))

    @property
    def n_items(self) -> int:
        """Items stored."""
        return sum(int(level.shape[0]) for level in self.levels)

    def update(self, values: NDArray[np.float64]) -> KLL:
        """Return the sketch with `values` appended in order.

        Parameters
        ----------
        values : ndarray of float64, shape (n,)
            Without NaN. Infinities are values.

        Raises
        ------
        ValueError
            If there is a NaN: it has no rank.
        """
        if np.isnan(values).any():
            raise ValueError("a NaN has no rank; leave missing values out")
        if values.shape[0] == 0:
            return self
        work = _Work(self)
        work.append(values)
        return work.done()

    def merge(self, other: KLL) -> KLL:
        """Return the sketch of both sides, `other` after this one.

        Levels are joined one by one; then levels are compacted while as many items are stored as there is
        room for. The count of compactions, which decides the offset, stays that of this side.

        Raises
        ------
        ValueError
            If the two were made with different `k` or `c`.
        """
        if (self.k, self.c) != (other.k, other.c):
            raise ValueError(
                f"sketches of k={self.k:g}, c={self.c:g} and k={other.k:g}, c={other.c:g} cannot be merged"
            )
        work = _Work(self)
        work.join(other)
        return work.done()

    def weighted(self, weights: Weights = "rows") -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return the different stored values, ascending, and the weight of each.

        Parameters
        ----------
        weights : {"rows", "distinct"}
            ``rows`` adds up the rows that all items of a value stand for. ``distinct`` is what SageMaker's
            drift check really does: equal values collapse, and only ``2**h`` of the highest level that holds
            the value survives.

        Returns
        -------
        values : ndarray of float64, shape (v,)
        weights : ndarray of int64, shape (v,)
        """
        items = np.concatenate(self.levels)
        sizes = [level.shape[0] for level in self.levels]
        level_of = np.repeat(np.arange(len(sizes), dtype=np.int64), sizes)
        if items.shape[0] == 0:
            return items, level_of
        order = np.argsort(items, kind="stable")  # within equal values, the highest level comes last
        items, level_of = items[order], level_of[order]
        is_last = np.append(items[1:] != items[:-1], True)
        ends = np.flatnonzero(is_last)
        if weights == "distinct":
            return items[ends], np.int64(1) << level_of[ends]
        total = np.cumsum(np.int64(1) << level_of)[ends]
        return items[ends], np.diff(total, prepend=np.int64(0))

    def cdf(self, x: NDArray[np.float64] | float, weights: Weights = "rows") -> NDArray[np.float64]:
        """Return the share of the weight at or below each `x`; NaN where the sketch is empty."""
        values, weight = self.weighted(weights)
        return _cdf(np.asarray(x, np.float64), values, weight)

    def rank(self, x: NDArray[np.float64] | float, *, inclusive: bool = True) -> NDArray[np.int64]:
        """Return how many rows are at or below (``inclusive=False``: below) each `x`."""
        values, weight = self.weighted()
        total = np.concatenate([np.zeros(1, np.int64), np.cumsum(weight)])
        return total[np.searchsorted(values, x, side="right" if inclusive else "left")]

    def quantile(self, q: NDArray[np.float64] | float) -> NDArray[np.float64]:
        """Return the smallest stored value that at least the share `q` of the rows does not exceed.

        Parameters
        ----------
        q : array of float
            From 0 to 1; 0 gives the smallest stored value.

        Returns
        -------
        ndarray of float64
            NaN where the sketch is empty.
        """
        values, weight = self.weighted()
        share = np.asarray(q, np.float64)
        if values.shape[0] == 0:
            return np.full(share.shape, np.nan)
        total = np.cumsum(weight)
        at = np.searchsorted(total, np.ceil(share * total[-1]), side="left")
        result: NDArray[np.float64] = values[np.minimum(at, values.shape[0] - 1)]
        return result

    def buckets(
        self, low: float, high: float, n_buckets: int = 10
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Count the rows in equal buckets from `low` to `high`.

        Parameters
        ----------
        low, high : float
            Smallest and largest value of the column itself; the sketch may have lost both.

        Returns
        -------
        edges : ndarray of float64, shape (n_buckets + 1,)
            ``low + (high - low) * i / n_buckets``.
        counts : ndarray of int64, shape (n_buckets,)
            Left-closed; the last bucket is closed on both sides. A constant column is counted in the last
            one.
        """
        steps = np.arange(n_buckets + 1, dtype=np.float64)
        edges: NDArray[np.float64] = low + (high - low) * steps / float(n_buckets)
        below = self.rank(edges, inclusive=False)
        below[-1] = int(self.rank(edges[-1:])[0])
        return edges, np.diff(below)


class _Work:
    """A sketch while it changes."""

    def __init__(self, sketch: KLL) -> None:
        self.k, self.c = sketch.k, sketch.c
        self.levels = list(sketch.levels)
        self.compactions = list(sketch.compactions)
        self.capacities = [_capacity(h, self.k, self.c) for h in range(len(self.levels))]
        self.size = sketch.n_items

    def done(self) -> KLL:
        return KLL(tuple(self.levels), tuple(self.compactions), self.k, self.c)

    def append(self, values: NDArray[np.float64]) -> None:
        at, n = 0, int(values.shape[0])
        while at < n:
            # Nothing happens before the append that exceeds the room, so all up to that one go in together.
            take = min(n - at, max(sum(self.capacities) - self.size + 1, 1))
            self.levels[0] = np.concatenate([self.levels[0], values[at : at + take]])
            self.size += take
            at += take
            if self.size > sum(self.capacities):
                self.condense()

    def join(self, other: KLL) -> None:
        while len(self.levels) < len(other.levels):
            self.grow()
        for h, items in enumerate(other.levels):
            self.levels[h] = np.concatenate([self.levels[h], items])
        self.size += other.n_items
        while self.size >= sum(self.capacities):
            self.condense()

    def grow(self) -> None:
        self.capacities.append(_capacity(len(self.levels), self.k, self.c))
        self.levels.append(np.empty(0))
        self.compactions.append(0)

    def condense(self) -> None:
        # There is such a level: were all below capacity, the sum would be too.
        h = next(h for h, level in enumerate(self.levels) if level.shape[0] >= self.capacities[h])
        if h + 1 == len(self.levels):
            self.grow()
        level = self.levels[h]
        even = level.shape[0] - level.shape[0] % 2
        offset = (self.compactions[h] + 1) // 2 % 2
        kept = np.sort(level[:even])[offset::2]
        self.levels[h] = level[even:].copy()
        self.levels[h + 1] = np.concatenate([self.levels[h + 1], kept])
        self.compactions[h] += 1
        self.size -= even - kept.shape[0]


def _cdf(
    x: NDArray[np.float64], values: NDArray[np.float64], weight: NDArray[np.int64]
) -> NDArray[np.float64]:
    total = np.concatenate([np.zeros(1, np.int64), np.cumsum(weight)])
    if total[-1] == 0:
        return np.full(x.shape, np.nan)
    result: NDArray[np.float64] = total[np.searchsorted(values, x, side="right")] / float(total[-1])
    return result


def robust(distance: float, n: float, m: float) -> float:
    """Subtract Deequ's allowance for small samples: ``max(0, d - 1.8 * sqrt((n + m) / (n * m)))``.

    1.8 is the Kolmogorov–Smirnov coefficient for a level of 0.003.

    Parameters
    ----------
    distance : float
    n, m : float
        Sizes of the two samples, positive.
    """
    return max(0.0, distance - 1.8 * math.sqrt((n + m) / (n * m)))


def sagemaker_distance(
    baseline: KLL, current: KLL, method: Method = "Robust", weights: Weights = "distinct"
) -> float:
    """Largest difference of the two cumulative distributions, as SageMaker Model Monitor computes it.

    Parameters
    ----------
    baseline, current : KLL
    method : {"Robust", "Simple"}
        Robust subtracts the allowance for small samples (:func:`robust`), with the summed weights as sample
        sizes.
    weights : {"distinct", "rows"}
        ``distinct`` is what SageMaker does: every different stored value counts once per sketch, with the
        weight of the highest level it stands in, so that repeated values (binary columns, ratings) hardly
        ever drift. ``rows`` is the two-sample Kolmogorov–Smirnov distance of the rows.

    Returns
    -------
    float
        From 0 to 1; NaN if a side is empty.

    Examples
    --------
    >>> import numpy as np
    >>> few = KLL().update(np.repeat([0.0, 1.0], [90, 10]))
    >>> many = KLL().update(np.repeat([0.0, 1.0], [10, 90]))
    >>> sagemaker_distance(few, many, "Simple"), sagemaker_distance(few, many, "Simple", "rows")
    (0.0, 0.8)
    """
    left: tuple[NDArray[np.float64], NDArray[Any]] = baseline.weighted(weights)
    right: tuple[NDArray[np.float64], NDArray[Any]] = current.weighted(weights)
    n, m = float(left[1].sum()), float(right[1].sum())
    if n == 0.0 or m == 0.0:
        return math.nan
    x = np.concatenate([left[0], right[0]])
    distance = float(np.max(np.abs(_cdf(x, *left) - _cdf(x, *right))))
    return robust(distance, n, m) if method == "Robust" else distance
