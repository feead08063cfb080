"""The managed monitor's rule: farther from 0 than the baseline."""

from __future__ import annotations

import math

import pytest

from driftline.baselines.analysis import Analysis, FacetResult, MetricValue, Stage
from driftline.monitor.bias.point_rule import compare, point_rule
from driftline.reports.outcome import Status


def analysis(
    values: dict[str, float | None], *, facet: str = "sex", text: str = "F", error: str | None = None
) -> Analysis:
    metrics = tuple(
        MetricValue(name, "", value, error if value is None else None) for name, value in values.items()
    )
    return Analysis(pre_training=Stage("y", "1", {facet: (FacetResult(text, metrics),)}))


@pytest.mark.parametrize(
    ("baseline", "current", "status"),
    [
        (0.2, 0.3, Status.VIOLATED),
        (0.2, -0.3, Status.VIOLATED),
        (-0.2, 0.2, Status.PASSED),
        (0.2, 0.2, Status.PASSED),
        (0.2, 0, Status.PASSED),
        (0, 1e-300, Status.VIOLATED),
        (0.2, math.inf, Status.VIOLATED),
        (math.inf, 1e308, Status.PASSED),
        (math.inf, -math.inf, Status.PASSED),
        (None, 1.0, Status.UNDETERMINED),
        (1.0, None, Status.UNDETERMINED),
        (None, None, Status.UNDETERMINED),
    ],
)
def test_distance_from_zero_decides(baseline: float | None, current: float | None, status: Status) -> None:
    (one,) = compare(analysis({"DI": baseline}), analysis({"DI": current}))
    assert (one.status, one.baseline, one.current) == (status, baseline, current)
    violations = point_rule(analysis({"DI": baseline}), analysis({"DI": current}))
    assert violations == ([one] if status is Status.VIOLATED else [])


@pytest.mark.parametrize(
    ("baseline", "current", "description"),
    [
        (2.917, math.inf, "Metric value Infinity doesn't meet the baseline constraint requirement 2.917"),
        (1, -math.inf, "Metric value -Infinity doesn't meet the baseline constraint requirement 1"),
        (7.906602254496e-06, 0.5, "Metric value 0.5 doesn't meet the baseline constraint requirement 7.906602254496e-06"),
    ],
)  # fmt: skip
def test_description_is_that_of_the_service(baseline: float, current: float, description: str) -> None:
    (one,) = point_rule(analysis({"TE": baseline}), analysis({"TE": current}))
    assert one.violation() == {
        "facet": "sex",
        "facet_value": "F",
        "metric_name": "TE",
        "constraint_check_type": "bias_drift_check",
        "description": description,
    }


@pytest.mark.parametrize(
    ("baseline", "current", "reason"),
    [
        (
            analysis({"DI": None}, error="why"),
            analysis({"DI": 1}),
            "not compared: no value in the baseline (why)",
        ),
        (
            analysis({"DI": 1}),
            analysis({"DI": None}, error="why"),
            "not compared: no value in the current data (why)",
        ),
        (analysis({}), analysis({"DI": 1}), "not compared: the baseline does not have it"),
        (analysis({"DI": 1}), analysis({}), "not compared: the current data do not have it"),
        (Analysis(), analysis({"DI": 1}), "not compared: the baseline does not have it"),
        (analysis({"DI": 1}), Analysis(), "not compared: the current data do not have it"),
    ],
)
def test_what_is_not_compared_is_told(baseline: Analysis, current: Analysis, reason: str) -> None:
    (one,) = compare(baseline, current)
    assert (one.status, one.reason, one.facet, one.facet_value) == (Status.UNDETERMINED, reason, "sex", "F")


def test_values_that_only_one_side_has_are_told_apart() -> None:
    found = compare(analysis({"DI": 1}, text="F"), analysis({"DI": 2}, text="M"))
    assert [(one.facet_value, one.status) for one in found] == [
        ("M", Status.UNDETERMINED),
        ("F", Status.UNDETERMINED),
    ]
    other = compare(analysis({"DI": 1}, facet="a"), analysis({"DI": 2}, facet="b"))
    assert [one.facet for one in other] == ["b", "a"]


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("(45, 90]", "(45, 85]", True),
        ("(45, 90]", "(45.0, 85.5]", True),
        ("(45, 90]", "(46, 90]", False),
        ("(a, b]", "(a, c]", False),
        ("45", "(45, 90]", False),
    ],
)
def test_intervals_are_the_same_when_their_threshold_is(left: str, right: str, same: bool) -> None:
    found = point_rule(analysis({"DI": 1}, text=left), analysis({"DI": 2}, text=right))
    assert [one.facet_value for one in found] == ([right] if same else [])
