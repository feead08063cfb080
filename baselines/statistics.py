"""Statistics: a whole ``statistics.json``, as values.

The shape is SageMaker Model Monitor's; what driftline adds to a column travels in ``extra`` and is written
under the key ``driftline``. Reading and writing is the business of :mod:`driftline.baselines.sagemaker`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from driftline.baselines.constraint import InferredType

__all__ = ["Bucket", "FeatureStatistics", "NumericStatistics", "Sketch", "Statistics", "StringStatistics"]


@dataclass(frozen=True, slots=True)
class Bucket:
    """A part of a number column's range.

    Attributes
    ----------
    lower_bound, upper_bound : float
        Left-closed; the last bucket of a column is closed on both sides.
    count : float
        Rows inside, as the sketch knows them: exact until the sketch has compacted.
    """

    lower_bound: float
    upper_bound: float
    count: float


@dataclass(frozen=True, slots=True)
class Sketch:
    """A KLL sketch as SageMaker's files hold it.

    Attributes
    ----------
    levels : tuple of tuple of float
        An item of level ``h`` stands for ``2**h`` rows. Level 0 of a small data set is the raw column in row
        order.
    c, k : float
        Capacity parameters.
    """

    levels: tuple[tuple[float, ...], ...]
    c: float = 0.64
    k: float = 2048.0

    @property
    def n_rows(self) -> int:
        """Rows that the items stand for."""
        return sum(len(level) << h for h, level in enumerate(self.levels))


@dataclass(frozen=True, slots=True)
class NumericStatistics:
    """Statistics of the present values of a number column.

    Attributes
    ----------
    mean, sum, std_dev, min, max : float or None
        `std_dev` divides by n. None where there is no present value, or the number is not finite.
    buckets : tuple of Bucket
    sketch : Sketch or None
    approximate_distinct : float or None
        ``approximate_num_distinct_values``; containers before 2025 do not write it.
    completeness : float or None
        Share of rows with a value; containers before 2025 do not write it.
    """

    mean: float | None
    sum: float | None
    std_dev: float | None
    min: float | None
    max: float | None
    buckets: tuple[Bucket, ...] = ()
    sketch: Sketch | None = None
    approximate_distinct: float | None = None
    completeness: float | None = None


@dataclass(frozen=True, slots=True)
class StringStatistics:
    """Statistics of the present values of a text column.

    Attributes
    ----------
    distinct_count : float or None
        Different values; approximate beyond some thousands.
    categories : mapping of str to int, or None
        Rows per value, in the order of the file; None where the column has too many values to list.
    """

    distinct_count: float | None
    categories: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True)
class FeatureStatistics:
    """Statistics of one column.

    Attributes
    ----------
    name : str
    inferred_type : InferredType
    n_present, n_missing : int
        Rows with and without a value.
    numeric : NumericStatistics or None
    string : StringStatistics or None
        At most one of the two is there; neither for a column without any value.
    extra : mapping of str to object
        driftline's own additions, plain JSON values.
    """

    name: str
    inferred_type: InferredType
    n_present: int
    n_missing: int
    numeric: NumericStatistics | None = None
    string: StringStatistics | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Statistics:
    """A whole ``statistics.json``.

    Attributes
    ----------
    item_count : int
        Rows analysed.
    features : tuple of FeatureStatistics
        In the order of the columns.
    """

    item_count: int
    features: tuple[FeatureStatistics, ...]

    def feature(self, name: str) -> FeatureStatistics | None:
        """Return the statistics of the column called `name`, or None."""
        return next((f for f in self.features if f.name == name), None)
