"""The page on telemetry names every metric with its labels, and every alert rule."""

from __future__ import annotations

import re
from pathlib import Path

from driftline.monitor.telemetry.board import ALERTS
from driftline.monitor.telemetry.metric import METRICS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "telemetry.md").read_text("utf-8")


def test_every_metric_has_a_row() -> None:
    cells = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `driftline_")]
    assert re.findall(r"`(\w+)`", "".join(cells)) == [metric.name for metric in METRICS]


def test_rows_name_the_labels() -> None:
    last: set[str] = set()
    told: dict[str, set[str]] = {}
    for line in PAGE.splitlines():
        if line.startswith("| `driftline_"):
            _, names, labels, _, _ = line.split("|")
            given = set(re.findall(r"`(\w+)`", labels.partition(";")[0]))
            last = last if "the same" in labels else given
            told |= dict.fromkeys(re.findall(r"`(\w+)`", names), last)
    assert told == {metric.name: set(metric.labels) - {"schedule", "endpoint"} for metric in METRICS}


def test_every_alert_rule_has_a_row() -> None:
    rules = re.findall(r"- alert: (\w+)", ALERTS.read_text("utf-8"))
    assert re.findall(r"^\| `(Driftline\w+)` \|", PAGE, flags=re.MULTILINE) == rules
