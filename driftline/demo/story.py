"""What the demo does: models are trained and served, their week is watched, and what was found is looked at."""

from __future__ import annotations

import contextlib
import json
import logging
import os
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from driftline.api import load_report
from driftline.configuration.reading import read_configuration
from driftline.demo import census, data, governance
from driftline.demo.clock import Clock
from driftline.demo.income_week import DRIFT_FROM
from driftline.demo.model import fit
from driftline.demo.place import begin
from driftline.demo.playing import CHURN, INCOME, MONITORS, Cell, play
from driftline.demo.scoring import Scoring
from driftline.demo.week import DAYS, HOURS, MANGLED
from driftline.documents import encode
from driftline.files import write_folder, write_whole
from driftline.plan import known_names, plan
from driftline.registry import alerts, lineage_questions
from driftline.registry.executions import described
from driftline.registry.moments import shown
from driftline.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from driftline.capture.captures import Stats
    from driftline.demo.governance import Governed
    from driftline.demo.model import Logistic
    from driftline.demo.playing import Played
    from driftline.registry.alerts import Alert
    from driftline.registry.lineage_nodes import Node
    from driftline.reports.report import Report

__all__ = ["Income", "Story", "tell"]

_LOG = "notifications.log"


@dataclass(frozen=True, slots=True)
class Income:
    """What was found about the income model.

    Attributes
    ----------
    cells : tuple of Cell
        The days of each monitor, in the order of the monitors.
    captured : Stats
        What became of the requests.
    labels : int
        How many truths came.
    alerts : tuple of Alert
        In the order of the monitors.
    reports : mapping of str to Report
        Of the first day of the drift, by monitor.
    pages : mapping of str to Path
        These reports for the browser.
    """

    cells: tuple[Cell, ...]
    captured: Stats
    labels: int
    alerts: tuple[Alert, ...]
    reports: Mapping[str, Report]
    pages: Mapping[str, Path]

    def day(self, day: int) -> dict[str, Cell]:
        """Return the cells of a day by monitor; of those that wait for the truth there is none."""
        return {cell.execution.schedule: cell for cell in self.cells if cell.day == day}

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "captured": _captured(self.captured),
            "labels": self.labels,
            "windows": [_window(cell) for cell in self.cells],
            "alerts": [_alert(alert) for alert in self.alerts],
            "reports": {monitor: json.loads(report.to_json()) for monitor, report in self.reports.items()},
        }


@dataclass(frozen=True, slots=True)
class Story:
    """What the demo made and found; what is not said to be about income is about churn.

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
    notifications : mapping of str to int
        How many were sent, by alert; about both models.
    trained_on : tuple of Node
        What the lineage says that the model behind the first alert was trained on.
    mangled : Cell
        The window with the mangled row.
    report : Report
        Of that window.
    page, drift_page : Path
        That report for the browser, and the one of the alert's last window.
    income : Income
    governed : Governed
        The card of the income model.
    """

    folder: Path
    began: int
    cells: tuple[Cell, ...]
    captured: Stats
    alerts: tuple[Alert, ...]
    notifications: Mapping[str, int]
    trained_on: tuple[Node, ...]
    mangled: Cell
    report: Report
    page: Path
    drift_page: Path
    income: Income
    governed: Governed

    def document(self) -> dict[str, Any]:
        """Return the story as JSON has it."""
        return {
            "workspace": str(self.folder),
            "captured": _captured(self.captured),
            "windows": [_window(cell) for cell in self.cells],
            "alerts": [_alert(alert) for alert in self.alerts],
            "notifications": sum(self.notifications.values()),
            "trained_on": [{"name": node.name, "digest": node.digest} for node in self.trained_on],
            "report": json.loads(self.report.to_json()),
            "income": self.income.document(),
            "card": self.governed.document(),
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
    churn, names = _churn(place, say)
    income = _income(place, say)
    write_whole(place / "driftline.toml", configuration)
    clock = Clock(DAYS)
    # Whatever database the environment names is not the demo's.
    with Workspace.create(place, database=str(place / "registry.db"), clock=clock) as workspace:
        declared = read_configuration(place / "driftline.toml", known=known_names(workspace.registry))
        proposed = plan(workspace, declared)
        proposed.apply(reason="the demo begins")
        say(f"applied   driftline.toml: {proposed.summary}")
        approved = governance.approved(workspace, place, say)
        with _log_kept(place / _LOG):
            say(f"playing   {DAYS} days of requests over HTTP, looked at every {HOURS} hours\n")
            found = play(workspace, clock, (churn, income), names, played)
        return _found(workspace, clock, place, found, governance.looked_at(workspace, place, approved))


def _churn(place: Path, say: Callable[[str], None]) -> tuple[Logistic, list[str]]:
    """Train the churn model; returns it and the names of its inputs."""
    training = data.training()
    names = [n for n in training.column_names if n != data.TARGET]
    model = fit(data.matrix(training.select(names)), data.matrix(training.select([data.TARGET]))[:, 0])
    write_whole(place / "training.csv", data.read("churn-training.csv"))
    write_whole(place / "model.json", encode(model.document()).encode())
    say(f"trained   a churn model on {training.num_rows:,} customers, {len(names)} inputs")
    return model, names


def _income(place: Path, say: Callable[[str], None]) -> Scoring:
    """Train the income model, and see what it says about people that it has not learnt from."""
    training, validation = census.learnt()
    document = census.model_of(training)
    model = Scoring(document)
    write_whole(place / "income-training.parquet", census.parquet(training))
    write_whole(place / "income-validation.parquet", census.parquet(census.scored(validation, model)))
    write_whole(place / "income.py", census.program(document))
    say(f"trained   an income model on {training.num_rows:,} people, {validation.num_rows:,} held back")
    return model


def _found(
    workspace: Workspace, clock: Clock, place: Path, played: tuple[Played, Played], governed: Governed
) -> Story:
    churn, income = played
    with workspace.registry.read() as tx:
        opened = alerts.list_alerts(tx)[::-1]
        about_churn = [alert for alert in opened if alert.endpoint == CHURN]
        trained_on = lineage_questions.training_data_of_alert(tx, about_churn[0].id) if about_churn else ()
    mangled = next(c for c in churn.cells if (c.day, c.hour) == MANGLED)
    last = next((c for c in reversed(churn.cells) if c.alert), mangled)
    report = _put(workspace, place / "report", mangled)
    _put(workspace, place / "drift", last)
    first = {c.execution.schedule: c for c in income.cells if c.day == DRIFT_FROM}
    places = {monitor: place / INCOME / monitor.removeprefix(f"{INCOME}-") for monitor in first}
    return Story(
        place,
        clock.began,
        churn.cells,
        churn.captured,
        tuple(about_churn),
        _notifications(place),
        trained_on,
        mangled,
        report,
        place / "report" / "report.html",
        place / "drift" / "report.html",
        Income(
            income.cells,
            income.captured,
            income.labels,
            tuple(a for monitor in MONITORS for a in opened if a.schedule == monitor),
            {monitor: _put(workspace, places[monitor], cell) for monitor, cell in first.items()},
            {monitor: folder / "report.html" for monitor, folder in places.items()},
        ),
        governed,
    )


def _put(workspace: Workspace, folder: Path, cell: Cell) -> Report:
    """Put a report where it is easily found, too: in the workspace, reports lie by the time of their windows."""
    write_folder(folder, workspace.place.files(str(cell.execution.report)))
    return load_report(folder)


def _captured(stats: Stats) -> dict[str, int]:
    return {"received": stats.received, "stored": stats.stored, "rows": stats.rows}


def _window(cell: Cell) -> dict[str, Any]:
    return {
        "day": cell.day,
        **described(cell.execution),
        "incidents": cell.incidents,
        "alert": cell.alert,
    }


def _alert(alert: Alert) -> dict[str, Any]:
    return {
        **{key: getattr(alert, key) for key in ("id", "state", "severity", "title", "n_windows")},
        "opened": shown(alert.opened),
        "causes": [cause.document() for cause in alert.causes],
    }


def _notifications(place: Path) -> Counter[str]:
    """Count what the target ``ops`` wrote, by alert."""
    lines = (place / _LOG).read_text("ascii").splitlines()
    return Counter(json.loads(line)["data"]["alert"] for line in lines)


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
