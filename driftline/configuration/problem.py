"""Problems: everything that is wrong with a file is told at once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from driftline.errors import DocumentError, DriftlineError, printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    Path = tuple[str | int, ...]

__all__ = ["MOST_TOLD", "ConfigurationError", "Problems", "spelled"]

MOST_TOLD = 10
"""Problems that the text of one error names; all of them are in its ``problems``."""

_BARE = re.compile(r"[A-Za-z0-9_-]+")


class ConfigurationError(DocumentError):
    """A configuration file cannot be used.

    The attributes of :class:`~driftline.errors.DriftlineError` speak of the first problem, by line. The text
    adds, on the same line, where up to nine others are and what they are.

    Attributes
    ----------
    problems : tuple of DocumentError
        All of them, in the order of the file.
    """

    default_code = "E-CONFIG"

    def __init__(self, problems: Iterable[DocumentError]) -> None:
        self.problems = tuple(problems)
        first = self.problems[0]
        super().__init__(
            first.message,
            code=first.code,
            file=first.file,
            line=first.line,
            field=first.field,
            fix=first.fix,
        )

    def __str__(self) -> str:
        others = self.problems[1:]
        if not others:
            return super().__str__()
        told = [_brief(problem) for problem in others[: MOST_TOLD - 1]]
        if len(others) > len(told):
            told.append("…")
        return f"{super().__str__()} (and {len(others)} more: {'; '.join(told)})"


def _brief(problem: DocumentError) -> str:
    line = f"line {problem.line}: " if problem.line is not None else ""
    field = f"{printable(problem.field, 100)}: " if problem.field is not None else ""
    return f"{line}{field}{printable(problem.message, 120)}"


def spelled(path: Path) -> str:
    """Write a path as TOML would: dots between keys, quotes around those that need them, ``[0]`` for elements.

    Examples
    --------
    >>> spelled(("endpoints", "a.b", "variants", 0, "weight"))
    'endpoints."a.b".variants[0].weight'
    """
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            shown = part if _BARE.fullmatch(part) else '"' + printable(part, 80) + '"'
            text += f".{shown}" if text else shown
    return text


class Problems:
    """What has been found wrong so far.

    Parameters
    ----------
    text : str
        The file's text, to find lines in.
    file : str or None
    """

    def __init__(self, text: str, file: str | None) -> None:
        self.file = file
        self._text = text
        self._found: dict[Path, tuple[str, str, str | None]] = {}

    def add(self, path: Path, message: str, fix: str | None = None, *, code: str = "E-CONFIG") -> None:
        """Note a problem at a place; of several at one place the first is told."""
        self._found.setdefault(path, (code, message, fix))

    def take(self, path: Path, error: DriftlineError) -> None:
        """Note what a check of another module refused."""
        self.add(path, error.message, error.fix or "correct or remove it", code=error.code)

    def __bool__(self) -> bool:
        return bool(self._found)

    def error(self) -> ConfigurationError:
        """Return the error that tells them all."""
        from driftline.configuration.lines import lines_of

        lines = lines_of(self._text)

        def line(path: Path) -> int | None:
            # Values that stand in a line with others have no line of their own.
            return next((lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in lines), None)

        placed = [
            (line(path), path, code, message, fix) for path, (code, message, fix) in self._found.items()
        ]
        placed.sort(key=lambda one: (one[0] is None, one[0] or 0))
        return ConfigurationError(
            DocumentError(message, code=code, file=self.file, line=at, field=spelled(path) or None, fix=fix)
            for at, path, code, message, fix in placed
        )
