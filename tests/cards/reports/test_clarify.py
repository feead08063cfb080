"""Clarify: facets are joined by name, features may be called anything, and what failed in the job is told."""

from __future__ import annotations

from typing import Any

import pytest

from driftline.cards.reports import parse
from driftline.cards.validation import problems
from driftline.errors import DocumentError


def stage(*entries: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"label": "y", "label_value_or_threshold": "1", "facets": {"sex": list(entries)}, **fields}


def entry(value: Any, *metrics: tuple[str, Any]) -> dict[str, Any]:
    return {"value_or_threshold": value, "metrics": [{"name": n, "value": v} for n, v in metrics]}


def test_entries_of_one_name_are_joined() -> None:
    found = parse({"pre_training_bias_metrics": stage(entry("F", ("CI", 0.1)), entry("F", ("DPL", 0.2)))})
    (one,) = found.groups
    assert one["name"] == "pre_training_bias_metrics - label y = 1 and facet sex=F"
    assert [m["name"] for m in one["metric_data"]] == ["CI", "DPL"]


def test_a_metric_that_is_null_is_left_out_and_told() -> None:
    metrics = [{"name": "DI", "value": None, "error": "division by zero"}, {"name": "CI", "value": 0}]
    report = {"post_training_bias_metrics": stage({"value_or_threshold": "F", "metrics": metrics})}
    found = parse(report)
    assert [m["name"] for m in found.groups[0]["metric_data"]] == ["CI"]
    assert found.warnings == ("DI has no value: division by zero",)
    kept = parse(report, keep_missing=True).groups[0]["metric_data"][0]
    assert kept == {"name": "DI", "type": "string", "value": "not available", "notes": "division by zero"}


def test_numbers_can_be_values_of_facets() -> None:
    found = parse({"pre_training_bias_metrics": stage(entry(40, ("CI", 0.1)), label_value_or_threshold=0.5)})
    assert found.groups[0]["name"] == "pre_training_bias_metrics - label y = 0.5 and facet sex=40"


def test_names_that_are_too_long_stay_different() -> None:
    long = "native-country=" + "x" * 300
    found = parse(
        {"pre_training_bias_metrics": stage(entry(long + "a", ("CI", 1)), entry(long + "b", ("CI", 2)))}
    )
    names = [one["name"] for one in found.groups]
    assert len(set(names)) == 2
    assert max(map(len, names)) == 255
    assert problems({"evaluation_details": [{"name": "x", "metric_groups": found.groups}]}) == []


@pytest.mark.parametrize(
    ("broken", "field"),
    [
        ({"label": "y"}, ""),
        (stage() | {"facets": []}, ".facets"),
        (stage() | {"facets": {"sex": {}}}, ".facets.sex"),
        (stage(entry("F")) | {"label": None}, ".label"),
        (stage({"metrics": []}), ".facets.sex[0].value_or_threshold"),
        (stage({"value_or_threshold": "F"}), ".facets.sex[0].metrics"),
        (stage({"value_or_threshold": "F", "metrics": ["CI"]}), ".facets.sex[0].metrics[0]"),
        (stage({"value_or_threshold": "F", "metrics": [{"value": 1}]}), ".facets.sex[0].metrics[0].name"),
        (stage(entry("F", ("CI", "high"))), ".facets.sex[0].metrics[0].value"),
    ],
)  # fmt: skip
def test_broken_stages_name_the_field(broken: dict[str, Any], field: str) -> None:
    with pytest.raises(DocumentError) as caught:
        parse({"pre_training_bias_metrics": broken}, file="analysis.json")
    assert (caught.value.file, caught.value.field) == ("analysis.json", "pre_training_bias_metrics" + field)


def dependence(**fields: Any) -> dict[str, Any]:
    given = {
        "feature_name": "age",
        "data_type": "numerical",
        "feature_values": [20, 30],
        "data_distribution": [0.5, 0.5],
        "model_predictions": [[0.1, 0.2], [0.9, 0.8]],
        "label_headers": ["no", "yes"],
    }
    return {key: value for key, value in {**given, **fields}.items() if value is not ...}


def explained(**analyses: Any) -> Any:
    return parse({"explanations": analyses}, file="analysis.json")


def test_an_empty_dependence_is_a_group() -> None:
    assert explained(pdp=[]).groups == [{"name": "explanations - pdp", "metric_data": []}]
    assert explained(pdp=None).groups == [{"name": "explanations - pdp", "metric_data": []}]
    assert explained(other={"a": 1}).groups == []


def test_labels_may_have_no_headers() -> None:
    (one,) = explained(pdp=[dependence(label_headers=...)]).groups
    assert [m["y_axis_name"] for m in one["metric_data"]] == ["Data distribution", "label0", "label1"]


def test_a_feature_that_could_not_be_analysed_is_told() -> None:
    found = explained(pdp=[{"feature_name": "text", "data_type": "free_text", "error": "not supported"}])
    assert found.groups[0]["metric_data"] == []
    assert found.warnings == ("data_distribution - feature=text has no value: not supported",)


def test_categories_may_be_numbers_and_bars_may_lack_a_value() -> None:
    found = explained(
        pdp=[dependence(data_type="categorical", data_distribution=["NaN", 0.5], model_predictions=...)]
    )
    (bars,) = found.groups[0]["metric_data"]
    assert (bars["type"], bars["value"], bars["x_axis_name"]) == ("bar_chart", [0.5], ["30"])
    assert bars["notes"] == "1 of 2 bars have no value and are left out"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"data_type": "free"}, ".data_type"),
        ({"data_distribution": [1]}, ".data_distribution"),
        ({"model_predictions": [[1, 2]]}, ".label_headers"),
        ({"model_predictions": [1, 2]}, ".model_predictions[0]"),
        ({"feature_values": ["a", "b"]}, ".feature_values[0]"),
        ({"feature_name": ["a", "b"]}, ".feature_name"),
        ({"data_type": "categorical", "feature_values": [[1], 2]}, ".feature_values[0]"),
    ],
)
def test_broken_dependences_name_the_field(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(DocumentError) as caught:
        explained(pdp=[dependence(**fields)])
    assert caught.value.field == "explanations.pdp[0]" + field


def test_values_have_the_type_that_they_have() -> None:
    (one,) = explained(
        kernel_shap={"l": {"global_shap_values": {"a": 1, "b": True, "c": "NaN", "": 0.5}}}
    ).groups
    found = [(m["name"], m["type"], m["value"]) for m in one["metric_data"]]
    assert found == [("a", "number", 1), ("b", "boolean", True), ('""', "number", 0.5)]


@pytest.mark.parametrize("wrong", [[], "x", 3])
def test_explanations_are_an_object(wrong: Any) -> None:
    with pytest.raises(DocumentError, match="explanations"):
        parse({"explanations": wrong}, "Clarify Explainability")
