"""An event in words: a title of one line, and a body with counts and a link.

Names and values of the data come from outside. In a chat, ``<!channel>`` rings every bell, ``[here](https://…)`` is a
link, and a line break begins something new. Services differ in what they escape, and the text passes through several,
so outside text is made harmless before any of them sees it: on one line, and with the characters that mean something
somewhere replaced by their full-width twins. Who needs the exact text finds it in the event.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from driftline.errors import printable

if TYPE_CHECKING:
    from driftline.monitor.notify.message import Event

__all__ = ["body", "link", "outside", "title"]

MAX_NAME: Final = 80
MAX_REASON: Final = 300
NAMED_COLUMNS: Final = 5

_TWINS = {ord(ch): chr(ord(ch) + 0xFEE0) for ch in "<>&@[]`*|!#~"}
_LINK = re.compile(r"https?://[A-Za-z0-9.\[\]:-]+(?:/[A-Za-z0-9._~:/?=&%+-]*)?")


def outside(value: object, limit: int = MAX_NAME) -> str:
    r"""Show outside text where it can neither format, link nor call anybody.

    Examples
    --------
    >>> outside("plan\n<!channel> https://evil.example")
    'plan\\n＜！channel＞ https：//evil.example'
    """
    return printable(value, limit).translate(_TWINS).replace("://", "：//")


def link(event: Event) -> str | None:
    """Return the page with more, if it is an http URL without anything odd in it."""
    value = event.data.get("url")
    return value if isinstance(value, str) and len(value) <= 1024 and _LINK.fullmatch(value) else None


def title(event: Event) -> str:
    """Return one line: how bad, where, what.

    Examples
    --------
    >>> from driftline.monitor.notify.message import Event
    >>> data = {"severity": "critical", "schedule": "churn-hourly"}
    >>> title(Event("1", "io.driftline.alert.opened.v1", "/", "alerts/2", 0, data))
    'CRITICAL churn-hourly: alert opened'
    """
    where = next(
        (event.data[key] for key in ("schedule", "endpoint", "model") if event.data.get(key)), event.subject
    )
    severity = f"{event.severity.upper()} " if event.severity and not event.is_resolved else ""
    return f"{severity}{outside(where)}: {event.name.replace('.', ' ').replace('_', ' ')}"


def body(event: Event) -> str:
    """Return the lines below the title; each of them is missing where the event says nothing of it."""
    data = event.data
    sentence = data.get("reason") or data.get("title")
    lines = [
        outside(sentence, MAX_REASON) if sentence else "",
        _counts(data),
        ", ".join(
            f"{key} {outside(data[key])}"
            for key in ("model", "endpoint", "monitor", "schedule", "rule")
            if data.get(key)
        ),
        _window(data.get("window")),
        link(event) or "",
    ]
    return "\n".join(line for line in lines if line) or f"Event {event.id}"


def _counts(data: Any) -> str:
    parts = []
    violations, columns = data.get("violations"), data.get("columns")
    if isinstance(violations, int):
        parts.append(f"{violations:,} violation{'' if violations == 1 else 's'}")
    if isinstance(columns, list | tuple) and columns:
        named = data.get("n_columns")
        n = max(len(columns), named if isinstance(named, int) else 0)
        names = ", ".join(outside(name) for name in columns[:NAMED_COLUMNS])
        rest = n - min(len(columns), NAMED_COLUMNS)
        more = f" and {rest:,} more" if rest else ""
        parts.append(f"{n:,} column{'' if n == 1 else 's'}: {names}{more}")
    return " in ".join(parts)


def _window(window: Any) -> str:
    if not isinstance(window, dict) or not {"start", "end"} <= window.keys():
        return ""
    return f"window {outside(window['start'])} to {outside(window['end'])}"
