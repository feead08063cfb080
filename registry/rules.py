"""Rules: the alert rules of schedules, their states, and when these changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa

from driftline.errors import UsageError, printable
from driftline.registry.alert_rule import AlertStatus
from driftline.registry.given import check_page, missing
from driftline.registry.moments import shown
from driftline.registry.tables import alert_history, alert_rules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from driftline.registry.store import Tx

__all__ = ["Rule", "Transition", "find_rule", "get_rule", "history", "rules"]


@dataclass(frozen=True, slots=True)
class Rule:
    """An alert rule of a schedule: m failures of the last n runs.

    Attributes
    ----------
    schedule, name : str
    datapoints_to_alert, evaluation_period : int
        m and n.
    count_failed_runs : bool
        Whether runs that failed count as failures.
    dashboard_indicator : bool
        Whether it shows on the dashboard.
    keep_firing : int
        Clean runs in a row before its alert is resolved.
    min_severity : str
        Violations less severe do not count.
    status : str
        OK or InAlert.
    since : int or None
        Of the status; None where it never changed.
    failing : int
        Failures among the last n runs.
    restarted : int
        Runs that ended at this instant or before do not count.
    created, modified : int
    """

    schedule: str
    name: str
    datapoints_to_alert: int
    evaluation_period: int
    count_failed_runs: bool
    dashboard_indicator: bool
    keep_firing: int
    min_severity: str
    status: str
    since: int | None
    failing: int
    restarted: int
    created: int
    modified: int

    def document(self) -> dict[str, Any]:
        """Return what people decide about it."""
        return {name: getattr(self, name) for name in DECIDED}

    def to_sagemaker(self) -> dict[str, Any]:
        """Return it as SageMaker's ``MonitoringAlertSummary`` has it; times in RFC 3339."""
        return {
            "MonitoringAlertName": self.name,
            "CreationTime": shown(self.created),
            "LastModifiedTime": shown(self.modified),
            "AlertStatus": self.status,
            "DatapointsToAlert": self.datapoints_to_alert,
            "EvaluationPeriod": self.evaluation_period,
            "Actions": {"ModelDashboardIndicator": {"Enabled": self.dashboard_indicator}},
        }


DECIDED = (
    "datapoints_to_alert",
    "evaluation_period",
    "count_failed_runs",
    "dashboard_indicator",
    "keep_firing",
    "min_severity",
)


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of a rule's state.

    Attributes
    ----------
    seq : int
        Place in the order of all transitions.
    schedule, rule : str
    moment : int
    status : str
        The state after it, OK or InAlert.
    reason : str
        ``run``, ``criteria changed`` or ``restarted``.
    execution : str or None
        The run that brought it about.
    detail : mapping
        ``failing``: how many runs failed; ``executions``: which; ``datapoints_to_alert``, ``evaluation_period``.
    """

    seq: int
    schedule: str
    rule: str
    moment: int
    status: str
    reason: str
    execution: str | None
    detail: Mapping[str, Any]

    def to_sagemaker(self) -> dict[str, Any]:
        """Return it as SageMaker's ``MonitoringAlertHistorySummary`` has it; the time in RFC 3339."""
        return {
            "MonitoringScheduleName": self.schedule,
            "MonitoringAlertName": self.rule,
            "CreationTime": shown(self.moment),
            "AlertStatus": self.status,
        }


def _of(row: Any) -> Rule:
    return Rule(*(getattr(row, column) for column in Rule.__slots__))


def rules(tx: Tx, schedule: str) -> list[Rule]:
    """Return the rules of a schedule, by name."""
    query = (
        sa.select(alert_rules)
        .where(alert_rules.c.schedule == schedule, alert_rules.c.archived.is_(None))
        .order_by(alert_rules.c.name)
    )
    return [_of(row) for row in tx.execute(query)]


def find_rule(tx: Tx, schedule: str, name: str) -> tuple[Rule, bool] | None:
    """Return a rule and whether it was removed, or None where it never was."""
    row = tx.one(sa.select(alert_rules).where(alert_rules.c.schedule == schedule, alert_rules.c.name == name))
    return None if row is None else (_of(row), row.archived is not None)


def get_rule(tx: Tx, schedule: str, name: str) -> Rule:
    """Return a rule.

    Raises
    ------
    RegistryError
        ``E-NO-ALERT-RULE``.
    """
    found = find_rule(tx, schedule, name)
    if found is not None and not found[1]:
        return found[0]
    raise missing(
        tx,
        "alert rule",
        name,
        alert_rules.c.name,
        alert_rules.c.schedule == schedule,
        alert_rules.c.archived.is_(None),
    )


def move(
    tx: Tx,
    rule: Rule,
    status: AlertStatus,
    reason: str,
    *,
    failing: int = 0,
    execution: str | None = None,
    executions: list[str] | None = None,
) -> bool:
    """Set the state of a rule; a change goes into the history, and is told.

    Returns
    -------
    bool
        Whether it changed.
    """
    here = sa.and_(alert_rules.c.schedule == rule.schedule, alert_rules.c.name == rule.name)
    if status.value == rule.status:
        if failing != rule.failing:
            tx.execute(sa.update(alert_rules).where(here).values(failing=failing))
        return False
    tx.execute(sa.update(alert_rules).where(here).values(status=status.value, since=tx.now, failing=failing))
    detail = {
        "failing": failing,
        "executions": executions or [],
        "datapoints_to_alert": rule.datapoints_to_alert,
        "evaluation_period": rule.evaluation_period,
    }
    tx.insert(
        alert_history,
        schedule=rule.schedule,
        rule=rule.name,
        moment=tx.now,
        status=status.value,
        reason=reason,
        execution=execution,
        detail=detail,
    )
    tx.emit(
        "alert_rule.in_alert" if status is AlertStatus.IN_ALERT else "alert_rule.ok",
        f"schedules/{rule.schedule}",
        {
            "schedule": rule.schedule,
            "rule": rule.name,
            "state": status.value,
            "reason": reason,
            "execution": execution,
            "failing": failing,
            "datapoints_to_alert": rule.datapoints_to_alert,
            "evaluation_period": rule.evaluation_period,
        },
    )
    return True


def history(
    tx: Tx,
    schedule: str | None = None,
    rule: str | None = None,
    *,
    created_after: int | None = None,
    created_before: int | None = None,
    status: str | None = None,
    sort_by: Literal["CreationTime", "Status"] = "CreationTime",
    order: Literal["Ascending", "Descending"] = "Descending",
    limit: int = 100,
    after: int | None = None,
) -> list[Transition]:
    """Return the changes of state of rules, as SageMaker's ``ListMonitoringAlertHistory`` does.

    Parameters
    ----------
    schedule, rule : str, optional
    created_after, created_before : int, optional
        Both ends belong to it.
    status : str, optional
        OK or InAlert.
    sort_by, order : str
        What is alike in `sort_by` is in the order in which it came about.
    limit : int
        1 to 100.
    after : int, optional
        ``seq`` of the last one of the page before.

    Raises
    ------
    UsageError
        ``E-LIMIT``; ``E-ALERT``: no such status or order.
    """
    for field, value, known in (
        ("status", status, (None, "OK", "InAlert")),
        ("sort_by", sort_by, ("CreationTime", "Status")),
        ("order", order, ("Ascending", "Descending")),
    ):
        if value not in known:
            words = " or ".join(repr(word) for word in known if word)
            raise UsageError(
                f"expected {words}, found {printable(repr(value), 60)}", code="E-ALERT", field=field
            )
    if check_page(limit) > 100:
        raise UsageError(
            f"{printable(repr(limit), 60)} rows are no page",
            code="E-LIMIT",
            field="limit",
            fix="ask for 1 to 100",
        )
    table = alert_history
    key = table.c.moment if sort_by == "CreationTime" else table.c.status
    query = sa.select(table).limit(limit)
    for column, wanted in ((table.c.schedule, schedule), (table.c.rule, rule), (table.c.status, status)):
        if wanted is not None:
            query = query.where(column == wanted)
    if created_after is not None:
        query = query.where(table.c.moment >= created_after)
    if created_before is not None:
        query = query.where(table.c.moment <= created_before)
    descends = order == "Descending"
    if after is not None:
        last = tx.one(sa.select(key.label("key")).where(table.c.seq == after))
        if last is None:
            return []
        seq_beyond = table.c.seq < after if descends else table.c.seq > after
        key_beyond = key < last.key if descends else key > last.key
        query = query.where(sa.or_(key_beyond, sa.and_(key == last.key, seq_beyond)))
    parts = (key, table.c.seq)
    query = query.order_by(*(part.desc() if descends else part.asc() for part in parts))
    return [
        Transition(
            row.seq, row.schedule, row.rule, row.moment, row.status, row.reason, row.execution, row.detail
        )
        for row in tx.execute(query)
    ]
