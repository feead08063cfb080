"""Reading the parts of a report back from decoded JSON, trusting nothing.

Each function takes the :class:`~driftline.documents.Node` of one part and returns the value, or raises the
:class:`~driftline.errors.DocumentError` that names the field.
"""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import fields
from datetime import datetime
from typing import TYPE_CHECKING, Final

from driftline.baselines.constraint import CHECKS, Constraint, Severity
from driftline.baselines.metrics import METRICS
from driftline.documents import Node
from driftline.reports.exhibit import KINDS as EXHIBIT_KINDS
from driftline.reports.exhibit import MOST_EXHIBITS, Exhibit, flaws_of_all
from driftline.reports.outcome import Measurement, Outcome, Place, Status
from driftline.reports.report import ColumnView, Incident, Side
from driftline.reports.spelling import NON_FINITE, unspell_value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = [
    "INCIDENT_KINDS",
    "KINDS",
    "maybe_text",
    "moment",
    "read_column",
    "read_exhibits",
    "read_incident",
    "read_outcome",
    "read_side",
    "texts",
]

KINDS: Final = ("number", "text", "boolean", "time", "other")
"""What a column can hold."""

INCIDENT_KINDS: Final = ("rows", "columns", "drift", "column", "metric")
"""What an incident can be."""


_CHECKS: Final = (*CHECKS, *METRICS)

_KEYS: Final[Mapping[type, tuple[str, ...]]] = {
    part: tuple(field.name for field in fields(part))
    for part in (ColumnView, Constraint, Exhibit, Incident, Measurement, Outcome, Side)
}


def moment(node: Node, key: str) -> str:
    """Return the ISO 8601 time with offset at `key`, as it is written."""
    value = node.text(key)
    try:
        aware = datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        aware = False
    if not aware:
        raise node.error(
            f"expected an ISO 8601 time with its offset, found {value[:40]!r}",
            key=key,
            fix="write it like 2026-11-23T07:00:00Z",
        )
    return value


def maybe_text(node: Node, key: str) -> str | None:
    """Return the text at `key`, or None where it is absent or null."""
    return node.text(key) if node.has(key) else None


def texts(node: Node, key: str) -> tuple[str, ...]:
    """Return the list of texts at `key`; empty where it is absent or null."""
    if not node.has(key):
        return ()
    values = node[key].value
    if type(values) is list and all(type(value) is str for value in values):
        return tuple(values)
    for item in node[key].items():
        if not isinstance(item.value, str):
            raise item.error("expected text")
    raise node[key].error("expected a list of texts")


def _number(node: Node, key: str, *, low: float = -math.inf, high: float = math.inf) -> float:
    node.number(key, low=low, high=high)
    # Whole numbers stay whole, so that writing the report again gives the same bytes.
    number: float = node[key].value
    return number


def _maybe_number(node: Node, key: str, *, low: float = -math.inf, high: float = math.inf) -> float | None:
    return _number(node, key, low=low, high=high) if node.has(key) else None


def _wide(node: Node, key: str, *, nan: bool = True) -> float | None:
    """Read a number that may be infinite, or not a number where `nan` allows it."""
    value = node.object().get(key)
    if value is None:
        return None
    if isinstance(value, str):
        if value in NON_FINITE and (nan or value != "NaN"):
            return NON_FINITE[value]
        known = ", ".join(repr(spelling) for spelling in NON_FINITE if nan or spelling != "NaN")
        raise node.error(f"expected a number or one of {known}", key=key)
    return _number(node, key)


def read_side(node: Node) -> Side:
    """Read what was compared."""
    node.known(*_KEYS[Side])
    digest = node.text("digest")
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
        raise node.error("expected 'sha256:' and 64 hexadecimal digits", key="digest")
    return Side(
        label=node.text("label"),
        n_rows=node.integer("n_rows"),
        n_columns=node.integer("n_columns"),
        digest=digest,
        sources=texts(node, "sources"),
        created=moment(node, "created") if node.has("created") else None,
    )


def _read_places(node: Node, key: str) -> tuple[Place, ...]:
    if not node.has(key):
        return ()
    return tuple(
        Place(source=item.known("source", "row").text("source"), row=item.integer("row", low=1))
        for item in node[key].items()
    )


def read_outcome(node: Node) -> Outcome:
    """Read an outcome with its constraint and measurement."""
    node.known(*_KEYS[Outcome])
    return Outcome(
        constraint=_read_constraint(node["constraint"]),
        measurement=_read_measurement(node["measurement"]),
        status=Status(node.choice("status", [status.value for status in Status])),
        reason=node.text("reason"),
        q_value=_maybe_number(node, "q_value", low=0, high=1),
        segment=maybe_text(node, "segment"),
    )


def _read_constraint(node: Node) -> Constraint:
    node.known(*_KEYS[Constraint])
    return Constraint(
        check=node.choice("check", _CHECKS),
        column=maybe_text(node, "column"),
        bound=_wide(node, "bound", nan=False),
        expected=maybe_text(node, "expected"),
        low=_wide(node, "low", nan=False),
        high=_wide(node, "high", nan=False),
        domain=texts(node, "domain") if node.has("domain") else None,
        evidence=node.boolean("evidence"),
        min_rows=node.integer("min_rows"),
        severity=Severity(node.choice("severity", [severity.value for severity in Severity])),
        why=node.text("why"),
    )


def _read_measurement(node: Node) -> Measurement:
    node.known(*_KEYS[Measurement])
    return Measurement(
        name=node.text("name"),
        value=_wide(node, "value"),
        unit=node.text("unit"),
        n_current=node.integer("n_current"),
        n_baseline=node.integer("n_baseline") if node.has("n_baseline") else None,
        interval=_read_interval(node),
        sketch_error=_maybe_number(node, "sketch_error", low=0) or 0.0,
        p_value=_maybe_number(node, "p_value", low=0, high=1),
        detectable=_wide(node, "detectable"),
        n_bad=node.integer("n_bad") if node.has("n_bad") else None,
        where=_read_places(node, "where"),
        examples=texts(node, "examples"),
        note=maybe_text(node, "note"),
        baseline=_wide(node, "baseline"),
    )


def _read_interval(node: Node) -> tuple[float, float] | None:
    if not node.has("interval"):
        return None
    ends = list(_read_wides(node["interval"]))
    if len(ends) != 2 or ends[0] > ends[1]:
        raise node.error("expected two numbers, the smaller one first", key="interval")
    return ends[0], ends[1]


def _read_wides(node: Node) -> Iterator[float]:
    for i, item in enumerate(node.items()):
        number = _wide(Node({str(i): item.value}, item.file, node.path), str(i))
        if number is None:
            raise item.error("expected a number, found null")
        yield number


def read_incident(node: Node, outcomes: Sequence[Outcome]) -> Incident:
    """Read an incident, whose positions must be those of violated `outcomes`."""
    node.known(*_KEYS[Incident])
    positions = []
    for item in node["outcomes"].items():
        at = item.value
        if type(at) is not int or not 0 <= at < len(outcomes) or not outcomes[at].is_violation:
            raise item.error("expected the position of a violated outcome", fix="count from 0")
        positions.append(at)
    return Incident(
        kind=node.choice("kind", INCIDENT_KINDS),
        title=node.text("title"),
        detail=node.text("detail"),
        outcomes=tuple(positions),
        columns=texts(node, "columns"),
        where=_read_places(node, "where"),
        severity=node.choice("severity", [severity.value for severity in Severity]),
    )


def read_column(node: Node) -> ColumnView:
    """Read both sides of one column."""
    node.known(*_KEYS[ColumnView])
    edges = _read_edges(node)
    labels = texts(node, "labels")
    if edges and labels:
        raise node.error("a column has edges or labels, not both", key="labels")
    n = len(edges) - 1 if edges else len(labels)
    return ColumnView(
        name=node.text("name"),
        kind=node.choice("kind", KINDS),
        inferred_type=node.text("inferred_type"),
        edges=edges,
        labels=labels,
        baseline_counts=_read_counts(node, "baseline_counts", n),
        current_counts=_read_counts(node, "current_counts", n),
        baseline_summary=_read_summary(node["baseline_summary"]),
        current_summary=_read_summary(node["current_summary"]),
        segment=maybe_text(node, "segment"),
    )


def _are_numbers(values: object) -> bool:
    return type(values) is list and all(type(value) is float or type(value) is int for value in values)


def _read_edges(node: Node) -> tuple[float, ...]:
    if not node.has("edges"):
        return ()
    inner = node["edges"]
    edges = tuple(inner.value) if _are_numbers(inner.value) else tuple(_read_wides(inner))
    if len(edges) < 2 or not all(a <= b for a, b in itertools.pairwise(edges)):
        raise inner.error("expected at least two numbers that do not fall")
    return edges


def _read_counts(node: Node, key: str, n: int) -> tuple[float, ...]:
    if not node.has(key):
        return ()
    values = node[key].value
    if not _are_numbers(values) or any(value < 0 for value in values):
        raise node.error("expected a list of numbers that are not negative", key=key)
    if len(values) != n:
        raise node.error(f"expected {n} counts to match the edges or labels, found {len(values)}", key=key)
    return tuple(values)


def _read_summary(node: Node) -> dict[str, float | str | None]:
    result: dict[str, float | str | None] = {}
    for key, value in node.object().items():
        try:
            result[key] = unspell_value(value)
        except ValueError as error:
            raise node.error(str(error), key=key) from None
    return result


def read_exhibits(root: Node) -> tuple[Exhibit, ...]:
    """Read the exhibits of a report; none where it has none, as reports of earlier releases."""
    if not root.has("exhibits"):
        return ()
    exhibits: list[Exhibit] = []
    nodes = []
    for node in root["exhibits"].items():
        if len(exhibits) > MOST_EXHIBITS:
            break
        nodes.append(node)
        exhibits.append(_read_exhibit(node))
    for at, where, what in flaws_of_all(exhibits):
        raise nodes[at].error(what, key=where or None)
    return tuple(exhibits)


def _read_exhibit(node: Node) -> Exhibit:
    node.known(*_KEYS[Exhibit])
    return Exhibit(
        name=node.text("name"),
        kind=node.choice("kind", EXHIBIT_KINDS),
        title=node.text("title"),
        caption=node.text("caption"),
        columns=texts(node, "columns"),
        rows=tuple(_read_row(item) for item in node["rows"].items()),
        units=texts(node, "units"),
        options=_read_options(node),
    )


def _read_row(node: Node) -> tuple[str | float | None, ...]:
    values = node.value
    if not isinstance(values, list):
        raise node.error("expected a list of cells")
    try:
        return tuple(unspell_value(value) for value in values)
    except ValueError as error:
        raise node.error(str(error)) from None


def _read_options(node: Node) -> dict[str, str | float | bool]:
    if not node.has("options"):
        return {}
    options = dict(node["options"].object())
    for key, value in options.items():
        if not isinstance(value, (str, int, float)):
            raise node["options"].error("expected text, a number or a boolean", key=key)
    return options
