"""Schedules: which monitor looks at which endpoint, and when."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from driftline.capture.event import check_name
from driftline.documents import nearest
from driftline.registry.database import RegistryError
from driftline.registry.tables import canonical, endpoints, schedules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from driftline.registry.store import Tx

__all__ = [
    "ACTIVE",
    "Schedule",
    "advance",
    "archive",
    "counted",
    "declare",
    "due",
    "fail",
    "get",
    "list_schedules",
    "start",
    "stop",
    "watched",
]

ACTIVE = ("Pending", "Scheduled")


@dataclass(frozen=True, slots=True)
class Schedule:
    """A monitor and when it runs.

    Attributes
    ----------
    name, endpoint, kind : str
    status : str
        Pending, Scheduled, Stopped or Failed.
    failure_reason : str or None
    baseline : str or None
        A run takes the version that is current then.
    config : mapping
        The monitor as declared, with defaults filled in.
    config_digest : str
    revision : int
        Of the configuration, from 1.
    since : int
        Fires after this count, microseconds.
    cursor : int
        Last fire that has its execution.
    next_due : int or None
        When the scheduler looks at it next.
    watched : int or None
        Up to when late data have been looked for.
    failures : int
        Runs in a row that failed.
    created, modified : int
    archived : int or None
    """

    name: str
    endpoint: str
    kind: str
    status: str
    failure_reason: str | None
    baseline: str | None
    config: Mapping[str, Any]
    config_digest: str
    revision: int
    since: int
    cursor: int
    next_due: int | None
    watched: int | None
    failures: int
    created: int
    modified: int
    archived: int | None

    @property
    def is_active(self) -> bool:
        """Whether it runs when its time comes."""
        return self.status in ACTIVE and self.archived is None


def _of(row: Any) -> Schedule:
    return Schedule(*(getattr(row, column) for column in Schedule.__slots__))


def find(tx: Tx, name: str) -> Schedule | None:
    """Return a schedule, archived ones too, or None."""
    row = tx.one(sa.select(schedules).where(schedules.c.name == name))
    return None if row is None else _of(row)


def get(tx: Tx, name: str) -> Schedule:
    """Return a schedule that is not archived.

    Raises
    ------
    RegistryError
        ``E-NO-SCHEDULE``.
    """
    found = find(tx, name)
    if found is not None and found.archived is None:
        return found
    known = [
        row.name for row in tx.execute(sa.select(schedules.c.name).where(schedules.c.archived.is_(None)))
    ]
    close = nearest(name, known)
    raise RegistryError(
        f"there is no schedule {name!r}",
        code="E-NO-SCHEDULE",
        fix=f"did you mean {close!r}?" if close else "list them with `driftline schedule list`",
    )


def list_schedules(
    tx: Tx,
    *,
    endpoint: str | None = None,
    kind: str | None = None,
    status: str | None = None,
    after: str | None = None,
    limit: int | None = None,
    archived: bool = False,
) -> list[Schedule]:
    """Return schedules by name."""
    query = sa.select(schedules).order_by(schedules.c.name)
    if not archived:
        query = query.where(schedules.c.archived.is_(None))
    for column, value in (
        (schedules.c.endpoint, endpoint),
        (schedules.c.kind, kind),
        (schedules.c.status, status),
    ):
        if value is not None:
            query = query.where(column == value)
    if after is not None:
        query = query.where(schedules.c.name > after)
    if limit is not None:
        query = query.limit(limit)
    return [_of(row) for row in tx.execute(query)]


def digest_of(config: Mapping[str, Any]) -> str:
    """Return the digest of a configuration."""
    return "sha256:" + hashlib.sha256(canonical(dict(config)).encode("ascii")).hexdigest()


def declare(
    tx: Tx,
    name: str,
    *,
    endpoint: str,
    kind: str,
    config: Mapping[str, Any],
    baseline: str | None = None,
    enabled: bool = True,
    since: int | None = None,
) -> bool:
    """Say that a schedule should be, and how.

    Parameters
    ----------
    name, endpoint, kind : str
    config : mapping
        What a run needs; kept with each execution.
    baseline : str, optional
    enabled : bool
        Whether it runs; an existing schedule is started or stopped accordingly.
    since : int, optional
        Count fires after this; only for a new schedule, from now on where not given.

    Returns
    -------
    bool
        Whether anything changed.

    Raises
    ------
    RegistryError
        ``E-NO-ENDPOINT``.
    UsageError
        ``E-NAME``.
    """
    check_name("a schedule", name)
    if (
        tx.one(
            sa.select(endpoints.c.name).where(endpoints.c.name == endpoint, endpoints.c.archived.is_(None))
        )
        is None
    ):
        raise RegistryError(
            f"there is no endpoint {endpoint!r}", code="E-NO-ENDPOINT", field=f"monitors.{name}.endpoint"
        )
    digest = digest_of(config)
    before = find(tx, name)
    told = {"schedule": name, "endpoint": endpoint, "monitor": kind}
    if before is None:
        first = tx.now if since is None else since
        tx.insert(
            schedules,
            name=name,
            endpoint=endpoint,
            kind=kind,
            status="Scheduled" if enabled else "Stopped",
            baseline=baseline,
            config=dict(config),
            config_digest=digest,
            revision=1,
            since=first,
            cursor=first,
            next_due=tx.now if enabled else None,
            watched=None,
            failures=0,
            created=tx.now,
            modified=tx.now,
        )
        from driftline.registry import alerts

        alerts.declare_rule(tx, name)
        state = "Scheduled" if enabled else "Stopped"
        tx.record(
            "schedule.created",
            f"schedules/{name}",
            after={**told, "config": dict(config)},
            data={**told, "state": state},
        )
        return True
    changed = False
    same = (before.endpoint, before.kind, before.baseline, before.config_digest) == (
        endpoint,
        kind,
        baseline,
        digest,
    )
    if not same or before.archived is not None:
        _change(
            tx,
            name,
            endpoint=endpoint,
            kind=kind,
            baseline=baseline,
            config=dict(config),
            config_digest=digest,
            revision=before.revision + 1,
            archived=None,
            # The fires so far stay as they were run; what a new expression adds begins now.
            cursor=max(before.cursor, tx.now) if _fires_otherwise(before.config, config) else before.cursor,
            next_due=tx.now if before.status in ACTIVE else before.next_due,
        )
        tx.record(
            "schedule.changed",
            f"schedules/{name}",
            before={
                "endpoint": before.endpoint,
                "kind": before.kind,
                "baseline": before.baseline,
                "config": before.config,
            },
            after={"endpoint": endpoint, "kind": kind, "baseline": baseline, "config": dict(config)},
            data={**told, "state": before.status, "revision": before.revision + 1},
        )
        changed = True
    if before.archived is not None:
        _start(tx, get(tx, name)) if enabled else _stop(tx, get(tx, name))
    elif enabled != (before.status in ACTIVE):
        if enabled and before.status == "Failed" and same:
            return changed
        start(tx, name) if enabled else stop(tx, name)
        changed = True
    return changed


def _fires_otherwise(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    return any(old.get(key) != new.get(key) for key in ("schedule", "timezone"))


def _change(tx: Tx, name: str, **values: Any) -> None:
    tx.execute(sa.update(schedules).where(schedules.c.name == name).values(modified=tx.now, **values))


def start(tx: Tx, name: str) -> bool:
    """Activate a schedule: its next run is at its next fire, and earlier runs no longer count for its alerts.

    Returns
    -------
    bool
        False where it was active: nothing changes then.
    """
    found = get(tx, name)
    if found.status in ACTIVE:
        return False
    _start(tx, found)
    return True


def _start(tx: Tx, found: Schedule) -> None:
    from driftline.registry import alerts

    _change(
        tx,
        found.name,
        status="Scheduled",
        failure_reason=None,
        since=tx.now,
        cursor=tx.now,
        next_due=tx.now,
        failures=0,
    )
    alerts.restart(tx, found.name)
    _told(tx, "schedule.started", found, "Scheduled")


def stop(tx: Tx, name: str) -> bool:
    """Deactivate a schedule; a run in progress is let finish, and raises no alert. What waits is recorded as skipped.

    Returns
    -------
    bool
        False where it was stopped already.
    """
    found = get(tx, name)
    if found.status == "Stopped":
        return False
    _stop(tx, found)
    return True


def _stop(tx: Tx, found: Schedule) -> None:
    _change(tx, found.name, status="Stopped", failure_reason=None, next_due=None)
    _set_aside(tx, found.name, "the schedule was stopped")
    _told(tx, "schedule.stopped", found, "Stopped")


def fail(tx: Tx, name: str, reason: str) -> None:
    """Set a schedule aside: its configuration, or run after run, fails. Starting it is up to people."""
    found = get(tx, name)
    _change(tx, name, status="Failed", failure_reason=reason[:1024], next_due=None)
    _set_aside(tx, name, "the schedule was set aside, see its reason")
    _told(tx, "schedule.failed", found, "Failed", failure_reason=reason[:1024])


def archive(tx: Tx, name: str) -> bool:
    """Take a schedule away; its executions, reports and alerts stay."""
    found = get(tx, name)
    from driftline.registry import alerts

    _change(tx, name, status="Stopped", next_due=None, archived=tx.now)
    _set_aside(tx, name, "the schedule was taken away")
    alerts.retire(tx, name)
    _told(tx, "schedule.archived", found, "Stopped")
    return True


def _set_aside(tx: Tx, name: str, why: str) -> None:
    from driftline.registry import executions

    executions.set_aside(tx, name, why)


def _told(tx: Tx, action: str, found: Schedule, state: str, **more: Any) -> None:
    data = {"schedule": found.name, "endpoint": found.endpoint, "monitor": found.kind, "state": state, **more}
    tx.record(
        action, f"schedules/{found.name}", before={"status": found.status}, after={"status": state}, data=data
    )


# --- for the scheduler ------------------------------------------------------------------------------------------------


def due(tx: Tx, *, limit: int = 100) -> list[Schedule]:
    """Return the active schedules that must be looked at, the longest waiting first."""
    query = (
        sa.select(schedules)
        .where(schedules.c.status.in_(ACTIVE), schedules.c.archived.is_(None), schedules.c.next_due <= tx.now)
        .order_by(schedules.c.next_due, schedules.c.name)
        .limit(limit)
    )
    return [_of(row) for row in tx.execute(query)]


def advance(tx: Tx, found: Schedule, cursor: int, next_due: int | None) -> bool:
    """Say up to which fire executions exist.

    Returns
    -------
    bool
        False where the schedule was changed since it was read: nothing is written then.
    """
    moved = tx.execute(
        sa.update(schedules)
        .where(
            schedules.c.name == found.name,
            schedules.c.cursor == found.cursor,
            schedules.c.revision == found.revision,
            schedules.c.status.in_(ACTIVE),
        )
        .values(cursor=cursor, next_due=next_due)
    )
    return bool(moved.rowcount)


def watched(tx: Tx, name: str, moment: int) -> None:
    """Say up to when late data have been looked for."""
    tx.execute(sa.update(schedules).where(schedules.c.name == name).values(watched=moment))


def counted(tx: Tx, name: str, *, failed: bool) -> int:
    """Count a failed run, or forget those before; return how many in a row have failed."""
    value = schedules.c.failures + 1 if failed else sa.literal(0)
    tx.execute(sa.update(schedules).where(schedules.c.name == name).values(failures=value))
    row = tx.one(sa.select(schedules.c.failures).where(schedules.c.name == name))
    return int(row.failures)
