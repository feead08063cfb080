from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from declared import DECLARED

from driftline.errors import DriftlineError, UsageError
from driftline.registry import executions, settings
from driftline.registry.tables import schedules

if TYPE_CHECKING:
    from pathlib import Path

    from declared import Site

    from driftline.plan import Plan


def step(plan: Plan, kind: str, name: str) -> str:
    return str(next(s for s in plan.steps if (s.kind, s.name) == (kind, name)))


def setting(site: Site, name: str) -> object:
    with site.workspace.registry.read() as tx:
        return settings.get(tx, name)


# --- settings


def test_settings_are_kept_where_the_file_speaks_of_them(site: Site) -> None:
    site.apply(DECLARED + '[scheduler]\nworkers = 3\n\n[scheduler.heartbeat]\nurl_file = "beat"\n')
    kept = setting(site, "scheduler")
    assert kept == {
        "poll": "PT5S",
        "lease": "PT1M",
        "workers": 3,
        "stale_after": 2,
        "heartbeat": {
            "url_file": str(site.folder / "beat"),
            "every": "PT5M",
            "allow_private": False,
            "allow_http": False,
        },
    }
    assert setting(site, "workspace") is None
    assert not site.apply()
    assert setting(site, "scheduler") == kept


def test_captures_of_the_workspace(local: Site, tmp_path: Path) -> None:
    local.apply('[workspace]\ncaptures = "traffic"\n')
    assert local.workspace.captures == str(local.folder / "traffic")
    local.apply('[workspace]\ncaptures = "s3://bucket/captures"\n')
    assert local.workspace.captures == "s3://bucket/captures"
    local.apply("[workspace]\n")
    assert local.workspace.captures == str(local.folder / "captures")


def test_paths_of_a_file_elsewhere_are_whole(local: Site, tmp_path: Path) -> None:
    elsewhere = tmp_path / "team"
    elsewhere.mkdir()
    file = elsewhere / "ours.toml"
    file.write_text(
        '[workspace]\ncaptures = "traffic"\n'
        '[models.m]\nversions = [{ version = "1" }]\n[endpoints.e]\nmodel = "m"\ncaptures = "mine"\n'
        '[targets.t]\nkind = "webhook"\nurl_env = "U"\nsecret_file = "key"\n'
    )
    local.workspace.apply(file)
    assert local.workspace.captures == str(elsewhere / "traffic")
    assert local.workspace.captures_for("e") == str(elsewhere / "mine")
    assert local.workspace.captures_for("another") == str(elsewhere / "traffic")


def test_files_of_secrets_are_found_wherever_the_scheduler_is_started(local: Site) -> None:
    from driftline.registry import targets

    text = '[targets.ops]\nkind = "webhook"\nurl_env = "U"\nsecret_file = "keys/ops"\n'
    local.apply(text)
    with local.workspace.registry.read() as tx:
        config = targets.get(tx, "ops").config
    assert config["secret_file"] == str(local.folder / "keys" / "ops")
    assert not local.plan(text)


# --- models


def test_what_is_left_out_of_a_model_stays(site: Site) -> None:
    site.workspace.models.declare(
        "churn", owner="ann", description="who leaves", risk_rating="high", tags={"team": "growth"}
    )
    plan = site.apply()
    assert "owner: ann → growth" in step(plan, "model", "churn")
    kept = site.workspace.models.get("churn")
    assert (kept.description, kept.risk_rating, dict(kept.tags)) == ("who leaves", "high", {"team": "growth"})


def test_training_of_a_version_is_kept_with_digests(site: Site) -> None:
    site.apply()
    (version,) = site.workspace.models.versions("churn")
    assert version.training["job"] == "train-42"
    assert version.training["parameters"] == {"depth": 5}
    (data,) = version.training["data"]
    assert data["uri"] == "train.csv"
    assert data["digest"].startswith("sha256:")
    assert data["size"] == (site.folder / "train.csv").stat().st_size


def test_training_data_that_were_overwritten_do_not_change_what_a_version_was_trained_on(site: Site) -> None:
    site.apply()
    (before,) = site.workspace.models.versions("churn")
    (site.folder / "train.csv").write_text("amount,kind\n1,a\n")
    plan = site.plan()
    assert "train.csv is no longer what it was trained on" in step(plan, "version", "churn/3")
    assert ("version", "churn/3") not in {(s.kind, s.name) for s in plan.changes}
    plan.apply()
    assert site.workspace.models.versions("churn") == [before]


def test_training_that_an_import_knows_is_not_lost(site: Site) -> None:
    site.workspace.models.declare("churn")
    site.workspace.models.declare_version("churn", "3", training={"job": "j", "metrics": {"auc": 0.9}})
    site.apply()
    (version,) = site.workspace.models.versions("churn")
    assert version.training["metrics"] == {"auc": 0.9}
    assert version.training["job"] == "train-42"


def test_lineage_leads_from_the_training_data_to_the_baseline_and_the_endpoint(site: Site) -> None:
    site.apply()
    graph = site.workspace.lineage.down("train.csv")
    assert {"jobs/train-42", "models/churn/3", "baselines/churn/1", "endpoints/churn-prod"} <= {
        node.name for node in graph.nodes
    }
    # Nothing that is applied again adds anything.
    site.apply()
    assert site.workspace.lineage.down("train.csv") == graph


# --- endpoints

TWO = """
[models.churn]
versions = [{ version = "3" }, { version = "4" }]

[endpoints.churn-prod]
variants = [
    { name = "main", model = "churn", version = "3", weight = 0.9 },
    { name = "canary", model = "churn", version = "4", weight = 0.1 },
]
"""


def test_variants_come_change_and_go(site: Site) -> None:
    site.apply(TWO)
    plan = site.apply(TWO.replace("0.9", "0.8"))
    assert "weight: 0.9 → 0.8" in step(plan, "deployment", "churn-prod/main")
    assert len(plan.changes) == 1
    one = TWO[: TWO.index('    { name = "canary"')] + "]\n"
    plan = site.apply(one.replace('version = "3", weight = 0.9', 'version = "4"'))
    assert [(s.sign, s.name) for s in plan.changes] == [
        ("~", "churn-prod/main"),
        ("-", "churn-prod/canary"),
    ]
    (served,) = site.workspace.endpoints.serving("churn-prod")
    assert (served.variant, served.version) == ("main", "4")
    assert len(site.workspace.endpoints.history("churn-prod")) == 4
    assert not site.plan(one.replace('version = "3", weight = 0.9', 'version = "4"'))


def test_one_variant_has_all_the_traffic_whatever_its_weight(site: Site) -> None:
    site.workspace.models.declare("churn")
    site.workspace.models.declare_version("churn", "3")
    site.workspace.endpoints.declare("churn-prod")
    site.workspace.endpoints.deploy("churn-prod", "churn", "3")
    plan = site.apply()
    assert step(plan, "deployment", "churn-prod/AllTraffic").startswith("  deployment")
    assert len(site.workspace.endpoints.history("churn-prod")) == 1


def test_what_was_deployed_by_hand_is_put_back(site: Site) -> None:
    site.apply(TWO)
    site.workspace.endpoints.deploy("churn-prod", "churn", "4", variant="main", weight=0.9)
    plan = site.plan(TWO)
    assert [str(c) for c in plan.changes[0].changes] == ["version: 4 → 3"]


def test_an_endpoint_cannot_become_a_batch_job(site: Site) -> None:
    site.apply()
    with pytest.raises(DriftlineError) as caught:
        site.plan(DECLARED.replace("[endpoints.churn-prod]", '[endpoints.churn-prod]\nkind = "batch"'))
    assert caught.value.code == "E-ENDPOINT-KIND"


def test_a_model_without_versions_cannot_serve(local: Site) -> None:
    local.workspace.models.declare("bare")
    with pytest.raises(UsageError, match="'bare' has no versions") as caught:
        local.plan('[endpoints.e]\nmodel = "bare"\n')
    assert (caught.value.code, caught.value.field) == ("E-PLAN", "endpoints.e.model")


# --- schedules


def test_a_schedule_is_told_what_a_run_reads(site: Site) -> None:
    text = DECLARED.replace(
        'schedule = "cron(0 * ? * * *)"',
        'schedule = "cron(0 * ? * * *)"\ndelay = "5m"\ncatch_up = "latest"\nchecks.ks.bound = 0.2',
    )
    site.apply(text)
    found = site.workspace.schedules.get("churn-quality")
    assert (found.endpoint, found.kind, found.baseline) == ("churn-prod", "data-quality", "churn")
    assert found.config["delay"] == "PT5M"
    assert found.config["catch_up"] == "latest"
    assert found.config["overrides"] == {"checks": {"ks": {"bound": 0.2}}}
    assert found.config["max_runtime"] == "PT1H"
    assert not {"name", "endpoint", "baseline", "kind", "enabled", "alerts"} & set(found.config)


def test_a_schedule_starts_and_stops_as_declared(site: Site) -> None:
    site.apply()
    stopped = DECLARED.replace(
        'baseline = "churn"\nschedule', 'baseline = "churn"\nenabled = false\nschedule'
    )
    plan = site.apply(stopped)
    assert "status: Scheduled → Stopped" in step(plan, "schedule", "churn-quality")
    assert site.workspace.schedules.get("churn-quality").status == "Stopped"
    assert not site.plan(stopped)
    site.apply()
    assert site.workspace.schedules.get("churn-quality").status == "Scheduled"


def test_alert_rules_follow_the_file(site: Site) -> None:
    site.apply()
    (rule,) = site.workspace.alerts.rules("churn-quality")
    assert (rule.name, rule.datapoints_to_alert, rule.evaluation_period, rule.keep_firing) == (
        "default",
        2,
        3,
        1,
    )
    revision = site.workspace.schedules.get("churn-quality").revision
    plan = site.apply(DECLARED.replace("datapoints_to_alert = 2", "datapoints_to_alert = 3"))
    assert "alert default.datapoints_to_alert: 2 → 3" in step(plan, "schedule", "churn-quality")
    start, end = DECLARED.index("[monitors.churn-quality.alert]"), DECLARED.index("[targets")
    several = (
        DECLARED[:start]
        + '[[monitors.churn-quality.alerts]]\nname = "soon"\nmin_severity = "critical"\n\n'
        + '[[monitors.churn-quality.alerts]]\nname = "often"\nkeep_firing = 4\n\n'
        + DECLARED[end:]
    )
    plan = site.apply(several)
    assert {r.name: r.keep_firing for r in site.workspace.alerts.rules("churn-quality")} == {
        "often": 4,
        "soon": 1,
    }
    assert "alert default.datapoints_to_alert: 3 → nothing" in step(plan, "schedule", "churn-quality")
    # What a run reads is as it was.
    assert site.workspace.schedules.get("churn-quality").revision == revision
    assert not site.plan(several)


def test_a_schedule_without_the_default_rule_never_shows_it(local: Site) -> None:
    start, end = DECLARED.index("[monitors.churn-quality.alert]"), DECLARED.index("[targets")
    named = DECLARED[:start] + '[[monitors.churn-quality.alerts]]\nname = "soon"\n\n' + DECLARED[end:]
    plan = local.plan(named)
    assert "alert default" not in step(plan, "schedule", "churn-quality")
    plan.apply()
    assert [r.name for r in local.workspace.alerts.rules("churn-quality")] == ["soon"]


def test_a_preprocessor_is_copied_by_its_content(site: Site) -> None:
    script = "def preprocess_handler(record):\n    return record\n"
    (site.folder / "pre.py").write_text(script)
    text = DECLARED.replace(
        'baseline = "churn"\nschedule', 'baseline = "churn"\npreprocessor = "pre.py"\nschedule'
    )
    site.apply(text)
    kept = site.workspace.schedules.get("churn-quality").config["preprocessor"]
    assert (site.folder / kept).read_text() == script
    assert not site.apply(text)
    (site.folder / "pre.py").write_text(script + "# changed\n")
    plan = site.apply(text)
    assert f"preprocessor: {kept} → preprocessors/" in step(plan, "schedule", "churn-quality")
    # Runs that were planned with the old one still find it.
    assert (site.folder / kept).read_text() == script


def test_a_target_that_makes_no_sense_is_refused(local: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    from driftline.monitor import post

    def refuse(*_: object) -> None:
        raise UsageError("makes no sense", code="E-TARGET")

    monkeypatch.setattr(post, "target_of", refuse)
    with pytest.raises(UsageError, match="makes no sense"):
        local.plan()


def test_another_schedule_leaves_the_windows_of_the_first(site: Site) -> None:
    waits = DECLARED.replace(
        'schedule = "cron(0 * ? * * *)"', 'schedule = "cron(0 * ? * * *)"\ndelay = "P2D"'
    )
    site.apply(waits)
    registry = site.workspace.registry
    with registry.write("ann") as tx:
        # As if it had been declared a day ago.
        tx.execute(sa.update(schedules).values(cursor=tx.now - 86_400_000_000))
    daily = waits.replace("cron(0 * ? * * *)", "cron(0 6 ? * * *)")
    site.apply(daily)
    with registry.read() as tx:
        made = executions.history(tx, schedule="churn-quality", limit=100)
        assert len(made) == 24
        assert {e.config["schedule"] for e in made} == {"cron(0 * ? * * *)"}
