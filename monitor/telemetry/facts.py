"""Facts: what the registry says at one moment, read in a handful of queries however many schedules there are."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from driftline.errors import DriftlineError
from driftline.monitor.expression import Expression
from driftline.monitor.schedule import duration_us
from driftline.registry.executions import ENDED, FINISHED
from driftline.registry.schedules import ACTIVE
from driftline.registry.tables import alert_rules, alerts, executions, schedulers, schedules
from driftline.registry.targets import DeliveryStats, delivery_stats

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from driftline.registry.store import Tx

__all__ = ["SEEN_WITHIN", "Facts", "Judged", "Monitor", "facts", "judged", "scheduler_age"]

SUCCEEDED: Final = (*FINISHED, "NoData")
"""The monitor did its work; that there was nothing to look at is no failure of it."""

SEEN_WITHIN: Final = 60_000_000
"""A scheduler that was not heard of for so many microseconds is taken for gone."""

_RAN = tuple(status for status in ENDED if status != "Skipped")
_SCHEDULED = ("schedule", "catch-up")


@dataclass(slots=True)
class Monitor:
    """A schedule and its newest runs; durations in microseconds.

    Attributes
    ----------
    name, endpoint, status : str
    is_active, emits : bool
        Whether it runs; whether its measurements are told.
    since : int
        When it was last started.
    next_due : int or None
    period : int or None
        The longer of the time between its fires now and the time between those before.
    delay : int
    ran, succeeded : int or None
        When the run of the newest window that has ended did so; the same of the runs that succeeded.
    found_nothing : bool
        Whether the newest that succeeded found no data.
    pending_since : int or None
        When the first of the executions that wait may begin; later than now where none is due.
    counts : mapping of str to int
        Executions that have ended, by endpoint and status.
    """

    name: str
    endpoint: str
    status: str
    is_active: bool
    emits: bool
    since: int
    next_due: int | None
    period: int | None
    delay: int
    ran: int | None = None
    succeeded: int | None = None
    found_nothing: bool = False
    pending_since: int | None = None
    counts: dict[tuple[str, str], int] = field(default_factory=dict)

    def age(self, now: int) -> int:
        """Return how long ago it last succeeded; since it was started, where it has not succeeded after that."""
        return max(0, now - max(self.since, self.succeeded or self.since))

    def lag(self, now: int) -> int:
        """Return for how long work has been due that nobody has begun."""
        due = [moment for moment in (self.next_due, self.pending_since) if moment is not None]
        return max(0, now - min(due)) if due else 0


@dataclass(frozen=True, slots=True)
class Judged:
    """The newest execution of a schedule that judged data."""

    schedule: str
    endpoint: str
    model: str | None
    window_end: int
    seconds: float | None
    result: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Facts:
    """What the registry says.

    Attributes
    ----------
    now : int
    monitors : mapping of str to Monitor
        By name, in order; archived ones are left out.
    unfinished : mapping of str to int
        Executions that have not ended, by status.
    alerts : tuple of (model, endpoint, severity, state, n)
        Those not resolved.
    rules : tuple of (schedule, endpoint, rule, status)
    deliveries : tuple of DeliveryStats
    n_schedulers : int
        Those heard of within a minute.
    scheduler_age : int or None
        How long ago the last one was heard of, microseconds.
    """

    now: int
    monitors: Mapping[str, Monitor]
    unfinished: Mapping[str, int]
    alerts: tuple[tuple[str | None, str | None, str, str, int], ...]
    rules: tuple[tuple[str, str, str, str], ...]
    deliveries: tuple[DeliveryStats, ...]
    n_schedulers: int
    scheduler_age: int | None


def facts(tx: Tx) -> Facts:
    """Read all but the measurements."""
    monitors = {row.name: _monitor(row, tx.now) for row in tx.execute(_SCHEDULES)}
    for row in tx.execute(_newest(_RAN, executions.c.schedule, executions.c.ended)):
        monitors[row.schedule].ran = row.ended
    for row in tx.execute(_newest(SUCCEEDED, executions.c.schedule, executions.c.ended, executions.c.status)):
        monitors[row.schedule].succeeded = row.ended
        monitors[row.schedule].found_nothing = row.status == "NoData"
    for row in tx.execute(_COUNTS):
        if row.schedule in monitors and row.status in ENDED:
            monitors[row.schedule].counts[row.endpoint, row.status] = row.n
    unfinished: dict[str, int] = {}
    for row in tx.execute(_UNFINISHED):
        unfinished[row.status] = unfinished.get(row.status, 0) + row.n
        if row.status == "Pending" and row.schedule in monitors:
            monitors[row.schedule].pending_since = row.first
    seen = tx.now - SEEN_WITHIN
    n_schedulers = tx.execute(
        sa.select(sa.func.count()).where(schedulers.c.stopped.is_(None), schedulers.c.seen >= seen)
    ).scalar_one()
    return Facts(
        tx.now,
        monitors,
        unfinished,
        tuple((r.model, r.endpoint, r.severity, r.state, r.n) for r in tx.execute(_ALERTS)),
        tuple((r.schedule, r.endpoint, r.name, r.status) for r in tx.execute(_RULES)),
        tuple(delivery_stats(tx)),
        n_schedulers,
        scheduler_age(tx),
    )


def judged(tx: Tx) -> Iterator[Judged]:
    """Yield the newest execution that judged data of each schedule that is active, by name; one at a time in memory."""
    query = _newest(
        FINISHED,
        executions.c.schedule,
        schedules.c.endpoint,
        executions.c.model,
        executions.c.window_end,
        executions.c.started,
        executions.c.ended,
        executions.c.result,
    )
    for row in tx.execute(query):
        ran = row.ended is not None and row.started is not None
        seconds = max(0, row.ended - row.started) / 1e6 if ran else None
        yield Judged(row.schedule, row.endpoint, row.model, row.window_end, seconds, row.result or {})


def scheduler_age(tx: Tx) -> int | None:
    """Return how many microseconds ago a scheduler was last heard of; None where there never was one."""
    seen = tx.execute(sa.select(sa.func.max(schedulers.c.seen))).scalar_one()
    return None if seen is None else max(0, tx.now - seen)


_SCHEDULES = sa.select(schedules).where(schedules.c.archived.is_(None)).order_by(schedules.c.name)

# In the order of its index, and without a condition: the index alone answers it.
_COUNTS = sa.select(
    executions.c.schedule, executions.c.endpoint, executions.c.status, sa.func.count().label("n")
).group_by(executions.c.schedule, executions.c.endpoint, executions.c.status)

_UNFINISHED = (
    sa.select(
        executions.c.schedule,
        executions.c.status,
        sa.func.count().label("n"),
        sa.func.min(executions.c.not_before).label("first"),
    )
    .where(executions.c.status.in_(("Pending", "InProgress", "Stopping")))
    .group_by(executions.c.schedule, executions.c.status)
)

_ALERTS = (
    sa.select(
        alerts.c.model, alerts.c.endpoint, alerts.c.severity, alerts.c.state, sa.func.count().label("n")
    )
    .where(alerts.c.state.in_(("open", "acknowledged", "snoozed")))
    .group_by(alerts.c.model, alerts.c.endpoint, alerts.c.severity, alerts.c.state)
)

_RULES = (
    sa.select(alert_rules.c.schedule, schedules.c.endpoint, alert_rules.c.name, alert_rules.c.status)
    .join_from(alert_rules, schedules, alert_rules.c.schedule == schedules.c.name)
    .where(alert_rules.c.archived.is_(None), schedules.c.archived.is_(None))
    .order_by(alert_rules.c.schedule, alert_rules.c.name)
)


def _newest(statuses: tuple[str, ...], *columns: Any) -> sa.Select[Any]:
    """Select, of each active schedule, the execution of the newest window that ended in one of the statuses.

    Windows that were only looked at by hand do not count, as they do not for alerts. The subquery walks down an index
    and stops at the first that fits, so that it costs the same after a year of executions.
    """
    one, other = executions.alias("one"), executions.alias("other")
    scheduled = sa.exists().where(
        other.c.schedule == one.c.schedule,
        other.c.window_start == one.c.window_start,
        other.c.window_end == one.c.window_end,
        other.c.cause.in_(_SCHEDULED),
    )
    newest = (
        sa.select(one.c.id)
        .where(
            one.c.schedule == schedules.c.name,
            one.c.status.in_(statuses),
            sa.or_(one.c.cause.in_(_SCHEDULED), scheduled),
        )
        .order_by(one.c.window_end.desc(), one.c.window_start.desc(), one.c.revision.desc())
        .limit(1)
        .correlate(schedules)
        .scalar_subquery()
    )
    return (
        sa.select(*columns)
        .join_from(schedules, executions, executions.c.id == newest)
        .where(schedules.c.archived.is_(None), schedules.c.status.in_(ACTIVE))
        .order_by(schedules.c.name)
    )


def _monitor(row: Any, now: int) -> Monitor:
    config = row.config
    try:
        delay = duration_us(str(config.get("delay") or "PT0S"))
    except DriftlineError:
        delay = 0
    active = row.status in ACTIVE
    return Monitor(
        row.name,
        row.endpoint,
        row.status,
        active,
        active and bool(config.get("emit_metrics", True)),
        row.since,
        row.next_due if active else None,
        _period(str(config.get("schedule") or ""), str(config.get("timezone") or "UTC"), now)
        if active
        else None,
        delay,
    )


def _period(text: str, timezone: str, now: int) -> int | None:
    expression = _expression(text, timezone)
    if expression is None or expression.is_now:
        return None
    # On a Monday, work of a monitor that rests at the weekend was last done on Friday: both periods matter.
    before = expression.previous_before(now + 1)
    periods = (expression.period_at(now), 0 if before is None else expression.period_at(before - 1))
    return max(periods) or None


@lru_cache(maxsize=4096)
def _expression(text: str, timezone: str) -> Expression | None:
    try:
        return Expression.parse(text, timezone)
    except DriftlineError:
        # Planning sets such a schedule aside and says why.
        return None
