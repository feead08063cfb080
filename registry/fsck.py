"""Fsck: whether the registry, its audit log and the files that it points to are what they should be; changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import sqlalchemy as sa

from driftline.errors import DriftlineError, printable
from driftline.registry import audit_check, card_check
from driftline.registry.database import RegistryError
from driftline.registry.executions import ENDED, FINISHED, RUNNING
from driftline.registry.folders import check_path, stored_digest
from driftline.registry.tables import (
    alerts,
    baselines,
    deliveries,
    deployments,
    executions,
    schedules,
    targets,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from driftline.capture.target import Target
    from driftline.registry.store import Registry, Tx

__all__ = ["MOST_FINDINGS", "Finding", "fsck"]

MOST_FINDINGS: Final = 100
"""So many findings of one kind are listed."""

_PAGE = 500
_FOR_EVER = 1 << 62
_NOT_ENDED = ("Pending", *RUNNING)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be.

    Attributes
    ----------
    severity : {"error", "warning", "note"}
        ``error``: something is lost, damaged or contradicts itself; ``warning``: somebody should do something; ``note``:
        it is taken care of.
    what : str
        One clause.
    where : str
        Such as ``executions/01J…`` or ``audit/17``.
    fix : str
        What to do.
    """

    severity: Literal["error", "warning", "note"]
    what: str
    where: str
    fix: str


def fsck(
    registry: Registry, *, files: bool = True, checkpoint: tuple[int, str] | None = None
) -> list[Finding]:
    """Look at everything that the registry holds and points to.

    Parameters
    ----------
    registry : Registry
    files : bool
        Whether the files of baselines and reports are read and compared with their digests.
    checkpoint : (int, str), optional
        Of the audit log, see :func:`driftline.registry.audit_check.check`.

    Returns
    -------
    list of Finding
        Nothing where all is well. A check that cannot be made is a finding itself.
    """
    found: list[Finding] = []
    checks: list[Callable[[Tx], Iterator[Finding]]] = [
        _engine,
        lambda tx: _audit(tx, checkpoint),
        _executions,
        _leases,
        _baselines,
        _deployments,
        _deliveries,
        _alerts,
        _cards,
    ]
    for check in checks:
        try:
            # One short transaction each: a server ends those that idle.
            with registry.read() as tx:
                found += check(tx)
        except RegistryError as error:
            fix = error.fix or "look at the database"
            found.append(Finding("error", error.message, f"database/{registry.database.name}", fix))
            return found
    if files:
        found += _files(registry)
    return found


# --- the database ---------------------------------------------------------------------------------------------------

_RESTORE = "restore a backup; `sqlite3 FILE .recover` saves what can be read"


_INVALID: Final = {
    "constraint": "SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE NOT convalidated",
    "index": "SELECT indrelid::regclass::text, indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid",
}


def _engine(tx: Tx) -> Iterator[Finding]:
    if tx.database.is_sqlite:
        for row in tx.execute(sa.text(f"PRAGMA integrity_check({MOST_FINDINGS})")):
            if row[0] != "ok":
                yield Finding("error", f"the database is damaged: {printable(row[0])}", "database", _RESTORE)
        for row in tx.execute(sa.text("PRAGMA foreign_key_check")).fetchmany(MOST_FINDINGS):
            table, _, other, _ = list(row)
            what = f"a row of {table} points to a row of {other} that is not there"
            yield Finding("error", what, f"database/{table}", _RESTORE)
        query = "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'"
        guards = 2
    else:
        for thing, statement in _INVALID.items():
            for row in tx.execute(sa.text(statement)):
                table, name = list(row)
                fix = "look at it with psql"
                yield Finding("error", f"the {thing} {name} is not valid", f"database/{table}", fix)
        query = (
            "SELECT count(*) FROM pg_trigger "
            "WHERE tgrelid = 'audit'::regclass AND NOT tgisinternal AND tgenabled <> 'D'"
        )
        guards = 1
    if tx.execute(sa.text(query)).scalar_one() < guards:
        yield Finding(
            "error",
            "what keeps the audit log from being changed was removed",
            "audit",
            "find out who did that, and verify the log against a checkpoint",
        )


def _audit(tx: Tx, checkpoint: tuple[int, str] | None) -> Iterator[Finding]:
    made = audit_check.check(tx, checkpoint=checkpoint)
    if made.bad is not None:
        yield Finding(
            "error",
            f"entry {made.bad} {made.why}",
            f"audit/{made.bad}",
            "compare with a backup, and find out who could write to the database",
        )


# --- rows -----------------------------------------------------------------------------------------------------------


def _executions(tx: Tx) -> Iterator[Finding]:
    e = executions.c
    before = executions.alias()
    rules: list[tuple[sa.ColumnElement[bool], str]] = [
        (e.status.not_in((*_NOT_ENDED, *ENDED)), "has a status that there is not"),
        (sa.and_(e.status.in_(ENDED), e.ended.is_(None)), "has ended, and nothing says when"),
        (
            sa.and_(e.status.in_(_NOT_ENDED), e.ended.is_not(None)),
            "has a time at which it ended, and has not",
        ),
        (
            sa.and_(e.status == "InProgress", sa.or_(e.owner.is_(None), e.lease_until.is_(None))),
            "is in progress, and nobody has it",
        ),
        (sa.and_(e.status.in_(FINISHED), e.result.is_(None)), "has finished without a result"),
        (
            e.report.is_(None) != e.report_digest.is_(None),
            "has a report without a digest, or the other way round",
        ),
        (e.window_start >= e.window_end, "has a window that ends before it begins"),
        (
            sa.and_(
                e.supersedes.is_not(None), ~sa.select(before.c.id).where(before.c.id == e.supersedes).exists()
            ),
            "follows an execution that is not there",
        ),
        (
            sa.and_(
                e.baseline_version.is_not(None),
                ~sa.select(baselines.c.name)
                .where(baselines.c.name == e.baseline, baselines.c.version == e.baseline_version)
                .exists(),
            ),
            "was compared with a version of a baseline that is not there",
        ),
    ]
    for rule, what in rules:
        for row in tx.all(sa.select(e.id).where(rule).order_by(e.id).limit(MOST_FINDINGS)):
            yield Finding("error", what, f"executions/{row.id}", "restore a backup, or run the window again")


def _leases(tx: Tx) -> Iterator[Finding]:
    epoch, clock = tx.lease_clock()
    e = executions.c
    query = sa.select(e.id, e.owner).where(
        e.status.in_(RUNNING), sa.or_(e.lease_until <= clock, e.lease_epoch != epoch)
    )
    for row in tx.all(query.order_by(e.id).limit(MOST_FINDINGS)):
        yield Finding(
            "note",
            f"the process that ran it is gone ({printable(row.owner, 80)}); the next scheduler takes it over",
            f"executions/{row.id}",
            "see that a scheduler runs",
        )


def _baselines(tx: Tx) -> Iterator[Finding]:
    for state in ("current", "proposed"):
        query = (
            sa.select(baselines.c.name)
            .where(baselines.c.state == state)
            .group_by(baselines.c.name)
            .having(sa.func.count() > 1)
            .order_by(baselines.c.name)
        )
        for row in tx.all(query.limit(MOST_FINDINGS)):
            yield Finding(
                "error", f"has more than one {state} version", f"baselines/{row.name}", "restore a backup"
            )
    current = sa.select(baselines.c.name).where(
        baselines.c.name == schedules.c.baseline, baselines.c.state == "current"
    )
    orphans = (
        sa.select(schedules.c.name, schedules.c.baseline)
        .where(
            schedules.c.archived.is_(None),
            schedules.c.status != "Stopped",
            schedules.c.baseline.is_not(None),
            ~current.exists(),
        )
        .order_by(schedules.c.name)
    )
    for row in tx.all(orphans.limit(MOST_FINDINGS)):
        yield Finding(
            "warning",
            f"no version of its baseline {printable(repr(row.baseline), 80)} is current: its runs fail",
            f"schedules/{row.name}",
            "accept a version, or propose one",
        )


def _deployments(tx: Tx) -> Iterator[Finding]:
    one, other = deployments.alias(), deployments.alias()

    def until(of: Any) -> Any:
        return sa.func.coalesce(of.c.until, _FOR_EVER)

    query = (
        sa.select(one.c.endpoint, one.c.variant)
        .join_from(
            one,
            other,
            sa.and_(
                one.c.endpoint == other.c.endpoint,
                one.c.variant == other.c.variant,
                one.c.id < other.c.id,
                one.c.since < until(other),
                other.c.since < until(one),
            ),
        )
        .where(one.c.since < until(one), other.c.since < until(other))
        .distinct()
        .order_by(one.c.endpoint, one.c.variant)
    )
    for row in tx.all(query.limit(MOST_FINDINGS)):
        yield Finding(
            "error",
            f"its variant {row.variant} served two versions at one time",
            f"endpoints/{row.endpoint}",
            "restore a backup",
        )


def _deliveries(tx: Tx) -> Iterator[Finding]:
    known = sa.select(targets.c.name).where(
        targets.c.name == deliveries.c.target, targets.c.archived.is_(None)
    )
    for condition, what, fix in (
        (deliveries.c.state == "dead", "could not be delivered", "see why, and deliver them again"),
        (
            sa.and_(deliveries.c.state == "waiting", ~known.exists()),
            "wait for a target that is not there",
            "declare the target again",
        ),
    ):
        query = (
            sa.select(deliveries.c.target, sa.func.count().label("n"))
            .where(condition)
            .group_by(deliveries.c.target)
            .order_by(deliveries.c.target)
        )
        for row in tx.all(query.limit(MOST_FINDINGS)):
            yield Finding("warning", f"{row.n:,} notifications {what}", f"targets/{row.target}", fix)


def _alerts(tx: Tx) -> Iterator[Finding]:
    wrong = (alerts.c.state == "resolved") != alerts.c.resolved.is_not(None)
    for row in tx.all(sa.select(alerts.c.id).where(wrong).order_by(alerts.c.id).limit(MOST_FINDINGS)):
        yield Finding("error", "is resolved and not, both", f"alerts/{row.id}", "restore a backup")


def _cards(tx: Tx) -> Iterator[Finding]:
    if missing := card_check.guards_missing(tx):
        yield Finding(
            "error",
            f"what keeps model cards from being changed was removed: {', '.join(missing)}",
            "cards",
            "find out who did that",
        )
    for one in card_check.verify(tx)[:MOST_FINDINGS]:
        name = printable(one.card, 80)
        where = f"cards/{name}"
        if one.record is not None:
            where += f"/records/{one.record}"
        elif one.version is not None:
            where += f"/{one.version}"
        fix = "compare with a backup, and find out who could write to the database"
        yield Finding("error", one.what, where, fix)


# --- files ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Folder:
    where: str
    path: str
    digest: str
    row: sa.Select[Any]  # gives (path, digest) anew: the folder may have been removed with its row meanwhile


def _files(registry: Registry) -> list[Finding]:
    from driftline.capture.target import target_of

    found: list[Finding] = []
    try:
        target = target_of(registry.root)
        for folder in _folders(registry):
            if len(found) >= MOST_FINDINGS:
                found.append(
                    Finding("error", "there is more; the rest was not looked at", "files", "mend these first")
                )
                break
            what = _wrong(target, folder)
            if what is not None and _is_still_so(registry, folder):
                fix = "restore it from a backup, or make it again"
                found.append(Finding("error", what, folder.where, fix))
    except DriftlineError as error:
        fix = error.fix or "check the place and the permissions"
        found.append(
            Finding("error", f"the files cannot be looked at: {error.message}", error.file or "files", fix)
        )
    return found


def _wrong(target: Target, folder: _Folder) -> str | None:
    shown = printable(folder.path)
    try:
        check_path(folder.path)
    except DriftlineError:
        return f"its path {shown!r} leads out of the workspace"
    try:
        there = stored_digest(target, folder.path)
    except FileNotFoundError:
        there = None  # removed while it was being read
    except DriftlineError as error:
        if error.code == "E-STORE":
            raise
        return f"its files {shown} cannot be read: {printable(error.message)}"
    if there is None:
        return f"its files {shown} are gone"
    return None if there == folder.digest else f"its files {shown} are not those that were written"


def _is_still_so(registry: Registry, folder: _Folder) -> bool:
    with registry.read() as tx:
        row = tx.one(folder.row)
    return row is not None and tuple(row) == (folder.path, folder.digest)


def _folders(registry: Registry) -> Iterator[_Folder]:
    with registry.read() as tx:
        kept = tx.all(
            sa.select(baselines.c.name, baselines.c.version, baselines.c.path, baselines.c.digest)
            .where(baselines.c.state != "rejected")
            .order_by(baselines.c.name, baselines.c.version)
        )
    for row in kept:
        again = sa.select(baselines.c.path, baselines.c.digest).where(
            baselines.c.name == row.name, baselines.c.version == row.version
        )
        yield _Folder(f"baselines/{row.name}/{row.version}", row.path, row.digest, again)
    after = ""
    while True:
        with registry.read() as tx:
            page = tx.all(
                sa.select(executions.c.id, executions.c.report, executions.c.report_digest)
                .where(
                    executions.c.id > after,
                    executions.c.report.is_not(None),
                    executions.c.report_digest.is_not(None),
                )
                .order_by(executions.c.id)
                .limit(_PAGE)
            )
        for row in page:
            again = sa.select(executions.c.report, executions.c.report_digest).where(
                executions.c.id == row.id
            )
            yield _Folder(f"executions/{row.id}", row.report, row.report_digest, again)
        if len(page) < _PAGE:
            return
        after = page[-1].id
