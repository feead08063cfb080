"""Executions as they stand in the registry: what they hold, and how they are found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from driftline.registry.database import RegistryError
from driftline.registry.moments import shown
from driftline.registry.tables import executions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from driftline.registry.store import Tx

__all__ = [
    "COLUMNS",
    "ENDED",
    "FINISHED",
    "RUNNING",
    "SCHEDULED",
    "Execution",
    "described",
    "find",
    "get",
    "history",
    "is_newest",
    "looked_at",
    "record_of",
    "rows_seen",
    "tell",
]

FINISHED = ("Completed", "CompletedWithViolations")
"""The monitor looked at data and judged."""

SCHEDULED = ("schedule", "catch-up")
"""Causes of the execution that every fire has once."""

ENDED = (*FINISHED, "NoData", "Failed", "Stopped", "Skipped")
RUNNING = ("InProgress", "Stopping")


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


COLUMNS = [executions.c[name] for name in Execution.__slots__]


def record_of(row: Any) -> Execution:
    """Return a row of :data:`COLUMNS` as an execution."""
    return Execution(*row)


def find(tx: Tx, execution: str) -> Execution | None:
    """Return an execution, or None."""
    row = tx.one(sa.select(*COLUMNS).where(executions.c.id == execution))
    return None if row is None else record_of(row)


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
    query = sa.select(*COLUMNS).order_by(executions.c.scheduled.desc(), executions.c.id.desc()).limit(limit)
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
    return [record_of(row) for row in tx.execute(query)]


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


def tell(tx: Tx, kind: str, execution: Execution) -> None:
    """Tell that something happened to an execution."""
    tx.emit(kind, f"executions/{execution.id}", described(execution))


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
    columns = [sa.null().label("result") if column is c.result else column for column in COLUMNS]
    query = sa.select(*columns).where(
        c.schedule == schedule,
        c.scheduled >= first,
        c.scheduled < before,
        c.status.in_((*FINISHED, "NoData")),
        ~sa.exists().where(same, other.c.revision > c.revision),
        sa.or_(c.cause.in_(SCHEDULED), sa.exists().where(same, other.c.cause.in_(SCHEDULED))),
    )
    return [record_of(row) for row in tx.execute(query.order_by(c.scheduled.desc(), c.id.desc()))]


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
