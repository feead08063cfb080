"""A time line in words."""

from __future__ import annotations

import pytest
from histories import DAY, START, entry, look, month

from driftline.reports.timeline import Estimate, Point, Timeline
from driftline.reports.timeline_reading import timelines
from driftline.reports.timeline_words import limit, minute, scored, story, title


def told(*states: str) -> str:
    points = tuple(
        Point(
            START + i * DAY,
            START + (i + 1) * DAY,
            state,
            0.5 if state in ("passed", "violated") else None,
            bound=0.55,
        )
        for i, state in enumerate(states)
    )
    return story(Timeline("s", "model-quality", "recall", None, points))


@pytest.mark.parametrize(
    ("states", "said"),
    [
        ((), "Nothing has run yet."),
        (("passed",), "Within its bound in the only window judged. Last 50% (at least 55% allowed)."),
        (("passed", "passed"), "Within its bound in all 2 windows judged. Last 50% (at least 55% allowed)."),
        (
            ("passed", "violated"),
            "Violated in 1 of 2 windows, in the last one. Last 50% (at least 55% allowed).",
        ),
        (
            ("violated", "passed"),
            "Violated in 1 of 2 windows, not in the last one. Last 50% (at least 55% allowed).",
        ),
        (
            ("passed", "violated", "no data", "violated"),
            "Violated in 2 of 3 windows, without a break since 2026-10-27 00:00 UTC. Last 50% (at least 55% allowed)."
            " Windows without a judgement: 1 without data.",
        ),
        (
            ("undetermined", "failed", "skipped", "stopped", "waiting", "not measured"),
            "No window could be judged. Windows without a judgement: 1 not judged, 1 failed, 1 skipped, 1 stopped,"
            " 1 not run yet, 1 not measured.",
        ),
    ],
)
def test_the_story(states: tuple[str, ...], said: str) -> None:
    assert told(*states) == said


def test_a_time_line_is_named_after_what_it_is_of() -> None:
    assert [title(one) for one in month()] == [
        "Difference in positive proportions in predicted labels (DPPL) of sex=Female", "Recall", "Precision",
    ]  # fmt: skip


def test_the_score_of_the_estimates() -> None:
    recall = month(check="recall")[0]
    assert scored(recall) == (
        "Estimates without labels, held against what was measured later in 23 windows: on average 1.1 points too high"
        " (mean absolute error 1.1 points); 23 of 23 measured values (100%) inside the estimated 95% interval."
        " 4 windows wait for labels."
    )
    assert scored(month(check="precision")[0]) == ""


def test_estimates_that_nothing_was_measured_for() -> None:
    looks = [look(0, "Completed", entry("mae", None, "undetermined", estimated=3.0))]
    [found] = timelines(looks, schedule="s", kind="model-quality")
    assert scored(found) == "Estimates without labels: 1 window, none measured yet."


def test_estimates_without_an_interval_in_a_unit_of_their_own() -> None:
    point = Point(0, 1, "passed", 3.0, estimate=Estimate(2.5))
    said = scored(Timeline("s", "model-quality", "mae", None, (point,)))
    assert said.endswith("on average 0.5 too low (mean absolute error 0.5).")
    exact = scored(
        Timeline("s", "model-quality", "mae", None, (Point(0, 1, "passed", 3.0, estimate=Estimate(3.0)),))
    )
    assert "right on average" in exact


def test_limits_in_words() -> None:
    point = Point(0, 1, "passed", 0.1, bound_low=-0.1, bound_high=0.1)
    assert limit(Timeline("s", "bias", "bias_dpl", "g", (point,)), point) == "−0.1 to 0.1"
    assert limit(Timeline("s", "bias", "bias_dpl", "g", ()), Point(0, 1, "passed")) == ""
    assert minute(START) == "2026-10-26 00:00 UTC"
