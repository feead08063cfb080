"""Distinct: how many different values there are, and how many occur only once.

Adaptive sampling (Wegman; Flajolet, "On adaptive sampling", Computing 43, 1990): of the 64-bit hashes of all values,
keep those that start with ``level`` zero bits, with exact counts, where ``level`` is the smallest at which at most
``capacity`` are kept. Like the shift of a Distribution, the level depends on the set of values alone, so the State
is the same whatever the order. At level 0 everything is exact; beyond, the kept values are a uniform sample of the
distinct values, the same sample in every State, with their true counts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from driftline.kernels.state import Packed, State, StateMismatchError, same_setting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["CAPACITY", "Distinct", "common_level", "kept_runs", "level_of"]

CAPACITY = 16384
"""Most hashes kept unless told otherwise: a standard error of about 0.9 %."""


def level_of(hashes: NDArray[np.uint64], capacity: int, least: int = 0) -> int:
    """Return the smallest level, not below `least`, at which at most `capacity` of the distinct `hashes` stay."""
    if hashes.shape[0] <= capacity:
        return least
    # Hash number `capacity`, counted from 0 in ascending order, is the first that must go.
    return max(least, 65 - int(np.partition(hashes, capacity)[capacity]).bit_length())


def _n_kept(run: NDArray[np.uint64], level: int) -> int:
    """Return how many of ascending hashes start with `level` zero bits: so many of the first."""
    return run.shape[0] if level == 0 else int(run.searchsorted(np.uint64(1 << (64 - level))))


def kept_runs(runs: Sequence[NDArray[np.uint64]], level: int) -> list[int]:
    """Return how many hashes of every ascending run stay at `level`; they are the first of it."""
    return [_n_kept(run, level) for run in runs]


def common_level(runs: Sequence[NDArray[np.uint64]], capacity: int, least: int = 0) -> int:
    """Return :func:`level_of` the hashes of several ascending runs together.

    Parameters
    ----------
    runs : sequence of ndarray of uint64
        Each ascending and without repeats; one hash may stand in several.

    Notes
    -----
    Most of the hashes of many samples go. What stays at a level is the beginning of every run, so that only about twice
    of what stays in the end is ever sorted.
    """
    level = least
    # Only 0 begins with 64 zero bits.
    while level < 64 and sum(kept_runs(runs, level)) > capacity:
        level += 1
    # Repeats were counted as often as they occur: a lower level may do.
    while level > least:
        lower = np.concatenate([run[:k] for run, k in zip(runs, kept_runs(runs, level - 1), strict=True)])
        lower.sort()
        if 1 + np.count_nonzero(lower[1:] != lower[:-1]) > capacity:
            break
        level -= 1
    return level


def _kept(hashes: NDArray[np.uint64], level: int) -> NDArray[np.bool_]:
    if level == 0:
        return np.ones(hashes.shape[0], np.bool_)
    return np.asarray((hashes >> np.uint64(64 - level)) == 0)


@dataclass(frozen=True, eq=False, slots=True)
class Distinct(State):
    """A sample of the distinct values by hash, with counts.

    Attributes
    ----------
    hashes : ndarray of uint64, shape (k,)
        Kept hashes, ascending; ``k <= capacity``.
    counts : ndarray of int64, shape (k,)
        How often each of those values occurs.
    level : int
        Leading zero bits asked of a hash.
    n : int
        Rows folded in.
    capacity : int
    """

    hashes: NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, np.uint64))
    counts: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    level: int = 0
    n: int = 0
    capacity: int = CAPACITY

    kind: ClassVar[str] = "distinct"

    def empty(self) -> Distinct:
        """Return a Distinct of nothing with the same capacity."""
        return Distinct(capacity=self.capacity)

    def update(self, *columns: NDArray[np.uint64]) -> Distinct:
        """Fold in hashes (:mod:`driftline.kernels.hashing`), one per row."""
        result = self
        for hashes in columns:
            result = result.weighted(hashes, np.ones(hashes.shape[0], np.int64))
        return result

    def weighted(self, hashes: NDArray[np.uint64], weights: NDArray[np.int64]) -> Distinct:
        """Fold in hashes that stand for ``weights`` rows each."""
        n = int(weights.sum())
        keep = _kept(hashes, self.level)
        hashes, weights = hashes[keep], weights[keep]
        order = np.argsort(hashes, kind="stable")
        return self.merge(self._made(hashes[order], weights[order], self.level, n))

    def _made(self, hashes: NDArray[np.uint64], counts: NDArray[np.int64], level: int, n: int) -> Distinct:
        if hashes.shape[0]:
            first = np.flatnonzero(np.concatenate([[True], hashes[1:] != hashes[:-1]]))
            hashes, counts = hashes[first], np.add.reduceat(counts, first)
        level = level_of(hashes, self.capacity, level)
        keep = _kept(hashes, level)
        return Distinct(hashes[keep], counts[keep].astype(np.int64), level, n, self.capacity)

    def merge(self, other: Distinct) -> Distinct:
        """Return the sample of both sides' values."""
        if self.capacity != other.capacity:
            raise StateMismatchError(self.kind, "capacity", self.capacity, other.capacity)
        if other.n == 0:
            return self
        if self.n == 0:
            return other
        level = max(self.level, other.level)
        hashes = np.concatenate([self.hashes, other.hashes])
        counts = np.concatenate([self.counts, other.counts])
        keep = _kept(hashes, level)
        hashes, counts = hashes[keep], counts[keep]
        order = np.argsort(hashes, kind="stable")
        return self._made(hashes[order], counts[order], level, self.n + other.n)

    @classmethod
    def merge_many(cls, parts: Sequence[Distinct]) -> Distinct:
        """Return the sample of the values of all `parts`."""
        same_setting(cls.kind, "capacity", parts)
        full = [part for part in parts if part.n]
        if len(full) < 2:
            return full[0] if full else parts[0]
        runs = [part.hashes for part in full]
        level = common_level(runs, parts[0].capacity, max(part.level for part in full))
        ends = kept_runs(runs, level)
        hashes = np.concatenate([run[:k] for run, k in zip(runs, ends, strict=True)])
        counts = np.concatenate([part.counts[:k] for part, k in zip(full, ends, strict=True)])
        order = np.argsort(hashes)
        return parts[0]._made(hashes[order], counts[order], level, sum(part.n for part in full))

    @property
    def is_exact(self) -> bool:
        """Tell whether every distinct value is held."""
        return self.level == 0

    @property
    def n_distinct(self) -> float:
        """Number of different values: exact at level 0, else estimated."""
        return float(self.hashes.shape[0]) * 2.0**self.level

    @property
    def n_once(self) -> float:
        """Number of values that occur exactly once."""
        return float(np.count_nonzero(self.counts == 1)) * 2.0**self.level

    @property
    def relative_error(self) -> float:
        """Standard error of `n_distinct`, as a share of it; 0 where exact."""
        if self.level == 0:
            return 0.0
        return 1.0 / math.sqrt(max(self.hashes.shape[0], 1))

    def finalize(self) -> Mapping[str, float | None]:
        """Return the number of distinct values and of those that occur once."""
        if self.n == 0:
            return {"n_distinct": None, "n_once": None}
        return {"n_distinct": self.n_distinct, "n_once": self.n_once}

    def pack(self) -> Packed:
        """Return hashes, counts, level, rows and capacity."""
        return Packed(
            {"level": self.level, "n": self.n, "capacity": self.capacity},
            {"hashes": self.hashes, "counts": self.counts},
        )

    @classmethod
    def unpack(cls, packed: Packed) -> Distinct:
        """Rebuild from :meth:`pack`."""
        hashes, counts = packed.arrays["hashes"], packed.arrays["counts"]
        s = packed.scalars
        level, n, capacity = int(s["level"]), int(s["n"]), int(s["capacity"])
        if (
            hashes.shape != counts.shape
            or not 0 <= level <= 64
            or hashes.shape[0] > capacity
            or (hashes.shape[0] and (counts.min() < 1 or (hashes[1:] <= hashes[:-1]).any()))
            or counts.sum() > n
            or not _kept(hashes, min(level, 63)).all()
        ):
            raise ValueError("hashes and counts of a distinct sample do not belong together")
        return cls(hashes, counts, level, n, capacity)
