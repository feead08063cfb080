"""Cells of scores: sums by key against the obvious loop, losses by their definition."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.kernels.score_cells import (
    NEGATIVE,
    POSITIVE,
    UNKNOWN,
    Cells,
    combined,
    deduplicated,
    log_losses,
    mean_loss,
    squared_errors,
)


def cells_of(scores: list[float], rows: list[list[int]]) -> Cells:
    counts = np.zeros((len(scores), 3, 3), np.int64)
    counts[:, :, UNKNOWN] = rows
    x = np.array(scores)
    return Cells(x, x, np.repeat(x[:, None], 3, axis=1), counts)


@given(
    parts=st.lists(
        st.lists(st.tuples(st.integers(0, 6), st.integers(0, 2**60)), max_size=8), min_size=1, max_size=4
    )
)
def test_rows_of_equal_keys_are_added(parts: list[list[tuple[int, int]]]) -> None:
    expected: Counter[int] = Counter()
    for part in parts:
        for key, rows in part:
            expected[key] += rows % 2**55
    keys = [np.array([key for key, _ in part], np.int64) for part in parts]
    columns = [[np.array([[rows % 2**55, 1] for _, rows in part], np.int64).reshape(-1, 2) for part in parts]]
    if not sum(map(len, parts)):
        return
    found, (sums,) = combined(keys, columns)
    assert found.tolist() == sorted(expected)
    assert sums[:, 0].tolist() == [expected[key] for key in sorted(expected)]
    assert sums[:, 1].sum() == sum(map(len, parts))


def test_every_number_once() -> None:
    assert deduplicated(np.array([1.0, 1.0, 2.0, 5.0, 5.0])).tolist() == [1.0, 2.0, 5.0]
    assert deduplicated(np.zeros(0)).tolist() == []


def test_losses_by_their_definition() -> None:
    cells = cells_of([0.0, 0.25, 1.0], [[5, 1, 0], [0, 2, 1], [0, 1, 4]])
    assert cells.positives.tolist() == [0, 1, 4]
    assert cells.negatives.tolist() == [1, 2, 1]
    positive, negative = log_losses(cells)
    assert positive[1] == -math.log(0.25)
    assert negative[1] == -math.log(0.75)
    # A probability of 0 for what was true costs a lot, and not everything: scikit-learn's clipping.
    assert positive[0] == negative[2] == pytest.approx(52 * math.log(2))
    assert positive[2] == pytest.approx(0.0, abs=1e-15)
    right, wrong = squared_errors(cells)
    assert right.tolist() == [1.0, 0.5625, 0.0]
    assert wrong.tolist() == [0.0, 0.0625, 1.0]
    assert mean_loss(cells, right, wrong) == pytest.approx((0.5625 + 2 * 0.0625 + 1.0) / 9)
    assert (UNKNOWN, NEGATIVE, POSITIVE) == (0, 1, 2)
