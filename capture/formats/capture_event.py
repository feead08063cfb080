"""Captured records of SageMaker as events: the bodies stay as they were sent, base64 undone."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from driftline.capture.event import MAX_ID, Event, Payload
from driftline.documents import decode
from driftline.errors import DocumentError, SourceError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["RECORD", "event_of", "holds_truth", "unreadable"]

RECORD = "application/vnd.driftline.capture-record"
"""Content type of a line that is no captured record, as it is kept in quarantine."""

_INPUTS = ("endpointInput",)
_OUTPUTS = ("endpointOutput", "batchTransformOutput")
_CSV = re.compile(r"(text|application)/csv")
_JSON = re.compile(r"application/(.+\+)?json|text/json")
_LINES = re.compile(r"application/(json-?lines|x-jsonlines|x-ndjson|jsonl)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def holds_truth(record: Mapping[str, Any]) -> bool:
    """Tell whether a record is ground truth and nothing else."""
    return "groundTruthData" in record and record.get("captureData") is None


def event_of(
    record: Mapping[str, Any],
    *,
    endpoint: str,
    variant: str,
    received: int,
    spare_id: str,
    spare_time: int | None = None,
) -> Event:
    """Return the event that a captured record tells of.

    Parameters
    ----------
    record : mapping
        A line of a capture file, decoded.
    endpoint, variant : str
    received : int
        Microseconds since 1970-01-01 UTC.
    spare_id : str
        For a record without ``eventId``.
    spare_time : int, optional
        For a record without ``inferenceTime``.

    Returns
    -------
    Event
        ``inferenceId`` is kept, and ``customAttributes`` as the attribute of that name, joined by commas.

    Raises
    ------
    SourceError
        ``E-CAPTURE`` for what is no captured record, ``E-GROUND-TRUTH`` for labels alone, ``E-TIME`` where there is no
        time, or none that can be read.
    """
    capture = record.get("captureData")
    if not isinstance(capture, dict):
        if "groundTruthData" in record:
            raise SourceError(
                "holds ground truth, not captured traffic",
                code="E-GROUND-TRUTH",
                fix="bring it in with driftline truth import",
            )
        raise _refused("captureData", "is missing or no object")
    about = record.get("eventMetadata")
    if about is None:
        about = {}
    if not isinstance(about, dict):
        raise _refused("eventMetadata", "expected an object")
    time = spare_time if about.get("inferenceTime") is None else _moment(about["inferenceTime"])
    if time is None:
        raise SourceError(
            "is missing",
            code="E-TIME",
            field="eventMetadata.inferenceTime",
            fix="say when it was, with --time",
        )
    return Event(
        _text(about, "eventId") or spare_id,
        endpoint,
        variant,
        received,
        time,
        _side(capture, _INPUTS),
        _side(capture, _OUTPUTS),
        _text(about, "inferenceId"),
        None,
        _attributes(about.get("customAttributes")),
    )


def unreadable(
    line: bytes,
    *,
    endpoint: str,
    variant: str,
    received: int,
    own_id: str,
    time: int | None,
) -> Event:
    """Return the event as which a line is kept in quarantine that is no captured record."""
    return Event(own_id, endpoint, variant, received, time, Payload(RECORD, line))


def _refused(field: str, message: str) -> SourceError:
    return SourceError(message, code="E-CAPTURE", field=field, fix="check what wrote it")


def _text(about: Mapping[str, Any], key: str) -> str | None:
    value = about.get(key)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > MAX_ID:
        raise _refused(f"eventMetadata.{key}", f"expected text of at most {MAX_ID} characters")
    return value


def _moment(text: Any) -> int:
    if isinstance(text, str):
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            moment = None
        if moment is not None:
            past = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH
            return (past.days * 86400 + past.seconds) * 1_000_000 + past.microseconds
    raise SourceError(
        "is no time",
        code="E-TIME",
        field="eventMetadata.inferenceTime",
        fix="write it as 2026-11-23T07:00:00Z",
    )


def _attributes(items: Any) -> dict[str, str]:
    if items is None:
        return {}
    if isinstance(items, str):
        items = [items]
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise _refused("eventMetadata.customAttributes", "expected a list of texts")
    text = ",".join(items)
    return {"customAttributes": text} if text else {}


def _side(capture: Mapping[str, Any], names: tuple[str, ...]) -> Payload | None:
    name = next((name for name in names if capture.get(name) is not None), None)
    if name is None:
        return None
    side = capture[name]
    if not isinstance(side, dict):
        raise _refused(f"captureData.{name}", "expected an object")
    data, encoding, content_type = side.get("data"), side.get("encoding"), side.get("observedContentType")
    if not isinstance(data, str):
        raise _refused(f"captureData.{name}.data", "expected text")
    if content_type is None:
        content_type = ""
    if not isinstance(content_type, str):
        raise _refused(f"captureData.{name}.observedContentType", "expected text")
    encoding = encoding.upper() if isinstance(encoding, str) else encoding
    if encoding == "BASE64":
        try:
            return Payload(content_type, base64.b64decode(data, validate=True))
        except (binascii.Error, ValueError):
            raise _refused(f"captureData.{name}.data", "is not base64") from None
    try:
        body = data.encode()
    except UnicodeEncodeError:
        raise _refused(f"captureData.{name}.data", "holds half of a surrogate pair") from None
    media = content_type.partition(";")[0].strip().lower()
    if encoding == "CSV":
        return Payload(content_type if _CSV.fullmatch(media) else "text/csv", body)
    if encoding == "JSON":
        if _LINES.fullmatch(media) or _are_lines(data):
            return Payload("application/jsonlines", body)
        return Payload(content_type if _JSON.fullmatch(media) else "application/json", body)
    found = "nothing" if encoding is None else repr(encoding)
    raise _refused(f"captureData.{name}.encoding", f"expected CSV, JSON or BASE64, found {found}")


def _are_lines(data: str) -> bool:
    """Tell whether text that is called JSON is rather JSON Lines."""
    text = data.strip()
    if "\n" not in text or text[:1] not in "{[":
        return False
    try:
        decode(text)
    except DocumentError:
        return True
    return False
