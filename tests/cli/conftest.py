"""The command line as a user has it: a process of its own, a small world of data, warnings are errors."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import driftline
from driftline.capture import Recorder
from driftline.cli.application import application

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

ARGUMENTS = {
    "capture check": ["store"],
    "capture compact": ["store"],
    "capture erase": ["store", "--event-id", "one"],
    "capture expire": ["store", "--days", "1"],
    "capture import": ["clean.parquet", "--to", "store", "--endpoint", "job"],
    "capture replay": ["store"],
    "capture stats": ["store"],
    "truth import": ["labels.csv", "--to", "store", "--endpoint", "churn"],
    "truth stats": ["store", "--endpoint", "churn"],
    "baseline": ["train.parquet", "-o", "again"],
    "check": ["drift.parquet", "-b", "baseline"],
    "completion": ["bash"],
    "demo": [],
    "diff": ["report-clean", "report-drift"],
    "show": ["report-drift"],
}
"""A good call of every command that ends by itself, in the folder of the small world."""


def table(seed: int, n: int, *, shift: float = 0.0) -> pa.Table:
    rng = np.random.default_rng(seed)
    columns = {
        "amount": rng.normal(10.0 + shift, 2.0, n),
        "count": rng.integers(0, 9, n),
        "kind": rng.choice(["a", "b", "c"], n),
    }
    return pa.table(columns)


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with train, clean, drift, few and none ``.parquet``, a ``baseline`` and two reports; only to read."""
    folder = tmp_path_factory.mktemp("example")
    for name, seed, n, shift in (
        ("train", 1, 1000, 0.0),
        ("clean", 2, 800, 0.0),
        ("drift", 3, 800, 5.0),
        ("few", 4, 3, 0.0),
        ("none", 5, 0, 0.0),
    ):
        pq.write_table(table(seed, n, shift=shift), folder / f"{name}.parquet")
    baseline = driftline.baseline(folder / "train.parquet", label="train")
    baseline.save(folder / "baseline")
    for name in ("clean", "drift"):
        driftline.check(folder / f"{name}.parquet", baseline).save(folder / f"report-{name}")
    with Recorder(folder / "store", "churn", seal_in="thread") as recorder:
        recorder.log({"amount": [1.0, 2.0]}, [0, 1], ["one", "two"], times="2026-11-23T07:00:00Z")
    (folder / "labels.csv").write_text("id,label\none,1\n")
    return folder


@pytest.fixture
def world(example: Path, tmp_path: Path) -> Path:
    """A folder of the test's own, in which everything of the example seems to lie."""
    folder = tmp_path / "world"
    folder.mkdir()
    for entry in example.iterdir():
        if entry.name == "store":
            shutil.copytree(entry, folder / entry.name)
        else:
            (folder / entry.name).symlink_to(entry)
    return folder


@dataclass(frozen=True)
class Ended:
    """How a process ended."""

    code: int
    out: str
    err: str


def command_line(*arguments: str, python: tuple[str, ...] = ("-W", "error")) -> list[str]:
    return [sys.executable, *python, "-m", "driftline", *arguments]


def environment(changes: Mapping[str, str | None] | None = None) -> dict[str, str]:
    """Return the variables that a process needs, whatever the person who runs the tests has set."""
    kept = {"PATH", "HOME", "TMPDIR", "VIRTUAL_ENV", "DRIFTLINE_CACHE_DIR", "XDG_CACHE_HOME"}
    result = {k: v for k, v in os.environ.items() if k in kept} | {"LANG": "C.UTF-8", "COLUMNS": "100"}
    for name, value in (changes or {}).items():
        result.pop(name, None)
        if value is not None:
            result[name] = value
    return result


@pytest.fixture
def run(world: Path) -> Callable[..., Ended]:
    """Run the command line in the small world."""

    def start(
        *arguments: str,
        env: Mapping[str, str | None] | None = None,
        python: tuple[str, ...] = ("-W", "error"),
        cwd: Path = world,
        umask: int = -1,
    ) -> Ended:
        done = subprocess.run(
            command_line(*arguments, python=python),
            cwd=cwd,
            env=environment(env),
            capture_output=True,
            stdin=subprocess.DEVNULL,
            umask=umask,
            timeout=120,
        )
        return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())

    return start


@pytest.fixture(params=sorted(set(application.leaves()) - {"capture sink"}))
def any_command(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """A good call of each command in turn."""
    return (*request.param.split(), *ARGUMENTS[request.param])
