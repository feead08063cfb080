"""What a program gives to be recorded becomes columns: frames, Arrow, NumPy, dicts and lists.

=============================================  ===========================================================================
given                                          taken as
=============================================  ===========================================================================
frame of pandas or polars, anything of Arrow   a row a row; inner structs become columns with a dot in their names
dict whose values are lists or arrays          columns
any other dict                                 one row; inner dicts become columns with a dot in their names
list of dicts, list of lists                   a row each
array of shape (n, k)                          n rows, columns by position
array of shape (k,), list of values            one row of inputs; for answers, one a row
pandas Series                                  one row of inputs, named by its index; for answers, one a row
single value                                   one row
=============================================  ===========================================================================
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

import numpy as np
import pyarrow as pa

from driftline.capture.open import open_source
from driftline.capture.seal import column_of
from driftline.capture.values import BadValueError
from driftline.errors import InputError, SourceError, UsageError, printable

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Column", "Rows", "refused", "rows_of"]

Side = Literal["input", "output"]

_SINGLE = (bool, int, float, str, np.generic, Decimal, datetime, date, time, timedelta, UUID)
_MISSING = frozenset(("NoneType", "NAType", "NaTType"))
_DEEPEST = 64


@dataclass(frozen=True, slots=True)
class Column:
    """Values of one name.

    Attributes
    ----------
    name : str
    values : pyarrow.Array or pyarrow.ChunkedArray
    is_textual : bool
        They are of several kinds and have become text.
    """

    name: str
    values: Any
    is_textual: bool = False


@dataclass(frozen=True, slots=True)
class Rows:
    """One side of some rows."""

    n: int
    columns: tuple[Column, ...]


def refused(message: str, field: str | None = None, fix: str | None = None) -> SourceError:
    """Return the error for what cannot be recorded."""
    return SourceError(
        message, code="E-PAYLOAD", field=field, fix=fix or "log tables of numbers, text, booleans and times"
    )


def rows_of(data: Any, side: Side, names: Sequence[str] = ()) -> Rows:
    """Take data apart, see the module for what is understood.

    Parameters
    ----------
    data : object
    side : {"input", "output"}
    names : sequence of str
        For columns that are positions; ``_c0``, ``_c1``, … for inputs and ``prediction`` or ``prediction_0``, … for
        answers otherwise.

    Raises
    ------
    SourceError
        ``E-PAYLOAD`` for what has no place in a table.
    """
    try:
        return _rows(data, side, names)
    except (InputError, UsageError, BadValueError) as error:
        if isinstance(error, SourceError) and error.code == "E-PAYLOAD":
            raise
        field = getattr(error, "field", None)
        message = error.message if isinstance(error, (InputError, UsageError)) else str(error)
        raise refused(message, f"{side}.{field}" if field else side) from None
    except (pa.ArrowException, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise refused(f"cannot be read as a table: {printable(error, 200)}", side) from None


def _rows(data: Any, side: Side, names: Sequence[str]) -> Rows:
    if isinstance(data, Mapping):
        return _mapping(data, side)
    if isinstance(data, np.ndarray):
        return _array(data, side, names)
    if isinstance(data, _SINGLE):
        return _positions([[data]], side, names)
    if isinstance(data, Sequence) and not isinstance(data, (bytes, bytearray, memoryview)):
        return _listed(data, side, names)
    kinds = {(cls.__module__.partition(".")[0], cls.__name__) for cls in type(data).__mro__}
    if ("pandas", "Series") in kinds:
        if side == "input":
            return _named([dict(zip(map(str, data.index), data.tolist(), strict=True))], side)
        return _frame({_series_name(data.name, names): data}, side)
    if ("polars", "Series") in kinds:
        data, name = data.to_arrow(), data.name
        return _frame({_series_name(name, names): data}, side)
    if isinstance(data, (pa.Array, pa.ChunkedArray)):
        if pa.types.is_struct(data.type):
            whole = data.combine_chunks() if isinstance(data, pa.ChunkedArray) else data
            return _frame(pa.RecordBatch.from_struct_array(whole), side)
        return _frame({_series_name(None, names): data}, side)
    if ("pandas", "DataFrame") in kinds:
        for at, name in enumerate(data.columns):
            if data.dtypes.iloc[at].kind == "O":
                _check_singles(data.iloc[:, at], f"{side}.{name}")
    return _frame(data, side)


def _series_name(name: object, names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else str(name) if name not in (None, "") else "prediction"


def _mapping(data: Mapping[Any, Any], side: Side) -> Rows:
    if not data:
        raise refused("is an empty dict", side)
    many = [_is_many(value) for value in data.values()]
    if not any(many):
        return _named([data], side)
    for (name, value), is_many in zip(data.items(), many, strict=True):
        if not is_many:
            raise refused("is a single value, and others are lists", f"{side}.{name}")
        if isinstance(value, (list, tuple)) or getattr(getattr(value, "dtype", None), "kind", "") == "O":
            _check_singles(value, f"{side}.{name}")
    return _frame(
        {str(name): list(v) if isinstance(v, (tuple, range)) else v for name, v in data.items()}, side
    )


def _is_many(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return value.ndim > 0
    if isinstance(value, (list, tuple, range, pa.Array, pa.ChunkedArray)):
        return True
    return (
        hasattr(value, "__arrow_c_array__") or hasattr(value, "__arrow_c_stream__") or hasattr(value, "iloc")
    )


def _array(data: np.ndarray[Any, Any], side: Side, names: Sequence[str]) -> Rows:
    if data.ndim < 2:
        data = data.reshape((1, -1) if side == "input" or data.ndim == 0 else (-1, 1))
    if data.ndim > 2:
        raise refused(f"is an array of {data.ndim} dimensions", side, "give two: rows and columns")
    if data.dtype.kind == "V":
        raise refused("is an array of records", side, "give a frame")
    if data.dtype.kind == "S":
        raise refused("is an array of bytes", side, "decode it to text")
    keys = _keys(data.shape[1], side, names)
    if data.dtype.kind in "OU":
        return _positions(data.tolist(), side, names, n_columns=data.shape[1])
    return _frame({key: data[:, at] for at, key in enumerate(keys)}, side, n=data.shape[0])


def _keys(n: int, side: Side, names: Sequence[str]) -> list[str]:
    if names:
        if len(names) != n:
            raise refused(f"has {n:,} columns, and there are {len(names):,} names", side)
        return list(names)
    if side == "input":
        return [f"_c{at}" for at in range(n)]
    return ["prediction"] if n == 1 else [f"prediction_{at}" for at in range(n)]


def _listed(data: Sequence[Any], side: Side, names: Sequence[str]) -> Rows:
    if not data:
        return Rows(0, ())
    if all(isinstance(row, Mapping) for row in data):
        return _named(data, side)
    if all(isinstance(row, (list, tuple, np.ndarray)) for row in data):
        return _positions([list(row) for row in data], side, names)
    _check_singles(data, side)
    return _positions([list(data)] if side == "input" else [[value] for value in data], side, names)


def _positions(
    rows: Sequence[Sequence[Any]], side: Side, names: Sequence[str], n_columns: int | None = None
) -> Rows:
    width = len(rows[0]) if n_columns is None else n_columns
    if any(len(row) != width for row in rows):
        raise refused("has rows of different lengths", side)
    keys = _keys(width, side, names)
    return Rows(len(rows), tuple(_made(key, [row[at] for row in rows], side) for at, key in enumerate(keys)))


def _named(rows: Sequence[Mapping[Any, Any]], side: Side) -> Rows:
    flat = [_flat(row, side) for row in rows]
    keys = dict.fromkeys(key for row in flat for key in row)
    if not keys:
        raise refused("has rows without a value", side)
    return Rows(len(flat), tuple(_made(key, [row.get(key) for row in flat], side) for key in keys))


def _flat(row: Mapping[Any, Any], side: Side, prefix: str = "", depth: int = 0) -> dict[str, Any]:
    if depth > _DEEPEST:
        raise refused("holds dicts in dicts without end", side)
    out: dict[str, Any] = {}
    for key, value in row.items():
        name = f"{prefix}{key}"
        inner = _flat(value, side, f"{name}.", depth + 1) if isinstance(value, Mapping) else {name: value}
        for found, held in inner.items():
            if found in out:
                raise refused("occurs twice", f"{side}.{found}")
            out[found] = held
    return out


def _made(name: str, values: list[Any], side: Side) -> Column:
    _check_singles(values, f"{side}.{name}")
    kinds = set(map(type, values))
    if kinds <= {bool, int, float, str, type(None)}:
        array, is_textual = column_of(values)
        return Column(name, array, is_textual)
    (column,) = _frame({name: values}, side).columns
    return column


def _check_singles(values: Iterable[Any], field: str) -> None:
    """Refuse what has no place in a cell; text made of it would say nothing."""
    for kind in set(map(type, values)):
        if not issubclass(kind, _SINGLE) and kind.__name__ not in _MISSING:
            raise refused(f"holds a value of type {kind.__name__}", field)


def _frame(data: Any, side: Side, n: int | None = None) -> Rows:
    """Take what has columns already."""
    if isinstance(data, Mapping) and not data:
        return Rows(n or 0, ())
    source = open_source(data)
    positions = range(len(source.fields))
    batches = [batch for part in source.parts for batch in part.read(positions)]
    arrays = [
        pa.chunked_array([batch.arrays[at] for batch in batches], field.type)
        for at, field in enumerate(source.fields)
    ]
    table = pa.table(arrays, names=[field.name for field in source.fields])
    while any(pa.types.is_struct(kind) for kind in table.schema.types):
        table = table.flatten()
    textual = {field.name for field in source.fields if field.textual}
    columns = tuple(
        Column(name, _plain(values, f"{side}.{name}"), name in textual)
        for name, values in zip(table.column_names, table.columns, strict=True)
    )
    if len({column.name for column in columns}) != len(columns):
        raise refused("has two columns of one name", side)
    return Rows(table.num_rows, columns)


def _plain(values: pa.ChunkedArray, field: str) -> pa.ChunkedArray:
    """Bring values to the types that captures have."""
    kind = values.type
    if pa.types.is_dictionary(kind):
        values = values.cast(kind.value_type)
        kind = values.type
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return values.cast(pa.string())
    if pa.types.is_floating(kind):
        return values.cast(pa.float64())
    if pa.types.is_integer(kind):
        try:
            return values.cast(pa.int64())
        except pa.ArrowInvalid:  # some are larger than that
            return values
    is_known = pa.types.is_string(kind) or pa.types.is_boolean(kind) or pa.types.is_null(kind)
    if is_known or pa.types.is_decimal(kind) or pa.types.is_temporal(kind):
        return values
    raise refused(f"holds {kind}, which has no place in a table", field)
