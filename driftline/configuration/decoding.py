"""From the bytes of a file to what its TOML says, within limits."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from driftline import toml

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MAX_BYTES", "MAX_DEPTH", "decode_toml", "unusable"]

MAX_BYTES = 1 << 20
"""Longest file in bytes."""

MAX_DEPTH = toml.MAX_DEPTH
"""Deepest nesting of tables and arrays."""

_LARGEST = (1 << 63) - 1


def decode_toml(data: bytes, *, file: str | None) -> tuple[dict[str, Any], str]:
    """Decode a file.

    Parameters
    ----------
    data : bytes
        UTF-8, with or without a mark of the byte order.
    file : str or None
        Name used in errors.

    Returns
    -------
    dict, str
        What the file says, and its text.

    Raises
    ------
    DocumentError
        ``E-CONFIG``, with the line, for what is too long, too deep, not UTF-8 or not TOML.
    """
    return toml.decode_toml(
        data,
        file=file,
        code="E-CONFIG",
        max_bytes=MAX_BYTES,
        too_long="is this the configuration? Otherwise move data out of it",
    )


def unusable(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield the path of every value that TOML allows and no field can hold, with the reason.

    Those are texts and keys with NUL, which PostgreSQL does not store, numbers that are not finite, and integers
    beyond 64 bits.
    """
    if isinstance(value, dict):
        for key, inner in value.items():
            if "\0" in key:
                yield (*path, key), "the key holds a NUL character"
            yield from unusable(inner, (*path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from unusable(inner, (*path, number))
    elif isinstance(value, str):
        if "\0" in value:
            yield path, "the text holds a NUL character"
    elif isinstance(value, float):
        if not math.isfinite(value):
            yield path, f"expected a finite number, found {value:g}"
    elif isinstance(value, int) and not -_LARGEST <= value <= _LARGEST:
        yield path, "the number is larger than 64 bits can hold"
