"""Column: the States of one column, and the fold that makes them from Arrow arrays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from driftline.baselines.constraint import InferredType
from driftline.errors import printable
from driftline.kernels.folding import NumberFold, TextFold, Validity, valid_rows
from driftline.kernels.state import StateMismatchError, same_setting
from driftline.kernels.tally import N_PLACES, Sort, Tally
from driftline.kernels.texts import Texts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from driftline.kernels.categories import Categories
    from driftline.kernels.distribution import Distribution
    from driftline.kernels.numbers import Numbers

__all__ = ["Column", "ColumnFold", "Limits", "family_of"]

NUMBER_SHARE = 0.99
"""Share of number texts from which a column of text is a column of numbers."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a Profile keeps of a column.

    Attributes
    ----------
    cells : int
        Occupied cells of a :class:`~driftline.kernels.distribution.Distribution`.
    categories : int
        Texts of a :class:`~driftline.kernels.categories.Categories`.
    sample : int
        Hashes of a :class:`~driftline.kernels.distinct.Distinct`.

    Notes
    -----
    Limits belong to the configuration of the States: Profiles merge only if they are the same. They follow from the
    number of columns, so that a wide table costs no more memory than a narrow one.
    """

    cells: int = 8192
    categories: int = 16384
    sample: int = 16384

    @classmethod
    def for_width(cls, n_columns: int) -> Limits:
        """Return the limits for a table of `n_columns` columns."""
        if n_columns <= 256:
            return cls()
        if n_columns <= 1024:
            return cls(4096, 4096, 4096)
        return cls(1024, 1024, 1024) if n_columns <= 4096 else cls(512, 512, 512)


@dataclass(frozen=True, slots=True, repr=False)
class Column:
    """What is kept of one column.

    Attributes
    ----------
    name : str
    family : str
        ``number``, ``text``, ``boolean``, ``time`` or ``other``, as the source declares it; ``lexical`` for
        values born as text, whose kind is read off the values.
    declared : str
        The Arrow type, for people.
    tally : Tally
    numbers : Numbers or None
        Of numbers; times are microseconds since 1970-01-01 UTC.
    categories : Categories or None
        Of texts and booleans.
    lengths : Distribution or None
        Of the texts' lengths in characters.
    """

    name: str
    family: str
    declared: str
    tally: Tally
    numbers: Numbers | None = None
    categories: Categories | None = None
    lengths: Distribution | None = None

    def __repr__(self) -> str:
        return f"<Column {printable(self.name, 80)}: {self.kind}, {self.n_rows:,} rows, {self.n_missing:,} missing>"

    def empty(self) -> Column:
        """Return the column without rows."""
        return Column(
            self.name,
            self.family,
            self.declared,
            Tally(),
            None if self.numbers is None else self.numbers.empty(),
            None if self.categories is None else self.categories.empty(),
            None if self.lengths is None else self.lengths.empty(),
        )

    def merge(self, other: Column) -> Column:
        """Return the column of both sides' rows.

        Raises
        ------
        StateMismatchError
            If the families or the limits differ.
        """
        if self.family != other.family:
            raise StateMismatchError("column", "family", self.family, other.family)
        return replace(
            self,
            tally=self.tally.merge(other.tally),
            numbers=_merged(self.numbers, other.numbers),
            categories=_merged(self.categories, other.categories),
            lengths=_merged(self.lengths, other.lengths),
        )

    @classmethod
    def merge_many(cls, parts: Sequence[Column]) -> Column:
        """Return the column of the rows of all `parts`, at least one; name and type are those of the first.

        Raises
        ------
        StateMismatchError
            If the families or the limits differ.
        """
        same_setting("column", "family", parts)
        numbers = [part.numbers for part in parts if part.numbers is not None]
        categories = [part.categories for part in parts if part.categories is not None]
        lengths = [part.lengths for part in parts if part.lengths is not None]
        return replace(
            parts[0],
            tally=type(parts[0].tally).merge_many([part.tally for part in parts]),
            numbers=type(numbers[0]).merge_many(numbers) if numbers else None,
            categories=type(categories[0]).merge_many(categories) if categories else None,
            lengths=type(lengths[0]).merge_many(lengths) if lengths else None,
        )

    @property
    def n_rows(self) -> int:
        """Rows, with or without a value."""
        return self.tally.n_rows

    @property
    def n_missing(self) -> int:
        """Rows without a value; NaN counts as missing."""
        return self.tally[Sort.NULL] + self.tally[Sort.NAN]

    @property
    def n_present(self) -> int:
        """Rows with a value."""
        return self.n_rows - self.n_missing

    @property
    def kind(self) -> str:
        """What the column holds: ``number``, ``text``, ``boolean``, ``time`` or ``other``."""
        if self.family != "lexical":
            return self.family
        present = self.n_present
        if present == 0:
            return "other"
        if self._number_texts >= NUMBER_SHARE * present:
            return "number"
        return "boolean" if self.tally[Sort.BOOLEAN] == present else "text"

    @property
    def _number_texts(self) -> int:
        return self.tally.n_finite + self.tally[Sort.POSITIVE_INFINITY] + self.tally[Sort.NEGATIVE_INFINITY]

    @property
    def inferred_type(self) -> InferredType:
        """The type in SageMaker's words.

        A declared type is believed; values born as text are a number from 99 % on, and Integral while no number
        among them is written with a point or an exponent.
        """
        kind = self.kind
        if self.n_present == 0:
            return InferredType.UNKNOWN
        if kind == "number":
            if self.family == "lexical":
                whole = self.tally[Sort.POINTED] == 0 and self.tally[Sort.FRACTIONAL] == 0
            else:
                whole = self.declared.startswith(("int", "uint"))
            return InferredType.INTEGRAL if whole else InferredType.FRACTIONAL
        return InferredType.UNKNOWN if kind == "other" else InferredType.STRING

    @property
    def n_distinct(self) -> float | None:
        """Number of different values: exact while few, else estimated; None where values are only counted."""
        if self.kind in ("number", "time") and self.numbers is not None:
            return self.numbers.n_distinct
        return None if self.categories is None else self.categories.n_distinct


def _merged(a: Any, b: Any) -> Any:
    if a is None or b is None:
        return a if b is None else b
    return a.merge(b)


def family_of(kind: pa.DataType, *, textual: bool) -> str:
    """Return the family of a column of this Arrow type."""
    if textual:
        return "lexical"
    if pa.types.is_dictionary(kind):
        return family_of(kind.value_type, textual=False)
    if pa.types.is_boolean(kind):
        return "boolean"
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return "time"
    if (
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_time(kind)
        or pa.types.is_duration(kind)
    ):
        return "number"
    if _is_text(kind):
        return "text"
    return "other"


def _declared(kind: pa.DataType) -> str:
    """Name a type for people; the layouts that Arrow has for one and the same text are one type."""
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return "string"
    if pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind):
        return "binary"
    return str(kind)


def _is_text(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_binary_view(kind)
        or pa.types.is_fixed_size_binary(kind)
    )


_LARGEST_INT = np.uint64(0x7FFFFFFFFFFFFFFF)
_PER_MICROSECOND = {"s": 1_000_000, "ms": 1000, "us": 1}
_PER_SECOND = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}


class ColumnFold:
    """Folds the Arrow arrays of one column into a :class:`Column`.

    Parameters
    ----------
    name : str
    kind : pyarrow.DataType
    textual : bool
        Values were born as text.
    limits : Limits
    compiled : bool
        Use the compiled loops.
    like : Column, optional
        A column expected to look alike; it only saves time.
    """

    def __init__(
        self,
        name: str,
        kind: pa.DataType,
        *,
        textual: bool,
        limits: Limits,
        compiled: bool,
        like: Column | None = None,
    ) -> None:
        self._name = name
        value_type = kind.value_type if pa.types.is_dictionary(kind) else kind
        self._declared = "text" if textual else _declared(value_type)
        self._family = family_of(kind, textual=textual)
        self._tally = Tally()
        self._numbers: NumberFold | None = None
        self._texts: TextFold | None = None
        if self._family in ("number", "time", "lexical"):
            self._numbers = NumberFold(
                limits.cells,
                limits.sample,
                compiled=compiled,
                like=None if like is None else like.numbers,
            )
        if self._family in ("text", "boolean", "lexical"):
            self._texts = TextFold(limits.categories, compiled=compiled)

    def add(self, array: pa.Array, first_row: int) -> None:
        """Fold in an array whose first row has the number `first_row`."""
        n = len(array)
        if n == 0:
            return
        kind = array.type
        if pa.types.is_null(kind):
            self._tally = self._tally.with_counts(Sort.NULL, n, first_row + np.arange(min(n, N_PLACES)))
        elif self._family == "lexical":
            self._add_lexical(array, first_row)
        elif self._family == "boolean":
            self._add_booleans(array, first_row)
        elif self._family == "text":
            self._add_texts(array, first_row)
        elif self._numbers is not None:
            self._add_numbers(array, first_row)
        else:
            index, tally = valid_rows(_validity(array), n, first_row, self._tally)
            self._tally = tally.with_counts(Sort.OTHER, n if index is None else index.shape[0])

    def _add_numbers(self, array: pa.Array, first_row: int) -> None:
        assert self._numbers is not None
        if pa.types.is_dictionary(array.type):
            array = array.dictionary_decode()
        values, validity = _numbers_of(array)
        if values.dtype != np.uint64:
            self._numbers.add(values, validity, first_row)
            return
        # Some are beyond int64. Each value is taken for itself, so that its neighbours do not decide what it becomes.
        index, self._tally = valid_rows(validity, values.shape[0], first_row, self._tally)
        present = values if index is None else values[index]
        beyond = present > _LARGEST_INT
        self._numbers.add(present[~beyond].view(np.int64))
        self._numbers.add(present[beyond].astype(np.float64))

    def _add_texts(self, array: pa.Array, first_row: int) -> None:
        assert self._texts is not None
        if pa.types.is_dictionary(array.type):
            dictionary = _texts_of(array.dictionary)
            codes, validity = _codes_of(array, dictionary.n)
            self._texts.add_codes(codes, dictionary, validity, first_row)
        else:
            self._texts.add_texts(_texts_of(array), _validity(array), first_row)

    def _add_booleans(self, array: pa.Array, first_row: int) -> None:
        assert self._texts is not None
        if pa.types.is_dictionary(array.type):
            array = array.dictionary_decode()
        bits = Validity(np.frombuffer(array.buffers()[1], np.uint8), array.offset).mask(len(array))
        assert bits is not None
        self._texts.add_codes(
            bits.astype(np.int32), Texts.of([b"false", b"true"]), _validity(array), first_row
        )

    def _add_lexical(self, array: pa.Array, first_row: int) -> None:
        from driftline.kernels.lexical import Lexical, classify, parse_numbers

        assert self._texts is not None
        assert self._numbers is not None
        n = len(array)
        texts = _texts_of(array)
        index, tally = valid_rows(_validity(array), n, first_row, Tally())
        if index is not None:
            texts = texts.take(index)
        rows = (np.arange(n) if index is None else index) + first_row
        classes = classify(texts.offsets, texts.data)
        texts = _small_booleans(texts, classes)
        empty = np.flatnonzero(classes == Lexical.NULL)
        if empty.shape[0]:
            tally = tally.with_counts(Sort.NULL, empty.shape[0], rows[empty[:N_PLACES]])
            keep = np.flatnonzero(classes != Lexical.NULL)
            texts, rows, classes = texts.take(keep), rows[keep], classes[keep]
        for sort, lexical in ((Sort.BOOLEAN, Lexical.BOOLEAN), (Sort.STRING, Lexical.STRING)):
            where = np.flatnonzero(classes == lexical)
            tally = tally.with_counts(sort, where.shape[0], rows[where[:N_PLACES]])
        numeric = np.flatnonzero(
            (classes == Lexical.INTEGRAL) | (classes == Lexical.FRACTIONAL) | (classes == Lexical.LOOSE)
        )
        pointed = np.count_nonzero(classes[numeric] != Lexical.INTEGRAL)
        tally = tally.with_counts(Sort.POINTED, int(pointed))
        if numeric.shape[0]:
            values = parse_numbers(texts.offsets, texts.data, classes)
            self._tally = self._tally.merge(_number_tally(values[numeric], rows[numeric]))
            finite = values[numeric]
            self._numbers.add(np.ascontiguousarray(finite[np.isfinite(finite)]))
            missing = numeric[np.isnan(finite)]
            if missing.shape[0]:
                # A text that says NaN is a missing value, not a category.
                keep = np.delete(np.arange(rows.shape[0]), missing)
                texts, rows = texts.take(keep), rows[keep]
        self._tally = self._tally.merge(tally)
        self._texts.add_rows(texts, rows)

    def close(self) -> Column:
        """Return the column of all arrays so far."""
        tally, numbers, categories, lengths = self._tally, None, None, None
        if self._numbers is not None:
            counted, numbers = self._numbers.close()
            # Values born as text were tallied by their text, with their own row numbers.
            if self._family != "lexical":
                if self._family == "time":
                    counted = _as_times(counted)
                tally = tally.merge(counted)
        if self._texts is not None:
            counted, categories, lengths = self._texts.close()
            if self._family == "boolean":
                counted = _as_booleans(counted)
                lengths = None
            if self._family != "lexical":
                tally = tally.merge(counted)
        return Column(self._name, self._family, self._declared, tally, numbers, categories, lengths)


def _small_booleans(texts: Texts, classes: NDArray[np.int8]) -> Texts:
    """Write ``True`` and ``FALSE`` small, as pandas and spreadsheets do not, and class them as booleans."""
    from driftline.kernels.lexical import Lexical

    offsets = texts.offsets.astype(np.int64)
    lengths = texts.lengths
    data: NDArray[np.uint8] | None = None
    for word in (b"true", b"false"):
        index = np.flatnonzero((classes == Lexical.STRING) & (lengths == len(word)))
        if index.shape[0] == 0:
            continue
        places = offsets[index][:, None] + np.arange(len(word))
        small = texts.data[places] | 0x20
        found = (small == np.frombuffer(word, np.uint8)).all(axis=1)
        if found.any():
            data = texts.data.copy() if data is None else data
            data[places[found]] = small[found]
            classes[index[found]] = Lexical.BOOLEAN
    return texts if data is None else Texts(texts.offsets, data)


def _number_tally(values: NDArray[np.float64], rows: NDArray[np.int64]) -> Tally:
    finite = np.isfinite(values)
    whole = finite & (np.floor(values) == values)
    tally = Tally()
    for sort, where in (
        (Sort.NAN, np.isnan(values)),
        (Sort.POSITIVE_INFINITY, np.isposinf(values)),
        (Sort.NEGATIVE_INFINITY, np.isneginf(values)),
        (Sort.INTEGRAL, whole),
        (Sort.FRACTIONAL, finite & ~whole),
        (Sort.NEGATIVE, finite & (values < 0)),
    ):
        index = np.flatnonzero(where)
        tally = tally.with_counts(sort, index.shape[0], rows[index[:N_PLACES]])
    return tally.with_counts(Sort.ZERO, int(np.count_nonzero(values == 0)))


def _as_times(tally: Tally) -> Tally:
    """Turn the tally of microseconds into one of times: signs and fractions of those mean nothing."""
    counts = np.zeros_like(tally.counts)
    places = Tally().places
    counts[Sort.NULL] = tally[Sort.NULL]
    counts[Sort.TIME] = tally.n_finite
    places[Sort.NULL] = tally.places[Sort.NULL]
    return Tally(counts, places)


def _as_booleans(tally: Tally) -> Tally:
    counts = np.zeros_like(tally.counts)
    places = Tally().places
    counts[Sort.NULL] = tally[Sort.NULL]
    counts[Sort.BOOLEAN] = tally[Sort.STRING]
    places[Sort.NULL] = tally.places[Sort.NULL]
    return Tally(counts, places)


def _validity(array: pa.Array) -> Validity:
    if array.null_count == 0:
        return Validity()
    bitmap = array.buffers()[0]
    if bitmap is None:
        # Types such as unions and run-end encodings keep their nulls elsewhere.
        mask = np.asarray(array.is_valid())
        return Validity(np.packbits(mask, bitorder="little"), 0)
    return Validity(np.frombuffer(bitmap, np.uint8), array.offset)


_WIDTHS = {
    "int8": np.int8,
    "int16": np.int16,
    "int32": np.int32,
    "int64": np.int64,
    "uint8": np.uint8,
    "uint16": np.uint16,
    "uint32": np.uint32,
    "uint64": np.uint64,
    "halffloat": np.float16,
    "float": np.float32,
    "double": np.float64,
}


def _numbers_of(array: pa.Array) -> tuple[NDArray[Any], Validity]:
    """Return the values of a numeric or temporal array, without a copy where it can be.

    They are float64 or int64; uint64 where some are beyond int64.
    """
    kind = array.type
    validity = _validity(array)
    if pa.types.is_decimal(kind):
        array = array.cast(pa.float64())
        return _plain(array, np.float64), _validity(array)
    if pa.types.is_timestamp(kind):
        stamps = _plain(array, np.int64)
        return (stamps // 1000 if kind.unit == "ns" else stamps * _PER_MICROSECOND[kind.unit]), validity
    if pa.types.is_date32(kind):
        return _plain(array, np.int32).astype(np.int64) * 86_400_000_000, validity
    if pa.types.is_date64(kind):
        return _plain(array, np.int64) * 1000, validity
    if pa.types.is_time(kind) or pa.types.is_duration(kind):
        width = np.int32 if pa.types.is_time32(kind) else np.int64
        return _plain(array, width) / _PER_SECOND[kind.unit], validity
    values = _plain(array, _WIDTHS[str(kind)])
    if values.dtype == np.uint64:
        return (values if (values > _LARGEST_INT).any() else values.view(np.int64)), validity
    if values.dtype.kind in "iu":
        return values.astype(np.int64, copy=False), validity
    return values.astype(np.float64, copy=False), validity


def _plain(array: pa.Array, dtype: Any) -> NDArray[Any]:
    buffer = array.buffers()[1]
    if buffer is None:
        return np.zeros(len(array), dtype)
    return np.frombuffer(buffer, dtype)[array.offset : array.offset + len(array)]


def _texts_of(array: pa.Array) -> Texts:
    """Return the bytes of a text or binary array; null slots are empty."""
    kind = array.type
    if pa.types.is_string_view(kind) or pa.types.is_binary_view(kind) or pa.types.is_fixed_size_binary(kind):
        array = array.cast(pa.large_binary())
        kind = array.type
    elif not _is_text(kind):
        array = array.cast(pa.string())
        kind = array.type
    wide = pa.types.is_large_string(kind) or pa.types.is_large_binary(kind)
    _, offsets, data = array.buffers()
    if offsets is None or len(array) == 0:
        return Texts(np.zeros(len(array) + 1, np.int32), np.empty(0, np.uint8))
    starts = np.frombuffer(offsets, np.int64 if wide else np.int32)
    starts = starts[array.offset : array.offset + len(array) + 1]
    content = np.empty(0, np.uint8) if data is None else np.frombuffer(data, np.uint8)
    if wide:
        content = content[int(starts[0]) : int(starts[-1])]
        starts = starts - starts[0]
        if starts[-1] < 1 << 31:
            starts = starts.astype(np.int32)
    return Texts(starts, content)


def _codes_of(array: pa.DictionaryArray, n: int) -> tuple[NDArray[np.int32], Validity]:
    indices = array.indices
    codes = _plain(indices, _WIDTHS[str(indices.type)]).astype(np.int32, copy=False)
    validity = _validity(indices)
    if n == 0:
        codes = np.zeros(codes.shape[0], np.int32)
    nulls = array.dictionary.null_count
    if nulls:
        # A dictionary may hold a null; rows that point at it have no value. What null slots point at is undefined.
        mask = validity.mask(codes.shape[0])
        valid = np.ones(codes.shape[0], np.bool_) if mask is None else mask
        valid[valid] = ~np.asarray(array.dictionary.is_null())[codes[valid]]
        validity = Validity(np.packbits(valid, bitorder="little"), 0)
    return codes, validity
