"""The exhibits of a report in a terminal: the small ones as tables, curves as a line of blocks; the page has them all."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from driftline.errors import printable
from driftline.reports import wording
from driftline.reports.scale import finite
from driftline.reports.sparkline import trace
from driftline.reports.svg_curve import series_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType
    from rich.text import Text

    from driftline.reports.exhibit import Exhibit

__all__ = ["MOST_SHOWN", "figure", "shown_of"]

MOST_SHOWN: Final = 8
MOST_OF_FAMILY: Final = 2
MOST_ROWS: Final = 8
MOST_CLASSES: Final = 8
MOST_SERIES: Final = 4
NAME: Final = 28
CELLS: Final = 32
GAP: Final = 2

Row = tuple[str | float | None, ...]


def shown_of(exhibits: Sequence[Exhibit]) -> list[Exhibit]:
    """Pick what a terminal shows: not the intervals, which the table of metrics tells, and few of each family."""
    chosen: list[Exhibit] = []
    families: dict[str, int] = {}
    for exhibit in exhibits:
        lead, colon, _ = exhibit.name.partition(":")
        if exhibit.kind == "intervals" or not exhibit.rows:
            continue
        if exhibit.kind == "curve" and not any(
            point for points in series_of(exhibit).values() for point in points
        ):
            continue
        if exhibit.kind == "matrix" and max(len(exhibit.columns) - 1, len(exhibit.rows)) > MOST_CLASSES:
            continue
        if colon:
            families[lead] = families.get(lead, 0) + 1
            if families[lead] > MOST_OF_FAMILY:
                continue
        chosen.append(exhibit)
    return chosen[:MOST_SHOWN]


def figure(exhibit: Exhibit, width: int) -> RenderableType:
    """Build one exhibit, no wider than `width`."""
    if exhibit.kind == "curve":
        return _curve(exhibit, width)
    if exhibit.kind == "bars":
        return _table(exhibit, _largest(exhibit.rows), width)
    return _table(exhibit, exhibit.rows, width)


def _largest(rows: Sequence[Row]) -> list[Row]:
    """Return the pairs that differ most first."""

    def change(row: Row) -> float:
        pair = finite(row[1:3])
        size = abs(pair[1] - pair[0]) if len(pair) == 2 else math.inf
        return -size if not math.isnan(size) else 0.0

    return sorted(rows, key=change) if len(rows) > MOST_ROWS else list(rows)


def _table(exhibit: Exhibit, rows: Sequence[Row], width: int) -> RenderableType:
    from rich.cells import cell_len
    from rich.console import Group
    from rich.table import Table

    heads = [printable(head, 24) for head in exhibit.columns]
    body = [
        [printable(wording.cell(cell, exhibit.unit(j)), NAME) for j, cell in enumerate(row)]
        for row in rows[:MOST_ROWS]
    ]
    # The first cells name the rows: they have the room that the others leave.
    others = [max(cell_len(cells[j]) for cells in (heads, *body)) + GAP for j in range(1, len(heads))]
    limit = min(60, max(NAME, width - 2 - sum(others)))
    for cells, row in zip(body, rows, strict=False):
        cells[0] = wording.name(_lead(row, exhibit), limit)
    widths = [max(cell_len(text) for text in column) for column in zip(heads, *body, strict=True)]
    kept, room = 0, width - 2
    for wanted in widths:
        room -= wanted + (GAP if kept else 0)
        if room < 0 and kept:
            break
        kept += 1
    drawn = Table.grid(padding=(0, GAP, 0, 0))
    for j in range(kept):
        drawn.add_column(
            justify="left" if j == 0 else "right",
            no_wrap=True,
            overflow="ellipsis",
            max_width=max(8, width - 4),
        )
    drawn.add_row(*(_text(head, "dim") for head in heads[:kept]))
    for cells in body:
        drawn.add_row(*(_text(cell) for cell in cells[:kept]))
    left = [
        wording.plural(n, f"more {noun}")
        for n, noun in ((len(rows) - len(body), "row"), (len(heads) - kept, "column"))
        if n > 0
    ]
    more = [_text(f"and {' and '.join(left)} in the HTML report", "dim")] if left else []
    return Group(drawn, *more)


def _lead(row: Row, exhibit: Exhibit) -> str:
    return wording.cell(row[0], exhibit.unit(0))


def _curve(exhibit: Exhibit, width: int) -> RenderableType:
    from rich.console import Group
    from rich.table import Table

    series = series_of(exhibit)
    points = {name: [p for p in found if p is not None] for name, found in series.items()}
    every = [p for found in points.values() for p in found]
    grid = Table.grid(padding=(0, GAP, 0, 0))
    low, high = min(p[1] for p in every), max(p[1] for p in every)
    first, last = min(p[0] for p in every), max(p[0] for p in every)
    cells = max(8, min(CELLS, width - 46))
    for name, found in list(points.items())[:MOST_SERIES]:
        drawn = trace(_heights(found, first, last, cells), low, high)
        ends = (
            " to ".join(wording.unit_value(p[1], exhibit.unit(2)) for p in (found[0], found[-1]))
            if found
            else ""
        )
        grid.add_row(_text(wording.name(name, 16)), _text(drawn, "yellow"), _text(ends, "dim"))
    axis = f"{exhibit.columns[2]} over {exhibit.columns[1]}"
    left = len(points) - MOST_SERIES
    more = f", and {left:,} more" if left > 0 else ""
    return Group(grid, _text(printable(axis + more, max(20, width - 4)), "dim"))


def _heights(
    points: Sequence[tuple[float, float]], first: float, last: float, cells: int
) -> list[float | None]:
    """Read a line at equal distances; None before and behind it."""
    ordered = sorted(points)
    if len(ordered) < 2 or not last > first:
        return [p[1] for p in ordered[:cells]]
    heights: list[float | None] = []
    at = 0
    for i in range(cells):
        x = first + (last - first) * (i / (cells - 1))
        while at + 1 < len(ordered) - 1 and ordered[at + 1][0] < x:
            at += 1
        (x0, y0), (x1, y1) = ordered[at], ordered[at + 1]
        if not x0 <= x <= x1:
            heights.append(None)
            continue
        part = (x - x0) / (x1 - x0) if x1 > x0 else 0.0
        heights.append(y0 * (1 - part) + y1 * part)
    return heights


def _text(text: str, style: str = "") -> Text:
    from rich.text import Text

    return Text(text, style=style, overflow="fold")
