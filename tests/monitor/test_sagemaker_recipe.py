from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.baselines.constraint import Constraints, Feature, InferredType, MonitoringConfig, Settings
from driftline.baselines.sagemaker import read_statistics, write_statistics
from driftline.capture.source import Field
from driftline.errors import SchemaError
from driftline.kernels.lexical import Lexical
from driftline.monitor.recipes.sagemaker import (
    CompatColumn,
    fold_compat,
    judge,
    sort_keys_as_text,
    suggest,
)
from driftline.reports.outcome import Outcome, Status

if TYPE_CHECKING:
    from collections.abc import Sequence

TEXT = Field("x", pa.string(), textual=True)


def fold_text(values: Sequence[str | None], *, constraints: Constraints | None = None) -> CompatColumn:
    (column,) = fold_compat([[pa.array(values, pa.string())]], [TEXT], constraints=constraints)
    return column


def fold_typed(array: pa.Array) -> CompatColumn:
    (column,) = fold_compat([[array]], [Field("x", array.type)])
    return column


def counts(column: CompatColumn) -> dict[Lexical, int]:
    return {Lexical(i): n for i, n in enumerate(column.classes) if n}


# Fold


@pytest.mark.parametrize(
    ("array", "expected", "kind"),
    [
        (pa.array([1, None, 3]), {Lexical.NULL: 1, Lexical.INTEGRAL: 2}, InferredType.INTEGRAL),
        (pa.array([2**64 - 1], pa.uint64()), {Lexical.INTEGRAL: 1}, InferredType.INTEGRAL),
        (
            pa.array([1.0, math.nan, None, math.inf]),
            {Lexical.NULL: 2, Lexical.FRACTIONAL: 2},
            InferredType.FRACTIONAL,
        ),
        (pa.array([decimal.Decimal("1.50")]), {Lexical.FRACTIONAL: 1}, InferredType.FRACTIONAL),
        (pa.array([True, False, None]), {Lexical.NULL: 1, Lexical.BOOLEAN: 2}, InferredType.STRING),
        (pa.array(["1", "", None]), {Lexical.NULL: 1, Lexical.STRING: 2}, InferredType.STRING),
        (pa.array(["1", "2"]).dictionary_encode(), {Lexical.STRING: 2}, InferredType.STRING),
        (pa.array([dt.date(2024, 1, 1)]), {Lexical.STRING: 1}, InferredType.STRING),
        (pa.nulls(3), {Lexical.NULL: 3}, InferredType.UNKNOWN),
        (pa.array([], pa.int64()), {}, InferredType.UNKNOWN),
        (pa.array([math.nan]), {Lexical.NULL: 1}, InferredType.UNKNOWN),
    ],
)
def test_a_typed_column_keeps_its_type(
    array: pa.Array, expected: dict[Lexical, int], kind: InferredType
) -> None:
    column = fold_typed(array)
    assert counts(column) == expected
    assert column.inferred_type is kind
    assert (column.n_rows, column.n_null) == (len(array), expected.get(Lexical.NULL, 0))


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "-2", "+3", "- 4"], InferredType.INTEGRAL),
        (["1", "2.0"], InferredType.FRACTIONAL),
        (["1", "2.0", "x"], InferredType.STRING),
        (["1", "NaN"], InferredType.STRING),
        (["1", ".5"], InferredType.STRING),
        (["true", "false"], InferredType.STRING),
        (["true", "1"], InferredType.STRING),
        (["", None], InferredType.UNKNOWN),
        ([], InferredType.UNKNOWN),
    ],
)
def test_the_type_of_a_text_column(values: list[str | None], kind: InferredType) -> None:
    assert fold_text(values).inferred_type is kind


def test_numbers_of_a_text_column() -> None:
    column = fold_text(["3", "", "1.5", None, "-2"])
    assert (column.n_rows, column.n_null, column.n_present) == (5, 2, 3)
    assert [level.tolist() for level in column.sketch.levels] == [[3.0, 1.5, -2.0]]
    assert (column.moments.low, column.moments.high, column.moments.sum) == (-2.0, 3.0, 2.5)
    assert column.categories == {"3": 1, "1.5": 1, "-2": 1}


def test_one_odd_cell_makes_a_string_without_numbers() -> None:
    column = fold_text([*map(str, range(300)), "odd"])
    assert column.inferred_type is InferredType.STRING
    assert (column.moments.n, column.sketch.n_rows) == (0, 0)
    assert column.categories is None
    assert column.distinct.n_distinct == 301


def test_infinite_numbers_are_present_but_not_summed() -> None:
    column = fold_text(["1e999", "2"])
    assert (column.n_present, column.inferred_type) == (2, InferredType.FRACTIONAL)
    assert (column.moments.n, column.sketch.n_rows) == (1, 1)


cells = st.sampled_from(["", "0", "1", "-2.5", "7", "1e3", " 4", "x", "true", "é"]) | st.integers().map(str)


def comparable(column: CompatColumn) -> list[Any]:
    values = [getattr(column, f.name) for f in dataclasses.fields(column) if f.name != "sketch"]
    categories = None if column.categories is None else list(column.categories.items())
    return [*values, categories, [level.tolist() for level in column.sketch.levels]]


@given(
    st.lists(st.none() | cells, max_size=300),
    st.lists(st.integers(0, 300), max_size=4),
    st.booleans(),
)
def test_batches_do_not_matter(values: list[str | None], cuts: list[int], textual: bool) -> None:
    field = Field("x", pa.string(), textual=textual)
    array = pa.array(values, pa.string())
    edges = [0, *sorted(min(c, len(values)) for c in cuts), len(values)]
    # Slices of one array, so that offsets into shared buffers are covered too.
    parts = [[array.slice(a, b - a)] for a, b in itertools.pairwise(edges)]
    (whole,), (cut,) = fold_compat([[array]], [field]), fold_compat(parts, [field])
    assert comparable(cut) == comparable(whole)


def test_many_different_texts_are_read_like_few() -> None:
    rng = np.random.default_rng(1)
    values = [repr(float(v)) for v in rng.normal(size=5000)]
    column = fold_text(values + values)
    assert column.classes[Lexical.FRACTIONAL] == 10_000
    assert column.categories is None
    assert column.distinct.n_distinct == 5000
    reference = np.array([float(v) for v in values] * 2)
    assert column.moments.mean == pytest.approx(reference.mean(), rel=1e-13)
    assert column.sketch.n_rows == 10_000


def test_repeated_values_after_the_categories_ran_over() -> None:
    head, tail = [str(i) for i in range(200)], ["5", "6", "", "5"] * 700
    one = fold_compat([[pa.array(head)], [pa.array(tail)]], [TEXT])[0]
    assert counts(one) == {Lexical.NULL: 700, Lexical.INTEGRAL: 200 + 2100}
    assert one.sketch.n_rows == 2300
    assert one.distinct.n_distinct == 200


def test_a_domain_is_counted_whatever_the_number_of_values() -> None:
    constraints = Constraints((Feature("x", InferredType.STRING, domains=("v1", "v2")),))
    column = fold_text([f"v{i}" for i in range(500)] + ["v1", ""], constraints=constraints)
    assert column.categories is None
    assert column.n_in_domain == 3
    assert fold_text(["v1"]).n_in_domain is None


@pytest.mark.parametrize("array", [pa.array([b"\xff"]), pa.array([{"a": 1}])], ids=["binary", "struct"])
def test_a_column_without_text_form_is_refused(array: pa.Array) -> None:
    with pytest.raises(SchemaError, match="no text form") as caught:
        fold_typed(array)
    assert caught.value.field == "x"


def test_a_batch_of_another_width_is_refused() -> None:
    with pytest.raises(SchemaError, match="expected 1 columns in every batch, found one with 2"):
        fold_compat([[pa.array(["1"]), pa.array(["2"])]], [TEXT])


def test_keys_are_sorted_as_text() -> None:
    assert sort_keys_as_text(["_c2", "_c10", "_c1"]) == ["_c1", "_c10", "_c2"]


# Suggest


def suggested(values: Sequence[str | None]) -> Feature:
    _, constraints = suggest([fold_text(values)], ["x"])
    return constraints.features[0]


def test_suggested_numbers() -> None:
    assert suggested(["1", "0"]) == Feature("x", InferredType.INTEGRAL, 1.0, True)
    assert suggested(["1.5", "-1", "", ""]) == Feature("x", InferredType.FRACTIONAL, 0.5, False)


def test_suggested_domain() -> None:
    values = [v for v in "abcdefghi" for _ in range(2)] + ["i"]
    assert suggested(values).domains == ("i", "a", "b", "c", "d", "e", "f", "g", "h")
    # One of ten categories occurs once: just allowed. Two of eleven: not.
    assert suggested([*values, "once"]).domains is not None
    assert suggested([*values, "once", "once more"]).domains is None


def test_a_domain_has_at_most_120_values() -> None:
    assert len(suggested([f"v{i}" for i in range(120)] * 2).domains or ()) == 120
    assert suggested([f"v{i}" for i in range(121)] * 2).domains is None


def test_suggested_for_nothing() -> None:
    statistics, constraints = suggest([fold_text(["", None]), fold_text([])], ["x", "y"])
    assert constraints.features[0] == Feature("x", InferredType.UNKNOWN, 0.0)
    assert constraints.features[1] == Feature("y", InferredType.UNKNOWN, None)
    assert statistics.features[0].n_missing == statistics.item_count == 2


@given(st.lists(st.none() | cells | st.just("1e308") | st.just("-1e308"), max_size=40))
def test_suggested_statistics_can_always_be_written(values: list[str | None]) -> None:
    statistics, _ = suggest([fold_text(values)], ["x"])
    assert read_statistics(write_statistics(statistics)) == statistics


def test_a_range_that_overflows_has_no_buckets() -> None:
    statistics, _ = suggest([fold_text(["1e308", "-1e308"])], ["x"])
    numeric = statistics.features[0].numeric
    assert numeric is not None
    assert numeric.buckets == ()
    assert (numeric.min, numeric.max, numeric.mean) == (-1e308, 1e308, 0.0)


def test_text_statistics_list_the_values_by_frequency() -> None:
    statistics, _ = suggest([fold_text(["b", "a", "b", "c", "a", "b"])], ["x"])
    string = statistics.features[0].string
    assert string is not None
    assert string.distinct_count == 3.0
    assert list((string.categories or {}).items()) == [("b", 3), ("a", 2), ("c", 1)]


# Judge

CALM = MonitoringConfig()


def judged(
    baseline: Sequence[str | None] | None,
    current: Sequence[str | None],
    feature: Feature,
    monitoring: MonitoringConfig = CALM,
    **options: Any,
) -> list[Outcome]:
    statistics = None if baseline is None else suggest([fold_text(baseline)], ["x"])[0]
    constraints = Constraints((feature,), monitoring)
    return judge(constraints, statistics, [fold_text(current, constraints=constraints)], ["x"], **options)


def only(outcomes: list[Outcome], *checks: str) -> Outcome:
    (outcome,) = (o for o in outcomes if o.constraint.check in checks)
    return outcome


def test_every_check_leaves_an_outcome_in_order() -> None:
    outcomes = judged(["a"] * 9, ["a"] * 9, Feature("x", InferredType.STRING, 1.0, None, ("a",)))
    assert [(o.constraint.check, o.constraint.column, o.status) for o in outcomes] == [
        ("missing_column", None, Status.PASSED),
        ("extra_column", None, Status.PASSED),
        ("data_type", "x", Status.PASSED),
        ("completeness", "x", Status.PASSED),
        ("categorical_values", "x", Status.PASSED),
        ("l_infinity_robust", "x", Status.PASSED),
    ]


def test_type_wording() -> None:
    outcome = only(judged(None, ["1", "2.0", "", "3"], Feature("x", InferredType.INTEGRAL)), "data_type")
    assert outcome.status is Status.VIOLATED
    assert outcome.reason == (
        "Data type match requirement is not met. Expected data type: Integral, Expected match: 100.0%. "
        "Observed: Only 66.66666666666666% of data is Integral."
    )
    assert (outcome.measurement.value, outcome.measurement.n_current, outcome.measurement.n_bad) == (
        2 / 3,
        3,
        1,
    )


def test_whole_numbers_are_not_fractional_nor_strings() -> None:
    for kind in InferredType.FRACTIONAL, InferredType.STRING:
        outcome = only(judged(None, ["1", "2"], Feature("x", kind)), "data_type")
        assert outcome.reason.endswith(f"Observed: Only 0.0% of data is {kind}.")


def test_booleans_are_strings() -> None:
    outcome = only(judged(None, ["true", "x", "NaN"], Feature("x", InferredType.STRING)), "data_type")
    assert outcome.status is Status.PASSED


def test_completeness_wording() -> None:
    feature = Feature("x", InferredType.INTEGRAL, completeness=1.0)
    outcome = only(judged(None, ["30"] * 310 + [""] * 10, feature), "completeness")
    assert outcome.status is Status.VIOLATED
    assert outcome.reason == (
        "Data completeness requirement is not met. Expected: 100.0%. Observed: Only 96.875%."
    )


def test_nulls_do_not_count_against_the_type() -> None:
    feature = Feature("x", InferredType.INTEGRAL, completeness=1.0)
    outcomes = judged(None, ["30"] * 310 + [""] * 10, feature)
    assert [o.constraint.check for o in outcomes if o.is_violation] == ["completeness"]


def test_domain_wording_of_2019() -> None:
    feature = Feature("x", InferredType.STRING, domains=("N", "Y"))
    outcome = only(judged(None, ["N"] + ["odd"] * 110, feature), "categorical_values")
    assert outcome.reason == "Value: 0.009009009009009009 does not meet the constraint requirement! "
    assert outcome.status is Status.VIOLATED


def test_a_domain_nobody_counted_is_undetermined() -> None:
    constraints = Constraints((Feature("x", InferredType.STRING, domains=("v1",)),))
    outcomes = judge(constraints, None, [fold_text([f"v{i}" for i in range(121)])], ["x"])
    assert only(outcomes, "categorical_values").status is Status.UNDETERMINED


BASELINE = [str(float(i)) for i in range(1, 11)] * 30
FRACTION = Feature("x", InferredType.FRACTIONAL)


def sample_of_63() -> list[str]:
    values = [repr(v) for v in [*np.linspace(0.01, 0.99, 58).tolist(), *np.linspace(1.5, 9.5, 5).tolist()]]
    return [values[i % 63] for i in range(320)]


def test_drift_wording() -> None:
    outcome = only(judged(BASELINE, sample_of_63(), FRACTION), "ks")
    assert outcome.status is Status.VIOLATED
    assert outcome.reason == "Baseline drift distance: 0.30791265775509713 exceeds threshold: 0.1"
    assert (outcome.measurement.n_baseline, outcome.measurement.n_current) == (300, 320)


def test_repeated_values_drift_by_rows_only() -> None:
    baseline, current = ["0.0"] * 900 + ["1.0"] * 100, ["0.0"] * 100 + ["1.0"] * 900
    assert only(judged(baseline, current, FRACTION), "ks").status is Status.PASSED
    assert only(judged(baseline, current, FRACTION, weights="rows"), "ks").status is Status.VIOLATED


def test_simple_subtracts_nothing() -> None:
    simple = MonitoringConfig(comparison_method="Simple")
    outcome = only(judged(["0.0", "1.0"], ["0.0", "2.0"], FRACTION, simple), "ks")
    assert outcome.measurement.value == 0.5
    assert outcome.status is Status.VIOLATED


TEXTS = Feature("x", InferredType.STRING)


def test_categorical_drift() -> None:
    baseline, current = ["a"] * 500 + ["b"] * 500, ["a"] * 750 + ["b"] * 250
    robust = only(judged(baseline, current, TEXTS), "l_infinity_robust")
    assert robust.measurement.value == pytest.approx(0.25 - 1.8 * math.sqrt(2000 / 1e6))
    assert robust.status is Status.VIOLATED
    simple = MonitoringConfig(comparison_method="Simple", categorical_comparison_threshold=0.25)
    assert only(judged(baseline, current, TEXTS, simple), "l_infinity").status is Status.PASSED


def test_chi_squared_is_violated_by_a_small_p_value() -> None:
    chi = MonitoringConfig(categorical_drift_method="ChiSquared")
    baseline = ["a"] * 500 + ["b"] * 500
    same = only(judged(baseline, ["a"] * 50 + ["b"] * 50, TEXTS, chi), "chi_squared")
    assert (same.status, same.measurement.p_value) == (Status.PASSED, 1.0)
    drifted = only(judged(baseline, ["a"] * 80 + ["b"] * 20, TEXTS, chi), "chi_squared")
    assert drifted.status is Status.VIOLATED
    assert drifted.reason.startswith("Baseline drift p-value: 1.9")
    few = only(judged(baseline, ["a"] * 3, TEXTS, chi), "chi_squared")
    assert few.status is Status.UNDETERMINED
    statistic = MonitoringConfig(categorical_drift_method="ChiSquared", comparison_method="Simple")
    outcome = only(judged(baseline, ["a"] * 80 + ["b"] * 20, TEXTS, statistic), "chi_squared")
    assert outcome.measurement.value == pytest.approx(36.0)
    assert outcome.status is Status.VIOLATED


@pytest.mark.parametrize(
    ("baseline", "current", "kind", "words"),
    [
        (None, ["1.5"], InferredType.FRACTIONAL, "no baseline statistics"),
        (["1.5"], ["x"], InferredType.FRACTIONAL, "no distribution of numbers on both sides"),
        (["x"], ["1.5"], InferredType.STRING, "no list of categories on both sides"),
        ([f"v{i}" for i in range(121)], ["v1"], InferredType.STRING, "no list of categories"),
        ([""], ["1.5"], InferredType.UNKNOWN, "no list of categories"),
        (["1e999"], ["1.5"], InferredType.FRACTIONAL, "no finite number"),
    ],
)
def test_drift_that_nobody_can_tell(
    baseline: list[str] | None, current: list[str], kind: InferredType, words: str
) -> None:
    outcome = only(judged(baseline, current, Feature("x", kind)), "ks", "l_infinity_robust")
    assert outcome.status is Status.UNDETERMINED
    assert words in outcome.reason


def test_statistics_without_the_feature() -> None:
    statistics, _ = suggest([fold_text(["1.5"])], ["other"])
    outcomes = judge(Constraints((FRACTION,)), statistics, [fold_text(["1.5"])], ["x"])
    assert "do not have this feature" in only(outcomes, "ks").reason


def test_an_unknown_type_cannot_be_checked() -> None:
    outcome = only(judged(None, ["1"], Feature("x", InferredType.UNKNOWN)), "data_type")
    assert outcome.status is Status.UNDETERMINED


@pytest.mark.parametrize("current", [[], ["", None]])
def test_nothing_present_is_undetermined(current: list[str | None]) -> None:
    feature = Feature("x", InferredType.INTEGRAL, domains=("1",))
    outcomes = judged(["1"], current, feature)[2:]
    assert {o.status for o in outcomes} == {Status.UNDETERMINED}
    assert all(o.measurement.value is None for o in outcomes)


def test_no_rows_have_no_completeness() -> None:
    feature = Feature("x", InferredType.INTEGRAL, completeness=1.0)
    assert only(judged(None, [], feature), "completeness").status is Status.UNDETERMINED
    assert only(judged(None, [""], feature), "completeness").status is Status.VIOLATED


def test_thresholds_of_the_feature_come_first() -> None:
    current = ["1"] * 8 + ["2.5"] * 2
    strict = Feature("x", InferredType.INTEGRAL)
    lenient = dataclasses.replace(strict, thresholds={"datatype_check_threshold": 0.8})
    assert only(judged(None, current, strict), "data_type").status is Status.VIOLATED
    assert only(judged(None, current, lenient), "data_type").status is Status.PASSED
    drift = dataclasses.replace(FRACTION, thresholds={"comparison_threshold": 0.5})
    assert only(judged(BASELINE, sample_of_63(), drift), "ks").status is Status.PASSED


def test_switches() -> None:
    off = MonitoringConfig(evaluate_constraints=False)
    assert judged(None, ["x"], FRACTION, off) == []
    assert judged(None, ["x"], dataclasses.replace(FRACTION, evaluate_constraints=False)) == []
    on = dataclasses.replace(FRACTION, evaluate_constraints=True)
    assert only(judged(None, ["x"], on, off), "data_type").status is Status.VIOLATED
    no_drift = MonitoringConfig(perform_comparison=False)
    assert [o.constraint.check for o in judged(BASELINE, sample_of_63(), FRACTION, no_drift)][2:] == [
        "data_type"
    ]
    with_drift = dataclasses.replace(FRACTION, thresholds={"perform_comparison": 1.0})
    assert only(judged(BASELINE, sample_of_63(), with_drift, no_drift), "ks").status is Status.VIOLATED


def test_one_feature_switched_off_leaves_the_others() -> None:
    features = (
        Feature("a", InferredType.STRING, evaluate_constraints=False),
        Feature("b", InferredType.STRING),
    )
    outcomes = judge(Constraints(features), None, [fold_text(["1"]), fold_text(["2"])], ["a", "b"])
    assert {o.constraint.column for o in outcomes if o.is_violation} == {"b"}


def test_settings_of_driftline_do_not_change_the_answer() -> None:
    feature = dataclasses.replace(
        FRACTION, settings={"ks": Settings(enabled=False), "data_type": Settings(bound=0.0)}
    )
    assert judged(BASELINE, sample_of_63(), feature) == judged(BASELINE, sample_of_63(), FRACTION)


def test_columns_are_matched_by_position() -> None:
    features = (Feature("a", InferredType.INTEGRAL), Feature("b", InferredType.STRING))
    columns = [fold_text(["x"]), fold_text(["1"])]
    outcomes = judge(Constraints(features), None, columns, ["b", "a"])
    assert [o.constraint.column for o in outcomes if o.is_violation] == ["a", "b"]
    assert outcomes[2].measurement.note == "paired by position with the current column 'b'"


@pytest.mark.parametrize(
    ("n", "check", "word"), [(1, "missing_column", "missing"), (3, "extra_column", "extra")]
)
def test_another_number_of_columns_hides_all_else(n: int, check: str, word: str) -> None:
    features = (
        Feature("a", InferredType.STRING, 1.0, None, ("x",)),
        Feature("b", InferredType.FRACTIONAL, 1.0),
    )
    columns = [fold_text(["1", ""])] * n
    outcomes = judge(Constraints(features), None, columns, ["c"] * n)
    (violated,) = (o for o in outcomes if o.is_violation)
    assert (violated.constraint.check, violated.constraint.column) == (check, None)
    assert violated.reason == (
        f"There are {word} columns in current dataset. Number of columns in current dataset: {n}, "
        "Number of columns in baseline constraints: 2"
    )
    assert {o.status for o in outcomes[2:]} == {Status.UNDETERMINED}
    assert len(outcomes) == 2 + 4 + 3


def test_negative_numbers_are_no_violation() -> None:
    feature = Feature("x", InferredType.FRACTIONAL, 1.0, True)
    assert not any(o.is_violation for o in judged(["1.5"] * 9, ["-1.5"] * 9, feature))
