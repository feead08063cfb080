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
    LEAST_PER_CATEGORY,
    MOST_CATEGORIES,
    matching_type,
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


def test_completeness_of_a_full_column_is_certain() -> None:
    feature = suggest_feature(column([1.0, 2.0]))
    assert feature.completeness == 1.0
    assert feature.settings["completeness"].evidence is False


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
        (["a", None], False, "Unknown", 1),
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
        ([0, 1, 2], True, True),
        ([3, 4, 5], True, True),  # whole numbers count something
        ([0.0, 0.5], True, True),
        ([5.0, 5.1, 5.2, 4.9], True, True),  # as far from zero again as it reaches
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
        assert settings.bound == (1.0 if certain else pytest.approx(1 - 3 / (len(values) + 3)))


def test_range_is_the_baselines_and_needs_evidence() -> None:
    settings = suggest_feature(column([3.5, 1.5, 2.0])).settings["numeric_range"]
    assert (settings.low, settings.high, settings.evidence) == (1.5, 3.5, True)


def test_a_domain_of_settled_values_is_closed() -> None:
    feature = suggest_feature(column(["b"] * LEAST_PER_CATEGORY + ["a"] * 50))
    assert feature.domains == ("a", "b")
    assert feature.settings["categorical_values"].evidence is False


def test_a_domain_with_rare_values_leaves_room() -> None:
    values = [f"c{i}" for i in range(20)] * 9 + ["rare"]
    feature = suggest_feature(column(values))
    settings = feature.settings["categorical_values"]
    assert feature.domains is not None
    assert len(feature.domains) == 21
    assert settings.evidence is True
    assert settings.bound == pytest.approx(1 - 4 / len(values))


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
        ([True] * 500, None, "feature"),
        ([np.inf] * 500, None, "feature"),
    ],
)
def test_roles(values: Any, kind: pa.DataType | None, role: str) -> None:
    assert suggest_feature(column(values, kind=kind)).role == role


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
