"""Background: the rows that stand for "no information about a feature", a few that stand for many.

The training rows are put into clusters (k-means over scaled numbers and marked categories), and of each cluster the
real row nearest to its centre is taken: a mean of cities, or of a flag, is a row that nobody ever saw.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from driftline.monitor.attribution.encoding import Encoding

__all__ = ["MOST_AUTOMATIC", "summarised"]

MOST_AUTOMATIC: Final = 12
_ROUNDS: Final = 50
_STARTS: Final = 3
_CATEGORIES: Final = 30
_WORTH: Final = 0.02
_MOST_ROWS: Final = 2_000


def summarised(
    matrix: NDArray[np.float64], encoding: Encoding, n_clusters: int | None, seed: int
) -> NDArray[np.float64]:
    """Return rows of `matrix` that stand for all of them.

    Parameters
    ----------
    matrix : ndarray of float64, shape (n, n_features)
        Rows, at least one, in an order that does not depend on how they came; the first 2,000 are looked at.
    encoding : Encoding
    n_clusters : int or None
        None: as many, up to 12, as each take at least a fiftieth of the spread.
    seed : int

    Returns
    -------
    ndarray of float64, shape (k, n_features)
        Different rows, at most `n_clusters`, those of larger clusters first.
    """
    matrix = matrix[:_MOST_ROWS]
    points = _points(matrix, encoding)
    different, first = np.unique(points, axis=0, return_index=True)
    most = min(n_clusters or MOST_AUTOMATIC, different.shape[0])
    if n_clusters is not None:
        centres, _ = _clustered(points, most, seed)
    else:
        centres, whole = _clustered(points, 1, seed)
        left = whole
        for k in range(2, most + 1):
            tried, spread = _clustered(points, k, seed)
            if left - spread <= _WORTH * whole:
                break
            centres, left = tried, spread
    squared = _squared(different, centres)
    nearest = first[np.argmin(squared, axis=0)]
    sizes = np.bincount(np.argmin(_squared(points, centres), axis=1), minlength=centres.shape[0])
    order = np.argsort(-sizes, kind="stable")
    chosen = list(dict.fromkeys(nearest[order].tolist()))
    return np.ascontiguousarray(matrix[chosen])


def _points(matrix: NDArray[np.float64], encoding: Encoding) -> NDArray[np.float64]:
    """Return the rows as points whose distance means something: every feature weighs about the same."""
    parts: list[NDArray[np.float64]] = []
    for j, code in enumerate(encoding.features):
        x = matrix[:, j]
        there = np.isfinite(x)
        if code.is_category:
            values, counts = np.unique(x[there], return_counts=True)
            frequent = values[np.argsort(-counts, kind="stable")[:_CATEGORIES]]
            # Two different categories are then as far apart as two numbers by a standard deviation and a bit.
            parts.append((x[:, None] == frequent[None, :]).astype(np.float64))
            continue
        centre = float(x[there].mean()) if there.any() else 0.0
        spread = float(x[there].std()) if there.any() else 0.0
        with np.errstate(invalid="ignore", over="ignore"):
            scaled = (x - centre) / spread if spread > 0 and np.isfinite(spread) else np.zeros_like(x)
        scaled[~np.isfinite(scaled)] = 0.0
        parts.append(np.clip(scaled, -10.0, 10.0)[:, None])
        if not there.all():
            parts.append((~there).astype(np.float64)[:, None])
    return np.column_stack(parts)


def _squared(points: NDArray[np.float64], centres: NDArray[np.float64]) -> NDArray[np.float64]:
    cross = points @ centres.T
    lengths = (points**2).sum(axis=1)[:, None] + (centres**2).sum(axis=1)[None, :]
    return np.asarray(np.maximum(lengths - 2.0 * cross, 0.0))


def _clustered(points: NDArray[np.float64], k: int, seed: int) -> tuple[NDArray[np.float64], float]:
    """Return the centres of k clusters, and the mean squared distance to them: the best of a few starts.

    Lloyd's algorithm from the starts of k-means++ (Arthur and Vassilvitskii 2007).
    """
    best: tuple[NDArray[np.float64], float] | None = None
    for start in range(_STARTS if k > 1 else 1):
        rng = np.random.default_rng([seed, k, start])
        centres = _seeded(points, k, rng)
        spread = np.inf
        for _ in range(_ROUNDS):
            squared = _squared(points, centres)
            owner = np.argmin(squared, axis=1)
            now = float(squared[np.arange(points.shape[0]), owner].mean())
            counts = np.bincount(owner, minlength=k)
            sums = (owner[None, :] == np.arange(k)[:, None]).astype(np.float64) @ points
            filled = counts > 0
            centres[filled] = sums[filled] / counts[filled][:, None]
            if now >= spread * (1.0 - 1e-6):
                break
            spread = now
        if best is None or spread < best[1]:
            best = centres, spread
    assert best is not None
    return best


def _seeded(points: NDArray[np.float64], k: int, rng: np.random.Generator) -> NDArray[np.float64]:
    centres: NDArray[np.float64] = points[rng.integers(points.shape[0])][None, :].copy()
    while centres.shape[0] < k:
        squared = _squared(points, centres).min(axis=1)
        total = squared.sum()
        if total <= 0:
            break
        at = int(np.searchsorted(np.cumsum(squared), rng.random() * total))
        centres = np.concatenate([centres, points[min(at, points.shape[0] - 1)][None, :]])
    if centres.shape[0] < k:
        centres = np.concatenate([centres, np.repeat(centres[-1:], k - centres.shape[0], axis=0)])
    return centres
