"""Describe: the statistics document of a profile, and columns rebuilt from somebody else's statistics."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from driftline.baselines.column import Column, Limits
from driftline.baselines.constraint import InferredType
from driftline.baselines.statistics import (
    Bucket,
    FeatureStatistics,
    NumericStatistics,
    Sketch,
    Statistics,
    StringStatistics,
)
from driftline.kernels import exact
from driftline.kernels.categories import Categories
from driftline.kernels.distribution import Distribution
from driftline.kernels.moments import Moments
from driftline.kernels.numbers import Numbers
from driftline.kernels.tally import Sort, Tally
from driftline.kernels.texts import Texts

if TYPE_CHECKING:
    from driftline.baselines.profile import Profile

__all__ = ["SKETCH_ERROR", "column_of", "statistics_of"]

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
SKETCH_CELLS = 200
LEAST_SKETCH_CELLS = 32
MOST_LISTED = 120

SKETCH_ERROR = 0.002
"""Rank error to allow for SageMaker's sketch once it has compacted (k = 2048, c = 0.64)."""


def statistics_of(profile: Profile) -> Statistics:
    """Return a profile's statistics in the form of ``statistics.json``.

    The numbers of SageMaker's fields are those of :mod:`driftline.kernels`: exact mean and deviation, bucket counts from
    the distribution. The ``sketch`` holds the distribution itself, a count in binary becoming items of the levels
    that stand for powers of two, so that any reader of the format gets true ranks. What the form has no field for
    stands under ``driftline``.
    """
    # A wide table goes without sketches, or the document would be nothing else.
    cells = min(SKETCH_CELLS, 20_000 // max(1, len(profile.columns)))
    return Statistics(profile.n_rows, tuple(feature_statistics(c, cells) for c in profile.columns))


def feature_statistics(column: Column, sketch_cells: int = SKETCH_CELLS) -> FeatureStatistics:
    """Return the statistics of one column."""
    kind = column.kind
    numeric = string = None
    if kind == "number" and column.numbers is not None and column.numbers.n:
        numeric = _numeric(column, column.numbers, sketch_cells)
    elif column.categories is not None and column.categories.n and kind in ("text", "boolean"):
        string = _string(column.categories)
    elif kind == "time" and column.numbers is not None and column.numbers.n:
        string = StringStatistics(column.numbers.n_distinct)
    return FeatureStatistics(
        column.name,
        column.inferred_type,
        column.n_present,
        column.n_missing,
        numeric,
        string,
        _extra(column, kind),
    )


def finite(value: float | None) -> float | None:
    """Return a float that JSON can hold, else None."""
    return float(value) if value is not None and math.isfinite(value) else None


def _numeric(column: Column, numbers: Numbers, sketch_cells: int) -> NumericStatistics:
    moments = numbers.moments
    return NumericStatistics(
        mean=finite(moments.mean),
        sum=finite(moments.sum),
        std_dev=finite(moments.std_dev),
        min=finite(moments.low),
        max=finite(moments.high),
        buckets=_buckets(numbers),
        sketch=_sketch(numbers.distribution, sketch_cells) if sketch_cells >= LEAST_SKETCH_CELLS else None,
        approximate_distinct=numbers.n_distinct,
        completeness=column.n_present / column.n_rows if column.n_rows else None,
    )


def _buckets(numbers: Numbers) -> tuple[Bucket, ...]:
    low, high = finite(numbers.moments.low), finite(numbers.moments.high)
    assert low is not None
    assert high is not None
    width = high - low
    if not math.isfinite(width):
        return ()
    # SageMaker's own rounding of the edges, as long as ten widths are a double.
    tenth = width / 10
    edges = np.array([low + (width * i / 10 if math.isfinite(width * 10) else tenth * i) for i in range(11)])
    edges[10] = high
    below = numbers.distribution.count_below(edges)
    below[0], below[10] = 0.0, float(numbers.n)
    if width == 0.0:
        below[:10] = 0.0
    counts = np.diff(below)
    return tuple(Bucket(float(edges[i]), float(edges[i + 1]), max(0.0, float(counts[i]))) for i in range(10))


def _sketch(distribution: Distribution, most: int) -> Sketch:
    coarse = distribution.coarsened(most)
    values, counts = coarse.midpoints(), coarse.counts
    levels = []
    height = int(counts.max()).bit_length()
    for h in range(height):
        levels.append(tuple(values[(counts >> h) & 1 == 1].tolist()))
    return Sketch(tuple(levels))


def _string(categories: Categories) -> StringStatistics:
    listed = None
    if categories.is_complete and categories.counts.shape[0] <= MOST_LISTED:
        listed = {t.decode("utf-8", "backslashreplace"): c for t, c in categories.top(MOST_LISTED)}
    return StringStatistics(categories.n_distinct, listed)


def _extra(column: Column, kind: str) -> dict[str, Any]:
    tally = column.tally
    extra: dict[str, Any] = {"kind": kind, "declared": column.declared}
    counts = {
        "n_nan": tally[Sort.NAN],
        "n_infinite": tally[Sort.POSITIVE_INFINITY] + tally[Sort.NEGATIVE_INFINITY],
        "n_zero": tally[Sort.ZERO],
        "n_negative": tally[Sort.NEGATIVE],
        "n_empty": tally[Sort.EMPTY],
    }
    extra.update({name: count for name, count in counts.items() if count})
    distinct = column.n_distinct
    if distinct is not None:
        extra["n_distinct"] = distinct
    if column.numbers is not None and column.numbers.n and kind == "number":
        levels = column.numbers.distribution.quantile(QUANTILES)
        extra["quantiles"] = {f"{q:g}": float(v) for q, v in zip(QUANTILES, levels, strict=True)}
    if column.numbers is not None and column.numbers.n and kind == "time":
        low, high = column.numbers.moments.low, column.numbers.moments.high
        extra["min"], extra["max"] = iso_time(low), iso_time(high)
    if column.categories is not None and column.categories.n and kind == "text":
        top = column.categories.top(10)
        extra["frequent"] = [[t.decode("utf-8", "backslashreplace"), c] for t, c in top]
        extra["frequent_complete"] = column.categories.is_complete
        if column.lengths is not None:
            low, median, high = column.lengths.quantile([0.0, 0.5, 1.0])
            extra["length"] = {"min": float(low), "median": float(median), "max": float(high)}
    return extra


def iso_time(microseconds: float | None) -> str | None:
    """Return a time in microseconds since 1970-01-01 UTC as ISO 8601, or None where no calendar has it."""
    if microseconds is None:
        return None
    stamp = np.datetime64(int(microseconds), "us")
    text = str(stamp)
    return text[:-7] + "Z" if text.endswith(".000000") else text + "Z"


def column_of(feature: FeatureStatistics, limits: Limits) -> Column | None:
    """Rebuild a column from statistics, as far as a comparison needs it.

    Parameters
    ----------
    feature : FeatureStatistics
        Such as SageMaker Model Monitor wrote.
    limits : Limits
        Of the profile it will be compared with.

    Returns
    -------
    Column or None
        None where the statistics hold no distribution.
    """
    tally = Tally().with_counts(Sort.NULL, feature.n_missing)
    if feature.numeric is not None and feature.numeric.sketch is not None and feature.n_present:
        sketch = feature.numeric.sketch
        values = [np.array(level, np.float64) for level in sketch.levels]
        weights = [np.full(v.shape[0], 1 << h, np.int64) for h, v in enumerate(values)]
        flat, counts = np.concatenate(values), np.concatenate(weights)
        if flat.shape[0] == 0 or not np.isfinite(flat).all():
            return None
        distribution = Distribution(capacity=limits.cells).weighted(flat, counts)
        moments = _moments(feature.numeric, distribution)
        whole = feature.inferred_type is InferredType.INTEGRAL
        tally = tally.with_counts(Sort.INTEGRAL if whole else Sort.FRACTIONAL, feature.n_present)
        declared = "int64" if whole else "double"
        return Column(feature.name, "number", declared, tally, Numbers(moments, distribution))
    if feature.string is not None and feature.string.categories:
        texts = [t.encode("utf-8", "surrogatepass") for t in feature.string.categories]
        counts = np.array(list(feature.string.categories.values()), np.int64)
        categories = Categories(capacity=limits.categories).weighted(
            Texts.of(texts), counts, np.zeros(counts.shape[0], np.int64)
        )
        tally = tally.with_counts(Sort.STRING, feature.n_present)
        return Column(feature.name, "text", "string", tally, categories=categories)
    return None


def _moments(numeric: NumericStatistics, distribution: Distribution) -> Moments:
    """Return Moments that give the statistics' own mean and deviation."""
    n = distribution.n
    mean = Fraction(numeric.mean or 0.0)
    variance = Fraction(numeric.std_dev or 0.0) ** 2
    total = mean * n
    squares = (variance + mean * mean) * n
    low, high = distribution.bounds()
    return Moments(
        n,
        int(total * (1 << exact.OFFSET_VALUES)),
        int(squares * (1 << exact.OFFSET_SQUARES)),
        float(low[0]) if numeric.min is None else numeric.min,
        float(high[-1]) if numeric.max is None else numeric.max,
    )
