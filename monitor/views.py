"""Views: both sides of a column, cut down to what a person can look at."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from driftline.baselines.describe import finite, iso_time
from driftline.errors import printable
from driftline.kernels.distribution import from_key
from driftline.kernels.tally import Sort
from driftline.reports.report import ColumnView

if TYPE_CHECKING:
    from driftline.baselines.column import Column
    from driftline.baselines.statistics import FeatureStatistics
    from driftline.kernels.distribution import Distribution

__all__ = ["view", "view_of_statistics"]

N_BINS = 24
MOST_BARS = 12
MOST_UNLISTED = 0.9
"""Where the texts without a bar of their own are a larger share of every side than this, there is nothing to see."""


def view(
    name: str,
    baseline: Column | None,
    current: Column | None,
    *,
    segment: str | None = None,
    drawn: bool = True,
) -> ColumnView:
    """Return the view of one column.

    Parameters
    ----------
    name : str
    baseline, current : Column or None
        A side without the column, or without a distribution of it, is None.
    segment : str, optional
    drawn : bool, default True
        False leaves the bins out, for tables too wide to draw every column.
    """
    model = current if baseline is None else baseline
    assert model is not None
    kind = model.kind
    edges: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()
    left: tuple[float, ...] = ()
    right: tuple[float, ...] = ()
    a, b = _distribution(baseline), _distribution(current)
    if not drawn:
        pass
    elif kind in ("number", "time") and (a is not None or b is not None):
        values = _few_values(a, b) if kind == "number" else None
        if values is not None:
            labels = tuple(f"{v:.12g}" for v in values)
            left, right = _counts_of(a, values), _counts_of(b, values)
        else:
            grid = _edges(a, b)
            edges = tuple(float(e) for e in grid)
            left, right = _histogram(a, grid), _histogram(b, grid)
    elif kind in ("text", "boolean"):
        labels, left, right = _bars(baseline, current)
    return ColumnView(
        name,
        kind,
        model.inferred_type.value,
        edges,
        labels,
        left,
        right,
        {} if baseline is None else summary(baseline),
        {} if current is None else summary(current),
        segment,
    )


def summary(column: Column) -> dict[str, float | str | None]:
    """Return the numbers a reader of a column wants, by name."""
    result: dict[str, float | str | None] = {
        "n_rows": column.n_rows,
        "n_missing": column.n_missing,
    }
    distinct = column.n_distinct
    if distinct is not None:
        result["n_distinct"] = distinct
    numbers = column.numbers
    kind = column.kind
    if numbers is not None and numbers.n and kind == "number":
        moments = numbers.moments
        q25, median, q75 = numbers.distribution.quantile([0.25, 0.5, 0.75])
        result.update(
            mean=finite(moments.mean),
            std_dev=finite(moments.std_dev),
            min=finite(moments.low),
            q25=float(q25),
            median=float(median),
            q75=float(q75),
            max=finite(moments.high),
        )
        for label, sort in (("n_zero", Sort.ZERO), ("n_negative", Sort.NEGATIVE)):
            if column.tally[sort]:
                result[label] = column.tally[sort]
        infinite = column.tally[Sort.POSITIVE_INFINITY] + column.tally[Sort.NEGATIVE_INFINITY]
        if infinite:
            result["n_infinite"] = infinite
    if numbers is not None and numbers.n and kind == "time":
        result.update(min=iso_time(numbers.moments.low), max=iso_time(numbers.moments.high))
    if column.categories is not None and column.categories.n and kind == "text":
        if column.categories.is_complete:
            text, count = column.categories.top(1)[0]
            result["most_frequent"] = printable(text.decode("utf-8", "backslashreplace"), 60)
            result["n_most_frequent"] = count
        if column.lengths is not None and column.lengths.n:
            low, median, high = column.lengths.quantile([0.0, 0.5, 1.0])
            result.update(min_length=float(low), median_length=float(median), max_length=float(high))
    return result


def _distribution(column: Column | None) -> Distribution | None:
    if column is None or column.numbers is None or column.numbers.n == 0:
        return None
    return column.numbers.distribution


def _few_values(
    a: Distribution | None, b: Distribution | None
) -> np.ndarray[tuple[int], np.dtype[np.float64]] | None:
    """Return the values of both sides where they are few enough for a bar each."""
    cells: list[int] = []
    for side in (a, b):
        if side is None:
            continue
        if not side.is_exact or side.cells.shape[0] > MOST_BARS:
            return None
        cells.extend(int(c) for c in side.cells)
    found = np.array(sorted(set(cells)), np.int64)
    return from_key(found) if found.shape[0] <= MOST_BARS else None


def _counts_of(
    side: Distribution | None, values: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> tuple[float, ...]:
    if side is None:
        return (0.0,) * values.shape[0]
    have = dict(zip(from_key(side.cells).tolist(), side.counts.tolist(), strict=True))
    return tuple(float(have.get(v, 0)) for v in values.tolist())


def _edges(a: Distribution | None, b: Distribution | None) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return bin edges over the bulk of both sides; the outermost bins take in the tails."""
    low, high = math.inf, -math.inf
    for side in (a, b):
        if side is not None:
            bottom, top = side.quantile([0.005, 0.995])
            low, high = min(low, float(bottom)), max(high, float(top))
    if not high > low:
        pad = abs(low) * 0.5 or 0.5
        low, high = low - pad, high + pad
    # Even a bin edge beyond the ends, or the width, may be more than a double holds.
    low, high = max(low, -8e307), min(high, 8e307)
    if not high > low:
        low, high = -8e307, 8e307
    return np.linspace(low, high, N_BINS + 1)


def _histogram(
    side: Distribution | None, edges: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> tuple[float, ...]:
    if side is None:
        return (0.0,) * (edges.shape[0] - 1)
    below = side.count_below(edges)
    below[0], below[-1] = 0.0, float(side.n)
    return tuple(round(float(c), 3) for c in np.diff(below))


def _bars(
    baseline: Column | None, current: Column | None
) -> tuple[tuple[str, ...], tuple[float, ...], tuple[float, ...]]:
    sides = [None if c is None else c.categories for c in (baseline, current)]
    wanted: dict[bytes, int] = {}
    for side in sides:
        if side is None or side.n == 0 or not side.is_complete:
            continue
        for text, count in side.top(MOST_BARS):
            wanted[text] = wanted.get(text, 0) + count
    if not wanted:
        return (), (), ()
    chosen = sorted(wanted, key=lambda t: (-wanted[t], t))[:MOST_BARS]
    counts: list[list[float]] = []
    rest = []
    for side in sides:
        if side is None or side.n == 0:
            counts.append([0.0] * len(chosen))
            rest.append(0.0)
            continue
        mine = [float(c) for c in side.counts_of(chosen)]
        counts.append(mine)
        rest.append(max(0.0, side.n - sum(mine)))
    whole = [sum(mine) + others for mine, others in zip(counts, rest, strict=True)]
    if all(others > MOST_UNLISTED * n for others, n in zip(rest, whole, strict=True) if n):
        return (), (), ()
    labels = [printable(t.decode("utf-8", "backslashreplace"), 60) for t in chosen]
    if any(rest):
        labels.append("…")
        for mine, others in zip(counts, rest, strict=True):
            mine.append(others)
    return tuple(labels), tuple(counts[0]), tuple(counts[1])


def view_of_statistics(
    name: str, baseline: FeatureStatistics | None, current: FeatureStatistics | None
) -> ColumnView:
    """Return the view of one column of which only statistics documents are at hand.

    The bins are the baseline's ten buckets; the current counts are read off the current sketch.
    """
    model = current if baseline is None else baseline
    assert model is not None
    kind = "number" if model.numeric is not None else "text" if model.string is not None else "other"
    edges: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()
    left: tuple[float, ...] = ()
    right: tuple[float, ...] = ()
    if model.numeric is not None and model.numeric.buckets:
        buckets = model.numeric.buckets
        grid = np.array([x.lower_bound for x in buckets] + [buckets[-1].upper_bound])
        edges = tuple(float(e) for e in grid)
        left, right = _sketched(baseline, grid), _sketched(current, grid)
    elif model.string is not None:
        known = [s.string.categories for s in (baseline, current) if s is not None and s.string is not None]
        totals: dict[str, int] = {}
        for categories in known:
            for text, count in (categories or {}).items():
                totals[text] = totals.get(text, 0) + count
        chosen = sorted(totals, key=lambda t: (-totals[t], t))[:MOST_BARS]
        labels = tuple(printable(t, 60) for t in chosen)
        left, right = _listed(baseline, chosen), _listed(current, chosen)
    return ColumnView(
        name,
        kind,
        model.inferred_type.value,
        edges,
        labels,
        left,
        right,
        _summary_of(baseline),
        _summary_of(current),
    )


def _sketched(
    side: FeatureStatistics | None, edges: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> tuple[float, ...]:
    if side is None or side.numeric is None or side.numeric.sketch is None:
        return (0.0,) * (edges.shape[0] - 1)
    counts = np.zeros(edges.shape[0] - 1)
    for h, level in enumerate(side.numeric.sketch.levels):
        values = np.array(level, np.float64)
        index = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, counts.shape[0] - 1)
        counts += np.bincount(index, minlength=counts.shape[0]) * float(1 << h)
    return tuple(float(c) for c in counts)


def _listed(side: FeatureStatistics | None, chosen: list[str]) -> tuple[float, ...]:
    categories = {} if side is None or side.string is None else side.string.categories or {}
    return tuple(float(categories.get(text, 0)) for text in chosen)


def _summary_of(side: FeatureStatistics | None) -> dict[str, float | str | None]:
    if side is None:
        return {}
    result: dict[str, float | str | None] = {
        "n_rows": side.n_present + side.n_missing,
        "n_missing": side.n_missing,
    }
    if side.numeric is not None:
        for key in ("mean", "std_dev", "min", "max"):
            result[key] = getattr(side.numeric, key)
    if side.string is not None:
        result["n_distinct"] = side.string.distinct_count
    return result
