from __future__ import annotations

import csv
import gzip
import io
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.capture.formats import csv as module
from driftline.capture.open import open_records, open_source
from driftline.capture.source import Field
from driftline.errors import SchemaError, SourceError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Values = Callable[[Any], dict[str, list[Any]]]

CELL = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6)


def _write(path: Path, raw: bytes | str) -> Path:
    path.write_bytes(raw.encode() if isinstance(raw, str) else raw)
    return path


@given(
    st.lists(st.lists(CELL, min_size=3, max_size=3), max_size=12),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    st.integers(1, 5),
    st.booleans(),
)
def test_round_trip(
    tmp_path_factory: pytest.TempPathFactory,
    values: Values,
    rows: list[list[str]],
    delimiter: str,
    end: str,
    quoting: int,
    batch_rows: int,
    packed: bool,
) -> None:
    if any("\r" in cell for row in rows for cell in row):
        quoting = (
            csv.QUOTE_ALL
        )  # Python leaves a lone carriage return bare, which ends a line for every reader.
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=quoting)  # type: ignore[arg-type]
    writer.writerows([["a", "b", "c"], *rows])
    raw = out.getvalue().encode()
    path = _write(tmp_path_factory.mktemp("c") / "x.csv", gzip.compress(raw, mtime=0) if packed else raw)
    source = open_source(path, batch_rows=batch_rows)
    found = values(source)
    assert list(map(list, zip(*found.values(), strict=True))) == [
        [cell or None for cell in row] for row in rows
    ]
    first_rows = [(b.first_row, len(b.arrays[0])) for b in source.parts[0].read([0])]
    assert [first for first, _ in first_rows] == [
        sum(n for _, n in first_rows[:i]) for i in range(len(first_rows))
    ]
    assert all(n <= batch_rows for _, n in first_rows)


@pytest.mark.parametrize(
    ("raw", "names", "named"),
    [
        ("a,b\n1,2\n", ["a", "b"], True),
        ("1,2\n3,4\n", ["_c0", "_c1"], False),
        ("1.5,-2e3,+.5,,NaN\n", ["_c0", "_c1", "_c2", "_c3", "_c4"], False),
        ("a,,c\n1,2,3\n", ["a", "_c1", "c"], True),
        ('"a b";"c,d"\n1;2\n', ["a b", "c,d"], True),
        ("a\n1\n", ["a"], True),
        ("\ufeffa|b\n", ["a", "b"], True),
        ('\n\n"a\nb",c\n1,2\n', ["a\nb", "c"], True),
        ("na,b\n1,2\n", ["na", "b"], True),
        ("../x,\u202e,=1+1\n1,2,3\n", ["../x", "\u202e", "=1+1"], True),
    ],
)
def test_the_first_line(tmp_path: Path, raw: str, names: list[str], named: bool) -> None:
    source = open_source(_write(tmp_path / "x.csv", raw))
    assert [field.name for field in source.fields] == names
    assert source.named is named
    assert all(field == Field(field.name, pa.string(), True) for field in source.fields)
    assert not source.columnar


def test_the_header_can_be_said(tmp_path: Path, values: Values) -> None:
    path = _write(tmp_path / "x.csv", "1,2\n3,4\n")
    assert values(open_source(path, header=True)) == {"1": ["3"], "2": ["4"]}
    path = _write(tmp_path / "x.csv", "a,b\n3,4\n")
    assert values(open_source(path, header=False)) == {"_c0": ["a", "3"], "_c1": ["b", "4"]}


def test_a_doubtful_header_is_noted(tmp_path: Path) -> None:
    path = _write(tmp_path / "x.csv", "5.1,setosa\n4.9,setosa\n")
    (note,) = open_source(path).notes
    assert "1 of its 2 fields are numbers" in note
    assert open_source(path, header=True).notes == ()


def test_only_empty_is_null(tmp_path: Path, values: Values) -> None:
    path = _write(tmp_path / "x.csv", 'a,b\nNA,\nnull,""\n None ,0\n')
    assert values(open_source(path)) == {"a": ["NA", "null", " None "], "b": [None, None, "0"]}


def test_tabs_by_name(tmp_path: Path, values: Values) -> None:
    path = _write(tmp_path / "x.tsv", "a,b\tc\n1,2\t3\n")
    assert values(open_source(path)) == {"a,b": ["1,2"], "c": ["3"]}


@pytest.mark.parametrize(
    "raw", ["a,b\r1,2\r3,4", "a,b\n1,2\n3,4", "a,b\r\n1,2\r\n\r\n3,4\r\n", "\n\na,b\n\n1,2\n\n3,4\n\n"]
)
def test_line_ends(tmp_path: Path, values: Values, raw: str) -> None:
    assert values(open_source(_write(tmp_path / "x.csv", raw))) == {"a": ["1", "3"], "b": ["2", "4"]}


@pytest.mark.parametrize("raw", ["a,b", "a,b\n", "a,b\n\n\n"])
def test_a_header_alone_is_no_rows(tmp_path: Path, values: Values, raw: str) -> None:
    assert values(open_source(_write(tmp_path / "x.csv", raw))) == {"a": [], "b": []}


@pytest.mark.parametrize(
    ("raw", "code", "line", "text"),
    [
        (b"a,b\n1,2\n\n3\n", "E-CSV-COLUMNS", 4, "expected 2 columns, found 1"),
        (b'a,b\n"x\ny",2\n3,4,5\n', "E-CSV-COLUMNS", 4, "expected 2 columns, found 3"),
        (b'a,b\n1,2\n3,"4\n5,6\n', "E-CSV-QUOTE", 3, "never closed"),
        (b"a,b\n1,2\n3,\xe9\n", "E-ENCODING", 3, "not valid UTF-8"),
        (b"a,b\n1,2\n3,\0\n", "E-ENCODING", 3, "NUL"),
        (gzip.compress(b"a,b\n" + b"1,2\n" * 1000, mtime=0)[:-12], "E-GZIP", None, "gzip"),
    ],
)
def test_bad_rows_are_named(
    tmp_path: Path, values: Values, raw: bytes, code: str, line: int | None, text: str
) -> None:
    path = _write(tmp_path / "x.csv", raw)
    with pytest.raises(SourceError, match=text) as caught:
        values(open_source(path))
    assert (caught.value.code, caught.value.file, caught.value.line) == (code, str(path), line)


@pytest.mark.parametrize(
    ("raw", "kind", "code"),
    [
        (b"", SourceError, "E-EMPTY"),
        (b"\r\n\n", SourceError, "E-EMPTY"),
        (b"a,b,a\n", SchemaError, "E-DUPLICATE"),
        (b"_c1,\n1,2\n", SchemaError, "E-DUPLICATE"),
        (b"\xff\xfea\0", SourceError, "E-ENCODING"),
        (b"\xffa,b\n", SourceError, "E-ENCODING"),
        (b'a,"b\n1,2\n', SourceError, "E-CSV-QUOTE"),
    ],
)
def test_bad_headers_are_named(tmp_path: Path, raw: bytes, kind: type[Exception], code: str) -> None:
    path = _write(tmp_path / "x.csv", raw)
    with pytest.raises(kind) as caught:
        open_source(path)
    assert (caught.value.code, caught.value.file) == (code, str(path))  # type: ignore[attr-defined]


def test_a_stray_quote_is_text(tmp_path: Path, values: Values) -> None:
    path = _write(tmp_path / "x.csv", 'a,b\n1,5" pipe\n2,x\n')
    assert values(open_source(path)) == {"a": ["1", "2"], "b": ['5" pipe', "x"]}


def test_rows_longer_than_a_block(tmp_path: Path, values: Values, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BLOCK", 64)
    monkeypatch.setattr(module, "_WIDE_BLOCK", 4096)
    rows = [f"{i},{'x' * (1000 if i == 500 else 3)}" for i in range(1000)]
    path = _write(tmp_path / "x.csv", "a,b\n" + "\n".join(rows))
    found = values(open_source(path, batch_rows=7))
    assert found["a"] == [str(i) for i in range(1000)]
    assert [len(text) for text in found["b"]] == [1000 if i == 500 else 3 for i in range(1000)]
    path = _write(tmp_path / "y.csv", "a,b\n1,2\n3," + "x" * 10_000 + "\n")
    with pytest.raises(SourceError, match="not CSV") as caught:
        values(open_source(path))
    assert caught.value.code == "E-CSV"


def test_files_with_headers_are_matched_by_name(tmp_path: Path, values: Values) -> None:
    _write(tmp_path / "1.csv", "a,b\n1,2\n")
    _write(tmp_path / "2.csv", "c,a\n3,4\n")
    _write(tmp_path / "3.csv", "")
    source = open_source(tmp_path)
    assert values(source) == {"a": ["1", "4"], "b": ["2", None], "c": [None, "3"]}
    assert [part.ordinal for part in source.parts] == [0, 1]
    assert source.notes[-1] == f"1 file(s) are empty, such as {tmp_path / '3.csv'}"
    (batch,) = source.parts[0].read([2])
    assert batch.arrays[0].to_pylist() == [None]


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [("a,b\n", "1,2\n", "E-CSV-HEADER"), ("1,2\n", "1,2,3\n", "E-CSV-COLUMNS")],
)
def test_files_that_do_not_fit_name_both(tmp_path: Path, first: str, second: str, code: str) -> None:
    _write(tmp_path / "1.csv", first)
    _write(tmp_path / "2.csv", second)
    with pytest.raises(SchemaError, match=r"1\.csv") as caught:
        open_source(tmp_path)
    assert (caught.value.code, caught.value.file) == (code, str(tmp_path / "2.csv"))


def test_columns_in_any_order_and_twice(tmp_path: Path) -> None:
    source = open_source(_write(tmp_path / "x.csv", "a,b,c\n1,2,3\n"))
    (batch,) = source.parts[0].read([2, 0, 2])
    assert [array.to_pylist() for array in batch.arrays] == [["3"], ["1"], ["3"]]


def test_a_reader_may_stop_early(tmp_path: Path) -> None:
    source = open_source(_write(tmp_path / "x.csv", "a\n" + "1\n" * 100_000), batch_rows=10)
    batches = source.parts[0].read([0])
    assert len(next(iter(batches)).arrays[0]) == 10
    batches.close()  # type: ignore[attr-defined]


def test_ten_thousand_columns(tmp_path: Path, values: Values) -> None:
    names = [f"c{i}" for i in range(10_000)]
    lines = [",".join(names), *([",".join(map(str, range(10_000)))] * 20)]
    found = values(open_source(_write(tmp_path / "x.csv", "\n".join(lines))))
    assert list(found) == names
    assert found["c9999"] == ["9999"] * 20


def test_records_are_lines_after_the_header(tmp_path: Path) -> None:
    _write(tmp_path / "1.csv", 'a,b\n1,2\n\n"x\ny",3\n')
    _write(tmp_path / "2.csv", "a,b\n5,6\n")
    records = [(place.line, record) for place, record in open_records(tmp_path).records()]
    assert records == [(2, "1,2"), (4, '"x\ny",3'), (2, "5,6")]
    _write(tmp_path / "1.csv", "1,2\n")
    assert [r for _, r in open_records(tmp_path / "1.csv").records()] == ["1,2"]
    assert list(open_records(tmp_path / "1.csv", header=True).records()) == []
