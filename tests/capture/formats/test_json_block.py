from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftline.capture.formats import jsonl
from driftline.capture.formats.json_block import parsed, read_lines
from driftline.capture.open import open_source
from driftline.capture.source import place_of
from driftline.capture.text import Lines
from driftline.capture.values import Kinds
from driftline.errors import DriftlineError

if TYPE_CHECKING:
    from pathlib import Path

TEXT = st.one_of(
    st.sampled_from(["", "x", "1", "2020-01-01", "2020-01-01T00:00:00Z", "true", "é", "\x00", '"', "\\"]),
    st.text(st.characters(codec="utf-8"), max_size=3),
)
NUMBER = st.one_of(
    st.integers(-3, 3),
    st.sampled_from([2**53 + 1, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 10**30]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([1.0, -0.0, 1e300, 9.223372036854775e18]),
)
KINDS = [
    NUMBER,
    TEXT,
    st.booleans(),
    st.none(),
    st.integers(-3, 3),
    st.dictionaries(TEXT, NUMBER, max_size=2),
]
# Columns mostly keep to one kind, as real ones do, so that blocks often pass.
RECORD = st.fixed_dictionaries(
    {},
    optional={
        "a": st.integers(-(2**63), 2**63 - 1) | st.none(),
        "b": st.floats(allow_nan=False, allow_infinity=False),
        "t": TEXT | st.none(),
        "u": st.booleans(),
        "v": st.sampled_from(["2020-01-01", "2021-12-31 10:00:00"]),
    },
)
ODD_RECORD = st.dictionaries(st.sampled_from(["a", "b", "t", "u", "v", "w", "é"]), st.one_of(*KINDS))
ODD_LINE = st.sampled_from(
    [
        "",
        "  ",
        "{}",
        '{"a":NaN}',
        '{"b":-Infinity}',
        '{"a":1,"a":2}',
        '{"a":1}{"a":2}',
        '{"a":1',
        "}",
        '{"a":[1]}',
        "[1]",
        ' {"a":1}',
        '{"a":1} ',
        '{"a":01}',
        '{"a":1e999}',
        '{"t":"\\ud800"}',
        '{"t":"\t"}',
        '{"a":1e2}',
        '{"a":-0}',
        '{"b":1E5}',
        '{"a":' + "9" * 400 + "}",
        '{"\\u0061":1,"b":2.5}',
    ]
)


def _outcome(path: Path, *, in_blocks: bool) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jsonl, "_MANY_LINES", 1 if in_blocks else 10**9)
        patch.setattr(jsonl, "_BLOCK_BYTES", 150)
        try:
            source = open_source(path, format="jsonl", batch_rows=5)
        except DriftlineError:
            # Of two faults near each other, which one is told depends on where blocks end.
            return "refused"
        columns = [[repr(value) for value in _values(source, i)] for i in range(len(source.fields))]
        places = [
            place_of(part, batch, index)
            for part in source.parts
            for batch in part.read([0])
            for index in range(len(batch.arrays[0]))
        ]
        return source.fields, columns, source.notes, places


def _values(source: Any, column: int) -> list[Any]:
    return [
        value
        for part in source.parts
        for batch in part.read([column])
        for value in batch.arrays[0].to_pylist()
    ]


PLAIN_FILE = st.lists(RECORD.map(json.dumps), min_size=1, max_size=6)
ODD_FILE = st.lists(
    st.one_of(*[RECORD.map(json.dumps)] * 4, ODD_RECORD.map(json.dumps), ODD_LINE), min_size=1, max_size=6
)


@settings(max_examples=300)
@given(
    st.lists(st.one_of(PLAIN_FILE, PLAIN_FILE, PLAIN_FILE, ODD_FILE), min_size=1, max_size=6),
    st.sampled_from(["\n", "\n", "\r\n"]),
    st.booleans(),
)
def test_blocks_and_single_lines_agree(
    tmp_path_factory: pytest.TempPathFactory, files: list[list[str]], end: str, ended: bool
) -> None:
    folder = tmp_path_factory.mktemp("b")
    for number, lines in enumerate(files):
        text = end.join(lines) + (end if ended else "")
        (folder / f"{number}.jsonl").write_text(text, newline="")
    assert _outcome(folder, in_blocks=True) == _outcome(folder, in_blocks=False)


def _block(*lines: str) -> list[Lines]:
    return [Lines("f", 1, len(lines), "".join(line + "\n" for line in lines).encode())]


def test_kinds_and_order() -> None:
    columns = parsed(_block('{"b":1,"a":1.5}', '{"c":"x","n":null,"b":2}', '{"d":true}'), set())
    assert columns is not None
    assert [(name, kinds) for name, (kinds, _) in columns.items()] == [
        ("b", Kinds.INTEGER),
        ("a", Kinds.NUMBER),
        ("c", Kinds.TEXT),
        ("n", Kinds.NONE),
        ("d", Kinds.BOOLEAN),
    ]
    assert columns["b"][1].to_pylist() == [1, 2, None]


def test_times_stay_text() -> None:
    texts: set[str] = set()
    columns = parsed(_block('{"b":1,"t":"2020-01-01"}', '{"t":null}'), texts)
    assert columns is not None
    assert list(columns) == ["b", "t"]
    assert columns["t"][1].to_pylist() == ["2020-01-01", None]
    assert texts == {"t"}
    columns = parsed(_block('{"b":1}'), texts)
    assert columns is not None
    assert list(columns) == ["b"]


@pytest.mark.parametrize(
    "line",
    [
        '{"a":NaN}',
        '{"a":Infinity}',
        '{"a":9223372036854775808}',
        '{"a":1,"a":1}',
        '{"a":-0.0}',
        '{"a":{"b":1}}',
        '{"a":[1]}',
        '{"a":"x"}',
        '{"a":1}{"a":1}',
        ' {"a":1}',
        "",
        "{",
    ],
)
def test_anything_odd_needs_a_closer_look(line: str) -> None:
    assert parsed(_block('{"a":1}'), set()) is not None
    assert parsed(_block('{"a":1}', line), set()) is None


def test_bytes_that_are_not_utf8_need_a_closer_look() -> None:
    assert read_lines([Lines("f", 1, 1, b'{"a":"\xff"}\n')], pa.schema([])) is None


def test_numbers_are_exact() -> None:
    numbers = [0.1, 1e-310, 5e-324, math.pi, 123456789.123456789, 1e18]
    columns = parsed(_block(*(json.dumps({"a": number}) for number in numbers)), set())
    assert columns is not None
    assert list(map(repr, columns["a"][1].to_pylist())) == list(map(repr, numbers))
