"""Filters: what SageMaker's list calls take, by its names, as what the registry is asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from driftline.cards.errors import CardTypeError, CardValueError
from driftline.documents import nearest
from driftline.errors import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["as_time", "microseconds", "of_exports", "of_versions"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_SORTS = {"CreationTime": "created", "Name": "name", "Status": "status"}


def as_time(moment: int | None) -> datetime | None:
    """Return microseconds since 1970-01-01 UTC as a time with its zone; None stays None."""
    return None if moment is None else _EPOCH + timedelta(microseconds=moment)


def microseconds(what: str, value: object) -> int:
    """Return microseconds since 1970-01-01 UTC of a time, its ISO 8601 text, or a number of microseconds.

    Parameters
    ----------
    what : str
        What it is, for messages.
    value : datetime, str or int
        Without a zone it is UTC.

    Raises
    ------
    CardValueError
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            value = None
    if not isinstance(value, datetime):
        raise CardValueError(
            "expected a time", field=what, fix="give a datetime, or a text like 2026-11-23T07:00Z"
        )
    aware = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
    return (aware - _EPOCH) // timedelta(microseconds=1)


def of_versions(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the filters of a list of versions; ``MaxResults`` as ``most``."""
    return _read(
        given,
        {
            "CreationTimeAfter": ("since", lambda v: microseconds("CreationTimeAfter", v)),
            "CreationTimeBefore": ("until", lambda v: microseconds("CreationTimeBefore", v)),
            "ModelCardStatus": ("status", str),
            "SortBy": ("", lambda v: _one_of("SortBy", v, {"Version": "version"})),
            "SortOrder": ("descending", _is_descending),
            "MaxResults": ("most", _count),
        },
    )


def of_exports(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the filters of a list of export jobs; ``MaxResults`` as ``most``."""
    return _read(
        given,
        {
            "ModelCardVersion": ("version", lambda v: v),
            "CreationTimeAfter": ("created_after", lambda v: microseconds("CreationTimeAfter", v)),
            "CreationTimeBefore": ("created_before", lambda v: microseconds("CreationTimeBefore", v)),
            "ModelCardExportJobNameContains": ("contains", str),
            "StatusEquals": ("status", str),
            "SortBy": ("sort", lambda v: _one_of("SortBy", v, _SORTS)),
            "SortOrder": ("descending", _is_descending),
            "MaxResults": ("most", _count),
        },
    )


def _read(given: Mapping[str, Any], known: Mapping[str, tuple[str, Callable[[Any], Any]]]) -> dict[str, Any]:
    made = {}
    for key, value in given.items():
        if key not in known:
            close = nearest(key, known)
            raise CardTypeError(
                f"there is no filter {printable(repr(key), 60)}",
                fix=f"did you mean {close!r}?" if close else "use " + ", ".join(known),
            )
        name, reader = known[key]
        if value is not None:
            read = reader(value)
            if name:
                made[name] = read
    return made


def _one_of(what: str, value: Any, known: Mapping[str, str]) -> str:
    if value not in known:
        raise CardValueError(
            f"{printable(repr(value), 60)} is none of them", field=what, fix="use " + ", ".join(known)
        )
    return known[value]


def _is_descending(value: Any) -> bool:
    return _one_of("SortOrder", value, {"Ascending": "", "Descending": "descending"}) == "descending"


def _count(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    raise CardValueError(
        f"{printable(repr(value), 60)} results are none", field="MaxResults", fix="ask for 1 or more"
    )
