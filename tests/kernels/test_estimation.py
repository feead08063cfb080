"""Estimation: the metric that comes true lies in the interval about as often as it says, while calibration holds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from driftline.kernels.calibration import fit_calibration
from driftline.kernels.confusion import binary_metrics
from driftline.kernels.estimation import estimate
from driftline.kernels.scores import ScoreState

NAMES = ("recall", "precision", "accuracy", "false_positive_rate", "f0_5", "f1", "f2", "auc", "positives")
N_WINDOWS = 150


def sample(
    n: int, rng: np.random.Generator, *, shift: float = 0.0, concept: float = 1.4
) -> tuple[Any, Any, Any]:
    """Draw scores that are not calibrated, labels, and predictions at a threshold of their own."""
    z = rng.normal(shift, 1.3, n)
    labels = (rng.random(n) < 1.0 / (1.0 + np.exp(0.5 - concept * z))).astype(np.int64)
    scores = 1.0 / (1.0 + np.exp(-z))
    return scores, labels, (scores > 0.6).astype(np.int64)


def realised(scores: Any, labels: Any, predicted: Any) -> dict[str, float | None]:
    state = ScoreState().update(scores, labels, predicted)
    found = {name: float(value) for name, value in binary_metrics(state.confusion).items()}
    return {**found, "auc": state.auc, "positives": labels.mean()}


def test_what_comes_true_is_covered() -> None:
    rng = np.random.default_rng(7)
    covered = dict.fromkeys(NAMES, 0)
    errors: dict[str, list[float]] = {name: [] for name in NAMES}
    for seed in range(N_WINDOWS):
        calibration = fit_calibration(ScoreState().update(*sample(4000, rng)), n_maps=60, seed=seed)
        assert calibration is not None
        # Harder and easier windows than the baseline: covariates move, the concept does not.
        scores, labels, predicted = sample(1000, rng, shift=(seed % 3 - 1) * 0.5)
        window = ScoreState().update(scores, np.full(1000, -1), predicted)
        found = estimate(window, calibration, n_replicates=200, seed=seed)
        assert found is not None
        truth = realised(scores, labels, predicted)
        for name in NAMES:
            one, true = found.metrics[name], truth[name]
            assert None not in (one.value, one.low, one.high, true)
            covered[name] += one.low <= true <= one.high  # type: ignore[operator]
            errors[name].append(one.value - true)  # type: ignore[operator]
    for name in NAMES:
        assert 0.87 <= covered[name] / N_WINDOWS <= 0.99, name
        assert abs(np.mean(errors[name])) < 4 * np.std(errors[name]) / np.sqrt(N_WINDOWS), name


def test_expected_counts_add_up() -> None:
    rng = np.random.default_rng(1)
    calibration = fit_calibration(ScoreState().update(*sample(5000, rng)))
    scores, _, predicted = sample(2000, rng)
    assert calibration is not None
    found = estimate(ScoreState().update(scores, np.full(2000, -1), predicted), calibration)
    assert found is not None
    assert found.n == 2000
    assert found.counts.sum() == pytest.approx(2000)
    assert found.counts.sum(axis=0)[1] == pytest.approx(predicted.sum())
    assert found.counts.sum(axis=1)[1] == pytest.approx(calibration.apply(scores).sum(), rel=1e-9)
    assert found.counts[1, 1] == pytest.approx(calibration.apply(scores)[predicted == 1].sum(), rel=1e-9)
    expected = binary_metrics(found.counts)
    assert found.metrics["f1"].value == pytest.approx(float(expected["f1"]))
    assert found.metrics["brier"].value == pytest.approx(
        (calibration.apply(scores) * (1 - calibration.apply(scores))).mean(), rel=1e-3
    )


def test_it_is_the_unlabelled_rows_that_are_estimated() -> None:
    rng = np.random.default_rng(2)
    calibration = fit_calibration(ScoreState().update(*sample(5000, rng)))
    scores, labels, predicted = sample(1000, rng)
    labels[:400] = -1
    window = ScoreState().update(scores, labels, predicted)
    assert calibration is not None
    rest, whole = estimate(window, calibration), estimate(window, calibration, rows="all")
    assert rest is not None
    assert whole is not None
    assert (rest.n, whole.n) == (400, 1000)
    assert rest.counts.sum(axis=0)[1] == pytest.approx(predicted[:400].sum())
    assert whole.counts.sum(axis=0)[1] == pytest.approx(predicted.sum())


def test_the_grid_changes_next_to_nothing() -> None:
    rng = np.random.default_rng(3)
    calibration = fit_calibration(ScoreState().update(*sample(5000, rng)))
    scores, _, predicted = sample(3000, rng)
    assert calibration is not None
    exact, grid = (
        estimate(ScoreState(limit).update(scores, np.full(3000, -1), predicted), calibration)
        for limit in (1 << 16, 0)
    )
    assert exact is not None
    assert grid is not None
    for name in NAMES:
        assert grid.metrics[name].value == pytest.approx(exact.metrics[name].value, abs=1e-3)


def test_a_concept_that_changed_is_not_seen() -> None:
    """The assumption, as a test: the estimate stays where it was, whatever the truth does."""
    rng = np.random.default_rng(4)
    calibration = fit_calibration(ScoreState().update(*sample(5000, rng)))
    scores, labels, predicted = sample(5000, rng, concept=-0.5)
    assert calibration is not None
    found = estimate(ScoreState().update(scores, np.full(5000, -1), predicted), calibration)
    truth = realised(scores, labels, predicted)
    assert found is not None
    assert found.metrics["auc"].low is not None
    assert truth["auc"] is not None
    assert truth["auc"] < 0.5 < 0.75 < found.metrics["auc"].low


def test_what_cannot_be_estimated() -> None:
    rng = np.random.default_rng(5)
    calibration = fit_calibration(ScoreState().update(*sample(1000, rng)))
    assert calibration is not None
    assert estimate(ScoreState(), calibration) is None
    assert (
        estimate(ScoreState().update(np.array([0.5]), np.array([-1])), calibration) is None
    )  # no prediction
    negative = ScoreState().update(np.linspace(0.2, 0.4, 50), np.full(50, -1), np.zeros(50, np.int64))
    found = estimate(negative, calibration)
    assert found is not None
    assert found.metrics["precision"] == (None, None, None, None)
    assert found.metrics["recall"].value == 0.0
    outside = ScoreState().update(np.array([0.0, 1.0, 0.5]), np.full(3, -1), np.array([0, 1, 0]))
    beyond = estimate(outside, calibration)
    assert beyond is not None
    assert beyond.n_outside == 2


def test_seeds() -> None:
    rng = np.random.default_rng(6)
    calibration = fit_calibration(ScoreState().update(*sample(1000, rng)))
    scores, _, predicted = sample(300, rng)
    window = ScoreState().update(scores, np.full(300, -1), predicted)
    assert calibration is not None
    one, same, other = (estimate(window, calibration, seed=seed) for seed in (1, 1, 2))
    assert one is not None
    assert same is not None
    assert other is not None
    assert one.metrics == same.metrics
    assert one.metrics["recall"].value == other.metrics["recall"].value
    assert one.metrics["recall"].low != other.metrics["recall"].low
