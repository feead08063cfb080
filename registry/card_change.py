"""Card change: the one door through which a card changes: a record in its chain, an entry in the audit log, an event.

All three are written in the transaction of the change, so that none is without the others. The entry of the audit log holds
the record's hash: a chain that was replaced as a whole does not agree with it. What a card says is in none of the three.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from driftline.registry.card_chain import record_hash
from driftline.registry.given import check_words
from driftline.registry.moments import shown
from driftline.registry.tables import card_records, cards

if TYPE_CHECKING:
    from collections.abc import Mapping

    from driftline.registry.card_types import Card
    from driftline.registry.store import Tx

__all__ = ["ACCOUNT", "keep"]

ACCOUNT = "000000000000"
"""What stands where SageMaker's events have the number of an account."""


def keep(
    tx: Tx,
    card: Card,
    kind: str,
    action: str,
    *,
    version: int | None = None,
    content_hash: str | None = None,
    previous_status: str | None = None,
    detail: Mapping[str, Any] | None = None,
    values: Mapping[str, Any] | None = None,
    change: Mapping[str, Any] | None = None,
    told: Mapping[str, Any] | None = None,
) -> Card:
    """Add a record to a card's chain, change the card's row, and tell of it.

    Parameters
    ----------
    tx : Tx
    card : Card
        As it is before.
    kind : str
        Of the record.
    action : str
        Of the audit log and the event.
    version : int, optional
        That the record is about; the newest where not given.
    content_hash : str, optional
        Of that version's text; the newest's where not given.
    previous_status : str, optional
        Where the status changes.
    detail : mapping, optional
        Of the record: digests and names.
    values : mapping, optional
        Columns of the card that change, its status among them.
    change : mapping, optional
        More for the audit log's ``after``.
    told : mapping, optional
        More for the event.

    Returns
    -------
    Card
        As it is now.
    """
    changed = dict(values or {})
    if kind not in ("evidence", "exported"):
        changed |= {"modified": tx.now, "modified_by": tx.who}
    about = version if version is not None else changed.get("version", card.version)
    text = content_hash if content_hash is not None else changed.get("content_hash", card.content_hash)
    status = changed.get("status", card.status)
    link: dict[str, Any] = {
        "seq": card.records + 1,
        "kind": kind,
        "version": about,
        "content_hash": text,
        "status": status,
        "previous_status": previous_status,
        "who": tx.who,
        "moment": tx.now,
        "reason": check_words("reason", tx.reason),
        "detail": dict(detail or {}),
        "previous": card.head,
    }
    made = record_hash(card.id, card.name, **link)
    tx.insert(card_records, card=card.id, hash=made, **link)
    changed |= {"records": link["seq"], "head": made}
    here = sa.and_(cards.c.id == card.id, cards.c.records == card.records, cards.c.head == card.head)
    moved = tx.execute(sa.update(cards).where(here).values(**changed)).rowcount
    assert moved == 1, "the head of a card's chain moved within a transaction"
    changed.pop("model_key", None)
    now = replace(card, **changed)
    after = {
        "card": card.id,
        "record": link["seq"],
        "hash": made,
        "version": about,
        "status": status,
        "content_hash": text,
        **(change or {}),
    }
    tx.record(
        action,
        f"cards/{card.name}",
        after=after,
        data={
            "card": card.name,
            "version": about,
            "status": status,
            "previous_status": previous_status,
            "content_hash": text,
            "model": card.model if now.deleted is not None else now.model,
            "model_id": card.model_id if now.deleted is not None else now.model_id,
            "risk_rating": card.risk_rating if now.deleted is not None else now.risk_rating,
            **(told or {}),
            "detail": _detail(tx, card if now.deleted is not None else now, now, link),
        },
    )
    return now


def _detail(tx: Tx, known: Card, now: Card, link: Mapping[str, Any]) -> dict[str, Any]:
    """Return SageMaker's shape of an event on a card, and what driftline adds to it."""
    return {
        "ModelCardName": now.name,
        "ModelCardVersion": link["version"],
        "ModelCardStatus": link["status"],
        "ModelId": known.model_id,
        "AccountId": ACCOUNT,
        "CreationTime": shown(now.created),
        "LastModifiedTime": shown(now.modified),
        "CreatedBy": {"UserProfileName": now.created_by},
        "LastModifiedBy": {"UserProfileName": now.modified_by},
        "SecurityConfig": {},
        "PreviousStatus": link["previous_status"],
        "Reason": tx.reason,
        "ContentHash": link["content_hash"],
    }
