"""Calibration: against scikit-learn, and as often wrong as it says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.calibration import calibration_curve
from sklearn.isotonic import IsotonicRegression

from driftline.documents import decode, encode
from driftline.kernels.calibration import (
    Calibration,
    calibration_error,
    fit_calibration,
    isotonic,
    reliability,
)
from driftline.kernels.scores import ScoreState
from driftline.kernels.state import Packed


def sample(n: int, seed: int = 0, slope: float = 1.0) -> tuple[Any, Any]:
    """Draw scores whose log-odds the truth follows with `slope`: 1 is calibrated."""
    rng = np.random.default_rng(seed)
    z = rng.normal(-0.5, 1.3, n)
    return 1.0 / (1.0 + np.exp(-z)), (rng.random(n) < 1.0 / (1.0 + np.exp(-slope * z))).astype(np.int64)


def test_bins_of_equal_width_are_scikit_learns() -> None:
    scores, labels = sample(4000)
    table = reliability(ScoreState().update(scores, labels), 10, "width")
    observed, mean = calibration_curve(labels, scores, n_bins=10)
    assert table is not None
    assert table.observed == pytest.approx(observed)
    assert table.score == pytest.approx(mean)
    assert (table.low[1:] > table.high[:-1]).all()


def test_bins_of_equal_mass_are_scikit_learns() -> None:
    scores, labels = sample(4000)
    table = reliability(ScoreState().update(scores, labels), 8)
    observed, mean = calibration_curve(labels, scores, n_bins=8, strategy="quantile")
    assert table is not None
    assert table.n.tolist() == [500] * 8
    assert table.observed == pytest.approx(observed)
    assert table.score == pytest.approx(mean)


@pytest.mark.parametrize("by", ["mass", "width"])
def test_bins_on_the_grid_are_nearly_those_of_the_rows(by: Any) -> None:
    scores, labels = sample(50_000)
    exact, grid = (reliability(ScoreState(limit).update(scores, labels), 10, by) for limit in (1 << 20, 0))
    assert exact is not None
    assert grid is not None
    assert grid.n == pytest.approx(exact.n, abs=20)
    assert grid.score == pytest.approx(exact.score, abs=3e-4)
    assert grid.observed == pytest.approx(exact.observed, abs=5e-3)


def test_intervals_of_shares_are_wilsons() -> None:
    state = ScoreState().update(np.full(20, 0.4), np.repeat([0, 1], [17, 3]))
    table = reliability(state)
    expected = stats.binomtest(3, 20).proportion_ci(method="wilson")
    assert table is not None
    assert table.observed_low[0] == pytest.approx(expected.low)
    assert table.observed_high[0] == pytest.approx(expected.high)


def test_repeated_scores_are_never_split() -> None:
    scores = np.repeat([0.1, 0.2, 0.9], [500, 3, 2])
    table = reliability(ScoreState().update(scores, np.arange(505) % 2), 2)
    assert table is not None
    assert table.n.tolist() == [500, 5]
    assert table.high.tolist() == [0.1, 0.9]


def test_without_labels_or_probabilities_there_is_no_table() -> None:
    assert reliability(ScoreState().update(np.array([0.5]))) is None
    assert calibration_error(ScoreState().update(np.array([-2.0, 3.0]), np.array([0, 1]))) is None
    assert fit_calibration(ScoreState().update(np.array([0.5]))) is None


def test_error_by_its_definition() -> None:
    scores, labels = sample(3000, slope=0.5)
    found = calibration_error(ScoreState().update(scores, labels), 15)
    order = np.argsort(scores)
    parts = np.array_split(order, 15)
    expected = sum(abs(labels[p].mean() - scores[p].mean()) * len(p) for p in parts) / 3000
    assert found is not None
    assert found.value == pytest.approx(expected, abs=1e-12)
    assert found.n_bins == 15
    assert found.low < found.debiased < found.value < found.high
    assert found.p_value < 1e-6


def test_debiased_error_is_small_where_the_plain_one_is_noise() -> None:
    found = [calibration_error(ScoreState().update(*sample(500, seed)), seed=seed) for seed in range(100)]
    errors = [one for one in found if one is not None]
    assert len(errors) == 100
    plain, debiased = (float(np.mean([getattr(e, name) for e in errors])) for name in ("value", "debiased"))
    assert plain > 0.04
    assert plain == pytest.approx(np.mean([e.by_chance for e in errors]), rel=0.05)
    assert debiased < plain / 2
    # Where nothing is wrong the p-values are uniform.
    assert stats.kstest([e.p_value for e in errors], "uniform").pvalue > 1e-3


@pytest.mark.parametrize("slope", [1.0, 0.8, 0.5])
def test_interval_of_the_error_covers_about_as_often_as_it_says(slope: float) -> None:
    truth = calibration_error(ScoreState().update(*sample(1_000_000, 99, slope=slope)))
    assert truth is not None
    found = [
        calibration_error(ScoreState().update(*sample(1000, seed, slope=slope)), seed=seed)
        for seed in range(100)
    ]
    assert np.mean([one is not None and one.low <= truth.value <= one.high for one in found]) >= 0.88


def test_certain_and_wrong_is_impossible_to_explain() -> None:
    found = calibration_error(ScoreState().update(np.array([0.0, 0.0, 1.0]), np.array([0, 1, 1])))
    assert found is not None
    assert found.p_value == 0.0
    sure = calibration_error(ScoreState().update(np.array([0.0, 1.0]), np.array([0, 1])))
    assert sure is not None
    assert (sure.value, sure.p_value) == (0.0, 1.0)


@given(
    rows=st.lists(st.tuples(st.integers(0, 20), st.integers(1, 20)), min_size=1, max_size=40).map(
        lambda rows: [(min(h, n), n) for h, n in rows]
    )
)
def test_isotonic_regression_is_scikit_learns(rows: list[tuple[int, int]]) -> None:
    hits, weights = (np.array(column, float) for column in zip(*rows, strict=True))
    expected = IsotonicRegression().fit_transform(np.arange(hits.size), hits / weights, sample_weight=weights)
    found = isotonic(hits / weights, weights)
    assert found == pytest.approx(expected, abs=1e-12)
    assert (found * weights).sum() == pytest.approx(hits.sum())


def test_a_map_makes_scores_mean_what_they_say() -> None:
    calibration = fit_calibration(ScoreState().update(*sample(50_000, 1, slope=0.5)))
    assert calibration is not None
    scores, labels = sample(50_000, 2, slope=0.5)
    before = calibration_error(ScoreState().update(scores, labels))
    after = calibration_error(ScoreState().update(calibration.apply(scores), labels))
    assert before is not None
    assert after is not None
    assert before.debiased > 0.05
    assert after.debiased < 0.01
    probabilities = calibration.apply(np.linspace(0, 1, 500))
    assert (np.diff(probabilities) >= 0).all()
    assert 0.0 <= probabilities[0] < probabilities[-1] <= 1.0
    assert np.mean(calibration.apply(sample(50_000, 1, slope=0.5)[0])) == pytest.approx(
        sample(50_000, 1, slope=0.5)[1].mean(), abs=1e-3
    )


def test_resampled_maps_scatter_as_maps_of_other_samples_do() -> None:
    at = np.array([0.1, 0.3, 0.6])
    others = []
    for seed in range(60):
        one = fit_calibration(ScoreState().update(*sample(3000, seed)), n_maps=0)
        assert one is not None
        others.append(one.apply(at))
    calibration = fit_calibration(ScoreState().update(*sample(3000, 1)), seed=1)
    assert calibration is not None
    drawn = calibration.apply_resampled(at)
    assert drawn.shape == (200, 3)
    assert drawn.std(axis=0) == pytest.approx(np.std(others, axis=0), rel=0.5)


def test_margins_are_calibrated_too() -> None:
    scores, labels = sample(5000)
    margins = np.log(scores / (1.0 - scores))
    calibration = fit_calibration(ScoreState().update(margins, labels))
    assert calibration is not None
    assert calibration.apply(np.array([0.0]))[0] == pytest.approx(0.5, abs=0.06)


def test_one_score_has_one_probability() -> None:
    calibration = fit_calibration(ScoreState().update(np.full(10, 0.3), np.repeat([0, 1], [6, 4])), n_maps=3)
    assert calibration is not None
    assert calibration.apply(np.array([0.0, 0.3, 1.0])).tolist() == [0.4] * 3
    assert calibration.apply_resampled(np.array([0.0, 1.0])).shape == (3, 2)


def test_a_map_is_written_and_read_back() -> None:
    calibration = fit_calibration(ScoreState().update(*sample(500)), n_maps=4, seed=3)
    assert calibration is not None
    packed = calibration.pack()
    again = Calibration.unpack(Packed(decode(encode(packed.scalars)), packed.arrays))
    for name in ("scores", "probabilities", "resampled"):
        assert (getattr(again, name) == getattr(calibration, name)).all()
    assert again.n == 500
    for change in (
        {"scores": packed.arrays["scores"][::-1]},
        {"probabilities": packed.arrays["probabilities"] + 1},
        {"resampled": packed.arrays["resampled"][:-1]},
        {"scores": np.zeros(0)},
    ):
        with pytest.raises(ValueError, match="do not belong together"):
            Calibration.unpack(Packed(packed.scalars, {**packed.arrays, **change}))
