"""Metrics of bias against a slow twin, fairlearn, and what their definitions promise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import bias as reference

from driftline.kernels.fairness import UNKNOWN, Coded, FairnessState
from driftline.kernels.fairness_metrics import (
    DESCRIPTIONS,
    POST_TRAINING,
    PRE_TRAINING,
    basics,
    bootstrap,
    denominators,
    metric,
    metrics,
    performance,
    sizes,
    why_undefined,
)

COUNTED = sorted({*PRE_TRAINING, *POST_TRAINING} - {"FT"})
side, bit = st.integers(0, 1), st.integers(0, 1)
groups = st.one_of(st.none(), st.sampled_from(["x", "y", "z"]))
rows_of_facts = st.lists(st.tuples(side, groups, bit, bit), max_size=30)


def table_of(rows: list) -> np.ndarray:
    facet, group, label, prediction = zip(*rows, strict=True) if rows else ((), (), (), ())
    state = FairnessState().update(
        Coded.of(["others" if s == 0 else "group" for s in facet]),
        Coded.of(group),
        np.array(label, np.int8),
        np.array(prediction, np.int8),
    )
    return state.table("group")


def value_of(name: str, table: np.ndarray, *, compat: bool = False) -> float:
    return metric(name, table, compat=compat).item()


@pytest.mark.parametrize("compat", [False, True], ids=["complete", "clarify"])
@pytest.mark.parametrize("name", COUNTED)
@given(rows=rows_of_facts)
def test_counts_give_what_rows_give(name: str, compat: bool, rows: list) -> None:
    value = value_of(name, table_of(rows), compat=compat)
    slow = reference.slow(name, rows, compat=compat)
    if slow is None:
        assert math.isnan(value)
        assert why_undefined(name, table_of(rows), compat=compat)
    else:
        assert value == pytest.approx(slow, rel=1e-12, abs=1e-14)


@given(rows=rows_of_facts)
def test_replicates_are_measured_as_one_table_is(rows: list) -> None:
    table = table_of(rows)
    stack = np.stack([table, table * 2, np.zeros_like(table)])[None]
    for compat in (False, True):
        for name, values in metrics(stack, compat=compat).items():
            assert values.shape == (1, 3)
            assert np.array_equal(values[0, 0], metric(name, table, compat=compat), equal_nan=True)
            assert values[0, 1] == pytest.approx(values[0, 0], nan_ok=True), "every row twice"


ANTISYMMETRIC = ("CI", "DPL", "DPPL", "DCA", "DCR", "RD", "SD", "DAR", "DRR", "AD", "TE")
SYMMETRIC = ("JS", "LP", "TVD", "KS", "GE")


@pytest.mark.parametrize("compat", [False, True])
@given(rows=rows_of_facts)
def test_swapping_the_sides(compat: bool, rows: list) -> None:
    table, swapped = table_of(rows), table_of(rows)[::-1]
    for name in ANTISYMMETRIC:
        assert value_of(name, swapped, compat=compat) == pytest.approx(
            -value_of(name, table, compat=compat), nan_ok=True
        )
    for name in SYMMETRIC:
        assert value_of(name, swapped, compat=compat) == pytest.approx(
            value_of(name, table, compat=compat), nan_ok=True
        )
    impact, other = (value_of("DI", side, compat=False) for side in (table, swapped))
    if impact > 0 and math.isfinite(impact):
        assert other == pytest.approx(1 / impact)
    complete = [(s, g or "x", y, p) for s, g, y, p in rows]
    for name in ("CDDL", "CDDPL"):
        # Both shares of a group value become their complements, where it has both outcomes.
        by_group = {
            g: {row[2 if name == "CDDL" else 3] for row in complete if row[1] == g} for _, g, *_ in complete
        }
        if by_group and all(len(seen) == 2 for seen in by_group.values()):
            left, right = (value_of(name, t) for t in (table_of(complete), table_of(complete)[::-1]))
            assert right == pytest.approx(-left, nan_ok=True)


RANGES = {
    **dict.fromkeys(("CI", "DPL", "DPPL", "RD", "SD", "DAR", "DRR", "AD", "CDDL", "CDDPL"), (-1, 1)),
    "KL": (0, math.inf),
    "JS": (0, math.log(2)),
    "LP": (0, math.sqrt(2)),
    "TVD": (0, 1),
    "KS": (0, 1),
    "DI": (0, math.inf),
    "GE": (0, math.inf),
}


@given(rows=rows_of_facts)
def test_values_are_in_the_ranges_of_the_definitions(rows: list) -> None:
    for name, (low, high) in RANGES.items():
        value = value_of(name, table_of(rows))
        assert math.isnan(value) or low - 1e-12 <= value <= high + 1e-12


@given(rows=rows_of_facts, data=st.data())
def test_order_of_rows_does_not_matter(rows: list, data: st.DataObject) -> None:
    assert (table_of(data.draw(st.permutations(rows))) == table_of(rows)).all()


@given(rows=rows_of_facts, times=st.integers(2, 5))
def test_repeating_every_row_changes_nothing(rows: list, times: int) -> None:
    for name in COUNTED:
        once, often = (value_of(name, table_of(rows * n)) for n in (1, times))
        assert often == pytest.approx(once, nan_ok=True)


def test_two_groups_that_are_alike_are_at_parity() -> None:
    rows = [(side, g, y, p) for side in (0, 1) for g in "xy" for y in (0, 1) for p in (0, 1)]
    values = {name: value_of(name, table_of(rows)) for name in COUNTED}
    assert values.pop("GE") == pytest.approx(0.25)
    assert values.pop("DI") == 1
    assert set(values.values()) == {0.0}


def test_rows_count_where_they_have_what_is_needed() -> None:
    rows = [(0, "x", 1, 1), (1, "x", 0, 1), (0, None, UNKNOWN, 0), (1, "x", 1, UNKNOWN)]
    table = table_of(rows)
    assert sizes(table) == (2, 2)
    assert value_of("CI", table) == 0
    assert value_of("DPL", table) == 1 - 1 / 2
    assert value_of("DPPL", table) == 1 / 2 - 1
    assert value_of("AD", table) == 1
    assert denominators("AD", table) == {"rows of the others": 1, "rows of the group": 1}


@settings(max_examples=8)
@given(rows=rows_of_facts)
def test_rates_agree_with_fairlearn(rows: list) -> None:
    """fairlearn's MetricFrame with scikit-learn's accuracy, recall, specificity and precision, and its selection rate."""
    from fairlearn.metrics import MetricFrame, selection_rate, true_negative_rate, true_positive_rate
    from sklearn.metrics import accuracy_score, precision_score

    sides, _, labels, predictions = zip(*rows, strict=True) if rows else ((), (), (), ())
    if len({*sides}) < 2:
        return
    for name, function, sign in (
        ("DPPL", selection_rate, 1),
        ("RD", true_positive_rate, 1),
        ("SD", true_negative_rate, -1),
        ("AD", accuracy_score, 1),
        ("DAR", lambda y, p: precision_score(y, p, zero_division=np.nan), 1),
    ):
        value = value_of(name, table_of(rows))
        if name in ("RD", "SD") and math.isnan(value):
            continue  # fairlearn gives 0 or warns where a side has no such labels
        by_side = MetricFrame(
            metrics=function, y_true=list(labels), y_pred=list(predictions), sensitive_features=list(sides)
        ).by_group
        assert value == pytest.approx(sign * (by_side[0] - by_side[1]), nan_ok=True)


def test_distances_agree_with_scipy() -> None:
    """scipy.stats.entropy is KL; scipy.spatial.distance.jensenshannon is the root of JS."""
    from scipy.spatial.distance import jensenshannon
    from scipy.stats import entropy

    rows = [(0, None, 1, 0)] * 7 + [(0, None, 0, 0)] * 5 + [(1, None, 1, 0)] * 2 + [(1, None, 0, 0)] * 9
    p, q = [5 / 12, 7 / 12], [9 / 11, 2 / 11]
    for compat in (False, True):
        assert value_of("KL", table_of(rows), compat=compat) == pytest.approx(entropy(p, q))
        assert value_of("JS", table_of(rows), compat=compat) == pytest.approx(jensenshannon(p, q) ** 2)


def test_outcomes_that_one_side_lacks() -> None:
    """Clarify leaves them out; the complete definitions see them."""
    table = table_of([(0, None, 0, 0), (0, None, 0, 0), (0, None, 1, 0), (1, None, 0, 0)])
    assert value_of("KL", table, compat=True) == pytest.approx(2 / 3 * math.log(2 / 3))
    assert value_of("TVD", table, compat=True) == pytest.approx(1 / 6)
    assert value_of("LP", table, compat=True) == pytest.approx(1 / 3)
    assert value_of("KL", table) == math.inf
    assert value_of("TVD", table) == pytest.approx(1 / 3)
    assert value_of("LP", table) == pytest.approx(math.sqrt(2) / 3)


@pytest.mark.parametrize(
    ("name", "rows", "complete", "clarify"),
    [
        (
            "KL",
            [(0, None, 1, 0), (1, None, 0, 0)],
            "no positive labels and the others",
            "No instance of common facet",
        ),
        (
            "CDDL",
            [(0, None, 1, 0), (1, None, 0, 0)],
            "no group variable",
            "Group variable is empty or not provided",
        ),
        ("CDDL", [(0, "x", 0, 0), (1, "x", 0, 0)], "no positive labels", "No positive labels in set"),
        ("CDDPL", [(0, "x", 0, 1), (1, "x", 0, 1)], "no negative predictions", "No negative labels in set"),
        (
            "CI",
            [(0, None, 0, 0)],
            "no rows of the group",
            "CI: facet set is empty. Check that x[facet] has non-zero",
        ),
        (
            "CI",
            [(1, None, 0, 0)],
            "no rows of the others",
            "CI: negated facet set is empty. Check that x[~facet] has",
        ),
        ("DPL", [(1, None, 0, 0)], "no labels of the others", "Negative facet set is empty."),
        ("DPPL", [(0, None, 0, 0)], "no predictions of the group", "Facet set is empty."),
        ("DI", [(1, None, 0, 0)], "no predictions of the others", "Negated facet set is empty"),
        ("DI", [(0, None, 0, 0)], "no predictions of the group", "Facet set is empty"),
        ("AD", [(0, None, 0, 0)], "no rows of the group", "Facet set is empty"),
        ("TE", [(1, None, 0, 1)], "the others", "Negated Facet set is empty"),
        ("DCA", [(0, None, 0, 0)], "positive predictions of the group", "DCO: Facet set is empty"),
        ("DCR", [(1, None, 0, 0)], "negative predictions of the others", "DCO: Negated Facet set is empty"),
        ("DAR", [(0, None, 0, 0)], "positive predictions of the group", "DLR: Facet set is empty"),
        ("DRR", [(0, None, 0, 0)], "negative predictions of the group", "DLR: Facet set is empty"),
        ("RD", [(0, None, 0, 0)], "positive labels of the group", "DLA: Facet set is empty"),
        ("SD", [(1, None, 0, 0)], "negative labels of the others", "DLA: Negated Facet set is empty"),
        (
            "GE",
            [(0, None, 1, 0), (1, None, 1, 0)],
            "every prediction is a false negative",
            "All predicted labels are false",
        ),
    ],
)
def test_what_is_not_defined_says_why(name: str, rows: list, complete: str, clarify: str) -> None:
    table = table_of(rows)
    assert complete in (why_undefined(name, table) or "")
    assert (why_undefined(name, table, compat=True) or "").startswith(clarify)


def test_a_denominator_of_zero_is_explained() -> None:
    table = table_of([(0, None, 1, 0), (0, None, 0, 0), (1, None, 1, 1), (1, None, 0, 0)])
    assert value_of("DI", table) == math.inf
    assert why_undefined("DI", table) == "infinite, because there are no positive predictions of the others"
    assert why_undefined("DI", table, compat=True) is None
    assert why_undefined("TE", table) == (
        "not defined, because there are no false positives of the others and no false positives of the group"
    )
    assert why_undefined("DPL", table) is None
    assert value_of("DI", table, compat=True) == math.inf


def test_rows_without_labels_are_told_apart() -> None:
    table = table_of([(0, None, UNKNOWN, 0), (1, None, UNKNOWN, 1)])
    assert why_undefined("GE", table) == "no row has both a label and a prediction"
    assert "no labels of the others and no labels of the group" in (why_undefined("DPL", table) or "")
    assert why_undefined("DI", table) == "infinite, because there are no positive predictions of the others"


@pytest.mark.parametrize("name", COUNTED)
def test_denominators_are_counted(name: str) -> None:
    rows = [(s, g, y, p) for s in (0, 1) for g in "xy" for y in (0, 1) for p in (0, 1)]
    counts = denominators(name, table_of(rows))
    assert counts
    assert set(counts.values()) <= {2, 4, 8, 16}


def test_names_without_a_formula_are_refused() -> None:
    table = table_of([])
    for name in ("FT", "nope"):
        with pytest.raises(KeyError):
            metric(name, table)
        with pytest.raises(KeyError):
            denominators(name, table)
    assert set(DESCRIPTIONS) == {*PRE_TRAINING, *POST_TRAINING}


def test_bootstrap_has_the_spread_of_a_proportion() -> None:
    rows = [(0, "x", i % 3 == 0, 0) for i in range(600)] + [(1, "x", i % 2 == 0, 0) for i in range(400)]
    table = table_of([(s, g, int(y), p) for s, g, y, p in rows])
    values = bootstrap(table, ["DPL"], n_replicates=4000, seed=3)["DPL"]
    spread = math.sqrt(1 / 3 * 2 / 3 / 600 + 1 / 4 / 400)
    assert values.std() == pytest.approx(spread, rel=0.05)
    assert values.mean() == pytest.approx(value_of("DPL", table), abs=3 * spread / math.sqrt(4000))


def test_bootstrap_depends_on_the_seed_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    table = table_of([(i % 2, "xyz"[i % 3], i % 5 == 0, i % 7 < 3) for i in range(200)])
    first = bootstrap(table, n_replicates=50, seed=1)
    monkeypatch.setattr("driftline.kernels.fairness_metrics._CHUNK", 1)
    again = bootstrap(table, n_replicates=50, seed=1)
    assert set(first) == set(COUNTED)
    for name, values in first.items():
        assert np.array_equal(values, again[name], equal_nan=True)
    assert not np.array_equal(first["DPL"], bootstrap(table, ["DPL"], n_replicates=50, seed=2)["DPL"])
    assert np.isnan(bootstrap(np.zeros_like(table), ["DPL"], n_replicates=3)["DPL"]).all()


def test_performance_is_that_of_all_rows() -> None:
    """TP 2, TN 2, FP 1, FN 0."""
    table = table_of([(0, None, 1, 1), (1, None, 1, 1), (0, None, 0, 0), (1, None, 0, 0), (1, None, 0, 1)])
    values = [4 / 5, 3 / 5, 2 / 5, 1, 2 / 3, 2 / 3, 1, 2 / 3, 3 / 2, 4 / 5]
    assert [float(value) for value in performance(table).values()] == pytest.approx(values)
    assert next(iter(performance(table))) == "Accuracy"
    assert basics(table).confusion == pytest.approx((1 / 3, 1 / 3, 0, 1 / 3))
    assert basics(table).proportion == pytest.approx(3 / 5)
    assert basics(np.zeros_like(table)).label_distribution == (0, 1)
