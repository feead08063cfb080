"""Prometheus Alertmanager: an alert that fires until it is resolved.

An alert *is* its labels there. So the severity, which may change, makes another alert: when one escalates, the one it
was ends in the same request, and at the end all of them do.

References
----------
Prometheus Alertmanager, OpenAPI description of API v2, ``postAlerts``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from driftline.documents import encode
from driftline.monitor.notify.cloudevent import plain
from driftline.monitor.notify.message import SEVERITIES, rfc3339
from driftline.monitor.notify.text import body, link, title
from driftline.monitor.notify.verdict import judge

if TYPE_CHECKING:
    from driftline.monitor.notify.guard import Guard
    from driftline.monitor.notify.message import Event

__all__ = ["HOLD_SECONDS", "alerts", "deliver"]

PATH: Final = "/api/v2/alerts"
HOLD_SECONDS: Final = 86400
"""How long an alert fires without further news. Alertmanager itself would drop it after five minutes."""

LABELS: Final = ("alert", "endpoint", "kind", "model", "monitor", "rule", "schedule")
"""Labels taken from the data; ``alert`` keeps two alerts of one schedule apart."""

MAX_LABEL: Final = 256


def alerts(event: Event) -> list[dict[str, Any]]:
    """Return the alerts that an event makes or ends, as ``postAlerts`` takes them.

    Parameters
    ----------
    event : Event
        Of ``alert.*``; that a monitor is silent is told as an alert, too, whose kind is ``silent``.

    Returns
    -------
    list of dict
        First the one of the event's severity, then those below it, which end. None for other events: what is no
        alert has no end.
    """
    if not event.name.startswith("alert."):
        return []
    now = event.time_us
    severity = event.severity or SEVERITIES[0]
    started = event.data.get("opened")
    if not isinstance(started, str) or not started:
        started = rfc3339(now)
    labels = {"alertname": "DriftlineAlert"}
    labels |= {key: str(event.data[key])[:MAX_LABEL] for key in LABELS if event.data.get(key)}
    annotations = {"summary": title(event), "description": body(event)}
    generator = {"generatorURL": url} if (url := link(event)) else {}

    def alert(of: str, end: int) -> dict[str, Any]:
        return {
            "labels": {**plain(labels), "severity": of},
            "annotations": annotations,
            **generator,
            "startsAt": started,
            "endsAt": rfc3339(end),
        }

    firing = alert(severity, now if event.is_resolved else now + HOLD_SECONDS * 1_000_000)
    ended = SEVERITIES[: SEVERITIES.index(severity)]
    if event.is_resolved or event.name.endswith(".escalated"):
        return [firing, *(alert(lower, now) for lower in ended)]
    return [firing]


def deliver(event: Event, url: str, host: str, token: str | None, guard: Guard, now: float) -> None:
    """POST the alerts of an event.

    Parameters
    ----------
    event : Event
    url : str
        Of Alertmanager, with the prefix of its paths if it has one.
    host : str
        What of the URL messages may show.
    token : str or None
        Sent as ``Authorization: Bearer``.
    guard : Guard
    now : float
        Seconds since 1970-01-01 UTC.

    Raises
    ------
    SendError
    """
    made = alerts(event)
    if not made:
        return
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    path = url.rstrip("/")
    path = path if path.endswith(PATH) else path + PATH
    judge(guard.post(path, encode(made).encode(), headers), host, now)
