"""What came of a comparison, in a sentence."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from metric_reports import metric_outcome, metric_report

from driftline.baselines.constraint import Severity
from driftline.reports.headline import headline, subtitle
from driftline.reports.outcome import Outcome, Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from driftline.reports.report import Report


@pytest.mark.parametrize(
    ("which", "first", "second"),
    [
        (
            "churn",
            "63 of 222 constraints are violated, in 62 of 71 columns.",
            (
                "It comes down to 4 incidents (1 critical): Day Mins has more missing values than allowed"
                " and has drifted; 1 row breaks 59 columns; Access holds unknown values; and 1 other."
                " 1 constraint could not be judged."
            ),
        ),
        (
            "passed",
            "All 22 constraints hold in 11 columns.",
            "334 rows held against a baseline of 2,333 rows; nothing needs attention.",
        ),
        (
            "undetermined",
            "Nothing could be judged: all 22 constraints are undetermined.",
            "A constraint that cannot be judged never counts as passed; the reasons are listed below.",
        ),
        ("empty", "Nothing was checked: no constraint applied to this data.", ""),
        (
            "quality",
            "6 of 17 metrics are beyond their bounds, over all rows and in 1 of 3 segments.",
            "It comes down to 2 incidents (1 critical): The model misses more of the actual positives; Recall fell"
            " most for sex=Female. 5 metrics could not be judged.",
        ),
        (
            "bias",
            "3 of 84 metrics are beyond their bounds, in 1 of 4 groups.",
            "It comes down to one incident (critical): Bias against sex=Female has grown. 24 metrics could not be judged.",
        ),
        (
            "attribution",
            "4 of 13 metrics are beyond their bounds, in 2 of 10 features.",
            "It comes down to one incident: The model now leans on sex where it leant on education_num.",
        ),
    ],
)
def test_the_verdict_in_a_sentence(
    request: pytest.FixtureRequest, which: str, first: str, second: str
) -> None:
    report: Report = request.getfixturevalue(f"{which}_report")
    assert headline(report) == first
    assert subtitle(report) == second


def test_the_verdict_on_one_constraint(
    make_outcome: Callable[..., Outcome], make_report: Callable[..., Report]
) -> None:
    told = {status: headline(make_report([make_outcome("ks", "a", status, value=0.3)])) for status in Status}
    assert told == {
        Status.PASSED: "The only constraint holds in 1 column.",
        Status.VIOLATED: "1 of 1 constraint is violated, in 1 of 1 column.",
        Status.UNDETERMINED: "Nothing could be judged: the only constraint is undetermined.",
    }


def test_some_undetermined_is_never_told_as_all_well(
    make_outcome: Callable[..., Outcome], make_report: Callable[..., Report]
) -> None:
    report = make_report([make_outcome("ks", "a"), make_outcome("ks", "b", Status.UNDETERMINED)])
    assert headline(report) == "No violation was found, but 1 of 2 constraints could not be judged."


def test_one_critical_incident_is_said(
    make_outcome: Callable[..., Outcome], make_report: Callable[..., Report]
) -> None:
    report = make_report([make_outcome("ks", "a", Status.VIOLATED, value=0.3, severity=Severity.CRITICAL)])
    assert subtitle(report) == "It comes down to one incident (critical): a has drifted."


@pytest.mark.parametrize(
    ("states", "first"),
    [
        ((), "Nothing was checked: no metric could be compared."),
        (("violated",), "1 of 1 metric is beyond its bound."),
        (("passed",), "The only metric is within its bound."),
        (("passed", "passed"), "All 2 metrics are within their bounds."),
        (("undetermined",), "Nothing could be judged: the only metric is undetermined."),
        (("undetermined", "undetermined"), "Nothing could be judged: all 2 metrics are undetermined."),
        (
            ("passed", "undetermined"),
            "No metric is beyond its bound, but 1 of 2 metrics could not be judged.",
        ),
    ],
)
def test_the_verdict_on_metrics(states: tuple[str, ...], first: str) -> None:
    outcomes = [metric_outcome("recall", 0.5, 0.6, Status(state)) for state in states]
    assert headline(metric_report("model-quality", outcomes)) == first


def test_metrics_within_their_bounds_say_of_what() -> None:
    parts = [metric_outcome("recall", 0.5, 0.6), metric_outcome("recall", 0.5, 0.6, segment="a=1")]
    within = "All 2 metrics are within their bounds, over all rows and in 1 segment."
    assert headline(metric_report("model-quality", parts)) == within
    groups = [metric_outcome("bias_dpl", 0.1, 0.1, column=group) for group in ("a=1", "a=2")]
    assert headline(metric_report("bias", groups)) == "All 2 metrics are within their bounds, in 2 groups."


def test_a_window_without_rows_is_no_verdict_on_metrics() -> None:
    report = metric_report("bias", [metric_outcome("bias_dpl", 0.1, 0.1, column="a=1")])
    empty = replace(report, current=replace(report.current, n_rows=0))
    assert headline(empty) == "Nothing could be judged: the data has no rows."
    assert subtitle(empty) == ""
