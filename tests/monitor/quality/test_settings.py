"""Settings: read strictly, written back whole."""

from __future__ import annotations

from typing import Any

import pytest

from driftline.errors import DocumentError, UsageError
from driftline.monitor.quality.settings import Settings, Tolerance, read_settings, settings_document

FULL = b"""
problem = "binary"
label = "churned"
prediction = "said"
probability = "score"
positive = true
threshold = 0.8
labels = ["0", 1.0]
slices = ["region", "plan"]
max_slices = 7
top_k = [100, 0.05]
metrics = ["recall", "f1"]
alpha = 0.05
min_rows = 10
min_events = 2
judge_estimates = true

[reliability]
bins = 12
by = "width"

[bootstrap]
replicates = 200
seed = 7

[tolerance]
recall = 0.03
brier = "7.25 %"
"""


def test_every_setting_is_read() -> None:
    assert read_settings(FULL) == Settings(
        "binary",
        "churned",
        "said",
        ("score",),
        0.8,
        "1",
        ("0", "1"),
        ("region", "plan"),
        7,
        (0.05, 100.0),
        12,
        "width",
        200,
        7,
        {"recall": Tolerance(0.03), "brier": Tolerance(7.25, is_relative=True)},
        ("recall", "f1"),
        0.05,
        10,
        2,
        True,
    )


@pytest.mark.parametrize(
    "given",
    [
        FULL,
        {"problem": "regression", "label": "y", "prediction": "p", "tolerance": {"mae": "0.1 %"}},
        {"problem": "multiclass", "label": "y", "probability": "all", "labels": ["a", "b", "c"]},
        {
            "problem": "multiclass",
            "label": "y",
            "probability": ["a", "b"],
            "labels": ["a", "b"],
            "top_k": [3],
        },
        {"problem": "binary", "label": 0, "probability": 1},
    ],
)
def test_settings_are_written_and_read_back(given: Any) -> None:
    settings = read_settings(given)
    assert read_settings(settings_document(settings)) == settings


def test_the_names_of_the_service_are_understood() -> None:
    found = read_settings(
        {
            "problem_type": "BinaryClassification",
            "ground_truth_attribute": "label",
            "inference_attribute": "prediction",
            "probability_attribute": "probability",
            "probability_threshold_attribute": 0.8,
        }
    )
    assert (found.problem, found.label, found.prediction) == ("binary", "label", "prediction")
    assert (found.probability, found.threshold) == (("probability",), 0.8)
    assert found.names == ("label", "prediction", "probability")
    assert found.roles == {"label": "label", "prediction": "prediction", "probability": "probability"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"problem": "Binary Classification"}, "unknown value"),
        ({"problem": "multiklass"}, "did you mean 'multiclass'"),
        ({"lable": "y"}, "did you mean 'label'"),
        ({"label": None}, "label: this field is required"),
        ({"label": ""}, "name of a column"),
        ({"probability": None}, "give the column of the predicted label"),
        ({"probability": ["a", "b"]}, "the one column of the positive class"),
        ({"threshold": 2}, "from 0 to 1"),
        ({"positive": []}, "expected a label"),
        ({"positive": "nan"}, "expected a label"),
        ({"labels": ["a", "b"]}, "one of them the positive one"),
        ({"labels": [1, 1.0]}, "names a label twice"),
        ({"top_k": [0]}, "number of rows"),
        ({"top_k": [1.5]}, "number of rows"),
        ({"top_k": list(range(1, 30))}, "more than 20"),
        ({"tolerance": {"recal": 0.1}}, "did you mean 'recall'"),
        ({"tolerance": {"recall": "much"}}, "such as '5 %'"),
        ({"tolerance": {"recall": -0.1}}, "at least 0"),
        ({"metrics": ["accurcy"]}, "did you mean 'accuracy'"),
        ({"alpha": 1}, "above 0 and below 1"),
        ({"min_rows": 0}, "at least 1"),
        ({"bootstrap": {"replicates": 5}}, "at least 100"),
        ({"bootstrap": {"sed": 5}}, "did you mean 'seed'"),
        ({"reliability": {"by": "weight"}}, "unknown value"),
        ({"slices": "region"}, "expected a list"),
        ({"slices": [3]}, r"slices\[0\]: expected the name of a column"),
        ({"judge_estimates": "yes"}, "true or false"),
        ({"problem_type": "binary"}, "stands beside problem"),
        ({"problem": "regression"}, "has no probability"),
        ({"problem": "regression", "probability": None}, "the column of the predicted numbers"),
        ({"problem": "multiclass"}, "need the labels that they are of"),
        ({"problem": "multiclass", "probability": ["a", "b"], "labels": ["a", "b", "c"]}, "names 2 columns"),
    ],
)
def test_what_makes_no_sense_is_refused(change: dict[str, Any], message: str) -> None:
    given = {"problem": "binary", "label": "y", "probability": "p"} | change
    with pytest.raises(DocumentError, match=message) as error:
        read_settings({key: value for key, value in given.items() if value is not None}, file="quality.toml")
    assert error.value.file == "quality.toml"


def test_what_is_no_settings_is_refused() -> None:
    with pytest.raises(UsageError, match="must be told which column is the label"):
        read_settings(None)
    with pytest.raises(UsageError, match="expected a mapping or TOML"):
        read_settings([1])  # type: ignore[arg-type]
    with pytest.raises(DocumentError, match="not TOML"):
        read_settings(b"problem = ")
    with pytest.raises(DocumentError, match="not valid UTF-8"):
        read_settings(b"\xff")
    with pytest.raises(DocumentError, match="nests too deeply"):
        read_settings(b".".join([b"a"] * 200) + b" = 1")


def test_a_tolerance_is_of_the_metric_or_of_its_value() -> None:
    assert Tolerance(0.02).of(0.5) == 0.02
    assert Tolerance(5, is_relative=True).of(-40.0) == 2.0
    assert (Tolerance(0.02).told, Tolerance(5, is_relative=True).told) == ("0.02", "5 %")
