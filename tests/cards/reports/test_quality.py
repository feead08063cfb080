"""Model quality: the defects of SageMaker's parser are not there, and too much is folded or thinned with a note."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from driftline.cards.reports import parse
from driftline.cards.validation import problems
from driftline.errors import DocumentError

BINARY = "binary_classification_metrics"


def parsed(
    metrics: dict[str, Any], key: str = BINARY, **options: Any
) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    found = parse({key: metrics}, **options)
    assert problems({"evaluation_details": [{"name": "x", "metric_groups": found.groups}]}) == []
    return found.groups[0]["metric_data"], found.warnings


@pytest.mark.parametrize(
    "value", ["NaN", "nan", "Infinity", "-inf", None, math.nan, -math.inf, np.float64("nan")]
)
def test_a_metric_without_value_is_left_out_and_told(value: Any) -> None:
    given = {"a": {"value": value, "standard_deviation": 0.1}, "b": {"value": 1}}
    metrics, warnings = parsed(given)
    assert [m["name"] for m in metrics] == ["a - standard_deviation", "b"]
    assert warnings == ("a has no value",)


def test_a_metric_without_value_can_be_kept() -> None:
    metrics, warnings = parsed({"a": {"value": "NaN"}}, keep_missing=True)
    assert metrics == [{"name": "a", "type": "string", "value": "not available"}]
    assert warnings == ("a has no value",)


@pytest.mark.parametrize("deviation", [{}, {"standard_deviation": "NaN"}, {"standard_deviation": None}])
def test_a_missing_deviation_is_nothing(deviation: dict[str, Any]) -> None:
    assert parsed({"a": {"value": 0.25, **deviation}}) == (
        [{"name": "a", "type": "number", "value": 0.25}],
        (),
    )


@pytest.mark.parametrize(
    ("metrics", "field"),
    [
        ({"a": {"value": True}}, "a.value"),
        ({"a": {"value": "0.5"}}, "a.value"),
        ({"a": {"value": [1]}}, "a.value"),
        ({"a": {"value": 10**400}}, "a.value"),
        ({"a": {"standard_deviation": 1}}, "a.value"),
        ({"a": 0.5}, "a"),
        ({"a": {"value": 1, "standard_deviation": "much"}}, "a.standard_deviation"),
        ({"confusion_matrix": [[1]]}, "confusion_matrix"),
        ({"confusion_matrix": {"0": {"0": "one"}}}, "confusion_matrix.0.0"),
        ({"precision_recall_curve": {"recalls": [0, 1]}}, "precision_recall_curve.precisions"),
        ({"precision_recall_curve": {"recalls": [0, 1], "precisions": [1]}}, "precision_recall_curve"),
        ({"precision_recall_curve": {"recalls": 1, "precisions": [1]}}, "precision_recall_curve.recalls"),
    ],
)  # fmt: skip
def test_wrong_types_name_the_file_and_the_field(metrics: dict[str, Any], field: str) -> None:
    with pytest.raises(DocumentError) as caught:
        parse({BINARY: metrics}, file="statistics.json")
    assert caught.value.file == "statistics.json"
    assert caught.value.field == f"{BINARY}.{field}"


def test_a_ragged_matrix_keeps_its_labels() -> None:
    metrics, _ = parsed({"confusion_matrix": {"a": {"b": 2}, "b": {"b": 3, "a": 1}}})
    (matrix,) = metrics
    assert (matrix["x_axis_name"], matrix["y_axis_name"]) == (["a", "b"], ["b", "a"])
    assert matrix["value"] == [[2, 0], [3, 1]]
    assert matrix["notes"] == "cells that the report leaves out are 0"


def test_a_matrix_in_another_order_keeps_its_cells() -> None:
    (matrix,), _ = parsed({"confusion_matrix": {"a": {"a": 1, "b": 2}, "b": {"b": 4, "a": 3}}})
    assert matrix["value"] == [[1, 2], [3, 4]]


def test_of_many_classes_those_with_most_rows_are_kept() -> None:
    names = [f"c{i}" for i in range(25)]
    counts = {a: {b: (100 + i if a == b else 1) for b in names} for i, a in enumerate(names)}
    (matrix,), _ = parsed({"confusion_matrix": counts})
    kept = [f"c{i}" for i in range(6, 25)]
    assert matrix["x_axis_name"] == matrix["y_axis_name"] == [*kept, "other"]
    assert sum(map(sum, matrix["value"])) == sum(sum(row.values()) for row in counts.values())
    assert matrix["value"][0][:2] == [106, 1]
    # Six classes are folded: 100 to 105 right ones, and each pair of them once.
    assert matrix["value"][-1][-1] == sum(range(100, 106)) + 30
    assert matrix["notes"] == "the 19 classes with most rows of 25; 'other' is all the others together"


def test_a_class_may_be_called_other() -> None:
    names = ["other", *(f"c{i}" for i in range(24))]
    counts = {a: dict.fromkeys(names, 1 + (a == "other")) for a in names}
    (matrix,), _ = parsed({"confusion_matrix": counts})
    assert matrix["x_axis_name"][0] == "other"
    assert matrix["x_axis_name"][-1] == "other classes"


def test_twenty_classes_are_not_folded() -> None:
    names = [str(i) for i in range(20)]
    (matrix,), _ = parsed({"confusion_matrix": {a: dict.fromkeys(names, 1) for a in names}})
    assert matrix["x_axis_name"] == names
    assert "notes" not in matrix


@pytest.mark.parametrize("cells", [{"a": {"a": None}}, {"a": {}}, {}])
def test_a_matrix_without_numbers_is_missing(cells: Any) -> None:
    metrics, warnings = parsed({"confusion_matrix": cells, "b": {"value": 1}})
    assert [m["name"] for m in metrics] == ["b"]
    assert warnings[0].startswith("confusion_matrix has no value: ")


def test_a_long_curve_is_thinned_and_keeps_its_ends() -> None:
    xs = [i / 4000 for i in range(4001)]
    curve = {"recalls": xs, "precisions": [1 - x for x in xs]}
    (line,), _ = parsed({"precision_recall_curve": curve})
    assert len(line["value"]) == 1000
    assert (line["value"][0], line["value"][-1]) == ([0, 1], [1, 0])
    assert line["notes"] == "1,000 of 4,001 points, evenly spaced"


def test_a_curve_of_a_thousand_points_is_whole() -> None:
    curve = {"recalls": list(range(1000)), "precisions": list(range(1000))}
    (line,), _ = parsed({"precision_recall_curve": curve})
    assert len(line["value"]) == 1000
    assert "notes" not in line


def test_points_without_numbers_are_left_out() -> None:
    curve = {"recalls": [0, "NaN", 1], "precisions": [1, 1, None]}
    (line,), warnings = parsed({"precision_recall_curve": curve})
    assert line["value"] == [[0, 1]]
    assert line["notes"] == "2 of 3 points have no value and are left out"
    assert warnings == ("precision_recall_curve: 2 of 3 points have no value and are left out",)


def test_numpy_and_tuples_become_plain() -> None:
    given = {
        "a": {"value": np.float32(0.5), "standard_deviation": np.float64(0.25)},
        "b": {"value": np.int64(3)},
        "confusion_matrix": {np.int64(0): {0: np.int32(4), 1: 0}, np.int64(1): {0: 1, 1: 2}},
        "precision_recall_curve": {"recalls": np.array([0.0, 1.0]), "precisions": (1.0, np.float32(0.5))},
    }
    metrics, _ = parsed(given)
    values = {m["name"]: m["value"] for m in metrics}
    assert values == {
        "a": 0.5, "a - standard_deviation": 0.25, "b": 3,
        "confusion_matrix": [[4, 0], [1, 2]], "precision_recall_curve": [[0.0, 1.0], [1.0, 0.5]],
    }  # fmt: skip
    assert all(type(values[name]) in (int, float) for name in ("a", "b"))
    assert all(type(x) is float for pair in values["precision_recall_curve"] for x in pair)


@pytest.mark.parametrize("value", [object(), 1j, b"1", {1, 2}])
def test_what_json_cannot_hold_is_refused(value: Any) -> None:
    with pytest.raises(DocumentError, match=r"binary_classification_metrics\.a\.value: a value of type"):
        parse({BINARY: {"a": {"value": value}}})


def test_what_holds_itself_is_refused() -> None:
    inner: dict[str, Any] = {}
    inner["a"] = inner
    with pytest.raises(DocumentError, match="E-JSON-DEPTH"):
        parse({BINARY: inner})
