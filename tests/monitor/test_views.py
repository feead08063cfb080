"""Views: both sides of a column on common bins or bars, every row once."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import LARGEST, floats, rows_of

from driftline.baselines.column import Column, ColumnFold, Limits
from driftline.baselines.describe import feature_statistics
from driftline.monitor.views import MOST_BARS, N_BINS, summary, view, view_of_statistics


def column(
    values: Any, *, kind: pa.DataType | None = None, textual: bool = False, limits: Limits | None = None
) -> Column:
    array = pa.array(values, kind)
    fold = ColumnFold("x", array.type, textual=textual, limits=limits or Limits(), compiled=False)
    fold.add(array, 0)
    return fold.close()


@given(rows_of(floats), rows_of(floats), st.sampled_from([Limits(), Limits(8, 8, 8)]))
def test_every_number_is_drawn_once(left: list[float], right: list[float], limits: Limits) -> None:
    a, b = (column(v, kind=pa.float64(), limits=limits) for v in (left, right))
    shown = view("x", a, b)
    for side, counts in ((left, shown.baseline_counts), (right, shown.current_counts)):
        finite = sum(math.isfinite(v) for v in side)
        assert sum(counts) == pytest.approx(finite, abs=0.1)
        assert all(c >= 0 for c in counts)
    assert len(shown.baseline_counts) == len(shown.current_counts)
    if shown.edges:
        assert len(shown.edges) == N_BINS + 1 == len(shown.baseline_counts) + 1
        assert all(map(math.isfinite, shown.edges))
        assert list(shown.edges) == sorted(set(shown.edges))
    else:
        assert len(shown.labels) == len(shown.baseline_counts) <= MOST_BARS


@pytest.mark.parametrize("value", [0.0, 5e-324, 1e16, LARGEST, -LARGEST])
def test_a_constant_column_has_edges_around_its_value(value: float) -> None:
    many = column(np.full(50, value))
    other = column(np.linspace(-1, 1, 50) if abs(value) < 1 else value * np.linspace(0.5, 1.0, 50))
    for shown in (view("x", many, other), view("x", many, None)):
        assert sum(shown.baseline_counts) == 50
        assert all(map(math.isfinite, shown.edges))


def test_few_values_get_a_bar_each() -> None:
    shown = view("x", column([1, 2, 2]), column([2, 3]))
    assert shown.labels == ("1", "2", "3")
    assert shown.baseline_counts == (1.0, 2.0, 0.0)
    assert shown.current_counts == (0.0, 1.0, 1.0)
    assert shown.edges == ()


def test_bins_cover_the_bulk_and_the_outer_ones_take_the_tails() -> None:
    x = np.append(np.random.default_rng(0).standard_normal(9_990), [1e9] * 10)
    shown = view("x", column(x), column(x[:5_000]))
    assert -4 < shown.edges[0] < -2
    assert 2 < shown.edges[-1] < 4
    assert sum(shown.baseline_counts) == pytest.approx(10_000)


def test_texts_are_bars_with_a_rest() -> None:
    before = column([f"c{i:02d}" for i in range(20)] * 5 + ["c00"] * 40)
    after = column(["c00"] * 3 + ["new"] * 30)
    shown = view("x", before, after)
    assert len(shown.labels) == MOST_BARS + 1
    assert shown.labels[0] == "c00"
    assert shown.labels[-1] == "…"
    assert "new" in shown.labels
    assert sum(shown.baseline_counts) == 140
    assert sum(shown.current_counts) == 33


def test_texts_that_are_nearly_all_without_a_bar_are_not_drawn() -> None:
    many = [f"t{i}" for i in range(900)]
    for sides in ((column(many), None), (column(many), column(many[:500])), (None, column(many))):
        shown = view("x", *sides)
        assert (shown.labels, shown.baseline_counts, shown.current_counts) == ((), (), ())
    shown = view("x", column(many), column(["t0", "t1"] * 50))
    assert sum(shown.baseline_counts) == 900
    assert shown.labels[:2] == ("t0", "t1")


def test_booleans_are_bars() -> None:
    shown = view("x", column([True, False, True]), column([False]))
    assert dict(zip(shown.labels, shown.baseline_counts, strict=True)) == {"true": 2.0, "false": 1.0}
    assert dict(zip(shown.labels, shown.current_counts, strict=True)) == {"true": 0.0, "false": 1.0}


def test_times_are_bins() -> None:
    shown = view(
        "x", column(np.arange(500), kind=pa.timestamp("s")), column(np.arange(9), kind=pa.timestamp("s"))
    )
    assert len(shown.edges) == N_BINS + 1
    assert shown.baseline_summary["min"] == "1970-01-01T00:00:00Z"


def test_one_side_may_be_missing() -> None:
    only = view("x", None, column([1.5] * 3))
    assert (only.kind, only.baseline_counts, only.baseline_summary) == ("number", (0.0,), {})
    gone = view("x", column(["a"]), None)
    assert (gone.labels, gone.baseline_counts, gone.current_counts) == (("a",), (1.0,), (0.0,))


def test_what_is_not_drawn_still_has_its_summary() -> None:
    shown = view("x", column([1.0]), column([2.0]), drawn=False, segment="s=1")
    assert (shown.edges, shown.labels, shown.baseline_counts) == ((), (), ())
    assert shown.baseline_summary["mean"] == 1.0
    assert shown.segment == "s=1"


def test_hostile_labels_are_shown_on_one_line() -> None:
    shown = view("x", column(["a\nb", "\u202eevil", "y" * 500]), None)
    assert all(label.isprintable() and len(label) <= 60 for label in shown.labels)


def test_the_summary_of_numbers() -> None:
    found = summary(column([None, -1.0, 0.0, 4.0, np.inf, np.nan]))
    assert found == {
        "n_rows": 6,
        "n_missing": 2,
        "n_distinct": 3.0,
        "mean": 1.0,
        "std_dev": pytest.approx(np.std([-1, 0, 4])),
        "min": -1.0,
        "q25": -1.0,
        "median": 0.0,
        "q75": 4.0,
        "max": 4.0,
        "n_zero": 1,
        "n_negative": 1,
        "n_infinite": 1,
    }


def test_the_summary_of_texts() -> None:
    found = summary(column(["b", "b", "a", None, "ééé"]))
    assert {
        k: found[k] for k in ("most_frequent", "n_most_frequent", "min_length", "max_length", "n_distinct")
    } == {
        "most_frequent": "b",
        "n_most_frequent": 2,
        "min_length": 1.0,
        "max_length": 3.0,
        "n_distinct": 3.0,
    }
    assert summary(column([[1], None])) == {"n_rows": 2, "n_missing": 1}


def test_views_of_statistics_draw_the_baselines_buckets() -> None:
    before, after = column(np.arange(100.0)), column(np.arange(50.0, 150.0))
    shown = view_of_statistics("x", feature_statistics(before), feature_statistics(after))
    assert len(shown.edges) == 11
    assert shown.baseline_counts == (10.0,) * 10
    assert sum(shown.current_counts) == 100
    assert shown.baseline_summary["mean"] == 49.5
    texts = view_of_statistics(
        "x", feature_statistics(column(["a", "b", "a"])), feature_statistics(column(["c"]))
    )
    assert texts.labels == ("a", "b", "c")
    assert texts.current_counts == (0.0, 0.0, 1.0)
    alone = view_of_statistics("x", None, feature_statistics(after))
    assert alone.baseline_counts == (0.0,) * 10
