"""Which rows belong to the group: decided once, applied to every window."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.documents import Node, decode, encode
from driftline.errors import DocumentError, SchemaError
from driftline.kernels.fairness import UNKNOWN
from driftline.monitor.bias.binary import (
    OTHER,
    Kind,
    Rule,
    canonical,
    coded,
    freeze,
    group_of,
    kind_of,
    predicted_labels,
    read_rule,
)
from driftline.monitor.bias.column import Column, column_of


def column(values: list, kind: pa.DataType | None = None, *, textual: bool = False) -> Column:
    return column_of("c", pa.array(values, kind), textual=textual)


@pytest.mark.parametrize(
    ("values", "n_values", "kind"),
    [
        ([1.0, 2.0, 3.0], 1, Kind.CONTINUOUS),
        (["a", "b", "c"], 1, Kind.CATEGORICAL),
        (["1"] * 40 + ["2"], 1, Kind.CATEGORICAL),
        (["1"] * 38 + ["2"] * 2, 1, Kind.CONTINUOUS),
        (["1", "2", None], 1, Kind.CATEGORICAL),
        ([1, 2, 3], 1, Kind.CONTINUOUS),
        ([1, 2, 3], 0, Kind.CONTINUOUS),
        ([1, 2, 3], 3, Kind.CATEGORICAL),
        ([0, 1] + [0] * 38, 1, Kind.CONTINUOUS),
        ([0, 1] + [0] * 39, 1, Kind.CATEGORICAL),
        ([True, False], 1, Kind.CATEGORICAL),
        ([], 1, Kind.CATEGORICAL),
    ],
)
def test_type_follows_the_sample(values: list, n_values: int, kind: Kind) -> None:
    assert kind_of(column(values), n_values) is kind


def test_declared_categories_stay_categories() -> None:
    assert kind_of(column_of("c", pa.array([1, 2, 3]).dictionary_encode()), 1) is Kind.CATEGORICAL


@pytest.mark.parametrize(
    ("alike", "apart"),
    [
        ([1, 1.0, "1", "1.0", True], [2, "01", "1.00", "one", 1.5]),
        (["x"], ["X", "x "]),
        ([0.5, "0.5"], ["0.50", 0]),
        ([2**53, float(2**53)], [2**53 + 1]),
        (["1e5"], [100000]),
    ],
)
def test_equal_values_of_different_types_are_spelled_alike(alike: list, apart: list) -> None:
    assert len({canonical(value) for value in alike}) == 1
    assert canonical(alike[0]) not in {canonical(value) for value in apart}


@pytest.mark.parametrize(
    "values", [[0, 1, 0], [0.0, 1.0, 0.0], ["0", "1", "0"], [False, True, False], ["no", "yes", "no"]]
)
def test_two_values_are_categories_however_few_the_rows(values: list) -> None:
    (rule,) = freeze(column(values), [values[1]], role="label")
    assert rule.kind is Kind.CATEGORICAL
    assert rule.matches(column(values)).tolist() == [0, 1, 0]


def test_rule_is_the_baselines_in_every_window() -> None:
    """The window's own values decide nothing: not their number, not their largest, not their type."""
    (rule,) = freeze(column(list(range(18, 91))), [45])
    assert (rule.kind, rule.text, rule.threshold) == (Kind.CONTINUOUS, "(45, 90]", 45.0)
    for window in (column([45, 46, 95]), column([45.0, 46.0, 95.0]), column(["45", "46", "95"])):
        assert rule.matches(window).tolist() == [0, 1, 1]
    (rule,) = freeze(column([0, 1] * 50), [1])
    for window in (column([1, 0]), column([1.0, 0.0]), column(["1", "0"]), column([True, False])):
        assert rule.matches(window).tolist() == [1, 0]
    assert rule.matches(column([1, 1])).tolist() == [1, 1]


def test_missing_values_are_unknown() -> None:
    (rule,) = freeze(column(["a", "b"]), ["a"])
    assert rule.matches(column(["a", None, "c"])).tolist() == [1, UNKNOWN, 0]
    (rule,) = freeze(column([1.5, 2.5, 3.5]), [2])
    assert rule.matches(column(["3", "x", None])).tolist() == [1, UNKNOWN, UNKNOWN]
    assert rule.text == "(2.0, 3.5]"


def test_several_values_are_one_group() -> None:
    (rule,) = freeze(column(["p", "q", "r"]), ["p", "q"])
    assert rule.text == "p,q"
    assert rule.matches(column(["q", "r"])).tolist() == [1, 0]


def test_without_values_each_is_a_group() -> None:
    rules = freeze(column([10, 9, 10, 9] * 100 + [2] * 10))
    assert [rule.text for rule in rules] == ["2", "9", "10"]
    facet = coded(rules, column([9, 2, 7, None]))
    assert facet.words == ("2", "9", "10", OTHER)
    assert facet.codes.tolist() == [1, 0, 3, -1]


def test_configured_type_goes_before_the_rule() -> None:
    ages = column([18, 45, 46, 90] * 100)
    (category,) = freeze(ages, [45])
    assert category.matches(ages)[:4].tolist() == [0, 1, 0, 0]
    assert category.note is not None
    assert "4 different values in 400 rows" in category.note
    (threshold,) = freeze(ages, [45], kind=Kind.CONTINUOUS)
    assert threshold.matches(ages)[:4].tolist() == [0, 0, 1, 1]
    assert threshold.note is None
    (value,) = freeze(column([0.5, 1.5, 2.5]), [1.5], kind=Kind.CATEGORICAL)
    assert value.matches(column([1.5, 2.5])).tolist() == [1, 0]


@pytest.mark.parametrize(
    ("values", "given", "options", "message"),
    [
        ([None], [1], {}, "has no values"),
        (["a", "b"], [], {"role": "label"}, "which values are positive is not configured"),
        (["a", "b"], ["c"], {}, r"no row has 'c'; it has 'a', 'b'"),
        (
            [1, 2] * 50,
            [3],
            {},
            "no row has 3; it has 1, 2; if the value is a threshold, set the type to continuous",
        ),
        ([1.5, 2.5, 3.5], [], {}, "takes one threshold, and none is given"),
        ([1.5, 2.5, 3.5], ["x"], {}, "'x' is no number"),
        ([1.5, 2.5, 3.5], [3.5], {}, "no row is above 3.5, the largest value is 3.5"),
        ([1.5, 2.5, 3.5], [float("nan")], {}, "no row is above nan"),
        (["a", "b", "c"], [1], {"kind": Kind.CONTINUOUS}, "no value is a number"),
        ([f"v{i}" for i in range(201)], [], {}, "201 different values, more than the limit of 200"),
    ],
)
def test_what_no_row_has_is_refused(values: list, given: list, options: dict[str, Any], message: str) -> None:
    with pytest.raises(SchemaError) as caught:
        freeze(column(values), given, **options)
    assert message in str(caught.value)
    assert (caught.value.code, caught.value.field) == ("E-BIAS-VALUE", "c")


scalars = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"])), st.booleans(), st.integers(-9, 9), st.floats(-9, 9)
)
rules = st.one_of(
    st.builds(Rule, st.just("c"), st.just(Kind.CATEGORICAL), st.lists(scalars, min_size=1, max_size=3).map(tuple),
              st.none(), st.text(st.characters(exclude_categories=["Cs"])), st.one_of(st.none(), st.just("n"))),
    st.builds(Rule, st.just("c"), st.just(Kind.CONTINUOUS), st.just(()), st.floats(-9, 9), st.just("(1, 2]")),
)  # fmt: skip


@given(rule=rules)
def test_rules_are_kept_in_a_document(rule: Rule) -> None:
    assert read_rule(Node(decode(encode(rule.document())), "r.json")) == rule


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"type": "ordinal"}, "unknown value 'ordinal'"),
        ({"values": []}, "the list of values is empty"),
        ({"values": [None]}, "expected text, a number or a boolean"),
        ({"value": 1}, "unknown field 'value'"),
        ({"type": "continuous"}, "required and missing"),
    ],
)
def test_rules_of_another_form_are_refused(change: dict[str, Any], message: str) -> None:
    document = {**Rule("c", Kind.CATEGORICAL, ("a",), None, "a").document(), **change}
    with pytest.raises(DocumentError, match=message):
        read_rule(Node(document, "r.json"))


@pytest.mark.parametrize(
    ("values", "words", "codes"),
    [
        ([2, 1, None, 2], ("2", "1"), [0, 1, -1, 0]),
        ([2.0, 1.5], ("2", "1.5"), [0, 1]),
        (["b", "1.0", "1"], ("b", "1"), [0, 1, 1]),
        ([True, False], ("1", "0"), [0, 1]),
    ],
)
def test_every_value_is_a_group(values: list, words: tuple, codes: list) -> None:
    group = group_of(column(values))
    assert (group.words, group.codes.tolist()) == (words, codes)


def test_probability_must_exceed_the_threshold() -> None:
    assert predicted_labels(np.array([0.5, 0.51, np.nan, 0.0])).tolist() == [0, 1, UNKNOWN, 0]
    assert predicted_labels(np.array([0.8, 0.81]), 0.8).tolist() == [0, 1]
