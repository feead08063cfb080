"""Numbers of real runs of the model-quality monitor, reproduced; each test names its line of the specification."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import pytest

from driftline.baselines.quality import CONSTRAINTS, STATISTICS, QualityBaseline
from driftline.monitor.quality.compat import sentence
from driftline.monitor.quality.job import check, make_baseline, read_settings
from driftline.reports.outcome import Status
from driftline.reports.violations import violations_json

if TYPE_CHECKING:
    from pathlib import Path

CHURN: dict[str, Any] = {
    "problem_type": "BinaryClassification",
    "ground_truth_attribute": "label",
    "inference_attribute": "prediction",
    "probability_attribute": "probability",
}
ADULT: dict[str, Any] = CHURN | {"inference_attribute": "predicted_label", "probability_attribute": "score"}
# The managed run had the two columns of this file exchanged.
SDK: dict[str, Any] = {
    "problem_type": "Regression",
    "ground_truth_attribute": "Prediction",
    "inference_attribute": "Label",
}
WEATHER: dict[str, Any] = SDK | {"ground_truth_attribute": "label", "inference_attribute": "prediction"}

# A matrix with rows of its own; what the documentation prints for it.
DOCUMENTED = {
    "recall": 1.0,
    "precision": 1 / 3,
    "accuracy": 0.5,
    "true_positive_rate": 1.0,
    "true_negative_rate": 0.33333333333333337,
    "false_positive_rate": 2 / 3,
    "false_negative_rate": 0.0,
    "f0_5": 0.3846153846153846,
    "f1": 0.5,
    "f2": 0.7142857142857143,
    "auc": 1.0,
    "recall_best_constant_classifier": 1.0,
    "precision_best_constant_classifier": 0.25,
    "accuracy_best_constant_classifier": 0.25,
    "f0_5_best_constant_classifier": 0.29411764705882354,
    "f1_best_constant_classifier": 0.4,
    "f2_best_constant_classifier": 0.625,
}
MULTICLASS = {
    "accuracy": 0.6288167938931297,
    "weighted_recall": 0.6288167938931297,
    "weighted_precision": 0.6983172269629505,
    "weighted_f0_5": 0.6803947317178771,
    "weighted_f1": 0.6571162346664904,
    "weighted_f2": 0.6384024354394601,
    "accuracy_best_constant_classifier": 0.19370229007633588,
    "weighted_precision_best_constant_classifier": 0.03752057718081697,
    "weighted_f0_5_best_constant_classifier": 0.04473443104152011,
    "weighted_f1_best_constant_classifier": 0.06286421244683643,
    "weighted_f2_best_constant_classifier": 0.10570313141262414,
}


def statistics_of(data: Any, given: dict[str, Any]) -> dict[str, Any]:
    baseline = make_baseline(data, read_settings(given), compat="sagemaker")
    found: dict[str, Any] = json.loads(baseline.files()[STATISTICS])
    return found


def values(statistics: dict[str, Any], key: str) -> dict[str, float]:
    return {name: one["value"] for name, one in statistics[f"{key}_metrics"].items() if "value" in one}


def theirs(
    data: Path, constraints: str, statistics: str | None = "sdk_regression_statistics"
) -> QualityBaseline:
    folder = data / "clarify" / "model_quality"
    files = {CONSTRAINTS: (folder / f"{constraints}.json").read_bytes()}
    if statistics is not None:
        files[STATISTICS] = (folder / f"{statistics}.json").read_bytes()
    return QualityBaseline.from_files(files, file="theirs")


def test_binary_churn(data: Path) -> None:
    """Spec 1.11, line 1: labels of the column, made at 0.8; probabilities for AUC alone."""
    found = statistics_of(data / "fairness" / "churn_validation_with_predictions.csv", CHURN)
    body = found["binary_classification_metrics"]
    assert found["dataset"]["item_count"] == 201
    assert body["confusion_matrix"] == {"0": {"0": 173, "1": 0}, "1": {"0": 12, "1": 16}}
    expected = {
        "recall": 0.5714285714285714,
        "precision": 1.0,
        "accuracy": 0.9402985074626866,
        "false_positive_rate": 0.0,
        "false_negative_rate": 0.42857142857142855,
        "f0_5": 0.8695652173913043,
        "f1": 0.7272727272727273,
        "f2": 0.625,
        "auc": 0.9395127993393889,
    }
    assert {name: body[name]["value"] for name in expected} == pytest.approx(expected, rel=1e-12)
    # At 0.5 eight rows would be labelled otherwise.
    at_half = statistics_of(
        data / "fairness" / "churn_validation_with_predictions.csv",
        {key: value for key, value in CHURN.items() if key != "inference_attribute"},
    )
    matrix = at_half["binary_classification_metrics"]["confusion_matrix"]
    assert matrix["0"]["1"] + matrix["1"]["1"] - 16 == 8
    at_eight = statistics_of(
        data / "fairness" / "churn_validation_with_predictions.csv",
        {k: v for k, v in CHURN.items() if k != "inference_attribute"}
        | {"probability_threshold_attribute": 0.8},
    )
    assert at_eight["binary_classification_metrics"]["confusion_matrix"] == body["confusion_matrix"]


def test_binary_adult(data: Path) -> None:
    """Spec 1.11, line 4."""
    found = statistics_of(data / "fairness" / "adult_ll_baseline_666.csv", ADULT)
    body = found["binary_classification_metrics"]
    assert body["confusion_matrix"] == {"0": {"0": 468, "1": 38}, "1": {"0": 66, "1": 94}}
    expected = {
        "recall": 0.5875,
        "precision": 0.7121212121,
        "accuracy": 0.8438438438,
        "f0_5": 0.6831395349,
        "f1": 0.6438356164,
        "f2": 0.6088082902,
        "auc": 0.8784832016,
    }
    assert {name: body[name]["value"] for name in expected} == pytest.approx(expected, abs=1e-10)


def test_regression_of_the_sdk(data: Path) -> None:
    """Spec 1.11, line 2, and the file that the service wrote."""
    found = statistics_of(data / "fairness" / "sdk_regression_100.csv", SDK)
    published = json.loads(
        (data / "clarify" / "model_quality" / "sdk_regression_statistics.json").read_text()
    )
    assert found["version"] == published["version"]
    assert found["dataset"]["item_count"] == published["dataset"]["item_count"] == 100
    assert list(found["regression_metrics"]) == list(published["regression_metrics"])
    for name, one in published["regression_metrics"].items():
        mine = found["regression_metrics"][name]
        assert mine["value"] == pytest.approx(one["value"], rel=1e-12), name
        assert mine["standard_deviation"] == one["standard_deviation"] == "NaN"


def test_regression_of_the_weather(data: Path) -> None:
    """Spec 1.11, line 3: values as printed, and standard deviations of the size that the service found."""
    found = statistics_of(data / "fairness" / "weather_regression_299.csv", WEATHER)["regression_metrics"]
    expected = {"mae": 3.955825029, "mse": 18.548753220, "rmse": 4.306826351, "r2": -7.741914978}
    assert {name: found[name]["value"] for name in expected} == pytest.approx(expected, rel=1e-9)
    printed = json.loads(
        (data / "clarify" / "model_quality" / "weather_regression_baseline_metrics_printed.json").read_text()
    )["regression_metrics"]
    for name in expected:
        # Of five draws: between a quarter and four times.
        assert 0.25 < found[name]["standard_deviation"] / printed[name]["standard_deviation"] < 4.0


def test_the_documented_binary_matrix() -> None:
    """Spec 1.4: TN 1, FP 2, FN 0, TP 1, every metric, and the best constant classifier of section 1.6."""
    rows = {"label": [0, 0, 0, 1], "prediction": [0, 1, 1, 1], "probability": [0.1, 0.6, 0.7, 0.9]}
    found = statistics_of(rows, CHURN)
    assert found["binary_classification_metrics"]["confusion_matrix"] == {
        "0": {"0": 1, "1": 2},
        "1": {"0": 0, "1": 1},
    }
    got = values(found, "binary_classification")
    assert got == pytest.approx(DOCUMENTED, rel=1e-15)
    curves = found["binary_classification_metrics"]
    assert len(curves["receiver_operating_characteristic_curve"]["true_positive_rates"]) == 6
    assert len(curves["precision_recall_curve"]["precisions"]) == 5


def test_the_documented_multiclass_matrix() -> None:
    """Spec 1.4 and 1.6: actual 0 (1180, 510), actual 1 (268, 138)."""
    cells = {(0, 0): 1180, (0, 1): 510, (1, 0): 268, (1, 1): 138}
    rows = {
        "label": [a for (a, _), n in cells.items() for _ in range(n)],
        "prediction": [p for (_, p), n in cells.items() for _ in range(n)],
    }
    given = {k: v for k, v in CHURN.items() if k != "probability_attribute"} | {
        "problem_type": "MulticlassClassification"
    }
    found = statistics_of(rows, given)
    got = values(found, "multiclass_classification")
    assert {name: got[name] for name in MULTICLASS} == pytest.approx(MULTICLASS, rel=1e-14)
    assert set(got) == set(MULTICLASS) | {"weighted_recall_best_constant_classifier"}


def test_ratios_without_denominator_are_nothing() -> None:
    """Spec 1.4: no predicted positive gives precision 0 and F 0."""
    rows = {"label": [0, 0, 1, 1], "prediction": [0, 0, 0, 0], "probability": [0.1, 0.2, 0.3, 0.4]}
    got = values(statistics_of(rows, CHURN), "binary_classification")
    assert {name: got[name] for name in ("precision", "f0_5", "f1", "f2", "recall")} == dict.fromkeys(
        ("precision", "f0_5", "f1", "f2", "recall"), 0.0
    )


def test_constraints_are_the_values_of_the_baseline(data: Path) -> None:
    """Spec 1.7: the exact value, the bad direction, and the metrics of the service."""
    baseline = make_baseline(
        data / "fairness" / "sdk_regression_100.csv", read_settings(SDK), compat="sagemaker"
    )
    found = json.loads(baseline.files()[CONSTRAINTS])
    published = json.loads(
        (data / "clarify" / "model_quality" / "sdk_regression_good_constraints.json").read_text()
    )
    assert {k: v for k, v in found.items() if k != "regression_constraints"} == {"version": 0.0}
    assert list(found["regression_constraints"]) == list(published["regression_constraints"])
    for name, one in published["regression_constraints"].items():
        mine = found["regression_constraints"][name]
        assert mine["comparison_operator"] == one["comparison_operator"]
        assert mine["threshold"] == pytest.approx(one["threshold"], rel=1e-12)
        assert set(mine) == set(one)
    binary = make_baseline(
        data / "fairness" / "adult_ll_baseline_666.csv", read_settings(ADULT), compat="sagemaker"
    ).constraints
    higher = {name for name, one in binary.metrics.items() if one.operator == "GreaterThanThreshold"}
    assert higher == {"false_positive_rate", "false_negative_rate"}
    assert set(binary.metrics) - higher == {
        "recall",
        "precision",
        "accuracy",
        "true_positive_rate",
        "true_negative_rate",
        "auc",
        "f0_5",
        "f1",
        "f2",
    }


def test_good_constraints_hold_and_bad_ones_do_not(data: Path) -> None:
    """Spec 5: the pipeline tests of the SDK. The bad file differs in the threshold of mse alone."""
    rows = data / "fairness" / "sdk_regression_100.csv"
    settings = read_settings(SDK)
    good = check(rows, theirs(data, "sdk_regression_good_constraints"), settings=settings, compat="sagemaker")
    assert good.status is Status.PASSED
    assert json.loads(violations_json(good, extras=False)) == {"violations": []}
    bad = check(rows, theirs(data, "sdk_regression_bad_constraints"), settings=settings, compat="sagemaker")
    assert [o.constraint.check for o in bad.violations] == ["mse"]
    [entry] = json.loads(violations_json(bad, extras=False))["violations"]
    assert set(entry) == {"constraint_check_type", "description", "metric_name"}
    assert (entry["constraint_check_type"], entry["metric_name"]) == ("GreaterThanThreshold", "mse")
    assert entry["description"].startswith("Metric mse with 0.33364933609800")
    assert entry["description"].endswith(" +/- NaN was GreaterThanThreshold '0.03364933609800973'")


def test_the_sentence_of_a_real_violation(data: Path) -> None:
    """Spec 1.8: the words and the digits."""
    [published] = json.loads(
        (data / "clarify" / "model_quality" / "weather_regression_violations.json").read_text()
    )["violations"]
    told = sentence("r2", -53.790146743270654, 4.829550001308316, "LessThanThreshold", -7.7419149776821)
    assert told == published["description"]


def test_a_value_at_its_threshold_is_no_violation() -> None:
    """Spec 1.8: the comparison is strict."""
    rows = {"label": [0, 0, 0, 1], "prediction": [0, 1, 1, 1], "probability": [0.1, 0.6, 0.7, 0.9]}
    settings = read_settings(CHURN)
    baseline = make_baseline(rows, settings, compat="sagemaker")
    assert check(rows, baseline, compat="sagemaker").status is Status.PASSED
    worse = rows | {"prediction": [0, 1, 1, 0]}
    report = check(worse, baseline, compat="sagemaker")
    assert {o.constraint.check for o in report.violations} == {
        "recall",
        "precision",
        "accuracy",
        "true_positive_rate",
        "false_negative_rate",
        "f0_5",
        "f1",
        "f2",
    }
    recall = next(o for o in report.outcomes if o.constraint.check == "recall")
    assert recall.reason == "Metric recall with 0.0 +/- NaN was LessThanThreshold '1.0'"


def test_a_metric_that_cannot_be_computed_is_not_compared(data: Path) -> None:
    """Spec 1.8: NaN cannot be compared."""
    baseline = theirs(data, "sdk_regression_good_constraints")
    rows = {"Prediction": [1.0] * 40, "Label": [1.0] * 40}
    report = check(rows, baseline, settings=read_settings(SDK), compat="sagemaker")
    r2 = next(o for o in report.outcomes if o.constraint.check == "r2")
    assert (r2.status, r2.reason) == (
        Status.UNDETERMINED,
        "Metric r2 is not computable: the truth is the same in all rows",
    )
    assert math.isnan(float(json.loads(report.companions[STATISTICS]())["regression_metrics"]["r2"]["value"]))


def test_files_of_the_service_are_a_baseline_in_the_default_mode(data: Path) -> None:
    """What chance does counts, although the files do not say how much."""
    settings = read_settings(SDK)
    rows = data / "fairness" / "sdk_regression_100.csv"
    both = check(rows, theirs(data, "sdk_regression_good_constraints"), settings=settings)
    assert both.status is Status.PASSED
    assert any("taken to vary as this window does" in note for note in both.notes)
    alone = check(rows, theirs(data, "sdk_regression_bad_constraints", None), settings=settings)
    assert any("thresholds only" in note for note in alone.notes)
    chosen = check(
        rows,
        theirs(data, "sdk_regression_bad_constraints", None),
        settings=settings,
        overrides={"checks": {"mse": {"enabled": True}}},
    )
    assert [o.constraint.check for o in chosen.violations] == ["mse"]
