"""Moments with fractions: no rounding anywhere."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def total(values: Sequence[float]) -> Fraction:
    return sum((Fraction(v) for v in values), Fraction(0))


def total_squares(values: Sequence[float]) -> Fraction:
    return sum((Fraction(v) ** 2 for v in values), Fraction(0))


def mean(values: Sequence[float]) -> Fraction:
    return total(values) / len(values)


def variance(values: Sequence[float]) -> Fraction:
    """Population variance, by the definition."""
    centre = mean(values)
    return sum(((Fraction(v) - centre) ** 2 for v in values), Fraction(0)) / len(values)


def nearest_double(x: Fraction) -> float:
    try:
        return x.numerator / x.denominator
    except OverflowError:
        return math.inf if x > 0 else -math.inf
