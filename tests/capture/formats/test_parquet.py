from __future__ import annotations

import resource
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.capture.formats import parquet as module
from driftline.capture.open import open_records, open_source
from driftline.errors import DriftlineError, SchemaError, SourceError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Values = Callable[[Any], dict[str, list[Any]]]

TEXT = st.text(st.characters(codec="utf-8"), max_size=5)
COLUMNS = {
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.uint8(): st.integers(0, 255),
    pa.float64(): st.floats(allow_nan=False),
    pa.string(): TEXT,
    pa.large_string(): TEXT,
    pa.binary(): st.binary(max_size=5),
    pa.bool_(): st.booleans(),
    pa.date32(): st.dates(),
    pa.list_(pa.int64()): st.lists(st.integers(-5, 5), max_size=3),
    pa.struct([("x", pa.int64()), ("y", pa.string())]): st.fixed_dictionaries(
        {"x": st.integers(0, 9), "y": TEXT}
    ),
}


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    names = draw(st.lists(TEXT, min_size=1, max_size=4, unique=True))
    n = draw(st.integers(0, 20))
    columns = []
    for _ in names:
        kind = draw(st.sampled_from(list(COLUMNS)))
        column = draw(st.lists(st.one_of(st.none(), COLUMNS[kind]), min_size=n, max_size=n))
        columns.append(pa.array(column, kind))
    return pa.table(columns, names=names)


def _text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_large_string(kind) or pa.types.is_string(kind) or pa.types.is_binary(kind))


@given(
    tables(),
    st.integers(1, 7),
    st.integers(1, 7),
    st.booleans(),
    st.sampled_from(["none", "snappy", "zstd", "gzip"]),
    st.sampled_from(["1.0", "2.0"]),
)
def test_round_trip(
    tmp_path_factory: pytest.TempPathFactory,
    values: Values,
    table: pa.Table,
    group: int,
    batch_rows: int,
    coded: bool,
    codec: str,
    version: str,
) -> None:
    path = tmp_path_factory.mktemp("p") / "x.parquet"
    pq.write_table(
        table, path, row_group_size=group, use_dictionary=coded, compression=codec, data_page_version=version
    )
    source = open_source(path, batch_rows=batch_rows)
    assert values(source) == table.to_pydict()
    for field, original in zip(source.fields, table.schema, strict=True):
        assert field.type == original.type or (pa.types.is_dictionary(field.type) and _text(original.type))
    assert source.columnar
    assert source.named


@pytest.fixture
def large(tmp_path: Path) -> tuple[Path, pa.Table]:
    """Many row groups of several kinds of column."""
    rng = np.random.default_rng(1)
    n = 10_000
    table = pa.table(
        {
            "f": rng.normal(size=n),
            "few": [f"category {i % 7}" for i in range(n)],
            "all": [f"{i:036}" for i in range(n)],
            "l": [[i, i + 1] for i in range(n)],
            "i": np.arange(n),
        }
    )
    path = tmp_path / "x.parquet"
    pq.write_table(table, path, row_group_size=700)
    return path, table


def test_small_row_groups_are_read_together(
    monkeypatch: pytest.MonkeyPatch, large: tuple[Path, pa.Table], values: Values
) -> None:
    path, table = large
    for limit, n_parts in ((131_072, 1), (1500, 8), (700, 15), (10, 15)):
        monkeypatch.setattr(module, "_PART_ROWS", limit)
        source = open_source(path)
        assert len(source.parts) == n_parts
        assert values(source) == table.to_pydict()
        starts = [batch.first_row for part in source.parts for batch in part.read([4])]
        firsts = [batch.arrays[0][0].as_py() for part in source.parts for batch in part.read([4])]
        assert starts == firsts


def test_columns_in_any_order_and_twice(large: tuple[Path, pa.Table]) -> None:
    path, table = large
    source = open_source(path)
    names = [field.name for field in source.fields]
    (batch,) = source.parts[0].read([3, 0, 2, 0])
    for column, array in zip([3, 0, 2, 0], batch.arrays, strict=True):
        assert array.to_pylist() == table[names[column]].to_pylist()


def test_large_row_groups_are_streamed(
    monkeypatch: pytest.MonkeyPatch, large: tuple[Path, pa.Table], values: Values
) -> None:
    path, table = large
    pq.write_table(table, path, row_group_size=10_000)
    monkeypatch.setattr(module, "_WHOLE_ROWS", 100)
    source = open_source(path, batch_rows=300)
    assert values(source) == table.to_pydict()
    assert max(len(batch.arrays[0]) for batch in source.parts[0].read([0, 1])) == 300
    monkeypatch.setattr(module, "_WHOLE_ROWS", 10**6)
    monkeypatch.setattr(module, "_WHOLE_BYTES", 8 * 50)
    source = open_source(path)
    assert max(len(batch.arrays[0]) for batch in source.parts[0].read([0])) == 50
    assert max(len(batch.arrays[0]) for batch in source.parts[0].read([2])) < 50
    assert values(source) == table.to_pydict()


def test_text_is_a_dictionary_where_that_pays(large: tuple[Path, pa.Table]) -> None:
    path, _ = large
    kinds = {field.name: field.type for field in open_source(path).fields}
    assert kinds["few"] == pa.dictionary(pa.int32(), pa.string())
    assert kinds["all"] == pa.string()


@pytest.mark.parametrize(
    ("column", "options", "pays"),
    [
        ([f"{i % 200}" for i in range(5000)], {}, True),
        ([f"{i % 600}" for i in range(5000)], {}, False),
        ([f"{i % 5}" for i in range(5000)], {"use_dictionary": False}, True),
        ([f"{i % 200}" for i in range(5000)], {"use_dictionary": False}, True),
        ([f"{i}" for i in range(5000)], {"use_dictionary": False}, False),
        ([f"{i:036}" for i in range(40_000)], {}, False),
        (["x" * 300_000, "y" * 300_000] * 50, {}, False),
        ([None] * 100, {}, True),
        (["a"] * 3, {}, False),
    ],
)
def test_the_choice_of_dictionaries(
    tmp_path: Path, values: Values, column: list[Any], options: dict[str, Any], pays: bool
) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"a": pa.array(column, pa.string())}), path, **options)
    source = open_source(path)
    assert pa.types.is_dictionary(source.fields[0].type) is pays
    assert values(source)["a"] == column


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view(), pa.binary()])
def test_every_text_type_may_be_a_dictionary(tmp_path: Path, values: Values, kind: pa.DataType) -> None:
    path = tmp_path / "x.parquet"
    column = pa.array(["x", "y", None] * 500, pa.string()).cast(kind)
    pq.write_table(pa.table({"a.b": column}), path)
    source = open_source(path)
    assert pa.types.is_dictionary(source.fields[0].type)
    assert values(source)["a.b"] == column.to_pylist()


def test_categories_of_pandas(tmp_path: Path, values: Values) -> None:
    path = tmp_path / "x.parquet"
    codes = pa.DictionaryArray.from_arrays(pa.array([0, 1, None], pa.int8()), ["x", "y"], ordered=True)
    pq.write_table(pa.table({"a": codes}), path)
    assert values(open_source(path))["a"] == ["x", "y", None]


@pytest.mark.parametrize(
    "column",
    [
        pa.array([1, None], pa.decimal128(20, 3)),
        pa.array([1, None], pa.timestamp("us", "UTC")),
        pa.array([2**64 - 1], pa.uint64()),
        pa.array([1.5], pa.float16()),
        pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int64())),
        pa.array([b"0123"], pa.binary(4)),
        pa.array([[1.0, 2.0]], pa.list_(pa.float64(), 2)),
        pa.array([[{"x": [1]}], None]),
        pa.array([b"0123456789abcdef"], pa.binary(16)).cast(pa.uuid()),
        pa.nulls(3),
    ],
)
def test_types_are_delivered_as_they_are(tmp_path: Path, values: Values, column: pa.Array) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"before": column, "a": range(len(column)), "after": column}), path)
    found = values(open_source(path))
    assert found == {"before": column.to_pylist(), "a": list(range(len(column))), "after": column.to_pylist()}


def test_int96(tmp_path: Path, values: Values) -> None:
    path = tmp_path / "x.parquet"
    column = pa.array([0, 10**15], pa.timestamp("us"))
    pq.write_table(pa.table({"a": column}), path, use_deprecated_int96_timestamps=True)
    source = open_source(path)
    assert source.fields[0].type == pa.timestamp("ns")
    assert values(source)["a"] == column.cast(pa.timestamp("ns")).to_pylist()


def test_files_are_joined(tmp_path: Path, values: Values) -> None:
    pq.write_table(pa.table({"a": [1, 2], "s": ["x"] * 2, "n": pa.nulls(2)}), tmp_path / "1.parquet")
    codes = pa.array(["y"]).dictionary_encode()
    pq.write_table(pa.table({"s": codes, "a": [2.5], "n": ["late"]}), tmp_path / "2.parquet")
    pq.write_table(pa.table({"b": pa.array([True]), "a": pa.array([3], pa.int8())}), tmp_path / "3.parquet")
    pq.write_table(pa.table({"a": pa.array([], pa.int64())}), tmp_path / "4.parquet")
    source = open_source(tmp_path)
    assert [(field.name, field.type) for field in source.fields] == [
        ("a", pa.float64()),
        ("s", pa.string()),
        ("n", pa.string()),
        ("b", pa.bool_()),
    ]
    assert values(source) == {
        "a": [1.0, 2.0, 2.5, 3.0],
        "s": ["x", "x", "y", None],
        "n": [None, None, "late", None],
        "b": [None, None, None, True],
    }
    assert [part.ordinal for part in source.parts] == [0, 1, 2]
    assert len(source.notes) == 6


def test_dictionaries_in_files_of_several_text_types(tmp_path: Path, values: Values) -> None:
    column = ["x", "y"] * 500
    for number, kind in enumerate([pa.string(), pa.large_string(), pa.dictionary(pa.int16(), pa.string())]):
        pq.write_table(pa.table({"s": pa.array(column, kind)}), tmp_path / f"{number}.parquet")
    source = open_source(tmp_path)
    assert source.fields[0].type == pa.dictionary(pa.int32(), pa.string())
    assert values(source)["s"] == column * 3


def test_types_that_do_not_join_name_both_files(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1]}), tmp_path / "1.parquet")
    pq.write_table(pa.table({"a": ["x"]}), tmp_path / "2.parquet")
    with pytest.raises(SchemaError, match=r"1\.parquet") as caught:
        open_source(tmp_path)
    assert (caught.value.file, caught.value.field) == (str(tmp_path / "2.parquet"), "a")


def test_hive_folders_are_no_columns(tmp_path: Path, values: Values) -> None:
    for hour in ("07", "06"):
        folder = tmp_path / "date=2026-11-23" / f"hour={hour}"
        folder.mkdir(parents=True)
        pq.write_table(pa.table({"a": [int(hour)]}), folder / "x.parquet")
    assert values(open_source(tmp_path)) == {"a": [6, 7]}


def test_no_rows_is_a_table(tmp_path: Path, values: Values) -> None:
    pq.write_table(
        pa.table({"a": pa.array([], pa.int64()), "s": pa.array([], pa.string())}), tmp_path / "x.parquet"
    )
    source = open_source(tmp_path)
    assert source.parts == ()
    assert values(source) == {"a": [], "s": []}


def test_no_columns_is_no_table(tmp_path: Path) -> None:
    pq.write_table(pa.table({}), tmp_path / "x.parquet")
    with pytest.raises(SchemaError, match="no columns"):
        open_source(tmp_path)


def test_ten_thousand_columns(tmp_path: Path) -> None:
    names = [f"c{i}" for i in range(10_000)]
    pq.write_table(pa.table({name: [i] for i, name in enumerate(names)}), tmp_path / "x.parquet")
    source = open_source(tmp_path)
    found = [
        array[0].as_py()
        for start in range(0, 10_000, 50)
        for batch in source.parts[0].read(range(start, start + 50))
        for array in batch.arrays
    ]
    assert found == list(range(10_000))


@pytest.mark.parametrize(
    "name", ["../x", "a\nb", "\u202e", "", "a.b", "<script>", "é", "e\u0301", "list.element"]
)
def test_odd_names_are_names(tmp_path: Path, values: Values, name: str) -> None:
    table = pa.table({name: ["x", "y"] * 500, "s": [{"element": 1}] * 1000})
    pq.write_table(table, tmp_path / "x.parquet")
    assert values(open_source(tmp_path)) == table.to_pydict()


def test_threads_may_share_a_source(large: tuple[Path, pa.Table]) -> None:
    path, table = large
    source = open_source(path)
    jobs = [(part, column) for column in (0, 4, 1) for part in source.parts] * 5

    def read(job: Any) -> list[Any]:
        part, column = job
        return [value for batch in part.read([column]) for value in batch.arrays[0].to_pylist()]

    with ThreadPoolExecutor(8) as pool:
        for (_, column), found in zip(jobs, pool.map(read, jobs), strict=True):
            assert found == table.column(column).to_pylist()


def test_open_files_are_few(tmp_path: Path, values: Values) -> None:
    for number in range(200):
        pq.write_table(pa.table({"a": [number]}), tmp_path / f"{number:03}.parquet")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    source = open_source(tmp_path)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 100), hard))
    try:
        assert values(source)["a"] == list(range(200))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_records_are_rows(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1, 2], "l": [[1], None]}), tmp_path / "x.parquet")
    records = [(place.line, record) for place, record in open_records(tmp_path).records()]
    assert records == [(1, {"a": 1, "l": [1]}), (2, {"a": 2, "l": None})]


def _read(path: Path) -> dict[str, list[Any]]:
    source = open_source(path)
    columns: dict[str, list[Any]] = {field.name: [] for field in source.fields}
    for part in source.parts:
        for batch in part.read(range(len(source.fields))):
            for name, array in zip(columns, batch.arrays, strict=True):
                columns[name] += array.to_pylist()
    return columns


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, dict[str, list[Any]]]:
    """A file whose pages carry checksums."""
    n = 300
    table = pa.table(
        {
            "f": np.random.default_rng(2).normal(size=n),
            "s": [f"category {i % 7}" for i in range(n)],
            "u": [f"{i:020}" for i in range(n)],
            "l": [[i]] * n if (i := 1) else [],
            "b": [b"\xff\0"] * n,
        }
    )
    path = tmp_path_factory.mktemp("sealed") / "x.parquet"
    pq.write_table(table, path, row_group_size=120, write_page_checksum=True)
    return path.read_bytes(), table.to_pydict()


@given(st.data())
def test_damage_is_typed_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, sealed: tuple[bytes, dict[str, list[Any]]], data: st.DataObject
) -> None:
    raw, expected = sealed
    damaged = bytearray(raw)
    how = data.draw(st.sampled_from(["flip", "cut", "remove", "insert"]))
    place = data.draw(st.integers(0, len(raw) - 1))
    if how == "flip":
        damaged[place] ^= 1 << data.draw(st.integers(0, 7))
    elif how == "cut":
        del damaged[place:]
    elif how == "remove":
        del damaged[place : place + data.draw(st.integers(1, 100))]
    else:
        damaged[place:place] = data.draw(st.binary(min_size=1, max_size=50))
    path = tmp_path_factory.mktemp("d") / "x.parquet"
    path.write_bytes(damaged)
    error = None
    try:
        found = _read(path)
    except DriftlineError as caught:
        error = caught
    if error is None:
        # Bits outside the pages: names, statistics, the writer's own mark.
        assert list(found.values()) == list(expected.values())
    else:
        assert error.file == str(path)
        assert error.__cause__ is None


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"", "is empty"),
        (b"PAR1", "not a readable Parquet file"),
        (b"a,b\n1,2\n" * 10, "not a readable Parquet file"),
        (b"PAR1" + b"\xff" * 100 + b"PAR1", "not a readable Parquet file"),
    ],
)
def test_no_parquet_at_all(tmp_path: Path, raw: bytes, text: str) -> None:
    path = tmp_path / "x.parquet"
    path.write_bytes(raw)
    with pytest.raises(SourceError, match=text) as caught:
        open_source(path)
    assert (caught.value.code, caught.value.file) == ("E-PARQUET", str(path))


def test_a_damaged_page_names_row_group_and_column(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    table = pa.table({"a": range(1000), "b": [float(i) for i in range(1000)]})
    pq.write_table(
        table, path, compression="none", use_dictionary=False, write_page_checksum=True, row_group_size=500
    )
    chunk = pq.read_metadata(path).row_group(1).column(1)
    raw = bytearray(path.read_bytes())
    raw[chunk.data_page_offset + chunk.total_compressed_size - 5] ^= 1
    path.write_bytes(raw)
    source = open_source(path)
    for columns in ([1], [0, 1]):
        with pytest.raises(SourceError, match=r"row group 0 to 1 cannot be decoded") as caught:
            list(source.parts[0].read(columns))
        assert (caught.value.code, caught.value.field) == ("E-PARQUET", "b")
    assert len(next(iter(source.parts[0].read([0]))).arrays[0]) == 1000


def test_text_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    text = pa.array([b"caf\xe9"] * 3).view(pa.string())
    pq.write_table(pa.table({"a": text}), path)
    source = open_source(path)
    with pytest.raises(SourceError, match=r"(?i)utf") as caught:
        list(source.parts[0].read([0]))
    assert caught.value.field == "a"


def test_a_footer_that_lies_about_rows_is_found_out(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"a": range(77)}), path, store_schema=False, write_statistics=False)
    raw = path.read_bytes()
    # 77 and 78 as zigzag variable-length integers of the thrift footer.
    start = len(raw) - 8 - int.from_bytes(raw[-8:-4], "little")
    lied = raw[:start] + raw[start:].replace(b"\x9a\x01", b"\x9c\x01")
    assert lied != raw
    path.write_bytes(lied)
    source = open_source(path)
    with pytest.raises(SourceError) as caught:
        list(source.parts[0].read([0]))
    assert caught.value.code == "E-PARQUET"


def test_a_file_that_changes_is_noticed(tmp_path: Path, values: Values) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"a": [1]}), path)
    source = open_source(path)
    pq.write_table(pa.table({"a": [1, 2]}), path)
    with pytest.raises(SourceError) as caught:
        values(source)
    assert caught.value.code == "E-CHANGED"


MEASURE = """
import resource, sys
from driftline.capture.open import open_source
source = open_source(sys.argv[1])
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
def read(parts):
    for part in parts:
        for column in range(len(source.fields)):
            for batch in part.read([column]):
                pass
read(source.parts[:4])
before = peak()
read(source.parts)
print(len(source.parts), peak() - before)
"""


def test_memory_does_not_grow_with_row_groups(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    path = tmp_path / "x.parquet"
    schema = pa.schema([("f", pa.float64()), ("s", pa.string())])
    n = 131_072
    with pq.ParquetWriter(path, schema) as writer:
        for _ in range(40):
            floats = rng.normal(size=n)
            writer.write_table(pa.table([floats, pa.array(floats).cast(pa.string())], schema=schema))
    out = subprocess.run(
        [sys.executable, "-c", MEASURE, str(path)], capture_output=True, text=True, check=True
    ).stdout
    n_parts, growth_kib = map(int, out.split())
    assert n_parts == 40
    # The file decodes to 180 MB.
    assert growth_kib < 24 * 1024
