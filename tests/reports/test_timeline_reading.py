"""From what runs left behind to time lines."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from typing import Any

import pytest
from histories import DAY, START, entry, look, month, month_of_looks
from metric_reports import metric_report

from driftline.errors import UsageError
from driftline.reports.exhibit import Exhibit
from driftline.reports.timeline import Estimate, Mark, Timeline
from driftline.reports.timeline_reading import Look, estimates_of, timelines


def made(looks: list[Look], **given: Any) -> tuple[Timeline, ...]:
    return timelines(looks, schedule="s", kind="model-quality", **given)


def test_the_order_of_the_looks_does_not_matter() -> None:
    looks = month_of_looks()
    random.Random(3).shuffle(looks)
    assert made(looks) == made(month_of_looks())


def test_the_newest_finished_look_speaks() -> None:
    looks = [
        look(0, "Completed", entry("recall", 0.6)),
        look(0, "CompletedWithViolations", entry("recall", 0.4, "violated"), revision=2),
        look(0, "Failed", revision=3),
        look(1, "Failed"),
        look(1, "InProgress", revision=2),
        look(2, "NoData"),
        look(2, "Failed", revision=2),
    ]
    points = made(looks)[0].points
    assert [(p.state, p.revision, p.value) for p in points] == [
        ("violated", 2, 0.4), ("waiting", 2, None), ("no data", 1, None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("NoData", "no data"), ("Failed", "failed"), ("Skipped", "skipped"), ("Stopped", "stopped"),
        ("Stopping", "stopped"), ("Pending", "waiting"), ("InProgress", "waiting"), ("Completed", "not measured"),
        ("of the future", "not measured"),
    ],
)  # fmt: skip
def test_gaps_are_told_apart(status: str, state: str) -> None:
    looks = [look(0, "Completed", entry("recall", 0.6)), look(1, status)]
    assert made(looks)[0].points[1].state == state
    assert made(looks)[0].points[1].value is None


def test_the_first_estimate_stays_beside_what_was_measured() -> None:
    looks = [
        look(0, "Completed", entry("recall", None, "undetermined", estimated=[0.6, 0.5, 0.7])),
        look(0, "Completed", entry("recall", 0.55, "passed", estimated=[0.58, 0.5, 0.6]), revision=2),
        look(0, "Completed", entry("recall", 0.54, "passed"), revision=3),
    ]
    [point] = made(looks)[0].points
    assert (point.value, point.estimate, point.revision) == (0.54, Estimate(0.6, 0.5, 0.7), 3)


@pytest.mark.parametrize(
    ("given", "estimate"),
    [
        ([0.6, 0.5, 0.7], Estimate(0.6, 0.5, 0.7)),
        ({"value": 0.6, "interval": [0.5, 0.7]}, Estimate(0.6, 0.5, 0.7)),
        ({"value": 0.6, "low": 0.5, "high": 0.7}, Estimate(0.6, 0.5, 0.7)),
        (0.6, Estimate(0.6)),
        ([0.6], Estimate(0.6)),
        (None, None), (False, None), ([], None), ([None, 0.1, 0.2], None), ("0.6", None),
    ],
)  # fmt: skip
def test_an_estimate_may_be_written_in_several_ways(given: Any, estimate: Estimate | None) -> None:
    [point] = made([look(0, "Completed", entry("recall", None, "undetermined", estimated=given))])[0].points
    assert point.estimate == estimate
    assert point.value is None


def test_an_entry_that_is_an_estimate_is_no_measurement() -> None:
    looks = [look(0, "Completed", entry("recall", 0.6, "passed", estimated=True))]
    [point] = made(looks)[0].points
    assert (point.state, point.value, point.estimate) == ("undetermined", None, Estimate(0.6, 0.57, 0.63))


def test_metrics_of_a_part_are_time_lines_of_their_own() -> None:
    looks = [look(0, "Completed", entry("recall", 0.6), entry("recall", 0.5, feature="sex=Female"),
                  entry("recall", 0.4, segment="sex=Male"), entry("ndcg", 0.9, feature="a", segment="b"))]  # fmt: skip
    assert [(t.check, t.feature) for t in made(looks)] == [
        ("recall", None), ("recall", "sex=Female"), ("recall", "sex=Male"), ("ndcg", "a [b]"),
    ]  # fmt: skip


def test_what_matters_comes_first() -> None:
    def entries(day: int) -> list[dict[str, Any]]:
        return [
            entry("accuracy", 0.9, bound=0.5, baseline=0.91),
            entry("f1", 0.61, bound=0.6, baseline=0.7),
            entry("recall", 0.4, "violated" if day < 2 else "passed", bound=0.5),
            entry("precision", 0.4, "violated" if day == 4 else "passed", bound=0.5),
            entry("auc", 0.4, "violated" if day == 4 else "passed", bound=0.5, severity="critical"),
            entry("brier", None, "undetermined", bound=0.5),
            entry("log_loss", 0.3, "undetermined", bound=0.5),
            entry("mae", 0.1, bound=0.5, baseline=0.0),
        ]

    looks = [look(day, "Completed", *entries(day)) for day in range(5)]
    assert [t.check for t in made(looks)] == ["auc", "precision", "recall", "log_loss", "f1", "mae"]
    assert len(made(looks, most=2)) == 2
    assert [t.check for t in made(looks, most=9)][-1] == "brier"


@pytest.mark.parametrize(
    ("asked", "check"),
    [("bias_dppl", "bias_dppl"), ("DPPL", "bias_dppl"), ("dppl", "bias_dppl"), ("Recall", "recall")],
)
def test_a_metric_is_found_by_each_of_its_names(asked: str, check: str) -> None:
    assert [t.check for t in month(check=asked)] == [check]


def test_a_feature_alone_chooses_all_its_metrics() -> None:
    assert [(t.check, t.feature) for t in month(feature="sex=Female")] == [("bias_dppl", "sex=Female")]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"check": "recal"}, "E-NO-METRIC: no run has measured 'recal'; did you mean 'recall'?"),
        (
            {"check": "auc"},
            "E-NO-METRIC: no run has measured 'auc'; use one of recall, precision and bias_dppl",
        ),
        (
            {"check": "dppl", "feature": "sex=Femal"},
            "E-NO-FEATURE: no run has measured dppl of 'sex=Femal'; did you mean 'sex=Female'?",
        ),
        ({"feature": "age"}, "E-NO-FEATURE: no run has measured anything of 'age'; use one of sex=Female"),
    ],
)
def test_what_was_never_measured_is_said(asked: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        month(**asked)
    assert str(caught.value) == message


def test_nothing_measured_is_no_time_line() -> None:
    assert made([]) == ()
    assert made([look(0, "NoData")]) == ()
    with pytest.raises(UsageError, match="no run has measured 'ks'; wait until it has run"):
        made([look(0, "NoData")], check="ks")


def test_another_baseline_is_marked_from_its_first_window() -> None:
    looks = [
        look(day, "Completed", entry("ks", 0.1), baseline_version=v)
        for day, v in enumerate((1, 1, None, 2, 2))
    ]
    first, last = Mark(START, "m 1"), Mark(START + 9 * DAY, "m 2")
    [found] = made(looks, marks=(last, first))
    assert found.marks == (first, Mark(START + 3 * DAY, "baseline 2", "baseline"), last)


def test_what_is_no_measurement_is_passed_over() -> None:
    odd: list[Any] = [
        {"feature": "a"},
        {"check": 7},
        entry("ks", float("nan")),
        entry("ks", True, spread=None),
    ]
    [found] = made([look(0, "Completed", *odd)])
    assert found.points[0].value is None
    assert (
        made([look(0, "Completed", {"check": "ks", "value": 0.1, "status": "odd"})])[0].points[0].state
        == "undetermined"
    )


def test_estimates_of_a_report_are_those_of_its_exhibit() -> None:
    heads = ("metric", "baseline", "estimated", "low", "high", "realised")
    rows = (
        ("Recall", 0.6, 0.55, 0.5, 0.6, None), ("AUC", 0.9, None, None, None, None),
        ("Share of positives", None, 0.2, 0.1, 0.3, None),
        ("Accuracy", 0.9, 0.8, None, math.inf, None),
    )  # fmt: skip
    exhibit = Exhibit("estimate", "table", "Estimate", "", heads, rows)
    found = estimates_of(metric_report("model-quality", [], exhibits=(exhibit,)))
    assert found == {"recall": [0.55, 0.5, 0.6], "accuracy": [0.8, None, None]}
    [point] = made([look(0, "Completed", entry("recall", None, "undetermined", estimated=found["recall"]))])[
        0
    ].points
    assert point.estimate == Estimate(0.55, 0.5, 0.6)
    assert estimates_of(metric_report("model-quality", [])) == {}
    other = replace(exhibit, columns=("metric", "a", "b", "c", "d", "e"))
    assert estimates_of(metric_report("model-quality", [], exhibits=(other,))) == {}
