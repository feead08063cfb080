"""Playing: two models are asked for a week, over HTTP and captured, and the scheduler looks when it is time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from driftline.capture.middleware import Middleware
from driftline.capture.truth import import_labels
from driftline.demo import data
from driftline.demo.clock import HOUR, TimedCaptures
from driftline.demo.income_week import TRUTH_HOUR, asked
from driftline.demo.service import Asker, by_path, estimation, prediction, served
from driftline.demo.week import HOURS, week
from driftline.registry import alerts, executions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from driftline.capture.captures import Stats
    from driftline.demo.clock import Clock
    from driftline.demo.income_week import Asking
    from driftline.demo.model import Logistic
    from driftline.demo.scoring import Scoring
    from driftline.demo.week import Window
    from driftline.registry.executions import Execution
    from driftline.workspace import Workspace

__all__ = ["CHURN", "INCOME", "MONITORS", "SCHEDULE", "Cell", "Played", "play"]

CHURN: Final = "churn"
SCHEDULE: Final = "churn-quality"
INCOME: Final = "income"
MONITORS: Final = ("income-data", "income-quality", "income-bias", "income-attribution")
"""The monitors of the income model, as the demo's ``driftline.toml`` calls them."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One window of the week.

    Attributes
    ----------
    day : int
        1 to 7.
    hour : int
        At which it begins.
    execution : Execution
        What came of it.
    alert : str or None
        The alert that it opened or prolonged.
    """

    day: int
    hour: int
    execution: Execution
    alert: str | None

    @property
    def n_violations(self) -> int:
        """How many constraints it violates."""
        return int(((self.execution.result or {}).get("counts") or {}).get("violated", 0))

    @property
    def incidents(self) -> list[str]:
        """Titles of its incidents."""
        return [str(one["title"]) for one in (self.execution.result or {}).get("incidents", ())]


@dataclass(frozen=True, slots=True)
class Played:
    """What came of the week of one endpoint.

    Attributes
    ----------
    cells : tuple of Cell
        In the order of the monitors, and of their windows.
    captured : Stats
        What became of the requests.
    labels : int
        How many truths came.
    """

    cells: tuple[Cell, ...]
    captured: Stats
    labels: int = 0


def play(
    workspace: Workspace,
    clock: Clock,
    models: tuple[Logistic, Scoring],
    names: list[str],
    played: Callable[[Sequence[Cell], Sequence[Cell]], None] | None,
) -> tuple[Played, Played]:
    """Play the week.

    Parameters
    ----------
    workspace : Workspace
    clock : Clock
        That of the workspace.
    models : (Logistic, Scoring)
        Of the two endpoints.
    names : list of str
        Of the churn model's inputs.
    played : callable or None
        Receives the churn windows of a day when it is over, and those of the days before.

    Returns
    -------
    (Played, Played)
        Of churn and of income.
    """
    scheduler = workspace.scheduler()
    cells: list[Cell] = []
    others: dict[str, list[Cell]] = {monitor: [] for monitor in MONITORS}
    n_labels = 0
    with (
        TimedCaptures(
            workspace.captures,
            input_names={CHURN: names},
            output_names={CHURN: [data.TARGET]},
            seal_in="thread",
            clock=clock,
        ) as captures,
        served(_service(captures, models)) as port,
        Asker(port) as somebody,
    ):
        told: list[dict[str, object]] = []
        coming: list[dict[str, object]] = []
        for window, asking in zip(week(names), asked(), strict=True):
            if window.hour == 0:
                told, coming = coming, []
            if window.hour == TRUTH_HOUR and told:
                clock.set(clock.at(window.day, window.hour))
                n_labels += import_labels(captures, INCOME, told).labels
            coming += asking.truth
            _ask(somebody, captures, clock, window, asking)
            clock.set(clock.at(window.day, window.hour) + HOURS * HOUR)
            scheduler.drain()
            cells += _looked(workspace, clock, SCHEDULE)[:1]
            if window.hour + HOURS < 24:
                continue
            for monitor in MONITORS:
                known = {c.execution.id for c in others[monitor]}
                others[monitor] += [
                    c for c in _looked(workspace, clock, monitor) if c.execution.id not in known
                ]
            if played is not None:
                played([c for c in cells if c.day == window.day], [c for c in cells if c.day < window.day])
        return (
            Played(tuple(cells), captures.stats(CHURN)),
            Played(tuple(c for each in others.values() for c in each), captures.stats(INCOME), n_labels),
        )


def _service(captures: TimedCaptures, models: tuple[Logistic, Scoring]) -> object:
    churn, income = models
    return by_path(
        {
            f"/{CHURN}": Middleware(prediction(churn), captures, endpoint=CHURN),
            f"/{INCOME}": Middleware(estimation(income), captures, endpoint=INCOME),
        }
    )


def _ask(somebody: Asker, captures: TimedCaptures, clock: Clock, window: Window, asking: Asking) -> None:
    """Play the requests of a window, and see that they are stored."""
    start = clock.at(window.day, window.hour)
    clock.set(start)
    captures.expect(_spread(start, window.hours, len(window.bodies)))
    somebody.ask(f"/{CHURN}", window.bodies)
    captures.wait()
    captures.expect(_spread(start, HOURS, len(asking.bodies)))
    somebody.ask(f"/{INCOME}", asking.bodies, "application/json", asking.ids)
    captures.wait()
    captures.seal()


def _spread(start: int, hours: int, n: int) -> Iterator[int]:
    """Give `n` moments, equally far from each other."""
    return (start + (i * hours * HOUR) // n for i in range(n))


def _looked(workspace: Workspace, clock: Clock, schedule: str) -> list[Cell]:
    """Look up what a monitor found last."""
    with workspace.registry.read() as tx:
        newest = executions.history(tx, schedule=schedule, limit=1)
        open_ = alerts.list_alerts(tx, open_only=True)
    return [
        Cell(
            *clock.day_of(execution.window_start),
            execution,
            next((a.id for a in open_ if a.last_execution == execution.id), None),
        )
        for execution in newest
    ]
