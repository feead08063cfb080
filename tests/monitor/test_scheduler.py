"""Scheduler: what is due is run once and told, whoever stops, dies, fails or comes too late."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from loop import site
from loop.site import HOUR, START, capture

from driftline.capture.archive import Archive
from driftline.capture.upkeep import compact
from driftline.cards.validation import problems
from driftline.errors import InputError
from driftline.monitor.scheduler import Scheduler, Settings
from driftline.registry import alerts, cards, executions, outbox, schedules
from driftline.registry.executions import Execution, Finding
from driftline.registry.folders import folder_digest
from driftline.registry.tables import leases, schedulers

if TYPE_CHECKING:
    from collections.abc import Callable

    from captured import Clock

    from driftline.workspace import Workspace

DONE = Finding("Completed", "no violations", result={"judged": True})


def pretend(*_: Any, **__: Any) -> Finding:
    return DONE


def declare(ws: Workspace, **config: Any) -> None:
    """Declare the schedule, an instant before whatever happens next: what ended before it was there does not count."""
    site.declare(ws, **config)
    clock: Any = ws.registry.database._clock
    clock.at += 1


def scheduler(ws: Workspace, runner: Callable[..., Finding] | None = None, **settings: Any) -> Scheduler:
    given = Settings(**{"poll": 10_000, "lease": 60_000_000, "threads": 1} | settings)
    return Scheduler(ws.registry, ws.place, given, **({} if runner is None else {"runner": runner}))


def runs(ws: Workspace) -> list[Execution]:
    """The executions, oldest first."""
    with ws.registry.read() as tx:
        return list(reversed(executions.history(tx, schedule="q", limit=1000)))


def told(ws: Workspace, room: str = "") -> list[str]:
    with ws.registry.read() as tx:
        return [e.short for e in outbox.read_events(tx, limit=10_000) if e.short.startswith(room)]


def test_every_hour_is_looked_at(ws: Workspace) -> None:
    declare(ws)
    done = scheduler(ws).drain()
    assert (done.planned, done.ran, done.skipped, done.late) == (4, 4, 0, 0)
    found = runs(ws)
    assert [e.status for e in found] == ["Completed", "Completed", "NoData", "CompletedWithViolations"]
    assert [(e.window_start, e.window_end) for e in found] == [
        (START + hour * HOUR, START + (hour + 1) * HOUR) for hour in range(4)
    ]
    assert {e.model_version for e in found} == {"1"}
    assert [e.baseline_version for e in found] == [1, 1, 1, 1]
    assert [e.cause for e in found] == ["catch-up", "catch-up", "catch-up", "schedule"]
    assert found[2].message is not None
    assert found[2].message.startswith("no data: nothing was captured of prod")
    assert found[2].report is None
    result = found[3].result
    assert result is not None
    assert result["rows"] == {"captured": 400, "used": 400}
    assert result["counts"]["violated"] == 2
    assert [incident["columns"] for incident in result["incidents"]] == [["x"]]
    assert folder_digest(ws.place.files(str(found[3].report))) == found[3].report_digest


def test_a_second_look_does_nothing(ws: Workspace) -> None:
    declare(ws)
    scheduler(ws).drain()
    before = told(ws)
    assert not scheduler(ws).drain()
    assert told(ws) == before


def test_a_quiet_hour_is_no_alert_and_a_drifted_one_is_one(ws: Workspace) -> None:
    declare(ws)
    scheduler(ws).drain()
    assert told(ws, "alert.") == ["alert.opened"]
    with ws.registry.read() as tx:
        (alert,) = alerts.list_alerts(tx)
    assert alert.first_execution == runs(ws)[3].id


def test_profiles_of_an_hour_are_kept(ws: Workspace) -> None:
    declare(ws, start_offset="-PT2H", end_offset="-PT0H")
    scheduler(ws).drain()
    found = [e.result["profiles"] for e in runs(ws) if e.result is not None and "profiles" in e.result]
    assert {"merged": 1, "folded": 1} in found


def test_windows_shorter_than_an_hour(ws: Workspace) -> None:
    capture(Path(ws.root), 0, minute=40, n=150)
    declare(ws, schedule="cron(0/30 * ? * * *)")
    scheduler(ws).drain()
    rows = [(e.status, (e.result or {})["rows"]["captured"]) for e in runs(ws)]
    assert len(rows) == 8
    assert rows[0] == ("Completed", 400)
    assert rows[1] == ("Completed", 150)
    assert rows[3:6] == [("NoData", 0)] * 3


def test_no_baseline(ws: Workspace) -> None:
    declare(ws)
    with ws.registry.write("ann") as tx:
        tx.execute(sa.text("UPDATE schedules SET baseline = 'other'"))
    scheduler(ws).drain()
    assert {(e.status, e.error_code) for e in runs(ws)} == {("Failed", "E-NO-BASELINE")}


def test_a_baseline_that_is_gone(ws: Workspace) -> None:
    declare(ws)
    for path in (Path(ws.root) / "baselines/churn/v1").iterdir():
        path.unlink()
    scheduler(ws).drain()
    assert {(e.status, e.error_code) for e in runs(ws)} == {("Failed", "E-BASELINE")}


def test_a_baseline_that_was_changed(ws: Workspace) -> None:
    declare(ws)
    with (Path(ws.root) / "baselines/churn/v1/statistics.json").open("a") as file:
        file.write(" ")
    scheduler(ws).drain()
    found = runs(ws)
    assert {(e.status, e.error_code) for e in found} == {("Failed", "E-DIGEST")}
    assert "its digest is another" in str(found[0].failure_reason)
    assert found[0].report is None


def test_stopped_by_hand(ws: Workspace, clock: Clock) -> None:
    clock.at = START + HOUR
    declare(ws)

    def run(execution: Execution, *_: Any, heartbeat: Callable[[], None], **__: Any) -> Finding:
        with ws.registry.write("ann", "a mistake") as tx:
            executions.request_stop(tx, execution.id)
        made._held[execution.id].stopping = True  # as the next renewal finds
        heartbeat()
        raise AssertionError

    made = scheduler(ws, run)
    made.drain()
    assert [(e.status, e.message) for e in runs(ws)] == [("Stopped", "stopped by hand")]
    assert told(ws, "execution.")[-2:] == ["execution.stopping", "execution.stopped"]


def test_renewing_tells_that_it_is_to_stop(ws: Workspace, clock: Clock) -> None:
    clock.at = START + HOUR
    declare(ws)

    def run(execution: Execution, *_: Any, heartbeat: Callable[[], None], **__: Any) -> Finding:
        with ws.registry.write("ann") as tx:
            executions.request_stop(tx, execution.id)
        while True:
            heartbeat()
            waited.wait(0.01)

    waited = threading.Event()
    made = scheduler(ws, run, lease=3_000_000)
    with ws.registry.write("ann") as tx:
        one = executions.revise(tx, schedules.get(tx, "q"), START, START + HOUR, cause="manual")
    assert made.run_now(one.id).status == "Stopped"


def test_a_run_that_takes_too_long(ws: Workspace, clock: Clock) -> None:
    clock.at = START + HOUR
    declare(ws, max_runtime="PT0H1S")

    def run(execution: Execution, *_: Any, heartbeat: Callable[[], None], **__: Any) -> Finding:
        made._held[execution.id].limit = 0.0
        heartbeat()
        raise AssertionError

    made = scheduler(ws, run)
    made.drain()
    (only,) = runs(ws)
    assert (only.status, only.error_code) == ("Failed", "E-RUNTIME")
    assert only.message == "ran longer than its max_runtime of PT0H1S"


def test_a_run_ends_itself_before_its_lease_ends_and_has_no_effect(ws: Workspace, clock: Clock) -> None:
    clock.at = START + HOUR
    declare(ws)

    def run(*_: Any, heartbeat: Callable[[], None], **__: Any) -> Finding:
        while True:
            heartbeat()

    made = scheduler(ws, run, lease=30_000)
    (one,) = _claimed(made)
    assert made._run_one(one) is False
    assert runs(ws)[0].status == "InProgress"
    # Whoever comes once it has ended does it, and the first can say nothing more.
    other = scheduler(ws, pretend)
    assert any(other.drain().ran for _ in range(1000))
    with ws.registry.write("late") as tx:
        assert not executions.finish(tx, one, Finding("Failed", "late"))
    assert [(e.status, e.attempts) for e in runs(ws)] == [("Completed", 2)]
    assert told(ws, "execution.").count("execution.completed") == 1


def _claimed(made: Scheduler) -> list[Execution]:
    from driftline.monitor.planning import plan_due

    plan_due(made.registry)
    return made.claim(1)


def test_a_run_that_was_taken_over_is_given_up(ws: Workspace, clock: Clock) -> None:
    clock.at = START + HOUR
    declare(ws)

    def run(execution: Execution, *_: Any, heartbeat: Callable[[], None], **__: Any) -> Finding:
        with ws.registry.write("other") as tx:
            tx.execute(sa.text("UPDATE executions SET lease_until = 0"))
            assert len(executions.claim(tx, "other", lease=60_000_000)) == 1
        while True:
            heartbeat()
            waited.wait(0.01)

    waited = threading.Event()
    made = scheduler(ws, run, lease=3_000_000)
    (one,) = _claimed(made)
    keeper = threading.Thread(target=made._keep_leases)
    keeper.start()
    assert made._run_one(one) is False
    made.stop()
    keeper.join()
    assert [(e.status, e.owner) for e in runs(ws)] == [("InProgress", "other")]


def test_a_failure_that_may_pass_is_tried_again(ws: Workspace, clock: Clock) -> None:
    clock.at = START + HOUR
    declare(ws)
    findings = [Finding("Failed", "the store is away", "E-STORE", passing=True), DONE]

    def run(*_: Any, **__: Any) -> Finding:
        return findings.pop(0)

    made = scheduler(ws, run)
    assert made.drain().ran == 1
    assert [(e.status, e.message) for e in runs(ws)] == [("Pending", "the store is away")]
    clock.at += 29_000_000
    assert made.drain().ran == 0
    clock.at += 2_000_000
    assert made.drain().ran == 1
    assert [(e.status, e.attempts) for e in runs(ws)] == [("Completed", 2)]
    assert told(ws, "execution.")[1:] == [
        "execution.started",
        "execution.postponed",
        "execution.started",
        "execution.completed",
    ]


def test_a_fault_of_the_runner_is_a_failed_run(ws: Workspace, clock: Clock) -> None:
    clock.at = START + HOUR
    declare(ws)

    def run(*_: Any, **__: Any) -> Finding:
        raise ZeroDivisionError("a fault")

    assert scheduler(ws, run).drain().ran == 1
    (only,) = runs(ws)
    assert (only.status, only.error_code, only.failure_reason) == (
        "Failed",
        "E-INTERNAL",
        "ZeroDivisionError: a fault",
    )


def test_late_captures_are_a_new_revision(ws: Workspace, clock: Clock) -> None:
    declare(ws)
    scheduler(ws).drain()
    first = runs(ws)[0]
    report = ws.place.files(str(first.report))
    clock.at = START + 4 * HOUR + 600_000_000
    _arrives(ws, clock)
    assert scheduler(ws).drain().late == 1
    one, other = (e for e in runs(ws) if e.window_start == START)
    assert one == first
    assert (other.revision, other.supersedes, other.cause) == (2, first.id, "late-data")
    assert other.result is not None
    assert other.result["rows"]["captured"] == 700
    assert other.report != first.report
    assert ws.place.files(str(first.report)) == report
    assert scheduler(ws).drain().late == 0


def _arrives(ws: Workspace, clock: Clock) -> None:
    """300 more rows of the first hour come in now."""
    from loop.site import ROWS

    from driftline.capture.captures import Captures
    from driftline.capture.event import Event, Payload

    rows = [{"x": 0.001 * n, "c": "ab"[n % 2]} for n in range(300)]
    with Captures(Path(ws.root) / "captures", clock=clock) as captures:
        body = Payload(ROWS, json.dumps(rows).encode())
        captures.write([Event("late", "prod", "AllTraffic", clock.at, START + 1800_000_000, input=body)])
        captures.seal()


def test_compaction_is_no_news(ws: Workspace, clock: Clock) -> None:
    capture(Path(ws.root), 0, minute=20, n=100)
    declare(ws)
    scheduler(ws).drain()
    clock.at += HOUR // 2
    compact(Archive(Path(ws.root) / "captures", clock=clock))
    done = scheduler(ws).drain()
    assert (done.late, done.ran) == (0, 0)


def test_a_monitor_may_do_without_revisions(ws: Workspace, clock: Clock) -> None:
    declare(ws, revise=False)
    scheduler(ws).drain()
    clock.at += 600_000_000
    _arrives(ws, clock)
    assert scheduler(ws).drain().late == 0


def test_run_now_for_any_window(ws: Workspace) -> None:
    declare(ws)
    scheduler(ws).drain()
    with ws.registry.write("ann") as tx:
        again = executions.revise(tx, schedules.get(tx, "q"), START, START + HOUR, cause="manual")
        other = executions.revise(tx, schedules.get(tx, "q"), START, START + 2 * HOUR, cause="manual")
    made = scheduler(ws)
    done = made.run_now(again.id)
    assert (done.status, done.revision, done.cause) == ("Completed", 2, "manual")
    done = made.run_now(other.id)
    assert (done.status, done.revision) == ("Completed", 1)
    assert done.result is not None
    assert done.result["rows"]["captured"] == 800
    # A window that no schedule has is no data point, and a look at one that is fine opens nothing.
    assert told(ws, "alert.") == ["alert.opened"]


def test_run_now_does_not_wait_for_what_is_older(ws: Workspace) -> None:
    declare(ws)
    from driftline.monitor.planning import plan_due

    plan_due(ws.registry)
    last = runs(ws)[-1]
    assert scheduler(ws, pretend).run_now(last.id).status == "Completed"
    assert [e.status for e in runs(ws)] == ["Pending", "Pending", "Pending", "Completed"]


def test_a_stopped_schedule_lets_its_run_finish_and_raises_no_alert(ws: Workspace, clock: Clock) -> None:
    declare(ws, since=START + 3 * HOUR)

    def run(execution: Execution, *given: Any, **named: Any) -> Finding:
        from driftline.monitor.running import run as really

        with ws.registry.write("ann") as tx:
            schedules.stop(tx, "q")
        return really(execution, *given, **named)

    scheduler(ws, run).drain()
    assert [e.status for e in runs(ws)] == ["CompletedWithViolations"]
    assert told(ws, "alert.") == []
    clock.at += 5 * HOUR
    assert not scheduler(ws).drain()


@pytest.mark.parametrize(
    ("policy", "statuses"),
    [
        ("all", ["Completed"] * 4),
        ("latest", ["Skipped"] * 3 + ["Completed"]),
        ("skip", ["Skipped"] * 4),
    ],
)
def test_catching_up(ws: Workspace, clock: Clock, policy: str, statuses: list[str]) -> None:
    clock.at += 40 * 60_000_000
    declare(ws, catch_up=policy)
    done = scheduler(ws, pretend).drain()
    found = runs(ws)
    assert [e.status for e in found] == statuses
    assert done.skipped == statuses.count("Skipped")
    for execution in found:
        if execution.status == "Skipped":
            assert f"catch_up is {policy!r}" in str(execution.message)
            assert execution.ended is not None
    assert told(ws, "execution.").count("execution.skipped") == statuses.count("Skipped")


def test_one_process_at_a_time_does_a_chore(ws: Workspace) -> None:
    one, other = scheduler(ws), scheduler(ws)
    assert one._lease("alerts")
    assert one._lease("alerts")
    assert not other._lease("alerts")
    assert other._lease("late")
    with ws.registry.write("x") as tx:
        tx.execute(sa.update(leases).values(until=0))
    assert other._lease("alerts")
    assert not one._lease("alerts")
    with ws.registry.read() as tx:
        row = tx.one(sa.select(leases).where(leases.c.name == "alerts"))
    assert (row.owner, row.token) == (other.id, 3)


def test_a_chore_that_fails_keeps_no_other(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    made = scheduler(ws)

    def fails() -> None:
        raise InputError("a fault")

    monkeypatch.setattr(made, "_look_for_late", fails)
    monkeypatch.setattr(made, "_look_after_alerts", lambda: done.append("alerts"))
    made._chores()
    assert done == ["alerts"]


def test_the_loop_runs_until_it_is_stopped(ws: Workspace) -> None:
    declare(ws, revise=False)
    seen = threading.Event()

    def run(execution: Execution, *_: Any, **__: Any) -> Finding:
        if execution.window_end == START + 4 * HOUR:
            seen.set()
        return DONE

    made = scheduler(ws, run, workers=2)
    thread = threading.Thread(target=made.run_forever)
    thread.start()
    assert seen.wait(30)
    made.stop()
    thread.join(30)
    assert not thread.is_alive()
    assert [e.status for e in runs(ws)] == ["Completed"] * 4
    with ws.registry.read() as tx:
        (row,) = tx.all(sa.select(schedulers))
        assert tx.all(sa.select(leases)) == []
    assert (row.id, row.stopped) == (made.id, row.seen)
    assert told(ws, "scheduler.") == ["scheduler.started", "scheduler.stopped"]


def test_a_fault_in_one_look_does_not_end_the_loop(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    declare(ws)
    seen = threading.Event()
    made = scheduler(ws, lambda *_, **__: seen.set() or DONE)
    looks = iter([ZeroDivisionError("a fault"), InputError("another")])
    turn = made._turn

    def failing(*given: Any) -> None:
        fault = next(looks, None)
        if fault is not None:
            raise fault
        turn(*given)

    monkeypatch.setattr(made, "_turn", failing)
    thread = threading.Thread(target=made.run_forever)
    thread.start()
    assert seen.wait(30)
    made.stop()
    thread.join(30)


def test_what_is_sent_does_not_keep_runs_waiting(ws: Workspace) -> None:
    declare(ws)
    released, seen = threading.Event(), threading.Event()

    def post(*_: Any, wait: bool = True) -> int:
        assert not wait
        released.wait(30)
        return 0

    made = scheduler(ws, lambda *_, **__: seen.set() or DONE)
    made._post = post
    thread = threading.Thread(target=made.run_forever)
    thread.start()
    assert seen.wait(20)
    released.set()
    made.stop()
    thread.join(30)
    assert not thread.is_alive()


def _carded(ws: Workspace) -> None:
    site.declare(ws, revise=False)
    with ws.registry.write("ann") as tx:
        cards.create(tx, "churn", {}, model="churn", policy={"evaluations": "draft"})


def test_what_is_found_reaches_the_card(ws: Workspace) -> None:
    _carded(ws)
    done = ws.scheduler(send=False).tick()
    with ws.registry.read() as tx:
        found = cards.evidence(tx, "churn")
        jobs = cards.version(tx, "churn").content["evaluation_details"]
        assert cards.verify(tx) == []
    assert done.fed == len(found) == 4
    assert sorted(one.status for one in found) == ["baseline", "passed", "passed", "violated"]
    assert [job["name"] for job in jobs] == ["Baseline, data quality: churn", "Data quality: q"]
    assert problems({"evaluation_details": jobs}) == []
    assert ws.scheduler(send=False).tick().fed == 0


def test_the_loop_feeds_the_cards_beside_the_runs(ws: Workspace) -> None:
    declare(ws)
    fed = threading.Event()
    faults = iter([ZeroDivisionError("a fault"), InputError("another")])

    def feed(*_: Any, wait: bool = True) -> int:
        assert not wait
        fault = next(faults, None)
        if fault is not None:
            raise fault
        fed.set()
        return 0

    made = scheduler(ws, poll=1)
    made._feed = feed
    thread = threading.Thread(target=made.run_forever)
    thread.start()
    assert fed.wait(20)
    made.stop()
    thread.join(30)
    assert not thread.is_alive()


def test_settings_as_they_are_declared() -> None:
    stored = {"poll": "PT1S", "lease": "PT2M", "workers": 3}
    assert Settings.of(stored) == replace(Settings(), poll=1_000_000, lease=120_000_000, workers=3)
    assert Settings.of({}) == Settings()
