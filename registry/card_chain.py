"""Card chain: the hash of a record, what a chain of records says, and whether it is as it was written.

Pure: a chain comes from the database or from an exported document, and is checked in the same way. A record's hash is
SHA-256 of the canonical JSON (RFC 8785) of ``{"card": id, "name": …, "seq": …, "kind": …, "version": …, "content_hash": …,
"status": …, "previous_status": …, "who": …, "time": RFC 3339, "reason": …, "detail": …, "previous": hash of the record
before}``; the first one follows 64 zeros.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from driftline.errors import UsageError, printable
from driftline.registry.card_life import writers
from driftline.registry.card_types import ARN_PREFIX, STATUSES, Break, Record
from driftline.registry.jcs import canonical_json, content_hash, digest_of
from driftline.registry.likeness import is_like
from driftline.registry.moments import moment_of_shown, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = [
    "GENESIS",
    "SCHEMA",
    "Story",
    "VersionStory",
    "check_chain",
    "document_of",
    "record_hash",
    "stored_digest",
    "verify_document",
]

GENESIS: Final = "0" * 64
"""What the first record follows."""

SCHEMA: Final = "driftline.card-chain/v1"

_MOST_RECORDS: Final = 1_000_000


def record_hash(
    card: str,
    name: str,
    *,
    seq: int,
    kind: str,
    version: int,
    content_hash: str,
    status: str,
    previous_status: str | None,
    who: str,
    moment: int,
    reason: str,
    detail: Mapping[str, Any],
    previous: str,
) -> str:
    """Return the hash of a record, 64 hexadecimal digits.

    Parameters
    ----------
    card, name : str
        Id and name of the card.
    seq, kind, version, content_hash, status, previous_status, who, moment, reason, detail, previous
        See :class:`~driftline.registry.card_types.Record`.

    Raises
    ------
    UsageError
        ``E-TEXT``, ``E-VALUE``: it holds what canonical JSON cannot.
    """
    document = {
        "card": card,
        "name": name,
        "seq": seq,
        "kind": kind,
        "version": version,
        "content_hash": content_hash,
        "status": status,
        "previous_status": previous_status,
        "who": who,
        # As text: microseconds of a late year are more than a double holds.
        "time": shown(moment),
        "reason": reason,
        "detail": detail,
        "previous": previous,
    }
    return hashlib.sha256(canonical_json(document)).hexdigest()


def stored_digest(content: str, extensions: str, provenance: str) -> str:
    """Return the digest of a version's texts, byte by byte as they are stored."""
    return digest_of({"content": content, "extensions": extensions, "provenance": provenance})


@dataclass(slots=True)
class VersionStory:
    """What the chain says of a version."""

    version: int
    record: int
    content_hash: str
    stored: object
    author: str
    created: int
    reason: str
    status: str
    status_moment: int
    status_by: str
    approved: int | None = None
    approved_by: str | None = None


@dataclass(slots=True)
class Story:
    """What the chain says of a card.

    Attributes
    ----------
    versions : dict of int to VersionStory
    evidence, exports : dict of str to (int, object)
        The record's number, and the digest of the row, by source or name of the export job.
    hashes : list of str
        Of the records.
    """

    versions: dict[int, VersionStory] = field(default_factory=dict)
    evidence: dict[str, tuple[int, object]] = field(default_factory=dict)
    exports: dict[str, tuple[int, object]] = field(default_factory=dict)
    hashes: list[str] = field(default_factory=list)
    version: int = 0
    status: str = ""
    created: int = 0
    created_by: str = ""
    modified: int = 0
    modified_by: str = ""
    deleted: int | None = None
    tags: object = None
    policy: object = None
    model: object = None
    cloned_from: object = None

    @property
    def head(self) -> str:
        """Hash of the last record."""
        return self.hashes[-1] if self.hashes else GENESIS

    @property
    def approved_version(self) -> int | None:
        """The newest version whose approval stands."""
        return max((n for n, v in self.versions.items() if v.approved is not None), default=None)

    def take(self, record: Record) -> str | None:
        """Go on by one record; return what about it cannot be, or None."""
        if self.deleted is not None:
            return "follows the record of the deletion"
        if (record.kind == "created") != (not self.versions):
            return "is not where the making of a card can stand"
        if record.kind not in _TAKERS:
            return "is of a kind that there is not"
        if record.status not in STATUSES:
            return "has a status that there is not"
        why = _TAKERS[record.kind](self, record)
        if record.kind not in ("evidence", "exported"):
            self.modified, self.modified_by = record.moment, record.who
        return why


def _made(story: Story, record: Record) -> str | None:
    is_first = record.kind == "created"
    follows = record.version == story.version + 1
    if is_first:
        story.created, story.created_by = record.moment, record.who
        story.tags, story.policy = record.detail.get("tags"), record.detail.get("policy")
        story.cloned_from = record.detail.get("cloned_from")
    before = story.status
    story.model = record.detail.get("model")
    story.version, story.status = record.version, record.status
    story.versions[record.version] = VersionStory(
        record.version,
        record.seq,
        record.content_hash,
        record.detail.get("stored"),
        record.who,
        record.moment,
        record.reason,
        record.status,
        record.moment,
        record.who,
    )
    if not follows:
        return "skips a version"
    if not is_first and record.previous_status != before:
        return f"moves from {printable(before, 40)}, and says otherwise"
    if not is_first and (record.status != "Draft" or before == "Archived"):
        return "makes a version that is no draft, or one of an archived card"
    return "approves a card that was only made" if is_first and record.status == "Approved" else None


def _moved(story: Story, record: Record) -> str | None:
    version = story.versions[story.version]
    before, version.status = version.status, record.status
    version.status_moment, version.status_by = record.moment, record.who
    story.status = record.status
    if record.status == "Approved":
        version.approved, version.approved_by = record.moment, record.who
        wrote = writers((v.version, v.author, v.approved is not None) for v in _since_approved(story))
        if any(is_like(record.who, one) for one in wrote):
            return "approves a text by one who wrote it"
    elif record.status != "Archived":
        version.approved = version.approved_by = None
    if record.previous_status != before:
        return f"moves from {printable(before, 40)}, and says otherwise"
    if before in ("Archived", record.status) or (before, record.status) == ("Approved", "Draft"):
        return f"moves from {before} to {record.status}, which cannot be"
    return _same(story, record)


def _since_approved(story: Story) -> Iterator[VersionStory]:
    """Give the versions from the last approved one on: a long chain is not read as a whole for each approval."""
    for version in reversed(story.versions.values()):
        yield version
        if version.approved is not None and version.version != story.version:
            return


def _noted(story: Story, record: Record) -> str | None:
    if record.kind == "tagged":
        story.tags = record.detail.get("tags")
    elif record.kind == "policy":
        story.policy = record.detail.get("policy")
    elif record.kind == "model":
        story.model = record.detail.get("model")
    elif record.kind == "evidence":
        story.evidence[str(record.detail.get("source"))] = (record.seq, record.detail.get("stored"))
    elif record.kind == "deleted":
        story.deleted = record.moment
    return _same(story, record)


def _exported(story: Story, record: Record) -> str | None:
    story.exports[str(record.detail.get("export"))] = (record.seq, record.detail.get("stored"))
    version = story.versions.get(record.version)
    if version is None or version.content_hash != record.content_hash:
        return "is about a text that its version does not have"
    return None


def _same(story: Story, record: Record) -> str | None:
    version = story.versions[story.version]
    if record.version != story.version or record.status != version.status:
        return "is about another version than the newest, or another status"
    if record.content_hash != version.content_hash:
        return "is about a text that its version does not have"
    return None


_TAKERS: Final = {
    "created": _made,
    "revised": _made,
    "status": _moved,
    "tagged": _noted,
    "policy": _noted,
    "model": _noted,
    "evidence": _noted,
    "exported": _exported,
    "deleted": _noted,
}


def check_chain(card: str, name: str, records: Iterable[Record]) -> tuple[Story, list[Break]]:
    """Read a chain from its first record on.

    Parameters
    ----------
    card, name : str
        Id and name of the card.
    records : iterable of Record
        In order.

    Returns
    -------
    Story
        What the chain says.
    list of Break
        Every record that is not what it must be.
    """
    story, breaks = Story(), []
    previous = GENESIS
    for record in records:
        expected = len(story.hashes) + 1

        def bad(what: str, at: int = expected, about: Record = record) -> None:
            breaks.append(Break(name, about.version, at, what))

        if record.seq != expected:
            if record.seq < expected:
                bad(f"stands twice, or before the first one: it says that it is {record.seq}")
            else:
                bad(f"is missing: the record after {expected - 1} is {record.seq}")
            break
        if record.previous != previous:
            bad("does not follow from the record before it: one of the two was changed")
        if _hash(card, name, record) != record.hash:
            bad("is not what its hash says: it was changed")
        elif (why := story.take(record)) is not None:
            bad(why)
        story.hashes.append(record.hash)
        previous = record.hash
    return story, breaks


def _hash(card: str, name: str, record: Record) -> str | None:
    try:
        return record_hash(
            card,
            name,
            seq=record.seq,
            kind=record.kind,
            version=record.version,
            content_hash=record.content_hash,
            status=record.status,
            previous_status=record.previous_status,
            who=record.who,
            moment=record.moment,
            reason=record.reason,
            detail=record.detail,
            previous=record.previous,
        )
    except UsageError:
        return None  # what no chain can hold


# --- documents ------------------------------------------------------------------------------------------------------


def document_of(card: str, name: str, arn: str, records: Iterable[Record]) -> dict[str, Any]:
    """Return a chain as a document that can be checked without the database; see :func:`verify_document`."""
    links = [
        {
            "seq": r.seq,
            "kind": r.kind,
            "version": r.version,
            "content_hash": r.content_hash,
            "status": r.status,
            "previous_status": r.previous_status,
            "who": r.who,
            "time": shown(r.moment),
            "reason": r.reason,
            "detail": dict(r.detail),
            "previous": r.previous,
            "hash": r.hash,
        }
        for r in records
    ]
    return {
        "schema": SCHEMA,
        "card": {"id": card, "name": name, "arn": arn},
        "records": links,
        "head": links[-1]["hash"] if links else GENESIS,
        "versions": [
            {"version": link["version"], "content_hash": link["content_hash"], "record": link["seq"]}
            for link in links
            if link["kind"] in ("created", "revised")
        ],
    }


def verify_document(document: object) -> list[Break]:
    """Check a chain that was exported, by itself: without a database, or trust in one.

    Parameters
    ----------
    document : mapping
        As :func:`document_of` makes it. An item of ``versions`` may hold ``content`` and ``extensions``: then the text is
        checked, too.

    Returns
    -------
    list of Break
        Nothing where the chain is whole, and every text the one that the chain knows. Whether it is the chain that was
        written, and all of it, is told by comparing ``head`` with one that was noted elsewhere.

    Examples
    --------
    >>> verify_document({})[0].what
    'the document is no chain of a model card'
    """
    if not isinstance(document, dict):
        return [Break("", None, None, "the document is no chain of a model card")]
    card, links, versions = document.get("card"), document.get("records"), document.get("versions", [])
    about = card if isinstance(card, dict) else {}
    name, identity = about.get("name"), about.get("id")
    if (
        document.get("schema") != SCHEMA
        or not isinstance(name, str)
        or not isinstance(identity, str)
        or not isinstance(links, list)
        or not isinstance(versions, list)
        or not 0 < len(links) <= _MOST_RECORDS
    ):
        return [Break("", None, None, "the document is no chain of a model card")]
    records = []
    for place, link in enumerate(links, 1):
        record = _record(link)
        if record is None:
            return [Break(name, None, place, "is no record")]
        records.append(record)
    story, breaks = check_chain(identity, name, records)
    if about.get("arn") != ARN_PREFIX + name:
        breaks.append(Break(name, None, None, "has another ARN than its name"))
    if document.get("head") != story.head:
        breaks.append(
            Break(name, None, len(records), "is the last, and the head of the chain says otherwise")
        )
    for one in versions:
        breaks += _wrong_text(name, story, one)
    return breaks


def _record(link: object) -> Record | None:
    if not isinstance(link, dict):
        return None
    moment = moment_of_shown(link.get("time"))
    texts = [link.get(key) for key in ("kind", "content_hash", "status", "who", "reason", "previous", "hash")]
    numbers = [link.get("seq"), link.get("version")]
    before, detail = link.get("previous_status"), link.get("detail")
    if (
        moment is None
        or not all(isinstance(text, str) for text in texts)
        or not all(isinstance(number, int) and not isinstance(number, bool) for number in numbers)
        or not isinstance(before, str | None)
        or not isinstance(detail, dict)
    ):
        return None
    kind, text_hash, status, who, reason, previous, own = (str(text) for text in texts)
    seq, version = (int(str(number)) for number in numbers)
    return Record(seq, kind, version, text_hash, status, before, who, moment, reason, detail, previous, own)


def _wrong_text(name: str, story: Story, one: object) -> list[Break]:
    number = one.get("version") if isinstance(one, dict) else None
    known = story.versions.get(number) if isinstance(number, int) else None
    if not isinstance(one, dict) or known is None:
        return [
            Break(
                name,
                number if isinstance(number, int) else None,
                None,
                "is a version that the chain does not know",
            )
        ]
    if one.get("content_hash") != known.content_hash or one.get("record", known.record) != known.record:
        return [
            Break(
                name,
                known.version,
                None,
                "has another hash of its text, or another record, than the chain says",
            )
        ]
    if "content" not in one:
        return []
    try:
        made = content_hash(one["content"], one.get("extensions", {}))
    except UsageError:
        made = ""
    if made != known.content_hash:
        return [Break(name, known.version, None, "has another text than the chain says: it was changed")]
    return []
