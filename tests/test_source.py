"""What must not stand in the source, wherever somebody writes it."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
FOLDERS = (
    "driftline",
    "monitor",
    "baselines",
    "kernels",
    "capture",
    "reports",
    "registry",
    "cards",
    "benchmarks",
    "docs",
    "tests",
    ".ci",
)
LIBRARY = ("driftline", "monitor", "baselines", "kernels", "capture", "reports", "registry", "cards")
TEXT = {".py", ".md", ".toml", ".txt", ".css", ".html", ".json", ".jsonl", ".csv", ".cfg", ".ini", ".sh", ""}

READS_YAML = "cards/convert/header.py"
"""It looks at what the parser meets, and makes nothing of it but texts, lists and objects."""

RUNS_CODE = {
    "monitor/preprocessor_child.py",  # the user's own preprocessor, in a confined process
    "docs/examples.py",  # the examples of the documentation, as a test
}


def files(*folders: str) -> Iterator[Path]:
    """Yield the files of the tree once each: the links inside ``driftline`` are not followed."""
    for path in sorted(ROOT.iterdir()):
        if not folders and path.is_file():
            yield path
    for folder in folders or FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            inside = path.relative_to(ROOT)
            linked = any((ROOT / p).is_symlink() for p in inside.parents)
            if path.is_file() and not linked and not {"__pycache__", ".hypothesis"} & {*inside.parts}:
                yield path


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def texts() -> dict[str, str]:
    """Return every text file of the tree by name."""
    return {name(p): p.read_bytes().decode("utf-8", "replace") for p in files() if p.suffix in TEXT}


@cache
def trees(*folders: str) -> list[tuple[str, ast.Module]]:
    return [(name(p), ast.parse(texts()[name(p)])) for p in files(*folders) if p.suffix == ".py"]


def found_in_texts(pattern: str, suffix: str = "") -> list[str]:
    """Say where a pattern occurs, by file and line."""
    return [
        f"{file}:{text.count(chr(10), 0, match.start()) + 1}: {match.group()}"
        for file, text in texts().items()
        if file.endswith(suffix)
        for match in re.finditer(pattern, text)
    ]


def test_the_walk_sees_the_tree() -> None:
    seen = {name(p) for p in files()}
    assert {"Makefile", "pyproject.toml", ".ci/run", "driftline/errors.py", "kernels/native.py"} <= seen
    assert "driftline/kernels/native.py" not in seen
    assert name(Path(__file__)) in seen


@pytest.mark.parametrize(
    "pattern",
    [
        # Written in pieces, so that this file passes its own test.
        r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b",
        r"(?i)\bnot " r"implemented\b(?! in the original)",
        "|".join(re.escape(f"{p}/") for p in (ROOT, Path.home()) if len(p.parts) > 1),
        r"(?<![\w.~/])/(?:home|Users|root|work)/\w",
        r"pypi\." r"org|python" r"hosted|extra-index" r"-url|--index" r"-url",
    ],
    ids=["unfinished words", "unfinished", "this machine", "any machine", "registries"],
)  # fmt: skip
def test_words_that_do_not_belong(pattern: str) -> None:
    # Documents of others stand as they were published.
    assert [at for at in found_in_texts(pattern) if not at.startswith("tests/data/cards/convert/")] == []


def test_text_is_utf8_with_plain_line_ends() -> None:
    for path in files(*LIBRARY, "docs", "benchmarks"):
        if path.suffix in {".py", ".md", ".css", ".toml"}:
            data = path.read_bytes()
            data.decode("utf-8")
            assert b"\r" not in data, name(path)
            assert not data or data.endswith(b"\n"), name(path)


def test_nothing_that_is_read_can_run() -> None:
    """No evaluation of text, no unpickling, no shell, no unsafe archive; bandit's list, from the syntax tree."""
    calls = {"eval", "exec", "compile", "__import__", "breakpoint", "input"}
    modules = {
        "pickle",
        "cPickle",
        "dill",
        "joblib",
        "marshal",
        "shelve",
        "yaml",
        "code",
        "pty",
        "telnetlib",
        "ftplib",
    }
    attributes = {
        ("os", "system"),
        ("os", "popen"),
        ("tempfile", "mktemp"),
        ("np", "save"),
        ("subprocess", "getoutput"),
    }
    found = []
    for file, tree in trees(*LIBRARY, "benchmarks", "docs"):
        for node in ast.walk(tree):
            what = None
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in calls:
                what = node.func.id if file not in RUNS_CODE else None
            elif isinstance(node, ast.Call) and any(
                k.arg in {"shell", "allow_pickle"}
                and not (isinstance(k.value, ast.Constant) and k.value.value is False)
                for k in node.keywords
            ):
                what = "shell or allow_pickle"
            elif isinstance(node, (ast.Import, ast.ImportFrom)):
                names = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""]
                allowed = {"yaml"} if file == READS_YAML else set()
                what = next((n for n in names if n.partition(".")[0] in modules - allowed), None)
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                what = node.attr if (node.value.id, node.attr) in attributes else None
            if what:
                found.append(f"{file}:{node.lineno}: {what}")
    assert found == []


def test_the_library_prints_nothing() -> None:
    """Only the command line speaks to standard output; a library call returns its answer."""
    found = []
    for file, tree in trees(*LIBRARY):
        for node in ast.walk(tree):
            if file.startswith("driftline/cli/"):
                continue
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
                found.append(f"{file}:{node.lineno}")
    assert found == []


def test_every_import_of_ours_names_the_package() -> None:
    found = []
    for file, tree in trees():
        for node in ast.walk(tree):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{file}:{node.lineno}"
                names = [node.module or ""]
            found += [
                f"{file}:{node.lineno}: {n}"
                for n in names
                if n.partition(".")[0] in {*LIBRARY} - {"driftline"}
            ]
    assert found == []


def test_no_silent_handlers() -> None:
    """``except Exception`` hides faults unless it raises again or says why it may."""
    found = []
    for file, tree in trees(*LIBRARY):
        text = texts()[file].split("\n")
        for node in ast.walk(tree):
            if not isinstance(node, ast.ExceptHandler):
                continue
            broad = node.type is None or (
                isinstance(node.type, ast.Name) and node.type.id in {"Exception", "BaseException"}
            )
            raises = any(isinstance(n, ast.Raise) for n in ast.walk(node))
            body = "\n".join(text[node.lineno - 2 : (node.end_lineno or node.lineno)])
            if broad and not raises and "#" not in body:
                found.append(f"{file}:{node.lineno}")
    assert found == []


def test_ignored_types_say_what_they_ignore() -> None:
    assert found_in_texts("# type: " + r"ignore(?!\[)", ".py") == []


def test_files_are_small() -> None:
    """One idea each: beyond 600 lines there are two. The compiled loops are one unit of compilation."""
    sizes = {name(p): len(p.read_bytes().split(b"\n")) for p in files(*LIBRARY) if p.suffix == ".py"}
    apart = ("kernels/native.py", "registry/migrations/versions/")  # the latter are written by Alembic
    assert [file for file, n in sizes.items() if n > 600 and not file.startswith(apart)] == []


def test_every_module_is_documented() -> None:
    for file, tree in trees(*LIBRARY):
        assert ast.get_docstring(tree) or (ROOT / file).stat().st_size == 0, file


def test_no_test_is_skipped_and_none_sleeps() -> None:
    """The examination's rigs may sleep: they kill, cut and fill at moments that chance chooses.

    So may the tests of leases: they are on the clock since the machine was started, which nobody can move.
    """
    found = []
    for file, tree in trees("tests"):
        if file.startswith(("tests/exam/", "tests/loop/")) and not Path(file).name.startswith("test_"):
            continue
        if file == "tests/monitor/test_scheduling.py":
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, (ast.Name, ast.Attribute)):
                owner = node.value.id if isinstance(node.value, ast.Name) else node.value.attr
                if (owner, node.attr) in {
                    ("mark", "skip"),
                    ("mark", "skipif"),
                    ("mark", "xfail"),
                    ("pytest", "importorskip"),
                    ("pytest", "skip"),
                    ("pytest", "xfail"),
                    ("time", "sleep"),
                }:
                    found.append(f"{file}:{node.lineno}: {owner}.{node.attr}")
    assert found == []
