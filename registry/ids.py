"""Identifiers: 26 characters that sort by the time they were made."""

from __future__ import annotations

import os
import time

__all__ = ["new_id"]

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_id(moment: int | None = None) -> str:
    """Return a new ULID: 48 bits of milliseconds and 80 random ones, in Crockford's base 32.

    Parameters
    ----------
    moment : int, optional
        Microseconds since 1970-01-01 UTC; now where not given.

    Examples
    --------
    >>> len(new_id())
    26
    """
    millis = (time.time_ns() // 1_000_000) if moment is None else moment // 1000
    value = (millis & (1 << 48) - 1) << 80 | int.from_bytes(os.urandom(10))
    return "".join(_ALPHABET[value >> shift & 31] for shift in range(125, -1, -5))
