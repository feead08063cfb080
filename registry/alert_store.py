"""Alerts as they are kept: reading them, their log, and how a change is written and told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from driftline.errors import UsageError, printable
from driftline.registry.alert_cause import Cause, match
from driftline.registry.database import RegistryError
from driftline.registry.given import check_page
from driftline.registry.ids import new_id
from driftline.registry.moments import shown
from driftline.registry.tables import alert_log, alerts, schedules
from driftline.reports.wording import name as shown_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from driftline.registry.store import Tx

__all__ = [
    "STATES",
    "UNRESOLVED",
    "Alert",
    "LogEntry",
    "OpenCounts",
    "get",
    "list_alerts",
    "log",
    "open_counts",
    "related",
]

UNRESOLVED = ("open", "acknowledged", "snoozed")
STATES = (*UNRESOLVED, "resolved")

MOST_TOLD = 8
"""Causes that an event tells; so that it stays below 64 KiB whatever columns are called."""

MOST_NAMES = 20


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that people should handle.

    Attributes
    ----------
    id : str
    kind : str
        ``violations``; ``silent``: a monitor that stopped reporting; ``failing``: one whose runs fail in a row;
        ``no_data``: one that finds no data.
    schedule : str
    rule : str or None
        The alert rule, for violations.
    endpoint, model, model_version : str or None
    state : str
        open, acknowledged, snoozed or resolved.
    severity : str
        warning or critical; the highest so far.
    title : str
    causes : tuple of Cause
        Critical ones first, then those with more columns.
    opened, modified : int
    resolved, snoozed_until : int or None
    acknowledged_by : str or None
    first_execution, last_execution : str or None
        The runs that opened it and that it was last seen in.
    n_windows : int
        Windows it was seen in.
    clean_runs : int
        In a row, at the end, with the rule OK.
    """

    id: str
    kind: str
    schedule: str
    rule: str | None
    endpoint: str | None
    model: str | None
    model_version: str | None
    state: str
    severity: str
    title: str
    causes: tuple[Cause, ...]
    opened: int
    modified: int
    resolved: int | None
    snoozed_until: int | None
    acknowledged_by: str | None
    first_execution: str | None
    last_execution: str | None
    n_windows: int
    clean_runs: int

    @property
    def is_open(self) -> bool:
        """Whether it is not resolved."""
        return self.state != "resolved"


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One line of what happened to an alert.

    Attributes
    ----------
    seq : int
    alert : str
    moment : int
    who : str
    what : str
        opened, still firing, cause added, escalated, acknowledged, snoozed, woken, commented, resolved.
    reason : str or None
        As people said.
    execution : str or None
    detail : mapping
    """

    seq: int
    alert: str
    moment: int
    who: str
    what: str
    reason: str | None
    execution: str | None
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class OpenCounts:
    """How many alerts of a model are not resolved.

    Attributes
    ----------
    critical, warning : int
        By severity.
    open, acknowledged, snoozed : int
        By state.
    """

    critical: int = 0
    warning: int = 0
    open: int = 0
    acknowledged: int = 0
    snoozed: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.critical + self.warning


def _of(row: Any) -> Alert:
    values = {column: getattr(row, column) for column in Alert.__slots__}
    return Alert(**{**values, "causes": tuple(Cause.of(cause) for cause in row.causes)})


# --- reading ---------------------------------------------------------------------------------------------------------


def get(tx: Tx, alert: str) -> Alert:
    """Return an alert.

    Raises
    ------
    RegistryError
        ``E-NO-ALERT``.
    """
    row = tx.one(sa.select(alerts).where(alerts.c.id == alert)) if _may_be_id(alert) else None
    if row is None:
        raise RegistryError(
            f"there is no alert {printable(repr(alert), 60)}",
            code="E-NO-ALERT",
            fix="list them with `driftline alert list`",
        )
    return _of(row)


def _may_be_id(text: object) -> bool:
    return isinstance(text, str) and len(text) == 26 and text.isalnum() and text.isascii()


def list_alerts(
    tx: Tx,
    *,
    state: str | Sequence[str] | None = None,
    severity: str | None = None,
    kind: str | None = None,
    model: str | None = None,
    endpoint: str | None = None,
    schedule: str | None = None,
    open_only: bool = False,
    after: str | None = None,
    limit: int = 100,
) -> list[Alert]:
    """Return alerts, those opened last first.

    Parameters
    ----------
    state : str or sequence of str, optional
    severity, kind, model, endpoint, schedule : str, optional
    open_only : bool
        Only those that are not resolved.
    after : str, optional
        Id of the last one of the page before.
    limit : int

    Raises
    ------
    UsageError
        ``E-LIMIT``; ``E-ALERT``: no such state or severity.
    RegistryError
        ``E-NO-ALERT``: `after` is no alert.
    """
    states = (state,) if isinstance(state, str) else state
    for field, known, given in (
        ("state", STATES, states or ()),
        ("severity", ("warning", "critical"), (severity,) if severity is not None else ()),
    ):
        for word in given:
            if word not in known:
                raise UsageError(
                    f"expected {', '.join(known)}, found {printable(repr(word), 60)}",
                    code="E-ALERT",
                    field=field,
                )
    query = sa.select(alerts).order_by(alerts.c.opened.desc(), alerts.c.id.desc()).limit(check_page(limit))
    if states is not None:
        query = query.where(alerts.c.state.in_(tuple(states)))
    if open_only:
        query = query.where(alerts.c.state.in_(UNRESOLVED))
    for column, wanted in (
        (alerts.c.severity, severity),
        (alerts.c.kind, kind),
        (alerts.c.model, model),
        (alerts.c.endpoint, endpoint),
        (alerts.c.schedule, schedule),
    ):
        if wanted is not None:
            query = query.where(column == wanted)
    if after is not None:
        last = get(tx, after)
        same = sa.and_(alerts.c.opened == last.opened, alerts.c.id < last.id)
        query = query.where(sa.or_(alerts.c.opened < last.opened, same))
    return [_of(row) for row in tx.execute(query)]


def log(tx: Tx, alert: str) -> list[LogEntry]:
    """Return what happened to an alert, in order.

    Raises
    ------
    RegistryError
        ``E-NO-ALERT``.
    """
    get(tx, alert)
    query = sa.select(alert_log).where(alert_log.c.alert == alert).order_by(alert_log.c.seq)
    return [
        LogEntry(row.seq, row.alert, row.moment, row.who, row.what, row.reason, row.execution, row.detail)
        for row in tx.execute(query)
    ]


def open_counts(tx: Tx, models: Sequence[str] | None = None) -> dict[str, OpenCounts]:
    """Count the alerts that are not resolved, by model; those of no model are under ``""``.

    Parameters
    ----------
    models : sequence of str, optional
        Only of these.
    """
    query = (
        sa.select(alerts.c.model, alerts.c.severity, alerts.c.state, sa.func.count().label("n"))
        .where(alerts.c.state.in_(UNRESOLVED))
        .group_by(alerts.c.model, alerts.c.severity, alerts.c.state)
    )
    if models is not None:
        query = query.where(alerts.c.model.in_(list(models)))
    found: dict[str, dict[str, int]] = {}
    for row in tx.execute(query):
        counts = found.setdefault(row.model or "", {})
        for key in (row.severity, row.state):
            counts[key] = counts.get(key, 0) + row.n
    return {model: OpenCounts(**counts) for model, counts in sorted(found.items())}


def related(tx: Tx, alert: Alert) -> list[Alert]:
    """Return other alerts of the same endpoint or model that are not resolved and share a cause.

    Two rules of one monitor that see the same rows, or two monitors of one endpoint, have an alert each; so one leads to
    the other.
    """
    same = [
        c == v
        for c, v in ((alerts.c.endpoint, alert.endpoint), (alerts.c.model, alert.model))
        if v is not None
    ]
    query = (
        sa.select(alerts)
        .where(
            alerts.c.state.in_(UNRESOLVED),
            alerts.c.id != alert.id,
            alerts.c.kind == alert.kind,
            sa.or_(alerts.c.schedule == alert.schedule, *same),
        )
        .order_by(alerts.c.opened, alerts.c.id)
        .limit(1000)
    )
    others = [_of(row) for row in tx.execute(query)]
    return [o for o in others if any(match(cause, alert.causes) is not None for cause in o.causes)]


def unresolved(tx: Tx, schedule: str, kind: str, rule: str | None = None) -> Alert | None:
    """Return the alert of a schedule, or of one of its rules, that is not resolved; there is at most one."""
    row = tx.one(
        sa.select(alerts)
        .where(
            alerts.c.schedule == schedule,
            alerts.c.kind == kind,
            alerts.c.state.in_(UNRESOLVED),
            _is_rule(rule),
        )
        .order_by(alerts.c.opened.desc(), alerts.c.id.desc())
        .limit(1)
    )
    return None if row is None else _of(row)


def newest(tx: Tx, schedule: str, kind: str, rule: str | None = None) -> Alert | None:
    """Return the last alert of a schedule, or of one of its rules, in whatever state."""
    row = tx.one(
        sa.select(alerts)
        .where(alerts.c.schedule == schedule, alerts.c.kind == kind, _is_rule(rule))
        .order_by(alerts.c.opened.desc(), alerts.c.id.desc())
        .limit(1)
    )
    return None if row is None else _of(row)


def _is_rule(rule: str | None) -> sa.ColumnElement[bool]:
    return alerts.c.rule.is_(None) if rule is None else alerts.c.rule == rule


# --- writing ---------------------------------------------------------------------------------------------------------


def note(
    tx: Tx,
    alert: str,
    what: str,
    *,
    reason: str | None = None,
    execution: str | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Add a line to the log of an alert."""
    tx.insert(
        alert_log,
        alert=alert,
        moment=tx.now,
        who=tx.who,
        what=what,
        reason=reason,
        execution=execution,
        detail=dict(detail or {}),
    )


def add(tx: Tx, **values: Any) -> Alert:
    """Write a new, open alert."""
    causes = [cause.document() for cause in values.pop("causes", ())]
    made = new_id(tx.now)
    tx.insert(
        alerts,
        id=made,
        state="open",
        causes=causes,
        opened=tx.now,
        modified=tx.now,
        clean_runs=0,
        **values,
    )
    return get(tx, made)


def change(tx: Tx, alert: Alert, **values: Any) -> Alert:
    """Change an alert, and return it as it is then."""
    if "causes" in values:
        values["causes"] = [cause.document() for cause in values["causes"]]
    tx.execute(sa.update(alerts).where(alerts.c.id == alert.id).values(modified=tx.now, **values))
    return get(tx, alert.id)


def tell(
    tx: Tx,
    action: str,
    alert: Alert,
    more: Mapping[str, Any],
    *,
    before: Alert | None = None,
    audited: bool = True,
) -> None:
    """Tell of a change of an alert, in one event, however many causes it has."""
    data = {**event_data(tx, alert), **more}
    if not audited:
        tx.emit(action, f"alerts/{alert.id}", data)
        return
    was = None if before is None else {"state": before.state, "severity": before.severity}
    after = {"state": alert.state, "severity": alert.severity, "title": alert.title}
    after |= {key: more[key] for key in ("comment", "snoozed_until") if more.get(key) is not None}
    tx.record(action, f"alerts/{alert.id}", before=was, after=after, data=data)


def event_data(tx: Tx, alert: Alert) -> dict[str, Any]:
    """Return what an event about an alert says, in at most 48 KiB of JSON."""
    kind = tx.one(sa.select(schedules.c.kind).where(schedules.c.name == alert.schedule))
    columns = list(dict.fromkeys(column for cause in alert.causes for column in cause.columns))
    return {
        "alert": alert.id,
        "kind": alert.kind,
        "state": alert.state,
        "severity": alert.severity,
        "title": printable(alert.title, 200),
        "schedule": alert.schedule,
        "rule": alert.rule,
        "monitor": None if kind is None else kind.kind,
        "endpoint": alert.endpoint,
        "model": alert.model,
        "model_version": alert.model_version,
        "opened": shown(alert.opened),
        "resolved": shown(alert.resolved),
        "execution": alert.last_execution,
        "n_windows": alert.n_windows,
        "columns": [shown_name(column, 40) for column in columns[:MOST_NAMES]],
        "n_columns": max([len(columns), *(cause.n_columns for cause in alert.causes)]),
        "n_causes": sum(cause.n_incidents for cause in alert.causes),
        "causes": [
            {
                "fingerprint": cause.fingerprint,
                "kind": cause.kind,
                "title": printable(cause.title, 160),
                "severity": cause.severity,
                "n_columns": cause.n_columns,
                "windows": cause.windows,
            }
            for cause in alert.causes[:MOST_TOLD]
        ],
    }
