"""Arrow arrays out of Python lists and NumPy, by way of their buffers.

:func:`pyarrow.array` does the same and more, but asks pandas whether it knows the argument, and so imports
pandas: 0.4 seconds that a run over a few captured files does not have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "boolean_array",
    "map_array",
    "mask_array",
    "number_array",
    "numbers_of",
    "numpy_array",
    "text_array",
    "to_float64",
]


def _validity(values: Sequence[Any]) -> pa.Buffer | None:
    """Pack which values are there; None where all are."""
    if None not in values:
        return None
    present = np.fromiter((value is not None for value in values), dtype=bool, count=len(values))
    return _bits(present)


def _bits(flags: np.ndarray[Any, np.dtype[np.bool_]]) -> pa.Buffer:
    return pa.py_buffer(np.packbits(flags, bitorder="little"))


def text_array(values: Sequence[str | None]) -> pa.Array:
    """Make a string array.

    Raises
    ------
    UnicodeEncodeError
        For lone surrogates.
    """
    validity = _validity(values)
    texts: Sequence[str] = values if validity is None else [value or "" for value in values]  # type: ignore[assignment]
    joined = "".join(texts)
    if joined.isascii():
        data = joined.encode("ascii")
        lengths = map(len, texts)
    else:
        encoded = [text.encode() for text in texts]
        data = b"".join(encoded)
        lengths = map(len, encoded)
    offsets = np.zeros(len(texts) + 1, dtype=np.int32)
    np.cumsum(np.fromiter(lengths, dtype=np.int32, count=len(texts)), out=offsets[1:])
    buffers = [validity, pa.py_buffer(offsets), pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.string(), len(texts), buffers)


def number_array(values: Sequence[int | float | None], kind: type[np.int64 | np.float64]) -> pa.Array:
    """Make an int64 or float64 array; NaN stays NaN.

    Raises
    ------
    OverflowError
        For a whole number that int64 cannot hold.
    """
    validity = _validity(values)
    present = values if validity is None else [0 if value is None else value for value in values]
    data = np.fromiter(present, dtype=kind, count=len(values))
    return pa.Array.from_buffers(_ARROW[kind], len(values), [validity, pa.py_buffer(data)])


_ARROW: dict[type[np.generic], pa.DataType] = {np.int64: pa.int64(), np.float64: pa.float64()}


def boolean_array(values: Sequence[bool | None]) -> pa.Array:
    """Make a boolean array."""
    flags = np.fromiter((value is True for value in values), dtype=bool, count=len(values))
    return pa.Array.from_buffers(pa.bool_(), len(values), [_validity(values), _bits(flags)])


def numpy_array(values: np.ndarray[Any, Any], kind: pa.DataType, *, nan_is_null: bool) -> pa.Array:
    """Wrap numbers that NumPy holds, without a copy where they lie in one piece.

    Parameters
    ----------
    values : ndarray of a signed, unsigned or floating dtype, shape (n,)
    kind : pyarrow.DataType
        Of the same width.
    nan_is_null : bool
        True turns NaN into null.
    """
    validity = None
    if nan_is_null and values.dtype.kind == "f":
        missing = np.isnan(values)
        if missing.any():
            validity = _bits(~missing)
    return pa.Array.from_buffers(kind, len(values), [validity, pa.py_buffer(np.ascontiguousarray(values))])


def to_float64(array: pa.Array) -> pa.Array:
    """Turn an int64 array into float64; whole numbers above 2^53 are rounded."""
    validity, data = array.buffers()
    end = array.offset + len(array)
    floats = np.frombuffer(data, dtype=np.int64, count=end).astype(np.float64)
    buffers = [validity, pa.py_buffer(floats)]
    return pa.Array.from_buffers(pa.float64(), len(array), buffers, offset=array.offset)


def mask_array(flags: np.ndarray[Any, np.dtype[np.bool_]]) -> pa.Array:
    """Make a boolean array of flags that NumPy holds."""
    return pa.Array.from_buffers(pa.bool_(), len(flags), [None, _bits(flags)])


def map_array(values: Sequence[Mapping[str, str] | None]) -> pa.Array:
    """Make an array of maps from text to text; empty ones become null.

    Raises
    ------
    UnicodeEncodeError
        For lone surrogates.
    """
    lengths = np.fromiter((len(value or ()) for value in values), dtype=np.int32, count=len(values))
    offsets = np.zeros(len(values) + 1, dtype=np.int32)
    np.cumsum(lengths, out=offsets[1:])
    entries = [entry for value in values if value for entry in value.items()]
    return pa.MapArray.from_arrays(
        numpy_array(offsets, pa.int32(), nan_is_null=False),
        text_array([key for key, _ in entries]),
        text_array([text for _, text in entries]),
        mask=mask_array(lengths == 0),
    )


def numbers_of(column: pa.ChunkedArray) -> np.ndarray[Any, Any]:
    """Give the values of a column of numbers without nulls, shape (n,)."""
    if column.null_count:
        raise ValueError("a column that may not lack values lacks some")
    pieces = [np.from_dlpack(chunk) for chunk in column.chunks if len(chunk)]
    if len(pieces) == 1:
        return pieces[0]
    return np.concatenate(pieces) if pieces else np.zeros(0, np.int64)
