from __future__ import annotations

import pytest

from benchmarks.goals import GOALS, Comparison, Goal, compare, verdict
from benchmarks.pairs import Spread, Usage

ROUNDS = {
    "race": {
        "ours": (Usage(1.0, 0, 100.0), Usage(2.0, 0, 200.0), Usage(3.0, 0, 300.0)),
        "theirs": (Usage(4.0, 0, 100.0), Usage(4.0, 0, 100.0), Usage(4.0, 0, 100.0)),
    }
}


@pytest.mark.parametrize(
    ("comparison", "expected"),
    [
        (Comparison("race", "ours", "theirs"), Spread(0.25, 0.5, 0.75)),
        (Comparison("race", "ours", "theirs", "times"), Spread(4 / 3, 2.0, 4.0)),
        (Comparison("race", "ours", "theirs", "difference"), Spread(-3.0, -2.0, -1.0)),
        (Comparison("race", "ours", form="value"), Spread(1.0, 2.0, 3.0)),
        (Comparison("race", "ours", "theirs", quantity="peak"), Spread(1.0, 2.0, 3.0)),
    ],
)
def test_forms(comparison: Comparison, expected: Spread) -> None:
    assert compare(comparison, ROUNDS) == expected


def test_contest_that_was_not_run_gives_nothing() -> None:
    assert compare(Comparison("other", "ours", "theirs"), ROUNDS) is None


SOURCE = Comparison("race", "ours", "theirs")


@pytest.mark.parametrize(
    ("goal", "measured", "expected"),
    [
        (Goal("", SOURCE, 2.0, 1.0), 1.0, "goal met"),
        (Goal("", SOURCE, 2.0, 1.0), 1.5, "first step met"),
        (Goal("", SOURCE, 2.0, 1.0), 2.5, "missed"),
        (Goal("", SOURCE, None, 1.0), 1.5, "missed"),
        (Goal("", SOURCE, 5.0, 8.0, "x", at_least=True), 8.5, "goal met"),
        (Goal("", SOURCE, 5.0, 8.0, "x", at_least=True), 6.0, "first step met"),
        (Goal("", SOURCE, 5.0, 8.0, "x", at_least=True), 4.0, "missed"),
    ],
)
def test_verdicts(goal: Goal, measured: float, expected: str) -> None:
    assert verdict(goal, measured) == expected


def test_goals_are_never_easier_than_their_first_step() -> None:
    for goal in GOALS:
        if goal.first_step is not None:
            assert verdict(goal, goal.goal) == "goal met"
            assert (goal.goal >= goal.first_step) if goal.at_least else (goal.goal <= goal.first_step)
