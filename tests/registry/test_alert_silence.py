"""Monitors that say nothing raise an alert of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from alerting import HOUR, World

from driftline.registry import alerts, outbox, schedules

if TYPE_CHECKING:
    from driftline.registry.store import Registry

LONG = 2 * 3600 + 20 * 60
"""Seconds after which a monitor that runs every hour is silent."""


def look(world: World, *, seconds: int = 1) -> list[alerts.Alert]:
    with world.write(seconds=seconds) as tx:
        return alerts.silent_check(tx, periods=dict.fromkeys(world.windows, HOUR))


@pytest.mark.parametrize("letter", ["C", "V", "N", "F"])
def test_a_monitor_that_stops_reporting_is_told_of_once(registry: Registry, letter: str) -> None:
    world = World(registry)
    world.run(letter)
    assert look(world, seconds=LONG) == []
    (alert,) = look(world)
    assert (alert.kind, alert.severity, alert.model) == ("silent", "critical", None)
    assert alert.title == "churn-prod: quality has not reported since 2026-11-23T07:00:00Z"
    assert look(world, seconds=LONG) == []
    assert world.told()[-1] == "alert.opened"
    assert world.told("monitor.*") == ["monitor.silent"]
    world.run("C")
    assert [a.state for a in world.alerts(kind="silent")] == ["resolved"]
    assert look(world) == []
    assert len(look(world, seconds=LONG)) == 1


def test_detection_takes_two_periods_and_twenty_minutes(registry: Registry) -> None:
    world = World(registry)
    world.run("C")
    assert look(world, seconds=LONG) == []
    assert len(look(world, seconds=1)) == 1


def test_a_monitor_that_never_ran_is_silent_since_it_was_started(registry: Registry) -> None:
    world = World(registry)
    assert look(world, seconds=LONG - 2) == []
    assert len(look(world, seconds=3)) == 1


@pytest.mark.parametrize("letter", ["S", "K"])
def test_what_was_stopped_or_skipped_is_no_sign_of_life(registry: Registry, letter: str) -> None:
    world = World(registry)
    world.run("C")
    assert look(world, seconds=LONG) == []
    world.run(letter)
    assert len(look(world)) == 1
    world.run(letter)
    assert len(world.alerts(open_only=True)) == 1


def test_a_run_by_hand_is_no_sign_of_life(registry: Registry) -> None:
    world = World(registry)
    world.run("C")
    look(world, seconds=LONG + 1)
    world.run("C", window=1, revision=2, cause="manual")
    assert len(world.alerts(open_only=True)) == 1


def test_stopped_schedules_are_not_silent(registry: Registry) -> None:
    world = World(registry)
    look(world, seconds=LONG + 1)
    with world.write() as tx:
        schedules.stop(tx, "quality")
    assert look(world) == []
    (alert,) = world.alerts()
    assert alert.state == "resolved"
    with registry.read() as tx:
        assert alerts.log(tx, alert.id)[-1].reason == "the schedule was stopped"
    with world.write() as tx:
        schedules.start(tx, "quality")
    assert look(world, seconds=LONG) == []


def test_what_is_resolved_by_hand_is_told_again_after_the_same_time(registry: Registry) -> None:
    world = World(registry)
    (alert,) = look(world, seconds=LONG + 1)
    with world.write("ann") as tx:
        alerts.resolve(tx, alert.id, "the machine is being moved")
    assert look(world, seconds=LONG) == []
    assert len(look(world, seconds=1)) == 1


def test_a_clock_that_goes_back_raises_nothing(registry: Registry) -> None:
    world = World(registry)
    world.run("C")
    assert look(world, seconds=-1_000_000) == []


def test_only_schedules_with_a_period_are_looked_at(registry: Registry) -> None:
    world = World(registry)
    with world.write(seconds=10 * LONG) as tx:
        assert alerts.silent_check(tx, periods={"other": HOUR}) == []


def test_three_failed_runs_are_one_alert(registry: Registry) -> None:
    world = World(registry)
    world.run("FFC")
    world.run("FF")
    assert world.alerts() == []
    world.run("F")
    (alert,) = world.alerts()
    assert (alert.kind, alert.severity, alert.n_windows) == ("failing", "critical", 3)
    assert alert.title == "churn-prod: quality fails run after run (E-BASELINE)"
    assert alert.causes[0].windows == 3
    world.run("F")
    assert world.told() == ["alert.opened"]
    assert world.alerts()[0].n_windows == 4
    world.run("F", error_code="E-STORE")
    assert world.told() == ["alert.opened", "alert.updated"]
    world.run("N")
    assert world.told() == ["alert.opened", "alert.updated", "alert.resolved"]


def test_stopped_and_skipped_runs_break_no_row(registry: Registry) -> None:
    world = World(registry)
    world.run("FSFKF")
    assert [a.kind for a in world.alerts()] == ["failing"]


def test_a_late_revision_breaks_the_row(registry: Registry) -> None:
    world = World(registry)
    world.run("FF")
    world.run("C", window=2, revision=2, cause="manual")
    world.run("F")
    assert world.alerts() == []


def test_failures_before_a_start_do_not_count(registry: Registry) -> None:
    world = World(registry)
    world.run("FF")
    with world.write() as tx:
        schedules.stop(tx, "quality")
        schedules.start(tx, "quality")
    world.run("FF")
    assert world.alerts() == []
    world.run("F")
    assert len(world.alerts()) == 1


def test_a_schedule_that_is_set_aside_keeps_its_alert(registry: Registry) -> None:
    world = World(registry)
    world.run("FF")
    with world.write() as tx:
        schedules.fail(tx, "quality", "3 runs in a row failed")
    world.run("F")
    assert [a.kind for a in world.alerts(open_only=True)] == ["failing"]


def test_how_many_failures_is_configured(registry: Registry) -> None:
    world = World(registry)
    world.schedule("strict", alert_after_failures=1)
    world.run("F", "strict")
    assert [a.schedule for a in world.alerts()] == ["strict"]


def test_no_data_raises_an_alert_only_where_wanted(registry: Registry) -> None:
    world = World(registry)
    world.run("NNNNN")
    assert world.alerts() == []
    world.schedule("awake", alert_on_no_data=2)
    world.run("NFN", "awake")
    (alert,) = world.alerts()
    assert (alert.kind, alert.severity, alert.title) == (
        "no_data",
        "warning",
        "churn-prod: awake finds no data",
    )
    world.run("NF", "awake")
    assert [(a.state, a.n_windows) for a in world.alerts()] == [("open", 3)]
    world.run("C", "awake")
    assert world.told() == ["alert.opened", "alert.resolved"]


def test_a_deleted_schedule_keeps_no_open_alert(registry: Registry) -> None:
    world = World(registry)
    world.run("VFFF")
    assert len(world.alerts(open_only=True)) == 2
    with world.write() as tx:
        alerts.retire(tx, "quality")
        schedules.archive(tx, "quality")
    assert world.alerts(open_only=True) == []
    world.run("V")
    assert len(world.alerts()) == 2


def test_events_name_the_monitor(registry: Registry) -> None:
    world = World(registry)
    (alert,) = look(world, seconds=LONG + 1)
    with registry.read() as tx:
        (event,) = outbox.read_events(tx, kinds=("monitor.silent",))
    assert event.subject == "schedules/quality"
    assert event.data == {
        "schedule": "quality",
        "endpoint": "churn-prod",
        "severity": "critical",
        "alert": alert.id,
        "last_finished": None,
        "period_seconds": 3600,
    }
