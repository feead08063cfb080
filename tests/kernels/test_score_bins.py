"""Bins of scores: what they say of chance is what the rows say."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as oracle

from driftline.kernels.score_bins import bin_numbers, score_bins, score_deviations, score_replicates
from driftline.kernels.scores import ScoreState

ORACLES = {
    "auc": oracle.roc_auc_score,
    "log_loss": oracle.log_loss,
    "brier": oracle.brier_score_loss,
}


def sample(n: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(4)
    labels = (rng.random(n) < 0.3).astype(np.int64)
    return labels, 1.0 / (1.0 + np.exp(-rng.normal(size=n) - 1.5 * labels + 0.6))


@given(rows=st.lists(st.integers(0, 50), min_size=1, max_size=80), most=st.integers(2, 30))
def test_bins_are_few_even_and_in_order(rows: list[int], most: int) -> None:
    bins = bin_numbers(np.array(rows), most)
    assert bins[0] == 0
    assert set(np.diff(bins).tolist()) <= {0, 1}
    assert bins[-1] < max(most, 1)
    if len(rows) > most:
        within = np.bincount(bins, rows)
        assert within.max() <= sum(rows) / most + max(rows)


@pytest.mark.parametrize("limit", [100, 1 << 16])
def test_standard_errors_are_those_of_the_row_bootstrap(limit: int) -> None:
    labels, scores = sample(1500)
    rng = np.random.default_rng(0)
    drawn: dict[str, list[float]] = {name: [] for name in ORACLES}
    for _ in range(400):
        rows = rng.integers(0, labels.size, labels.size)
        for name, function in ORACLES.items():
            drawn[name].append(function(labels[rows], scores[rows]))
    found = score_replicates(ScoreState(limit).update(scores, labels), 4000, seed=1, most=256)
    for name, values in drawn.items():
        assert found[name].standard_error == pytest.approx(np.std(values, ddof=1), rel=4 / math.sqrt(800))
    auc = found["auc"]
    assert auc.standard_error == pytest.approx(ScoreState().update(scores, labels).auc_deviation, rel=0.05)


def test_replicates_lie_around_the_metric_itself() -> None:
    labels, scores = sample(20_000)
    state = ScoreState().update(scores, labels)
    exact = state.finalize()
    for most in (32, 512):
        for name, one in score_replicates(state, 500, seed=1, most=most).items():
            assert one.estimate == exact[name]
            assert one.values.mean() == pytest.approx(
                exact[name], abs=5 * (one.standard_error or 0) / math.sqrt(500)
            )


def test_few_distinct_scores_are_not_binned() -> None:
    labels, scores = sample(5000)
    state = ScoreState().update(np.round(scores, 2), labels)
    bins = score_bins(state)
    assert bins.counts.shape == (state.scores.shape[0], 2)
    found = bins.metrics(bins.counts[None])
    assert {name: value[0] for name, value in found.items()} == pytest.approx(
        {name: state.finalize()[name] for name in found}, rel=1e-12
    )


def test_what_cannot_be_computed() -> None:
    nothing = ScoreState().update(np.array([0.5]))
    assert all(one.estimate is None for one in score_replicates(nothing).values())
    assert all(math.isnan(value) for value in score_deviations(nothing, 1).values())
    margins = ScoreState().update(np.array([-1.0, 0.5, 2.0, 3.0]), np.array([0, 1, 0, 1]))
    found = score_replicates(margins)
    assert found["auc"].estimate == 0.75
    assert found["log_loss"].estimate is None
    one_class = ScoreState().update(np.array([0.5, 0.6]), np.array([1, 1]))
    found = score_replicates(one_class)
    assert found["auc"].estimate is None
    assert found["brier"].estimate == pytest.approx((0.25 + 0.16) / 2)


def test_sagemaker_deviation_of_auc_is_that_of_row_subsamples() -> None:
    labels, scores = sample(600)
    rng = np.random.default_rng(0)
    values = []
    for _ in range(600):
        rows = rng.permutation(600)[:480]
        values.append(oracle.roc_auc_score(labels[rows], scores[rows]))
    state = ScoreState().update(scores, labels)
    found = math.sqrt(np.mean([score_deviations(state, seed)["auc"] ** 2 for seed in range(400)]))
    assert found == pytest.approx(np.std(values), rel=0.12)
    assert math.isnan(score_deviations(ScoreState().update(scores[:199], labels[:199]), 1)["auc"])
