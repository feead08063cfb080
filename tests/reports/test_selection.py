"""What to show where there is room for a few."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftline.reports.outcome import Outcome, Status
from driftline.reports.selection import by_reason, reason_kind, representatives

if TYPE_CHECKING:
    from collections.abc import Callable

    from driftline.reports.report import Report


def test_reasons_are_grouped_without_names_and_numbers(make_outcome: Callable[..., Outcome]) -> None:
    def unknown(column: str, reason: str) -> Outcome:
        return make_outcome("ks", column, Status.UNDETERMINED, reason=reason)

    outcomes = [
        unknown("a1", "no value"),
        unknown("b", "b has 1,234 values, 99.5% of 1e+5"),
        unknown("c", "c has 7 values, 1% of 30"),
    ]
    assert [[o.constraint.column for o in members] for members in by_reason(outcomes)] == [["b", "c"], ["a1"]]
    assert reason_kind(outcomes[1]) == "§ has # values, # of #"


def test_no_incident_crowds_out_the_others(churn_report: Report) -> None:
    chosen = representatives(churn_report, per_incident=3, limit=100)
    assert [o.constraint.column for o in chosen] == [
        "Day Mins",
        "Day Mins",
        "CustServ Calls",
        "State_AK",
        "State_AL",
        "Access",
        "Eve Mins",
    ]
    assert representatives(churn_report, per_incident=3, limit=2) == chosen[:2]


def test_violations_without_incidents_are_shown_too(
    make_outcome: Callable[..., Outcome], make_report: Callable[..., Report]
) -> None:
    report = make_report([make_outcome("ks", "a", Status.VIOLATED, value=0.3)], incidents=())
    assert representatives(report, per_incident=3, limit=5) == list(report.violations)
