"""driftline's own JSON: an object for each event.

::

    {"id": "7f3c…", "time": "2026-11-23T07:00:00Z", "input": {"age": 31}, "output": {"score": 0.2}}

==================  ================================================================================================
``id``              the same id is the same event, however often it is sent; made where it is missing
``endpoint``        where the path does not name it
``variant``
``time``            when the model was asked: ISO 8601 (UTC without an offset), or microseconds since 1970-01-01
``input``           any JSON, kept as it was written; or ``{"content_type": …, "data": text}``, or
                    ``{"content_type": …, "base64": text}`` for a body of another kind
``output``          likewise; one of the two may be missing
``inference_id``    the caller's own id, by which labels may come
``model_version``
``attributes``      an object of texts
``half``            true where the other side comes in a record of its own with the same id
==================  ================================================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from driftline.capture.event import Event, Payload
from driftline.capture.protocols.message import (
    attributes_of,
    body_of,
    id_of,
    microseconds,
    refused,
    text_of,
)
from driftline.documents import nearest
from driftline.errors import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from driftline.capture.protocols.message import Message

__all__ = ["KEYS", "event_of_record"]

KEYS = (
    "id",
    "endpoint",
    "variant",
    "time",
    "input",
    "output",
    "inference_id",
    "model_version",
    "attributes",
    "half",
)
_KNOWN = frozenset(KEYS)
_NOTHING = (None, "null")
_WRAPPED = ({"content_type", "data"}, {"content_type", "base64"})


def event_of_record(record: Mapping[str, tuple[Any, str]], message: Message, index: int) -> Event:
    """Return the event of a record.

    Parameters
    ----------
    record : mapping of str to (object, str)
        From :func:`driftline.capture.protocols.message.members`.
    message : Message
    index : int
        Position of the record in the message.

    Raises
    ------
    DriftlineError
    """
    if not _KNOWN.issuperset(record):
        key = next(key for key in record if key not in _KNOWN)
        close = nearest(key, KEYS)
        raise refused(
            f"unknown field {printable(key, 80)!r}",
            code="E-FIELD",
            fix=f"did you mean {close!r}?" if close else "put it under attributes, or leave it out",
        )
    get = record.get
    endpoint, variant = message.place(get("endpoint", _NOTHING)[0], get("variant", _NOTHING)[0])
    input_, output = _side(get("input"), "input"), _side(get("output"), "output")
    if input_ is None and output is None:
        raise refused("has neither an input nor an output", fix='send {"input": …, "output": …}')
    said = get("id", _NOTHING)[0]
    half = get("half", _NOTHING)[0]
    if half is not None and (type(half) is not bool or (half and (said is None or (input_ and output)))):
        raise refused("half an event has an id and one side", field="half")
    return Event(
        message.id_at(index) if said is None else id_of(said, "id"),
        endpoint,
        variant,
        message.received,
        microseconds(get("time", _NOTHING)[0]),
        input_,
        output,
        None if "inference_id" not in record else _optional_id(record["inference_id"][0]),
        text_of(get("model_version", _NOTHING)[0], "model_version"),
        attributes_of(record["attributes"][0]) if "attributes" in record else {},
        bool(half),
    )


def _optional_id(value: object) -> str | None:
    return None if value is None else id_of(value, "inference_id")


def _side(found: tuple[Any, str] | None, what: str) -> Payload | None:
    if found is None:
        return None
    value, text = found
    if value is None:
        return None
    if type(value) is dict and len(value) == 2 and value.keys() in _WRAPPED:
        body = value.get("data", value.get("base64"))
        if type(body) is not str:
            raise refused("expected text", code="E-FIELD", field=f"{what}.data")
        return body_of(body, value["content_type"], what, is_base64="base64" in value)
    try:
        return Payload("application/json", text.encode())
    except UnicodeEncodeError:
        raise refused("is no text that can be written down", code="E-FIELD", field=what) from None
