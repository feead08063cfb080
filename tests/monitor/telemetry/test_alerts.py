"""The alert rules fire when they should, and not before: run by Prometheus's own program."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from promtool import promtool

from driftline.monitor.telemetry.board import ALERTS
from driftline.monitor.telemetry.metric import METRICS

if TYPE_CHECKING:
    from pathlib import Path

LABELS = {metric.name: set(metric.labels) for metric in METRICS}
RULES = {r["alert"]: r for group in yaml.safe_load(ALERTS.read_bytes())["groups"] for r in group["rules"]}

MONITOR = '{schedule="nightly", endpoint="churn"}'


def series(name: str, values: str, **labels: str) -> dict[str, str]:
    told = dict.fromkeys(sorted(LABELS[f"driftline_{name}"]), "x") | {
        key: value
        for key, value in {"schedule": "nightly", "endpoint": "churn"}.items()
        if key in LABELS[f"driftline_{name}"]
    }
    told |= labels
    inside = ", ".join(f"{key}={json.dumps(value)}" for key, value in told.items())
    return {"series": f"driftline_{name}{{{inside}}}", "values": values}


def silent(age: str) -> list[dict[str, str]]:
    return [
        series("last_success_age_seconds", age),
        series("schedule_period_seconds", "3600x600"),
        series("schedule_delay_seconds", "600x600"),
    ]


# rule, what Prometheus sees once a minute, the minute at which it is asked, whether the rule fires
CASES = [
    ("DriftlineMetricsMissing", [series("info", "1x600")], 60, False),
    ("DriftlineMetricsMissing", [], 9, False),
    ("DriftlineMetricsMissing", [], 11, True),
    ("DriftlineNoScheduler", [series("schedulers", "1x600")], 60, False),
    ("DriftlineNoScheduler", [series("schedulers", "1x9 0x4 1x600")], 60, False),
    ("DriftlineNoScheduler", [series("schedulers", "0x600")], 6, True),
    ("DriftlineMonitorSilent", silent("9600x600"), 60, False),
    ("DriftlineMonitorSilent", silent("9601x600"), 60, True),
    ("DriftlineMonitorLate", [series("schedule_lag_seconds", "0+60x600")], 18, False),
    ("DriftlineMonitorLate", [series("schedule_lag_seconds", "0+60x600")], 22, True),
    ("DriftlineScheduleFailed", [series("schedule_status", "0x600", status="Failed")], 10, False),
    ("DriftlineScheduleFailed", [series("schedule_status", "1x600", status="Failed")], 10, True),
    ("DriftlineScheduleFailed", [series("schedule_status", "1x600", status="Stopped")], 10, False),
    ("DriftlineRunsFailing", [series("executions_total", "0x59 1x600", status="Failed")], 200, False),
    (
        "DriftlineRunsFailing",
        [series("executions_total", "0x59 1x59 2x59 3x600", status="Failed")],
        200,
        True,
    ),
    ("DriftlineRunsFailing", [series("executions_total", "0+1x600", status="NoData")], 200, False),
    ("DriftlineDeadLetters", [series("outbox_dead", "0x600")], 60, False),
    ("DriftlineDeadLetters", [series("outbox_dead", "0x30 1x600")], 60, True),
    ("DriftlineNotificationsLate", [series("outbox_oldest_seconds", "800x600")], 60, False),
    ("DriftlineNotificationsLate", [series("outbox_oldest_seconds", "1000x600")], 60, True),
    ("DriftlineAlertOpen", [series("alerts_open", "1x600", state="snoozed", severity="critical")], 60, False),
    ("DriftlineAlertOpen", [series("alerts_open", "1x600", state="open", severity="critical")], 60, True),
    ("DriftlineRuleFiring", [series("alert_rule_firing", "0x600")], 60, False),
    ("DriftlineRuleFiring", [series("alert_rule_firing", "1x600")], 60, True),
    ("DriftlineNoData", [series("rows", "0x700 5x600", kind="captured")], 1500, False),
    ("DriftlineNoData", [series("rows", "0x1600", kind="captured")], 1500, True),
    ("DriftlineCannotJudge", [series("undetermined", "5x1600"), series("checks", "10x1600")], 1500, False),
    ("DriftlineCannotJudge", [series("undetermined", "6x1600"), series("checks", "10x1600")], 1500, True),
    ("DriftlineCannotJudge", [series("undetermined", "0x1600"), series("checks", "0x1600")], 1500, False),
    ("DriftlineMeasurementsDropped", [series("measurements_dropped", "0x600")], 60, False),
    ("DriftlineMeasurementsDropped", [series("measurements_dropped", "3x600")], 60, True),
]


def ran_with(
    tmp_path: Path, rule: str, seen: list[dict[str, str]], minute: int, expected: list[Any]
) -> tuple[int, str]:
    file = tmp_path / "test.json"
    case = {
        "interval": "1m",
        "input_series": seen,
        "alert_rule_test": [{"eval_time": f"{minute}m", "alertname": rule, "exp_alerts": expected}],
    }
    file.write_text(
        json.dumps({"rule_files": [str(ALERTS)], "evaluation_interval": "1m", "tests": [case]}),
        encoding="utf-8",
    )
    return promtool("test", "rules", file)


@pytest.mark.parametrize(("rule", "seen", "minute", "fires"), CASES)
def test_rules_fire_when_they_should(
    rule: str, seen: list[dict[str, str]], minute: int, fires: bool, tmp_path: Path
) -> None:
    # Where none is expected promtool fails for any that fires, whatever its labels.
    status, printed = ran_with(tmp_path, rule, seen, minute, [])
    assert (status != 0) is fires, printed
    assert ("FAILED" in printed) is fires
    assert (f'alertname="{rule}"' in printed) is fires


def test_every_rule_has_a_case_for_and_one_against() -> None:
    assert {rule for rule, *_, fires in CASES if fires} == set(RULES)
    assert {rule for rule, *_, fires in CASES if not fires} == set(RULES)


def test_an_alert_says_which_monitor_and_for_how_long(tmp_path: Path) -> None:
    expected = {
        "exp_labels": {"schedule": "nightly", "endpoint": "churn", "severity": "critical"},
        "exp_annotations": {
            "summary": "Monitor nightly is silent",
            "description": "nightly on churn has not succeeded for 2h 46m 40s, which is more than two of its periods.",
        },
    }
    status, printed = ran_with(tmp_path, "DriftlineMonitorSilent", silent("10000x600"), 60, [expected])
    assert status == 0, printed


def test_prometheus_reads_the_rules() -> None:
    status, printed = promtool("check", "rules", ALERTS)
    assert status == 0, printed
    assert f"{len(RULES)} rules found" in printed


@pytest.mark.parametrize("name", RULES)
def test_rules_say_what_is_the_matter(name: str) -> None:
    rule = RULES[name]
    names = re.findall(r"\bdriftline_\w+", rule["expr"])
    assert set(names) <= set(LABELS)
    assert set(rule["annotations"]) == {"summary", "description"}
    told = set(re.findall(r"\$labels\.(\w+)", json.dumps(rule["annotations"])))
    assert told <= set.union(*(LABELS[name] for name in names))
    severity = rule["labels"].get("severity")
    assert severity in ("info", "warning", "critical") or "severity" in set.union(*(LABELS[n] for n in names))
