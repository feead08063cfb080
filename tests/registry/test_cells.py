"""The status cell: the truth table of the dashboard, row by row."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from alerting import HOUR, START, World

from driftline.registry import alerts, schedules
from driftline.registry.cells import KINDS, SEVERITIES, RuleState, RunState, ScheduleState, cell, cells_of

if TYPE_CHECKING:
    from driftline.registry.store import Registry

NOW = START + 100 * HOUR
T1, T2 = START + HOUR, START + 2 * HOUR
S1, S2 = "2026-11-23T08:00:00Z", "2026-11-23T09:00:00Z"
DONE = RunState("Completed", NOW - HOUR)
VIOLATED = RunState("CompletedWithViolations", NOW - HOUR)
FAILED = RunState("Failed", NOW - HOUR, "E-STORE")
ALARM = RuleState("InAlert", T1)


def monitor(
    status: str = "Scheduled", last: RunState | None = DONE, *rules: RuleState, **given: Any
) -> ScheduleState:
    return ScheduleState(
        "m", status, given.pop("since", NOW - HOUR), HOUR, last, rules or (RuleState(),), **given
    )


TABLE = [
    ("no schedule", [], "none", "None", "no monitor"),
    ("stopped", [monitor("Stopped")], "inactive", "Inactive", "inactive"),
    (
        "stopped in alert",
        [monitor("Stopped", VIOLATED, ALARM)],
        "inactive",
        "Inactive",
        f"inactive (was in alert since {S1})",
    ),
    ("no run", [monitor(last=None)], "waiting", "OK", "waiting for the first run"),
    ("clean", [monitor()], "ok", "OK", "OK"),
    (
        "one of two",
        [monitor("Scheduled", VIOLATED, RuleState(failing=1, datapoints_to_alert=2))],
        "ok",
        "OK",
        "OK, 1 of 2 violating runs",
    ),
    ("in alert", [monitor("Scheduled", VIOLATED, ALARM)], "in_alert", S1, f"alert since {S1}"),
    (
        "indicator off",
        [monitor("Scheduled", VIOLATED, RuleState("InAlert", T1, dashboard_indicator=False))],
        "ok",
        "OK",
        "OK, in alert without indicator",
    ),
    (
        "two in alert",
        [monitor("Scheduled", VIOLATED, ALARM), monitor("Scheduled", VIOLATED, RuleState("InAlert", T2))],
        "in_alert",
        S2,
        f"alert since {S2}, 2 of 2",
    ),
    ("clean and stopped", [monitor(), monitor("Stopped")], "ok", "OK", "OK (+1 inactive)"),
    ("clean and failed", [monitor(), monitor("Failed")], "misconfigured", "OK", "misconfigured, 1 of 2"),
    (
        "failed",
        [monitor("Failed", failure_reason="no role")],
        "misconfigured",
        "Inactive",
        "misconfigured: no role",
    ),
    (
        "no data as SageMaker says it",
        [monitor(last=RunState("Failed", NOW - HOUR, "Job inputs had no data"))],
        "no_data",
        "OK",
        "no data in the last window",
    ),
    # What the table leaves to the conditions above it.
    (
        "no data",
        [monitor(last=RunState("NoData", NOW - HOUR))],
        "no_data",
        "OK",
        "no data in the last window",
    ),
    ("last run failed", [monitor(last=FAILED)], "failing", "OK", "last run failed: E-STORE"),
    (
        "last run stopped",
        [monitor(last=RunState("Stopped", NOW - HOUR))],
        "failing",
        "OK",
        "last run was stopped",
    ),
    (
        "in alert, last run failed",
        [monitor("Scheduled", FAILED, ALARM)],
        "in_alert",
        S1,
        f"alert since {S1}, last run failed",
    ),
    (
        "failed schedule in alert",
        [monitor("Failed", VIOLATED, ALARM)],
        "misconfigured",
        "Inactive",
        "misconfigured",
    ),
    (
        "stale",
        [monitor(last=RunState("Completed", T1), since=START)],
        "stale",
        "OK",
        f"no run since {S1}",
    ),
    ("stale without a run", [monitor(last=None, since=T1)], "stale", "OK", f"no run yet, since {S1}"),
    ("pending", [monitor("Pending", None, since=T1)], "waiting", "OK", "waiting for the first run"),
    ("old failure", [monitor(last=RunState("Failed", T1), since=START)], "failing", "OK", "last run failed"),
    (
        "clean, clean, in alert",
        [monitor(), monitor(), monitor("Scheduled", VIOLATED, ALARM)],
        "in_alert",
        S1,
        f"alert since {S1}, 1 of 3",
    ),
    ("clean twice", [monitor(), monitor()], "ok", "OK", "OK"),
    (
        "the newest of equal severity",
        [monitor(last=RunState("NoData", NOW - 1)), monitor(last=RunState("Completed", T1), since=START)],
        "no_data",
        "OK",
        "no data in the last window, 1 of 2",
    ),
    (
        "violations that do not count",
        [monitor(last=VIOLATED)],
        "ok",
        "OK",
        "OK, violations that no rule counts",
    ),
    ("all stopped", [monitor("Stopped"), monitor("Stopped")], "inactive", "Inactive", "inactive"),
    (
        "stopped in alert beside one",
        [monitor("Stopped", VIOLATED, ALARM), monitor()],
        "ok",
        "OK",
        "OK (+1 inactive)",
    ),
]


@pytest.mark.parametrize(
    ("monitors", "state", "compat", "text"), [row[1:] for row in TABLE], ids=[r[0] for r in TABLE]
)
def test_the_truth_table(monitors: list[ScheduleState], state: str, compat: str, text: str) -> None:
    found = cell(monitors, NOW)
    assert (found.state, found.compat, found.text) == (state, compat, text)
    assert found.severity == SEVERITIES[state]


def test_all_states_are_in_the_table() -> None:
    assert {row[2] for row in TABLE} == set(SEVERITIES)


def test_a_muted_alert_is_marked() -> None:
    assert cell(
        [monitor("Scheduled", VIOLATED, RuleState("InAlert", T1, dashboard_indicator=False))], NOW
    ).is_muted
    assert not cell([monitor()], NOW).is_muted


def test_a_monitor_that_runs_once_is_never_stale() -> None:
    assert cell([ScheduleState("m", last=RunState("Completed", T1))], NOW).state == "ok"


def test_compat_has_only_the_four_documented_values() -> None:
    statuses = ("Pending", "Scheduled", "Stopped", "Failed")
    runs = (
        None,
        *(RunState(s, T1) for s in ("Completed", "CompletedWithViolations", "NoData", "Failed", "Stopped")),
    )
    rules = (RuleState(), ALARM, RuleState("InAlert", T2, dashboard_indicator=False))
    ones = [monitor(s, r, a) for s, r, a in product(statuses, runs, rules)]
    for one in ones:
        found = cell([one], NOW)
        active = one.status in ("Pending", "Scheduled")
        expected = "Inactive" if not active else S1 if ALARM in one.rules else "OK"
        assert found.compat == expected
        # Whatever stands beside it, the more severe is shown, and a stopped one changes nothing but the count.
        for other in (monitor(), monitor("Stopped")):
            both = cell([one, other], NOW)
            assert both == cell([other, one], NOW) or found.severity == cell([other], NOW).severity
            active_ones = [c for c in (found, cell([other], NOW)) if c.state != "inactive"]
            assert both.severity == max((c.severity for c in active_ones), default=1)


def period_of(config: Any) -> int | None:
    return config.get("hours", 1) * HOUR


def test_cells_of_models(registry: Registry) -> None:
    world = World(registry, "quality", rule={"datapoints_to_alert": 2, "evaluation_period": 2})
    world.schedule("bias", kind="bias")
    with registry.read() as tx:
        tx.now = world.now
        cells = cells_of(tx, period_of=period_of)
    assert {kind: c.state for kind, c in cells["churn"].items()} == {
        "data-quality": "waiting",
        "model-quality": "none",
        "bias": "waiting",
        "attribution": "none",
    }

    def now(seconds: int = 0) -> dict[str, str]:
        with registry.read() as tx:
            tx.now = world.now + seconds * 1_000_000
            found = cells_of(tx, ["churn", "unknown"], period_of=period_of)
        assert list(found) == ["churn", "unknown"]
        assert [c.state for c in found["unknown"].values()] == ["none"] * 4
        return {kind: c.text for kind, c in found["churn"].items()}

    world.run("V")
    assert now()["data-quality"] == "OK, 1 of 2 violating runs"
    world.run("V")
    assert now()["data-quality"].startswith("alert since 2026-11-23T")
    world.run("C")
    world.run("V", window=99, cause="manual")  # a window of its own says nothing about the monitor
    assert now()["data-quality"] == "OK, 1 of 2 violating runs"
    world.run("C")
    assert now()["data-quality"] == "OK"
    world.run("F")
    assert now()["data-quality"] == "last run failed: there is no baseline"
    world.run("N", window=world.windows["quality"], revision=2, cause="manual")
    assert now()["data-quality"] == "no data in the last window"
    assert now(seconds=10_000)["data-quality"].startswith("no run since 2026-11-23T")
    with world.write() as tx:
        schedules.stop(tx, "quality")
    assert now()["data-quality"] == "inactive"
    with world.write() as tx:
        schedules.archive(tx, "quality")
    assert now()["data-quality"] == "no monitor"


def test_cells_take_as_many_queries_however_many_models_there_are(registry: Registry) -> None:
    asked = 0

    def count(*_: object) -> None:
        nonlocal asked
        asked += 1

    sa.event.listen(registry.database.engine, "before_cursor_execute", count)
    world = World(registry)
    taken = []
    for n in (0, 8):
        for i in range(n):
            world.schedule(f"more-{i}")
            with world.write() as tx:
                alerts.declare_rule(tx, f"more-{i}", "second")
            world.run("VC", f"more-{i}")
        with registry.read() as tx:
            tx.now = world.now
            before = asked
            found = cells_of(tx)["churn"]["data-quality"]
            taken.append(asked - before)
        assert found.n_active == n + 1
    assert taken == [2, 2]
    assert set(KINDS) == {"data-quality", "model-quality", "bias", "attribution"}
