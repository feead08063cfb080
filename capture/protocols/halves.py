"""A model's own bodies, sent as they are: one side, any content type, what else is known in headers.

==========================  ======================================================================================
``Driftline-Event-Id``      the same for the request and its answer; the Open Inference Protocol has it as ``id``
``Driftline-Side``          ``input`` or ``output``; told from the body of the Open Inference Protocol and MLflow
``Driftline-Time``          as ``time`` of driftline's own JSON
``Driftline-Inference-Id``
``Driftline-Model-Version`` the Open Inference Protocol has it in its answer
``Driftline-Half``          ``false`` where the other side will never come
==========================  ======================================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from driftline.capture.event import Event, Payload
from driftline.capture.protocols.message import id_of, members, microseconds, refused, text_of
from driftline.errors import DriftlineError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from driftline.capture.protocols.message import Message

__all__ = ["event_of_body", "is_body", "side_of_body"]

_ASKED = ("inputs", "instances", "dataframe_split", "dataframe_records")
_ANSWERED = ("outputs", "predictions")
_LENGTH = "inference-header-content-length"


def side_of_body(record: Mapping[str, Any]) -> str | None:
    """Tell which side of an event a JSON object is: a request or an answer of OIP, KServe v1 or MLflow; else None."""
    if any(key in record for key in _ASKED):
        return "input"
    return "output" if any(key in record for key in _ANSWERED) else None


def is_body(message: Message) -> bool:
    """Tell whether the headers say that the body is a model's own."""
    return "driftline-side" in message.headers or _LENGTH in message.headers


def event_of_body(message: Message) -> Event:
    """Return the half event of a body.

    Raises
    ------
    DriftlineError
        ``E-ID`` where nothing says which event it belongs to, ``E-SIDE`` where nothing says which side it is.
    """
    headers = message.headers
    content_type = text_of(headers.get("content-type"), "content-type") or ""
    length = headers.get(_LENGTH)
    if length is not None:
        if not (length.isascii() and length.isdigit() and int(length[:10]) <= len(message.body)):
            raise refused("is no length of a part of the body", code="E-HEADER", field=_LENGTH)
        content_type = f"{content_type or 'application/octet-stream'}; {_LENGTH}={int(length)}"
    known = _known(message, content_type)
    side = headers.get("driftline-side") or side_of_body(known)
    if side not in ("input", "output"):
        raise refused(
            "expected input or output",
            code="E-SIDE",
            field="Driftline-Side",
            fix="say which side of the event it is",
        )
    said = headers.get("driftline-event-id", known.get("id"))
    half = headers.get("driftline-half", "true").lower()
    if said is None and half != "false":
        raise refused(
            "is missing",
            code="E-ID",
            field="Driftline-Event-Id",
            fix="give the request and its answer the same id",
        )
    inference_id = headers.get("driftline-inference-id")
    version = headers.get("driftline-model-version", known.get("model_version"))
    body = Payload(content_type, message.body)
    endpoint, variant = message.place()
    return Event(
        message.id_at(0) if said is None else id_of(said, "Driftline-Event-Id"),
        endpoint,
        variant,
        message.received,
        microseconds(headers.get("driftline-time"), "Driftline-Time"),
        body if side == "input" else None,
        body if side == "output" else None,
        None if inference_id is None else id_of(inference_id, "Driftline-Inference-Id"),
        text_of(version, "Driftline-Model-Version"),
        is_half=half != "false",
    )


def _known(message: Message, content_type: str) -> dict[str, Any]:
    """Read the first level of the body where it is JSON; what cannot be read is for sealing to judge."""
    head = message.body
    length = message.headers.get(_LENGTH)
    if length is not None:
        head = head[: int(length)]
    elif "json" not in content_type.lower():
        return {}
    try:
        return {key: value for key, (value, _) in members(head.decode("utf-8")).items()}
    except (DriftlineError, UnicodeDecodeError):
        return {}
