"""Moments: count, sum, mean, variance and extremes, exact until the last rounding."""

from __future__ import annotations

import functools
import math
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from driftline.kernels import exact
from driftline.kernels.state import Packed, State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["Moments"]


@dataclass(frozen=True, eq=False, slots=True)
class Moments(State):
    """Count, sum, mean, variance and extremes of finite numbers.

    Attributes
    ----------
    n : int
        Values folded in.
    total : int
        Their sum, times ``2**exact.OFFSET_VALUES``.
    total_squares : int
        The sum of their squares, times ``2**exact.OFFSET_SQUARES``.
    low, high : float, int or None
        Extremes; ints where the data were ints, so that 64-bit ids keep every digit.

    Notes
    -----
    Both sums are exact integers, so the mean and the (population) variance ``(n*S2 - S1**2) / n**2`` are correctly
    rounded whatever the ratio of mean to spread: there is no cancellation to lose digits in. An int64 column and a
    float64 column of the same numbers have equal Moments.
    """

    n: int = 0
    total: int = 0
    total_squares: int = 0
    low: float | int | None = None
    high: float | int | None = None

    kind: ClassVar[str] = "moments"

    def empty(self) -> Moments:
        """Return Moments of nothing."""
        return Moments()

    def update(self, *columns: NDArray[Any]) -> Moments:
        """Fold in finite values, float64 or int64 of shape (n,).

        Raises
        ------
        ValueError
            If a value is not finite.
        """
        result = self
        for x in columns:
            if x.shape[0] == 0:
                continue
            if x.dtype != np.int64:
                x = np.ascontiguousarray(x, dtype=np.float64)
                if not np.isfinite(x).all():
                    raise ValueError("Moments take finite values; count NaN and infinity in a Tally")
            low, high = x.min().item(), x.max().item()
            # -0.0 and 0.0 are one value; which of them min() meets first must not show.
            low, high = low + 0, high + 0
            part = Moments(x.shape[0], exact.sum_of_values(x), exact.sum_of_squares(x), low, high)
            result = result.merge(part)
        return result

    def merge(self, other: Moments) -> Moments:
        """Return the Moments of both sides' values."""
        if other.n == 0:
            return self
        if self.n == 0:
            return other
        assert self.low is not None
        assert self.high is not None
        assert other.low is not None
        assert other.high is not None
        return Moments(
            self.n + other.n,
            self.total + other.total,
            self.total_squares + other.total_squares,
            _pick(self.low, other.low, lower=True),
            _pick(self.high, other.high, lower=False),
        )

    @classmethod
    def merge_many(cls, parts: Sequence[Moments]) -> Moments:
        """Return the Moments of the values of all `parts`."""
        full = [part for part in parts if part.n]
        if len(full) < 2:
            return full[0] if full else parts[0]
        lows = [part.low for part in full if part.low is not None]
        highs = [part.high for part in full if part.high is not None]
        return Moments(
            sum(part.n for part in full),
            sum(part.total for part in full),
            sum(part.total_squares for part in full),
            functools.reduce(functools.partial(_pick, lower=True), lows),
            functools.reduce(functools.partial(_pick, lower=False), highs),
        )

    @property
    def sum(self) -> float | None:
        """The sum, rounded once; None where there are no values."""
        return exact.to_float(self.total, 1 << exact.OFFSET_VALUES) if self.n else None

    @property
    def mean(self) -> float | None:
        """The arithmetic mean, correctly rounded."""
        return exact.to_float(self.total, self.n << exact.OFFSET_VALUES) if self.n else None

    @property
    def variance(self) -> float | None:
        """The population variance (divided by n), correctly rounded."""
        if not self.n:
            return None
        numerator = self.n * self.total_squares - self.total * self.total
        return exact.to_float(numerator, self.n * self.n << exact.OFFSET_SQUARES)

    @property
    def std_dev(self) -> float | None:
        """The population standard deviation, also where its square is too large or too small for a double."""
        variance = self.variance
        if variance is None or sys.float_info.min <= variance <= sys.float_info.max:
            return None if variance is None else math.sqrt(variance)
        numerator = self.n * self.total_squares - self.total * self.total
        return exact.root_to_float(numerator, self.n * self.n << exact.OFFSET_SQUARES)

    def finalize(self) -> Mapping[str, float | None]:
        """Return sum, mean, variance, std_dev, min and max."""
        return {
            "sum": self.sum,
            "mean": self.mean,
            "variance": self.variance,
            "std_dev": self.std_dev,
            "min": self.low,
            "max": self.high,
        }

    def pack(self) -> Packed:
        """Return count, hexadecimal sums and extremes."""
        return Packed(
            {
                "n": self.n,
                "total": f"{self.total:x}",
                "total_squares": f"{self.total_squares:x}",
                "low": self.low,
                "high": self.high,
            }
        )

    @classmethod
    def unpack(cls, packed: Packed) -> Moments:
        """Rebuild from :meth:`pack`."""
        s = packed.scalars
        return cls(int(s["n"]), int(s["total"], 16), int(s["total_squares"], 16), s["low"], s["high"])


def _pick(a: float, b: float, *, lower: bool) -> float:
    """Return the smaller (larger) of two; of an equal int and float the float, so that order does not show."""
    if a == b:
        return a if type(a) is float else b
    return min(a, b) if lower else max(a, b)
