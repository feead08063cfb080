"""The compiled loops: kept on disk, trusted only where they may be, and never needed for the answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from driftline.kernels import compiled

if TYPE_CHECKING:
    from pathlib import Path

FOLD = """
import json, sys
import numpy as np
from driftline.kernels.compiled import cache_folder, is_ready, worth_loading
from driftline.kernels.folding import NumberFold, TextFold
from driftline.kernels.texts import Texts

ready = is_ready()
use = worth_loading(10)
fold = NumberFold(64, 64, compiled=use)
x = np.random.default_rng(1).standard_normal(5000)
fold.add(x)
tally, numbers = fold.close()
texts = TextFold(16, compiled=use)
values = Texts.of([b"a", b"bb", b"a"])
texts.add_texts(Texts(values.offsets.astype(np.int32), values.data))
numba = "numba" in sys.modules
print(json.dumps({
    "folder": str(cache_folder()),
    "ready": ready,
    "compiled": use,
    "numba": numba,
    "total": numbers.pack().scalars["moments.total"],
    "cells": numbers.distribution.counts.tolist(),
    "top": [[t.decode(), n] for t, n in texts.close()[1].top(2)],
}))
"""


def _run(**environment: str) -> dict[str, object]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("DRIFTLINE_", "XDG_"))}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FOLD],
        env={**clean, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, object] = json.loads(done.stdout)
    return result


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, object]]:
    """A folder in which the loops have just been compiled, and what that first process said."""
    folder = tmp_path_factory.mktemp("loops") / "cache"
    return folder, _run(DRIFTLINE_CACHE_DIR=str(folder), DRIFTLINE_ENGINE="compiled")


def _objects(folder: Path) -> list[Path]:
    return sorted(folder.glob("loops-*.o"))


def test_first_process_compiles_and_keeps_one_object(first: tuple[Path, dict[str, object]]) -> None:
    folder, said = first
    assert said["compiled"]
    assert not said["ready"]
    assert said["numba"]
    assert len(list(folder.iterdir())) == len(_objects(folder)) == 1
    assert folder.stat().st_mode & 0o077 == 0


def test_next_process_loads_them_without_numba(first: tuple[Path, dict[str, object]]) -> None:
    folder, said = first
    again = _run(DRIFTLINE_CACHE_DIR=str(folder), DRIFTLINE_ENGINE="compiled")
    assert again["ready"]
    assert not again["numba"]
    assert {k: again[k] for k in ("total", "cells", "top")} == {k: said[k] for k in ("total", "cells", "top")}


def test_numpy_engine_gives_the_same_and_loads_nothing(first: tuple[Path, dict[str, object]]) -> None:
    folder, said = first
    plain = _run(DRIFTLINE_CACHE_DIR=str(folder), DRIFTLINE_ENGINE="numpy")
    assert not plain["compiled"]
    assert not plain["numba"]
    assert {k: plain[k] for k in ("total", "cells", "top")} == {k: said[k] for k in ("total", "cells", "top")}


def _damaged(data: bytes) -> dict[str, bytes]:
    at = len(data) // 2
    return {
        "flipped": data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :],
        "cut": data[:at],
        "empty": b"",
        "longer": data + b"x",
    }


@pytest.mark.parametrize("damage", ["flipped", "cut", "empty", "longer"])
def test_a_damaged_object_is_made_anew(
    first: tuple[Path, dict[str, object]], damage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (whole,) = _objects(first[0])
    data = whole.read_bytes()
    kept = tmp_path / whole.name
    kept.write_bytes(_damaged(data)[damage])
    assert compiled._read(kept) is None
    monkeypatch.setenv("DRIFTLINE_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(compiled, "_loaded", {})
    monkeypatch.setattr(compiled, "_compile", lambda: data[:-32])
    assert compiled.kernel("fold_doubles") is not None
    assert kept.read_bytes() == data


def test_a_home_that_cannot_be_written_is_no_obstacle(
    first: tuple[Path, dict[str, object]], tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.write_text("a file where a folder should be")
    private = tmp_path / f"driftline-{os.getuid()}"
    private.mkdir(mode=0o700)
    (whole,) = _objects(first[0])
    (private / whole.name).write_bytes(whole.read_bytes())
    said = _run(HOME=str(home), TMPDIR=str(tmp_path), DRIFTLINE_ENGINE="compiled")
    assert said["folder"] == str(private)
    assert said["total"] == first[1]["total"]
    assert not said["numba"]


def test_without_any_folder_the_loops_live_as_long_as_the_process(
    first: tuple[Path, dict[str, object]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (whole,) = _objects(first[0])
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("DRIFTLINE_CACHE_DIR", str(blocked))
    monkeypatch.setattr(compiled, "_loaded", {})
    monkeypatch.setattr(compiled, "_compile", lambda: whole.read_bytes()[:-32])
    assert compiled.cache_folder() is None
    assert not compiled.is_ready()
    assert compiled.kernel("fold_texts") is not None
    assert blocked.read_text() == ""


def test_an_object_of_another_user_is_not_read(
    first: tuple[Path, dict[str, object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    (whole,) = _objects(first[0])
    assert compiled._read(whole) is not None
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    assert compiled._read(whole) is None


def test_folders_that_others_can_write_are_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    monkeypatch.setenv("DRIFTLINE_CACHE_DIR", str(shared))
    for mode, trusted in ((0o777, False), (0o775, False), (0o702, False), (0o755, True), (0o700, True)):
        shared.chmod(mode)
        assert (compiled.cache_folder() is not None) is trusted, oct(mode)


def test_a_link_to_a_folder_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = tmp_path / "real"
    real.mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(real)
    monkeypatch.setenv("DRIFTLINE_CACHE_DIR", str(tmp_path / "link"))
    assert compiled.cache_folder() is None


def test_folders_are_tried_in_the_documented_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DRIFTLINE_CACHE_DIR", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert compiled.cache_folder() == tmp_path / "xdg" / "driftline"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative/path")
    assert compiled.cache_folder() == tmp_path / "home" / ".cache" / "driftline"
    monkeypatch.delenv("HOME")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert compiled.cache_folder() == tmp_path / f"driftline-{os.getuid()}"


@pytest.mark.parametrize(
    ("engine", "loaded", "ready", "values", "expected"),
    [
        ("numpy", True, True, None, False),
        ("compiled", False, False, 1, True),
        ("auto", False, False, 10, False),
        ("auto", True, False, 10, True),
        ("auto", False, True, 10, False),
        ("auto", False, True, compiled.WARM_VALUES, True),
        ("auto", False, False, compiled.WARM_VALUES, False),
        ("auto", False, False, compiled.COLD_VALUES, True),
        ("auto", False, False, None, True),
    ],
)
def test_when_the_loops_are_worth_loading(
    engine: str,
    loaded: bool,
    ready: bool,
    values: int | None,
    expected: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DRIFTLINE_ENGINE", engine)
    monkeypatch.setattr(compiled, "_loaded", {"fold_doubles": None} if loaded else {})
    monkeypatch.setattr(compiled, "is_ready", lambda: ready)
    assert compiled.worth_loading(values) is expected
