"""Where in a TOML text its keys stand: tomllib does not say.

The text has been read by tomllib before, so that it is TOML and nests no deeper than the limit; this walks over
it once more, for errors only, and trusts what it sees.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right

__all__ = ["lines_of"]

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
