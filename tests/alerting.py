"""A monitor whose runs end as a test says, by a clock that the test sets; shared by the tests of alerts and of cells."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from driftline.registry import alerts
from driftline.registry.ids import new_id
from driftline.registry.outbox import read_events
from driftline.registry.tables import deployments, endpoints, executions, model_versions, models, schedules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from driftline.registry.store import Registry, Tx

HOUR = 3_600_000_000
START = 1_795_417_200_000_000
"""2026-11-23T07:00:00Z."""

STATUS = {"V": "CompletedWithViolations", "W": "CompletedWithViolations", "C": "Completed", "F": "Failed"}
STATUS |= {"N": "NoData", "S": "Stopped", "K": "Skipped"}


def incident(
    kind: str = "rows",
    columns: tuple[str, ...] = ("a", "b", "c"),
    checks: tuple[str, ...] = ("data_type",),
    severity: str = "critical",
    title: str = "1 row breaks 3 columns",
) -> dict[str, Any]:
    """Return an incident as a result has it."""
    return {
        "kind": kind,
        "title": title,
        "detail": "Row 7 fails.",
        "columns": sorted(columns)[:50],
        "n_columns": len(columns),
        "checks": list(checks),
        "severity": severity,
    }


class World:
    """A model `churn`, an endpoint `churn-prod`, and monitors of it."""

    def __init__(self, registry: Registry, *schedule_names: str, rule: dict[str, Any] | None = None) -> None:
        self.registry = registry
        self.now = START
        self.windows: dict[str, int] = {}
        with self.write() as tx:
            times: dict[str, Any] = {"created": 1, "modified": 1}
            tx.insert(models, name="churn", tags={}, **times)
            tx.insert(
                model_versions,
                model="churn",
                version="3",
                aliases=[],
                artifacts=[],
                training={},
                tags={},
                **times,
            )
            tx.insert(endpoints, name="churn-prod", kind="endpoint", status="InService", tags={}, **times)
            tx.insert(
                deployments,
                id=new_id(),
                endpoint="churn-prod",
                variant="AllTraffic",
                model="churn",
                version="3",
                since=1,
            )
        for name in schedule_names or ("quality",):
            self.schedule(name, rule=rule)

    def schedule(
        self, name: str, *, rule: dict[str, Any] | None = None, kind: str = "data-quality", **config: Any
    ) -> None:
        """Make a monitor with its default rule."""
        with self.write() as tx:
            tx.insert(
                schedules,
                name=name,
                endpoint="churn-prod",
                kind=kind,
                status="Scheduled",
                config=config,
                config_digest="",
                revision=1,
                since=tx.now,
                cursor=tx.now,
                failures=0,
                created=tx.now,
                modified=tx.now,
            )
            assert alerts.declare_rule(tx, name, **(rule or {}))
        self.windows[name] = 0

    @contextmanager
    def write(self, who: str = "driftline", *, seconds: int = 1) -> Iterator[Tx]:
        """Give a transaction, a second after the one before."""
        self.now += seconds * 1_000_000
        with self.registry.write(who) as tx:
            tx.now = self.now
            yield tx

    def put(self, tx: Tx, letter: str, *, schedule: str, window: int, **given: Any) -> str:
        """Write an execution that has ended, without telling anybody."""
        severity = {"V": "critical", "W": "warning"}.get(letter)
        incidents = given.pop("incidents", None)
        if incidents is None:
            incidents = [incident(severity=severity)] if severity else []
        result = {"counts": {"violated": len(incidents)}, "severity": severity, "incidents": incidents}
        made = new_id(tx.now)
        values: dict[str, Any] = {
            "revision": 1,
            "model": "churn",
            "model_version": "3",
            "cause": "schedule",
            "error_code": "E-BASELINE" if letter == "F" else None,
            "failure_reason": "there is no baseline" if letter == "F" else None,
            "result": result if letter in "VWC" else None,
            "ended": tx.now,
            **given,
        }
        tx.insert(
            executions,
            id=made,
            schedule=schedule,
            window_start=START + (window - 1) * HOUR,
            window_end=START + window * HOUR,
            scheduled=START + window * HOUR,
            status=STATUS[letter],
            endpoint="churn-prod",
            kind="data-quality",
            config={},
            config_digest="",
            created=tx.now,
            modified=tx.now,
            attempts=1,
            not_before=0,
            token=1,
            **values,
        )
        return made

    def run(self, letters: str, schedule: str = "quality", *, window: int | None = None, **given: Any) -> str:
        """End a run for each letter, in the next window unless one is given; return the id of the last."""
        made = ""
        for letter in letters:
            at = window
            if at is None:
                at = self.windows[schedule] = self.windows[schedule] + 1
            with self.write() as tx:
                made = self.put(tx, letter, schedule=schedule, window=at, **given)
                alerts.evaluate(tx, schedule, made)
        return made

    def rule(self, schedule: str = "quality", name: str = "default") -> alerts.Rule:
        """Return a rule."""
        with self.registry.read() as tx:
            return alerts.get_rule(tx, schedule, name)

    def alerts(self, **filters: Any) -> list[alerts.Alert]:
        """Return alerts, oldest first."""
        with self.registry.read() as tx:
            return alerts.list_alerts(tx, **filters)[::-1]

    def log(self, alert: alerts.Alert) -> list[str]:
        """Return what happened to an alert."""
        with self.registry.read() as tx:
            return [entry.what for entry in alerts.log(tx, alert.id)]

    def told(self, pattern: str = "alert.*") -> list[str]:
        """Return the short types of the events so far."""
        with self.registry.read() as tx:
            return [event.short for event in read_events(tx, kinds=(pattern,))]
