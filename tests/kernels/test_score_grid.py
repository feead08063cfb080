"""The grid of scores: in order, without gaps, and as fine as it says."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from reference import ranking as obvious
from strategies import finite

from driftline.kernels.score_grid import (
    N_CELLS,
    OFFSET_BITS,
    cell_bounds,
    cells_and_offsets,
    cells_of,
    mean_in_cells,
)

EVERY = np.arange(N_CELLS)
probabilities = st.one_of(
    st.floats(0, 1),
    st.sampled_from(
        [0.0, 1.0, 0.5, np.nextafter(0.5, 0).item(), np.nextafter(0.5, 1).item(), 2.0**-17, 2.0**-53]
    ),
    st.integers(0, 60).map(lambda k: 1.0 - 2.0**-k),
    st.integers(0, 1074).map(lambda k: 2.0**-k),
)
scores = st.lists(probabilities | finite, min_size=1, max_size=40).map(lambda v: np.array(v, np.float64))


@given(x=scores)
def test_cells_are_in_the_order_of_scores(x: np.ndarray) -> None:
    cells = cells_of(np.sort(x))
    assert (np.diff(cells) >= 0).all()
    assert cells[0] >= 0
    assert cells[-1] < N_CELLS


@given(x=scores)
def test_a_score_lies_in_its_cell(x: np.ndarray) -> None:
    low, high = cell_bounds(cells_of(x))
    assert ((low <= x) & (x <= high)).all()


def test_cells_meet_without_gaps() -> None:
    low, high = cell_bounds(EVERY)
    assert (low[1:] == high[:-1]).all()
    assert (low <= high).all()
    assert low[0] == -np.inf
    assert high[-1] == np.inf


def test_cells_are_as_fine_as_they_say() -> None:
    low, high = cell_bounds(EVERY)
    width = high - low
    fine = (low >= 2.0**-17) & (high <= 1.0 - 2.0**-17)
    assert fine.sum() == 2 * 16 * 2048 + 1
    assert (width[fine] <= np.minimum(high, 1.0 - low)[fine] / 2048).all()
    coarse = (low >= 2.0**-53) & (high <= 1.0 - 2.0**-53)
    assert (width[coarse] <= np.minimum(high, 1.0 - low)[coarse] / 64 * (1 + 1e-9) + 2.0**-53).all()
    outside = (np.abs(low + high) / 2 > 1.0) & np.isfinite(width)
    assert (width[outside] <= np.abs(low + high)[outside] / 2 / 1024).all()


@given(x=st.lists(probabilities, min_size=2, max_size=40))
def test_scores_share_a_cell_when_the_definition_says_so(x: list[float]) -> None:
    cells = cells_of(np.array(x)).tolist()
    named = [obvious.cell(value) for value in x]
    assert [a == b for a in cells for b in cells] == [a == b for a in named for b in named]


@given(x=scores)
def test_the_mean_of_one_row_is_its_score(x: np.ndarray) -> None:
    cells, offsets = cells_and_offsets(x)
    assert ((offsets >= 0) & (offsets < 1 << OFFSET_BITS)).all()
    low, high = cell_bounds(cells)
    mean = mean_in_cells(cells, offsets, np.ones_like(offsets))
    resolved = np.isfinite(high - low) & (high - low < 2.0**-20)
    resolved |= np.isfinite(high - low) & (np.abs(x) >= 2.0**-16)
    assert (np.abs(mean - x)[resolved] <= (high - low)[resolved] * 2.0**-OFFSET_BITS + 2.0**-53).all()
    assert ((mean >= low) & (mean <= high)).all()


def test_the_mean_of_many_rows() -> None:
    x = np.random.default_rng(0).beta(2, 5, 100_000)
    cells, offsets = cells_and_offsets(x)
    sums = np.zeros((N_CELLS, 1), np.int64)
    rows = np.zeros((N_CELLS, 1), np.int64)
    np.add.at(sums[:, 0], cells, offsets)
    np.add.at(rows[:, 0], cells, 1)
    mean = mean_in_cells(EVERY, sums, rows)[:, 0]
    used = rows[:, 0] > 0
    assert np.isnan(mean[~used]).all()
    assert abs((mean[used] * rows[used, 0]).sum() / 100_000 - x.mean()) < 1e-12
