"""Audit: who did what to what, when and why, in a chain of hashes.

An entry's hash is SHA-256 over the hash before it and the entry in canonical JSON. What changed (before and after) stands
apart, by its digest, so that personal data in it can be erased without breaking the chain.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from driftline.errors import printable
from driftline.registry.database import RegistryError
from driftline.registry.tables import audit, audit_bodies, audit_head, canonical

if TYPE_CHECKING:
    from collections.abc import Iterator

    from driftline.registry.store import Tx

__all__ = ["GENESIS", "Entry", "append", "entries", "erase_body", "head"]

GENESIS = "0" * 64
"""What the first entry follows."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the audit log.

    Attributes
    ----------
    seq : int
        From 1, without a gap.
    moment : int
        Microseconds since 1970-01-01 UTC.
    who, action, subject, reason : str
    body : str or None
        SHA-256 of what changed.
    previous, hash : str
    change : mapping or None
        What changed: ``before`` and ``after``; None where there is none or it was erased.
    """

    seq: int
    moment: int
    who: str
    action: str
    subject: str
    reason: str
    body: str | None
    previous: str
    hash: str
    change: Any = None


def hash_of(
    previous: str, seq: int, moment: int, who: str, action: str, subject: str, reason: str, body: str | None
) -> str:
    """Return the hash of an entry, 64 hexadecimal digits."""
    entry = {
        "action": action,
        "body": body,
        "moment": moment,
        "reason": reason,
        "seq": seq,
        "subject": subject,
        "who": who,
    }
    return hashlib.sha256((previous + canonical(entry)).encode("ascii")).hexdigest()


def append(tx: Tx, action: str, subject: str, change: Any) -> int:
    """Add an entry; part of the transaction, so that nothing is done that is not in the log.

    Returns
    -------
    int
        Its number.
    """
    row = tx.one(sa.select(audit_head.c.seq, audit_head.c.hash).where(audit_head.c.id == 1))
    last, previous = (0, GENESIS) if row is None else (row.seq, row.hash)
    seq = last + 1
    body = None
    if change is not None:
        text = canonical(change)
        body = hashlib.sha256(text.encode("ascii")).hexdigest()
        tx.insert(audit_bodies, "ignore", digest=body, body=text)
    made = hash_of(previous, seq, tx.now, tx.who, action, subject, tx.reason, body)
    tx.insert(
        audit,
        seq=seq,
        moment=tx.now,
        who=tx.who,
        action=action,
        subject=subject,
        reason=tx.reason,
        body=body,
        previous=previous,
        hash=made,
    )
    if row is None:
        tx.insert(audit_head, id=1, seq=seq, hash=made)
        return seq
    moved = tx.execute(
        sa.update(audit_head)
        .where(audit_head.c.id == 1, audit_head.c.seq == last, audit_head.c.hash == previous)
        .values(seq=seq, hash=made)
    ).rowcount
    assert moved == 1, "the head of the audit log moved within a transaction"
    return seq


def head(tx: Tx) -> tuple[int, str]:
    """Return the number and the hash of the last entry: a checkpoint, to be kept where nobody here can change it."""
    row = tx.one(sa.select(audit_head.c.seq, audit_head.c.hash).where(audit_head.c.id == 1))
    return (0, GENESIS) if row is None else (row.seq, row.hash)


def entries(
    tx: Tx,
    *,
    subject: str | None = None,
    after: int = 0,
    limit: int | None = None,
    newest_first: bool = False,
) -> Iterator[Entry]:
    """Give entries in order.

    Parameters
    ----------
    subject : str, optional
        Of this subject, such as ``schedules/churn``, and of what lies below it.
    after : int
        Only those with a greater number (smaller, with `newest_first`, where it is not 0).
    limit : int, optional
    newest_first : bool
    """
    import json

    query = sa.select(audit, audit_bodies.c.body.label("text")).join_from(
        audit, audit_bodies, audit.c.body == audit_bodies.c.digest, isouter=True
    )
    if subject is not None:
        below = subject.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "/%"
        query = query.where(sa.or_(audit.c.subject == subject, audit.c.subject.like(below, escape="\\")))
    if newest_first:
        query = query.order_by(audit.c.seq.desc())
        if after:
            query = query.where(audit.c.seq < after)
    else:
        query = query.where(audit.c.seq > after).order_by(audit.c.seq)
    if limit is not None:
        query = query.limit(limit)
    for row in tx.execute(query):
        change = None if row.text is None else json.loads(row.text)
        yield Entry(
            row.seq,
            row.moment,
            row.who,
            row.action,
            row.subject,
            row.reason,
            row.body,
            row.previous,
            row.hash,
            change,
        )


def erase_body(tx: Tx, seq: int) -> bool:
    """Erase what changed in an entry, such as personal data that somebody asked to be erased; the entry itself stays.

    Entries that changed the very same lose it too: it is kept once. That it was erased is an entry of its own, and the
    reason that of the transaction.

    Parameters
    ----------
    seq : int
        Number of the entry.

    Returns
    -------
    bool
        False where nothing was there to erase.

    Raises
    ------
    RegistryError
        ``E-NO-ENTRY``.
    """
    row = tx.one(sa.select(audit.c.body).where(audit.c.seq == seq)) if 0 < seq < 1 << 62 else None
    if row is None:
        raise RegistryError(
            f"the audit log has no entry {printable(repr(seq), 40)}",
            code="E-NO-ENTRY",
            fix="entries are numbered from 1",
        )
    if row.body is None:
        return False
    if not tx.execute(sa.delete(audit_bodies).where(audit_bodies.c.digest == row.body)).rowcount:
        return False
    tx.record("audit.erased", f"audit/{seq}", data={"entry": seq})
    return True
