"""The post-market plan says what the monitors do, no more, and nothing secret."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from card_plans import CONSTRAINTS, house

from driftline.cards.extensions import problems
from driftline.cards.post_market import RETENTION, plan_differs, plan_of
from driftline.configuration.specs import MonitorSpec
from driftline.registry import alerts, baselines, endpoints, models, schedules, targets
from driftline.registry.database import RegistryError
from driftline.registry.store import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    with Registry.create(tmp_path / "registry.db") as made:
        house(made)
        yield made


def plan(
    registry: Registry, read: Callable[[str], Any] | None = None, model: str = "churn"
) -> dict[str, Any]:
    with registry.read() as tx:
        return plan_of(tx, model, read=read)


def files(path: str) -> bytes:
    assert path == "baselines/churn/v1/constraints.json"
    return CONSTRAINTS


def test_a_plan_has_all_that_is_configured(registry: Registry) -> None:
    made = plan(registry)
    assert problems({"post_market_plan": made}) == []
    assert made["owners"] == [
        {"name": "ann", "role": "model"},
        {"name": "ops", "role": "endpoint churn-prod"},
    ]
    assert made["endpoints"] == [{"name": "churn-prod", "kind": "endpoint", "versions": ["3"]}]
    assert made["uncovered"] == ["model-quality", "bias", "attribution"]
    assert made["retention"] == RETENTION
    hourly, other = made["schedules"]
    assert [hourly["name"], other["name"]] == ["churn-hourly", "churn-quality"]
    assert {
        key: hourly[key] for key in ("kind", "endpoint", "cron", "timezone", "state", "owner", "mode")
    } == {
        "kind": "data-quality",
        "endpoint": "churn-prod",
        "cron": "0 * * * *",
        "timezone": "Europe/Berlin",
        "state": "active",
        "owner": "data team",
        "mode": "default",
    }
    assert hourly["window"] == {"delay": "PT10M"}
    assert hourly["baseline"] == {
        "name": "churn",
        "version": 1,
        "digest": "sha256:" + "1" * 64,
        "accepted_by": "bob",
    }
    assert hourly["alpha"] == 0.01
    assert {"check": "ks", "bound": 0.2, "source": "configuration"} in hourly["thresholds"]
    assert hourly["alerts"] == [
        {
            "name": "default",
            "datapoints_to_alert": 2,
            "evaluation_period": 3,
            "count_failed_runs": False,
            "min_severity": "warning",
            "keep_firing": 1,
        }
    ]
    assert (other["state"], other["kind"]) == ("stopped", "model-quality")


def test_targets_are_names_and_never_addresses(registry: Registry) -> None:
    made = plan(registry)
    assert [one["name"] for one in made["targets"]] == ["pager", "team"]
    assert made["targets"][0] == {
        "name": "pager",
        "kind": "webhook",
        "events": ["alert.opened", "alert.escalated", "alert.resolved"],
        "severity": "critical",
    }
    text = json.dumps(made)
    for secret in ("hooks.example", "PAGER_URL", "/run/key"):
        assert secret not in text


def test_the_same_configuration_gives_the_same_plan(registry: Registry, tmp_path: Path) -> None:
    first = plan(registry)
    assert json.dumps(first) == json.dumps(plan(registry))
    with Registry.create(tmp_path / "other" / "registry.db") as other:
        house(other)
        assert json.dumps(plan(other)) == json.dumps(first)


def test_bounds_of_the_baseline_are_told_where_its_files_are(registry: Registry) -> None:
    made = plan(registry, files)
    assert problems({"post_market_plan": made}) == []
    rows = made["schedules"][0]["thresholds"]
    assert {"check": "completeness", "column": "age", "bound": 0.9, "source": "baseline"} in rows


def test_a_plan_is_of_the_model_alone(registry: Registry) -> None:
    other = plan(registry, model="fraud")
    assert [one["name"] for one in other["schedules"]] == ["fraud-bias"]
    assert other["uncovered"] == ["data-quality", "model-quality", "attribution"]
    assert [one["name"] for one in other["targets"]] == ["pager"]
    assert other["owners"] == []
    with pytest.raises(RegistryError) as error:
        plan(registry, model="churm")
    assert error.value.code == "E-NO-MODEL"


def test_a_variant_of_another_model_is_not_of_this_one(registry: Registry) -> None:
    with registry.write("ann", "a second variant") as tx:
        endpoints.deploy(tx, "churn-prod", "fraud", "1", variant="B")
        schedules.declare(
            tx, "of-b", endpoint="churn-prod", kind="bias", config={"variant": "B"}, baseline=None
        )
    assert "of-b" not in [one["name"] for one in plan(registry)["schedules"]]
    assert "of-b" in [one["name"] for one in plan(registry, model="fraud")["schedules"]]


def test_a_monitor_of_the_models_baseline_is_of_the_model(registry: Registry) -> None:
    with registry.write("ann", "") as tx:
        endpoints.declare(tx, "nightly", kind="batch")
        schedules.declare(tx, "batch", endpoint="nightly", kind="data-quality", config={}, baseline="churn")
    assert "batch" in [one["name"] for one in plan(registry)["schedules"]]


def test_a_plan_of_today_does_not_differ(registry: Registry) -> None:
    live = plan(registry)
    assert plan_differs(live, live) == []
    said = {"statement": "Watch it.", "review": "yearly", "generated": "2026-11-23", **live}
    assert plan_differs(json.loads(json.dumps(said)), live) == []
    assert plan_differs(plan(registry, files), live) == []
    assert plan_differs(live, plan(registry, files)) == []


def test_what_was_changed_since_is_told(registry: Registry) -> None:
    stored = plan(registry)
    with registry.write("ann", "changes") as tx:
        alerts.update_rule(tx, "churn-hourly", datapoints_to_alert=3)
        schedules.stop(tx, "churn-hourly")
        schedules.archive(tx, "churn-quality")
        targets.archive(tx, "team")
        baselines.propose(
            tx,
            "churn",
            kind="data-quality",
            path="baselines/churn/v2",
            digest="sha256:" + "2" * 64,
            accept=True,
        )
        models.declare(tx, "churn", owner="bob")
    told = plan_differs(stored, plan(registry))
    assert all(line.isprintable() for line in told)
    begins = [line.partition(":")[0] for line in told]
    assert begins == [
        "removed owners[ann / model]",
        "added owners[bob / model]",
        "changed schedules[churn-hourly].state",
        "changed schedules[churn-hourly].baseline.version",
        "changed schedules[churn-hourly].baseline.digest",
        "changed schedules[churn-hourly].baseline.accepted_by",
        "changed schedules[churn-hourly].alerts[default].datapoints_to_alert",
        "removed schedules[churn-quality]",
        "changed uncovered",
        "removed targets[team]",
    ]
    assert told[2] == "changed schedules[churn-hourly].state: 'active' is now 'stopped'"


def test_a_bound_that_was_changed_is_told_also_where_files_were_not_read(registry: Registry) -> None:
    stored = plan(registry, files)
    with registry.write("ann", "") as tx:
        before = schedules.get(tx, "churn-hourly")
        config = json.loads(json.dumps(before.config))
        config["overrides"]["checks"]["ks"]["bound"] = 0.5
        schedules.declare(
            tx,
            "churn-hourly",
            endpoint="churn-prod",
            kind="data-quality",
            config=config,
            baseline="churn",
        )
    told = plan_differs(stored, plan(registry))
    assert told == [
        "changed schedules[churn-hourly].thresholds[ks / - / configuration].bound: 0.2 is now 0.5"
    ]


def test_a_model_that_nobody_watches_has_a_plan_that_says_so(registry: Registry) -> None:
    with registry.write("ann", "") as tx:
        models.declare(tx, "idle")
    made = plan(registry, model="idle")
    assert made["schedules"] == []
    assert made["uncovered"] == list(baselines.KINDS)
    assert problems({"post_market_plan": made}) == []


def test_what_a_configuration_file_declares_fits(registry: Registry) -> None:
    """Every default of ``[monitors.NAME]`` has its place in the plan, or none is needed."""
    spec = MonitorSpec(
        "declared",
        "churn-prod",
        "churn",
        "*/15 * * * *",
        start_offset=-timedelta(hours=2),
        compat="sagemaker",
        description="d" * 5000,
        overrides={"columns": {"age": {"checks": {"ks": {"low": 1, "min_rows": 5}}}}},
    )
    with registry.write("ann", "") as tx:
        schedules.declare(
            tx,
            spec.name,
            endpoint=spec.endpoint,
            kind=spec.kind,
            config=spec.canonical(),
            baseline=spec.baseline,
        )
    made = plan(registry, files)
    assert problems({"post_market_plan": made}) == []
    declared = next(one for one in made["schedules"] if one["name"] == "declared")
    assert declared["window"] == {"start_offset": "-PT2H", "delay": "PT0S"}
    assert (declared["mode"], declared["cron"]) == ("sagemaker", "*/15 * * * *")
    assert "built in" not in {row["source"] for row in declared["thresholds"]}
