from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from driftline.cards.enums import EvaluationMetricTypeEnum, MetricTypeEnum
from driftline.cards.evaluation import EvaluationJob, Metric, MetricGroup

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("number", [1, 0.5], [True, "1", None, [1], np.float64(1), np.int64(1), 1j]),
        ("string", ["", "x"], [1, None, ["x"], np.str_("x"), b"x"]),
        ("boolean", [True, False], [1, "true", None, np.bool_(1)]),
        ("linear_graph", [[[1, 2]], [(1, 2)], []], [([1, 2],), np.array([[1, 2]]), "x", {}]),
        ("bar_chart", [[1, 2]], [(1, 2), np.array([1]), 1]),
        ("matrix", [[[1]]], [((1,),), np.eye(2), None]),
    ],
)
def test_a_value_is_of_exactly_the_class_of_its_type(kind: str, good: list[Any], bad: list[Any]) -> None:
    for value in good:
        metric = Metric("m", kind, value)
        assert metric.value == value
        assert metric.type is MetricTypeEnum(kind)
    for value in bad:
        with pytest.raises(ValueError, match=f"a metric of type {kind} has a value of type"):
            Metric("m", kind, value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_number_is_finite(value: float) -> None:
    with pytest.raises(ValueError, match="is not a number that a card can hold"):
        Metric("m", "number", value)


def test_the_fix_for_numpy_and_tuples() -> None:
    with pytest.raises(ValueError, match=r"not numpy.float64; convert it with .tolist\(\)"):
        Metric("m", "number", np.float64(1))
    with pytest.raises(ValueError, match="not tuple; give a list"):
        Metric("m", "bar_chart", (1, 2))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["Number", "", None, 1])
def test_a_type_is_one_that_exists(kind: Any) -> None:
    with pytest.raises(ValueError, match="type"):
        Metric("m", kind, 1)


def test_a_value_that_is_changed_is_judged_anew() -> None:
    metric = Metric("m", MetricTypeEnum.NUMBER, 1)
    with pytest.raises(ValueError, match="has a value of type int or float, not str"):
        metric.value = "x"
    metric.type = "string"
    metric.value = "x"
    assert metric.to_content() == {"name": "m", "type": "string", "value": "x"}


def test_points_that_are_tuples_are_written_as_lists() -> None:
    metric = Metric("m", "linear_graph", [(1, 2), (3, 4)], "n", "x", "y")
    assert metric.to_content() == {
        "name": "m",
        "type": "linear_graph",
        "value": [[1, 2], [3, 4]],
        "notes": "n",
        "x_axis_name": "x",
        "y_axis_name": "y",
    }
    assert json.dumps(metric.to_content())


def test_a_group_takes_metrics() -> None:
    group = MetricGroup("g")
    group.add_metric(Metric("m", "number", 1))
    with pytest.raises(TypeError):
        group.add_metric({"name": "m", "type": "number", "value": 1})  # type: ignore[arg-type]
    assert group.to_content() == {"name": "g", "metric_data": [{"name": "m", "type": "number", "value": 1}]}
    assert MetricGroup.from_content({"name": "g"}).to_content() == {"name": "g", "metric_data": []}


def test_groups_by_name_the_last_of_several() -> None:
    job = EvaluationJob("job")
    first, second = job.add_metric_group("g"), job.add_metric_group("g")
    assert first is not second
    assert job.get_metric_group("g") is second
    assert job.get_metric_group("other") is None
    assert len(job.metric_groups) == 2


def test_datasets_are_at_most_ten() -> None:
    assert len(EvaluationJob("job", datasets=["d"] * 10).datasets) == 10
    with pytest.raises(ValueError, match="room for 10 items"):
        EvaluationJob("job", datasets=["d"] * 11)


def test_an_evaluation_writes_its_members_in_order() -> None:
    job = EvaluationJob("job", "seen", "arn", ["d"], {"k": "v"}, [MetricGroup("g")])
    assert list(job.to_content()) == [
        "name",
        "evaluation_observation",
        "evaluation_job_arn",
        "datasets",
        "metadata",
        "metric_groups",
    ]
    assert EvaluationJob("job").to_content() == {"name": "job", "datasets": [], "metric_groups": []}


REPORTS = [
    ("generic_card_metrics", EvaluationMetricTypeEnum.MODEL_CARD_METRIC_SCHEMA, 3),
    ("clarify_bias", EvaluationMetricTypeEnum.CLARIFY_BIAS, 3),
    ("clarify_explainability", EvaluationMetricTypeEnum.CLARIFY_EXPLAINABILITY, 7),
    ("model_quality_binary", EvaluationMetricTypeEnum.BINARY_CLASSIFICATION, 1),
    ("model_quality_regression", EvaluationMetricTypeEnum.REGRESSION, 1),
]


@pytest.mark.parametrize(("name", "kind", "n_groups"), REPORTS)
def test_groups_are_added_from_a_report(
    name: str, kind: EvaluationMetricTypeEnum, n_groups: int, data: Path
) -> None:
    path = data / "evaluation" / f"{name}.json"
    job = EvaluationJob("job", metric_groups=[MetricGroup("mine")])
    job.add_metric_group_from_json(str(path), kind)
    job.add_metric_group_from_s3(session=None, s3_url=path.as_uri(), metric_type=kind)
    assert len(job.metric_groups) == 1 + 2 * n_groups
    assert job.evaluation_observation is None
    assert all(type(metric) is Metric for group in job.metric_groups for metric in group.metric_data)


def test_a_report_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        EvaluationJob("job").add_metric_group_from_json(str(tmp_path / "none.json"))


def test_a_report_that_does_not_fit_adds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    job = EvaluationJob("job")
    for text in ("{}", "[]", "", '{"metric_groups": 1}', '{"other": 1}'):
        path.write_text(text)
        with pytest.raises(ValueError):  # noqa: PT011
            job.add_metric_group_from_json(path)
    assert job.metric_groups == []


def test_what_a_report_lacks_is_said_in_the_observation(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text('{"regression_metrics": {"mae": {"value": "NaN"}, "mse": {"value": 1.5}}}')
    for before in ("Fine.", None, "x" * 2080):
        job = EvaluationJob("job", before)
        job.add_metric_group_from_json(path, EvaluationMetricTypeEnum.REGRESSION)
        observation = job.evaluation_observation or ""
        assert observation.startswith((before or "") + ("\n" if before else "") + "Not t")
        assert len(observation) <= 2096
        assert ("mae" in observation) == (len(before or "") < 100)
