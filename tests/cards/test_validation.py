from __future__ import annotations

import json
import math
from typing import Any

import pytest
from card_content import contents, least, path_of, placed
from hypothesis import given
from hypothesis import strategies as st

from driftline.cards.content import serialise
from driftline.cards.errors import CardError
from driftline.cards.limits import METRIC, RULES, ByType, Choice, Items, Map, Number, Object, Text
from driftline.cards.validation import MAX_PROBLEMS, Problem, check, problems

GROUP = "evaluation_details.*.metric_groups.*"
JOB = "training_details.training_job_details"


def wrong(content: object) -> list[str]:
    return [problem.path for problem in problems(content)]


def metric(kind: str, value: Any, **more: Any) -> dict[str, Any]:
    return placed(METRIC, {"name": "m", "type": kind, "value": value, **more})


# --- every rule of the table, at its boundary --------------------------------------------------------------------


def of(kind: type) -> list[str]:
    return [pattern for pattern, rule in RULES.items() if isinstance(rule, kind)]


@pytest.mark.parametrize("pattern", [p for p in of(Text) if RULES[p].high is not None])
def test_texts_at_their_limit(pattern: str) -> None:
    high = RULES[pattern].high
    assert problems(placed(pattern, "é" * high)) == []
    found = problems(placed(pattern, "é" * (high + 1)))
    assert [p.path for p in found] == [path_of(pattern)]
    assert found[0].what == f"has {high + 1:,} characters, at most {high:,} are allowed"


@pytest.mark.parametrize("pattern", of(Text))
def test_texts_hold_whole_characters_only(pattern: str) -> None:
    assert problems(placed(pattern, "a\u202e\x01\U0001f600")) == []
    assert wrong(placed(pattern, "a\x00")) == [path_of(pattern)]
    assert wrong(placed(pattern, "a\ud800")) == [path_of(pattern)]
    assert wrong(placed(pattern, 1)) == [path_of(pattern)]
    assert wrong(placed(pattern, None)) == [path_of(pattern)]


@pytest.mark.parametrize("pattern", of(Text))
def test_texts_that_must_not_be_blank(pattern: str) -> None:
    expected = [path_of(pattern)] if RULES[pattern].low else []
    assert wrong(placed(pattern, "")) == expected
    assert wrong(placed(pattern, " \n")) == expected


@pytest.mark.parametrize("pattern", of(Items))
def test_lists_at_their_limit(pattern: str) -> None:
    rule = RULES[pattern]
    item = least(f"{pattern}.*", rule.of)
    if rule.high is None:
        assert problems(placed(pattern, [item] * 300)) == []
    else:
        assert problems(placed(pattern, [item] * rule.high)) == []
        assert wrong(placed(pattern, [item] * (rule.high + 1))) == [path_of(pattern)]
    assert wrong(placed(pattern, [])) == ([path_of(pattern)] if rule.low else [])
    assert wrong(placed(pattern, "text")) == [path_of(pattern)]
    assert wrong(placed(pattern, {})) == [path_of(pattern)]


@pytest.mark.parametrize("pattern", of(Number))
def test_numbers(pattern: str) -> None:
    minimum = RULES[pattern].minimum
    for value in (1, 1.5, 2**53, 1e300, 2**60):
        assert problems(placed(pattern, value)) == []
    for value in (True, "1", math.nan, math.inf, -math.inf, 2**53 + 1, 10**400):
        assert wrong(placed(pattern, value)) == [path_of(pattern)], value
    for value in (0, 0.99, -1):
        assert wrong(placed(pattern, value)) == ([] if minimum is None else [path_of(pattern)]), value


@pytest.mark.parametrize("pattern", [p for p in of(Choice) if p != f"{METRIC}.type"])
def test_choices_are_exact(pattern: str) -> None:
    texts = RULES[pattern].texts
    for text in texts:
        assert problems(placed(pattern, text)) == []
    for value in (texts[0].upper(), texts[0] + " ", "", 1, ["x"]):
        assert wrong(placed(pattern, value)) == [path_of(pattern)], value
    assert problems(placed(pattern, texts[0].lower()))[0].fix == f"did you mean {texts[0]!r}?"


@pytest.mark.parametrize("pattern", of(Object))
def test_objects_have_no_unknown_key(pattern: str) -> None:
    content: Any = least("") if not pattern else placed(pattern, least(pattern))
    place = content
    for part in [p for p in path_of(pattern).split(".") if p]:
        place = place[int(part) if part.isdigit() else part]
    assert problems(content) == []
    place["no_such_key"] = 1
    assert wrong(content) == [f"{path_of(pattern)}.no_such_key".lstrip(".")]
    del place["no_such_key"]
    for key in list(place):
        if RULES[f"{pattern}.{key}".lstrip(".")].required:
            kept = place.pop(key)
            assert f"{path_of(pattern)}.{key}" in wrong(content)
            place[key] = kept


@pytest.mark.parametrize("pattern", [p for p in of(Object) if p])
def test_objects_are_objects(pattern: str) -> None:
    for value in ([], "x", 1, None):
        assert wrong(placed(pattern, value)) == [path_of(pattern)]


@pytest.mark.parametrize("pattern", of(Map))
def test_maps_have_keys_that_can_be_read(pattern: str) -> None:
    assert problems(placed(pattern, {"custom details1": "x", "1": "y", "ключ": ""})) == []
    assert wrong(placed(pattern, {"": "x"})) == [f"{path_of(pattern)}."]
    assert wrong(placed(pattern, {"a\x00": "x"})) == [f"{path_of(pattern)}.a\x00"]
    assert wrong(placed(pattern, {"a\udfff": "x"})) == [f"{path_of(pattern)}.a\udfff"]
    assert wrong(placed(pattern, {"a": 1})) == [f"{path_of(pattern)}.a"]
    assert wrong(placed(pattern, {1: "x"})) == [f"{path_of(pattern)}.1"]


# --- the limits that people know by heart ------------------------------------------------------------------------


def text(n: int) -> str:
    return "a" * n


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        ("model_overview.model_artifact", ["s3://a"] * 15, ["s3://a"] * 16),
        (f"{JOB}.training_metrics", [{"name": "m", "value": 1}] * 50, [{"name": "m", "value": 1}] * 51),
        (f"{JOB}.user_provided_training_metrics", [{"name": "m", "value": 1}] * 50, [{"name": "m", "value": 1}] * 51),
        (f"{JOB}.hyper_parameters", [{"name": "h"}] * 100, [{"name": "h"}] * 101),
        (f"{JOB}.user_provided_hyper_parameters", [{"name": "h"}] * 100, [{"name": "h"}] * 101),
        ("evaluation_details.*.datasets", ["d"] * 10, ["d"] * 11),
        ("evaluation_details.*.name", text(63), text(64)),
        (f"{GROUP}.name", text(63), text(64)),
        ("evaluation_details.*.evaluation_observation", text(2096), text(2097)),
        ("evaluation_details.*.evaluation_job_arn", text(256), text(257)),
        ("model_overview.model_description", text(1024), text(1025)),
        ("intended_uses.purpose_of_model", text(2048), text(2049)),
        ("training_details.objective_function.function.facet", text(63), text(64)),
        (f"{JOB}.hyper_parameters.*.value", text(255), text(256)),
        ("model_package_details.source_algorithms.*.algorithm_name", text(170), text(171)),
        ("model_overview.model_version", 1, 0.5),
    ],
)  # fmt: skip
def test_known_limits(pattern: str, good: Any, bad: Any) -> None:
    assert problems(placed(pattern, good)) == []
    assert wrong(placed(pattern, bad)) == [path_of(pattern)]


def test_matrix_of_twenty() -> None:
    assert problems(metric("matrix", [[1.0] * 20] * 20)) == []
    place = "evaluation_details.0.metric_groups.0.metric_data.0.value"
    assert wrong(metric("matrix", [[1.0] * 20] * 21)) == [place]
    assert wrong(metric("matrix", [[1.0] * 21])) == [f"{place}.0"]
    assert wrong(metric("matrix", [])) == [place]
    assert wrong(metric("matrix", [[]])) == [f"{place}.0"]


def filled(size: int) -> dict[str, Any]:
    """Return valid content of so many characters, most of them in the additional information."""
    content: dict[str, Any] = {
        "model_overview": {"model_name": "churn"},
        "additional_information": {
            "custom_details": {f"key{i}": "é" * 1024 for i in range(95)} | {"last": ""}
        },
    }
    while (room := size - len(serialise(content))) > 1024:
        content["additional_information"]["custom_details"][f"more{room}"] = "é" * min(1024, room - 40)
    content["additional_information"]["custom_details"]["last"] = "é" * room
    assert len(serialise(content)) == size
    return content


def test_a_hundred_thousand_characters() -> None:
    assert problems(filled(100_000)) == []
    content = filled(100_001)
    largest = len(serialise(content["additional_information"]))
    assert problems(content) == [
        Problem(
            "",
            "the content has 100,001 characters, at most 100,000 are allowed; the largest section, "
            f"additional_information, has {largest:,}",
            "shorten additional_information",
        )
    ]


@pytest.mark.parametrize(
    "name",
    [
        "pre_training_bias_metrics - label y = 1 and facet ",
        "my_stage - label ",
        "explanations - global_shap_values, label=",
        "explanations - global_top_shap_text, label=",
        "explanations - pdp",
    ],
)
def test_names_that_parsers_make_are_longer(name: str) -> None:
    assert problems(placed(f"{GROUP}.name", name.ljust(255, "x"))) == []
    assert wrong(placed(f"{GROUP}.name", name.ljust(256, "x"))) == [
        "evaluation_details.0.metric_groups.0.name"
    ]
    assert wrong(placed("evaluation_details.*.name", name.ljust(64, "x"))) == ["evaluation_details.0.name"]


# --- metrics -----------------------------------------------------------------------------------------------------

VALUE = "evaluation_details.0.metric_groups.0.metric_data.0.value"


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("number", [1, 1.5, -2], ["1", True, [1], math.nan]),
        ("string", ["", text(63)], [1, False, text(64), ["x"]]),
        ("boolean", [True, False], [0, "true", None]),
        ("linear_graph", [[[1, 2]], [[0, 0.5]] * 300], [[], [1, 2], "x", {}]),
        ("bar_chart", [[1], [1.5] * 300], [[], 1, "x"]),
        ("matrix", [[[1]], [[1, 2], [3, 4]]], [[], [1], "x"]),
    ],
)
def test_a_value_fits_its_type(kind: str, good: list[Any], bad: list[Any]) -> None:
    for value in good:
        assert problems(metric(kind, value)) == [], value
    for value in bad:
        assert [p for p in wrong(metric(kind, value)) if not p.startswith(VALUE)] == []
        assert wrong(metric(kind, value)) != [], value


def test_ten_thousand_points() -> None:
    assert problems(metric("bar_chart", [1] * 10_000)) == []
    assert wrong(metric("bar_chart", [1] * 10_001)) == [VALUE]
    assert wrong(metric("linear_graph", [[1, 2]] * 10_001)) == [VALUE]


def test_points_have_two_numbers() -> None:
    assert wrong(metric("linear_graph", [[1, 2], [1], [1, 2, 3], [1, "2"]])) == [
        f"{VALUE}.1",
        f"{VALUE}.2",
        f"{VALUE}.3.1",
    ]


def test_a_wrong_type_is_the_problem_not_its_value() -> None:
    content = metric("numbre", "x")
    assert [str(p) for p in problems(content)] == [
        "evaluation_details.0.metric_groups.0.metric_data.0.type: expected one of number, string, boolean, "
        "linear_graph, bar_chart, matrix, found 'numbre'; did you mean 'number'?"
    ]


@pytest.mark.parametrize("kind", ["number", "linear_graph", "bar_chart", "matrix"])
def test_axes_have_the_form_of_their_shape(kind: str) -> None:
    value = least(f"{METRIC}.value", kind=kind)
    for axis in ("x_axis_name", "y_axis_name"):
        rule = RULES[f"{METRIC}.{axis}"]
        assert isinstance(rule, ByType)
        name, labels = text(63), [text(63)]
        good, bad = (labels, name) if isinstance(rule.rules[kind], Items) else (name, labels)
        assert problems(metric(kind, value, **{axis: good})) == []
        assert wrong(metric(kind, value, **{axis: bad})) == [VALUE.replace("value", axis)]
        long = [text(64)] if isinstance(good, list) else text(64)
        assert len(problems(metric(kind, value, **{axis: long}))) == 1


def test_a_matrix_has_rows_of_one_length_and_labels_for_all() -> None:
    assert (
        problems(
            metric("matrix", [[1, 2, 3], [4, 5, 6]], x_axis_name=["a", "b"], y_axis_name=["c", "d", "e"])
        )
        == []
    )
    assert problems(metric("matrix", [[1, 2]], x_axis_name=[], y_axis_name=[])) == []
    found = problems(metric("matrix", [[1, 2, 3], [4, 5]], x_axis_name=["a"], y_axis_name=["c", "d"]))
    assert [str(p).partition("metric_data.0.")[2] for p in found] == [
        "value.1: has 2 numbers, the first row has 3; give every row the same length",
        "x_axis_name: has 1 labels, the matrix has 2 rows; give one label for each, or none",
        "y_axis_name: has 2 labels, the matrix has 3 columns; give one label for each, or none",
    ]


# --- all at once, and in words -----------------------------------------------------------------------------------


def test_all_problems_at_once() -> None:
    content = {
        "model_overview": {"modle_name": "x", "model_version": 0},
        "intended_uses": {"risk_rating": "high"},
        "evaluation_details": [
            {"name": "a"},
            {"name": "", "metric_groups": [{"name": "g", "metric_data": [{"name": "m", "type": "number"}]}]},
        ],
        "BusinessDetails": {},
    }
    assert [str(p) for p in problems(content)] == [
        "model_overview.modle_name: unknown key; did you mean 'model_name'?",
        "model_overview.model_version: expected at least 1, found 0",
        "intended_uses.risk_rating: expected one of High, Medium, Low, Unknown, found 'high'; did you mean 'High'?",
        "evaluation_details.1.name: must not be empty",
        "evaluation_details.1.metric_groups.0.metric_data.0.value: required and missing",
        "BusinessDetails: unknown key; did you mean 'business_details'?",
    ]
    with pytest.raises(CardError) as caught:
        check(content, "card.json")
    assert str(caught.value) == (
        "E-CARD: card.json: model_overview.modle_name: unknown key (and 5 more problems); "
        "did you mean 'model_name'?"
    )
    assert caught.value.problems == tuple(problems(content))


def test_check_lets_good_content_pass(data: Any) -> None:
    for path in sorted((data / "content").glob("*.json")):
        check(json.loads(path.read_text()), path.name)
    check({})


def test_one_problem_more_is_said_in_the_singular() -> None:
    with pytest.raises(CardError, match=r"\(and 1 more problem\)"):
        check({"a": 1, "b": 2})


@pytest.mark.parametrize("content", [[], "x", 1, None, True])
def test_content_is_an_object(content: object) -> None:
    assert [(p.path, p.what.partition(",")[0]) for p in problems(content)] == [("", "expected an object")]


def test_problems_are_many_at_most() -> None:
    assert len(problems(metric("bar_chart", ["x"] * 5000))) == MAX_PROBLEMS


def test_no_more_is_looked_at_than_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    from driftline.cards import validation

    asked = []
    monkeypatch.setattr(validation, "nearest", lambda key, _: asked.append(key))
    assert len(problems({"model_overview": {f"k{n}": 1 for n in range(3 * MAX_PROBLEMS)}})) == MAX_PROBLEMS
    assert len(asked) == MAX_PROBLEMS


def test_what_nests_too_deep_is_said() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    assert problems({"model_overview": deep}) == [Problem("", "the content nests too deep", "flatten it")]
    around: dict[str, Any] = {}
    around["model_overview"] = around
    assert wrong(around) == [""]


def test_hostile_words_do_not_break_the_line() -> None:
    (problem,) = problems({"a\n\x1b[31m\u202e": 1})
    assert str(problem).isprintable()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_any_json_is_judged(value: Any) -> None:
    for problem in problems(value):
        assert str(problem).isprintable()


@given(st.sampled_from(sorted(p for p in RULES if p)), JSON)
def test_any_json_at_any_place_is_judged(pattern: str, value: Any) -> None:
    for problem in problems(placed(pattern, value)):
        assert str(problem).isprintable()


@given(contents())
def test_what_keeps_the_rules_is_valid(content: dict[str, Any]) -> None:
    assert problems(content) == []
