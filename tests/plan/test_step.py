from __future__ import annotations

import pytest

from driftline.plan.step import Change, Note, Step, diff_changes, folded, spelled, summary


def test_created_and_changed_is_created() -> None:
    step = folded(
        "schedule",
        "q",
        [
            Note("alert_rule.created", "schedules/q", None, {"rule": "default", "m": 1}),
            Note(
                "schedule.created",
                "schedules/q",
                None,
                {"schedule": "q", "endpoint": "e", "config": {"a": 1}},
            ),
            Note(
                "alert_rule.changed", "schedules/q", {"rule": "default", "m": 1}, {"rule": "default", "m": 2}
            ),
        ],
    )
    assert step == Step(
        "create",
        "schedule",
        "q",
        (Change("alert default.m", None, "2"), Change("endpoint", None, "e"), Change("a", None, "1")),
    )


def test_made_and_taken_away_is_nothing() -> None:
    rule = {"rule": "default", "m": 1}
    notes = [Note("alert_rule.created", "s", None, rule), Note("alert_rule.removed", "s", rule, None)]
    assert folded("schedule", "q", notes).changes == ()


def test_what_goes_without_saying_is_not_said() -> None:
    note = Note("model.created", "models/m", None, {"owner": "ann", "risk_rating": "unknown", "tags": {}})
    step = folded("model", "m", [note], quiet={"risk_rating": "unknown"})
    assert [str(change) for change in step.changes] == ["owner: ann"]
    # Of what is there already it is a change like any other.
    note = Note("model.changed", "models/m", {"risk_rating": "high"}, {"risk_rating": "unknown"})
    step = folded("model", "m", [note], quiet={"risk_rating": "unknown"})
    assert [str(change) for change in step.changes] == ["risk_rating: high → unknown"]


def test_clocks_are_no_change() -> None:
    note = Note("endpoint.deployed", "endpoints/e", None, {"model": "m", "since": 17})
    assert folded("deployment", "e/v", [note]).changes == (Change("model", None, "m"),)


def test_alerts_in_consequence_are_told_of() -> None:
    notes = [
        Note("alert_rule.changed", "schedules/q", {"rule": "r", "m": 1}, {"rule": "r", "m": 2}),
        Note("alert.resolved", "alerts/x"),
        Note("alert.opened", "alerts/y"),
    ]
    step = folded("schedule", "q", notes)
    assert step.why == "1 open alert(s) of it will be resolved; its stored runs are judged anew"
    assert len(step.changes) == 1


@pytest.mark.parametrize(
    ("step", "text"),
    [
        (Step("none", "model", "m"), "  model m"),
        (Step("archive", "model", "m"), "- model m"),
        (Step("propose", "baseline", "b", why="version 2"), "+ baseline b, propose  (version 2)"),
        (Step("accept", "baseline", "b"), "~ baseline b, accept"),
        (
            Step("deploy", "deployment", "e/v", (Change("model", None, "m"),)),
            "+ deployment e/v, deploy\n    model: m",
        ),
        (
            Step("deploy", "deployment", "e/v", (Change("version", "3", "4"),)),
            "~ deployment e/v, deploy\n    version: 3 → 4",
        ),
    ],
)
def test_how_a_step_reads(step: Step, text: str) -> None:
    assert str(step) == text


def test_outside_text_cannot_move_the_cursor() -> None:
    step = Step("change", "model", "m", (Change("owner", "a\x1b[2J", "b\nc"),))
    assert str(step) == "~ model m\n    owner: a\\x1b[2J → b\\nc"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        (True, "true"),
        ("x", "x"),
        (0.25, "0.25"),
        (["a", "b"], "a, b"),
        (
            [{"uri": "m.bin", "digest": "sha256:" + "a" * 64, "size": 1234}],
            "m.bin (sha256:aaaaaaaaaaaa…, 1,234 bytes)",
        ),
        ({"uri": "s3://b/m"}, "s3://b/m"),
        ({"a": 1, "b": True}, "a=1, b=true"),
    ],
)
def test_how_values_read(value: object, text: str | None) -> None:
    assert spelled(value) == text


def test_how_the_difference_of_baselines_reads() -> None:
    diff = {
        "added": ["a"],
        "removed": ["b"],
        "changed": [
            {"feature": "c", "what": "completeness", "before": 1.0, "after": 0.9},
            {"feature": "c", "what": "completeness.why", "before": "x", "after": "y"},
            {"feature": None, "what": "alpha", "before": None, "after": 0.01},
            {"feature": "d", "what": "domains", "before": 2, "after": 3, "came": ["z"], "went": []},
        ],
        "counts": {"added": 1, "removed": 1, "changed": 4},
    }
    assert [str(change) for change in diff_changes(diff)] == [
        "column a: added",
        "column b: there → removed",
        "c completeness: 1.0 → 0.9",
        "alpha: none → 0.01",
        "d domains: 2 values → 3 values: + z",
    ]
    assert [str(change) for change in diff_changes(diff, 2)] == [
        "column a: added",
        "column b: there → removed",
        "… and 3 more",
    ]
    assert diff_changes(None) == ()


def test_the_summary_counts_each_step_once() -> None:
    steps = [Step("create", "model", "a"), Step("none", "model", "b"), Step("archive", "model", "c")]
    assert summary(steps) == {"create": 1, "change": 0, "remove": 1, "unchanged": 1}
