"""CloudEvents of KServe's inference logger: the request and the answer come apart, with the same id.

In *binary* mode the attributes are headers (``ce-id``, …) and the body is the model's; KServe sends this. In
*structured* mode (``application/cloudevents+json``) all of it is one JSON object, in a *batch*
(``application/cloudevents-batch+json``) a list of them.

References
----------
CloudEvents 1.0, HTTP protocol binding 3.1 to 3.3 and JSON format 3.1; KServe, ``pkg/logger/worker.go``.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from driftline.capture.event import Event, Payload
from driftline.capture.protocols.message import body_of, id_of, microseconds, refused, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from driftline.capture.protocols.message import Message

__all__ = ["ANSWER", "REQUEST", "event_of_headers", "event_of_structure"]

REQUEST = "org.kubeflow.serving.inference.request"
ANSWER = "org.kubeflow.serving.inference.response"
_KEPT = ("namespace", "component", "source")
_JSON = re.compile(r"(?i)\s*(application|text)/(.+\+)?json\s*(;.*)?")


def event_of_headers(message: Message) -> Event:
    """Return the half event of a request in binary mode.

    Raises
    ------
    DriftlineError
    """
    said: dict[str, Any] = {
        name.removeprefix("ce-"): unquote(value, errors="replace")
        for name, value in message.headers.items()
        if name.startswith("ce-")
    }
    body = Payload(text_of(message.headers.get("content-type"), "content-type") or "", message.body)
    return _event(said, body, message)


def event_of_structure(record: Mapping[str, tuple[Any, str]], message: Message) -> Event:
    """Return the half event of a JSON object in structured mode.

    Raises
    ------
    DriftlineError
    """
    said = {name: value for name, (value, _) in record.items()}
    kind = text_of(said.get("datacontenttype"), "datacontenttype") or "application/json"
    data = record.get("data")
    packed = said.get("data_base64")
    if isinstance(packed, str):
        body = body_of(packed, kind, "data_base64", is_base64=True)
    elif data is None:
        raise refused("is missing", field="data")
    elif isinstance(data[0], str) and not _JSON.fullmatch(kind):
        body = body_of(data[0], kind, "data")
    else:
        body = body_of(data[1], kind, "data")
    return _event(said, body, message)


def _event(said: Mapping[str, Any], body: Payload, message: Message) -> Event:
    version, kind = said.get("specversion"), said.get("type")
    if version != "1.0":
        raise refused("expected CloudEvents 1.0", field="specversion")
    if kind not in (REQUEST, ANSWER):
        raise refused(f"expected {REQUEST} or {ANSWER}", field="type", fix="send other events elsewhere")
    event_id = id_of(said.get("id"), "id")
    # The path goes first: so services of one name in two namespaces can be kept apart.
    endpoint, variant = message.place(
        message.endpoint or said.get("inferenceservicename") or None,
        message.variant or said.get("endpoint") or None,
    )
    return Event(
        event_id,
        endpoint,
        variant,
        message.received,
        microseconds(said.get("time")),
        body if kind == REQUEST else None,
        body if kind == ANSWER else None,
        attributes=_attributes(said),
        is_half=True,
    )


def _attributes(said: Mapping[str, Any]) -> dict[str, str]:
    """Keep where it came from, and the headers and annotations that the logger was told to pass on."""
    found = {name: text for name in _KEPT if (text := text_of(said.get(name), name))}
    for name in ("metadata", "annotations"):
        text = said.get(name)
        if not isinstance(text, str) or not text:
            continue
        try:
            passed = json.loads(text)
        except (ValueError, RecursionError):
            passed = {"": text}
        if isinstance(passed, dict):
            for key, value in list(passed.items())[:16]:
                value = ",".join(map(str, value)) if isinstance(value, list) else value
                where = f"{name}.{key}" if key else name
                found[text_of(where, name) or name] = text_of(str(value), where) or ""
    return found
