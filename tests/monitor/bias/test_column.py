"""Columns of every Arrow type, and what they hold."""

from __future__ import annotations

import datetime as dt
import decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.errors import SchemaError
from driftline.monitor.bias.column import Column, Dtype, column_of, joined


def held(column: Column) -> list:
    """Return the values, None where missing."""
    words, codes = column.distinct()
    return [None if code < 0 else words[code] for code in codes]


REPEATED = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2, 3]), ["x", None, "x", "y"])


@pytest.mark.parametrize(
    ("array", "dtype", "values"),
    [
        (pa.array([1, None, 3], pa.int8()), Dtype.INTEGER, [1, None, 3]),
        (pa.array([1, 2], pa.uint64()), Dtype.INTEGER, [1, 2]),
        (pa.array([1, 2**64 - 1], pa.uint64()), Dtype.FLOAT, [1.0, 2.0**64]),
        (pa.array([1.5, None, float("nan")], pa.float32()), Dtype.FLOAT, [1.5, None, None]),
        (pa.array([True, None]), Dtype.BOOLEAN, [True, None]),
        (pa.array(["b", None, "a", "b"]), Dtype.TEXT, ["b", None, "a", "b"]),
        (pa.array(["b", "a"], pa.large_string()), Dtype.TEXT, ["b", "a"]),
        (pa.array(["b", None], pa.string_view()), Dtype.TEXT, ["b", None]),
        (pa.array([None, None]), Dtype.TEXT, [None, None]),
        (pa.array(["b", None, "a"]).dictionary_encode(), Dtype.CATEGORY, ["b", None, "a"]),
        (REPEATED, Dtype.CATEGORY, ["x", None, "x", "y"]),
        (pa.DictionaryArray.from_arrays(pa.array([1, None]), [7, 8]), Dtype.CATEGORY, [8, None]),
        (pa.array([decimal.Decimal("1.50")]), Dtype.FLOAT, [1.5]),
        (pa.array([dt.date(2024, 1, 2)]), Dtype.TEXT, ["2024-01-02"]),
        (pa.chunked_array([["a"], ["b", "a"]]), Dtype.TEXT, ["a", "b", "a"]),
        (pa.chunked_array([], pa.int64()), Dtype.INTEGER, []),
    ],
    ids=lambda v: str(getattr(v, "type", "")),
)  # fmt: skip
def test_every_plain_type_is_held(array: pa.Array, dtype: Dtype, values: list) -> None:
    column = column_of("c", array)
    assert column.dtype is dtype
    assert held(column) == values
    assert column.n_rows == len(values)
    assert column.n_missing == values.count(None)
    assert column.n_distinct == len({*values} - {None})
    assert column.first() == (values[0] if values else None)


@pytest.mark.parametrize(
    ("texts", "dtype", "values"),
    [
        (["1", "-2", " 3 "], Dtype.INTEGER, [1, -2, 3]),
        (["1", "", "NA"], Dtype.INTEGER, [1, None, None]),
        (["1", "2.5", "1e3"], Dtype.FLOAT, [1.0, 2.5, 1000.0]),
        (["1.5", "nan"], Dtype.FLOAT, [1.5, None]),
        (["True", "false"], Dtype.BOOLEAN, [True, False]),
        (["true", None], Dtype.BOOLEAN, [True, None]),
        (["1", "x"], Dtype.TEXT, ["1", "x"]),
        (["", "x"], Dtype.TEXT, ["", "x"]),
        (["", ""], Dtype.TEXT, ["", ""]),
        (["01", "9223372036854775808"], Dtype.FLOAT, [1.0, 2.0**63]),
    ],
)
def test_texts_of_a_file_are_read_as_what_they_spell(texts: list, dtype: Dtype, values: list) -> None:
    column = column_of("c", pa.array(texts), textual=True)
    assert (column.dtype, held(column)) == (dtype, values)
    assert column_of("c", pa.array(texts)).dtype is Dtype.TEXT


@pytest.mark.parametrize("array", [pa.array([[1]]), pa.array([b"x"]), pa.array([{"a": 1}])])
def test_nested_and_binary_values_are_refused(array: pa.Array) -> None:
    with pytest.raises(SchemaError, match="neither numbers, texts nor booleans") as caught:
        column_of("c", array)
    assert caught.value.field == "c"


@given(values=st.lists(st.one_of(st.none(), st.integers(-3, 3)), max_size=30))
def test_values_are_numbered_in_order_of_appearance(values: list) -> None:
    for array in (
        pa.array(values, pa.int64()),
        pa.array([None if v is None else str(v) for v in values], pa.string()),
    ):
        column = column_of("c", array)
        words, _ = column.distinct()
        assert [str(word) for word in words] == [str(v) for v in dict.fromkeys(values) if v is not None]
        assert [None if v is None else int(v) for v in held(column)] == values
        assert np.array_equal(
            column.numbers(), np.array([np.nan if v is None else v for v in values], float), equal_nan=True
        )


@given(values=st.lists(st.one_of(st.none(), st.sampled_from("abc")), min_size=1, max_size=20), data=st.data())
def test_some_rows_are_the_column_of_these_rows(values: list, data: st.DataObject) -> None:
    rows = data.draw(st.lists(st.integers(0, len(values) - 1)))
    some = column_of("c", pa.array(values, pa.string())).take(np.array(rows, np.int64))
    assert held(some) == [values[i] for i in rows]
    assert some.n_distinct == len({values[i] for i in rows} - {None})
    numbers = column_of("c", pa.array(range(len(values)))).take(np.array(rows, np.int64))
    assert held(numbers) == rows


def test_texts_that_are_no_numbers_have_none() -> None:
    column = column_of("c", pa.array(["1", "x", None, "2.5"]))
    assert np.array_equal(column.numbers(), [1, np.nan, np.nan, 2.5], equal_nan=True)
    assert not column.is_integral_text
    assert column_of("c", pa.array(["1", "2"])).is_integral_text
    assert not column_of("c", pa.array([None], pa.string())).is_integral_text
    assert not column_of("c", pa.array([1])).is_integral_text


def test_columns_are_crossed() -> None:
    sex = column_of("sex", pa.array(["F", "M", "F", None, "F"]))
    race = column_of("race", pa.array([1, 2, 2, 1, None], pa.int64()))
    old = column_of("old", pa.array([True, True, False, True, True]))
    assert held(joined("both", [sex, race])) == ["F & 1", "M & 2", "F & 2", None, None]
    assert held(joined("all", [sex, race, old])) == [
        "F & 1 & True",
        "M & 2 & True",
        "F & 2 & False",
        None,
        None,
    ]
    assert joined("both", [sex, race]).n_distinct == 3
