"""Scoring: how the demo's income model estimates; it needs nothing but NumPy.

The demo puts this file into its workspace as ``income.py``, with the points that were learnt behind it: it is the whole
model, which the attribution monitor asks what mattered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

__all__ = ["FEATURES", "NUMBERS", "TEXTS", "Scoring", "terms"]

NUMBERS = ("age", "education_num", "capital_gain", "capital_loss", "hours_per_week")
TEXTS = ("workclass", "marital_status", "occupation", "relationship")
FEATURES = NUMBERS + TEXTS
"""What the model looks at. It is told neither sex nor race."""


def terms(columns: Mapping[str, ArrayLike]) -> dict[str, NDArray[np.float64]]:
    """Return the terms that the numbers enter the model by: gains and losses by their logarithm, age with its square."""
    given = {name: np.asarray(columns[name], np.float64) for name in NUMBERS}
    age = given.pop("age")
    logs = {
        f"log_{name}": np.log1p(np.maximum(given.pop(name), 0.0)) for name in ("capital_gain", "capital_loss")
    }
    return {"age": age, "age_squared": age**2, **given, **logs}


class Scoring:
    """The model: points for every term and every word, which add up to log odds.

    Parameters
    ----------
    document : mapping
        ``intercept``; ``numbers``, points per unit of a term; ``texts``, points for each word of a column. A word that was
        not learnt has none.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._intercept = float(document["intercept"])
        self._numbers: Mapping[str, float] = document["numbers"]
        self._texts: Mapping[str, Mapping[str, float]] = document["texts"]

    def probability(self, columns: Mapping[str, ArrayLike]) -> NDArray[np.float64]:
        """Return the probability of an income above 50,000 dollars.

        Parameters
        ----------
        columns : mapping of str to array, shape (n,)
            By name, at least :data:`FEATURES`.
        """
        points = [self._numbers[name] * term for name, term in terms(columns).items()]
        for name in TEXTS:
            words = self._texts[name]
            points.append(np.array([words.get(word, 0.0) for word in np.asarray(columns[name]).tolist()]))
        log_odds = self._intercept + np.sum(points, axis=0)
        odds: NDArray[np.float64] = np.exp(-log_odds)
        return 1.0 / (1.0 + odds)
