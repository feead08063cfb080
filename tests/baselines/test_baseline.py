"""Baseline: files that belong together, and every way in which they may not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from driftline.baselines.baseline import CONSTRAINTS, INDEX, PROFILE, SCHEMA, STATISTICS, Baseline
from driftline.baselines.column import Limits
from driftline.errors import DocumentError, InputError, SchemaError
from driftline.monitor.job import make_baseline
from driftline.monitor.kinds import load_baseline

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(scope="module")
def baseline() -> Baseline:
    rng = np.random.default_rng(0)
    data = pa.table({"x": rng.standard_normal(300), "c": [f"c{i % 3}" for i in range(300)]})
    return make_baseline(data, by="c", label="training")


@pytest.fixture
def files(baseline: Baseline) -> dict[str, bytes]:
    return baseline.files()


def test_written_and_read_back(baseline: Baseline, files: dict[str, bytes]) -> None:
    found = Baseline.from_files(files, file="somewhere")
    assert found.digest == baseline.digest
    assert found.constraints == baseline.constraints
    assert found.statistics == baseline.statistics
    assert [(s.value, s.profile.digest) for s in found.segments] == [
        (s.value, s.profile.digest) for s in baseline.segments
    ]
    assert (found.label, found.created, found.mode, found.named, found.segment_column) == (
        "training",
        baseline.created,
        "default",
        True,
        "c",
    )
    assert found.n_rows == 300
    assert found.names == ("x", "c")
    assert {k: v for k, v in found.files().items() if k != INDEX} == {
        k: v for k, v in files.items() if k != INDEX
    }


def test_the_index_comes_last_and_names_every_file(files: dict[str, bytes]) -> None:
    assert list(files)[-1] == INDEX
    index = json.loads(files[INDEX])
    assert index["schema"] == SCHEMA
    assert set(index["files"]) == set(files) - {INDEX}


def test_same_baseline_same_bytes(baseline: Baseline) -> None:
    assert baseline.files() == baseline.files()


@pytest.mark.parametrize("name", [STATISTICS, PROFILE, "segment-0001.arrow"])
def test_every_flipped_bit_is_noticed(files: dict[str, bytes], name: str) -> None:
    for at in np.linspace(0, len(files[name]) - 1, 25).astype(int):
        damaged = bytearray(files[name])
        damaged[at] ^= 1
        with pytest.raises(DocumentError, match="checksum") as caught:
            Baseline.from_files({**files, name: bytes(damaged)}, file="there")
        assert caught.value.file == f"there/{name}"
        assert caught.value.code == "E-BASELINE-DAMAGED"


def test_edited_constraints_are_used_and_noted(files: dict[str, bytes]) -> None:
    edited = json.loads(files[CONSTRAINTS])
    edited["monitoring_config"]["distribution_constraints"]["comparison_threshold"] = 0.5
    found = Baseline.from_files({**files, CONSTRAINTS: json.dumps(edited).encode()}, file="there")
    assert found.constraints.monitoring.comparison_threshold == 0.5
    assert found.notes[-1] == "constraints.json was edited after the baseline was made"


def _without(name: str) -> Callable[[dict[str, bytes]], dict[str, bytes]]:
    return lambda files: {k: v for k, v in files.items() if k != name}


def _index(**changes: Any) -> Callable[[dict[str, bytes]], dict[str, bytes]]:
    def change(files: dict[str, bytes]) -> dict[str, bytes]:
        return {**files, INDEX: json.dumps({**json.loads(files[INDEX]), **changes}).encode()}

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_without(CONSTRAINTS), "no constraints.json"),
        (_without(PROFILE), "profile.arrow is missing"),
        (_without("segment-0002.arrow"), "segment-0002.arrow is missing"),
        (lambda files: {**files, INDEX: b"{"}, "not JSON"),
        (lambda files: {**files, CONSTRAINTS: b"[]"}, "expected an object"),
        (_index(schema="driftline.baseline/v9"), "expected 'driftline.baseline/v1'"),
        (_index(mode="other"), "unknown value"),
        (_index(named=None), "required"),
        (_index(files=[]), "expected an object"),
        (_index(segments={"column": "c", "values": [{"value": "a", "file": "../x"}]}), "not among the files"),
    ],
)
def test_files_that_do_not_belong_together_are_refused(
    files: dict[str, bytes], change: Callable[[dict[str, bytes]], dict[str, bytes]], message: str
) -> None:
    with pytest.raises(DocumentError, match=message) as caught:
        Baseline.from_files(change(files), file="there")
    assert str(caught.value.file).startswith("there")


def test_constraints_of_other_columns_are_refused(files: dict[str, bytes]) -> None:
    edited = json.loads(files[CONSTRAINTS])
    edited["features"][0]["name"] = "y"
    with pytest.raises(SchemaError, match="different columns"):
        Baseline.from_files({**files, CONSTRAINTS: json.dumps(edited).encode()}, file="there")


@pytest.mark.parametrize("folder", ["amazon_reviews", "churn", "housing", "weather", "sdk_fixtures"])
def test_sagemakers_folders_are_baselines(data: Path, folder: str) -> None:
    found = load_baseline(data / "sagemaker" / folder)
    document = json.loads((data / "sagemaker" / folder / "constraints.json").read_text())
    assert found.names == tuple(f["name"] for f in document["features"])
    assert found.profile is None
    assert found.mode == "sagemaker"
    assert found.notes == ("the baseline is SageMaker Model Monitor's own",)
    assert found.digest.startswith("sha256:")
    columns = found.columns(Limits())
    assert set(columns) <= set(found.names)
    assert found.statistics is not None
    assert found.n_rows == found.statistics.item_count


def test_constraints_alone_are_a_baseline_without_distributions(data: Path, tmp_path: Path) -> None:
    (tmp_path / CONSTRAINTS).write_bytes((data / "sagemaker" / "churn" / CONSTRAINTS).read_bytes())
    found = load_baseline(tmp_path)
    assert found.statistics is None
    assert found.columns(Limits()) == {}
    assert found.n_rows == 0
    assert load_baseline(tmp_path / CONSTRAINTS).names == found.names


def test_statistics_of_another_table_are_refused(data: Path, tmp_path: Path) -> None:
    (tmp_path / CONSTRAINTS).write_bytes((data / "sagemaker" / "churn" / CONSTRAINTS).read_bytes())
    (tmp_path / STATISTICS).write_bytes((data / "sagemaker" / "housing" / STATISTICS).read_bytes())
    with pytest.raises(SchemaError, match="no column in common"):
        load_baseline(tmp_path)


def test_saved_and_loaded(baseline: Baseline, tmp_path: Path) -> None:
    baseline.save(tmp_path / "b")
    assert load_baseline(tmp_path / "b").digest == baseline.digest
    assert load_baseline(tmp_path / "b" / INDEX).digest == baseline.digest


def test_what_is_no_baseline_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        load_baseline(tmp_path / "nowhere")
    with pytest.raises(DocumentError, match=r"no constraints\.json"):
        load_baseline(tmp_path)
    (tmp_path / "data.csv").write_text("a\n1\n")
    with pytest.raises(DocumentError, match="is not a baseline"):
        load_baseline(tmp_path / "data.csv")
