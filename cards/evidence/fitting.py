"""Fitting: as much of an evaluation as a card has room for, what matters most first."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from driftline.cards.shapes import fitted, group
from driftline.errors import printable
from driftline.reports.wording import plural

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Piece", "Section", "clip", "fill", "label", "weight"]

MOST_LABEL: Final = 120
_GROUP: Final = 32
"""Characters of a group around its name and metrics."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A metric and the group that it belongs to."""

    group: str
    metric: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Section:
    """Pieces of one kind, those that matter most first.

    Attributes
    ----------
    name : str
        What each is, for people: ``violation``.
    pieces : tuple of Piece
    quota : int
        Characters that are its own; it gets more where others leave some.
    most : int
        Pieces, whatever room there is.
    """

    name: str
    pieces: tuple[Piece, ...]
    quota: int
    most: int = 1_000


def weight(value: object) -> int:
    """Return the characters of a value as JSON in a card: with all but ASCII escaped, as the SDK writes it."""
    return len(json.dumps(value))


def clip(text: str, chars: int, most: int | None = None) -> str:
    """Return text on one line, of at most so many characters, and of at most so many as JSON escapes them."""
    shown = printable(text, chars)
    limit = chars if most is None else most
    if weight(shown) - 2 <= limit:
        return shown
    low, high = 0, len(shown)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if weight(shown[:middle]) + 4 <= limit else (low, middle - 1)
    return shown[:low] + "…"


def label(text: str, limit: int = MOST_LABEL) -> str:
    """Return the name of a column, a feature or a group as it can stand in a card: on one line, never blank."""
    shown = fitted(printable(text, 100_000), limit)
    # Of scripts that JSON escapes, a name takes six times the room.
    while weight(shown) > 3 * limit and limit > 24:
        limit = limit * 2 // 3
        shown = fitted(shown, limit)
    return shown if shown.strip() else f'"{shown}"'


def fill(room: int, sections: Iterable[Section]) -> tuple[list[dict[str, Any]], list[str]]:
    """Return groups of metrics that fit, and what is left out.

    Parameters
    ----------
    room : int
        Characters as :func:`weight` counts them.
    sections : iterable of Section
        In the order of the card.

    Returns
    -------
    groups : list of dict
    left_out : list of str
        Such as ``12 violations``.
    """
    given = list(sections)
    taken = [0] * len(given)
    metrics: dict[str, dict[tuple[int, int], dict[str, Any]]] = {}
    # First to each section what is its own, then what is left to whoever comes first.
    for is_first in (True, False):
        for at, section in enumerate(given):
            allowed = min(room, section.quota) if is_first else room
            used = 0
            for piece in section.pieces[taken[at] : section.most]:
                cost = weight(piece.metric) + 2
                if piece.group not in metrics:
                    cost += weight(piece.group) + _GROUP
                if used + cost > allowed:
                    break
                metrics.setdefault(piece.group, {})[at, taken[at]] = piece.metric
                used += cost
                taken[at] += 1
            room -= used
    left_out = [
        plural(missing, section.name)
        for section, n in zip(given, taken, strict=True)
        if (missing := len(section.pieces) - n)
    ]
    ordered = sorted(metrics.items(), key=lambda item: min(item[1]))
    return [group(name, [found[at] for at in sorted(found)]) for name, found in ordered], left_out
