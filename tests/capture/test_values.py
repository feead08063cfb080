from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.capture.values import BadValueError, Kinds, as_column, final_type, finished, text_of

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(st.characters(codec="utf-8"), max_size=5),
)


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return (math.isnan(a) and math.isnan(b)) or (a == b and math.copysign(1, a) == math.copysign(1, b))
    return type(a) is type(b) and a == b


def _expected(values: list[Any]) -> tuple[pa.DataType, bool, list[Any]]:
    """Say what a column of values is, slowly."""
    present = [value for value in values if value is not None]
    types = {type(value) for value in present}
    if not types:
        return pa.null(), False, values
    if types == {bool}:
        return pa.bool_(), False, values
    if types == {int} and all(-(2**63) <= value < 2**63 for value in present):
        return pa.int64(), False, values
    if types <= {int, float}:
        return pa.float64(), False, [None if value is None else float(value) for value in values]
    text = [None if value is None else text_of(value) for value in values]
    return pa.string(), types != {str}, text


@given(st.lists(SCALARS, max_size=30), st.integers(1, 30))
def test_the_outcome_does_not_depend_on_blocks(values: list[Any], size: int) -> None:
    blocks = [as_column(values[start : start + size]) for start in range(0, len(values), size)]
    kinds = Kinds.NONE
    for seen, _ in blocks:
        kinds |= seen
    kind, textual = final_type(kinds)
    found = [value for _, array in blocks for value in finished(array, kind).to_pylist()]
    expected_kind, expected_textual, expected = _expected(values)
    assert (kind, textual) == (expected_kind, expected_textual)
    assert len(found) == len(expected)
    assert all(map(_same, found, expected))


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ([np.float64(1.5), None], pa.float64(), [1.5, None]),
        ([np.int32(3), 4], pa.int64(), [3, 4]),
        ([np.bool_(True)], pa.bool_(), [True]),
        ([np.str_("x")], pa.string(), ["x"]),
        ([float("nan"), float("inf")], pa.float64(), [math.nan, math.inf]),
        ([2**63], pa.float64(), [2.0**63]),
        ([1, 1.0, "x", True], pa.string(), ["1", "1.0", "x", "true"]),
        ([2**63, "x"], pa.string(), ["9223372036854775808", "x"]),
        ([1e300, "x"], pa.string(), ["1e+300", "x"]),
    ],
)
def test_examples(values: list[Any], kind: pa.DataType, expected: list[Any]) -> None:
    kinds, array = as_column(values)
    assert final_type(kinds)[0] == kind
    assert all(map(_same, finished(array, kind).to_pylist(), expected))


@pytest.mark.parametrize(
    ("values", "index", "text"),
    [
        ([1, None, object()], 2, "object"),
        ([b"x"], 0, "bytes"),
        ([1j], 0, "complex"),
        (["x", "\ud800"], 1, "surrogate"),
        (["\ud800", 1], 0, "surrogate"),
        ([1.5, 10**400], 1, "larger than a double"),
        ([10**400], 0, "larger than a double"),
        ([np.datetime64("2020-01-01")], 0, "datetime64"),
    ],
)
def test_what_no_column_holds_is_named(values: list[Any], index: int, text: str) -> None:
    with pytest.raises(BadValueError, match=text) as caught:
        as_column(values)
    assert caught.value.index == index
