"""Quality baseline: files that belong together, and every way in which they may not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from scored import BINARY, binary

from driftline.baselines.index import INDEX
from driftline.baselines.quality import CONSTRAINTS, STATES, STATISTICS, QualityBaseline
from driftline.errors import DocumentError, UsageError
from driftline.monitor.quality.job import make_baseline, read_settings

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def baseline() -> QualityBaseline:
    return make_baseline(binary(400, 1), read_settings(BINARY | {"slices": ["region"]}), label="validation")


@pytest.fixture
def files(baseline: QualityBaseline) -> dict[str, bytes]:
    return baseline.files()


def test_written_and_read_back(baseline: QualityBaseline, files: dict[str, bytes]) -> None:
    assert list(files) == [STATISTICS, CONSTRAINTS, STATES, INDEX]
    found = QualityBaseline.from_files(files, file="somewhere")
    assert found.files() == files
    assert (found.recipe, found.label, found.n_rows, found.mode) == (
        "model-quality",
        "validation",
        400,
        "default",
    )
    assert found.names == ("y", "p", "region")
    assert found.digest == baseline.digest
    assert found.statistics == baseline.statistics
    assert found.constraints == baseline.constraints
    assert repr(found) == "<QualityBaseline validation: binary, 400 rows>"


def test_saved_whole(baseline: QualityBaseline, tmp_path: Path) -> None:
    baseline.save(tmp_path / "baseline")
    assert sorted(p.name for p in (tmp_path / "baseline").iterdir()) == sorted(baseline.files())
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "report.json").write_text("{}")
    with pytest.raises(UsageError, match="E-WRITE"):
        baseline.save(tmp_path / "report")


def test_constraints_may_be_edited(files: dict[str, bytes]) -> None:
    document = json.loads(files[CONSTRAINTS])
    document["binary_classification_constraints"]["recall"]["threshold"] = 0.5
    found = QualityBaseline.from_files(files | {CONSTRAINTS: json.dumps(document).encode()}, file="x")
    assert found.constraints.metrics["recall"].threshold == 0.5
    assert found.notes == ("constraints.json was edited after the baseline was made",)


@pytest.mark.parametrize("name", [STATISTICS, STATES])
def test_nothing_else_may_be(files: dict[str, bytes], name: str) -> None:
    damaged = files[name][:-1] + b" "
    assert damaged != files[name] or name == STATISTICS
    changed = files[name].replace(b"0", b"1", 1) if name == STATISTICS else damaged
    with pytest.raises(DocumentError, match=r"E-BASELINE-DAMAGED|E-JSON"):
        QualityBaseline.from_files(files | {name: changed}, file="x")


def test_files_of_the_service_alone_are_a_baseline(data: Path) -> None:
    folder = data / "clarify" / "model_quality"
    constraints = (folder / "sdk_regression_good_constraints.json").read_bytes()
    alone = QualityBaseline.from_files({CONSTRAINTS: constraints}, file="theirs")
    assert (alone.mode, alone.n_rows, alone.statistics, alone.states) == ("sagemaker", 0, None, None)
    both = QualityBaseline.from_files(
        {CONSTRAINTS: constraints, STATISTICS: (folder / "sdk_regression_statistics.json").read_bytes()},
        file="theirs",
    )
    assert both.n_rows == 100
    assert both.notes == ("the baseline is SageMaker Model Monitor's own",)
    assert both.digest != alone.digest
    # Saved, they stay SageMaker's.
    assert json.loads(both.files()[CONSTRAINTS]) == json.loads(constraints)
    assert QualityBaseline.from_files(both.files(), file="ours").digest == both.digest


def test_documents_of_two_problems_are_refused(files: dict[str, bytes], data: Path) -> None:
    folder = data / "clarify" / "model_quality"
    theirs = (folder / "sdk_regression_good_constraints.json").read_bytes()
    with pytest.raises(DocumentError, match=r"about binary, and constraints\.json about regression"):
        QualityBaseline.from_files({CONSTRAINTS: theirs, STATISTICS: files[STATISTICS]}, file="x")
    with pytest.raises(DocumentError, match=r"there is no constraints\.json"):
        QualityBaseline.from_files({STATISTICS: files[STATISTICS]}, file="x")
