"""Paths into a card: ``intended_uses.risk_rating``, ``evaluation_details[holdout].datasets.0``, ``extensions.scope``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from driftline.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["EXTENSIONS", "put", "removed", "taken"]

EXTENSIONS: Final = "extensions"
"""First step of a path to what SageMaker has no place for."""

_OWN_KEYS: Final = ("custom_details", "metadata")
"""What stands below these is named by people: the rest of a path is one key, dots and spaces and all."""

_MOST_STEPS: Final = 32

_QUOTED: Final = r'"(?:[^"\\]|\\.)*"'
_STEP: Final = re.compile(rf'({_QUOTED}|[^.\[\]"]+)')
_ITEM: Final = re.compile(rf"\[({_QUOTED}|[^\]]+)\]")


def put(card: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return a card in which something else stands at a path; the card that was given stays as it is.

    Parameters
    ----------
    card : mapping
        Content, and beside its sections the key ``extensions``.
    path : str
        Steps with dots between them, as ``driftline card diff`` prints them. In a list a step is a number, from 0, or the
        ``name`` of an item in square brackets; the number that is the length of the list appends. What leads there is made
        where it is missing.
    value : object
        As JSON has it.

    Raises
    ------
    UsageError
        ``E-CARD-PATH``.
    """
    result: dict[str, Any] = _changed(dict(card), _steps(path), path, value)
    return result


def taken(card: Mapping[str, Any], path: str) -> Any:
    """Return what stands at a path.

    Raises
    ------
    UsageError
        ``E-CARD-PATH`` where there is nothing.
    """
    found: Any = card
    for step in _steps(path):
        if isinstance(found, list):
            found = found[_place(found, step, path)]
        elif isinstance(found, dict) and step in found:
            found = found[step]
        else:
            raise _nothing(found, step, path)
    return found


def removed(card: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Return a card without what stands at a path, and without the objects that are empty then.

    Raises
    ------
    UsageError
        ``E-CARD-PATH`` where there is nothing.
    """
    taken(card, path)
    result: dict[str, Any] = _without(dict(card), _steps(path), path)
    return result


def _steps(path: str) -> list[str]:
    steps: list[str] = []
    at = 0
    while True:
        step = _STEP.match(path, at)
        if step is None:
            raise _no_path(path)
        steps.append(_plain(step[1]))
        at = step.end()
        while item := _ITEM.match(path, at):
            steps.append(_plain(item[1]))
            at = item.end()
        if at == len(path):
            break
        if path[at] != ".":
            raise _no_path(path)
        at += 1
        if steps[-1] in _OWN_KEYS and at < len(path):
            steps.append(_plain(path[at:]))
            break
    if len(steps) > _MOST_STEPS:
        raise _no_path(path)
    return steps


def _plain(step: str) -> str:
    quoted = len(step) > 1 and step[0] == step[-1] == '"'
    return re.sub(r"\\(.)", r"\1", step[1:-1], flags=re.DOTALL) if quoted else step


def _no_path(path: str) -> UsageError:
    return UsageError(
        "is no path into a card",
        code="E-CARD-PATH",
        field=path,
        fix="write one such as intended_uses.risk_rating",
    )


def _changed(node: Any, steps: list[str], path: str, value: Any) -> Any:
    if not steps:
        return value
    step, rest = steps[0], steps[1:]
    if isinstance(node, list):
        at = _place(node, step, path, appending=True)
        there = node[at] if at < len(node) else _fresh(step, rest)
        return [*node[:at], _changed(there, rest, path, value), *node[at + 1 :]]
    if not isinstance(node, dict):
        raise UsageError(
            "leads through a field that holds a value, so there is nothing below it",
            code="E-CARD-PATH",
            field=path,
            fix="leave out the last step",
        )
    there = node[step] if step in node else _fresh(step, rest)
    return {**node, step: _changed(there, rest, path, value)}


def _fresh(step: str, rest: list[str]) -> Any:
    """Return what a step that is missing leads to: a list where a number follows, an object otherwise."""
    return [] if rest and _is_number(rest[0]) and step not in _OWN_KEYS else {}


def _without(node: Any, steps: list[str], path: str) -> Any:
    step, rest = steps[0], steps[1:]
    if isinstance(node, list):
        at = _place(node, step, path)
        inner = [_without(node[at], rest, path)] if rest else []
        return [*node[:at], *inner, *node[at + 1 :]]
    left = _without(node[step], rest, path) if rest else None
    if not rest or left in ({}, []):
        return {key: value for key, value in node.items() if key != step}
    return {**node, step: left}


def _is_number(step: str) -> bool:
    return step.isascii() and step.isdecimal() and len(step) < 10


def _place(node: list[Any], step: str, path: str, *, appending: bool = False) -> int:
    named = [i for i, item in enumerate(node) if isinstance(item, dict) and item.get("name") == step]
    if len(named) == 1:
        return named[0]
    if _is_number(step) and int(step) < len(node) + appending:
        return int(step)
    raise UsageError(
        f"there is no item {step!r} in the list, which has {len(node):,}",
        code="E-CARD-PATH",
        field=path,
        fix=f"use {len(node)} to append one" if appending else "count from 0, or name one in square brackets",
    )


def _nothing(node: Any, step: str, path: str) -> UsageError:
    from driftline.documents import nearest

    close = nearest(step, node) if isinstance(node, dict) else None
    return UsageError(
        "the card has nothing there",
        code="E-CARD-PATH",
        field=path,
        fix=f"did you mean {close!r}?" if close else "look at the card",
    )
