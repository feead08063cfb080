"""Thresholds: what holds a model, and who says so."""

from __future__ import annotations

import math

import pytest

from driftline.baselines.analysis import Analysis, FacetResult, MetricValue, Stage, write_analysis
from driftline.baselines.constraint import (
    CHECKS,
    Constraints,
    Feature,
    InferredType,
    MonitoringConfig,
    Settings,
    Severity,
)
from driftline.baselines.quality_documents import QualityConstraints, Threshold, write_quality_constraints
from driftline.baselines.sagemaker_constraints import write_constraints
from driftline.cards.extensions import problems
from driftline.cards.thresholds import MOST, built_in, from_baseline, from_configuration, in_force
from driftline.errors import DocumentError


def fits(rows: list[dict[str, object]]) -> None:
    schedule = {"name": "s", "kind": "bias", "endpoint": "e", "state": "active", "thresholds": rows}
    assert problems({"post_market_plan": {"schedules": [schedule]}}) == []


def test_the_configuration_is_told_by_check_and_by_column() -> None:
    rows = list(
        from_configuration(
            {
                "checks": {
                    "psi": {"enabled": True},
                    "ks": {"bound": 0.2, "severity": "critical", "why": "asked"},
                },
                "columns": {"age": {"checks": {"ks": {"bound": 0.3}}}, "id": {"ignore": True}},
            }
        )
    )
    assert rows == [
        {"check": "ks", "bound": 0.2, "severity": "critical", "source": "configuration"},
        {"check": "psi", "enabled": True, "source": "configuration"},
        {"check": "ks", "column": "age", "bound": 0.3, "source": "configuration"},
        {"check": "all", "column": "id", "enabled": False, "source": "configuration"},
    ]
    fits(rows)


def test_what_nobody_speaks_of_is_built_in() -> None:
    usual = {row["check"]: row["bound"] for row in built_in("data-quality")}
    assert usual["ks"] == CHECKS["ks"].default_bound
    assert "psi" not in usual
    rows, left_out = in_force("data-quality", {"checks": {"ks": {"bound": 0.3}}}, "default", None)
    assert left_out == 0
    assert [row["source"] for row in rows if row["check"] == "ks"] == ["configuration"]
    rows, _ = in_force("data-quality", {"checks": {"ks": {"enabled": False}}}, "default", None)
    assert "built in" not in {row["source"] for row in rows if row["check"] == "ks"}
    rows, _ = in_force("data-quality", {"checks": {"ks": {"severity": "warning"}}}, "default", None)
    assert "built in" in {row["source"] for row in rows if row["check"] == "ks"}
    assert in_force("data-quality", {}, "sagemaker", None) == ([], 0)


def test_columns_that_are_held_to_the_same_are_counted() -> None:
    features = [
        Feature(f"c{n}", InferredType.FRACTIONAL, completeness=1.0, is_non_negative=True) for n in range(20)
    ]
    features.append(
        Feature(
            "rare", InferredType.STRING, completeness=0.5, settings={"uniqueness": Settings(enabled=True)}
        )
    )
    constraints = Constraints(
        tuple(features),
        MonitoringConfig(comparison_threshold=0.25),
        {"row_volume": Settings(enabled=True, low=100.0)},
    )
    document = write_constraints(constraints).encode()
    rows, left_out = in_force("data-quality", {}, "default", document)
    fits(rows)
    assert left_out == 0
    assert {"check": "completeness", "bound": 1.0, "columns": 20, "source": "baseline"} in rows
    assert {"check": "completeness", "column": "rare", "bound": 0.5, "source": "baseline"} in rows
    assert {"check": "uniqueness", "column": "rare", "enabled": True, "source": "baseline"} in rows
    assert {"check": "row_volume", "enabled": True, "low": 100.0, "source": "baseline"} in rows
    assert [row for row in rows if row["check"] == "ks"] == [
        {"check": "ks", "bound": 0.25, "source": "baseline"}
    ]
    assert rows == in_force("data-quality", {}, "default", document)[0]


def test_metrics_of_quality_have_value_bound_and_tolerance() -> None:
    constraints = QualityConstraints(
        "binary",
        {
            "recall": Threshold(0.75, "LessThanThreshold", 0.25, Settings(severity=Severity.CRITICAL)),
            "auc": Threshold(None, "LessThanThreshold"),
        },
        {"log_loss": Threshold(0.5, "GreaterThanThreshold", 0.125)},
    )
    document = write_quality_constraints(constraints).encode()
    rows = {row["check"]: row for row in from_baseline("model-quality", document)}
    assert rows["recall"] == {
        "check": "recall",
        "severity": "critical",
        "source": "baseline",
        "baseline": 0.75,
        "bound": 0.5,
        "tolerance": 0.25,
    }
    assert rows["log_loss"]["bound"] == 0.625
    told, _ = in_force("model-quality", {"checks": {"recall": {"tolerance": 0.1}}}, "default", document)
    fits(told)
    own, theirs = [row for row in told if row["check"] == "recall"]
    assert (own["tolerance"], own["source"]) == (0.1, "configuration")
    assert "bound" not in theirs
    assert theirs["baseline"] == 0.75


def test_metrics_of_bias_are_told_by_facet() -> None:
    metrics = (
        MetricValue("DPL", "", 0.25),
        MetricValue("DI", "", math.inf),
        MetricValue("FT", "", None, "no model"),
    )
    stage = Stage("income", ">50K", {"sex": (FacetResult("Female", metrics),)})
    document = write_analysis(Analysis(post_training=stage)).encode()
    rows = list(from_baseline("bias", document))
    assert rows == [{"check": "bias_dpl", "column": "sex=Female", "baseline": 0.25, "source": "baseline"}]
    fits(rows)


def test_the_list_is_bounded_and_the_rest_counted() -> None:
    columns = {f"c{n:04}": {"ignore": True} for n in range(1000)}
    rows, left_out = in_force("attribution", {"columns": columns}, "default", None)
    n_built_in = len(list(built_in("attribution")))
    assert (len(rows), left_out) == (MOST, 1000 + n_built_in - MOST)
    fits(rows)


@pytest.mark.parametrize("kind", ["data-quality", "model-quality", "bias"])
def test_a_damaged_document_is_refused(kind: str) -> None:
    with pytest.raises(DocumentError):
        in_force(kind, {}, "default", b'{"features": 1')
