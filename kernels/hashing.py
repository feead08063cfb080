"""Hashes of values: 64 well-mixed bits, the same on every machine and in every engine.

Numbers are hashed by their double (an int64 that no double equals, by its own bits), so the int column of one month
and the float column of the next share hashes. Texts are hashed by their bytes: eight at a time, each word mixed with
its position and added up, so that the loop has no chain of dependencies. The hashes are not keyed: two texts made
to collide will; a collision merges two categories of one column and cannot do more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["hash_integers", "hash_numbers", "hash_texts"]

MIX = np.uint64(0xD6E8FEB86659FD93)
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
WORD_1 = np.uint64(0xFF51AFD7ED558CCD)
WORD_2 = np.uint64(0xC4CEB9FE1A85EC53)
LONG = np.uint64(0xA0761D6478BD642F)
_32 = np.uint64(32)
_29 = np.uint64(29)


def _mix(h: NDArray[np.uint64]) -> NDArray[np.uint64]:
    h = h ^ (h >> _32)
    h = h * MIX
    h = h ^ (h >> _32)
    h = h * MIX
    return h ^ (h >> _32)


def hash_numbers(x: NDArray[np.float64]) -> NDArray[np.uint64]:
    """Hash finite doubles; ``-0.0`` and ``0.0`` have the same hash."""
    return _mix((x + 0.0).view(np.uint64))


def hash_integers(x: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Hash int64 values: those a double can hold like that double, the others by their own bits."""
    doubles = x.astype(np.float64)
    # 2**63 itself comes back as a negative integer, so compare as well as convert.
    with np.errstate(invalid="ignore"):
        same = (doubles < 2.0**63) & (doubles.astype(np.int64) == x)
    return np.where(same, hash_numbers(doubles), _mix(x.view(np.uint64) ^ LONG))


def hash_texts(offsets: NDArray[Any], data: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Hash the texts ``data[offsets[i]:offsets[i+1]]``.

    Parameters
    ----------
    offsets : ndarray of int32 or int64, shape (n + 1,)
    data : ndarray of uint8

    Returns
    -------
    ndarray of uint64, shape (n,)
    """
    starts = offsets[:-1].astype(np.int64)
    lengths = offsets[1:].astype(np.int64) - starts
    total = np.zeros(starts.shape[0], np.uint64)
    words = (lengths + 7) >> 3
    active = np.flatnonzero(words)
    place = 0
    padded = np.concatenate([data, np.zeros(8, np.uint8)])
    while active.size:
        at = starts[active] + 8 * place
        block = padded[at[:, None] + np.arange(8)] if active.size else np.zeros((0, 8), np.uint8)
        w = np.ascontiguousarray(block).view("<u8")[:, 0].astype(np.uint64)
        left = lengths[active] - 8 * place
        short = left < 8
        if short.any():
            mask = (np.uint64(1) << (np.uint64(8) * left[short].astype(np.uint64))) - np.uint64(1)
            w[short] &= mask
        w = w ^ np.uint64(int(GOLDEN) * (place + 1) & 0xFFFFFFFFFFFFFFFF)
        w = w ^ (w >> _32)
        w = w * WORD_1
        w = w ^ (w >> _29)
        w = w * WORD_2
        total[active] += w
        place += 1
        active = active[words[active] > place]
    return _mix(total + lengths.astype(np.uint64) * LONG)
