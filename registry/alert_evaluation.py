"""Evaluation: what a run that has ended means for the rules of its schedule, and for their alerts.

All in the transaction that ends the run, so that there is no alert without its run and no run without its alert. An alert
is opened once, and goes on: more windows, more revisions of a window and more causes are written into it, and resolving
it waits for `keep_firing` clean runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from driftline.registry import alert_silence, alert_store
from driftline.registry.alert_cause import Cause, headline, incidents_in, match, merged
from driftline.registry.alert_rule import (
    AlertStatus,
    DataPoint,
    Run,
    clean_runs,
    data_points,
    most_severe,
    state_of,
)
from driftline.registry.moments import shown
from driftline.registry.rules import move, rules
from driftline.registry.tables import alert_log, executions, schedules
from driftline.reports.wording import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from driftline.registry.alert_store import Alert
    from driftline.registry.rules import Rule
    from driftline.registry.store import Tx

__all__ = ["evaluate", "look", "points_of"]

_SCHEDULED = ("schedule", "catch-up")
_COUNTED = ("opened", "still firing")


def evaluate(tx: Tx, schedule: str, execution: str) -> None:
    """Let a run that has ended count; to be called in the transaction that ends it. Doing it again changes nothing.

    Parameters
    ----------
    schedule : str
        A schedule that is stopped or removed raises no alert: nothing is done then.
    execution : str
        Its id; whatever came of it, and of any revision.
    """
    found = tx.one(
        sa.select(schedules.c.status, schedules.c.archived, schedules.c.since, schedules.c.config).where(
            schedules.c.name == schedule
        )
    )
    run = run_of(tx, execution)
    if found is None or run is None or found.archived is not None or found.status == "Stopped":
        return
    for rule in rules(tx, schedule):
        look(tx, rule, "run", run)
    alert_silence.signs(tx, schedule, run, since=found.since, config=found.config)


def run_of(tx: Tx, execution: str) -> Any:
    """Return what is asked of an execution here, with its result, or None."""
    c = executions.c
    return tx.one(
        sa.select(
            c.id,
            c.schedule,
            c.window_start,
            c.window_end,
            c.revision,
            c.cause,
            c.status,
            c.ended,
            c.failure_reason,
            c.error_code,
            c.endpoint,
            c.model,
            c.model_version,
            c.result,
        ).where(c.id == execution)
    )


def look(tx: Tx, rule: Rule, reason: str, run: Any = None) -> None:
    """Look at the stored runs, and move a rule and its alert to where they belong.

    Parameters
    ----------
    rule : Rule
    reason : str
        ``run``, or ``criteria changed``.
    run : row, optional
        The run that has ended.
    """
    m, n = rule.datapoints_to_alert, rule.evaluation_period
    points = points_of(tx, rule, n + rule.keep_firing)
    flags = [point.is_failing for point in points]
    failing = [point for point in points[-n:] if point.is_failing]
    status = state_of(flags, m, n)
    moved = move(
        tx,
        rule,
        status,
        reason,
        failing=len(failing),
        execution=None if run is None else run.id,
        executions=[point.execution for point in failing],
    )
    is_failing = run is not None and any(point.execution == run.id for point in failing)
    in_alert = status is AlertStatus.IN_ALERT
    alert = alert_store.unresolved(tx, rule.schedule, "violations", rule.name)
    if alert is None:
        if in_alert and moved:
            _open(tx, rule, failing, len(points[-n:]))
        elif in_alert and is_failing and _brings_news(tx, rule, run):
            _open(tx, rule, [point for point in failing if point.execution == run.id], 1)
        return
    if is_failing:
        alert = go_on(tx, alert, run, _incidents(run, rule))
    elif moved and in_alert:
        alert_store.note(tx, alert.id, "still firing", detail={"reason": reason})
    clean = 0 if in_alert else clean_runs(flags, m, n)
    if not in_alert and points and max(clean, 1) >= rule.keep_firing:
        resolve(tx, alert, execution=None if run is None else run.id, clean_runs=clean)
    elif clean != alert.clean_runs:
        alert_store.change(tx, alert, clean_runs=clean)


def points_of(tx: Tx, rule: Rule, most: int) -> list[DataPoint]:
    """Return the newest data points of a rule, oldest first."""
    c = executions.c
    other = executions.alias()
    statuses = ("Completed", "CompletedWithViolations", *(("Failed",) if rule.count_failed_runs else ()))
    is_scheduled = sa.or_(
        c.cause.in_(_SCHEDULED),
        sa.exists().where(
            other.c.schedule == c.schedule,
            other.c.window_start == c.window_start,
            other.c.window_end == c.window_end,
            other.c.cause.in_(_SCHEDULED),
        ),
    )
    # What could not be judged for want of data is neither clean nor failing.
    says_something = sa.or_(c.status != "Completed", c.judged.is_(None), c.judged == True)  # noqa: E712
    # Every window that has such a run has one data point, so these are the windows wanted and no more.
    windows = tx.all(
        sa.select(c.window_end, c.window_start)
        .where(c.schedule == rule.schedule, c.status.in_(statuses), c.ended > rule.restarted)
        .where(is_scheduled, says_something)
        .group_by(c.window_end, c.window_start)
        .order_by(c.window_end.desc(), c.window_start.desc())
        .limit(most)
    )
    if not windows:
        return []
    asked = [c.id, c.window_start, c.window_end, c.revision, c.cause, c.status, c.ended]
    needs_severity = rule.min_severity != "warning"
    wanted = {(row.window_end, row.window_start) for row in windows}
    found = [
        row
        for row in tx.execute(
            sa.select(*asked, *((c.result,) if needs_severity else ())).where(
                c.schedule == rule.schedule, c.window_end >= windows[-1].window_end, says_something
            )
        )
        if (row.window_end, row.window_start) in wanted
    ]
    return data_points(
        [
            Run(
                row.id,
                row.window_start,
                row.window_end,
                row.revision,
                row.cause,
                row.status,
                row.ended,
                _severity(row.result) if needs_severity else None,
            )
            for row in found
        ],
        count_failed_runs=rule.count_failed_runs,
        min_severity=rule.min_severity,
        restarted=rule.restarted,
    )


def _severity(result: Any) -> str | None:
    value = (result or {}).get("severity")
    return value if isinstance(value, str) else None


def _incidents(run: Any, rule: Rule) -> list[Cause]:
    return incidents_in(
        run.status,
        run.result,
        error_code=run.error_code,
        message=run.failure_reason,
        min_severity=rule.min_severity,
    )


def _brings_news(tx: Tx, rule: Rule, run: Any) -> bool:
    """Tell whether a run finds what the last alert, which people resolved while the rule was InAlert, did not know."""
    last = alert_store.newest(tx, rule.schedule, "violations", rule.name)
    if last is None:
        return True
    found = _incidents(run, rule)
    if (
        most_severe(cause.severity for cause in found) != most_severe((last.severity,))
        and last.severity == "warning"
    ):
        return True
    return any(match(incident, last.causes) is None for incident in found)


def _open(tx: Tx, rule: Rule, failing: Sequence[DataPoint], n_points: int) -> Alert:
    causes: list[Cause] = []
    run = None
    severities = []
    for point in failing:
        run = run_of(tx, point.execution)
        found = _incidents(run, rule)
        severities += [cause.severity for cause in found]
        causes, _ = merged(causes, found, point.execution)
    assert run is not None, "a rule that is InAlert has runs that failed"
    alert = alert_store.add(
        tx,
        kind="violations",
        schedule=rule.schedule,
        rule=rule.name,
        endpoint=run.endpoint,
        model=run.model,
        model_version=run.model_version,
        severity=most_severe(severities),
        title=headline(run.endpoint, causes),
        causes=causes,
        first_execution=failing[0].execution,
        last_execution=run.id,
        n_windows=len(failing),
    )
    others = [other.id for other in alert_store.related(tx, alert)]
    detail = {
        "executions": [point.execution for point in failing],
        "datapoints_to_alert": rule.datapoints_to_alert,
        "evaluation_period": rule.evaluation_period,
        **({"related": others[:100]} if others else {}),
    }
    alert_store.note(tx, alert.id, "opened", execution=run.id, detail=detail)
    _trace(tx, alert, [point.execution for point in failing])
    n = min(rule.evaluation_period, n_points)
    reason = f"{len(failing)} of the last {plural(n, 'run')} failed"
    more = {"reason": reason, **_about(run), **({"related": others[:20]} if others else {})}
    alert_store.tell(tx, "alert.opened", alert, more)
    return alert


def go_on(tx: Tx, alert: Alert, run: Any, incidents: Sequence[Cause]) -> Alert:
    """Write a further run into an alert; tell only of new causes and of more severe ones."""
    if _is_counted(tx, alert, [run.id]):
        return alert
    earlier = [
        row.id
        for row in tx.execute(
            sa.select(executions.c.id).where(
                executions.c.schedule == run.schedule,
                executions.c.window_start == run.window_start,
                executions.c.window_end == run.window_end,
                executions.c.id != run.id,
            )
        )
    ]
    counted = _is_counted(tx, alert, earlier)
    before = [
        cause
        for row in (run_of(tx, execution) for execution in counted)
        for cause in incidents_in(row.status, row.result, error_code=row.error_code)
    ]
    causes, added = merged(alert.causes, incidents, run.id, before=before)
    severity = most_severe([alert.severity, *(cause.severity for cause in incidents)])
    escalated = severity != alert.severity
    window = {"start": shown(run.window_start), "end": shown(run.window_end)}
    detail = {"window": window, "revision": run.revision}
    alert_store.note(tx, alert.id, "still firing", execution=run.id, detail=detail)
    _trace(tx, alert, [run.id])
    values: dict[str, Any] = {}
    if added:
        told = {"causes": [cause.title for cause in added[:20]], "n_causes": len(added)}
        alert_store.note(tx, alert.id, "cause added", execution=run.id, detail=told)
    if escalated:
        told = {"was": alert.severity, "state": alert.state}
        alert_store.note(tx, alert.id, "escalated", execution=run.id, detail=told)
        values |= {"state": "open", "snoozed_until": None, "acknowledged_by": None}
    if (added or escalated) and alert.kind == "violations":
        values["title"] = headline(alert.endpoint or alert.schedule, causes)
    changed = alert_store.change(
        tx,
        alert,
        causes=causes,
        severity=severity,
        last_execution=run.id,
        n_windows=alert.n_windows + (not counted),
        **values,
    )
    if escalated:
        more = {**_about(run), "was": alert.severity, "n_new_causes": len(added)}
        alert_store.tell(tx, "alert.escalated", changed, more, before=alert)
    elif added:
        more = {**_about(run), "n_new_causes": len(added)}
        alert_store.tell(tx, "alert.updated", changed, more, audited=False)
    return changed


def _trace(tx: Tx, alert: Alert, runs: Sequence[str]) -> None:
    """Write into the lineage which runs an alert comes from."""
    from driftline.registry import lineage

    for execution in runs:
        lineage.of_alert(tx, alert.id, execution)


def _is_counted(tx: Tx, alert: Alert, candidates: Sequence[str]) -> list[str]:
    """Return which of some executions are written into an alert."""
    if not candidates:
        return []
    c = alert_log.c
    mine = sa.and_(c.alert == alert.id, c.what.in_(_COUNTED))
    found = {
        row.execution for row in tx.execute(sa.select(c.execution).where(mine, c.execution.in_(candidates)))
    }
    first = tx.execute(
        sa.select(c.detail).where(c.alert == alert.id, c.what == "opened").limit(1)
    ).one_or_none()
    if first is not None:
        found |= set(first.detail.get("executions") or ()) & set(candidates)
    return [execution for execution in candidates if execution in found]


def _about(run: Any) -> dict[str, Any]:
    counts = (run.result or {}).get("counts") or {}
    return {
        "violations": counts.get("violated"),
        "window": {"start": shown(run.window_start), "end": shown(run.window_end)},
        "revision": run.revision,
    }


def resolve(
    tx: Tx, alert: Alert, *, execution: str | None = None, reason: str | None = None, clean_runs: int = 0
) -> Alert:
    """Resolve an alert because what it was about is over; told once."""
    changed = alert_store.change(
        tx, alert, state="resolved", resolved=tx.now, snoozed_until=None, clean_runs=clean_runs
    )
    alert_store.note(
        tx, alert.id, "resolved", reason=reason, execution=execution, detail={"clean_runs": clean_runs}
    )
    alert_store.tell(
        tx, "alert.resolved", changed, {} if reason is None else {"reason": reason}, before=alert
    )
    return changed
