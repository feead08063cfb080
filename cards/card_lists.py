"""Lists: cards and versions of cards, page by page until there are no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from driftline.cards.errors import CardTypeError
from driftline.cards.filters import as_time, microseconds, of_versions
from driftline.documents import nearest
from driftline.errors import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from driftline.cards.session import Session
    from driftline.registry.card_types import Card, CardVersion

__all__ = ["list_cards", "paged", "version_history"]

T = TypeVar("T")

_PAGE = 100
_TIMES = ("created_after", "created_before", "approved_before")
_FILTERS = (
    "contains",
    "status",
    "risk_rating",
    "owner",
    "model",
    "model_id",
    "package_group",
    "tag",
    *_TIMES,
    "sort",
    "descending",
)


def paged(page: Callable[[T | None, int], list[T]], limit: int | None) -> list[T]:
    """Return so many rows, or all, page by page.

    Parameters
    ----------
    page : callable
        Given the last row of the page before and the most rows that may come, returns the next.
    limit : int or None
    """
    found: list[T] = []
    while limit is None or len(found) < limit:
        most = _PAGE if limit is None else min(_PAGE, limit - len(found))
        more = page(found[-1] if found else None, most)
        found += more
        if len(more) < most:
            break
    return found


def list_cards(session: Session, limit: int | None, filters: Mapping[str, Any]) -> list[Card]:
    """Return cards; see :meth:`driftline.cards.card.ModelCard.list`."""
    from driftline.registry import cards

    for key in filters:
        if key not in _FILTERS:
            close = nearest(key, _FILTERS)
            raise CardTypeError(
                f"there is no filter {printable(repr(key), 60)}",
                fix=f"did you mean {close!r}?" if close else "use " + ", ".join(_FILTERS),
            )
    given: dict[str, Any] = {
        key: microseconds(key, value) if key in _TIMES else value
        for key, value in filters.items()
        if value is not None
    }
    return paged(
        lambda last, most: session.read(lambda tx: cards.list_cards(tx, **given, after=last, limit=most)),
        limit,
    )


def version_history(session: Session, name: str, filters: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return versions; see :meth:`driftline.cards.card.ModelCard.get_version_history`."""
    from driftline.registry import cards

    given = of_versions(filters)
    limit = given.pop("most", None)
    found: list[CardVersion] = paged(
        lambda last, most: session.read(
            lambda tx: cards.versions(
                tx, name, **given, after=None if last is None else last.version, limit=most
            )
        ),
        limit,
    )
    arn = session.read(lambda tx: cards.get(tx, name).arn)
    return [_summary(version, arn) for version in found]


def _summary(version: CardVersion, arn: str) -> dict[str, Any]:
    return {
        "ModelCardName": version.name,
        "ModelCardArn": arn,
        "ModelCardStatus": version.status,
        "ModelCardVersion": version.version,
        "CreationTime": as_time(version.created),
        "LastModifiedTime": as_time(version.status_moment),
        "ContentHash": version.content_hash,
        "Author": version.author,
        "Reason": version.reason,
        "ApprovedBy": version.approved_by,
    }
