"""Numbers: when the distinct values are kept apart, and that their count is right."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from strategies import finite, integers, rows_of

from driftline.kernels.distribution import Distribution
from driftline.kernels.numbers import LOSSLESS, Numbers
from driftline.kernels.state import Packed


@given(rows_of(finite))
def test_few_doubles_need_no_sample(values: list[float]) -> None:
    found = Numbers().update(np.array(values, np.float64))
    assert found.sample is None
    assert found.n_distinct == len(set(values))
    assert found.distinct.n_distinct == len(set(values))
    assert found.n == len(values)


@given(rows_of(integers))
def test_integers_that_no_double_holds_stay_apart(values: list[int]) -> None:
    found = Numbers().update(np.array(values, np.int64))
    assert found.n_distinct == len(set(values))
    assert (found.sample is not None) == any(abs(v) > LOSSLESS for v in values)


@given(rows_of(finite))
def test_collapsed_cells_do_not_blur_the_count(values: list[float]) -> None:
    found = Numbers(distribution=Distribution(capacity=2)).update(np.array(values, np.float64))
    assert found.n_distinct == len(set(values))
    assert found.finalize()["n_distinct"] == (len(set(values)) if values else None)


def test_parts_that_count_different_rows_are_refused() -> None:
    packed = Numbers().update(np.arange(3.0)).pack()
    with pytest.raises(ValueError, match="different numbers"):
        Numbers.unpack(Packed({**packed.scalars, "moments.n": 4}, packed.arrays))
