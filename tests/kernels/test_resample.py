"""Resampling: draws from counts have the law of draws from rows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from driftline.kernels.confusion import binary_metrics
from driftline.kernels.resample import (
    Replicates,
    bootstrap,
    plausible_counts,
    resample_counts,
    sagemaker_deviations,
    subsample_counts,
)

COUNTS = np.array([[900, 60], [90, 250]])


def rows(counts: Any) -> Any:
    return np.repeat(np.arange(counts.size), counts.ravel())


def tables(drawn: Any) -> Any:
    return np.stack([np.bincount(one, minlength=4).reshape(2, 2) for one in drawn])


def test_standard_deviations_are_those_of_the_row_bootstrap() -> None:
    rng = np.random.default_rng(1)
    every = rows(COUNTS)
    by_row = binary_metrics(tables(every[rng.integers(0, every.size, (4000, every.size))]))
    by_count = bootstrap(COUNTS, binary_metrics, 4000, seed=2)
    for name, values in by_row.items():
        # The ratio of two such deviations has a standard error of 1/sqrt(4000).
        assert by_count[name].standard_error == pytest.approx(values.std(ddof=1), rel=5 / math.sqrt(4000))


@pytest.mark.parametrize(
    "counts",
    [
        [3, 0, 12, 40, 5],  # every cell is drawn exactly
        [3, 0, 1200, 400, 5000, 90],  # some are
        [10_000, 2_000_000, 300, 100],  # none is
        [0, 0, 500],
        [7],
    ],
)
def test_mean_and_covariance_are_multinomial(counts: list[int]) -> None:
    c = np.array(counts)
    n, n_replicates = c.sum(), 20_000
    drawn = resample_counts(c, n_replicates, seed=3)
    assert drawn.shape == (n_replicates, c.size)
    assert np.allclose(drawn.sum(axis=1), n, rtol=1e-12)
    assert (drawn[:, c == 0] == 0).all()
    assert (drawn >= 0).all()
    covariance = np.diag(c) - np.outer(c, c) / n
    error = np.sqrt(np.maximum(np.diag(covariance), 0) / n_replicates)
    assert (np.abs(drawn.mean(axis=0) - c) <= 5 * error + 1e-9).all()
    scale = np.sqrt(np.outer(np.diag(covariance), np.diag(covariance)))
    assert (
        np.abs(np.cov(drawn.T).reshape(c.size, -1) - covariance)
        <= 5 * scale * 1.5 / math.sqrt(n_replicates) + 1e-9
    ).all()


def test_large_cells_are_as_skewed_as_they_should_be() -> None:
    drawn = resample_counts(np.array([120, 10_000_000]), 200_000, seed=4)[:, 0]
    assert stats.skew(drawn) == pytest.approx(1 / math.sqrt(120), abs=0.03)
    assert np.quantile(drawn, [0.025, 0.975]) == pytest.approx(
        stats.poisson(120).ppf([0.025, 0.975]), abs=1.0
    )


def test_small_cells_are_drawn_exactly() -> None:
    drawn = resample_counts(np.array([2, 8]), 50_000, seed=5)[:, 0]
    assert (drawn == np.round(drawn)).all()
    seen = np.bincount(drawn.astype(int), minlength=11)
    expected = 50_000 * stats.binom(10, 0.2).pmf(np.arange(11))
    assert stats.chisquare(seen[:7], expected[:7] * seen[:7].sum() / expected[:7].sum()).pvalue > 1e-3


def test_seeds_and_shapes() -> None:
    counts = np.arange(24).reshape(2, 3, 4) * 50
    one, same, other = (resample_counts(counts, 9, seed) for seed in (1, 1, 2))
    assert one.shape == (9, 2, 3, 4)
    assert (one == same).all()
    assert (one != other).any()
    assert resample_counts(counts, 0, 1).shape == (0, 2, 3, 4)
    assert not resample_counts(np.zeros((2, 2), np.int64), 3, 1).any()


def test_replicates_come_the_same_however_many_are_asked_for_at_a_time() -> None:
    counts = np.full(100, 1000)
    assert resample_counts(counts, 2000, 1).shape == (2000, 100)
    first = resample_counts(counts, 1310, 1)  # a whole handful
    assert (resample_counts(counts, 2000, 1)[:1310] == first).all()


def test_negative_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        resample_counts(np.array([1, -1]), 3, 0)


def test_plausible_shares_are_those_of_jeffreys() -> None:
    counts = np.array([[0, 0], [0, 16]])
    recall = binary_metrics(plausible_counts(counts, 40_000, seed=1))["recall"]
    assert np.quantile(recall, [0.025, 0.5]) == pytest.approx(
        stats.beta(16.5, 0.5).ppf([0.025, 0.5]), abs=4e-3
    )
    found = bootstrap(counts, binary_metrics, 1000, seed=1)
    assert found["recall"].percentile() == (1.0, 1.0)  # the reason for plausible counts
    found = bootstrap(counts, binary_metrics, 1000, seed=1, plausible=True)
    low, high = found["recall"].percentile() or (math.nan, math.nan)
    assert found["recall"].estimate == 1.0
    assert low < 0.9 < high


def test_plausible_counts_are_the_bootstrap_where_there_are_many_rows() -> None:
    one = bootstrap(COUNTS * 100, binary_metrics, 4000, seed=1)
    other = bootstrap(COUNTS * 100, binary_metrics, 4000, seed=2, plausible=True)
    for name, replicates in one.items():
        assert other[name].standard_error == pytest.approx(replicates.standard_error, rel=0.08)


def test_intervals_cover_as_often_as_they_say() -> None:
    rng = np.random.default_rng(11)
    shares = COUNTS.ravel() / COUNTS.sum()
    truth = {name: float(value) for name, value in binary_metrics(COUNTS).items()}
    covered = dict.fromkeys(("recall", "precision", "f1"), 0)
    for seed in range(300):
        sample = rng.multinomial(200, shares).reshape(2, 2)
        found = bootstrap(sample, binary_metrics, 500, seed, plausible=True)
        for name in covered:
            low, high = found[name].percentile() or (0.0, 0.0)
            covered[name] += low <= truth[name] <= high
    for name, times in covered.items():
        assert stats.binomtest(times, 300, 0.95).pvalue > 1e-3, name


def test_normal_interval_takes_the_bias_off() -> None:
    values = np.random.default_rng(0).normal(0.6, 0.1, 1000)
    low, high = Replicates(0.5, values, 1000).normal() or (0.0, 0.0)
    assert (low + high) / 2 == pytest.approx(1.0 - values.mean())
    assert (high - low) / 2 == pytest.approx(1.959964 * values.std(ddof=1), rel=1e-5)
    least, most = Replicates(0.75, values, 1000).normal(least=0.8, most=0.95) or (0.0, 0.0)
    assert least == 0.8
    assert most == 0.95


def test_too_few_replicates_tell_nothing() -> None:
    assert Replicates(None, np.zeros(0), 1000).percentile() is None
    assert Replicates(0.5, np.full(800, 0.5), 1000).standard_error is None
    assert Replicates(0.5, np.full(19, 0.5), 19).normal() is None
    assert Replicates(0.5, np.full(950, 0.5), 1000).standard_error == 0.0


def test_a_metric_that_is_missing_in_some_replicates() -> None:
    counts = np.array([[50, 0], [1, 1]])  # one predicted positive, gone from a third of the replicates
    found = bootstrap(counts, binary_metrics, 1000, seed=0)
    assert found["precision"].estimate == 1.0
    assert found["precision"].percentile() is None
    assert found["accuracy"].percentile() is not None


def test_subsamples_are_four_fifths_without_replacement() -> None:
    drawn = subsample_counts(COUNTS, seed=1)
    assert drawn.shape == (5, 2, 2)
    assert (drawn.sum(axis=(1, 2)) == int(COUNTS.sum() * 0.8)).all()
    assert (drawn <= COUNTS).all()
    many = subsample_counts(COUNTS, seed=1, n_draws=20_000)[:, 0, 1]
    law = stats.hypergeom(int(COUNTS.sum()), 60, int(COUNTS.sum() * 0.8))
    assert many.mean() == pytest.approx(law.mean(), abs=5 * law.std() / math.sqrt(20_000))
    assert many.std() == pytest.approx(law.std(), rel=0.03)


def test_subsamples_of_more_rows_than_are_drawn_exactly() -> None:
    counts = np.array([3_000_000_000, 40_000, 2_000_000_000])
    drawn = subsample_counts(counts, seed=1, n_draws=4000)
    assert drawn[:, 1].mean() == pytest.approx(32_000, rel=1e-3)
    assert drawn[:, 1].std() == pytest.approx(math.sqrt(40_000 * 0.16), rel=0.06)
    assert np.abs(drawn.sum(axis=1) - 4_000_032_000).max() <= 2


def test_sagemaker_deviation_is_that_of_row_subsamples() -> None:
    rng = np.random.default_rng(5)
    every = rows(COUNTS)
    taken = [rng.permutation(every)[: int(every.size * 0.8)] for _ in range(2000)]
    expected = binary_metrics(tables(taken))
    drawn = [sagemaker_deviations(COUNTS, binary_metrics, seed) for seed in range(500)]
    for name, values in expected.items():
        found = math.sqrt(np.mean([one[name] ** 2 for one in drawn]))
        assert found == pytest.approx(values.std(), rel=0.12), name


def test_sagemaker_deviation_needs_200_rows() -> None:
    few, enough = np.array([[100, 9], [40, 50]]), np.array([[100, 10], [40, 50]])
    assert all(math.isnan(value) for value in sagemaker_deviations(few, binary_metrics, 1).values())
    found = sagemaker_deviations(enough, binary_metrics, 1)
    assert all(value > 0 for value in found.values())
    assert found == sagemaker_deviations(enough, binary_metrics, 1)
