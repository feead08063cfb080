"""Moments for people and documents: the registry has microseconds, everybody else RFC 3339."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

__all__ = ["moment_of_shown", "shown"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def shown(moment: int | None) -> str | None:
    """Spell microseconds since 1970-01-01 UTC in RFC 3339; None stays None.

    Examples
    --------
    >>> shown(1_795_417_200_000_000)
    '2026-11-23T07:00:00Z'
    """
    if moment is None:
        return None
    try:
        return (_EPOCH + timedelta(microseconds=moment)).isoformat().replace("+00:00", "Z")
    except OverflowError:
        return f"{moment} µs"


def moment_of_shown(text: object) -> int | None:
    """Return the microseconds since 1970-01-01 UTC that :func:`shown` has spelled; None where it would not spell so.

    Examples
    --------
    >>> moment_of_shown("2026-11-23T07:00:00Z")
    1795417200000000
    """
    if not isinstance(text, str) or not text.endswith("Z") or len(text) > 40:
        return None
    try:
        moment = (datetime.fromisoformat(text) - _EPOCH) // timedelta(microseconds=1)
    except ValueError:
        return None
    return moment if shown(moment) == text else None
