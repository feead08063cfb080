"""Lists and counts of alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from alerting import World

from driftline.errors import UsageError
from driftline.registry import alerts
from driftline.registry.alerts import OpenCounts
from driftline.registry.database import RegistryError

if TYPE_CHECKING:
    from driftline.registry.store import Registry


def test_every_name_is_there() -> None:
    assert all(hasattr(alerts, name) for name in alerts.__all__)


def test_alerts_are_filtered_and_paged(registry: Registry) -> None:
    world = World(registry, "a", "b", "c")
    for name, letters in (("a", "VCVC"), ("b", "W"), ("c", "FFF")):
        world.run(letters, name)
    with registry.read() as tx:
        whole = alerts.list_alerts(tx)
        assert [a.schedule for a in whole] == ["c", "b", "a", "a"]
        assert [a.opened for a in whole] == sorted((a.opened for a in whole), reverse=True)
        for given, expected in (
            ({"open_only": True}, "cb"),
            ({"state": "resolved"}, "aa"),
            ({"state": ("resolved", "open")}, "cbaa"),
            ({"severity": "warning"}, "b"),
            ({"schedule": "a"}, "aa"),
            ({"kind": "failing"}, "c"),
            ({"model": "churn"}, "cbaa"),
            ({"endpoint": "churn-prod", "open_only": True}, "cb"),
            ({"model": "other"}, ""),
        ):
            assert "".join(a.schedule for a in alerts.list_alerts(tx, **given)) == expected  # type: ignore[arg-type]
        pages, after = [], None
        while page := alerts.list_alerts(tx, limit=3, after=after):
            pages += page
            after = page[-1].id
        assert pages == whole
        assert alerts.get(tx, whole[0].id) == whole[0]
        for wrong in ({"state": "closed"}, {"severity": "loud"}, {"limit": 0}):
            with pytest.raises(UsageError):
                alerts.list_alerts(tx, **wrong)  # type: ignore[arg-type]
        with pytest.raises(RegistryError):
            alerts.list_alerts(tx, after="x")


def test_alerts_opened_at_one_moment_are_paged_too(registry: Registry) -> None:
    names = [f"m{i}" for i in range(7)]
    world = World(registry, *names)
    with world.write() as tx:
        for name in names:
            alerts.evaluate(tx, name, world.put(tx, "V", schedule=name, window=1))
    with registry.read() as tx:
        pages, after = [], None
        while page := alerts.list_alerts(tx, limit=2, after=after):
            pages += page
            after = page[-1].id
        assert sorted(a.schedule for a in pages) == names


def test_open_alerts_are_counted_by_model(registry: Registry) -> None:
    world = World(registry, "a", "b", "c")
    world.run("V", "a")
    world.run("W", "b")
    world.run("V", "c", model=None)
    with world.write("ann") as tx:
        alerts.acknowledge(tx, world.alerts()[0].id)
    with registry.read() as tx:
        counts = alerts.open_counts(tx)
        assert counts == {
            "": OpenCounts(critical=1, open=1),
            "churn": OpenCounts(critical=1, warning=1, open=1, acknowledged=1),
        }
        assert counts["churn"].total == 2
        assert alerts.open_counts(tx, ["churn"]) == {"churn": counts["churn"]}
        assert alerts.open_counts(tx, []) == {}


def test_the_least_severe_can_be_left_out_by_a_rule_of_its_own(registry: Registry) -> None:
    world = World(registry, "a")
    with world.write() as tx:
        assert alerts.declare_rule(tx, "a", "loud", min_severity="critical")
    world.run("W", "a")
    assert [a.rule for a in world.alerts()] == ["default"]


def test_a_run_that_could_not_judge_is_neither_clean_nor_failing(registry: Registry) -> None:
    world = World(registry)
    world.run("V")
    with registry.read() as tx:
        [alert] = alerts.list_alerts(tx, open_only=True)
    world.run("C", judged=False)
    with registry.read() as tx:
        assert alerts.get(tx, alert.id).is_open
        [rule] = alerts.rules(tx, "quality")
        assert rule.status == "InAlert"
    world.run("C", judged=True)
    with registry.read() as tx:
        assert not alerts.get(tx, alert.id).is_open
