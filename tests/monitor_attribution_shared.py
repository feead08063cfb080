"""Shared by the tests of attribution: encodings of plain numbers, the census model, a model server."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from driftline.monitor.attribution.encoding import Encoding, FeatureCode

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Census:
    """The logistic model of the example, its features and its background row."""

    features: list[str]
    weights: Any
    bias: float
    row: list[float]
    baseline: str
    live: str

    def __call__(self, x: Any) -> Any:
        return 1.0 / (1.0 + np.exp(-(x @ self.weights + self.bias)))

    def settings(self, **more: Any) -> dict[str, Any]:
        return {
            "features": self.features,
            "background": {"rows": [self.row]},
            "rows": 666,
            "pdp": {"top": 0},
            **more,
        }


@dataclass
class ModelServer:
    """A server that answers as it is told, and remembers what it was asked."""

    answer: Callable[[bytes, dict[str, str]], tuple[int, dict[str, str], bytes]]
    asked: list[tuple[bytes, dict[str, str]]] = field(default_factory=list)
    url: str = ""


def numbers(*names: str) -> Encoding:
    """Return an encoding of columns of numbers."""
    return Encoding(tuple(FeatureCode(name, "number") for name in names))
