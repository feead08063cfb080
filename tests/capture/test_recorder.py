"""What a program records comes back as it was given, or the call is refused and nothing is kept."""

from __future__ import annotations

import json
import os
import uuid
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import driftline as dl
from driftline.capture import recorder as recorder_module
from driftline.capture.captures import Captures, Limits
from driftline.capture.recorder import Recorder
from driftline.capture.tables import META, is_textual
from driftline.capture.window import window
from driftline.errors import DriftlineError, SourceError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    captures = Captures(tmp_path / "captures", seal_in="thread", limits=Limits(group_seconds=0.0))
    with captures, Recorder(captures, "churn") as opened:
        yield opened


def table(recorder: Recorder) -> pa.Table:
    assert recorder.captures.seal()
    stats = recorder.captures.stats()
    assert (stats.balance, stats.waiting) == (0, 0)
    found = window(recorder.captures.archive.target.name, recorder.endpoint, 0, 1 << 52).table()
    assert found.num_rows == stats.stored
    return found


def columns(recorder: Recorder) -> dict[str, list[Any]]:
    """Return the values of the columns that are not about the event."""
    found = table(recorder)
    return {name: found[name].to_pylist() for name in found.column_names if name not in META.names}


FRAME = {"age": [31, 40], "city": ["Bonn", None], "is_new": [True, False], "spend": [1.5, 2.0]}

TABLES = {
    "dict of lists": FRAME,
    "dict of tuples": {name: tuple(values) for name, values in FRAME.items()},
    "dict of arrays": {
        "age": np.array([31, 40], np.int16),
        "city": pa.array(["Bonn", None]).dictionary_encode(),
        "is_new": pd.Series([True, False]),
        "spend": pl.Series([1.5, 2.0], dtype=pl.Float32),
    },
    "list of dicts": [dict(zip(FRAME, row, strict=True)) for row in zip(*FRAME.values(), strict=True)],
    "pandas": pd.DataFrame(FRAME),
    "pandas, categories": pd.DataFrame(FRAME).astype({"city": "category", "age": "int8"}),
    "polars": pl.DataFrame(FRAME),
    "polars, lazy": pl.LazyFrame(FRAME),
    "arrow": pa.table(FRAME),
    "record batch": pa.RecordBatch.from_pydict(FRAME),
    "a stream": pa.table(FRAME).to_reader(),
    "structs": pa.array([dict(zip(FRAME, row, strict=True)) for row in zip(*FRAME.values(), strict=True)]),
}


@pytest.mark.parametrize("name", TABLES)
def test_tables_of_all_sorts_are_the_same(recorder: Recorder, name: str) -> None:
    ids = recorder.log(TABLES[name], {"score": [0.1, 0.2]}, ids=["a", "b"])
    assert ids == ["a", "b"]
    assert columns(recorder) == {**FRAME, "score": [0.1, 0.2]}
    found = table(recorder)
    types = [found.schema.field(name).type for name in FRAME]
    assert types == [pa.int64(), pa.string(), pa.bool_(), pa.float64()]


ONE = {"age": 31, "city": "Bonn", "is_new": True, "spend": 1.5}


@pytest.mark.parametrize(
    "row",
    [
        ONE,
        {**ONE, "age": np.int8(31), "spend": np.float32(1.5), "is_new": np.bool_(True)},
        [ONE],
        pd.DataFrame([ONE]),
        pd.Series(ONE),
        pd.DataFrame([ONE]).iloc[0],
    ],
    ids=range(6),
)
@pytest.mark.parametrize(
    "answer", [0.25, [0.25], np.float64(0.25), np.array([0.25]), np.array(0.25), pa.array([0.25])]
)
def test_one_row_in_any_form(recorder: Recorder, row: Any, answer: Any) -> None:
    (name,) = recorder.log(row, answer)
    assert str(uuid.UUID(name, version=4)) == name
    assert columns(recorder) == {**{key: [value] for key, value in ONE.items()}, "prediction": [0.25]}


ANSWERS = {
    "list": [0.1, 0.2],
    "tuple": (0.1, 0.2),
    "array": np.array([0.1, 0.2]),
    "column": np.array([[0.1], [0.2]]),
    "pandas": pd.Series([0.1, 0.2]),
    "polars": pl.Series([0.1, 0.2]),
    "arrow": pa.array([0.1, 0.2]),
    "chunks": pa.chunked_array([[0.1], [0.2]]),
    "lists": [[0.1], [0.2]],
}


@pytest.mark.parametrize("name", ANSWERS)
def test_one_answer_a_row(recorder: Recorder, name: str) -> None:
    recorder.log(outputs=ANSWERS[name])
    found = table(recorder)
    assert found["prediction"].to_pylist() == [0.1, 0.2]
    assert found["_side"].to_pylist() == ["output", "output"]


@pytest.mark.parametrize("given_as", [np.asarray, list, lambda rows: [np.array(row) for row in rows]])
def test_rows_without_names(recorder: Recorder, given_as: Any) -> None:
    recorder.log(given_as([[1.0, 2.0], [3.0, 4.0]]), given_as([[0.5, 0.5], [0.25, 0.75]]))
    assert columns(recorder) == {
        "_c0": [1.0, 3.0],
        "_c1": [2.0, 4.0],
        "prediction_0": [0.5, 0.25],
        "prediction_1": [0.5, 0.75],
    }


@pytest.mark.parametrize("row", [np.array([1.5, 2.5]), [1.5, 2.5], (1.5, 2.5), np.array([1.5, 2.5], object)])
def test_an_array_of_one_dimension_is_one_row_of_inputs(recorder: Recorder, row: Any) -> None:
    recorder.log(row, 1)
    assert columns(recorder) == {"_c0": [1.5], "_c1": [2.5], "prediction": [1]}


def test_names_can_be_given(tmp_path: Path) -> None:
    with Recorder(
        tmp_path, "churn", names=["age", "spend"], output_names=["score"], seal_in="thread"
    ) as recorder:
        recorder.log(np.array([[1, 2], [3, 4]], np.uint8), [0.5, 0.25])
        assert columns(recorder) == {"age": [1, 3], "spend": [2, 4], "score": [0.5, 0.25]}
        with pytest.raises(SourceError, match="has 3 columns, and there are 2 names"):
            recorder.log(np.zeros((1, 3)))


def test_names_that_are_taken_are_told_apart(recorder: Recorder) -> None:
    recorder.log({"x": 1, "_time": 2, "output.x": 3}, {"x": 4, "_row": 5})
    assert columns(recorder) == {
        "x": [1],
        "input._time": [2],
        "output.x": [3],
        "output.x_": [4],
        "output._row": [5],
    }


def test_what_lies_inside_gets_a_dot(recorder: Recorder) -> None:
    recorder.log({"a": {"b": 1, "c": {"d": 2}}}, ids=["1"])
    recorder.log(pa.table({"a": [{"b": 3, "c": {"d": 4}}]}), ids=["2"])
    recorder.log([{"a": {"b": 5}}, {"a": {"c": {"d": 6}}}], ids=["3", "4"])
    assert columns(recorder) == {"a.b": [1, 3, 5, None], "a.c.d": [2, 4, None, 6]}


def test_values_of_several_kinds_become_marked_text(recorder: Recorder) -> None:
    recorder.log({"x": [1, "one", None, 2.5]})
    found = table(recorder)
    assert found["x"].to_pylist() == ["1", "one", None, "2.5"]
    assert is_textual(found.schema.field("x"))


def test_other_types_of_arrow_are_kept(recorder: Recorder) -> None:
    moment = datetime(2026, 11, 23, 7, tzinfo=UTC)
    recorder.log({"d": [date(2026, 11, 23)], "n": [Decimal("1.50")], "t": [moment], "u": [2**63]})
    assert columns(recorder) == {
        "d": [date(2026, 11, 23)],
        "n": [Decimal("1.50")],
        "t": [moment],
        "u": [2**63],
    }


def test_missing_values_of_pandas_are_null(recorder: Recorder) -> None:
    recorder.log(
        pd.DataFrame({"x": [1.0, np.nan], "y": pd.array([1, None], dtype="Int64"), "z": ["a", None]})
    )
    assert columns(recorder) == {"x": [1.0, None], "y": [1, None], "z": ["a", None]}


# --- facts --------------------------------------------------------------------------------------------------------------


def test_facts_of_the_events(recorder: Recorder) -> None:
    recorder.model_version = "7"
    recorder.log({"x": [1, 2]}, ids=["a", 8], inference_ids=["r1", None], times="2026-11-23T07:00:00Z")
    recorder.log(
        {"x": 3}, ids=uuid.UUID(int=5), model_version="8", attributes={"tenant": "north"}, times=1_000_000
    )
    found = table(recorder).sort_by("x")
    assert found["_event_id"].to_pylist() == ["a", "8", str(uuid.UUID(int=5))]
    assert found["_inference_id"].to_pylist() == ["r1", None, None]
    assert found["_model_version"].to_pylist() == ["7", "7", "8"]
    assert [dict(a) if a else None for a in found["_attributes"].to_pylist()] == [
        None,
        None,
        {"tenant": "north"},
    ]
    seven = datetime(2026, 11, 23, 7, tzinfo=UTC)
    assert found["_time"].to_pylist() == [seven, seven, datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)]
    assert found["_row"].to_pylist() == [0, 0, 0]
    assert found["_side"].to_pylist() == ["input"] * 3


SEVEN = datetime(2026, 11, 23, 7, tzinfo=UTC)
MICROSECONDS = int(SEVEN.timestamp()) * 1_000_000


@pytest.mark.parametrize(
    "times",
    [
        SEVEN,
        [SEVEN] * 2,
        ["2026-11-23T07:00:00+00:00", "2026-11-23T08:00:00+01:00"],
        [MICROSECONDS] * 2,
        np.array([MICROSECONDS] * 2),
        np.array(["2026-11-23T07"] * 2, "datetime64[h]"),
        np.datetime64("2026-11-23T07:00:00"),
        pd.Series([SEVEN] * 2),
        pd.DatetimeIndex([SEVEN] * 2),
        pl.Series([SEVEN] * 2),
        pa.array([SEVEN] * 2),
    ],
    ids=range(11),
)
def test_times_in_any_form(recorder: Recorder, times: Any) -> None:
    recorder.log({"x": [1, 2]}, times=times)
    assert table(recorder)["_time"].to_pylist() == [SEVEN, SEVEN]


def test_rows_without_times_are_of_now(recorder: Recorder) -> None:
    before = datetime.now(UTC)
    recorder.log({"x": 1})
    (at,) = table(recorder)["_time"].to_pylist()
    assert before.replace(microsecond=0) <= at <= datetime.now(UTC)


def test_the_same_ids_are_stored_once(recorder: Recorder) -> None:
    for _ in range(2):
        recorder.log({"x": [1, 2]}, ids=["a", "b"], times=SEVEN)
    assert table(recorder).num_rows == 2
    assert recorder.captures.stats().duplicate == 2


def test_no_rows_are_no_events(recorder: Recorder) -> None:
    assert recorder.log([], []) == []
    assert recorder.log(pd.DataFrame({"x": []}), np.empty((0, 2))) == []
    assert recorder.captures.stats().received == 0


def test_many_rows_are_one_call(recorder: Recorder) -> None:
    n = 200_000
    ids = recorder.log(np.arange(3 * n).reshape(n, 3), np.arange(n))
    assert len(set(ids)) == n
    found = table(recorder)
    assert found.num_rows == n
    assert sorted(found["_c0"].to_pylist()) == list(range(0, 3 * n, 3))


# --- what is refused ----------------------------------------------------------------------------------------------------


def _generator() -> Iterator[int]:
    yield 1


CYCLIC: dict[str, Any] = {"a": 1}
CYCLIC["self"] = CYCLIC
ENDLESS: list[Any] = [1]
ENDLESS.append(ENDLESS)

REFUSED = {
    "nothing": None,
    "bytes": b"abc",
    "a generator": _generator(),
    "an object": object(),
    "a set": {1, 2},
    "an empty dict": {},
    "an empty row": [{}],
    "a cyclic dict": CYCLIC,
    "a cyclic list": ENDLESS,
    "bytes in a row": {"x": b"abc"},
    "bytes in a list": {"x": [b"abc"]},
    "bytes in an array": np.array([[b"abc"]]),
    "bytes in a frame": pd.DataFrame({"x": [b"abc", "text"]}),
    "lists in a frame": pd.DataFrame({"x": [[1], [2]]}),
    "lists and numbers in a frame": pd.DataFrame({"x": pd.Series([[1], 2], dtype=object)}),
    "lists in arrow": pa.table({"x": [[1], [2]]}),
    "binary in arrow": pa.table({"x": pa.array([b"a"])}),
    "lists in rows": [{"x": [1, 2]}],
    "lists in lists": [[[1], [2]]],
    "values and lists": {"x": 1, "y": [1]},
    "columns of two lengths": {"x": [1], "y": [1, 2]},
    "rows of two lengths": [[1], [1, 2]],
    "three dimensions": np.zeros((1, 1, 1)),
    "records": np.zeros(2, [("x", int)]),
    "complex numbers": np.zeros((1, 1), complex),
    "a complex number": {"x": 1j},
    "objects in an array": np.array([[object()]]),
    "half a surrogate pair": {"x": "\ud800"},
    "a number that is too large": {"x": 10**400},
    "two columns of one name": pd.DataFrame([[1, 2]], columns=["x", "x"]),
    "two names that become one": [{"a.b": 1, "a": {"b": 2}}],
    "a frame without columns": pd.DataFrame(index=[1, 2]),
    "a function": len,
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("side", ["inputs", "outputs"])
def test_what_has_no_place_in_a_table_is_refused(recorder: Recorder, name: str, side: str) -> None:
    with pytest.raises(SourceError) as caught:
        recorder.log(**{side: REFUSED[name]})
    assert caught.value.code == "E-PAYLOAD"
    assert "\n" not in str(caught.value)
    assert recorder.captures.stats().received == 0


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"outputs": [1, 2, 3]}, "2 rows of inputs and 3 of outputs"),
        ({"ids": ["a"]}, "2 rows and 1 ids"),
        ({"ids": ["a", "a"]}, "the same id twice"),
        ({"ids": ["a", ""]}, "'' is no id"),
        ({"ids": ["a", "b" * 129]}, "is no id"),
        ({"ids": ["a", None]}, "None is no id"),
        ({"ids": ["a", 1.5]}, "1.5 is no id"),
        ({"ids": ["a", True]}, "True is no id"),
        ({"ids": ["a", "\udc00"]}, "is no id"),
        ({"ids": 1.5}, "ids: is a float"),
        ({"inference_ids": ["a"]}, "2 rows and 1 inference_ids"),
        ({"times": [1]}, "2 rows and 1 times"),
        ({"times": ["yesterday", "today"]}, "E-TIME"),
        ({"times": datetime(2026, 1, 1)}, "E-TIME"),  # noqa: DTZ001
        ({"times": np.array(["NaT", "NaT"], "datetime64[s]")}, "E-TIME"),
        ({"attributes": {"a": 1}}, "attributes.a"),
        ({"attributes": {"a": "b" * 1025}}, "attributes.a"),
        ({"attributes": {str(n): "" for n in range(65)}}, "more than 64"),
    ],
)
def test_facts_that_do_not_fit_are_refused(recorder: Recorder, facts: dict[str, Any], message: str) -> None:
    with pytest.raises(DriftlineError) as caught:
        recorder.log({"x": [1, 2]}, **facts)
    assert message in str(caught.value)
    assert recorder.captures.stats().received == 0


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(JSON, JSON)
def test_anything_is_kept_whole_or_refused(
    tmp_path_factory: pytest.TempPathFactory, inputs: Any, outputs: Any
) -> None:
    root = tmp_path_factory.mktemp("captures")
    with Recorder(root, "churn", seal_in="thread", limits=Limits(group_seconds=0.0)) as recorder:
        try:
            ids = recorder.log(inputs, outputs)
        except SourceError:
            ids = []
        found = table(recorder)
        assert sorted(found["_event_id"].to_pylist()) == sorted(ids)


# --- durability ---------------------------------------------------------------------------------------------------------


def test_what_is_logged_is_on_the_disk(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that knows nothing of the writer's memory sees it at once."""
    recorder.log({"x": [1, 2]})
    (log,) = recorder.captures.archive.logs.glob("*.log")
    before = log.stat().st_size
    assert before > 0
    assert recorder.log({"x": 3}, durable=False)
    assert recorder.captures.flush()
    assert log.stat().st_size > before
    assert columns(recorder) == {"x": [1, 2, 3]}


def test_a_disk_that_fails_is_told(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    from driftline.capture import wal

    def full(*_: Any) -> Any:
        raise OSError(28, os.strerror(28))

    with monkeypatch.context() as patch:
        patch.setattr(wal.os, "write", full)
        with pytest.raises(UsageError, match=r"E-WRITE.*No space left on device"):
            recorder.log({"x": [1, 2]})
        assert len(recorder.log({"x": 3}, durable=False)) == 1
        assert recorder.captures.flush()
    recorder.log({"x": 4})
    assert columns(recorder) == {"x": [4]}
    assert recorder.captures.stats().dropped == {"disk": 3}


def test_a_store_of_ones_own_is_closed(tmp_path: Path) -> None:
    with Recorder(tmp_path, "churn", seal_in="thread") as recorder:
        recorder.log({"x": 1})
    assert window(tmp_path, "churn", 0, 1 << 52).table()["x"].to_pylist() == [1]
    with pytest.raises(UsageError, match="E-WRITE"):
        recorder.log({"x": 1})


def test_names_of_endpoints_are_checked(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="E-NAME"):
        Recorder(tmp_path, "../churn")
    with pytest.raises(UsageError, match="E-NAME"):
        Recorder(tmp_path, "churn", variant=".")
    assert not list(tmp_path.iterdir())


# --- the call without an object -----------------------------------------------------------------------------------------


def test_a_call_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "_recorders", {})
    monkeypatch.chdir(tmp_path)
    (first,) = dl.capture.log({"x": 1}, 0.5, captures="captures", endpoint="churn")
    dl.capture.log({"x": [2, 3]}, captures=tmp_path / "captures", endpoint="churn", ids=["a", "b"])
    dl.capture.log({"x": 4}, captures="captures", endpoint="fraud", model_version="1")
    held = list(recorder_module._recorders.values())
    assert len({id(recorder.captures) for recorder in held}) == 1
    assert held[0].captures.close()
    found = window("captures", "churn", 0, 1 << 52).table(["_event_id", "x"])
    assert sorted(zip(*found.to_pydict().values(), strict=True)) == sorted([(first, 1), ("a", 2), ("b", 3)])


def test_a_forked_child_records_beside_its_parent(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, "churn", seal_in="thread")
    recorder.log({"x": 1}, ids="parent")
    told, tell = os.pipe()
    child = os.fork()
    if not child:  # pragma: no cover - another process
        try:
            os.write(tell, json.dumps(recorder.log({"x": [2, 3]})).encode())
        finally:
            os._exit(0)
    os.close(tell)
    with os.fdopen(told) as said:
        ids = json.loads(said.read())
    os.waitpid(child, 0)
    recorder.log({"x": 4}, ids="parent again")
    found = table(recorder)
    assert sorted(found["x"].to_pylist()) == [1, 2, 3, 4]
    assert set(ids) < set(found["_event_id"].to_pylist())
    assert recorder.close()
