"""The architecture is kept by import-linter and ruff; here we see that they would notice."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAPPED = ("monitor", "baselines", "kernels", "capture", "reports", "registry", "cards")
BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the library to spoil."""
    folder = tmp_path_factory.mktemp("checkout")
    leave_out = shutil.ignore_patterns("__pycache__")
    for package in ("driftline", *MAPPED):
        shutil.copytree(ROOT / package, folder / package, symlinks=True, ignore=leave_out)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BIN / "lint-imports", "--no-cache"], cwd=folder, capture_output=True, text=True, check=False
    )


def test_contracts_are_kept(checkout: Path) -> None:
    done = lint_imports(checkout)
    assert done.returncode == 0, done.stdout
    n_modules = sum(1 for p in ("driftline", *MAPPED) for _ in (ROOT / p).rglob("*.py"))
    assert int(done.stdout.partition("Analyzed ")[2].split()[0]) >= n_modules


DOWN = "Imports go down only, and every module has its layer"
READERS = "Readers never reach a compiler"
NUMBA = "Numba is spoken to in kernels only"
QUIET = "Numbers and documents start no process, open no connection, read no clock"
TOOLS = "The tools of the tests stay in the tests"


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("driftline/errors.py", "import driftline.files", DOWN),
        ("driftline/files.py", "import driftline.documents", DOWN),
        ("driftline/documents.py", "import driftline.capture.source", DOWN),
        ("kernels/moments.py", "import driftline.baselines.column", DOWN),
        ("kernels/moments.py", "import driftline.capture.source", DOWN),
        ("capture/source.py", "import driftline.kernels.moments", DOWN),
        ("baselines/column.py", "import driftline.reports.outcome", DOWN),
        ("reports/outcome.py", "import driftline.monitor.engine", DOWN),
        ("monitor/engine.py", "import driftline.api", DOWN),
        ("monitor/engine.py", "import driftline.cli", DOWN),
        ("driftline/api.py", "import driftline.demo", DOWN),
        ("driftline/leftovers.py", "x = 1", DOWN),
        ("capture/open.py", "def late():\n    import numba", READERS),
        ("reports/html.py", "import driftline.kernels.compiled", READERS),
        ("reports/codec.py", "import driftline.baselines.column", READERS),
        ("baselines/statistics.py", "import driftline.kernels.native", READERS),
        ("baselines/constraint.py", "import driftline.baselines.profile", READERS),
        ("monitor/scan.py", "import numba", NUMBA),
        ("baselines/column.py", "import llvmlite.binding", NUMBA),
        ("kernels/distance.py", "import subprocess", QUIET),
        ("reports/terminal.py", "import time", QUIET),
        ("baselines/profile.py", "import socket", QUIET),
        ("monitor/job.py", "import sklearn.metrics", TOOLS),
        ("driftline/cli/show.py", "import pytest", TOOLS),
    ],
)
def test_a_breach_is_noticed(checkout: Path, file: str, line: str, contract: str) -> None:
    target = checkout / file
    before = target.read_text() if target.exists() else None
    target.write_text((before or "") + f"\n\n{line}\n")
    try:
        done = lint_imports(checkout)
    finally:
        if before is None:
            target.unlink()
        else:
            target.write_text(before)
    assert done.returncode == 1
    assert f"{contract} BROKEN" in done.stdout


@pytest.mark.parametrize(
    ("file", "code", "rule"),
    [
        ("monitor/x.py", "import kernels", "TID251"),
        ("kernels/x.py", "from kernels import state", "TID251"),
        ("tests/x.py", "import reports.outcome", "TID251"),
        ("driftline/x.py", "from capture.open import open_source", "TID251"),
        ("benchmarks/x.py", "from baselines import column", "TID251"),
        ("monitor/x.py", "import monitor.job", "TID251"),
        ("monitor/x.py", "import pickle", "TID251"),
        ("kernels/x.py", "from . import state", "TID252"),
        ("reports/x.py", "print(1)", "T201"),
        ("capture/x.py", "eval('1')", "S307"),
        ("capture/x.py", "import datetime\n\ndatetime.datetime.now()", "DTZ005"),
        ("monitor/x.py", "try:\n    x = 1\nexcept Exception:\n    pass", "BLE001"),
        ("kernels/x.py", "def loud():\n    return 1", "D103"),
        ("driftline/cli/x.py", "import os\n\nos.system('ls')", "S605"),
    ],
)
def test_ruff_refuses(file: str, code: str, rule: str) -> None:
    done = subprocess.run(
        [BIN / "ruff", "check", "--no-cache", "--output-format=concise", "--stdin-filename", file, "-"],
        cwd=ROOT,
        input=f'"""Doc."""\n\n{code}\n',
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert f" {rule} " in done.stdout


def test_ruff_sees_each_file_once() -> None:
    """The links inside ``driftline`` lead to folders that are checked at their own place."""
    done = subprocess.run(
        [BIN / "ruff", "check", "--show-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    files = done.stdout.splitlines()
    assert f"{ROOT}/kernels/native.py" in files
    assert f"{ROOT}/driftline/errors.py" in files
    assert not any(f"{ROOT}/driftline/{m}/" in f for f in files for m in MAPPED)
