from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.capture.schema import join, unite
from driftline.errors import SchemaError

TYPES = [
    pa.null(),
    pa.bool_(),
    pa.int8(),
    pa.int32(),
    pa.int64(),
    pa.uint8(),
    pa.uint64(),
    pa.float16(),
    pa.float32(),
    pa.float64(),
    pa.decimal128(10, 2),
    pa.decimal128(38, 10),
    pa.decimal256(76, 0),
    pa.string(),
    pa.large_string(),
    pa.string_view(),
    pa.dictionary(pa.int8(), pa.string()),
    pa.dictionary(pa.int32(), pa.large_string()),
    pa.binary(),
    pa.large_binary(),
    pa.binary_view(),
    pa.binary(4),
    pa.date32(),
    pa.date64(),
    pa.time32("ms"),
    pa.time64("ns"),
    pa.timestamp("s"),
    pa.timestamp("ns"),
    pa.timestamp("us", "UTC"),
    pa.timestamp("ms", "Europe/Rome"),
    pa.duration("s"),
    pa.list_(pa.int64()),
]


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (pa.null(), pa.bool_(), pa.bool_()),
        (pa.int8(), pa.int32(), pa.int64()),
        (pa.uint8(), pa.uint64(), pa.uint64()),
        (pa.uint64(), pa.int8(), pa.float64()),
        (pa.int32(), pa.float32(), pa.float64()),
        (pa.decimal128(10, 2), pa.decimal128(12, 5), pa.decimal128(13, 5)),
        (pa.decimal128(38, 10), pa.decimal128(38, 0), pa.decimal256(48, 10)),
        (pa.decimal128(10, 2), pa.int64(), pa.float64()),
        (pa.string_view(), pa.dictionary(pa.int8(), pa.large_string()), pa.string()),
        (pa.binary(4), pa.large_binary(), pa.binary()),
        (pa.timestamp("s"), pa.timestamp("us"), pa.timestamp("us")),
        (pa.timestamp("s", "UTC"), pa.timestamp("ns", "Asia/Tokyo"), pa.timestamp("ns", "UTC")),
        (pa.time32("s"), pa.time64("us"), pa.time64("us")),
        (pa.bool_(), pa.int8(), None),
        (pa.string(), pa.int64(), None),
        (pa.string(), pa.binary(), None),
        (pa.timestamp("s"), pa.timestamp("s", "UTC"), None),
        (pa.timestamp("s"), pa.date32(), None),
        (pa.list_(pa.int64()), pa.list_(pa.float64()), None),
    ],
)
def test_joined_types(a: pa.DataType, b: pa.DataType, expected: pa.DataType | None) -> None:
    assert join(a, b) == expected


@given(st.sampled_from(TYPES), st.sampled_from(TYPES))
def test_a_joined_type_holds_both(a: pa.DataType, b: pa.DataType) -> None:
    joined = join(a, b)
    assert (joined is None) == (join(b, a) is None)
    if joined is not None:
        assert join(joined, a) == joined
        assert join(joined, b) == joined


def test_columns_stand_in_order_of_appearance() -> None:
    union = unite(
        [
            ("1", pa.schema([("b", pa.int64()), ("a", pa.string())])),
            ("2", pa.schema([("c", pa.int64()), ("a", pa.string())])),
            ("3", pa.schema([("b", pa.int64()), ("a", pa.string())])),
        ]
    )
    assert union.names == ("b", "a", "c")
    assert union.positions == ((0, 1, None), (None, 1, 0))
    assert union.shape == (0, 1, 0)
    assert union.notes == (
        "column 'b' is missing in 1 of 3 files and null there, first in 2",
        "column 'c' is missing in 2 of 3 files and null there, first in 1",
    )


def test_joined_types_are_noted() -> None:
    union = unite([("1", pa.schema([("a", pa.int64())])), ("2", pa.schema([("a", pa.float64())]))])
    assert union.types == (pa.float64(),)
    assert union.notes == ("column 'a' has several types in different files and is read as double",)


def test_types_that_do_not_join_name_both_files_and_the_column() -> None:
    with pytest.raises(SchemaError, match="is int64 here and string in one") as caught:
        unite([("one", pa.schema([("a", pa.string())])), ("two", pa.schema([("a", pa.int64())]))])
    assert (caught.value.code, caught.value.file, caught.value.field) == ("E-TYPES", "two", "a")


def test_many_missing_columns_are_not_many_notes() -> None:
    wide = pa.schema([(f"c{i}", pa.int64()) for i in range(100)])
    union = unite([("1", wide), ("2", pa.schema([("c0", pa.int64())]))])
    assert len(union.notes) == 21
    assert union.notes[-1] == "more columns are missing in some files"


def test_repeated_names_name_the_file() -> None:
    with pytest.raises(SchemaError) as caught:
        unite([("1", pa.schema([("a", pa.int64())])), ("2", pa.schema([("a", pa.int64())] * 2))])
    assert caught.value.file == "2"
