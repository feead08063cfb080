"""Differences of baselines that are not of data quality: by the paths of their values."""

from __future__ import annotations

import json
from typing import Any

from driftline.registry.baseline_diff import MOST_CHANGES, diff_between


class Made:
    """As much of a baseline as a difference needs."""

    def __init__(self, recipe: str, **documents: Any) -> None:
        self.recipe = recipe
        self.documents = documents

    def files(self) -> dict[str, bytes]:
        return {f"{name}.json": json.dumps(content).encode() for name, content in self.documents.items()}


def quality(**thresholds: float) -> Made:
    metrics = {name: {"threshold": value} for name, value in thresholds.items()}
    return Made("model-quality", constraints={"version": 0.0, "regression_constraints": metrics})


def test_thresholds() -> None:
    found = diff_between(quality(mae=1.0, mse=2.0), quality(mae=1.5, rmse=3.0))  # type: ignore[arg-type]
    assert found["added"] == ["regression_constraints.rmse.threshold"]
    assert found["removed"] == ["regression_constraints.mse.threshold"]
    assert found["changed"] == [
        {"feature": None, "what": "regression_constraints.mae.threshold", "before": 1.0, "after": 1.5}
    ]
    assert found["counts"] == {"added": 1, "removed": 1, "changed": 1}


def test_the_first_is_all_new_and_an_equal_one_is_none() -> None:
    assert diff_between(None, quality(mae=1.0))["counts"] == {"added": 2, "removed": 0, "changed": 0}  # type: ignore[arg-type]
    same = diff_between(quality(mae=1.0), quality(mae=1.0))  # type: ignore[arg-type]
    assert same["counts"] == {"added": 0, "removed": 0, "changed": 0}


def test_lists_go_by_names() -> None:
    def bias(*metrics: tuple[str, float]) -> Made:
        listed = [{"name": name, "value": value} for name, value in metrics]
        facets = {"sex": [{"value_or_threshold": "F", "metrics": listed}]}
        return Made("bias", analysis={"post_training_bias_metrics": {"facets": facets}})

    found = diff_between(bias(("AD", 0.1), ("DI", 0.8)), bias(("DI", 0.8), ("AD", 0.2)))  # type: ignore[arg-type]
    (one,) = found["changed"]
    assert one["what"] == "post_training_bias_metrics.facets.sex[F].metrics[AD].value"
    assert not found["added"]


def test_long_lists_are_cut_and_counted() -> None:
    many = {f"m{i}": float(i) for i in range(2 * MOST_CHANGES)}
    found = diff_between(None, quality(**many))  # type: ignore[arg-type]
    assert len(found["added"]) == MOST_CHANGES
    assert found["counts"]["added"] == 2 * MOST_CHANGES + 1
