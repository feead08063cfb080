"""Cells: what the dashboard says of the monitors of one kind that a model has.

Nine states where SageMaker's dashboard has four values; `compat` gives theirs. Which one a monitor is in is decided by the
first line of this table that fits:

============= ======== ================================================= ==========================
state         severity when                                              compat
============= ======== ================================================= ==========================
none          0        there is no monitor                               None
inactive      1        it is stopped                                     Inactive
misconfigured 6        it failed: configuration or permissions           Inactive
in_alert      7        a rule is InAlert, with the indicator on          since when
failing       5        the last run failed, or was stopped               OK
stale         4        no run finished for two periods and 20 minutes    OK
no_data       4        the last run found no data                        OK
waiting       3        it is pending, or no run has finished yet         OK
ok            2        otherwise                                         OK
============= ======== ================================================= ==========================
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from driftline.errors import printable
from driftline.registry.alert_rule import is_silent
from driftline.registry.moments import shown
from driftline.registry.tables import alert_rules, deployments, executions, schedules
from driftline.reports.wording import plural

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from driftline.registry.store import Tx

__all__ = ["KINDS", "SEVERITIES", "Cell", "RuleState", "RunState", "ScheduleState", "cell", "cells_of"]

KINDS: Final = ("data-quality", "model-quality", "bias", "attribution")

SEVERITIES: Final = {
    "none": 0,
    "inactive": 1,
    "ok": 2,
    "waiting": 3,
    "no_data": 4,
    "stale": 4,
    "failing": 5,
    "misconfigured": 6,
    "in_alert": 7,
}
"""By state; of several monitors the highest is shown."""

_FINISHED: Final = ("Completed", "CompletedWithViolations", "NoData", "Failed", "Stopped")
_NO_DATA = re.compile(r"\bno data\b|\bno S3 objects found\b|\bno input\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RuleState:
    """An alert rule, as far as a cell shows it.

    Attributes
    ----------
    status : str
        OK or InAlert.
    since : int or None
        Of the status.
    dashboard_indicator : bool
    failing : int
        Failures among the last runs.
    datapoints_to_alert : int
        How many it takes.
    """

    status: str = "OK"
    since: int | None = None
    dashboard_indicator: bool = True
    failing: int = 0
    datapoints_to_alert: int = 1


@dataclass(frozen=True, slots=True)
class RunState:
    """The last run that finished, by its window.

    Attributes
    ----------
    status : str
        Completed, CompletedWithViolations, NoData, Failed or Stopped.
    ended : int
    reason : str or None
        Why it failed.
    """

    status: str
    ended: int
    reason: str | None = None

    @property
    def found_no_data(self) -> bool:
        """Whether there was nothing to look at; SageMaker calls that failed, and says so in the reason."""
        return self.status == "NoData" or (
            self.status == "Failed" and bool(_NO_DATA.search(self.reason or ""))
        )


@dataclass(frozen=True, slots=True)
class ScheduleState:
    """A monitor, as far as a cell shows it.

    Attributes
    ----------
    name : str
    status : str
        Pending, Scheduled, Stopped or Failed.
    since : int
        When it was last started.
    period : int or None
        Microseconds between its runs; None where it runs once.
    last : RunState or None
    rules : tuple of RuleState
    failure_reason : str or None
    """

    name: str
    status: str = "Scheduled"
    since: int = 0
    period: int | None = None
    last: RunState | None = None
    rules: tuple[RuleState, ...] = ()
    failure_reason: str | None = None

    @property
    def raised(self) -> int | None:
        """When the newest of its rules with the indicator on went InAlert; None where none is."""
        return max(
            (r.since or 0 for r in self.rules if r.status == "InAlert" and r.dashboard_indicator),
            default=None,
        )


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a cell.

    Attributes
    ----------
    state : str
    severity : int
        0 to 7.
    compat : str
        ``None``, ``Inactive``, ``OK`` or a time, as SageMaker's dashboard has it.
    text : str
        For people.
    moment : int or None
        When what is shown came about.
    n_state, n_active, n_inactive : int
        Monitors in this state, those that are not stopped, and those that are.
    is_muted : bool
        Whether a rule is InAlert that does not show.
    """

    state: str
    severity: int
    compat: str
    text: str
    moment: int | None = None
    n_state: int = 0
    n_active: int = 0
    n_inactive: int = 0
    is_muted: bool = False


@dataclass(frozen=True, slots=True)
class _One:
    state: str
    text: str
    moment: int | None
    is_muted: bool


def cell(monitors: Sequence[ScheduleState], now: int) -> Cell:
    """Return what the dashboard says of the monitors of one kind of one model.

    Parameters
    ----------
    monitors : sequence of ScheduleState
    now : int
        Microseconds since 1970-01-01 UTC.

    Notes
    -----
    Of several monitors the one with the highest severity is shown, of several such the one where something happened last;
    stopped ones only where all are.
    """
    compat = _compat(monitors)
    if not monitors:
        return Cell("none", 0, compat, "no monitor")
    ones = [_one(monitor, now) for monitor in monitors]
    active = [one for one in ones if one.state != "inactive"]
    n_inactive = len(ones) - len(active)
    shown_one = max(active or ones, key=lambda one: (SEVERITIES[one.state], one.moment or 0))
    n_state = sum(one.state == shown_one.state for one in active or ones)
    text = shown_one.text
    if len(active) > 1 and (n_state < len(active) or shown_one.state != "ok"):
        text += f", {n_state} of {len(active)}"
    if active and n_inactive:
        text += f" (+{n_inactive} inactive)"
    return Cell(
        shown_one.state,
        SEVERITIES[shown_one.state],
        compat,
        text,
        shown_one.moment,
        n_state,
        len(active),
        n_inactive,
        any(one.is_muted for one in active),
    )


def _one(monitor: ScheduleState, now: int) -> _One:
    last, raised = monitor.last, monitor.raised
    muted = [r for r in monitor.rules if r.status == "InAlert" and not r.dashboard_indicator]
    ended = None if last is None else last.ended
    has_failed = last is not None and last.status in ("Failed", "Stopped") and not last.found_no_data
    if monitor.status == "Stopped":
        was = max((r.since or 0 for r in monitor.rules if r.status == "InAlert"), default=None)
        text = "inactive" + (f" (was in alert since {shown(was)})" if was is not None else "")
        return _One("inactive", text, was, is_muted=False)
    if monitor.status == "Failed":
        why = f": {printable(monitor.failure_reason, 120)}" if monitor.failure_reason else ""
        return _One("misconfigured", f"misconfigured{why}", ended or monitor.since, bool(muted))
    if raised is not None:
        text = f"alert since {shown(raised)}" + (", last run failed" if has_failed else "")
        return _One("in_alert", text, raised, bool(muted))
    if last is not None and has_failed:
        verb = "failed" if last.status == "Failed" else "was stopped"
        why = f": {printable(last.reason, 120)}" if last.reason else ""
        return _One("failing", f"last run {verb}{why}", ended, bool(muted))
    is_stale = (
        monitor.status == "Scheduled"
        and monitor.period is not None
        and is_silent(now, ended, monitor.since, monitor.period)
    )
    if is_stale:
        told = (
            f"no run since {shown(ended)}"
            if ended is not None
            else f"no run yet, since {shown(monitor.since)}"
        )
        return _One("stale", told, ended or monitor.since, bool(muted))
    if last is not None and last.found_no_data:
        return _One("no_data", "no data in the last window", ended, bool(muted))
    if monitor.status == "Pending" or last is None:
        return _One("waiting", "waiting for the first run", monitor.since, bool(muted))
    return _One("ok", _ok(monitor, last, bool(muted)), ended, bool(muted))


def _ok(monitor: ScheduleState, last: RunState, is_muted: bool) -> str:
    text = "OK"
    near = [r for r in monitor.rules if r.status == "OK" and r.failing]
    if near:
        rule = max(near, key=lambda r: r.failing / r.datapoints_to_alert)
        text += f", {rule.failing} of {plural(rule.datapoints_to_alert, 'violating run')}"
    elif last.status == "CompletedWithViolations" and not is_muted:
        text += ", violations that no rule counts"
    return text + (", in alert without indicator" if is_muted else "")


def _compat(monitors: Sequence[ScheduleState]) -> str:
    if not monitors:
        return "None"
    active = [monitor for monitor in monitors if monitor.status in ("Scheduled", "Pending")]
    raised = [monitor.raised for monitor in active if monitor.raised is not None]
    if raised:
        return shown(max(raised)) or ""
    return "OK" if active else "Inactive"


def cells_of(
    tx: Tx,
    models: Sequence[str] | None = None,
    *,
    period_of: Callable[[Mapping[str, Any]], int | None] = lambda _: None,
) -> dict[str, dict[str, Cell]]:
    """Return the cells of models, in two queries however many there are.

    Parameters
    ----------
    models : sequence of str, optional
        Of these, each with all four kinds; otherwise of all models that an endpoint with a monitor serves.
    period_of : callable
        Gives the microseconds between the runs of a schedule from its configuration, None where it runs once.

    Returns
    -------
    dict of str to dict of str to Cell
        By model and kind.
    """
    run = executions.alias()
    other = executions.alias()
    # The newest window that the schedule ran; runs by hand count where they repeat one of its windows.
    last = (
        sa.select(run.c.id)
        .where(
            run.c.schedule == schedules.c.name,
            run.c.status.in_(_FINISHED),
            sa.or_(
                run.c.cause.in_(("schedule", "catch-up")),
                sa.exists().where(
                    other.c.schedule == run.c.schedule,
                    other.c.window_start == run.c.window_start,
                    other.c.window_end == run.c.window_end,
                    other.c.cause.in_(("schedule", "catch-up")),
                ),
            ),
        )
        .order_by(run.c.window_end.desc(), run.c.window_start.desc(), run.c.revision.desc())
        .limit(1)
        .correlate(schedules)
        .scalar_subquery()
    )
    is_served = sa.and_(deployments.c.endpoint == schedules.c.endpoint, deployments.c.until.is_(None))
    if models is not None:
        is_served = sa.and_(is_served, deployments.c.model.in_(list(models)))
    pairs = sa.select(deployments.c.model, schedules.c.name).join_from(schedules, deployments, is_served)
    served = pairs.where(schedules.c.archived.is_(None)).distinct().subquery()
    ran = executions.alias()
    monitored = (
        sa.select(
            served.c.model,
            schedules.c.name,
            schedules.c.kind,
            schedules.c.status,
            schedules.c.since,
            schedules.c.config,
            schedules.c.failure_reason,
            ran.c.status.label("run_status"),
            ran.c.ended.label("run_ended"),
            ran.c.failure_reason.label("run_reason"),
        )
        .join_from(served, schedules, served.c.name == schedules.c.name)
        .join(ran, ran.c.id == last, isouter=True)
        .order_by(served.c.model, schedules.c.name)
    )
    rules = _rules(tx, sa.select(served.c.name))
    found: dict[tuple[str, str], list[ScheduleState]] = {}
    for row in tx.execute(monitored):
        run_state = None if row.run_ended is None else RunState(row.run_status, row.run_ended, row.run_reason)
        state = ScheduleState(
            row.name,
            row.status,
            row.since,
            period_of(row.config),
            run_state,
            tuple(rules.get(row.name, ())),
            row.failure_reason,
        )
        found.setdefault((row.model, row.kind), []).append(state)
    names = list(models) if models is not None else sorted({model for model, _ in found})
    return {model: {kind: cell(found.get((model, kind), ()), tx.now) for kind in KINDS} for model in names}


def _rules(tx: Tx, wanted: sa.Select[Any]) -> dict[str, list[RuleState]]:
    c = alert_rules.c
    query = (
        sa.select(c.schedule, c.status, c.since, c.dashboard_indicator, c.failing, c.datapoints_to_alert)
        .where(c.schedule.in_(wanted), c.archived.is_(None))
        .order_by(c.schedule, c.name)
    )
    found: dict[str, list[RuleState]] = {}
    for row in tx.execute(query):
        state = RuleState(
            row.status, row.since, row.dashboard_indicator, row.failing, row.datapoints_to_alert
        )
        found.setdefault(row.schedule, []).append(state)
    return found
