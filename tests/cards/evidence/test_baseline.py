"""Evidence of a baseline: what the model did on the data that everything later is held to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from driftline.cards.evidence import evaluation_of_baseline
from driftline.cards.validation import problems
from driftline.errors import DocumentError
from driftline.monitor.job import make_baseline

if TYPE_CHECKING:
    from pathlib import Path


def check(job: dict[str, Any]) -> dict[str, dict[str, Any]]:
    assert problems({"evaluation_details": [job]}) == []
    assert len(json.dumps(job)) <= 10_000
    return {m["name"]: m for group in job["metric_groups"] for m in group["metric_data"]}


def test_statistics_of_columns_become_numbers() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=500)
    table = pa.table({"x": x, "c": rng.choice(["a", "b"], 500), "\n": np.zeros(500)})
    files = make_baseline(table, label="train").files()
    facts = {"source": "baselines/train/2", "baseline": "train", "baseline_version": 2}
    job = evaluation_of_baseline(files, facts=facts)
    found = check(job)
    assert job["name"] == "Baseline, data quality: train"
    assert job["metadata"]["status"] == "baseline"
    assert found["baseline"]["value"] == "train, version 2"
    assert (found["rows"]["value"], found["columns"]["value"]) == (500, 3)
    statistics = json.loads(files["statistics.json"])["features"][0]["numerical_statistics"]
    assert found["x - mean"]["value"] == statistics["mean"]
    assert found["x - num_missing"]["value"] == 0
    assert found["c - distinct_count"]["value"] == 2
    assert "\\n - mean" in found


def test_a_wide_baseline_fits_and_says_what_is_missing() -> None:
    table = pa.table({f"column {i}": np.arange(10.0) for i in range(300)})
    job = evaluation_of_baseline(make_baseline(table, label="wide").files())
    check(job)
    assert "Not shown here, for want of room: " in job["evaluation_observation"]


@pytest.mark.parametrize("name", ["model_quality_binary", "model_quality_regression"])
def test_files_of_sagemaker_are_a_baseline_of_quality(data: Path, name: str) -> None:
    statistics = (data / f"evaluation/{name}.json").read_bytes()
    key = "regression_constraints" if "regression" in name else "binary_classification_constraints"
    metric = "mae" if "regression" in name else "recall"
    constraints = {key: {metric: {"threshold": 0.5, "comparison_operator": "LessThanThreshold"}, "x": {}}}
    files = {"statistics.json": statistics, "constraints.json": json.dumps(constraints).encode()}
    job = evaluation_of_baseline(files, file="the-model")
    assert job["name"] == "Baseline, model quality: the-model"
    check(job)
    thresholds = next(g for g in job["metric_groups"] if g["name"] == "thresholds")
    assert thresholds["metric_data"] == [
        {"name": metric, "type": "number", "value": 0.5, "notes": "at least this"}
    ]
    measured = next(g for g in job["metric_groups"] if g["name"].endswith("_metrics"))["metric_data"]
    whole = json.loads(statistics)[key.replace("constraints", "metrics")]
    assert {m["name"]: m["value"] for m in measured if m["name"] in ("mae", "f1")} == {
        name: whole[name]["value"] for name in ("mae", "f1") if name in whole
    }


@pytest.mark.parametrize(
    ("name", "kind"), [("clarify_bias", "bias"), ("clarify_explainability", "feature attribution")]
)
def test_an_analysis_of_clarify_is_a_baseline(data: Path, name: str, kind: str) -> None:
    files = {"analysis.json": (data / f"evaluation/{name}.json").read_bytes()}
    job = evaluation_of_baseline(files, file="clarify")
    check(job)
    assert job["name"] == f"Baseline, {kind}: clarify"
    assert len(job["metric_groups"]) > 2


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({}, "holds no baseline"),
        ({"baseline.json": b'{"recipe": "bias", "label": "b"}'}, "holds no analysis.json"),
        ({"baseline.json": b'{"recipe": "other"}'}, "b/baseline.json: recipe"),
        ({"statistics.json": b"{"}, "b/statistics.json"),
        ({"statistics.json": b"[]"}, "expected an object"),
        ({"statistics.json": b"{}"}, "features"),
        ({"statistics.json": b'{"features": [{"name": "x", "numerical_statistics": {"mean": "high"}}]}'}, "mean"),
    ],
)  # fmt: skip
def test_what_is_no_baseline_is_refused(files: dict[str, bytes], told: str) -> None:
    with pytest.raises(DocumentError, match=told):
        evaluation_of_baseline(files, file="b")
