"""Exact sums: against fractions, whatever the size of the numbers."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import moments as obvious
from strategies import finite, integers, rows_of

from driftline.kernels import exact

ONE = 1 << exact.OFFSET_VALUES
ONE_SQUARED = 1 << exact.OFFSET_SQUARES


@given(rows_of(finite))
def test_sums_of_doubles_are_exact(values: list[float]) -> None:
    x = np.array(values, np.float64)
    assert exact.sum_of_values(x) == obvious.total(values) * ONE
    assert exact.sum_of_squares(x) == obvious.total_squares(values) * ONE_SQUARED


@given(rows_of(integers))
def test_sums_of_integers_are_exact(values: list[int]) -> None:
    x = np.array(values, np.int64)
    assert exact.sum_of_values(x) == sum(values) * ONE
    assert exact.sum_of_squares(x) == sum(v * v for v in values) * ONE_SQUARED


@pytest.mark.parametrize(
    "x",
    [
        np.full(300_001, -(2**63), np.int64),
        np.full(300_001, 2**63 - 1, np.int64),
        np.full(300_001, np.finfo(float).max),
        np.full(300_001, -np.finfo(float).max),
        np.full(300_001, 5e-324),
        np.full(300_001, np.nextafter(1.0, 0.0)),
    ],
    ids=["lowest int", "highest int", "largest", "lowest", "smallest", "all mantissa bits"],
)
def test_no_partial_sum_overflows(x: np.ndarray) -> None:
    one = x[0].item()
    assert exact.sum_of_values(x) == x.shape[0] * Fraction(one) * ONE
    assert exact.sum_of_squares(x) == x.shape[0] * Fraction(one) ** 2 * ONE_SQUARED


@given(st.lists(st.integers(-(2**62), 2**62), max_size=8))
def test_limbs_are_weighed_by_powers_of_two_to_the_32(limbs: list[int]) -> None:
    expected = sum(v * 2 ** (32 * i) for i, v in enumerate(limbs))
    assert exact.from_limbs(np.array(limbs, np.int64)) == expected


def test_limbs_hold_every_sum_of_2_to_the_63_rows() -> None:
    largest = 2**63 * int(np.finfo(float).max)
    assert (largest * ONE) >> 63 < 1 << (32 * (exact.N_LIMBS_VALUES - 1))
    assert (largest * int(np.finfo(float).max) * ONE_SQUARED) >> 63 < 1 << (32 * (exact.N_LIMBS_SQUARES - 1))


@given(st.integers(-(10**400), 10**400), st.integers(1, 10**350))
def test_quotient_is_the_nearest_double(numerator: int, denominator: int) -> None:
    assert exact.to_float(numerator, denominator) == obvious.nearest_double(Fraction(numerator, denominator))


@given(st.integers(0, 10**700), st.integers(1, 10**700))
def test_root_is_within_an_ulp(numerator: int, denominator: int) -> None:
    found = exact.root_to_float(numerator, denominator)
    if math.isinf(found):
        assert Fraction(numerator, denominator) > Fraction(np.finfo(float).max) ** 2
        return
    square = Fraction(numerator, denominator)
    below, above = (max(0.0, np.nextafter(found, to)) for to in (-math.inf, math.inf))
    assert Fraction(below) ** 2 <= square
    assert math.isinf(above) or square <= Fraction(above) ** 2


def test_root_of_nothing_is_zero() -> None:
    assert exact.root_to_float(0, 5) == 0.0
