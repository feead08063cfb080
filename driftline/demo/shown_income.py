"""The week of the income model in a terminal: a line for each day, a mark for each monitor, and what it means for whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from driftline.demo.income_week import DRIFT_FROM, PEOPLE
from driftline.demo.playing import MONITORS
from driftline.demo.shown import hanging, indented, mark, piece
from driftline.demo.week import DAYS
from driftline.errors import printable
from driftline.reports.outcome import Status
from driftline.reports.wording import plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType
    from rich.text import Text

    from driftline.demo.playing import Cell
    from driftline.demo.story import Income

__all__ = ["TRUTH", "closing", "week"]

_NAME: Final = 9
_WIDTHS: Final = (8, 10, 8, 13)

TRUTH: Final = (
    "What it was: since day 4 women fill in another form, which counts years of education from the ninth on."
)


def week(income: Income) -> Iterator[RenderableType]:
    """Give the table of the days."""
    yield piece((f"The income model: {PEOPLE:,} people a day, and the truth about them a day later.", ""))
    yield ""
    names = [_name(monitor).ljust(width) for monitor, width in zip(MONITORS, _WIDTHS, strict=True)]
    yield piece((" " * _NAME + "".join(names).rstrip(), "dim"))
    for day in range(1, DAYS + 1):
        yield _line(day, income.day(day))
    yield piece(("· waits for the truth", "dim"))


def _name(monitor: str) -> str:
    return monitor.partition("-")[2]


def _line(day: int, cells: dict[str, Cell]) -> Text:
    line = piece((f"day {day}".ljust(_NAME), ""))
    for monitor, width in zip(MONITORS, _WIDTHS, strict=True):
        word, style = mark(cells[monitor]) if monitor in cells else ("·", "dim")
        line.append(word, style)
        line.append(" " * (width - len(word)))
    line.rstrip()
    return line


def closing(income: Income) -> Iterator[RenderableType]:
    """Give what stands below the days: how much was seen, and what each report says about the first bad day."""
    captured = income.captured
    lost = captured.received - captured.stored
    yield piece(
        (
            f"{captured.received:,} requests about {captured.rows:,} people, {lost or 'none'} lost;"
            f" {income.labels:,} truths; {plural(len(income.alerts), 'alert')}.",
            "",
        )
    )
    yield ""
    yield piece((f"Day {DRIFT_FROM}, as the reports say it:", ""))
    for monitor, report in income.reports.items():
        name = _name(monitor).ljust(_WIDTHS[-1])
        for incident in report.incidents[:1]:
            rest = len(report.incidents) - 1
            title = printable(incident.title, 300) + (f" (and {rest} more)" if rest else "")
            yield hanging(name, (title, "bold"), (printable(incident.detail, 500), "dim"))
    unseen = _unseen(income)
    if unseen:
        yield indented(unseen)
    yield indented(TRUTH)


def _unseen(income: Income) -> str:
    """Say how little of it shows where nobody looks at groups."""
    for outcome in income.reports["income-quality"].outcomes if "income-quality" in income.reports else ():
        one = outcome.measurement
        is_overall = outcome.constraint.check == "accuracy" and not outcome.segment
        if (
            is_overall
            and outcome.status is Status.PASSED
            and one.value is not None
            and one.baseline is not None
        ):
            return (
                f"Over all people the model is right in {one.value:.1%} of the cases, {one.baseline:.1%} in the"
                " baseline, and passes: nobody would have noticed."
            )
    return ""
