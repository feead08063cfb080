"""The metrics are what the registry says, in formats that Prometheus reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from monitor_telemetry import HOUR, World, measured
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
from prometheus_client.parser import text_string_to_metric_families
from promtool import promtool

import driftline
from driftline.monitor.telemetry import Cardinality, metrics_text
from driftline.monitor.telemetry.metric import METRICS

if TYPE_CHECKING:
    from driftline.registry.store import Registry

NIGHTLY = ("nightly", "churn")
AGE = (*NIGHTLY, "churn-model", "age", "ks", "ks")
FEE = (*NIGHTLY, "churn-model", "fee", "ks", "ks")


def text(registry: Registry, *, openmetrics: bool = False) -> bytes:
    with registry.read() as tx:
        return metrics_text(tx, openmetrics=openmetrics)


def test_every_metric_is_told(full_world: World) -> None:
    samples = full_world.samples()
    assert {f"driftline_{name}" for name, *_ in samples} == {metric.name for metric in METRICS}
    assert samples["info", driftline.__version__] == 1


def test_prometheus_reads_it(full_world: World) -> None:
    status, printed = promtool("check", "metrics", given=text(full_world.registry))
    assert (status, printed) == (0, "")


def test_promtool_would_object() -> None:
    bad = b"# HELP driftline_x_total x\n# TYPE driftline_x_total gauge\ndriftline_x_total 1\n"
    status, printed = promtool("check", "metrics", given=bad)
    assert status != 0
    assert "driftline_x_total" in printed


def test_an_empty_registry_has_metrics(registry: Registry) -> None:
    found = text(registry)
    assert promtool("check", "metrics", given=found)[0] == 0
    assert b"driftline_schedulers 0.0\n" in found
    assert text(registry, openmetrics=True).endswith(b"# EOF\n")


def test_openmetrics_tells_the_same(full_world: World) -> None:
    plain = {
        (sample.name, *sorted(sample.labels.items()))
        for family in text_string_to_metric_families(text(full_world.registry).decode())
        for sample in family.samples
    }
    families = list(openmetrics_families(text(full_world.registry, openmetrics=True).decode()))
    assert plain == {(s.name, *sorted(s.labels.items())) for family in families for s in family.samples}
    assert {family.unit for family in families if family.name.endswith("_seconds")} == {"seconds"}


def test_the_numbers(full_world: World) -> None:
    samples = full_world.samples()
    expected = {
        ("measurement", *AGE): 0.4,
        ("measurement_bound", *AGE): 0.1,
        ("feature_violated", *AGE): 1,
        ("measurement", *FEE): 0.05,
        ("feature_violated", *FEE): 0,
        ("measurements_dropped", *NIGHTLY): 0,
        ("violations", *NIGHTLY, "warning"): 1,
        ("violations", *NIGHTLY, "critical"): 0,
        ("checks", *NIGHTLY): 2,
        ("undetermined", *NIGHTLY): 0,
        ("rows", *NIGHTLY, "captured"): 500,
        ("rows", *NIGHTLY, "used"): 480,
        ("execution_duration_seconds", *NIGHTLY): 90,
        ("executions_total", *NIGHTLY, "CompletedWithViolations"): 1,
        ("executions_total", *NIGHTLY, "Failed"): 0,
        ("executions_total", "off", "churn", "Failed"): 1,
        ("schedule_status", *NIGHTLY, "Scheduled"): 1,
        ("schedule_status", "off", "churn", "Stopped"): 1,
        ("schedule_status", "off", "churn", "Scheduled"): 0,
        ("schedule_period_seconds", *NIGHTLY): 3600,
        ("schedule_delay_seconds", *NIGHTLY): 0,
        ("schedule_lag_seconds", *NIGHTLY): 0,
        ("alerts_open", "churn-model", "churn", "critical", "open"): 1,
        ("alert_rule_firing", *NIGHTLY, "default"): 1,
        ("outbox_waiting", "pager"): 2,
        ("outbox_dead", "pager"): 1,
        ("schedulers",): 1,
    }
    assert {key: samples.get(key) for key in expected} == expected
    assert samples["last_success_age_seconds", *NIGHTLY] == pytest.approx(3600 - 390, abs=60)
    assert samples["outbox_oldest_seconds", "pager"] == pytest.approx(40, abs=60)
    assert samples["scheduler_seen_age_seconds",] == pytest.approx(2, abs=60)
    assert samples["window_end_timestamp_seconds", *NIGHTLY] == (full_world.now - HOUR) / 1e6
    assert samples["last_run_timestamp_seconds", *NIGHTLY] == (full_world.now - HOUR + 390_000_000) / 1e6


def test_the_newest_window_counts_and_of_it_the_newest_revision(world: World) -> None:
    world.schedule("nightly")
    world.execution("nightly", hours=1, measurements=[measured("age", value=0.1)])
    world.execution("nightly", hours=3, measurements=[measured("age", value=0.3)])
    world.execution(
        "nightly", hours=1, revision=2, cause="late-data", measurements=[measured("age", value=0.2)]
    )
    world.execution("nightly", "InProgress", hours=1, revision=3, cause="late-data")
    assert world.samples()["measurement", *AGE] == 0.2


def test_what_failed_or_found_nothing_takes_no_measurement_back(world: World) -> None:
    world.schedule("nightly")
    world.execution("nightly", hours=3, measurements=[measured("age", value=0.3)])
    world.execution("nightly", "NoData", hours=2, result={"rows": {"captured": 0, "used": 0}})
    world.execution("nightly", "Failed", hours=1)
    samples = world.samples()
    assert samples["measurement", *AGE] == 0.3
    assert samples["rows", *NIGHTLY, "captured"] == 0
    # To find no data is to succeed; to fail is not.
    assert samples["last_success_age_seconds", *NIGHTLY] == pytest.approx(2 * 3600 - 390, abs=60)
    assert samples["last_run_timestamp_seconds", *NIGHTLY] == (world.now - HOUR + 390_000_000) / 1e6


def test_a_monitor_that_never_saw_data_has_no_rows(world: World) -> None:
    world.schedule("nightly")
    world.execution("nightly", "NoData")
    samples = world.samples()
    assert samples["rows", *NIGHTLY, "captured"] == samples["rows", *NIGHTLY, "used"] == 0
    assert ("checks", *NIGHTLY) not in samples


def test_windows_looked_at_by_hand_alone_do_not_count(world: World) -> None:
    world.schedule("nightly")
    world.execution("nightly", hours=2, measurements=[measured("age", value=0.2)])
    world.execution("nightly", hours=2, revision=2, cause="manual", measurements=[measured("age", value=0.3)])
    world.execution("nightly", hours=0.5, cause="manual", measurements=[measured("age", value=0.9)])
    samples = world.samples()
    assert samples["measurement", *AGE] == 0.3
    assert samples["executions_total", *NIGHTLY, "Completed"] == 3


def test_what_does_not_run_has_no_measurements(world: World) -> None:
    world.schedule("nightly", status="Stopped", next_due=None)
    world.execution("nightly", measurements=[measured("age")])
    world.schedule("gone", archived=world.now)
    world.execution("gone", measurements=[measured("age")])
    names = {name for name, *labels in world.samples() if labels}
    assert names == {"info", "executions_total", "schedule_status"}
    assert not any("gone" in key for key in world.samples())


def test_emit_metrics_keeps_measurements_back(world: World) -> None:
    world.schedule("nightly", config={"emit_metrics": False})
    world.execution("nightly", measurements=[measured("age")])
    samples = world.samples()
    assert not any(key[0].startswith(("measurement", "feature")) for key in samples)
    assert samples["checks", *NIGHTLY] == 1


def test_what_was_not_judged_is_neither_violated_nor_not(world: World) -> None:
    world.schedule("nightly")
    world.execution("nightly", measurements=[measured("age", "undetermined", None)])
    samples = world.samples()
    assert ("feature_violated", *AGE) not in samples
    assert ("measurement", *AGE) not in samples
    assert samples["measurement_bound", *AGE] == 0.1
    assert samples["undetermined", *NIGHTLY] == 1


def test_the_violated_come_first_where_there_are_too_many(world: World) -> None:
    world.schedule("nightly")
    features = [measured(f"f{n:02d}") for n in range(20)]
    world.execution("nightly", measurements=[*features, measured("z", "violated", 0.5)])
    samples = world.samples(limits=Cardinality(per_schedule=10))
    told = [key[4] for key in samples if key[0] == "measurement"]
    assert told == ["f00", "f01", "z"]
    assert samples["measurements_dropped", *NIGHTLY] == 18


def test_schedules_share_the_total(world: World) -> None:
    for name in ("a", "b"):
        world.schedule(name)
        world.execution(name, measurements=[measured(f"f{n}") for n in range(5)])
    samples = world.samples(limits=Cardinality(total=12))
    assert [key[1] for key in samples if key[0] == "measurement"] == ["a", "a", "b", "b"]
    assert samples["measurements_dropped", "b", "churn"] == 3


ODD = (
    "plain",
    'quo"ted',
    "back\\slash",
    "new\nline",
    "new\\nline",
    "cr\rlf\x00\x1b[31m",
    "ünïcødé €",
    "",
    " ",
    "x" * 10_000,
    "x" * 9_999,
    "\ud800",
    "\u202ereversed",
    '{a="b"} 1',
)


def test_odd_names_stay_apart(world: World) -> None:
    world.schedule("nightly")
    world.execution(
        "nightly", measurements=[measured(name, value=n) for n, name in enumerate(ODD)], model='m"\\\n{}'
    )
    samples = world.samples()
    values = [value for key, value in samples.items() if key[0] == "measurement"]
    assert sorted(values) == list(range(len(ODD)))
    assert max(len(key[4]) for key in samples if key[0] == "measurement") <= 120
    for openmetrics in (False, True):
        found = text(world.registry, openmetrics=openmetrics)
        assert max(map(len, found.split(b"\n"))) < 1000
        assert found.count(b"\ndriftline_measurement{") == len(ODD)
    assert promtool("check", "metrics", given=text(world.registry))[0] == 0


def test_one_name_twice_is_told_once(world: World) -> None:
    world.schedule("nightly")
    world.execution("nightly", measurements=[measured("age"), measured("age", "violated", 0.7)])
    samples = world.samples()
    assert samples["measurement", *AGE] == 0.7
    assert samples["measurements_dropped", *NIGHTLY] == 1


def test_a_monitor_that_never_succeeded_counts_from_its_start(world: World) -> None:
    world.schedule("nightly", since=world.now - 5 * HOUR)
    world.execution("nightly", "Failed")
    assert world.samples()["last_success_age_seconds", *NIGHTLY] == pytest.approx(5 * 3600, abs=60)


def test_a_monitor_started_again_counts_from_then(world: World) -> None:
    world.schedule("nightly", since=world.now - HOUR)
    world.execution("nightly", hours=500)
    assert world.samples()["last_success_age_seconds", *NIGHTLY] == pytest.approx(3600, abs=60)


def test_lag_is_of_the_fire_or_of_the_execution_that_waits_longest(world: World) -> None:
    world.schedule("planned")
    world.execution("planned", "Pending", hours=3)
    world.execution("planned", "Pending", hours=2)
    world.schedule("unplanned", next_due=world.now - 2 * HOUR)
    world.schedule("later")
    world.execution("later", "Pending", hours=1, not_before=world.now + HOUR)
    samples = world.samples()
    for name, seconds in (("planned", 3 * 3600), ("unplanned", 2 * 3600), ("later", 0)):
        assert samples["schedule_lag_seconds", name, "churn"] == pytest.approx(seconds, abs=60)
    assert samples["executions_pending",] == 3


def test_a_monitor_that_rests_has_the_longer_period(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from driftline.capture.window import moment_of
    from driftline.monitor.telemetry.facts import _period

    day = 24 * HOUR
    for now, days in (("2026-11-23T08:00", 3), ("2026-11-24T08:00", 1), ("2026-11-22T08:00", 3)):
        assert _period("0 6 * * MON-FRI", "UTC", moment_of(now)) == days * day
    assert _period("NOW", "UTC", world.now) is None
    assert _period("no schedule", "UTC", world.now) is None


def test_a_schedule_that_fires_once_does_not_age(world: World) -> None:
    world.schedule("once", config={"schedule": "NOW"}, next_due=None)
    assert not any(
        key[0] in ("last_success_age_seconds", "schedule_period_seconds") for key in world.samples()
    )


def test_severities_are_counted_where_the_result_has_them(world: World) -> None:
    world.schedule("nightly")
    counts = {"passed": 1, "violated": 5, "undetermined": 2}
    world.execution("nightly", result={"counts": counts, "violations": {"critical": 2, "warning": 3}})
    samples = world.samples()
    assert samples["violations", *NIGHTLY, "critical"] == 2
    assert samples["violations", *NIGHTLY, "warning"] == 3
    assert samples["checks", *NIGHTLY] == 8


def statements(registry: Registry) -> int:
    counted: list[str] = []

    def count(*given: object) -> None:
        counted.append(str(given[2]))

    engine = registry.database.engine
    sa.event.listen(engine, "before_cursor_execute", count)
    text(registry)
    sa.event.remove(engine, "before_cursor_execute", count)
    return len(counted)


def test_more_schedules_need_no_more_queries(world: World) -> None:
    world.schedule("first")
    world.execution("first", measurements=[measured("age")])
    one = statements(world.registry)
    for n in range(12):
        world.schedule(f"s{n}")
        world.execution(f"s{n}", measurements=[measured("age")])
    assert statements(world.registry) == one < 16


def test_nothing_is_kept_between_scrapes(full_world: World) -> None:
    moving = (b"_age_seconds", b"_oldest_seconds")

    def still() -> list[bytes]:
        lines = text(full_world.registry).split(b"\n")
        return [line for line in lines if not any(word in line for word in moving)]

    assert still() == still()


@pytest.mark.parametrize("given", [{"per_schedule": -1}, {"total": -1}])
def test_limits_are_not_negative(given: dict[str, int]) -> None:
    with pytest.raises(driftline.DriftlineError, match=r"E-USAGE: .*expected 0 or more, found -1"):
        Cardinality(**given)


def test_no_series_at_all_is_a_limit(small_world: World) -> None:
    small_world.schedule("nightly")
    small_world.execution("nightly", measurements=[measured("age", "violated")])
    samples = small_world.samples(limits=Cardinality(per_schedule=0))
    assert samples["measurements_dropped", *NIGHTLY] == 1
    assert ("measurement", *AGE) not in samples
