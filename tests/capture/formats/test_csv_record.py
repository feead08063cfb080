from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.capture.formats import csv_record
from driftline.capture.formats.csv_record import fault, records, split
from driftline.errors import SourceError

CELL = st.text(st.sampled_from('ab1,;"\n\r é'), max_size=6)
ROWS = st.lists(st.lists(CELL, min_size=2, max_size=2), min_size=1, max_size=8)


def _written(rows: list[list[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()


def _cut(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


@given(ROWS, st.integers(1, 20))
def test_what_python_writes_is_read(rows: list[list[str]], size: int) -> None:
    raw = _written(rows)
    found = list(records("f", _cut(raw, size), ","))
    assert [split(record.text, ",") for record in found] == rows
    assert found[-1].end == len(raw)


@given(ROWS)
def test_line_numbers_count_line_ends_within_quotes(rows: list[list[str]]) -> None:
    raw = _written(rows)
    position = 0
    for record in records("f", [raw], ","):
        before = raw[:position]
        assert record.line == len(before.splitlines()) + 1
        position = record.end


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [""]),
        (",", ["", ""]),
        ('"a,b",c', ["a,b", "c"]),
        ('"a""b"', ['a"b']),
        ('a"b,c', ['a"b', "c"]),
        ('"a"b,c', ["ab", "c"]),
        ('""', [""]),
        ('"""",x', ['"', "x"]),
    ],
)
def test_split(text: str, expected: list[str]) -> None:
    assert split(text, ",") == expected


def test_blank_lines_are_left_out() -> None:
    found = list(records("f", [b"\n\na\r\n\r\nb\r\rc"], ","))
    assert [(record.line, record.text) for record in found] == [(3, "a"), (5, "b"), (7, "c")]


@pytest.mark.parametrize(
    ("raw", "code", "line"),
    [
        (b"a,b\n1,2\n1\n", "E-CSV-COLUMNS", 3),
        (b'a,b\n1,"x\ny"\n1,2,3\n', "E-CSV-COLUMNS", 4),
        (b'a,b\n\n1,"x\ny\n', "E-CSV-QUOTE", 3),
        (b"a,b\n1,\xff\n", "E-ENCODING", 2),
    ],
)
def test_faults_have_a_line(raw: bytes, code: str, line: int) -> None:
    error = fault("f", [raw], ",", 2)
    assert error is not None
    assert (error.code, error.line) == (code, line)


def test_good_text_has_no_fault() -> None:
    assert fault("f", [b'a,b\n1,5" pipe\n"x""y",\n'], ",", 2) is None


def test_lines_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_record, "MAX_LINE", 10)
    with pytest.raises(SourceError, match="longer than"):
        list(records("f", [b"a\n", b"x" * 30], ","))
    with pytest.raises(SourceError, match="never closed"):
        list(records("f", [b'a\n"x\n1234567890\n1234567890\n'], ","))
