"""Shapes: metrics and groups of metrics as a card's content holds them, within its limits."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "MOST_AXIS",
    "MOST_CELLS",
    "MOST_GROUP_NAME",
    "MOST_JOB_NAME",
    "MOST_NOTES",
    "MOST_POINTS",
    "MOST_VALUE",
    "confusion",
    "fitted",
    "group",
    "metric",
    "thinned",
]

MOST_AXIS: Final = 63
MOST_BARS: Final = 10_000
MOST_CELLS: Final = 20
MOST_GROUP_NAME: Final = 255
MOST_JOB_NAME: Final = 63
MOST_NOTES: Final = 1024
MOST_POINTS: Final = 1_000
MOST_VALUE: Final = 63

_OTHER: Final = ("other", "other classes", "all other classes")


def fitted(text: str, limit: int) -> str:
    """Return text of at most `limit` characters; of longer ones begin and end, with a digest of the whole between them.

    So two long names that differ stay different.

    Examples
    --------
    >>> fitted("age", 63), fitted("a" * 30, 24)
    ('age', 'aaaaaaaaa…3a54fc0c…aaaaa')
    """
    if len(text) <= limit:
        return text
    mark = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    tail = max(1, (limit - 10) * 2 // 5)
    return f"{text[: limit - 10 - tail]}…{mark}…{text[-tail:]}"


def metric(
    name: str,
    kind: str,
    value: object,
    *,
    notes: str | None = None,
    x: str | Sequence[str] | None = None,
    y: str | Sequence[str] | None = None,
) -> dict[str, Any]:
    """Return a metric, its keys in the order of the SDK; what is None is left out.

    Parameters
    ----------
    name : str
    kind : {"number", "string", "boolean", "linear_graph", "bar_chart", "matrix"}
    value : object
    notes : str, optional
        What is too long loses its end.
    x, y : str or sequence of str, optional
        Names of the axes, or of bars, rows and columns.
    """
    made: dict[str, Any] = {"name": fitted(name, 255), "type": kind, "value": value}
    if notes:
        made["notes"] = notes if len(notes) <= MOST_NOTES else notes[: MOST_NOTES - 1] + "…"
    for key, axis in (("x_axis_name", x), ("y_axis_name", y)):
        if isinstance(axis, str):
            made[key] = fitted(axis, MOST_AXIS)
        elif axis is not None:
            made[key] = [fitted(one, MOST_AXIS) for one in axis]
    return made


def group(name: str, metrics: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a group of metrics."""
    return {"name": fitted(name, MOST_GROUP_NAME), "metric_data": metrics}


def thinned(points: Sequence[Any], limit: int) -> tuple[list[Any], str | None]:
    """Return at most `limit` of the points, spaced evenly, the first and the last among them.

    Parameters
    ----------
    points : sequence
    limit : int
        At least 2.

    Returns
    -------
    list
    str or None
        What to say of it; None where all points are there.
    """
    n = len(points)
    if n <= limit:
        return list(points), None
    kept = [points[i * (n - 1) // (limit - 1)] for i in range(limit)]
    return kept, f"{limit:,} of {n:,} points, evenly spaced"


def confusion(
    counts: Mapping[str, Mapping[str, float]],
) -> tuple[list[list[float]], list[str], list[str], list[str]]:
    """Return a confusion matrix as rows of numbers, not larger than 20 by 20.

    Parameters
    ----------
    counts : mapping of str to mapping of str to number
        By the actual class, then by the predicted one. A cell that is not there counts nothing.

    Returns
    -------
    rows : list of list of number
    actual, predicted : list of str
        Names of rows and columns. Of more than 20 classes the 19 with most rows are kept; the others are folded into one.
    said : list of str
        What a reader should know.
    """
    actual = list(counts)
    predicted = list(dict.fromkeys(key for row in counts.values() for key in row))
    said = []
    if any(key not in row for row in counts.values() for key in predicted):
        said.append("cells that the report leaves out are 0")
    rows = [[counts[a].get(p, 0) for p in predicted] for a in actual]
    if max(len(actual), len(predicted)) > MOST_CELLS:
        rows, actual, predicted, note = _folded(rows, actual, predicted)
        said.append(note)
    return rows, actual, predicted, said


def _folded(
    rows: list[list[float]], actual: list[str], predicted: list[str]
) -> tuple[list[list[float]], list[str], list[str], str]:
    classes = list(dict.fromkeys((*actual, *predicted)))
    support = {name: sum(row) for name, row in zip(actual, rows, strict=True)}
    order = {name: at for at, name in enumerate(classes)}
    kept = set(sorted(classes, key=lambda name: (-support.get(name, 0), order[name]))[: MOST_CELLS - 1])
    other = next((name for name in _OTHER if name not in kept), "…")
    by_row: dict[str, list[float]] = {}
    columns = _names(predicted, kept, other)
    at = [columns.index(name if name in kept else other) for name in predicted]
    for name, row in zip(actual, rows, strict=True):
        into = by_row.setdefault(name if name in kept else other, [0] * len(columns))
        for column, count in zip(at, row, strict=True):
            into[column] += count
    named = _names(actual, kept, other)
    note = f"the {MOST_CELLS - 1} classes with most rows of {len(classes):,}; {other!r} is all the others together"
    return [by_row[name] for name in named], named, columns, note


def _names(names: Sequence[str], kept: set[str], other: str) -> list[str]:
    found = [name for name in names if name in kept]
    return found if len(found) == len(names) else [*found, other]
