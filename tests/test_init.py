"""``import driftline``: a short list of names, each loaded when it is first asked for."""

from __future__ import annotations

import importlib.metadata
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import driftline

HEAVY = ("numpy", "pandas", "pyarrow", "rich", "numba", "llvmlite", "scipy", "duckdb", "polars")


def loaded_by(program: str) -> set[str]:
    """Return the top-level modules that a fresh interpreter has loaded after a program."""
    program += (
        "\nimport sys; sys.stderr.write('\\n'.join(sorted({m.partition('.')[0] for m in sys.modules})))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True
    )
    return set(done.stderr.splitlines())


def command(*arguments: str) -> str:
    return (
        f"import sys; sys.argv = ['driftline', *{list(arguments)!r}]\n"
        "from driftline.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
    )


@pytest.mark.parametrize(
    "program",
    [
        "import driftline",
        "import driftline; driftline.__version__; dir(driftline)",
        "import driftline; driftline.DriftlineError",
        command("--help"),
        command("--version"),
        command("chekc"),
        command("check", "--help"),
        command("demo", "--help"),
        command("completion", "bash"),
    ],
)
def test_start_up_loads_nothing_heavy(program: str) -> None:
    found = loaded_by(program)
    assert "driftline" in found
    assert found & set(HEAVY) == set()


def test_reading_a_report_loads_no_compiler(data: Path) -> None:
    found = loaded_by(command("show", str(data / "reports" / "report-v1.json")))
    assert found & {"numba", "llvmlite", "pandas", "scipy", "duckdb", "polars"} == set()
    assert "rich" in found


def test_small_data_load_no_compiler(tmp_path: Path) -> None:
    def baseline() -> str:
        (made,) = (tmp_path / "baselines" / "churn").iterdir()
        return str(made)

    captured = str(tmp_path / "captures" / "churn")
    # The truth is joined to the captures by DuckDB; scalars of pyarrow, of which the models need some, import pandas.
    for program, by_need in (
        (lambda: command("demo", "-o", str(tmp_path)), {"duckdb", "pandas"}),
        (lambda: command("check", captured, "-b", baseline()), set()),
    ):
        found = loaded_by(program())
        assert "pyarrow" in found
        assert found & {"numba", "llvmlite", "pandas", "duckdb", "polars"} <= by_need


def test_bare_folder_names_are_never_imported() -> None:
    """From the root of a checkout ``import kernels`` works too, and makes a second copy of every class."""
    root = Path(driftline.__file__).parents[1]
    program = (
        f"import sys; sys.path.insert(0, {str(root)!r})\n"
        "import importlib, pkgutil, driftline\n"
        "for found in pkgutil.walk_packages(driftline.__path__, 'driftline.'):\n"
        "    if not found.name.endswith('__main__') and not found.name.endswith('_child'):\n"
        "        importlib.import_module(found.name)\n"
        "assert 'driftline.kernels.native' in sys.modules\n"
    )
    assert loaded_by(program).isdisjoint(
        {"kernels", "monitor", "baselines", "capture", "reports", "registry", "cards"}
    )


def test_all_is_what_there_is() -> None:
    assert sorted(driftline.__all__) == driftline.__all__ == dir(driftline)
    for name in driftline.__all__:
        assert getattr(driftline, name) is not None
    public = {name for name in vars(driftline) if not name.startswith("_")}
    modules = {name for name in public if inspect.ismodule(getattr(driftline, name))}
    assert public - modules <= {*driftline.__all__, "annotations", "importlib", "TYPE_CHECKING", "Any"}


@pytest.mark.parametrize("name", [n for n in driftline.__all__ if n != "__version__"])
def test_everything_public_is_documented(name: str) -> None:
    thing = getattr(driftline, name)
    assert inspect.getdoc(thing)
    if inspect.isfunction(thing):
        signature = inspect.signature(thing)
        assert signature.return_annotation is not inspect.Signature.empty
        for parameter in signature.parameters.values():
            assert parameter.annotation is not inspect.Parameter.empty
            assert parameter.name in (inspect.getdoc(thing) or "")


def test_unknown_attribute() -> None:
    with pytest.raises(AttributeError, match="module 'driftline' has no attribute 'basline'"):
        driftline.basline  # noqa: B018


def test_version_is_the_distributions() -> None:
    assert driftline.__version__ == importlib.metadata.version("driftline")


def test_every_module_lists_what_it_offers() -> None:
    """``__all__`` of each module is sorted, and names things that are there."""
    root = Path(driftline.__file__).parents[1]
    program = (
        "import importlib, pkgutil, driftline\n"
        "for found in pkgutil.walk_packages(driftline.__path__, 'driftline.'):\n"
        "    if found.name.endswith(('__main__', 'preprocessor_child', 'model_child', 'native')):\n"
        "        continue\n"
        "    module = importlib.import_module(found.name)\n"
        "    for name in getattr(module, '__all__', ()):\n"
        "        assert hasattr(module, name), (found.name, name)\n"
        "    assert len(set(getattr(module, '__all__', ()))) == len(getattr(module, '__all__', ()))\n"
        "    if not found.ispkg:\n"
        "        assert hasattr(module, '__all__'), found.name\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
