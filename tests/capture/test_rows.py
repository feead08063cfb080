from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.capture import rows as module
from driftline.capture.rows import RowTable, from_rows
from driftline.capture.source import Field, Place, place_of
from driftline.capture.spool import Spool
from driftline.errors import SchemaError, SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Values = Callable[[Any], dict[str, list[Any]]]

ROW = st.dictionaries(
    st.sampled_from("abcd"), st.one_of(st.none(), st.integers(-5, 5), st.just(1.5), st.just("x"))
)


def _placed(rows: list[Any], file: str = "f") -> list[tuple[Place, Mapping[str, Any]]]:
    return [(Place(file, number), row) for number, row in enumerate(rows, start=1)]


@given(st.lists(ROW, min_size=1).filter(any), st.integers(1, 7))
def test_batches_do_not_matter(values: Values, rows: list[dict[str, Any]], batch_rows: int) -> None:
    whole = from_rows(_placed(rows))
    cut = from_rows(_placed(rows), batch_rows=batch_rows)
    assert whole.fields == cut.fields
    assert values(whole) == values(cut)
    for part in cut.parts:
        assert all(len(batch.arrays[0]) <= batch_rows for batch in part.read([0]))


@given(st.lists(ROW, min_size=1).filter(any))
def test_rows_come_back(values: Values, rows: list[dict[str, Any]]) -> None:
    source = from_rows(_placed(rows))
    found = values(source)
    order = list(dict.fromkeys(key for row in rows for key in row))
    assert [field.name for field in source.fields] == order
    for name, column in found.items():
        expected = [row.get(name) for row in rows]
        assert [value is None for value in column] == [value is None for value in expected]
        kind = next(field for field in source.fields if field.name == name)
        if kind.type == pa.string():
            assert column == [None if value is None else str(value) for value in expected]
        else:
            assert column == expected


def test_parts_are_read_in_any_order(monkeypatch: pytest.MonkeyPatch, values: Values) -> None:
    monkeypatch.setattr(module, "_PART_ROWS", 100)
    monkeypatch.setattr(module, "_BLOCK_ROWS", 30)
    source = from_rows(_placed([{"a": i, "b": str(i)} for i in range(1000)]), batch_rows=40)
    assert len(source.parts) > 5
    forwards = values(source)
    backwards = [
        value
        for part in reversed(source.parts)
        for value in reversed([v for batch in part.read([1]) for v in batch.arrays[0].to_pylist()])
    ]
    assert forwards["a"] == list(range(1000))
    assert backwards == [str(i) for i in reversed(range(1000))]


def test_columns_in_any_order_and_twice() -> None:
    source = from_rows(_placed([{"a": 1, "b": 2}]))
    (batch,) = source.parts[0].read([1, 0, 1])
    assert [array.to_pylist() for array in batch.arrays] == [[2], [1], [2]]


def test_every_row_knows_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BLOCK_ROWS", 3)
    sizes = {"a": 2, "b": 7, "c": 1}
    rows = [
        (Place(file, line + 10), {"file": file, "row": line})
        for file, n in sizes.items()
        for line in range(n)
    ]
    source = from_rows(rows, sources=list(sizes), batch_rows=4)
    seen = 0
    for part in source.parts:
        assert part.source == "a"
        for batch in part.read([0, 1]):
            for index in range(len(batch.arrays[0])):
                file, row = place_of(part, batch, index)
                assert (file, row) == (batch.arrays[0][index].as_py(), batch.arrays[1][index].as_py())
                seen += 1
    assert seen == 10


def test_one_file_needs_no_runs() -> None:
    source = from_rows(_placed([{"a": 1}] * 10), batch_rows=3)
    batches = list(source.parts[0].read([0]))
    assert [batch.first_row for batch in batches] == [0, 3, 6, 9]
    assert all(batch.runs == () for batch in batches)


def test_much_goes_to_a_file(values: Values) -> None:
    table = RowTable(1000)
    table._spool = Spool(in_memory=1000)
    for place, row in _placed([{"a": i, "b": f"text {i}"} for i in range(5000)]):
        table.add(place, row)
    source = table.finish({"a": "a", "b": "b"}, label="rows", sources=(), named=True)
    assert values(source) == {"a": list(range(5000)), "b": [f"text {i}" for i in range(5000)]}


def test_written_text_is_textual() -> None:
    table = RowTable()
    table.add(Place("f", 1), {"a": "1", "b": "1", "c": None})
    keys = {"a": "a", "b": "b", "c": "c"}
    source = table.finish(keys, label="x", sources=(), named=False, written={"a", "c"})
    assert source.fields == (
        Field("a", pa.string(), True),
        Field("b", pa.string(), False),
        Field("c", pa.string(), True),
    )


def test_a_bad_value_is_named_with_its_place() -> None:
    rows = [*_placed([{"a": 1}] * 10), (Place("g", 77), {"a": 1, "b": object()})]
    with pytest.raises(SourceError, match="type object") as caught:
        from_rows(rows)
    error = caught.value
    assert (error.code, error.file, error.line, error.field) == ("E-VALUE", "g", 77, "b")


def test_no_rows() -> None:
    with pytest.raises(SourceError, match="no rows") as caught:
        from_rows([], label="after the preprocessor")
    assert caught.value.code == "E-NO-DATA"


def test_rows_without_columns() -> None:
    with pytest.raises(SchemaError, match="no columns"):
        from_rows(_placed([{}, {}]))


def test_a_key_that_is_no_text() -> None:
    with pytest.raises(SchemaError, match="expected text"):
        from_rows(_placed([{1: 2}]))


def test_too_many_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_COLUMNS", 10)
    with pytest.raises(SchemaError, match="more than 10") as caught:
        from_rows(_placed([{f"c{i}": 1} for i in range(20)]))
    assert caught.value.line == 11


def test_big_whole_numbers_are_noted() -> None:
    source = from_rows(_placed([{"a": 2**64}, {"a": 1}]))
    assert source.fields[0].type == pa.float64()
    assert source.notes == ("column 'a' holds whole numbers beyond int64 and is read as float64",)
