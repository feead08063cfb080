"""Buffers: the values of Arrow arrays as NumPy has them, by way of their memory.

Arrow's own ``to_numpy``, and every kernel that is given a Python value such as ``fill_null(array, 0)``, ask pandas whether
it knows the argument, and so import it: a third of a second that a check does not have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["floats_of", "present", "whole_of", "with_nulls"]


def present(array: pa.Array) -> NDArray[np.bool_]:
    """Tell which values are there, shape (n,)."""
    n, validity = len(array), array.buffers()[0] if array.null_count else None
    if pa.types.is_null(array.type):
        return np.zeros(n, np.bool_)
    if validity is None:
        return np.ones(n, np.bool_)
    first = array.offset // 8
    bits = np.frombuffer(validity, np.uint8, (array.offset + n + 7) // 8 - first, first)
    flags = np.unpackbits(bits, bitorder="little")[array.offset % 8 :][:n]
    return flags.view(np.bool_)


def floats_of(array: pa.Array) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return numbers as float64, 0 for nulls, and which are there."""
    if array.type != pa.float64():
        array = array.cast(pa.float64(), safe=False)
    values: NDArray[np.float64] = _raw(array, np.float64)
    there = present(array)
    return (values if not array.null_count else np.where(there, values, 0.0)), there


def whole_of(array: pa.Array, missing: int = 0) -> tuple[NDArray[np.int64], NDArray[np.bool_] | None]:
    """Return whole numbers as int64, `missing` for nulls, and which are there; None where all are."""
    if array.type != pa.int64():
        array = array.cast(pa.int64())
    values: NDArray[np.int64] = _raw(array, np.int64)
    if not array.null_count:
        return values, None
    there = present(array)
    return np.where(there, values, missing), there


def with_nulls(array: pa.Array, there: NDArray[np.bool_]) -> pa.Array:
    """Return the array with nulls where `there` is False; it must begin at its buffers' first value."""
    bits = np.packbits(there, bitorder="little")
    return pa.Array.from_buffers(array.type, len(array), [pa.py_buffer(bits), *array.buffers()[1:]])


def _raw(array: pa.Array, dtype: type[np.float64 | np.int64]) -> NDArray[Any]:
    data = array.buffers()[1]
    if data is None:
        return np.zeros(len(array), dtype)
    return np.frombuffer(data, dtype, len(array), array.offset * 8)
