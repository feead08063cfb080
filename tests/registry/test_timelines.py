"""Time lines of a workspace: which runs are points, and what else is read for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import pytest
from alerting import HOUR, START, World
from histories import entry

from driftline.errors import UsageError
from driftline.registry import endpoints
from driftline.registry.database import RegistryError
from driftline.reports.timeline import Mark, Timeline
from driftline.rooms import schedules as module
from driftline.rooms.schedules import Schedules

if TYPE_CHECKING:
    from driftline.registry.store import Registry
    from driftline.rooms.room import House


@dataclass
class Workspace:
    registry: Registry


@pytest.fixture
def world(registry: Registry) -> World:
    return World(registry)


def room(world: World) -> Schedules:
    return Schedules(cast("House", Workspace(world.registry)))


def result(value: float, status: str = "passed") -> dict[str, Any]:
    return {
        "incidents": [],
        "severity": None,
        "measurements": [entry("ks", value, status, bound=0.1, feature="age")],
    }


def values(line: Timeline) -> list[tuple[str, float | None]]:
    return [(point.state, point.value) for point in line.points]


def test_windows_in_order_with_their_gaps(world: World) -> None:
    for letter, value in (("C", 0.01), ("N", None), ("V", 0.3), ("F", None), ("K", None), ("C", 0.02)):
        found = None if value is None else result(value, "violated" if letter == "V" else "passed")
        world.run(letter, result=found)
    [line] = room(world).timeline("quality")
    assert values(line) == [
        ("passed", 0.01), ("no data", None), ("violated", 0.3), ("failed", None), ("skipped", None), ("passed", 0.02),
    ]  # fmt: skip
    assert (line.schedule, line.kind, line.check, line.feature) == ("quality", "data-quality", "ks", "age")
    assert line.points[3].message == "there is no baseline"
    assert line.points[0].window_end == START + HOUR


def test_the_newest_look_speaks_and_windows_of_people_do_not(world: World) -> None:
    world.run("C", result=result(0.01))
    world.run("C", window=1, revision=2, cause="late-data", result=result(0.05))
    world.run("C", window=1, revision=3, cause="manual", result=result(0.06))
    world.run("C", window=7, cause="manual", result=result(0.9, "violated"))
    [line] = room(world).timeline("quality")
    assert values(line) == [("passed", 0.06)]
    assert line.points[0].revision == 3


def test_the_last_windows_only_however_many_pages_they_take(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PAGE", 3)
    for i in range(10):
        world.run("C", result=result(i / 100))
        world.run("C", window=i + 1, revision=2, cause="late-data", result=result(i / 100 + 0.001))
    [line] = room(world).timeline("quality", last=4)
    assert [value for _, value in values(line)] == pytest.approx([0.061, 0.071, 0.081, 0.091])
    assert len(room(world).timeline("quality", last=1000)[0].points) == 10


def test_deployments_are_marked(world: World) -> None:
    world.run("CC", result=result(0.01))
    with world.write() as tx:
        tx.now = START + HOUR
        endpoints.deploy(tx, "churn-prod", "churn", "3", variant="shadow", since=START + HOUR)
    [line] = room(world).timeline("quality")
    assert line.marks == (Mark(1, "churn 3"), Mark(START + HOUR, "churn 3"))


def test_another_baseline_is_marked(world: World) -> None:
    world.run("C", result=result(0.01), baseline_version=1)
    world.run("C", result=result(0.01), baseline_version=2)
    assert room(world).timeline("quality")[0].marks[-1] == Mark(START + HOUR, "baseline 2", "baseline")


def test_nothing_ran_yet(world: World) -> None:
    assert room(world).timeline("quality") == ()


def test_what_does_not_exist_is_said(world: World) -> None:
    world.run("C", result=result(0.01))
    with pytest.raises(RegistryError, match="qualty"):
        room(world).timeline("qualty")
    with pytest.raises(UsageError, match="did you mean 'ks'"):
        room(world).timeline("quality", "kss")
    with pytest.raises(UsageError, match="E-NO-FEATURE"):
        room(world).timeline("quality", "ks", "agee")
