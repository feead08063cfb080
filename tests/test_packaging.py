"""What is built is what stands in the tree, and it works where there is no tree."""

from __future__ import annotations

import ast
import os
import re
import runpy
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest
import setuptools
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import driftline

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
MAPPED = ("monitor", "baselines", "kernels", "capture", "reports", "registry", "cards")


def in_tree() -> dict[str, Path]:
    """Return every file of the packages, by the name it must have in the wheel."""
    found = {}
    for folder, prefix in (("driftline", ""), *((m, "driftline/") for m in MAPPED)):
        for path in sorted((ROOT / folder).rglob("*")):
            inside = path.relative_to(ROOT)
            linked = any((ROOT / p).is_symlink() for p in inside.parents)
            if path.is_file() and not linked and "__pycache__" not in inside.parts:
                found[prefix + inside.as_posix()] = path
    return found


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the source distribution, and the wheel that was built from it and from nothing else."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    for path in ROOT.iterdir():
        if path.is_file():
            shutil.copy(path, source)
    for folder in ("driftline", "tests", *MAPPED):
        leave_out = shutil.ignore_patterns("__pycache__", "data")
        shutil.copytree(ROOT / folder, source / folder, symlinks=True, ignore=leave_out)
    shutil.copytree(ROOT / "driftline" / "demo" / "data", source / "driftline" / "demo" / "data")
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", out, source],
        check=True,
        capture_output=True,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    return out


@pytest.fixture(scope="module")
def wheel(built: Path) -> zipfile.ZipFile:
    [path] = built.glob("*.whl")
    return zipfile.ZipFile(path)


def test_wheel_holds_the_tree_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    expected = in_tree()
    found = {n for n in wheel.namelist() if ".dist-info/" not in n}
    assert found == set(expected)
    assert {n for n in found if wheel.read(n) != expected[n].read_bytes()} == set()
    for needed in (
        "driftline/py.typed",
        "driftline/demo/data/README.md",
        "driftline/reports/report.css",
        "driftline/kernels/native.py",
        "driftline/monitor/recipes/__init__.py",
    ):
        assert needed in found


def test_wheel_carries_its_licence(wheel: zipfile.ZipFile) -> None:
    licences = {Path(n).name: wheel.read(n) for n in wheel.namelist() if "/licenses/" in n}
    assert licences == {n: (ROOT / n).read_bytes() for n in ("LICENSE", "NOTICE")}
    metadata = next(wheel.read(n).decode() for n in wheel.namelist() if n.endswith(".dist-info/METADATA"))
    assert "License-Expression: Apache-2.0" in metadata
    assert "Requires-Python: >=3.11" in metadata


def test_source_distribution_is_the_same_project(built: Path) -> None:
    """It holds what a packager needs to build and to test."""
    [archive] = built.glob("*.tar.gz")
    listed = subprocess.run(
        ["tar", "-tzf", archive], capture_output=True, text=True, check=True
    ).stdout.split()
    names = {n.partition("/")[2] for n in listed}
    assert {n.removeprefix("driftline/") if n.split("/")[1] in MAPPED else n for n in in_tree()} <= names
    assert {"LICENSE", "NOTICE", "README.md", "pyproject.toml", "setup.py"} <= names


def test_works_where_there_is_no_tree(built: Path, tmp_path: Path) -> None:
    """Installed from the wheel into a new environment, the demo runs; the libraries are borrowed from here."""
    place = tmp_path / "env"
    venv.create(place, with_pip=False, symlinks=True)
    python = place / "bin" / "python"
    [wheel] = built.glob("*.whl")
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "--python",
            python,
            "install",
            "--quiet",
            "--no-index",
            "--no-deps",
            wheel,
        ],
        check=True,
        capture_output=True,
    )
    [packages] = place.glob("lib/python*/site-packages")
    # A path line makes the libraries importable, but runs no .pth file of theirs: not our own editable install.
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    where = subprocess.run(
        [python, "-c", "import driftline.monitor.job as j; print(j.__file__)"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(where.stdout.strip()) == packages / "driftline" / "monitor" / "job.py"
    done = subprocess.run(
        [place / "bin" / "driftline", "demo"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert driftline.load_report(tmp_path / "driftline-demo" / "report").violations


def test_the_links_are_the_map() -> None:
    """Whatever ``setup.py`` maps has its link, so that tools that read the tree see one package."""
    links = {p.name: str(p.readlink()) for p in (ROOT / "driftline").iterdir() if p.is_symlink()}
    assert links == {m: f"../{m}" for m in MAPPED}
    given: dict[str, object] = {}
    real, setuptools.setup = setuptools.setup, lambda **options: given.update(options)
    here = Path.cwd()
    try:
        os.chdir(ROOT)
        runpy.run_path(str(ROOT / "setup.py"))
    finally:
        setuptools.setup = real
        os.chdir(here)
    assert given["package_dir"] == {"driftline": "driftline", **{f"driftline.{m}": m for m in MAPPED}}
    assert set(given["packages"]) == {
        str(Path(n).parent).replace("/", ".")
        for n in in_tree()
        # Migrations are no modules: Alembic reads them as files.
        if n.endswith(".py") and "migrations" not in n
    }  # type: ignore[call-overload]


def requirements() -> list[Requirement]:
    wanted = [*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["dev"]]
    return [Requirement(text) for text in (*wanted, *PROJECT["build-system"]["requires"])]


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))  # type: ignore[misc]


def test_constraints_are_plain_pins() -> None:
    lines = [x for x in (ROOT / "constraints.txt").read_text().splitlines() if not x.startswith("#")]
    assert lines == sorted(lines, key=str.lower)
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][0-9a-z.]*", line) for line in lines)
    assert len({canonicalize_name(n) for n in pins()}) == len(lines)


@pytest.mark.parametrize("wanted", requirements(), ids=str)
def test_every_requirement_is_pinned_and_has_a_lower_bound(wanted: Requirement) -> None:
    pinned = {canonicalize_name(n): v for n, v in pins().items()}
    assert wanted.specifier.contains(pinned[canonicalize_name(wanted.name)])
    assert any(s.operator == ">=" for s in wanted.specifier)
    assert wanted.specifier.contains(version(wanted.name))


def imported(tree: ast.Module) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
    return found


def test_nothing_is_imported_that_is_not_required() -> None:
    """Every library that the library, a test or a benchmark imports is named in ``pyproject.toml``."""
    distribution = {
        "sklearn": "scikit-learn",
        "llvmlite": "numba",
        "boto3": "moto",
        "botocore": "moto",
        "werkzeug": "moto",
        "pydantic": "fastapi",
        "mlflow": "mlflow-skinny",
        "openlineage": "openlineage-python",
        "xgboost": "xgboost-cpu",
        "yaml": "pyyaml",
        "cfnlint": "cfn-lint",
        "markdown_it": "markdown-it-py",
        "referencing": "jsonschema",
        "spdx_python_model": "spdx-python-model",
    }
    known = {canonicalize_name(r.name) for r in requirements()}
    ours = {"driftline", "benchmarks", "docs", "_typeshed", *(p.stem for p in (ROOT / "tests").iterdir())}
    unknown = {}
    for folder in ("driftline", "tests", "benchmarks", "docs", *MAPPED):
        for path in (ROOT / folder).rglob("*.py"):
            for name in imported(ast.parse(path.read_bytes())) - sys.stdlib_module_names - ours:
                if canonicalize_name(distribution.get(name, name)) not in known:
                    unknown[name] = path.relative_to(ROOT).as_posix()
    assert unknown == {}
