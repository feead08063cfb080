"""One strict TOML decoder for every TOML file that people write, and where in it its keys stand.

tomllib says what a file says, but not in which line, and takes whatever nests; nobody calls it directly.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from typing import Any, Final

from driftline.errors import DocumentError

__all__ = ["MAX_DEPTH", "decode_toml", "lines_of"]

MAX_DEPTH: Final = 16
"""Deepest nesting of tables and arrays, unless the caller says otherwise."""

# tomllib takes memory with the square of a key's parts. Each part is looked at once, whatever stands there.
_DEEP_KEY = re.compile(
    r"""(?<![\w"'-])(?:(?:[\w-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){100}"""
)
_PLACE = re.compile(r" \(at line (\d+), column (\d+)\)$")
_AT_END = re.compile(r" \(at end of document\)$")


def decode_toml(
    data: bytes | str,
    *,
    file: str | None,
    code: str,
    max_bytes: int,
    max_depth: int = MAX_DEPTH,
    too_long: str,
) -> tuple[dict[str, Any], str]:
    """Decode TOML strictly.

    Parameters
    ----------
    data : bytes or str
        Bytes are UTF-8, with or without a mark of the byte order.
    file : str or None
        Name used in errors.
    code : str
        Of the errors.
    max_bytes, max_depth : int
        Limits on length and nesting.
    too_long : str
        What to try where it is longer.

    Returns
    -------
    dict, str
        What the file says, and its text.

    Raises
    ------
    DocumentError
        With the line, for what is too long, too deep, not UTF-8 or not TOML.
    """
    if len(data) > max_bytes:
        raise DocumentError(
            f"has {len(data):,} bytes, more than the limit of {max_bytes:,}",
            code=code,
            file=file,
            fix=too_long,
        )
    try:
        text = (data.decode("utf-8") if isinstance(data, bytes) else data).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise DocumentError(
            f"byte {error.start:,} is not valid UTF-8",
            code=code,
            file=file,
            line=error.object.count(b"\n", 0, error.start) + 1,
            fix="save the file as UTF-8",
        ) from None
    deep = _DEEP_KEY.search(text)
    if deep:
        raise _too_deep(code, file, text.count("\n", 0, deep.start()) + 1, max_depth)
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
            code=code,
            file=file,
            line=line,
            fix="texts stand in quotes, and a table or a key stands once",
        ) from None
    except (RecursionError, ValueError) as error:
        # ValueError: an integer of more digits than Python reads, or a date of the 30th of February.
        if isinstance(error, RecursionError):
            raise _too_deep(code, file, None, max_depth) from None
        raise DocumentError(
            f"not TOML: {str(error).partition(';')[0]}",
            code=code,
            file=file,
            fix="correct the number or the date",
        ) from None
    if _depth_above(value, max_depth):
        raise _too_deep(code, file, None, max_depth)
    return value, text


def _too_deep(code: str, file: str | None, line: int | None, max_depth: int) -> DocumentError:
    return DocumentError(
        f"tables nest deeper than {max_depth} levels",
        code=code,
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


Path = tuple[str | int, ...]

_GAP = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_KEY = re.compile(r"""[ \t]*(?:([A-Za-z0-9_-]+)|("(?:[^"\\\n]|\\.)*")|'([^'\n]*)')[ \t]*""")
_TEXT = re.compile(
    r'"""(?:[^"\\]|\\[\s\S]|"(?!""))*"{3,5}|'
    r"'''(?:[^']|'(?!''))*'{3,5}|"
    r""""(?:[^"\\\n]|\\.)*"|'[^'\n]*'"""
)
_BARE = re.compile(r"[^,\]}#\n]*")


def lines_of(text: str) -> dict[Path, int]:
    r"""Return the 1-based line of every key and element, by its path.

    Parameters
    ----------
    text : str
        TOML.

    Examples
    --------
    >>> lines_of('[a]\nb = 1\n[[c]]\nd = 2\n')
    {('a',): 1, ('a', 'b'): 2, ('c',): 3, ('c', 0): 3, ('c', 0, 'd'): 4}
    """
    return _Walk(text).run()


class _Walk:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._ends = [found.start() for found in re.finditer("\n", text)]
        self._lines: dict[Path, int] = {}
        self._elements: dict[Path, int] = {}

    def run(self) -> dict[Path, int]:
        inside: Path = ()
        while self._skip():
            start = self._at
            if self._text.startswith("[[", start):
                self._at += 2
                path = self._inside(self._keys(), start)
                self._at += 2
                number = self._elements[path] = self._elements.get(path, -1) + 1
                inside = (*path, number)
                self._lines[inside] = self._line(start)
            elif self._text[start] == "[":
                self._at += 1
                inside = self._inside(self._keys(), start)
                self._at += 1
            elif not self._pair(inside):
                break
        return self._lines

    def _line(self, at: int) -> int:
        return bisect_right(self._ends, at - 1) + 1

    def _note(self, path: Path, at: int) -> None:
        self._lines.setdefault(path, self._line(at))

    def _skip(self) -> bool:
        found = _GAP.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return self._at < len(self._text)

    def _keys(self) -> list[str]:
        parts: list[str] = []
        while found := _KEY.match(self._text, self._at):
            bare, quoted, literal = found.groups()
            parts.append(tomllib.loads(f"k={quoted}")["k"] if quoted else (bare or literal or ""))
            self._at = found.end()
            if not self._text.startswith(".", self._at):
                break
            self._at += 1
        return parts

    def _inside(self, parts: list[str], start: int) -> Path:
        """Return the path of a table's header: below an array of tables it means the last one."""
        path: Path = ()
        for number, part in enumerate(parts, start=1):
            path = (*path, part)
            self._note(path, start)
            if number < len(parts) and path in self._elements:
                path = (*path, self._elements[path])
        return path

    def _pair(self, inside: Path) -> bool:
        start = self._at
        parts = self._keys()
        if not parts or not self._text.startswith("=", self._at):
            return False
        path = inside
        for part in parts:
            path = (*path, part)
            self._note(path, start)
        self._at += 1
        self._value(path)
        return True

    def _value(self, path: Path) -> None:
        self._skip()
        text = self._text
        if text.startswith("[", self._at):
            self._at += 1
            number = 0
            while self._skip() and text[self._at] != "]":
                self._note((*path, number), self._at)
                self._value((*path, number))
                number += 1
                self._comma()
            self._at += 1
        elif text.startswith("{", self._at):
            self._at += 1
            while self._skip() and text[self._at] != "}":
                if not self._pair(path):
                    return
                self._comma()
            self._at += 1
        else:
            found = _TEXT.match(text, self._at) or _BARE.match(text, self._at)
            self._at = found.end() if found else self._at

    def _comma(self) -> None:
        if self._skip() and self._text[self._at] == ",":
            self._at += 1
