"""A baseline of attributions is its files: the same bytes again, edited only where people may."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from driftline.baselines.attribution import AttributionBaseline
from driftline.baselines.explanations import Attribution, Explanations
from driftline.baselines.kinds import baseline_of
from driftline.errors import DocumentError, UsageError
from driftline.kernels.state import Packed

if TYPE_CHECKING:
    from pathlib import Path


def made() -> AttributionBaseline:
    return AttributionBaseline(
        "train.parquet",
        Explanations((Attribution("label0", {"age": 0.5, "income": 0.25}, 0.1),)),
        {"model": {"kind": "callable"}, "features": ["age", "income"]},
        ("age", "income"),
        100,
        {"local": Packed({"rows": 1, "features": 2, "labels": 1}, {"values": np.array([0.5, -0.25])})},
        {"features": ["age", "income"], "labels": ["label0"]},
        b"age_label0,income_label0\n0.5,-0.25\n",
        b"age,income\n39,1000\n",
        created="2026-11-23T10:00:00Z",
        sources=("train.parquet",),
        versions={"driftline": "0"},
        notes=("a note",),
    )


def test_files_and_back() -> None:
    baseline = made()
    files = baseline.files()
    assert list(files)[-1] == "baseline.json"
    assert set(files) == {"analysis.json", "out.csv", "baseline.csv", "states.arrow", "baseline.json"}
    again = AttributionBaseline.from_files(files, file="b")
    assert again.files() == files
    assert again.digest == baseline.digest
    assert (again.label, again.names, again.n_rows, again.notes) == (
        "train.parquet",
        ("age", "income"),
        100,
        ("a note",),
    )
    assert (again.features, again.labels, again.recipe) == (("age", "income"), ("label0",), "attribution")
    assert repr(again) == "<AttributionBaseline train.parquet: 100 rows, 2 features>"
    assert isinstance(baseline_of(files, file="b"), AttributionBaseline)


def test_numbers_may_be_edited() -> None:
    files = made().files()
    files["analysis.json"] = files["analysis.json"].replace(b"0.25", b"0.75")
    again = AttributionBaseline.from_files(files, file="b")
    assert again.explanations.attributions[0].values["income"] == 0.75
    assert again.notes[-1] == "analysis.json was edited after the baseline was made"


@pytest.mark.parametrize(
    ("old", "new", "what"), [(b"income", b"wealth", "features"), (b"label0", b"label9", "labels")]
)
def test_names_may_not(old: bytes, new: bytes, what: str) -> None:
    files = made().files()
    files["analysis.json"] = files["analysis.json"].replace(old, new)
    with pytest.raises(DocumentError, match=f"speaks of other {what} than the baseline"):
        AttributionBaseline.from_files(files, file="b")


@pytest.mark.parametrize("name", ["out.csv", "baseline.csv", "states.arrow"])
def test_other_files_may_not(name: str) -> None:
    files = made().files()
    with pytest.raises(DocumentError, match="E-BASELINE-DAMAGED"):
        AttributionBaseline.from_files({**files, name: files[name] + b"x"}, file="b")
    del files[name]
    with pytest.raises(DocumentError, match=f"{name} is missing"):
        AttributionBaseline.from_files(files, file="b")


def test_the_index_may_not() -> None:
    files = made().files()
    index = json.loads(files["baseline.json"])
    index["n_rows"] = 7
    with pytest.raises(DocumentError, match="E-BASELINE-DAMAGED"):
        AttributionBaseline.from_files({**files, "baseline.json": json.dumps(index).encode()}, file="b")


def test_clarifys_file_alone(data: Path) -> None:
    text = (data / "clarify/shap/weather_baseline_a_analysis.json").read_bytes()
    found = AttributionBaseline.from_files({"analysis.json": text}, file="clarify")
    assert found.mode == "sagemaker"
    assert len(found.features) == 16
    assert "knows no spread" in found.notes[0]
    assert found.digest.startswith("sha256:")
    with pytest.raises(DocumentError, match=r"there is no analysis\.json"):
        AttributionBaseline.from_files({}, file="clarify")


def test_save(tmp_path: Path) -> None:
    made().save(tmp_path / "b")
    assert (tmp_path / "b" / "baseline.json").exists()
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "report.json").write_text("{}")
    with pytest.raises(UsageError, match="E-WRITE"):
        made().save(tmp_path / "r")
