"""What moved is measured as the definitions have it, and chance is told from change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from driftline.baselines.explanations import matched, read_explanations
from driftline.errors import SchemaError
from driftline.monitor.attribution import measuring
from driftline.monitor.attribution.explaining import aggregated
from driftline.monitor.attribution.measuring import distance, magnitude, measured, ndcg

if TYPE_CHECKING:
    from pathlib import Path

POSITIVE = arrays(np.float64, st.integers(1, 12), elements=st.floats(0, 100, width=32))


def plain_ndcg(baseline: list[float], current: list[float]) -> float:
    """The definition, word for word; features of equal current attribution stand as in the baseline."""
    order = sorted(range(len(baseline)), key=lambda i: -baseline[i])
    now = sorted(order, key=lambda i: -current[i])
    best = sum(baseline[f] / np.log2(i + 2) for i, f in enumerate(order))
    return sum(baseline[f] / np.log2(i + 2) for i, f in enumerate(now)) / best if best else 1.0


@pytest.mark.parametrize(
    ("current", "expected"),
    [([0.05, 0.5, 0.7], 0.6876396241226223), ([0.5, 0.7, 0.05], 0.9290566640617995), ([7.0, 5.0, 0.5], 1.0)],
)
def test_reference_values(current: list[float], expected: float) -> None:
    assert float(ndcg(np.array([0.7, 0.5, 0.05]), np.array(current))) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("adult_ll_baseline_run1", "adult_ll_baseline_run3", 0.9996906074301998),
        ("weather_baseline_a", "weather_baseline_b", 0.999916044524217),
    ],
)
def test_published_runs(data: Path, before: str, after: str, expected: float) -> None:
    files = [
        read_explanations((data / "clarify/shap" / f"{n}_analysis.json").read_bytes())
        for n in (before, after)
    ]
    ((one, other),) = matched(*files)
    now = np.array([other.values[name] for name in one.values])
    assert float(ndcg(np.array(list(one.values.values())), now)) == pytest.approx(expected, abs=1e-9)


@given(POSITIVE, st.randoms(use_true_random=False))
def test_ndcg_is_its_definition(baseline: np.ndarray, random: object) -> None:
    current = list(baseline)
    random.shuffle(current)  # type: ignore[attr-defined]
    found = float(ndcg(baseline, np.array(current)))
    assert found == pytest.approx(plain_ndcg(baseline.tolist(), current))
    assert 0.0 <= found <= 1.0 + 1e-12
    assert float(ndcg(baseline, baseline)) == pytest.approx(1.0)


@given(POSITIVE)
def test_scale_changes_only_magnitude(baseline: np.ndarray) -> None:
    assert float(ndcg(baseline, 3 * baseline)) == pytest.approx(1.0)
    if baseline.sum() > 0:
        assert float(distance(baseline, 3 * baseline)) == pytest.approx(0.0, abs=1e-12)
        assert float(magnitude(baseline, 3 * baseline)) == pytest.approx(3.0)


@given(POSITIVE, st.randoms(use_true_random=False))
def test_distance_is_symmetric_and_bounded(baseline: np.ndarray, random: object) -> None:
    current = baseline.copy()
    random.shuffle(current)  # type: ignore[attr-defined]
    if baseline.sum() > 0:
        found = float(distance(baseline, current))
        assert found == pytest.approx(float(distance(current, baseline)))
        assert 0.0 <= found <= 1.0 + 1e-12


def test_nothing_at_all() -> None:
    zero = np.zeros(3)
    assert float(ndcg(zero, np.ones(3))) == 1.0
    assert np.isnan(float(distance(zero, np.ones(3))))
    assert np.isnan(float(magnitude(zero, np.ones(3))))
    moved = measured(("a", "b", "c"), zero, np.ones(3), None, None, "mean_abs", 0)
    assert (moved.distance, moved.magnitude) == (None, None)


def test_aggregations() -> None:
    values = np.array([[1.0, -2.0], [-3.0, -4.0], [2.0, 6.0]])
    assert aggregated(values, "mean_abs").tolist() == [2.0, 4.0]
    assert aggregated(values, "mean_sq").tolist() == pytest.approx([14 / 3, 56 / 3])
    assert aggregated(values, "median").tolist() == [1.0, -2.0]
    assert np.isnan(aggregated(values[:0], "mean_abs")).all()


def rows(scale: list[float], n: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, len(scale))) * scale


@pytest.mark.parametrize("agg", ["mean_abs", "mean_sq", "median"])
@pytest.mark.parametrize("n", [200, 3000])
def test_intervals_cover_what_is_true(agg: str, n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The standard error of a change is the one that many windows show."""
    monkeypatch.setattr(measuring, "REPLICATES", 400)
    monkeypatch.setattr(measuring, "MEDIANS", 200)
    scale = [3.0, 2.0, 1.0]
    before = rows(scale, n, 0) + (3.0 if agg == "median" else 0.0)
    found, errors = [], []
    for seed in range(1, 41):
        after = rows(scale, n, seed) + (3.0 if agg == "median" else 0.0)
        a, b = aggregated(before, agg), aggregated(after, agg)
        moved = measured(("a", "b", "c"), a, b, before, after, agg, 0)
        found.append([one.value for one in moved.changes])
        errors.append([one.error for one in moved.changes])
    # The spread over windows is that of one side; the error is of both.
    spread = np.std(found, axis=0) * np.sqrt(2.0)
    np.testing.assert_allclose(np.mean(errors, axis=0), spread, rtol=0.45)


def test_the_order_of_rows_does_not_matter() -> None:
    before, after = rows([3, 2, 1], 100, 0), rows([3, 2, 1], 100, 1)
    a, b = aggregated(before, "mean_abs"), aggregated(after, "mean_abs")
    one = measured(("a", "b", "c"), a, b, before, after, "mean_abs", 0)
    other = measured(("a", "b", "c"), a, b, before[::-1], after[::-1], "mean_abs", 0)
    assert one.ndcg is not None
    assert other.ndcg is not None
    assert one.ndcg.interval == other.ndcg.interval
    assert [c.interval for c in one.changes] == [c.interval for c in other.changes]


def test_a_swap_is_sure_and_a_near_tie_is_nothing() -> None:
    before = rows([3.0, 3.0, 0.1], 200, 0)
    a = aggregated(before, "mean_abs")
    swapped = rows([0.1, 3.0, 3.0], 200, 1)
    moved = measured(("a", "b", "c"), a, aggregated(swapped, "mean_abs"), before, swapped, "mean_abs", 0)
    assert moved.ndcg is not None
    assert moved.ndcg.value < 0.9
    assert (moved.ndcg.p_below(0.9) or 1.0) < 1e-3
    tie = rows([3.0, 3.0, 0.1], 200, 2)
    moved = measured(("a", "b", "c"), a, aggregated(tie, "mean_abs"), before, tie, "mean_abs", 0)
    assert moved.ndcg is not None
    assert moved.ndcg.value > 0.95
    assert (moved.ndcg.p_below(0.9) or 0.0) > 0.5


def test_without_rows_there_are_numbers_and_no_intervals() -> None:
    moved = measured(("a", "b"), np.array([2.0, 1.0]), np.array([1.0, 2.0]), None, None, "mean_abs", 0)
    assert moved.ndcg is not None
    assert moved.ndcg.interval is None
    assert moved.ndcg.p_below(0.9) is None
    assert [one.value for one in moved.changes] == [-1 / 3, 1 / 3]


def test_an_order_with_negative_values_is_none() -> None:
    assert measured(("a", "b"), np.array([1.0, -1.0]), np.ones(2), None, None, "median", 0).ndcg is None


def test_other_features() -> None:
    with pytest.raises(SchemaError, match="E-FEATURES"):
        measured(("a", "b"), np.ones(2), np.ones(3), None, None, "mean_abs", 0)
