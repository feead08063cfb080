"""Messages: the records of an HTTP request, whatever their protocol, become events.

What decides is the content type, then the headers, then the keys of the object:

=========================================  ===========================================================================
``application/x-ndjson`` and the like      a record a line
``application/json``                       a record, a list of records, or one body of the Open Inference Protocol,
                                           KServe v1 or MLflow
``application/cloudevents+json``           a CloudEvent; ``application/cloudevents-batch+json`` a list of them
any, with ``ce-specversion``               a CloudEvent in binary mode
any, with ``Driftline-Side``               one side of an event, as it is
=========================================  ===========================================================================

A *record* is driftline's own JSON, a captured record of SageMaker, or a CloudEvent.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from driftline.capture.protocols.cloudevents import event_of_headers, event_of_structure
from driftline.capture.protocols.halves import event_of_body, is_body, side_of_body
from driftline.capture.protocols.message import Message, elements, members, refused
from driftline.capture.protocols.native import event_of_record
from driftline.capture.protocols.sagemaker import event_of_capture, is_capture
from driftline.errors import DriftlineError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from driftline.capture.event import Event

__all__ = ["Message", "Refusal", "Taken", "events_of", "is_lines", "taken"]

_LINES = re.compile(r"application/(json-?lines|x-jsonlines|x-ndjson|ndjson|jsonl)")
_BATCH = "application/cloudevents-batch+json"
_ONE = ("application/json", "application/cloudevents+json")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A record that is no event, and why."""

    index: int
    error: DriftlineError


@dataclass(slots=True)
class Taken:
    """What a message holds.

    Attributes
    ----------
    events : list of Event
    refused : list of Refusal
    named : list of (int, str)
        Position and id of the records that came without one.
    """

    events: list[Event] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    named: list[tuple[int, str]] = field(default_factory=list)


def is_lines(content_type: str) -> bool:
    """Tell whether a content type, in lower case, is one of JSON Lines."""
    return _LINES.fullmatch(content_type) is not None


def taken(message: Message, max_records: int = 10_000) -> Taken:
    """Take a message apart at once, see :func:`events_of`."""
    result = Taken()
    for _ in events_of(message, result, max_records):
        pass
    return result


def events_of(message: Message, into: Taken, max_records: int = 10_000) -> Iterator[None]:
    """Take a message apart, record by record, so that others have their turn in between.

    Raises
    ------
    SourceError
        ``E-TYPE`` for a content type that is none of ours, ``E-RECORDS`` for more records than `max_records`, ``E-EMPTY``
        where there are none, and whatever is wrong with a message that is one record.
    """
    if "ce-specversion" in message.headers:
        into.events.append(event_of_headers(message))
        return
    if is_body(message):
        into.events.append(event_of_body(message))
        return
    content_type = message.headers.get("content-type", "").partition(";")[0].strip().lower()
    if is_lines(content_type):
        pieces: list[str | bytes] = [
            line for line in message.body.split(b"\n") if line and not line.isspace()
        ]
        if not pieces:
            raise refused("the request has no body", code="E-EMPTY")
    elif content_type in (*_ONE, _BATCH):
        text = _text(message.body)
        start = text.lstrip(" \t\r\n")[:1]
        if not start:
            raise refused("the request has no body", code="E-EMPTY")
        if start != "[":
            if content_type == _BATCH:
                raise refused("expected a list", code="E-JSON")
            into.events.append(_event(text, message, None, into))
            return
        pieces = [*elements(text, max_records)]
    else:
        raise refused(
            f"the content type {content_type[:100] or 'is missing'!r} is none that is understood here",
            code="E-TYPE",
            fix="send application/json or application/x-ndjson, or say with Driftline-Side which side of an event it is",
        )
    if len(pieces) > max_records:
        raise refused(
            f"there are more than {max_records:,} records in one request",
            code="E-RECORDS",
            fix="send fewer at a time",
        )
    for index, piece in enumerate(pieces):
        try:
            text = piece if isinstance(piece, str) else _text(piece)
            into.events.append(_event(text, message, index, into))
        except DriftlineError as error:
            into.refused.append(Refusal(index, error))
        yield


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise refused(f"byte {error.start:,} is not UTF-8", code="E-ENCODING", fix="send UTF-8") from None


def _event(text: str, message: Message, position: int | None, into: Taken) -> Event:
    record = members(text)
    index = position or 0
    if is_capture(record):
        event = event_of_capture(record, message, index)
        about = record.get("eventMetadata", ({}, ""))[0]
        has_id = about.get("eventId") is not None
    elif "specversion" in record:
        return event_of_structure(record, message)
    elif position is None and side_of_body(record) and "input" not in record and "output" not in record:
        return event_of_body(message)
    else:
        event = event_of_record(record, message, index)
        has_id = record.get("id", (None, ""))[0] is not None
    if not has_id:
        into.named.append((index, event.id))
    return event
