"""Audit check: an independent reader of the audit log.

It shares no code with what writes the log: its own statements, its own spelling of entries, its own hashes. So a fault of
the writer is found here too, and somebody who does not trust driftline can read this one file.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

if TYPE_CHECKING:
    from collections.abc import Iterator

    from driftline.registry.store import Tx

__all__ = ["AuditCheck", "check", "checkpoint"]

_PAGE = 1000
_FIRST = "0" * 64
_LOWEST = -(1 << 63)


@dataclass(frozen=True, slots=True)
class AuditCheck:
    """What the audit log was found to be.

    Attributes
    ----------
    entries : int
        How many were right, from the first on.
    head : str
        Hash of the last of them.
    erased : tuple of int
        Entries of which what changed was erased, as the log itself says.
    bad : int or None
        Number of the first entry that is not what it must be; None where all is well. An entry whose hash was made to
        fit shows at the next one: then this or the one before it was changed.
    why : str or None
        What is wrong there.
    """

    entries: int
    head: str
    erased: tuple[int, ...] = ()
    bad: int | None = None
    why: str | None = None

    @property
    def is_whole(self) -> bool:
        """Whether the log is as it was written."""
        return self.bad is None


def check(tx: Tx, *, checkpoint: tuple[int, str] | None = None) -> AuditCheck:
    """Read the whole log, and tell whether it is as it was written.

    Parameters
    ----------
    tx : Tx
        A transaction that reads.
    checkpoint : (int, str), optional
        Number and hash of an entry, as they were noted where nobody who can change the log can change them. Without it, a
        log whose end was cut off, or which was replaced as a whole, cannot be told from a right one.

    Returns
    -------
    AuditCheck
    """
    connection = tx.connection
    erasures = _erasures(connection)
    previous, number = _FIRST, 0
    erased: list[int] = []
    lacking: int | None = None

    def bad(at: int, why: str) -> AuditCheck:
        return AuditCheck(number, previous, tuple(erased), at, why)

    for row in _rows(connection):
        expected = number + 1
        if isinstance(row, int):
            return bad(min(row, expected), "cannot be read: it holds bytes that are no text")
        if row.seq != expected:
            if row.seq < expected:
                return bad(int(row.seq), "stands before the first entry")
            return bad(expected, f"is missing: the entry after {number} is {row.seq}")
        if row.previous != previous:
            return bad(expected, "does not follow from the entry before it: one of the two was changed")
        if _hash(previous, row) != row.hash:
            return bad(expected, "is not what its hash says: it was changed")
        if row.body is not None:
            if row.text is None:
                if erasures.get(row.body, 0) > expected:
                    erased.append(expected)
                elif lacking is None:
                    lacking = expected
            elif hashlib.sha256(row.text.encode("utf-8")).hexdigest() != row.body:
                return bad(expected, "has another text of what changed than its hash says")
        if checkpoint is not None and checkpoint[0] == expected and checkpoint[1] != row.hash:
            return bad(expected, "is not the entry of the checkpoint: the log was replaced, here or before")
        previous, number = str(row.hash), expected
    if checkpoint is not None and checkpoint[0] > number:
        return bad(
            number + 1, f"is missing: the checkpoint knows of {checkpoint[0]} entries, the end was cut off"
        )
    why = _wrong_head(connection, number, previous)
    if lacking is not None and why is None:
        # Only now: the entry that said so may be what was changed.
        return bad(lacking, "lacks what changed, and no later entry says that it was erased")
    if why is not None:
        return bad(number + 1 if why.startswith("is missing") else max(number, 1), why)
    if _strays(connection):
        return bad(number + 1, "is missing: there is a text of what changed that no entry has")
    return AuditCheck(number, previous, tuple(erased))


def checkpoint(tx: Tx) -> tuple[int, str]:
    """Return number and hash of the last entry, to be noted somewhere else; (0, 64 zeros) of an empty log."""
    row = tx.connection.execute(
        sa.text("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")
    ).one_or_none()
    return (0, _FIRST) if row is None else (int(row.seq), str(row.hash))


def _rows(connection: sa.Connection) -> Iterator[Any]:
    query = sa.text(
        "SELECT a.seq, a.moment, a.who, a.action, a.subject, a.reason, a.body, a.previous, a.hash, b.body AS text "
        "FROM audit a LEFT JOIN audit_bodies b ON b.digest = a.body WHERE a.seq >= :start ORDER BY a.seq LIMIT :most"
    )
    start, most = _LOWEST, _PAGE
    while True:
        try:
            rows = connection.execute(query, {"start": start, "most": most}).all()
        except sa.exc.OperationalError:
            # SQLite can be made to hold text that is none: go up to it row by row, and name it.
            if connection.dialect.name != "sqlite":
                raise
            if most > 1:
                most = 1
                continue
            number = connection.execute(
                sa.text("SELECT min(seq) FROM audit WHERE seq >= :start"), {"start": start}
            ).scalar_one()
            yield int(number)
            return
        yield from rows
        if len(rows) < most:
            return
        start = int(rows[-1].seq) + 1


def _hash(previous: str, row: Any) -> str:
    entry = (
        f'{{"action":{_text(row.action)},"body":{_text(row.body)},"moment":{row.moment},"reason":{_text(row.reason)},'
        f'"seq":{row.seq},"subject":{_text(row.subject)},"who":{_text(row.who)}}}'
    )
    return hashlib.sha256(f"{previous}{entry}".encode("ascii")).hexdigest()


def _text(value: str | None) -> str:
    return "null" if value is None else json.dumps(value, ensure_ascii=True)


def _erasures(connection: sa.Connection) -> dict[str, int]:
    """Return of each text that was erased the last entry that says so."""
    said = connection.execute(
        sa.text("SELECT seq, subject FROM audit WHERE action = 'audit.erased' ORDER BY seq")
    ).all()
    found: dict[str, int] = {}
    for row in said:
        number = row.subject.removeprefix("audit/")
        if number.isascii() and number.isdigit() and len(number) < 19:
            query = sa.text("SELECT body FROM audit WHERE seq = :seq AND body IS NOT NULL")
            for body in connection.execute(query, {"seq": int(number)}).scalars():
                found[str(body)] = int(row.seq)
    return found


def _wrong_head(connection: sa.Connection, number: int, previous: str) -> str | None:
    rows = connection.execute(sa.text("SELECT id, seq, hash FROM audit_head ORDER BY id")).all()
    if not rows:
        return None if number == 0 else "is the last, and the head of the log is gone"
    if len(rows) > 1 or rows[0].id != 1:
        return "is the last, and the log has more than one head"
    if rows[0].seq > number:
        return f"is missing: the head of the log says that there are {rows[0].seq}"
    if (rows[0].seq, rows[0].hash) != (number, previous):
        return "is the last, and the head of the log says otherwise: one of the two was changed"
    return None


def _strays(connection: sa.Connection) -> bool:
    query = sa.text(
        "SELECT 1 FROM audit_bodies b LEFT JOIN audit a ON a.body = b.digest WHERE a.seq IS NULL LIMIT 1"
    )
    return connection.execute(query).first() is not None
