from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftline.capture.formats import jsonl
from driftline.capture.formats.capture_block import csv_block
from driftline.capture.open import open_source
from driftline.capture.text import Lines
from driftline.errors import DriftlineError

if TYPE_CHECKING:
    from pathlib import Path

CELL = st.sampled_from(["", "1", "0.5", "x", "NA", " ", "é", "\x00", "2020-01-01"])
ODD_CELL = st.sampled_from(['"a"', 'a"b', "a\nb", "a\rb", '"a,b"', "\n"])


def _csv(cells: Any) -> Any:
    return st.lists(cells, min_size=1, max_size=3).map(",".join)


PLAIN = st.builds(
    lambda data, end: {"data": data + end, "encoding": "CSV"}, _csv(CELL), st.sampled_from(["", "\n"])
)
ODD = st.one_of(
    st.builds(lambda data: {"data": data, "encoding": "CSV"}, _csv(CELL | ODD_CELL)),
    st.just({"data": '{"a":1}', "encoding": "JSON"}),
    st.just({"data": "", "encoding": "CSV"}),
    st.just({"data": "1", "encoding": "csv"}),
    st.just({"data": "1\r\n", "encoding": "CSV"}),
    st.just({"data": None, "encoding": "CSV"}),
    st.just({"data": 5, "encoding": "CSV"}),
    st.none(),
)


@st.composite
def captured_files(draw: st.DrawFn) -> list[list[dict[str, Any]]]:
    sides = draw(
        st.sampled_from([("endpointInput", "endpointOutput"), ("endpointInput",), ("endpointOutput",)])
    )
    fixed = {side: draw(PLAIN) for side in sides}
    files = []
    for _ in range(draw(st.integers(1, 5))):
        odd = draw(st.integers(0, 3)) == 0
        payload = {
            side: st.one_of(*[PLAIN] * 4, ODD) if odd else st.sampled_from([fixed[side]]) for side in sides
        }
        records: list[dict[str, Any]] = []
        for _ in range(draw(st.integers(1, 4))):
            record: dict[str, Any] = {
                "captureData": {side: draw(payload[side]) for side in sides},
                "eventMetadata": {"inferenceTime": "2026-11-23T00:00:00Z"},
            }
            if odd and draw(st.integers(0, 5)) == 0:
                record["groundTruthData"] = draw(st.sampled_from([None, {"data": "1", "encoding": "CSV"}]))
            if odd and draw(st.integers(0, 20)) == 0:
                del record["captureData"]
            records.append(record)
        files.append(records)
    return files


def _outcome(path: Path, *, in_blocks: bool) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jsonl, "_MANY_LINES", 1 if in_blocks else 10**9)
        patch.setattr(jsonl, "_BLOCK_BYTES", 300)
        try:
            source = open_source(path, format="sagemaker", batch_rows=3)
        except DriftlineError:
            return "refused"
        batches = [batch for part in source.parts for batch in part.read(range(len(source.fields)))]
        columns = [
            [value for batch in batches for value in batch.arrays[column].to_pylist()]
            for column in range(len(source.fields))
        ]
        return source.fields, source.named, columns, source.notes


@settings(max_examples=300)
@given(captured_files())
def test_blocks_and_single_records_agree(
    tmp_path_factory: pytest.TempPathFactory, files: list[list[dict[str, Any]]]
) -> None:
    folder = tmp_path_factory.mktemp("c")
    for number, records in enumerate(files):
        text = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
        (folder / f"{number}.jsonl").write_text(text)
    assert _outcome(folder, in_blocks=True) == _outcome(folder, in_blocks=False)


def _block(*records: Any) -> list[Lines]:
    text = "".join(json.dumps(record) + "\n" for record in records)
    return [Lines("f", 1, len(records), text.encode())]


def _record(request: str | None, answer: str | None, **other: Any) -> dict[str, Any]:
    sides = {"endpointInput": request, "endpointOutput": answer}
    capture = {name: {"data": data, "encoding": "CSV"} for name, data in sides.items() if data is not None}
    return {"captureData": capture, **other}


def test_plain_records_pass() -> None:
    found = csv_block(_block(_record("1,,x", "0.5\n"), _record("2,,y\n", "0.6")))
    assert found is not None
    assert (found.n_rows, found.merged) == (2, 0)
    assert [array.to_pylist() for _, array in found.outputs] == [["0.5", "0.6"]]
    assert [array.to_pylist() for _, array in found.inputs] == [["1", "2"], [None, None], ["x", "y"]]
    found = csv_block(_block(_record("1", None, groundTruthData={"data": "1"})))
    assert found is not None
    assert (found.outputs, found.merged) == ((), 1)


@pytest.mark.parametrize(
    "record",
    [
        _record("1,2", "0.5"),
        _record("1\n2", "0.5"),
        _record('"1"', "0.5"),
        _record("", "0.5"),
        _record("1", None),
        _record(None, None),
        {"captureData": {"endpointInput": {"data": "1", "encoding": "JSON"}}},
        {"captureData": None},
        {},
        {"captureData": {**_record("1", "2")["captureData"], "batchTransformOutput": {"data": "1"}}},
        _record("1", "2", groundTruthData={"data": "1"}),
    ],
)
def test_anything_odd_needs_a_closer_look(record: Any) -> None:
    assert csv_block(_block(_record("1", "0.5"))) is not None
    assert csv_block(_block(_record("1", "0.5"), record)) is None
