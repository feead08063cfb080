"""Moments: the mean and variance are the nearest doubles to the true ones, however far from zero the numbers lie."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from reference import moments as obvious
from strategies import finite, integers, rows_of

from driftline.kernels.moments import Moments


@given(rows_of(finite))
def test_mean_and_variance_are_correctly_rounded(values: list[float]) -> None:
    assume(values)
    found = Moments().update(np.array(values))
    assert found.n == len(values)
    assert found.sum == obvious.nearest_double(obvious.total(values))
    assert found.mean == obvious.nearest_double(obvious.mean(values))
    assert found.variance == obvious.nearest_double(obvious.variance(values))
    assert (found.low, found.high) == (min(values), max(values))


@given(rows_of(finite))
def test_deviation_survives_a_square_that_no_double_holds(values: list[float]) -> None:
    assume(values)
    found = Moments().update(np.array(values)).std_dev
    true = obvious.variance(values)
    assert found is not None
    below, above = (Fraction(float(np.nextafter(found, to))) for to in (0.0, np.finfo(float).max))
    assert below**2 <= true or found == 0.0
    assert true <= above**2


@pytest.mark.parametrize("ratio", [1e0, 1e3, 1e6, 1e9, 1e12])
def test_no_digits_are_lost_far_from_zero(ratio: float) -> None:
    rng = np.random.default_rng(int(ratio) % 1000)
    values = ratio + rng.standard_normal(20_000)
    found = Moments().update(values)
    wide = values.astype(np.longdouble)
    mean, variance = wide.mean(), ((wide - wide.mean()) ** 2).mean()
    assert found.mean == pytest.approx(float(mean), rel=1e-15)
    assert found.variance == pytest.approx(float(variance), rel=1e-12)
    assert found.variance == obvious.nearest_double(obvious.variance(values.tolist()))


@given(rows_of(st.integers(-(2**53), 2**53)))
def test_int_and_float_columns_of_the_same_numbers_are_equal(values: list[int]) -> None:
    assert Moments().update(np.array(values, np.int64)) == Moments().update(np.array(values, np.float64))


@given(rows_of(integers))
def test_extremes_of_integers_keep_every_digit(values: list[int]) -> None:
    assume(values)
    found = Moments().update(np.array(values, np.int64))
    assert (found.low, found.high) == (min(values), max(values))
    assert type(found.low) is int


def test_negative_zero_does_not_show() -> None:
    found = Moments().update(np.array([-0.0]))
    assert math.copysign(1.0, found.low) == 1.0
    assert math.copysign(1.0, found.high) == 1.0


def test_other_dtypes_and_strides_are_taken() -> None:
    expected = Moments().update(np.array([0.0, 2.0, 4.0]))
    assert Moments().update(np.arange(6, dtype=np.float32)[::2]) == expected
    assert Moments().update(np.arange(6, dtype=np.int64)[::2]) == expected


def test_a_sum_too_large_for_a_double_is_infinite_but_its_mean_is_not() -> None:
    found = Moments().update(np.full(3, 1.7e308))
    assert found.sum == math.inf
    assert found.mean == 1.7e308
    assert found.std_dev == 0.0
