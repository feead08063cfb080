"""Rows: one spelling for equal labels, numbers with validity, and errors that name their place."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.capture.open import open_source
from driftline.errors import SchemaError
from driftline.monitor.rows import Encoder, Rows, canonical, column_of, lists_of, numbers_of, rows_of

if TYPE_CHECKING:
    from pathlib import Path


def one_batch(table: Any, *names: str) -> Rows:
    [rows] = rows_of(open_source(table), names or pa.table(table).column_names)
    return rows


def labels(table: dict[str, Any], *, booleans: Any = "number") -> dict[str, list[str | None]]:
    rows = one_batch(pa.table(table))
    encoder = Encoder(booleans=booleans)
    found = {}
    for name in table:
        codes = encoder.codes(rows, name)
        found[name] = [None if code < 0 else encoder.texts[code] for code in codes.tolist()]
    return found


def test_equal_labels_of_different_types_are_one() -> None:
    found = labels(
        {
            "int": [1, 0, None],
            "float": [1.0, 0.0, math.nan],
            "text": ["1", "0", ""],
            "decimal": ["1.0", "0.0", "nan"],
            "bool": [True, False, None],
            "word": ["True", "false", None],
            "small": pa.array([1, 0, None], pa.uint8()),
            "dictionary": pa.array(["1", "0", None]).dictionary_encode(),
        }
    )
    assert all(values == ["1", "0", None] for values in found.values()), found


def test_booleans_may_be_words() -> None:
    found = labels({"a": [True, False], "b": ["TRUE", "False"], "c": [1, 0]}, booleans="word")
    assert found == {"a": ["True", "False"], "b": ["True", "False"], "c": ["1", "0"]}


def test_codes_are_no_numbers() -> None:
    assert [
        canonical(text) for text in ("007", "7", " 7.0 ", "+7", "1e3", "1_000", "-", ".", "e5", "0x1")
    ] == [
        "007",
        "7",
        "7",
        "7",
        "1000",
        "1_000",
        "-",
        ".",
        "e5",
        "0x1",
    ]
    assert canonical("1e999") == "1e999"
    assert canonical(2**70) == str(2**70)
    assert canonical(0.1 + 0.2) == "0.30000000000000004"


@given(st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()))
def test_a_spelling_is_its_own_spelling(value: Any) -> None:
    text = canonical(value)
    assert text is None or canonical(text) == text


@given(st.lists(st.one_of(st.none(), st.integers(-(2**40), 2**40)), min_size=1, max_size=30))
def test_whole_numbers_look_alike_however_they_are_stored(values: list[int | None]) -> None:
    as_texts = [None if v is None else str(v) for v in values]
    found = labels(
        {
            "a": pa.array(values, pa.int64()),
            "b": pa.array(values, pa.float64()),
            "c": pa.array(as_texts, pa.string()),
        }
    )
    assert found["a"] == found["b"] == found["c"] == as_texts


def test_too_many_labels_are_refused() -> None:
    rows = one_batch({"x": np.arange(50) / 7})
    with pytest.raises(SchemaError, match=r"E-CLASSES: .*x: has more than 10 different values"):
        Encoder(10).codes(rows, "x")
    assert len(Encoder(50).codes(rows, "x")) == 50


def test_labels_of_a_strange_type_are_refused() -> None:
    rows = one_batch({"x": pa.array([[1], [2]])})
    with pytest.raises(SchemaError, match="E-CLASSES"):
        Encoder().codes(rows, "x")


def test_numbers_come_with_their_validity() -> None:
    rows = one_batch(
        {
            "float": pa.array([1.5, None, math.nan, math.inf]),
            "text": ["1.5", "", " 2e1 ", "+3"],
            "bool": [True, False, None, True],
            "nothing": pa.nulls(4),
        }
    )
    found = numbers_of(rows, "float")
    assert found.values.tolist() == [1.5, 0.0, 0.0, 0.0]
    assert found.valid.tolist() == [True, False, False, False]
    assert found.n_infinite == 1
    assert numbers_of(rows, "text").values.tolist() == [1.5, 0.0, 20.0, 3.0]
    assert numbers_of(rows, "text").valid.tolist() == [True, False, True, True]
    assert numbers_of(rows, "bool").values.tolist() == [1.0, 0.0, 0.0, 1.0]
    assert not numbers_of(rows, "nothing").valid.any()


def test_a_word_among_numbers_is_named_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x\n1\ntwo\n")
    [rows] = rows_of(open_source(tmp_path / "a.csv"), ["x"])
    with pytest.raises(SchemaError, match=r"E-NUMBER: .*a\.csv: x: holds 'two' in row 2, which is no number"):
        numbers_of(rows, "x")
    with pytest.raises(SchemaError, match="E-NUMBER"):
        numbers_of(one_batch({"x": pa.array([[1.0]])}), "x")


@pytest.mark.parametrize(
    "column",
    [
        pa.array([[0.1, 0.9], None, [0.5, None]]),
        pa.FixedSizeListArray.from_arrays(
            pa.array([0.1, 0.9, 0.0, 0.0, 0.5, None]), 2, mask=pa.array([False, True, False])
        ),
        pa.array([[0.1, 0.9], None, [0.5, None]], pa.large_list(pa.float32())),
        pa.array(["[0.1, 0.9]", "", "[0.5, null]"]),
    ],
)
def test_lists_come_with_their_validity(column: pa.Array) -> None:
    found = lists_of(one_batch({"x": column}), "x", 2)
    np.testing.assert_allclose(found.values, [[0.1, 0.9], [0.0, 0.0], [0.0, 0.0]], rtol=1e-6)
    assert found.valid.tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (pa.array([[0.1, 0.9], [1.0]]), "holds a list of 1, expected 2 numbers"),
        (pa.array(["[0.1, 0.9]", "[1]"]), "a list of 1, expected a list of 2"),
        (pa.array(["[0.1, 0.9]", "maybe"]), "'maybe'"),
        (pa.array(["[0.1, 0.9]", '["a", "b"]']), "something else than numbers"),
        (pa.array([1.0, 2.0]), "expected lists of 2 numbers"),
        (pa.array([["a", "b"]]), "lists of string"),
    ],
)
def test_a_list_of_another_length_is_refused(column: pa.Array, message: str) -> None:
    with pytest.raises(SchemaError, match=f"E-LIST: .*{message}"):
        lists_of(one_batch({"x": column}), "x", 2)


def test_a_missing_column_is_named_with_the_nearest() -> None:
    source = open_source({"label": [1], "score": [0.5]})
    with pytest.raises(SchemaError, match=r"E-COLUMNS: .*lable: .* as label; did you mean 'label'"):
        column_of(source, "lable", role="label")
    with pytest.raises(SchemaError, match="the columns are label, score"):
        list(rows_of(source, ["zzz"]))


def test_a_column_may_be_numbered(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1,0.5\n0,0.25\n")
    source = open_source(tmp_path / "a.csv")
    [rows] = rows_of(source, ["0", "_c1"])
    assert numbers_of(rows, "_c1").values.tolist() == [0.5, 0.25]
    assert numbers_of(rows, "0").values.tolist() == [1.0, 0.0]
    with pytest.raises(SchemaError, match="E-COLUMNS"):
        column_of(source, "2")


def test_every_row_is_read_once() -> None:
    source = open_source(pa.table({"x": np.arange(1000)}), batch_rows=64)
    batches = list(rows_of(source, ["x", "x"]))
    assert sum(rows.n_rows for rows in batches) == 1000
    assert len(batches) > 10
    assert np.concatenate([numbers_of(rows, "x").values for rows in batches]).tolist() == list(range(1000))
    stream = pa.table({"x": [1, 2]}).to_reader()
    assert [rows.n_rows for rows in rows_of(open_source(stream), ["x"])] == [2]
