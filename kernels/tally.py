"""Tally: how many values of each sort a column has, and the first rows where the odd ones stand."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from driftline.kernels.state import Packed, State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["NOWHERE", "N_PLACES", "Sort", "Tally"]

N_PLACES = 8
"""Rows remembered per sort of value."""

NOWHERE = np.int64(0x7FFFFFFFFFFFFFFF)
"""Fills unused room in the list of places; sorts behind every row."""


class Sort(IntEnum):
    """What is counted. A value belongs to exactly one of NULL…OTHER; the others are remarks on it."""

    NULL = 0
    NAN = 1
    POSITIVE_INFINITY = 2
    NEGATIVE_INFINITY = 3
    INTEGRAL = 4
    """A finite number without a fraction, ``3.0`` included."""
    FRACTIONAL = 5
    BOOLEAN = 6
    STRING = 7
    TIME = 8
    OTHER = 9
    """Nested and other values that are only counted."""
    ZERO = 10
    NEGATIVE = 11
    """A finite number below zero."""
    EMPTY = 12
    """A text without characters."""
    POINTED = 13
    """A number that was written with a point or an exponent, in sources that are text."""


_N = len(Sort)
_EXCLUSIVE = slice(Sort.NULL, Sort.OTHER + 1)


def _no_counts() -> NDArray[np.int64]:
    return np.zeros(_N, np.int64)


def _no_places() -> NDArray[np.int64]:
    return np.full((_N, N_PLACES), NOWHERE, np.int64)


@dataclass(frozen=True, eq=False)
class Tally(State):
    """Counts by :class:`Sort`, with the first rows of each.

    Attributes
    ----------
    counts : ndarray of int64, shape (14,)
    places : ndarray of int64, shape (14, 8)
        The smallest row numbers at which each sort stands, ascending. Kept for the sorts that can break a
        rule; ZERO, POINTED and, in numeric columns, INTEGRAL have none.
    """

    counts: NDArray[np.int64] = field(default_factory=_no_counts)
    places: NDArray[np.int64] = field(default_factory=_no_places)

    kind: ClassVar[str] = "tally"

    def empty(self) -> Tally:
        """Return a Tally of nothing."""
        return Tally()

    def update(self, *columns: NDArray[Any]) -> Tally:
        """Fold in sorts (int8, shape (n,)) that stand in rows (int64, shape (n,), ascending)."""
        sorts, rows = columns
        counts = np.bincount(sorts, minlength=_N).astype(np.int64)
        places = _no_places()
        for sort in np.flatnonzero(counts):
            where = rows[np.flatnonzero(sorts == sort)[:N_PLACES]]
            places[sort, : where.shape[0]] = where
        return self.merge(Tally(counts, places))

    def with_counts(self, sort: Sort, count: int, rows: NDArray[np.int64] | None = None) -> Tally:
        """Add `count` values of one sort, of which the first stand in `rows` (ascending)."""
        counts, places = _no_counts(), _no_places()
        counts[sort] = count
        if rows is not None and count:
            first = rows[:N_PLACES]
            places[sort, : first.shape[0]] = first
        return self.merge(Tally(counts, places))

    def merge(self, other: Tally) -> Tally:
        """Return the counts of both sides."""
        both = np.concatenate([self.places, other.places], axis=1)
        both.sort(axis=1)
        return Tally(self.counts + other.counts, np.ascontiguousarray(both[:, :N_PLACES]))

    @classmethod
    def merge_many(cls, parts: Sequence[Tally]) -> Tally:
        """Return the counts of all `parts`."""
        if len(parts) == 1:
            return parts[0]
        places = np.concatenate([part.places for part in parts], axis=1)
        places.sort(axis=1)
        counts = np.stack([part.counts for part in parts]).sum(axis=0)
        return Tally(counts, np.ascontiguousarray(places[:, :N_PLACES]))

    def __getitem__(self, sort: Sort) -> int:
        return int(self.counts[sort])

    @cached_property
    def n_rows(self) -> int:
        """Rows seen, with or without a value."""
        return int(self.counts[_EXCLUSIVE].sum())

    @property
    def n_finite(self) -> int:
        """Finite numbers."""
        return self[Sort.INTEGRAL] + self[Sort.FRACTIONAL]

    def rows_of(self, *sorts: Sort) -> list[int]:
        """Return the first rows (at most eight) at which any of `sorts` stands."""
        # Not numpy.unique, which imports numpy.ma: more than the rest of a small run takes for this.
        rows = sorted({row for sort in sorts for row in self.places[sort].tolist()})
        return [row for row in rows if row != NOWHERE][:N_PLACES]

    def finalize(self) -> Mapping[str, float | None]:
        """Return every count by name; None for an empty Tally."""
        if self.n_rows == 0:
            return dict.fromkeys((s.name.lower() for s in Sort), None)
        return {s.name.lower(): float(self.counts[s]) for s in Sort}

    def pack(self) -> Packed:
        """Return counts and places."""
        return Packed({}, {"counts": self.counts, "places": self.places.reshape(-1)})

    @classmethod
    def unpack(cls, packed: Packed) -> Tally:
        """Rebuild from :meth:`pack`."""
        counts, places = packed.arrays["counts"], packed.arrays["places"]
        if counts.shape != (_N,) or places.shape != (_N * N_PLACES,) or counts.min() < 0:
            raise ValueError("counts and places of a tally have the wrong shape")
        return cls(counts, places.reshape(_N, N_PLACES))
