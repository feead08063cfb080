"""The metrics of a report as a table that fits its terminal: what is violated first, then what could not be judged.

What gives way first are the long words for metrics and bounds, then the evidence, then the intervals; at last the
table becomes a list. Each group, feature or segment has a line of its own above its metrics, or a column where each
has one metric or so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from driftline.baselines.constraint import Severity
from driftline.reports import wording
from driftline.reports.outcome import Status
from driftline.reports.selection import representatives

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

    from driftline.reports.outcome import Outcome
    from driftline.reports.report import Report

__all__ = ["MARKS", "chosen", "table"]

MARKS: Final = {
    Status.VIOLATED: ("✕", "bold red"),
    Status.UNDETERMINED: ("?", "bold yellow"),
    Status.PASSED: ("✓", "bold green"),
}
"""Mark and style of each status."""

MOST_VIOLATED: Final = 40
MOST_OTHERS: Final = 16
GAP: Final = 2
HEADS: Final = ("metric", "baseline", "current", "95% interval", "allowed", "evidence")
_FOLDED: Final = frozenset(("of", "metric"))
_NARROWEST: Final = 12


def chosen(report: Report) -> list[Outcome]:
    """Pick the metrics to show: the violated ones, then as many of the others as leave the table short."""
    violated = representatives(report, per_incident=MOST_VIOLATED, limit=MOST_VIOLATED)
    others = [o for o in report.outcomes if o.status is Status.UNDETERMINED]
    others += [o for o in report.outcomes if o.status is Status.PASSED]
    picked = [*violated, *others[: max(0, MOST_OTHERS - len(violated))]]
    # What is of one group stands together, the groups in the order of what is worst.
    first: dict[str, int] = {}
    for outcome in picked:
        first.setdefault(wording.scope(outcome, 1000), len(first))
    return sorted(picked, key=lambda o: first[wording.scope(o, 1000)])


@dataclass(frozen=True, slots=True)
class _Form:
    """How much of each metric is told."""

    is_long: bool
    heads: tuple[str, ...]
    is_flat: bool = False

    def words(self, outcome: Outcome) -> tuple[str, ...]:
        c, m = outcome.constraint, outcome.measurement
        told = {
            "of": wording.scope(outcome, 28),
            "metric": wording.title(c.check) if self.is_long else wording.short_title(c.check),
            "baseline": wording.baseline(m),
            "current": wording.value(m),
            "95% interval": wording.interval(m),
            "allowed": wording.bound(c) if self.is_long else wording.short_bound(c),
            "evidence": wording.evidence(outcome),
        }
        return tuple(told[head] for head in self.columns)

    @property
    def columns(self) -> tuple[str, ...]:
        """Heads of the columns; a group stands in one where it has no line of its own."""
        return ("of", *self.heads) if self.is_flat else self.heads


_FORMS: Final = (
    _Form(is_long=True, heads=HEADS),
    _Form(is_long=False, heads=HEADS),
    _Form(is_long=False, heads=HEADS[:5]),
    _Form(is_long=False, heads=(*HEADS[:3], HEADS[4])),
)


def table(outcomes: Sequence[Outcome], width: int) -> RenderableType:
    """Lay out metrics, under a line of their own for each group, feature or segment.

    Parameters
    ----------
    outcomes : sequence of Outcome
    width : int
        Characters per line.

    Returns
    -------
    rich renderable
        No wider than `width`, where that is 40 or more.
    """
    leads = [lead for lead in _leads(outcomes) if lead is not None]
    is_flat = len(leads) * 2 > len(outcomes)
    for tried in _FORMS:
        form = replace(tried, is_flat=is_flat)
        rows = [form.words(outcome) for outcome in outcomes]
        widths = _widths(form, rows, width)
        if widths is not None:
            return _drawn(form, outcomes, rows, widths)
    return _listed(outcomes)


def _widths(form: _Form, rows: Sequence[tuple[str, ...]], width: int) -> tuple[int, ...] | None:
    """Return the widths of the columns, or None where something would have to be cut."""
    from rich.cells import cell_len

    columns = list(zip(form.columns, *rows, strict=True))
    widths = [max(cell_len(text) for text in column) for column in columns]
    spare = width - sum(widths) - GAP * len(widths) - 1
    for i, (head, column) in enumerate(zip(form.columns, columns, strict=True)):
        # The long form is for terminals that hold it whole.
        if spare < 0 and head in _FOLDED and not form.is_long:
            longest_word = max(cell_len(word) for text in column for word in text.split() or [""])
            given = max(min(longest_word, widths[i]), min(widths[i], _NARROWEST), widths[i] + spare)
            spare += widths[i] - given
            widths[i] = given
    return None if spare < 0 else tuple(widths)


def _drawn(
    form: _Form, outcomes: Sequence[Outcome], rows: Sequence[tuple[str, ...]], widths: Sequence[int]
) -> RenderableType:
    from rich.console import Group

    # No cell of a table can reach over the others, so each group is a table of its own, all of the same widths.
    parts: list[RenderableType] = [_empty(form, widths, has_head=True)]
    drawn: Table | None = None
    for outcome, words, lead in zip(outcomes, rows, _leads(outcomes), strict=True):
        if lead is not None and not form.is_flat:
            parts.append(_text(lead, "cyan"))
        if (lead is not None and not form.is_flat) or drawn is None:
            drawn = _empty(form, widths, has_head=False)
            parts.append(drawn)
        mark, style = MARKS[outcome.status]
        loud = outcome.constraint.severity is Severity.CRITICAL and outcome.is_violation
        name = _text(words[0], "bold red" if loud else "bold" if outcome.is_violation else "")
        drawn.add_row(_text(mark, style), name, *(_text(word) for word in words[1:]))
    return Group(*parts)


def _empty(form: _Form, widths: Sequence[int], *, has_head: bool) -> Table:
    from rich import box
    from rich.table import Table

    drawn = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        show_edge=False,
        show_header=has_head,
        header_style="dim",
    )
    drawn.add_column("", width=1)
    for head, width in zip(form.columns, widths, strict=True):
        drawn.add_column(
            head,
            justify="right" if head in ("baseline", "current") else "left",
            width=width,
            overflow="fold",
            no_wrap=head not in _FOLDED,
        )
    return drawn


def _leads(outcomes: Sequence[Outcome]) -> Iterator[str | None]:
    """Give what stands above each row: the group, where it is another than that of the row before."""
    scopes = [wording.scope(outcome, 60) for outcome in outcomes]
    has_parts = any(o.constraint.column is not None or o.segment is not None for o in outcomes)
    last: str | None = None
    for scope in scopes:
        yield scope if has_parts and scope != last else None
        last = scope


def _listed(outcomes: Sequence[Outcome]) -> RenderableType:
    """Return every metric as a paragraph, which fits any width."""
    from rich.console import Group
    from rich.padding import Padding

    told: list[RenderableType] = []
    for outcome, lead in zip(outcomes, _leads(outcomes), strict=True):
        if lead is not None:
            told.append(Padding(_text(lead, "cyan"), (0, 0, 0, 2)))
        c, m = outcome.constraint, outcome.measurement
        facts = f"{wording.baseline(m)} → {wording.value(m)}, {wording.short_bound(c)} allowed"
        mark, _ = MARKS[outcome.status]
        told.append(Padding(_text(f"{mark} {wording.title(c.check)}: {facts}"), (0, 0, 0, 2)))
    return Group(*told)


def _text(text: str, style: str = "") -> Text:
    from rich.text import Text

    return Text(text, style=style, overflow="fold")
