"""The data-quality recipe: which rules a document makes, and whose settings win."""

from __future__ import annotations

from typing import Any

import pytest

from driftline.baselines.constraint import (
    CHECKS,
    Constraint,
    Constraints,
    Feature,
    InferredType,
    MonitoringConfig,
    Settings,
    Severity,
)
from driftline.monitor.overrides import read_overrides
from driftline.monitor.recipes.data_quality import dataset_rules, feature_rules

NUMBER = Feature("x", InferredType.FRACTIONAL, 1.0, is_non_negative=True, kind="number")
TEXT = Feature("x", InferredType.STRING, 1.0, domains=("a", "b"), kind="text")
TIME = Feature("x", InferredType.STRING, 1.0, kind="time", role="time")
FLAG = Feature("x", InferredType.STRING, 1.0, kind="boolean")
OTHER = Feature("x", InferredType.UNKNOWN, 0.0)
LISTS = Feature("x", InferredType.UNKNOWN, 1.0, settings={"data_type": Settings(evidence=False)})
DATES = Feature("x", InferredType.STRING, 1.0, kind="text", role="time")


def rules(
    feature: Feature, overrides: dict[str, Any] | None = None, **document: Any
) -> dict[str, Constraint]:
    made = feature_rules(Constraints((feature,), **document), feature, read_overrides(overrides))
    assert all(r.column == "x" for r in made)
    assert len({r.check for r in made}) == len(made)
    return {r.check: r for r in made}


def everywhere(**checks: Any) -> dict[str, Any]:
    return {"checks": checks}


def only_x(**checks: Any) -> dict[str, Any]:
    return {"columns": {"x": {"checks": checks}}}


@pytest.mark.parametrize(
    ("feature", "expected"),
    [
        (NUMBER, ["data_type", "completeness", "non_negative", "ks"]),
        (TEXT, ["data_type", "completeness", "categorical_values", "l_infinity"]),
        (FLAG, ["data_type", "completeness", "l_infinity"]),
        (TIME, ["data_type", "completeness"]),
        (LISTS, ["data_type", "completeness"]),
        (DATES, ["data_type", "completeness"]),
        (OTHER, ["completeness"]),
    ],
    ids=["number", "text", "boolean", "time", "lists", "dates", "other"],
)
def test_rules_by_default(feature: Feature, expected: list[str]) -> None:
    assert list(rules(feature)) == expected


@pytest.mark.parametrize(
    ("feature", "expected"),
    [
        (NUMBER, "Fractional"),
        (TEXT, "String"),
        (FLAG, "Boolean"),
        (TIME, "Time"),
        (DATES, "Time"),
        (LISTS, "Nested"),
    ],
    ids=["number", "text", "boolean", "time", "dates", "lists"],
)
def test_types_are_told_in_words_of_their_own(feature: Feature, expected: str) -> None:
    found = rules(feature)["data_type"]
    assert (found.expected, found.bound, found.evidence) == (expected, 1.0, False)


def test_total_variation_follows_the_threshold_of_the_document_unless_it_has_its_own() -> None:
    monitoring = MonitoringConfig(categorical_comparison_threshold=0.2)
    for own, bound in ((None, 0.2), (0.35, 0.35)):
        feature = Feature(
            "x",
            InferredType.STRING,
            kind="text",
            settings={"total_variation": Settings(enabled=True, bound=own)},
        )
        assert rules(feature, monitoring=monitoring)["total_variation"].bound == bound


def test_identifiers_are_not_compared_unless_asked_by_name() -> None:
    feature = Feature("x", InferredType.INTEGRAL, 1.0, kind="number", role="identifier")
    assert "ks" not in rules(feature)
    assert "ks" not in rules(feature, everywhere(ks={"bound": 0.2}))
    assert "ks" in rules(feature, only_x(ks={"enabled": True}))
    assert "ks" in rules(feature, {"columns": {"x": {"role": "feature"}}})
    assert "ks" not in rules(NUMBER, {"columns": {"x": {"role": "identifier"}}})


def test_constraints_of_sagemaker_know_the_type_only() -> None:
    assert "ks" in rules(Feature("x", InferredType.INTEGRAL, 1.0))
    assert "l_infinity" in rules(Feature("x", InferredType.STRING, 1.0))
    assert "data_type" not in rules(Feature("x", InferredType.UNKNOWN, 1.0))


def test_the_last_decision_wins() -> None:
    feature = Feature("x", InferredType.FRACTIONAL, kind="number", settings={"ks": Settings(bound=0.3)})
    plain = Feature("x", InferredType.FRACTIONAL, kind="number")
    monitoring = MonitoringConfig(comparison_threshold=0.15)
    bounds = [
        rules(plain)["ks"].bound,
        rules(plain, monitoring=monitoring)["ks"].bound,
        rules(plain, monitoring=monitoring, settings={"ks": Settings(bound=0.2)})["ks"].bound,
        rules(feature, monitoring=monitoring, settings={"ks": Settings(bound=0.2)})["ks"].bound,
        rules(feature, everywhere(ks={"bound": 0.4}))["ks"].bound,
        rules(feature, {**everywhere(ks={"bound": 0.4}), **only_x(ks={"bound": 0.5})})["ks"].bound,
    ]
    assert bounds == [0.1, 0.15, 0.2, 0.3, 0.4, 0.5]


def test_thresholds_of_a_feature_go_before_those_of_the_document() -> None:
    feature = Feature("x", InferredType.FRACTIONAL, thresholds={"comparison_threshold": 0.25})
    assert rules(feature, monitoring=MonitoringConfig(comparison_threshold=0.15))["ks"].bound == 0.25


@pytest.mark.parametrize(
    ("document", "feature", "is_looked_at"),
    [
        ({}, {}, True),
        ({"evaluate_constraints": False}, {}, False),
        ({"evaluate_constraints": False}, {"evaluate_constraints": True}, True),
        ({}, {"evaluate_constraints": False}, False),
    ],
)
def test_constraints_can_be_switched_off(
    document: dict[str, bool], feature: dict[str, bool], is_looked_at: bool
) -> None:
    made = rules(
        Feature("x", InferredType.FRACTIONAL, 1.0, **feature), monitoring=MonitoringConfig(**document)
    )
    assert bool(made) is is_looked_at


def test_ignored_columns_have_no_rules() -> None:
    assert rules(NUMBER, {"columns": {"x": {"ignore": True}}}) == {}


def test_comparison_can_be_switched_off() -> None:
    off = MonitoringConfig(perform_comparison=False)
    assert "ks" not in rules(NUMBER, monitoring=off)
    assert "ks" in rules(NUMBER, only_x(ks={"enabled": True}), monitoring=off)
    assert "ks" not in rules(NUMBER, everywhere(ks={"enabled": False}))


def test_the_documents_drift_method_chooses_the_check() -> None:
    made = rules(
        TEXT,
        monitoring=MonitoringConfig(
            categorical_drift_method="ChiSquared", categorical_comparison_threshold=0.2
        ),
    )
    assert "l_infinity" not in made
    assert made["chi_squared"].bound == 0.2
    assert "chi_squared" not in rules(
        NUMBER, monitoring=MonitoringConfig(categorical_drift_method="ChiSquared")
    )


@pytest.mark.parametrize(
    "check", [c for c, info in CHECKS.items() if info.check_type == "baseline_drift_check"]
)
def test_drift_checks_run_where_they_have_a_meaning(check: str) -> None:
    on = everywhere(**{check: {"enabled": True}})
    assert (check in rules(NUMBER, on)) == (check not in ("l_infinity", "l_infinity_robust"))
    assert (check in rules(TEXT, on)) == (check not in ("ks", "wasserstein"))
    assert check not in rules(OTHER, on)
    if check in rules(NUMBER, on):
        assert rules(NUMBER, on)[check].evidence is True


def test_rules_for_every_column_are_for_those_that_can_have_them() -> None:
    decided = everywhere(
        freshness={"bound": 60}, non_negative={"enabled": True}, numeric_range={"low": 0, "high": 9}
    )
    assert {"freshness", "non_negative", "numeric_range"} & set(rules(TEXT, decided)) == set()
    assert {"freshness", "non_negative", "numeric_range"} & set(rules(TIME, decided)) == {"freshness"}
    assert {"freshness", "non_negative", "numeric_range"} & set(rules(NUMBER, decided)) == {
        "non_negative",
        "numeric_range",
    }
    assert "freshness" in rules(TEXT, only_x(freshness={"bound": 60}))


SUGGESTED = Feature(
    "x",
    InferredType.FRACTIONAL,
    1.0,
    kind="number",
    settings={"numeric_range": Settings(low=-3.0, high=3.0, bound=1.0, evidence=True, why="extremes")},
)


def test_a_suggested_range_needs_evidence() -> None:
    found = rules(SUGGESTED)["numeric_range"]
    assert (found.low, found.high, found.bound, found.evidence, found.why) == (
        -3.0,
        3.0,
        1.0,
        True,
        "extremes",
    )
    assert found.expected == "-3 to 3"


def test_whoever_gives_one_end_of_a_range_leaves_the_other_open() -> None:
    found = rules(SUGGESTED, only_x(numeric_range={"low": 0}))["numeric_range"]
    assert (found.low, found.high, found.evidence, found.expected) == (0.0, None, False, "0 to ∞")
    both = {**everywhere(numeric_range={"low": 0}), **only_x(numeric_range={"high": 5})}
    found = rules(SUGGESTED, both)["numeric_range"]
    assert (found.low, found.high, found.expected) == (0.0, 5.0, "0 to 5")
    assert rules(SUGGESTED, only_x(numeric_range={"min_rows": 9}))["numeric_range"].low == -3.0


def test_a_looser_share_asks_for_evidence() -> None:
    certain = Feature(
        "x", InferredType.FRACTIONAL, 1.0, kind="number", settings={"completeness": Settings(evidence=False)}
    )
    assert rules(certain)["completeness"].evidence is False
    assert rules(certain, everywhere(completeness={"bound": 0.95}))["completeness"].evidence is True


def test_sagemakers_threshold_stays_effective_when_lowered_by_hand() -> None:
    feature = Feature(
        "x", InferredType.STRING, 1.0, domains=("a",), kind="text",
        settings={"categorical_values": Settings(bound=1.0, evidence=False)},
    )  # fmt: skip
    assert rules(feature)["categorical_values"].evidence is False
    found = rules(feature, monitoring=MonitoringConfig(domain_content_threshold=0.9))["categorical_values"]
    assert (found.bound, found.evidence) == (0.9, True)


def test_uniqueness_is_off_and_means_every_value_when_switched_on() -> None:
    assert "uniqueness" not in rules(NUMBER)
    found = rules(NUMBER, everywhere(uniqueness={"enabled": True}))["uniqueness"]
    assert (found.bound, found.evidence) == (1.0, False)
    assert rules(NUMBER, everywhere(uniqueness={"bound": 0.9}))["uniqueness"].evidence is True


def test_checks_without_a_bound_make_no_rule() -> None:
    assert "numeric_range" not in rules(NUMBER, everywhere(numeric_range={"enabled": True}))
    assert "categorical_values" not in rules(FLAG, everywhere(categorical_values={"bound": 1.0}))


def test_severity_and_least_rows_are_carried() -> None:
    found = rules(NUMBER, everywhere(ks={"severity": "critical", "min_rows": 40}))["ks"]
    assert (found.severity, found.min_rows) == (Severity.CRITICAL, 40)
    assert rules(NUMBER)["ks"].severity is Severity.WARNING


def test_row_volume_is_a_rule_when_it_has_an_end() -> None:
    empty = Constraints(())
    assert dataset_rules(empty, read_overrides(None)) == []
    assert dataset_rules(empty, read_overrides({"checks": {"row_volume": {"min_rows": 5}}})) == []
    (found,) = dataset_rules(empty, read_overrides({"checks": {"row_volume": {"low": 10}}}))
    assert (found.column, found.low, found.high, found.min_rows) == (None, 10.0, None, 0)
    (found,) = dataset_rules(
        Constraints((), settings={"row_volume": Settings(enabled=True, high=5.0)}), read_overrides(None)
    )
    assert found.high == 5.0
