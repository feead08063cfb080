"""Card exports: jobs that make a file of one version of a card."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from driftline.errors import UsageError, printable
from driftline.registry.card_change import keep
from driftline.registry.card_given import (
    check_card_name,
    check_optional_moment,
    check_page_of_100,
    check_version,
)
from driftline.registry.card_read import get, version_of
from driftline.registry.card_types import Export
from driftline.registry.database import RegistryError
from driftline.registry.given import check_digest, check_no_secrets, check_words, missing, says
from driftline.registry.jcs import digest_of
from driftline.registry.moments import shown
from driftline.registry.tables import card_exports, cards

if TYPE_CHECKING:
    from driftline.registry.card_types import Card
    from driftline.registry.store import Tx

__all__ = [
    "EXPORT_STATUSES",
    "FORMATS",
    "exports",
    "fail_export",
    "finish_export",
    "get_export",
    "start_export",
]

FORMATS: Final = ("pdf", "html", "md", "json")
EXPORT_STATUSES: Final = ("InProgress", "Completed", "Failed")
_SORTS: Final = ("created", "name", "status")
_MOST: Final = 1024


def start_export(
    tx: Tx,
    card: str,
    name: str,
    *,
    output: str,
    format: str = "pdf",  # noqa: A002 - the word that users type
    version: str | int = "latest",
) -> Export:
    """Say that a version of a card is being exported.

    Parameters
    ----------
    card : str
        Name or ARN of the card; archived ones can be exported.
    name : str
        Of the export job, spelled as names of cards are.
    output : str
        Folder or URL that the file is to be put in.
    format : str
        One of :data:`FORMATS`.
    version : int, "latest" or "approved"

    Raises
    ------
    RegistryError
        ``E-NO-CARD``, ``E-CARD-VERSION``, ``E-CARD-DAMAGED``; ``E-EXPORT-EXISTS``.
    UsageError
        ``E-NAME``, ``E-EXPORT``, ``E-TEXT``; ``E-SECRET``: `output` holds a password.
    """
    found = get(tx, card)
    check_card_name(name, "an export of a model card")
    if format not in FORMATS:
        raise _refused("format", format, FORMATS)
    check_no_secrets("output", output)
    text = version_of(tx, found, version)
    arn = f"{found.arn}/export-job/{name}"
    made = Export(
        name=name,
        arn=arn,
        card=found.name,
        version=text.version,
        format=format,
        output=check_words("output", output, most=_MOST),
        status="InProgress",
        artifact=None,
        digest=None,
        failure_reason=None,
        who=tx.who,
        created=tx.now,
        modified=tx.now,
    )
    row = {column: getattr(made, column) for column in Export.__slots__ if column != "card"}
    if not tx.insert(card_exports, "ignore", card=found.id, **row):
        raise RegistryError(
            f"there is an export {printable(repr(name), 80)} of the model card {printable(repr(found.name), 80)}",
            code="E-EXPORT-EXISTS",
            fix="choose another name",
        )
    _tell(tx, "card.export_started", found, made)
    return made


def finish_export(tx: Tx, arn: str, *, artifact: str, digest: str) -> Export:
    """Say that an export is done.

    Parameters
    ----------
    arn : str
    artifact : str
        Where the file is.
    digest : str
        ``sha256:`` and 64 hexadecimal digits, of the file.

    Raises
    ------
    RegistryError
        ``E-NO-EXPORT``; ``E-EXPORT-ENDED``: it is done, or has failed, already.
    UsageError
        ``E-TEXT``, ``E-DIGEST``.
    """
    values = {
        "artifact": check_words("artifact", artifact, most=2 * _MOST),
        "digest": check_digest("digest", digest),
    }
    card, export = _end(tx, arn, "Completed", values)
    text = version_of(tx, card, export.version)
    keep(
        tx,
        card,
        "exported",
        "card.exported",
        version=export.version,
        content_hash=text.content_hash,
        detail={
            "export": export.name,
            "format": export.format,
            "digest": digest,
            "stored": export_digest(_plain(export)),
        },
        told=_told(export),
    )
    return export


def fail_export(tx: Tx, arn: str, reason: str) -> Export:
    """Say that an export failed, and why.

    Raises
    ------
    RegistryError
        ``E-NO-EXPORT``, ``E-EXPORT-ENDED``.
    """
    card, export = _end(tx, arn, "Failed", {"failure_reason": printable(reason, _MOST)})
    _tell(tx, "card.export_failed", card, export)
    return export


def _end(tx: Tx, arn: str, status: str, values: dict[str, Any]) -> tuple[Card, Export]:
    export = get_export(tx, arn)
    if export.status != "InProgress":
        raise RegistryError(
            f"the export {printable(repr(export.name), 80)} has ended: {export.status}",
            code="E-EXPORT-ENDED",
            fix="start another one",
        )
    tx.execute(
        sa.update(card_exports)
        .where(card_exports.c.arn == export.arn)
        .values(status=status, modified=tx.now, **values)
    )
    return get(tx, export.card), get_export(tx, arn)


def _tell(tx: Tx, action: str, card: Card, export: Export) -> None:
    data = {
        "card": card.name,
        "version": export.version,
        "status": card.status,
        "content_hash": card.content_hash if export.version == card.version else None,
        "model": card.model,
        "model_id": card.model_id,
        "risk_rating": card.risk_rating,
        **_told(export),
    }
    tx.record(action, f"cards/{card.name}", data=data)


def _told(export: Export) -> dict[str, Any]:
    return {
        "export": export.name,
        "export_arn": export.arn,
        "export_status": export.status,
        "format": export.format,
        "artifact": export.artifact,
        "digest": export.digest,
        "failure_reason": export.failure_reason,
    }


def _plain(export: Export) -> dict[str, Any]:
    return {column: getattr(export, column) for column in Export.__slots__ if column != "card"}


def export_digest(row: dict[str, Any]) -> str:
    """Return the digest of a row of an export, as its record has it."""
    return digest_of({**row, "created": shown(row["created"]), "modified": shown(row["modified"])})


def _export(name: str, row: Any) -> Export:
    values: dict[str, Any] = {column: getattr(row, column) for column in Export.__slots__}
    return Export(**{**values, "card": name})


def get_export(tx: Tx, arn: str) -> Export:
    """Return an export job by its ARN.

    Raises
    ------
    RegistryError
        ``E-NO-EXPORT``.
    """
    wanted = check_words("arn", arn)
    query = (
        sa.select(card_exports, cards.c.name.label("card_name"))
        .join_from(card_exports, cards, card_exports.c.card == cards.c.id)
        .where(card_exports.c.arn == wanted)
    )
    row = tx.one(query)
    if row is None:
        raise missing(tx, "export", wanted, card_exports.c.arn)
    return _export(row.card_name, row)


def exports(
    tx: Tx,
    card: str,
    *,
    version: int | None = None,
    created_after: int | None = None,
    created_before: int | None = None,
    contains: str | None = None,
    status: str | None = None,
    sort: str = "created",
    descending: bool = False,
    after: str | None = None,
    limit: int = 100,
) -> list[Export]:
    """Return the export jobs of a card.

    Parameters
    ----------
    card : str
        Name or ARN of the card.
    version : int, optional
    created_after, created_before : int, optional
    contains : str, optional
        Part of the job's name; ASCII letters of either case are alike.
    status : str, optional
        One of :data:`EXPORT_STATUSES`.
    sort : {"created", "name", "status"}
    descending : bool
    after : str, optional
        Name of the last job of the page before.
    limit : int
        1 to 100.

    Raises
    ------
    RegistryError
        ``E-NO-CARD``; ``E-NO-EXPORT``: of `after`.
    UsageError
        ``E-EXPORT``, ``E-CARD-VERSION``, ``E-LIMIT``, ``E-MOMENT``, ``E-TEXT``.
    """
    found = get(tx, card)
    x = card_exports.c
    query = sa.select(card_exports).where(x.card == found.id)
    if version is not None:
        query = query.where(x.version == check_version(version))
    if check_optional_moment("created_after", created_after) is not None:
        query = query.where(x.created > created_after)
    if check_optional_moment("created_before", created_before) is not None:
        query = query.where(x.created < created_before)
    if contains is not None:
        query = query.where(says(tx, contains, x.name))
    if status is not None:
        if status not in EXPORT_STATUSES:
            raise _refused("status", status, EXPORT_STATUSES)
        query = query.where(x.status == status)
    if sort not in _SORTS:
        raise _refused("sort", sort, _SORTS)
    key = x[sort]
    if after is not None:
        row = tx.one(sa.select(key, x.name).where(x.card == found.id, x.name == check_words("after", after)))
        if row is None:
            raise missing(tx, "export", after, x.name, x.card == found.id)
        value = row[0]
        if descending:
            query = query.where(sa.or_(key < value, sa.and_(key == value, x.name < after)))
        else:
            query = query.where(sa.or_(key > value, sa.and_(key == value, x.name > after)))
    order = (key.desc(), x.name.desc()) if descending else (key, x.name)
    rows = tx.all(query.order_by(*order).limit(check_page_of_100(limit)))
    return [_export(found.name, row) for row in rows]


def _refused(field: str, value: object, known: tuple[str, ...]) -> UsageError:
    return UsageError(
        f"{printable(repr(value), 60)} is no {field} of an export",
        code="E-EXPORT",
        field=field,
        fix="use " + ", ".join(known),
    )
