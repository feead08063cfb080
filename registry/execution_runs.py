"""Running executions: leases, and what takes effect.

A claim gives the claimer a lease and a token that is greater than all before; what it finds takes effect in the one
transaction that checks that the token is still the newest.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.exc import DisconnectionError, InterfaceError, OperationalError

from driftline.errors import printable
from driftline.registry import schedules
from driftline.registry.execution_store import ENDED, FINISHED, RUNNING, Execution, get, tell
from driftline.registry.tables import executions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from driftline.registry.store import Tx

__all__ = ["MOST_ATTEMPTS", "QUARANTINE_AFTER", "Finding", "claim", "finish", "give_back", "renew"]

_log = logging.getLogger("driftline.registry")

MOST_REASON = 1024
MOST_ATTEMPTS = 5
_ENDED_AT_ONCE = 100
QUARANTINE_AFTER = 10


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
            tell(tx, "execution.started", claimed)
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
        tell(tx, "execution.postponed", get(tx, execution.id))
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
    tell(tx, _WORDS[finding.status], ended)
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
