"""Evaluation reports as parts of a card."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import driftline as dl
from driftline.cards.validation import problems
from driftline.errors import DriftlineError
from driftline.rooms.card_draft import Draft
from driftline.rooms.card_evaluation import evaluation_of, with_evaluations

DATA = Path(__file__).resolve().parents[1] / "data" / "cards" / "evaluation"


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """Folder with a ``report`` and a ``baseline`` of ours."""
    rng = np.random.default_rng(1)
    baseline = dl.baseline({"x": rng.normal(0, 1, 500)}, label="train")
    baseline.save(tmp_path / "baseline")
    dl.check({"x": rng.normal(3, 1, 500)}, baseline).save(tmp_path / "report")
    return tmp_path


@pytest.mark.parametrize("name", ["report", "report/report.json", "baseline", "baseline/baseline.json"])
def test_ours(folders: Path, name: str) -> None:
    job = evaluation_of(folders / name)
    assert problems({"evaluation_details": [job]}) == []
    assert job["name"].startswith("Data quality: " if name.startswith("report") else "Baseline")
    assert job["metric_groups"]


@pytest.mark.parametrize("name", [path.name for path in sorted(DATA.glob("*.json"))])
def test_theirs(name: str) -> None:
    job = evaluation_of(DATA / name, observation="By hand.", datasets=["s3://test"])
    assert problems({"evaluation_details": [job]}) == []
    assert list(job) == ["name", "evaluation_observation", "datasets", "metric_groups"]
    assert (job["name"], job["datasets"]) == (name.removesuffix(".json"), ["s3://test"])


def test_the_same_name_takes_the_place_of_the_older() -> None:
    draft = with_evaluations(Draft(), [{"name": "a", "datasets": ["1"]}, {"name": "b"}])
    draft = with_evaluations(draft, [{"name": "a", "datasets": ["2"]}, {"name": "c"}])
    jobs = draft.content["evaluation_details"]
    assert [(job["name"], job.get("datasets")) for job in jobs] == [("a", ["2"]), ("b", None), ("c", None)]
    assert with_evaluations(Draft(), []) == Draft()


def test_what_is_no_report_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "odd.json").write_text(json.dumps({"a": 1}))
    (tmp_path / "broken.json").write_text("{")
    for name, code in (
        ("empty", "E-FILE"),
        ("odd.json", "E-CARD-REPORT"),
        ("broken.json", "E-JSON"),
        ("missing.json", "E-FILE"),
    ):
        with pytest.raises(DriftlineError) as caught:
            evaluation_of(tmp_path / name)
        assert caught.value.code == code, str(caught.value)
        assert name in str(caught.value)
