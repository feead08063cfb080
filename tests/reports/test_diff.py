"""What changed between two reports."""

from __future__ import annotations

import io
import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from metric_reports import metric_outcome, metric_report

from driftline.baselines.constraint import Constraint
from driftline.reports.codec import report_id
from driftline.reports.diff import diff_reports, diff_to_json, headline, print_diff
from driftline.reports.outcome import Measurement, Outcome, Status
from driftline.reports.report import Report, Side

if TYPE_CHECKING:
    from collections.abc import Callable

V, P, U = Status.VIOLATED, Status.PASSED, Status.UNDETERMINED
SIDE = Side("a.csv", 1, 1, "sha256:" + "0" * 64)
GROUPS = ("newly_violated", "resolved", "still_violated", "newly_undetermined", "no_longer_checked")
STATUSES = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(list(Status)))


def report(statuses: dict[str, Status]) -> Report:
    outcomes = tuple(
        Outcome(Constraint("ks", c, 0.1), Measurement("ks", 0.2, "distance", 9), s, "so")
        for c, s in statuses.items()
    )
    return Report(
        "data-quality", "default", "name", SIDE, SIDE, 0.001, 0, outcomes, (), (), "2026-11-23T07:00:00Z", {}
    )


def columns(changes: tuple[object, ...]) -> list[str]:
    return [change.column for change in changes]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("before", "after", "group"),
    [
        (P, V, "newly_violated"),
        (U, V, "newly_violated"),
        (None, V, "newly_violated"),
        (V, P, "resolved"),
        (V, V, "still_violated"),
        (V, U, "newly_undetermined"),
        (P, U, "newly_undetermined"),
        (None, U, "newly_undetermined"),
        (V, None, "no_longer_checked"),
        (P, P, None),
        (U, U, None),
        (U, P, None),
        (P, None, None),
        (None, P, None),
    ],
)
def test_each_way_a_constraint_can_go(before: Status | None, after: Status | None, group: str | None) -> None:
    diff = diff_reports(report({"a": before} if before else {}), report({"a": after} if after else {}))
    assert [name for name in GROUPS if getattr(diff, name)] == ([group] if group else [])


@given(STATUSES, STATUSES)
def test_no_violation_gets_lost(before: dict[str, Status], after: dict[str, Status]) -> None:
    diff = diff_reports(report(before), report(after))
    told = [c for name in GROUPS for c in columns(getattr(diff, name))]
    assert len(told) == len(set(told))
    assert {c for c, s in after.items() if s is V} == {
        *columns(diff.newly_violated),
        *columns(diff.still_violated),
    }
    assert {c for c, s in before.items() if s is V} <= {*told}
    assert set(diff.columns_before_only) == set(before) - set(after)
    assert set(diff.columns_after_only) == set(after) - set(before)


@given(STATUSES)
def test_a_report_does_not_differ_from_itself(statuses: dict[str, Status]) -> None:
    diff = diff_reports(report(statuses), report(statuses))
    assert diff.is_empty
    assert diff.warnings == ()
    assert len(diff.still_violated) == sum(s is V for s in statuses.values())


def test_the_effect_is_how_much_it_grew(
    make_outcome: Callable[..., Outcome], make_report: Callable[..., Report]
) -> None:
    def one(check: str, value: float | None) -> Report:
        return make_report([make_outcome(check, "a", V, value=value, bound=0.1)])

    (change,) = diff_reports(one("ks", 0.2), one("ks", 0.5)).still_violated
    assert change.effect == pytest.approx(0.3)
    for nothing in (None, math.nan, math.inf):
        assert diff_reports(one("ks", nothing), one("ks", 0.5)).still_violated[0].effect is None


def test_twins_are_kept_apart(
    make_outcome: Callable[..., Outcome], make_report: Callable[..., Report]
) -> None:
    before = make_report(
        [make_outcome("ks", "a", V), make_outcome("ks", "a", P), make_outcome("ks", "a", P, segment="r=1")]
    )
    after = make_report(
        [make_outcome("ks", "a", P), make_outcome("ks", "a", V), make_outcome("ks", "a", V, segment="r=1")]
    )
    diff = diff_reports(before, after)
    assert [(c.segment, c.before.status if c.before else None) for c in diff.newly_violated] == [
        (None, P),
        ("r=1", P),
    ]
    assert len(diff.resolved) == 1


def test_reports_that_do_not_compare_say_so(churn_report: Report) -> None:
    other = replace(
        churn_report,
        mode="sagemaker",
        matching="position",
        alpha=0.01,
        segments="region",
        baseline=replace(churn_report.baseline, label="new.csv", digest="sha256:" + "1" * 64),
    )
    assert diff_reports(churn_report, other).warnings == (
        "The mode differs: default before, sagemaker after.",
        "The pairing of columns differs: name before, position after.",
        "The splitting column differs: none before, region after.",
        "The false discovery rate differs: 0.001 before, 0.01 after.",
        (
            "The baselines differ: training.csv before, new.csv after;"
            " a changed outcome may come from the baseline."
        ),
    )


def changed(churn_report: Report) -> Report:
    outcomes = []
    for o in churn_report.outcomes:
        c, m = o.constraint, o.measurement
        if c.check == "data_type" and o.is_violation:
            o = replace(o, status=P, measurement=replace(m, value=1.0, n_bad=0))
        elif (c.check, c.column) == ("ks", "Day Mins"):
            o = replace(o, measurement=replace(m, value=0.41))
        elif (c.check, c.column) == ("completeness", "Day Mins"):
            o = replace(o, measurement=replace(m, value=0.97))
        elif (c.check, c.column) == ("ks", "Eve Mins"):
            o = replace(o, status=U)
        elif (c.check, c.column) == ("ks", "Intl Mins"):
            o = replace(o, status=V, measurement=replace(m, value=0.2))
        if c.column != "Access":
            outcomes.append(o)
    return replace(churn_report, outcomes=tuple(outcomes), columns=churn_report.columns[:-1], incidents=())


def test_the_story_in_a_terminal(churn_report: Report) -> None:
    stream = io.StringIO()
    print_diff(diff_reports(churn_report, changed(churn_report)), stream, console_width=80)
    text = "\n".join(line.rstrip() for line in stream.getvalue().splitlines())
    assert text.startswith(
        "1 newly violated, 2 still violated, 59 resolved, 1 can no longer be judged, 1\nviolated before, not"
    )
    for line in (
        "  Intl Mins  KS  0.031 → 0.2 (max 0.1)",
        "  Day Mins  Completeness  95.21% → 97% (min 99%), better",
        "  Day Mins  KS            0.3127 → 0.41 (max 0.1), worse",
        "  CustServ Calls  Data type  99.7% → 100% (all Integral)",
        "  and 39 more",
        "  Eve Mins  KS  0.1846 → cannot be judged (max 0.1)",
        "  Access  Known values  97.01% → not checked (100%)",
        "Columns only before\n  Access",
    ):
        assert line in text


def test_ascii_and_hostile_names(hostile_report: Report, empty_report: Report) -> None:
    stream = io.StringIO()
    stream_ascii = type("Ascii", (io.StringIO,), {"encoding": "ascii"})()
    for target in (stream, stream_ascii):
        print_diff(diff_reports(empty_report, hostile_report), target, console_width=100)
    assert all(ch.isprintable() or ch == "\n" for ch in stream.getvalue())
    assert stream_ascii.getvalue().isascii()


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ({}, {}, "Nothing changed and nothing is violated."),
        ({"a": V}, {"a": V}, "Nothing came or went; 1 still violated."),
        ({"a": P}, {"b": P}, "1 column gone, 1 column new."),
        ({"a": P}, {"a": V}, "1 newly violated."),
    ],
)
def test_the_headline(before: dict[str, Status], after: dict[str, Status], text: str) -> None:
    assert headline(diff_reports(report(before), report(after))) == text


def test_the_document(churn_report: Report) -> None:
    after = changed(churn_report)
    diff = diff_reports(churn_report, after)
    document = json.loads(diff_to_json(diff))
    assert diff.to_json() == diff_to_json(diff)
    assert list(document) == [
        "schema",
        "before",
        "after",
        "warnings",
        "newly_violated",
        "still_violated",
        "resolved",
        "newly_undetermined",
        "no_longer_checked",
        "columns_before_only",
        "columns_after_only",
    ]
    assert document["schema"] == "driftline.diff/v1"
    assert document["before"] == {"report": report_id(churn_report), "label": "live/2026-11-23"}
    assert document["newly_violated"] == [
        {
            "check": "ks",
            "column": "Intl Mins",
            "segment": None,
            "effect": pytest.approx(0.169),
            "before": {
                "status": "passed",
                "value": 0.031,
                "bound": 0.1,
                "q_value": 0.98,
                "reason": "ks of Intl Mins is 0.031, the limit is 0.1",
            },
            "after": {
                "status": "violated",
                "value": 0.2,
                "bound": 0.1,
                "q_value": 0.98,
                "reason": "ks of Intl Mins is 0.031, the limit is 0.1",
            },
        }
    ]
    assert document["no_longer_checked"][0]["after"] is None
    assert document["columns_before_only"] == ["Access"]


# -- reports about metrics


def metrics(recipe: str, *outcomes: Outcome) -> Report:
    return metric_report(recipe, list(outcomes))


def printed(before: Report, after: Report) -> str:
    stream = io.StringIO()
    print_diff(diff_reports(before, after), stream, console_width=80)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("check", "given", "before", "after", "told"),
    [
        ("recall", {"bound": 0.5}, 0.4, 0.3, "worse"),
        ("recall", {"bound": 0.5}, 0.3, 0.4, "better"),
        ("false_positive_rate", {"bound": 0.1}, 0.2, 0.3, "worse"),
        ("bias_dpl", {"low": -0.1, "high": 0.1}, 0.2, 0.3, "worse"),
        ("bias_dpl", {"low": -0.1, "high": 0.1}, -0.2, -0.3, "worse"),
        ("bias_dpl", {"low": -0.1, "high": 0.1}, -0.3, -0.2, "better"),
        ("attribution_change", {"bound": 0.05}, -0.2, -0.1, "better"),
        ("attribution_change", {"bound": 0.05}, -0.2, -0.3, "worse"),
    ],
)
def test_a_metric_that_stays_violated_says_whether_it_got_worse(
    check: str, given: dict[str, float], before: float, after: float, told: str
) -> None:
    sides = [
        metrics("bias", metric_outcome(check, value, 0.0, V, column="g=1", **given))
        for value in (before, after)
    ]  # type: ignore[arg-type]
    assert f", {told}" in printed(*sides)


def test_groups_that_come_and_go_are_called_groups() -> None:
    found = [
        metric_outcome("bias_dpl", 0.3, 0.1, V, column=group, low=-0.1, high=0.1) for group in ("a=1", "a=2")
    ]
    text = printed(metrics("bias", found[0]), metrics("bias", found[1]))
    assert "1 group gone, 1 group new." in text
    assert "Groups only before\n  a=1" in text
    assert "column" not in text


def test_metrics_are_told_with_what_they_are_of() -> None:
    before = metrics("model-quality", metric_outcome("recall", 0.6, 0.6, P, bound=0.5))
    after = metrics("model-quality", metric_outcome("recall", 0.4, 0.6, V, bound=0.5))
    assert "all rows  Recall  60% → 40% (min 50%)" in printed(before, after)


def test_the_document_has_what_metrics_have_more(bias_report: Report) -> None:
    change = json.loads(diff_to_json(diff_reports(bias_report, bias_report)))["still_violated"][0]["after"]
    assert set(change) == {
        "status",
        "value",
        "bound",
        "q_value",
        "reason",
        "baseline",
        "interval",
        "low",
        "high",
    }
    assert (change["low"], change["high"]) == (-0.1701, 0.1701)
