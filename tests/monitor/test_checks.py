"""Checks: what is measured, of what, and what is said when there is nothing to measure."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from driftline.baselines.column import Column, ColumnFold, Limits
from driftline.baselines.constraint import CHECKS, DRIFT_CHECKS, Constraint
from driftline.baselines.suggestion import wilson_bound
from driftline.kernels import distance
from driftline.kernels.evidence import classes_p, exceedance_p, ks_p, share_p
from driftline.monitor.checks import ROW_BITS, Scene, measure
from driftline.reports.outcome import Measurement, Place

SCENE = Scene(("a.csv", "b.csv"), 7, 1_000_000.0)


def column(
    values: Any,
    *,
    textual: bool = False,
    kind: pa.DataType | None = None,
    limits: Limits | None = None,
    at: int = 0,
) -> Column:
    array = pa.array(values, kind)
    fold = ColumnFold("x", array.type, textual=textual, limits=limits or Limits(), compiled=False)
    fold.add(array, at)
    return fold.close()


def measured(check: str, baseline: Column | None, current: Column | None, **rule: Any) -> Measurement:
    return measure(
        Constraint(check, "x", **{"bound": CHECKS[check].default_bound, **rule}), baseline, current, SCENE
    )


# --- places ---------------------------------------------------------------------------------------------------------


def test_row_numbers_become_places_from_one_on() -> None:
    rows = [0, 5, (1 << ROW_BITS) + 2, (9 << ROW_BITS) + 1]
    assert SCENE.places(rows) == (Place("a.csv", 1), Place("a.csv", 6), Place("b.csv", 3), Place("", 2))


def test_rows_numbered_among_themselves_have_no_place() -> None:
    assert replace(SCENE, located=False).places([0, 5]) == ()


# --- shares ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "textual", "expected", "n_bad", "where", "examples"),
    [
        ([1, 2], False, "Integral", 0, (), ()),
        ([1.0, 2.0], False, "Integral", 0, (), ()),  # counted by value
        ([1.0, 2.5, np.nan, np.inf], False, "Integral", 2, (2, 4), ("2.5",)),
        ([1, 2], False, "Fractional", 0, (), ()),  # whole numbers are fine
        ([1.5, np.inf, np.nan], False, "Fractional", 0, (), ()),
        (["1", "x", "2.5"], True, "Fractional", 1, (2,), ("x",)),
        (["1", "x", "2.5", "true"], True, "Integral", 3, (2, 3, 4), ("2.5", "true", "x")),
        (["a", "b"], False, "String", 0, (), ()),
        ([1.5, 2.5], False, "String", 2, (), ("1.5 (double)", "2.5 (double)")),
        ([True, True], False, "Fractional", 2, (), ("true (bool)",)),
        ([True, False], False, "Boolean", 0, (), ()),
        ([1, 0], False, "Boolean", 2, (), ("0 (int64)", "1 (int64)")),
        (["True", "FALSE", "no"], False, "Boolean", 1, (), ("no",)),
        (["true", "x", "1", "False"], True, "Boolean", 2, (2,), ("1", "x")),
        (["2026-11-23", "2026-11-23T07:00Z", None], False, "Time", 0, (), ()),
        (["2026-11-23", "garbage", "garbage", "7"], True, "Time", 3, (2, 4), ("garbage", "7")),
        ([1763884800], False, "Time", 1, (), ("1763884800 (int64)",)),
        ([True], False, "Time", 1, (), ("true (bool)",)),
        ([[1], [2]], False, "Nested", 0, (), ()),
        (["[1]"], False, "Nested", 1, (), ("[1]",)),
        ([[1]], False, "Fractional", 1, (), ("list<item: int64>",)),
        (["a", "1"], False, "Fractional", 2, (), ("a",)),
    ],
)
def test_data_type(
    values: list[Any],
    textual: bool,
    expected: str,
    n_bad: int,
    where: tuple[int, ...],
    examples: tuple[str, ...],
) -> None:
    found = measured("data_type", None, column(values, textual=textual), expected=expected)
    present = sum(v == v and v is not None for v in values)
    assert (found.n_bad, found.n_current, found.value) == (n_bad, present, (present - n_bad) / present)
    assert found.where == tuple(Place("a.csv", row) for row in where)
    assert found.examples == examples
    assert found.p_value is None


def test_times_that_became_something_else_and_back() -> None:
    times = column([1, 2], kind=pa.timestamp("s"))
    assert measured("data_type", None, times, expected="Time").n_bad == 0
    found = measured("data_type", None, times, expected="Integral")
    assert (found.n_bad, found.examples[0]) == (2, "1970-01-01T00:00:01Z (timestamp[s])")


def test_texts_do_not_tell_whether_they_are_nested() -> None:
    found = measured("data_type", None, column(["[1]"], textual=True), expected="Nested")
    assert found.value is None
    assert "texts do not tell" in str(found.note)


def test_times_among_too_many_texts_to_keep_are_estimated() -> None:
    limits = Limits(64, 16, 64)
    texts = [f"2026-11-23T07:{i // 60 % 60:02}:{i % 60:02}" for i in range(3600)]
    good = measured("data_type", None, column(texts, limits=limits), expected="Time")
    assert (good.n_bad, good.value) == (0, 1.0)
    assert "estimated from a sample" in str(good.note)
    half = measured(
        "data_type", None, column([*texts, *(f"x{i}" for i in range(3600))], limits=limits), expected="Time"
    )
    assert half.value == pytest.approx(0.5, abs=0.4)
    assert half.n_bad is not None
    assert half.n_bad > 0


@pytest.mark.parametrize(
    ("check", "bad", "good", "expected"),
    [
        ("completeness", None, 1.0, None),
        ("non_negative", -1.0, 1.0, None),
        ("data_type", "?", "1", "Integral"),
    ],
)
def test_a_suggested_bound_counts_both_sides_and_a_given_one_is_exact(
    check: str, bad: Any, good: Any, expected: str | None
) -> None:
    """Oracle: scipy.stats.fisher_exact, one-sided; scipy.stats.binom for the given bound."""

    def side(n_bad: int, n: int) -> Column:
        return column([bad] * n_bad + [good] * (n - n_bad), textual=check == "data_type")

    for n, k0, m, k in ((50, 0, 500, 3), (5000, 0, 500, 3), (500, 9, 200, 40)):
        if check == "non_negative" and k0:
            continue
        bound = 1.0 if k0 == 0 else wilson_bound(n - k0, n)
        rule = {"expected": expected, "evidence": True}
        found = measured(check, side(k0, n), side(k, m), bound=bound, **rule)
        oracle = stats.fisher_exact([[k, m - k], [k0, n - k0]], alternative="greater").pvalue
        assert found.p_value == pytest.approx(oracle, rel=1e-9)
        given = measured(check, side(k0, n), side(k, m), bound=0.95, **rule)
        assert given.p_value == pytest.approx(
            stats.binom.sf(k - 1, m, 0.05) if k > 0.05 * m else 1.0, rel=1e-9
        )
    assert measured(check, side(0, 50), side(1, 50), bound=1.0, expected=expected).p_value is None


def test_new_values_count_against_what_the_baseline_may_have_missed() -> None:
    settled = column(["a"] * 3_000 + ["b"] * 2_000)
    rule = {"domain": ("a", "b"), "bound": 1.0, "evidence": True}
    for k in (1, 6):
        current = column(["a"] * (500 - k) + ["new"] * k)
        found = measured("categorical_values", settled, current, **rule)
        assert found.p_value == pytest.approx(exceedance_p(k, 5_000, 500), rel=1e-6, abs=1e-14)
    clean = measured("categorical_values", settled, column(["a"] * 9), **rule)
    assert clean.p_value == 1.0


def test_a_list_that_lost_a_value_is_exact() -> None:
    before = column(["a"] * 90 + ["b"] * 10)
    found = measured(
        "categorical_values", before, column(["a", "b"]), domain=("a",), bound=1.0, evidence=True
    )
    assert (found.n_bad, found.p_value) == (1, None)
    more = measured(
        "categorical_values", before, column(["a", "z"]), domain=("a", "b", "c"), bound=1.0, evidence=True
    )
    assert more.p_value == pytest.approx(2 / 102)


def test_new_values_too_many_to_keep_are_evidence_too() -> None:
    limits = Limits(64, 8, 64)
    before = column(["a"] * 500 + ["b"] * 500, limits=limits)
    current = column(["a"] * 500 + [f"new{i}" for i in range(500)], limits=limits)
    found = measured("categorical_values", before, current, domain=("a", "b"), bound=1.0, evidence=True)
    assert found.p_value is not None
    assert found.p_value < 1e-12


def test_completeness_counts_nan_and_null() -> None:
    found = measured("completeness", None, column([1.0, None, np.nan, 4.0]), bound=0.9, evidence=True)
    assert (found.value, found.n_bad, found.n_current) == (0.5, 2, 4)
    assert found.where == (Place("a.csv", 2), Place("a.csv", 3))
    assert found.note == "1 of the missing values are NaN"
    assert found.p_value == pytest.approx(share_p(2, 4, 0.1))


def test_a_share_within_its_bound_has_no_evidence_against_it() -> None:
    found = measured("completeness", None, column([1.0] * 95 + [None] * 5), bound=0.9, evidence=True)
    assert found.p_value == 1.0


def test_a_bound_of_everything_needs_no_p_value() -> None:
    assert measured("completeness", None, column([1.0, None]), bound=1.0, evidence=True).p_value is None


def test_interval_of_a_share() -> None:
    """Oracle: scipy.stats.binomtest(...).proportion_ci(method="wilson")."""
    for n_bad in (0, 1, 30, 100):
        found = measured(
            "completeness", None, column([1.0] * (100 - n_bad) + [None] * n_bad, kind=pa.float64()), bound=1.0
        )
        expected = stats.binomtest(100 - n_bad, 100).proportion_ci(0.95, method="wilson")
        assert found.interval == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_categorical_values() -> None:
    current = column(["a", "z", "b", None, "z", "y"])
    found = measured("categorical_values", None, current, domain=("a", "b", "c"))
    assert (found.n_bad, found.n_current, found.value) == (3, 5, 0.4)
    assert found.where == (Place("a.csv", 2), Place("a.csv", 6))  # where each stranger first stands
    assert found.examples == ("z", "y")


def test_missing_texts_are_neither_known_nor_unknown() -> None:
    current = column(["A", "", "nan", "B", "Q"], textual=True)
    found = measured("categorical_values", None, current, domain=("A", "B", "nan"))
    assert (found.n_bad, found.n_current) == (1, 3)


def test_too_many_categories_give_an_upper_bound() -> None:
    limits = Limits(64, 4, 64)
    values = ["known"] * 50 + [f"new{i}" for i in range(50)]
    found = measured("categorical_values", None, column(values, limits=limits), domain=("known",))
    assert found.value is not None
    assert 0.5 <= found.value <= 0.6
    assert found.where == ()
    assert "upper bound" in str(found.note)


@pytest.mark.parametrize(
    ("values", "n_bad", "n", "example"),
    [
        ([0.0, 1.5, -2.0, None, np.nan], 1, 3, "-2"),
        ([1.0, -np.inf, np.inf], 1, 3, "-inf"),
        ([-0.0, 0.0], 0, 2, None),
    ],
)
def test_non_negative(values: list[Any], n_bad: int, n: int, example: str | None) -> None:
    found = measured("non_negative", None, column(values), bound=1.0)
    assert (found.n_bad, found.n_current) == (n_bad, n)
    assert found.examples == (() if example is None else (example,))
    assert len(found.where) == n_bad


def test_range_of_few_values_is_exact() -> None:
    found = measured(
        "numeric_range", None, column([-5.0, 0.0, 1.0, 2.0, 9.0, 10.0]), low=0.0, high=2.0, bound=1.0
    )
    assert (found.n_bad, found.n_current) == (3, 6)
    assert found.examples == ("-5", "10")
    assert found.sketch_error == 0.0


def test_range_of_many_values_is_sure_of_what_it_counts() -> None:
    x = np.random.default_rng(0).standard_normal(30_000)
    found = measured(
        "numeric_range", None, column(x, limits=Limits(64, 64, 64)), low=-1.0, high=1.0, bound=1.0
    )
    true = int((np.abs(x) > 1).sum())
    assert found.n_bad is not None
    assert true - found.sketch_error * x.shape[0] <= found.n_bad <= true


def test_range_of_one_value_just_outside_a_wide_cell_is_noticed() -> None:
    x = np.append(np.random.default_rng(0).random(5_000), 1.0000001)
    found = measured("numeric_range", None, column(x, limits=Limits(4, 4, 4)), low=0.0, high=1.0, bound=1.0)
    assert found.n_bad == 1


def test_range_by_evidence_counts_how_many_are_beyond() -> None:
    baseline = column(np.linspace(0, 1, 1000))
    current = column(np.append(np.linspace(0.1, 0.9, 95), [2.0, 3.0, 4.0, -1.0, -2.0]))
    found = measured("numeric_range", baseline, current, low=0.0, high=1.0, bound=1.0, evidence=True)
    assert found.n_bad == 5
    assert found.p_value == pytest.approx(2 * exceedance_p(3, 1000, 100))


def test_infinities_are_beyond_a_range_without_them() -> None:
    baseline = column(np.linspace(0, 1, 1000))
    current = column([0.5] * 90 + [np.inf] * 10)
    found = measured("numeric_range", baseline, current, low=0.0, high=1.0, bound=1.0, evidence=True)
    assert (found.n_bad, found.n_current) == (10, 100)
    assert found.p_value == pytest.approx(2 * exceedance_p(10, 1000, 100))
    assert found.examples == ("infinity",)
    assert len(found.where) == 8
    only = measured("numeric_range", baseline, column([np.inf] * 3), low=0.0, high=1.0, bound=1.0)
    assert (only.n_bad, only.value) == (3, 0.0)


def test_infinities_that_the_baseline_has_are_no_news_but_many_more_are() -> None:
    baseline = column([0.5] * 990 + [np.inf] * 10)
    rule = {"low": 0.0, "high": 1.0, "bound": 1.0, "evidence": True}
    few = measured("numeric_range", baseline, column([0.5] * 99 + [np.inf]), **rule)
    many = measured("numeric_range", baseline, column([0.5] * 50 + [np.inf] * 50), **rule)
    assert few.p_value == 1.0
    assert many.p_value == pytest.approx(3 * share_p(50, 100, 1 - wilson_bound(990, 1000)))


def test_an_open_end_lets_infinity_pass() -> None:
    found = measured("numeric_range", None, column([1.0, np.inf, -np.inf]), low=0.0, bound=1.0)
    assert found.n_bad == 1


def test_uniqueness() -> None:
    assert measured("uniqueness", None, column([1, 2, 2, 3, 3, 3]), bound=1.0).n_bad == 3
    assert measured("uniqueness", None, column(["a", "b", "a", None]), bound=1.0).value == pytest.approx(
        2 / 3
    )
    assert measured("uniqueness", None, column([5, 5], kind=pa.timestamp("s")), bound=1.0).n_bad == 1


@pytest.mark.parametrize("as_text", [True, False], ids=["texts", "numbers"])
def test_uniqueness_of_many_values_is_estimated_within_its_error(as_text: bool) -> None:
    x = np.random.default_rng(3).integers(0, 20_000, 40_000)
    values = [f"u{v}" for v in x] if as_text else x + 2**60
    found = measured("uniqueness", None, column(values, limits=Limits(512, 512, 512)), bound=1.0)
    true = np.unique(x).shape[0] / x.shape[0]
    assert found.sketch_error > 0
    assert abs(found.value - true) <= 3 * found.sketch_error
    unique = measured("uniqueness", None, column(np.arange(40_000), limits=Limits(512, 512, 512)), bound=1.0)
    assert (unique.value, unique.sketch_error) == (1.0, 0.0)
    assert "estimated" in str(unique.note)


def test_freshness_is_the_age_of_the_newest() -> None:
    newest = int((SCENE.now - 90) * 1e6)
    found = measured("freshness", None, column([5, newest, None], kind=pa.timestamp("us")), bound=60.0)
    assert (found.value, found.unit, found.n_current) == (90.0, "seconds", 2)
    ahead = measured("freshness", None, column([newest + 100_000_000], kind=pa.timestamp("us")), bound=60.0)
    assert ahead.value == -10.0
    assert ahead.note == "the newest time stamp lies in the future"


def test_row_volume_is_the_number_of_rows() -> None:
    found = measured("row_volume", None, None)
    assert (found.value, found.unit, found.n_current) == (7.0, "rows", 7)


# --- drift ----------------------------------------------------------------------------------------------------------

rng = np.random.default_rng(12)
BEFORE, AFTER = rng.standard_normal(2_000), rng.standard_normal(500) + 0.5
TEXT_BEFORE = [f"c{i}" for i in rng.integers(0, 5, 2_000)]
TEXT_AFTER = [f"c{i}" for i in rng.integers(1, 6, 500)]


def test_ks() -> None:
    found = measured("ks", column(BEFORE), column(AFTER))
    assert found.value == pytest.approx(stats.ks_2samp(BEFORE, AFTER).statistic)
    assert found.p_value == pytest.approx(ks_p(found.value, 2_000, 500))
    assert (found.n_baseline, found.n_current, found.sketch_error) == (2_000, 500, 0.0)
    assert found.interval is not None
    assert found.interval[0] < found.value < found.interval[1]


def test_wasserstein_is_in_baseline_standard_deviations() -> None:
    found = measured("wasserstein", column(BEFORE), column(AFTER))
    assert found.value == pytest.approx(stats.wasserstein_distance(BEFORE, AFTER) / BEFORE.std())
    assert found.unit == "standard deviations"


@pytest.mark.parametrize(
    "check", [c for c in DRIFT_CHECKS if c not in ("ks", "wasserstein", "l_infinity", "l_infinity_robust")]
)
def test_binned_drift_of_numbers_is_over_tenths_of_the_baseline(check: str) -> None:
    found = measured(check, column(BEFORE), column(AFTER))
    edges = np.quantile(BEFORE, np.arange(1, 10) / 10, method="inverted_cdf")
    a, b = (np.bincount(np.searchsorted(edges, x, side="left"), minlength=10) for x in (BEFORE, AFTER))
    expected = getattr(distance, check)(a, b)
    # A cell that holds a tenth's edge goes to one side or the other: a row of 2,000.
    assert found.value == pytest.approx(expected.value, rel=0.03)
    assert found.p_value == pytest.approx(classes_p(a, b), rel=0.5)


@pytest.mark.parametrize("check", [c for c in DRIFT_CHECKS if c not in ("ks", "wasserstein")])
def test_drift_of_texts_is_over_their_counts(check: str) -> None:
    found = measured(check, column(TEXT_BEFORE), column(TEXT_AFTER))
    names = [f"c{i}" for i in range(6)]
    a, b = (np.array([side.count(n) for n in names]) for side in (TEXT_BEFORE, TEXT_AFTER))
    expected = getattr(distance, check)(a, b)
    assert found.value == pytest.approx(expected.value)
    assert found.p_value == pytest.approx(classes_p(a, b))
    assert found.interval == pytest.approx(expected.interval())
    assert found.unit == CHECKS[check].unit
    assert found.note is None


def test_replaced_rare_categories_are_evidence_for_total_variation() -> None:
    """500 categories of ten rows: every one expects fewer than 5 on the current side."""
    before = column([f"old{i % 500}" for i in range(5_000)])
    found = measured("total_variation", before, column([f"new{i % 500}" for i in range(2_000)]))
    assert (found.value, found.p_value) == (1.0, pytest.approx(0, abs=1e-100))
    same = measured("total_variation", before, column([f"old{i % 500}" for i in range(2_000)]))
    assert (same.value, same.p_value) == (pytest.approx(0), 1.0)


def test_texts_too_many_to_list_are_compared_in_groups() -> None:
    limits = Limits(64, 4, 64)
    found = measured("l_infinity", column(TEXT_BEFORE, limits=limits), column(TEXT_AFTER, limits=limits))
    full = measured("l_infinity", column(TEXT_BEFORE), column(TEXT_AFTER))
    assert found.value <= full.value + 1e-12
    assert "1,024 groups" in str(found.note)


def test_booleans_are_compared_as_texts() -> None:
    found = measured("l_infinity", column([True, False] * 500), column([True] * 90 + [False] * 10))
    assert found.value == pytest.approx(0.4)


def test_a_class_the_baseline_never_had_is_evidence() -> None:
    found = measured("l_infinity", column([False] * 50_000), column([True] * 50))
    assert found.value == 1.0
    assert found.p_value < 1e-100


def test_times_are_compared_as_numbers() -> None:
    before, after = (column(np.arange(500) + d, kind=pa.timestamp("s")) for d in (0, 100))
    assert measured("ks", before, after).value == pytest.approx(0.2)


def test_ints_and_doubles_are_compared_by_value() -> None:
    assert measured("ks", column([1, 2, 3] * 50), column([1.0, 2.0, 3.0] * 20)).value == 0.0


def test_a_borrowed_sketch_widens_the_doubt() -> None:
    scene = replace(SCENE, baseline_sketch_error=0.01)
    plain = measured("ks", column(BEFORE), column(AFTER))
    found = measure(Constraint("ks", "x", 0.1), column(BEFORE), column(AFTER), scene)
    assert found.sketch_error == pytest.approx(0.01)
    assert found.p_value > plain.p_value
    assert found.interval[1] == pytest.approx(plain.interval[1] + 0.01)


def test_a_distance_no_double_holds_is_not_measured() -> None:
    tiny, huge = column([1e-300, 2e-300, 3e-300] * 50), column([1e300] * 150)
    found = measured("wasserstein", tiny, huge)
    assert found.value is None
    assert "larger than a double" in str(found.note)
    ends = column([-1.7e308, 1.7e308] * 50)
    assert measured("wasserstein", ends, ends).value == 0.0


NOTHING = column([None, None], kind=pa.float64())
NO_TEXT = column([None, None], kind=pa.string())
NO_ROWS = column([], kind=pa.float64())


@pytest.mark.parametrize(
    ("check", "baseline", "current", "rule", "note"),
    [
        ("data_type", None, NOTHING, {"expected": "Integral"}, "no row has a value"),
        (
            "data_type",
            None,
            column([1]),
            {"expected": "Unknown"},
            "the baseline has no value in this column, so no type",
        ),
        ("completeness", None, NO_ROWS, {"bound": 1.0}, "there are no rows"),
        ("categorical_values", None, NO_TEXT, {"domain": ("a",)}, "no row has a value"),
        ("categorical_values", None, column([1.5]), {"domain": ("a",)}, "the column does not hold texts"),
        ("non_negative", None, NOTHING, {"bound": 1.0}, "there are no numbers"),
        ("non_negative", None, column(["a"]), {"bound": 1.0}, "there are no numbers"),
        ("numeric_range", None, NOTHING, {"low": 0.0}, "there are no numbers"),
        ("uniqueness", None, NOTHING, {"bound": 1.0}, "no row has a value"),
        ("uniqueness", None, column([[1]]), {"bound": 1.0}, "values of this type are only counted"),
        ("freshness", None, column([1.0]), {"bound": 1.0}, "the column does not hold time stamps"),
        (
            "freshness",
            None,
            column([None], kind=pa.timestamp("s")),
            {"bound": 1.0},
            "no row has a time stamp",
        ),
        ("ks", None, column([1.0]), {}, "the baseline keeps no distribution of this column"),
        ("ks", column([1.0]), NOTHING, {}, "no row has a value"),
        ("ks", NOTHING, column([1.0]), {}, "the baseline has no value in this column"),
        ("ks", column([1.0]), column([np.inf]), {}, "the data have no finite number"),
        ("ks", column([-np.inf]), column([1.0]), {}, "the baseline has no finite number"),
        (
            "ks",
            column([1.0]),
            column(["a"]),
            {},
            "a distribution of numbers cannot be compared with one of texts",
        ),
        (
            "l_infinity",
            column(["a"]),
            column([1.0]),
            {},
            "a distribution of texts cannot be compared with one of numbers",
        ),
        ("l_infinity", column(["a"]), NOTHING, {}, "no row has a value"),
        ("l_infinity", column(["a"]), NO_TEXT, {}, "the data have no value in this column"),
        ("l_infinity", NO_TEXT, column(["a"]), {}, "the baseline has no value in this column"),
        (
            "wasserstein",
            column([2.0] * 9),
            column([3.0]),
            {},
            "the baseline has no spread to measure the distance by",
        ),
    ],
)
def test_nothing_to_measure_is_said(
    check: str, baseline: Column | None, current: Column, rule: dict[str, Any], note: str
) -> None:
    found = measured(check, baseline, current, **rule)
    assert found.value is None
    assert found.note == note
    assert found.p_value is None
    assert found.unit == CHECKS[check].unit


def test_every_check_can_be_measured() -> None:
    """The two about columns that came or went are judged where columns are paired."""
    numbers, texts, times = column([1.0, 2.0]), column(["a", "b"]), column([1, 2], kind=pa.timestamp("s"))
    rules = {
        "data_type": (numbers, {"expected": "Integral"}),
        "categorical_values": (texts, {"domain": ("a",)}),
        "freshness": (times, {}),
        "row_volume": (None, {}),
    }
    for check in CHECKS:
        if check in ("missing_column", "extra_column"):
            continue
        current, rule = rules.get(check, (texts if check.startswith("l_") else numbers, {"bound": 0.5}))
        found = measured(check, current, current, **rule)
        assert found.name == check
        assert found.value is not None
        assert math.isfinite(found.value)
        assert found.unit == CHECKS[check].unit
