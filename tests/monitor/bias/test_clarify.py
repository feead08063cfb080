"""SageMaker Clarify's behaviour: types, texts, errors, and the small cases of its library's own tests."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from driftline.errors import InputError
from driftline.kernels.neighbours import flip_test
from driftline.monitor.bias.clarify import (
    Facet,
    Question,
    analyse,
    basic_statistics,
    convert_values,
    model_performance,
    post_training,
    pre_training,
    value_text,
)
from driftline.monitor.bias.column import Column, column_of

if TYPE_CHECKING:
    from driftline.baselines.analysis import Stage
    from driftline.monitor.bias.binary import Scalar


def columns(**values: list) -> dict[str, Column]:
    return {name: column_of(name, pa.array(one)) for name, one in values.items()}


def true(values: str) -> list[bool]:
    return [value in "1T" for value in values]


def numbers(values: str) -> list[int]:
    return [int(value) for value in values]


def value_of(stage: Stage | None, name: str, text: str | None = None) -> Any:
    """Return the value of a metric, its error where there is none."""
    assert stage is not None
    (results,) = stage.facets.values()
    (found,) = [one for one in results if text in (None, one.value_or_threshold)]
    metric = found.metric(name)
    assert metric is not None
    return metric.error or metric.value


def near(value: float) -> Any:
    return pytest.approx(value, abs=1e-9)


X = (Facet("x"),)
# Twelve labels of 0 and 1 would be continuous; as booleans they are what they mean.
B = columns(x=list("MFFMFMFFMMFF"), y=true("011110001000"), p=true("111000110100"))
B_QUESTION = Question("y", (True,), X, "p")
Q = columns(x=list("abbb"), y=[1, 1, 0, 0], z=[1, 1, 1, 0], p=[1, 0, 0, 1])
N = columns(x=[1, 2, 3, 2, 0], y=[1, 1, 0, 0, 0], z=[1, 1, 0, 1, 1], p=[1, 0, 0, 1, 1])
W = columns(
    x=numbers("033040330343300003033030"),
    y=[int(i in (8, 17, 22)) for i in range(1, 25)],
    z=numbers("001001001101001100101010"),
)


@pytest.mark.parametrize(
    ("name", "of_f"),
    [
        ("CI", -1 / 6),
        ("DI", 10 / 7),
        ("DCA", 1 / 4),
        ("SD", 1 / 6),
        ("DRR", 1 / 3),
        ("AD", -13 / 35),
        ("TE", -1 / 2),
    ],
)
def test_each_value_against_the_rest(name: str, of_f: float) -> None:
    """Cases 1, 8, 11 to 15."""
    analysis = analyse(B, B_QUESTION)
    stage = analysis.pre_training if name == "CI" else analysis.post_training
    assert value_of(stage, name, "F") == near(of_f)
    assert value_of(stage, name, "M") == near(1 / of_f if name == "DI" else -of_f)


def test_groups_stand_in_order_of_appearance() -> None:
    facets = pre_training(B, B_QUESTION).facets["x"]
    assert [one.value_or_threshold for one in facets] == ["M", "F"]
    assert [one.name for one in facets[0].metrics] == ["CDDL", "CI", "DPL", "JS", "KL", "KS", "LP", "TVD"]


def test_entropy_is_the_same_for_all_groups() -> None:
    """Case 16."""
    stage = post_training(B, B_QUESTION)
    assert value_of(stage, "GE", "F") == value_of(stage, "GE", "M") == near(0.24556213017751485)


def test_difference_of_proportions() -> None:
    """Case 2."""
    stage = pre_training(columns(x=list("aabb"), y=true("1101")), Question("y", (True,), X))
    assert value_of(stage, "DPL", "a") == -0.5
    assert value_of(stage, "DPL", "b") == 0.5


@pytest.mark.parametrize(
    ("name", "x", "d", "y", "expected"),
    [
        ("KL", true("100000"), True, true("111000"), -0.36651629),
        ("LP", true("100010"), True, true("111000"), 0.0),
        ("KS", list("aabbb"), "b", true("10011"), 1 / 6),
    ],
)
def test_distances_of_labels(name: str, x: list, d: Scalar, y: list, expected: float) -> None:
    """Cases 3, 6 and 7."""
    stage = pre_training(columns(x=x, y=y), Question("y", (True,), (Facet("x", (d,)),)))
    assert value_of(stage, name) == pytest.approx(expected, abs=1e-8)


def test_nothing_in_common_is_an_error() -> None:
    """Case 4."""
    stage = pre_training(
        columns(x=["n"] * 6, y=true("111000")), Question("y", (True,), (Facet("x", ("d",)),))
    )
    for name in ("KL", "JS", "LP", "TVD", "KS"):
        assert value_of(stage, name) == "No instance of common facet found, dataset may be too small"


def test_several_values_make_one_group() -> None:
    """Case 5."""
    p = columns(x=list("abbcaabcbcbb"), y=numbers("001121012202"))
    stage = pre_training(p, Question("y", (1, 2), (Facet("x", ("a", "c")),)))
    assert value_of(stage, "KL", "a,c") == pytest.approx(0.2938933, abs=1e-7)
    assert stage.label_value_or_threshold == "1,2"


def test_impact_without_positives_is_infinite() -> None:
    """Case 9."""
    changed = {**B, **columns(p=true("011010110011"))}
    assert value_of(post_training(changed, B_QUESTION), "DI", "F") == math.inf
    assert value_of(post_training(changed, B_QUESTION), "DI", "M") == 0


def test_group_that_nobody_belongs_to() -> None:
    """Case 10."""
    stage = post_training(B, Question("y", (True,), (Facet("x", ("D",)),), "p"))
    assert value_of(stage, "DI") == "Facet set is empty"
    assert value_of(stage, "RD") == "DLA: Facet set is empty"
    assert value_of(stage, "FT") == "Facet set is empty"
    everybody = post_training(B, Question("y", (True,), (Facet("x", ("F", "M")),), "p"))
    assert value_of(everybody, "FT") == "Negated Facet set is empty"


def test_flip_test_on_sixteen_rows() -> None:
    """Case 17: all seven columns are features, the first is the facet, too."""
    rows = "0000T11 1000T01 1010T01 1001T01 1000T11 1100T11 1011T10 1000T10 1010T11 1000F11 1000F11 0010F11 1000T10"
    features = np.array(
        [[float(c in "1T") for c in row] for row in f"{rows} 1010F11 1010T01 0001T10".split()]
    )
    predicted = np.array(true("1110111111110111"))
    found = flip_test(features, features[:, 0] == 1, predicted)
    assert (found.k, found.value) == (1, near(-0.15384615384615385))


def test_flip_test_needs_numbers() -> None:
    """Case 18."""
    stage = post_training({**B, **columns(t=list("abcdefghijkl"))}, B_QUESTION)
    assert value_of(stage, "FT", "F") == "FlipTest does not support non-numeric columns"
    assert value_of(post_training(B, B_QUESTION), "FT", "F").startswith("Found array with 0 feature(s)")
    gaps = post_training({**B, **columns(t=[None, *[1.0] * 11])}, B_QUESTION)
    assert value_of(gaps, "FT", "F") == "Input X contains NaN."
    endless = post_training({**B, **columns(t=[math.inf, *[1.0] * 11])}, B_QUESTION)
    assert value_of(endless, "FT", "F").startswith("Input X contains infinity")
    named = Question("y", (True,), X, "p", features=("n",))
    assert isinstance(
        value_of(post_training({**B, **columns(t=["a"] * 12, n=[*range(12)])}, named), "FT", "F"), float
    )


@pytest.mark.parametrize(
    ("data", "question", "text", "expected"),
    [
        (
            Q,
            Question("y", (0,), X, None, "z"),
            "a",
            {
                "CDDL": -0.375,
                "CI": 0.5,
                "DPL": -2 / 3,
                "JS": 0.08720802396075798,
                "KL": -0.3662040962227032,
                "KS": 2 / 3,
                "LP": 2 / 3,
                "TVD": 1 / 3,
            },
        ),
        (Q, Question("y", (0,), X, "p", "z"), "b", {"AD": 2 / 3, "DI": 1 / 3, "DPPL": 2 / 3, "RD": 1}),
        (
            W,
            Question("y", (0,), (Facet("x", (2,)),), None, "z"),
            "(2, 4]",
            {
                "CDDL": 0.3851010101010101,
                "CI": -0.08333333333333333,
                "DPL": 0.1048951048951049,
                "JS": 0.01252420207928287,
                "KL": 0.057704603668062765,
                "KS": 0.1048951048951049,
                "LP": 0.14834407996920576,
                "TVD": 0.1048951048951049,
            },
        ),
        (
            columns(x=list("1234"), y=list("1234"), p=list("1234")),
            Question("y", (2,), (Facet("x", (2,)),), "p"),
            "(2, 4]",
            {"DPPL": -1.0},
        ),
        (
            N,
            Question("y", (0,), (Facet("x", (2,)),), metrics=("CI", "CDDL", "DPL", "KL")),
            "(2, 3]",
            {
                "CI": 0.6,
                "CDDL": "Group variable is empty or not provided",
                "DPL": 0.5,
                "KL": -0.34657359027997264,
            },
        ),
    ],
    ids=["19", "20", "21", "22", "25"],
)
def test_small_reports(
    data: dict[str, Column], question: Question, text: str, expected: dict[str, Any]
) -> None:
    """Cases 19 to 22 and 25."""
    stage = (post_training if question.predicted else pre_training)(data, question)
    for name, value in expected.items():
        assert value_of(stage, name, text) == (value if isinstance(value, str) else near(value))
    if question.metrics:
        assert [one.name for one in stage.facets["x"][0].metrics] == sorted(question.metrics)


@pytest.mark.parametrize(
    ("labels", "positive"),
    [(list("pqrpq"), ("p", "q")), ([1, 2, 0, 1, 2], (1, 2)), (list("12012"), (1, 2))],
)
def test_labels_of_any_type_are_reduced_alike(labels: list, positive: tuple[Scalar, ...]) -> None:
    """Cases 23 and 24."""
    stage = pre_training(
        columns(x=list("abbcc"), y=labels, z=[1, 1, 1, 0, 0]), Question("y", positive, X, None, "z")
    )
    for text, disparity, difference in (("a", -0.3, -0.25), ("b", 0.3, 0.5), ("c", -0.4, -1 / 3)):
        assert value_of(stage, "CDDL", text) == near(disparity)
        assert value_of(stage, "DPL", text) == near(difference)


@pytest.mark.parametrize(
    ("array", "values", "text"),
    [
        (pa.array([1, 2, 3]).dictionary_encode(), (2,), "2"),
        (pa.array([1, 2, 3]), (1, 2), "1,2"),
        (pa.array([1.0, 2.0, 3.0]), (2.0,), "(2.0, 3.0]"),
        (pa.array([1.0, 2.0, 3.0]), (0.0,), "(0.0, 3.0]"),
        (pa.array(["yes", "no", "yes"]), ("yes",), "yes"),
        (pa.array([1, 2, 3]), ("2",), "(2.0, 3.0]"),
        (pa.array([1, 2, 3]), (5,), "(3, 5]"),
        (pa.array([1, 2, 3]), (3,), ""),
        (pa.array([-3, -4]), (3,), ""),
        (pa.array([1, 2, None]), (1,), "(1.0, 2.0]"),
        (pa.array([0, 1] * 20), (1,), ""),
        (pa.array([0, 1] * 20), (0,), "(0, 1]"),
        (pa.array([0, 1] * 20 + [0]), (1,), "1"),
        (pa.array([True, None]), (True,), "True"),
    ],
)
def test_text_of_a_label(array: pa.Array, values: tuple[Scalar, ...], text: str) -> None:
    """Case 26, and the trap of labels that are few."""
    assert value_text(column_of("y", array), values) == text


@pytest.mark.parametrize(
    ("first", "values", "converted"),
    [
        ([1, 2], ("1", "2"), (1, 2)),
        (["1"], (1, 2), ("1", "2")),
        ([1.0], ("1.0", "2.0"), (1.0, 2.0)),
        ([True], (True,), (True,)),
        ([True, True, False], (1, 2, 0), (True, True, False)),
        ([1, 2], ("1.0", "2.0"), (1, 2)),
    ],
)
def test_values_take_the_type_of_the_column(first: list, values: tuple, converted: tuple) -> None:
    """Case 27."""
    found = convert_values(column_of("y", pa.array(first)), values)
    assert found == converted


def test_few_labels_are_continuous() -> None:
    """With 40 rows a label of 0 and 1 is a quantity, above whose threshold of 1 nobody is; with 41 it is a category."""
    for n, text, difference in ((40, "", 0.0), (41, "1", None)):
        data = columns(x=["a", "b"] * (n // 2) + ["a"] * (n % 2), y=[1, 0] * (n // 2) + [1] * (n % 2))
        stage = pre_training(data, Question("y", (1,), (Facet("x", ("b",)),)))
        assert stage.label_value_or_threshold == text
        assert value_of(stage, "DPL") == (1.0 if difference is None else difference)


def test_numbers_of_all_rows_and_of_a_group() -> None:
    """Cases 29, 30 and 32."""
    everything = model_performance(B, B_QUESTION)
    assert [12 * share for share in everything.binary_confusion] == pytest.approx([2, 4, 3, 3])
    assert everything.metrics["Accuracy"] == near(5 / 12)
    by_group = basic_statistics(B, B_QUESTION)["x"]
    assert by_group["F"].proportion == near(7 / 12)
    assert by_group["F"].confusion == pytest.approx((2 / 7, 2 / 7, 1 / 7, 2 / 7))
    assert by_group["M"].label_distribution == pytest.approx((2 / 5, 3 / 5))
    numbered = {**B, **columns(y=numbers("011110001000"), p=numbers("111000110100"))}
    assert everything.confusion == {"False": {"False": 3, "True": 4}, "True": {"False": 3, "True": 2}}
    coded = model_performance(numbered, Question("y", (1, 7), X, "p"))
    assert coded.confusion == {"0": {"0": 3, "1": 4}, "1": {"0": 3, "1": 2}}
    assert model_performance(numbered, Question("y", (0,), X, "p")).confusion is None, "continuous"


def test_classes_are_those_of_the_truth() -> None:
    data = columns(x=list("abab"), y=[10, 9, 10, 2], p=["10", "10", "2", "7"])
    found = model_performance(data, Question("y", (10, 9), X, "p"))
    assert found.confusion == {
        "2": {"2": 0, "9": 0, "10": 0},
        "9": {"2": 0, "9": 0, "10": 1},
        "10": {"2": 1, "9": 0, "10": 1},
    }


def test_missing_values_are_nobodys_and_not_positive() -> None:
    data = columns(x=["a", None, "b", "b"], y=["p", "p", None, "n"], z=["u", "u", None, "u"])
    stage = pre_training(data, Question("y", ("p",), (Facet("x", ("a",)),), None, "z"))
    assert value_of(stage, "CI") == 0.5
    assert value_of(stage, "DPL") == near(1 / 3 - 1)
    assert value_of(stage, "CDDL") == near(0 - 1 / 2)


@pytest.mark.parametrize(
    ("question", "message"),
    [
        (Question("y", (True,), (Facet("w"),), "p"), "Facet column w is not present in the dataset"),
        (Question("y", (), X, "p"), "Positive label values or thresholds are empty for Label column"),
        (Question("w", (True,), X, "p"), "this column is not in the data"),
        (Question("y", (True,), X), "predicted_label_column has to be provided for Post training metrics"),
        (Question("y", (True,), X, "text"), "Predicted Label Column series datatype is not the same as Label Column"),
        (Question("y", (True,), X, "never"), "Positive Predicted Index Series contains all False values"),
        (Question("y", (True,), (Facet("n"),), "p"), "Threshold values must be provided for continuous features"),
        (Question("y", (True,), (Facet("n", ("x",)),), "p"), "must be a single numeric threshold for continuous data"),
        (Question("n", ("x", "y"), X, "p"), "could not convert string to float"),
        (Question("y", (True,), X, "p", metrics=("DPX",)), "Invalid metric_name: metrics should be one of the registered"),
    ],
)  # fmt: skip
def test_errors_of_the_whole_report(question: Question, message: str) -> None:
    """Case 33 among them."""
    data = {**B, **columns(never=[False] * 12, n=[*range(12)], text=[*range(12)])}
    with pytest.raises(InputError) as caught:
        post_training(data, question)
    assert message in str(caught.value)
    assert caught.value.code == "E-BIAS-CLARIFY"


def test_no_rows_and_no_predictions_are_told() -> None:
    with pytest.raises(InputError, match="the data have no rows"):
        pre_training(columns(x=[], y=[]), Question("y", ("p",), X))
    with pytest.raises(InputError, match="predicted_label_column has to be provided"):
        model_performance(B, Question("y", (True,), X))
    assert analyse(B, Question("y", (True,), X)).post_training is None


def test_predictions_of_quantities_take_the_labels_type() -> None:
    """Fractions of predictions are cut off where the labels are whole, and the interval ends at the largest of both."""
    data = columns(x=list("abab"), y=[1, 2, 3, 4], p=[2.9, 3.0, 9.5, 1.0])
    stage = post_training(data, Question("y", (2,), (Facet("x", ("b",)),), "p"))
    assert stage.label_value_or_threshold == "(2, 4]"
    assert value_of(stage, "DPPL") == 0.0
