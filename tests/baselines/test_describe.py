"""Describe: the numbers of the statistics document, and columns rebuilt from somebody else's."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import LARGEST, floats, rows_of

from driftline.baselines.column import Column, ColumnFold, Limits
from driftline.baselines.constraint import InferredType
from driftline.baselines.describe import (
    MOST_LISTED,
    QUANTILES,
    column_of,
    feature_statistics,
    finite,
    iso_time,
    statistics_of,
)
from driftline.baselines.profile import Profile
from driftline.baselines.sagemaker import read_statistics, write_statistics
from driftline.baselines.statistics import FeatureStatistics, NumericStatistics, Sketch, StringStatistics


def column(values: Any, *, textual: bool = False, kind: pa.DataType | None = None) -> Column:
    array = pa.array(values, kind)
    fold = ColumnFold("x", array.type, textual=textual, limits=Limits(), compiled=False)
    fold.add(array, 0)
    return fold.close()


def _document(*columns: Column) -> str:
    return write_statistics(statistics_of(Profile(columns, columns[0].n_rows, Limits())))


@given(rows_of(floats))
def test_any_numbers_can_be_written_and_read(values: list[float]) -> None:
    found = read_statistics(_document(column(values, kind=pa.float64())))
    feature = found.features[0]
    present = [v for v in values if v == v]
    assert (feature.n_present, feature.n_missing) == (len(present), len(values) - len(present))
    used = [v for v in present if math.isfinite(v)]
    if used:
        assert feature.numeric is not None
        assert (feature.numeric.min, feature.numeric.max) == (min(used), max(used))
        assert feature.numeric.sketch is not None
        assert feature.numeric.sketch.n_rows == len(used)


@pytest.mark.parametrize(
    "values",
    [
        [-LARGEST, LARGEST] * 5,
        [-8e307, 8e307] * 5,
        np.concatenate([2.0 ** np.arange(-1022, 1024), -(2.0 ** np.arange(-1022, 1024))]),
        [5e-324] * 3,
        [LARGEST] * 3,
    ],
    ids=["ends", "near the ends", "every power of two", "smallest", "largest"],
)
def test_the_largest_numbers_make_no_infinities(values: Any) -> None:
    feature = read_statistics(_document(column(values))).features[0]
    assert feature.numeric is not None
    assert feature.numeric.mean is not None


@given(rows_of(st.floats(-1e6, 1e6)))
def test_buckets_are_ten_equal_parts(values: list[float]) -> None:
    assume(values)
    numeric = feature_statistics(column(values)).numeric
    assert numeric is not None
    low, high = min(values) + 0.0, max(values) + 0.0
    assert len(numeric.buckets) == 10
    assert sum(b.count for b in numeric.buckets) == pytest.approx(len(values))
    for i, bucket in enumerate(numeric.buckets):
        assert bucket.lower_bound == low + (high - low) * i / 10
        below = sum(v < bucket.upper_bound for v in values) if i < 9 else len(values)
        if low < high:
            assert sum(b.count for b in numeric.buckets[: i + 1]) == below
        else:
            assert bucket.count == (len(values) if i == 9 else 0.0)


def test_the_numbers_of_a_number_column() -> None:
    feature = feature_statistics(column([None, 1.0, 2.0, 4.0, -3.0, 0.0, np.nan, np.inf]))
    numeric = feature.numeric
    assert numeric is not None
    assert (numeric.mean, numeric.sum, numeric.min, numeric.max) == (0.8, 4.0, -3.0, 4.0)
    assert numeric.std_dev == pytest.approx(np.std([1, 2, 4, -3, 0]))
    assert numeric.approximate_distinct == 5
    assert numeric.completeness == 6 / 8
    assert feature.extra["kind"] == "number"
    assert {k: feature.extra[k] for k in ("n_nan", "n_infinite", "n_zero", "n_negative")} == {
        "n_nan": 1,
        "n_infinite": 1,
        "n_zero": 1,
        "n_negative": 1,
    }
    quantiles = np.quantile([1, 2, 4, -3, 0], QUANTILES, method="inverted_cdf")
    assert list(feature.extra["quantiles"].values()) == quantiles.tolist()
    assert list(feature.extra["quantiles"]) == ["0.01", "0.05", "0.25", "0.5", "0.75", "0.95", "0.99"]


def test_the_numbers_of_a_text_column() -> None:
    feature = feature_statistics(column(["b", "a", "b", None, "ééé"]))
    assert feature.string == StringStatistics(3.0, {"b": 2, "a": 1, "ééé": 1})
    assert feature.extra["frequent"][0] == ["b", 2]
    assert feature.extra["frequent_complete"] is True
    assert feature.extra["length"] == {"min": 1.0, "median": 1.0, "max": 3.0}
    assert (feature.n_present, feature.n_missing) == (4, 1)


def test_many_texts_are_not_listed() -> None:
    feature = feature_statistics(column([f"c{i}" for i in range(MOST_LISTED + 1)]))
    assert feature.string == StringStatistics(MOST_LISTED + 1.0, None)


def test_times_and_booleans_count_as_strings() -> None:
    time = feature_statistics(column([0, 86_400], kind=pa.timestamp("s")))
    assert time.string == StringStatistics(2.0)
    assert (time.extra["min"], time.extra["max"]) == ("1970-01-01T00:00:00Z", "1970-01-02T00:00:00Z")
    flag = feature_statistics(column([True, False, True]))
    assert flag.string == StringStatistics(2.0, {"true": 2, "false": 1})


def test_a_column_without_values_has_no_statistics_block() -> None:
    feature = feature_statistics(column([None], kind=pa.float64()))
    assert (feature.numeric, feature.string, feature.n_missing) == (None, None, 1)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        (0, "1970-01-01T00:00:00Z"),
        (1, "1970-01-01T00:00:00.000001Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
        (253_402_300_799_000_000, "9999-12-31T23:59:59Z"),
    ],
)
def test_times_are_iso(value: int | None, text: str | None) -> None:
    assert iso_time(value) == text


def test_only_finite_numbers_are_written() -> None:
    assert [finite(v) for v in (None, 1, 1.5, math.inf, math.nan)] == [None, 1.0, 1.5, None, None]


def _same_ranks(before: Column, after: Column, off: float) -> None:
    assert before.numbers is not None
    assert after.numbers is not None
    grid = before.numbers.distribution.quantile(np.linspace(0, 1, 41))
    for side in np.nextafter(grid, -np.inf), np.nextafter(grid, np.inf):
        a = before.numbers.distribution.count_below(side) / before.numbers.n
        b = after.numbers.distribution.count_below(side) / after.numbers.n
        assert np.abs(a - b).max() <= off


def test_the_sketch_of_few_values_gives_the_column_back() -> None:
    before = column(np.random.default_rng(1).poisson(5, 3000))
    after = column_of(feature_statistics(before), Limits())
    assert after is not None
    assert after.numbers is not None
    assert before.numbers is not None
    assert after.numbers.distribution == before.numbers.distribution
    assert after.numbers.moments.mean == pytest.approx(before.numbers.moments.mean, rel=1e-15)
    assert after.numbers.moments.std_dev == pytest.approx(before.numbers.moments.std_dev, rel=1e-12)
    assert after.inferred_type is InferredType.INTEGRAL


def test_the_sketch_of_many_values_keeps_ranks_within_a_cell() -> None:
    before = column(np.random.default_rng(1).standard_normal(50_000))
    after = column_of(feature_statistics(before), Limits())
    assert after is not None
    _same_ranks(before, after, 0.03)


def test_a_wide_table_goes_without_sketches() -> None:
    sizes = {}
    for n_columns in (1, 400, 2000):
        numeric = (
            statistics_of(Profile((column(np.arange(500.0)),) * n_columns, 500, Limits())).features[0].numeric
        )
        assert numeric is not None
        if numeric.sketch is None:
            sizes[n_columns] = 0
        else:
            assert numeric.sketch.n_rows == 500
            sizes[n_columns] = len({v for level in numeric.sketch.levels for v in level})
    assert sizes[1] > 100
    assert 16 <= sizes[400] <= 50
    assert sizes[2000] == 0


def test_categories_give_the_column_back() -> None:
    before = column(["a", "b", "a", None])
    after = column_of(feature_statistics(before), Limits())
    assert after is not None
    assert after.categories is not None
    assert after.categories.top(5) == [(b"a", 2), (b"b", 1)]
    assert (after.n_present, after.n_missing, after.kind) == (3, 1, "text")


@pytest.mark.parametrize(
    "feature",
    [
        FeatureStatistics("x", InferredType.UNKNOWN, 0, 5),
        FeatureStatistics("x", InferredType.STRING, 5, 0, string=StringStatistics(4.0)),
        FeatureStatistics(
            "x", InferredType.INTEGRAL, 5, 0, numeric=NumericStatistics(1.0, 1.0, 0.0, 1.0, 1.0)
        ),
        FeatureStatistics(
            "x",
            InferredType.INTEGRAL,
            5,
            0,
            numeric=NumericStatistics(1.0, 1.0, 0.0, 1.0, 1.0, sketch=Sketch(((),))),
        ),
    ],
    ids=["unknown", "too many texts", "no sketch", "empty sketch"],
)
def test_statistics_without_a_distribution_give_no_column(feature: FeatureStatistics) -> None:
    assert column_of(feature, Limits()) is None
