"""An event as CloudEvents 1.0 in structured JSON.

References
----------
CloudEvents 1.0.2, section 3 (context attributes) and the JSON event format, section 3.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Final

from driftline.documents import encode
from driftline.monitor.notify.message import rfc3339

if TYPE_CHECKING:
    from driftline.monitor.notify.message import Event

__all__ = ["CONTENT_TYPE", "cloudevent"]

CONTENT_TYPE: Final = "application/cloudevents+json; charset=utf-8"

_SURROGATE = re.compile("[\ud800-\udfff]")
# What the type String of CloudEvents does not hold: controls, surrogates, and what Unicode calls no characters.
_NO_STRING = re.compile(
    "[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef"
    + "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000))
    + "]"
)


def cloudevent(event: Event) -> bytes:
    r"""Return the bytes to send: the same for the same event, every time.

    Parameters
    ----------
    event : Event

    Returns
    -------
    bytes
        UTF-8. Numbers that JSON cannot hold are ``"NaN"``, ``"Infinity"`` and ``"-Infinity"``; characters that UTF-8 or
        an attribute cannot hold are spelled ``\ud800``.

    Raises
    ------
    TypeError
        If the data hold something that is no JSON.

    Examples
    --------
    >>> from driftline.monitor.notify.message import Event
    >>> event = Event("01JD", "io.driftline.alert.opened.v1", "/churn", "alerts/01JC", 0, {"violations": 2})
    >>> print(cloudevent(event).decode())
    {"specversion":"1.0","id":"01JD","source":"/churn","type":"io.driftline.alert.opened.v1",...,"data":{"violations":2}}
    """
    return encode(
        {
            "specversion": "1.0",
            "id": event.id,
            "source": event.source,
            "type": event.type,
            "subject": _NO_STRING.sub(_escaped, event.subject),
            "time": rfc3339(event.time_us),
            "datacontenttype": "application/json",
            "data": plain(dict(event.data)),
        }
    ).encode("utf-8")


def plain(value: Any) -> Any:
    """Return a JSON value without what JSON or UTF-8 cannot hold."""
    if isinstance(value, str):
        return _SURROGATE.sub(_escaped, value)
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")
