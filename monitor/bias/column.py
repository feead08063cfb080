"""Column: the values of one column held in memory, with the type that SageMaker's rules ask for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from driftline.capture.arrays import text_array
from driftline.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = ["Column", "Dtype", "column_of", "joined"]


MISSING: Final = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None")
"""What stands for no value among numbers that are written as text."""


class Dtype(StrEnum):
    """What the values of a column are."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    FLOAT = "float"
    TEXT = "text"
    CATEGORY = "category"
    """A dictionary type that the data declare: categorical whatever its values."""


@dataclass(frozen=True, eq=False)
class Column:
    """The values of one column.

    Attributes
    ----------
    name : str
    dtype : Dtype
    values : ndarray, shape (n,)
        bool, int64 or float64; of texts and categories the codes (int64) into `words`. Meaningless where not `valid`.
    valid : ndarray of bool, shape (n,)
    words : tuple of str, int, float or bool
        Of texts and categories: the values, in order of first appearance.
    """

    name: str
    dtype: Dtype
    values: NDArray[Any]
    valid: NDArray[np.bool_]
    words: tuple[str | int | float | bool, ...] = ()

    @property
    def n_rows(self) -> int:
        """Rows."""
        return int(self.valid.shape[0])

    @cached_property
    def n_valid(self) -> int:
        """Rows with a value."""
        return int(np.count_nonzero(self.valid))

    @property
    def n_missing(self) -> int:
        """Rows without a value."""
        return self.n_rows - self.n_valid

    @property
    def is_coded(self) -> bool:
        """Tell whether `values` are codes into `words`."""
        return self.dtype in (Dtype.TEXT, Dtype.CATEGORY)

    @property
    def is_number(self) -> bool:
        """Tell whether the values are whole or fractional numbers."""
        return self.dtype in (Dtype.INTEGER, Dtype.FLOAT)

    @cached_property
    def _distinct(self) -> tuple[tuple[str | int | float | bool, ...], NDArray[np.int64]]:
        codes = np.full(self.n_rows, -1, np.int64)
        if self.is_coded:
            codes[self.valid] = self.values[self.valid]
            return self.words, codes
        words, found = _factorised(self.values[self.valid])
        codes[self.valid] = found
        return words, codes

    def distinct(self) -> tuple[tuple[str | int | float | bool, ...], NDArray[np.int64]]:
        """Return the different values in order of first appearance, and the code of every row, -1 where missing."""
        return self._distinct

    @property
    def n_distinct(self) -> int:
        """Different values."""
        return len(self._distinct[0])

    @cached_property
    def is_integral_text(self) -> bool:
        """Tell whether every value is a text that reads as a whole number."""
        return (
            self.dtype is Dtype.TEXT
            and bool(self.words)
            and all(_whole(word) is not None for word in self.words)
        )

    def numbers(self) -> NDArray[np.float64]:
        """Return the values as float64, NaN where there is none or a text is no number."""
        if not self.is_coded:
            return np.where(self.valid, self.values, np.nan).astype(np.float64)
        table = np.array([*(_real(word) for word in self.words), np.nan], np.float64)
        return table[self._distinct[1]]

    def first(self) -> str | int | float | bool | None:
        """Return the value of the first row, None where it is missing or there is no row."""
        if self.n_rows == 0 or not self.valid[0]:
            return None
        value: str | int | float | bool = (
            self.words[self.values[0]] if self.is_coded else self.values[0].item()
        )
        return value

    def take(self, rows: NDArray[Any]) -> Column:
        """Return the column of some rows (indices or a mask)."""
        if not self.is_coded:
            return Column(self.name, self.dtype, self.values[rows], self.valid[rows])
        return _coded(self.name, self.dtype, self.words, np.where(self.valid, self.values, -1)[rows])


def _factorised(values: NDArray[Any]) -> tuple[tuple[Any, ...], NDArray[np.int64]]:
    """Give every value a number, in order of first appearance."""
    n = values.shape[0]
    if n == 0:
        return (), np.empty(0, np.int64)
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    first = order[starts]  # stable: the first of equals comes first
    rank = np.empty(first.shape[0], np.int64)
    by_appearance = np.argsort(first)
    rank[by_appearance] = np.arange(first.shape[0])
    codes = np.empty(n, np.int64)
    codes[order] = np.repeat(rank, np.diff([*starts.tolist(), n]))
    return tuple(values[first[by_appearance]].tolist()), codes


def _coded(name: str, dtype: Dtype, words: Sequence[Any], codes: NDArray[np.int64]) -> Column:
    """Make a column whose words all occur, in order of first appearance."""
    valid = codes >= 0
    used, fresh = _factorised(codes[valid])
    values = np.zeros(codes.shape[0], np.int64)
    values[valid] = fresh
    return Column(name, dtype, values, valid, tuple(words[i] for i in used))


def _whole(word: object) -> int | None:
    try:
        return int(str(word))
    except ValueError:
        return None


def _real(word: object) -> float:
    try:
        return float(word)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return float("nan")


def column_of(name: str, array: pa.Array | pa.ChunkedArray, *, textual: bool = False) -> Column:
    """Make a column of Arrow values.

    Parameters
    ----------
    name : str
    array : pyarrow.Array or pyarrow.ChunkedArray
        Booleans, numbers, texts, times (as texts) or dictionaries of these.
    textual : bool, default False
        True where numbers were born as text (CSV): the type is then read from the values, as pandas does.

    Returns
    -------
    Column

    Raises
    ------
    SchemaError
        ``E-BIAS-TYPE`` for nested and binary values.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
        if isinstance(array, pa.ChunkedArray):  # some releases give one back
            array = array.chunk(0) if array.num_chunks else pa.nulls(0, array.type)
    kind = array.type
    if pa.types.is_dictionary(kind):
        words = column_of(name, array.dictionary.unique())
        codes = pc.fill_null(array.indices.cast(pa.int64()), -1).to_numpy(zero_copy_only=False)
        # Two codes may stand for one value, and a code for null.
        same = pc.fill_null(pc.index_in(array.dictionary, array.dictionary.unique()), -1).to_numpy(
            zero_copy_only=False
        )
        codes = np.concatenate([same.astype(np.int64), [-1]])[codes]
        values, own = words.distinct()
        return _coded(name, Dtype.CATEGORY, values, np.concatenate([own, [-1]])[codes])
    if pa.types.is_decimal(kind):
        array = array.cast(pa.float64())
    elif pa.types.is_temporal(kind):
        array = array.cast(pa.string())
    kind = array.type
    if pa.types.is_null(kind):
        return _coded(name, Dtype.TEXT, (), np.full(len(array), -1, np.int64))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        born = _born(array) if textual else None
        if born is None:
            return _texts(name, array)
        array, kind = born, born.type
    for is_kind, dtype, target in (
        (pa.types.is_boolean, Dtype.BOOLEAN, pa.bool_()),
        (pa.types.is_integer, Dtype.INTEGER, pa.int64()),
        (pa.types.is_floating, Dtype.FLOAT, pa.float64()),
    ):
        if is_kind(kind):
            return _plain(name, array, dtype, target)
    raise SchemaError(
        f"holds values of type {kind}, which are neither numbers, texts nor booleans",
        code="E-BIAS-TYPE",
        field=name,
        fix="leave the column out, or give a plain column",
    )


def _plain(name: str, array: pa.Array, dtype: Dtype, target: pa.DataType) -> Column:
    import pyarrow as pa
    import pyarrow.compute as pc

    valid = array.is_valid().to_numpy(zero_copy_only=False)
    try:
        whole = array.cast(target)
    except pa.ArrowInvalid:  # unsigned numbers beyond int64
        dtype, whole = Dtype.FLOAT, array.cast(pa.float64(), safe=False)
    values = pc.fill_null(whole, False if dtype is Dtype.BOOLEAN else 0).to_numpy(zero_copy_only=False)
    if dtype is Dtype.FLOAT:
        valid = valid & ~np.isnan(values)
    return Column(name, dtype, values, valid)


def _texts(name: str, array: pa.Array) -> Column:
    import pyarrow as pa
    import pyarrow.compute as pc

    encoded = array.dictionary_encode()
    codes = pc.fill_null(encoded.indices.cast(pa.int64()), -1).to_numpy(zero_copy_only=False)
    return _coded(name, Dtype.TEXT, encoded.dictionary.to_pylist(), codes)


def _born(array: pa.Array) -> pa.Array | None:
    """Return texts as the numbers or booleans they spell, None where one of them spells neither."""
    import pyarrow as pa
    import pyarrow.compute as pc

    trimmed = pc.utf8_trim_whitespace(array)
    # Not pyarrow.array(), which imports pandas.
    missing = pc.is_in(trimmed, value_set=text_array(MISSING).cast(trimmed.type))
    trimmed = pc.if_else(missing, pa.scalar(None, trimmed.type), trimmed)
    if trimmed.null_count == len(trimmed):
        return None
    for target in (pa.int64(), pa.float64()):
        try:
            return trimmed.cast(target)
        except pa.ArrowInvalid:
            continue
    words = pc.unique(pc.utf8_lower(trimmed)).to_pylist()
    if all(word in ("true", "false", None) for word in words):
        return pc.equal(pc.utf8_lower(trimmed), "true")
    return None


def joined(name: str, columns: Sequence[Column]) -> Column:
    """Cross several columns: the value of a row is their values joined by ``" & "``, missing where one is."""
    words: list[str] = []
    codes = np.zeros(columns[0].n_rows, np.int64)
    missing = np.zeros(columns[0].n_rows, bool)
    for column in columns:
        own, code = column.distinct()
        missing |= code < 0
        codes = codes * max(len(own), 1) + np.maximum(code, 0)
    present, fresh = _factorised(codes[~missing])
    for key in present:
        parts: list[str] = []
        rest = key
        for column in reversed(columns):
            own = column.distinct()[0]
            rest, i = divmod(rest, max(len(own), 1))
            parts.append(str(own[i]))
        words.append(" & ".join(reversed(parts)))
    codes = np.full(columns[0].n_rows, -1, np.int64)
    codes[~missing] = fresh
    return _coded(name, Dtype.TEXT, words, codes)
