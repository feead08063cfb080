"""The violations as a table that fits its terminal, or as a list where no table does.

A header, a number or a histogram is whole or not there. What gives way first is the name of the column, which is
folded; then the long words for checks and bounds; then both histograms; at last the table itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from driftline.baselines.constraint import Severity
from driftline.reports import wording
from driftline.reports.sparkline import spark_pair

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType
    from rich.text import Text

    from driftline.reports.outcome import Outcome
    from driftline.reports.report import ColumnView, Report

__all__ = ["table"]

FEWEST_CELLS: Final = 7
MOST_CELLS: Final = 20
NARROWEST_NAME: Final = 12
GAP: Final = 2

HEADS: Final = ("column", "check", "value", "allowed", "evidence", "baseline", "current")


@dataclass(frozen=True, slots=True)
class _Row:
    """What one line of the table says, in cells that still have to be given their widths."""

    outcome: Outcome
    view: ColumnView | None

    def words(self, *, long: bool) -> tuple[str, str, str, str]:
        """Return check, value, allowed and evidence."""
        c = self.outcome.constraint
        return (
            wording.title(c.check) if long else wording.short_title(c.check),
            wording.value(self.outcome.measurement),
            wording.bound(c) if long else wording.short_bound(c),
            wording.evidence(self.outcome),
        )

    def name(self, width: int) -> str:
        """Return the column and its segment, in about three lines of `width` at most."""
        label = wording.subject(self.outcome, min(60, max(24, 2 * width)))
        if self.outcome.segment is not None and self.outcome.constraint.column is not None:
            label += f" [{wording.name(self.outcome.segment, min(40, max(16, width)))}]"
        return label

    @property
    def style(self) -> str:
        loud = self.outcome.constraint.severity is Severity.CRITICAL
        return "bold red" if loud else "bold"

    def pictures(self, cells: int) -> tuple[str, str]:
        if self.view is None:
            return "", ""
        return spark_pair(self.view.baseline_counts, self.view.current_counts, width=cells)


def table(report: Report, outcomes: Sequence[Outcome], width: int) -> RenderableType:
    """Lay out violations.

    Parameters
    ----------
    report : Report
        Where the histograms are.
    outcomes : sequence of Outcome
        What to show, in this order. The histograms stand beside the first of several rows about one column.
    width : int
        Characters per line.

    Returns
    -------
    rich renderable
        No wider than `width`, where that is 40 or more.
    """
    rows = list(_rows(report, outcomes))
    pictured = any(row.view is not None for row in rows)
    wish = FEWEST_CELLS if width < 100 else min(MOST_CELLS, (width - 76) // 2)
    for long in (True, False) if width >= 110 else (False,):
        for cells in dict.fromkeys((wish, FEWEST_CELLS)) if pictured else (0,):
            widths = _widths(rows, width, long=long, cells=cells)
            if widths is not None:
                return _drawn(rows, widths, long=long, cells=cells)
    widths = _widths(rows, width, long=False, cells=0)
    return _listed(rows) if widths is None else _drawn(rows, widths, long=False, cells=0)


def _rows(report: Report, outcomes: Sequence[Outcome]) -> Iterator[_Row]:
    views = {(view.name, view.segment): view for view in report.columns}
    last: tuple[str | None, str | None] | None = None
    for outcome in outcomes:
        column, segment = at = outcome.constraint.column, outcome.segment
        view = views.get((column or "", segment)) or views.get((column or "", None))
        yield _Row(outcome, None if at == last else view)
        last = at


def _widths(rows: Sequence[_Row], width: int, *, long: bool, cells: int) -> tuple[int, ...] | None:
    """Return the widths of the columns, or None where something would have to be cut."""
    from rich.cells import cell_len

    texts = [row.words(long=long) for row in rows]
    full = [
        max(map(cell_len, (head, *column)))
        for head, column in zip(HEADS[1:5], zip(*texts, strict=True), strict=True)
    ]
    words = [
        max(cell_len(word) for text in (head, *column) for word in text.split())
        for head, column in zip(HEADS[1:5], zip(*texts, strict=True), strict=True)
    ]
    pictures = [max(cells, len(head)) for head in HEADS[5:]] if cells else []
    check, value, allowed, evidence = full
    # Short words leave room for longer ones, so that tables of several runs look alike.
    check = max(check, 12)
    widest = max(14, width // 4)
    name = max(cell_len(HEADS[0]), *(min(widest, cell_len(row.name(widest))) for row in rows))
    spare = width - GAP * (4 + len(pictures)) - value - evidence - sum(pictures) - name - check - allowed
    narrowed = []
    for wanted, least in ((name, min(name, NARROWEST_NAME)), (allowed, words[2]), (check, words[0])):
        given = max(least, wanted + min(0, spare))
        spare += wanted - given
        narrowed.append(given)
    name, allowed, check = narrowed
    return None if spare < 0 else (name, check, value, allowed, evidence, *pictures)


def _drawn(rows: Sequence[_Row], widths: Sequence[int], *, long: bool, cells: int) -> RenderableType:
    from rich import box
    from rich.table import Table

    drawn = Table(
        box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False, header_style="dim"
    )
    for head, width in zip(HEADS, widths, strict=False):
        folded = head in ("column", "check", "allowed")
        drawn.add_column(
            head,
            justify="right" if head == "value" else "left",
            width=width,
            overflow="fold",
            no_wrap=not folded,
        )
    for row in rows:
        texts = [_text(text) for text in row.words(long=long)]
        if cells:
            before, now = row.pictures(cells)
            texts += [_text(before, "blue"), _text(now, "yellow")]
        drawn.add_row(_text(row.name(widths[0]), row.style), *texts)
    return drawn


def _listed(rows: Sequence[_Row]) -> RenderableType:
    """Return every violation as a paragraph below its column, which fits any width."""
    from rich.console import Group
    from rich.padding import Padding

    told: list[RenderableType] = []
    last: tuple[str, str] | None = None
    for row in rows:
        check, value, allowed, evidence = row.words(long=False)
        facts = [value, f"{allowed} allowed", evidence]
        said = ", ".join(fact for fact in facts if not fact.startswith(wording.NONE))
        if last != (row.name(60), row.style):
            last = row.name(60), row.style
            told.append(Padding(_text(*last), (0, 0, 0, 2)))
        told.append(Padding(_text(f"{check}: {said}" if said else check), (0, 0, 0, 4)))
    return Group(*told)


def _text(text: str, style: str = "") -> Text:
    from rich.text import Text

    return Text(text, style=style, overflow="fold")
