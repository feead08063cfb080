"""Suggestion: every rule chooses what its words say, and the baseline itself never breaks a bound."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from driftline.baselines.column import Column, ColumnFold, Limits
from driftline.baselines.constraint import InferredType, Settings
from driftline.baselines.profile import Profile
from driftline.baselines.suggestion import (
    MOST_CATEGORIES,
    expected_type,
    matching_type,
    share_bound,
    suggest,
    suggest_feature,
    wilson_bound,
)


def column(values: Any, *, textual: bool = False, kind: pa.DataType | None = None) -> Column:
    array = pa.array(values, kind)
    fold = ColumnFold("x", array.type, textual=textual, limits=Limits(), compiled=False)
    fold.add(array, 0)
    return fold.close()


@given(st.integers(1, 10**7), st.floats(0, 1))
def test_wilson_bound(n: int, share: float) -> None:
    """Oracle: scipy.stats.binomtest(...).proportion_ci(method="wilson"), two-sided 99.8 % for one-sided 99.9 %."""
    good = round(share * n)
    expected = stats.binomtest(good, n).proportion_ci(0.998, method="wilson").low
    assert wilson_bound(good, n) == pytest.approx(max(0.0, expected), rel=1e-9, abs=1e-12)


def test_completeness_of_a_full_column_rests_on_its_rows() -> None:
    feature = suggest_feature(column([1.0, 2.0]))
    assert feature.completeness == 1.0
    assert feature.settings["completeness"].evidence is True


def test_share_bound_is_everything_or_wilsons() -> None:
    assert share_bound(0, 7) == 1.0
    assert share_bound(3, 100) == wilson_bound(97, 100)


def test_completeness_of_a_column_with_gaps_is_a_lower_bound() -> None:
    feature = suggest_feature(column([None] * 5 + [1.0] * 95))
    assert feature.completeness == wilson_bound(95, 100)
    assert feature.completeness < 0.95
    assert feature.settings["completeness"].evidence is True


def test_nan_is_a_gap() -> None:
    assert suggest_feature(column([np.nan] * 5 + [1.0] * 95)).completeness == wilson_bound(95, 100)


@pytest.mark.parametrize(("values", "completeness"), [([], None), ([None, None], 0.0)])
def test_a_column_without_a_value_is_held_to_nothing(values: list[None], completeness: float | None) -> None:
    feature = suggest_feature(column(values, kind=pa.float64()))
    assert feature.completeness == completeness
    assert feature.inferred_type is InferredType.UNKNOWN
    assert feature.settings["completeness"].enabled is False
    assert set(feature.settings) == {"completeness"}
    assert feature.is_non_negative is None


@pytest.mark.parametrize(
    ("values", "textual", "expected", "n_matching"),
    [
        ([1, 2, 3], False, "Integral", 3),
        ([1.0, 2.0, 2.5], False, "Integral", 2),
        ([1.0, 2.0, 2.5, np.inf], False, "Fractional", 4),
        ([1, 2], False, "Fractional", 2),
        (["1", "2.0", "x", ""], True, "Integral", 2),
        (["1", "2.5", "x", "true"], True, "Fractional", 2),
        (["1", "x", "true"], True, "String", 3),
        ([True, False], False, "String", 2),
        ([1, 2], False, "String", 0),
        (["a", None], False, "String", 1),
        ([[1], None], False, "Nested", 1),
        (["a", None], False, "Nested", 0),
        ([True, None], False, "Boolean", 1),
        (["true", "False", "1", "yes"], False, "Boolean", 2),
        (["true", "False", "1", "yes"], True, "Boolean", 2),
        ([1, 0], False, "Boolean", 0),
        (["2026-11-23", "2026-11-23 07:00:00", "noon", None], False, "Time", 2),
        (["2026-11-23", "20261123"], True, "Time", 1),
        ([1763884800], False, "Time", 0),
        ([True], False, "Time", 0),
    ],
)
def test_types_match_by_value(values: list[Any], textual: bool, expected: str, n_matching: int) -> None:
    assert matching_type(column(values, textual=textual), expected) == n_matching


def test_a_type_with_exceptions_is_a_share() -> None:
    feature = suggest_feature(column(["1"] * 995 + ["?"] * 5, textual=True))
    assert feature.inferred_type is InferredType.INTEGRAL
    assert feature.settings["data_type"] == Settings(
        bound=wilson_bound(995, 1000), evidence=True, why=feature.settings["data_type"].why
    )
    assert suggest_feature(column(["1"] * 100, textual=True)).settings["data_type"].evidence is False


@pytest.mark.parametrize(
    ("values", "is_non_negative", "certain"),
    [
        ([3.5], True, False),
        ([0, 1, 2], True, False),  # three rows prove nothing
        ([0] * 20 + [5] * 100, True, True),  # zeros pile up
        ([0, *range(1, 101)], True, False),  # zero occurs, and may be a value like any other
        ([1, 2, 3, 4] * 50, True, True),  # a wall at 1
        (np.random.default_rng(0).integers(18, 80, 2000), True, True),  # a wall at 18
        (np.random.default_rng(0).random(2000) + 5, True, True),
        (np.random.default_rng(0).normal(20, 3, 2000).round().astype(int), True, False),  # a thin tail
        (np.random.default_rng(0).normal(20, 3, 2000), True, False),
        ([2.5] * 50, True, True),
        ([1.7976931348623157e308] * 50, True, True),
        ([5.0, 5.1, 5.2, 4.9], True, False),
        ([0.5, 1.5, 2.5, 3.5], True, False),
        ([-1, 1], False, None),
        ([-0.5], False, None),
        ([1.0, -np.inf], False, None),
        (np.random.default_rng(0).exponential(1, 2000) + 1e-9, True, True),  # piles up at zero
    ],
)
def test_non_negative(values: Any, is_non_negative: bool, certain: bool | None) -> None:
    feature = suggest_feature(column(values))
    assert feature.is_non_negative is is_non_negative
    if certain is None:
        assert "non_negative" not in feature.settings
    else:
        settings = feature.settings["non_negative"]
        assert settings.evidence is not certain
        assert settings.bound == 1.0


def test_range_is_the_baselines_and_needs_evidence() -> None:
    settings = suggest_feature(column([3.5, 1.5, 2.0])).settings["numeric_range"]
    assert (settings.low, settings.high, settings.evidence) == (1.5, 3.5, True)


@pytest.mark.parametrize(
    "values",
    [["b"] * 5 + ["a"] * 50, [*(f"c{i}" for i in range(20)), *(f"c{i}" for i in range(20)), "rare"]],
    ids=["settled", "with rare ones"],
)
def test_a_domain_is_the_list_and_rests_on_its_rows(values: list[str]) -> None:
    feature = suggest_feature(column(values))
    assert feature.domains == tuple(sorted(set(values)))
    settings = feature.settings["categorical_values"]
    assert (settings.bound, settings.evidence) == (1.0, True)


@pytest.mark.parametrize(
    ("n_values", "n", "bound"),
    [
        (2, 1000, None),  # L-infinity sees every change
        (30, 50_000, "the document's"),
        (130, 3_000, 0.15),
        (500, 5_000, 0.2),
        (20_000, 60_000, "the document's"),  # too many to list: 1,024 groups
    ],
)
def test_rare_categories_are_looked_at_together(n_values: int, n: int, bound: float | str | None) -> None:
    settings = suggest_feature(column([f"v{i % n_values}" for i in range(n)] + ["v0"] * (n // 20))).settings
    if bound is None:
        assert "total_variation" not in settings
    else:
        found = settings["total_variation"]
        assert (found.enabled, found.bound) == (True, None if isinstance(bound, str) else bound)


def test_texts_that_practically_never_repeat_cannot_be_compared() -> None:
    values = [f"v{i}" for i in range(960)] + [f"v{i}" for i in range(40)]
    feature = suggest_feature(column(values))
    assert feature.role == "feature"
    assert "total_variation" not in feature.settings


@pytest.mark.parametrize(
    "values",
    [
        [f"c{i}" for i in range(MOST_CATEGORIES + 1)] * 9,
        [f"c{i}" for i in range(10)] + ["often"] * 100,
        [b"\xff\xfe"] * 50,
        ["x" * 300] * 50,
        [],
    ],
    ids=["too many", "mostly once", "not text", "too long", "nothing"],
)
def test_columns_without_a_domain(values: list[Any]) -> None:
    kind = pa.binary() if values and isinstance(values[0], bytes) else pa.string()
    assert suggest_feature(column(values, kind=kind)).domains is None


@pytest.mark.parametrize(
    ("values", "kind", "role"),
    [
        (np.arange(1000), None, "identifier"),
        (np.arange(1000) * 3 + 10**9, None, "identifier"),
        (np.arange(1000) * 50, None, "feature"),  # amounts can be all different too
        (np.random.default_rng(0).integers(0, 2**62, 1000), None, "identifier"),
        (np.arange(1000) % 500, None, "feature"),
        (np.random.default_rng(0).standard_normal(1000), None, "feature"),
        ([f"u{i}" for i in range(1000)], None, "identifier"),
        ([f"u{i % 900}" for i in range(1000)], None, "feature"),
        ([f"u{i}" for i in range(50)], None, "feature"),  # too few to tell
        (np.arange(1000), pa.timestamp("s"), "time"),
        (["2026-11-23", "2026-11-24"] * 5, None, "time"),
        (["2026-11-23"] * 99 + ["unknown"], None, "time"),
        (["2026-11-23"] * 90 + ["unknown"] * 10, None, "feature"),
        (["11/23/2026"] * 100, None, "feature"),  # whose month?
        ([True] * 500, None, "feature"),
        ([np.inf] * 500, None, "feature"),
    ],
)
def test_roles(values: Any, kind: pa.DataType | None, role: str) -> None:
    assert suggest_feature(column(values, kind=kind)).role == role


@pytest.mark.parametrize("textual", [False, True])
def test_dates_as_texts_are_held_to_being_dates_and_nothing_else(textual: bool) -> None:
    days = [f"2026-11-{1 + i % 10:02}" for i in range(3000)]
    feature = suggest_feature(column(days, textual=textual))
    assert (feature.kind, feature.role, feature.domains) == ("text", "time", None)
    assert feature.inferred_type is InferredType.STRING
    assert set(feature.settings) == {"completeness", "data_type"}
    assert feature.settings["data_type"].evidence is False
    some = suggest_feature(column([*days, "?"], textual=textual)).settings["data_type"]
    assert (some.bound, some.evidence) == (wilson_bound(3000, 3001), True)


@pytest.mark.parametrize(
    ("kind", "role", "inferred", "expected"),
    [
        ("number", "feature", "Integral", "Integral"),
        ("text", "time", "String", "Time"),
        ("time", "time", "String", "Time"),
        ("boolean", "feature", "String", "Boolean"),
        ("other", "feature", "Unknown", "Nested"),
        ("other", "feature", "String", "String"),  # as SageMaker's files have it
    ],
)
def test_expected_types(kind: str, role: str, inferred: str, expected: str) -> None:
    assert expected_type(kind, role, inferred) == expected


def test_identifiers_have_no_range_and_are_unique_only_when_asked() -> None:
    found = column(np.arange(1000))
    assert "numeric_range" not in suggest_feature(found).settings
    assert "uniqueness" not in suggest_feature(found).settings
    settings = suggest_feature(found, uniqueness=True).settings["uniqueness"]
    assert (settings.enabled, settings.bound, settings.evidence) == (True, 1.0, False)
    assert "uniqueness" not in suggest_feature(column([1.0]), uniqueness=True).settings


def test_every_setting_says_why() -> None:
    columns = [
        column([None] * 5 + [1.0] * 95),
        column(["a"] * 9 + ["b"] * 9),
        column([0, 1]),
        column([-1.0]),
        column([[1]]),
        column([], kind=pa.float64()),
    ]
    for found in columns:
        for check, settings in suggest_feature(found).settings.items():
            assert settings.why, check


def test_columns_keep_their_order_and_the_rate_is_one_in_a_thousand() -> None:
    columns = tuple(column([1.0]) for _ in range(3))
    document = suggest(Profile(columns, 1, Limits()))
    assert len(document.features) == 3
    assert document.alpha == 0.001
