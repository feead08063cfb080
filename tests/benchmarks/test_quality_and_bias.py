"""The benchmark of model quality and bias: its rows, its agreement with scikit-learn, its table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest

from benchmarks.files import SIDES
from benchmarks.quality_and_bias import CONTENDERS, make
from benchmarks.rivals import quality_and_bias as rival
from benchmarks.tables import quality

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("w5")
    make(made, 150_000)
    return made


def test_rows_are_the_workload(folder: Path) -> None:
    rows = pq.read_table(folder / "current.parquet")
    assert rows.num_rows == 150_000
    assert rows.column_names == ["label", "score", "facet", "group"]
    assert pq.ParquetFile(folder / "current.parquet").num_row_groups == 2
    shares = rows["facet"].to_pandas().value_counts(normalize=True)
    assert shares.to_dict() == pytest.approx({"A": 0.6, "B": 0.3, "C": 0.1}, abs=0.01)
    assert rows["label"].to_numpy().mean() == pytest.approx(0.27, abs=0.02)
    assert sorted(SIDES) == sorted(path.stem for path in folder.iterdir())


def test_one_pass_agrees_with_scikit_learn(folder: Path) -> None:
    file = folder / "current.parquet"
    ours, theirs = rival.one_pass(file), rival.with_sklearn(file, 1)
    assert ours["auc"] == pytest.approx(theirs["auc"], abs=ours["auc_bound"])
    assert 0.0 < ours["auc_bound"] < 1e-3
    assert ours["recall"] == pytest.approx(theirs["recall"], abs=1e-12)
    assert ours["brier"] == pytest.approx(theirs["brier"], abs=1e-8)


def _document(scale: float) -> dict[str, Any]:
    ratio = {"least": 0.4, "median": 0.5, "greatest": 0.625}
    usage = {"wall": 3.0, "cpu": 2.0, "peak": 100.0 * (1 << 20), "first": 0.5, "warm": 0.25, "processor": 0.5}
    subjects = tuple(CONTENDERS)[:2]
    return {
        "sample": scale != 1.0,
        "scale": scale,
        "rounds": 5,
        "machine": {
            "processor": "x",
            "architecture": "y",
            "processors_used": 2,
            "processors": 2,
            "memory_gib": 24.0,
            "system": "z",
            "load_before": 0.1,
        },
        "versions": {"python": "3.11"},
        "taken": "2026-11-23T00:00:00Z",
        "rows": 5_000_000,
        "bootstraps": 100,
        "repeated": 3,
        "usages": {name: [usage] * 5 for name in CONTENDERS},
        "ratios": {
            name: {"pandas read_parquet": {"first": ratio, "warm": ratio, "processor": ratio}}
            for name in subjects
        },
        "slow": {
            "scikit-learn": {"once": 5.0, "a_bootstrap": 5.0},
            "fairlearn": {"seconds": 10.0, "rows": 500_000.0},
        },
    }


def test_table_says_what_was_run_and_what_was_not() -> None:
    made = quality(_document(1.0))
    of = "0.500 (0.400 to 0.625)"
    assert f"| driftline, one pass | 0.500 | 0.250 | 0.500 | 100 | {of} | {of} | {of} |" in made
    assert "| pandas read_parquet | 0.500 | 0.250 | 0.500 | 100 | – | – | – |" in made
    assert "with 100 of them, **extrapolated**, 505 s: 2,020 times as long" in made
    assert "for all of them, **extrapolated**, 100 s, 400 times as long" in made
    assert "A sample, not a measurement" in quality(_document(0.1))
