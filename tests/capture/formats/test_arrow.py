from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.dataset as pads
import pytest

from driftline.capture.formats import arrow as module
from driftline.capture.open import open_source
from driftline.errors import SchemaError, SourceError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Values = Callable[[Any], dict[str, list[Any]]]

DATA = {"a": [1, None, 3], "s": ["x", "é", None]}


class _Stream:
    def __init__(self, table: pa.Table) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._table.__arrow_c_stream__(requested_schema)


class _Array:
    def __init__(self, batch: pa.RecordBatch) -> None:
        self._batch = batch

    def __arrow_c_array__(self, requested_schema: object = None) -> object:
        return self._batch.__arrow_c_array__(requested_schema)


FORMS = {
    "table": (lambda: pa.table(DATA), True),
    "batch": (lambda: pa.record_batch(DATA), True),
    "reader": (lambda: pa.table(DATA).to_reader(), False),
    "stream": (lambda: _Stream(pa.table(DATA)), False),
    "array": (lambda: _Array(pa.record_batch(DATA)), True),
    "polars": (lambda: pl.DataFrame(DATA), True),
    "lazy": (lambda: pl.LazyFrame(DATA), True),
    "duckdb": (lambda: duckdb.from_arrow(pa.table(DATA)), False),
    "dataset": (lambda: pads.dataset(pa.table(DATA)), True),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("batch_rows", [1, 2, 100])
def test_all_forms_hold_the_same_rows(values: Values, form: str, batch_rows: int) -> None:
    make, columnar = FORMS[form]
    source = open_source(make(), batch_rows=batch_rows)
    assert values(source) == DATA
    assert source.columnar is columnar
    assert source.named
    assert source.sources == ()


@pytest.mark.parametrize("form", [name for name in FORMS if FORMS[name][1]])
def test_columnar_forms_are_read_again_in_any_order(form: str) -> None:
    source = open_source(FORMS[form][0]())
    for _ in range(2):
        (batch,) = source.parts[0].read([1, 0, 1])
        assert [array.to_pylist() for array in batch.arrays] == [DATA["s"], DATA["a"], DATA["s"]]


@pytest.mark.parametrize("form", ["reader", "stream", "duckdb"])
def test_a_stream_is_read_once(values: Values, form: str) -> None:
    source = open_source(FORMS[form][0]())
    values(source)
    with pytest.raises(SourceError, match="read already") as caught:
        values(source)
    assert caught.value.code == "E-STREAM"


def test_chunks_and_parts_do_not_matter(monkeypatch: pytest.MonkeyPatch, values: Values) -> None:
    monkeypatch.setattr(module, "_PART_ROWS", 10)
    pieces = [3, 9, 0, 1, 14, 20]
    start = [sum(pieces[:i]) for i in range(len(pieces))]
    a = pa.chunked_array([list(range(s, s + n)) for s, n in zip(start, pieces, strict=True)], pa.int64())
    b = pa.chunked_array([[str(i) for i in range(40)], [str(i) for i in range(40, 47)]])
    source = open_source(pa.table({"a": a, "b": b}), batch_rows=4)
    assert len(source.parts) == 5
    assert values(source) == {"a": list(range(47)), "b": [str(i) for i in range(47)]}
    assert [batch.first_row for part in source.parts for batch in part.read([0])][:4] == [0, 4, 8, 10]


def test_dictionaries_of_different_chunks_are_joined(values: Values) -> None:
    column = pa.chunked_array([pa.array(["x", "y"]).dictionary_encode(), pa.array(["z"]).dictionary_encode()])
    assert values(open_source(pa.table({"a": column}))) == {"a": ["x", "y", "z"]}


def test_threads_may_share_a_source() -> None:
    source = open_source(pa.table({str(i): range(300_000) for i in range(8)}))

    def total(column: int) -> int:
        return sum(batch.arrays[0].to_numpy().sum() for part in source.parts for batch in part.read([column]))

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(total, range(8))) == {sum(range(300_000))}


@pytest.mark.parametrize(
    "values_in",
    [
        pa.array([1, None], pa.decimal128(5, 2)),
        pa.array([0, 1], pa.timestamp("ns", "Asia/Kathmandu")),
        pa.array([[1], None]),
        pa.array([{"x": 1}, None]),
        pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int64())),
        pa.array([b"\xff", None]),
        pa.array([2**64 - 1, 0], pa.uint64()),
        pa.array([0, 1], pa.float16()),
        pa.array(["x", None], pa.string_view()),
        pa.array([0, 1], pa.duration("s")),
        pa.array([b"0123456789abcdef"] * 2, pa.binary(16)).cast(pa.uuid()),
        pa.nulls(2),
    ],
)
def test_types_are_delivered_as_they_are(values: Values, values_in: pa.Array) -> None:
    source = open_source(pa.table({"a": values_in}))
    assert source.fields[0].type == values_in.type
    assert values(source)["a"] == values_in.to_pylist()


def test_no_rows(values: Values) -> None:
    schema = pa.schema([("a", pa.int64())])
    assert open_source(schema.empty_table()).parts == ()
    assert values(open_source(pa.RecordBatchReader.from_batches(schema, []))) == {"a": []}
    assert values(open_source(pads.dataset(schema.empty_table()))) == {"a": []}


@pytest.mark.parametrize("make", [lambda t: t, lambda t: t.to_reader(), pads.dataset])
def test_bad_schemas(make: Callable[[pa.Table], Any]) -> None:
    with pytest.raises(SchemaError, match="no columns"):
        open_source(make(pa.table({})))
    with pytest.raises(SchemaError, match="two columns"):
        open_source(make(pa.Table.from_arrays([pa.array([1])] * 2, names=["a", "a"])))


def test_a_stream_of_no_table() -> None:
    with pytest.raises(SourceError) as caught:
        open_source(pa.chunked_array([[1, 2]]))
    assert caught.value.code == "E-ARROW"


def test_a_stream_that_breaks_off() -> None:
    def batches() -> Any:
        yield pa.record_batch({"a": [1]})
        raise pa.ArrowInvalid("the line\nwent dead")

    schema = pa.schema([("a", pa.int64())])
    source = open_source(pa.RecordBatchReader.from_batches(schema, batches()))
    reader = source.parts[0].read([0])
    next(reader)
    with pytest.raises(SourceError, match="went dead"):
        next(reader)


def test_a_dataset_keeps_its_partitions_and_filter(tmp_path: Path, values: Values) -> None:
    table = pa.table({"a": [1, 2, 3, 4], "y": [2025, 2025, 2026, 2026]})
    pads.write_dataset(table, tmp_path, format="parquet", partitioning=["y"], partitioning_flavor="hive")
    dataset = pads.dataset(tmp_path, partitioning="hive")
    source = open_source(dataset)
    assert values(source) == {"a": [1, 2, 3, 4], "y": [2025, 2025, 2026, 2026]}
    assert len(source.sources) == 2
    assert values(open_source(dataset.filter(pads.field("a") > 1)))["a"] == [2, 3, 4]
    next(tmp_path.rglob("*.parquet")).write_bytes(b"PAR1 no more PAR1")
    with pytest.raises(SourceError):
        values(source)
