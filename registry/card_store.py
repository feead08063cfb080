"""Card store: making cards, writing versions, moving them through their life, and deleting them.

A change of the text always makes a new version that is a draft; a change of the status makes none, and is about the newest
version only. Whatever happens is a record in the card's chain, an entry in the audit log and an event.
"""

from __future__ import annotations

from dataclasses import replace
from types import EllipsisType
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from driftline.errors import printable
from driftline.registry import models
from driftline.registry import settings as room
from driftline.registry.card_chain import GENESIS, stored_digest
from driftline.registry.card_change import keep
from driftline.registry.card_given import (
    DEFAULT_POLICY,
    Derived,
    check_card_name,
    check_cloned_from,
    check_content,
    check_extensions,
    check_policy,
    check_provenance,
    check_status,
    check_version,
    derived,
)
from driftline.registry.card_life import SETTING, Rules, archived, check_step, read_rules, writers
from driftline.registry.card_read import find, find_by_model_id, get, key_of, rules, version_of
from driftline.registry.card_types import ARN_PREFIX, Card
from driftline.registry.database import RegistryError
from driftline.registry.given import check_digest, check_tags
from driftline.registry.ids import new_id
from driftline.registry.jcs import content_hash as hash_of
from driftline.registry.jcs import digest_of
from driftline.registry.moments import shown
from driftline.registry.tables import (
    canonical,
    card_evidence,
    card_exports,
    card_records,
    card_versions,
    cards,
    users,
)
from driftline.registry.tables import models as known

if TYPE_CHECKING:
    from collections.abc import Mapping

    from driftline.registry.store import Tx

__all__ = ["create", "delete", "revise", "set_model", "set_policy", "set_rules", "set_status", "set_tags"]


def set_rules(
    tx: Tx, *, allow_direct_approval: bool | None = None, reviewers: list[str] | None = None
) -> Rules:
    """Change how cards are approved in this workspace; what is not given stays.

    Raises
    ------
    UsageError
        ``E-CARD-RULES``.
    """
    given = {"allow_direct_approval": allow_direct_approval, "reviewers": reviewers}
    said = {key: value for key, value in given.items() if value is not None}
    made = read_rules({**rules(tx).document(), **said})
    room.put(tx, SETTING, made.document())
    return made


def create(
    tx: Tx,
    name: str,
    content: Mapping[str, Any],
    *,
    extensions: Mapping[str, Any] | None = None,
    status: str = "Draft",
    tags: Mapping[str, str] | None = None,
    provenance: Mapping[str, Any] | None = None,
    policy: Mapping[str, Any] | None = None,
    cloned_from: Mapping[str, Any] | None = None,
    model: str | None = None,
) -> Card:
    """Make a card, with its first version.

    Parameters
    ----------
    name : str
        1 to 63 letters, digits and inner hyphens.
    content : mapping
        As SageMaker has it; at most 100,000 characters as JSON.
    extensions : mapping, optional
        What SageMaker has no place for.
    status : str
        ``Approved`` is refused: whoever makes a card has written it.
    tags : mapping of str to str, optional
    provenance : mapping, optional
        Where fields came from, by dotted path.
    policy : mapping, optional
        What becomes of the monitors' reports.
    cloned_from : mapping, optional
        ``name``, ``version`` and ``content_hash`` of the version that this one was copied from.
    model : str, optional
        The registry's model that the card is about. Where not given, the one that ``model_overview.model_id`` or
        ``model_name`` names, if there is one.

    Raises
    ------
    RegistryError
        ``E-CARD-EXISTS``; ``E-CARD-MODEL``: another card has this ``model_id``; ``E-CARD-STEP``, ``E-CARD-OWN-TEXT``: of
        the status; ``E-NO-MODEL``.
    UsageError
        ``E-NAME``, ``E-CARD-CONTENT``, ``E-CARD-POLICY``, ``E-CARD-STATUS``, ``E-TEXT``, ``E-VALUE``, ``E-DIGEST``.
    """
    check_card_name(name)
    check_status(status)
    said, text = check_content(content)
    more = check_extensions({} if extensions is None else extensions)
    sources = check_provenance({} if provenance is None else provenance)
    labels = check_tags({} if tags is None else dict(tags))
    becomes = check_policy({} if policy is None else policy)
    origin = check_cloned_from(cloned_from)
    if find(tx, name) is not None:
        raise RegistryError(
            f"there is a model card {printable(repr(name), 80)} already",
            code="E-CARD-EXISTS",
            fix="choose another name, or change that card",
        )
    about = derived(said)
    _refuse_second(tx, name, about)
    check_step(
        "Draft",
        status,
        name=name,
        version=1,
        who=tx.who,
        authors=(tx.who,),
        rules=rules(tx),
        reason=tx.reason,
    )
    found = _model(tx, model, about)
    card = Card(
        id=new_id(tx.now),
        name=name,
        arn=ARN_PREFIX + name,
        status=status,
        version=1,
        approved_version=None,
        content_hash=hash_of(said, more),
        model_id=about.model_id,
        model=found,
        risk_rating=about.risk_rating,
        owner=about.owner,
        package_group=about.package_group,
        tags=labels,
        policy=becomes,
        cloned_from=origin,
        records=0,
        head=GENESIS,
        created=tx.now,
        created_by=tx.who,
        modified=tx.now,
        modified_by=tx.who,
    )
    row = {column: getattr(card, column) for column in Card.__slots__}
    tx.insert(cards, **row, model_key=about.model_id and key_of(about.model_id))
    _write(tx, card, text, more, sources)
    detail = {
        "stored": stored_digest(text, canonical(more), canonical(sources)),
        "tags": digest_of(labels),
        "policy": becomes,
        "cloned_from": origin,
        "model": found,
    }
    change = {"tags": labels, "policy": becomes, "cloned_from": origin, "model": found}
    return keep(tx, card, "created", "card.created", detail=detail, change=change)


def _write(tx: Tx, card: Card, text: str, extensions: dict[str, Any], provenance: dict[str, Any]) -> None:
    tx.insert(
        card_versions,
        card=card.id,
        version=card.version,
        content=text,
        extensions=extensions,
        provenance=provenance,
        content_hash=card.content_hash,
        status=card.status,
        author=tx.who,
        created=tx.now,
        reason=tx.reason,
        status_moment=tx.now,
        status_by=tx.who,
        approved=None,
        approved_by=None,
    )


def _refuse_second(tx: Tx, name: str, about: Derived) -> None:
    other = None if about.model_id is None else find_by_model_id(tx, about.model_id)
    if other is not None and other.name != name:
        raise RegistryError(
            f"the model card {printable(repr(other.name), 80)} ({other.status}) is about the model "
            f"{printable(repr(about.model_id), 120)}: a model has one card",
            code="E-CARD-MODEL",
            fix="change that card, or give another model_id",
        )


def _model(tx: Tx, given: str | None, about: Derived) -> str | None:
    """Return the registry's model that a card is about."""
    if given is not None:
        return models.get(tx, given).name
    for name in (about.model_id, about.model_name):
        if name is not None and len(name) <= 63 and name.isascii():
            row = tx.one(sa.select(known.c.name).where(known.c.name == name))
            if row is not None:
                return str(row.name)
    return None


def _followed(tx: Tx, card: Card, before: Derived, about: Derived) -> str | None:
    """Return the registry's model that a card is about when its text has changed: another where the text names another."""
    named = _model(tx, None, about)
    if card.model is None:
        return named
    # What somebody chose for the card stays, whatever the text says.
    is_named = named not in (None, card.model) and _model(tx, None, before) == card.model
    return named if is_named else card.model


# --- the text -------------------------------------------------------------------------------------------------------


def revise(
    tx: Tx,
    name: str,
    *,
    content: Mapping[str, Any] | None = None,
    extensions: Mapping[str, Any] | None = None,
    provenance: Mapping[str, Any] | None = None,
    expected: int | None = None,
    model: str | EllipsisType | None = ...,
) -> tuple[Card, bool]:
    """Write a new version of a card, a draft; none where it would say just what the newest says.

    Parameters
    ----------
    name : str
        Name or ARN of the card.
    content, extensions, provenance : mapping, optional
        All of it; what is not given is as in the newest version. Provenance alone makes no version.
    expected : int, optional
        The version that was read and changed. Where there is a newer one with another text, nothing is written.
    model : str or None, optional
        See :func:`set_model`. Where not given, it is left as it is, unless the text named it and names another now.

    Returns
    -------
    Card
    bool
        Whether there is a new version.

    Raises
    ------
    RegistryError
        ``E-NO-CARD``, ``E-NO-MODEL``; ``E-CARD-ARCHIVED``; ``E-CARD-CONFLICT``: names who wrote the newer version, and
        when; ``E-CARD-MODEL``; ``E-CARD-DAMAGED``.
    UsageError
        As :func:`create`.
    """
    card = get(tx, name)
    wanted = None if expected is None else check_version(expected)
    newest = version_of(tx, card)
    said, text = check_content(newest.content if content is None else content)
    more = check_extensions(newest.extensions if extensions is None else extensions)
    sources = check_provenance(newest.provenance if provenance is None else provenance)
    made = hash_of(said, more)
    if made == card.content_hash:
        return (card if isinstance(model, EllipsisType) else set_model(tx, name, model)), False
    if card.status == "Archived":
        raise archived(card.name)
    if wanted is not None and wanted != card.version:
        raise _conflict(card, wanted, newest.author, newest.created)
    about = derived(said)
    _refuse_second(tx, card.name, about)
    if isinstance(model, EllipsisType):
        found = _followed(tx, card, derived(newest.content), about)
    else:
        found = None if model is None else models.get(tx, model).name
    values: dict[str, Any] = {
        "version": card.version + 1,
        "status": "Draft",
        "content_hash": made,
        "model_id": about.model_id,
        "model": found,
        "risk_rating": about.risk_rating,
        "owner": about.owner,
        "package_group": about.package_group,
    }
    _write(tx, replace(card, **values), text, more, sources)
    kept = keep(
        tx,
        card,
        "revised",
        "card.revised",
        previous_status=card.status,
        detail={"stored": stored_digest(text, canonical(more), canonical(sources)), "model": found},
        values={**values, "model_key": about.model_id and key_of(about.model_id)},
        change={"model": found} if found != card.model else None,
        told={"previous_version": card.version},
    )
    return kept, True


def _conflict(card: Card, expected: int, author: str, created: int) -> RegistryError:
    return RegistryError(
        f"the model card {printable(repr(card.name), 80)} has changed: version {card.version} was written by "
        f"{printable(author, 80)} at {shown(created)}, and this is about version {expected}",
        code="E-CARD-CONFLICT",
        fix=f"read version {card.version}, and make the change there",
    )


# --- the status -----------------------------------------------------------------------------------------------------


def _wrote_the_original(tx: Tx, card: Card) -> tuple[str, ...]:
    """Return who wrote the text that a card was cloned from, unless it was approved there: it is their own text, too."""
    if card.cloned_from is None:
        return ()
    r = card_records.c
    same = sa.and_(r.content_hash == str(card.cloned_from.get("content_hash")), r.card != card.id)
    if tx.one(sa.select(r.seq).where(same, r.kind == "status", r.status == "Approved").limit(1)) is not None:
        return ()
    written = r.kind.in_(("created", "revised"))
    at = tx.one(
        sa.select(r.card, r.seq).where(same, written).order_by(r.moment.desc(), r.seq.desc()).limit(1)
    )
    if at is None:
        return ()
    before = sa.and_(r.card == at.card, r.seq <= at.seq)
    approved = tx.execute(
        sa.select(sa.func.max(r.seq)).where(before, r.kind == "status", r.status == "Approved")
    ).scalar()
    query = sa.select(r.who).where(before, written, r.seq > (approved or 0)).distinct().order_by(r.who)
    return tuple(row.who for row in tx.all(query))


def _refuse_disabled(tx: Tx) -> None:
    """Refuse somebody who may act no more; who is no user at all, is left to whoever may write to the database."""
    row = tx.one(sa.select(users.c.disabled).where(users.c.name == tx.who))
    if row is not None and row.disabled is not None:
        raise RegistryError(
            f"the user {printable(repr(tx.who), 80)} is disabled",
            code="E-CARD-REVIEWER",
            fix="let somebody else approve it",
        )


def set_status(
    tx: Tx,
    name: str,
    status: str,
    *,
    expected_version: int | None = None,
    content_hash: str | None = None,
) -> Card:
    """Move the newest version of a card to another status; nothing happens where it has it already.

    Parameters
    ----------
    name : str
        Name or ARN of the card.
    status : str
    expected_version : int, optional
        The version that was looked at.
    content_hash : str, optional
        Of the text that was looked at; an approval must give it.

    Raises
    ------
    RegistryError
        ``E-NO-CARD``; ``E-CARD-ARCHIVED``; ``E-CARD-STEP``; ``E-CARD-CONFLICT``: there is a newer version;
        ``E-CARD-HASH``: the text is another one, or an approval does not say which it is about; ``E-CARD-OWN-TEXT``;
        ``E-CARD-REVIEWER``; ``E-CARD-DAMAGED``.
    UsageError
        ``E-CARD-STATUS``; ``E-DIGEST``; ``E-REASON``: sending back for changes needs one.
    """
    check_status(status)
    card = get(tx, name)
    if expected_version is not None and check_version(expected_version) != card.version:
        newest = version_of(tx, card)
        raise _conflict(card, expected_version, newest.author, newest.created)
    shown_name = printable(repr(card.name), 80)
    if content_hash is not None and check_digest("content_hash", content_hash) != card.content_hash:
        raise RegistryError(
            f"version {card.version} of the model card {shown_name} says something else than the text with this hash",
            code="E-CARD-HASH",
            field="content_hash",
            fix=f"read version {card.version}; its hash is {card.content_hash}",
        )
    # An approval that was lost on its way and came twice is no fault.
    v = card_versions.c
    query = sa.select(v.version, v.author, v.approved).where(v.card == card.id)
    wrote = writers((row.version, row.author, row.approved is not None) for row in tx.all(query))
    if card.approved_version is None:
        wrote = (*wrote, *_wrote_the_original(tx, card))
    moves = check_step(
        card.status,
        status,
        name=card.name,
        version=card.version,
        who=tx.who,
        authors=wrote,
        rules=rules(tx),
        reason=tx.reason,
    )
    if not moves:
        return card
    if status == "Approved":
        if content_hash is None:
            raise RegistryError(
                f"an approval of the model card {shown_name} must name the text that was read",
                code="E-CARD-HASH",
                field="content_hash",
                fix=f"read version {card.version}, and give its content hash",
            )
        version_of(tx, card)  # nobody approves a text that is damaged
        _refuse_disabled(tx)
    values: dict[str, Any] = {"status": status, "status_moment": tx.now, "status_by": tx.who}
    if status == "Approved":
        values |= {"approved": tx.now, "approved_by": tx.who}
    elif status != "Archived":
        values |= {"approved": None, "approved_by": None}
    tx.execute(sa.update(card_versions).where(v.card == card.id, v.version == card.version).values(**values))
    approved = tx.execute(
        sa.select(sa.func.max(v.version)).where(v.card == card.id, v.approved.is_not(None))
    ).scalar()
    return keep(
        tx,
        card,
        "status",
        "card.status_changed",
        previous_status=card.status,
        values={"status": status, "approved_version": approved},
    )


# --- what is beside the text ----------------------------------------------------------------------------------------


def set_tags(tx: Tx, name: str, tags: Mapping[str, str]) -> Card:
    """Give a card these tags and no others: at most 50; they belong to the card, not to a version.

    Raises
    ------
    RegistryError
        ``E-NO-CARD``.
    UsageError
        ``E-TEXT``.
    """
    card = get(tx, name)
    labels = check_tags(dict(tags) if isinstance(tags, dict) else tags)
    if labels == card.tags:
        return card
    return keep(
        tx,
        card,
        "tagged",
        "card.changed",
        detail={"tags": digest_of(labels)},
        values={"tags": labels},
        change={"tags": labels},
    )


def set_policy(tx: Tx, name: str, policy: Mapping[str, Any]) -> Card:
    """Say what becomes of the monitors' reports: ``evaluations`` and ``every``; what is not given is as by default.

    Raises
    ------
    RegistryError
        ``E-NO-CARD``, ``E-CARD-ARCHIVED``.
    UsageError
        ``E-CARD-POLICY``.
    """
    card = get(tx, name)
    becomes = check_policy(policy)
    if becomes == {**DEFAULT_POLICY, **card.policy}:
        return card
    if card.status == "Archived":
        raise archived(card.name)
    return keep(
        tx,
        card,
        "policy",
        "card.changed",
        detail={"policy": becomes},
        values={"policy": becomes},
        change={"policy": becomes},
    )


def set_model(tx: Tx, name: str, model: str | None) -> Card:
    """Say which of the registry's models a card is about; None: none of them.

    Raises
    ------
    RegistryError
        ``E-NO-CARD``, ``E-NO-MODEL``, ``E-CARD-ARCHIVED``.
    """
    card = get(tx, name)
    found = None if model is None else models.get(tx, model).name
    if found == card.model:
        return card
    if card.status == "Archived":
        raise archived(card.name)
    return keep(
        tx,
        card,
        "model",
        "card.changed",
        detail={"model": found},
        values={"model": found},
        change={"model": found},
    )


# --- the end --------------------------------------------------------------------------------------------------------


def delete(tx: Tx, name: str, *, force: bool = False) -> Card:
    """Delete a card: what it says, its evidence and its exports; its chain of records and of hashes stays.

    Parameters
    ----------
    name : str
        Name or ARN of the card.
    force : bool
        Also where it ever was approved: such documentation has to be kept, for ten years in the European Union.

    Returns
    -------
    Card
        What is left of it.

    Raises
    ------
    RegistryError
        ``E-NO-CARD``; ``E-CARD-KEPT``: it was approved once.
    """
    card = get(tx, name)
    approved = sa.select(card_records.c.seq, card_records.c.version, card_records.c.who).where(
        card_records.c.card == card.id, card_records.c.kind == "status", card_records.c.status == "Approved"
    )
    first = tx.execute(approved.order_by(card_records.c.seq).limit(1)).first()
    if first is not None and not force:
        raise RegistryError(
            f"version {first.version} of the model card {printable(repr(card.name), 80)} was approved by "
            f"{printable(first.who, 80)}: such documentation has to be kept",
            code="E-CARD-KEPT",
            fix="archive it; or force the deletion, where no law asks for it any more",
        )
    gone = keep(
        tx,
        card,
        "deleted",
        "card.deleted",
        detail={"versions": card.version, "was_approved": first is not None},
        values={
            "deleted": tx.now,
            "model_id": None,
            "model_key": None,
            "risk_rating": None,
            "owner": None,
            "package_group": None,
            "tags": {},
            "policy": {},
            "cloned_from": None,
        },
    )
    for table in (card_evidence, card_exports, card_versions):
        tx.execute(sa.delete(table).where(table.c.card == card.id))
    return gone
