"""Moments for people and documents: the registry has microseconds, everybody else RFC 3339."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

__all__ = ["shown"]

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
