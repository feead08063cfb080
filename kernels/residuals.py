"""Residuals: how far predicted numbers are from true ones, exact sums of it, and how sure that is."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np

from driftline.kernels import exact
from driftline.kernels.distribution import Distribution
from driftline.kernels.resample import LEAST_ROWS, generator
from driftline.kernels.special import normal_quantile
from driftline.kernels.state import Packed, State, same_setting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["LARGEST", "METRICS", "ResidualState"]

METRICS: Final = ("mae", "mse", "rmse", "r2")
"""Metrics of regression, in the order of SageMaker's files."""

LARGEST: Final = 2.0**250
"""Numbers beyond are counted apart: the fourth power of their difference would be no number."""

CELLS: Final = 1024
"""Cells of the distribution of residuals."""

# Exact sums: of e, |e|, y as values; of e², y² as squares; then of products, for standard errors, with c = y - centre.
_PRODUCTS: Final = ("c", "cc", "aaa", "ac", "acc", "ssss", "sc", "scc", "ccc", "cccc")
_CANCELLED = 2.0**26


@dataclass(frozen=True, eq=False)
class ResidualState(State):
    """Sums of errors of predicted numbers, and their distribution.

    Attributes
    ----------
    centre : float
        A number near the truths, such as their mean in the baseline; only the standard error of R² gains by it.
    n : int
        Rows with a truth and a prediction.
    n_unlabelled, n_unpredicted, n_beyond : int
        Rows without a truth; with a truth but without a prediction; with a number beyond 1.8e75 of either sign.
    total_error, total_absolute, total_truth : int
        Sums of predicted - actual, of its absolute value, and of the truths, times ``2**exact.OFFSET_VALUES``.
    total_squares, total_truth_squares : int
        Sums of the squares of errors and of truths, times ``2**exact.OFFSET_SQUARES``.
    products : tuple of int
        Ten sums for standard errors, times ``2**exact.OFFSET_VALUES``.
    residuals : Distribution
        Of predicted - actual, for pictures and quantiles.

    Notes
    -----
    The sums are exact, so that ``r2 = 1 - n*S(e²) / (n*S(y²) - S(y)²)`` loses nothing where the truths are far from
    zero. The difference of a row is rounded once, as everybody's is.
    """

    centre: float = 0.0
    n: int = 0
    n_unlabelled: int = 0
    n_unpredicted: int = 0
    n_beyond: int = 0
    total_error: int = 0
    total_absolute: int = 0
    total_truth: int = 0
    total_squares: int = 0
    total_truth_squares: int = 0
    products: tuple[int, ...] = (0,) * len(_PRODUCTS)
    residuals: Distribution = field(default_factory=lambda: Distribution(capacity=CELLS))

    kind: ClassVar[str] = "residuals"

    def __post_init__(self) -> None:
        if not abs(self.centre) <= LARGEST:
            raise ValueError(f"the centre of the truths is {self.centre}")

    def empty(self) -> ResidualState:
        """Return a State of the same centre without rows."""
        return ResidualState(self.centre)

    def update(self, *columns: NDArray[Any]) -> ResidualState:
        """Fold in true and predicted numbers, two arrays of shape (n,); NaN where there is none.

        Raises
        ------
        ValueError
            If the arrays differ in length.
        """
        actual, predicted = (np.ascontiguousarray(column, np.float64) for column in columns)
        if actual.shape != predicted.shape or actual.ndim != 1:
            raise ValueError(
                f"actual and predicted numbers differ in shape: {actual.shape} and {predicted.shape}"
            )
        labelled, known = ~np.isnan(actual), ~np.isnan(predicted)
        used = labelled & known
        with np.errstate(invalid="ignore"):
            within = used & (np.abs(actual) <= LARGEST) & (np.abs(predicted) <= LARGEST)
        y, p = actual[within], predicted[within]
        n_unlabelled, n_unpredicted = int((~labelled).sum()), int((labelled & ~known).sum())
        n_beyond = int(used.sum()) - y.shape[0]
        if y.shape[0] == 0:
            part = ResidualState(self.centre, 0, n_unlabelled, n_unpredicted, n_beyond)
            return self.merge(part)
        e = p - y
        a, s, c = np.abs(e), e * e, y - self.centre
        cc = c * c
        products = (c, cc, a * s, a * c, a * cc, s * s, s * c, s * cc, c * cc, cc * cc)
        part = ResidualState(
            self.centre,
            y.shape[0],
            n_unlabelled,
            n_unpredicted,
            n_beyond,
            exact.sum_of_values(e),
            exact.sum_of_values(a),
            exact.sum_of_values(y),
            exact.sum_of_squares(e),
            exact.sum_of_squares(y),
            tuple(exact.sum_of_values(product) for product in products),
            Distribution(capacity=CELLS).update(e),
        )
        return self.merge(part)

    def merge(self, other: ResidualState) -> ResidualState:
        """Return the rows of both sides.

        Raises
        ------
        StateMismatchError
            If the centres differ.
        """
        return self.merge_many([self, other])

    @classmethod
    def merge_many(cls, parts: Sequence[ResidualState]) -> ResidualState:
        """Return the rows of all `parts`.

        Raises
        ------
        StateMismatchError
            If the centres differ.
        """
        same_setting(cls.kind, "centre", parts)
        totals = {name: sum(getattr(part, name) for part in parts) for name in _TOTALS}
        products = tuple(map(sum, zip(*(part.products for part in parts), strict=True)))
        residuals = Distribution.merge_many([part.residuals for part in parts])
        return cls(parts[0].centre, **totals, products=products, residuals=residuals)

    @property
    def n_rows(self) -> int:
        """All rows."""
        return self.n + self.n_unlabelled + self.n_unpredicted + self.n_beyond

    def _mean(self, total: int, offset: int = exact.OFFSET_VALUES) -> float:
        return exact.to_float(total, self.n << offset)

    @property
    def mean_error(self) -> float | None:
        """Mean of predicted - actual; None without rows."""
        return self._mean(self.total_error) if self.n else None

    @property
    def mean_truth(self) -> float | None:
        """Mean of the truths; None without rows."""
        return self._mean(self.total_truth) if self.n else None

    @property
    def r2(self) -> float | None:
        """Share of the variance of the truths that is explained; None where they are all the same, or there are none."""
        spread = self.n * self.total_truth_squares - self.total_truth**2
        return 1.0 - exact.to_float(self.n * self.total_squares, spread) if spread else None

    def finalize(self) -> Mapping[str, float | None]:
        """Return mae, mse, rmse and r2."""
        if not self.n:
            return dict.fromkeys(METRICS)
        mse = self._mean(self.total_squares, exact.OFFSET_SQUARES)
        return {"mae": self._mean(self.total_absolute), "mse": mse, "rmse": math.sqrt(mse), "r2": self.r2}

    def _moments(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return means and covariance of a row's |e|, e², c and c²."""
        c, cc, aaa, ac, acc, ssss, sc, scc, ccc, cccc = self.products
        absolute = self.total_absolute
        shift = exact.OFFSET_SQUARES - exact.OFFSET_VALUES
        squares = self.total_squares >> shift  # what is cut off is below 2**-1088
        first = (absolute, squares, c, cc)
        second = ((squares, aaa, ac, acc), (aaa, ssss, sc, scc), (ac, sc, cc, ccc), (acc, scc, ccc, cccc))
        n = self.n
        covariance = [
            [
                exact.to_float(
                    (n * second[i][j] << exact.OFFSET_VALUES) - first[i] * first[j],
                    n * n << 2 * exact.OFFSET_VALUES,
                )
                for j in range(4)
            ]
            for i in range(4)
        ]
        return np.array([self._mean(total) for total in first]), np.array(covariance)

    def _explained(self, means: NDArray[np.float64]) -> float:
        """Return the variance of the truths, or 0 where it drowns beside the distance from the centre."""
        if self.r2 is None:
            return 0.0
        spread = self.n * self.total_truth_squares - self.total_truth**2
        variance = exact.to_float(spread, self.n * self.n << exact.OFFSET_SQUARES)
        return variance if float(means[2]) ** 2 <= _CANCELLED * variance else 0.0

    def standard_errors(self) -> dict[str, float | None]:
        """Return the standard errors of mae, mse, rmse and r2 (delta method).

        Returns
        -------
        dict of str to float or None
            None below two rows, of `r2` also where it is None or where the truths are so far from `centre`, beside their
            spread, that the fourth moments drown.

        Notes
        -----
        Every metric is a smooth function of the means of |e|, e², y and y². With its gradient g and the covariance C of
        the rows its standard error is ``sqrt(g' C g / (n - 1))``.
        """
        if self.n < 2:
            return dict.fromkeys(METRICS)
        means, covariance = self._moments()
        _, mse, mean, _ = means.tolist()
        variance = self._explained(means)
        gradients: dict[str, Sequence[float] | None] = {
            "mae": (1.0, 0.0, 0.0, 0.0),
            "mse": (0.0, 1.0, 0.0, 0.0),
            "rmse": (0.0, 0.5 / math.sqrt(mse) if mse else 0.0, 0.0, 0.0),
            "r2": (0.0, -1.0 / variance, -2.0 * mean * mse / variance**2, mse / variance**2)
            if variance
            else None,
        }
        return {
            name: None if g is None else math.sqrt(max(0.0, float(np.dot(g, covariance @ g))) / (self.n - 1))
            for name, g in gradients.items()
        }

    def intervals(self, level: float = 0.95) -> dict[str, tuple[float, float] | None]:
        """Return intervals of mae, mse, rmse and r2; None where there is no standard error.

        Notes
        -----
        Normal for the logarithms of mae, mse, rmse and of ``1 - r2``: they are positive and skewed to the right.
        """
        z = normal_quantile((1.0 + level) / 2.0)
        values, errors = self.finalize(), self.standard_errors()
        found: dict[str, tuple[float, float] | None] = {}
        for name in METRICS:
            value, error = values[name], errors[name]
            if value is None or error is None:
                found[name] = None
                continue
            size = 1.0 - value if name == "r2" else value
            reach = math.exp(min(700.0, z * error / size)) if size > 0.0 else 1.0
            low, high = size / reach, size * reach
            found[name] = (1.0 - high, 1.0 - low) if name == "r2" else (low, high)
        return found

    def sagemaker_deviations(self, seed: int) -> dict[str, float]:
        """Return what SageMaker calls the standard deviation of mae, mse, rmse and r2.

        Parameters
        ----------
        seed : int
            To be recorded beside the numbers.

        Returns
        -------
        dict of str to float
            NaN below 200 rows, and where the standard error is None.

        Notes
        -----
        Five subsamples of 80 % of the rows, without replacement; the standard deviation (n - 1) of the five. The rows
        are gone, but the metrics are functions of four means, and the means of such subsamples are normal around
        those of all rows with covariance ``C * (1 - f) / (f * n)``, f = 0.8. They are drawn from that law, which 160
        rows and more follow closely.
        """
        if self.n < LEAST_ROWS:
            return dict.fromkeys(METRICS, math.nan)
        means, covariance = self._moments()
        root = _root(covariance * (0.25 / (self.n - 1)))
        drawn = means + generator(seed).standard_normal((5, 4)) @ root.T
        mae, mse, mean, square = np.maximum(drawn, [0.0, 0.0, -math.inf, 0.0]).T
        found = {"mae": mae, "mse": mse, "rmse": np.sqrt(mse)}
        deviations = {name: float(np.std(values, ddof=1)) for name, values in found.items()}
        deviations["r2"] = math.nan
        if self._explained(means):
            deviations["r2"] = float(np.std(1.0 - mse / (square - mean**2), ddof=1))
        return deviations

    def pack(self) -> Packed:
        """Return counts, hexadecimal sums, and the distribution of residuals."""
        scalars: dict[str, Any] = {"centre": self.centre}
        scalars |= {name: getattr(self, name) for name in _COUNTS}
        scalars |= {name: f"{getattr(self, name):x}" for name in _SUMS}
        scalars |= {f"product_{k}": f"{v:x}" for k, v in zip(_PRODUCTS, self.products, strict=True)}
        of_residuals = self.residuals.pack()
        scalars |= {f"residuals_{name}": value for name, value in of_residuals.scalars.items()}
        return Packed(scalars, {f"residuals_{name}": array for name, array in of_residuals.arrays.items()})

    @classmethod
    def unpack(cls, packed: Packed) -> ResidualState:
        """Rebuild from :meth:`pack`."""
        s = packed.scalars

        def of_residuals(values: Mapping[str, Any]) -> dict[str, Any]:
            prefix = "residuals_"
            return {name[len(prefix) :]: value for name, value in values.items() if name.startswith(prefix)}

        residuals = Distribution.unpack(Packed(of_residuals(s), of_residuals(packed.arrays)))
        counts = {name: int(s[name]) for name in _COUNTS}
        if min(counts.values()) < 0 or residuals.n != counts["n"] or residuals.capacity != CELLS:
            raise ValueError("counts and residuals do not belong together")
        sums = {name: int(s[name], 16) for name in _SUMS}
        products = tuple(int(s[f"product_{name}"], 16) for name in _PRODUCTS)
        return cls(float(s["centre"]), **counts, **sums, products=products, residuals=residuals)


_COUNTS = ("n", "n_unlabelled", "n_unpredicted", "n_beyond")
_SUMS = ("total_error", "total_absolute", "total_truth", "total_squares", "total_truth_squares")
_TOTALS = (*_COUNTS, *_SUMS)


def _root(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return lower-triangular L with ``L @ L.T`` the covariance, also where it is singular (Cholesky)."""
    size = covariance.shape[0]
    root = np.zeros((size, size))
    for j in range(size):
        left = covariance[j:, j] - root[j:, :j] @ root[j, :j]
        if left[0] > 1e-12 * covariance[j, j]:
            root[j:, j] = left / math.sqrt(left[0])
    return root
