from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from driftline.capture.spool import Spool
from driftline.errors import SourceError

if TYPE_CHECKING:
    from pathlib import Path

ARRAYS = [
    pa.array([1, None, 3]),
    pa.array([1.5, float("nan")]),
    pa.array([], pa.string()),
    pa.array(["x", None, "é" * 1000]),
    pa.array([True, None]),
    pa.nulls(5),
    pa.array(range(100_000)),
]


@pytest.mark.parametrize("in_memory", [0, 100, 1 << 30])
def test_arrays_come_back(in_memory: int) -> None:
    spool = Spool(in_memory)
    slots = [spool.put(array) for array in ARRAYS]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(3):
            for array, found in zip(ARRAYS, pool.map(spool.get, slots), strict=True):
                found.validate(full=True)
                assert found.type == array.type
                assert repr(found.to_pylist()) == repr(array.to_pylist())


def test_small_arrays_stay_in_memory() -> None:
    spool = Spool(1000)
    array = pa.array([1, 2, 3])
    assert spool.put(array) is array
    assert isinstance(spool.put(pa.array(range(10_000))), tuple)


def test_nothing_is_left_in_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    spool = Spool(0)
    spool.put(pa.array([1]))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(SourceError, match="temporary file") as caught:
        Spool(0).put(pa.array([1]))
    assert caught.value.code == "E-SPOOL"


def test_a_full_disk_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    full = open("/dev/full", "wb", buffering=0)  # noqa: PTH123, SIM115
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: full)
    with full, pytest.raises(SourceError, match="No space left"):
        Spool(0).put(pa.array([1]))
