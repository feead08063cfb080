"""The board and the alert rules ask for what is told, in queries that Prometheus reads."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from promtool import promtool

from driftline.monitor.telemetry.board import ALERTS, BOARD, board, board_text
from driftline.monitor.telemetry.metric import METRICS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LABELS = {metric.name: set(metric.labels) for metric in METRICS}
STANDS_FOR = {
    "$__rate_interval": "5m",
    "$endpoint": ".*",
    "$schedule": ".*",
    "$feature": ".*",
    "$check": ".*",
}

PANELS = [panel for panel in board()["panels"] if panel["type"] != "row"]
VARIABLES = board()["templating"]["list"]
RULES = [rule for group in yaml.safe_load(ALERTS.read_bytes())["groups"] for rule in group["rules"]]


def queries() -> Iterator[tuple[str, str]]:
    for panel in PANELS:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    for variable in VARIABLES[1:]:
        yield variable["name"], variable["definition"]
    for rule in RULES:
        yield rule["alert"], rule["expr"]


def resolved(expr: str) -> str:
    for name, value in STANDS_FOR.items():
        expr = expr.replace(name, value)
    return expr


@pytest.mark.parametrize(("where", "expr"), list(queries()))
def test_queries_name_metrics_and_labels_that_are_told(where: str, expr: str) -> None:
    names = re.findall(r"\bdriftline_\w+", expr)
    assert names
    assert set(names) <= set(LABELS)
    for name, selector in re.findall(r"\b(driftline_\w+)\{(.*?)\}", expr):
        assert set(re.findall(r"(\w+)=", selector)) <= LABELS[name]
    for grouping in re.findall(r"\bby \((.*?)\)", expr):
        assert set(grouping.split(", ")) <= set.union(*(LABELS[name] for name in names))


def recorded(tmp_path: Path, expr: str) -> tuple[int, str]:
    file = tmp_path / "rules.json"
    rule = {"record": "checked:by:promtool", "expr": resolved(expr)}
    file.write_text(json.dumps({"groups": [{"name": "board", "rules": [rule]}]}), encoding="utf-8")
    return promtool("check", "rules", file)


def test_prometheus_reads_the_queries_of_the_board(tmp_path: Path) -> None:
    exprs = [target["expr"] for panel in PANELS for target in panel["targets"]]
    exprs += [v["definition"].removeprefix("label_values(").rpartition(",")[0] for v in VARIABLES[1:]]
    assert not any("$" in resolved(expr) for expr in exprs)
    rules = [{"record": f"board:{n}", "expr": resolved(expr)} for n, expr in enumerate(exprs)]
    file = tmp_path / "rules.json"
    file.write_text(json.dumps({"groups": [{"name": "board", "rules": rules}]}), encoding="utf-8")
    status, printed = promtool("check", "rules", file)
    assert status == 0, printed
    assert f"{len(exprs)} rules found" in printed


def test_promtool_would_object(tmp_path: Path) -> None:
    assert recorded(tmp_path, "sum(driftline_rows")[0] != 0
    assert recorded(tmp_path, "sum(driftline_rows)")[0] == 0


def test_the_file_is_the_board() -> None:
    assert BOARD.read_text(encoding="utf-8") == board_text()
    assert json.loads(board_text()) == board()


def test_panels_have_numbers_and_places_of_their_own() -> None:
    panels = board()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    titles = [panel["title"] for panel in panels]
    assert len(set(titles)) == len(titles)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        assert 0 <= place["x"] <= 24 - place["w"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken
        taken |= cells


def test_everything_asks_the_chosen_data_source() -> None:
    assert VARIABLES[0]["type"] == "datasource"
    assert VARIABLES[0]["query"] == "prometheus"
    chosen = {"type": "prometheus", "uid": "${datasource}"}
    parts: list[dict[str, Any]] = [*PANELS, *(t for p in PANELS for t in p["targets"]), *VARIABLES[1:]]
    assert all(part["datasource"] == chosen for part in parts)


def test_variables_are_declared_and_used() -> None:
    declared = [variable["name"] for variable in VARIABLES]
    used = set(re.findall(r"\$\{?(\w+)", board_text())) - {"__rate_interval", "__all"}
    assert used == set(declared)
    for n, variable in enumerate(VARIABLES):
        # A variable asks only for those before it.
        assert set(re.findall(r"\$(\w+)", variable.get("definition", ""))) <= set(declared[:n])


def test_legends_name_labels() -> None:
    for panel in PANELS:
        for target in panel["targets"]:
            names = re.findall(r"\bdriftline_\w+", target["expr"])
            told = set.union(*(LABELS[name] for name in names))
            assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= told
        assert [t["refId"] for t in panel["targets"]] == ["A", "B", "C"][: len(panel["targets"])]


def test_what_people_need_is_on_the_board() -> None:
    """Every metric is shown, asked for by a rule, or only describes another."""
    asked = {name for _, expr in queries() for name in re.findall(r"\bdriftline_\w+", expr)}
    assert set(LABELS) - asked == {
        "driftline_last_run_timestamp_seconds",
        "driftline_window_end_timestamp_seconds",
        "driftline_scheduler_seen_age_seconds",
    }
