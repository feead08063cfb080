"""SageMaker's baseline job: statistics and constraints from one pass over the training data."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from driftline.baselines.constraint import Constraints, Feature, InferredType
from driftline.baselines.statistics import (
    Bucket,
    FeatureStatistics,
    NumericStatistics,
    Sketch,
    Statistics,
    StringStatistics,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from driftline.monitor.recipes.sagemaker_fold import CompatColumn

__all__ = ["suggest"]

_ONCE_SHARE: Final = 0.1
"""Share of categories that occur exactly once, up to which Deequ suggests the categories as a domain."""


def suggest(columns: Sequence[CompatColumn], names: Sequence[str]) -> tuple[Statistics, Constraints]:
    """Do what SageMaker's baseline job does.

    Parameters
    ----------
    columns : sequence of CompatColumn
    names : sequence of str
        One per column.

    Returns
    -------
    statistics : Statistics
    constraints : Constraints
        Completeness is the observed share, without slack. Number columns say whether they are non-negative.
        Text columns get a domain where their values are few (at most 120) and at most a tenth of them occur
        just once. A column of finite numbers whose range overflows a double has no buckets.
    """
    n_rows = max((column.n_rows for column in columns), default=0)
    pairs = list(zip(names, columns, strict=True))
    statistics = Statistics(n_rows, tuple(_statistics(name, column) for name, column in pairs))
    return statistics, Constraints(tuple(_constraints(name, column) for name, column in pairs))


def _statistics(name: str, column: CompatColumn) -> FeatureStatistics:
    kind = column.inferred_type
    return FeatureStatistics(
        name=name,
        inferred_type=kind,
        n_present=column.n_present,
        n_missing=column.n_null,
        numeric=_numeric(column) if kind.is_number else None,
        string=_string(column) if kind is InferredType.STRING else None,
    )


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)


def _numeric(column: CompatColumn) -> NumericStatistics:
    moments, sketch = column.moments, column.sketch
    low, high = _finite(moments.low), _finite(moments.high)
    buckets: tuple[Bucket, ...] = ()
    if low is not None and high is not None and math.isfinite((high - low) * 10.0):
        edges, counts = sketch.buckets(low, high)
        ends = edges.tolist()
        buckets = tuple(
            Bucket(lower, upper, float(count))
            for lower, upper, count in zip(ends[:-1], ends[1:], counts.tolist(), strict=True)
        )
    return NumericStatistics(
        mean=_finite(moments.mean),
        sum=_finite(moments.sum),
        std_dev=_finite(moments.std_dev),
        min=low,
        max=high,
        buckets=buckets,
        sketch=Sketch(tuple(tuple(level.tolist()) for level in sketch.levels), c=sketch.c, k=sketch.k),
    )


def _string(column: CompatColumn) -> StringStatistics:
    categories = None if column.categories is None else dict(_by_frequency(column))
    return StringStatistics(column.distinct.n_distinct, categories)


def _by_frequency(column: CompatColumn) -> list[tuple[str, int]]:
    """Categories, most frequent first, then by text."""
    return sorted((column.categories or {}).items(), key=lambda item: (-item[1], item[0]))


def _constraints(name: str, column: CompatColumn) -> Feature:
    kind = column.inferred_type
    low = column.moments.low
    domains: tuple[str, ...] | None = None
    if kind is InferredType.STRING and column.categories:
        once = sum(count == 1 for count in column.categories.values())
        if once / len(column.categories) <= _ONCE_SHARE:
            domains = tuple(value for value, _ in _by_frequency(column))
    return Feature(
        name=name,
        inferred_type=kind,
        completeness=column.n_present / column.n_rows if column.n_rows else None,
        is_non_negative=None if not kind.is_number or low is None else low >= 0,
        domains=domains,
    )
