"""Columns become a matrix and become columns again, whatever they hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.documents import Node, decode, encode
from driftline.errors import SchemaError
from driftline.monitor.attribution.encoding import Encoding, fit_encoding, read_encoding

CELLS = st.tuples(
    st.none() | st.floats(allow_nan=False, width=32),
    st.none() | st.integers(-(2**53), 2**53),
    st.none() | st.booleans(),
    st.none() | st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5),
)


@given(st.lists(CELLS, min_size=1, max_size=20))
def test_there_and_back(cells: list[tuple[Any, ...]]) -> None:
    types = {"x": pa.float64(), "i": pa.int64(), "b": pa.bool_(), "t": pa.string()}
    columns = [
        pa.array(column, kind) for column, kind in zip(zip(*cells, strict=True), types.values(), strict=True)
    ]
    table = pa.table(columns, names=list(types))
    full = [name for name in types if table.column(name).null_count < len(cells)]
    encoding = fit_encoding(table, full)
    matrix, same, notes = encoding.encode(table)
    assert (same, notes) == (encoding, ())
    assert encoding.rows(matrix) == [
        list(row) for row in zip(*(table.column(n).to_pylist() for n in full), strict=True)
    ]


def test_texts_of_csv_are_numbers_where_all_are() -> None:
    table = pa.table({"a": ["1", "", " 2.5 "], "b": ["1", "x", None], "c": ["7", "8", "9"]})
    encoding = fit_encoding(table, ["a", "b", "c"], [True] * 3)
    assert [f.kind for f in encoding.features] == ["number", "text", "integer"]
    matrix, _, _ = encoding.encode(table)
    np.testing.assert_array_equal(matrix[:, 0], [1.0, np.nan, 2.5])
    np.testing.assert_array_equal(matrix[:, 1], [0.0, 1.0, np.nan])


def test_texts_of_a_typed_column_stay_texts() -> None:
    encoding = fit_encoding(pa.table({"zip": ["01234", "99999"]}), ["zip"])
    assert encoding.features[0].kind == "text"


def test_a_new_text_goes_behind_the_known_ones() -> None:
    encoding = fit_encoding(pa.table({"t": ["b", "d"]}), ["t"])
    matrix, wider, notes = encoding.encode(pa.table({"t": ["a", "d", "c"]}))
    np.testing.assert_array_equal(matrix[:, 0], [2.0, 1.0, 3.0])
    assert wider.features[0].values == ("b", "d", "a", "c")
    assert notes == ("the baseline knows no t 'a', 'c'",)
    assert wider.rows(matrix) == [["a"], ["d"], ["c"]]


def test_what_is_no_number_is_missing_and_told() -> None:
    encoding = fit_encoding(pa.table({"a": ["1", "2"]}), ["a"], [True])
    matrix, _, notes = encoding.encode(pa.table({"a": ["3", "n/a", "four"]}))
    assert np.isnan(matrix[1:, 0]).all()
    assert "2 explained rows have a a that is no number ('n/a')" in notes[0]


def test_the_same_whatever_the_form_of_the_data() -> None:
    encoding = fit_encoding(
        pa.table({"t": ["1", "2", "x"], "n": ["1", "2", "3"], "b": [True, False, True]}),
        ["t", "n", "b"],
        [True, True, False],
    )
    typed, _, _ = encoding.encode(pa.table({"t": [1, 2], "n": [1, 2], "b": ["true", "False"]}))
    np.testing.assert_array_equal(typed, [[0.0, 1.0, 1.0], [1.0, 2.0, 0.0]])


def test_dictionaries_are_texts() -> None:
    table = pa.table({"t": pa.array(["a", "b", "a"]).dictionary_encode()})
    encoding = fit_encoding(table, ["t"])
    np.testing.assert_array_equal(encoding.encode(table)[0][:, 0], [0.0, 1.0, 0.0])


def test_columns_have_the_types_they_had(mixed: Encoding) -> None:
    columns = mixed.columns(np.array([[1.5, 3.0, 1.0, 0.0], [2.0, 4.0, 0.0, 2.0]]))
    assert [columns[name].dtype.kind for name in mixed.names] == ["f", "i", "b", "O"]
    with_gaps = mixed.columns(np.full((1, 4), np.nan))
    assert [with_gaps[name].dtype.kind for name in mixed.names] == ["f", "f", "f", "O"]
    assert with_gaps["city"][0] is None


def test_document(mixed: Encoding) -> None:
    text = encode(mixed.document())
    assert read_encoding(Node(decode(text), "x")) == mixed


def test_background_rows(mixed: Encoding) -> None:
    matrix, wider = mixed.encode_rows([[1.0, "39", True, "Graz"], [None, 40, False, "Wien"]])
    np.testing.assert_array_equal(matrix, [[1.0, 39.0, 1.0, 3.0], [np.nan, 40.0, 0.0, 2.0]])
    assert wider.features[3].values[-1] == "Graz"
    with pytest.raises(SchemaError, match="no number, which this feature is"):
        mixed.encode_rows([["much", 1, True, "Wien"]])


def test_an_empty_column_is_no_feature() -> None:
    with pytest.raises(SchemaError, match="has no value"):
        fit_encoding(pa.table({"a": pa.array([None, None], pa.float64())}), ["a"])
    with pytest.raises(SchemaError, match="has no value"):
        fit_encoding(pa.table({"a": ["", None]}), ["a"], [True])
