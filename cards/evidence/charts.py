"""Charts: the exhibits of a report as lines, bars and matrices of a card, with the report's own numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from driftline.baselines.constraint import DRIFT_CHECKS
from driftline.baselines.metrics import QUALITY
from driftline.cards.evidence.fitting import Piece, clip, label
from driftline.cards.evidence.outcomes import by_weight, drift_distances, exact, number
from driftline.cards.shapes import MOST_AXIS, MOST_CELLS, confusion, metric, thinned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from driftline.reports.exhibit import Exhibit
    from driftline.reports.report import ColumnView, Report

__all__ = ["charts", "tables", "unjudged"]

POINTS: Final = 24
"""Of a line; a curve over all thresholds looks the same with them."""

BARS: Final = 20
_SERIES: Final = 4
_DISTRIBUTIONS: Final = 3
_TOLD: Final = frozenset(("all_metrics", "slices"))
"""Tables whose numbers stand among the metrics already."""


def charts(report: Report) -> tuple[Piece, ...]:
    """Return charts; those of the data in question before those of the baseline, those that changed first."""
    found: list[tuple[tuple[int, ...], Piece]] = []

    def add(order: tuple[int, ...], made: dict[str, Any] | None) -> None:
        if made is not None:
            found.append((order, Piece(f"charts - {report.recipe}", made)))

    changed = _changed(report)
    for at, exhibit in enumerate(report.exhibits):
        _, _, subject = exhibit.name.partition(":")
        far = changed.index(subject) if subject in changed else len(changed)
        rank = 0 if not subject or subject == "baseline" else 1 + far
        if exhibit.kind == "matrix":
            add((rank, int(subject == "baseline"), at, 0), _matrix(exhibit))
        elif exhibit.kind == "curve":
            for series, line in _lines(exhibit):
                add((rank, int(series != "current"), at, 0), line)
        elif exhibit.kind == "bars":
            for side, bars in enumerate(_bars(exhibit)):
                add((rank, side, at, 0), bars)
    if report.recipe == "data-quality":
        add((0, 0, 0, 0), _drift(report))
        for at, view in enumerate(_moved(report)):
            for side, distribution in enumerate(_distributions(view)):
                add((1, at, side, 0), distribution)
    return tuple(piece for _, piece in sorted(found, key=lambda item: item[0]))


def _changed(report: Report) -> list[str]:
    """Return what violated outcomes are of, the worst first."""
    names = [o.constraint.column for o in sorted(report.violations, key=by_weight)]
    return list(dict.fromkeys(name for name in names if name is not None))


def _axis(text: str) -> str | None:
    return label(text, MOST_AXIS) if text else None


def _notes(exhibit: Exhibit, *said: str | None) -> str | None:
    parts = [clip(exhibit.caption, 300, 500), *(part for part in said if part)]
    return " ".join(part if part.endswith(".") else f"{part}." for part in parts if part) or None


def _finite(value: object) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)


def _lines(exhibit: Exhibit) -> list[tuple[str, dict[str, Any]]]:
    series: dict[str, list[list[Any]]] = {}
    for name, x, y in exhibit.rows:
        points = series.setdefault(str(name), [])
        if _finite(x) and _finite(y):
            points.append([x, y])
    made = []
    for name in list(series)[:_SERIES]:
        if series[name]:
            points, note = thinned(series[name], POINTS)
            made.append(
                (
                    name,
                    metric(
                        f"{label(exhibit.name)} - {label(name, 40)}",
                        "linear_graph",
                        points,
                        notes=_notes(exhibit, note),
                        x=_axis(exhibit.columns[1]),
                        y=_axis(exhibit.columns[2]),
                    ),
                )
            )
    return made


def _bars(exhibit: Exhibit) -> list[dict[str, Any] | None]:
    """Return the bars of the current side, then those of the baseline."""
    rows = sorted(exhibit.rows, key=_height) if len(exhibit.rows) > BARS else exhibit.rows
    note = f"The {BARS} highest of {len(rows):,}" if len(rows) > BARS else None
    made: list[dict[str, Any] | None] = []
    for at, side in ((2, "current"), (1, "baseline")):
        found = [(label(str(row[0]), 40), row[at]) for row in rows[:BARS] if _finite(row[at])]
        if not found:
            made.append(None)
            continue
        lost = min(len(rows), BARS) - len(found)
        without = f"{lost} without a number left out" if lost else None
        made.append(
            metric(
                f"{label(exhibit.name)} - {side}",
                "bar_chart",
                [value for _, value in found],
                notes=_notes(exhibit, note, without),
                x=[name for name, _ in found],
                y=_axis(exhibit.title),
            )
        )
    return made


def _height(row: Sequence[Any]) -> float:
    return -max((abs(v) for v in row[1:3] if _finite(v)), default=-1.0)


def _matrix(exhibit: Exhibit) -> dict[str, Any] | None:
    heads = exhibit.columns[1:]
    counts: dict[str, dict[str, float]] = {}
    for name, *cells in exhibit.rows:
        if not all(_finite(cell) for cell in cells):
            return None
        counts[str(name)] = dict(zip(heads, cells, strict=True))  # type: ignore[arg-type]
    if not counts or not heads or len(set(heads)) < len(heads) or len(counts) < len(exhibit.rows):
        return None
    rows, actual, predicted, said = confusion(counts)
    if exhibit.units[1:2] == ("share",) and max(len(counts), len(heads)) > MOST_CELLS:
        return None  # shares cannot be added up
    return metric(
        label(exhibit.name),
        "matrix",
        rows,
        notes=_notes(exhibit, *said),
        x=[label(name, 40) for name in actual],
        y=[label(name, 40) for name in predicted],
    )


def _drift(report: Report) -> dict[str, Any] | None:
    found = drift_distances(report)
    if not found:
        return None
    shown = found[:BARS]
    note = f"The {BARS} that moved most of {len(found):,}. " if len(found) > BARS else ""
    return metric(
        "distance from the baseline",
        "bar_chart",
        [value for _, value in shown],
        notes=f"{note}Kolmogorov–Smirnov for numbers, L-infinity for categories: 0 is no difference, 1 the largest.",
        x=[label(name, 40) for name, _ in shown],
        y="distance",
    )


def _moved(report: Report) -> list[ColumnView]:
    """Return the columns whose distribution has moved, the furthest first."""
    views = {(view.name, view.segment): view for view in report.columns}
    names = [
        (o.constraint.column, o.segment)
        for o in sorted(report.violations, key=by_weight)
        if o.constraint.check in DRIFT_CHECKS
    ]
    found = [views[name] for name in dict.fromkeys(names) if name in views]
    return found[:_DISTRIBUTIONS]


def _distributions(view: ColumnView) -> list[dict[str, Any] | None]:
    name = label(view.name if view.segment is None else f"{view.name} [{view.segment}]")
    made: list[dict[str, Any] | None] = []
    for side, counts in (("current", view.current_counts), ("baseline", view.baseline_counts)):
        title = f"distribution of {name} - {side}"
        if view.edges and counts:
            points = [
                [edge, n]
                for edge, n in zip(view.edges, counts, strict=False)
                if math.isfinite(edge) and math.isfinite(n)
            ]
            note = "Rows by the lower end of their bin."
            made.append(
                metric(title, "linear_graph", points, notes=note, x=_axis(view.name), y="rows")
                if points
                else None
            )
        elif view.labels and counts:
            shown = list(zip(view.labels, counts, strict=False))[:BARS]
            note = f"The first {BARS} of {len(view.labels):,} values." if len(view.labels) > BARS else ""
            made.append(
                metric(
                    title,
                    "bar_chart",
                    [n for _, n in shown],
                    notes=note,
                    x=[label(text, 40) for text, _ in shown],
                    y="rows",
                )
            )
    return made


_KEYS: Final = {info.title: name for name, info in QUALITY.items()}


def unjudged(report: Report) -> tuple[Piece, ...]:
    """Return the metrics of model quality that are shown and not judged."""
    if report.recipe != "model-quality":
        return ()
    known = {o.constraint.check for o in report.outcomes if o.segment is None}
    found: dict[str, Piece] = {}
    for exhibit in report.exhibits:
        is_table = exhibit.name == "all_metrics" and exhibit.kind == "table" and len(exhibit.columns) >= 4
        if not is_table and not (exhibit.name.startswith("metrics") and exhibit.kind == "intervals"):
            continue
        for row in exhibit.rows:
            key = _KEYS.get(str(row[0]))
            if key is None or key in known or key in found:
                continue
            before, now = (row[1], row[3]) if is_table else (row[1], row[2])
            facts = ["not judged"]
            if isinstance(before, (int, float)):
                facts.append(f"baseline {exact(before)}")
            if is_table and isinstance(row[4], (int, float)):
                facts.append(f"standard error {exact(row[4])}")
            value = now if isinstance(now, (int, float)) else None
            found[key] = Piece(f"{report.recipe} metrics", number(key, value, "; ".join(facts)))
    return tuple(found.values())


def tables(report: Report) -> tuple[Piece, ...]:
    """Return the numbers of other tables: groups and their rows, coverage, the highest scores."""
    found = []
    for exhibit in report.exhibits:
        if exhibit.kind != "table" or exhibit.name in _TOLD:
            continue
        for row in exhibit.rows:
            for head, value in zip(exhibit.columns[1:], row[1:], strict=True):
                if isinstance(value, (int, float)) and math.isfinite(value):
                    first = (
                        row[0] if isinstance(row[0], str) else exact(row[0]) if row[0] is not None else "–"
                    )
                    name = f"{label(first, 80)} - {label(head, 60)}"
                    found.append(Piece(label(exhibit.title or exhibit.name), metric(name, "number", value)))
    return tuple(found)
