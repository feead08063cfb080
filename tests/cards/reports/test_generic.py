"""Card metrics: taken as they are where they are right, refused with the field where not."""

from __future__ import annotations

from typing import Any

import pytest

from driftline.cards.reports import parse
from driftline.errors import DocumentError


def one(**fields: Any) -> dict[str, Any]:
    return {"metric_groups": [{"name": "g", "metric_data": [{"name": "m", **fields}]}]}


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "number", "value": 3},
        {"type": "string", "value": "good", "notes": "of the day"},
        {"type": "boolean", "value": False},
        {"type": "linear_graph", "value": [[0, 1], [1, 0]], "x_axis_name": "x", "y_axis_name": "y"},
        {"type": "bar_chart", "value": [1, 2], "x_axis_name": ["a", "b"], "y_axis_name": "n"},
        {"type": "matrix", "value": [[1, 2], [3, 4]], "x_axis_name": ["a", "b"], "y_axis_name": ["a", "b"]},
    ],
)
def test_every_shape_is_taken_as_it_is(fields: dict[str, Any]) -> None:
    report = one(**fields)
    assert parse(report).groups == report["metric_groups"]


def test_tuples_become_lists() -> None:
    metric = parse(one(type="linear_graph", value=((0, 1), (1, 0)))).groups[0]["metric_data"][0]
    assert metric["value"] == [[0, 1], [1, 0]]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"type": "number"}, ".value"),
        ({"type": "number", "value": True}, ".value"),
        ({"type": "number", "value": "3"}, ".value"),
        ({"type": "string", "value": 3}, ".value"),
        ({"type": "boolean", "value": 1}, ".value"),
        ({"type": "line", "value": [[0, 1]]}, ".type"),
        ({"type": "linear_graph", "value": [[0, 1, 2]]}, ".value[0]"),
        ({"type": "linear_graph", "value": [0, 1]}, ".value[0]"),
        ({"type": "bar_chart", "value": [[1]]}, ".value[0]"),
        ({"type": "matrix", "value": {"a": 1}}, ".value"),
        ({"type": "number", "value": 1, "note": "x"}, ""),
    ],
)
def test_wrong_types_are_refused(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(DocumentError) as caught:
        parse(one(**fields), file="metrics.json")
    assert caught.value.field == "metric_groups[0].metric_data[0]" + field


@pytest.mark.parametrize(
    "report",
    [
        {"metric_groups": {}},
        {"metric_groups": [3]},
        {"metric_groups": [{"metric_data": []}]},
        {"metric_groups": [{"name": "g"}]},
        {"metric_groups": [{"name": "g", "metric_data": [], "more": 1}]},
    ],
)
def test_wrong_groups_are_refused(report: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="metric_groups"):
        parse(report, "Model Card Metric Schema")


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "number", "value": None},
        {"type": "number", "value": "NaN"},
        {"type": "bar_chart", "value": []},
        {"type": "bar_chart", "value": [1, None]},
        {"type": "linear_graph", "value": [[0, "NaN"]]},
        {"type": "matrix", "value": [[None]]},
    ],
)
def test_what_has_no_value_is_left_out_or_said(fields: dict[str, Any]) -> None:
    found = parse(one(notes="n", **fields))
    assert found.groups[0]["metric_data"] == []
    assert found.warnings[0].startswith("'m' has no value")
    kept = parse(one(notes="n", **fields), keep_missing=True).groups[0]["metric_data"]
    assert kept == [{"name": "m", "type": "string", "value": "not available", "notes": "n"}]


def test_long_lines_are_thinned_with_a_note() -> None:
    points = [[i, i] for i in range(1500)]
    metric = parse(one(type="linear_graph", value=points, notes="mine")).groups[0]["metric_data"][0]
    assert len(metric["value"]) == 1000
    assert metric["notes"] == "mine; 1,000 of 1,500 points, evenly spaced"
