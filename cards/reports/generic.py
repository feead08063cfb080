"""Card metrics: a report that holds groups of metrics in the card's own form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from driftline.cards.reports.values import NOT_AVAILABLE, Gathered, numbers, scalar
from driftline.cards.shapes import MOST_POINTS, thinned

if TYPE_CHECKING:
    from driftline.documents import Node

__all__ = ["KEY", "card_metrics"]

KEY: Final = "metric_groups"
_KEYS: Final = ("name", "type", "value", "notes", "x_axis_name", "y_axis_name")
_TYPES: Final = ("number", "string", "boolean", "linear_graph", "bar_chart", "matrix")


def card_metrics(report: Node, into: Gathered) -> None:
    """Take the groups as they are; what has the wrong type is refused, what has no value is missing."""
    for found in report[KEY].items():
        found.known("name", "metric_data")
        metrics = into.group(found.text("name"))
        for item in found["metric_data"].items():
            _metric(item, metrics, into)


def _metric(item: Node, metrics: list[dict[str, Any]], into: Gathered) -> None:
    item.known(*_KEYS)
    name = item.text("name")
    kind = item.choice("type", _TYPES)
    value, why = _value(item, kind)
    made = {key: given for key in _KEYS if (given := item.object().get(key)) is not None}
    if value is None:
        if into.keep_missing:
            metrics.append({"name": name, "type": "string", "value": NOT_AVAILABLE} | _notes(made))
        into.warn(f"{name!r} has no value" + (f": {why}" if why else ""))
        return
    if kind == "linear_graph":
        value, note = thinned(value, MOST_POINTS)
        if note:
            made["notes"] = "; ".join(part for part in (made.get("notes"), note) if part)
    metrics.append({key: value if key == "value" else made[key] for key in _KEYS if key in made})


def _notes(made: dict[str, Any]) -> dict[str, Any]:
    return {"notes": made["notes"]} if "notes" in made else {}


def _value(item: Node, kind: str) -> tuple[Any, str | None]:
    """Return the value, None where there is none, and why."""
    given = item["value"].value
    if given is None:
        return None, None
    if kind == "number":
        return scalar(item, "value"), None
    if kind == "string":
        return item.text("value"), None
    if kind == "boolean":
        return item.boolean("value"), None
    node = item["value"]
    if kind == "bar_chart":
        bars = numbers(node)
        return (None, "a bar has no number") if None in bars else (bars or None, "it has no bar")
    rows = [numbers(row) for row in node.items()]
    if kind == "linear_graph":
        for row, numbered in zip(node.items(), rows, strict=True):
            if len(numbered) != 2:
                raise row.error(f"expected a pair of numbers, found {len(numbered):,}")
        points = [row for row in rows if None not in row]
        return points or None, "there is no point with two numbers"
    if any(None in row for row in rows):
        return None, "a cell has no number"
    return rows or None, "it has no cell"
