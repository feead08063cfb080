"""Executions: one look of a monitor at one window.

The key ``(schedule, window_start, window_end, revision)`` makes an execution once, however many schedulers plan it. A
claim gives the claimer a lease and a token that is greater than all before; what it finds takes effect in the one
transaction that checks that the token is still the newest. So a process that was paused, or that lost its way to the
database, comes too late and changes nothing.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.exc import DisconnectionError, InterfaceError, OperationalError

from driftline.errors import UsageError, printable
from driftline.registry import schedules
from driftline.registry.database import RegistryError
from driftline.registry.ids import new_id
from driftline.registry.moments import shown
from driftline.registry.tables import executions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from driftline.registry.schedules import Schedule
    from driftline.registry.store import Tx

__all__ = [
    "ENDED",
    "FINISHED",
    "Execution",
    "Finding",
    "claim",
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

_log = logging.getLogger("driftline.registry")

FINISHED = ("Completed", "CompletedWithViolations")
"""The monitor looked at data and judged."""

SCHEDULED = ("schedule", "catch-up")
"""Causes of the execution that every fire has once."""

ENDED = (*FINISHED, "NoData", "Failed", "Stopped", "Skipped")
RUNNING = ("InProgress", "Stopping")

MOST_REASON = 1024
MOST_ATTEMPTS = 5
_ENDED_AT_ONCE = 100
QUARANTINE_AFTER = 10


@dataclass(frozen=True, slots=True)
class Execution:
    """One look of a monitor at one window; the attributes are the columns of the table."""

    id: str
    schedule: str
    window_start: int
    window_end: int
    revision: int
    cause: str
    supersedes: str | None
    scheduled: int
    status: str
    message: str | None
    failure_reason: str | None
    error_code: str | None
    endpoint: str
    kind: str
    model: str | None
    model_version: str | None
    config: Mapping[str, Any]
    config_digest: str
    baseline: str | None
    baseline_version: int | None
    created: int
    modified: int
    started: int | None
    ended: int | None
    attempts: int
    not_before: int
    input_digest: str | None
    report: str | None
    report_digest: str | None
    result: Mapping[str, Any] | None
    owner: str | None
    token: int

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will come of it."""
        return self.status in ENDED


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of an execution.

    Attributes
    ----------
    status : str
        Completed, CompletedWithViolations, NoData, Failed or Stopped.
    message : str
        For people, one sentence.
    error_code : str or None
        Of a failure, such as ``E-DIGEST``.
    passing : bool
        Whether a failure may go away by itself, so that the run is tried again.
    input_digest : str or None
    report, report_digest : str or None
        Folder below the workspace's root, and the digest of its files.
    result : mapping
        Counts, incidents and measurements, see the tables.
    baseline_version : int or None
    """

    status: str
    message: str
    error_code: str | None = None
    passing: bool = False
    input_digest: str | None = None
    report: str | None = None
    report_digest: str | None = None
    result: Mapping[str, Any] = field(default_factory=dict)
    baseline_version: int | None = None


_COLUMNS = [executions.c[name] for name in Execution.__slots__]


def _of(row: Any) -> Execution:
    return Execution(*row)


def find(tx: Tx, execution: str) -> Execution | None:
    """Return an execution, or None."""
    row = tx.one(sa.select(*_COLUMNS).where(executions.c.id == execution))
    return None if row is None else _of(row)


def get(tx: Tx, execution: str) -> Execution:
    """Return an execution.

    Raises
    ------
    RegistryError
        ``E-NO-EXECUTION``.
    """
    found = find(tx, execution)
    if found is None:
        raise RegistryError(
            f"there is no execution {execution!r}",
            code="E-NO-EXECUTION",
            fix="list them with `driftline schedule history`",
        )
    return found


def history(
    tx: Tx,
    *,
    schedule: str | None = None,
    endpoint: str | None = None,
    kind: str | None = None,
    model: str | None = None,
    status: str | Sequence[str] | None = None,
    scheduled_from: int | None = None,
    scheduled_before: int | None = None,
    newest_only: bool = False,
    before: tuple[int, str] | None = None,
    limit: int = 100,
) -> list[Execution]:
    """Return executions, the newest windows first.

    Parameters
    ----------
    schedule, endpoint, kind, model : str, optional
    status : str or sequence of str, optional
    scheduled_from, scheduled_before : int, optional
        Of the fires, microseconds; the end is not part of it.
    newest_only : bool
        Of each window only the newest revision.
    before : (int, str), optional
        For the next page: `scheduled` and `id` of the last one seen.
    limit : int
    """
    query = sa.select(*_COLUMNS).order_by(executions.c.scheduled.desc(), executions.c.id.desc()).limit(limit)
    for column, value in (
        (executions.c.schedule, schedule),
        (executions.c.endpoint, endpoint),
        (executions.c.kind, kind),
        (executions.c.model, model),
    ):
        if value is not None:
            query = query.where(column == value)
    if status is not None:
        query = query.where(executions.c.status.in_([status] if isinstance(status, str) else list(status)))
    if scheduled_from is not None:
        query = query.where(executions.c.scheduled >= scheduled_from)
    if scheduled_before is not None:
        query = query.where(executions.c.scheduled < scheduled_before)
    if before is not None:
        query = query.where(
            sa.or_(
                executions.c.scheduled < before[0],
                sa.and_(executions.c.scheduled == before[0], executions.c.id < before[1]),
            )
        )
    if newest_only:
        later = executions.alias()
        query = query.where(
            ~sa.exists().where(
                later.c.schedule == executions.c.schedule,
                later.c.window_start == executions.c.window_start,
                later.c.window_end == executions.c.window_end,
                later.c.revision > executions.c.revision,
            )
        )
    return [_of(row) for row in tx.execute(query)]


# --- planning ----------------------------------------------------------------------------------------------------------


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
        sa.select(*_COLUMNS)
        .where(
            executions.c.schedule == schedule.name,
            executions.c.window_start == start,
            executions.c.window_end == end,
        )
        .order_by(executions.c.revision.desc())
        .limit(1)
    ).one_or_none()
    last = None if row is None else _of(row)
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
        _tell(tx, "execution.skipped" if skipped else "execution.planned", execution)
    return execution


def _served(tx: Tx, schedule: Schedule, start: int, end: int) -> tuple[str | None, str | None]:
    from driftline.registry import endpoints

    served = endpoints.served_in(tx, schedule.endpoint, start, end, variant=schedule.config.get("variant"))
    return (served[-1].model, served[-1].version) if served else (None, None)


def described(execution: Execution) -> dict[str, Any]:
    """Return what events about an execution say."""
    data: dict[str, Any] = {
        "execution": execution.id,
        "schedule": execution.schedule,
        "endpoint": execution.endpoint,
        "model": execution.model,
        "model_version": execution.model_version,
        "monitor": execution.kind,
        "window_start": shown(execution.window_start),
        "window_end": shown(execution.window_end),
        "revision": execution.revision,
        "cause": execution.cause,
        "state": execution.status,
        "message": execution.message,
    }
    if execution.failure_reason is not None:
        data |= {"failure_reason": execution.failure_reason, "error_code": execution.error_code}
    if execution.report is not None:
        data |= {"report": execution.report, "report_digest": execution.report_digest}
    if execution.result:
        data |= {"counts": execution.result.get("counts"), "severity": execution.result.get("severity")}
    return data


def _tell(tx: Tx, kind: str, execution: Execution) -> None:
    tx.emit(kind, f"executions/{execution.id}", described(execution))


# --- running -----------------------------------------------------------------------------------------------------------


def claim(
    tx: Tx,
    owner: str,
    *,
    lease: int,
    limit: int = 1,
    schedule: str | None = None,
    execution: str | None = None,
) -> list[Execution]:
    """Take on executions whose time has come, and those whose holder has let the lease run out.

    Of each schedule one at a time, the oldest first.

    Parameters
    ----------
    owner : str
        The process.
    lease : int
        Microseconds; to be renewed by a third of it.
    limit : int
    schedule : str, optional
        Only of this one.
    execution : str, optional
        Only this one, and at once: others of its schedule may be older, and it may have been put off.

    Returns
    -------
    list of Execution
        With the token to finish them by.
    """
    epoch, clock = tx.lease_clock()
    other = executions.alias()
    is_free = sa.or_(executions.c.lease_epoch != epoch, executions.c.lease_until <= clock)
    other_runs = sa.and_(
        other.c.status.in_(RUNNING), other.c.lease_epoch == epoch, other.c.lease_until > clock
    )
    # In order: what is older, and neither done nor put off, goes first.
    goes_first = sa.and_(
        other.c.status.in_(("Pending", *RUNNING)),
        other.c.not_before <= tx.now,
        sa.or_(
            other.c.scheduled < executions.c.scheduled,
            sa.and_(other.c.scheduled == executions.c.scheduled, other.c.id < executions.c.id),
        ),
    )
    is_next = ~sa.exists().where(
        other.c.schedule == executions.c.schedule,
        other.c.id != executions.c.id,
        other_runs if execution is not None else sa.or_(other_runs, goes_first),
    )
    waits = executions.c.status == "Pending"
    if execution is None:
        waits = sa.and_(waits, executions.c.not_before <= tx.now)
    taken: list[Execution] = []
    for _ in range(_ENDED_AT_ONCE):
        found: list[Any] = []
        # Two questions, each answered along an index: with thousands that wait, one for both would sort them all each time.
        for is_due in (
            sa.and_(executions.c.status.in_(RUNNING), is_free),
            waits,
        ):
            query = (
                sa.select(executions.c.id, executions.c.status, executions.c.attempts)
                .where(is_due, is_next)
                .order_by(executions.c.not_before)
                .limit(limit - len(found))
            )
            if schedule is not None:
                query = query.where(executions.c.schedule == schedule)
            if execution is not None:
                query = query.where(executions.c.id == execution)
            found += tx.all(query)
        for row in found:
            if row.status == "Stopping":
                _end(tx, get(tx, row.id), _STOPPED)
                continue
            if row.attempts >= MOST_ATTEMPTS:
                reason = f"the process that ran it died or was paused {row.attempts} times"
                _end(tx, get(tx, row.id), Finding("Failed", reason, "E-DIED"))
                continue
            tx.execute(
                sa.update(executions)
                .where(executions.c.id == row.id)
                .values(
                    status="InProgress",
                    owner=owner,
                    token=executions.c.token + 1,
                    attempts=executions.c.attempts + 1,
                    started=tx.now,
                    modified=tx.now,
                    lease_epoch=epoch,
                    lease_until=clock + lease,
                )
            )
            claimed = get(tx, row.id)
            _tell(tx, "execution.started", claimed)
            taken.append(claimed)
        if taken or not found:
            break
        # All of them have come to their end, which says nothing about those that wait behind them.
    return taken


def _held(execution: Execution) -> Any:
    return sa.and_(
        executions.c.id == execution.id,
        executions.c.owner == execution.owner,
        executions.c.token == execution.token,
        executions.c.status.in_(RUNNING),
    )


def renew(tx: Tx, execution: Execution, *, lease: int) -> str | None:
    """Keep an execution.

    Returns
    -------
    str or None
        Its status, which is Stopping where somebody wants it to stop; None where it is somebody else's now.
    """
    epoch, clock = tx.lease_clock()
    tx.execute(
        sa.update(executions).where(_held(execution)).values(lease_epoch=epoch, lease_until=clock + lease)
    )
    row = tx.one(sa.select(executions.c.status).where(_held(execution)))
    return None if row is None else str(row.status)


def give_back(tx: Tx, execution: Execution) -> bool:
    """Let somebody else run it: this process is going away."""
    changed = tx.execute(
        sa.update(executions)
        .where(_held(execution), executions.c.status == "InProgress")
        .values(
            status="Pending",
            owner=None,
            lease_epoch=None,
            lease_until=None,
            attempts=executions.c.attempts - 1,
            modified=tx.now,
        )
    )
    return bool(changed.rowcount)


def finish(tx: Tx, execution: Execution, finding: Finding, *, retry_after: int | None = None) -> bool:
    """Let what was found take effect: status, alerts, lineage and notifications, in this one transaction.

    Parameters
    ----------
    execution : Execution
        As it was claimed.
    finding : Finding
    retry_after : int, optional
        Microseconds after which a failure that may pass is tried again.

    Returns
    -------
    bool
        False where the lease had run out and somebody else has taken over, or has finished: nothing is changed then.
        Saying the same again, after a commit that was not heard of, gives True and changes nothing.
    """
    row = tx.one(
        sa.select(executions.c.status, executions.c.owner, executions.c.token).where(
            executions.c.id == execution.id
        )
    )
    if row is None or row.owner != execution.owner or row.token != execution.token:
        return False
    if row.status not in RUNNING:
        return row.status in ENDED
    if row.status == "Stopping" and finding.passing:
        # It would be run again, and somebody wants it to stop.
        finding = _STOPPED
    if (
        finding.passing
        and finding.status == "Failed"
        and execution.attempts < MOST_ATTEMPTS
        and retry_after is not None
    ):
        tx.execute(
            sa.update(executions)
            .where(_held(execution))
            .values(
                status="Pending",
                message=_text(finding.message),
                error_code=finding.error_code,
                not_before=tx.now + retry_after,
                lease_epoch=None,
                lease_until=None,
                modified=tx.now,
            )
        )
        _tell(tx, "execution.postponed", get(tx, execution.id))
        return True
    _end(tx, execution, finding)
    return True


_STOPPED = Finding("Stopped", "stopped by hand")

_WORDS = {
    "Completed": "execution.completed",
    "CompletedWithViolations": "execution.violated",
    "NoData": "execution.no_data",
    "Failed": "execution.failed",
    "Stopped": "execution.stopped",
}


def _end(tx: Tx, execution: Execution, finding: Finding) -> None:
    failed = finding.status == "Failed"
    tx.execute(
        sa.update(executions)
        .where(executions.c.id == execution.id, executions.c.status.not_in(ENDED))
        .values(
            status=finding.status,
            message=_text(finding.message),
            failure_reason=_text(finding.message) if failed else None,
            error_code=finding.error_code,
            baseline_version=finding.baseline_version,
            input_digest=finding.input_digest,
            report=finding.report,
            report_digest=finding.report_digest,
            judged=bool(finding.result.get("judged", True)) if finding.status in FINISHED else None,
            result=dict(finding.result),
            ended=tx.now,
            modified=tx.now,
            lease_epoch=None,
            lease_until=None,
        )
    )
    ended = get(tx, execution.id)
    _tell(tx, _WORDS[finding.status], ended)
    for what, action in (("lineage", _lineage), ("alerts", _evaluate)):
        try:
            with tx.connection.begin_nested():
                action(tx, ended)
        except (OperationalError, InterfaceError, DisconnectionError):
            raise
        except Exception as error:  # noqa: BLE001
            # What was found must be kept, and whoever meets this execution must be able to go on: the next run of the
            # schedule looks at all that count. It is told where people look.
            _log.exception("the %s of execution %s could not be written", what, execution.id)
            told = f"{finding.message}; its {what} could not be written: {type(error).__name__}: {printable(error, 200)}"
            tx.execute(
                sa.update(executions)
                .where(executions.c.id == execution.id)
                .values(message=_text(told), error_code=finding.error_code or "E-INTERNAL")
            )


def _evaluate(tx: Tx, execution: Execution) -> None:
    from driftline.registry import alerts

    schedule = schedules.find(tx, execution.schedule)
    if schedule is None or not schedule.is_active:
        return
    failed = execution.status == "Failed"
    if execution.status != "Stopped":
        in_a_row = schedules.counted(tx, execution.schedule, failed=failed)
        if failed and in_a_row >= _most_failures(schedule.config):
            schedules.fail(tx, execution.schedule, f"{in_a_row} runs in a row failed: {execution.message}")
    alerts.evaluate(tx, execution.schedule, execution.id)


def _most_failures(config: Mapping[str, Any]) -> int:
    """Return after how many failed runs in a row a schedule is set aside; what is no such number counts as not given."""
    most = config.get("quarantine_after")
    return most if isinstance(most, int) and most >= 1 else QUARANTINE_AFTER


def _lineage(tx: Tx, execution: Execution) -> None:
    from driftline.registry import lineage

    if execution.status in FINISHED:
        lineage.of_execution(tx, execution)


def _text(message: str) -> str:
    """Return a message as the registry can hold it: names of columns, and what libraries say, may be anything."""
    plain = message.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\0")
    return plain[:MOST_REASON]


def looked_at(tx: Tx, schedule: str, first: int, before: int) -> list[Execution]:
    """Return what speaks for the windows of a schedule that were looked at: their newest revisions, without the results.

    A window that only people have looked at is theirs, and not part of it.

    Parameters
    ----------
    schedule : str
    first, before : int
        Of the fires, microseconds; `before` is not part of it.
    """
    c, other = executions.c, executions.alias()
    same = sa.and_(
        other.c.schedule == c.schedule,
        other.c.window_start == c.window_start,
        other.c.window_end == c.window_end,
    )
    columns = [sa.null().label("result") if column is c.result else column for column in _COLUMNS]
    query = sa.select(*columns).where(
        c.schedule == schedule,
        c.scheduled >= first,
        c.scheduled < before,
        c.status.in_((*FINISHED, "NoData")),
        ~sa.exists().where(same, other.c.revision > c.revision),
        sa.or_(c.cause.in_(SCHEDULED), sa.exists().where(same, other.c.cause.in_(SCHEDULED))),
    )
    return [_of(row) for row in tx.execute(query.order_by(c.scheduled.desc(), c.id.desc()))]


def rows_seen(tx: Tx, execution: str) -> int:
    """Return how many captured rows an execution has looked at."""
    row = tx.one(sa.select(executions.c.result).where(executions.c.id == execution))
    result = None if row is None else row.result
    return int(((result or {}).get("rows") or {}).get("captured") or 0)


def is_newest(tx: Tx, execution: Execution) -> bool:
    """Tell whether an execution is the newest look at its window."""
    later = sa.select(executions.c.id).where(
        executions.c.schedule == execution.schedule,
        executions.c.window_start == execution.window_start,
        executions.c.window_end == execution.window_end,
        executions.c.revision > execution.revision,
    )
    return tx.execute(later.limit(1)).one_or_none() is None


def set_aside(tx: Tx, schedule: str, why: str) -> int:
    """Record as skipped what waits to be run of a schedule that runs no more, but for what people asked for.

    Returns
    -------
    int
        How many.
    """
    waiting = tx.all(
        sa.select(*_COLUMNS).where(
            executions.c.schedule == schedule,
            executions.c.status == "Pending",
            executions.c.cause != "manual",
        )
    )
    for execution in map(_of, waiting):
        values = {"status": "Skipped", "message": f"skipped: {why}", "ended": tx.now, "modified": tx.now}
        tx.execute(sa.update(executions).where(executions.c.id == execution.id).values(values))
        told = replace(execution, status="Skipped", message=f"skipped: {why}", ended=tx.now, modified=tx.now)
        _tell(tx, "execution.skipped", told)
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
