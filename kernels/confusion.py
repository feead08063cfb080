"""Confusion: which class was predicted where which class was true, and every metric that follows from the counts."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np

from driftline.kernels.state import Packed, State, same_setting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = [
    "BINARY",
    "MULTICLASS",
    "ConfusionState",
    "as_numbers",
    "binary_metrics",
    "constant_counts",
    "majority",
    "multiclass_metrics",
    "shares",
]

BINARY: Final = (
    "recall",
    "precision",
    "accuracy",
    "true_positive_rate",
    "true_negative_rate",
    "false_positive_rate",
    "false_negative_rate",
    "f0_5",
    "f1",
    "f2",
)
"""Metrics of two classes, in the order of SageMaker's files."""

MULTICLASS: Final = (
    "accuracy",
    "weighted_recall",
    "weighted_precision",
    "weighted_f0_5",
    "weighted_f1",
    "weighted_f2",
)
"""Metrics of many classes, in the order of SageMaker's files."""

_NO_ROWS: NDArray[np.int64] = np.zeros((0, 0), np.int64)

_BETAS: Final = (("f0_5", 0.5), ("f1", 1.0), ("f2", 2.0))


@dataclass(frozen=True, eq=False)
class ConfusionState(State):
    """Rows by actual and predicted class.

    Attributes
    ----------
    labels : tuple of str
        The classes, K of them; a code is a place in it. For two classes the second is the positive one.
    table : ndarray of int64, shape (K + 2, K + 2)
        Rows by actual (first axis) and predicted class; place K counts values outside `labels`, place K + 1 missing ones.
    """

    labels: tuple[str, ...] = ("0", "1")
    table: NDArray[np.int64] = field(default_factory=lambda: _NO_ROWS)

    kind: ClassVar[str] = "confusion"

    def __post_init__(self) -> None:
        size = len(self.labels) + 2
        if self.table is _NO_ROWS:
            object.__setattr__(self, "table", np.zeros((size, size), np.int64))

    def empty(self) -> ConfusionState:
        """Return a State of the same labels without rows."""
        return ConfusionState(self.labels)

    def update(self, *columns: NDArray[Any]) -> ConfusionState:
        """Fold in codes of the actual and of the predicted classes, two arrays of integers of shape (n,).

        A code is a place in `labels`; -1 stands for a missing value, K or more for a value outside `labels`.

        Raises
        ------
        ValueError
            If the arrays differ in length, or a code is below -1.
        """
        actual, predicted = columns
        if actual.shape != predicted.shape or actual.ndim != 1:
            raise ValueError(
                f"actual and predicted codes differ in shape: {actual.shape} and {predicted.shape}"
            )
        size = len(self.labels) + 2
        if actual.shape[0] == 0:
            return self
        places = _places(actual, size) * size + _places(predicted, size)
        counted = np.bincount(places, minlength=size * size).astype(np.int64)
        return ConfusionState(self.labels, self.table + counted.reshape(size, size))

    def merge(self, other: ConfusionState) -> ConfusionState:
        """Return the rows of both sides.

        Raises
        ------
        StateMismatchError
            If the labels differ.
        """
        same_setting(self.kind, "labels", (self, other))
        return ConfusionState(self.labels, self.table + other.table)

    @property
    def counts(self) -> NDArray[np.int64]:
        """Rows by actual and predicted class, shape (K, K): those with both, inside `labels`."""
        k = len(self.labels)
        counts: NDArray[np.int64] = self.table[:k, :k]
        return counts

    @property
    def n_rows(self) -> int:
        """All rows."""
        return int(self.table.sum())

    @property
    def n_judged(self) -> int:
        """Rows with an actual and a predicted class, both inside `labels`: what the metrics are of."""
        return int(self.counts.sum())

    @property
    def n_unlabelled(self) -> int:
        """Rows whose actual class is missing."""
        return int(self.table[-1].sum())

    @property
    def n_unpredicted(self) -> int:
        """Rows whose predicted class is missing, though the actual one is not."""
        return int(self.table[:-1, -1].sum())

    @property
    def n_outside(self) -> int:
        """Rows with an actual and a predicted class, one or both of them outside `labels`."""
        return int(self.table[-2, :-1].sum() + self.table[:-2, -2].sum())

    def finalize(self) -> Mapping[str, float | None]:
        """Return the metrics of two or of many classes; None where one cannot be computed."""
        names = BINARY if len(self.labels) == 2 else MULTICLASS
        metrics = binary_metrics if len(self.labels) == 2 else multiclass_metrics
        if self.n_judged == 0:
            return dict.fromkeys(names)
        return as_numbers(metrics(self.counts))

    def pack(self) -> Packed:
        """Return labels and table."""
        return Packed({"labels": json.dumps(self.labels)}, {"table": self.table.reshape(-1)})

    @classmethod
    def unpack(cls, packed: Packed) -> ConfusionState:
        """Rebuild from :meth:`pack`."""
        labels = json.loads(packed.scalars["labels"])
        table = packed.arrays["table"]
        if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
            raise ValueError("labels and table of a confusion do not belong together")
        size = len(labels) + 2
        if table.shape != (size * size,) or table.min() < 0:
            raise ValueError("the table of a confusion has the wrong shape")
        return cls(tuple(labels), table.reshape(size, size))


def _places(codes: NDArray[Any], size: int) -> NDArray[np.int64]:
    """Return the row or column of the table for every code."""
    places: NDArray[np.int64] = np.minimum(codes.astype(np.int64), size - 2)
    low = int(places.min())
    if low < -1:
        raise ValueError(f"a class has the code {low}; codes begin at 0, and -1 stands for a missing value")
    if low < 0:
        places[places < 0] = size - 1
    return places


def _ratio(numerator: NDArray[Any], denominator: NDArray[Any], zero: float) -> NDArray[np.float64]:
    numerator, denominator = np.broadcast_arrays(
        np.asarray(numerator, np.float64), np.asarray(denominator, np.float64)
    )
    ratio = np.full(numerator.shape, zero)
    np.divide(numerator, denominator, out=ratio, where=denominator != 0)
    return ratio


def _f(tp: NDArray[Any], fp: NDArray[Any], fn: NDArray[Any], beta: float, zero: float) -> NDArray[np.float64]:
    square = beta * beta
    hits = (1.0 + square) * tp
    return _ratio(hits, hits + square * fn + fp, zero)


def binary_metrics(counts: NDArray[Any], *, zero: float = np.nan) -> dict[str, NDArray[np.float64]]:
    """Return every metric of two classes.

    Parameters
    ----------
    counts : ndarray, shape (..., 2, 2)
        Rows, or resampled weights, by actual and predicted class; the second class is the positive one.
    zero : float
        What a ratio without denominator is: NaN (not computable) or 0.0, as SageMaker has it.

    Returns
    -------
    dict of str to ndarray of float64, shape (...,)
        By the names of :data:`BINARY`.

    Notes
    -----
    An F-score is ``(1+b²) TP / ((1+b²) TP + b² FN + FP)``, which is ``(1+b²) P R / (b² P + R)`` wherever that is a number,
    and 0 where there were positives, actual or predicted, and none was predicted right.
    """
    counts = np.asarray(counts)
    tn, fp = counts[..., 0, 0], counts[..., 0, 1]
    fn, tp = counts[..., 1, 0], counts[..., 1, 1]
    recall, precision = _ratio(tp, tp + fn, zero), _ratio(tp, tp + fp, zero)
    fpr = _ratio(fp, fp + tn, zero)
    found = {
        "recall": recall,
        "precision": precision,
        "accuracy": _ratio(tp + tn, tp + tn + fp + fn, zero),
        "true_positive_rate": recall,
        # 1 - fpr is how SageMaker's published file has it, to the last digit.
        "true_negative_rate": np.where(fp + tn != 0, 1.0 - fpr, zero),
        "false_positive_rate": fpr,
        "false_negative_rate": _ratio(fn, fn + tp, zero),
    }
    for name, beta in _BETAS:
        found[name] = _f(tp, fp, fn, beta, zero)
    return found


def multiclass_metrics(counts: NDArray[Any], *, zero: float = np.nan) -> dict[str, NDArray[np.float64]]:
    """Return every metric of many classes.

    Parameters
    ----------
    counts : ndarray, shape (..., K, K)
        Rows, or resampled weights, by actual and predicted class.
    zero : float
        What metrics of no rows are: NaN (not computable) or 0.0.

    Returns
    -------
    dict of str to ndarray of float64, shape (...,)
        By the names of :data:`MULTICLASS`.

    Notes
    -----
    Recall, precision and F-scores of the classes, weighted by the rows that are of each class. A class that was never
    predicted has precision 0 (Spark's and scikit-learn's convention): the model found none of its rows. A class without
    rows has no weight. ``weighted_recall`` is the same number as ``accuracy``.
    """
    counts = np.asarray(counts, np.float64)
    actual, predicted = counts.sum(axis=-1), counts.sum(axis=-2)
    right = np.diagonal(counts, axis1=-2, axis2=-1)
    n = actual.sum(axis=-1)

    def weighted(of_class: NDArray[np.float64]) -> NDArray[np.float64]:
        return _ratio((actual * of_class).sum(axis=-1), n, zero)

    accuracy = _ratio(right.sum(axis=-1), n, zero)
    found = {
        "accuracy": accuracy,
        "weighted_recall": accuracy,
        "weighted_precision": weighted(_ratio(right, predicted, 0.0)),
    }
    for name, beta in _BETAS:
        found[f"weighted_{name}"] = weighted(_f(right, predicted - right, actual - right, beta, 0.0))
    return found


def constant_counts(counts: NDArray[Any], constant: int | NDArray[Any]) -> NDArray[Any]:
    """Return the table of a classifier that always predicts class `constant`, for the same actual classes.

    Parameters
    ----------
    counts : ndarray, shape (..., K, K)
    constant : int or ndarray of int, shape (...,)
        SageMaker's files have the positive class, and the last label in order; :func:`majority` is the useful reference.

    Returns
    -------
    ndarray, shape (..., K, K)
    """
    counts = np.asarray(counts)
    always = np.asarray(constant)[..., None, None] == np.arange(counts.shape[-1])
    return np.where(always, counts.sum(axis=-1, keepdims=True), 0)


def majority(counts: NDArray[Any]) -> NDArray[np.int64]:
    """Return the most frequent actual class; of several the first."""
    return np.asarray(np.argmax(np.asarray(counts).sum(axis=-1), axis=-1))


def shares(counts: NDArray[Any]) -> dict[str, tuple[int, int]]:
    """Return (rows that count, rows looked at) of every metric that is a plain share of rows.

    Parameters
    ----------
    counts : ndarray of int, shape (K, K)
        Rows by actual and predicted class; where K is 2, the second class is the positive one.

    Notes
    -----
    What exact binomial tests and intervals need; F-scores and weighted precision are no shares.
    """
    n, right = int(counts.sum()), int(np.trace(counts))
    found = {"accuracy": (right, n)}
    if counts.shape != (2, 2):
        return found | {"weighted_recall": (right, n)}
    (tn, fp), (fn, tp) = counts.tolist()
    return found | {
        "recall": (tp, tp + fn),
        "precision": (tp, tp + fp),
        "true_positive_rate": (tp, tp + fn),
        "true_negative_rate": (tn, tn + fp),
        "false_positive_rate": (fp, tn + fp),
        "false_negative_rate": (fn, tp + fn),
    }


def as_numbers(metrics: Mapping[str, Any]) -> dict[str, float | None]:
    """Return metrics as plain numbers, None for NaN."""
    return {name: None if np.isnan(value) else float(value) for name, value in metrics.items()}
