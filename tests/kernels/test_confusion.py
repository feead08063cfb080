"""Confusion: against scikit-learn, SageMaker's documented examples, and published predictions."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as oracle

from driftline.kernels.confusion import (
    BINARY,
    MULTICLASS,
    ConfusionState,
    as_numbers,
    binary_metrics,
    constant_counts,
    majority,
    multiclass_metrics,
    shares,
)

if TYPE_CHECKING:
    from pathlib import Path

tables = st.lists(st.integers(0, 30), min_size=4, max_size=4).map(lambda v: np.array(v).reshape(2, 2))
large_tables = st.integers(2, 6).flatmap(
    lambda k: st.lists(st.integers(0, 9), min_size=k * k, max_size=k * k).map(
        lambda v: np.array(v).reshape(-1, int(len(v) ** 0.5))
    )
)


def rows_of(counts: Any) -> tuple[Any, Any]:
    actual, predicted = np.indices(counts.shape)
    return np.repeat(actual.ravel(), counts.ravel()), np.repeat(predicted.ravel(), counts.ravel())


def test_documented_example_of_two_classes() -> None:
    counts = np.array([[1, 2], [0, 1]])
    found = as_numbers(binary_metrics(counts))
    assert found == {
        "recall": 1.0,
        "precision": 1 / 3,
        "accuracy": 0.5,
        "true_positive_rate": 1.0,
        "true_negative_rate": 0.33333333333333337,
        "false_positive_rate": 2 / 3,
        "false_negative_rate": 0.0,
        "f0_5": pytest.approx(0.3846153846153846, abs=1e-15),
        "f1": 0.5,
        "f2": pytest.approx(0.7142857142857143, abs=1e-15),
    }
    always = as_numbers(binary_metrics(constant_counts(counts, 1)))
    expected = {
        "accuracy": 0.25,
        "precision": 0.25,
        "recall": 1.0,
        "f0_5": 0.29411764705882354,
        "f1": 0.4,
        "f2": 0.625,
    }
    assert {name: always[name] for name in expected} == pytest.approx(expected, abs=1e-15)


def test_documented_example_of_many_classes() -> None:
    counts = np.array([[1180, 510], [268, 138]])
    expected = {
        "accuracy": 0.6288167938931297,
        "weighted_recall": 0.6288167938931297,
        "weighted_precision": 0.6983172269629505,
        "weighted_f0_5": 0.6803947317178771,
        "weighted_f1": 0.6571162346664904,
        "weighted_f2": 0.6384024354394601,
    }
    assert as_numbers(multiclass_metrics(counts)) == pytest.approx(expected, abs=1e-14)
    always = as_numbers(multiclass_metrics(constant_counts(counts, 1)))
    expected = {
        "accuracy": 0.19370229007633588,
        "weighted_recall": 0.19370229007633588,
        "weighted_precision": 0.03752057718081697,
        "weighted_f0_5": 0.04473443104152011,
        "weighted_f1": 0.06286421244683643,
        "weighted_f2": 0.10570313141262414,
    }
    assert always == pytest.approx(expected, abs=1e-14)


def test_published_predictions(data: Path) -> None:
    churn = pd.read_csv(data / "fairness" / "churn_validation_with_predictions.csv")
    state = ConfusionState().update(churn["label"].to_numpy(), churn["prediction"].to_numpy())
    assert state.counts.tolist() == [[173, 0], [12, 16]]
    found = state.finalize()
    assert found["recall"] == 0.5714285714285714
    assert found["precision"] == 1.0
    assert found["accuracy"] == 0.9402985074626866
    assert found["false_positive_rate"] == 0.0
    assert found["false_negative_rate"] == 0.42857142857142855
    assert [found[f] for f in ("f0_5", "f1", "f2")] == [0.8695652173913043, 0.7272727272727273, 0.625]
    adult = pd.read_csv(data / "fairness" / "adult_ll_baseline_666.csv")
    state = ConfusionState().update(adult["label"].to_numpy(), adult["predicted_label"].to_numpy())
    assert state.counts.tolist() == [[468, 38], [66, 94]]
    found = state.finalize()
    expected = {
        "recall": 0.5875,
        "precision": 0.7121212121,
        "accuracy": 0.8438438438,
        "f0_5": 0.6831395349,
        "f1": 0.6438356164,
        "f2": 0.6088082902,
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=1e-10)


@given(counts=tables)
def test_two_classes_against_scikit_learn(counts: Any) -> None:
    actual, predicted = rows_of(counts)
    found = binary_metrics(counts, zero=0.0)
    if actual.shape[0] == 0:
        assert not any(found.values())
        return
    for name, beta in (("f0_5", 0.5), ("f1", 1.0), ("f2", 2.0)):
        expected = oracle.fbeta_score(actual, predicted, beta=beta, zero_division=0.0)
        assert found[name] == pytest.approx(expected, abs=1e-14)
    assert found["recall"] == pytest.approx(oracle.recall_score(actual, predicted, zero_division=0.0))
    assert found["precision"] == pytest.approx(oracle.precision_score(actual, predicted, zero_division=0.0))
    assert found["accuracy"] == pytest.approx(oracle.accuracy_score(actual, predicted))
    flipped = oracle.recall_score(1 - actual, 1 - predicted, zero_division=0.0)
    assert found["true_negative_rate"] == pytest.approx(flipped)


@given(counts=large_tables)
def test_many_classes_against_scikit_learn(counts: Any) -> None:
    actual, predicted = rows_of(counts)
    found = multiclass_metrics(counts, zero=0.0)
    if actual.shape[0] == 0:
        assert not any(found.values())
        return
    assert found["accuracy"] == pytest.approx(oracle.accuracy_score(actual, predicted))
    for beta, name in ((0.5, "f0_5"), (1.0, "f1"), (2.0, "f2")):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            precision, recall, f, _ = oracle.precision_recall_fscore_support(
                actual, predicted, beta=beta, average="weighted", zero_division=0.0
            )
        assert found["weighted_precision"] == pytest.approx(precision)
        assert found["weighted_recall"] == pytest.approx(recall)
        assert found[f"weighted_{name}"] == pytest.approx(f)


@given(counts=large_tables, times=st.integers(1, 5))
def test_metrics_are_shares_and_do_not_change_when_rows_are_repeated(counts: Any, times: int) -> None:
    found = multiclass_metrics(counts)
    if counts.sum() == 0:
        assert all(np.isnan(value) for value in found.values())
        return
    assert all(0.0 <= value <= 1.0 + 1e-15 for value in found.values())
    again = multiclass_metrics(counts * times)
    assert {k: float(v) for k, v in found.items()} == pytest.approx({k: float(v) for k, v in again.items()})


@given(counts=large_tables, seed=st.integers(0, 99))
def test_order_of_classes_does_not_matter(counts: Any, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(counts.shape[0])
    found, other = (multiclass_metrics(c, zero=0.0) for c in (counts, counts[order][:, order]))
    assert {k: float(v) for k, v in found.items()} == pytest.approx({k: float(v) for k, v in other.items()})


def test_replicates_are_computed_at_once() -> None:
    stack = np.random.default_rng(0).integers(0, 20, (7, 3, 4, 4))
    found = multiclass_metrics(stack)
    two = binary_metrics(stack[..., :2, :2])
    for i, j in np.ndindex(7, 3):
        one = multiclass_metrics(stack[i, j])
        assert {name: found[name][i, j] for name in MULTICLASS} == {name: one[name] for name in MULTICLASS}
        of_two = binary_metrics(stack[i, j, :2, :2])
        assert {name: two[name][i, j] for name in BINARY} == {name: of_two[name] for name in BINARY}
    assert majority(stack)[2, 1] == majority(stack[2, 1])
    usual = constant_counts(stack, majority(stack))
    assert (usual.sum(axis=-1) == stack.sum(axis=-1)).all()
    assert (usual[3, 2] == constant_counts(stack[3, 2], int(majority(stack[3, 2])))).all()


def test_what_cannot_be_computed_is_said() -> None:
    nobody_called = as_numbers(binary_metrics(np.array([[5, 0], [3, 0]])))
    assert nobody_called["precision"] is None
    assert nobody_called["recall"] == 0.0
    assert nobody_called["f1"] == 0.0  # there were positives, and none was found
    no_positive = as_numbers(binary_metrics(np.array([[5, 0], [0, 0]])))
    assert no_positive["recall"] is None
    assert no_positive["f1"] is None
    assert no_positive["accuracy"] == 1.0
    compatible = binary_metrics(np.array([[5, 0], [0, 0]]), zero=0.0)
    assert compatible["recall"] == compatible["f1"] == 0.0


def test_shares_are_the_metrics() -> None:
    counts = np.array([[50, 7], [11, 32]])
    found = binary_metrics(counts)
    for name, (hits, of) in shares(counts).items():
        assert found[name] == pytest.approx(hits / of, abs=1e-15)
    assert set(BINARY) - set(shares(counts)) == {"f0_5", "f1", "f2"}
    assert shares(np.diag([1, 2, 3])) == {"accuracy": (6, 6), "weighted_recall": (6, 6)}


def test_majority_is_the_useful_reference() -> None:
    counts = np.array([[60, 30], [6, 4]])
    assert majority(counts) == 0
    assert as_numbers(binary_metrics(constant_counts(counts, majority(counts))))["accuracy"] == 0.9


def test_no_row_is_dropped_silently() -> None:
    state = ConfusionState(("a", "b")).update(
        np.array([0, 1, 1, -1, -1, 2, 7, 0, 0], np.int8), np.array([0, 1, 0, 0, -1, 1, 9, -1, 3], np.int8)
    )
    assert state.n_rows == 9
    assert state.n_judged == 3
    assert state.n_unlabelled == 2
    assert state.n_unpredicted == 1
    assert state.n_outside == 3
    assert state.counts.tolist() == [[1, 0], [1, 1]]
    assert state.n_rows == state.n_judged + state.n_unlabelled + state.n_unpredicted + state.n_outside


def test_more_labels_than_a_byte_holds() -> None:
    labels = tuple(map(str, range(300)))
    codes = np.array([5, 127, -1], np.int8)
    state = ConfusionState(labels).update(codes, codes)
    assert state.n_judged == 2
    assert state.n_unlabelled == 1


def test_bad_codes_are_refused() -> None:
    with pytest.raises(ValueError, match="differ in shape"):
        ConfusionState().update(np.array([0, 1]), np.array([0]))
    with pytest.raises(ValueError, match="code -2"):
        ConfusionState().update(np.array([0, -2]), np.array([0, 1]))


def test_many_classes_finalize_to_the_weighted_metrics() -> None:
    state = ConfusionState(("a", "b", "c")).update(np.array([0, 1, 2]), np.array([0, 1, 1]))
    assert set(state.finalize()) == set(MULTICLASS)
    assert state.finalize()["accuracy"] == pytest.approx(2 / 3)
