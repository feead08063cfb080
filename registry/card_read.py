"""Card read: finding cards, their versions and their records."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from driftline.errors import UsageError, printable
from driftline.registry.card_chain import document_of
from driftline.registry.card_given import (
    check_optional_moment,
    check_page_of_100,
    check_status,
    check_version,
    name_of,
    searched,
)
from driftline.registry.card_life import SETTING, Rules, read_rules
from driftline.registry.card_types import RISK_RATINGS, Card, CardVersion, Record
from driftline.registry.database import RegistryError
from driftline.registry.given import check_page, check_words, missing, says, tagged
from driftline.registry.jcs import content_hash
from driftline.registry.moments import shown
from driftline.registry.settings import get as setting
from driftline.registry.tables import card_records, card_versions, cards

if TYPE_CHECKING:
    from driftline.registry.store import Tx

__all__ = [
    "SORTS",
    "chain_document",
    "cursor_of",
    "deleted_cards",
    "find",
    "find_by_model",
    "find_by_model_id",
    "get",
    "list_cards",
    "records",
    "rules",
    "version",
    "versions",
]

SORTS: Final = ("created", "name", "modified")

_ALL: Final = 1 << 30


def card_of(row: Any) -> Card:
    """Return the card that a row holds."""
    return Card(*(getattr(row, column) for column in Card.__slots__))


def key_of(model_id: str) -> str:
    """Return by what a model's id is found and kept apart from all others."""
    return hashlib.sha256(model_id.encode("utf-8")).hexdigest()


def rules(tx: Tx) -> Rules:
    """Return how cards are approved in this workspace."""
    return read_rules(setting(tx, SETTING))


def find(tx: Tx, name: str) -> Card | None:
    """Return a card by its name or ARN, or None; deleted ones are not there.

    Raises
    ------
    UsageError
        ``E-NAME``.
    """
    row = tx.one(sa.select(cards).where(cards.c.name == name_of(name), cards.c.deleted.is_(None)))
    return None if row is None else card_of(row)


def get(tx: Tx, name: str) -> Card:
    """Return a card by its name or ARN.

    Raises
    ------
    RegistryError
        ``E-NO-CARD``.
    UsageError
        ``E-NAME``.
    """
    found = find(tx, name)
    if found is not None:
        return found
    gone = _newest_deleted(tx, name_of(name))
    if gone is not None:
        raise RegistryError(
            f"the model card {printable(repr(gone.name), 80)} was deleted at {shown(gone.deleted)} "
            f"by {printable(gone.modified_by, 80)}",
            code="E-NO-CARD",
            fix="its chain of records is kept, what it said is not",
        )
    raise missing(tx, "card", name_of(name), cards.c.name, cards.c.deleted.is_(None))


def get_any(tx: Tx, name: str) -> Card:
    """Return a card by its name or ARN, or the one of this name that was deleted last.

    Raises
    ------
    RegistryError
        ``E-NO-CARD``.
    """
    return find(tx, name) or _newest_deleted(tx, name_of(name)) or get(tx, name)


def _newest_deleted(tx: Tx, name: str) -> Card | None:
    query = (
        sa.select(cards)
        .where(cards.c.name == name, cards.c.deleted.is_not(None))
        .order_by(cards.c.deleted.desc(), cards.c.id.desc())
        .limit(1)
    )
    row = tx.one(query)
    return None if row is None else card_of(row)


def find_by_model(tx: Tx, model: str) -> Card | None:
    """Return the card that is about a model of the registry, or None.

    Of several those that are not archived go first, then those that say of which ``model_id`` they are, which a clone does
    not, then the newest.
    """
    query = (
        sa.select(cards)
        .where(cards.c.model == check_words("model", model), cards.c.deleted.is_(None))
        .order_by(
            sa.case((cards.c.status == "Archived", 1), else_=0),
            sa.case((cards.c.model_key.is_(None), 1), else_=0),
            cards.c.created.desc(),
            cards.c.name.desc(),
        )
        .limit(1)
    )
    row = tx.one(query)
    return None if row is None else card_of(row)


def find_by_model_id(tx: Tx, model_id: str) -> Card | None:
    """Return the card whose ``model_overview.model_id`` is this, or None."""
    key = key_of(check_words("model_id", model_id, most=1 << 20))
    row = tx.one(sa.select(cards).where(cards.c.model_key == key, cards.c.deleted.is_(None)))
    return None if row is None else card_of(row)


# --- versions -------------------------------------------------------------------------------------------------------


def version(tx: Tx, name: str, which: str | int = "latest") -> CardVersion:
    """Return a version of a card, after making sure that it says what it said when it was written.

    Parameters
    ----------
    name : str
        Name or ARN of the card.
    which : int, "latest" or "approved"
        ``approved`` is the newest whose approval stands.

    Raises
    ------
    RegistryError
        ``E-NO-CARD``; ``E-CARD-VERSION``: there is no such version, or none is approved; ``E-CARD-DAMAGED``: what is
        stored is not what was written.
    UsageError
        ``E-NAME``; ``E-CARD-VERSION``: `which` is none of these.
    """
    return version_of(tx, get(tx, name), which)


def version_of(tx: Tx, card: Card, which: str | int = "latest") -> CardVersion:
    """Return a version of a card that was found already; see :func:`version`."""
    number = number_of(card, which)
    query = sa.select(card_versions).where(card_versions.c.card == card.id, card_versions.c.version == number)
    row = tx.one(query)
    made = None if row is None else _version(card.name, row)
    if made is None or content_hash(made.content, made.extensions) != made.content_hash:
        raise _damaged(card.name, number)
    return made


def number_of(card: Card, which: str | int) -> int:
    """Return the number of a version of a card: see :func:`version`."""
    shown_name = printable(repr(card.name), 80)
    if which == "latest":
        return card.version
    if which == "approved":
        if card.approved_version is None:
            raise RegistryError(
                f"no version of the model card {shown_name} is approved",
                code="E-CARD-VERSION",
                fix=f"version {card.version} is {card.status}: have it approved, or ask for latest",
            )
        return card.approved_version
    if isinstance(which, str) and which.isascii() and which.isdigit() and len(which) < 10:
        which = int(which)
    number = check_version(which)
    if number > card.version:
        raise RegistryError(
            f"the model card {shown_name} has no version {number}",
            code="E-CARD-VERSION",
            fix=f"the newest is {card.version}",
        )
    return number


def _version(name: str, row: Any) -> CardVersion | None:
    try:
        content = json.loads(row.content)
    except ValueError:
        content = None
    if not isinstance(content, dict) or not isinstance(row.extensions, dict):
        return None
    return CardVersion(
        name,
        row.version,
        content,
        row.extensions,
        row.provenance,
        row.content_hash,
        row.status,
        row.author,
        row.reason,
        row.created,
        row.status_moment,
        row.status_by,
        row.approved,
        row.approved_by,
    )


def _damaged(name: str, number: int) -> RegistryError:
    return RegistryError(
        f"version {number} of the model card {printable(repr(name), 80)} is not what was written: the store was changed",
        code="E-CARD-DAMAGED",
        fix="look at it with `driftline fsck`, and restore a backup",
    )


def versions(
    tx: Tx,
    name: str,
    *,
    status: str | None = None,
    since: int | None = None,
    until: int | None = None,
    descending: bool = False,
    after: int | None = None,
    limit: int = 100,
) -> list[CardVersion]:
    """Return versions of a card, in order.

    Parameters
    ----------
    name : str
        Name or ARN of the card.
    status : str, optional
    since, until : int, optional
        Only those made from then on, and before then.
    descending : bool
        Newest first.
    after : int, optional
        Only those that come after this one.
    limit : int
        1 to 100.

    Raises
    ------
    RegistryError
        ``E-NO-CARD``, ``E-CARD-DAMAGED``.
    UsageError
        ``E-NAME``, ``E-CARD-STATUS``, ``E-LIMIT``, ``E-MOMENT``.
    """
    card = get(tx, name)
    v = card_versions.c
    query = sa.select(card_versions).where(v.card == card.id)
    if status is not None:
        query = query.where(v.status == check_status(status))
    if check_optional_moment("since", since) is not None:
        query = query.where(v.created >= since)
    if check_optional_moment("until", until) is not None:
        query = query.where(v.created < until)
    if after is not None:
        place = check_version(after)
        query = query.where(v.version < place if descending else v.version > place)
    query = query.order_by(v.version.desc() if descending else v.version).limit(check_page_of_100(limit))
    found = []
    for row in tx.all(query):
        made = _version(card.name, row)
        if made is None:
            raise _damaged(card.name, row.version)
        found.append(made)
    return found


# --- the chain ------------------------------------------------------------------------------------------------------


def records(tx: Tx, name: str, *, after: int = 0, limit: int = 1000) -> list[Record]:
    """Return records of a card's chain in order; of a card that was deleted, too.

    Parameters
    ----------
    name : str
        Name or ARN of the card.
    after : int
        Only those with a greater number.
    limit : int

    Raises
    ------
    RegistryError
        ``E-NO-CARD``.
    UsageError
        ``E-NAME``, ``E-LIMIT``.
    """
    return _records(tx, get_any(tx, name).id, after, check_page(limit))


def _records(tx: Tx, card: str, after: int, limit: int) -> list[Record]:
    query = (
        sa.select(card_records)
        .where(card_records.c.card == card, card_records.c.seq > min(max(after, 0), _ALL))
        .order_by(card_records.c.seq)
        .limit(limit)
    )
    return [Record(*(getattr(row, column) for column in Record.__slots__)) for row in tx.all(query)]


def chain_document(tx: Tx, name: str) -> dict[str, Any]:
    """Return a card's chain as a document that can be checked without the database.

    See :func:`driftline.registry.card_chain.verify_document`.
    """
    card = get_any(tx, name)
    return document_of(card.id, card.name, card.arn, _records(tx, card.id, 0, _ALL))


# --- lists ----------------------------------------------------------------------------------------------------------


def cursor_of(card: Card, sort: str = "created") -> str:
    """Return the place of a card in a list, for `after` of :func:`list_cards`."""
    return card.name if sort == "name" else f"{getattr(card, _sort(sort))}/{card.name}"


def list_cards(
    tx: Tx,
    *,
    contains: str | None = None,
    status: str | None = None,
    risk_rating: str | None = None,
    owner: str | None = None,
    model: str | None = None,
    model_id: str | None = None,
    package_group: str | None = None,
    tag: str | None = None,
    created_after: int | None = None,
    created_before: int | None = None,
    approved_before: int | None = None,
    sort: str = "created",
    descending: bool = False,
    after: str | Card | None = None,
    limit: int = 100,
) -> list[Card]:
    """Return cards, as they are after all that was written before.

    Parameters
    ----------
    contains : str, optional
        Part of the name; ASCII letters of either case are alike.
    status, risk_rating, owner, model, model_id, package_group : str, optional
    tag : str, optional
        ``name`` or ``name=value``.
    created_after, created_before : int, optional
        Made after then, before then.
    approved_before : int, optional
        Only those whose approved version was approved before then.
    sort : {"created", "name", "modified"}
    descending : bool
    after : str or Card, optional
        The last of the page before: the card, its name, or its :func:`cursor_of`. A card or a cursor keeps the place
        where the list was left, a name means where that card stands now.
    limit : int
        1 to 100.

    Raises
    ------
    RegistryError
        ``E-NO-CARD``: of `after`.
    UsageError
        ``E-CARD-STATUS``, ``E-CARD-SORT``, ``E-RISK``, ``E-LIMIT``, ``E-MOMENT``, ``E-TEXT``.
    """
    c = cards.c
    query = sa.select(cards).where(c.deleted.is_(None))
    if contains is not None:
        query = query.where(says(tx, contains, c.name))
    if status is not None:
        query = query.where(c.status == check_status(status))
    if risk_rating is not None:
        query = query.where(c.risk_rating == _risk(risk_rating))
    if owner is not None:
        query = query.where(c.owner == searched("owner", owner))
    if model is not None:
        query = query.where(c.model == check_words("model", model))
    if model_id is not None:
        query = query.where(c.model_key == key_of(check_words("model_id", model_id, most=1 << 20)))
    if package_group is not None:
        query = query.where(c.package_group == searched("package_group", package_group))
    if tag is not None:
        query = query.where(tagged(tx, tag, c.tags))
    if check_optional_moment("created_after", created_after) is not None:
        query = query.where(c.created > created_after)
    if check_optional_moment("created_before", created_before) is not None:
        query = query.where(c.created < created_before)
    if check_optional_moment("approved_before", approved_before) is not None:
        v = card_versions.c
        old = sa.select(v.version).where(
            v.card == c.id, v.version == c.approved_version, v.approved < approved_before
        )
        query = query.where(old.exists())
    key = c[_sort(sort)]
    if after is not None:
        query = query.where(_beyond(key, _place(tx, after, sort), descending))
    order = (key.desc(), c.name.desc()) if descending else (key, c.name)
    query = query.order_by(*order).limit(check_page_of_100(limit))
    return [card_of(row) for row in tx.all(query)]


def _sort(sort: object) -> str:
    if isinstance(sort, str) and sort in SORTS:
        return sort
    raise UsageError(
        f"model cards are not sorted by {printable(repr(sort), 60)}",
        code="E-CARD-SORT",
        field="sort",
        fix="use " + ", ".join(SORTS),
    )


def _risk(rating: object) -> str:
    for known in RISK_RATINGS:
        if isinstance(rating, str) and rating.casefold() == known.casefold():
            return known
    raise UsageError(
        f"{printable(repr(rating), 60)} is no risk rating",
        code="E-RISK",
        field="risk_rating",
        fix="use " + ", ".join(RISK_RATINGS),
    )


def _place(tx: Tx, after: object, sort: str) -> tuple[Any, str]:
    """Return the sort key and the name of the last card of the page before."""
    if isinstance(after, Card):
        return getattr(after, sort), after.name
    value, sign, name = after.partition("/") if isinstance(after, str) else ("", "", after)
    if sign and sort != "name" and value.isascii() and value.isdigit() and len(value) < 19:
        return int(value), name_of(name)
    if sort == "name":
        name = name_of(after)
        return name, name
    card = get_any(tx, name_of(after))
    return getattr(card, sort), card.name


def _beyond(key: sa.Column[Any], place: tuple[Any, str], descending: bool) -> sa.ColumnElement[bool]:
    value, name = place
    if descending:
        return sa.or_(key < value, sa.and_(key == value, cards.c.name < name))
    return sa.or_(key > value, sa.and_(key == value, cards.c.name > name))


def deleted_cards(tx: Tx, *, after: str | None = None, limit: int = 100) -> list[Card]:
    """Return what is left of cards that were deleted, in the order in which they were made.

    Parameters
    ----------
    after : str, optional
        Only those after the one with this id.
    limit : int
        1 to 100.
    """
    query = sa.select(cards).where(cards.c.deleted.is_not(None))
    if after is not None:
        query = query.where(cards.c.id > check_words("after", after))
    query = query.order_by(cards.c.id).limit(check_page_of_100(limit))
    return [card_of(row) for row in tx.all(query)]
