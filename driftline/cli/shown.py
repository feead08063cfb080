"""How a baseline looks in a terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from driftline.errors import UsageError, printable

if TYPE_CHECKING:
    from rich.table import Table

    from driftline.baselines.baseline import Baseline
    from driftline.baselines.constraint import Feature

__all__ = ["print_baseline", "print_saved_baseline"]

MOST_ROWS = 200
NARROWEST = 12


def print_saved_baseline(baseline: Baseline, folder: str) -> None:
    """Say in a few lines what was learnt and where it lies."""
    kinds: dict[str, int] = {}
    for feature in baseline.constraints.features:
        kind = _kind(feature)
        kinds[kind] = kinds.get(kind, 0) + 1
    told = ", ".join(f"{n:,} {kind}" for kind, n in sorted(kinds.items()))
    click.echo(f"{_title(baseline)} ({told})")
    for note in baseline.notes:
        click.echo(f"note: {printable(note, 400)}")
    click.echo(
        f"written to {printable(folder, 300)}; look at it with: driftline show {printable(folder, 300)}"
    )


def _kind(feature: Feature) -> str:
    from driftline.baselines.constraint import InferredType

    if feature.kind != "other":
        return feature.kind
    # Constraints in SageMaker's own form know only the type.
    if feature.inferred_type.is_number:
        return "number"
    return "text" if feature.inferred_type is InferredType.STRING else "other"


def _title(baseline: Baseline) -> str:
    from driftline.reports.wording import plural

    label = printable(baseline.label, 200)
    return f"baseline of {label}: {plural(baseline.n_rows, 'row')}, {plural(len(baseline.names), 'column')}"


def print_baseline(baseline: Baseline, only: tuple[str, ...]) -> None:
    """Print a table of columns with their distributions and what they are held to."""
    from rich.console import Console

    from driftline.reports.wording import plural

    known = set(baseline.names)
    for name in only:
        if name not in known:
            from driftline.documents import nearest

            close = nearest(name, known)
            raise UsageError(
                "the baseline has no such column",
                code="E-COLUMN",
                field=name,
                fix=f"did you mean {close!r}?" if close else None,
            )
    console = Console(file=sys.stdout, highlight=False)
    width = console.width if console.is_terminal else max(console.width, 100)
    console.width = width
    made = f", made {printable(baseline.created, 40)}" if baseline.created else ""
    console.print(_title(baseline) + made, markup=False)
    for note in baseline.notes:
        console.print(f"note: {printable(note, 400)}", markup=False)
    features = [f for f in baseline.constraints.features if not only or f.name in only]
    console.print(_table(baseline, features[:MOST_ROWS], width))
    if len(features) > MOST_ROWS:
        more = plural(len(features) - MOST_ROWS, "more column")
        console.print(f"and {more}; choose with --column", markup=False)


_SHOWN_TYPES = {"time": "Time", "boolean": "Boolean"}
"""Kinds that the types of SageMaker have no word for."""


def _table(baseline: Baseline, features: list[Feature], width: int) -> Table:
    from driftline.baselines.column import Limits
    from driftline.monitor.views import summary, view
    from driftline.reports.sparkline import spark
    from driftline.reports.wording import number

    limits = baseline.profile.limits if baseline.profile is not None else Limits.for_width(len(features))
    columns = baseline.columns(limits)
    rows: list[tuple[str, ...]] = []
    for feature in features:
        column = columns.get(feature.name)
        facts = {} if column is None else summary(column)
        shape = "" if column is None else spark(view(feature.name, column, None).baseline_counts)
        median, low, high = facts.get("median"), facts.get("min"), facts.get("max")
        span = "" if low is None else f"{_short(low)} … {_short(high)}"
        if not span and column is not None and column.kind == "boolean":
            span = "false, true" if facts.get("n_distinct") == 2 else ""
        if not span and feature.domains:
            span = ", ".join(printable(v, 20) for v in feature.domains[:3]) + (
                " …" if len(feature.domains) > 3 else ""
            )
        missing = facts.get("n_missing")
        distinct = facts.get("n_distinct")
        told = (
            printable(feature.name, 60),
            _SHOWN_TYPES.get("" if column is None else column.kind, feature.inferred_type.value),
            "" if missing is None else f"{missing:,.0f}" if isinstance(missing, (int, float)) else "",
            "" if not isinstance(distinct, (int, float)) else f"{distinct:,.0f}",
            number(median) if isinstance(median, (int, float)) else "",
            span,
            shape,
            _held_to(feature),
        )
        rows.append(told)
    return _fitted(rows, width)


_HEADS = ("column", "type", "missing", "distinct", "median", "range or values", "distribution", "held to")
_FOLDED = ("column", "range or values", "held to")
_DISPENSABLE = ("distribution", "distinct", "median", "range or values", "missing")
"""Columns that are left out where they do not fit whole, in this order."""


def _fitted(rows: list[tuple[str, ...]], width: int) -> Table:
    from rich.cells import cell_len
    from rich.table import Table
    from rich.text import Text

    least: dict[str, int] = {}
    for i, head in enumerate(_HEADS):
        texts = [head, *(row[i] for row in rows)]
        least[head] = max(map(cell_len, texts))
        if head in _FOLDED:
            # Names may be folded anywhere, ranges and rules only between words.
            words = [word for text in texts for word in text.split()] if head != "column" else [head]
            least[head] = min(least[head], max(NARROWEST, *map(cell_len, words)))
    for head in _DISPENSABLE:
        if sum(least.values()) + 2 * (len(least) - 1) > width:
            least.pop(head, None)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in least:
        right = head in ("missing", "distinct", "median")
        table.add_column(
            head,
            justify="right" if right else "left",
            overflow="fold",
            no_wrap=head not in _FOLDED,
            min_width=least[head],
        )
    for row in rows:
        table.add_row(*(Text(text) for head, text in zip(_HEADS, row, strict=True) if head in least))
    return table


def _short(value: object) -> str:
    from driftline.reports.wording import number

    if isinstance(value, (int, float)):
        return number(value)
    # Of a moment, the day: the range is for orientation, and the report has all of it.
    return printable(str(value).partition("T")[0], 30)


def _held_to(feature: Feature) -> str:
    from driftline.reports.wording import plural

    parts = []
    if feature.completeness is not None:
        parts.append(
            "complete" if feature.completeness == 1.0 else f"≥ {100 * feature.completeness:.3g}% complete"
        )
    if feature.is_non_negative:
        parts.append("≥ 0")
    if feature.domains is not None:
        parts.append(plural(len(feature.domains), "known value"))
    if feature.role == "identifier":
        parts.append("identifier")
    return ", ".join(parts)
