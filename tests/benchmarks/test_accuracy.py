from __future__ import annotations

import statistics

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.accuracy import column_errors, exact_moments, rank_error, side_errors
from benchmarks.goals import GOALS, Accuracy
from driftline.kernels.distribution import Distribution
from driftline.kernels.numbers import Numbers

Values = NDArray[np.float64]


def sides(capacity: int = 8192) -> tuple[tuple[Values, Values], tuple[Numbers, Numbers]]:
    rng = np.random.default_rng(11)
    raw = (rng.normal(10, 3, 20_000), rng.normal(11, 3, 20_000))
    kept = tuple(Numbers(distribution=Distribution(capacity=capacity)).update(values) for values in raw)
    return raw, (kept[0], kept[1])


def test_ranks_of_true_quantiles_have_no_error() -> None:
    ordered = np.array([1.0, 2.0, 2.0, 2.0, 5.0])
    levels = np.array([0.2, 0.5, 0.8, 1.0])
    assert rank_error(ordered, levels, np.array([1.0, 2.0, 2.0, 5.0])) == 0.0


def test_rank_error_is_a_share_of_the_rows() -> None:
    ordered = np.arange(100.0)
    # The answer 59 covers the ranks from 0.59 to 0.60.
    assert rank_error(ordered, np.array([0.5]), np.array([59.0])) == pytest.approx(0.09)
    assert rank_error(ordered, np.array([0.7]), np.array([59.0])) == pytest.approx(0.10)


def test_moments_of_integers_are_exact() -> None:
    values = np.array([2**62, 2**62 + 2, 2**62 + 4], np.int64)
    mean, deviation = exact_moments(values)
    assert mean == float(2**62 + 2)
    assert deviation == pytest.approx((8 / 3) ** 0.5, rel=1e-15)


def test_moments_agree_with_the_standard_library() -> None:
    values = np.random.default_rng(3).standard_t(3, 500)
    mean, deviation = exact_moments(values)
    assert mean == pytest.approx(statistics.fmean(values.tolist()), rel=1e-15)
    assert deviation == pytest.approx(statistics.pstdev(values.tolist()), rel=1e-14)


def test_errors_of_a_faithful_summary_are_small() -> None:
    errors = column_errors(*sides())
    assert errors["ks_true"] > 0.1
    assert errors["ks"] < 1e-3
    assert errors["ks"] <= errors["ks_stated"] + 1e-12
    assert errors["rank"] < 2e-3
    assert errors["distinct"] < 0.03
    assert errors["mean"] < 1e-15
    assert errors["deviation"] < 1e-14


def test_coarse_summary_shows_in_the_errors() -> None:
    raw, kept = sides(capacity=16)
    errors = column_errors(raw, kept)
    assert errors["ks"] > 1e-3
    assert errors["rank"] > 1e-3


def test_summary_of_other_values_shows_in_the_errors() -> None:
    raw, kept = sides()
    errors = side_errors(raw[0], kept[1])
    assert errors["mean"] == pytest.approx(0.1, rel=0.1)
    assert errors["rank"] > 0.1
    half = side_errors(raw[0][: raw[0].shape[0] // 2], kept[0])
    assert half["distinct"] > 0.9


def test_errors_named_by_goals_are_measured() -> None:
    assert {goal.source.error for goal in GOALS if isinstance(goal.source, Accuracy)} <= column_errors(
        *sides()
    ).keys()
