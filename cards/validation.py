"""What is wrong with a card's content: all of it at once, each with its place.

A place is a dotted path with bare integers as list positions, as the service for SageMaker's cards names it:
``evaluation_details.0.metric_groups.2.name``.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from driftline.cards.errors import CardError
from driftline.cards.fields import plain
from driftline.cards.limits import (
    CONTENT_CHARACTERS,
    METRIC,
    RULES,
    SECTIONS,
    Boolean,
    ByType,
    Choice,
    Items,
    Map,
    Number,
    Object,
    Rule,
    Text,
    is_parsed_name,
    keys,
)
from driftline.documents import nearest
from driftline.errors import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["MAX_PROBLEMS", "Problem", "check", "problems", "refuse"]

MAX_PROBLEMS: Final = 1000
"""Most problems that are named; whoever has more has one mistake in a long list."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Attributes
    ----------
    path : str
        Dotted, with bare integers as list positions; empty where the whole content is meant.
    what : str
        What was expected and what was found.
    fix : str or None
        What to try.
    """

    path: str
    what: str
    fix: str | None = None

    def __str__(self) -> str:
        place = f"{printable(self.path)}: " if self.path else ""
        return place + printable(self.what, 500) + (f"; {printable(self.fix, 300)}" if self.fix else "")


def problems(content: object) -> list[Problem]:
    """Find everything that is wrong with content.

    Parameters
    ----------
    content : object
        Content as a mapping of plain values; objects of the classes count as what they write, and whatever else it is,
        is a problem.

    Returns
    -------
    list of Problem
        In the order of the document, the size of the whole last; at most :data:`MAX_PROBLEMS`. Empty when a card may
        be saved with this content.

    Examples
    --------
    >>> [str(p) for p in problems({"intended_uses": {"risk_rating": "low", "purpose": "x"}})]
    ... # doctest: +NORMALIZE_WHITESPACE
    ["intended_uses.risk_rating: expected one of High, Medium, Low, Unknown, found 'low'; did you mean 'Low'?",
     "intended_uses.purpose: unknown key; did you mean 'purpose_of_model'?"]
    """
    found: list[Problem] = []
    try:
        value = plain(content)
    except RecursionError:
        return [Problem("", "the content nests too deep", "flatten it")]
    _judge(value, RULES[""], "", "", {}, found)
    if isinstance(value, dict):
        _judge_size(value, found)
    return found[:MAX_PROBLEMS]


def check(content: object, file: object = None) -> None:
    """Refuse content that a card may not have.

    Parameters
    ----------
    content : object
    file : object, optional
        Name used in the error.

    Raises
    ------
    CardError
        With all problems in ``problems``; its message is the first, and says how many more there are.
    """
    refuse(problems(content), file)


def refuse(found: list[Problem], file: object = None) -> None:
    """Raise one error for several problems, if there are any.

    Parameters
    ----------
    found : list of Problem
    file : object, optional

    Raises
    ------
    CardError
    """
    if not found:
        return
    first, more = found[0], len(found) - 1
    rest = f" (and {more:,} more problem{'s' if more > 1 else ''})" if more else ""
    raise CardError(first.what + rest, problems=found, file=file, field=first.path or None, fix=first.fix)


def _judge(
    value: Any, rule: Rule, pattern: str, path: str, beside: Mapping[str, Any], found: list[Problem]
) -> None:
    """Add what is wrong with a value to `found`; `beside` is the object it stands in."""
    if len(found) >= MAX_PROBLEMS:
        return
    match rule:
        case Object():
            _judge_object(value, pattern, path, found)
        case Map():
            _judge_map(value, pattern, path, found)
        case Items():
            _judge_items(value, rule, pattern, path, found)
        case ByType(rules):
            kind = beside.get("type")
            one = rules.get(kind) if isinstance(kind, str) else None
            if one is not None:  # otherwise the type is the problem
                _judge(value, one, pattern, path, beside, found)
        case Text():
            _judge_text(value, rule, path, found)
        case Number(minimum):
            _judge_number(value, minimum, path, found)
        case Boolean():
            if not isinstance(value, bool):
                found.append(_expected("true or false", value, path))
        case Choice(texts):
            if not (isinstance(value, str) and value in texts):
                close = nearest(value, texts) if isinstance(value, str) else None
                shown = repr(str(value)) if isinstance(value, str) else _kind(value)
                found.append(
                    Problem(
                        path,
                        f"expected one of {', '.join(texts)}, found {shown}",
                        f"did you mean {close!r}?" if close else None,
                    )
                )


def _judge_object(value: Any, pattern: str, path: str, found: list[Problem]) -> None:
    if not isinstance(value, dict):
        found.append(_expected("an object", value, path))
        return
    known = keys(pattern)
    for key, item in value.items():
        if len(found) >= MAX_PROBLEMS:
            return
        place = _join(path, key)
        if key not in known:
            close = nearest(key, known) if isinstance(key, str) else None
            found.append(Problem(place, "unknown key", f"did you mean {close!r}?" if close else "remove it"))
        else:
            below = f"{pattern}.{key}" if pattern else str(key)
            if item is None:
                fix = "give it a value" if RULES[below].required else "leave it out"
                found.append(Problem(place, "must not be null", fix))
            else:
                _judge(item, RULES[below], below, place, value, found)
    for key in known:
        if key not in value and RULES[f"{pattern}.{key}" if pattern else key].required:
            found.append(Problem(_join(path, key), "required and missing"))
    if pattern == METRIC and value.get("type") == "matrix":
        _judge_matrix(value, path, found)


def _judge_map(value: Any, pattern: str, path: str, found: list[Problem]) -> None:
    if not isinstance(value, dict):
        found.append(_expected("an object", value, path))
        return
    for key, item in value.items():
        if len(found) >= MAX_PROBLEMS:
            return
        place = _join(path, key)
        if not isinstance(key, str):
            found.append(Problem(place, f"a key is text, not {_kind(key)}"))
        elif not key.strip():
            found.append(Problem(place, "a key must not be blank", "name it"))
        else:
            _judge_characters(key, place, found, "the key")
        _judge(item, RULES[f"{pattern}.*"], f"{pattern}.*", place, value, found)


def _judge_items(value: Any, rule: Items, pattern: str, path: str, found: list[Problem]) -> None:
    if not isinstance(value, list):
        found.append(_expected("a list", value, path))
        return
    size = len(value)
    if rule.high is not None and size > rule.high:
        wanted = f"exactly {rule.high}" if rule.low == rule.high else f"at most {rule.high:,}"
        found.append(Problem(path, f"has {size:,} items, {wanted} are allowed"))
    elif size < rule.low:
        wanted = f"exactly {rule.low}" if rule.low == rule.high else f"at least {rule.low}"
        found.append(Problem(path, f"has {size or 'no'} items, {wanted} are needed"))
    below = f"{pattern}.*"
    each = rule.of if rule.of is not None else RULES[below]
    for position, item in enumerate(value):
        _judge(item, each, below, _join(path, position), {}, found)


def _judge_text(value: Any, rule: Text, path: str, found: list[Problem]) -> None:
    if not isinstance(value, str):
        found.append(_expected("text", value, path))
        return
    high = rule.high
    if rule.parsed is not None and is_parsed_name(value):
        high = rule.parsed
    if high is not None and len(value) > high:
        found.append(
            Problem(path, f"has {len(value):,} characters, at most {high:,} are allowed", "shorten it")
        )
    if rule.low and not value.strip():
        found.append(Problem(path, "must not be empty" if not value else "must not be blank"))
    _judge_characters(value, path, found, "the text")


def _judge_characters(text: str, path: str, found: list[Problem], what: str) -> None:
    if "\x00" in text:
        found.append(
            Problem(path, f"{what} holds a NUL character at position {text.index(chr(0))}", "remove it")
        )
    try:
        text.encode()
    except UnicodeEncodeError as error:
        half = f"half a character (a lone surrogate) at position {error.start}"
        found.append(Problem(path, f"{what} holds {half}", "remove it"))


def _judge_number(value: Any, minimum: float | None, path: str, found: list[Problem]) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        found.append(_expected("a number", value, path))
        return
    try:
        held = float(value)
    except OverflowError:
        found.append(Problem(path, "the number is larger than a double can hold"))
        return
    if not math.isfinite(held):
        found.append(Problem(path, f"{held} is not JSON", "leave it out"))
    elif isinstance(value, int) and int(held) != value:
        found.append(Problem(path, "the number has more digits than a double can hold", "write it as text"))
    elif minimum is not None and held < minimum:
        found.append(Problem(path, f"expected at least {minimum:g}, found {value:g}"))


def _judge_matrix(metric: Mapping[str, Any], path: str, found: list[Problem]) -> None:
    rows = metric.get("value")
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        return
    width = len(rows[0]) if rows else 0
    for position, row in enumerate(rows):
        if len(row) != width:
            what = f"has {len(row)} numbers, the first row has {width}"
            found.append(
                Problem(f"{_join(path, 'value')}.{position}", what, "give every row the same length")
            )
    for key, size, of in (("x_axis_name", len(rows), "rows"), ("y_axis_name", width, "columns")):
        labels = metric.get(key)
        if isinstance(labels, list) and labels and len(labels) != size:
            what = f"has {len(labels)} labels, the matrix has {size} {of}"
            found.append(Problem(_join(path, key), what, "give one label for each, or none"))


def _judge_size(content: dict[Any, Any], found: list[Problem]) -> None:
    size = _characters(content)
    if size is None or size <= CONTENT_CHARACTERS:
        return
    sizes = {name: _characters(content[name]) or 0 for name in SECTIONS if name in content}
    largest = max(sizes, key=lambda name: sizes[name], default=None)
    what = f"the content has {size:,} characters, at most {CONTENT_CHARACTERS:,} are allowed"
    if largest is not None:
        what += f"; the largest section, {largest}, has {sizes[largest]:,}"
    found.append(Problem("", what, f"shorten {largest}" if largest else None))


def _characters(value: Any) -> int | None:
    try:
        return len(json.dumps(value, ensure_ascii=False))
    except (TypeError, ValueError, RecursionError):
        return None  # then some value has a problem of its own


def _join(path: str, key: object) -> str:
    return f"{path}.{key}" if path else str(key)


def _expected(wanted: str, value: object, path: str) -> Problem:
    return Problem(
        path, f"expected {wanted}, found {_kind(value)}", "leave it out" if value is None else None
    )


_KINDS: Final = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}


def _kind(value: object) -> str:
    if type(value) in (int, float):
        return "a number"
    return _KINDS.get(type(value), f"a value of type {type(value).__name__}")
