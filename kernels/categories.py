"""Categories: which texts occur and how often, exactly while they are few, by a fair sample beyond.

The same adaptive sampling as :class:`~driftline.kernels.distinct.Distinct`, with the texts kept beside their hashes.
Up to ``capacity`` different texts the counts are complete. Beyond, the kept texts are a uniform sample of the
different texts with their true counts, and the 1,024 ``buckets`` (counts of all rows by hash) still see every row:
two columns too wide to list can be compared bucket by bucket, which never overstates how far apart they are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from driftline.kernels.distinct import common_level, kept_runs, level_of
from driftline.kernels.hashing import hash_texts
from driftline.kernels.state import Packed, State, StateMismatchError, same_setting
from driftline.kernels.texts import Texts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["CAPACITY", "N_BUCKETS", "AlignedCategories", "Categories", "align_categories"]

CAPACITY = 16384
"""Most texts kept unless told otherwise."""

N_BUCKETS = 1024
LONGEST = 256
"""Bytes of a text that are kept for people; the hash sees all of it."""


def _no_texts() -> Texts:
    return Texts(np.zeros(1, np.int64), np.empty(0, np.uint8))


@dataclass(frozen=True, eq=False, slots=True)
class Categories(State):
    """Counts of texts.

    Attributes
    ----------
    hashes : ndarray of uint64, shape (k,)
        Kept hashes, ascending.
    counts, first : ndarray of int64, shape (k,)
        Rows per text, and the smallest row number at which it stands.
    texts : Texts
        The texts themselves, cut to 256 bytes.
    buckets : ndarray of int64, shape (1024,)
        Rows by ``hash % 1024``; all rows, whatever the level.
    level : int
        Leading zero bits asked of a kept hash; 0 means that every text is kept.
    capacity : int
    """

    hashes: NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, np.uint64))
    counts: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    first: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    texts: Texts = field(default_factory=_no_texts)
    buckets: NDArray[np.int64] = field(default_factory=lambda: np.zeros(N_BUCKETS, np.int64))
    level: int = 0
    capacity: int = CAPACITY

    kind: ClassVar[str] = "categories"

    @property
    def n(self) -> int:
        """Rows counted."""
        return int(self.buckets.sum())

    def empty(self) -> Categories:
        """Return Categories of nothing with the same capacity."""
        return Categories(capacity=self.capacity)

    def update(self, *columns: Any) -> Categories:
        """Fold in :class:`Texts`, one per row, that stand in rows (int64, shape (n,))."""
        texts, rows = columns
        return self.weighted(texts, np.ones(texts.n, np.int64), rows)

    def weighted(
        self,
        texts: Texts,
        weights: NDArray[np.int64],
        first: NDArray[np.int64],
        hashes: NDArray[np.uint64] | None = None,
    ) -> Categories:
        """Fold in texts that stand for ``weights`` rows each and first stand in row ``first``.

        Entries of weight 0 (dictionary entries that no row uses) leave no trace.
        """
        if hashes is None:
            hashes = hash_texts(texts.offsets, texts.data)
        used = weights > 0
        if not used.all():
            hashes, weights, first = hashes[used], weights[used], first[used]
            texts = texts.take(np.flatnonzero(used))
        buckets = np.bincount(
            (hashes & np.uint64(N_BUCKETS - 1)).astype(np.int64), weights=weights, minlength=N_BUCKETS
        ).astype(np.int64)
        index = np.arange(texts.n)
        if self.level:
            index = np.flatnonzero((hashes >> np.uint64(64 - self.level)) == 0)
        known = self._known(hashes, weights, first, buckets, index)
        if known is not None:
            return known
        part = self._made(
            hashes[index],
            weights[index],
            first[index],
            texts.take(index, LONGEST),
            buckets,
            self.level,
        )
        return self.merge(part)

    def _known(
        self,
        hashes: NDArray[np.uint64],
        weights: NDArray[np.int64],
        first: NDArray[np.int64],
        buckets: NDArray[np.int64],
        index: NDArray[np.int64],
    ) -> Categories | None:
        """Return the State with newcomers added that hold no new text (the common case of a stream), else None."""
        if self.hashes.shape[0] == 0:
            return None
        wanted = hashes[index]
        place = np.minimum(np.searchsorted(self.hashes, wanted), self.hashes.shape[0] - 1)
        if not np.array_equal(self.hashes[place], wanted):
            return None
        counts, earliest = self.counts.copy(), self.first.copy()
        np.add.at(counts, place, weights[index])
        np.minimum.at(earliest, place, first[index])
        return Categories(
            self.hashes, counts, earliest, self.texts, self.buckets + buckets, self.level, self.capacity
        )

    def _made(
        self,
        hashes: NDArray[np.uint64],
        counts: NDArray[np.int64],
        first: NDArray[np.int64],
        texts: Texts,
        buckets: NDArray[np.int64],
        level: int,
    ) -> Categories:
        # Among equal hashes the earliest row comes first, so its text and row number are the ones kept.
        order = np.lexsort((first, hashes))
        hashes = hashes[order]
        if hashes.shape[0]:
            start = np.flatnonzero(np.concatenate([[True], hashes[1:] != hashes[:-1]]))
            totals = np.add.reduceat(counts[order], start)
            index = order[start]
            hashes = hashes[start]
        else:
            totals, index = counts, order
        level = level_of(hashes, self.capacity, level)
        if level:
            keep = (hashes >> np.uint64(64 - level)) == 0
            hashes, totals, index = hashes[keep], totals[keep], index[keep]
        return Categories(
            hashes, totals.astype(np.int64), first[index], texts.take(index), buckets, level, self.capacity
        )

    def merge(self, other: Categories) -> Categories:
        """Return the counts of both sides' texts."""
        if self.capacity != other.capacity:
            raise StateMismatchError(self.kind, "capacity", self.capacity, other.capacity)
        if other.n == 0:
            return self
        if self.n == 0:
            return other
        buckets = self.buckets + other.buckets
        level = max(self.level, other.level)
        if level == self.level:
            known = self._known(
                other.hashes, other.counts, other.first, other.buckets, np.arange(other.hashes.shape[0])
            )
            if known is not None:
                return known
        return self._made(
            np.concatenate([self.hashes, other.hashes]),
            np.concatenate([self.counts, other.counts]),
            np.concatenate([self.first, other.first]),
            self.texts + other.texts,
            buckets,
            level,
        )

    @classmethod
    def merge_many(cls, parts: Sequence[Categories]) -> Categories:
        """Return the counts of the texts of all `parts`."""
        same_setting(cls.kind, "capacity", parts)
        full = [part for part in parts if part.hashes.shape[0] or part.level]
        if len(full) < 2:
            return full[0] if full else parts[0]
        runs = [part.hashes for part in full]
        level = common_level(runs, parts[0].capacity, max(part.level for part in full))
        kept = list(zip(full, kept_runs(runs, level), strict=True))
        return parts[0]._made(
            np.concatenate([part.hashes[:k] for part, k in kept]),
            np.concatenate([part.counts[:k] for part, k in kept]),
            np.concatenate([part.first[:k] for part, k in kept]),
            Texts.join([Texts(part.texts.offsets[: k + 1], part.texts.data) for part, k in kept]),
            np.stack([part.buckets for part in full]).sum(axis=0),
            level,
        )

    @property
    def is_complete(self) -> bool:
        """Tell whether every text that occurs is kept."""
        return self.level == 0

    @property
    def n_distinct(self) -> float:
        """Number of different texts: exact at level 0, else estimated (standard error about 1 %)."""
        return float(self.hashes.shape[0]) * 2.0**self.level

    @property
    def n_once(self) -> float:
        """Number of texts that occur exactly once."""
        return float(np.count_nonzero(self.counts == 1)) * 2.0**self.level

    def top(self, k: int) -> list[tuple[bytes, int]]:
        """Return the `k` most frequent kept texts, ties in byte order."""
        if self.counts.shape[0] > 4 * k:
            # Everything at or above the k-th largest count, so that ties are settled by text, not by position.
            threshold = np.partition(self.counts, self.counts.shape[0] - k)[self.counts.shape[0] - k]
            index = np.flatnonzero(self.counts >= threshold)
        else:
            index = np.arange(self.counts.shape[0])
        pairs = [(self.texts.at(int(i)), int(self.counts[i])) for i in index]
        return sorted(pairs, key=lambda p: (-p[1], p[0]))[:k]

    def counts_of(self, texts: Sequence[bytes]) -> NDArray[np.int64]:
        """Return how often each of `texts` occurs, as far as it is kept."""
        wanted = hash_texts(*Texts.of(texts))
        place = np.searchsorted(self.hashes, wanted)
        result = np.zeros(wanted.shape[0], np.int64)
        found = place < self.hashes.shape[0]
        found[found] = self.hashes[place[found]] == wanted[found]
        result[found] = self.counts[place[found]]
        return result

    def most_in(self, texts: Sequence[bytes]) -> int:
        """Return an upper bound on the rows whose text is one of `texts`; exact where complete."""
        if self.is_complete:
            return int(self.counts_of(texts).sum())
        buckets = set((hash_texts(*Texts.of(texts)) & np.uint64(N_BUCKETS - 1)).tolist())
        return sum(int(self.buckets[b]) for b in buckets)

    def finalize(self) -> Mapping[str, float | None]:
        """Return the number of distinct texts and of those that occur once."""
        if self.n == 0:
            return {"n_distinct": None, "n_once": None}
        return {"n_distinct": self.n_distinct, "n_once": self.n_once}

    def pack(self) -> Packed:
        """Return hashes, counts, first rows, texts, buckets, level and capacity."""
        return Packed(
            {"level": self.level, "capacity": self.capacity},
            {
                "hashes": self.hashes,
                "counts": self.counts,
                "first": self.first,
                "offsets": self.texts.offsets.astype(np.int64),
                "data": self.texts.data,
                "buckets": self.buckets,
            },
        )

    @classmethod
    def unpack(cls, packed: Packed) -> Categories:
        """Rebuild from :meth:`pack`."""
        a = packed.arrays
        level, capacity = int(packed.scalars["level"]), int(packed.scalars["capacity"])
        k = a["hashes"].shape[0]
        offsets = a["offsets"]
        if (
            a["counts"].shape[0] != k
            or a["first"].shape[0] != k
            or offsets.shape[0] != k + 1
            or offsets[0] != 0
            or offsets[-1] != a["data"].shape[0]
            or (np.diff(offsets) < 0).any()
            or a["buckets"].shape[0] != N_BUCKETS
            or a["buckets"].min() < 0
            or not 0 <= level <= 63
            or k > capacity
            or (k and ((a["hashes"][1:] <= a["hashes"][:-1]).any() or a["counts"].min() < 1))
            or (level == 0 and a["counts"].sum() != a["buckets"].sum())
        ):
            raise ValueError("hashes, counts and texts of categories do not belong together")
        return cls(
            a["hashes"], a["counts"], a["first"], Texts(offsets, a["data"]), a["buckets"], level, capacity
        )


class AlignedCategories(NamedTuple):
    """Two Categories on common classes.

    Attributes
    ----------
    baseline, current : ndarray of int64, shape (k,)
        Rows per class on either side.
    hashes : ndarray of uint64, shape (k,)
        The texts' hashes; empty where the classes are buckets.
    """

    baseline: NDArray[np.int64]
    current: NDArray[np.int64]
    hashes: NDArray[np.uint64]

    @property
    def is_exact(self) -> bool:
        """Tell whether every class is one text; else a class is a bucket of texts."""
        return bool(self.hashes.shape[0])


def align_categories(baseline: Categories, current: Categories) -> AlignedCategories:
    """Put two Categories on common classes: texts where both are complete, else the 1,024 buckets."""
    if not (baseline.is_complete and current.is_complete):
        used = (baseline.buckets + current.buckets) > 0
        return AlignedCategories(baseline.buckets[used], current.buckets[used], np.empty(0, np.uint64))
    hashes = np.concatenate([baseline.hashes, current.hashes])
    hashes.sort(kind="stable")  # two runs, merged in one go
    hashes = hashes[np.concatenate([[True], hashes[1:] != hashes[:-1]])] if hashes.shape[0] else hashes
    left = np.zeros(hashes.shape[0], np.int64)
    right = np.zeros(hashes.shape[0], np.int64)
    left[np.searchsorted(hashes, baseline.hashes)] = baseline.counts
    right[np.searchsorted(hashes, current.hashes)] = current.counts
    return AlignedCategories(left, right, hashes)
