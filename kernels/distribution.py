"""Distribution: which numbers occur and how often, exactly while they are few, then in cells of known width.

Every finite double has a 64-bit key that sorts as the number does (the IEEE 754 bits, with the negative half turned
round). A Distribution counts rows per cell ``key >> shift``. The shift starts at 0, where a cell is one value and
the State is the exact multiset, and grows only when more than ``capacity`` cells would be occupied: it is the
*smallest* shift at which the data fit. That makes it a function of the rows alone (adding rows never lowers the
number of occupied cells), so batches, files, threads and merges in any order end in the same bytes; and since cells
of a larger shift are unions of cells of a smaller one, any two Distributions can be compared on common cells, exact
counts on both sides.

Many rows in one cell blur what is read off it, unless they are all one value. Two kinds of value are that frequent in
practice, and both are known: a cell of whole numbers reaches from its first integer to its last, and the cell around zero
is zero where it holds nothing but the zeros that were counted.

Related work: the uniform collapse is that of UDDSketch (Epicoco et al. 2020), the keys are those of
radix-sorted floats; the cells are about ``2**(52 - shift)`` per power of two.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from driftline.kernels.state import Packed, State, StateMismatchError, same_setting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = [
    "CAPACITY",
    "Aligned",
    "Distribution",
    "align",
    "cell_bounds",
    "from_key",
    "key_of",
    "smallest_shift",
]

CAPACITY = 8192
"""Most cells a Distribution occupies unless told otherwise."""

_MASK = np.int64(0x7FFFFFFFFFFFFFFF)
_LARGEST = np.int64(0x7FEFFFFFFFFFFFFF)  # the key of the largest double; ~_LARGEST is that of its negative
_NO_INTS: NDArray[np.int64] = np.empty(0, np.int64)


def key_of(x: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return int64 keys that order as the doubles do; ``-0.0`` and ``0.0`` share one."""
    bits = (x + 0.0).view(np.int64)
    return bits ^ ((bits >> 63) & _MASK)


def from_key(keys: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the doubles whose keys these are (the inverse of :func:`key_of`)."""
    return (keys ^ ((keys >> 63) & _MASK)).view(np.float64)


def cell_bounds(cells: NDArray[np.int64], shift: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the smallest and the largest finite double of every cell at `shift`."""
    if shift == 0:
        values = from_key(cells)
        return values, values
    low = cells << shift
    high = low | np.int64((1 << shift) - 1)
    # The outermost cells reach beyond the finite doubles, into the keys of infinity and NaN.
    return from_key(np.maximum(low, ~_LARGEST)), from_key(np.minimum(high, _LARGEST))


def _narrowed(
    cells: NDArray[np.int64],
    shift: int,
    is_whole: bool,
    zero_only: bool,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the ends of cells, drawn together to the values that can stand in them."""
    low, high = cell_bounds(cells, shift)
    if shift and is_whole:
        low, high = np.ceil(low) + 0.0, np.floor(high) + 0.0
    if shift and zero_only:
        high = np.where(cells == 0, 0.0, high)
    return low, high


def _total(keys: NDArray[np.int64], counts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Add up counts of equal keys; keys come sorted, counts may be of any sign of order."""
    if keys.shape[0] == 0:
        return keys, counts
    first = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    if first.shape[0] == keys.shape[0]:
        return keys, counts
    return keys[first], np.add.reduceat(counts, first)


def smallest_shift(keys: NDArray[np.int64], capacity: int) -> int:
    """Return the smallest shift at which sorted distinct `keys` occupy at most `capacity` cells."""
    if keys.shape[0] <= capacity:
        return 0
    # Neighbours fall into different cells at shift s just when they differ in bit s or above, so all but
    # capacity - 1 of the differences must be below 2**s.
    differ = (keys[1:] ^ keys[:-1]).view(np.uint64)
    at = differ.shape[0] - capacity
    return int(np.partition(differ, at)[at]).bit_length()


@dataclass(frozen=True, eq=False)
class Distribution(State):
    """Counts of numbers, exact up to `capacity` distinct values, in ordered cells beyond.

    Attributes
    ----------
    cells : ndarray of int64, shape (k,)
        Occupied cells, ascending; ``k <= capacity``.
    counts : ndarray of int64, shape (k,)
        Rows per cell, all positive.
    shift : int
        Bits of the key that a cell does not see; 0 means that every cell is one value.
    capacity : int
        Most occupied cells.
    is_whole : bool
        Every row is a whole number (so of no rows).
    zeros : int
        Rows that are zero, of either sign.

    Notes
    -----
    A quantile read off the cells is off by at most the share of the one cell it falls into, and not at all where that
    cell is one value; a distance between two cumulative distributions is exact at every cell boundary. 64-bit integers
    beyond 2**53 count as the nearest double.
    """

    cells: NDArray[np.int64] = field(default_factory=lambda: _NO_INTS)
    counts: NDArray[np.int64] = field(default_factory=lambda: _NO_INTS)
    shift: int = 0
    capacity: int = CAPACITY
    is_whole: bool = True
    zeros: int = 0

    kind: ClassVar[str] = "distribution"

    @cached_property
    def cumulative(self) -> NDArray[np.int64]:
        """Rows up to and including every cell."""
        return np.cumsum(self.counts)

    @cached_property
    def n(self) -> int:
        """Rows counted."""
        return int(self.counts.sum())

    @property
    def is_exact(self) -> bool:
        """Tell whether every cell is a single value."""
        return self.shift == 0

    def empty(self) -> Distribution:
        """Return a Distribution of nothing with the same capacity."""
        return Distribution(capacity=self.capacity)

    def update(self, *columns: NDArray[Any]) -> Distribution:
        """Fold in finite values, float64 or int64 of shape (n,)."""
        result = self
        for x in columns:
            doubles = np.ascontiguousarray(x, dtype=np.float64)
            if doubles.shape[0] == 0:
                continue
            if not np.isfinite(doubles).all():
                raise ValueError("a Distribution takes finite values; count NaN and infinity in a Tally")
            keys = np.sort(key_of(doubles) >> result.shift)
            cells, counts = _total(keys, np.ones(keys.shape[0], np.int64))
            is_whole, zeros = _is_whole(doubles), int(np.count_nonzero(doubles == 0))
            result = result.merge(result._made(cells, counts, result.shift, is_whole, zeros))
        return result

    def weighted(self, values: NDArray[Any], weights: NDArray[np.int64]) -> Distribution:
        """Fold in `values` that each occur ``weights`` times (positive)."""
        doubles = np.ascontiguousarray(values, dtype=np.float64)
        keys = key_of(doubles)
        order = np.argsort(keys, kind="stable")
        cells, counts = _total(keys[order], weights[order].astype(np.int64))
        return self.merge(self._made(cells, counts, 0, _is_whole(doubles), int(weights[doubles == 0].sum())))

    def _made(
        self,
        cells: NDArray[np.int64],
        counts: NDArray[np.int64],
        shift: int,
        is_whole: bool,
        zeros: int,
    ) -> Distribution:
        more = smallest_shift(cells, self.capacity)
        if more:
            cells, counts = _total(cells >> more, counts)
        return Distribution(cells, counts, shift + more, self.capacity, is_whole, zeros)

    def merge(self, other: Distribution) -> Distribution:
        """Return the counts of both sides at the smallest shift that holds them."""
        if self.capacity != other.capacity:
            raise StateMismatchError(self.kind, "capacity", self.capacity, other.capacity)
        if other.cells.shape[0] == 0 and other.shift <= self.shift:
            return self
        if self.cells.shape[0] == 0 and self.shift <= other.shift:
            return other
        shift = max(self.shift, other.shift)
        cells = np.concatenate([self.cells >> (shift - self.shift), other.cells >> (shift - other.shift)])
        counts = np.concatenate([self.counts, other.counts])
        order = np.argsort(cells, kind="stable")
        return self._made(
            *_total(cells[order], counts[order]),
            shift,
            self.is_whole and other.is_whole,
            self.zeros + other.zeros,
        )

    @classmethod
    def merge_many(cls, parts: Sequence[Distribution]) -> Distribution:
        """Return the counts of all `parts` at the smallest shift that holds them."""
        same_setting(cls.kind, "capacity", parts)
        first = parts[0]
        full = [part for part in parts if part.cells.shape[0] or part.shift]
        if len(full) < 2:
            return full[0] if full else first
        shift = max(part.shift for part in full)
        cells = np.concatenate([part.cells >> (shift - part.shift) for part in full])
        counts = np.concatenate([part.counts for part in full])
        order = np.argsort(cells)
        return first._made(
            *_total(cells[order], counts[order]),
            shift,
            all(part.is_whole for part in full),
            sum(part.zeros for part in full),
        )

    def at(self, shift: int) -> Distribution:
        """Return the same counts in coarser cells; `shift` must not be below the present one."""
        if shift == self.shift:
            return self
        if shift < self.shift:
            raise ValueError(f"cells at shift {self.shift} cannot be split to shift {shift}")
        cells, counts = _total(self.cells >> (shift - self.shift), self.counts)
        return Distribution(cells, counts, shift, self.capacity, self.is_whole, self.zeros)

    def coarsened(self, most: int) -> Distribution:
        """Return the same counts in at most `most` cells."""
        return self.at(self.shift + smallest_shift(self.cells, most))

    def bounds(
        self, index: NDArray[np.intp] | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the smallest and the largest value that can stand in every cell, or in the cells at `index`."""
        cells = self.cells if index is None else self.cells[index]
        return _narrowed(cells, self.shift, self.is_whole, self._zero_only)

    @cached_property
    def _zero_only(self) -> bool:
        """Whether the cell of zero holds nothing else."""
        at = int(self.cells.searchsorted(0))
        held = int(self.counts[at]) if at < self.cells.shape[0] and self.cells[at] == 0 else 0
        return held == self.zeros

    def midpoints(self) -> NDArray[np.float64]:
        """Return one value per cell: the value itself where exact, else the middle of the cell."""
        low, high = self.bounds()
        middle = low + (high - low) / 2
        return np.floor(middle) if self.is_whole else middle

    def quantile(self, q: Any) -> NDArray[np.float64]:
        """Return quantiles, the inverse of the empirical distribution (type 1 of Hyndman and Fan 1996).

        Parameters
        ----------
        q : float or array_like of float
            Levels in [0, 1].

        Returns
        -------
        ndarray of float64
            A value of the data where the State is exact; else a point inside the cell, placed by rank. NaN for an
            empty State.

        Notes
        -----
        The rank of the answer differs from the rank asked for by at most the count of one cell.
        """
        levels = np.atleast_1d(np.asarray(q, dtype=np.float64))
        n = self.n
        if n == 0:
            return np.full(levels.shape, np.nan)
        below = self.cumulative
        rank = np.minimum(np.maximum(np.ceil(levels * n), 1), n)
        i = below.searchsorted(rank)
        low, high = self.bounds(i)
        if self.shift == 0:
            return low
        inside = (rank - (below[i] - self.counts[i]) - 0.5) / self.counts[i]
        if self.is_whole:
            return np.asarray(np.minimum(np.floor(low + (high - low + 1) * inside), high))
        return np.asarray(low + (high - low) * inside)

    def count_below(self, edges: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how many rows lie strictly below each edge, a cell that holds an edge shared out evenly."""
        k = self.cells.shape[0]
        if k == 0:
            return np.zeros(edges.shape[0])
        wanted = key_of(edges) >> self.shift
        i = self.cells.searchsorted(wanted)
        below = self.cumulative
        result = np.where(i > 0, below[i - 1], 0).astype(np.float64)
        if self.shift:
            at = np.minimum(i, k - 1)
            low, high = self.bounds(at)
            # Of whole numbers 10 to 13, two are below 12, and of those below 11.5 there are two as well.
            reached, width = (np.ceil(edges), high - low + 1) if self.is_whole else (edges, high - low)
            with np.errstate(over="ignore"):  # of edges far outside the cell, which do not count
                share = np.clip((reached - low) / np.where(width > 0, width, 1.0), 0.0, 1.0)
            part = np.where(edges > high, 1.0, np.where(edges <= low, 0.0, share)) * self.counts[at]
            result += np.where((i < k) & (self.cells[at] == wanted), part, 0.0)
        return result

    def count_outside(self, low: float, high: float) -> tuple[int, int, int]:
        """Return the rows in cells that lie wholly below `low`, wholly above `high`, and across an end."""
        if self.cells.shape[0] == 0:
            return 0, 0, 0
        first, last = self.bounds()
        below, above = first < low, last > high
        across = (below & (last >= low)) | (above & (first <= high))
        return (
            int(self.counts[below & ~across].sum()),
            int(self.counts[above & ~across].sum()),
            int(self.counts[across].sum()),
        )

    @property
    def largest_blur(self) -> float:
        """Share of the rows in the fullest cell that is wider than one value; 0 where exact."""
        if self.shift == 0 or self.cells.shape[0] == 0:
            return 0.0
        low, high = self.bounds()
        return float(self.counts[high > low].max(initial=0)) / self.n

    def finalize(self) -> Mapping[str, float | None]:
        """Return quartiles, the number of occupied cells and the largest blur."""
        if self.cells.shape[0] == 0:
            return {"q25": None, "median": None, "q75": None, "n_distinct": None}
        q25, median, q75 = self.quantile([0.25, 0.5, 0.75])
        return {
            "q25": float(q25),
            "median": float(median),
            "q75": float(q75),
            "n_distinct": float(self.cells.shape[0]) if self.is_exact else None,
        }

    def pack(self) -> Packed:
        """Return all attributes."""
        return Packed(
            {
                "shift": self.shift,
                "capacity": self.capacity,
                "whole": int(self.is_whole),
                "zeros": self.zeros,
            },
            {"cells": self.cells, "counts": self.counts},
        )

    @classmethod
    def unpack(cls, packed: Packed) -> Distribution:
        """Rebuild from :meth:`pack`."""
        cells, counts = packed.arrays["cells"], packed.arrays["counts"]
        shift, capacity = int(packed.scalars["shift"]), int(packed.scalars["capacity"])
        whole, zeros = int(packed.scalars["whole"]), int(packed.scalars["zeros"])
        if (
            cells.shape != counts.shape
            or not 0 <= shift <= 63
            or not capacity >= 2
            or cells.shape[0] > capacity
            or (cells.shape[0] and (counts.min() < 1 or (cells[1:] <= cells[:-1]).any()))
            or whole not in ((1,) if cells.shape[0] == 0 else (0, 1))
            or not 0 <= zeros <= counts[cells == 0].sum()
        ):
            raise ValueError("cells and counts of a distribution do not belong together")
        return cls(cells, counts, shift, capacity, bool(whole), zeros)


def _is_whole(values: NDArray[np.float64]) -> bool:
    return bool((np.floor(values) == values).all())


class Aligned(NamedTuple):
    """Two Distributions on common cells.

    Attributes
    ----------
    baseline, current : ndarray of int64, shape (k,)
        Counts per cell of the union of occupied cells, ascending.
    cells : ndarray of int64, shape (k,)
    shift : int
    low, high : ndarray of float64, shape (k,)
        Smallest and largest value that can stand in every cell, on either side.
    """

    baseline: NDArray[np.int64]
    current: NDArray[np.int64]
    cells: NDArray[np.int64]
    shift: int
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    @property
    def is_value(self) -> NDArray[np.bool_]:
        """Tell which cells are a single value; shape (k,)."""
        same: NDArray[np.bool_] = self.low == self.high
        return same


def align(baseline: Distribution, current: Distribution) -> Aligned:
    """Put two Distributions on the cells of the coarser one: exact counts on both sides."""
    shift = max(baseline.shift, current.shift)
    a, b = baseline.at(shift), current.at(shift)
    both = np.concatenate([a.cells, b.cells])
    both.sort(kind="stable")  # two runs, merged in one go
    cells = both[np.concatenate([[True], both[1:] != both[:-1]])] if both.shape[0] else both
    left = np.zeros(cells.shape[0], np.int64)
    right = np.zeros(cells.shape[0], np.int64)
    left[cells.searchsorted(a.cells)] = a.counts
    right[cells.searchsorted(b.cells)] = b.counts
    low, high = _narrowed(cells, shift, a.is_whole and b.is_whole, a._zero_only and b._zero_only)
    return Aligned(left, right, cells, shift, low, high)
