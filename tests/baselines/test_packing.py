"""Packing: what goes in comes out, the same bytes each time, and damage is told."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from driftline.baselines.packing import pack, unpack
from driftline.errors import DocumentError
from driftline.kernels.state import Packed

SCALARS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats() | st.text(max_size=5)
ARRAYS = st.sampled_from(["int64", "uint64", "float64", "uint8"]).flatmap(
    lambda dtype: hnp.arrays(dtype, st.integers(0, 5))
)
PACKED = st.builds(
    Packed,
    st.dictionaries(st.text(max_size=4), SCALARS, max_size=3),
    st.dictionaries(st.text("abc", min_size=1, max_size=4), ARRAYS, max_size=3),
)


@given(st.dictionaries(st.text("xyz_", min_size=1, max_size=4), PACKED, max_size=3))
def test_round_trip(parts: dict[str, Packed]) -> None:
    data = pack(parts)
    found = unpack(data)
    assert found.keys() == parts.keys()
    for name, packed in parts.items():
        assert {k: repr(v) for k, v in found[name].scalars.items()} == {
            k: repr(v) for k, v in packed.scalars.items()
        }
        assert found[name].arrays.keys() == packed.arrays.keys()
        for key, array in packed.arrays.items():
            assert found[name].arrays[key].dtype == array.dtype
            assert found[name].arrays[key].tobytes() == array.tobytes()
    assert pack(dict(reversed(list(parts.items())))) == data
    assert pack(found) == data


def test_numbers_that_json_has_not() -> None:
    found = unpack(pack({"a": Packed({"x": math.inf, "y": -math.inf, "z": math.nan})}))["a"].scalars
    assert (found["x"], found["y"]) == (math.inf, -math.inf)
    assert math.isnan(found["z"])


@pytest.mark.parametrize("array", [np.zeros((2, 2)), np.zeros(2, np.float32), np.zeros(2, object)])
def test_other_arrays_are_refused(array: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"a\.x is"):
        pack({"a": Packed({}, {"x": array})})


@pytest.mark.parametrize("how", ["cut", "empty", "text", "flipped"])
def test_damage_is_told(how: str) -> None:
    data = pack({"a": Packed({"n": 1}, {"x": np.arange(100)})})
    at = data.index(b"driftline.states")
    damaged = {
        "cut": data[: len(data) // 2],
        "empty": b"",
        "text": b"no arrow at all",
        "flipped": data[:at] + b"D" + data[at + 1 :],
    }[how]
    with pytest.raises(DocumentError) as refused:
        unpack(damaged, file="states.arrow")
    assert refused.value.code == "E-STATES"
    assert refused.value.fix
