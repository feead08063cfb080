"""The metrics of one side."""

from __future__ import annotations

import math
from typing import Any

import pytest

from driftline.baselines.analysis import Analysis, FacetResult, MetricValue, Stage, read_analysis
from driftline.monitor.bias.binary import Kind
from driftline.monitor.bias.numbers import frozen_of, numbers_of_analysis
from driftline.monitor.bias.settings import read_settings

GIVEN: dict[str, Any] = {
    "label": "Target",
    "positive": [1],
    "prediction": "guess",
    "facets": [{"column": "Sex", "values": [0]}],
    "group": "age",
}


def analysis(label: str = "1", **facets: list[str]) -> Analysis:
    metrics = (
        MetricValue("DPL", "", 0.1),
        MetricValue("KL", "", None, "too small"),
        MetricValue("CI", "", 0.2),
    )
    stage = Stage(
        "Target",
        label,
        {name: tuple(FacetResult(text, metrics) for text in texts) for name, texts in facets.items()},
    )
    return Analysis(pre_training=stage)


def test_how_clarify_read_the_columns_is_told_by_its_texts() -> None:
    frozen = frozen_of(analysis(Sex=["0"]), read_settings(GIVEN))
    assert [group.text for axis in frozen.axes for group in axis.groups] == ["Sex=0"]
    assert frozen.label is not None
    assert (frozen.label.kind, frozen.label.values) == (Kind.CATEGORICAL, (1,))
    continuous = read_settings(
        {**GIVEN, "facets": [{"column": "age", "threshold": 45}], "label_threshold": 3} | {"positive": None}
    )
    frozen = frozen_of(analysis("(3, 5]", age=["(45, 90]"]), continuous)
    (axis,) = frozen.axes
    assert (axis.rules[0][0].threshold, axis.rules[0][0].text) == (45.0, "(45, 90]")
    assert frozen.label is not None
    assert frozen.label.threshold == 3.0


def test_each_value_against_the_rest() -> None:
    frozen = frozen_of(analysis(race=["a", "b"]), read_settings({**GIVEN, "facets": [{"column": "race"}]}))
    assert [group.text for axis in frozen.axes for group in axis.groups] == ["race=a", "race=b"]


def test_facets_that_only_one_side_has_are_left_out() -> None:
    assert frozen_of(analysis(Sex=["1"]), read_settings(GIVEN)).axes == ()
    assert frozen_of(analysis(race=["0"]), read_settings(GIVEN)).axes == ()


def test_values_have_no_error_and_keep_their_reasons() -> None:
    settings = read_settings(GIVEN)
    found = analysis(Sex=["0"])
    numbers = numbers_of_analysis(found, frozen_of(found, settings), settings)
    assert numbers.estimates["Sex=0", "DPL"].scaled == pytest.approx(0.1)
    assert numbers.estimates["Sex=0", "DPL"].error == 0.0
    assert numbers.estimates["Sex=0", "KL"].reason == "too small"


def test_infinities_of_a_published_run(data: Any) -> None:
    path = data / "clarify" / "bias" / "weather_baseline_infinity_analysis.json"
    found = read_analysis(path.read_bytes())
    given = {
        **GIVEN,
        "label": "value",
        "positive": None,
        "label_threshold": 0,
        "facets": [{"column": "city", "threshold": 100}],
    }
    assert found.post_training is not None
    settings = read_settings({k: v for k, v in given.items() if v is not None})
    numbers = numbers_of_analysis(found, frozen_of(found, settings), settings)
    infinite = [one for one in numbers.estimates.values() if one.value is not None and math.isinf(one.value)]
    assert infinite
    assert {one.reason for one in infinite} == {"it is infinite"}
    assert {one.scaled for one in infinite} == {None}
