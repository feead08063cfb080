"""The hashes, with Python integers."""

from __future__ import annotations

import struct

_WORD = (1 << 64) - 1


def _mix(h: int) -> int:
    for _ in range(2):
        h ^= h >> 32
        h = h * 0xD6E8FEB86659FD93 & _WORD
    return h ^ (h >> 32)


def number(x: float) -> int:
    return _mix(struct.unpack("<Q", struct.pack("<d", x if x else 0.0))[0])


def integer(x: int) -> int:
    """Hash like the double, where a double holds the number."""
    if float(x) == x:
        return number(float(x))
    return _mix((x & _WORD) ^ 0xA0761D6478BD642F)


def text(data: bytes) -> int:
    total = 0
    for place in range(0, len(data), 8):
        word = int.from_bytes(data[place : place + 8].ljust(8, b"\0"), "little")
        word ^= 0x9E3779B97F4A7C15 * (place // 8 + 1) & _WORD
        word ^= word >> 32
        word = word * 0xFF51AFD7ED558CCD & _WORD
        word ^= word >> 29
        word = word * 0xC4CEB9FE1A85EC53 & _WORD
        total += word
    return _mix((total + len(data) * 0xA0761D6478BD642F) & _WORD)
