"""SampledRows: some of the rows of a table, chosen by what they hold, so that order and batches do not matter.

Methods that need rows beside one another, such as the flip test's neighbours, cannot work on counts. This keeps the rows
whose contents have the smallest hashes, each with how often it occurs: a uniform sample of the distinct contents with
their exact multiplicities. With few distinct contents it is the whole table.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from driftline.kernels.hashing import GOLDEN, _mix, hash_numbers
from driftline.kernels.state import Packed, State, same_setting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["SampledRows"]


def _no_hashes() -> NDArray[np.uint64]:
    return np.empty(0, np.uint64)


def _no_counts() -> NDArray[np.int64]:
    return np.empty(0, np.int64)


@dataclass(frozen=True, eq=False)
class SampledRows(State):
    """Distinct rows of numbers with their multiplicities.

    Attributes
    ----------
    width : int
        Numbers per row.
    capacity : int
        Most distinct rows kept, at least 1.
    n_rows : int
        Rows folded in.
    hashes : ndarray of uint64, shape (k,)
        Ascending.
    values : ndarray of float64, shape (k * width,)
        The rows, one after the other.
    counts : ndarray of int64, shape (k,)
        How often each of them occurred; exact, since a row that is kept at the end was never let go.

    Notes
    -----
    Keeping the smallest hashes is the bottom-k sketch of Cohen and Kaplan, "Summarizing data using bottom-k sketches"
    (2007). Contents of one hash (one pair in 2**64) are told apart, and ordered, by their numbers.
    """

    width: int = 1
    capacity: int = 1000
    n_rows: int = 0
    hashes: NDArray[np.uint64] = field(default_factory=_no_hashes)
    values: NDArray[np.float64] = field(default_factory=lambda: np.empty(0, np.float64))
    counts: NDArray[np.int64] = field(default_factory=_no_counts)

    kind: ClassVar[str] = "sampled_rows"

    @property
    def rows(self) -> NDArray[np.float64]:
        """The rows that are kept, shape (k, width)."""
        return self.values.reshape(-1, self.width)

    def empty(self) -> Self:
        """Return a sample of nothing."""
        return type(self)(self.width, self.capacity)

    def update(self, *columns: Any) -> Self:
        """Fold in rows.

        Parameters
        ----------
        rows : ndarray of float64, shape (n, width)
            Finite.

        Raises
        ------
        ValueError
            If the shape is another, or a number is not finite.
        """
        (rows,) = columns
        rows = np.asarray(rows, np.float64)
        if rows.ndim != 2 or rows.shape[1] != self.width or not np.isfinite(rows).all():
            raise ValueError(f"expected finite rows of {self.width} numbers")
        n = rows.shape[0]
        if n == 0:
            return self
        hashes = _hashes(rows)
        if self.hashes.shape[0] == self.capacity:
            near = np.flatnonzero(hashes <= self.hashes[-1])
            rows, hashes = rows[near], hashes[near]
        return self._joined([self], n, hashes, rows + 0.0, np.ones(hashes.shape[0], np.int64))

    def merge(self, other: Self) -> Self:
        """Return the sample of both sides' rows.

        Raises
        ------
        StateMismatchError
            If width or capacity differ.
        """
        return self.merge_many([self, other])

    @classmethod
    def merge_many(cls, parts: Sequence[Self]) -> Self:
        """Return the sample of the rows of all `parts`."""
        for setting in ("width", "capacity"):
            same_setting("sampled rows", setting, parts)
        first = parts[0]
        return first._joined(parts, 0, _no_hashes(), np.empty((0, first.width)), _no_counts())

    def _joined(
        self,
        parts: Sequence[Self],
        n_more: int,
        hashes: NDArray[np.uint64],
        rows: NDArray[np.float64],
        counts: NDArray[np.int64],
    ) -> Self:
        every = np.concatenate([*(part.hashes for part in parts), hashes])
        table = np.concatenate([*(part.rows for part in parts), rows])
        number = np.concatenate([*(part.counts for part in parts), counts])
        chosen, table, number = _distinct(every, table, number, self.capacity)
        n_rows = n_more + sum(part.n_rows for part in parts)
        return type(self)(self.width, self.capacity, n_rows, chosen, table.reshape(-1), number)

    def finalize(self) -> Mapping[str, float | None]:
        """Return how many rows were folded in and how many distinct ones are kept; None for an empty State."""
        if self.n_rows == 0:
            return {"n_rows": None, "n_kept": None}
        return {"n_rows": float(self.n_rows), "n_kept": float(self.hashes.shape[0])}

    def pack(self) -> Packed:
        """Return settings, rows and counts."""
        scalars = {"width": self.width, "capacity": self.capacity, "n_rows": self.n_rows}
        return Packed(scalars, {"hashes": self.hashes, "values": self.values, "counts": self.counts})

    @classmethod
    def unpack(cls, packed: Packed) -> Self:
        """Rebuild from :meth:`pack`."""
        width, capacity, n_rows = (int(packed.scalars[name]) for name in ("width", "capacity", "n_rows"))
        hashes, values, counts = (packed.arrays[name] for name in ("hashes", "values", "counts"))
        k = hashes.shape[0]
        if width < 1 or not 0 <= k <= capacity or values.shape != (k * width,) or counts.shape != (k,):
            raise ValueError("sampled rows of a shape that does not fit")
        state = cls(width, capacity, n_rows, hashes, values, counts)
        is_whole = (
            bool(np.isfinite(values).all())
            and bool((counts > 0).all())
            and int(counts.sum()) <= n_rows
            and bool((hashes[1:] >= hashes[:-1]).all())
            and np.array_equal(_hashes(state.rows), hashes)
        )
        if not is_whole:
            raise ValueError("sampled rows that no rows can have given")
        return state


def _hashes(rows: NDArray[np.float64]) -> NDArray[np.uint64]:
    total = np.full(rows.shape[0], GOLDEN, np.uint64)
    for column in rows.T:
        total = _mix(total * np.uint64(3) + hash_numbers(np.ascontiguousarray(column)))
    return total


def _distinct(
    hashes: NDArray[np.uint64], rows: NDArray[np.float64], counts: NDArray[np.int64], capacity: int
) -> tuple[NDArray[np.uint64], NDArray[np.float64], NDArray[np.int64]]:
    """Add up equal rows, and keep the `capacity` first by hash and content."""
    if hashes.shape[0] > 4 * capacity:
        # Most of a large batch is far beyond what can stay; the limit is a hash that at least `capacity` are not above.
        some = np.unique(np.partition(hashes, 2 * capacity)[: 2 * capacity])
        if some.shape[0] >= capacity:
            near = np.flatnonzero(hashes <= some[capacity - 1])
            hashes, rows, counts = hashes[near], rows[near], counts[near]
    order = np.argsort(hashes, kind="stable")
    hashes, rows, counts = hashes[order], rows[order], counts[order]
    starts = _starts(hashes, rows)
    same_hash = np.concatenate([[False], hashes[1:] == hashes[:-1]]) if hashes.shape[0] else starts
    if bool((starts & same_hash).any()):  # two contents of one hash: put them in the order of their numbers
        order = np.lexsort((*rows.T[::-1], hashes))
        hashes, rows, counts = hashes[order], rows[order], counts[order]
        starts = _starts(hashes, rows)
    first = np.flatnonzero(starts)
    if first.shape[0] == 0:
        return hashes, rows, counts
    total = np.add.reduceat(counts, first)
    return hashes[first][:capacity], rows[first][:capacity], total[:capacity]


def _starts(hashes: NDArray[np.uint64], rows: NDArray[np.float64]) -> NDArray[np.bool_]:
    if hashes.shape[0] == 0:
        return np.zeros(0, bool)
    changed = (hashes[1:] != hashes[:-1]) | (rows[1:] != rows[:-1]).any(axis=1)
    return np.concatenate([[True], changed])
