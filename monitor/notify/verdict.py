"""What the status of an answer means for what was sent."""

from __future__ import annotations

import email.utils
from datetime import UTC
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from driftline.monitor.notify.error import SendError

if TYPE_CHECKING:
    from driftline.monitor.notify.exchange import Answer

__all__ = ["judge", "retry_after"]

PASSING: Final = frozenset({408, 425, 429})
"""Statuses from 400 to 499 that may be others next time."""

EXCERPT: Final = 4096


def judge(answer: Answer, host: str, now: float) -> None:
    """Return if the receiver took it.

    Parameters
    ----------
    answer : Answer
    host : str
        Of the receiver, for the message.
    now : float
        Seconds since 1970-01-01 UTC, by which a date to wait for is understood.

    Raises
    ------
    SendError
        ``status``. Permanent are 400 to 499 but 408, 425 and 429. A redirect is not: it may be a page of maintenance.
        The message ends in what the receiver said, as it said it: to be masked first, and cut and escaped then.
    """
    status = answer.status
    if 200 <= status < 300:
        return
    words = f"{host} answered {status}{_phrase(status)}"
    if 300 <= status < 400:
        words += ", and redirects are not followed"
    elif answer.body and "content-encoding" not in answer.headers:
        words += ": " + answer.body[:EXCERPT].decode("utf-8", "replace").strip()
    raise SendError(
        "status",
        words,
        retry_after=retry_after(answer.headers.get("retry-after"), now),
        permanent=400 <= status < 500 and status not in PASSING,
    )


def _phrase(status: int) -> str:
    # Our words for it, not the receiver's.
    try:
        return f" {HTTPStatus(status).phrase}"
    except ValueError:
        return ""


def retry_after(value: str | None, now: float) -> float | None:
    """Return the seconds that a header ``Retry-After`` asks for, at least 0, or None where it says nothing.

    Examples
    --------
    >>> retry_after("120", 0.0)
    120.0
    >>> retry_after("Thu, 01 Jan 1970 00:01:00 GMT", 20.0)
    40.0
    >>> retry_after("soon", 0.0)
    """
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text[:10])
    try:
        moment = email.utils.parsedate_to_datetime(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return max(0.0, moment.timestamp() - now)
    except (ValueError, OverflowError, TypeError):
        return None
