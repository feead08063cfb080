"""Alerts: rules that make many runs one alarm, the alarms themselves, and what people do with them.

The rooms behind this door: :mod:`~driftline.registry.rules` and :mod:`~driftline.registry.alert_rule` (m of n),
:mod:`~driftline.registry.alert_evaluation` (a run has ended), :mod:`~driftline.registry.alert_silence` (none has),
:mod:`~driftline.registry.alert_handling` (people), :mod:`~driftline.registry.alert_store` (reading).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from driftline.capture.event import check_name
from driftline.errors import UsageError, printable
from driftline.registry import alert_evaluation, schedules
from driftline.registry.alert_evaluation import evaluate
from driftline.registry.alert_handling import acknowledge, comment, resolve, snooze, unsnooze, wake_due
from driftline.registry.alert_rule import AlertStatus, check_numbers
from driftline.registry.alert_silence import silent_check
from driftline.registry.alert_store import (
    UNRESOLVED,
    Alert,
    LogEntry,
    OpenCounts,
    get,
    list_alerts,
    log,
    open_counts,
    related,
)
from driftline.registry.rules import Rule, Transition, find_rule, get_rule, history, move, rules
from driftline.registry.tables import alert_rules, alerts

if TYPE_CHECKING:
    from driftline.registry.store import Tx

__all__ = [
    "Alert",
    "LogEntry",
    "OpenCounts",
    "Rule",
    "Transition",
    "acknowledge",
    "comment",
    "declare_rule",
    "evaluate",
    "get",
    "get_rule",
    "history",
    "list_alerts",
    "log",
    "open_counts",
    "related",
    "remove_rule",
    "resolve",
    "restart",
    "retire",
    "rules",
    "silent_check",
    "snooze",
    "unsnooze",
    "update_rule",
    "wake_due",
]


def declare_rule(
    tx: Tx,
    schedule: str,
    name: str = "default",
    *,
    datapoints_to_alert: int = 1,
    evaluation_period: int = 1,
    count_failed_runs: bool = False,
    dashboard_indicator: bool = True,
    keep_firing: int = 1,
    min_severity: str = "warning",
) -> bool:
    """Say that a schedule should have an alert rule, and how it should be.

    Parameters
    ----------
    schedule, name : str
    datapoints_to_alert, evaluation_period : int
        InAlert where m of the last n data points are failures; both 1 to 100, m not greater than n.
    count_failed_runs : bool
        Whether runs that failed count as failures; otherwise they are no data points.
    dashboard_indicator : bool
        Whether it shows on the dashboard.
    keep_firing : int
        Clean runs in a row, with the rule OK, before its alert is resolved: up to 100; with 0 and 1 it is resolved when
        the rule is OK.
    min_severity : str
        ``warning``, or ``critical``: then other violations do not count.

    Returns
    -------
    bool
        Whether anything changed.

    Raises
    ------
    RegistryError
        ``E-NO-SCHEDULE``.
    UsageError
        ``E-ALERT``, ``E-NAME``.
    """
    check_name("an alert rule", name)
    schedules.get(tx, schedule)
    values = {
        "datapoints_to_alert": datapoints_to_alert,
        "evaluation_period": evaluation_period,
        "count_failed_runs": count_failed_runs,
        "dashboard_indicator": dashboard_indicator,
        "keep_firing": keep_firing,
        "min_severity": min_severity,
    }
    _check(values)
    found = find_rule(tx, schedule, name)
    if found is not None and not found[1]:
        return _change(tx, found[0], values)
    tx.insert(
        alert_rules,
        "update",
        schedule=schedule,
        name=name,
        **values,
        status=AlertStatus.OK.value,
        failing=0,
        since=None,
        restarted=tx.now,
        created=tx.now if found is None else found[0].created,
        modified=tx.now,
        archived=None,
    )
    tx.record(
        "alert_rule.created",
        f"schedules/{schedule}",
        after={"rule": name, **values},
        data=_told(schedule, name, "OK"),
    )
    return True


def update_rule(
    tx: Tx,
    schedule: str,
    name: str = "default",
    *,
    datapoints_to_alert: int | None = None,
    evaluation_period: int | None = None,
    count_failed_runs: bool | None = None,
    dashboard_indicator: bool | None = None,
    keep_firing: int | None = None,
    min_severity: str | None = None,
) -> Rule:
    """Change an alert rule; what is not given stays. The stored runs are looked at again at once.

    Raises
    ------
    RegistryError
        ``E-NO-SCHEDULE``, ``E-NO-ALERT-RULE``.
    UsageError
        ``E-ALERT``.
    """
    schedules.get(tx, schedule)
    rule = get_rule(tx, schedule, name)
    given = {
        "datapoints_to_alert": datapoints_to_alert,
        "evaluation_period": evaluation_period,
        "count_failed_runs": count_failed_runs,
        "dashboard_indicator": dashboard_indicator,
        "keep_firing": keep_firing,
        "min_severity": min_severity,
    }
    values = {**rule.document(), **{key: value for key, value in given.items() if value is not None}}
    _check(values)
    _change(tx, rule, values)
    return get_rule(tx, schedule, name)


def _check(values: dict[str, Any]) -> None:
    check_numbers(values["datapoints_to_alert"], values["evaluation_period"], values["keep_firing"])
    for key in ("count_failed_runs", "dashboard_indicator"):
        if not isinstance(values[key], bool):
            raise UsageError(
                f"expected true or false, found {printable(repr(values[key]), 60)}", code="E-ALERT", field=key
            )
    if values["min_severity"] not in ("warning", "critical"):
        found = printable(repr(values["min_severity"]), 60)
        raise UsageError(f"expected warning or critical, found {found}", code="E-ALERT", field="min_severity")


def _change(tx: Tx, rule: Rule, values: dict[str, Any]) -> bool:
    before = rule.document()
    if values == before:
        return False
    _set(tx, rule, modified=tx.now, **values)
    differ = [key for key in values if values[key] != before[key]]
    tx.record(
        "alert_rule.changed",
        f"schedules/{rule.schedule}",
        before={"rule": rule.name, **{key: before[key] for key in differ}},
        after={"rule": rule.name, **{key: values[key] for key in differ}},
        data=_told(rule.schedule, rule.name, rule.status),
    )
    # A schedule that is stopped raises no alert; what its runs mean is looked at when it is started again: nothing.
    if schedules.get(tx, rule.schedule).status != "Stopped":
        alert_evaluation.look(tx, get_rule(tx, rule.schedule, rule.name), "criteria changed")
    return True


def _set(tx: Tx, rule: Rule, **values: Any) -> None:
    here = sa.and_(alert_rules.c.schedule == rule.schedule, alert_rules.c.name == rule.name)
    tx.execute(sa.update(alert_rules).where(here).values(**values))


def _told(schedule: str, rule: str, state: str) -> dict[str, Any]:
    return {"schedule": schedule, "rule": rule, "state": state}


def restart(tx: Tx, schedule: str) -> None:
    """Begin anew, because a schedule is active again: runs that ended until now no longer count.

    Rules are OK then. Their alerts stay as they are until a run tells more: not to have looked is not to be clean.
    """
    for rule in rules(tx, schedule):
        _set(tx, rule, restarted=tx.now)
        move(tx, rule, AlertStatus.OK, "restarted")


def remove_rule(tx: Tx, schedule: str, name: str) -> None:
    """Take a rule away; its history stays, and its alert is resolved.

    Raises
    ------
    RegistryError
        ``E-NO-ALERT-RULE``.
    """
    rule = get_rule(tx, schedule, name)
    _set(tx, rule, archived=tx.now, modified=tx.now)
    tx.record(
        "alert_rule.removed",
        f"schedules/{schedule}",
        before={"rule": name, **rule.document()},
        data=_told(schedule, name, rule.status),
    )
    query = sa.select(alerts.c.id).where(
        alerts.c.schedule == schedule, alerts.c.rule == name, alerts.c.state.in_(UNRESOLVED)
    )
    for row in tx.all(query):
        alert_evaluation.resolve(tx, get(tx, row.id), reason="the alert rule was removed")


def retire(tx: Tx, schedule: str) -> None:
    """Resolve all alerts of a schedule, because it was removed."""
    query = sa.select(alerts.c.id).where(alerts.c.schedule == schedule, alerts.c.state.in_(UNRESOLVED))
    for row in tx.all(query.order_by(alerts.c.id)):
        alert_evaluation.resolve(tx, get(tx, row.id), reason="the schedule was removed")
