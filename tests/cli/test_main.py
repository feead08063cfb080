"""The way out: which exit status, what on which stream, and nothing half-written, whatever ends the run."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

CHECK = ("check", "-b", "baseline")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("clean.parquet",), 0),
        (("clean.parquet", "--strict"), 0),
        (("drift.parquet",), 1),
        (("drift.parquet", "--strict"), 1),
        (("drift.parquet", "--exit-zero"), 0),
        (("few.parquet",), 0),
        (("few.parquet", "--strict"), 4),
        (("few.parquet", "--strict", "--exit-zero"), 4),
        (("none.parquet",), 4),
        (("none.parquet", "--exit-zero"), 4),
        (("missing.parquet",), 2),
        (("missing.parquet", "--exit-zero"), 2),
        (("clean.parquet", "--no-such-option"), 2),
        (("clean.parquet", "--threads", "0"), 2),
        (("clean.parquet", "--compat", "azure"), 2),
        ((), 2),
    ],
)
def test_exit_status_of_check(run: Callable[..., Any], arguments: tuple[str, ...], code: int) -> None:
    done = run(*CHECK, *arguments)
    assert done.code == code
    if code == 2:
        assert done.out == ""
        assert re.fullmatch(r"driftline: E-[A-Z-]+: .+\n", done.err)
    else:
        assert done.err == ""
        assert done.out


def test_without_a_command_the_help_stands_on_stderr(run: Callable[..., Any]) -> None:
    done = run()
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("Usage: driftline")


def test_every_command_answers_json(run: Callable[..., Any], any_command: tuple[str, ...]) -> None:
    if any_command[0] == "completion":
        return
    done = run(*any_command, "--json")
    assert done.err == ""
    assert isinstance(json.loads(done.out), dict)


def test_every_command_on_the_entry_point(world: Path, any_command: tuple[str, ...]) -> None:
    """``driftline`` does what ``python -m driftline`` does."""
    if any_command[0] == "demo":  # test_demo.py runs it by its module, test_packaging.py by its name
        return
    program = Path(sys.executable).with_name("driftline")
    ended = []
    for name, start in (("a", [program]), ("b", [sys.executable, "-m", "driftline"])):
        # Some change what they are given.
        place = world.with_name(name)
        shutil.copytree(world, place, symlinks=True)
        ended.append(subprocess.run([*start, *any_command], cwd=place, capture_output=True, check=False))
        ended[-1].stdout = ended[-1].stdout.replace(bytes(place), b"place")
    by_name, by_module = ended
    assert by_name.returncode == by_module.returncode
    assert by_name.stderr == by_module.stderr == b""
    # A report's folder is named after its content, with its time; ages grow.
    if any_command[0] != "metrics" and any_command[:2] != ("monitor", "run"):
        assert by_name.stdout == by_module.stdout


def main_with(fault: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run ``check`` with a fault built in."""
    code = f"""
        import sys, driftline.monitor.kinds as job
        def check(*_, **__):
            {fault}
        job.check = check
        from driftline.cli import main
        sys.argv = ["driftline", "check", "clean.parquet", "-b", "baseline", "-o", "out"]
        main()
    """
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(code)],
        cwd=cwd,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("fault", "code", "told"),
    [
        (
            "raise KeyError('x\\ny')",
            3,
            r"driftline: E-INTERNAL: KeyError: .*fault of driftline.*DRIFTLINE_DEBUG=1.*",
        ),
        (
            "from driftline.errors import InternalError; raise InternalError('odd')",
            3,
            "driftline: E-INTERNAL: odd",
        ),
        ("raise MemoryError", 2, "driftline: E-MEMORY: .*"),
        ("raise RecursionError('deep')", 3, "driftline: E-INTERNAL: RecursionError: deep; .*"),
        ("raise OSError(28, 'No space left', 'a\\nb')", 2, r"driftline: E-FILE: a\\nb: No space left"),
        ("raise KeyboardInterrupt", 130, "\ndriftline: interrupted"),
        ("raise OSError(5, 'odd')", 3, "driftline: E-INTERNAL: OSError: .*"),
        ("raise SystemExit(7)", 7, ""),
    ],
)
def test_exit_status_of_faults(world: Path, fault: str, code: int, told: str) -> None:
    done = main_with(fault, world)
    assert (done.returncode, done.stdout) == (code, "")
    assert re.fullmatch(told, done.stderr.removesuffix("\n"))
    assert "Traceback" not in done.stderr


def test_debug_shows_where(world: Path) -> None:
    done = main_with("raise KeyError('x')", world, DRIFTLINE_DEBUG="1")
    assert done.returncode == 1
    assert "raise KeyError" not in done.stdout
    assert "Traceback" in done.stderr


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that takes a while."""
    folder = tmp_path_factory.mktemp("large")
    numbers = pa.array(range(400_000))
    pq.write_table(
        pa.table({f"c{i}": numbers for i in range(60)}), folder / "large.parquet", row_group_size=50_000
    )
    return folder / "large.parquet"


@pytest.mark.parametrize(
    ("number", "code", "told"),
    [
        (signal.SIGINT, 130, "\ndriftline: interrupted\n"),
        (signal.SIGTERM, 143, ""),
        (signal.SIGHUP, 129, ""),
    ],
)
def test_signals_leave_nothing_half_written(
    large: Path, tmp_path: Path, number: signal.Signals, code: int, told: str
) -> None:
    """The signal comes when the first part of the data has been folded."""
    program = textwrap.dedent(
        f"""
        import os, sys, driftline.monitor.job as job
        make = job.make_baseline
        def slow(*args, progress=None, **options):
            def tell(done, total):
                os.kill(os.getpid(), {int(number)})
            return make(*args, progress=tell, **options)
        job.make_baseline = slow
        from driftline.cli import main
        sys.argv = ["driftline", "baseline", {str(large)!r}, "-o", "out", "--threads", "1"]
        main()
        """
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        # Under nohup or in the background of a shell the tests themselves ignore it, and so would what they start.
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),
    )
    assert (done.returncode, done.stdout, done.stderr) == (code, "", told)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["os.fsync", "os.replace", "os.rename"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_while_writing(world: Path, place: str, number: signal.Signals) -> None:
    """However far the writing has come, the folder is whole or not there."""
    program = textwrap.dedent(
        f"""
        import os, sys
        from driftline.cli import main
        real = {place}
        def hurt(*args, **options):
            os.kill(os.getpid(), {int(number)})
            return real(*args, **options)
        {place} = hurt
        sys.argv = ["driftline", "check", "clean.parquet", "-b", "baseline", "-o", "out"]
        main()
        """
    )
    before = sorted(p.name for p in world.iterdir())
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], cwd=world, capture_output=True, text=True, check=False
    )
    written = {p.name for p in (world / "out").iterdir()} if (world / "out").exists() else set()
    assert written in (
        set(),
        {"constraints.json", "statistics.json", "report.json", "report.html", "constraint_violations.json"},
    )
    assert sorted(p.name for p in world.iterdir() if p.name != "out") == before
    if place != "os.replace":
        assert done.returncode == 128 + number
        assert "Traceback" not in done.stderr


def test_a_reader_who_leaves_early_changes_no_verdict(world: Path) -> None:
    """``driftline check … | true`` still finds the violations; so it does for a reader of one line."""
    for columns in ("100", "100000"):
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run(
            [
                sys.executable,
                "-W",
                "error",
                "-m",
                "driftline",
                *CHECK,
                "drift.parquet",
                "-o",
                f"out-{columns}",
            ],
            cwd=world,
            env={**os.environ, "COLUMNS": columns},
            stdout=writer,
            stderr=subprocess.PIPE,
            check=False,
        )
        os.close(writer)
        assert (done.returncode, done.stderr) == (1, b"")
        assert (world / f"out-{columns}" / "report.json").is_file()


def test_early_leaver_of_every_command(world: Path, any_printing: tuple[str, ...]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    # Some cannot be done twice.
    other = world.with_name("other")
    shutil.copytree(world, other, symlinks=True)
    start = [sys.executable, "-W", "error", "-m", "driftline"]
    done = subprocess.run(
        [*start, *any_printing], cwd=world, stdout=writer, stderr=subprocess.PIPE, check=False
    )
    os.close(writer)
    undisturbed = subprocess.run([*start, *any_printing], cwd=other, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (undisturbed.returncode, b"")


@pytest.mark.parametrize("stdout", ["/dev/full", "closed"], ids=["a full disk", "closed"])
def test_output_that_cannot_be_written(world: Path, any_printing: tuple[str, ...], stdout: str) -> None:
    redirection = ">&-" if stdout == "closed" else f">{stdout}"
    done = subprocess.run(
        [
            "/bin/sh",
            "-c",
            f'exec "$@" {redirection}',
            "sh",
            sys.executable,
            "-W",
            "error",
            "-m",
            "driftline",
            *any_printing,
        ],
        cwd=world,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert re.fullmatch(r"driftline: E-WRITE: standard output: [A-Z][a-z ]+\n", done.stderr)


@pytest.mark.parametrize("closed", ["<&-", "2>&-", "<&- 2>&-", "<&- 2>&- >&-"])
def test_closed_streams_do_no_harm(world: Path, closed: str) -> None:
    """Nothing that is printed lands in a file that got the number of a closed stream."""
    done = subprocess.run(
        [
            *("/bin/sh", "-c", f'exec "$@" {closed}', "sh", sys.executable, "-m", "driftline", *CHECK),
            *("drift.parquet", "-o", "out", "--quiet"),
        ],
        cwd=world,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", b"")
    assert json.loads((world / "out" / "report.json").read_bytes())["status"] == "violated"
