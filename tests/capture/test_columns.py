from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from captured import JSON, body, csv, event
from hypothesis import example, given, settings
from hypothesis import strategies as st

from driftline.capture import columns, seal
from driftline.capture.columns import MAX_COLUMNS, columns_of
from driftline.capture.event import Payload
from driftline.capture.seal import tables_of
from driftline.capture.tables import is_textual, one_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from driftline.capture.event import Event


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return (math.isnan(a) and math.isnan(b)) or (a == b and math.copysign(1, a) == math.copysign(1, b))
    return type(a) is type(b) and bool(a == b)


def _both(events: Sequence[Event]) -> tuple[list[pa.Table], list[pa.Table], list[Any], list[Any]]:
    """Take events apart at once, and one by one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seal, "_FEW", 1)
        quick, quick_rejected = tables_of(events)
        patch.setattr(seal, "columns_of", lambda _: None)
        slow, slow_rejected = tables_of(events)
    assert list(quick) == list(slow)
    flat = [[t for tables in found.values() for t in tables] for found in (quick, slow)]
    return flat[0], flat[1], quick_rejected, slow_rejected


def agree(events: Sequence[Event]) -> None:
    quick, slow, quick_rejected, slow_rejected = _both(events)
    assert sorted(r.event for r in quick_rejected) == sorted(r.event for r in slow_rejected)
    if len(quick) != 1:
        # Taken apart by halves, each with types of its own: what is joined may be written otherwise.
        assert sum(t.num_rows for t in quick) == sum(t.num_rows for t in slow)
        return
    (a,), (b,) = quick, slow
    assert a.column_names == b.column_names
    for name in a.column_names:
        assert a.schema.field(name).type == b.schema.field(name).type, name
        assert is_textual(a.schema.field(name)) == is_textual(b.schema.field(name)), name
        assert all(map(_same, a[name].to_pylist(), b[name].to_pylist())), name
        a[name].validate(full=True)


NAMES = st.sampled_from(
    ["a", "b", "c", "a.b", "é", "", " ", "instances", "_time", "prediction", "p", '"', "A"]
)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=6) | st.sampled_from(
    [
        "",
        "1",
        "2020-01-01",
        "2020-01-01T00:00:00Z",
        "12:30:00",
        "nan",
        "true",
        "null",
        "\\",
        "a:b",
        "}\n{",
        "\u2028",
    ]
)
NUMBERS = (
    st.integers(-3, 3)
    | st.integers(-(2**70), 2**70)
    | st.sampled_from([2**53, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**64, 10**30])
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([0.0, -0.0, 1.0, 1e300, 5e-324, 2.0**63, 1e22])
)
ONE_KIND = st.sampled_from([st.booleans(), st.integers(-99, 99), NUMBERS, TEXTS, st.floats(-9, 9)])


@st.composite
def alike(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Objects whose values are mostly of one kind by name."""
    kinds = {name: draw(ONE_KIND) for name in draw(st.lists(NAMES, unique=True, max_size=4))}
    return [
        {name: draw(st.none() | kind if draw(st.booleans()) else kind) for name, kind in kinds.items()}
        for _ in range(draw(st.integers(1, 6)))
    ]


VALUES = st.none() | st.booleans() | NUMBERS | TEXTS
OBJECTS = st.lists(st.dictionaries(NAMES, VALUES, max_size=4), min_size=1, max_size=6)


def events_of(payloads: Sequence[Payload], outputs: Sequence[Payload] | None = None) -> list[Event]:
    return [
        event(f"e{n}", input=p, output=outputs[n] if outputs else body({"out": n}))
        for n, p in enumerate(payloads)
    ]


@settings(max_examples=300)
@given(alike() | OBJECTS, st.booleans(), st.sampled_from([None, 2]))
@example([{"a": 1}, {"a": 2**63}], False, None)
@example([{"a": -0.0}, {"a": 1.5}], False, None)
@example([{"a": 1}, {}], False, None)
@example([{}, {}], False, None)
@example([{"a": None}, {"a": None}], False, None)
@example([{"a": "2020-01-01"}, {"a": None}], True, None)
@example([{"b": 1, "a": 1}, {"a": 1, "c": 2, "b": 1}], True, None)
def test_json_at_once_is_as_one_by_one(
    objects: list[dict[str, Any]], ascii_only: bool, indent: int | None
) -> None:
    data = [json.dumps(o, ensure_ascii=ascii_only, indent=indent).encode() for o in objects]
    agree(events_of([Payload(JSON, d) for d in data]))


RAW = st.sampled_from(
    [
        *['{"a":1}', '{"a" : 1.0}', '{"a":1e400}', '{"a":-0}', '{"a":-0.0}', '{"a":NaN}'],
        *['{"a":Infinity}', '{"a":01}', '{"a":1,"a":2}', '{"a":"\\ud800"}', '{"a":"\\u0000"}'],
        *['{"a":[1]}', '{"a":{"b":1}}', "{}", "[]", '[{"a":1}]', ' {"a":1} ', '{"a":1}\n', '\n{"a":1}'],
        *['{"a":1}\r\n', '{"a":1}{"a":2}', '\ufeff{"a":1}', "", " ", "null", "3", '{"a":"x\ty"}'],
        *['{"\\ud800":1}', '{"a":12345678901234567890}', '{"a":1.7976931348623159e308}', '{"a":true}'],
        *['{"instances":[1]}', '{"instances":3}', '{"a":"}\\n{"}', "{'a':1}", '{"a":1,}', '{"a":tru}'],
        *['{"a":"\\x"}'],
    ]
)


@settings(max_examples=300)
@given(st.lists(RAW, min_size=1, max_size=5))
def test_odd_json_at_once_is_as_one_by_one(bodies: list[str]) -> None:
    agree(events_of([Payload(JSON, text.encode()) for text in bodies]))


CELLS = (
    st.sampled_from(
        ["", "1", "-1", "0", "-0", "007", "08", "0.5", "1.", ".5", "1e5", "1E-3", "nan", "NaN", "-inf"]
    )
    | st.sampled_from(
        ["Infinity", "inf", "x", "é", "1_0", " 1", "1 ", "+1", "+0.5", "true", "None", "0x10", "١٢", "²"]
    )
    | st.sampled_from(
        ["9223372036854775807", "9223372036854775808", "-9223372036854775809", "1e400", "00", "-007"]
    )
    | st.sampled_from(
        ["1234567890123456789", "12345678901234567890", "0.1e99999", "a;b", "1\t2", "2020-01-01", "\\N"]
    )
    | st.integers(-(2**66), 2**66).map(str)
    | st.floats().map(repr)
)
COLUMN = st.sampled_from(
    [
        st.sampled_from(["1", "22", "-3", "1234567890123456789", "9223372036854775807"]),
        st.sampled_from(["1", "-0", "9223372036854775808"]),
        st.sampled_from(["0.5", "1", "nan", ""]),
        st.sampled_from(["007", "008", ""]),
        st.sampled_from(["007", "8", ""]),
        CELLS,
    ]
)


@st.composite
def lines(draw: st.DrawFn) -> list[str]:
    kinds = draw(st.lists(COLUMN, min_size=1, max_size=4))
    end = draw(st.sampled_from(["", "\n"]))
    return [",".join(draw(kind) for kind in kinds) + end for _ in range(draw(st.integers(1, 6)))]


@settings(max_examples=400)
@given(lines())
@example(["1,", ",2"])
@example(["", "1"])
@example([" ", "1"])
@example(["1", "\ufeff2"])
@example(["9223372036854775808", "-0"])
@example(["+1", "2.5"])
def test_csv_at_once_is_as_one_by_one(texts: list[str]) -> None:
    agree(events_of([csv(text) for text in texts], [csv("0.5") for _ in texts]))


ODD_LINES = st.sampled_from(
    [
        *["1,2", "1,2\n", "1,2\r\n", "1\r2,3", '"1",2', '"a,b",2', "1", "1,2,3", "1,2\n3,4", "", " "],
        *["\n", ",", '"', "\x00,1", "1,2\n\n", "\n1,2", "\ufeff1,2", "a b,c d"],
    ]
)


@settings(max_examples=300)
@given(st.lists(ODD_LINES, min_size=1, max_size=5))
def test_odd_csv_at_once_is_as_one_by_one(texts: list[str]) -> None:
    agree(events_of([csv(text) for text in texts]))


def test_the_quick_way_is_taken() -> None:
    assert columns_of([body({"a": n, "b": "x"}) for n in range(3)]) is not None
    assert columns_of([csv(f"{n},x\n") for n in range(3)]) is not None
    found = columns_of([csv("1,x,0.5,007,,a"), csv("2,y,nan,8,,1")])
    assert found is not None
    assert [(array.type, textual) for array, textual in found.values()] == [
        (pa.int64(), False),
        (pa.string(), False),
        (pa.float64(), False),
        (pa.string(), True),
        (pa.null(), False),
        (pa.string(), True),
    ]


@pytest.mark.parametrize(
    "payloads",
    [
        [None, body({"a": 1})],
        [body({"a": 1}), csv("1")],
        [Payload(JSON, b'{"a":1}', is_truncated=True)],
        [Payload("text/csv; header=present", b"1")],
        [Payload("application/json;Inference-HEADER-Content-Length=3", b"{}")],
        [Payload("image/png", b"1")],
        [Payload("text/csv", b"\xff")],
    ],
)
def test_anything_else_is_for_a_closer_look(payloads: list[Payload | None]) -> None:
    assert columns_of(payloads) is None


def test_names_that_all_differ_are_not_given_columns_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "parsed", lambda *_: pytest.fail("would fill the memory"))
    assert columns_of([body({f"{n}-{k}": 1 for k in range(10)}) for n in range(500)]) is None
    few = [body({"a": 1}) for _ in range(3000)]
    assert columns_of([*few, body({f"x{k}": 1 for k in range(2 * MAX_COLUMNS)})]) is None
    assert columns_of([csv("," * MAX_COLUMNS)]) is None


def test_texts_with_colons_are_parsed_at_once() -> None:
    payloads = [body({"a": "x" if n else "12:30:00" * 5000}) for n in range(50)]
    assert columns_of(payloads) is not None


def test_chunks_are_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seal, "_AT_ONCE", 10)
    monkeypatch.setattr(seal, "_FEW", 2)
    events = [event(f"e{n}", input=csv("1,x" if n < 15 else "0.5,y")) for n in range(30)]
    tables, rejected = tables_of(events)
    assert not rejected
    ((found),) = tables.values()
    assert len(found) > 1
    table = one_table(found)
    assert table["_c0"].to_pylist() == [1.0] * 15 + [0.5] * 15
    assert table["_event_id"].to_pylist() == [e.id for e in events]


def test_one_odd_event_does_not_make_the_others_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = []
    real = seal.decoded
    monkeypatch.setattr(seal, "decoded", lambda e: looked.append(e) or real(e))
    bodies = [body({"a": n}) for n in range(2000)]
    bodies[777] = body({"a": [1]})
    tables, rejected = tables_of(events_of(bodies))
    assert [r.code for r in rejected] == ["E-NESTED"]
    assert sum(t.num_rows for found in tables.values() for t in found) == 1999
    assert len(looked) < 4 * seal._FEW
