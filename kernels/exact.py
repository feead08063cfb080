"""Sums without rounding: the same rows give the same sum, whatever their order.

A sum of doubles is kept as one wide fixed-point integer, cut into limbs of 32 bits that are held in int64 so that
carries can wait (a *superaccumulator*; Kulisch; Neal, "Fast exact summation using small and large
superaccumulators", 2015). Adding is exact, therefore associative and commutative, therefore independent of
batches, threads and files. One rounding happens, at the very end.

:func:`from_limbs` turns the limbs of a compiled loop (:mod:`driftline.kernels.native`) into a Python int;
:func:`sum_of_values` and :func:`sum_of_squares` are the NumPy twins of those loops.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "N_LIMBS_SQUARES",
    "N_LIMBS_VALUES",
    "OFFSET_SQUARES",
    "OFFSET_VALUES",
    "from_limbs",
    "root_to_float",
    "sum_of_squares",
    "sum_of_values",
    "to_float",
]

OFFSET_VALUES = 1088
"""Bits below the binary point in the sum of values: 2**-1074 is the smallest double."""

OFFSET_SQUARES = 2 * OFFSET_VALUES
"""Bits below the binary point in the sum of squares."""

N_LIMBS_VALUES = (OFFSET_VALUES + 1024 + 64) // 32 + 4
"""Limbs that hold 2**63 doubles of the largest size."""

N_LIMBS_SQUARES = (OFFSET_SQUARES + 2048 + 64) // 32 + 4
"""Limbs that hold 2**63 squares of the largest size."""

_CHUNK = 1 << 18  # keeps every partial sum of 32-bit pieces below 2**53, where a double counts exactly


def from_limbs(limbs: NDArray[np.int64]) -> int:
    """Return the integer that `limbs` (weight ``2**(32*i)`` each, any sign) stand for."""
    total = 0
    for i in np.flatnonzero(limbs):
        total += int(limbs[i]) << (32 * int(i))
    return total


def to_float(numerator: int, denominator: int) -> float:
    """Return the double nearest to ``numerator / denominator``, or an infinity where it overflows."""
    try:
        return numerator / denominator
    except OverflowError:
        return float("inf") if (numerator > 0) == (denominator > 0) else float("-inf")


def root_to_float(numerator: int, denominator: int) -> float:
    """Return the square root of ``numerator / denominator``, which must not be negative, to the last bit but one."""
    if numerator == 0:
        return 0.0
    # 64 bits of the root, from 128 bits of the quotient.
    half = (numerator.bit_length() - denominator.bit_length() - 128) // 2
    up, down = max(0, -2 * half), max(0, 2 * half)
    root = math.isqrt((numerator << up) // (denominator << down))
    return to_float(root << max(0, half), 1 << max(0, -half))


def _mantissas(x: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split finite doubles into integers m and exponents e with x == m * 2**e and abs(m) < 2**53."""
    fractions, exponents = np.frexp(x)
    mantissas = np.ldexp(fractions, 53).astype(np.int64)
    # frexp normalises subnormals too: below 2**-1074 the trailing bits of m are zero, so shift them out.
    exponents = exponents.astype(np.int64) - 53
    low = np.minimum(exponents + 1074, 0)
    if low.any():
        mantissas = mantissas >> -low
        exponents = exponents - low
    return mantissas, exponents


def _gather(pieces: NDArray[np.int64], exponents: NDArray[np.int64], offset: int) -> int:
    """Return the sum of ``pieces * 2**(exponents + offset)``; abs(pieces) < 2**63."""
    total = 0
    place = exponents + offset
    base = int(place.min())
    place = place - base
    high = pieces >> 32
    low = pieces & 0xFFFFFFFF
    sums_high = np.bincount(place, weights=high.astype(np.float64))
    sums_low = np.bincount(place, weights=low.astype(np.float64))
    for i in np.flatnonzero((sums_high != 0) | (sums_low != 0)):
        total += ((int(sums_high[i]) << 32) + int(sums_low[i])) << int(i)
    return total << base


def sum_of_values(x: NDArray[Any]) -> int:
    """Return the exact sum of `x`, times ``2**OFFSET_VALUES``.

    Parameters
    ----------
    x : ndarray of float64 or int64, shape (n,)
        Finite values.

    Returns
    -------
    int
    """
    total = 0
    for start in range(0, x.shape[0], _CHUNK):
        part = x[start : start + _CHUNK]
        if part.dtype == np.int64:
            total += (
                (int((part >> 32).sum(dtype=np.int64)) << 32) + int((part & 0xFFFFFFFF).sum(dtype=np.int64))
            ) << OFFSET_VALUES
            continue
        mantissas, exponents = _mantissas(part)
        total += _gather(mantissas, exponents, OFFSET_VALUES)
    return total


def sum_of_squares(x: NDArray[Any]) -> int:
    """Return the exact sum of the squares of `x`, times ``2**OFFSET_SQUARES``.

    Parameters
    ----------
    x : ndarray of float64 or int64, shape (n,)
        Finite values.

    Returns
    -------
    int
    """
    total = 0
    for start in range(0, x.shape[0], _CHUNK):
        part = x[start : start + _CHUNK]
        if part.dtype == np.int64:
            high = part >> 32
            low = part & 0xFFFFFFFF
            cross = high * low
            squares_low = low.astype(np.uint64) * low.astype(np.uint64)
            total += (
                (_split_sum(high * high) << 64)
                + (_split_sum(cross) << 33)
                + (int((squares_low >> np.uint64(32)).sum(dtype=np.uint64)) << 32)
                + int((squares_low & np.uint64(0xFFFFFFFF)).sum(dtype=np.uint64))
            ) << OFFSET_SQUARES
            continue
        mantissas, exponents = _mantissas(part)
        high = mantissas >> 27
        low = mantissas & 0x7FFFFFF
        twice = 2 * exponents
        total += _gather(high * high, twice + 54, OFFSET_SQUARES)
        total += _gather(high * low, twice + 28, OFFSET_SQUARES)
        total += _gather(low * low, twice, OFFSET_SQUARES)
    return total


def _split_sum(x: NDArray[np.int64]) -> int:
    return (int((x >> 32).sum(dtype=np.int64)) << 32) + int((x & 0xFFFFFFFF).sum(dtype=np.int64))
