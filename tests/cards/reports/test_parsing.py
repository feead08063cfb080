"""Parsing: each kind of report gives the groups that SageMaker's own parser gives, and what is no report is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.cards.enums import EvaluationMetricTypeEnum
from driftline.cards.reports import KINDS, detect, groups, parse
from driftline.cards.validation import problems
from driftline.errors import DocumentError, DriftlineError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

SAMPLES = {
    "clarify_bias": "Clarify Bias",
    "clarify_explainability": "Clarify Explainability",
    "model_quality_binary": "Model Monitor Model Quality Binary Classification",
    "model_quality_regression": "Model Monitor Model Quality Regression",
    "generic_card_metrics": "Model Card Metric Schema",
}


def read(data: Path, name: str) -> Any:
    return json.loads((data / f"evaluation/{name}.json").read_bytes())


def as_set(found: list[dict[str, Any]]) -> list[str]:
    """Return groups without their order, nor that of their metrics."""
    spelled = [
        {"name": one["name"], "metrics": sorted(json.dumps(m, sort_keys=True) for m in one["metric_data"])}
        for one in found
    ]
    return sorted(json.dumps(one, sort_keys=True) for one in spelled)


@pytest.mark.parametrize("metric_type", ["auto", "named"])
@pytest.mark.parametrize("name", sorted(set(SAMPLES) - {"generic_card_metrics"}))
def test_the_four_reports_give_the_expected_groups(data: Path, name: str, metric_type: str) -> None:
    expected = read(data, f"expected/{name}")["metric_groups"]
    found = groups(read(data, name), SAMPLES[name] if metric_type == "named" else "auto")
    assert as_set(found) == as_set(expected)
    assert problems({"evaluation_details": [{"name": "x", "metric_groups": found}]}) == []


def test_card_metrics_are_taken_as_they_are(data: Path) -> None:
    given_ = read(data, "generic_card_metrics")
    assert groups(given_) == given_["metric_groups"]


def test_the_general_kind_takes_what_monitors_write(data: Path) -> None:
    for name in ("model_quality_binary", "model_quality_regression"):
        assert groups(read(data, name), "Model Monitor Model Quality") == groups(read(data, name))


def test_members_of_the_enumeration_are_kinds(data: Path) -> None:
    assert {one.value for one in EvaluationMetricTypeEnum} | {"auto"} == set(KINDS)
    found = groups(read(data, "clarify_bias"), EvaluationMetricTypeEnum.CLARIFY_BIAS)
    assert found == groups(read(data, "clarify_bias"), "Clarify Bias")


def test_each_kind_is_told_by_its_keys(data: Path) -> None:
    for name, kind in SAMPLES.items():
        assert detect(read(data, name)) == (kind,)


def test_an_analysis_can_be_bias_and_explanations_at_once(data: Path) -> None:
    both = {**read(data, "clarify_bias"), **read(data, "clarify_explainability")}
    assert detect(both) == ("Clarify Bias", "Clarify Explainability")
    apart = groups(read(data, "clarify_bias")) + groups(read(data, "clarify_explainability"))
    assert as_set(groups(both)) == as_set(apart)
    with pytest.raises(DocumentError, match="explanations: a stage of a bias report has 'facets'"):
        groups(both, "Clarify Bias")


def test_both_classifications_of_one_report_are_taken() -> None:
    both = {
        "binary_classification_metrics": {"recall": {"value": 0.5}},
        "multiclass_classification_metrics": {"accuracy": {"value": 0.25}},
    }
    for kind in ("auto", "Model Monitor Model Quality", SAMPLES["model_quality_binary"]):
        assert [one["name"] for one in groups(both, kind)] == list(both)


def test_the_general_kind_gives_nothing_of_a_report_it_does_not_know() -> None:
    assert groups({"version": 0.0, "dataset": {"item_count": 0}}, "Model Monitor Model Quality") == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("report", [{}, [], None, "text"])
def test_what_is_empty_is_refused_for_every_kind(kind: str, report: Any) -> None:
    with pytest.raises(ValueError, match=r"E-CARD-REPORT: report\.json: is"):
        groups(report, kind, file="report.json")


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"Model Monitor Model Quality"}))
def test_what_is_another_report_is_refused(kind: str) -> None:
    with pytest.raises(DocumentError) as caught:
        groups({"version": "1.0"}, kind, file="x.json")
    assert (caught.value.code, caught.value.file) == ("E-CARD-REPORT", "x.json")


def test_the_nearest_key_is_named() -> None:
    with pytest.raises(DocumentError, match="did you mean 'regression_metrics'"):
        groups({"regresion_metrics": {}})


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(UsageError, match="did you mean 'Clarify Bias'") as caught:
        groups({"a": 1}, "Clarify bias ")
    assert (caught.value.code, caught.value.field) == ("E-CARD-METRIC-TYPE", "metric_type")


def test_the_report_is_left_as_it_is(data: Path) -> None:
    report = read(data, "model_quality_binary")
    before = json.dumps(report)
    groups(report)
    assert json.dumps(report) == before


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "value", "type", "facets", "a", "0"]), inner, max_size=3)
    ),
    max_leaves=8,
)
_KEYS = st.sampled_from(
    [
        "metric_groups",
        "pre_training_bias_metrics",
        "explanations",
        "regression_metrics",
        "binary_classification_metrics",
        "version",
    ]
)


@given(st.dictionaries(_KEYS, _VALUES, max_size=3), st.sampled_from(KINDS), st.booleans())
def test_whatever_is_given_is_parsed_or_refused(report: dict[str, Any], kind: str, keep: bool) -> None:
    try:
        parsed = parse(report, kind, keep_missing=keep)
    except ValueError as error:
        told = error
    else:
        json.dumps(parsed.groups, allow_nan=False)
        return
    assert isinstance(told, DriftlineError)
