from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow.parquet as pq
import pytest

from benchmarks.files import SNAPPY, data_folder, rows_of, variants_of, workload_file
from benchmarks.workloads import WORKLOADS, floats, generator, main, make, texts

if TYPE_CHECKING:
    from pathlib import Path

SCALE = 0.0005
COLUMNS = {"W1": 50, "W2": 10, "W3": 2000, "W4": 20}


@pytest.mark.parametrize("name", WORKLOADS)
def test_workload_has_its_shape(name: str, tmp_path: Path) -> None:
    assert make(name, "current", tmp_path, SCALE) is not None
    for variant in variants_of(name):
        written = pq.read_metadata(workload_file(tmp_path, name, "current", variant, SCALE))
        assert (written.num_rows, written.num_columns) == (rows_of(name, SCALE), COLUMNS[name])
        assert written.row_group(0).column(0).compression == variant.codec.upper()


def test_small_workload_is_never_scaled() -> None:
    assert rows_of("W4", 0.001) == 2000


def test_codec_and_groups_do_not_change_the_content(tmp_path: Path) -> None:
    make("W1", "baseline", tmp_path, SCALE)
    first, second = (
        pq.read_table(workload_file(tmp_path, "W1", "baseline", variant, SCALE))
        for variant in variants_of("W1")
    )
    assert first.schema == second.schema
    for name in first.column_names:
        assert np.array_equal(
            first[name].to_numpy(), second[name].to_numpy(), equal_nan=name.startswith("f")
        ) or (first[name].null_count and first[name].equals(second[name]))


def test_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        make("W2", "current", tmp_path / folder, SCALE)
    one, two = (
        workload_file(tmp_path / f, "W2", "current", variants_of("W2")[0], SCALE) for f in ("one", "two")
    )
    assert one.read_bytes() == two.read_bytes()


def test_every_third_column_drifts() -> None:
    drifted = []
    for j in range(9):
        before, after = (
            floats(generator(1, side, j, 0), j, 4000, drifted=side == 1 and j % 3 == 0).to_numpy()
            for side in (0, 1)
        )
        drifted.append(abs(before.mean() - after.mean()) / before.std() > 0.15)
    assert drifted == [True, False, False] * 3


def test_unique_texts_are_unique_uuids() -> None:
    found = texts(generator(1, 0, 48, 0), 8, 2000, drifted=False).to_pylist()
    assert len(set(found)) == 2000
    assert all(len(text) == 36 and [text[i] for i in (8, 13, 18, 23)] == ["-"] * 4 for text in found)


def test_what_is_there_is_kept(tmp_path: Path) -> None:
    make("W4", "baseline", tmp_path, 1.0)
    path = workload_file(tmp_path, "W4", "baseline", SNAPPY, 1.0)
    before = path.stat().st_mtime_ns
    assert make("W4", "baseline", tmp_path, 1.0) is None
    assert path.stat().st_mtime_ns == before


def test_file_of_another_size_is_made_anew(tmp_path: Path) -> None:
    make("W4", "baseline", tmp_path, 1.0)
    path = workload_file(tmp_path, "W4", "baseline", SNAPPY, 1.0)
    pq.write_table(pq.read_table(path).slice(0, 10), path)
    assert make("W4", "baseline", tmp_path, 1.0) is not None
    assert pq.read_metadata(path).num_rows == 2000


def test_scales_do_not_share_files(tmp_path: Path) -> None:
    assert workload_file(tmp_path, "W1", "current", SNAPPY, 0.1) != workload_file(
        tmp_path, "W1", "current", SNAPPY, 1.0
    )


def test_data_folder_follows_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIFTLINE_BENCH_DATA", str(tmp_path))
    assert data_folder() == tmp_path
    monkeypatch.delenv("DRIFTLINE_BENCH_DATA")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert data_folder() == tmp_path / "driftline-bench"


def test_unknown_workload_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["W9"])
    assert "there is no workload 'W9'" in capsys.readouterr().err
