"""Executions: one look of a monitor at one window.

The key ``(schedule, window_start, window_end, revision)`` makes an execution once, however many schedulers plan it. A
claim gives the claimer a lease and a token that is greater than all before; what it finds takes effect in the one
transaction that checks that the token is still the newest. So a process that was paused, or that lost its way to the
database, comes too late and changes nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from driftline.errors import UsageError
from driftline.registry.database import RegistryError
from driftline.registry.execution_runs import (
    MOST_ATTEMPTS,
    QUARANTINE_AFTER,
    Finding,
    claim,
    finish,
    give_back,
    renew,
)
from driftline.registry.execution_store import (
    COLUMNS,
    ENDED,
    FINISHED,
    RUNNING,
    SCHEDULED,
    Execution,
    described,
    find,
    get,
    history,
    is_newest,
    looked_at,
    record_of,
    rows_seen,
    tell,
)
from driftline.registry.ids import new_id
from driftline.registry.tables import executions

if TYPE_CHECKING:
    from driftline.registry.schedules import Schedule
    from driftline.registry.store import Tx

__all__ = [
    "ENDED",
    "FINISHED",
    "MOST_ATTEMPTS",
    "QUARANTINE_AFTER",
    "RUNNING",
    "Execution",
    "Finding",
    "claim",
    "described",
    "find",
    "finish",
    "get",
    "give_back",
    "history",
    "is_newest",
    "looked_at",
    "plan",
    "renew",
    "request_stop",
    "revise",
    "rows_seen",
    "set_aside",
]


def plan(
    tx: Tx,
    schedule: Schedule,
    start: int,
    end: int,
    *,
    scheduled: int,
    cause: str = "schedule",
    not_before: int | None = None,
    skipped: str | None = None,
) -> Execution | None:
    """Make the execution of a window whose time has come.

    Parameters
    ----------
    schedule : Schedule
    start, end : int
        Of the window, microseconds; the end is not part of it.
    scheduled : int
        The fire.
    cause : {"schedule", "catch-up", "manual"}
    not_before : int, optional
    skipped : str, optional
        Why it will not run: it is recorded as Skipped.

    Returns
    -------
    Execution or None
        None where the window has one already, other than by hand.
    """
    before = tx.all(
        sa.select(executions.c.id, executions.c.revision, executions.c.cause)
        .where(
            executions.c.schedule == schedule.name,
            executions.c.window_start == start,
            executions.c.window_end == end,
        )
        .order_by(executions.c.revision)
    )
    if any(row.cause in SCHEDULED for row in before):
        return None
    # Somebody may have looked by hand before the time of the window came: it is looked at all the same.
    number, last = (before[-1].revision + 1, before[-1].id) if before else (1, None)
    return _add(tx, schedule, start, end, number, last, scheduled, cause, not_before, skipped)


def revise(
    tx: Tx, schedule: Schedule, start: int, end: int, *, cause: str, scheduled: int | None = None
) -> Execution:
    """Look at a window again: a new execution, linked to the one before, which stays as it is.

    Where one of the window waits to be run already, that one is returned.

    Parameters
    ----------
    cause : {"manual", "late-data"}
    """
    row = tx.execute(
        sa.select(*COLUMNS)
        .where(
            executions.c.schedule == schedule.name,
            executions.c.window_start == start,
            executions.c.window_end == end,
        )
        .order_by(executions.c.revision.desc())
        .limit(1)
    ).one_or_none()
    last = None if row is None else record_of(row)
    if last is not None and last.status == "Pending":
        return last
    number = 1 if last is None else last.revision + 1
    when = (tx.now if last is None else last.scheduled) if scheduled is None else scheduled
    made = _add(tx, schedule, start, end, number, None if last is None else last.id, when, cause, None, None)
    assert made is not None
    return made


def _add(
    tx: Tx,
    schedule: Schedule,
    start: int,
    end: int,
    revision: int,
    supersedes: str | None,
    scheduled: int,
    cause: str,
    not_before: int | None,
    skipped: str | None,
) -> Execution | None:
    if end <= start:
        raise UsageError("the window ends before it begins", code="E-TIME", fix="give an end after the start")
    made = new_id(tx.now)
    model, version = _served(tx, schedule, start, end)
    written = tx.insert(
        executions,
        "ignore",
        id=made,
        schedule=schedule.name,
        window_start=start,
        window_end=end,
        revision=revision,
        cause=cause,
        supersedes=supersedes,
        scheduled=scheduled,
        status="Skipped" if skipped else "Pending",
        message=skipped,
        endpoint=schedule.endpoint,
        kind=schedule.kind,
        model=model,
        model_version=version,
        config=dict(schedule.config),
        config_digest=schedule.config_digest,
        baseline=schedule.baseline,
        created=tx.now,
        modified=tx.now,
        ended=tx.now if skipped else None,
        attempts=0,
        not_before=tx.now if not_before is None else not_before,
        token=0,
    )
    if not written:
        return None
    execution = get(tx, made)
    if cause == "manual":
        # Somebody wants it: that is for the audit log.
        tx.record(
            "execution.planned", f"executions/{made}", after=described(execution), data=described(execution)
        )
    else:
        tell(tx, "execution.skipped" if skipped else "execution.planned", execution)
    return execution


def _served(tx: Tx, schedule: Schedule, start: int, end: int) -> tuple[str | None, str | None]:
    from driftline.registry import endpoints

    served = endpoints.served_in(tx, schedule.endpoint, start, end, variant=schedule.config.get("variant"))
    return (served[-1].model, served[-1].version) if served else (None, None)


def set_aside(tx: Tx, schedule: str, why: str) -> int:
    """Record as skipped what waits to be run of a schedule that runs no more, but for what people asked for.

    Returns
    -------
    int
        How many.
    """
    waiting = tx.all(
        sa.select(*COLUMNS).where(
            executions.c.schedule == schedule,
            executions.c.status == "Pending",
            executions.c.cause != "manual",
        )
    )
    for execution in map(record_of, waiting):
        values = {"status": "Skipped", "message": f"skipped: {why}", "ended": tx.now, "modified": tx.now}
        tx.execute(sa.update(executions).where(executions.c.id == execution.id).values(values))
        told = replace(execution, status="Skipped", message=f"skipped: {why}", ended=tx.now, modified=tx.now)
        tell(tx, "execution.skipped", told)
    return len(waiting)


def request_stop(tx: Tx, execution: str) -> Execution:
    """Stop an execution: at once where it waits, soon where it runs.

    Raises
    ------
    RegistryError
        ``E-NO-EXECUTION``, ``E-ENDED``.
    """
    found = get(tx, execution)
    if found.has_ended:
        raise RegistryError(
            f"execution {execution} has ended: {found.status}", code="E-ENDED", fix="there is nothing to stop"
        )
    if found.status == "Pending":
        values: dict[str, Any] = {"status": "Stopped", "message": "stopped by hand", "ended": tx.now}
    else:
        values = {"status": "Stopping"}
    tx.execute(sa.update(executions).where(executions.c.id == execution).values(modified=tx.now, **values))
    stopped = get(tx, execution)
    tx.record(
        "execution.stopped" if stopped.has_ended else "execution.stopping",
        f"executions/{execution}",
        before={"status": found.status},
        after={"status": stopped.status},
        data=described(stopped),
    )
    return stopped
