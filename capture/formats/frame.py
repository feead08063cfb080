"""Frames of pandas, and mappings of names to arrays.

NaN and NaT of a pandas column are null, as pandas means them; in an array that is not pandas they stay. The
index is no column. What Arrow has no one type for (a column of text and numbers) is delivered as text, each
value in its own spelling, so that the odd values can be counted. Names become text; those of a MultiIndex are
joined by dots.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from driftline.capture.arrays import numpy_array
from driftline.capture.formats.arrow import WholeColumn, columns_source
from driftline.capture.source import Field
from driftline.capture.values import BadValueError, Kinds, as_column, final_type, finished, text_of
from driftline.errors import SchemaError, SourceError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import pandas as pd

    from driftline.capture.formats.arrow import Column
    from driftline.capture.source import Source

__all__ = ["open_mapping", "open_pandas"]

_DIRECT = frozenset("biufmM")
_MISSING = frozenset(("NAType", "NaTType"))
_BLOCK = 65_536


@dataclass(frozen=True, slots=True)
class _NumpyColumn:
    """A column of numbers or times that NumPy holds; converted a part at a time."""

    values: np.ndarray
    type: pa.DataType
    nan_is_null: bool

    def __len__(self) -> int:
        return len(self.values)

    def take(self, start: int, count: int) -> pa.Array:
        piece = self.values[start : start + count]
        if piece.dtype.kind in "iuf":
            return numpy_array(piece, self.type, nan_is_null=self.nan_is_null)
        return pa.array(piece, self.type, from_pandas=self.nan_is_null)


def open_pandas(frame: pd.DataFrame, *, label: str, batch_rows: int) -> Source:
    """Take a :class:`pandas.DataFrame`.

    Raises
    ------
    SchemaError
        For no columns and for names that are the same as text.
    """
    fields: list[Field] = []
    columns: list[Column] = []
    for position, name in enumerate(frame.columns):
        shown = _name(name)
        column, textual = _column(frame.iloc[:, position], shown, label)
        fields.append(Field(shown, column.type, textual))
        columns.append(column)
    notes = [
        f"the index {_name(name)!r} is no column; reset_index() makes it one"
        for name in frame.index.names
        if name is not None
    ]
    return columns_source(fields, columns, label=label, batch_rows=batch_rows, notes=notes)


def open_mapping(data: Mapping[Any, Any], *, label: str, batch_rows: int) -> Source:
    """Take a mapping of names to lists, NumPy arrays, Arrow arrays, or columns of a frame.

    Raises
    ------
    SchemaError
        For no columns, names that are the same as text, and columns of different lengths.
    SourceError
        ``E-VALUE`` for a column that is not one-dimensional, or not a sequence.
    """
    fields: list[Field] = []
    columns: list[Column] = []
    for name, values in data.items():
        shown = _name(name)
        column, textual = _column(values, shown, label)
        if columns and len(column) != len(columns[0]):
            raise SchemaError(
                f"has {len(column):,} values, but {fields[0].name!r} has {len(columns[0]):,}",
                code="E-LENGTH",
                file=label,
                field=shown,
            )
        fields.append(Field(shown, column.type, textual))
        columns.append(column)
    return columns_source(fields, columns, label=label, batch_rows=batch_rows)


def _name(name: Any) -> str:
    if isinstance(name, tuple):
        return ".".join(str(part) for part in name if part != "")
    return str(name)


def _column(values: Any, name: str, label: str) -> tuple[Column, bool]:
    """Give the column, and whether its values are to be read from their text."""
    from_pandas = type(values).__module__.partition(".")[0] == "pandas"
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return WholeColumn(values), False
    dtype = getattr(values, "dtype", None)
    if getattr(dtype, "kind", "") in _DIRECT and type(dtype).__module__.startswith("numpy"):
        array = values.to_numpy() if hasattr(values, "to_numpy") else values
        if array.ndim != 1:
            raise _no_column(name, label, f"has {array.ndim} dimensions, expected 1")
        plain = array.astype(array.dtype.newbyteorder("="), copy=False)
        try:
            # Long double and weeks have no type in Arrow.
            kind = pa.from_numpy_dtype(plain.dtype)
            return _NumpyColumn(plain, kind, from_pandas), False
        except (pa.ArrowException, ValueError):
            return _as_text(list(values), name, label)
    if not hasattr(values, "__len__") or isinstance(values, str | bytes):
        raise _no_column(name, label, f"has the type {type(values).__name__}, expected a list or an array")
    if getattr(values, "ndim", 1) != 1:
        raise _no_column(name, label, f"has {values.ndim} dimensions, expected 1")
    try:
        array = pa.array(values, from_pandas=from_pandas)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return _as_text(list(values), name, label)
    return WholeColumn(array), False


def _no_column(name: str, label: str, message: str) -> SourceError:
    return SourceError(message, code="E-VALUE", file=label, field=name, fix="give one-dimensional columns")


def _as_text(values: list[Any], name: str, label: str) -> tuple[Column, bool]:
    kinds = Kinds.NONE
    blocks = []
    for start in range(0, len(values), _BLOCK):
        try:
            seen, array = as_column([_spelt(value) for value in values[start : start + _BLOCK]])
        except BadValueError as error:
            row = start + error.index + 1
            raise SourceError(str(error), code="E-VALUE", file=label, line=row, field=name) from None
        kinds |= seen
        blocks.append(array)
    kind, textual = final_type(kinds)
    return WholeColumn(pa.chunked_array([finished(block, kind) for block in blocks], kind)), textual


def _spelt(value: Any) -> Any:
    """Give a value that rows may hold: others become text; NaN and NaT beside text are null."""
    if value is None or type(value).__name__ in _MISSING or value != value:
        return None
    if isinstance(value, bool | int | float | str):
        return value
    if type(value).__module__ == "numpy":
        return value.item()
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else text_of(value)
