"""Profile: the same bytes for the same rows, and a file that is read back or refused, never misread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.baselines.column import Limits
from driftline.baselines.profile import SCHEMA, Profile
from driftline.capture.open import open_source
from driftline.documents import encode
from driftline.errors import DocumentError
from driftline.kernels.state import StateMismatchError
from driftline.monitor.scan import scan

if TYPE_CHECKING:
    from pathlib import Path

SMALL = Limits(64, 32, 64)


def table(n: int, seed: int = 0) -> pa.Table:
    rng = np.random.default_rng(seed)
    heavy = rng.standard_t(2, n)
    heavy[rng.random(n) < 0.01] = np.nan
    heavy[rng.random(n) < 0.001] = np.inf
    return pa.table(
        {
            "heavy": pa.array(heavy, mask=rng.random(n) < 0.03),
            "count": rng.poisson(4, n),
            "id": rng.integers(2**60, 2**61, n),
            "city": pa.array([None if i == 0 else f"c{i}" for i in rng.integers(0, 9, n)]),
            "key": pa.array([f"k{i}" for i in rng.integers(0, n, n)]),
            "flag": rng.random(n) < 0.3,
            "day": pa.array(rng.integers(0, 20_000, n).astype(np.int32), pa.date32()),
            "list": pa.array([[1]] * n, pa.list_(pa.field("element", pa.int64()))),
        }
    )


def profile(data: Any, **options: Any) -> Profile:
    source = open_source(data, **{k: options.pop(k) for k in ("batch_rows",) if k in options})
    return scan(source, **{"limits": SMALL, "compiled": False, "threads": 1, **options})


@pytest.fixture(scope="module")
def rows() -> pa.Table:
    return table(6_000)


@pytest.fixture(scope="module")
def whole(rows: pa.Table) -> Profile:
    return profile(rows)


@pytest.mark.parametrize("batch_rows", [1_000, 777, 50])
def test_size_of_batches_does_not_show(rows: pa.Table, whole: Profile, batch_rows: int) -> None:
    assert profile(rows, batch_rows=batch_rows).digest == whole.digest


@pytest.mark.parametrize(
    "options", [{"threads": 2}, {"compiled": True}, {"threads": 3, "compiled": True}], ids=str
)
def test_threads_and_engine_do_not_show(rows: pa.Table, whole: Profile, options: dict[str, Any]) -> None:
    assert profile(rows, **options).digest == whole.digest


@pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "numpy"])
@pytest.mark.parametrize("row_group_size", [6_000, 1_000, 333])
@pytest.mark.parametrize("dictionary", [True, False], ids=["dictionary", "plain"])
def test_row_groups_and_encodings_do_not_show(
    rows: pa.Table, whole: Profile, tmp_path: Path, *, compiled: bool, row_group_size: int, dictionary: bool
) -> None:
    file = tmp_path / "a.parquet"
    pq.write_table(rows, file, row_group_size=row_group_size, use_dictionary=dictionary)
    for threads in (1, 2):
        found = profile(file, compiled=compiled, threads=threads)
        assert found.digest == whole.digest


def test_a_similar_profile_as_a_hint_changes_nothing(rows: pa.Table, whole: Profile) -> None:
    for seed in (0, 1):
        hint = profile(table(9_000, seed))
        assert profile(rows, like=hint, compiled=True).digest == whole.digest


def _without_rows(p: Profile) -> str:
    """The content less the row numbers, which say in which file a row stands."""
    shown = []
    for c in p.columns:
        shown.append([c.name, c.family, c.tally.counts.tolist()])
        for state in (c.numbers, c.lengths):
            if state is not None:
                packed = state.pack()
                shown.append([dict(packed.scalars), {k: a.tolist() for k, a in packed.arrays.items()}])
        if c.categories is not None:
            packed = c.categories.pack()
            shown.append({k: a.tolist() for k, a in packed.arrays.items() if k != "first"})
    return encode(shown)


def test_order_of_files_changes_row_numbers_only(rows: pa.Table, whole: Profile, tmp_path: Path) -> None:
    cuts = [0, 1_500, 1_501, 4_000, 6_000]
    pieces = [rows.slice(a, b - a) for a, b in zip(cuts[:-1], cuts[1:], strict=True)]
    digests = set()
    for order in ([0, 1, 2, 3], [3, 1, 0, 2]):
        folder = tmp_path / "".join(map(str, order))
        folder.mkdir()
        for name, i in enumerate(order):
            pq.write_table(pieces[i], folder / f"{name}.parquet")
        found = profile(folder)
        assert _without_rows(found) == _without_rows(whole)
        digests.add(found.digest)
    assert len(digests) == 2


def test_profiles_of_parts_merge_to_the_profile_of_the_whole(rows: pa.Table, whole: Profile) -> None:
    parts = [profile(rows.slice(a, 2_000)) for a in (0, 2_000, 4_000)]
    merged = parts[2].merge(parts[0]).merge(parts[1])
    assert merged.n_rows == 6_000
    assert _without_rows(merged) == _without_rows(whole)
    empty = whole.empty()
    assert empty.n_rows == 0
    assert whole.merge(empty).digest == empty.merge(whole).digest == whole.digest
    assert whole.empty().merge(whole.empty()).digest == empty.digest


def test_columns_are_paired_by_name(rows: pa.Table) -> None:
    a, b = profile(rows.slice(0, 100)), profile(rows.slice(100, 100).select(rows.column_names[::-1]))
    assert _without_rows(a.merge(b)) == _without_rows(profile(rows.slice(0, 200)))


def test_different_tables_do_not_merge(rows: pa.Table, whole: Profile) -> None:
    with pytest.raises(StateMismatchError, match="limits"):
        whole.merge(profile(rows, limits=Limits(65, 32, 64)))
    with pytest.raises(StateMismatchError, match="columns"):
        whole.merge(profile(rows.drop_columns("id")))


def test_many_merged_at_once_are_the_same_as_one_by_one(rows: pa.Table, whole: Profile) -> None:
    parts = [profile(rows.slice(at, 700)) for at in range(0, 6_000, 700)]
    one_by_one = parts[0]
    for part in parts[1:]:
        one_by_one = one_by_one.merge(part)
    together = Profile.merge_all(parts)
    assert together.digest == one_by_one.digest
    assert (together.n_rows, together.sources) == (6_000, whole.sources)
    assert Profile.merge_all([whole]).digest == whole.digest
    with pytest.raises(StateMismatchError, match="limits"):
        Profile.merge_all([whole, profile(rows, limits=Limits(32, 32, 64))])
    with pytest.raises(StateMismatchError, match="columns"):
        Profile.merge_all([whole, profile(rows.drop_columns(["day"]))])
    with pytest.raises(StateMismatchError, match="family"):
        Profile.merge_all([whole, profile(rows.set_column(0, "heavy", rows["city"]))])


def test_a_column_is_found_by_name(whole: Profile) -> None:
    city = whole.column("city")
    assert city is not None
    assert city.name == "city"
    assert whole.column("nowhere") is None


def test_one_other_value_is_another_digest(rows: pa.Table, whole: Profile) -> None:
    for name in ("heavy", "count", "id", "city", "key", "flag", "day"):
        values = rows[name].to_pylist()
        values[17] = values[18] if values[18] != values[17] else values[19]
        if values[17] == rows[name][17].as_py():
            values[17] = None
        changed = rows.set_column(rows.column_names.index(name), name, pa.array(values, rows[name].type))
        assert profile(changed).digest != whole.digest, name


def _same(a: Profile, b: Profile) -> bool:
    return a.digest == b.digest and a.limits == b.limits and a.sources == b.sources and a.n_rows == b.n_rows


@pytest.mark.parametrize("n", [0, 1, 6_000])
def test_written_and_read_back_is_equal_and_still_merges(n: int) -> None:
    before = profile(table(6_000).slice(0, n))
    data = before.to_bytes()
    after = Profile.from_bytes(data)
    assert _same(after, before)
    assert after.to_bytes() == data
    assert after.merge(after).digest == before.merge(before).digest


def test_names_of_every_kind_are_kept() -> None:
    names = ["", " ", "a\nb", 'quote"', "ключ", "tally.counts", "column"]
    before = profile(pa.table({name: [1, 2] for name in names}))
    assert [c.name for c in Profile.from_bytes(before.to_bytes()).columns] == names


def test_any_arrow_reader_can_look_inside(whole: Profile) -> None:
    with pa.ipc.open_file(pa.py_buffer(whole.to_bytes())) as reader:
        found = reader.read_all()
    assert found["column"].to_pylist() == [c.name for c in whole.columns]
    assert found["tally.counts"][0].as_py() == whole.columns[0].tally.counts.tolist()


@pytest.mark.parametrize(
    "data", [b"", b"no arrow", b"ARROW1\0\0" + b"\0" * 40], ids=["empty", "text", "header"]
)
def test_what_is_no_profile_is_refused(data: bytes) -> None:
    with pytest.raises(DocumentError, match="not a profile") as caught:
        Profile.from_bytes(data, file="x.arrow")
    assert caught.value.file == "x.arrow"
    assert caught.value.code == "E-PROFILE"


def _rewritten(original: bytes, change: Any) -> bytes:
    with pa.ipc.open_file(pa.py_buffer(original)) as reader:
        batch = change(reader.get_batch(0))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue())


def _with(batch: pa.RecordBatch, name: str, array: pa.Array) -> pa.RecordBatch:
    columns = [array if field.name == name else batch.column(i) for i, field in enumerate(batch.schema)]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names).replace_schema_metadata(
        batch.schema.metadata
    )


def _meta(text: str) -> Any:
    return lambda batch: batch.replace_schema_metadata({"driftline": text})


HEADER = encode({"schema": SCHEMA, "n_rows": 1, "cells": 64, "categories": 32, "sample": 64, "sources": []})


@pytest.mark.parametrize(
    "change",
    [
        lambda batch: batch.replace_schema_metadata(None),
        _meta("{}"),
        _meta("[1]"),
        _meta(HEADER.replace("profile/v1", "profile/v9")),
        _meta(HEADER.replace('"n_rows":1', '"n_rows":"many"')),
        lambda batch: _with(batch, "column", batch.column("column").cast(pa.string())),
        lambda batch: _with(batch, "scalars", pa.array(["{}"] * len(batch), pa.large_string())),
        lambda batch: _with(batch, "scalars", pa.array(["[]"] * len(batch), pa.large_string())),
        lambda batch: _with(batch, "column", pa.array([None] * len(batch), pa.large_string())),
        lambda batch: _with(batch, "tally.counts", pa.array([1] * len(batch), pa.int64())),
        lambda batch: _with(batch, "tally.counts", pa.array([[1]] * len(batch), pa.large_list(pa.int64()))),
        lambda batch: _with(
            batch, "tally.counts", pa.array([[1.5]] * len(batch), pa.large_list(pa.float64()))
        ),
        lambda batch: _with(
            batch, "numbers.distribution.cells", pa.nulls(len(batch), pa.large_list(pa.int64()))
        ),
        lambda batch: batch.drop_columns(["tally.places"]),
        lambda batch: batch.slice(0, 0).drop_columns(["column"]),
    ],
)
def test_a_file_of_another_shape_is_refused(whole: Profile, change: Any) -> None:
    with pytest.raises(DocumentError):
        Profile.from_bytes(_rewritten(whole.to_bytes(), change))


@pytest.fixture(scope="module")
def small_file() -> bytes:
    return profile(table(40)).to_bytes()


@given(st.data())
def test_damage_is_refused_or_harmless(small_file: bytes, data: st.DataObject) -> None:
    """No bit flip or cut gives anything but a typed error or a Profile; baselines find the rest by checksum."""
    damaged = bytearray(small_file)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        damaged[at] ^= data.draw(st.integers(1, 255))
    end = data.draw(st.one_of(st.just(len(damaged)), st.integers(0, len(damaged))))
    try:
        found = Profile.from_bytes(bytes(damaged[:end]))
    except DocumentError:
        return
    assert found.digest.startswith("sha256:")
