"""The report in a terminal: the verdict first, then what happened, then where.

Works at 80 columns, without colour, in a pipe and where only ASCII can be shown. Outside text is shown as
text: no markup is interpreted and control characters are escaped.
"""

from __future__ import annotations

import sys
from typing import IO, TYPE_CHECKING, Final

from driftline.baselines.constraint import Severity
from driftline.errors import printable
from driftline.reports import wording
from driftline.reports.headline import headline, subtitle
from driftline.reports.outcome import Status
from driftline.reports.selection import by_reason, representatives
from driftline.reports.sparkline import ASCII, BLOCKS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

    from driftline.reports.outcome import Outcome
    from driftline.reports.report import Report

__all__ = ["print_report", "print_to", "render"]

MAX_INCIDENTS: Final = 10
MAX_ROWS: Final = 40
MAX_PER_INCIDENT: Final = 5
MAX_REASONS: Final = 6

MARKS: Final[Mapping[Status, tuple[str, str]]] = {
    Status.VIOLATED: ("✕", "bold red"),
    Status.UNDETERMINED: ("?", "bold yellow"),
    Status.PASSED: ("✓", "bold green"),
}
"""Mark and style of each status."""

_PLAIN: Final = str.maketrans(
    {**dict(zip(BLOCKS, ASCII, strict=True)), **dict(zip("─✕✓–−“”…→", '-x+--"".>', strict=True))}
)
"""One character for one, so that tables stay aligned."""


def print_report(report: Report, file: IO[str] | None = None, *, console_width: int | None = None) -> None:
    """Print a report for people.

    Parameters
    ----------
    report : Report
    file : text file, optional
        By default the standard output. Where it is no terminal, or ``NO_COLOR`` is set, nothing is coloured;
        where it cannot hold Unicode, ASCII stands in.
    console_width : int, optional
        Characters per line; by default those of the terminal, or 80.
    """
    print_to(lambda width: render(report, width), file, console_width=console_width)


def print_to(
    build: Callable[[int], RenderableType], file: IO[str] | None = None, *, console_width: int | None = None
) -> None:
    """Print what ``build(width)`` returns, in characters that `file` can hold; see :func:`print_report`."""
    from rich.console import Console

    target = sys.stdout if file is None else file
    console = Console(file=target, width=console_width, highlight=False, markup=False, emoji=False)
    if console.is_terminal and _holds_unicode(target):
        console.print(build(console.width))
        return
    with console.capture() as captured:
        console.print(build(console.width))
    # Rich fills tables up to their width; nobody wants those blanks in a file.
    text = "\n".join(line.rstrip() for line in captured.get().split("\n"))
    if not _holds_unicode(target):
        text = text.translate(_PLAIN).encode("ascii", "backslashreplace").decode("ascii")
    target.write(text)


def _holds_unicode(file: IO[str]) -> bool:
    try:
        (BLOCKS + "─✕✓–−“”…→").encode(getattr(file, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def render(report: Report, console_width: int | None = None) -> RenderableType:
    """Build what :func:`print_report` prints.

    Parameters
    ----------
    report : Report
    console_width : int, optional
        Characters per line that the caller will print to; 80 if not given.

    Returns
    -------
    rich renderable
    """
    from rich.console import Group

    return Group(
        *_verdict(report),
        *_sides(report),
        *_incidents(report),
        *_found(report, 80 if console_width is None else console_width),
        *_undetermined(report),
        *_notes(report),
    )


def _text(*pieces: tuple[str, str]) -> Text:
    from rich.text import Text

    text = Text()
    for piece, style in pieces:
        text.append(piece, style=style)
    return text


def _indented(*pieces: tuple[str, str]) -> RenderableType:
    from rich.padding import Padding

    return Padding(_text(*pieces), (0, 0, 0, 2))


def _verdict(report: Report) -> Iterator[RenderableType]:
    mark, style = MARKS[report.status]
    yield _text((f"{mark} ", style), (printable(headline(report), 300), "bold"))
    more = subtitle(report)
    if more:
        yield _indented((printable(more, 700), ""))


def _sides(report: Report) -> Iterator[RenderableType]:
    yield ""
    for title, side in (("baseline", report.baseline), ("current", report.current)):
        size = f"{wording.plural(side.n_rows, 'row')}, {wording.plural(side.n_columns, 'column')}"
        yield _indented((f"{title:<9} ", "dim"), (printable(side.label, 120), ""), (f"  {size}", "dim"))
    mode = "" if report.mode == "default" else ", SageMaker mode"
    split = f", also split by {printable(report.segments, 60)}" if report.segments else ""
    if not wording.is_of_metrics(report.recipe):
        yield _indented((f"columns paired by {printable(report.matching, 20)}{mode}{split}", "dim"))
    elif mode or split:
        yield _indented((f"{mode}{split}".removeprefix(", "), "dim"))


def _heading(title: str, n: int | None = None) -> Text:
    return _text(("\n" + title, "bold"), ("" if n is None else f"  {n:,}", "dim"))


def _incidents(report: Report) -> Iterator[RenderableType]:
    if not report.incidents:
        return
    yield _heading("Incidents", len(report.incidents))
    table = _grid()
    for n, incident in enumerate(report.incidents[:MAX_INCIDENTS], 1):
        loud = "  critical" if incident.severity == Severity.CRITICAL else ""
        detail = printable(incident.detail, 400)
        table.add_row(
            _text((f"{n}", "dim")),
            _text(
                (printable(incident.title, 300), "bold"),
                (loud, "bold red"),
                (f"\n{detail}" if detail else "", ""),
            ),
        )
    yield table
    yield from _left(len(report.incidents) - MAX_INCIDENTS, "more incident")


def _left(n: int, noun: str) -> Iterator[RenderableType]:
    if n > 0:
        yield _indented((f"and {wording.plural(n, noun)}; the JSON and HTML reports have them all", "dim"))


def _grid() -> Table:
    from rich.table import Table

    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(justify="right", min_width=2)
    grid.add_column(overflow="fold")
    return grid


# -- violations, metrics and exhibits


def _found(report: Report, width: int) -> Iterator[RenderableType]:
    if not wording.is_of_metrics(report.recipe):
        yield from _violations(report, width)
        return
    from driftline.reports import terminal_exhibits, terminal_metrics

    rows = terminal_metrics.chosen(report)
    if rows:
        yield _heading("Metrics", len(report.outcomes))
        yield terminal_metrics.table(rows, width)
        yield from _left(len(report.outcomes) - len(rows), "more metric")
    shown = terminal_exhibits.shown_of(report.exhibits)
    for exhibit in shown:
        yield _heading(printable(exhibit.title, 120))
        yield terminal_exhibits.figure(exhibit, width)
    if len(report.exhibits) > len(shown):
        left = wording.plural(len(report.exhibits) - len(shown), "more figure" if shown else "figure")
        yield _text((f"\n{left} in the HTML report", "dim"))


def _violations(report: Report, width: int) -> Iterator[RenderableType]:
    if not report.violations:
        return
    from driftline.reports.terminal_table import table

    yield _heading("Violations", len(report.violations))
    rows = representatives(report, per_incident=MAX_PER_INCIDENT, limit=MAX_ROWS)
    yield table(report, rows, width)
    yield from _left(len(report.violations) - len(rows), "more violation")


# -- the rest


def _undetermined(report: Report) -> Iterator[RenderableType]:
    found = report.undetermined
    if not found:
        return
    yield _heading("Could not be judged", len(found))
    groups = by_reason(found)
    table = _grid()
    for members in groups[:MAX_REASONS]:
        names = dict.fromkeys(_named(report, o) for o in members)
        reason = wording.sentence(members[0].reason)
        table.add_row(
            _text((f"{len(members):,}", "yellow")),
            _text((reason, ""), (f" {wording.listing(names, 4)}", "dim")),
        )
    yield table
    yield from _left(len(groups) - MAX_REASONS, "more reason")


def _named(report: Report, outcome: Outcome) -> str:
    if not wording.is_of_metrics(report.recipe):
        return wording.subject(outcome, 40)
    title = wording.short_title(outcome.constraint.check)
    if outcome.constraint.column is None and outcome.segment is None:
        return title
    return f"{title} of {wording.scope(outcome, 40)}"


def _notes(report: Report) -> Iterator[RenderableType]:
    for title, texts in (("Notes", report.notes), (_other_mode(report), report.compat_differences)):
        if texts:
            yield _heading(title)
            yield from _bullets(texts)


def _other_mode(report: Report) -> str:
    other = "SageMaker mode" if report.mode == "default" else "the default mode"
    return f"Where {other} would answer differently"


def _bullets(texts: Sequence[str]) -> Iterator[RenderableType]:
    table = _grid()
    for text in texts[:MAX_REASONS]:
        table.add_row(_text(("-", "dim")), _text((wording.sentence(text), "")))
    yield table
    yield from _left(len(texts) - MAX_REASONS, "more note")
