"""Folding: one column's rows into its States, by the compiled loops or by their NumPy twins.

A fold takes chunks in any order and gives, at the end, States that do not depend on how the rows were cut up nor
on which engine did the work. A fold belongs to one thread; States of several folds merge.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from driftline.kernels import exact
from driftline.kernels.categories import LONGEST, N_BUCKETS, Categories
from driftline.kernels.compiled import kernel
from driftline.kernels.distinct import Distinct, level_of
from driftline.kernels.distribution import Distribution, from_key, key_of, smallest_shift
from driftline.kernels.hashing import hash_integers, hash_numbers
from driftline.kernels.moments import Moments
from driftline.kernels.numbers import Numbers
from driftline.kernels.tally import N_PLACES, NOWHERE, Sort, Tally
from driftline.kernels.texts import Texts, character_counts

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LENGTHS_CAPACITY", "NumberFold", "TextFold", "Validity", "valid_rows"]

LENGTHS_CAPACITY = 1024

_EMPTY = np.int64(-0x8000000000000000)
_NO_BYTES = np.zeros(1, np.uint8)


class Validity:
    """Which rows of a chunk have a value: an Arrow bitmap, or all.

    Parameters
    ----------
    bitmap : ndarray of uint8, or None
        None means that every row is valid.
    offset : int
        Bit of the first row.
    """

    __slots__ = ("bitmap", "offset")

    def __init__(self, bitmap: NDArray[np.uint8] | None = None, offset: int = 0) -> None:
        self.bitmap = bitmap
        self.offset = offset

    @property
    def native(self) -> tuple[NDArray[np.uint8], int]:
        """The bitmap and its offset as the compiled loops take them."""
        return (_NO_BYTES, -1) if self.bitmap is None else (self.bitmap, self.offset)

    def mask(self, n: int) -> NDArray[np.bool_] | None:
        """Return one bool per row, or None where every row is valid."""
        if self.bitmap is None:
            return None
        first = self.offset >> 3
        last = (self.offset + n + 7) >> 3
        bits = np.unpackbits(self.bitmap[first:last], bitorder="little")
        skip = self.offset & 7
        return bits[skip : skip + n].astype(np.bool_)


ALL_VALID = Validity()


def valid_rows(
    validity: Validity, n: int, first_row: int, tally: Tally
) -> tuple[NDArray[np.int64] | None, Tally]:
    """Count the nulls of a chunk; return the positions of its valid rows (None for all) and the new tally."""
    mask = validity.mask(n)
    if mask is None or mask.all():
        return None, tally
    gaps = np.flatnonzero(~mask)
    tally = tally.with_counts(Sort.NULL, gaps.shape[0], gaps[:N_PLACES] + first_row)
    return np.flatnonzero(mask), tally


class NumberFold:
    """Folds chunks of float64 or int64.

    Parameters
    ----------
    capacity : int
        Of the distribution.
    sample_capacity : int
        Of the sample of distinct values.
    compiled : bool
        Use the compiled loops.
    like : Numbers, optional
        A column expected to look alike, such as the baseline's. It changes nothing but the time to find the shift.
    """

    def __init__(
        self, capacity: int, sample_capacity: int, *, compiled: bool, like: Numbers | None = None
    ) -> None:
        self._compiled = compiled
        self._like = like
        self._tally = Tally()
        self._numbers = Numbers(distribution=Distribution(capacity=capacity), sample_capacity=sample_capacity)
        self._capacities = (capacity, sample_capacity)
        self._room: _Room | None = None

    def add(self, x: NDArray[Any], validity: Validity = ALL_VALID, first_row: int = 0) -> None:
        """Fold in a chunk; NaN and infinities are tallied, not summed.

        Parameters
        ----------
        x : ndarray of float64 or int64, shape (n,)
            C-contiguous; the values in null slots do not matter.
        validity : Validity
        first_row : int
            Number of the first row.
        """
        if x.shape[0] == 0:
            return
        if self._compiled:
            if self._room is None or self._room.dtype != x.dtype:
                self._close_room()
                self._room = _Room(*self._capacities, x.dtype, self._like)
            self._room.add(x, validity, first_row)
            return
        index, tally = valid_rows(validity, x.shape[0], first_row, self._tally)
        values = x if index is None else x[index]
        if x.dtype == np.int64:
            sorts = None
        else:
            finite = np.isfinite(values)
            if not finite.all():
                for sort, odd in (
                    (Sort.NAN, np.isnan(values)),
                    (Sort.POSITIVE_INFINITY, np.isposinf(values)),
                    (Sort.NEGATIVE_INFINITY, np.isneginf(values)),
                ):
                    where = np.flatnonzero(odd)
                    tally = _tallied(tally, sort, where, index, first_row)
                at = np.flatnonzero(finite)
                index = at if index is None else index[at]
                values = values[at]
            sorts = np.floor(values) != values
        n_fractional = 0
        if sorts is not None:
            where = np.flatnonzero(sorts)
            n_fractional = where.shape[0]
            tally = _tallied(tally, Sort.FRACTIONAL, where, index, first_row)
        tally = tally.with_counts(Sort.INTEGRAL, values.shape[0] - n_fractional)
        tally = _tallied(tally, Sort.NEGATIVE, np.flatnonzero(values < 0), index, first_row)
        tally = tally.with_counts(Sort.ZERO, int(np.count_nonzero(values == 0)))
        self._tally = tally
        self._numbers = self._numbers.update(values)

    def close(self) -> tuple[Tally, Numbers]:
        """Return the States of all chunks so far."""
        self._close_room()
        return self._tally, self._numbers

    def _close_room(self) -> None:
        if self._room is not None:
            tally, numbers = self._room.close()
            self._tally = self._tally.merge(tally)
            self._numbers = self._numbers.merge(numbers)
            self._room = None


def _tallied(
    tally: Tally, sort: Sort, where: NDArray[np.int64], index: NDArray[np.int64] | None, first_row: int
) -> Tally:
    rows = where[:N_PLACES] if index is None else index[where[:N_PLACES]]
    return tally.with_counts(sort, where.shape[0], rows + first_row)


def _slots(capacity: int) -> int:
    """Return the power of two that gives every entry at least two slots."""
    return 1 << max(4, int(2 * capacity - 1).bit_length())


class _Room:
    """What the compiled loop for numbers works in."""

    def __init__(self, capacity: int, sampled: int, dtype: Any, like: Numbers | None = None) -> None:
        self.dtype = dtype
        self._like = like
        self._configuration = (capacity, sampled, dtype)
        self._counts = np.zeros(len(Sort), np.int64)
        self._places = np.full((len(Sort), N_PLACES), NOWHERE, np.int64)
        self._extremes = np.array([NOWHERE, _EMPTY], np.int64)
        self._values = np.zeros(exact.N_LIMBS_VALUES, np.int64)
        self._squares = np.zeros(exact.N_LIMBS_SQUARES, np.int64)
        self._meta = np.array([0, 0, capacity, 0, 0, 0, sampled], np.int64)
        slots = _slots(capacity)
        self._keys = np.full(slots, _EMPTY, np.int64)
        self._cell_counts = np.zeros(slots, np.int64)
        self._spare_keys = np.empty(slots, np.int64)
        self._spare_counts = np.empty(slots, np.int64)
        self._hashes = np.zeros(_slots(sampled), np.uint64)
        self._hash_counts = np.zeros(_slots(sampled), np.int64)
        self._buffer = np.empty(1024, dtype)
        self._started = False
        self._loop = kernel("fold_integers" if dtype == np.int64 else "fold_doubles")

    def add(self, x: NDArray[Any], validity: Validity, first_row: int) -> None:
        if not self._started:
            self._started = True
            if self._like is not None and self._guess(x, validity, first_row):
                return
            self._look_ahead(x, validity)
        self._run(x, validity, first_row)

    def _guess(self, x: NDArray[Any], validity: Validity, first_row: int) -> bool:
        """Fold the first chunk from a shift and level that a column like this one suggests; tell if that held.

        The start must lie below what the chunk needs: only a start that was found too fine, and left, proves that the
        shift and level reached are the smallest that do.
        """
        like = self._like
        assert like is not None
        n = x.shape[0]
        if like.sample is None or like.n == 0 or like.distribution.shift == 0 or n <= int(self._meta[2]):
            return False
        smaller = max(0, (like.n // n).bit_length())
        shift = like.distribution.shift - 2 - (smaller > 2)
        level = max(0, like.sample.level - 1 - smaller)
        if shift <= 0:
            return False
        self._meta[0], self._meta[3], self._meta[4] = shift, 1, level
        self._run(x, validity, first_row)
        if self._meta[0] > shift and (level == 0 or self._meta[4] > level):
            return True
        self.__init__(*self._configuration)  # type: ignore[misc]
        self._started = True
        return False

    def _run(self, x: NDArray[Any], validity: Validity, first_row: int) -> None:
        bitmap, offset = validity.native
        self._loop(
            x, bitmap, offset, first_row, self._counts, self._places, self._extremes, self._values,
            self._squares, self._meta, self._keys, self._cell_counts, self._spare_keys, self._spare_counts,
            self._hashes, self._hash_counts, self._buffer,
        )  # fmt: skip

    def _look_ahead(self, x: NDArray[Any], validity: Validity) -> None:
        """Start at the shift and level that the first chunk will need.

        The loop would find both by itself, but by filling its tables over and over (5 ms for a chunk of
        131,072 continuous values); one vectorised sort tells at once (1 ms).
        """
        mask = validity.mask(x.shape[0])
        values = x if mask is None else x[mask]
        if values.dtype != np.int64:
            values = values[np.isfinite(values)]
        if values.shape[0] <= self._meta[2]:
            return
        values = np.sort(values)
        values = values[np.concatenate([[True], values[1:] != values[:-1]])]
        keys = key_of(values.astype(np.float64, copy=False))
        if values.dtype == np.int64:
            keys = keys[np.concatenate([[True], keys[1:] != keys[:-1]])]
        shift = smallest_shift(keys, int(self._meta[2]))
        if shift:
            hashes = hash_integers(values) if values.dtype == np.int64 else hash_numbers(values)
            self._meta[0] = shift
            self._meta[3] = 1
            self._meta[4] = level_of(hashes, int(self._meta[6]))

    def close(self) -> tuple[Tally, Numbers]:
        tally = Tally(self._counts, self._places)
        n = tally.n_finite
        low: float | int | None = None
        high: float | int | None = None
        if n:
            ends = self._extremes if self.dtype == np.int64 else from_key(self._extremes)
            low, high = ends[0].item(), ends[1].item()
        moments = Moments(n, exact.from_limbs(self._values), exact.from_limbs(self._squares), low, high)
        shift, _, capacity, sampling, level = (int(v) for v in self._meta[:5])
        used = np.flatnonzero(self._keys != _EMPTY)
        order = used[np.argsort(self._keys[used])]
        distribution = Distribution(
            self._keys[order],
            self._cell_counts[order],
            shift,
            capacity,
            tally[Sort.FRACTIONAL] == 0,
            tally[Sort.ZERO],
        )
        sample = None
        if sampling:
            kept = np.flatnonzero(self._hash_counts)
            by_hash = kept[np.argsort(self._hashes[kept])]
            sample = Distinct(self._hashes[by_hash], self._hash_counts[by_hash], level, n, int(self._meta[6]))
        return tally, Numbers(moments, distribution, sample, int(self._meta[6]))


class TextFold:
    """Folds chunks of text, plain or dictionary-coded.

    Parameters
    ----------
    capacity : int
        Of the categories.
    compiled : bool
        Use the compiled loops.
    """

    def __init__(self, capacity: int, *, compiled: bool) -> None:
        self._compiled = compiled
        self._tally = Tally()
        self._categories = Categories(capacity=capacity)
        self._lengths = Distribution(capacity=LENGTHS_CAPACITY)
        self._room: _TextRoom | None = None

    def add_texts(self, texts: Texts, validity: Validity = ALL_VALID, first_row: int = 0) -> None:
        """Fold in one text per row."""
        if texts.n == 0:
            return
        if self._compiled and texts.offsets.dtype == np.int32:
            self._add_compiled(texts, validity, first_row)
            return
        index, self._tally = valid_rows(validity, texts.n, first_row, self._tally)
        if index is None:
            index = np.arange(texts.n)
        else:
            texts = texts.take(index)
        self.add_rows(texts, index + first_row)

    def add_rows(self, texts: Texts, rows: NDArray[np.int64]) -> None:
        """Fold in texts that stand in `rows` (ascending), all of them valid."""
        if texts.n == 0:
            return
        first, last = int(rows[0]), int(rows[-1])
        if self._compiled and last - first == texts.n - 1 and texts.offsets.dtype == np.int32:
            self._add_compiled(texts, ALL_VALID, first)
            return
        lengths = character_counts(texts)
        self._note(texts.n, int(np.count_nonzero(lengths == 0)))
        self._lengths = self._lengths.update(lengths)
        self._categories = self._categories.update(texts, rows)

    def add_codes(
        self, codes: NDArray[np.int32], dictionary: Texts, validity: Validity = ALL_VALID, first_row: int = 0
    ) -> None:
        """Fold in one dictionary code per row; codes in null slots do not matter."""
        if codes.shape[0] == 0:
            return
        k = dictionary.n
        if self._compiled and k:
            counts = np.zeros(k, np.int64)
            first = np.zeros(k, np.int64)
            tallied = np.zeros(len(Sort), np.int64)
            places = np.full((len(Sort), N_PLACES), NOWHERE, np.int64)
            kernel("fold_codes")(codes, *validity.native, first_row, counts, first, tallied, places)
            self._tally = self._tally.merge(Tally(tallied, places))
        else:
            index, self._tally = valid_rows(validity, codes.shape[0], first_row, self._tally)
            used = codes if index is None else codes[index]
            counts = np.bincount(used, minlength=k).astype(np.int64)
            first = np.zeros(k, np.int64)
            # Assigned from the back, so that the smallest row is the one that stays.
            rows = np.arange(used.shape[0]) if index is None else index
            first[used[::-1]] = rows[::-1] + first_row
        lengths = character_counts(dictionary)
        occurs = counts > 0
        self._note(int(counts.sum()), int(counts[lengths == 0].sum()))
        self._lengths = self._lengths.weighted(lengths[occurs], counts[occurs])
        self._categories = self._categories.weighted(dictionary, counts, first)

    def _note(self, n: int, n_empty: int) -> None:
        self._tally = self._tally.with_counts(Sort.STRING, n).with_counts(Sort.EMPTY, n_empty)

    def _add_compiled(self, texts: Texts, validity: Validity, first_row: int) -> None:
        if self._room is None:
            self._room = _TextRoom(self._categories.capacity)
        present = self._room.add(texts, validity, first_row)
        self._note(present.shape[0], int(np.count_nonzero(present == 0)))
        if present.shape[0] == 0:
            return
        if int(present.max()) < 1 << 16:
            by_length = np.bincount(present)
            occurs = np.flatnonzero(by_length)
            self._lengths = self._lengths.weighted(occurs, by_length[occurs])
        else:
            self._lengths = self._lengths.update(present)

    def close(self) -> tuple[Tally, Categories, Distribution]:
        """Return the States of all chunks so far: tally, categories, lengths in characters."""
        if self._room is not None:
            tally, categories = self._room.close()
            self._tally = self._tally.merge(tally)
            self._categories = self._categories.merge(categories)
            self._room = None
        return self._tally, self._categories, self._lengths


class _TextRoom:
    """What the compiled loop for plain texts works in."""

    def __init__(self, capacity: int) -> None:
        slots = _slots(capacity)
        self._hashes = np.zeros(slots, np.uint64)
        self._hash_counts = np.zeros(slots, np.int64)
        self._first = np.zeros(slots, np.int64)
        # Row of the present chunk, or -1 - position in the pool for texts fetched from earlier ones.
        self._source = np.full(slots, -1, np.int64)
        self._counts = np.zeros(len(Sort), np.int64)
        self._places = np.full((len(Sort), N_PLACES), NOWHERE, np.int64)
        self._buckets = np.zeros(N_BUCKETS, np.int64)
        self._meta = np.array([0, 0, 0, 0, 0, 0, capacity], np.int64)
        self._pool: list[Texts] = []
        self._pooled = 0
        self._loop = kernel("fold_texts")

    def add(self, texts: Texts, validity: Validity, first_row: int) -> NDArray[np.int64]:
        """Fold in a chunk; return the lengths of its valid texts in characters."""
        lengths = np.empty(texts.n, np.int64)
        nulls = self._counts[Sort.NULL]
        self._loop(
            texts.offsets, texts.data, *validity.native, first_row, self._counts, self._places, self._buckets,
            self._meta, self._hashes, self._hash_counts, self._first, self._source, lengths,
        )  # fmt: skip
        fresh = np.flatnonzero((self._source >= 0) & (self._hash_counts > 0))
        if fresh.shape[0]:
            self._pool.append(texts.take(self._source[fresh], LONGEST))
            self._source[fresh] = -1 - np.arange(self._pooled, self._pooled + fresh.shape[0])
            self._pooled += fresh.shape[0]
            if self._pooled > 8 * int(self._meta[6]):
                self._compact()
        self._source[self._hash_counts == 0] = -1
        return lengths if self._counts[Sort.NULL] == nulls else lengths[lengths >= 0]

    def _compact(self) -> None:
        """Forget the texts whose hashes a higher level has dropped."""
        used = np.flatnonzero(self._hash_counts)
        self._pool = [self._texts().take(-1 - self._source[used])]
        self._source[used] = -1 - np.arange(used.shape[0])
        self._pooled = used.shape[0]

    def _texts(self) -> Texts:
        if not self._pool:
            return Texts(np.zeros(1, np.int64), np.empty(0, np.uint8))
        lengths = np.concatenate([t.lengths for t in self._pool])
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
        return Texts(offsets, np.concatenate([t.data for t in self._pool]))

    def close(self) -> tuple[Tally, Categories]:
        """Return the States of all chunks so far."""
        used = np.flatnonzero(self._hash_counts)
        order = used[np.argsort(self._hashes[used])]
        categories = Categories(
            self._hashes[order],
            self._hash_counts[order],
            self._first[order],
            self._texts().take(-1 - self._source[order]),
            self._buckets,
            int(self._meta[4]),
            int(self._meta[6]),
        )
        return Tally(self._counts, self._places), categories
