"""One alert for one cause, however many windows, revisions and columns it has."""

from __future__ import annotations

import json
import shutil
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from alerting import HOUR, START, World, incident
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftline.registry import alerts, outbox
from driftline.registry.alert_rule import alert_states
from driftline.registry.ids import new_id
from driftline.registry.store import Registry
from driftline.registry.tables import (
    alert_history,
    alert_log,
    alert_rules,
    audit,
    events,
    executions,
    metadata,
)
from driftline.registry.tables import alerts as alerts_table

if TYPE_CHECKING:
    from pathlib import Path

    from driftline.registry.store import Tx


def contents(registry: Registry) -> dict[str, list[Any]]:
    with registry.read() as tx:
        return {
            table.name: [tuple(row) for row in tx.all(sa.select(table).order_by(*table.primary_key))]
            for table in (alerts_table, alert_log, alert_history, alert_rules, events, audit)
        }


def last_event(registry: Registry, kind: str) -> outbox.Event:
    with registry.read() as tx:
        return outbox.read_events(tx, kinds=(kind,))[-1]


def test_an_alert_says_what_is_wrong(registry: Registry) -> None:
    world = World(registry)
    columns = tuple(f"c{i:02}" for i in range(59))
    made = world.run("V", incidents=[incident(columns=columns, title="1 row breaks 59 columns")])
    (alert,) = world.alerts()
    assert alert.title == "churn-prod: 1 row breaks 59 columns"
    assert (alert.kind, alert.state, alert.severity, alert.rule) == (
        "violations",
        "open",
        "critical",
        "default",
    )
    assert (alert.endpoint, alert.model, alert.model_version) == ("churn-prod", "churn", "3")
    assert (alert.first_execution, alert.last_execution, alert.n_windows) == (made, made, 1)
    (cause,) = alert.causes
    assert (cause.n_columns, len(cause.columns), cause.windows, cause.first) == (59, 50, 1, made)
    assert world.log(alert) == ["opened"]
    event = last_event(registry, "alert.opened")
    assert event.subject == f"alerts/{alert.id}"
    assert event.data["reason"] == "1 of the last 1 run failed"
    assert event.data["window"] == {"start": "2026-11-23T07:00:00Z", "end": "2026-11-23T08:00:00Z"}
    wanted = {
        "alert": alert.id,
        "severity": "critical",
        "state": "open",
        "model": "churn",
        "monitor": "data-quality",
    }
    assert wanted.items() <= event.data.items()


def test_many_windows_are_one_alert(registry: Registry) -> None:
    world = World(registry)
    for i in range(6):
        columns = tuple(f"c{j}" for j in range(59 - i % 2))
        world.run("V", incidents=[incident(columns=columns, title=f"row {i} breaks {len(columns)} columns")])
    (alert,) = world.alerts()
    assert (alert.n_windows, [c.windows for c in alert.causes]) == (6, [6])
    assert world.told() == ["alert.opened"]
    assert world.log(alert) == ["opened"] + ["still firing"] * 5
    world.run("C")
    assert world.told() == ["alert.opened", "alert.resolved"]
    world.run("CC")
    assert world.told() == ["alert.opened", "alert.resolved"]
    world.run("V")
    assert [a.state for a in world.alerts()] == ["resolved", "open"]


def test_the_windows_that_opened_it_are_in_it(registry: Registry) -> None:
    world = World(registry, rule={"datapoints_to_alert": 2, "evaluation_period": 3})
    first = world.run("V", incidents=[incident(columns=("a",), severity="critical")])
    world.run("C")
    last = world.run("W", incidents=[incident(columns=("z",), severity="warning")])
    (alert,) = world.alerts()
    assert (alert.severity, alert.n_windows) == ("critical", 2)
    assert [(c.columns, c.first) for c in alert.causes] == [(("a",), first), (("z",), last)]
    assert alert.title == "churn-prod: 1 row breaks 3 columns, and 1 other cause"
    assert last_event(registry, "alert.opened").data["reason"] == "2 of the last 3 runs failed"


def test_sixty_flips_are_two_notices(registry: Registry) -> None:
    world = World(registry, rule={"keep_firing": 5})
    world.run("VC" * 30)
    assert world.told() == ["alert.opened"]
    (alert,) = world.alerts()
    assert (alert.n_windows, alert.clean_runs) == (30, 1)
    world.run("CCC")
    assert world.alerts()[0].clean_runs == 4
    world.run("C")
    assert world.told() == ["alert.opened", "alert.resolved"]
    assert len(world.told("alert_rule.*")) == 61  # the rule itself follows every run


def test_a_revision_of_a_window_is_no_news(registry: Registry) -> None:
    world = World(registry)
    world.run("V")
    before = world.told()
    for revision in (2, 3):
        world.run("V", window=1, revision=revision, cause="late-data")
    (alert,) = world.alerts()
    assert (alert.n_windows, alert.causes[0].windows) == (1, 1)
    assert world.told() == before
    world.run("V", window=1, revision=4, cause="manual", incidents=[incident(), incident("drift", ("x",))])
    (alert,) = world.alerts()
    assert (alert.n_windows, [c.windows for c in alert.causes]) == (1, [1, 1])
    assert world.told() == [*before, "alert.updated"]


def test_late_data_change_an_older_window(registry: Registry) -> None:
    world = World(registry, rule={"datapoints_to_alert": 2, "evaluation_period": 3})
    world.run("CVC")
    assert world.alerts() == []
    world.run("V", window=1, revision=2, cause="late-data")
    assert [a.state for a in world.alerts()] == ["open"]
    world.run("C", window=1, revision=3, cause="late-data")
    assert [a.state for a in world.alerts()] == ["resolved"]
    world.run("V", window=1, revision=4, cause="late-data")
    world.run("F", window=1, revision=5, cause="late-data")  # takes back nothing
    assert world.rule().status == "InAlert"


def test_runs_by_hand_over_windows_of_their_own_do_not_count(registry: Registry) -> None:
    world = World(registry)
    world.run("V", window=100, cause="manual")
    assert world.alerts() == []
    world.run("C")
    world.run("V", window=1, revision=2, cause="manual")
    assert len(world.alerts()) == 1


def test_a_new_cause_is_told_without_a_new_alert(registry: Registry) -> None:
    world = World(registry)
    world.run("V", incidents=[incident(columns=("a",))])
    world.run(
        "V", incidents=[incident(columns=("a",)), incident("drift", ("b",), ("psi",), title="b has drifted")]
    )
    (alert,) = world.alerts()
    assert world.told() == ["alert.opened", "alert.updated"]
    assert world.log(alert) == ["opened", "still firing", "cause added"]
    with registry.read() as tx:
        assert alerts.log(tx, alert.id)[-1].detail == {"causes": ["b has drifted"], "n_causes": 1}
    assert last_event(registry, "alert.updated").data["n_new_causes"] == 1


@pytest.mark.parametrize("put_off", ["acknowledged", "snoozed"])
def test_what_gets_worse_comes_back(registry: Registry, put_off: str) -> None:
    world = World(registry)
    world.run("W")
    (alert,) = world.alerts()
    with world.write("ann") as tx:
        if put_off == "acknowledged":
            alerts.acknowledge(tx, alert.id, "looking")
        else:
            alerts.snooze(tx, alert.id, world.now + 10**10, "later")
    world.run("W")
    assert world.alerts()[0].state == put_off
    world.run("V")
    (alert,) = world.alerts()
    assert (alert.state, alert.severity, alert.snoozed_until, alert.acknowledged_by) == (
        "open",
        "critical",
        None,
        None,
    )
    assert world.told()[-1] == "alert.escalated"
    assert last_event(registry, "alert.escalated").data["was"] == "warning"
    world.run("WV")
    assert world.told().count("alert.escalated") == 1


def test_a_snoozed_alert_is_resolved_when_it_is_over(registry: Registry) -> None:
    world = World(registry)
    world.run("V")
    with world.write("ann") as tx:
        alerts.snooze(tx, world.alerts()[0].id, world.now + 10**10, "later")
    world.run("C")
    (alert,) = world.alerts()
    assert (alert.state, alert.snoozed_until) == ("resolved", None)


def test_what_was_resolved_by_hand_stays_so_until_there_is_news(registry: Registry) -> None:
    world = World(registry)
    world.run("W", incidents=[incident(columns=("a",), severity="warning")])
    with world.write("ann") as tx:
        alerts.resolve(tx, world.alerts()[0].id, "known")
    world.run("W", incidents=[incident(columns=("a",), severity="warning")])
    assert len(world.alerts()) == 1
    world.run("W", incidents=[incident(columns=("b",), severity="warning")])
    assert [(a.state, a.n_windows) for a in world.alerts()] == [("resolved", 1), ("open", 1)]
    with world.write("ann") as tx:
        alerts.resolve(tx, world.alerts()[1].id, "known, too")
    world.run("V", incidents=[incident(columns=("b",), severity="critical")])
    assert [a.severity for a in world.alerts()] == ["warning", "warning", "critical"]
    with world.write("ann") as tx:
        alerts.resolve(tx, world.alerts()[2].id, "known as well")
    world.run("CV", incidents=[incident(columns=("b",), severity="critical")])
    assert [a.state for a in world.alerts()] == ["resolved"] * 3 + ["open"]


def test_evaluating_again_changes_nothing(registry: Registry) -> None:
    world = World(registry, rule={"datapoints_to_alert": 2, "evaluation_period": 3, "keep_firing": 2})
    for letter in "VVWCFVNCCCV":
        made = world.run(letter)
        before = contents(registry)
        with world.write() as tx:
            alerts.evaluate(tx, "quality", made)
        assert contents(registry) == before


def test_what_fails_leaves_no_alert(registry: Registry) -> None:
    world = World(registry)
    before = contents(registry)

    def act(tx: Tx) -> None:
        alerts.evaluate(tx, "quality", world.put(tx, "V", schedule="quality", window=1))
        assert alerts.list_alerts(tx)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), world.write() as tx:
        act(tx)
    assert contents(registry) == before


def test_rules_and_monitors_that_see_one_cause_name_each_other(registry: Registry) -> None:
    world = World(registry, "quality", "second")
    with world.write() as tx:
        alerts.declare_rule(tx, "quality", "loud", min_severity="critical")
    world.run("V")
    world.run("V", "second", incidents=[incident(columns=("a", "b", "c", "d"))])
    world.schedule("third")
    world.run("V", "third", incidents=[incident(columns=("x",))])
    # The first two were opened at one moment, so their order is by chance.
    by_name = {(alert.schedule, alert.rule): alert for alert in world.alerts()}
    first, loud = by_name["quality", "default"], by_name["quality", "loud"]
    second, third = by_name["second", "default"], by_name["third", "default"]
    with registry.read() as tx:
        assert {a.id for a in alerts.related(tx, first)} == {loud.id, second.id}
        assert {a.id for a in alerts.related(tx, second)} == {first.id, loud.id}
        assert alerts.related(tx, third) == []
        assert set(alerts.log(tx, second.id)[0].detail["related"]) == {first.id, loud.id}


def test_ten_thousand_violations_are_one_bounded_notice(registry: Registry) -> None:
    from driftline.monitor.causes import MOST_INCIDENTS

    world = World(registry)
    name = "\U0001f600" * 60
    found = [
        incident("column", (f"{i:05}{name}",), title=f"{name}{i} drifts {name * 9}")
        for i in range(MOST_INCIDENTS)
    ]
    found.append({**incident("others", (), ()), "n_incidents": 10_000 - MOST_INCIDENTS})
    world.run("V", incidents=found)
    assert world.told() == ["alert.opened"]
    (alert,) = world.alerts()
    event = last_event(registry, "alert.opened")
    assert event.data["n_causes"] == sum(c.n_incidents for c in alert.causes) == 10_000
    assert len(json.dumps(event.data)) < 48 * 1024
    with world.write("ann") as tx:
        alerts.resolve(tx, alert.id, "\U0001f600" * 1000)
    assert len(json.dumps(last_event(registry, "alert.resolved").data)) < 64 * 1024


def test_causes_beyond_the_limit_are_counted(registry: Registry) -> None:
    world = World(registry)
    for at in range(3):
        world.run("V", incidents=[incident("column", (f"{at}-{i}",)) for i in range(60)])
    (alert,) = world.alerts()
    assert len(alert.causes) == 101
    assert alert.causes[-1].kind == "others"


def test_violations_without_a_report_count(registry: Registry) -> None:
    world = World(registry)
    world.run("V", result=None)
    (alert,) = world.alerts()
    assert alert.title == "churn-prod: violations without a report"


def test_columns_of_the_table_are_those_of_the_value() -> None:
    assert [c.name for c in metadata.tables["alerts"].columns] == [f.name for f in fields(alerts.Alert)]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(st.tuples(st.sampled_from("VVCCFN"), st.integers(0, 3)), max_size=14),
    a=st.integers(1, 4),
    b=st.integers(1, 4),
    keep=st.integers(1, 3),
)
def test_rules_and_alerts_follow_the_definition(
    tmp_path: Path, steps: list[tuple[str, int]], a: int, b: int, keep: int
) -> None:
    """Runs and revisions in any order, against what the definitions say of the windows as they are then."""
    m, n = min(a, b), max(a, b)
    first = tmp_path / "first.db"
    if not first.exists():
        Registry.create(first).close()
    path = shutil.copy(first, tmp_path / f"{new_id()}.db")
    with Registry.open(path) as registry:
        world = World(registry, rule={"datapoints_to_alert": m, "evaluation_period": n, "keep_firing": keep})
        windows: list[str] = []
        firing = False
        for letter, back in steps:
            if back and back <= len(windows):
                at = len(windows) - back + 1
                with registry.read() as tx:
                    here = executions.c.window_end == START + at * HOUR
                    revision = 1 + len(tx.all(sa.select(executions.c.id).where(here)))
                world.run(letter, window=at, revision=revision, cause="late-data")
                if letter in "VC":
                    windows[at - 1] = letter
            else:
                windows.append(letter if letter in "VC" else "")
                world.run(letter)
            flags = [w == "V" for w in windows if w]
            states = alert_states(flags, datapoints_to_alert=m, evaluation_period=n)
            status = states[-1].value if states else "OK"
            assert world.rule().status == status
            assert world.rule().failing == sum(flags[-n:])
            clean = 0
            while clean < len(flags) and not flags[-1 - clean] and states[-1 - clean] == "OK":
                clean += 1
            firing = status == "InAlert" or (firing and max(clean, 1) < keep)
            unresolved = world.alerts(open_only=True)
            assert len(unresolved) == firing
        opened, resolved = world.told().count("alert.opened"), world.told().count("alert.resolved")
        assert opened - resolved == firing
