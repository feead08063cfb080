"""The demo's week in a terminal: a line for each day, a word for each window, and what came of it all."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from driftline.demo.week import HOURS
from driftline.errors import printable
from driftline.reports.wording import plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType
    from rich.text import Text

    from driftline.demo.playing import Cell
    from driftline.demo.story import Story
    from driftline.registry.alerts import Alert

__all__ = ["closing", "day", "hanging", "head", "indented", "mark", "piece", "span"]

_NAME: Final = 9
_CELL: Final = 8
_NOTE: Final = 80 - _NAME - 4 * _CELL

TRUTH: Final = (
    "What it was: since day 4, 06:00, the billing feed goes by UTC,"
    " and a fifth of the day's minutes are booked at night."
)

LEGEND: Final = "✓ nothing violated   ✕ constraints violated   ! in an alert   – no data"


def head() -> Text:
    """Return the line above the days: when the windows begin and end."""
    hours = [f"{hour:02}–{hour + HOURS:02}".ljust(_CELL) for hour in range(0, 24, HOURS)]
    return piece((" " * _NAME + "".join(hours).rstrip(), "dim"))


def day(cells: Sequence[Cell], before: Sequence[Cell]) -> Text:
    """Return the line of a day.

    Parameters
    ----------
    cells : sequence of Cell
        Of the day.
    before : sequence of Cell
        Of the days before it: what they found is no news.
    """
    line = piece((f"day {cells[0].day}".ljust(_NAME), ""))
    for cell in cells:
        word, style = mark(cell)
        line.append(word, style)
        line.append(" " * (_CELL - len(word)))
    line.append(_news(cells, before))
    line.rstrip()
    return line


def mark(cell: Cell) -> tuple[str, str]:
    """Return the mark of a window, and its style."""
    if cell.execution.status == "Completed":
        return "✓", "green"
    if cell.execution.status == "CompletedWithViolations":
        return f"✕ {cell.n_violations}" + (" !" if cell.alert else ""), "bold red" if cell.alert else "red"
    if cell.execution.status == "NoData":
        return "–", "dim"
    return cell.execution.status, "yellow"


def _news(cells: Sequence[Cell], before: Sequence[Cell]) -> str:
    known = {title for cell in before for title in cell.incidents}
    found = dict.fromkeys(title for cell in cells for title in cell.incidents if title not in known)
    if not found:
        return (
            "nobody asked: no data, no failure" if any(c.execution.status == "NoData" for c in cells) else ""
        )
    first, *others = found
    more = f", and {len(others)} more" if others else ""
    return printable(first, _NOTE - len(more)) + more


def span(cell: Cell) -> str:
    """Spell a window for people: ``day 2, 12:00 to 18:00``."""
    return f"day {cell.day}, {cell.hour:02}:00 to {cell.hour + HOURS:02}:00"


def closing(story: Story) -> Iterator[RenderableType]:
    """Give what stands below the week: what the marks mean, and each alert with its causes."""
    yield piece((LEGEND, "dim"))
    captured, n = story.captured, len(story.cells)
    lost, failed = (
        captured.received - captured.stored,
        sum(c.execution.status == "Failed" for c in story.cells),
    )
    yield ""
    yield piece(
        (f"{captured.received:,} requests about {captured.rows:,} customers, {lost or 'none'} lost; ", ""),
        (f"{plural(n, 'window')}, {failed or 'none'} failed.", ""),
    )
    for alert in story.alerts:
        yield ""
        yield from _alert(alert, story)


def _alert(alert: Alert, story: Story) -> Iterator[RenderableType]:
    from rich.padding import Padding

    n_days, rest = divmod(alert.opened - story.began, 86_400_000_000)
    clock = f"{datetime.fromtimestamp(rest / 1e6, UTC):%H:%M}"
    yield piece(("! ", "bold red"), (printable(alert.title, 300), "bold"))
    told = f"{plural(alert.n_windows, 'window')}, {plural(story.notifications[alert.id], 'notification')}"
    yield indented(f"One alert, {alert.state} since day {n_days + 1}, {clock}: {told}.")
    for cause in alert.causes:
        yield Padding(piece(("- ", "dim"), (printable(cause.title, 300), "")), (0, 0, 0, 2))
        yield Padding(piece((printable(cause.detail, 400), "dim")), (0, 0, 0, 4))
    for node in story.trained_on:
        digest = "" if node.digest is None else f", {node.digest[:19]}…"
        model = f"{alert.model} {alert.model_version}"
        yield indented(
            f"The model behind it, {printable(model, 100)}, was trained on {printable(node.name, 100)}{digest}"
        )
    yield indented(TRUTH)


def indented(text: str) -> RenderableType:
    """Return a line, or several, below a heading."""
    from rich.padding import Padding

    return Padding(piece((text, "")), (0, 0, 0, 2))


def hanging(name: str, *texts: tuple[str, str]) -> RenderableType:
    """Return texts and their styles behind a name, each of them below the one before."""
    from rich.table import Table

    table = Table.grid(padding=0)
    table.add_column(width=len(name), no_wrap=True, style="dim")
    table.add_column()
    for number, text in enumerate(texts):
        table.add_row(name if not number else "", piece(text))
    return table


def piece(*pieces: tuple[str, str]) -> Text:
    """Return a line of texts and their styles."""
    from rich.text import Text

    text = Text()
    for piece, style in pieces:
        text.append(piece, style=style)
    return text
