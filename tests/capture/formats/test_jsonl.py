from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.capture.formats import jsonl
from driftline.capture.formats.jsonl import flat
from driftline.capture.open import open_source
from driftline.capture.source import Place
from driftline.errors import DriftlineError, SourceError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Values = Callable[[Any], dict[str, list[Any]]]

TEXT = st.text(st.characters(codec="utf-8"), max_size=8)


def _write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@given(
    st.lists(
        st.dictionaries(
            TEXT, st.one_of(st.none(), st.integers(-(2**60), 2**60), TEXT, st.booleans()), min_size=1
        ),
        min_size=1,
        max_size=10,
    ),
    st.sampled_from(["lines", "ascii", "list", "indented", "gzip", "crlf"]),
)
def test_round_trip(
    tmp_path_factory: pytest.TempPathFactory, values: Values, rows: list[dict[str, Any]], how: str
) -> None:
    path = tmp_path_factory.mktemp("j") / ("x.json" if how in ("list", "indented") else "x.jsonl")
    if how == "list":
        text = json.dumps(rows, ensure_ascii=False)
    elif how == "indented":
        text = json.dumps(rows, indent=2)
    else:
        end = "\r\n" if how == "crlf" else "\n"
        text = "".join(json.dumps(row, ensure_ascii=how == "ascii") + end for row in rows)
    raw = text.encode()
    path.write_bytes(gzip.compress(raw) if how == "gzip" else raw)
    found = values(open_source(path))
    assert list(found) == list(dict.fromkeys(key for row in rows for key in row))
    for name, column in found.items():
        kinds = {type(row.get(name)) for row in rows} - {type(None)}
        expected = [row.get(name) for row in rows]
        if len(kinds) < 2:
            assert column == expected
        else:
            spelt = [json.dumps(v) if isinstance(v, bool) else v for v in expected]
            assert column == [None if v is None else str(v) for v in spelt]


def test_types(tmp_path: Path) -> None:
    path = _write(
        tmp_path / "x.jsonl",
        '{"whole":1,"point":1.0,"both":1,"text":"1","odd":1,"bool":true,"big":9223372036854775808,"none":null}',
        '{"whole":-2,"point":2e0,"both":1.5,"text":"x","odd":"x","bool":false,"big":1,"late":0}',
    )
    source = open_source(path)
    assert [(f.name, f.type, f.textual) for f in source.fields] == [
        ("whole", pa.int64(), False),
        ("point", pa.float64(), False),
        ("both", pa.float64(), False),
        ("text", pa.string(), False),
        ("odd", pa.string(), True),
        ("bool", pa.bool_(), False),
        ("big", pa.float64(), False),
        ("none", pa.null(), False),
        ("late", pa.int64(), False),
    ]
    assert source.columnar
    assert source.named


def test_inner_objects_become_dots(tmp_path: Path, values: Values) -> None:
    path = _write(tmp_path / "x.jsonl", '{"a":{"b":1,"c":{"d":"x"}},"e":2}', '{"a":{},"e":3}', '{"a":null}')
    assert values(open_source(path)) == {
        "a.b": [1, None, None],
        "a.c.d": ["x", None, None],
        "e": [2, 3, None],
        "a": [None, None, None],
    }


@pytest.mark.parametrize(
    ("line", "code", "text"),
    [
        ('{"a":1', "E-JSON", "not JSON"),
        ('{"a":1}}', "E-JSON", "Extra data"),
        ('{"a":1} {"a":2}', "E-JSON", "Extra data"),
        ('{"a":1,"a":2}', "E-JSON", "twice"),
        ('{"a":NaN}', "E-JSON", "NaN"),
        ('{"a":1e999}', "E-JSON", "larger than a double"),
        ('{"a":' + "9" * 500 + "}", "E-JSON", "500 digits"),
        ('{"a":' + "9" * 390 + "}", "E-VALUE", "larger than a double"),
        ('{"a":"\\ud800"}', "E-VALUE", "surrogate"),
        ('{"a":' + '{"a":' * 70 + "1" + "}" * 71, "E-JSON-DEPTH", "nests deeper"),
        ("[1,2]", "E-RECORD", "found a list"),
        ("3", "E-RECORD", "found a number"),
        ("null", "E-RECORD", "found null"),
        ('{"a":[1]}', "E-NESTED", "list"),
        ('{"a":{"b":[]}}', "E-NESTED", "list"),
        ('{"a":{"b":1},"a.b":2}', "E-NESTED", "twice"),
    ],
)
def test_bad_lines_are_named(tmp_path: Path, line: str, code: str, text: str) -> None:
    path = _write(tmp_path / "x.jsonl", '{"a":1}', "", line, '{"a":2}')
    with pytest.raises(SourceError, match=text) as caught:
        open_source(path)
    assert (caught.value.code, caught.value.file, caught.value.line) == (code, str(path), 3)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("raw", "code", "line"),
    [
        (b'{"a":1}\n{"a":"\xff"}\n', "E-JSON-ENCODING", 2),
        (b'{"a":1}\n{"a":\0}\n', "E-ENCODING", 2),
        (b"", "E-EMPTY", None),
        (b" \n\n", "E-EMPTY", None),
        (b'[{"a":1},3]', "E-RECORD", 2),
        (b'[{"a":1},', "E-JSON", 1),
        (b"[]", "E-EMPTY", None),
        (b'[1,2]\n{"a":1}', "E-JSON", 2),
        ("\ufeff{}".encode("utf-16-le"), "E-ENCODING", 1),
    ],
)
def test_bad_files_are_named(tmp_path: Path, raw: bytes, code: str, line: int | None) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(raw)
    with pytest.raises(SourceError) as caught:
        open_source(path)
    assert (caught.value.code, caught.value.file, caught.value.line) == (code, str(path), line)


def test_a_large_document_asks_for_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonl, "_MAX_DOCUMENT", 100)
    path = _write(tmp_path / "x.json", json.dumps([{"a": "x" * 200}]))
    with pytest.raises(SourceError, match="JSON Lines"):
        open_source(path)


def test_files_are_joined(tmp_path: Path, values: Values) -> None:
    _write(tmp_path / "b.jsonl", '{"x":"late"}')
    _write(tmp_path / "a.jsonl", '{"a":1}', '{"a":2}')
    _write(tmp_path / "empty.jsonl", "")
    source = open_source(tmp_path)
    assert values(source) == {"a": [1, 2, None], "x": [None, None, "late"]}
    assert [part.n_rows for part in source.parts] == [3]


def test_odd_names_are_names(tmp_path: Path, values: Values) -> None:
    names = ["../x", "a\nb", "\u202e", "", "<script>", "=1+1", "a,b", "é", "e\u0301"]
    path = _write(tmp_path / "x.jsonl", json.dumps(dict.fromkeys(names, 1)))
    assert list(values(open_source(path))) == names


def test_a_name_that_is_not_unicode(tmp_path: Path) -> None:
    path = _write(tmp_path / "x.jsonl", '{"\\ud800":1}')
    with pytest.raises(DriftlineError) as caught:
        open_source(path)
    assert caught.value.code == "E-ENCODING"


def test_flat_objects_are_not_copied() -> None:
    record = {"a": 1, "b": "x"}
    assert flat(record, Place("f", 1)) is record
