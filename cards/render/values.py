"""Values of a card as words: numbers, moments, lists, and where they came from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from driftline.cards.render.blocks import Badge, Fact, Span, Words, code, given, muted, own
from driftline.reports import wording

__all__ = [
    "DIGITS",
    "at",
    "dig",
    "fact",
    "is_stated",
    "lines_of",
    "moment",
    "named",
    "number",
    "objects",
    "scalar",
    "source_words",
]

DIGITS: Final = 6
"""Significant digits of a number on paper."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MARKS: Final = ("arn:", "sha256:", "s3://", "gs://", "https://", "http://", "file:", "abfs")


def number(x: float | None) -> str:
    """Spell a number with six significant digits.

    Examples
    --------
    >>> number(0.9655172), number(12345), number(-0.114157244)
    ('0.965517', '12,345', '−0.114157')
    """
    return wording.number(x, DIGITS)


def at(microseconds: int) -> datetime:
    """Return an instant of the registry as a date and time in UTC."""
    return _EPOCH + timedelta(microseconds=microseconds)


def moment(microseconds: int) -> str:
    """Spell an instant.

    Examples
    --------
    >>> moment(0)
    '1970-01-01 00:00:00 UTC'
    """
    try:
        return f"{at(microseconds):%Y-%m-%d %H:%M:%S} UTC"
    except OverflowError:  # beyond the years 1 to 9999
        return f"{microseconds:,} µs"


def is_stated(value: Any) -> bool:
    """Tell whether a field says anything: not there, null, white space, and empty lists and objects do not."""
    if value is None:
        return False
    if isinstance(value, str):
        return bool(value.strip())
    if isinstance(value, (list, tuple)):
        return any(is_stated(item) for item in value)
    if isinstance(value, Mapping):
        return any(is_stated(item) for item in value.values())
    return True


def dig(document: Any, path: str) -> Any:
    """Return what stands at a dotted path of a document; None where nothing does."""
    for key in path.split("."):
        if not isinstance(document, Mapping):
            return None
        document = document.get(key)
    return document


def objects(value: Any) -> list[dict[str, Any]]:
    """Return the objects of a list; of anything else, none."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, (list, tuple)) else []


def scalar(value: Any) -> Words:
    """Show a single value: identifiers in letters of equal width, numbers as numbers, everything else as it is."""
    if isinstance(value, bool):
        return own("yes" if value else "no")
    if isinstance(value, (int, float)):
        return own(number(value))
    text = str(value)
    is_code = text.startswith(_MARKS) and not any(ch.isspace() for ch in text)
    return code(text) if is_code else given(text)


def named(text: Any) -> Words:
    """Show a name; say so where there is none."""
    return given(text) if is_stated(text) else muted("without a name")


def lines_of(value: Any) -> tuple[Words, ...]:
    """Show a value: one line for each item of a list and for each line of a text."""
    if isinstance(value, (list, tuple)):
        return tuple(line for item in value if is_stated(item) for line in lines_of(item))
    if isinstance(value, Mapping):
        return tuple(
            (Span(str(key), "given"), Span(": "), *line)
            for key, item in value.items()
            if is_stated(item)
            for line in lines_of(item)
        )
    if isinstance(value, str):
        return tuple(scalar(line) for line in value.strip("\n").replace("\r\n", "\n").split("\n"))
    return (scalar(value),)


def fact(
    label: str,
    value: Any,
    *,
    source: Words = (),
    is_prose: bool = False,
    badge: Badge | None = None,
) -> Fact:
    """Return a field with one of our labels."""
    lines = lines_of(value) if value is not None else ()
    return Fact(own(label), lines, source, is_prose, badge)


def source_words(provenance: Mapping[str, Any], path: str) -> Words:
    """Say where a field came from, looking at the field itself and at what it is part of."""
    parts = path.split(".")
    for n in range(len(parts), 0, -1):
        known = provenance.get(".".join(parts[:n]))
        if isinstance(known, Mapping) and is_stated(known.get("source")):
            when = str(known.get("moment") or "")[:10]
            more: Words = (*muted(", "), Span(when, "given")) if when else ()
            return (*muted("collected from "), Span(str(known["source"]), "given"), *more)
    return ()
