from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from driftline.capture.formats.sagemaker import unpacked
from driftline.capture.open import open_records, open_source
from driftline.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Values = Callable[[Any], dict[str, list[Any]]]


def _side(data: str, encoding: str = "CSV", content_type: str | None = None) -> dict[str, Any]:
    return {"observedContentType": content_type, "mode": "x", "data": data, "encoding": encoding}


def _record(request: Any = None, answer: Any = None, **other: Any) -> dict[str, Any]:
    capture = {"endpointInput": request, "endpointOutput": answer}
    return {
        "captureData": {key: side for key, side in capture.items() if side is not None},
        "eventMetadata": {"eventId": "1", "inferenceTime": "2026-11-23T00:00:00Z"},
        "eventVersion": "0",
        **other,
    }


@pytest.fixture
def captured(tmp_path: Path) -> Callable[..., Path]:
    """Write records to a file as the service does."""

    def write(*records: Any, name: str = "x.jsonl") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(record) + "\n" for record in records))
        return path

    return write


REAL = {
    "bank_marketing_2024_2025": (65, 2),
    "bank_marketing_merged_2024": (65, 2),
    "churn_2020": (70, 3),
    "churn_2022": (70, 3),
    "housing_2021": (13, 1),
    "weather_2021": (17, 4),
}


@pytest.mark.parametrize("name", REAL)
def test_real_traffic(data: Path, values: Values, name: str) -> None:
    source = open_source(data / "sagemaker" / "captured" / f"{name}.jsonl")
    found = values(source)
    assert (len(found), len(found["_c0"])) == REAL[name]
    assert list(found) == [f"_c{position}" for position in range(len(found))]
    assert not source.named
    assert all(field.type == pa.string() and field.textual for field in source.fields)


def test_the_prediction_comes_first(data: Path, values: Values) -> None:
    found = values(open_source(data / "sagemaker" / "captured" / "housing_2021.jsonl"))
    expected = "30.413358688354492,0.00632,18.00,2.310,0,0.5380,6.5750,65.20,4.0900,1,296.0,15.30,4.98"
    assert [column[0] for column in found.values()] == expected.split(",")


def test_requests_of_different_width_are_noted(data: Path, values: Values) -> None:
    source = open_source(data / "sagemaker" / "captured" / "bank_marketing_2024_2025.jsonl")
    found = values(source)
    assert found["_c59"] == ["0", "0.0"]
    assert found["_c60"] == [None, "0.0"]
    assert "59 to 64 fields" in source.notes[0]


def test_json_payloads_of_the_sdk(data: Path, values: Values) -> None:
    source = open_source(data / "sagemaker" / "sdk_fixtures" / "captured-data.jsonl")
    assert values(source) == {"predictions": [3.5, 4.0, 5.5] * 2, "instances": [1.0, 2.0, 5.0] * 2}
    assert source.named


def test_ground_truth_alone_is_refused(data: Path) -> None:
    path = data / "sagemaker" / "captured" / "bank_marketing_ground_truth_2024.jsonl"
    with pytest.raises(SourceError, match="ground truth") as caught:
        open_source(path)
    assert (caught.value.code, caught.value.line) == ("E-GROUND-TRUTH", 1)


def test_merged_ground_truth_is_no_column(data: Path) -> None:
    source = open_source(data / "sagemaker" / "captured" / "bank_marketing_merged_2024.jsonl")
    assert source.notes == ("2 record(s) hold ground truth, which is not a column here",)


def test_a_folder_of_hours(captured: Callable[..., Path], tmp_path: Path, values: Values) -> None:
    for hour in (3, 1, 2):
        record = _record(_side(f"{hour},x"), _side("0.5"))
        captured(record, name=f"ep/AllTraffic/2026/11/23/{hour:02}/00-00-000-a.jsonl")
    source = open_source(tmp_path / "ep")
    assert values(source)["_c1"] == ["1", "2", "3"]
    assert len(source.sources) == 3
    assert len(source.parts) == 1
    (batch,) = source.parts[0].read([0])
    assert [run.source.split("/")[-2] for run in batch.runs] == ["01", "02", "03"]


@pytest.mark.parametrize(
    ("request_side", "answer", "expected"),
    [
        (_side("1,2\n3,4"), _side("a\nb\n"), {"_c0": ["a", "b"], "_c1": ["1", "3"], "_c2": ["2", "4"]}),
        (_side("1,2\r\n3,4\r\n"), _side("a"), {"_c0": ["a", "a"], "_c1": ["1", "3"], "_c2": ["2", "4"]}),
        (_side("1\n3\n"), _side("a,b"), {"_c0": ["a", "b"], "_c1": ["1", "3"]}),
        (
            _side("1\n3\n"),
            _side("a,b,c"),
            {"_c0": ["a"] * 2, "_c1": ["b"] * 2, "_c2": ["c"] * 2, "_c3": ["1", "3"]},
        ),
        (_side('"1,5",""\n"x\ny",z'), None, {"_c0": ["1,5", "x\ny"], "_c1": [None, "z"]}),
        (_side("1,,NA"), _side(""), {"_c0": ["1"], "_c1": [None], "_c2": ["NA"]}),
        (None, _side("0.5,x"), {"_c0": ["0.5"], "_c1": ["x"]}),
        (_side("1,2", "csv"), None, {"_c0": ["1"], "_c1": ["2"]}),
        (
            _side(base64.b64encode(b"1,2\n").decode(), "BASE64", "text/csv; charset=utf-8"),
            _side(base64.b64encode(b'{"p":0.5}').decode(), "BASE64", "application/json"),
            {"p": [0.5], "_c1": ["1"], "_c2": ["2"]},
        ),
        (
            _side('{"age":31,"home":{"city":"Rome"},"x":null}', "JSON"),
            _side('{"score":0.5}', "JSON"),
            {"score": [0.5], "age": [31], "home.city": ["Rome"], "x": [None]},
        ),
        (_side('[{"a":1},{"a":2}]', "JSON"), _side("[0.1,0.2]", "JSON"), {"_c0": [0.1, 0.2], "a": [1, 2]}),
        (
            _side('{"instances":[[1,"x"],[2,"y"]]}', "JSON"),
            _side('{"predictions":[{"s":1},{"s":2}]}', "JSON"),
            {"s": [1, 2], "_c1": [1, 2], "_c2": ["x", "y"]},
        ),
        (_side('{"a":1}\n{"a":2}\n', "JSON"), _side("0.5", "JSON"), {"_c0": [0.5, 0.5], "a": [1, 2]}),
        (
            _side('{"id":1,"a":2}', "JSON"),
            _side('{"id":"p","s":3}', "JSON"),
            {"output.id": ["p"], "s": [3], "id": [1], "a": [2]},
        ),
    ],
)
def test_payloads(
    captured: Callable[..., Path],
    values: Values,
    request_side: Any,
    answer: Any,
    expected: dict[str, list[Any]],
) -> None:
    assert values(open_source(captured(_record(request_side, answer)))) == expected


def test_one_record_unpacks_as_a_file_of_it(captured: Callable[..., Path], values: Values) -> None:
    for request_side, answer in [
        (_side("1,2\n3,4"), _side("a\nb")),
        (_side('{"id":1,"a":{"b":2}}', "JSON"), _side('{"id":"p"}', "JSON")),
        (_side('{"a":1}', "JSON"), _side("0.5")),
    ]:
        record = _record(request_side, answer)
        rows = list(unpacked(record))
        expected = values(open_source(captured(record)))
        assert {name: [row[name] for row in rows] for name in rows[0]} == expected
    assert list(unpacked(_record())) == []
    with pytest.raises(SourceError) as caught:
        list(unpacked(_record(_side("1", "XML"))))
    assert caught.value.file is None


def test_batch_transform_output_is_the_answer(captured: Callable[..., Path], values: Values) -> None:
    record = _record(_side("1"))
    record["captureData"]["batchTransformOutput"] = _side("0.5")
    assert values(open_source(captured(record))) == {"_c0": ["0.5"], "_c1": ["1"]}


def test_text_and_numbers_in_json(captured: Callable[..., Path]) -> None:
    path = captured(*(_record(_side(json.dumps({"a": a, "b": "x"}), "JSON")) for a in (1, "x")))
    source = open_source(path)
    assert [(f.name, f.type, f.textual) for f in source.fields] == [
        ("a", pa.string(), True),
        ("b", pa.string(), False),
    ]


def test_sides_may_be_missing(captured: Callable[..., Path], values: Values) -> None:
    both, left, right = _side("1"), _side("2"), _side("3")
    source = open_source(captured(_record(both, both), _record(left), _record(None, right), _record()))
    assert values(source) == {"_c0": ["1", None, "3"], "_c1": ["1", "2", None]}
    assert source.notes == (
        "2 record(s) have no endpointInput",
        "2 record(s) have no endpointOutput",
        "1 record(s) hold no row",
    )


def test_mixed_encodings(captured: Callable[..., Path], values: Values) -> None:
    path = captured(_record(_side('{"a":1}', "JSON"), _side("0.5")))
    source = open_source(path)
    assert values(source) == {"_c0": ["0.5"], "a": [1]}
    assert [field.textual for field in source.fields] == [True, False]
    assert len(source.notes) == 2
    with pytest.raises(
        SourceError, match="encoding is JSON for endpointInput but CSV for endpointOutput"
    ) as caught:
        open_source(path, strict_encoding=True)
    assert caught.value.code == "E-ENCODING-MISMATCH"
    same = captured(_record(_side("1"), _side("2")), _record(_side("1")), name="y.jsonl")
    assert len(values(open_source(same, strict_encoding=True))["_c0"]) == 2


@pytest.mark.parametrize(
    ("record", "code", "text"),
    [
        (_record(_side("AAEC", "BASE64", "application/x-npy")), "E-CAPTURE", "base64 of content type"),
        (_record(_side("AAEC", "BASE64")), "E-CAPTURE", "preprocessor"),
        (_record(_side("****", "BASE64", "text/csv")), "E-CAPTURE", "not base64"),
        (_record(_side("gICA", "BASE64", "text/csv")), "E-CAPTURE", "is base64 of something"),
        (_record(_side("1\n2\n3"), _side("1\n2")), "E-CAPTURE", "3 rows and the answer 2"),
        (_record(_side('"1'), None), "E-CAPTURE", "not CSV"),
        (_record(_side("{", "JSON")), "E-CAPTURE", "not JSON"),
        (_record(_side('{"a":1}\n{"a"', "JSON")), "E-JSON", "not JSON"),
        (_record(_side("[1,2]", "JSON")), "E-CAPTURE", "one row or many"),
        (_record(_side('{"a":[1]}', "JSON")), "E-NESTED", "preprocessor"),
        (_record(_side('{"instances":[[1,[2]]]}', "JSON")), "E-NESTED", "preprocessor"),
        (_record(_side('{"instances":[[1,{"a":2}]]}', "JSON")), "E-CAPTURE", "plain values"),
        (_record(_side("1", "XML")), "E-CAPTURE", "found 'XML'"),
        (_record({"data": "1"}), "E-CAPTURE", "expected CSV"),
        (_record({"data": 5, "encoding": "CSV"}), "E-CAPTURE", "expected text"),
        (_record("1,2"), "E-CAPTURE", "expected an object"),
        ({"captureData": 3}, "E-CAPTURE", "missing or no object"),
        ({"other": 3}, "E-CAPTURE", "missing or no object"),
        ({"groundTruthData": {"data": "1"}}, "E-GROUND-TRUTH", "ground truth"),
    ],
)
def test_what_cannot_be_a_row_is_named(
    captured: Callable[..., Path], record: Any, code: str, text: str
) -> None:
    path = captured(_record(_side("1"), _side("2")), record)
    with pytest.raises(SourceError, match=text) as caught:
        open_source(path)
    assert (caught.value.code, caught.value.file, caught.value.line) == (code, str(path), 2)


def test_no_row_at_all(captured: Callable[..., Path]) -> None:
    with pytest.raises(SourceError, match="hold no data") as caught:
        open_source(captured(_record(), _record(_side(""))))
    assert caught.value.code == "E-NO-DATA"


def test_records_are_captured_objects(captured: Callable[..., Path], values: Values) -> None:
    path = captured(_record(_side("1,2"), _side("0.5")), _record(_side("3,4"), _side("0.6")))
    places = [(place.file, place.line) for place, _ in open_records(path).records()]
    assert places == [(str(path), 1), (str(path), 2)]

    def handler(records: Any) -> Any:
        for place, record in records:
            for position, cell in enumerate(record["captureData"]["endpointInput"]["data"].split(",")):
                yield place, {"position": position, "value": float(cell)}

    source = open_source(path, record_handler=handler)
    assert values(source) == {"position": [0, 1, 0, 1], "value": [1.0, 2.0, 3.0, 4.0]}
    assert source.sources == (str(path),)
