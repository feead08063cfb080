"""Dependence: the mean prediction as one feature takes value after value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from driftline.baselines.explanations import Dependence
from driftline.monitor.attribution.models import Predictor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from driftline.monitor.attribution.encoding import FeatureCode
    from driftline.monitor.attribution.models import Model

__all__ = ["MOST_ROWS", "MOST_VALUES", "chosen_features", "dependence_of"]

MOST_ROWS: Final = 1_000
"""Rows whose predictions are averaged."""

MOST_VALUES: Final = 50
"""Categories of a feature that are drawn: the most frequent ones."""

_ROOM: Final = 1 << 20


def chosen_features(
    wanted: Sequence[str] | None, top: int, names: Sequence[str], weight: NDArray[np.float64]
) -> list[str]:
    """Return the features that are drawn: those wanted, or the `top` of most weight."""
    if wanted is not None:
        return [name for name in wanted if name in names]
    order = np.argsort(-np.nan_to_num(weight), kind="stable")[:top]
    return [names[i] for i in order.tolist()]


def dependence_of(
    model: Model,
    matrix: NDArray[np.float64],
    feature: int,
    grid: int,
    labels: Sequence[str],
    like: Dependence | None = None,
) -> Dependence:
    """Return the partial dependence of the predictions on one feature.

    Parameters
    ----------
    model : Model
    matrix : ndarray of float64, shape (n, n_features)
    feature : int
        Column of the matrix.
    grid : int
        Buckets into which the range of a number is cut; their centres are its values.
    labels : sequence of str
    like : Dependence, optional
        Take its values instead.

    Notes
    -----
    In every row the feature is set to a value, and the predictions are averaged, value after value (Friedman 2001,
    section 8.2). Combinations that do not occur are asked about, too.
    """
    code = model.encoding.features[feature]
    column = matrix[:, feature]
    points, shares = _grid(column, code, grid) if like is None else _like(column, code, like)
    predictor = Predictor(model)
    n = matrix.shape[0]
    means: list[NDArray[np.float64]] = []
    step = max(1, _ROOM // matrix.size)
    for begin in range(0, points.shape[0], step):
        some = points[begin : begin + step]
        changed = np.tile(matrix, (some.shape[0], 1))
        changed[:, feature] = np.repeat(some, n)
        answers = predictor(changed)
        means += list(answers.reshape(some.shape[0], n, -1).mean(axis=1))
    values: tuple[float | str, ...]
    if code.kind == "text":
        values = tuple(code.values[int(point)] for point in points)
    else:
        values = tuple(float(point) for point in points)
    table = np.array(means).reshape(len(means), -1)
    curves = tuple(tuple(float(value) for value in line) for line in table.T)
    kind = "categorical" if code.is_category or _few(column) else "numerical"
    return Dependence(
        code.name,
        kind if like is None else like.kind,
        values,
        curves,
        tuple(float(share) for share in shares),
        tuple(labels) if len(curves) == len(labels) else (),
    )


def _few(column: NDArray[np.float64]) -> bool:
    return len(np.unique(column[np.isfinite(column)])) <= 2


def _grid(
    column: NDArray[np.float64], code: FeatureCode, grid: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    there = column[np.isfinite(column)]
    if not there.size:
        return np.zeros(0), np.zeros(0)
    values, counts = np.unique(there, return_counts=True)
    if code.is_category or values.shape[0] <= 2:
        frequent = np.sort(np.argsort(-counts, kind="stable")[:MOST_VALUES])
        return values[frequent], counts[frequent] / there.size
    edges = np.linspace(values[0], values[-1], grid + 1)
    found, _ = np.histogram(there, edges)
    return (edges[:-1] + edges[1:]) / 2.0, found / there.size


def _like(
    column: NDArray[np.float64], code: FeatureCode, like: Dependence
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    there = column[np.isfinite(column)]
    if code.kind == "text":
        number = {text: i for i, text in enumerate(code.values)}
        points = np.array([number[str(value)] for value in like.values if str(value) in number], np.float64)
    else:
        points = np.array([float(value) for value in like.values])
    if like.kind == "categorical" or points.shape[0] < 2:
        shares = np.array([(there == point).mean() if there.size else 0.0 for point in points])
        return points, shares
    width = points[1] - points[0]
    edges = np.concatenate([points - width / 2.0, points[-1:] + width / 2.0])
    found, _ = np.histogram(there, edges)
    return points, found / max(1, there.size)
