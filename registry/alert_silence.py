"""Silence: monitors that stopped reporting, whose runs fail in a row, or that find no data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from driftline.registry import alert_store
from driftline.registry.alert_cause import Cause, fingerprint, incidents_in
from driftline.registry.alert_rule import is_silent
from driftline.registry.moments import shown
from driftline.registry.tables import alerts, executions, schedules

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from driftline.registry.alert_store import Alert
    from driftline.registry.store import Tx

__all__ = ["FAILING_RUNS", "REPORTED", "signs", "silent_check"]

FAILING_RUNS: Final = 3
"""So many runs in a row that failed raise an alert."""

REPORTED: Final = ("Completed", "CompletedWithViolations", "NoData", "Failed")
"""Runs by which a monitor shows that it is alive: a failure is a report, and has an alert of its own."""

_JUDGED = ("Completed", "CompletedWithViolations")
_SCHEDULED = ("schedule", "catch-up")


def silent_check(tx: Tx, *, periods: Mapping[str, int], stale_after: int = 2) -> list[Alert]:
    """Open an alert for every monitor that has stopped reporting; to be called every few minutes.

    Parameters
    ----------
    periods : mapping of str to int
        Of each schedule to be looked at, the microseconds between its runs.
    stale_after : int
        For so many periods, and 20 minutes, a monitor may say nothing.

    Returns
    -------
    list of Alert
        Those opened now.

    Notes
    -----
    A monitor is silent where none of its runs has finished (Completed, CompletedWithViolations, NoData or Failed) for
    longer than so many periods and 20 minutes since the last one, since it was started, and since such an alert was
    resolved by hand. Runs by hand show nothing: the scheduler may be dead all the same. The alert is resolved by the next
    run that finishes, and when the schedule is stopped.
    """
    other = executions.alias()
    last = (
        sa.select(other.c.ended)
        .where(
            other.c.schedule == schedules.c.name,
            other.c.status.in_(REPORTED),
            other.c.cause != "manual",
            other.c.ended.is_not(None),
        )
        .order_by(other.c.window_end.desc(), other.c.window_start.desc(), other.c.revision.desc())
        .limit(1)
        .scalar_subquery()
    )
    told = (
        sa.select(sa.func.max(alerts.c.resolved))
        .where(alerts.c.schedule == schedules.c.name, alerts.c.kind == "silent")
        .scalar_subquery()
    )
    known = {
        row.schedule: row.id
        for row in tx.execute(
            sa.select(alerts.c.schedule, alerts.c.id).where(
                alerts.c.kind == "silent", alerts.c.state.in_(alert_store.UNRESOLVED)
            )
        )
    }
    active = tx.all(
        sa.select(
            schedules.c.name,
            schedules.c.endpoint,
            schedules.c.since,
            last.label("last"),
            told.label("told"),
        )
        .where(schedules.c.status == "Scheduled", schedules.c.archived.is_(None))
        .order_by(schedules.c.name)
    )
    names = {row.name for row in active}
    for schedule, alert in sorted(known.items()):
        if schedule not in names:
            _resolve(tx, alert_store.get(tx, alert), None, "the schedule was stopped")
    opened = []
    for row in active:
        period = periods.get(row.name)
        since = max(row.since, row.told or row.since)
        if period is None or row.name in known or not is_silent(tx.now, row.last, since, period, stale_after):
            continue
        title = f"{row.endpoint}: {row.name} has not reported since {_minute(row.last or row.since)}"
        alert = _opened(tx, "silent", row.name, row.endpoint, "critical", title, (), None)
        tx.emit(
            "monitor.silent",
            f"schedules/{row.name}",
            {
                "schedule": row.name,
                "endpoint": row.endpoint,
                "severity": alert.severity,
                "alert": alert.id,
                "last_finished": shown(row.last),
                "period_seconds": period // 1_000_000,
            },
        )
        opened.append(alert)
    return opened


def _minute(moment: int) -> str | None:
    return shown(moment // 60_000_000 * 60_000_000)


def signs(tx: Tx, schedule: str, run: Any, *, since: int, config: Mapping[str, Any]) -> None:
    """Take a run that has ended as a sign of life, or of the lack of it.

    Parameters
    ----------
    schedule : str
    run : row
    since : int
        When the schedule was last started: runs before do not count.
    config : mapping
        ``alert_after_failures``: after how many failed runs in a row there is an alert, 3 where not given;
        ``alert_on_no_data``: after how many runs in a row without data, never where not given.
    """
    if run.status not in REPORTED:
        return
    silent = alert_store.unresolved(tx, schedule, "silent")
    if silent is not None and run.cause != "manual":
        _resolve(tx, silent, run.id)
    most = _whole(config.get("alert_after_failures")) or FAILING_RUNS
    _row(tx, "failing", run, REPORTED, ("Failed",), most, since)
    wanted = _whole(config.get("alert_on_no_data"))
    _row(tx, "no_data", run, (*_JUDGED, "NoData"), ("NoData",), wanted, since)


def _whole(value: object) -> int | None:
    if value is True:
        return 1
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 1 else None


def _row(
    tx: Tx, kind: str, run: Any, counted: Sequence[str], bad: Sequence[str], most: int | None, since: int
) -> None:
    """Open, go on with, or resolve the alert about runs in a row that have come to no judgement."""
    from driftline.registry.alert_evaluation import go_on

    alert = alert_store.unresolved(tx, run.schedule, kind)
    if alert is None and (most is None or run.status not in bad):
        return
    if alert is None:
        last = alert_store.newest(tx, run.schedule, kind)
        since = max(since, (last.resolved or 0) if last is not None else 0)
    row = _newest_windows(tx, run.schedule, counted, most or 1, since)
    if not row:
        return
    if alert is not None:
        if row[0][1] not in bad:
            _resolve(tx, alert, run.id)
        elif run.status in bad and run.id == row[0][0]:
            go_on(tx, alert, run, _incidents(kind, run))
        return
    if (
        len(row) < (most or 1)
        or any(status not in bad for _, status in row)
        or all(run.id != r[0] for r in row)
    ):
        return
    if kind == "failing":
        title = f"{run.endpoint}: {run.schedule} fails run after run ({run.error_code or 'E-INTERNAL'})"
    else:
        title = f"{run.endpoint}: {run.schedule} finds no data"
    causes = [
        Cause.of({**c.document(), "first": row[-1][0], "last": run.id, "windows": len(row)})
        for c in _incidents(kind, run)
    ]
    severity = "critical" if kind == "failing" else "warning"
    _opened(tx, kind, run.schedule, run.endpoint, severity, title, causes, run, [r[0] for r in reversed(row)])


def _incidents(kind: str, run: Any) -> list[Cause]:
    if kind == "failing":
        return incidents_in("Failed", None, error_code=run.error_code, message=run.failure_reason)
    return [Cause(fingerprint("no_data", (), ()), "no_data", "no data in the window")]


def _newest_windows(
    tx: Tx, schedule: str, statuses: Sequence[str], most: int, since: int
) -> list[tuple[str, str]]:
    """Return, for the newest windows that the schedule ran, the execution that speaks for it and its status.

    A run that judged data speaks before one that found none, and that before one that failed.
    """
    c = executions.c
    other = executions.alias()
    is_scheduled = sa.exists().where(
        other.c.schedule == c.schedule,
        other.c.window_start == c.window_start,
        other.c.window_end == c.window_end,
        other.c.cause.in_(_SCHEDULED),
    )
    here = sa.and_(
        c.schedule == schedule,
        c.status.in_(statuses),
        c.ended > since,
        sa.or_(c.cause.in_(_SCHEDULED), is_scheduled),
    )
    windows = tx.all(
        sa.select(c.window_end, c.window_start)
        .where(here)
        .group_by(c.window_end, c.window_start)
        .order_by(c.window_end.desc(), c.window_start.desc())
        .limit(most)
    )
    if not windows:
        return []
    best: dict[tuple[int, int], tuple[int, int, str, str]] = {}
    for row in tx.execute(
        sa.select(c.id, c.window_start, c.window_end, c.revision, c.status).where(
            here, c.window_end >= windows[-1].window_end
        )
    ):
        rank = 2 if row.status in _JUDGED else 1 if row.status == "NoData" else 0
        key = (row.window_end, row.window_start)
        best[key] = max(best.get(key, (-1, 0, "", "")), (rank, row.revision, row.id, row.status))
    return [best[row.window_end, row.window_start][2:] for row in windows]


def _opened(
    tx: Tx,
    kind: str,
    schedule: str,
    endpoint: str,
    severity: str,
    title: str,
    causes: Sequence[Cause],
    run: Any,
    found_in: Sequence[str] = (),
) -> Alert:
    alert = alert_store.add(
        tx,
        kind=kind,
        schedule=schedule,
        rule=None,
        endpoint=endpoint,
        model=None if run is None else run.model,
        model_version=None if run is None else run.model_version,
        severity=severity,
        title=title,
        causes=causes,
        first_execution=found_in[0] if found_in else None,
        last_execution=None if run is None else run.id,
        n_windows=len(found_in),
    )
    execution = None if run is None else run.id
    alert_store.note(tx, alert.id, "opened", execution=execution, detail={"executions": list(found_in)})
    alert_store.tell(tx, "alert.opened", alert, {"reason": title})
    return alert


def _resolve(tx: Tx, alert: Alert, execution: str | None, reason: str | None = None) -> None:
    from driftline.registry.alert_evaluation import resolve

    resolve(tx, alert, execution=execution, reason=reason)
