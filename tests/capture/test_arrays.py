from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.capture.arrays import boolean_array, number_array, numpy_array, text_array, to_float64


def _maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.one_of(st.none(), values), max_size=20) | st.lists(values, max_size=20)


def _same(found: pa.Array, expected: pa.Array) -> None:
    found.validate(full=True)
    assert found.type == expected.type
    assert found.null_count == expected.null_count
    assert repr(found.to_pylist()) == repr(expected.to_pylist())


@given(_maybe(st.text(st.characters(codec="utf-8"), max_size=5)))
def test_text_as_pyarrow(values: list[Any]) -> None:
    _same(text_array(values), pa.array(values, pa.string()))


@given(_maybe(st.integers(-(2**63), 2**63 - 1)))
def test_whole_numbers_as_pyarrow(values: list[Any]) -> None:
    array = number_array(values, np.int64)
    _same(array, pa.array(values, pa.int64()))
    _same(to_float64(array), pa.array(values, pa.int64()).cast(pa.float64(), safe=False))
    _same(to_float64(array[1:]), pa.array(values, pa.int64())[1:].cast(pa.float64(), safe=False))


@given(_maybe(st.floats()))
def test_floats_as_pyarrow(values: list[Any]) -> None:
    _same(number_array(values, np.float64), pa.array(values, pa.float64(), from_pandas=False))


@given(_maybe(st.booleans()))
def test_booleans_as_pyarrow(values: list[Any]) -> None:
    _same(boolean_array(values), pa.array(values, pa.bool_()))


@given(
    st.lists(st.floats(width=32), max_size=20),
    st.sampled_from(["i1", "u2", "i8", "f2", "f4", "f8"]),
    st.booleans(),
    st.integers(1, 3),
)
def test_numpy_as_pyarrow(values: list[float], dtype: str, nan_is_null: bool, step: int) -> None:
    with np.errstate(invalid="ignore", over="ignore"):
        array = np.array(values).astype(dtype)[::step]
    kind = pa.from_numpy_dtype(array.dtype)
    _same(numpy_array(array, kind, nan_is_null=nan_is_null), pa.array(array, kind, from_pandas=nan_is_null))


def test_whole_numbers_that_do_not_fit() -> None:
    with pytest.raises(OverflowError):
        number_array([1, 2**63], np.int64)


def test_half_a_surrogate() -> None:
    with pytest.raises(UnicodeEncodeError):
        text_array(["x", "\ud800"])


def test_pandas_is_not_imported() -> None:
    code = (
        "import sys, numpy as np; from driftline.capture import arrays as a;"
        "a.text_array(['x', None]); a.number_array([1], np.int64); a.boolean_array([True]);"
        "print('pandas' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"
