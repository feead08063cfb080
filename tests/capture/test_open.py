from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.capture.open import open_records, open_source
from driftline.capture.source import Place
from driftline.errors import DriftlineError, SchemaError, SourceError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    Values = Callable[[Any], dict[str, list[Any]]]

ROWS = {"a": ["1", "2"], "b": ["x", None]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The same rows in every format."""
    pq.write_table(pa.table(ROWS), tmp_path / "x.parquet")
    (tmp_path / "x.csv").write_text("a,b\n1,x\n2,\n")
    (tmp_path / "x.tsv").write_text("a\tb\n1\tx\n2\t\n")
    (tmp_path / "x.jsonl").write_text('{"a":"1","b":"x"}\n{"a":"2"}\n')
    (tmp_path / "x.json").write_text('[{"a":"1","b":"x"},{"a":"2"}]')
    return tmp_path


@pytest.mark.parametrize("name", ["x.parquet", "x.csv", "x.tsv", "x.jsonl", "x.json"])
@pytest.mark.parametrize("wrap", [str, Path, lambda p: [p], lambda p: (Path(p),), lambda p: f"file://{p}"])
def test_every_way_to_name_a_file(folder: Path, values: Values, name: str, wrap: Any) -> None:
    source = open_source(wrap(str(folder / name)))
    assert values(source) == ROWS
    assert source.sources == (str(folder / name),)
    assert source.label.endswith(name)


@pytest.mark.parametrize("name", ["x.parquet", "x.csv", "x.jsonl", "x.json"])
def test_names_that_do_not_tell(folder: Path, values: Values, name: str) -> None:
    path = folder / "part-00000"
    (folder / name).rename(path)
    assert values(open_source(path)) == ROWS


@pytest.mark.parametrize(
    ("name", "kind"),
    [("x.parquet", "parquet"), ("x.csv", "csv"), ("x.tsv", "tsv"), ("x.jsonl", "jsonl"), ("x.json", "json")],
)
def test_a_format_can_be_said(folder: Path, values: Values, name: str, kind: str) -> None:
    path = folder / "odd.txt"
    (folder / name).rename(path)
    assert values(open_source(path, format=kind)) == ROWS


@pytest.mark.parametrize("name", ["x.parquet", "x.csv", "x.jsonl"])
def test_columns_can_be_chosen(folder: Path, values: Values, name: str) -> None:
    source = open_source(folder / name, columns=["b"])
    assert values(source) == {"b": ROWS["b"]}
    assert list(values(open_source(folder / name, columns=["b", "a"]))) == ["b", "a"]
    with pytest.raises(SchemaError, match="did you mean 'b'") as caught:
        open_source(folder / name, columns=["a", "bb"])
    assert (caught.value.code, caught.value.field) == ("E-COLUMNS", "bb")


@pytest.mark.parametrize("columns", ["b", [], ["a", "a"]])
def test_a_choice_that_makes_no_sense(folder: Path, columns: Any) -> None:
    with pytest.raises(UsageError):
        open_source(folder / "x.csv", columns=columns)


@pytest.mark.parametrize("data", ["x.parquet", "x.csv", "x.jsonl", "frame", "rows"])
def test_a_handler_stands_between(folder: Path, values: Values, data: str) -> None:
    def handler(records: Any) -> Any:
        for place, record in records:
            if isinstance(record, str):
                a, b = record.split(",")
                record = {"a": a, "b": b or None}
            if record["a"] == "2":
                yield place, {"seen": record.get("b"), "n": place.line}
                yield place, {"seen": "twice", "n": place.line}

    given: Any = folder / data
    if data == "frame":
        given = pd.DataFrame(ROWS)
    elif data == "rows":
        given = [{"a": "1"}, {"a": "2"}]
    source = open_source(given, record_handler=handler)
    assert values(source) == {"seen": [None, "twice"], "n": [3 if data == "x.csv" else 2] * 2}
    assert source.sources == ((str(given),) if isinstance(given, Path) else ())


def test_a_handler_that_drops_everything(folder: Path) -> None:
    with pytest.raises(SourceError, match="no rows"):
        open_source(folder / "x.csv", record_handler=lambda records: ())


def test_rows(values: Values) -> None:
    source = open_source([{"a": 1, "b": {"c": "x"}}, {"a": 2.5}])
    assert values(source) == {"a": [1.0, 2.5], "b.c": ["x", None]}
    with pytest.raises(SourceError, match="list"):
        open_source([{"a": [1]}])


def test_a_source_is_a_source(folder: Path, values: Values) -> None:
    source = open_source(folder / "x.csv")
    assert open_source(source) is source
    assert list(values(open_source(source, columns=["b"]))) == ["b"]


@pytest.mark.parametrize(
    ("data", "kind", "code"),
    [
        (5, UsageError, "E-DATA"),
        (None, UsageError, "E-DATA"),
        (b"a,b", UsageError, "E-DATA"),
        (object(), UsageError, "E-DATA"),
        (np.zeros((2, 2)), UsageError, "E-DATA"),
        ([1, 2], UsageError, "E-DATA"),
        (["a", {"b": 1}], UsageError, "E-DATA"),
        ([], SourceError, "E-NO-DATA"),
        ("", SourceError, "E-FILE"),
        ("/nowhere/x.csv", SourceError, "E-FILE"),
    ],
)
def test_what_is_no_data(data: Any, kind: type[DriftlineError], code: str) -> None:
    with pytest.raises(kind) as caught:
        open_source(data)
    assert caught.value.code == code


def test_arguments_that_make_no_sense(folder: Path) -> None:
    with pytest.raises(UsageError, match="did you mean 'parquet'"):
        open_source(folder, format="parquett")
    with pytest.raises(UsageError, match="use one of"):
        open_records(folder, format="xyz")
    with pytest.raises(UsageError, match="batch_rows"):
        open_source(folder / "x.csv", batch_rows=0)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"PK\x03\x04....", "zip archive"),
        (b"ARROW1\0\0", "an Arrow file"),
        (b"\x80\x02}q\x00.", "a pickle"),
        (b"\x80\x04\x95....", "a pickle"),
        (b"\x80\x05\x95....", "a pickle"),
        (b"", "is empty"),
    ],
)
def test_content_that_is_not_ours(tmp_path: Path, raw: bytes, text: str) -> None:
    path = tmp_path / "data"
    path.write_bytes(raw)
    with pytest.raises(SourceError, match=text):
        open_source(path)


def test_unreadable_files_are_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Tests may run as root, whom no mode stops.
    def deny(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    source = open_source(folder / "x.csv")
    monkeypatch.setattr("driftline.capture.blob.os.open", deny)
    monkeypatch.setattr("driftline.capture.blob.pa.OSFile", deny)
    for attempt in (
        lambda: list(source.parts[0].read([0])),
        lambda: open_source(folder / "x.jsonl"),
        lambda: open_source(folder / "x.parquet"),
    ):
        with pytest.raises(SourceError, match="permission denied") as caught:
            attempt()
        assert caught.value.code == "E-FILE"


@given(
    st.sampled_from(["x.parquet", "x.csv", "x.tsv", "x.jsonl", "x.json", "x.csv.gz", "x"]),
    st.one_of(
        st.binary(max_size=200),
        st.text(st.sampled_from('ab1,;"\n\r{}[]:\0é'), max_size=60).map(str.encode),
    ),
    st.integers(1, 5),
)
def test_any_bytes_are_rows_or_a_typed_error(
    tmp_path_factory: pytest.TempPathFactory, values: Values, name: str, raw: bytes, batch_rows: int
) -> None:
    path = tmp_path_factory.mktemp("any") / name
    path.write_bytes(raw)
    try:
        found = values(open_source(path, batch_rows=batch_rows))
    except DriftlineError as caught:
        message = str(caught)
    else:
        message = f"{path} has {len(found)} columns"
    assert str(path) in message
    assert "\n" not in message


def test_places_of_records(folder: Path) -> None:
    places = [place for place, _ in open_records(folder / "x.jsonl").records()]
    assert places == [Place(str(folder / "x.jsonl"), 1), Place(str(folder / "x.jsonl"), 2)]
    assert open_records(folder / "x.csv").label == str(folder / "x.csv")
    assert open_records(pd.DataFrame(ROWS)).sources == ()


IMPORTS = """
import sys
from driftline.capture.open import open_source
source = open_source(sys.argv[1])
for part in source.parts:
    for batch in part.read(range(len(source.fields))):
        pass
heavy = ["pandas", "polars", "duckdb", "scipy", "numba", "pyarrow.dataset", "pyarrow.compute", "pyarrow.csv"]
print([name for name in heavy if name in sys.modules])
"""


@pytest.mark.parametrize(
    ("name", "expected"), [("x.parquet", "[]"), ("x.jsonl", "[]"), ("x.csv", "['pyarrow.csv']")]
)
def test_only_what_is_needed_is_imported(folder: Path, name: str, expected: str) -> None:
    command = [sys.executable, "-c", IMPORTS, str(folder / name)]
    out = subprocess.run(command, capture_output=True, text=True, check=True)
    assert out.stdout.strip() == expected
