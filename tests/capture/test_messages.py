"""Every protocol becomes the events it means, and what is none of them is refused with its reason."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.capture.event import Event, Payload
from driftline.capture.messages import Message, taken
from driftline.capture.payloads import rows_of
from driftline.capture.protocols.message import elements, members
from driftline.errors import DriftlineError

if TYPE_CHECKING:
    from pathlib import Path

NOON = 1_795_435_200_000_000  # 2026-11-23T12:00:00Z
LINES = "application/x-ndjson"


def message(body: Any, content_type: str = "application/json", **headers: str) -> Message:
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Message({"content-type": content_type, **names}, body, NOON, "churn")


def one(body: Any, content_type: str = "application/json", **headers: str) -> Event:
    found = taken(message(body, content_type, **headers))
    assert not found.refused
    (event,) = found.events
    return event


def refusal(body: Any, content_type: str = "application/json", **headers: str) -> DriftlineError:
    with pytest.raises(DriftlineError) as caught:
        taken(message(body, content_type, **headers))
    return caught.value


FULL = {
    "id": "e1",
    "endpoint": "churn",
    "variant": "canary",
    "time": "2026-11-23T13:00:00+01:00",
    "input": {"age": 31},
    "output": {"score": 0.25},
    "inference_id": "order-7",
    "model_version": "3",
    "attributes": {"country": "DE", "n": 2, "beta": True, "gone": None},
}


class TestNative:
    def test_every_field(self) -> None:
        assert one(FULL) == Event(
            "e1",
            "churn",
            "canary",
            NOON,
            NOON,
            Payload("application/json", b'{"age": 31}'),
            Payload("application/json", b'{"score": 0.25}'),
            "order-7",
            "3",
            {"country": "DE", "n": "2", "beta": "true"},
        )

    @pytest.mark.parametrize("text", ['{"x": 1.10, "y":[1,\t2]}', "[[1,2],[3,4]]", '"1,2,3"', "7", "true"])
    def test_payloads_are_kept_as_written(self, text: str) -> None:
        event = one(b'{"id":"a","input": %b , "output":null}' % text.encode())
        assert event.input == Payload("application/json", text.encode())
        assert event.output is None

    def test_other_bodies(self) -> None:
        event = one(
            {
                "input": {"content_type": "text/csv", "data": "1,2\n3,4\n"},
                "output": {"content_type": "image/png", "base64": base64.b64encode(b"\x89PNG\0").decode()},
            }
        )
        assert event.input == Payload("text/csv", b"1,2\n3,4\n")
        assert event.output == Payload("image/png", b"\x89PNG\0")

    def test_features_called_data(self) -> None:
        body = {"content_type": "text/csv", "data": "1", "more": 2}
        assert json.loads(one({"input": body}).input.data) == body

    def test_ids_are_made_and_told(self) -> None:
        found = taken(message(b'{"input":1}\n{"id":"a","input":1}\n{"input":1}', LINES))
        assert [index for index, _ in found.named] == [0, 2]
        assert [found.events[index].id for index, _ in found.named] == [name for _, name in found.named]
        assert len({event.id for event in found.events}) == 3

    def test_a_repeated_request_has_the_same_ids(self) -> None:
        bodies = [
            [
                event.id
                for event in taken(message(b'{"input":1}\n{"input":1}', LINES, idempotency_key=key)).events
            ]
            for key in ("k", "k", "l")
        ]
        assert bodies[0] == bodies[1]
        assert not set(bodies[0]) & set(bodies[2])

    @pytest.mark.parametrize(
        ("change", "code", "words"),
        [
            ({"endpoint": "other"}, "E-ENDPOINT", "other"),
            ({"endpoint": "../x"}, "E-ENDPOINT", "../x"),
            ({"variant": "a/b"}, "E-NAME", "a/b"),
            ({"variant": ["a"]}, "E-NAME", "a"),
            ({"id": ""}, "E-ID", "1 to 128"),
            ({"id": "x" * 129}, "E-ID", "1 to 128"),
            ({"id": "a\nb"}, "E-ID", "printable"),
            ({"id": "\ud800"}, "E-ID", "printable"),
            ({"id": 7}, "E-ID", "printable"),
            ({"inference_id": 7}, "E-ID", "printable"),
            ({"time": "yesterday"}, "E-TIME", "yesterday"),
            ({"time": 1_795_435_200}, "E-TIME", "1973"),
            ({"time": 1.5e15}, "E-TIME", "time"),
            ({"time": 10**30}, "E-TIME", "time"),
            ({"attributes": [1]}, "E-FIELD", "object"),
            ({"attributes": {"a": "x" * 1025}}, "E-FIELD", "1024"),
            ({"attributes": {str(i): "" for i in range(65)}}, "E-FIELD", "64"),
            ({"model_version": "\udfff"}, "E-FIELD", "text"),
            ({"outputs": {}}, "E-FIELD", "output"),
            ({"input": None, "output": None}, "E-RECORD", "neither"),
            ({"half": True}, "E-RECORD", "one side"),
            ({"input": {"content_type": "a/b", "base64": "?"}}, "E-FIELD", "base64"),
            ({"input": {"content_type": "a/b", "data": 7}}, "E-FIELD", "text"),
        ],
    )
    def test_refusals(self, change: dict[str, Any], code: str, words: str) -> None:
        error = refusal({**FULL, **change})
        assert error.code == code
        assert words in str(error)

    def test_only_what_is_wrong_is_refused(self) -> None:
        lines = [b'{"id":"%d","input":%d}' % (i, i) for i in range(6)]
        lines[1], lines[4] = b'{"id":"1","input":}', b'{"id":"4","input":"\xff"}'
        found = taken(message(b"\r\n\n".join(lines), LINES))
        assert [event.id for event in found.events] == ["0", "2", "3", "5"]
        assert [(r.index, r.error.code) for r in found.refused] == [(1, "E-JSON"), (4, "E-ENCODING")]

    def test_half(self) -> None:
        event = one({"id": "a", "input": 1, "half": True})
        assert event.is_half

    def test_a_list_is_lines(self) -> None:
        records = [{"id": str(i), "input": {"x": [i]}} for i in range(5)]
        lines = taken(message(b"\n".join(json.dumps(r).encode() for r in records), LINES))
        assert taken(message(records)) == lines
        assert taken(message([])).events == []


class TestJson:
    @given(
        st.dictionaries(
            st.text(),
            st.recursive(
                st.none()
                | st.booleans()
                | st.integers()
                | st.floats(allow_nan=False, allow_infinity=False)
                | st.text(),
                lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
                max_leaves=8,
            ),
        ),
        st.booleans(),
        st.sampled_from([None, 1, "\t"]),
    )
    def test_members_are_what_json_says(self, value: dict[str, Any], ascii_: bool, indent: Any) -> None:
        text = json.dumps(value, ensure_ascii=ascii_, indent=indent)
        found = members(text)
        assert {key: item for key, (item, _) in found.items()} == value
        assert {key: json.loads(raw) for key, (_, raw) in found.items()} == value
        listed = list(value.values())
        assert [json.loads(raw) for raw in elements(json.dumps(listed, indent=indent), 99)] == listed

    @given(st.text(alphabet='{}[]",:\\ 1atrue\n', max_size=12))
    def test_what_json_refuses_is_refused(self, text: str) -> None:
        try:
            whole = json.loads(text, object_pairs_hook=lambda pairs: pairs)
        except ValueError:
            whole = None
        is_object = text.lstrip()[:1] == "{" and whole is not None
        is_unique = is_object and len({key for key, _ in whole}) == len(whole)
        if is_unique:
            assert len(members(text)) == len(whole)
        else:
            with pytest.raises(DriftlineError) as caught:
                members(text)
            assert caught.value.code == "E-JSON"

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            (b"", "E-EMPTY"),
            (b" \n", "E-EMPTY"),
            (b"{}", "E-RECORD"),
            (b"nonsense", "E-JSON"),
            (b'{"input":NaN}', "E-JSON"),
            (b'{"input":1}{"input":1}', "E-JSON"),
            (b'{"input":1,"input":2}', "E-JSON"),
            (b'{"input":' + b"9" * 5000 + b"}", "E-JSON"),
            (b'{"input":' + b"[" * 100_000, "E-JSON-DEPTH"),
            (b"[" * 100_000, "E-JSON-DEPTH"),
            (b'{"a":' * 100_000, "E-JSON-DEPTH"),
            (b'[{"input":1},', "E-JSON"),
            (b"\xff\xfe{\0}\0", "E-ENCODING"),
        ],
    )
    def test_bodies(self, body: bytes, code: str) -> None:
        assert refusal(body).code == code

    def test_too_many_records(self) -> None:
        for body, kind in ((b"[1,2,3]", "application/json"), (b"1\n2\n3", LINES)):
            with pytest.raises(DriftlineError, match="more than 2") as caught:
                taken(message(body, kind), 2)
            assert caught.value.code == "E-RECORDS"

    def test_other_content_types(self) -> None:
        assert refusal({}, "text/csv").code == "E-TYPE"
        assert refusal({}, "").code == "E-TYPE"


class TestSageMaker:
    @pytest.mark.parametrize(
        "name", ["churn_2020", "churn_2022", "housing_2021", "weather_2021", "bank_marketing_2024_2025"]
    )
    def test_what_was_captured(self, data: Path, name: str) -> None:
        body = (data / "sagemaker" / "captured" / f"{name}.jsonl").read_bytes()
        found = taken(message(body, "application/jsonlines"), 100_000)
        assert not found.refused
        records = [json.loads(line) for line in body.splitlines()]
        assert len(found.events) == len(records)
        for event, record in zip(found.events, records, strict=True):
            capture, about = record["captureData"], record["eventMetadata"]
            assert event.id == about["eventId"]
            assert event.inference_id == about.get("inferenceId")
            assert event.input is not None
            assert event.input.data == capture["endpointInput"]["data"].encode()
            assert event.output is not None
            assert event.output.data == capture["endpointOutput"]["data"].encode()
            assert rows_of(event.input, "input")
            assert event.time is not None
            assert event.time % 1_000_000 == 0

    def record(self, **capture: Any) -> dict[str, Any]:
        return {"captureData": capture, "eventMetadata": {"eventId": "a"}, "eventVersion": "0"}

    def side(self, data: str, encoding: Any, kind: Any = None) -> dict[str, Any]:
        return {"observedContentType": kind, "mode": "INPUT", "data": data, "encoding": encoding}

    def test_base64(self) -> None:
        packed = base64.b64encode(b"1,2").decode()
        event = one(self.record(endpointInput=self.side(packed, "BASE64", "text/csv; header=no")))
        assert event.input == Payload("text/csv; header=no", b"1,2")
        assert event.output is None

    def test_the_encoding_decides(self) -> None:
        event = one(self.record(endpointInput=self.side("1,2", "CSV", "application/octet-stream")))
        assert event.input == Payload("text/csv", b"1,2")

    def test_batch_transform(self) -> None:
        event = one(self.record(batchTransformOutput=self.side("0.5", "CSV", "text/csv")))
        assert event.output == Payload("text/csv", b"0.5")

    @pytest.mark.parametrize(
        ("record", "code"),
        [
            ({"captureData": 1}, "E-CAPTURE"),
            ({"captureData": {}}, "E-CAPTURE"),
            ({"groundTruthData": {"data": "1", "encoding": "CSV"}}, "E-GROUND-TRUTH"),
            ({"captureData": {"endpointInput": {"data": "1", "encoding": "XML"}}}, "E-CAPTURE"),
            ({"captureData": {"endpointInput": {"data": 1, "encoding": "CSV"}}}, "E-CAPTURE"),
            ({"captureData": {"endpointInput": {"data": "?", "encoding": "BASE64"}}}, "E-FIELD"),
            ({"captureData": {"endpointInput": {"data": "\ud800", "encoding": "CSV"}}}, "E-FIELD"),
        ],
    )
    def test_refusals(self, record: Any, code: str) -> None:
        assert refusal(record).code == code


REQUEST = "org.kubeflow.serving.inference.request"
ANSWER = "org.kubeflow.serving.inference.response"


class TestCloudEvents:
    def ce(self, kind: str, **more: str) -> dict[str, str]:
        said = {"specversion": "1.0", "id": "k1", "type": kind, "source": "http://localhost:9081/", **more}
        return {f"ce_{name}": value for name, value in said.items()}

    def test_binary(self) -> None:
        about = {
            "inferenceservicename": "iris",
            "namespace": "prod",
            "component": "predictor",
            "endpoint": "",
            "metadata": "%7B%22X-Request-Id%22%3A%5B%22r1%22%5D%7D",
            "time": "2026-11-23T12:00:00.123456789Z",
        }
        ask = Message(
            {
                "content-type": "application/json",
                **{k.replace("_", "-"): v for k, v in self.ce(REQUEST, **about).items()},
            },
            b'{"instances":[[1,2]]}',
            NOON,
        )
        (event,) = taken(ask).events
        assert event == Event(
            "k1",
            "iris",
            "AllTraffic",
            NOON,
            NOON + 123456,
            input=Payload("application/json", b'{"instances":[[1,2]]}'),
            attributes={
                "namespace": "prod",
                "component": "predictor",
                "source": "http://localhost:9081/",
                "metadata.X-Request-Id": "r1",
            },
            is_half=True,
        )

    def test_the_path_goes_before_the_service(self) -> None:
        event = one(b"{}", **self.ce(ANSWER, inferenceservicename="iris", endpoint="canary"))
        assert (event.endpoint, event.variant, event.input) == ("churn", "canary", None)

    def test_structured(self) -> None:
        said = {"specversion": "1.0", "id": "k1", "type": ANSWER, "source": "s", "data": {"predictions": [1]}}
        kind = "application/cloudevents+json; charset=UTF-8"
        assert one(said, kind).output == Payload("application/json", b'{"predictions": [1]}')
        packed = {**said, "data_base64": base64.b64encode(b"1,2").decode(), "datacontenttype": "text/csv"}
        del packed["data"]
        assert one(packed, kind).output == Payload("text/csv", b"1,2")
        text = {**said, "data": "0.5", "datacontenttype": "text/csv"}
        assert one(text, kind).output == Payload("text/csv", b"0.5")
        batch = taken(
            message(
                [said, {**said, "type": REQUEST}, {**said, "type": "other"}],
                "application/cloudevents-batch+json",
            )
        )
        assert [event.is_half for event in batch.events] == [True, True]
        assert [r.index for r in batch.refused] == [2]

    def test_refusals(self) -> None:
        assert "type" in str(refusal(b"{}", **self.ce("dev.knative.other")))
        assert refusal(b"{}", **{**self.ce(REQUEST), "ce_id": ""}).code == "E-ID"
        assert "CloudEvents 1.0" in str(refusal(b"{}", **{**self.ce(REQUEST), "ce_specversion": "0.3"}))


class TestBodies:
    OIP = {"id": "r1", "inputs": [{"name": "x", "shape": [2, 1], "datatype": "FP32", "data": [1.5, 2.5]}]}
    OIP_ANSWER = {
        "id": "r1",
        "model_name": "m",
        "model_version": "4",
        "outputs": [{"name": "y", "shape": [2], "datatype": "INT64", "data": [0, 1]}],
    }

    def test_open_inference_protocol(self) -> None:
        ask, answer = one(self.OIP), one(self.OIP_ANSWER)
        assert ask.id == answer.id == "r1"
        assert ask.is_half
        assert answer.is_half
        assert rows_of(ask.input, "input") == [{"x": 1.5}, {"x": 2.5}]
        assert rows_of(answer.output, "output") == [{"y": 0}, {"y": 1}]
        assert answer.model_version == "4"

    def test_binary_tensors(self) -> None:
        head = {
            "id": "r1",
            "inputs": [
                {"name": "x", "shape": [2], "datatype": "INT32", "parameters": {"binary_data_size": 8}}
            ],
        }
        text = json.dumps(head).encode()
        body = text + (1).to_bytes(4, "little") + (2).to_bytes(4, "little")
        event = one(body, "application/octet-stream", inference_header_content_length=str(len(text)))
        assert event.id == "r1"
        assert rows_of(event.input, "input") == [{"x": 1}, {"x": 2}]

    @pytest.mark.parametrize("length", ["x", "-1", "999", "9" * 5000, "\u0663"])
    def test_a_length_that_is_none(self, length: str) -> None:
        error = refusal(b"{}", "application/octet-stream", inference_header_content_length=length)
        assert error.code == "E-HEADER"

    @pytest.mark.parametrize(
        "body",
        [
            {"dataframe_split": {"columns": ["a"], "data": [[1]]}},
            {"dataframe_records": [{"a": 1}]},
            {"instances": [{"a": 1}]},
            {"inputs": {"a": [1]}},
        ],
    )
    def test_mlflow(self, body: dict[str, Any]) -> None:
        event = one(body, driftline_event_id="m1")
        assert event.is_half
        assert rows_of(event.input, "input") == [{"a": 1}]

    def test_mlflow_answer(self) -> None:
        event = one({"predictions": [0.5]}, driftline_event_id="m1")
        assert rows_of(event.output, "output") == [{"prediction": 0.5}]

    def test_pairs(self) -> None:
        event = one({"id": "p", "input": self.OIP, "output": self.OIP_ANSWER})
        assert rows_of(event.input, "input") == [{"x": 1.5}, {"x": 2.5}]
        assert not event.is_half

    def test_any_body_with_its_side(self) -> None:
        event = one(
            b"1,2",
            "text/csv",
            driftline_side="input",
            driftline_event_id="c1",
            driftline_time="2026-11-23T12:00:00Z",
            driftline_inference_id="i1",
            driftline_model_version="9",
        )
        assert event.input == Payload("text/csv", b"1,2")
        assert (event.time, event.inference_id, event.model_version, event.is_half) == (NOON, "i1", "9", True)

    def test_a_side_that_stays_alone(self) -> None:
        event = one(b"1,2", "text/csv", driftline_side="input", driftline_half="false")
        assert not event.is_half

    def test_a_half_needs_an_id_and_a_side(self) -> None:
        assert refusal({"instances": [[1]]}).code == "E-ID"
        assert refusal(b"1", "text/csv", driftline_side="both", driftline_event_id="a").code == "E-SIDE"
