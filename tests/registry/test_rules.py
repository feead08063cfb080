"""Rules move with the runs, and their history has every change of state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from alerting import START, World

from driftline.errors import UsageError
from driftline.registry import alerts, audit, outbox
from driftline.registry.database import RegistryError

if TYPE_CHECKING:
    from driftline.registry.store import Registry


def changes(world: World, **given: Any) -> list[tuple[str, str]]:
    with world.registry.read() as tx:
        return [(t.status, t.reason) for t in alerts.history(tx, order="Ascending", **given)]


@pytest.mark.parametrize(
    ("letters", "m", "n", "expected"),
    [
        ("VVCVCCVV", 2, 3, "-A--O--A"),
        ("VCVVC", 1, 1, "AOA-O"),
        ("VFV", 2, 2, "--A"),
        ("VVCCVCV", 2, 3, "-A-O--A"),
    ],
)
def test_the_published_tables_with_their_history(
    registry: Registry, letters: str, m: int, n: int, expected: str
) -> None:
    world = World(registry, rule={"datapoints_to_alert": m, "evaluation_period": n})
    marks = []
    for letter in letters:
        before = len(changes(world))
        made = world.run(letter)
        with registry.read() as tx:
            entries = alerts.history(tx, order="Ascending")
        if len(entries) == before:
            marks.append("-")
            continue
        (entry,) = entries[before:]
        marks.append({"InAlert": "A", "OK": "O"}[entry.status])
        assert (entry.schedule, entry.rule, entry.reason, entry.execution) == (
            "quality",
            "default",
            "run",
            made,
        )
        assert entry.moment == world.now
        assert world.rule().status == entry.status
        assert world.rule().since == entry.moment
    assert "".join(marks) == expected
    told = [
        {"alert_rule.in_alert": "A", "alert_rule.ok": "O"}[kind] for kind in world.told("alert_rule.[io]*")
    ]
    assert told == [mark for mark in marks if mark != "-"]


def test_every_schedule_is_born_with_one_of_one(registry: Registry) -> None:
    rule = World(registry).rule()
    assert rule.to_sagemaker() == {
        "MonitoringAlertName": "default",
        "CreationTime": "2026-11-23T07:00:02Z",
        "LastModifiedTime": "2026-11-23T07:00:02Z",
        "AlertStatus": "OK",
        "DatapointsToAlert": 1,
        "EvaluationPeriod": 1,
        "Actions": {"ModelDashboardIndicator": {"Enabled": True}},
    }


def test_declaring_again_changes_nothing(registry: Registry) -> None:
    world = World(registry)
    with world.write() as tx:
        before = audit.head(tx)
        assert not alerts.declare_rule(tx, "quality")
        assert audit.head(tx) == before
        assert alerts.declare_rule(tx, "quality", keep_firing=3)
        assert alerts.declare_rule(tx, "quality", "loud", min_severity="critical")
        assert [r.name for r in alerts.rules(tx, "quality")] == ["default", "loud"]


@pytest.mark.parametrize(
    "given",
    [
        {"datapoints_to_alert": 2},
        {"evaluation_period": 0},
        {"evaluation_period": 101},
        {"datapoints_to_alert": 0},
        {"keep_firing": 101},
        {"min_severity": "loud"},
        {"dashboard_indicator": "yes"},
    ],
)
def test_what_makes_no_rule_is_refused(registry: Registry, given: dict[str, Any]) -> None:
    world = World(registry)
    for act in (alerts.declare_rule, alerts.update_rule):
        with pytest.raises(UsageError) as caught, world.write() as tx:
            act(tx, "quality", "default", **given)
        assert caught.value.code == "E-ALERT"


def test_unknown_names_are_refused(registry: Registry) -> None:
    world = World(registry)
    for code, schedule, name in (
        ("E-NO-SCHEDULE", "qualty", "default"),
        ("E-NO-ALERT-RULE", "quality", "defalt"),
    ):
        with pytest.raises(RegistryError) as caught, world.write() as tx:
            alerts.update_rule(tx, schedule, name, keep_firing=2)
        assert caught.value.code == code
        assert "did you mean" in str(caught.value)


def test_a_number_that_is_not_given_stays(registry: Registry) -> None:
    world = World(registry, rule={"datapoints_to_alert": 2, "evaluation_period": 3})
    with world.write() as tx:
        rule = alerts.update_rule(tx, "quality", evaluation_period=5)
    assert (rule.datapoints_to_alert, rule.evaluation_period) == (2, 5)
    with pytest.raises(UsageError), world.write() as tx:
        alerts.update_rule(tx, "quality", evaluation_period=1)


def test_editing_looks_at_the_stored_runs_at_once(registry: Registry) -> None:
    world = World(registry, rule={"datapoints_to_alert": 3, "evaluation_period": 3})
    world.run("VVC")
    assert changes(world) == []
    with world.write("ann") as tx:
        assert alerts.update_rule(tx, "quality", datapoints_to_alert=2).status == "InAlert"
    assert changes(world) == [("InAlert", "criteria changed")]
    (alert,) = world.alerts()
    assert (alert.state, alert.n_windows, alert.causes[0].windows) == ("open", 2, 2)
    with world.write("ann") as tx:
        alerts.update_rule(tx, "quality", datapoints_to_alert=3)
    assert changes(world)[1:] == [("OK", "criteria changed")]
    assert world.alerts()[0].state == "resolved"


def test_editing_a_stopped_schedule_raises_no_alert(registry: Registry) -> None:
    from driftline.registry import schedules

    world = World(registry, rule={"datapoints_to_alert": 2, "evaluation_period": 2})
    world.run("V")
    with world.write() as tx:
        schedules.stop(tx, "quality")
        assert alerts.update_rule(tx, "quality", datapoints_to_alert=1).status == "OK"
    assert world.alerts() == []


def test_after_a_restart_old_runs_do_not_count(registry: Registry) -> None:
    from driftline.registry import schedules

    world = World(registry, rule={"datapoints_to_alert": 2, "evaluation_period": 3})
    world.run("VV")
    assert world.rule().status == "InAlert"
    with world.write() as tx:
        schedules.stop(tx, "quality")
    world.run("V")  # was under way; it is recorded and raises nothing
    with world.write() as tx:
        schedules.start(tx, "quality")
    assert changes(world) == [("InAlert", "run"), ("OK", "restarted")]
    assert world.alerts()[0].state == "open"  # nobody has looked since
    world.run("C")
    assert world.alerts()[0].state == "resolved"
    world.run("V")
    assert world.rule().status == "OK"
    world.run("V")
    assert world.rule().status == "InAlert"


def test_failed_runs_count_where_wanted(registry: Registry) -> None:
    world = World(registry, rule={"count_failed_runs": True})
    world.run("F")
    (alert,) = world.alerts()
    assert (alert.title, alert.severity) == ("churn-prod: the run failed (E-BASELINE)", "warning")


def test_less_severe_violations_do_not_count_where_not_wanted(registry: Registry) -> None:
    world = World(registry, rule={"min_severity": "critical"})
    world.run("W")
    assert world.alerts() == []
    world.run("V")
    assert [a.severity for a in world.alerts()] == ["critical"]


def test_a_window_of_the_greatest_length(registry: Registry) -> None:
    world = World(registry, rule={"datapoints_to_alert": 100, "evaluation_period": 100})
    with world.write() as tx:
        for window in range(1, 130):
            made = world.put(tx, "V", schedule="quality", window=window)
        alerts.evaluate(tx, "quality", made)
    (alert,) = world.alerts()
    assert (alert.n_windows, alert.causes[0].windows) == (100, 100)
    assert world.rule().failing == 100


def test_history_is_filtered_sorted_and_paged(registry: Registry) -> None:
    world = World(registry, "a", "b")
    for _ in range(3):
        world.run("V", "a")
        world.run("V", "b")
        world.run("C", "a")
    with registry.read() as tx:
        whole = alerts.history(tx)
        assert [t.seq for t in whole] == sorted((t.seq for t in whole), reverse=True)
        assert len(whole) == 7
        assert [t.status for t in alerts.history(tx, "b")] == ["InAlert"]
        assert len(alerts.history(tx, status="OK")) == 3
        times = [t.moment for t in whole]
        between = alerts.history(tx, created_after=times[4], created_before=times[2])
        assert [t.moment for t in between] == times[2:5]  # both ends belong to it
        assert [t.status for t in alerts.history(tx, sort_by="Status", order="Ascending")] == [
            "InAlert"
        ] * 4 + ["OK"] * 3
        for given in (
            {},
            {"sort_by": "Status"},
            {"order": "Ascending"},
            {"sort_by": "Status", "order": "Ascending"},
        ):
            everything = alerts.history(tx, **given)  # type: ignore[arg-type]
            pages, after = [], None
            while page := alerts.history(tx, limit=2, after=after, **given):  # type: ignore[arg-type]
                pages += page
                after = page[-1].seq
            assert pages == everything
        assert set(whole[0].to_sagemaker()) == {
            "MonitoringScheduleName",
            "MonitoringAlertName",
            "CreationTime",
            "AlertStatus",
        }
        for wrong in ({"status": "ok"}, {"sort_by": "Name"}, {"order": "down"}, {"limit": 101}, {"limit": 0}):
            with pytest.raises(UsageError):
                alerts.history(tx, **wrong)  # type: ignore[arg-type]


def test_a_rule_that_is_removed_leaves_no_open_alert(registry: Registry) -> None:
    world = World(registry)
    world.run("V")
    with world.write("ann") as tx:
        alerts.remove_rule(tx, "quality", "default")
        assert alerts.rules(tx, "quality") == []
    (alert,) = world.alerts()
    assert alert.state == "resolved"
    world.run("V")
    assert len(world.alerts()) == 1
    with world.write("ann") as tx:
        assert alerts.declare_rule(tx, "quality")
    assert world.rule().created == START + 2_000_000
    world.run("V")  # what was before does not count, what comes does
    assert [a.state for a in world.alerts()] == ["resolved", "open"]


def test_what_people_change_is_audited(registry: Registry) -> None:
    world = World(registry)
    with world.write("ann") as tx:
        alerts.update_rule(tx, "quality", keep_firing=2)
    with registry.read() as tx:
        *_, last = audit.entries(tx, subject="schedules/quality")
        assert (last.who, last.action) == ("ann", "alert_rule.changed")
        assert last.change == {
            "before": {"rule": "default", "keep_firing": 1},
            "after": {"rule": "default", "keep_firing": 2},
        }
        assert outbox.read_events(tx)[-1].data["rule"] == "default"
