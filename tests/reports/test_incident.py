"""Violations grouped by cause."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.baselines.constraint import CHECKS, DRIFT_CHECKS, Constraint, Severity
from driftline.reports.incident import group
from driftline.reports.outcome import Measurement, Outcome, Place, Status

if TYPE_CHECKING:
    from driftline.reports.report import Report

Make = Callable[..., Outcome]
PLACES = st.builds(Place, st.sampled_from(["", "a.csv", "b.csv"]), st.integers(1, 6))


@st.composite
def outcome_lists(draw: st.DrawFn) -> list[Outcome]:
    outcomes = []
    for _ in range(draw(st.integers(0, 25))):
        check = draw(st.sampled_from(sorted(CHECKS)))
        where = tuple(sorted(draw(st.sets(PLACES, max_size=3)))) if check not in DRIFT_CHECKS else ()
        n_bad = len(where) + draw(st.sampled_from([0, 0, 100])) if where else None
        outcomes.append(
            Outcome(
                Constraint(
                    check,
                    draw(st.none() | st.sampled_from("abcdefgh")),
                    0.1,
                    severity=draw(st.sampled_from(list(Severity))),
                ),
                Measurement(check, draw(st.floats(0, 1)), "share", 100, n_bad=n_bad, where=where),
                draw(st.sampled_from(list(Status))),
                draw(st.sampled_from(["so it is", "because.", ""])),
                segment=draw(st.sampled_from([None, None, "x=1", "x=2"])),
            )
        )
    return outcomes


@given(outcome_lists())
def test_every_violation_belongs_to_exactly_one_incident(outcomes: list[Outcome]) -> None:
    told = Counter(at for incident in group(outcomes) for at in incident.outcomes)
    assert told == Counter(at for at, outcome in enumerate(outcomes) if outcome.is_violation)


@given(outcome_lists())
def test_an_incident_tells_what_its_violations_say(outcomes: list[Outcome]) -> None:
    for incident in group(outcomes):
        members = [outcomes[at] for at in incident.outcomes]
        assert list(incident.outcomes) == sorted(incident.outcomes)
        assert set(incident.columns) == {o.constraint.column for o in members} - {None}
        assert len(set(incident.columns)) == len(incident.columns)
        loud = any(o.constraint.severity is Severity.CRITICAL for o in members)
        assert incident.severity == ("critical" if loud else "warning")
        assert incident.kind in ("rows", "columns", "drift", "column")
        assert incident.title
        assert incident.title.isprintable()
        assert incident.detail.isprintable()
        if incident.kind == "rows":
            assert len(incident.columns) > 1
            listed = set(incident.where)
            assert all(listed.issuperset(o.measurement.where) for o in members)
        if incident.kind == "drift":
            assert all(o.constraint.check in DRIFT_CHECKS for o in members)


@given(outcome_lists(), st.randoms(use_true_random=False))
def test_the_order_of_outcomes_does_not_matter(outcomes: list[Outcome], random: object) -> None:
    numbered = [replace(o, reason=f"{i}") for i, o in enumerate(outcomes)]
    shuffled = list(numbered)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    def told(items: list[Outcome]) -> set[tuple[str, frozenset[str]]]:
        return {(i.kind, frozenset(items[at].reason for at in i.outcomes)) for i in group(items)}

    assert told(numbered) == told(shuffled)


@given(outcome_lists())
def test_the_loudest_and_widest_come_first(outcomes: list[Outcome]) -> None:
    incidents = group(outcomes)
    keys = [(i.severity != "critical", -len(i.columns)) for i in incidents]
    assert keys == sorted(keys)
    assert group(outcomes) == incidents


def test_one_bad_row_reads_as_one_incident(churn_report: Report) -> None:
    rows = [incident for incident in churn_report.incidents if incident.kind == "rows"]
    assert len(rows) == 1
    assert rows[0].title == "1 row breaks 59 columns"
    assert len(rows[0].columns) == 59
    assert rows[0].where == (Place("live/2026/11/23/07/07-12-310.jsonl", 1),)
    assert rows[0].detail == (
        "Row 1 of 07-12-310.jsonl fails the data type check in CustServ Calls, State_AK, State_AL and 56 more"
        " columns. For example, CustServ Calls holds “0.15”. These columns have no other bad value: correct"
        " the row or leave it out, and 59 violations will be gone."
    )


def bad(make: Make, column: str, rows: list[int], n_bad: int | None = None, **more: object) -> Outcome:
    fields = {"check": "data_type", "value": 0.9, **more}
    return make(
        fields.pop("check"),
        column,
        Status.VIOLATED,
        n_bad=len(rows) if n_bad is None else n_bad,
        where=tuple(Place("f.csv", row) for row in rows),
        **fields,
    )


def test_the_same_rows_across_checks(make_outcome: Make) -> None:
    incidents = group([bad(make_outcome, "a", [3, 5]), bad(make_outcome, "b", [3, 5], check="numeric_range")])
    assert [i.title for i in incidents] == ["2 rows break 2 columns"]
    assert incidents[0].detail.startswith(
        "Rows 3 and 5 of f.csv fail the data type and numeric range checks in a and b."
    )


def test_a_subset_of_the_rows_joins(make_outcome: Make) -> None:
    incidents = group(
        [bad(make_outcome, "a", [3, 5]), bad(make_outcome, "b", [3, 5]), bad(make_outcome, "c", [5])]
    )
    assert [(i.kind, i.columns) for i in incidents] == [("rows", ("a", "b", "c"))]


def test_a_subset_joins_only_where_all_rows_are_listed(make_outcome: Make) -> None:
    rows = list(range(1, 9))
    incidents = group(
        [
            bad(make_outcome, "a", rows, 500),
            bad(make_outcome, "b", rows, 500),
            bad(make_outcome, "c", [5]),
        ]
    )
    assert {(i.kind, i.columns) for i in incidents} == {("rows", ("a", "b")), ("column", ("c",))}
    assert "points to one cause" in incidents[0].detail


def test_another_number_of_bad_rows_is_another_cause(make_outcome: Make) -> None:
    rows = list(range(1, 9))
    incidents = group([bad(make_outcome, "a", rows, 500), bad(make_outcome, "b", rows, 501)])
    assert [i.kind for i in incidents] == ["column", "column"]


def test_columns_that_are_wrong_throughout_join_by_check(make_outcome: Make) -> None:
    rows = list(range(1, 9))
    everywhere = {"n_bad": 1000, "n_current": 1000}
    incidents = group(
        [
            bad(make_outcome, "a", rows, **everywhere),
            bad(make_outcome, "b", rows, **everywhere),
            bad(make_outcome, "c", rows, check="completeness", **everywhere),
            bad(make_outcome, "d", [5]),
        ]
    )
    assert {(i.kind, i.columns) for i in incidents} == {
        ("rows", ("a", "b")),
        ("column", ("c",)),
        ("column", ("d",)),
    }
    assert "No value of these columns is right" in incidents[0].detail


def alike(make: Make, column: str, **more: object) -> Outcome:
    """A violation as SageMaker mode has them: without rows."""
    return bad(make, column, [], **{"n_bad": 1000, "n_current": 1000, "reason": "None fits.", **more})


def test_columns_that_fail_alike_are_one_incident_where_rows_are_not_known(make_outcome: Make) -> None:
    outcomes = [alike(make_outcome, f"c{i}") for i in range(59)]
    drifted = make_outcome("ks", "c3", Status.VIOLATED, value=0.4, reason="It moved.")
    (incident,) = group([drifted, *outcomes])
    assert (incident.kind, incident.title) == ("column", "59 columns hold values of the wrong type")
    assert len(incident.columns) == 59
    assert len(incident.outcomes) == 60
    assert incident.detail == (
        "c3, c0, c1 and 56 more: None fits. c3 has drifted, too. No value of these columns is right, so look for"
        " a change of type, unit or column order rather than at single rows."
    )


def test_another_reason_share_check_or_segment_is_another_cause(make_outcome: Make) -> None:
    for other in (
        {"reason": "Some fit."},
        {"n_bad": 7},
        {"check": "completeness"},
        {"segment": "k=a"},
    ):
        incidents = group([alike(make_outcome, "a"), alike(make_outcome, "b", **other)])
        assert [len(i.columns) for i in incidents] == [1, 1]


def test_columns_that_fail_several_checks_alike(make_outcome: Make) -> None:
    outcomes = [
        alike(make_outcome, column, check=check, n_bad=7, segment="k=a", reason=f"{check} fails.")
        for column in ("a", "b")
        for check in ("data_type", "completeness")
    ]
    (incident,) = group(outcomes)
    assert (
        incident.title == "2 columns hold values of the wrong type and have more missing values than allowed"
    )
    assert incident.detail == "a and b: k=a: data_type fails. k=a: completeness fails."


def test_drift_alone_never_makes_columns_alike(make_outcome: Make) -> None:
    outcomes = [make_outcome("ks", c, Status.VIOLATED, value=0.4, reason="It moved.") for c in "ab"]
    assert [i.columns for i in group(outcomes)] == [("a",), ("b",)]


def test_two_checks_of_one_column_are_no_incident_of_rows(make_outcome: Make) -> None:
    incidents = group([bad(make_outcome, "a", [1]), bad(make_outcome, "a", [1], check="non_negative")])
    assert [(i.kind, i.title) for i in incidents] == [
        ("column", "a holds values of the wrong type and holds negative numbers")
    ]


def test_columns_that_came_and_went_are_one(make_outcome: Make) -> None:
    incidents = group(
        [
            make_outcome("missing_column", "old", Status.VIOLATED, value=1.0),
            make_outcome("missing_column", "older", Status.VIOLATED, value=1.0),
            make_outcome("extra_column", "fresh", Status.VIOLATED, value=1.0),
        ]
    )
    assert [(i.kind, i.title) for i in incidents] == [
        ("columns", "2 columns are missing and column fresh is new")
    ]
    assert incidents[0].detail == (
        "The baseline has old and older, the data does not. The data has fresh, the baseline does not."
        " If a column was renamed, give it its old name or make a new baseline."
    )


def test_columns_that_are_only_counted(make_outcome: Make) -> None:
    reason = "There are extra columns in current dataset."
    (incident,) = group([make_outcome("extra_column", None, Status.VIOLATED, value=1.0, reason=reason)])
    assert (incident.title, incident.detail, incident.columns) == (
        "The number of columns has changed",
        reason,
        (),
    )


def drift(make: Make, n: int, drifting: int, segment: str | None = None, **more: object) -> list[Outcome]:
    return [
        make(
            "ks",
            f"c{i}",
            Status.VIOLATED if i < drifting else Status.PASSED,
            value=0.2 + i / 100,
            segment=segment,
            **more,
        )
        for i in range(n)
    ]


def test_when_most_columns_drift_it_is_one_incident(make_outcome: Make) -> None:
    (incident,) = group(drift(make_outcome, 10, 6))
    assert incident.title == "The data as a whole has shifted: 6 of 10 columns drift"
    assert incident.detail.startswith(
        "Furthest from the baseline: c5 (Kolmogorov–Smirnov 0.25, at most 0.1 allowed)"
    )


@pytest.mark.parametrize(("n", "drifting"), [(10, 5), (2, 2), (1, 1), (4, 2)])
def test_half_of_the_columns_or_a_few_are_told_one_by_one(make_outcome: Make, n: int, drifting: int) -> None:
    incidents = group(drift(make_outcome, n, drifting))
    assert [i.kind for i in incidents] == ["drift"] * drifting
    assert incidents[0].title == "c0 has drifted"


def test_undetermined_columns_do_not_count_as_judged(make_outcome: Make) -> None:
    outcomes = drift(make_outcome, 4, 3) + [
        make_outcome("ks", f"u{i}", Status.UNDETERMINED) for i in range(20)
    ]
    assert group(outcomes)[0].title.startswith("The data as a whole has shifted: 3 of 4 columns")


def test_a_shift_is_decided_segment_by_segment(make_outcome: Make) -> None:
    outcomes = drift(make_outcome, 5, 1) + drift(make_outcome, 5, 4, "region=EU")
    incidents = group(outcomes)
    assert [(i.kind, len(i.outcomes)) for i in incidents] == [("drift", 4), ("drift", 1)]
    assert "In segment region=EU." in incidents[0].detail


def test_several_checks_of_one_column_are_one_incident(make_outcome: Make) -> None:
    (incident,) = group(
        [
            make_outcome("ks", "a", Status.VIOLATED, value=0.3, reason="far"),
            make_outcome("psi", "a", Status.VIOLATED, value=0.3, reason="off"),
            make_outcome("completeness", "a", Status.VIOLATED, value=0.5, reason="gaps"),
        ]
    )
    assert (incident.kind, incident.title) == (
        "column",
        "a has drifted and has more missing values than allowed",
    )
    assert incident.detail == "far. off. gaps."


def test_one_column_in_many_segments_is_one_incident(make_outcome: Make) -> None:
    outcomes = [
        make_outcome("completeness", "a", Status.VIOLATED, value=0.5, segment=f"r={i}") for i in range(7)
    ]
    (incident,) = group(outcomes)
    assert incident.detail.endswith("In segments r=0, r=1, r=2, r=3 and 3 more.")


def test_rules_about_the_whole_data_set_stand_alone(make_outcome: Make) -> None:
    incidents = group(
        [
            make_outcome("row_volume", None, Status.VIOLATED, value=3.0),
            make_outcome("freshness", None, Status.VIOLATED, value=3.0),
            make_outcome("uniqueness", None, Status.VIOLATED, value=3.0),
        ]
    )
    assert [i.title for i in incidents] == [
        "The data is out of date",
        "The data set fails the uniqueness check",
        "The number of rows is not what was expected",
    ]


def test_nothing_violated_is_no_incident(passed_report: Report) -> None:
    assert group(passed_report.outcomes) == ()


def test_ten_thousand_columns_with_rows_of_their_own_take_no_time(make_outcome: Make) -> None:
    outcomes = [bad(make_outcome, f"c{i}", [i // 2 + 1]) for i in range(10_000)]
    outcomes += [bad(make_outcome, f"d{i}", [i + 20_000]) for i in range(10_000)]
    start = time.process_time()
    incidents = group(outcomes)
    assert time.process_time() - start < 3
    assert len(incidents) == 15_000
