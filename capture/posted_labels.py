"""Labels by HTTP: what ``POST /v1/truth/{endpoint}`` of the sink takes, and how it is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from driftline.capture.messages import is_lines
from driftline.capture.protocols.message import refused
from driftline.documents import decode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from driftline.capture.captures import Captures
    from driftline.capture.protocols.message import Message

__all__ = ["posted_labels", "records_of"]


def posted_labels(captures: Captures) -> Callable[[Message], Mapping[str, Any]]:
    """Return what stores the labels of a message: all of them, or none where one cannot be read."""

    def store(message: Message) -> Mapping[str, Any]:
        from driftline.capture.truth import store_labels

        done = store_labels(
            captures,
            message.place()[0],
            records_of(message),
            request=message.headers.get("idempotency-key"),
            strict=True,
        )
        return {"accepted": done.labels, "repeated": done.repeated > 0}

    return store


def records_of(message: Message) -> list[Mapping[str, Any]]:
    """Return the objects of a message: one, a list of them, or one a line.

    Raises
    ------
    InputError
        ``E-JSON`` and the like, ``E-TYPE``, ``E-RECORD``.
    """
    content_type = message.headers.get("content-type", "").partition(";")[0].strip().lower()
    if is_lines(content_type):
        lines = enumerate(message.body.split(b"\n"), start=1)
        found = [decode(line, line=number) for number, line in lines if line and not line.isspace()]
    elif content_type == "application/json":
        value = decode(message.body)
        found = value if isinstance(value, list) else [value]
    else:
        raise refused(
            f"the content type {content_type[:100] or 'is missing'!r} is none that labels come in",
            code="E-TYPE",
            fix="send application/json or application/x-ndjson",
        )
    for number, record in enumerate(found, start=1):
        if not isinstance(record, dict):
            raise refused(f"record {number} is no object", fix='send {"event_id": …, "label": …}')
    return found
