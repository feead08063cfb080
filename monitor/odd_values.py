"""Odd values: where values that are not of the expected type stand, and what they look like."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from driftline.baselines.describe import iso_time
from driftline.baselines.times import is_time, times_in
from driftline.errors import printable
from driftline.kernels.distribution import from_key
from driftline.kernels.tally import N_PLACES, Sort

if TYPE_CHECKING:
    from driftline.baselines.column import Column

__all__ = ["odd_rows", "odd_values", "spelled"]

_NO_NUMBER = (Sort.BOOLEAN, Sort.STRING, Sort.TIME, Sort.OTHER)
_INFINITE = (Sort.POSITIVE_INFINITY, Sort.NEGATIVE_INFINITY)
_WRONG = {
    "Integral": (Sort.FRACTIONAL, *_INFINITE, *_NO_NUMBER),
    "Fractional": _NO_NUMBER,
    "String": (),
    "Boolean": (Sort.FRACTIONAL, *_INFINITE, Sort.STRING, Sort.TIME, Sort.OTHER),
    "Time": (),
    "Nested": (),
}
"""Sorts of values whose rows are known and that are not of a type."""


def odd_rows(column: Column, expected: str) -> list[int]:
    """Return the first rows whose values are not of the expected type, as far as they are known."""
    if expected == "Boolean" and column.family == "text":
        return []  # "true" as a text is one, and its neighbours are of the same sort
    categories = column.categories
    if expected == "Time" and categories is not None and categories.is_complete:
        texts = categories.texts
        odd = [int(r) for i, r in enumerate(categories.first.tolist()) if not is_time(texts.at(i))]
        return sorted(odd)[:N_PLACES] if column.family in ("text", "lexical") else []
    return column.tally.rows_of(*_WRONG[expected]) if _WRONG[expected] else []


def odd_values(column: Column, expected: str) -> tuple[str, ...]:
    """Return up to three values that are not of the expected type."""
    if expected == "Time" and column.family in ("text", "lexical"):
        return tuple(printable(text, 40) for text in times_in(column).odd)
    if column.family in ("text", "lexical") and column.categories is not None:
        found = []
        for text, _ in column.categories.top(200):
            shown = text.decode("utf-8", "replace")
            if not _fits(shown, expected):
                found.append(printable(shown, 40))
        return tuple(found[:3])
    if column.family == "boolean" and column.categories is not None:
        return tuple(f"{text.decode()} ({column.declared})" for text, _ in column.categories.top(2))
    if column.numbers is not None and column.numbers.n:
        distribution = column.numbers.distribution
        if not distribution.is_exact:
            return () if expected == "Integral" else (column.declared,)
        values = from_key(distribution.cells)
        if expected == "Integral" and column.kind == "number":
            odd = values[np.floor(values) != values]
            return tuple(spelled(float(v)) for v in odd[:3])
        said = iso_time if column.kind == "time" else spelled
        return tuple(f"{said(float(v))} ({column.declared})" for v in values[:2])
    return (column.declared,) if expected != "Integral" else ()


def _fits(text: str, expected: str) -> bool:
    if expected == "Boolean":
        return text.lower() in ("true", "false")
    return expected in ("Integral", "Fractional") and _is_number(text, whole=expected == "Integral")


def _is_number(text: str, *, whole: bool) -> bool:
    try:
        value = float(text)
    except ValueError:
        return False
    return value.is_integer() if whole else True


def spelled(value: float) -> str:
    """Return a number with up to twelve digits, whole numbers with all of theirs."""
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return f"{value:.12g}"
