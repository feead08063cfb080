"""The same answer wherever it runs: odd environments, odd file names, and company."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CHECK = ("check", "drift.parquet", "--baseline", "baseline")


def report_id(text: str | bytes) -> str:
    found = json.loads(text)["id"]
    assert isinstance(found, str)
    return found


@pytest.fixture
def expected(example: Path) -> str:
    """What the report is called that every run must give."""
    done = subprocess.run(
        [sys.executable, "-m", "driftline", *CHECK, "--json"], cwd=example, capture_output=True, check=False
    )
    assert done.returncode == 1
    return report_id(done.stdout)


@pytest.mark.parametrize(
    "variables",
    [
        {"HOME": None, "XDG_CACHE_HOME": None},
        {"HOME": "/nonexistent", "XDG_CACHE_HOME": "/nonexistent"},
        {"LANG": "C", "LC_ALL": "C"},
        {"LANG": "C", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1:strict"},
        {"TZ": "Asia/Kathmandu"},
        {"TZ": "Mars/Olympus"},
        {"PYTHONHASHSEED": "0"},
        {"PYTHONHASHSEED": "1"},
        {"PYTHONHASHSEED": "4294967295"},
        {"TERM": "dumb", "COLUMNS": "1"},
        {"TERM": None, "COLUMNS": "many", "LINES": "-1"},
        {"FORCE_COLOR": "1"},
        {"NO_COLOR": "1"},
        {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"},
        {"DRIFTLINE_ENGINE": "numpy", "DRIFTLINE_THREADS": "1"},
        {"DRIFTLINE_THREADS": "7"},
    ],
    ids=lambda v: " ".join(f"{k}={x}" for k, x in v.items()),
)
def test_same_report(run: Callable[..., Any], expected: str, variables: dict[str, str | None]) -> None:
    for_machines = run(*CHECK, "--json", env=variables)
    for_people = run(*CHECK, env=variables)
    assert (for_machines.code, for_machines.err) == (1, "")
    assert report_id(for_machines.out) == expected
    assert (for_people.code, for_people.err) == (1, "")
    assert "2of15" in "".join(for_people.out.split())


@pytest.mark.parametrize("flags", [("-O",), ("-OO",), ("-I",), ("-B",), ("-X", "dev"), ("-X", "utf8=0")])
def test_same_report_of_any_python(run: Callable[..., Any], expected: str, flags: tuple[str, ...]) -> None:
    done = run(*CHECK, "--json", python=("-W", "error", *flags))
    assert (done.code, done.err) == (1, "")
    assert report_id(done.out) == expected


def test_optimised_python_still_refuses(run: Callable[..., Any]) -> None:
    """No check of what comes from outside hangs on an ``assert``."""
    done = run("check", "drift.parquet", "--baseline", "missing", python=("-OO",))
    assert (done.code, done.out) == (2, "")


def test_unknown_number_of_threads(run: Callable[..., Any]) -> None:
    done = run(*CHECK, env={"DRIFTLINE_THREADS": "many"})
    assert (done.code, done.out) == (2, "")
    assert done.err == "driftline: E-THREADS: DRIFTLINE_THREADS must be a whole number, found 'many'\n"


def test_a_folder_that_cannot_be_written(run: Callable[..., Any], example: Path, expected: str) -> None:
    """Checking writes nothing where nothing is asked for: not even a cache."""
    before = {p: p.stat().st_mtime_ns for p in example.rglob("*")}
    done = run(*CHECK, "--json", cwd=example)
    assert report_id(done.out) == expected
    assert {p: p.stat().st_mtime_ns for p in example.rglob("*")} == before
    for command in (("demo", "-o", "/proc/1/driftline"), (*CHECK, "-o", "/proc/1/driftline")):
        done = run(*command)
        assert done.code == 2
        assert done.err.startswith("driftline: E-WRITE: /proc/1/driftline")
        assert done.err.count("\n") == 1


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_what_is_written_is_the_owners_alone(run: Callable[..., Any], world: Path, umask: int) -> None:
    demo = [("demo", "-o", "e/demo")] if umask == 0 else []
    for command in (
        ("baseline", "train.parquet", "-o", "a/b/baseline"),
        ("check", "drift.parquet", "-b", "a/b/baseline", "-o", "c/report"),
        ("show", "c/report", "--html", "d/page.html"),
        *demo,
    ):
        done = run(*command, umask=umask)
        assert done.err == ""
    for top in "acde" if demo else "acd":
        for entry in (world / top, *(world / top).rglob("*")):
            mode = stat.S_IMODE(entry.stat().st_mode)
            assert mode == (0o700 if entry.is_dir() else 0o600), entry


NAMES = [
    "-rf",
    "--help",
    "$(touch canary)",
    "`touch canary`",
    "; touch canary",
    "a\nb",
    "a\x1b[31mred",
    "\u202egnp.eliforp",
    "with space",
    "quote'\"",
    "percent%s{}",
    "[bold]markup[red]",
    "ünïcode",
    "*",
    "<script>alert(1)</script>".replace("/", "\u2215"),
]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_file_names_of_all_kinds(run: Callable[..., Any], world: Path, expected: str, name: str) -> None:
    """They are names and nothing else: not options, not commands, not markup, not a way to move the cursor."""
    for source, folder in (("drift.parquet", name), ("baseline", name + "-baseline")):
        target = world / folder
        (shutil.copytree if (world / source).is_dir() else shutil.copyfile)(world / source, target)
    arguments = ["check", f"--baseline={name}-baseline", f"--output={name}-report", "--", name]
    done = run(*arguments)
    assert (done.code, done.err) == (1, "")
    assert done.out.isascii() or name.isascii() or "\u202e" not in done.out
    for line in done.out.split("\n"):
        assert line.isprintable(), line
    document = json.loads(
        (world / f"{name}-report" / "report.json").read_bytes().decode("utf-8", "surrogatepass")
    )
    assert document["status"] == "violated"
    assert document["current"]["label"]
    shown = run("show", "--", f"{name}-report")
    assert (shown.code, shown.err) == (0, "")
    assert all(line.isprintable() for line in shown.out.split("\n"))
    assert not (world / "canary").exists()
    missing = run("check", "--baseline=baseline", "--", name + "-missing")
    assert (missing.code, missing.out) == (2, "")
    assert missing.err.count("\n") == 1
    assert missing.err.removesuffix("\n").isprintable()


def test_a_file_name_that_is_no_text(run: Callable[..., Any], world: Path) -> None:
    """Arrow opens files by names in UTF-8 only; the refusal names the file in a way that can be printed."""
    shutil.copyfile(world / "drift.parquet", world / "x\udcff")
    done = run("check", "-b", "baseline", "--", "x\udcff")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("driftline: E-FILE: x\\udcff: has a name that is not UTF-8")
    assert done.err.count("\n") == 1


def test_two_at_once_on_one_folder(world: Path) -> None:
    """Whoever comes last, the folder holds the report of one run, whole."""
    jobs = [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "driftline",
                "check",
                f"{name}.parquet",
                "-b",
                "baseline",
                "-o",
                "out",
                "-q",
            ],
            cwd=world,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for name in ("clean", "drift") * 4
    ]
    for i, job in enumerate(jobs):
        assert job.communicate(timeout=120) == (b"", b"")
        assert job.returncode == i % 2
    out = world / "out"
    expected = {
        "constraints.json",
        "statistics.json",
        "report.json",
        "report.html",
        "constraint_violations.json",
    }
    assert {p.name for p in out.iterdir()} == expected
    status = json.loads((out / "report.json").read_bytes())["status"]
    violations = json.loads((out / "constraint_violations.json").read_bytes())["violations"]
    n_rows = json.loads((out / "statistics.json").read_bytes())["dataset"]["item_count"]
    assert (status, bool(violations), n_rows) in [("passed", False, 800), ("violated", True, 800)]
    assert (b"clean.parquet" in (out / "report.html").read_bytes()) == (status == "passed")
    assert [p for p in world.iterdir() if p.name.startswith(".")] == []


def test_no_home_and_no_place_for_a_cache(run: Callable[..., Any], expected: str, tmp_path: Path) -> None:
    """Where compiled loops cannot be kept, and are asked for, they are compiled anew."""
    file = tmp_path / "file"
    file.touch()
    done = run(*CHECK, "--json", env={"DRIFTLINE_CACHE_DIR": str(file), "TMPDIR": os.devnull, "HOME": None})
    assert (done.code, done.err) == (1, "")
    assert report_id(done.out) == expected
