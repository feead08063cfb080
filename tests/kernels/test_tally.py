"""Tally: counts by sort, and the first rows of each."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from driftline.kernels.tally import N_PLACES, NOWHERE, Sort, Tally


@given(st.lists(st.sampled_from([int(s) for s in Sort]), max_size=100), st.integers(0, 2**50))
def test_counts_and_first_rows(sorts: list[int], first: int) -> None:
    rows = np.arange(len(sorts)) + first
    tally = Tally().update(np.array(sorts, np.int8), rows)
    for sort in Sort:
        where = [r for r, s in zip(rows.tolist(), sorts, strict=True) if s == sort]
        assert tally[sort] == len(where)
        assert tally.rows_of(sort) == where[:N_PLACES]
    exclusive = [s for s in sorts if s <= Sort.OTHER]
    assert tally.n_rows == len(exclusive)
    assert tally.n_finite == sum(s in (Sort.INTEGRAL, Sort.FRACTIONAL) for s in sorts)


def test_rows_of_several_sorts_come_in_order() -> None:
    tally = Tally().with_counts(Sort.NULL, 2, np.array([7, 9])).with_counts(Sort.NAN, 2, np.array([3, 8]))
    assert tally.rows_of(Sort.NULL, Sort.NAN) == [3, 7, 8, 9]


def test_counts_without_rows_remember_none() -> None:
    tally = Tally().with_counts(Sort.ZERO, 5)
    assert tally[Sort.ZERO] == 5
    assert tally.rows_of(Sort.ZERO) == []
    assert (tally.places == NOWHERE).all()


def test_finalize_names_every_sort() -> None:
    tally = Tally().with_counts(Sort.NULL, 1)
    assert tally.finalize() == {s.name.lower(): float(s is Sort.NULL) for s in Sort}
