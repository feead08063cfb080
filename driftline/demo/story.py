"""What the demo does: a model is trained and served, its week is watched, and what was found is looked at."""

from __future__ import annotations

import contextlib
import json
import logging
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from driftline.api import load_report
from driftline.capture.middleware import Middleware
from driftline.configuration.reading import read_configuration
from driftline.demo import data
from driftline.demo.clock import HOUR, Clock, TimedCaptures
from driftline.demo.model import fit
from driftline.demo.place import begin
from driftline.demo.service import Asker, prediction, served
from driftline.demo.week import DAYS, HOURS, MANGLED, week
from driftline.documents import encode
from driftline.files import write_folder, write_whole
from driftline.plan import known_names, plan
from driftline.registry import alerts, executions, lineage_questions, targets
from driftline.registry.executions import described
from driftline.registry.moments import shown
from driftline.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from driftline.capture.captures import Stats
    from driftline.demo.model import Logistic
    from driftline.demo.week import Window
    from driftline.registry.alerts import Alert
    from driftline.registry.executions import Execution
    from driftline.registry.lineage_nodes import Node
    from driftline.reports.report import Report

__all__ = ["SCHEDULE", "Cell", "Story", "tell"]

ENDPOINT = "churn"
SCHEDULE = "churn-quality"


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
class Story:
    """What the demo made and found.

    Attributes
    ----------
    folder : Path
        The workspace.
    began : int
        The first midnight of the week, microseconds.
    cells : tuple of Cell
        The windows, in order.
    captured : Stats
        What became of the requests.
    alerts : tuple of Alert
        Those that were opened, in order.
    notifications : int
        How many were sent.
    trained_on : tuple of Node
        What the lineage says that the model behind the first alert was trained on.
    mangled : Cell
        The window with the mangled row.
    report : Report
        Of that window.
    page, drift_page : Path
        That report for the browser, and the one of the alert's last window.
    """

    folder: Path
    began: int
    cells: tuple[Cell, ...]
    captured: Stats
    alerts: tuple[Alert, ...]
    notifications: int
    trained_on: tuple[Node, ...]
    mangled: Cell
    report: Report
    page: Path
    drift_page: Path

    def document(self) -> dict[str, Any]:
        """Return the story as JSON has it."""
        return {
            "workspace": str(self.folder),
            "captured": {
                "received": self.captured.received,
                "stored": self.captured.stored,
                "rows": self.captured.rows,
            },
            "windows": [
                {
                    "day": cell.day,
                    **described(cell.execution),
                    "incidents": cell.incidents,
                    "alert": cell.alert,
                }
                for cell in self.cells
            ],
            "alerts": [
                {
                    **{key: getattr(alert, key) for key in ("id", "state", "severity", "title", "n_windows")},
                    "opened": shown(alert.opened),
                    "causes": [cause.document() for cause in alert.causes],
                }
                for alert in self.alerts
            ],
            "notifications": self.notifications,
            "trained_on": [{"name": node.name, "digest": node.digest} for node in self.trained_on],
            "report": json.loads(self.report.to_json()),
        }


def tell(
    folder: str | os.PathLike[str],
    say: Callable[[str], None],
    played: Callable[[Sequence[Cell], Sequence[Cell]], None] | None = None,
) -> Story:
    """Run the demo in `folder`.

    Parameters
    ----------
    folder : path
    say : callable
        Receives a line about every step.
    played : callable, optional
        Receives the windows of a day when it is over, and those of the days before.

    Returns
    -------
    Story

    Raises
    ------
    UsageError
        ``E-WRITE``.
    """
    configuration = data.read("driftline.toml")
    place = begin(folder, configuration)
    training = data.training()
    names = [n for n in training.column_names if n != data.TARGET]
    model = fit(data.matrix(training.select(names)), data.matrix(training.select([data.TARGET]))[:, 0])
    write_whole(place / "training.csv", data.read("churn-training.csv"))
    write_whole(place / "model.json", encode(model.document()).encode())
    say(f"trained   a churn model on {training.num_rows:,} customers, {len(names)} inputs")

    write_whole(place / "driftline.toml", configuration)
    clock = Clock(DAYS)
    # Whatever database the environment names is not the demo's.
    with Workspace.create(place, database=str(place / "registry.db"), clock=clock) as workspace:
        declared = read_configuration(place / "driftline.toml", known=known_names(workspace.registry))
        proposed = plan(workspace, declared)
        proposed.apply(reason="the demo begins")
        say(f"applied   driftline.toml: {proposed.summary}")
        with _log_kept(place / "notifications.log"):
            cells, stats = _play(workspace, clock, model, names, say, played)
        return _found(workspace, clock, place, cells, stats)


def _play(
    workspace: Workspace,
    clock: Clock,
    model: Logistic,
    names: list[str],
    say: Callable[[str], None],
    played: Callable[[Sequence[Cell], Sequence[Cell]], None] | None,
) -> tuple[list[Cell], Stats]:
    scheduler = workspace.scheduler()
    cells: list[Cell] = []
    with (
        TimedCaptures(
            workspace.captures,
            input_names={ENDPOINT: names},
            output_names={ENDPOINT: [data.TARGET]},
            seal_in="thread",
            clock=clock,
        ) as captures,
        served(Middleware(prediction(model), captures, endpoint=ENDPOINT)) as port,
        Asker(port) as somebody,
    ):
        say(f"playing   {DAYS} days of requests over HTTP, looked at every {HOURS} hours\n")
        for window in week(names):
            start, n = clock.at(window.day, window.hour), len(window.bodies)
            clock.set(start)
            captures.expect(start + (i * window.hours * HOUR) // n for i in range(n))
            somebody.ask(window.bodies)
            captures.wait()
            captures.seal()
            clock.set(start + HOURS * HOUR)
            scheduler.drain()
            cells.append(_cell(workspace, window))
            if played is not None and window.hour + HOURS == 24:
                played([c for c in cells if c.day == window.day], [c for c in cells if c.day < window.day])
        return cells, captures.stats(ENDPOINT)


def _cell(workspace: Workspace, window: Window) -> Cell:
    """Look up what came of a window."""
    with workspace.registry.read() as tx:
        (execution,) = executions.history(tx, schedule=SCHEDULE, limit=1)
        seen = [a.id for a in alerts.list_alerts(tx, open_only=True) if a.last_execution == execution.id]
    return Cell(window.day, window.hour, execution, seen[0] if seen else None)


def _found(workspace: Workspace, clock: Clock, place: Path, cells: Sequence[Cell], stats: Stats) -> Story:
    with workspace.registry.read() as tx:
        opened = alerts.list_alerts(tx)[::-1]
        trained_on = lineage_questions.training_data_of_alert(tx, opened[0].id) if opened else ()
        sent = sum(target.sent for target in targets.delivery_stats(tx))
    # Once more where they are easily found: in the workspace, reports lie by the time of their windows.
    mangled = next(c for c in cells if (c.day, c.hour) == MANGLED)
    last = next((c for c in reversed(cells) if c.alert), mangled)
    for name, cell in (("report", mangled), ("drift", last)):
        write_folder(place / name, workspace.place.files(str(cell.execution.report)))
    return Story(
        place,
        clock.began,
        tuple(cells),
        stats,
        tuple(opened),
        sent,
        trained_on,
        mangled,
        load_report(place / "report"),
        place / "report" / "report.html",
        place / "drift" / "report.html",
    )


@contextlib.contextmanager
def _log_kept(path: Path) -> Iterator[None]:
    """Keep the log that the target ``ops`` writes to; a program that runs for long brings its own handlers."""
    log = logging.getLogger("driftline.notify")
    before = log.level, log.propagate
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        handler = logging.StreamHandler(stream)
        log.addHandler(handler)
        log.setLevel(logging.INFO)
        log.propagate = False
        try:
            yield
        finally:
            log.removeHandler(handler)
            log.level, log.propagate = before
