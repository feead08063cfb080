"""Buffers: what Arrow holds, slices and nulls included."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from driftline.monitor.buffers import floats_of, present, whole_of, with_nulls

VALUES = st.lists(st.one_of(st.none(), st.integers(-(2**50), 2**50)), max_size=40)


@given(VALUES, st.integers(0, 20), st.sampled_from([pa.int64(), pa.float64()]))
def test_values_and_validity(values: list[int | None], cut: int, kind: pa.DataType) -> None:
    array = pa.array(values, kind).slice(cut)
    expected = values[cut:]
    assert present(array).tolist() == [v is not None for v in expected]
    floats, there = floats_of(array)
    assert floats.tolist() == [0.0 if v is None else float(v) for v in expected]
    assert there.tolist() == [v is not None for v in expected]
    whole, known = whole_of(array, -7)
    assert whole.tolist() == [-7 if v is None else v for v in expected]
    assert (known is None) == (None not in expected)


def test_nothing_but_nulls() -> None:
    assert present(pa.nulls(3)).tolist() == [False] * 3
    assert floats_of(pa.nulls(2, pa.float64()))[0].tolist() == [0.0, 0.0]
    assert floats_of(pa.array([1, None], pa.uint8()))[0].tolist() == [1.0, 0.0]


def test_nulls_are_put_in() -> None:
    found = with_nulls(pa.array(["a", "b", "c"]), np.array([True, False, True]))
    assert found.to_pylist() == ["a", None, "c"]


def test_pandas_stays_out() -> None:
    code = """
import sys
import pyarrow as pa, pyarrow.parquet as pq
from driftline.monitor.quality.job import check, make_baseline, read_settings
rows = [{"y": str(i % 2), "p": " 0.5" if i % 3 else "0.25", "g": "ab"[i % 2]} for i in range(90)]
pq.write_table(pa.Table.from_pylist(rows), sys.argv[1])
for name in [n for n in sys.modules if n.split(".")[0] == "pandas"]:
    del sys.modules[name]
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name == "pandas":
            raise ImportError("pandas was asked for")
sys.meta_path.insert(0, Refuse())
settings = read_settings({"problem": "binary", "label": "y", "probability": "p", "slices": ["g"]})
check(sys.argv[1], make_baseline(sys.argv[1], settings))
assert "pandas" not in sys.modules
print("ok")
"""
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-c", code, str(Path(folder) / "x.parquet")],
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.stdout == "ok\n", done.stderr
