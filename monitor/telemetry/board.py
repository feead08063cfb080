"""Board: the Grafana board on the metrics; ``python -m driftline.monitor.telemetry.board`` writes its file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

__all__ = ["ALERTS", "BOARD", "board", "board_text"]

FOLDER: Final = Path(__file__).resolve().parents[1] / "grafana"

BOARD: Final = FOLDER / "driftline.json"
"""The board, ready to be imported."""

ALERTS: Final = FOLDER / "alerts.yaml"
"""The alert rules for Prometheus."""

_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
_MINE = 'endpoint=~"$endpoint", schedule=~"$schedule"'
_WIDTH = 24

Panel = dict[str, Any]


def board() -> dict[str, Any]:
    """Return the board: a row on what needs somebody, one on the data, one on the runs, one on the processes."""
    rows: list[tuple[str, list[Panel]]] = [
        (
            "What needs somebody",
            [
                _stat(
                    "Open alerts",
                    _once('driftline_alerts_open{endpoint=~"$endpoint", state="open"}'),
                    bad=1,
                ),
                _stat("Violated measurements", _once(f"driftline_feature_violated{{{_MINE}}}"), bad=1),
                _stat(
                    "Monitors set aside",
                    _once(f'driftline_schedule_status{{{_MINE}, status="Failed"}}'),
                    bad=1,
                ),
                _stat("Longest wait", f"max(driftline_schedule_lag_seconds{{{_MINE}}})", unit="s", bad=900),
                _stat("Undelivered notifications", _once("driftline_outbox_dead"), bad=1),
                _stat("Schedulers", "max(driftline_schedulers)", good=1),
            ],
        ),
        (
            "Data",
            [
                _lines(
                    "Measurements of $feature",
                    (
                        f'driftline_measurement{{{_MINE}, feature=~"$feature", check=~"$check"}}',
                        "{{schedule}} {{feature}} {{check}}",
                    ),
                    (
                        f'driftline_measurement_bound{{{_MINE}, feature=~"$feature", check=~"$check"}}',
                        "bound of {{schedule}} {{feature}} {{check}}",
                    ),
                    width=16,
                    height=10,
                ),
                _table(
                    "Violated now",
                    f"driftline_measurement{{{_MINE}}} and driftline_feature_violated{{{_MINE}}} == 1",
                    hidden=("__name__", "instance", "job", "metric", "Time"),
                ),
                _lines(
                    "Violations",
                    (f"driftline_violations{{{_MINE}}}", "{{schedule}} {{severity}}"),
                ),
                _lines(
                    "Checks that could not be judged",
                    (
                        f"driftline_undetermined{{{_MINE}}} / (driftline_checks{{{_MINE}}} > 0)",
                        "{{schedule}}",
                    ),
                    unit="percentunit",
                ),
                _lines("Rows of a window", (f"driftline_rows{{{_MINE}}}", "{{schedule}} {{kind}}")),
            ],
        ),
        (
            "Runs",
            [
                _lines(
                    "Runs by how they ended",
                    (
                        "sum by (status) (max without (instance) "
                        f"(increase(driftline_executions_total{{{_MINE}}}[$__rate_interval])))",
                        "{{status}}",
                    ),
                ),
                _lines(
                    "Since the last success",
                    (f"driftline_last_success_age_seconds{{{_MINE}}}", "{{schedule}}"),
                    unit="s",
                ),
                _lines(
                    "Duration of the newest run",
                    (f"driftline_execution_duration_seconds{{{_MINE}}}", "{{schedule}}"),
                    unit="s",
                ),
                _lines("Wait", (f"driftline_schedule_lag_seconds{{{_MINE}}}", "{{schedule}}"), unit="s"),
                _lines("Alert rules", (f"driftline_alert_rule_firing{{{_MINE}}}", "{{schedule}} {{rule}}")),
                _lines(
                    "Alerts by state",
                    (
                        'sum by (severity, state) (max without (instance) (driftline_alerts_open{endpoint=~"$endpoint"}))',
                        "{{severity}} {{state}}",
                    ),
                ),
            ],
        ),
        (
            "Processes",
            [
                _lines(
                    "Executions",
                    ("max(driftline_executions_pending)", "waiting"),
                    ("max(driftline_executions_running)", "running"),
                ),
                _lines(
                    "Notifications",
                    ("max by (target) (driftline_outbox_waiting)", "{{target}} waiting"),
                    ("max by (target) (driftline_outbox_dead)", "{{target}} given up"),
                ),
                _lines(
                    "Series left out",
                    (f"driftline_measurements_dropped{{{_MINE}}}", "{{schedule}}"),
                ),
            ],
        ),
    ]
    return {
        "uid": "driftline",
        "title": "driftline",
        "description": "What the monitors of driftline measure, how they run, and what needs somebody.",
        "tags": ["driftline", "drift", "model monitoring"],
        "schemaVersion": 38,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "1m",
        "time": {"from": "now-7d", "to": "now"},
        "timezone": "browser",
        "annotations": {"list": []},
        "links": [],
        "templating": {
            "list": [
                {
                    "name": "datasource",
                    "label": "Data source",
                    "type": "datasource",
                    "query": "prometheus",
                    "refresh": 1,
                    "hide": 0,
                },
                _variable("endpoint", "Endpoint", "label_values(driftline_schedule_status, endpoint)"),
                _variable(
                    "schedule",
                    "Monitor",
                    'label_values(driftline_schedule_status{endpoint=~"$endpoint"}, schedule)',
                ),
                _variable("feature", "Feature", f"label_values(driftline_measurement{{{_MINE}}}, feature)"),
                _variable("check", "Check", f"label_values(driftline_measurement{{{_MINE}}}, check)"),
            ]
        },
        "panels": _placed(rows),
    }


def _once(series: str) -> str:
    """Return the sum over series, each once however many processes tell it; 0 where there is none."""
    return f"sum(max without (instance) ({series})) or vector(0)"


def board_text() -> str:
    """Return the board as it is in its file."""
    return json.dumps(board(), indent=2, ensure_ascii=False) + "\n"


def _variable(name: str, label: str, query: str) -> dict[str, Any]:
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": _SOURCE,
        "query": {"query": query, "refId": name},
        "definition": query,
        "refresh": 2,
        "sort": 1,
        "includeAll": True,
        "allValue": ".*",
        "multi": True,
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
        "hide": 0,
    }


def _placed(rows: list[tuple[str, list[Panel]]]) -> list[Panel]:
    """Give every panel its number and its place: from left to right, below one another where a line is full."""
    placed: list[Panel] = []
    y = 0
    for title, panels in rows:
        placed.append(
            {"id": len(placed) + 1, "type": "row", "title": title, "collapsed": False, "panels": []}
        )
        placed[-1]["gridPos"] = {"x": 0, "y": y, "w": _WIDTH, "h": 1}
        y += 1
        x = height = 0
        for panel in panels:
            w, h = panel.pop("size")
            if x + w > _WIDTH:
                x, y, height = 0, y + height, 0
            placed.append({"id": len(placed) + 1, **panel, "gridPos": {"x": x, "y": y, "w": w, "h": h}})
            x, height = x + w, max(height, h)
        y += height
    return placed


def _stat(
    title: str, expr: str, *, unit: str = "short", bad: int | None = None, good: int | None = None
) -> Panel:
    steps: list[dict[str, Any]] = [{"color": "green" if good is None else "red", "value": None}]
    if bad is not None:
        steps.append({"color": "red", "value": bad})
    if good is not None:
        steps.append({"color": "green", "value": good})
    return {
        "type": "stat",
        "title": title,
        "datasource": _SOURCE,
        "size": (4, 4),
        "targets": [_target(0, expr, "", instant=True)],
        "fieldConfig": {
            "defaults": {"unit": unit, "thresholds": {"mode": "absolute", "steps": steps}},
            "overrides": [],
        },
        "options": {"colorMode": "background", "reduceOptions": {"calcs": ["lastNotNull"]}},
    }


def _lines(
    title: str, *series: tuple[str, str], unit: str = "short", width: int = 8, height: int = 8
) -> Panel:
    return {
        "type": "timeseries",
        "title": title,
        "datasource": _SOURCE,
        "size": (width, height),
        "targets": [_target(n, expr, legend) for n, (expr, legend) in enumerate(series)],
        "fieldConfig": {
            "defaults": {"unit": unit, "custom": {"drawStyle": "line", "lineInterpolation": "stepAfter"}},
            "overrides": [],
        },
        "options": {
            "legend": {"displayMode": "list", "placement": "bottom"},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
    }


def _table(title: str, expr: str, *, hidden: tuple[str, ...]) -> Panel:
    return {
        "type": "table",
        "title": title,
        "datasource": _SOURCE,
        "size": (8, 10),
        "targets": [{**_target(0, expr, "", instant=True), "format": "table"}],
        "transformations": [
            {"id": "organize", "options": {"excludeByName": dict.fromkeys(hidden, True), "indexByName": {}}}
        ],
        "fieldConfig": {"defaults": {}, "overrides": []},
        "options": {"showHeader": True},
    }


def _target(number: int, expr: str, legend: str, *, instant: bool = False) -> dict[str, Any]:
    return {
        "refId": chr(ord("A") + number),
        "datasource": _SOURCE,
        "expr": expr,
        "legendFormat": legend,
        "instant": instant,
        "range": not instant,
    }


if __name__ == "__main__":
    BOARD.write_text(board_text(), encoding="utf-8")
