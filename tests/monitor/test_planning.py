"""Planning: every fire gets its execution once, and a schedule that makes no sense keeps no other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from loop import site
from loop.site import HOUR, START

from driftline.monitor import planning
from driftline.monitor.planning import captures_for, find_late, plan_due, plan_schedule
from driftline.registry import endpoints, executions, schedules
from driftline.registry.executions import Finding

if TYPE_CHECKING:
    from captured import Clock

    from driftline.registry.schedules import Schedule
    from driftline.workspace import Workspace

MINUTE = 60_000_000


def declare(ws: Workspace, name: str, **config: Any) -> None:
    with ws.registry.write("ann") as tx:
        endpoints.declare(tx, "prod")
        given = {"schedule": "cron(0 * ? * * *)", "catch_up": "all"} | config
        given = {key: value for key, value in given.items() if value is not None}
        schedules.declare(tx, name, endpoint="prod", kind="data-quality", config=given, since=START)


def found(ws: Workspace, name: str) -> Schedule:
    with ws.registry.read() as tx:
        return schedules.get(tx, name)


def windows(ws: Workspace, name: str) -> list[tuple[int, int]]:
    """In hours after the start."""
    with ws.registry.read() as tx:
        made = executions.history(tx, schedule=name, limit=1000)
    return [((e.window_start - START) // HOUR, (e.window_end - START) // HOUR) for e in reversed(made)]


def test_without_offsets_windows_reach_from_fire_to_fire(ws: Workspace) -> None:
    declare(ws, "q")
    assert plan_due(ws.registry) == (4, 0)
    assert windows(ws, "q") == [(0, 1), (1, 2), (2, 3), (3, 4)]
    assert plan_due(ws.registry) == (0, 0)


def test_offsets_move_windows(ws: Workspace) -> None:
    declare(ws, "q", start_offset="-PT3H", end_offset="-PT1H")
    plan_due(ws.registry)
    assert windows(ws, "q") == [(-2, 0), (-1, 1), (0, 2), (1, 3)]


def test_a_delay_waits_and_leaves_the_windows_as_they_are(ws: Workspace, clock: Clock) -> None:
    declare(ws, "q", delay="PT90M")
    assert plan_due(ws.registry) == (2, 0)
    assert windows(ws, "q") == [(0, 1), (1, 2)]
    assert found(ws, "q").next_due == START + 3 * HOUR + 90 * MINUTE
    clock.at = START + 4 * HOUR + 30 * MINUTE - 1
    assert plan_due(ws.registry) == (0, 0)
    clock.at += 1
    assert plan_due(ws.registry) == (1, 0)


def test_a_schedule_that_is_not_due_is_left_alone(ws: Workspace, clock: Clock) -> None:
    clock.at = START + HOUR // 2
    declare(ws, "q")
    assert plan_due(ws.registry) == (0, 0)
    assert found(ws, "q").next_due == START + HOUR
    with ws.registry.write("x") as tx:
        assert plan_schedule(tx, "q") == (0, 0)
        assert plan_schedule(tx, "nobody") == (0, 0)


def test_now_is_planned_once(ws: Workspace) -> None:
    declare(ws, "q", schedule="NOW", start_offset="-PT1H", end_offset="-PT0H")
    assert plan_due(ws.registry) == (1, 0)
    assert windows(ws, "q") == [(-1, 0)]
    assert found(ws, "q").next_due is None
    assert plan_due(ws.registry) == (0, 0)


def test_more_fires_than_are_planned_at_once(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "_FIRES_AT_ONCE", 3)
    declare(ws, "q")
    assert plan_due(ws.registry) == (3, 0)
    assert plan_due(ws.registry) == (1, 0)
    assert windows(ws, "q") == [(0, 1), (1, 2), (2, 3), (3, 4)]


def test_a_clock_that_is_set_back_plans_nothing_twice(ws: Workspace, clock: Clock) -> None:
    declare(ws, "q")
    clock.at = START + 60 * 24 * HOUR
    while plan_due(ws.registry) != (0, 0):
        pass
    clock.at = START + 4 * HOUR
    assert plan_due(ws.registry) == (0, 0)
    with ws.registry.read() as tx:
        query = sa.text("SELECT count(*), count(DISTINCT window_start) FROM executions")
        assert tuple(tx.execute(query).one()) == (1440, 1440)


@pytest.mark.parametrize(
    "config",
    [
        {"schedule": "cron(0 0 ? * 31 2 *)"},
        {"schedule": None},
        {"schedule": 7},
        {"delay": "soon"},
        {"jitter": "PT1Y"},
        {"catch_up": "never"},
        {"timezone": "Mars/Olympus"},
        {"start_offset": "-PT1H", "end_offset": "-PT2H"},
        {"max_runtime": "an hour"},
        {"revise_for": "P1Y"},
    ],
)
def test_what_makes_no_sense_is_set_aside_and_keeps_no_other(ws: Workspace, config: dict[str, Any]) -> None:
    declare(ws, "a", **config)
    declare(ws, "b")
    plan_due(ws.registry)
    assert found(ws, "a").status == "Failed"
    assert found(ws, "a").failure_reason
    assert windows(ws, "a") == []
    assert len(windows(ws, "b")) == 4


def test_a_fault_while_planning_sets_that_schedule_aside(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(ws, "a")
    declare(ws, "b")
    really = planning.plan_schedule

    def faulty(tx: Any, name: str) -> tuple[int, int]:
        if name == "a":
            raise ZeroDivisionError("a fault")
        return really(tx, name)

    monkeypatch.setattr(planning, "plan_schedule", faulty)
    assert plan_due(ws.registry) == (4, 0)
    assert found(ws, "a").failure_reason == "cannot be planned: ZeroDivisionError: a fault"


def test_captures_of_an_endpoint(ws: Workspace) -> None:
    with ws.registry.write("ann") as tx:
        endpoints.declare(tx, "own", captures="elsewhere")
        endpoints.declare(tx, "prod")
        assert captures_for(tx, ws.place, "prod") == ws.place.captures
        assert captures_for(tx, ws.place, "nobody") == ws.place.captures
        assert captures_for(tx, ws.place, "own") == str(Path(ws.root) / "elsewhere")


def test_windows_that_were_done_before_their_time_are_looked_at_again(ws: Workspace, clock: Clock) -> None:
    # The clock was 400 days ahead for a while: everything until then was looked at, and there was nothing.
    site.declare(ws)
    clock.at = START + 400 * 24 * HOUR
    plan_due(ws.registry)
    with ws.registry.write("x") as tx:
        for _ in range(6):
            for one in executions.claim(tx, "x", lease=HOUR):
                executions.finish(
                    tx, one, Finding("NoData", "nothing", result={"rows": {"captured": 0, "used": 0}})
                )
    clock.at = START + 4 * HOUR
    assert find_late(ws.registry, ws.place) == 3
    with ws.registry.read() as tx:
        again = [e for e in executions.history(tx, schedule="q", limit=1000) if e.revision == 2]
    assert [(e.window_end - START) // HOUR for e in reversed(again)] == [1, 2, 4]


def test_another_expression_takes_no_window_that_still_waits(ws: Workspace, clock: Clock) -> None:
    declare(ws, "q", delay="PT2H")
    plan_due(ws.registry)
    before = windows(ws, "q")
    with ws.registry.write("ann") as tx:
        assert plan_schedule(tx, "q")[0] == 0
        assert plan_schedule(tx, "q", closing=True)[0] == 2
    assert windows(ws, "q")[len(before) :] == [(2, 3), (3, 4)]
    with ws.registry.read() as tx:
        newest = executions.history(tx, schedule="q", limit=1)[0]
    assert newest.not_before == newest.scheduled + 2 * HOUR
