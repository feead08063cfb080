"""AttributionState: the attributions of many rows, added up so that hours can be merged."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

import numpy as np

from driftline.kernels import exact
from driftline.kernels.distribution import Distribution
from driftline.kernels.state import Packed, State, StateMismatchError, same_setting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["AGGREGATES", "LARGEST", "Aggregate", "AttributionState"]

Aggregate = Literal["mean_abs", "mean_sq", "median"]

AGGREGATES: Final[tuple[Aggregate, ...]] = ("mean_abs", "mean_sq", "median")

LARGEST: Final = 2.0**255
"""Attributions beyond have a fourth power that is no double."""


@dataclass(frozen=True, eq=False, slots=True)
class AttributionState(State):
    """Attributions of rows to G features, for one output of the model.

    Attributes
    ----------
    n_features : int
        G.
    n : int
        Rows folded in.
    absolute, squares, fourths : tuple of int
        For each feature the sum over the rows of its attribution's absolute value and square, times
        ``2**exact.OFFSET_VALUES`` and ``2**exact.OFFSET_SQUARES``, and of the square of its square (the inner one
        rounded to a double), times ``2**exact.OFFSET_SQUARES``.
    totals : tuple of int
        The sums of the attributions themselves, times ``2**exact.OFFSET_VALUES``.
    distributions : tuple of Distribution
        For the median: exact while a feature has no more than 8,192 different attributions.

    Notes
    -----
    The sums are exact integers, so rows, hours and merges in any order give the same bytes.
    """

    n_features: int
    n: int = 0
    totals: tuple[int, ...] = ()
    absolute: tuple[int, ...] = ()
    squares: tuple[int, ...] = ()
    fourths: tuple[int, ...] = ()
    distributions: tuple[Distribution, ...] = field(default=())

    kind: ClassVar[str] = "attribution"

    def __post_init__(self) -> None:
        if self.n_features < 1:
            raise ValueError(f"attributions to {self.n_features} features")
        for name in ("totals", "absolute", "squares", "fourths"):
            if not getattr(self, name):
                object.__setattr__(self, name, (0,) * self.n_features)
        if not self.distributions:
            object.__setattr__(self, "distributions", (Distribution(),) * self.n_features)

    def empty(self) -> AttributionState:
        """Return the State of no rows, for as many features."""
        return AttributionState(self.n_features)

    def update(self, *columns: NDArray[Any]) -> AttributionState:
        """Fold in the attributions of rows, each a matrix of float64 of shape (n, G).

        Raises
        ------
        ValueError
            If a matrix has another shape, or an attribution is NaN, infinite or beyond `LARGEST`.
        """
        result = self
        for given in columns:
            x = np.ascontiguousarray(np.asarray(given, np.float64).T)
            if x.ndim != 2 or x.shape[0] != self.n_features:
                raise ValueError(f"attributions of shape {np.shape(given)}, to {self.n_features} features")
            if x.shape[1] == 0:
                continue
            if not (np.abs(x) <= LARGEST).all():
                raise ValueError("attributions must be finite, and not beyond 2**255")
            part = AttributionState(
                self.n_features,
                x.shape[1],
                tuple(exact.sum_of_values(line) for line in x),
                tuple(exact.sum_of_values(np.abs(line)) for line in x),
                tuple(exact.sum_of_squares(line) for line in x),
                tuple(exact.sum_of_squares(line * line) for line in x),
                tuple(one.empty().update(line) for one, line in zip(self.distributions, x, strict=True)),
            )
            result = result.merge(part)
        return result

    def merge(self, other: AttributionState) -> AttributionState:
        """Return the State of both sides' rows."""
        if self.n_features != other.n_features:
            raise StateMismatchError(self.kind, "n_features", self.n_features, other.n_features)
        return AttributionState(
            self.n_features,
            self.n + other.n,
            _added(self.totals, other.totals),
            _added(self.absolute, other.absolute),
            _added(self.squares, other.squares),
            _added(self.fourths, other.fourths),
            tuple(a.merge(b) for a, b in zip(self.distributions, other.distributions, strict=True)),
        )

    @classmethod
    def merge_many(cls, parts: Sequence[AttributionState]) -> AttributionState:
        """Return the State of the rows of all `parts`."""
        same_setting(cls.kind, "n_features", parts)
        return AttributionState(
            parts[0].n_features,
            sum(part.n for part in parts),
            _added(*(part.totals for part in parts)),
            _added(*(part.absolute for part in parts)),
            _added(*(part.squares for part in parts)),
            _added(*(part.fourths for part in parts)),
            tuple(
                Distribution.merge_many(some) for some in zip(*(p.distributions for p in parts), strict=True)
            ),
        )

    def mean(self) -> NDArray[np.float64]:
        """Return the mean attribution of each feature, shape (G,); NaN without rows."""
        return self._over_n(self.totals, exact.OFFSET_VALUES)

    def aggregate(self, by: Aggregate = "mean_abs") -> NDArray[np.float64]:
        """Return the attribution of each feature over all rows.

        Parameters
        ----------
        by : {"mean_abs", "mean_sq", "median"}
            Mean of the absolute values, mean of the squares, or median of the signed values. Of an even number of
            rows it is the mean of the middle two.

        Returns
        -------
        ndarray of float64, shape (G,)
            NaN without rows.
        """
        if by == "mean_abs":
            return self._over_n(self.absolute, exact.OFFSET_VALUES)
        if by == "mean_sq":
            return self._over_n(self.squares, exact.OFFSET_SQUARES)
        ranks = np.array([(self.n + 1) // 2, self.n // 2 + 1])
        return np.array([_at_ranks(one, ranks).mean() for one in self.distributions])

    def standard_error(self, by: Aggregate = "mean_abs") -> NDArray[np.float64]:
        """Return the standard error of :meth:`aggregate`, for rows drawn at random.

        Returns
        -------
        ndarray of float64, shape (G,)
            NaN for fewer than two rows.

        Notes
        -----
        Of the means ``sqrt((S2 / n - (S1 / n)**2) / (n - 1))`` with the sums of the values and of their squares. Of
        the median half the distance of the ranks ``(n + 1) / 2 -+ sqrt(n) / 2``, which hold it with 68 %
        probability whatever the distribution.
        """
        n = self.n
        if n < 2:
            return np.full(self.n_features, np.nan)
        if by == "median":
            middle, half = (n + 1) / 2, math.sqrt(n) / 2
            ranks = np.array([max(1, math.floor(middle - half)), min(n, math.ceil(middle + half))])
            ends = np.array([_at_ranks(one, ranks) for one in self.distributions])
            return np.asarray((ends[:, 1] - ends[:, 0]) * (half / (ranks[1] - ranks[0])))
        first, second, bits = self.absolute, self.squares, exact.OFFSET_SQUARES
        if by == "mean_sq":
            first, bits = self.squares, 2 * exact.OFFSET_SQUARES
            second = tuple(one << exact.OFFSET_SQUARES for one in self.fourths)
        # n S2 - S1**2 in integers: nothing cancels before the one rounding.
        spreads = [max(0, n * b - a * a) for a, b in zip(first, second, strict=True)]
        return np.array([exact.root_to_float(one, n * n * (n - 1) << bits) for one in spreads])

    def order(self, by: Aggregate = "mean_abs") -> NDArray[np.int64]:
        """Return the features from the largest attribution to the smallest, equal ones in their own order."""
        return np.argsort(-self.aggregate(by), kind="stable")

    def _over_n(self, sums: tuple[int, ...], bits: int) -> NDArray[np.float64]:
        if not self.n:
            return np.full(self.n_features, np.nan)
        return np.array([exact.to_float(one, self.n << bits) for one in sums])

    def finalize(self) -> Mapping[str, float | None]:
        """Return the aggregates by name and feature, such as ``mean_abs.0``."""
        found = {by: self.aggregate(by).tolist() for by in AGGREGATES}
        return {
            f"{by}.{i}": value if self.n else None for by in AGGREGATES for i, value in enumerate(found[by])
        }

    def pack(self) -> Packed:
        """Return the sums in hexadecimal, and the packed distributions."""
        scalars: dict[str, Any] = {"n_features": self.n_features, "n": self.n}
        for name in ("totals", "absolute", "squares", "fourths"):
            scalars[name] = " ".join(f"{one:x}" for one in getattr(self, name))
        arrays: dict[str, Any] = {}
        for i, one in enumerate(self.distributions):
            packed = one.pack()
            scalars |= {f"{i}.{key}": value for key, value in packed.scalars.items()}
            arrays |= {f"{i}.{key}": value for key, value in packed.arrays.items()}
        return Packed(scalars, arrays)

    @classmethod
    def unpack(cls, packed: Packed) -> AttributionState:
        """Rebuild from :meth:`pack`."""
        s = packed.scalars
        size, n = int(s["n_features"]), int(s["n"])
        totals, absolute, squares, fourths = (
            tuple(int(word, 16) for word in str(s[name]).split())
            for name in ("totals", "absolute", "squares", "fourths")
        )
        distributions = []
        for i in range(size):
            begin = f"{i}."
            distributions.append(
                Distribution.unpack(
                    Packed(
                        {k[len(begin) :]: v for k, v in s.items() if k.startswith(begin)},
                        {k[len(begin) :]: v for k, v in packed.arrays.items() if k.startswith(begin)},
                    )
                )
            )
        lengths = {len(totals), len(absolute), len(squares), len(fourths)}
        if lengths != {size} or n < 0 or any(one.n != n for one in distributions):
            raise ValueError("sums and distributions of attributions do not belong together")
        return cls(size, n, totals, absolute, squares, fourths, tuple(distributions))


def _added(*sums: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(map(sum, zip(*sums, strict=True)))


def _at_ranks(one: Distribution, ranks: NDArray[Any]) -> NDArray[np.float64]:
    """Return the values of these ranks, counted from 1."""
    # Half a rank below, so that a product of doubles does not round up to the next.
    return one.quantile((ranks - 0.5) / max(1, one.n))
