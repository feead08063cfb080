"""Scored rows for the tests of model quality: predictions, probabilities and what turned out to be true."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

__all__ = ["BINARY", "MULTICLASS", "REGRESSION", "binary", "many", "numbers"]

BINARY: dict[str, Any] = {
    "problem": "binary",
    "label": "y",
    "probability": "p",
    "bootstrap": {"replicates": 200},
}
MULTICLASS: dict[str, Any] = {
    "problem": "multiclass",
    "label": "y",
    "prediction": "said",
    "bootstrap": {"replicates": 200},
}
REGRESSION: dict[str, Any] = {"problem": "regression", "label": "y", "prediction": "said"}


def binary(n: int, seed: int, *, wrong: float = 0.0, unlabelled: float = 0.0) -> pa.Table:
    """Calibrated probabilities; of a share `wrong` of the rows they are upside down, and a share has no label yet."""
    rng = np.random.default_rng(seed)
    p = 1.0 / (1.0 + np.exp(-(1.8 * rng.standard_normal(n) - 0.8)))
    y = (rng.random(n) < p).astype(np.int64)
    said = np.where(rng.random(n) < wrong, 1.0 - p, p)
    labels = pa.array(y, mask=rng.random(n) < unlabelled)
    groups = np.array(["north", "south"])[(rng.random(n) < 0.4).astype(np.int64)]
    return pa.table({"y": labels, "p": said, "region": pa.array(groups)})


def many(n: int, seed: int, *, right: float = 0.8) -> pa.Table:
    """Three classes, of which the model says the right one in a share `right` of the rows."""
    rng = np.random.default_rng(seed)
    names = np.array(["ant", "bee", "cow"])
    y = rng.choice(3, n, p=[0.5, 0.3, 0.2])
    said = np.where(rng.random(n) < right, y, (y + rng.integers(1, 3, n)) % 3)
    sure = rng.dirichlet(np.ones(3), n) * 0.4
    sure[np.arange(n), said] += 0.6
    lists = pa.FixedSizeListArray.from_arrays(pa.array(sure.reshape(-1)), 3)
    return pa.table({"y": pa.array(names[y]), "said": pa.array(names[said]), "sure": lists})


def numbers(n: int, seed: int, *, spread: float = 0.5) -> pa.Table:
    """Numbers that are predicted with errors of a heavy tail."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(n)
    return pa.table(
        {
            "y": 2.0 * x + spread * rng.standard_t(5, n),
            "said": 2.0 * x,
            "kind": pa.array(["a", "b"] * (n // 2) + ["a"] * (n % 2)),
        }
    )
