from __future__ import annotations

import decimal
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from driftline.capture.open import open_source
from driftline.errors import SchemaError, SourceError

if TYPE_CHECKING:
    from collections.abc import Callable

    Values = Callable[[Any], dict[str, list[Any]]]

SERIES = {
    "whole": (pd.Series([1, 2]), pa.int64(), [1, 2]),
    "float": (pd.Series([1.5, np.nan]), pa.float64(), [1.5, None]),
    "float32": (pd.Series([1.5, np.nan], dtype="float32"), pa.float32(), [1.5, None]),
    "infinite": (pd.Series([np.inf, -0.0]), pa.float64(), [math.inf, -0.0]),
    "bool": (pd.Series([True, False]), pa.bool_(), [True, False]),
    "text": (pd.Series(["x", None]), pa.large_string(), ["x", None]),
    "object": (pd.Series(["x", None], dtype=object), pa.string(), ["x", None]),
    "nullable": (pd.Series([1, None], dtype="Int64"), pa.int64(), [1, None]),
    "category": (
        pd.Series(["x", None], dtype="category"),
        pa.dictionary(pa.int8(), pa.large_string()),
        ["x", None],
    ),
    "decimal": (
        pd.Series([decimal.Decimal("1.5"), None]),
        pa.decimal128(2, 1),
        [decimal.Decimal("1.5"), None],
    ),
    "none": (pd.Series([None, None], dtype=object), pa.null(), [None, None]),
    "arrow": (pd.Series([1, None], dtype=pd.ArrowDtype(pa.int32())), pa.int32(), [1, None]),
    "big-endian": (pd.Series(np.array([1, 2], dtype=">i4")), pa.int32(), [1, 2]),
    "list": (pd.Series([[1], None]), pa.list_(pa.int64()), [[1], None]),
}


@pytest.mark.parametrize("name", SERIES)
def test_pandas_types(values: Values, name: str) -> None:
    series, kind, expected = SERIES[name]
    source = open_source(pd.DataFrame({"a": series}))
    assert source.fields[0].type == kind
    assert not source.fields[0].textual
    assert values(source)["a"] == expected
    assert values(open_source({"a": series}))["a"] == expected


def test_times_are_delivered_as_times() -> None:
    frame = pd.DataFrame(
        {
            "t": pd.to_datetime(["2020-01-01", None]),
            "z": pd.to_datetime(["2020-01-01", None]).tz_localize("Asia/Kathmandu"),
            "d": pd.to_timedelta(["1s", None]),
        }
    )
    source = open_source(frame)
    kinds = [field.type for field in source.fields]
    assert pa.types.is_timestamp(kinds[0])
    assert kinds[1].tz == "Asia/Kathmandu"
    assert pa.types.is_duration(kinds[2])
    (batch,) = source.parts[0].read([0, 1, 2])
    assert [array.null_count for array in batch.arrays] == [1, 1, 1]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ([1, "x", 2.5, None, True], ["1", "x", "2.5", None, "true"]),
        ([1, 1.5, np.nan, "a"], ["1", "1.5", None, "a"]),
        ([b"\xff", 1], ["\\xff", "1"]),
        ([object, 1], ["<class 'object'>", "1"]),
        ([[1], 2], ["[1]", "2"]),
        ([pd.NaT, "x", pd.NA, 1], [None, "x", None, "1"]),
        ([np.float64(2.5), np.int64(3), "x"], ["2.5", "3", "x"]),
    ],
)
def test_mixed_columns_are_text(values: Values, column: list[Any], expected: list[Any]) -> None:
    source = open_source(pd.DataFrame({"a": pd.Series(column, dtype=object)}))
    assert source.fields[0].type == pa.string()
    assert source.fields[0].textual
    assert values(source)["a"] == expected


def test_whole_numbers_beyond_int64_are_floats(values: Values) -> None:
    source = open_source(pd.DataFrame({"a": pd.Series([2**70, 1], dtype=object)}))
    assert source.fields[0].type == pa.float64()
    assert values(source)["a"] == [2.0**70, 1.0]


def test_text_that_is_not_unicode_is_named() -> None:
    with pytest.raises(SourceError, match="surrogate") as caught:
        open_source({"a": ["x", "\ud800"]})
    assert (caught.value.code, caught.value.field, caught.value.line) == ("E-VALUE", "a", 2)


def test_the_index_is_no_column(values: Values) -> None:
    frame = pd.DataFrame({"id": [7, 8], "a": [1, 2]}).set_index("id")
    source = open_source(frame)
    assert values(source) == {"a": [1, 2]}
    assert source.notes == ("the index 'id' is no column; reset_index() makes it one",)
    assert open_source(frame.reset_index()).notes == ()


def test_the_index_in_a_table_is_no_column(values: Values) -> None:
    frame = pd.DataFrame({"a": [1, 2, 3]}, index=[5, 9, 1])
    source = open_source(pa.Table.from_pandas(frame))
    assert values(source) == {"a": [1, 2, 3]}
    assert "index" in source.notes[0]


def test_names_become_text() -> None:
    frame = pd.DataFrame([[1, 2, 3]], columns=pd.Index([0, True, "x"], dtype=object))
    assert [field.name for field in open_source(frame).fields] == ["0", "True", "x"]
    frame = pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "b"), ("c", "")]))
    assert [field.name for field in open_source(frame).fields] == ["a.b", "c"]
    with pytest.raises(SchemaError, match="two columns"):
        open_source(pd.DataFrame([[1, 2]], columns=[1, "1"]))
    with pytest.raises(SchemaError, match="two columns"):
        open_source(pd.DataFrame([[1, 2]], columns=["a", "a"]))


def test_subclasses_and_slices(values: Values) -> None:
    class Frame(pd.DataFrame):
        pass

    frame = Frame({"a": range(10), "b": [str(i) for i in range(10)]})[2:9:3]
    assert values(open_source(frame)) == {"a": [2, 5, 8], "b": ["2", "5", "8"]}


@pytest.mark.parametrize("batch_rows", [1, 1000, 131_072])
def test_large_frames_come_in_parts(values: Values, batch_rows: int) -> None:
    n = 300_000 if batch_rows > 1 else 50
    frame = pd.DataFrame({"a": np.arange(n), "b": np.where(np.arange(n) % 3, np.arange(n), np.nan)})
    source = open_source(frame, batch_rows=batch_rows)
    found = values(source)
    assert found["a"] == list(range(n))
    assert found["b"] == [float(i) if i % 3 else None for i in range(n)]


def test_mappings(values: Values) -> None:
    source = open_source(
        {
            "list": [1, None],
            "numpy": np.array([1.5, np.nan]),
            "arrow": pa.chunked_array([["x"], ["y"]]),
            "polars": pl.Series(["x", None]),
            "tuple": (True, None),
            "words": np.array(["x", "y"]),
            3: range(2),
        }
    )
    found = values(source)
    assert math.isnan(found["numpy"].pop())
    assert found == {
        "list": [1, None],
        "numpy": [1.5],
        "arrow": ["x", "y"],
        "polars": ["x", None],
        "tuple": [True, None],
        "words": ["x", "y"],
        "3": [0, 1],
    }


@pytest.mark.parametrize(
    ("data", "kind", "text"),
    [
        ({"a": [1], "b": [1, 2]}, SchemaError, "has 2 values, but 'a' has 1"),
        ({"a": np.zeros((2, 2))}, SourceError, "2 dimensions"),
        ({"a": np.zeros(())}, SourceError, "0 dimensions"),
        ({"a": np.array([["x"]])}, SourceError, "2 dimensions"),
        ({"a": 5}, SourceError, "type int"),
        ({"a": "text"}, SourceError, "type str"),
        ({}, SchemaError, "no columns"),
        (pd.DataFrame(), SchemaError, "no columns"),
        (pd.DataFrame(index=[1, 2]), SchemaError, "no columns"),
    ],
)
def test_refusals(data: Any, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        open_source(data)


def test_no_rows(values: Values) -> None:
    assert values(open_source(pd.DataFrame({"a": pd.Series([], dtype="float64")}))) == {"a": []}
    assert values(open_source({"a": []})) == {"a": []}


def test_odd_dtypes() -> None:
    frame = pd.DataFrame(
        {
            "period": pd.period_range("2020-01", periods=2, freq="M"),
            "interval": pd.interval_range(0, 2),
            "complex": [1j, 2j],
            "sparse": pd.arrays.SparseArray([0, 1]),
            "half": np.array([1, 2], dtype="float16"),
        }
    )
    source = open_source(frame)
    (batch,) = source.parts[0].read(range(5))
    assert [len(array) for array in batch.arrays] == [2] * 5
    assert source.fields[2].type == pa.string()
