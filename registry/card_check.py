"""Card check: whether the store holds what the chains say, and the chains are those that the audit log knows.

It reads rows as they are, with its own statements, so that damage which would stop the other rooms is found and named.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from driftline.errors import UsageError, printable
from driftline.registry.card_chain import Story, VersionStory, check_chain, stored_digest
from driftline.registry.card_evidence import evidence_digest
from driftline.registry.card_exports import export_digest
from driftline.registry.card_given import derived, name_of
from driftline.registry.card_read import key_of
from driftline.registry.card_types import ARN_PREFIX, Break, Record
from driftline.registry.jcs import content_hash, digest_of
from driftline.registry.tables import canonical

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from driftline.registry.store import Tx

__all__ = ["GUARDS", "guards_missing", "verify"]

GUARDS: Final = {
    "sqlite": (
        "card_records_no_delete",
        "card_records_no_replace",
        "card_records_no_update",
        "card_versions_no_delete",
        "card_versions_no_replace",
        "card_versions_no_update",
        "cards_no_delete",
        "cards_no_replace",
        "cards_no_return",
        "cards_no_update",
    ),
    "postgresql": (
        "card_records_closed",
        "card_versions_no_delete",
        "card_versions_no_truncate",
        "card_versions_no_update",
        "cards_no_delete",
        "cards_no_truncate",
        "cards_no_update",
    ),
}
"""Triggers that keep chains and versions from being changed."""

_PAGE: Final = 500


def guards_missing(tx: Tx) -> list[str]:
    """Return which of :data:`GUARDS` are not there, or are disabled."""
    if tx.database.is_sqlite:
        kind, query = "sqlite", "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    else:
        kind, query = (
            "postgresql",
            (
                "SELECT tgname AS name FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D' AND tgrelid IN "
                "('cards'::regclass, 'card_versions'::regclass, 'card_records'::regclass)"
            ),
        )
    there = set(tx.execute(sa.text(query)).scalars())
    return [name for name in GUARDS[kind] if name not in there]


def verify(tx: Tx, name: str | None = None) -> list[Break]:
    """Compute every hash of model cards anew, and compare what is stored with what the chains and the audit log say.

    Parameters
    ----------
    tx : Tx
        A transaction that reads.
    name : str, optional
        Name or ARN of one card; deleted ones of this name count too. All cards where not given.

    Returns
    -------
    list of Break
        Nothing where all is as it was written. The audit log itself is checked by
        :func:`driftline.registry.audit_check.check`.
    """
    wanted = None if name is None else name_of(name)
    found: list[Break] = []
    known: set[str] = set()
    for card in _cards(tx, wanted):
        known.add(str(card["id"]))
        found += _check(tx, card)
    found += _lost(tx, wanted, known)
    return found


def _cards(tx: Tx, name: str | None) -> Iterator[Mapping[str, Any]]:
    last = ""
    while True:
        condition = "" if name is None else "AND name = :name "
        rows = _rows(
            tx,
            f"SELECT * FROM cards WHERE id > :last {condition}ORDER BY id LIMIT :most",  # noqa: S608 - two constants
            last=last,
            most=_PAGE,
            **({} if name is None else {"name": name}),
        )
        yield from rows
        if len(rows) < _PAGE:
            return
        last = str(rows[-1]["id"])


def _rows(tx: Tx, statement: str, **given: Any) -> list[dict[str, Any]]:
    """Return rows as plain values; text of SQLite that is no text comes with surrogates, and fits no hash."""
    query = sa.text(statement)
    if not tx.database.is_sqlite:
        return [dict(row._mapping) for row in tx.connection.execute(query, given)]
    driver: Any = tx.connection.connection.driver_connection
    before = driver.text_factory
    driver.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
    try:
        return [dict(row._mapping) for row in tx.connection.execute(query, given).all()]
    finally:
        driver.text_factory = before


def _check(tx: Tx, card: Mapping[str, Any]) -> list[Break]:
    identity, name = str(card["id"]), str(card["name"])
    records: list[Record] = []
    found: list[Break] = []
    for row in _records(tx, identity):
        detail = _exact(row["detail"])
        if detail is None:
            found.append(
                Break(name, row["version"], row["seq"], "has a detail that is no document: it was changed")
            )
        values = {column: row[column] for column in Record.__slots__} | {"detail": detail or {}}
        records.append(Record(**values))
    story, breaks = check_chain(identity, name, records)
    is_whole = not (found or breaks)
    found = sorted([*found, *breaks], key=lambda one: one.record or 0)
    links = _links(tx, identity, name)
    found += _against_audit(name, records, links)
    is_whole = is_whole and not any(links.get(n, (h,))[0] != h for n, h in enumerate(story.hashes, 1))
    found += _versions(tx, identity, name, story, is_whole)
    if is_whole:
        found += _card(card, story, _newest(tx, identity, story))
        found += _beside(tx, identity, name, story)
    return found


def _records(tx: Tx, card: str) -> Iterator[dict[str, Any]]:
    last = -(1 << 31)
    while True:
        rows = _rows(
            tx,
            "SELECT * FROM card_records WHERE card = :card AND seq > :last ORDER BY seq LIMIT :most",
            card=card,
            last=last,
            most=_PAGE,
        )
        yield from rows
        if len(rows) < _PAGE:
            return
        last = rows[-1]["seq"]


def _object(text: object) -> dict[str, Any] | None:
    try:
        value = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _exact(text: object) -> dict[str, Any] | None:
    """Return a document that stands in a column of documents, None where it is not spelled as it would be written."""
    value = _object(text)
    try:
        return value if value is not None and canonical(value) == text else None
    except ValueError:
        return None


# --- the audit log --------------------------------------------------------------------------------------------------


def _links(tx: Tx, card: str, name: str) -> dict[int, tuple[str, int]]:
    """Return what the audit log knows of a chain: the hash of a record, and the entry that has it, by number."""
    found: dict[int, tuple[str, int]] = {}
    for entry, after in _entries(tx, "a.subject = :subject", subject=f"cards/{name}"):
        if after is None:
            found[-entry] = ("", entry)  # erased: some record is not to be found here
        elif after.get("card") == card and isinstance(after.get("record"), int):
            found[after["record"]] = (str(after.get("hash")), entry)
    return found


def _entries(tx: Tx, condition: str, **given: Any) -> Iterator[tuple[int, dict[str, Any] | None]]:
    last = 0
    while True:
        rows = _rows(
            tx,
            "SELECT a.seq, a.body, b.body AS text FROM audit a LEFT JOIN audit_bodies b ON b.digest = a.body "  # noqa: S608 - the condition is a constant
            f"WHERE {condition} AND a.seq > :last ORDER BY a.seq LIMIT :most",
            last=last,
            most=_PAGE,
            **given,
        )
        for row in rows:
            if row["body"] is None:
                continue  # nothing that a chain has a record of
            change = None
            text = row["text"]
            if isinstance(text, str):
                digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
                change = _object(text) if digest == row["body"] else None
            after = None if change is None else change.get("after")
            yield row["seq"], after if isinstance(after, dict) else None
        if len(rows) < _PAGE:
            return
        last = rows[-1]["seq"]


def _against_audit(
    name: str, records: Sequence[Record], links: Mapping[int, tuple[str, int]]
) -> Iterator[Break]:
    # As many records may be in an entry that was erased; any more were put in.
    erased = sum(number < 0 for number in links)
    unknown = sum(record.seq not in links for record in records)
    last = 0
    for record in records:
        last = record.seq
        link = links.get(record.seq)
        if link is None:
            if unknown > erased:
                yield Break(
                    name, record.version, record.seq, "is in no entry of the audit log: it was put in"
                )
        elif link[0] != record.hash:
            what = f"is not the record that entry {link[1]} of the audit log knows: the chain was replaced"
            yield Break(name, record.version, record.seq, what)
    beyond = sorted(number for number in links if number > last)
    if beyond:
        what = f"is missing: entry {links[beyond[0]][1]} of the audit log knows it, the end of the chain was cut off"
        yield Break(name, None, beyond[0], what)


def _lost(tx: Tx, name: str | None, known: set[str]) -> Iterator[Break]:
    """Give the cards that the audit log knows and the store does not."""
    subjects = "a.action = 'card.created'" + ("" if name is None else " AND a.subject = :subject")
    given = {} if name is None else {"subject": f"cards/{name}"}
    for entry, after in _entries(tx, subjects, **given):
        if after is not None and str(after.get("card")) not in known:
            subject = _rows(tx, "SELECT subject FROM audit WHERE seq = :seq", seq=entry)[0]["subject"]
            about = str(subject).removeprefix("cards/")
            yield Break(
                about, None, None, f"was removed, chain and all: entry {entry} of the audit log knows it"
            )


# --- rows -----------------------------------------------------------------------------------------------------------


def _versions(tx: Tx, card: str, name: str, story: Story, is_whole: bool) -> Iterator[Break]:
    seen: set[int] = set()
    last = -(1 << 31)
    while True:
        rows = _rows(
            tx,
            "SELECT * FROM card_versions WHERE card = :card AND version > :last ORDER BY version LIMIT 50",
            card=card,
            last=last,
        )
        for row in rows:
            last = row["version"]
            seen.add(last)
            told = story.versions.get(last)
            if told is None or story.deleted is not None:
                yield Break(name, last, None, "is a version that the chain does not know")
                continue
            what = _wrong_text(row, told, is_whole)
            if what is None and is_whole:
                what = _wrong_state(row, told)
            if what is not None:
                yield Break(name, last, None, what)
        if len(rows) < 50:
            break
    if story.deleted is None:
        for number in sorted(set(story.versions) - seen):
            yield Break(name, number, None, "is missing: the chain knows it")


def _wrong_text(row: Mapping[str, Any], told: VersionStory, is_whole: bool) -> str | None:
    content, extensions = _object(row["content"]), _object(row["extensions"])
    if content is None or extensions is None:
        return "holds a text that is no document: it was changed"
    try:
        made = content_hash(content, extensions)
        stored = stored_digest(row["content"], row["extensions"], str(row["provenance"]))
    except UsageError:
        made = stored = ""
    if row["content_hash"] != told.content_hash:
        return "has another content hash than the chain says: it was changed"
    if made != told.content_hash:
        return "has another text than the chain says: it was changed"
    if is_whole and stored != told.stored:
        return "has the text that the chain says, spelled otherwise, or another provenance: it was changed"
    return None


def _wrong_state(row: Mapping[str, Any], told: VersionStory) -> str | None:
    fields = (
        "status",
        "author",
        "created",
        "reason",
        "status_moment",
        "status_by",
        "approved",
        "approved_by",
    )
    for field in fields:
        if row[field] != getattr(told, field):
            return (
                f"has {field.replace('_', ' ')} {printable(repr(row[field]), 80)}, and the chain says "
                f"{printable(repr(getattr(told, field)), 80)}"
            )
    return None


def _newest(tx: Tx, card: str, story: Story) -> dict[str, Any]:
    rows = _rows(
        tx,
        "SELECT content FROM card_versions WHERE card = :card AND version = :v",
        card=card,
        v=story.version,
    )
    return (_object(rows[0]["content"]) or {}) if rows else {}


def _card(card: Mapping[str, Any], story: Story, content: dict[str, Any]) -> Iterator[Break]:
    name = str(card["name"])
    newest = story.versions.get(story.version)
    about = derived(content)
    gone = story.deleted is not None
    told: dict[str, Any] = {
        "arn": ARN_PREFIX + name,
        "status": story.status,
        "version": story.version,
        "approved_version": story.approved_version,
        "content_hash": newest and newest.content_hash,
        "model_id": about.model_id,
        "model_key": about.model_id and key_of(about.model_id),
        "model": story.model,
        "risk_rating": about.risk_rating,
        "owner": about.owner,
        "package_group": about.package_group,
        "records": len(story.hashes),
        "head": story.head,
        "created": story.created,
        "created_by": story.created_by,
        "modified": story.modified,
        "modified_by": story.modified_by,
        "deleted": story.deleted,
    }
    for field, value in told.items():
        if card[field] != value:
            what = (
                f"has {field.replace('_', ' ')} {printable(repr(card[field]), 80)}, and the chain says "
                f"{printable(repr(value), 80)}"
            )
            yield Break(name, None, None, what)
    tags, policy = _exact(card["tags"]), _exact(card["policy"])
    cloned = None if card["cloned_from"] is None else _exact(card["cloned_from"]) or "damaged"
    if gone:
        is_so = (tags, policy, cloned) == ({}, {}, None)
    else:
        wanted = (story.tags, story.policy, story.cloned_from)
        is_so = tags is not None and (_digest(tags), policy, cloned) == wanted
    if not is_so:
        yield Break(name, None, None, "has other tags, another policy or another origin than the chain says")


def _digest(value: object) -> str:
    try:
        return digest_of(value)
    except UsageError:
        return ""


def _beside(tx: Tx, card: str, name: str, story: Story) -> Iterator[Break]:
    evidence = _rows(tx, "SELECT * FROM card_evidence WHERE card = :card ORDER BY record", card=card)
    there = {}
    for row in evidence:
        kept = {key: value for key, value in row.items() if key not in ("card", "record")}
        there[str(row["source"])] = (row["record"], _row_digest(evidence_digest, kept))
    yield from _differ(name, "evidence", there, {} if story.deleted is not None else story.evidence)
    exports = _rows(
        tx, "SELECT * FROM card_exports WHERE card = :card AND status = 'Completed' ORDER BY name", card=card
    )
    made = {}
    for row in exports:
        kept = {key: value for key, value in row.items() if key != "card"}
        seq = story.exports.get(str(row["name"]), (0, ""))[0]
        made[str(row["name"])] = (seq, _row_digest(export_digest, kept))
    yield from _differ(name, "export", made, {} if story.deleted is not None else story.exports)


def _row_digest(digest: Any, row: dict[str, Any]) -> str:
    try:
        return str(digest(row))
    except UsageError:
        return ""


def _differ(
    name: str, what: str, there: Mapping[str, tuple[int, object]], told: Mapping[str, tuple[int, object]]
) -> Iterator[Break]:
    for key in sorted({*there, *told}):
        shown = printable(repr(key), 120)
        if key not in told:
            yield Break(name, None, None, f"has the {what} {shown}, which the chain does not know")
        elif key not in there:
            yield Break(name, None, told[key][0], f"knows the {what} {shown}, which is missing")
        elif there[key] != told[key]:
            yield Break(name, None, told[key][0], f"knows the {what} {shown}, which was changed")
