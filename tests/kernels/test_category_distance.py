from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from driftline.kernels.category_distance import sagemaker_chi_squared, sagemaker_l_infinity
from driftline.kernels.kll import robust

counts = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 500), min_size=1)


@given(counts, counts)
def test_l_infinity_is_the_largest_difference_of_shares(a: dict[str, int], b: dict[str, int]) -> None:
    n, m = sum(a.values()), sum(b.values())
    expected = max(abs(a.get(c, 0) / n - b.get(c, 0) / m) for c in "abcdefgh")
    assert sagemaker_l_infinity(a, b, "Simple") == expected
    assert sagemaker_l_infinity(a, b) == robust(expected, n, m)


def test_nothing_has_no_distance() -> None:
    assert math.isnan(sagemaker_l_infinity({}, {"a": 1}))
    assert math.isnan(sagemaker_l_infinity({"a": 1}, {}))
    assert math.isnan(sagemaker_chi_squared({}, {"a": 1}))
    assert math.isnan(sagemaker_chi_squared({"a": 1}, {"b": 1}))


def test_chi_squared_is_the_goodness_of_fit() -> None:
    baseline, current = {"a": 500, "b": 300, "c": 200}, {"a": 40, "b": 40, "c": 20}
    expected = stats.chisquare([40, 40, 20], [50, 30, 20])
    assert sagemaker_chi_squared(baseline, current, "Simple") == pytest.approx(expected.statistic, rel=1e-14)
    assert sagemaker_chi_squared(baseline, current) == pytest.approx(expected.pvalue, rel=1e-12)


def test_unknown_categories_are_ignored() -> None:
    baseline, current = {"a": 50, "b": 50}, {"a": 60, "b": 40}
    assert sagemaker_chi_squared(baseline, {**current, "new": 999}) == sagemaker_chi_squared(
        baseline, current
    )


def test_a_category_that_vanished_counts() -> None:
    expected = stats.chisquare([100, 0], [50, 50])
    assert sagemaker_chi_squared({"a": 1, "b": 1}, {"a": 100}, "Simple") == pytest.approx(expected.statistic)


def test_small_categories_join_the_second_smallest() -> None:
    # Expected 80, 14, 4, 2: two of four are below 5 and none may be (0.2 * 4 rounds to 0), so 2 joins 4.
    baseline = {"a": 80, "b": 14, "c": 4, "d": 2}
    current = {"a": 70, "b": 15, "c": 5, "d": 10}
    expected = stats.chisquare([70, 15, 15], [80, 14, 6])
    assert sagemaker_chi_squared(baseline, current) == pytest.approx(expected.pvalue, rel=1e-12)


def test_one_in_five_may_be_small() -> None:
    baseline = {"a": 40, "b": 30, "c": 16, "d": 10, "e": 4}
    current = {"a": 30, "b": 30, "c": 20, "d": 10, "e": 10}
    expected = stats.chisquare(list(current.values()), list(baseline.values()))
    assert sagemaker_chi_squared(baseline, current) == pytest.approx(expected.pvalue, rel=1e-12)


def test_two_categories_need_ten_rows_each() -> None:
    assert math.isnan(sagemaker_chi_squared({"a": 91, "b": 9}, {"a": 50, "b": 50}))
    assert not math.isnan(sagemaker_chi_squared({"a": 90, "b": 10}, {"a": 50, "b": 50}))


@given(counts, counts)
def test_chi_squared_is_a_p_value_or_nothing(a: dict[str, int], b: dict[str, int]) -> None:
    p = sagemaker_chi_squared(a, b)
    assert math.isnan(p) or 0.0 <= p <= 1.0
