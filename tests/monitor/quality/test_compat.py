"""SageMaker mode: the words to the letter, and what rounding may not do."""

from __future__ import annotations

import pytest

from driftline.baselines.quality_documents import QualityConstraints, Threshold
from driftline.monitor.quality.compat import outcomes_of, sentence
from driftline.monitor.quality.figures import Figure, Figures
from driftline.reports.outcome import Status


@pytest.mark.parametrize(
    ("value", "deviation", "told"),
    [
        (0.5, None, "Metric mae with 0.5 +/- NaN was GreaterThanThreshold '0.25'"),
        (1.0, 0.0001, "Metric mae with 1.0 +/- 1.0E-4 was GreaterThanThreshold '0.25'"),
        (12345678.9, 2.0, "Metric mae with 1.23456789E7 +/- 2.0 was GreaterThanThreshold '0.25'"),
    ],
)
def test_numbers_are_spelled_as_java_does(value: float, deviation: float | None, told: str) -> None:
    assert sentence("mae", value, deviation, "GreaterThanThreshold", 0.25) == told


@pytest.mark.parametrize(
    ("value", "operator", "status"),
    [
        (0.5, "GreaterThanThreshold", Status.PASSED),
        (0.5 + 1e-14, "GreaterThanThreshold", Status.PASSED),
        (0.5 + 1e-9, "GreaterThanThreshold", Status.VIOLATED),
        (0.4, "GreaterThanThreshold", Status.PASSED),
        (0.5 - 1e-14, "LessThanThreshold", Status.PASSED),
        (0.5 - 1e-9, "LessThanThreshold", Status.VIOLATED),
        (None, "LessThanThreshold", Status.UNDETERMINED),
    ],
)
def test_beyond_is_beyond(value: float | None, operator: str, status: Status) -> None:
    constraints = QualityConstraints("regression", {"mae": Threshold(0.5, operator, tolerance=0.3)})
    [found] = outcomes_of(
        constraints, Figures({"mae": Figure(value, 100, why_not="no row has both numbers")})
    )
    assert found.status is status
    assert found.q_value is None


def test_a_metric_without_threshold_or_value_is_undetermined() -> None:
    constraints = QualityConstraints(
        "binary", {"auc": Threshold(0.5, "LessThanThreshold"), "f1": Threshold(None, "LessThanThreshold")}
    )
    auc, f1 = outcomes_of(constraints, Figures({"f1": Figure(0.5, 10)}))
    assert auc.reason == "Metric auc is not computable: the data has no column that it needs"
    assert f1.reason == "Metric f1 has no threshold: the baseline could not compute it"
    assert {auc.status, f1.status} == {Status.UNDETERMINED}
