from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.cards.enums import MetricTypeEnum
from driftline.cards.limits import (
    METRIC,
    RULES,
    SECTIONS,
    ByType,
    Items,
    Map,
    Number,
    Object,
    Text,
    described,
    is_parsed_name,
    keys,
    most,
)


def test_sections_are_the_keys_of_the_content() -> None:
    assert keys("") == SECTIONS


def test_every_rule_has_its_place() -> None:
    for pattern in RULES:
        parts = pattern.split(".") if pattern else []
        for depth in range(len(parts)):
            above = RULES[".".join(parts[:depth])]
            assert isinstance(above, (Items, Map) if parts[depth] == "*" else Object), pattern


def test_lists_and_maps_have_a_rule_for_what_they_hold() -> None:
    for pattern, rule in RULES.items():
        if isinstance(rule, (Items, Map)):
            assert f"{pattern}.*" in RULES, pattern


def test_every_type_of_metric_has_its_rules() -> None:
    for key in ("value", "x_axis_name", "y_axis_name"):
        rule = RULES[f"{METRIC}.{key}"]
        assert isinstance(rule, ByType)
        assert list(rule.rules) == [str(member) for member in MetricTypeEnum]


def test_the_most() -> None:
    assert most("model_overview.model_artifact") == 15
    assert most("evaluation_details.*.evaluation_observation") == 2096
    assert most("evaluation_details.*.metric_groups") is None
    assert most("model_overview.model_version") is None


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("model_overview.model_id", "text of at most 1,024 characters"),
        ("model_package_details.domain", "text"),
        ("evaluation_details.*.name", "text of 1 to 63 characters, required"),
        (
            "evaluation_details.*.metric_groups.*.name",
            "text of 1 to 63 characters (255 in names that parsers of reports make), required",
        ),
        ("model_overview.model_version", "number of at least 1"),
        ("model_overview.model_artifact", "list of at most 15"),
        ("evaluation_details", "list"),
        ("model_package_details.inference_specification.containers", "list of 1 to 15, required"),
        ("intended_uses.risk_rating", "one of High, Medium, Low, Unknown"),
        ("additional_information.custom_details", "object with keys of your choice"),
        ("intended_uses", "object"),
        (
            f"{METRIC}.value",
            "number: number; string: text of at most 63 characters; boolean: true or false; "
            "linear_graph: list of 1 to 10,000, each a list of 2, each a number; "
            "bar_chart: list of 1 to 10,000, each a number; "
            "matrix: list of 1 to 20, each a list of 1 to 20, each a number, required",
        ),
    ],
)
def test_rules_in_words(pattern: str, words: str) -> None:
    assert described(RULES[pattern]) == words


def test_every_rule_has_words() -> None:
    for rule in RULES.values():
        assert described(rule)


@pytest.mark.parametrize(
    "name",
    [
        "pre_training_bias_metrics - label Target = 1 and facet Gender=0",
        "post_training_bias_metrics - label Target = 1 and facet Gender=0",
        "explanations - global_shap_values, label=0",
        "explanations - global_top_shap_text, label=0, feature=text",
        "explanations - pdp",
    ],
)
def test_names_of_parsers(name: str) -> None:
    assert is_parsed_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "accuracy",
        "regression_metrics",
        "explanations",
        "explanations - other",
        "my group - label x",
        " - label x",
    ],
)
def test_names_of_people(name: str) -> None:
    assert not is_parsed_name(name)


@given(st.text())
def test_any_name_is_told(name: str) -> None:
    assert is_parsed_name(name) in (True, False)


def test_no_limit_is_below_what_it_must_hold() -> None:
    for pattern, rule in RULES.items():
        if isinstance(rule, (Text, Items)) and rule.high is not None:
            assert 0 <= rule.low <= rule.high, pattern
        if isinstance(rule, Number) and rule.minimum is not None:
            assert rule.minimum == 1, pattern
