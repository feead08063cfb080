from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest
from captured import HOUR, JSON, NOON, body, csv, event, halves
from hypothesis import given
from hypothesis import strategies as st

from driftline.capture import seal
from driftline.capture.columns import MAX_COLUMNS
from driftline.capture.event import Event, Payload
from driftline.capture.seal import decoded, joined_halves, side_of, tables_of
from driftline.capture.tables import META, is_textual, one_table
from driftline.errors import SourceError


def table_of(*events: Event, **names: Any) -> pa.Table:
    tables, rejected = tables_of(events, **names)
    assert rejected == []
    ((found),) = tables.values()
    table = one_table(found)
    table.validate(full=True)
    return table


def codes(*events: Event) -> list[str]:
    return [r.code for r in tables_of(events)[1]]


def rest(table: pa.Table) -> dict[str, list[Any]]:
    return {name: table[name].to_pylist() for name in table.column_names if name not in META.names}


# --- columns


def test_the_columns_about_an_event() -> None:
    table = table_of(
        event(
            "a", at=NOON + 7, time=NOON, inference_id="i", model_version="v1", attributes={"k": "1", "é": "2"}
        )
    )
    assert table.schema.names[: len(META)] == META.names
    assert [f.type for f in table.schema][: len(META)] == [f.type for f in META]
    row = table.to_pylist()[0]
    assert (row["_event_id"], row["_row"], row["_side"]) == ("a", 0, "both")
    assert (row["_inference_id"], row["_model_version"]) == ("i", "v1")
    assert row["_attributes"] == [("k", "1"), ("é", "2")]
    assert table["_time"].cast(pa.int64()).to_pylist() == [NOON]
    assert table["_received"].cast(pa.int64()).to_pylist() == [NOON + 7]


def test_an_event_without_a_time_has_that_of_its_arrival() -> None:
    assert table_of(event("a", at=NOON + 7, time=None))["_time"].cast(pa.int64()).to_pylist() == [NOON + 7]


def test_columns_have_types() -> None:
    table = table_of(
        event("a", input=body({"b": True, "i": 1, "f": 0.5, "t": "x", "n": None, "m": 1})),
        event("b", input=body({"b": None, "i": 2, "f": 1, "t": "y", "n": None, "m": "1"})),
    )
    types = [table.schema.field(name).type for name in ("b", "i", "f", "t", "n", "m")]
    assert types == [pa.bool_(), pa.int64(), pa.float64(), pa.string(), pa.null(), pa.string()]
    assert [name for name in table.column_names if is_textual(table.schema.field(name))] == ["m"]
    assert rest(table)["m"] == ["1", "1"]


def test_a_column_that_some_lack_is_null_there() -> None:
    assert rest(table_of(event("a", input=body({"x": 1})), event("b", input=body({"y": 2})))) == {
        "x": [1, None],
        "y": [None, 2],
        "p": [0.25, 0.25],
    }


def test_positions_get_names() -> None:
    made = event("a", input=csv("1,x"), output=csv("0.5"))
    assert list(rest(table_of(made))) == ["_c0", "_c1", "prediction"]
    assert list(rest(table_of(replace(made, output=csv("0.5,0.5"))))) == [
        "_c0",
        "_c1",
        "prediction_0",
        "prediction_1",
    ]
    named = table_of(made, input_names={"churn": ["age", "name"]}, output_names={"churn": ["p"], "x": ["q"]})
    assert list(rest(named)) == ["age", "name", "p"]
    assert list(rest(table_of(made, input_names={"churn": ["age"]}))) == ["age", "_c1", "prediction"]


def test_names_that_are_taken() -> None:
    table = table_of(
        event(
            "a",
            input=body({"_time": 1, "p": 2, "output.p": 3, "input._time": 4}),
            output=body({"p": 5, "_row": 6}),
        )
    )
    assert rest(table) == {
        "input._time": [1],
        "p": [2],
        "output.p": [3],
        "input.input._time": [4],
        "output.p_": [5],
        "output._row": [6],
    }


@given(
    st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=8), st.integers(0, 9), max_size=6),
    st.dictionaries(
        st.text(st.characters(codec="utf-8"), max_size=8) | st.sampled_from(META.names), st.integers(0, 9)
    ),
)
def test_no_name_loses_a_value(inputs: dict[str, int], outputs: dict[str, int]) -> None:
    tables, rejected = tables_of([event("a", input=body(inputs), output=body(outputs))])
    assert not rejected
    ((table,),) = tables.values()
    values = rest(table)
    assert sorted(v for (v,) in values.values()) == sorted([*inputs.values(), *outputs.values()])
    assert len(set(table.column_names)) == table.num_columns


def test_several_rows_of_an_event() -> None:
    table = table_of(
        event("a", input=csv("1\n2\n3"), output=csv("0.1,0.2,0.3")),
        event("b", input=csv("4\n5"), output=csv("9")),
    )
    assert table["_event_id"].to_pylist() == ["a"] * 3 + ["b"] * 2
    assert table["_row"].to_pylist() == [0, 1, 2, 0, 1]
    assert rest(table)["_c0"] == [1, 2, 3, 4, 5]
    assert [v for v in rest(table)["prediction"] if v is not None] == [0.1, 0.2, 0.3, 9, 9]


def test_sides() -> None:
    both = event("a")
    assert [side_of(e) for e in (both, replace(both, output=None), replace(both, input=None))] == [
        "both",
        "input",
        "output",
    ]
    table = table_of(both, replace(both, output=None), replace(both, input=None))
    assert rest(table) == {"a": [1, 1, None], "b": [0.5, 0.5, None], "p": [0.25, None, 0.25]}


def test_tables_are_by_endpoint_variant_and_hour() -> None:
    events = [
        event("a", at=NOON),
        event("b", at=NOON + HOUR - 1),
        event("c", at=NOON + HOUR),
        event("d", at=NOON - 1),
        event("e", variant="red"),
        event("f", endpoint="other"),
        event("g", at=-1),
    ]
    tables, rejected = tables_of(events)
    assert not rejected
    hour = NOON // HOUR
    assert {key: [i for t in found for i in t["_event_id"].to_pylist()] for key, found in tables.items()} == {
        ("churn", "AllTraffic", -1): ["g"],
        ("churn", "AllTraffic", hour - 1): ["d"],
        ("churn", "AllTraffic", hour): ["a", "b"],
        ("churn", "AllTraffic", hour + 1): ["c"],
        ("churn", "red", hour): ["e"],
        ("other", "AllTraffic", hour): ["f"],
    }


# --- what is rejected


@pytest.mark.parametrize("few", [1, 10**6])
@pytest.mark.parametrize(
    ("odd", "code"),
    [
        (event("x", input=csv("1\n2,3")), "E-PAYLOAD"),
        (event("x", input=Payload(JSON, b"")), "E-PAYLOAD"),
        (event("x", input=Payload(JSON, b"[]"), output=Payload(JSON, b"[]")), "E-PAYLOAD"),
        (event("x", input=Payload(JSON, b"{}", is_truncated=True)), "E-PAYLOAD"),
        (event("x", input=body({"a": [1]})), "E-NESTED"),
        (event("x", input=body({"a": 10**400})), "E-PAYLOAD"),
        (event("x", input=Payload(JSON, b'{"a": "\\ud800"}')), "E-VALUE"),
        (event("x", input=Payload(JSON, b'{"\\ud800": 1}')), "E-VALUE"),
        (event("x\ud800"), "E-VALUE"),
        (event("x", inference_id="\ud800"), "E-VALUE"),
        (event("x", model_version="\udfff"), "E-VALUE"),
        (event("x", attributes={"\ud800": "1"}), "E-VALUE"),
        (event("x", attributes={"a": 3}), "E-VALUE"),
        (event("x", time=10**18), "E-TIME"),
        (event("x", time=-(10**18)), "E-TIME"),
        (event("x", at=10**18, time=0), "E-TIME"),
        (event("x", time=2**70), "E-TIME"),
        (event("x", endpoint="../x"), "E-NAME"),
        (event("x", endpoint=""), "E-NAME"),
        (event("x", endpoint="é"), "E-NAME"),
        (event("x", variant="a/b"), "E-NAME"),
    ],
)
def test_an_odd_event_is_rejected_and_the_others_are_not(
    odd: Event, code: str, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seal, "_FEW", few)
    good = [event(f"e{n}") for n in range(5)]
    tables, rejected = tables_of([*good[:3], odd, *good[3:]])
    # An event may look good on one side, in the shape of which its inputs are null.
    if odd.input is not None and odd.input.data == b"":
        assert not rejected
        return
    assert [r.code for r in rejected] == [code]
    assert Event.unpack(rejected[0].event) == odd
    rejected[0].reason.encode("ascii", "strict") if "\\u" in rejected[0].reason else rejected[
        0
    ].reason.encode()
    assert "\n" not in rejected[0].reason
    assert sorted(i for found in tables.values() for t in found for i in t["_event_id"].to_pylist()) == [
        e.id for e in good
    ]


def test_all_of_them_odd() -> None:
    tables, rejected = tables_of([event(f"{n}", input=body({"a": [n]})) for n in range(600)])
    assert tables == {}
    assert len(rejected) == 600


def test_a_table_does_not_grow_without_end() -> None:
    wide = body({f"x{n}": n for n in range(MAX_COLUMNS + 1)})
    assert codes(event("a", input=wide)) == ["E-COLUMNS"]
    assert codes(event("a", input=csv("," * MAX_COLUMNS + "1"))) == ["E-COLUMNS"]
    events = [event(f"{n}", input=body({f"{n}-{k}": 1 for k in range(100)})) for n in range(100)]
    tables, rejected = tables_of(events)
    ((table,),) = tables.values()
    assert table.num_columns <= MAX_COLUMNS + len(META)
    assert {r.code for r in rejected} == {"E-COLUMNS"}
    assert table.num_rows + len(rejected) == 100


def test_decoded_says_why() -> None:
    with pytest.raises(SourceError, match="2 rows and the answer 3"):
        decoded(event("a", input=csv("1\n2"), output=csv("1\n2\n3")))
    with pytest.raises(SourceError, match="no row"):
        decoded(Event("a", "x", "y", 0))


# --- halves


def test_halves_are_joined_in_either_order() -> None:
    ask, answer = halves("a", inference_id="i")
    answer = replace(answer, model_version="v", attributes={"k": "answer", "l": "2"}, inference_id="j")
    ask = replace(ask, attributes={"k": "ask"}, time=NOON - 3)
    for order in ([ask, answer], [answer, ask]):
        (joined,) = joined_halves(order)
        assert (joined.input, joined.output) == (ask.input, answer.output)
        assert (joined.received, joined.time) == (NOON, NOON - 3)
        assert (joined.inference_id, joined.model_version) == ("i", "v")
        assert joined.attributes == {"k": "ask", "l": "2"}
        assert not joined.is_half


def test_halves_of_others_are_not_joined() -> None:
    ask, answer = halves("a")
    for other in (
        replace(answer, id="b"),
        replace(answer, endpoint="other"),
        replace(answer, variant="red"),
        replace(answer, is_half=False),
        ask,
    ):
        assert joined_halves([ask, other]) == [ask, other]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 1))))
def test_every_half_ends_in_one_event(picked: list[tuple[str, int]]) -> None:
    events = [halves(name)[side] for name, side in picked]
    joined = joined_halves(events)
    for name in "abc":
        mine = [e for e in joined if e.id == name]
        asks, answers = picked.count((name, 0)), picked.count((name, 1))
        assert sum(e.input is not None for e in mine) == asks
        assert sum(e.output is not None for e in mine) == answers
        assert len(mine) == max(asks, answers)
