"""SageMaker's captured records, as they lie in the files of data capture, sent by HTTP."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from driftline.capture.event import Event
from driftline.capture.protocols.message import body_of, id_of, microseconds, refused, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from driftline.capture.event import Payload
    from driftline.capture.protocols.message import Message

__all__ = ["event_of_capture", "is_capture"]

_OUTPUTS = ("endpointOutput", "batchTransformOutput")
_TYPES = {
    "CSV": ("text/csv", re.compile(r"(text|application)/csv")),
    "JSON": (
        "application/json",
        re.compile(r"application/(.+\+)?(json|json-?lines|x-jsonlines|x-ndjson|jsonl)"),
    ),
}


def is_capture(record: Mapping[str, Any]) -> bool:
    """Tell whether an object is a captured record, or ground truth."""
    return "captureData" in record or "groundTruthData" in record


def event_of_capture(record: Mapping[str, tuple[Any, str]], message: Message, index: int) -> Event:
    """Return the event of a captured record; a label that was merged into it is left out.

    Parameters
    ----------
    record : mapping of str to (object, str)
        From :func:`driftline.capture.protocols.message.members`.
    message : Message
    index : int

    Raises
    ------
    DriftlineError
        ``E-CAPTURE`` for what is no such record, ``E-GROUND-TRUTH`` for a label alone.
    """
    capture = record.get("captureData", (None, ""))[0]
    if capture is None and "groundTruthData" in record:
        raise refused(
            "holds ground truth, not captured traffic", code="E-GROUND-TRUTH", fix="send it to /v1/truth"
        )
    if not isinstance(capture, dict):
        raise refused("expected an object", code="E-CAPTURE", field="captureData")
    about = record.get("eventMetadata", ({}, ""))[0]
    if not isinstance(about, dict):
        raise refused("expected an object", code="E-CAPTURE", field="eventMetadata")
    endpoint, variant = message.place()
    output = next((name for name in _OUTPUTS if capture.get(name) is not None), None)
    input_ = (
        None if capture.get("endpointInput") is None else _side(capture["endpointInput"], "endpointInput")
    )
    answer = None if output is None else _side(capture[output], output)
    if input_ is None and answer is None:
        raise refused("has neither an input nor an output", code="E-CAPTURE", field="captureData")
    said, inference_id = about.get("eventId"), about.get("inferenceId")
    return Event(
        message.id_at(index) if said is None else id_of(said, "eventMetadata.eventId"),
        endpoint,
        variant,
        message.received,
        microseconds(about.get("inferenceTime"), "eventMetadata.inferenceTime"),
        input_,
        answer,
        None if inference_id is None else id_of(inference_id, "eventMetadata.inferenceId"),
        attributes=_attributes(about.get("customAttributes")),
    )


def _side(side: Any, name: str) -> Payload:
    if not isinstance(side, dict) or not isinstance(side.get("data"), str):
        raise refused("expected an object with data", code="E-CAPTURE", field=f"captureData.{name}")
    encoding = side.get("encoding")
    kind = text_of(side.get("observedContentType"), f"captureData.{name}.observedContentType") or ""
    encoding = encoding.upper() if isinstance(encoding, str) else None
    if encoding == "BASE64":
        return body_of(side["data"], kind, f"captureData.{name}.data", is_base64=True)
    if encoding not in _TYPES:
        raise refused("expected CSV, JSON or BASE64", code="E-CAPTURE", field=f"captureData.{name}.encoding")
    usual, known = _TYPES[encoding]
    # The encoding says how the data are to be read, whatever the header said.
    observed = kind if known.fullmatch(kind.partition(";")[0].strip().lower()) else usual
    return body_of(side["data"], observed, f"captureData.{name}.data")


def _attributes(value: Any) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise refused("expected a list of texts", code="E-CAPTURE", field="eventMetadata.customAttributes")
    text = text_of(",".join(value), "eventMetadata.customAttributes")
    return {"customAttributes": text} if text else {}
