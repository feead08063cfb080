"""A line in the log for every event: JSON, for whatever collects logs."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

from driftline.monitor.notify.cloudevent import cloudevent
from driftline.monitor.notify.text import title

if TYPE_CHECKING:
    from driftline.monitor.notify.message import Event

__all__ = ["deliver", "line"]

_LOG = logging.getLogger("driftline.notify")
_LEVELS = {"critical": logging.ERROR, "warning": logging.WARNING}


def line(event: Event) -> str:
    """Return an event on one line of ASCII: nothing in it can end the line or move a cursor."""
    fields = {"message": title(event), **json.loads(cloudevent(event))}
    return json.dumps(fields, ensure_ascii=True, allow_nan=False, separators=(",", ":")).replace(
        "\x7f", "\\u007f"
    )


def deliver(event: Event) -> None:
    """Log an event: critical ones as errors, warnings as warnings, the rest, and what is resolved, as information."""
    level = logging.INFO if event.is_resolved else _LEVELS.get(event.severity or "", logging.INFO)
    _LOG.log(level, "%s", line(event))
