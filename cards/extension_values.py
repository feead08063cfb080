"""Kinds of fields that hold one value: text, a URI, a digest, a date, a number, a flag, a choice.

Each checks a value, says of what it does not take what to write, and tells its rule as JSON Schema.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Protocol

from driftline.cards.validation import Problem
from driftline.documents import nearest
from driftline.errors import printable

__all__ = [
    "MOST_SAFE",
    "Choice",
    "Date",
    "Digest",
    "Field",
    "Flag",
    "Number",
    "Text",
    "Uri",
    "Whole",
    "is_finite",
    "join",
    "refuse_kind",
    "unholdable",
]

MOST_SAFE: Final = (1 << 53) - 1
"""The greatest whole number that every JSON reader keeps; canonical JSON (RFC 8785) has no greater one."""

_DATE: Final = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2}))?$"
)
_DIGEST: Final = r"^sha256:[0-9a-f]{64}$"
_RUNS: Final = ("javascript", "vbscript", "data")
_RUN: Final = "|".join("".join(f"[{ch.upper()}{ch}]" for ch in word) for word in _RUNS)
_URI: Final = rf"^(?!({_RUN}):)\S+$"
_CREDENTIALS: Final = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://[^/?#@]*:[^/?#@]*@")


class Field(Protocol):
    """What stands at one place of the extensions.

    Attributes
    ----------
    meaning : str
        What it is, in one sentence without a full stop.
    """

    @property
    def meaning(self) -> str: ...  # noqa: D102

    @property
    def limit(self) -> str:
        """The rule, for people: ``text, at most 255 characters``."""

    def look(self, value: Any, path: str, found: list[Problem]) -> None:
        """Add what is wrong with a value to `found`."""

    def schema(self) -> dict[str, Any]:
        """Return the rule as JSON Schema (draft 2020-12)."""


def join(path: str, key: object) -> str:
    """Return the dotted path of what stands below `path`; keys from outside are shown printably."""
    return f"{path}.{printable(key, 80)}" if path else printable(key, 80)


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    names: dict[type, str] = {dict: "an object", list: "a list", str: "text", type(None): "null"}
    if type(value) in names:
        return names[type(value)]
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, date):
        return "a date without quotes"
    return f"a value of type {type(value).__name__}"


def refuse_kind(what: str, value: Any, path: str, found: list[Problem], fix: str | None = None) -> None:
    """Add to `found` that something else was expected."""
    if fix is None:
        fix = "write it in quotes" if isinstance(value, date) else None
    found.append(Problem(path, f"expected {what}, found {_kind(value)}", fix))


def _is_words(value: Any, path: str, found: list[Problem], most: int) -> bool:
    """Tell whether a value is text that every store and format can hold."""
    if not isinstance(value, str):
        refuse_kind("text", value, path, found)
        return False
    if len(value) > most:
        found.append(
            Problem(path, f"has {len(value):,} characters, at most {most:,} are allowed", "shorten it")
        )
        return False
    for what in unholdable(value):
        found.append(Problem(path, what, "leave it out"))
        return False
    return True


def unholdable(value: str) -> list[str]:
    """Return why no store or format could hold a text; nothing where they can."""
    if "\0" in value:
        return ["holds a NUL character"]
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return ["holds half of a surrogate pair"]
    return []


@dataclass(frozen=True, slots=True)
class Text:
    """Text.

    Attributes
    ----------
    meaning : str
    most : int
        Characters.
    """

    meaning: str
    most: int = 4096

    @property
    def limit(self) -> str:
        """The rule, for people."""
        return f"text, at most {self.most:,} characters"

    def look(self, value: Any, path: str, found: list[Problem]) -> None:
        """Add what is wrong with a value to `found`."""
        _is_words(value, path, found, self.most)

    def schema(self) -> dict[str, Any]:
        """Return the rule as JSON Schema."""
        return {"type": "string", "maxLength": self.most, "description": self.meaning}


@dataclass(frozen=True, slots=True)
class Uri:
    """Where something is: a URI or a path, which holds no password and runs nothing."""

    meaning: str
    most: int = 2048

    @property
    def limit(self) -> str:
        """The rule, for people."""
        return f"URI or path, at most {self.most:,} characters"

    def look(self, value: Any, path: str, found: list[Problem]) -> None:
        """Add what is wrong with a value to `found`."""
        if not _is_words(value, path, found, self.most):
            return
        if not value or any(ch.isspace() for ch in value):
            fix = "write a space as %20"
            found.append(Problem(path, "expected a URI, found text with white space or none", fix))
        elif value.partition(":")[0].casefold() in _RUNS and ":" in value:
            scheme = value.partition(":")[0].casefold()
            found.append(
                Problem(path, f"a URI of the scheme {scheme!r} is not kept", "give the file's own URI")
            )
        elif _CREDENTIALS.match(value):
            found.append(Problem(path, "the URI holds a password", "leave the user and the password out"))

    def schema(self) -> dict[str, Any]:
        """Return the rule as JSON Schema."""
        return {"type": "string", "maxLength": self.most, "pattern": _URI, "description": self.meaning}


@dataclass(frozen=True, slots=True)
class Digest:
    """What the bytes of a file are: SHA-256."""

    meaning: str = "SHA-256 of the file"

    @property
    def limit(self) -> str:
        """The rule, for people."""
        return "sha256: and 64 hexadecimal digits in lower case"

    def look(self, value: Any, path: str, found: list[Problem]) -> None:
        """Add what is wrong with a value to `found`."""
        if not isinstance(value, str):
            refuse_kind("text", value, path, found)
        elif not re.fullmatch(_DIGEST[1:-1], value):
            shown = printable(repr(value[:80]), 80)
            fix = "write sha256: and what `sha256sum` prints"
            found.append(Problem(path, f"expected a digest, found {shown}", fix))

    def schema(self) -> dict[str, Any]:
        """Return the rule as JSON Schema."""
        return {"type": "string", "pattern": _DIGEST, "description": self.meaning}


@dataclass(frozen=True, slots=True)
class Date:
    """A day, or an instant."""

    meaning: str

    @property
    def limit(self) -> str:
        """The rule, for people."""
        return "date as 2026-11-23, or instant as 2026-11-23T07:00:00Z"

    def look(self, value: Any, path: str, found: list[Problem]) -> None:
        """Add what is wrong with a value to `found`."""
        if not isinstance(value, str):
            refuse_kind("a date as text", value, path, found)
            return
        if re.fullmatch(_DATE[1:-1], value):
            try:
                datetime.fromisoformat(value)
            except ValueError:
                pass
            else:
                return
        shown = printable(repr(value[:60]), 60)
        fix = "write it as 2026-11-23, or with a time as 2026-11-23T07:00:00Z"
        found.append(Problem(path, f"expected a date, found {shown}", fix))

    def schema(self) -> dict[str, Any]:
        """Return the rule as JSON Schema."""
        return {"type": "string", "pattern": _DATE, "description": self.meaning}


@dataclass(frozen=True, slots=True)
class Number:
    """A finite number.

    Attributes
    ----------
    meaning : str
    low, high : float or None
        Both ends are allowed.
    """

    meaning: str
    low: float | None = None
    high: float | None = None

    @property
    def limit(self) -> str:
        """The rule, for people."""
        return "number" + _range(self.low, self.high)

    def look(self, value: Any, path: str, found: list[Problem]) -> None:
        """Add what is wrong with a value to `found`."""
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            refuse_kind("a number", value, path, found)
        elif not is_finite(value):
            found.append(Problem(path, "expected a finite number that a double can hold", None))
        else:
            _look_range(value, self.low, self.high, path, found)

    def schema(self) -> dict[str, Any]:
        """Return the rule as JSON Schema."""
        return {"type": "number", **_ends(self.low, self.high), "description": self.meaning}


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number.

    Attributes
    ----------
    meaning : str
    low, high : int
        Both ends are allowed.
    """

    meaning: str
    low: int = 0
    high: int = MOST_SAFE

    @property
    def limit(self) -> str:
        """The rule, for people."""
        return "whole number" + _range(self.low, None if self.high == MOST_SAFE else self.high)

    def look(self, value: Any, path: str, found: list[Problem]) -> None:
        """Add what is wrong with a value to `found`."""
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_number or (isinstance(value, float) and not value.is_integer()):
            refuse_kind("a whole number", value, path, found)
        else:
            _look_range(value, self.low, self.high, path, found)

    def schema(self) -> dict[str, Any]:
        """Return the rule as JSON Schema."""
        return {"type": "integer", **_ends(self.low, self.high), "description": self.meaning}


def is_finite(value: float) -> bool:
    """Tell whether a double can hold a number."""
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


def _range(low: float | None, high: float | None) -> str:
    if high is None:
        return "" if low is None else f", {low:g} or more"
    return f", at most {high:g}" if low is None else f", {low:g} to {high:g}"


def _ends(low: float | None, high: float | None) -> dict[str, float]:
    return {key: end for key, end in (("minimum", low), ("maximum", high)) if end is not None}


def _look_range(value: float, low: float | None, high: float | None, path: str, found: list[Problem]) -> None:
    if low is not None and value < low:
        found.append(Problem(path, f"expected {low:g} or more, found {printable(value, 40)}", None))
    elif high is not None and value > high:
        found.append(Problem(path, f"expected at most {high:g}, found {printable(value, 40)}", None))


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    meaning: str

    @property
    def limit(self) -> str:
        """The rule, for people."""
        return "true or false"

    def look(self, value: Any, path: str, found: list[Problem]) -> None:
        """Add what is wrong with a value to `found`."""
        if not isinstance(value, bool):
            refuse_kind("true or false", value, path, found)

    def schema(self) -> dict[str, Any]:
        """Return the rule as JSON Schema."""
        return {"type": "boolean", "description": self.meaning}


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    meaning: str
    words: tuple[str, ...]

    @property
    def limit(self) -> str:
        """The rule, for people."""
        return "one of " + ", ".join(self.words)

    def look(self, value: Any, path: str, found: list[Problem]) -> None:
        """Add what is wrong with a value to `found`."""
        if not isinstance(value, str):
            refuse_kind("text", value, path, found)
        elif value not in self.words:
            close = nearest(value[:100], self.words)
            fix = f"did you mean {close!r}?" if close else "use one of " + ", ".join(self.words)
            found.append(Problem(path, f"unknown value {printable(repr(value[:60]), 60)}", fix))

    def schema(self) -> dict[str, Any]:
        """Return the rule as JSON Schema."""
        return {"enum": list(self.words), "description": self.meaning}
