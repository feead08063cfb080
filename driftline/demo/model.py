"""A small model to be watched: logistic regression by iteratively reweighted least squares."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Logistic", "fit"]


class Logistic:
    """A fitted logistic regression.

    Parameters
    ----------
    weights : ndarray, shape (k + 1,)
        Intercept first, for standardised inputs.
    centre, scale : ndarray, shape (k,)
    """

    def __init__(
        self, weights: NDArray[np.float64], centre: NDArray[np.float64], scale: NDArray[np.float64]
    ) -> None:
        self._weights = weights
        self._centre = centre
        self._scale = scale

    def document(self) -> dict[str, list[float]]:
        """Return the model as JSON has it."""
        return {
            "weights": self._weights.tolist(),
            "centre": self._centre.tolist(),
            "scale": self._scale.tolist(),
        }

    def probability(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probability of class 1 for inputs of shape (n, k)."""
        z = (x - self._centre) / self._scale
        odds: NDArray[np.float64] = np.exp(-(self._weights[0] + z @ self._weights[1:]))
        return 1.0 / (1.0 + odds)


def fit(x: NDArray[np.float64], y: NDArray[np.float64], *, ridge: float = 1.0, rounds: int = 12) -> Logistic:
    """Fit by Newton's method with a ridge penalty, which the one-hot columns of real data need.

    Parameters
    ----------
    x : ndarray, shape (n, k)
    y : ndarray, shape (n,)
        0 or 1.
    ridge : float
    rounds : int

    Returns
    -------
    Logistic
    """
    centre, scale = x.mean(axis=0), x.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    design = np.column_stack([np.ones(x.shape[0]), (x - centre) / scale])
    penalty = np.diag([0.0] + [ridge] * x.shape[1])
    weights = np.zeros(design.shape[1])
    for _ in range(rounds):
        p = 1.0 / (1.0 + np.exp(-(design @ weights)))
        gradient = design.T @ (p - y) + penalty @ weights
        hessian = (design * (p * (1 - p))[:, None]).T @ design + penalty
        weights = weights - np.linalg.solve(hessian, gradient)
    return Logistic(weights, centre, scale)
