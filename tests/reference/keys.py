"""The key that orders doubles, bit by bit."""

from __future__ import annotations

import struct


def key(x: float) -> int:
    """Read the 64 bits one at a time; the larger the magnitude of a negative number, the smaller its key."""
    if x == 0.0:
        x = 0.0  # the negative zero is the same number
    packed = struct.pack(">d", x)
    bits = [(byte >> (7 - i)) & 1 for byte in packed for i in range(8)]
    magnitude = 0
    for bit in bits[1:]:
        magnitude = 2 * magnitude + bit
    # Complement, not negation: key(-x) == -1 - key(x).
    return -1 - magnitude if bits[0] else magnitude
