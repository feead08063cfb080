from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from captured import HOUR, NOON, event
from hypothesis import given
from hypothesis import strategies as st

from driftline.capture.seal import tables_of
from driftline.capture.tables import (
    META,
    TEXTUAL,
    as_type,
    by_hour,
    checked,
    is_textual,
    one_table,
    with_names_first,
)
from driftline.errors import UsageError


def table(*events: Any, **columns: list[Any]) -> pa.Table:
    """Rows of events, with other columns in the place of their own."""
    ((found,),) = tables_of(events or [event("a")])[0].values()
    made = found.select(META.names)
    for name, values in columns.items():
        made = made.append_column(name, pa.array(values))
    return made


def test_rows_are_split_by_hour_in_order() -> None:
    times = [NOON + HOUR, NOON, NOON + 1, NOON + HOUR + 5, NOON - 1]
    made = pa.concat_tables([table(event(f"e{n}", at=at)) for n, at in enumerate(times)])
    found = {hour: piece["_event_id"].to_pylist() for hour, piece in by_hour(made)}
    assert found == {NOON // HOUR - 1: ["e4"], NOON // HOUR: ["e1", "e2"], NOON // HOUR + 1: ["e0", "e3"]}
    assert list(found) == sorted(found)
    assert list(by_hour(made.slice(0, 0))) == []


def test_no_column_is_lost() -> None:
    made = one_table([table(a=[1]), table(b=["x"]), table(a=[0.5], c=[None])])
    assert made["a"].to_pylist() == [1.0, None, 0.5]
    assert made["b"].to_pylist() == [None, "x", None]
    assert made.schema.field("c").type == pa.null()
    assert made.schema.metadata == META.metadata
    assert [made.schema.field(name) for name in META.names] == list(META)


@pytest.mark.parametrize(
    ("first", "second", "kind", "values", "textual"),
    [
        ([1], [2.5], pa.float64(), [1.0, 2.5], False),
        ([None], [2.5], pa.float64(), [None, 2.5], False),
        ([1], ["x"], pa.string(), ["1", "x"], True),
        ([1.0], ["x"], pa.string(), ["1.0", "x"], True),
        ([1e22], ["x"], pa.string(), ["1e+22", "x"], True),
        ([True], ["x"], pa.string(), ["true", "x"], True),
        ([True], [1], pa.string(), ["true", "1"], True),
        ([True], [0.5], pa.string(), ["true", "0.5"], True),
        (["x"], ["y"], pa.string(), ["x", "y"], False),
    ],
)
def test_types_are_joined(
    first: list[Any], second: list[Any], kind: pa.DataType, values: list[Any], textual: bool
) -> None:
    for order in (1, -1):
        made = one_table([table(x=first), table(x=second)][::order])
        assert made.schema.field("x").type == kind
        assert made["x"].to_pylist() == values[::order]
        assert is_textual(made.schema.field("x")) == textual


def test_a_textual_column_stays_so() -> None:
    marked = table().append_column(pa.field("x", pa.string(), metadata=TEXTUAL), pa.array(["1"]))
    assert is_textual(one_table([table(x=["y"]), marked]).schema.field("x"))
    assert is_textual(one_table([marked, table()]).schema.field("x"))
    assert one_table([marked]) is marked


VALUES = st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9) | st.text(max_size=3)


@given(
    st.lists(st.sampled_from([[1], [0.5], ["x"], [True], [None]]), min_size=1, max_size=4),
    st.permutations(range(4)),
)
def test_grouping_changes_no_type(pieces: list[list[Any]], order: list[int]) -> None:
    tables = [table(x=values) for values in pieces]
    whole = one_table(tables)
    middle = order[0] % len(tables) or len(tables)
    parts = [one_table(tables[:middle]), *([one_table(tables[middle:])] if tables[middle:] else [])]
    assert one_table(parts).schema.field("x").type == whole.schema.field("x").type


def test_dictionaries_become_text() -> None:
    assert as_type(pa.array(["a", "b"]).dictionary_encode(), pa.string()).to_pylist() == ["a", "b"]
    assert as_type(pa.array([2**53 + 1]), pa.float64()).to_pylist() == [2.0**53]


def test_names_come_first() -> None:
    made = table(x=[1])
    shuffled = made.select(["x", *reversed(META.names)])
    assert with_names_first(shuffled).column_names == [*META.names, "x"]
    assert checked(shuffled).schema.names == [*META.names, "x"]


def test_a_table_of_rows_is_accepted() -> None:
    rows = event("a", input=event("b").output)
    made = pa.concat_tables([table(event("a")), table(rows)])
    assert checked(made).num_rows == 2
    assert checked(made.slice(0, 0)).num_rows == 0
    plain = made.cast(pa.schema([f.with_nullable(True).remove_metadata() for f in made.schema]))
    assert checked(plain).schema.field("_event_id") == META.field("_event_id")
    textual = made.append_column(pa.field("x", pa.string(), metadata=TEXTUAL), pa.array(["1", "y"]))
    assert is_textual(checked(textual).schema.field("x"))


def _with(made: pa.Table, name: str, values: list[Any]) -> pa.Table:
    at = made.column_names.index(name)
    return made.set_column(
        at, pa.field(name, made.schema.field(name).type), pa.array(values, made.schema.field(name).type)
    )


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("_row", [1, 0]),
        ("_row", [0, 2]),
        ("_row", [0, -1]),
        ("_row", [0, None]),
        ("_event_id", [None, "b"]),
        ("_time", [None, NOON]),
    ],
)
def test_rows_out_of_order_are_refused(name: str, values: list[Any]) -> None:
    made = pa.concat_tables([table(event("a")), table(event("a"))])
    with pytest.raises(UsageError) as info:
        checked(_with(made, name, values))
    assert info.value.code == "E-TABLE"


def test_rows_of_one_event_stand_together() -> None:
    made = pa.concat_tables([table(event("a")), table(event("b"))])
    with pytest.raises(UsageError, match="stand together"):
        checked(_with(made, "_row", [0, 1]))
    hours = pa.concat_tables([table(event("a")), table(event("a", at=NOON + HOUR))])
    with pytest.raises(UsageError, match="stand together"):
        checked(_with(hours, "_row", [0, 1]))


def test_a_table_that_lacks_something_is_refused() -> None:
    for made in (
        table().drop_columns(["_side"]),
        pa.table({"a": [1]}),
        table(x=[1]).append_column("x", pa.array([1])),
        table().set_column(0, "_event_id", pa.array([b"\xff"])),
    ):
        with pytest.raises(UsageError) as info:
            checked(made)
        assert info.value.code == "E-TABLE"
