"""Python values become Arrow columns, with the kinds of value remembered.

Rows arrive in blocks, and the type of a column is known only after the last one. So each block keeps what it
saw in a set of kinds, and stores its values in a form that can still become any type: one kind as itself,
several kinds as the text each value had. The outcome therefore never depends on where blocks end.
"""

from __future__ import annotations

from enum import IntFlag
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from driftline.capture.arrays import boolean_array, number_array, text_array, to_float64

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["BadValueError", "Kinds", "as_column", "final_type", "finished", "text_of"]


class Kinds(IntFlag):
    """Which kinds of value a column has seen, nulls apart."""

    NONE = 0
    BOOLEAN = 1
    INTEGER = 2
    BIG = 4
    """A whole number that int64 cannot hold."""
    FLOAT = 8
    TEXT = 16
    NUMBER = 32
    """Numbers of which only the values as floats are known, not how they were written."""


_ONE: dict[type, tuple[Kinds, Callable[[Sequence[Any]], pa.Array]]] = {
    bool: (Kinds.BOOLEAN, boolean_array),
    int: (Kinds.INTEGER, lambda values: number_array(values, np.int64)),
    float: (Kinds.FLOAT, lambda values: number_array(values, np.float64)),
    str: (Kinds.TEXT, text_array),
}
_NUMBERS = Kinds.INTEGER | Kinds.BIG | Kinds.FLOAT | Kinds.NUMBER
_INT64 = range(-(2**63), 2**63)


class BadValueError(ValueError):
    """A value that no column can hold.

    Attributes
    ----------
    index : int
        Position among the values.
    """

    def __init__(self, message: str, index: int) -> None:
        super().__init__(message)
        self.index = index


def text_of(value: Any) -> str:
    """Write a value as text, as JSON would where JSON has a word for it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)


def as_column(values: Sequence[Any]) -> tuple[Kinds, pa.Array]:
    """Store one block of a column.

    Parameters
    ----------
    values : sequence
        bool, int, float, str, NumPy scalars of these, or None.

    Returns
    -------
    kinds : Kinds
        What was seen.
    array : pyarrow.Array
        Of the type of the only kind, or text where there are several, or null type where there is none.

    Raises
    ------
    BadValueError
        For any other value, and for text with lone surrogates.
    """
    types = set(map(type, values))
    types.discard(type(None))
    if not types.issubset(_ONE):
        values = [_plain(value, index) for index, value in enumerate(values)]
        types = set(map(type, values)) - {type(None)}
    if not types:
        return Kinds.NONE, pa.nulls(len(values))
    if len(types) == 1:
        kind, made = _ONE[types.pop()]
        try:
            array = made(values)
        except UnicodeEncodeError:
            raise _bad_text(values) from None
        except OverflowError:
            kind = _whole_kinds(values)
        else:
            return kind, array
    else:
        kind = Kinds.NONE
        for found in types:
            kind |= _whole_kinds(values) if found is int else _ONE[found][0]
    try:
        return kind, text_array([None if v is None else text_of(v) for v in values])
    except UnicodeEncodeError:
        raise _bad_text(values) from None


def _whole_kinds(values: Sequence[Any]) -> Kinds:
    kinds = Kinds.NONE
    for index, value in enumerate(values):
        if type(value) is not int:
            continue
        if value in _INT64:
            kinds |= Kinds.INTEGER
            continue
        kinds |= Kinds.BIG
        try:
            float(value)
        except OverflowError:
            raise BadValueError("a whole number larger than a double can hold", index) from None
    return kinds


def _plain(value: Any, index: int) -> Any:
    if value is None or type(value) in _ONE:
        return value
    # NumPy scalars, and what derives from the plain types.
    item = value.item() if type(value).__module__ == "numpy" and hasattr(value, "item") else value
    for plain in (bool, int, float, str):
        if isinstance(item, plain):
            return plain(item)
    raise BadValueError(
        f"a value of type {type(value).__name__}; a row holds numbers, text, true, false and null", index
    )


def _bad_text(values: Sequence[Any]) -> BadValueError:
    for index, value in enumerate(values):
        if isinstance(value, str):
            try:
                value.encode()
            except UnicodeEncodeError:
                return BadValueError("text with half of a surrogate pair, which is not Unicode", index)
    raise AssertionError("no such text")  # pragma: no cover


def final_type(kinds: Kinds) -> tuple[pa.DataType, bool]:
    """Give the type of a column that saw `kinds`, and whether its values are to be read from their text.

    Notes
    -----
    Nothing but nulls: null. Booleans: bool. Whole numbers: int64. Numbers otherwise: float64. Text: string.
    Any other mixture is text whose values keep their own kind, so that the odd ones can be counted.
    """
    if not kinds:
        return pa.null(), False
    if kinds == Kinds.BOOLEAN:
        return pa.bool_(), False
    if kinds == Kinds.INTEGER:
        return pa.int64(), False
    if not kinds & ~_NUMBERS:
        return pa.float64(), False
    return pa.string(), kinds != Kinds.TEXT


def finished(array: pa.Array, kind: pa.DataType) -> pa.Array:
    """Turn a stored block into the final type of its column."""
    if array.type == kind:
        return array
    if pa.types.is_null(array.type):
        return pa.nulls(len(array), kind)
    if pa.types.is_string(kind):
        # Not Array.cast, which writes 1.0 as 1.
        return text_array([None if v is None else text_of(v) for v in array.to_pylist()])
    if pa.types.is_string(array.type):
        return number_array([None if v is None else float(v) for v in array.to_pylist()], np.float64)
    return to_float64(array)
