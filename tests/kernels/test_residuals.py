"""Residuals: published values, scikit-learn, and what chance does to rows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as oracle

from driftline.kernels.residuals import METRICS, ResidualState

if TYPE_CHECKING:
    from pathlib import Path

numbers = st.floats(-1e6, 1e6)
pairs = st.lists(st.tuples(numbers, numbers), min_size=1, max_size=20)


def sample(n: int, seed: int = 0) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    actual = rng.lognormal(0.0, 0.6, n) * 10
    return actual, actual + rng.normal(0.3, 1.0, n) * np.sqrt(actual)


def of_rows(actual: Any, predicted: Any) -> list[float]:
    e = predicted - actual
    mse = (e * e).mean()
    return [np.abs(e).mean(), mse, math.sqrt(mse), 1.0 - mse / actual.var()]


def test_published_values(data: Path) -> None:
    file = pd.read_csv(data / "fairness" / "sdk_regression_100.csv")
    state = ResidualState().update(file["Prediction"].to_numpy(), file["Label"].to_numpy())
    expected = {
        "mae": 0.5040653554420981,
        "mse": 0.33364933609800973,
        "rmse": 0.5776238707827178,
        "r2": -3.208758170289026,
    }
    assert state.finalize() == pytest.approx(expected, rel=1e-14)
    assert all(math.isnan(value) for value in state.sagemaker_deviations(1).values())  # fewer than 200 rows
    file = pd.read_csv(data / "fairness" / "weather_regression_299.csv")
    state = ResidualState().update(file["label"].to_numpy(), file["prediction"].to_numpy())
    expected = {"mae": 3.955825029, "mse": 18.548753220, "rmse": 4.306826351, "r2": -7.741914978}
    assert state.finalize() == pytest.approx(expected, rel=1e-9)


def test_published_deviations_could_be_ours(data: Path) -> None:
    """Five draws are few: a published value is one from the distribution that seeds give."""
    file = pd.read_csv(data / "fairness" / "weather_regression_299.csv")
    state = ResidualState().update(file["label"].to_numpy(), file["prediction"].to_numpy())
    drawn = [state.sagemaker_deviations(seed) for seed in range(400)]
    published = {"mae": 0.058059, "mse": 0.495597, "rmse": 0.058016, "r2": 1.346406}
    centres = {"mae": 0.045, "mse": 0.41, "rmse": 0.047, "r2": 1.1}
    for name, value in published.items():
        low, middle, high = np.quantile([one[name] for one in drawn], [0.02, 0.5, 0.98])
        assert low < value < high
        assert middle == pytest.approx(centres[name], rel=0.12)


@given(rows=pairs)
def test_metrics_are_scikit_learns(rows: list[tuple[float, float]]) -> None:
    actual, predicted = (np.array(column) for column in zip(*rows, strict=True))
    found = ResidualState().update(actual, predicted).finalize()
    assert found["mae"] == pytest.approx(oracle.mean_absolute_error(actual, predicted), rel=1e-12)
    assert found["mse"] == pytest.approx(oracle.mean_squared_error(actual, predicted), rel=1e-12)
    assert found["rmse"] == pytest.approx(oracle.root_mean_squared_error(actual, predicted), rel=1e-12)
    if np.unique(actual).size == 1:
        assert found["r2"] is None
    elif actual.std() > 1e-3:
        assert found["r2"] == pytest.approx(oracle.r2_score(actual, predicted), rel=1e-6)


@given(rows=pairs, times=st.integers(2, 4))
def test_rows_may_be_repeated(rows: list[tuple[float, float]], times: int) -> None:
    actual, predicted = (np.array(column) for column in zip(*rows, strict=True))
    once, often = (ResidualState().update(np.tile(actual, k), np.tile(predicted, k)) for k in (1, times))
    one, other = (
        np.array([v for v in state.finalize().values() if v is not None]) for state in (once, often)
    )
    assert one == pytest.approx(other, rel=1e-15)
    assert once.n * times == often.n == often.residuals.n


def test_truths_far_from_zero_cost_nothing() -> None:
    actual = np.array([0.0, 1.0, 2.0, 3.0])
    predicted = np.array([0.5, 1.0, 2.0, 2.5])
    near = ResidualState().update(actual, predicted)
    far = ResidualState().update(actual + 2.0**45, predicted + 2.0**45)
    assert near.finalize() == far.finalize()
    assert near.r2 == 0.9


@pytest.mark.parametrize("centre", [0.0, 10.0])
def test_standard_errors_are_those_of_the_row_bootstrap(centre: float) -> None:
    actual, predicted = sample(3000)
    state = ResidualState(centre).update(actual, predicted)
    rng = np.random.default_rng(1)
    drawn = [of_rows(actual[rows], predicted[rows]) for rows in rng.integers(0, 3000, (2000, 3000))]
    for name, expected in zip(METRICS, np.std(drawn, axis=0), strict=True):
        assert state.standard_errors()[name] == pytest.approx(expected, rel=0.1), name


def test_standard_errors_do_not_depend_on_where_zero_is() -> None:
    actual, predicted = sample(1000)
    here = ResidualState(10.0).update(actual, predicted).standard_errors()
    there = ResidualState(100_000.0).update(actual + 99_990.0, predicted + 99_990.0).standard_errors()
    assert there == pytest.approx(here, rel=1e-6)
    plain = ResidualState().update(actual + 9990.0, predicted + 9990.0).standard_errors()
    assert plain == pytest.approx(here, rel=1e-4)
    drowned = ResidualState().update(actual + 1e9, predicted + 1e9)
    assert drowned.standard_errors()["r2"] is None
    assert drowned.standard_errors()["mae"] == pytest.approx(here["mae"], rel=1e-6)
    assert math.isnan(drowned.sagemaker_deviations(1)["r2"])
    assert drowned.intervals()["r2"] is None


def test_sagemaker_deviations_are_those_of_row_subsamples() -> None:
    actual, predicted = sample(500)
    rng = np.random.default_rng(2)
    taken = [
        of_rows(actual[rows], predicted[rows]) for rows in (rng.permutation(500)[:400] for _ in range(3000))
    ]
    state = ResidualState(10.0).update(actual, predicted)
    drawn = [state.sagemaker_deviations(seed) for seed in range(600)]
    for name, expected in zip(METRICS, np.std(taken, axis=0), strict=True):
        found = math.sqrt(np.mean([one[name] ** 2 for one in drawn]))
        assert found == pytest.approx(expected, rel=0.1), name
    assert drawn[7] == state.sagemaker_deviations(7)


def test_intervals_cover_about_as_often_as_they_say() -> None:
    truth = dict(zip(METRICS, of_rows(*sample(1_000_000, seed=99)), strict=True))
    covered = dict.fromkeys(METRICS, 0)
    for seed in range(400):
        found = ResidualState(10.0).update(*sample(300, seed)).intervals()
        for name in METRICS:
            low, high = found[name] or (math.nan, math.nan)
            covered[name] += low <= truth[name] <= high
    for name, times in covered.items():
        assert 0.88 <= times / 400 <= 0.98, name


def test_perfect_predictions() -> None:
    actual = np.arange(250.0)
    state = ResidualState().update(actual, actual)
    assert state.finalize() == {"mae": 0.0, "mse": 0.0, "rmse": 0.0, "r2": 1.0}
    assert state.standard_errors() == {"mae": 0.0, "mse": 0.0, "rmse": 0.0, "r2": 0.0}
    assert state.intervals()["r2"] == (1.0, 1.0)
    assert state.sagemaker_deviations(1) == {"mae": 0.0, "mse": 0.0, "rmse": 0.0, "r2": 0.0}


def test_a_constant_truth_explains_nothing() -> None:
    state = ResidualState().update(np.full(300, 0.1), np.linspace(0, 1, 300))
    assert state.finalize()["r2"] is None
    assert state.standard_errors()["r2"] is None
    assert state.standard_errors()["rmse"] is not None
    assert math.isnan(state.sagemaker_deviations(1)["r2"])


def test_one_row_has_no_standard_error() -> None:
    state = ResidualState().update(np.array([1.0]), np.array([2.0]))
    assert state.finalize()["mae"] == 1.0
    assert set(state.standard_errors().values()) == {None}


def test_no_row_is_dropped_silently() -> None:
    state = ResidualState().update(
        np.array([1.0, np.nan, 2.0, np.nan, 1e80, 3.0, np.inf]),
        np.array([1.5, 1.0, np.nan, np.nan, 1.0, -np.inf, 1.0]),
    )
    assert state.n_rows == 7
    assert state.n == 1
    assert state.n_unlabelled == 2
    assert state.n_unpredicted == 1
    assert state.n_beyond == 3
    assert state.mean_error == 0.5
    assert state.mean_truth == 1.0


def test_the_distribution_of_residuals() -> None:
    actual, predicted = sample(5000)
    state = ResidualState().update(actual, predicted)
    assert state.residuals.n == 5000
    assert state.mean_error == pytest.approx((predicted - actual).mean(), rel=1e-12)
    assert ResidualState().mean_error is None
    assert ResidualState().mean_truth is None


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="differ in shape"):
        ResidualState().update(np.array([1.0, 2.0]), np.array([1.0]))
    with pytest.raises(ValueError, match="centre"):
        ResidualState(math.nan)
