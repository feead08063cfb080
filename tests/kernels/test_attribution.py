"""Attributions of many rows, beside NumPy on all of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.kernels.attribution import AGGREGATES, LARGEST, AttributionState
from driftline.kernels.state import Packed


def _rows(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, 4)) * [1.0, 0.1, 0.0, 3.0]


@given(n=st.integers(2, 40), seed=st.integers(0, 99))
def test_aggregates_are_those_of_all_rows(n: int, seed: int) -> None:
    rows = _rows(n, seed)
    state = AttributionState(4).update(rows)
    assert state.n == n
    assert state.mean() == pytest.approx(rows.mean(axis=0), rel=1e-12, abs=1e-15)
    assert state.aggregate() == pytest.approx(np.abs(rows).mean(axis=0), rel=1e-14)
    assert state.aggregate("mean_sq") == pytest.approx((rows**2).mean(axis=0), rel=1e-14)
    assert state.aggregate("median") == pytest.approx(np.median(rows, axis=0), rel=1e-15)
    for by, values in (("mean_abs", np.abs(rows)), ("mean_sq", rows**2)):
        expected = values.std(axis=0, ddof=1) / np.sqrt(n)
        assert state.standard_error(by) == pytest.approx(expected, rel=1e-9, abs=1e-300)


def test_standard_error_of_the_median_is_what_it_says() -> None:
    """For a normal distribution it is known: 1.2533 times that of the mean."""
    rng = np.random.default_rng(0)
    said = [
        AttributionState(1).update(rng.normal(size=(400, 1))).standard_error("median")[0] for _ in range(50)
    ]
    assert np.mean(said) == pytest.approx(1.2533 / 20, rel=0.1)


def test_features_are_ordered_by_their_attribution() -> None:
    state = AttributionState(4).update(np.array([[0.1, -0.5, 0.1, 0.0], [0.1, 0.5, -0.1, 0.0]]))
    assert state.order().tolist() == [1, 0, 2, 3]
    assert state.order("median").tolist() == [0, 1, 2, 3]
    assert state.finalize() == {
        **{f"mean_abs.{i}": v for i, v in enumerate([0.1, 0.5, 0.1, 0.0])},
        **{f"mean_sq.{i}": v for i, v in enumerate([0.1**2, 0.25, 0.1**2, 0.0])},
        **{f"median.{i}": v for i, v in enumerate([0.1, 0.0, 0.0, 0.0])},
    }


def test_many_different_values_leave_the_median_close() -> None:
    rows = np.random.default_rng(1).normal(size=(50_000, 1)) + 2.0
    state = AttributionState(1).update(rows[:20_000]).merge(AttributionState(1).update(rows[20_000:]))
    assert not state.distributions[0].is_exact
    assert state.aggregate("median")[0] == pytest.approx(np.median(rows), abs=1e-3)


def test_no_rows_and_one() -> None:
    for by in AGGREGATES:
        assert np.isnan(AttributionState(3).aggregate(by)).all()
        assert np.isnan(AttributionState(3).standard_error(by)).all()
        assert np.isnan(AttributionState(1).update([[2.0]]).standard_error(by)).all()
    assert np.isnan(AttributionState(3).mean()).all()
    assert AttributionState(1).update([[-2.0]]).aggregate()[0] == 2.0


def test_large_and_small_attributions_keep_their_digits() -> None:
    state = AttributionState(1).update(np.array([[1e70], [1e-70], [-1e70]]))
    assert state.mean()[0] == pytest.approx(1e-70 / 3, rel=1e-15)
    assert state.aggregate("mean_sq")[0] == pytest.approx(2e140 / 3, rel=1e-15)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, LARGEST * 2])
def test_attributions_that_are_no_numbers_are_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        AttributionState(2).update(np.array([[0.0, bad]]))


def test_shapes_must_fit() -> None:
    with pytest.raises(ValueError, match=r"shape \(1, 3\), to 2 features"):
        AttributionState(2).update(np.zeros((1, 3)))
    with pytest.raises(ValueError, match="to 0 features"):
        AttributionState(0)


@pytest.mark.parametrize(("name", "value"), [("n", 3), ("n", -1), ("totals", "0"), ("fourths", "0 0 0")])
def test_values_that_no_state_packs_are_refused(name: str, value: object) -> None:
    packed = AttributionState(2).update(np.ones((2, 2))).pack()
    with pytest.raises(ValueError, match="belong together"):
        AttributionState.unpack(Packed({**packed.scalars, name: value}, packed.arrays))
