"""Webhook: the event itself, as a CloudEvent, signed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftline.errors import UsageError
from driftline.monitor.notify.cloudevent import CONTENT_TYPE, cloudevent
from driftline.monitor.notify.error import SendError
from driftline.monitor.notify.signature import ID, sign
from driftline.monitor.notify.verdict import judge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from driftline.monitor.notify.guard import Guard
    from driftline.monitor.notify.message import Event

__all__ = ["deliver"]


def deliver(event: Event, url: str, host: str, secrets: Sequence[str], guard: Guard, now: float) -> None:
    """POST an event.

    Parameters
    ----------
    event : Event
    url : str
    host : str
        What of the URL messages may show.
    secrets : sequence of str
        Keys to sign with; without any, the request goes unsigned, as heartbeats may.
    guard : Guard
    now : float
        Seconds since 1970-01-01 UTC.

    Raises
    ------
    SendError
    """
    body = cloudevent(event)
    headers = {ID: event.id}
    if secrets:
        try:
            headers = sign(body, event_id=event.id, timestamp=int(now), secrets=secrets)
        except UsageError as error:
            raise SendError("secret", error.message) from None
    judge(guard.post(url, body, {"Content-Type": CONTENT_TYPE, **headers}), host, now)
