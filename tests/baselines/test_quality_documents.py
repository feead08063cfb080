"""SageMaker's documents of model quality: what the service wrote is read, and what is written it can read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from driftline.baselines.constraint import Settings, Severity
from driftline.baselines.quality_documents import (
    Metric,
    QualityConstraints,
    QualityStatistics,
    Threshold,
    problem_of,
    read_quality_constraints,
    read_quality_statistics,
    write_quality_constraints,
    write_quality_statistics,
)
from driftline.errors import DocumentError

if TYPE_CHECKING:
    from pathlib import Path

STATISTICS = QualityStatistics(
    "binary",
    4,
    {"recall": Metric(1.0, None, 0.2, (0.4, 1.0)), "auc": Metric(None, None)},
    {"brier": Metric(0.2, 0.01, 0.02, (0.1, 0.3))},
    {"0": {"0": 1, "1": 2}, "1": {"0": 0, "1": 1}},
    {"precision_recall_curve": ((1.0, 0.5), (0.0, 1.0))},
    "2024-01-19T21:10:33.123Z",
    {"captured": 5, "labelled": 4},
)
CONSTRAINTS = QualityConstraints(
    "binary",
    {
        "recall": Threshold(
            0.5, "LessThanThreshold", 0.02, Settings(severity=Severity.CRITICAL, why="agreed")
        ),
        "auc": Threshold(None, "LessThanThreshold"),
    },
    {"brier": Threshold(0.2, "GreaterThanThreshold", 0.01, Settings(enabled=False))},
    0.05,
)


def test_statistics_are_read_back() -> None:
    assert read_quality_statistics(write_quality_statistics(STATISTICS)) == STATISTICS


def test_constraints_are_read_back() -> None:
    assert read_quality_constraints(write_quality_constraints(CONSTRAINTS)) == CONSTRAINTS


def test_plain_documents_hold_nothing_of_driftline() -> None:
    statistics = json.loads(write_quality_statistics(STATISTICS, plain=True))
    assert list(statistics) == ["version", "dataset", "binary_classification_metrics"]
    assert statistics["version"] == 0.0
    assert statistics["binary_classification_metrics"]["recall"] == {
        "value": 1.0,
        "standard_deviation": "NaN",
    }
    assert statistics["binary_classification_metrics"]["auc"] == {"value": "NaN", "standard_deviation": "NaN"}
    constraints = json.loads(write_quality_constraints(CONSTRAINTS, plain=True))
    assert constraints == {
        "version": 0.0,
        "binary_classification_constraints": {
            "recall": {"threshold": 0.5, "comparison_operator": "LessThanThreshold"},
            "auc": {"threshold": "NaN", "comparison_operator": "LessThanThreshold"},
        },
    }


@pytest.mark.parametrize("name", ["sdk_regression_good_constraints", "sdk_regression_bad_constraints"])
def test_constraints_of_the_service_are_written_as_they_were(data: Path, name: str) -> None:
    text = (data / "clarify" / "model_quality" / f"{name}.json").read_text()
    found = read_quality_constraints(text)
    assert json.loads(write_quality_constraints(found, plain=True)) == json.loads(text)
    assert found.metrics["r2"].sign == -1
    assert found.metrics["mse"].sign == 1


def test_statistics_of_the_service_are_written_as_they_were(data: Path) -> None:
    text = (data / "clarify" / "model_quality" / "sdk_regression_statistics.json").read_text()
    found = read_quality_statistics(text)
    assert (found.problem, found.n_rows, found.evaluation_time) == ("regression", 100, None)
    assert found.metrics["mae"] == Metric(0.5040653554420981)
    assert json.loads(write_quality_statistics(found, plain=True)) == json.loads(text)


def test_statistics_of_the_documentation_are_read(data: Path) -> None:
    folder = data / "clarify" / "model_quality"
    newer = read_quality_statistics(
        (folder / "card_model_monitor_model_quality_regression.json").read_bytes()
    )
    assert newer.evaluation_time == "2023-03-30T21:08:34.729Z"
    assert newer.metrics["r2"].standard_deviation == 0.02946664105374692
    binary = read_quality_statistics(
        (folder / "card_model_monitor_model_quality_binary_classification.json").read_bytes()
    )
    assert binary.confusion == {"0": {"0": 1, "1": 2}, "1": {"0": 0, "1": 1}}
    assert binary.n_rows == 4
    assert len(binary.curves["precision_recall_curve"][0]) == 5
    printed = read_quality_statistics(
        (folder / "weather_regression_baseline_metrics_printed.json").read_bytes()
    )
    assert printed.metrics["mae"].standard_deviation == 0.058059


def test_scientific_notation_and_not_a_number_are_read() -> None:
    text = """{"version": 0.0, "regression_constraints": {
        "mae": {"threshold": 1.5E-3, "comparison_operator": "GreaterThanThreshold"},
        "r2": {"threshold": "NaN", "comparison_operator": "LessThanThreshold"}}}"""
    found = read_quality_constraints(text)
    assert found.metrics["mae"].threshold == 0.0015
    assert found.metrics["r2"].threshold is None
    assert found.metrics["mae"].tolerance is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"regression_constraints": {"rmsee": {"threshold": 1}}}, "did you mean 'rmse'"),
        ({"regression_constraints": {"mae": {"comparison_operator": "GreaterThanThreshold"}}}, "threshold"),
        (
            {
                "regression_constraints": {
                    "mae": {"threshold": "low", "comparison_operator": "GreaterThanThreshold"}
                }
            },
            "expected a number",
        ),
        (
            {"regression_constraints": {"mae": {"threshold": 1, "comparison_operator": "Greater"}}},
            "GreaterThanThreshold",
        ),
        ({"regression_constraints": {}}, "holds no metric"),
        ({"features": []}, "found none"),
        ({"regression_constraints": {}, "binary_classification_constraints": {}}, "found several"),
        (
            {
                "regression_constraints": {
                    "mae": {"threshold": 1, "comparison_operator": "GreaterThanThreshold", "tolerance": -1}
                }
            },
            "tolerance",
        ),
        (
            {
                "regression_constraints": {
                    "mae": {
                        "threshold": 1,
                        "comparison_operator": "GreaterThanThreshold",
                        "driftline": {"severty": 1},
                    }
                }
            },
            "did you mean 'severity'",
        ),
    ],
)
def test_a_broken_constraints_document_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(DocumentError, match=message):
        read_quality_constraints(json.dumps({"version": 0.0, **change}))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"mae": 3}, "expected an object"),
        ({"mae": {"value": "many"}}, "expected a number"),
        ({"mae": {"value": 1, "interval": [1]}}, "two numbers"),
        ({"confusion_matrix": {"0": {"0": -1}}}, "confusion_matrix"),
        ({"precision_recall_curve": {"precisions": [1], "recalls": ["x"]}}, "recalls"),
    ],
)
def test_a_broken_statistics_document_is_refused(body: dict[str, Any], message: str) -> None:
    with pytest.raises(DocumentError, match=message):
        read_quality_statistics(json.dumps({"dataset": {"item_count": 1}, "regression_metrics": body}))


def test_problems_have_two_names() -> None:
    assert [
        problem_of(name) for name in ("Regression", "BinaryClassification", "MulticlassClassification")
    ] == [
        "regression",
        "binary",
        "multiclass",
    ]
    assert problem_of("multiclass") == "multiclass"
    assert problem_of("clustering") is None
