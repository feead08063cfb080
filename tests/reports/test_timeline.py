"""Time lines: what is joined, what was allowed, and how good estimates were."""

from __future__ import annotations

import itertools
import json

import pytest
from histories import DAY, START, entry, look, month
from hypothesis import given
from hypothesis import strategies as st

from driftline.reports.timeline import (
    MEASURED,
    STATES,
    Estimate,
    Point,
    Timeline,
    allowed,
    is_joined,
    moment,
    score,
    worse,
)
from driftline.reports.timeline_reading import timelines


def line(*points: Point, check: str = "recall") -> Timeline:
    return Timeline("s", "model-quality", check, None, points)


def point(day: int, state: str = "passed", value: float | None = 0.5, **more: float) -> Point:
    return Point(START + day * DAY, START + (day + 1) * DAY, state, value, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("state", [state for state in STATES if state not in MEASURED])
def test_what_was_not_judged_is_never_joined(state: str) -> None:
    made = line(point(0), point(1), point(2, state), point(3))
    joined = [is_joined(made, a, b) for a, b in itertools.pairwise(made.points)]
    assert joined == [True, False, False]


def test_a_window_without_a_number_is_not_joined() -> None:
    made = line(point(0), point(1, "violated", None), point(2))
    assert not any(is_joined(made, a, b) for a, b in itertools.pairwise(made.points))


def test_time_that_is_left_out_is_not_joined_over() -> None:
    made = line(point(0), point(1), point(2), point(5), point(6))
    assert [is_joined(made, a, b) for a, b in itertools.pairwise(made.points)] == [True, True, False, True]


def test_windows_at_their_usual_distance_are_joined() -> None:
    points = [Point(START + i * DAY, START + i * DAY + DAY // 24, "passed", 0.5) for i in range(3)]
    assert is_joined(line(*points), points[0], points[1])


def test_long_windows_that_touch_are_joined() -> None:
    weekend = Point(START + 2 * DAY, START + 5 * DAY, "passed", 0.5)
    made = line(point(0), point(1), weekend, point(5))
    assert all(is_joined(made, a, b) for a, b in itertools.pairwise(made.points))


@pytest.mark.parametrize(
    ("check", "given", "ends"),
    [
        ("recall", {"bound": 0.5}, (0.5, None)),
        ("false_positive_rate", {"bound": 0.1}, (None, 0.1)),
        ("bias_dpl", {"bound_low": -0.1, "bound_high": 0.1}, (-0.1, 0.1)),
        ("attribution_change", {"bound": 0.05}, (-0.05, 0.05)),
        ("ks", {"bound": 0.1}, (None, 0.1)),
        ("completeness", {"bound": 0.98}, (0.98, None)),
        ("freshness", {"bound": 3600.0}, (None, 3600.0)),
        ("recall", {}, (None, None)),
    ],
)
def test_what_was_allowed_follows_from_what_is_worse(
    check: str, given: dict[str, float], ends: tuple[float | None, float | None]
) -> None:
    one = point(0, **given)
    assert allowed(line(one, check=check), one) == ends
    assert worse(check) in ("higher", "lower", "either")


@given(
    st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.floats(0, 1e6)), min_size=1, max_size=9)
)
def test_the_score_of_estimates_is_that_of_their_errors(found: list[tuple[float, float, float]]) -> None:
    points = [
        point(i, "passed", value, estimate=Estimate(guess, guess - width, guess + width))  # type: ignore[arg-type]
        for i, (value, guess, width) in enumerate(found)
    ]
    result = score([*points, point(99), point(100, "undetermined", None, estimate=Estimate(0.5))])  # type: ignore[arg-type]
    errors = [guess - value for value, guess, _ in found]
    assert result.n == len(found)
    assert result.mean_error == pytest.approx(sum(errors) / len(errors), abs=1e-6)
    assert result.mean_absolute_error == pytest.approx(sum(map(abs, errors)) / len(errors), abs=1e-6)
    inside = sum(guess - width <= value <= guess + width for value, guess, width in found)
    assert result.inside == inside / len(found)


def test_no_estimate_no_score() -> None:
    assert score([point(0)]).n == 0
    assert score([]).mean_error is None


def test_the_document_is_json_and_tells_every_window() -> None:
    recall = month(check="recall")[0]
    document = json.loads(json.dumps(recall.to_document(), allow_nan=False))
    assert document["title"] == "Recall"
    assert document["unit"] == "share"
    assert len(document["points"]) == 30
    states = [one["state"] for one in document["points"]]
    assert [states.count(s) for s in ("no data", "failed", "skipped")] == [1, 1, 1]
    newest = document["points"][-1]
    assert newest["value"] is None
    assert newest["estimate"]["value"] > 0.3
    assert document["points"][0] == {
        "window_start": "2026-10-26T00:00:00Z",
        "window_end": "2026-10-27T00:00:00Z",
        "state": "passed",
        "value": 0.585,
        "interval": [0.585 - 0.03, 0.585 + 0.03],
        "bound": 0.55,
        "allowed": None,
        "baseline": 0.5875,
        "estimate": {"value": 0.595, "interval": [0.595 - 0.04, 0.595 + 0.04]},
        "revision": 2,
        "execution": "run-0-2",
        "message": None,
    }
    assert document["marks"][-1] == {"at": "2026-11-20T00:00:00Z", "label": "baseline 2", "kind": "baseline"}
    assert document["estimates"]["windows"] == 23


def test_a_moment_beyond_the_calendar_is_still_told() -> None:
    assert moment(START) == "2026-10-26T00:00:00Z"
    assert moment(10**20) == "100000000000000000000 µs"


def test_one_window_has_no_distance() -> None:
    [only] = timelines(
        [look(0, "Completed", entry("ks", 0.05, bound=0.1))], schedule="s", kind="data-quality"
    )
    assert only.spacing == 0
    assert only.last == only.points[0]
