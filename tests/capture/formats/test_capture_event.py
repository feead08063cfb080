from __future__ import annotations

import base64
from typing import Any

import pytest

from driftline.capture.event import Payload
from driftline.capture.formats.capture_event import event_of, holds_truth
from driftline.errors import SourceError

CSV = {"observedContentType": "text/csv", "mode": "INPUT", "data": "1,2\n", "encoding": "CSV"}
ABOUT = {"eventId": "e1", "inferenceTime": "2026-11-23T07:00:00Z"}


def record(**changes: Any) -> dict[str, Any]:
    return {"captureData": {"endpointInput": CSV}, "eventMetadata": ABOUT, "eventVersion": "0"} | changes


def event(read: dict[str, Any], **also: Any) -> Any:
    return event_of(read, endpoint="churn", variant="blue", received=5, spare_id="spare", **also)


def test_a_plain_record() -> None:
    found = event(record())
    assert (found.id, found.endpoint, found.variant, found.received) == ("e1", "churn", "blue", 5)
    assert found.time == 1_795_417_200_000_000
    assert found.input == Payload("text/csv", b"1,2\n")
    assert found.output is None
    assert found.attributes == {}


def test_what_the_caller_said_is_kept() -> None:
    about = ABOUT | {"inferenceId": "order-7", "customAttributes": ["tenant=a", "b"]}
    found = event(record(eventMetadata=about))
    assert found.inference_id == "order-7"
    assert found.attributes == {"customAttributes": "tenant=a,b"}


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [
        ("2026-11-23T07:00:00.25Z", 1_795_417_200_250_000),
        ("2026-11-23T08:00:00+01:00", 1_795_417_200_000_000),
        ("2026-11-23T07:00:00", 1_795_417_200_000_000),
    ],
)
def test_times(text: str, microseconds: int) -> None:
    assert event(record(eventMetadata=ABOUT | {"inferenceTime": text})).time == microseconds


def test_what_a_record_lacks_is_lent() -> None:
    found = event(record(eventMetadata=None), spare_time=7)
    assert (found.id, found.time) == ("spare", 7)


@pytest.mark.parametrize(
    ("side", "expected"),
    [
        ({"data": "1", "encoding": "csv", "observedContentType": None}, Payload("text/csv", b"1")),
        (
            {"data": "1", "encoding": "CSV", "observedContentType": "text/csv; charset=utf-8"},
            Payload("text/csv; charset=utf-8", b"1"),
        ),
        ({"data": "1", "encoding": "CSV", "observedContentType": "x/y"}, Payload("text/csv", b"1")),
        ({"data": "{}", "encoding": "JSON"}, Payload("application/json", b"{}")),
        (
            {"data": '{"a":\n1}', "encoding": "JSON", "observedContentType": "application/json"},
            Payload("application/json", b'{"a":\n1}'),
        ),
        (
            {"data": '{"a":1}\n{"a":2}\n', "encoding": "JSON", "observedContentType": "application/json"},
            Payload("application/jsonlines", b'{"a":1}\n{"a":2}\n'),
        ),
        (
            {"data": "é", "encoding": "BASE64", "observedContentType": "image/png"},
            None,
        ),
        (
            {
                "data": base64.b64encode(b"\x89PNG").decode(),
                "encoding": "BASE64",
                "observedContentType": "image/png",
            },
            Payload("image/png", b"\x89PNG"),
        ),
    ],
)
def test_sides(side: dict[str, Any], expected: Payload | None) -> None:
    read = record(captureData={"endpointInput": CSV, "batchTransformOutput": side})
    if expected is None:
        with pytest.raises(SourceError, match="is not base64"):
            event(read)
    else:
        assert event(read).output == expected


@pytest.mark.parametrize(
    ("changes", "code", "text"),
    [
        ({"captureData": None}, "E-CAPTURE", "captureData: is missing"),
        ({"captureData": None, "groundTruthData": {}}, "E-GROUND-TRUTH", "truth import"),
        ({"captureData": {"endpointInput": 1}}, "E-CAPTURE", "captureData.endpointInput: expected an object"),
        ({"captureData": {"endpointInput": CSV | {"data": 1}}}, "E-CAPTURE", "data: expected text"),
        ({"captureData": {"endpointInput": CSV | {"encoding": "XML"}}}, "E-CAPTURE", "found 'XML'"),
        ({"captureData": {"endpointInput": CSV | {"data": "\ud800"}}}, "E-CAPTURE", "surrogate"),
        ({"captureData": {"endpointInput": CSV | {"observedContentType": 1}}}, "E-CAPTURE", "expected text"),
        ({"eventMetadata": 3}, "E-CAPTURE", "expected an object"),
        ({"eventMetadata": ABOUT | {"eventId": 3}}, "E-CAPTURE", "eventId"),
        ({"eventMetadata": ABOUT | {"eventId": "x" * 129}}, "E-CAPTURE", "at most 128"),
        ({"eventMetadata": ABOUT | {"customAttributes": [1]}}, "E-CAPTURE", "customAttributes"),
        ({"eventMetadata": ABOUT | {"inferenceTime": "soon"}}, "E-TIME", "is no time"),
        ({"eventMetadata": ABOUT | {"inferenceTime": 12}}, "E-TIME", "is no time"),
        ({"eventMetadata": {"eventId": "e"}}, "E-TIME", "is missing"),
    ],
)
def test_refusals(changes: dict[str, Any], code: str, text: str) -> None:
    with pytest.raises(SourceError, match=text) as caught:
        event(record(**changes))
    assert caught.value.code == code


def test_ground_truth_is_told_from_merged_records() -> None:
    assert holds_truth({"groundTruthData": {}})
    assert not holds_truth(record(groundTruthData={}))
