"""Executions: each window takes effect once, whoever plans, claims, dies or comes too late."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from driftline.registry import endpoints, executions, outbox, schedules
from driftline.registry.database import RegistryError
from driftline.registry.executions import Finding
from driftline.registry.tables import executions as rows

if TYPE_CHECKING:
    from driftline.registry.executions import Execution
    from driftline.registry.schedules import Schedule
    from driftline.registry.store import Registry, Tx

HOUR = 3_600_000_000
LEASE = 60_000_000
DONE = Finding("Completed", "no violations", result={"judged": True})


@pytest.fixture
def schedule(registry: Registry) -> Schedule:
    with registry.write("ann") as tx:
        endpoints.declare(tx, "prod")
        schedules.declare(
            tx, "q", endpoint="prod", kind="data-quality", config={"schedule": "cron(0 * ? * * *)"}
        )
        return schedules.get(tx, "q")


def planned(tx: Tx, schedule: Schedule, hour: int = 1, **given: Any) -> Execution:
    made = executions.plan(
        tx, schedule, (hour - 1) * HOUR, hour * HOUR, scheduled=hour * HOUR, not_before=0, **given
    )
    assert made is not None
    return made


def only(tx: Tx, owner: str, lease: int = LEASE) -> Execution:
    (one,) = executions.claim(tx, owner, lease=lease)
    return one


def status(registry: Registry, execution: Execution) -> str:
    with registry.read() as tx:
        return executions.get(tx, execution.id).status


def told(registry: Registry) -> list[str]:
    with registry.read() as tx:
        return [e.short for e in outbox.read_events(tx) if e.short.startswith("execution.")]


def test_a_window_is_planned_once(registry: Registry, schedule: Schedule) -> None:
    with registry.write("a") as tx:
        planned(tx, schedule)
    with registry.write("b") as tx:
        assert executions.plan(tx, schedule, 0, HOUR, scheduled=HOUR) is None
        assert len(executions.history(tx, schedule="q")) == 1
    assert told(registry) == ["execution.planned"]


def test_what_is_held_is_not_given_to_another(registry: Registry, schedule: Schedule) -> None:
    with registry.write("a") as tx:
        planned(tx, schedule)
        planned(tx, schedule, 2)
        mine = only(tx, "one")
    with registry.write("b") as tx:
        # Neither the first, which runs, nor the second, which comes after it.
        assert executions.claim(tx, "two", lease=LEASE, limit=10) == []
        assert executions.finish(tx, mine, DONE)
    with registry.write("b") as tx:
        assert only(tx, "two").window_start == HOUR


def test_windows_are_run_in_order(registry: Registry, schedule: Schedule) -> None:
    with registry.write("a") as tx:
        for hour in (3, 1, 2):
            planned(tx, schedule, hour)
    seen = []
    for _ in range(3):
        with registry.write("a") as tx:
            one = only(tx, "one")
            seen.append(one.window_end // HOUR)
            executions.finish(tx, one, DONE)
    assert seen == [1, 2, 3]


def test_who_comes_too_late_changes_nothing(registry: Registry, schedule: Schedule) -> None:
    with registry.write("a") as tx:
        planned(tx, schedule)
        slow = only(tx, "slow", lease=-1)
    with registry.write("b") as tx:
        quick = only(tx, "quick")
        assert quick.id == slow.id
        assert quick.token == slow.token + 1
    with registry.write("a") as tx:
        assert executions.renew(tx, slow, lease=LEASE) is None
        assert not executions.finish(tx, slow, Finding("Failed", "late"))
    with registry.write("b") as tx:
        assert executions.finish(tx, quick, DONE)
    with registry.write("a") as tx:
        assert not executions.finish(tx, slow, Finding("Failed", "later still"))
    assert status(registry, quick) == "Completed"
    assert told(registry).count("execution.completed") == 1


def test_saying_it_twice_counts_once(registry: Registry, schedule: Schedule) -> None:
    with registry.write("a") as tx:
        planned(tx, schedule)
        mine = only(tx, "one")
    for _ in range(2):
        with registry.write("a") as tx:
            assert executions.finish(tx, mine, DONE)
    assert told(registry).count("execution.completed") == 1


def test_a_lease_on_another_clock_has_ended(registry: Registry, schedule: Schedule) -> None:
    with registry.write("a") as tx:
        planned(tx, schedule)
        only(tx, "before the machine was started again", lease=10**15)
        tx.execute(sa.update(rows).values(lease_epoch="another boot"))
    with registry.write("b") as tx:
        assert only(tx, "after").attempts == 2


def test_what_kills_everybody_is_failed(registry: Registry, schedule: Schedule) -> None:
    with registry.write("a") as tx:
        made = planned(tx, schedule)
    for _ in range(executions.MOST_ATTEMPTS):
        with registry.write("a") as tx:
            only(tx, "dies", lease=-1)
    with registry.write("a") as tx:
        assert executions.claim(tx, "next", lease=LEASE) == []
        ended = executions.get(tx, made.id)
    assert (ended.status, ended.error_code) == ("Failed", "E-DIED")
    assert "5 times" in str(ended.failure_reason)


def test_a_failure_that_may_pass_is_tried_again(registry: Registry, schedule: Schedule) -> None:
    passing = Finding("Failed", "the store is away", "E-STORE", passing=True)
    with registry.write("a") as tx:
        made = planned(tx, schedule)
        assert executions.finish(tx, only(tx, "one"), passing, retry_after=0)
        assert executions.get(tx, made.id).status == "Pending"
    for _ in range(executions.MOST_ATTEMPTS - 1):
        with registry.write("a") as tx:
            executions.finish(tx, only(tx, "one"), passing, retry_after=0)
    assert status(registry, made) == "Failed"


def test_retries_do_not_hold_up_what_comes_after(registry: Registry, schedule: Schedule) -> None:
    with registry.write("a") as tx:
        planned(tx, schedule, 1)
        planned(tx, schedule, 2)
        executions.finish(
            tx, only(tx, "one"), Finding("Failed", "x", "E-STORE", passing=True), retry_after=HOUR
        )
        assert only(tx, "one").window_end == 2 * HOUR


def test_given_back_is_as_if_never_taken(registry: Registry, schedule: Schedule) -> None:
    with registry.write("a") as tx:
        planned(tx, schedule)
        mine = only(tx, "one")
        assert executions.give_back(tx, mine)
        assert not executions.give_back(tx, mine)
        again = only(tx, "two")
        assert (again.attempts, again.token) == (1, mine.token + 1)


def test_looking_again_keeps_the_first(registry: Registry, schedule: Schedule) -> None:
    with registry.write("a") as tx:
        first = planned(tx, schedule)
        executions.finish(tx, only(tx, "one"), DONE)
        second = executions.revise(tx, schedule, 0, HOUR, cause="late-data")
        assert (second.revision, second.supersedes, second.scheduled) == (2, first.id, first.scheduled)
        # One that waits is enough.
        assert executions.revise(tx, schedule, 0, HOUR, cause="manual").id == second.id
        assert [e.id for e in executions.history(tx, schedule="q", newest_only=True)] == [second.id]
    assert status(registry, first) == "Completed"


def test_stop(registry: Registry, schedule: Schedule) -> None:
    with registry.write("a") as tx:
        waiting = planned(tx, schedule, 2)
        running = planned(tx, schedule, 1)
        mine = only(tx, "one")
        assert mine.id == running.id
    with registry.write("ann", "wrong window") as tx:
        assert executions.request_stop(tx, waiting.id).status == "Stopped"
        assert executions.request_stop(tx, running.id).status == "Stopping"
        with pytest.raises(RegistryError, match="E-ENDED"):
            executions.request_stop(tx, waiting.id)
    with registry.write("a") as tx:
        assert executions.renew(tx, mine, lease=LEASE) == "Stopping"
        assert executions.finish(tx, mine, Finding("Stopped", "stopped by hand"))


def test_run_after_run_that_fails_sets_the_schedule_aside(registry: Registry, schedule: Schedule) -> None:
    for hour in range(1, executions.QUARANTINE_AFTER + 1):
        with registry.write("a") as tx:
            planned(tx, schedule, hour)
            executions.finish(tx, only(tx, "one"), Finding("Failed", "no such column", "E-SCHEMA"))
    with registry.write("a") as tx:
        found = schedules.get(tx, "q")
        assert found.status == "Failed"
        assert "10 runs in a row failed: no such column" in str(found.failure_reason)
        assert schedules.start(tx, "q")
        assert schedules.get(tx, "q").failures == 0


def test_a_number_of_failures_that_is_none_counts_as_not_given(registry: Registry) -> None:
    with registry.write("ann") as tx:
        endpoints.declare(tx, "prod")
        config = {"schedule": "cron(0 * ? * * *)", "quarantine_after": "some"}
        schedules.declare(tx, "q", endpoint="prod", kind="data-quality", config=config)
        planned(tx, schedules.get(tx, "q"))
        assert executions.finish(tx, only(tx, "one"), Finding("Failed", "no such column", "E-SCHEMA"))
        assert schedules.get(tx, "q").failures == 1


def test_one_that_is_asked_for_does_not_wait_for_older_ones(registry: Registry, schedule: Schedule) -> None:
    with registry.write("a") as tx:
        planned(tx, schedule, 1)
        asked = planned(tx, schedule, 2)
        (mine,) = executions.claim(tx, "one", lease=LEASE, execution=asked.id)
        assert mine.id == asked.id
        # But never two of one schedule at a time.
        other = planned(tx, schedule, 3)
        assert executions.claim(tx, "two", lease=LEASE, execution=other.id) == []
        passing = Finding("Failed", "away", "E-STORE", passing=True)
        assert executions.finish(tx, mine, passing, retry_after=HOUR)
        # One that was put off is run at once where somebody asks for it.
        assert [e.id for e in executions.claim(tx, "two", lease=LEASE, execution=asked.id)] == [asked.id]


def test_an_execution_keeps_its_configuration(registry: Registry, schedule: Schedule) -> None:
    with registry.write("a") as tx:
        planned(tx, schedule)
        schedules.declare(
            tx,
            "q",
            endpoint="prod",
            kind="data-quality",
            config={"schedule": "cron(0 0 ? * * *)", "alpha": 0.5},
        )
        mine = only(tx, "one")
        assert dict(mine.config) == {"schedule": "cron(0 * ? * * *)"}
        assert mine.config_digest == schedule.config_digest


def test_pages(registry: Registry, schedule: Schedule) -> None:
    with registry.write("a") as tx:
        for hour in range(1, 8):
            planned(tx, schedule, hour)
        seen, before = [], None
        while page := executions.history(tx, schedule="q", before=before, limit=3):
            seen += [e.window_end // HOUR for e in page]
            before = (page[-1].scheduled, page[-1].id)
    assert seen == [7, 6, 5, 4, 3, 2, 1]


def test_a_look_by_hand_does_not_take_the_place_of_the_run_in_time(
    registry: Registry, schedule: Schedule
) -> None:
    with registry.write("ann", "cannot wait") as tx:
        early = executions.revise(tx, schedule, 0, HOUR, cause="manual")
        executions.finish(tx, only(tx, "one"), DONE)
        made = executions.plan(tx, schedule, 0, HOUR, scheduled=HOUR)
        assert made is not None
        assert (made.revision, made.supersedes, made.cause) == (2, early.id, "schedule")
        assert executions.plan(tx, schedule, 0, HOUR, scheduled=HOUR) is None


def test_what_was_revised_for_late_data_before_its_time_is_planned_all_the_same(
    registry: Registry, schedule: Schedule
) -> None:
    with registry.write("ann") as tx:
        for cause in ("manual", "late-data"):
            executions.revise(tx, schedule, 0, HOUR, cause=cause)
            executions.finish(tx, only(tx, "one"), DONE)
        made = executions.plan(tx, schedule, 0, HOUR, scheduled=HOUR)
        assert made is not None
        assert (made.revision, made.cause) == (3, "schedule")


@pytest.mark.parametrize(
    "end", [schedules.stop, schedules.archive, lambda tx, name: schedules.fail(tx, name, "bad")]
)
def test_what_waits_of_a_schedule_that_runs_no_more_is_recorded_as_skipped(
    registry: Registry, schedule: Schedule, end: Any
) -> None:
    with registry.write("ann") as tx:
        running = planned(tx, schedule)
        waiting = planned(tx, schedule, 2)
        asked = executions.revise(tx, schedule, 5 * HOUR, 6 * HOUR, cause="manual")
        mine = only(tx, "one")
        end(tx, "q")
    assert status(registry, running) == "InProgress"
    assert status(registry, waiting) == "Skipped"
    assert status(registry, asked) == "Pending"
    with registry.write("ann") as tx:
        assert executions.finish(tx, mine, DONE)
        assert only(tx, "one").id == asked.id
    assert "execution.skipped" in told(registry)


def test_who_is_to_stop_is_not_put_off(registry: Registry, schedule: Schedule) -> None:
    with registry.write("a") as tx:
        planned(tx, schedule)
        mine = only(tx, "one")
        executions.request_stop(tx, mine.id)
        away = Finding("Failed", "the store is away", "E-STORE", passing=True)
        assert executions.finish(tx, mine, away, retry_after=1)
    assert status(registry, mine) == "Stopped"


def test_ending_what_was_left_keeps_nothing_else_from_being_claimed(
    registry: Registry, schedule: Schedule
) -> None:
    with registry.write("a") as tx:
        schedules.declare(
            tx, "z", endpoint="prod", kind="data-quality", config={"schedule": "cron(0 * ? * * *)"}
        )
        planned(tx, schedule)
        left = only(tx, "dead", lease=-1)
        executions.request_stop(tx, left.id)
        other = planned(tx, schedules.get(tx, "z"))
        assert only(tx, "two").id == other.id
    assert status(registry, left) == "Stopped"


def test_a_fault_in_what_follows_from_a_run_keeps_what_it_found(
    registry: Registry, schedule: Schedule, monkeypatch: pytest.MonkeyPatch
) -> None:
    from driftline.registry import alerts

    def broken(tx: Tx, schedule: str, _: str) -> None:
        tx.execute(sa.update(rows).values(message="half done"))
        raise ZeroDivisionError(f"a fault with {schedule}")

    monkeypatch.setattr(alerts, "evaluate", broken)
    with registry.write("a") as tx:
        planned(tx, schedule)
        done, died = planned(tx, schedule, 2), planned(tx, schedule, 3)
        assert executions.finish(tx, only(tx, "one"), DONE)
        assert executions.finish(tx, only(tx, "one"), DONE)
        for _ in range(executions.MOST_ATTEMPTS):
            only(tx, "dead", lease=-1)
        # Whoever meets it must be able to go on.
        assert executions.claim(tx, "two", lease=LEASE) == []
    assert status(registry, done) == "Completed"
    assert status(registry, died) == "Failed"
    with registry.read() as tx:
        found = executions.get(tx, done.id)
    assert found.message == (
        "no violations; its alerts could not be written: ZeroDivisionError: a fault with q"
    )
    assert found.error_code == "E-INTERNAL"


def test_a_message_may_hold_anything(registry: Registry, schedule: Schedule) -> None:
    with registry.write("a") as tx:
        mine = planned(tx, schedule)
        assert executions.finish(
            tx, only(tx, "one"), Finding("Failed", "no column \0 nor \ud800", "E-SCHEMA")
        )
        assert executions.get(tx, mine.id).failure_reason == "no column \\0 nor \\ud800"


def test_windows_to_be_looked_at_for_late_data(registry: Registry, schedule: Schedule) -> None:
    with registry.write("a") as tx:
        for hour in (1, 2):
            planned(tx, schedule, hour)
            executions.finish(
                tx, only(tx, "one"), Finding("Completed", "", result={"rows": {"captured": hour}})
            )
        again = executions.revise(tx, schedule, HOUR, 2 * HOUR, cause="manual")
        executions.finish(tx, only(tx, "one"), Finding("NoData", "no data"))
        executions.revise(tx, schedule, 5 * HOUR, 7 * HOUR, cause="manual")
        executions.finish(tx, only(tx, "one"), DONE)
        found = executions.looked_at(tx, "q", 0, 1 << 60)
        assert [(e.window_end // HOUR, e.revision, e.result) for e in found] == [(2, 2, None), (1, 1, None)]
        assert executions.rows_seen(tx, found[1].id) == 1
        assert executions.rows_seen(tx, again.id) == 0
        assert executions.is_newest(tx, again)
        assert executions.looked_at(tx, "q", 2 * HOUR, 1 << 60) == found[:1]
