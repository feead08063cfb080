"""Scheduling: leases are renewed whoever runs, chores come again, and what is found twice takes effect once."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from driftline.capture.target import target_of
from driftline.monitor import planning
from driftline.monitor import scheduler as module
from driftline.monitor.keeper import FolderKeeper
from driftline.monitor.planning import captures_for, find_late, look_after_alerts, plan_due
from driftline.monitor.running import Place
from driftline.monitor.scheduler import Scheduler, Settings
from driftline.registry import alerts, endpoints, executions, schedules, settings
from driftline.registry.executions import Finding
from driftline.registry.store import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from driftline.registry.executions import Execution

HOUR = 3_600_000_000
NOON = 1_700_000_000_000_000 // HOUR * HOUR
DONE = Finding("Completed", "no violations", result={"judged": True})


class World:
    """A registry whose clock stands still, with one schedule that fires every hour."""

    def __init__(self, root: Path) -> None:
        self.now = NOON
        self.registry = Registry.create(root / "registry.db", root=root, clock=lambda: self.now)
        self.place = Place(str(root), str(root / "captures"), FolderKeeper(target_of(str(root))))
        with self.registry.write("ann") as tx:
            endpoints.declare(tx, "prod")
            self.declare(tx, "q")

    def declare(self, tx: Any, name: str) -> None:
        config = {"schedule": "cron(0 * ? * * *)"}
        schedules.declare(tx, name, endpoint="prod", kind="data-quality", config=config)

    def scheduler(self, runner: Callable[..., Finding] = lambda *_, **__: DONE, **given: int) -> Scheduler:
        return Scheduler(self.registry, self.place, Settings(**given), runner=runner)

    def states(self) -> list[tuple[str, str]]:
        with self.registry.read() as tx:
            return sorted((e.schedule, e.status) for e in executions.history(tx))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.registry.close()


def test_a_run_longer_than_its_lease_is_renewed_in_a_single_look_too(world: World) -> None:
    def slow(*_: Any, heartbeat: Callable[[], None], **__: Any) -> Finding:
        for _step in range(18):
            time.sleep(0.25)
            heartbeat()
        return DONE

    world.now += HOUR
    assert world.scheduler(slow, lease=3_600_000).drain().ran == 1
    assert world.states() == [("q", "Completed")]


def test_what_this_process_has_taken_on_anew_is_not_forgotten_by_who_had_it_before(world: World) -> None:
    steps: list[int] = []

    def slow(execution: Execution, *_: Any, heartbeat: Callable[[], None], **__: Any) -> Finding:
        first = not steps
        steps.append(execution.token)
        if first:
            time.sleep(4.5)
            heartbeat()
        for _step in range(20):
            time.sleep(0.25)
            heartbeat()
        return DONE

    world.now += HOUR
    plan_due(world.registry)
    one = world.scheduler(slow, lease=3_000_000)
    (before,) = one.claim(1)
    late = threading.Thread(target=one._run_one, args=(before,))
    late.start()
    time.sleep(3.05)  # Nothing renews it: the database was away.
    (after,) = one.claim(1)
    with one._keeping():
        assert one._run_one(after)
    late.join()
    assert steps == [1, 2]
    assert world.states() == [("q", "Completed")]


def test_late_data_are_looked_for_again_and_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    monkeypatch.setattr(module, "find_late", lambda *_: bool(looked.append(1)))
    one = world.scheduler(late_every=200_000)
    for _ in range(10):
        one.tick()
        time.sleep(0.1)
    assert len(looked) >= 3


def test_a_result_that_cannot_be_written_is_a_failed_run(world: World) -> None:
    world.now += HOUR
    bad = Finding("Completed", "no violations", result={"value": float("nan")})
    assert world.scheduler(lambda *_, **__: bad).drain().ran == 1
    with world.registry.read() as tx:
        (found,) = executions.history(tx)
    assert (found.status, found.error_code) == ("Failed", "E-INTERNAL")
    assert "could not be written" in str(found.message)


def test_late_data_that_two_have_found_are_looked_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.now += HOUR
    world.scheduler().drain()

    def grown(_: str, found: list[Execution], **__: Any) -> list[Execution]:
        # Meanwhile another process has found the same.
        with world.registry.write("other") as tx:
            for one in found:
                executions.revise(
                    tx, schedules.get(tx, "q"), one.window_start, one.window_end, cause="late-data"
                )
        return found

    monkeypatch.setattr(planning, "late", grown)
    assert find_late(world.registry, world.place) == 0
    with world.registry.read() as tx:
        assert sorted(e.revision for e in executions.history(tx)) == [1, 2]


def test_how_long_a_monitor_may_be_silent_is_as_declared(world: World) -> None:
    with world.registry.write("ann") as tx:
        world.declare(tx, "r")
    world.now += 4 * HOUR
    look_after_alerts(world.registry, 5)
    with world.registry.read() as tx:
        assert alerts.list_alerts(tx) == []
    world.scheduler(stale_after=3)._look_after_alerts()
    with world.registry.read() as tx:
        assert sorted(a.schedule for a in alerts.list_alerts(tx)) == ["q", "r"]


def test_the_loop_sends_signs_of_life_and_says_when_it_turned(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from driftline.monitor import post

    beats: list[str] = []
    monkeypatch.setattr(post, "beat", lambda _config, scheduler: beats.append(scheduler))
    told = Settings(poll=50_000, heartbeat={"url": "https://example.org/", "every": "PT1S"})
    one = Scheduler(world.registry, world.place, told, post=lambda *_, **__: 0)
    before = one.turned
    loop = threading.Thread(target=one.run_forever)
    loop.start()
    for _ in range(200):
        time.sleep(0.1)
        if len(beats) >= 2:
            break
    one.stop()
    loop.join(10)
    assert one.turned > before + 0.5
    assert len(beats) >= 2
    assert set(beats) == {one.id}


def test_the_loop_sweeps_now_and_then(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    swept: list[int] = []
    monkeypatch.setattr(module, "forget_erased", lambda *_: swept.append(1))
    one = world.scheduler(sweep_every=300_000)
    for _ in range(10):
        one._chores()
        time.sleep(0.1)
    assert len(swept) >= 2


def test_who_runs_one_by_hand_waits_for_its_turn(world: World) -> None:
    begun = threading.Event()

    def slow(*_: Any, **__: Any) -> Finding:
        begun.set()
        time.sleep(0.5)
        return DONE

    world.now += HOUR
    other = threading.Thread(target=world.scheduler(slow).drain)
    other.start()
    begun.wait(10)
    with world.registry.write("ann") as tx:
        asked = executions.revise(
            tx, schedules.get(tx, "q"), NOON - 5 * HOUR, NOON - 4 * HOUR, cause="manual"
        )
    assert world.scheduler().run_now(asked.id).status == "Completed"
    other.join()


def test_where_captures_lie_is_as_declared_now(world: World) -> None:
    root = world.place.root
    with world.registry.write("ann") as tx:
        endpoints.declare(tx, "other", captures="theirs")
        assert captures_for(tx, world.place, "prod") == f"{root}/captures"
        settings.put(tx, "workspace", {"captures": "moved"})
        assert captures_for(tx, world.place, "prod") == f"{root}/moved"
        assert captures_for(tx, world.place, "other") == f"{root}/theirs"
