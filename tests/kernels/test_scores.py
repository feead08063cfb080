"""Scores: exact against scikit-learn and published predictions, on the grid within the bound that it states."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as oracle

from driftline.kernels.confusion import binary_metrics
from driftline.kernels.score_cells import NEGATIVE, POSITIVE, UNKNOWN
from driftline.kernels.scores import ScoreFold, ScoreState

if TYPE_CHECKING:
    from pathlib import Path

rows = st.lists(
    st.tuples(st.floats(0, 1) | st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.integers(0, 1)),
    min_size=1,
    max_size=50,
)


def sample(n: int, seed: int = 0) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    labels = (rng.random(n) < 0.3).astype(np.int64)
    return 1.0 / (1.0 + np.exp(-rng.normal(size=n) - 1.5 * labels + 0.6)), labels


def test_published_predictions(data: Path) -> None:
    churn = pd.read_csv(data / "fairness" / "churn_validation_with_predictions.csv")
    state = ScoreState().update(*(churn[name].to_numpy() for name in ("probability", "label", "prediction")))
    assert state.auc == pytest.approx(0.9395127993393889, abs=1e-15)
    assert state.confusion.tolist() == [[173, 0], [12, 16]]
    counts, uncertain = state.confusion_at(0.8)  # the threshold that the file was labelled with
    assert counts.tolist() == state.confusion.tolist()
    assert not uncertain.any()
    at_half, _ = state.confusion_at(0.5)
    assert np.abs(at_half - counts).sum() // 2 == 8
    adult = pd.read_csv(data / "fairness" / "adult_ll_baseline_666.csv")
    state = ScoreState().update(adult["score"].to_numpy(), adult["label"].to_numpy())
    assert state.auc == pytest.approx(0.8784832016, abs=1e-10)


@given(rows=rows)
def test_exact_scores_against_scikit_learn(rows: list[tuple[float, int]]) -> None:
    scores, labels = (np.array(column) for column in zip(*rows, strict=True))
    state = ScoreState().update(scores, labels)
    found = state.finalize()
    assert state.is_exact
    assert state.bound == (0.0, 0.0, 0.0)
    assert found["log_loss"] == pytest.approx(
        oracle.log_loss(labels, scores, labels=[0, 1]), rel=1e-12, abs=1e-12
    )
    assert found["brier"] == pytest.approx(((labels - scores) ** 2).mean(), abs=1e-15)
    if 0 < labels.sum() < labels.size:
        assert found["auc"] == pytest.approx(oracle.roc_auc_score(labels, scores), abs=1e-12)
        expected = oracle.average_precision_score(labels, scores)
        assert found["average_precision"] == pytest.approx(expected, abs=1e-12)
    else:
        assert found["auc"] is None


@pytest.mark.parametrize("shape", ["plain", "sure", "rare", "tied", "margins"])
def test_the_grid_keeps_its_bound(shape: str) -> None:
    scores, labels = sample(40_000)
    if shape == "sure":  # many scores crowd at 0 and 1
        scores = 1.0 / (1.0 + (1.0 / scores - 1.0) ** 12)
    elif shape == "rare":  # all scores are small
        scores = scores**6 / 100
    elif shape == "tied":
        scores = np.round(scores, 3)
    elif shape == "margins":
        scores = np.log(scores / (1 - scores)) * 5
    exact, grid = (ScoreState(limit).update(scores, labels) for limit in (1 << 20, 100))
    assert exact.is_exact
    assert not grid.is_exact
    assert exact.auc == pytest.approx(oracle.roc_auc_score(labels, scores), abs=1e-12)
    assert abs((grid.auc or 0) - (exact.auc or 0)) <= grid.bound.auc < 1e-3
    for name in ("log_loss", "brier"):
        one, other = exact.finalize()[name], grid.finalize()[name]
        if shape == "margins":
            assert one is other is None
        else:
            assert one is not None
            assert other is not None
            assert abs(one - other) <= getattr(grid.bound, name) + 1e-10
            assert one == pytest.approx(
                oracle.log_loss(labels, scores)
                if name == "log_loss"
                else oracle.brier_score_loss(labels, scores),
                abs=1e-12,
            )
    assert grid.outcomes.tolist() == exact.outcomes.tolist()
    assert grid.auc_deviation == pytest.approx(exact.auc_deviation, rel=1e-3)


def test_the_grid_is_far_better_than_its_bound_for_smooth_scores() -> None:
    scores, labels = sample(200_000)
    grid = ScoreState(100).update(scores, labels)
    assert grid.bound.auc < 1e-4
    assert abs((grid.auc or 0) - oracle.roc_auc_score(labels, scores)) < 1e-6
    assert grid.bound.log_loss < 1e-7
    assert grid.bound.brier < 1e-8


def test_a_state_is_exact_as_long_as_all_its_scores_are_few() -> None:
    one, other = (ScoreState(3).update(np.array(s), np.array([0, 1])) for s in ([0.1, 0.2], [0.2, 0.3]))
    both = one.merge(other)
    assert both.is_exact
    assert both.scores.tolist() == [0.1, 0.2, 0.3]
    assert not both.merge(ScoreState(3).update(np.array([0.4]))).is_exact
    assert both.merge(ScoreState(3).update(np.array([0.3, np.nan]))).is_exact


@given(
    rows=st.lists(
        st.tuples(st.floats(0, 1) | st.sampled_from([0.25, 0.5]), st.integers(-1, 1), st.integers(-1, 1)),
        max_size=60,
    ),
    limit=st.sampled_from([0, 5, 1000]),
    cuts=st.lists(st.integers(0, 60), max_size=3),
)
def test_a_fold_is_the_update(rows: list[tuple[float, int, int]], limit: int, cuts: list[int]) -> None:
    scores = np.array([r[0] for r in rows])
    outcomes = np.array([r[1:] for r in rows], np.int8).reshape(-1, 2).T
    fold = ScoreFold(limit)
    for a, b in itertools.pairwise([0, *sorted(cuts), len(rows)]):
        fold.add(scores[a:b], outcomes[0, a:b], outcomes[1, a:b])
        fold.state()  # looking does no harm
    assert fold.state() == ScoreState(limit).update(scores, *outcomes)


def test_long_batches_are_cut() -> None:
    scores, labels = sample(600_000)
    whole = ScoreState().update(scores, labels)
    fold = ScoreFold()
    for part in np.array_split(np.arange(600_000), 7):
        fold.add(scores[part], labels[part])
    assert not whole.is_exact
    assert fold.state() == whole
    few = ScoreState().update(np.round(scores, 2), labels)
    assert few.is_exact
    assert few.n_rows == 600_000
    assert few.auc == pytest.approx(oracle.roc_auc_score(labels, np.round(scores, 2)), abs=1e-12)


@given(rows=rows, threshold=st.sampled_from([-1.0, 0.0, 0.1, 0.25, 0.5, 0.9, 1.0, np.inf, -np.inf]))
def test_the_table_at_any_threshold(rows: list[tuple[float, int]], threshold: float) -> None:
    scores, labels = (np.array(column) for column in zip(*rows, strict=True))
    expected = np.zeros((2, 2), np.int64)
    np.add.at(expected, (labels, (scores > threshold).astype(int)), 1)
    counts, uncertain = ScoreState().update(scores, labels).confusion_at(threshold)
    assert counts.tolist() == expected.tolist()
    assert not uncertain.any()
    counts, uncertain = ScoreState(0).update(scores, labels).confusion_at(threshold)
    assert (counts.sum(axis=1) == expected.sum(axis=1)).all()
    assert ((counts[:, 1] <= expected[:, 1]) & (expected[:, 1] <= counts[:, 1] + uncertain)).all()
    if threshold in (0.5, 1.0):
        assert not uncertain.any()


def test_the_table_at_a_threshold_is_the_table_of_its_predictions() -> None:
    scores, labels = sample(30_000)
    state = ScoreState(100).update(scores, labels, scores > 0.5)
    counts, uncertain = state.confusion_at(0.5)
    assert counts.tolist() == state.confusion.tolist()
    assert not uncertain.any()
    assert binary_metrics(counts)["recall"] == pytest.approx(oracle.recall_score(labels, scores > 0.5))


def test_rows_without_score_or_label_are_counted() -> None:
    state = ScoreState().update(
        np.array([0.2, 0.7, np.nan, np.inf, 0.7, 0.9]),
        np.array([0, 1, 1, 0, -1, -1]),
        np.array([0, 1, 1, -1, 1, -1]),
    )
    assert state.n_rows == 6
    assert state.n_unscored == 2
    assert state.unscored[POSITIVE, POSITIVE] == 1
    assert state.unscored[NEGATIVE, UNKNOWN] == 1
    assert (state.n_positive, state.n_negative, state.n_unlabelled) == (1, 1, 2)
    assert state.auc == 1.0
    assert state.confusion.tolist() == [[1, 0], [0, 1]]


def test_scores_alone_have_no_metric() -> None:
    state = ScoreState().update(np.array([0.1, 0.2]))
    assert set(state.finalize().values()) == {None}
    assert state.n_unlabelled == 2
    assert state.roc_curve() is None
    assert state.precision_recall_curve() is None
    assert state.auc_deviation is None


def test_margins_have_no_log_loss() -> None:
    state = ScoreState().update(np.array([-3.0, 0.5, 4.0]), np.array([0, 1, 1]))
    assert not state.are_probabilities
    found = state.finalize()
    assert found["auc"] == 1.0
    assert found["log_loss"] is None
    assert found["brier"] is None


def test_very_large_scores_are_ranked() -> None:
    scores, labels = np.array([-1e308, -7e4, 7e4, 1e308]), np.array([0, 1, 0, 1])
    for limit in (0, 10):
        state = ScoreState(limit).update(scores, labels)
        curve = state.roc_curve()
        assert curve is not None
        assert state.auc == pytest.approx(0.75) if limit else state.bound.auc > 0


def test_positive_and_negative_zero_are_one_score() -> None:
    state = ScoreState().update(np.array([0.0, -0.0]), np.array([0, 1]))
    assert state.scores.shape == (1,)
    assert state.auc == 0.5


def test_curves_are_bounded() -> None:
    scores, labels = sample(20_000)
    state = ScoreState().update(scores, labels)
    roc, pr = state.roc_curve(), state.precision_recall_curve(50)
    assert roc is not None
    assert pr is not None
    assert roc.x.size <= 1000
    assert pr.x.size <= 50
    assert state.top_k([10])[0].precision == labels[np.argsort(-scores)[:10]].mean()


def test_bad_columns_are_refused() -> None:
    with pytest.raises(ValueError, match="classes of shape"):
        ScoreState().update(np.array([0.1, 0.2]), np.array([0]))
    with pytest.raises(ValueError, match=r"predicted classes are -1 \(unknown\), 0 or 1, not 0 to 2"):
        ScoreState().update(np.array([0.1, 0.2]), np.array([0, 1]), np.array([0, 2]))
