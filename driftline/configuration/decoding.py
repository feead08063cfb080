"""From the bytes of a file to what its TOML says, within limits."""

from __future__ import annotations

import math
import re
import tomllib
from typing import TYPE_CHECKING, Any

from driftline.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MAX_BYTES", "MAX_DEPTH", "decode_toml", "unusable"]

MAX_BYTES = 1 << 20
"""Longest file in bytes."""

MAX_DEPTH = 16
"""Deepest nesting of tables and arrays."""

_LARGEST = (1 << 63) - 1

# tomllib takes memory with the square of a key's parts. Each part is looked at once, whatever stands there.
_DEEP_KEY = re.compile(
    r"""(?<![\w"'-])(?:(?:[\w-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){100}"""
)
_PLACE = re.compile(r" \(at line (\d+), column (\d+)\)$")
_AT_END = re.compile(r" \(at end of document\)$")


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
    if len(data) > MAX_BYTES:
        raise DocumentError(
            f"has {len(data):,} bytes, more than the limit of {MAX_BYTES:,}",
            code="E-CONFIG",
            file=file,
            fix="is this the configuration? Otherwise move data out of it",
        )
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise DocumentError(
            f"byte {error.start:,} is not valid UTF-8",
            code="E-CONFIG",
            file=file,
            line=data.count(b"\n", 0, error.start) + 1,
            fix="save the file as UTF-8",
        ) from None
    deep = _DEEP_KEY.search(text)
    if deep:
        raise _too_deep(file, text.count("\n", 0, deep.start()) + 1)
    try:
        value = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        place = _PLACE.search(message)
        line, where = None, ""
        if place is not None:
            line, where = int(place[1]), f" at column {place[2]}"
            message = message[: place.start()]
        elif ending := _AT_END.search(message):
            line, where = text.count("\n") + 1, " at the end of the file"
            message = message[: ending.start()]
        raise DocumentError(
            f"not TOML: {message[0].lower()}{message[1:]}{where}",
            code="E-CONFIG",
            file=file,
            line=line,
            fix="texts stand in quotes, and a table or a key stands once",
        ) from None
    except (RecursionError, ValueError) as error:
        # ValueError: an integer of more digits than Python reads, or a date of the 30th of February.
        if isinstance(error, RecursionError):
            raise _too_deep(file, None) from None
        raise DocumentError(
            f"not TOML: {str(error).partition(';')[0]}",
            code="E-CONFIG",
            file=file,
            fix="correct the number or the date",
        ) from None
    if _depth_above(value, MAX_DEPTH):
        raise _too_deep(file, None)
    return value, text


def _too_deep(file: str | None, line: int | None) -> DocumentError:
    return DocumentError(
        f"tables nest deeper than {MAX_DEPTH} levels",
        code="E-CONFIG",
        file=file,
        line=line,
        fix="flatten them",
    )


def _depth_above(value: Any, limit: int) -> bool:
    level: list[Any] = [value]
    for _ in range(limit):
        level = [
            child
            for node in level
            for child in (node.values() if isinstance(node, dict) else node)
            if isinstance(child, (dict, list))
        ]
        if not level:
            return False
    return True


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
