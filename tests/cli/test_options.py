from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import textwrap
import threading
from typing import TYPE_CHECKING, Any

import pytest

from driftline.cli.options import header_option, one_or_many, progress_bar

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SLOW = textwrap.dedent(
    """
    import sys, driftline.cli.options as options, driftline.monitor.job as job
    options._PATIENCE_SECONDS = 0.0
    from driftline.cli import main
    sys.argv = ["driftline", "baseline", "train.parquet", "-o", "out", *sys.argv[1:]]
    main()
    """
)


def on_terminal(world: Path, *arguments: str) -> tuple[int, bytes]:
    """Run with standard error on a terminal; return the exit status and what the terminal received."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW, *arguments],
        cwd=world,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
    )
    os.close(theirs)
    received = b""
    while True:
        assert select.select([ours], [], [], 60)[0]
        try:
            piece = os.read(ours, 65536)
        except OSError:
            # Linux says EIO when the last writer has closed the terminal.
            break
        received += piece
    os.close(ours)
    return process.wait(60), received


def test_progress_on_a_terminal(world: Path) -> None:
    code, received = on_terminal(world)
    assert code == 0
    assert b"reading" in received
    assert b"%" in received
    assert received.rstrip().endswith((b"\x1b[2K", b"\x1b[?25h")) or b"\x1b[2K" in received


def test_quiet_means_no_progress_either(world: Path) -> None:
    assert on_terminal(world, "--quiet") == (0, b"")


def test_no_progress_in_a_pipe(world: Path) -> None:
    done = subprocess.run([sys.executable, "-c", SLOW], cwd=world, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"\x1b" not in done.stdout


def test_no_bar_for_what_is_over_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with progress_bar("reading") as update:
        assert update is not None
        for done in range(1, 4):
            update(done, 3)
    assert capsys.readouterr() == ("", "")


def test_bar_is_fed_from_many_threads(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only one bar is drawn, and leaving by an error takes it away."""
    drawn: list[Any] = []
    import driftline.cli.options as options

    real = options._display
    monkeypatch.setattr(options, "_PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)

    def display(what: str, total: int) -> tuple[Any, Any]:
        made = real(what, total)
        drawn.append(made[0])
        return made

    monkeypatch.setattr(options, "_display", display)

    def stumble() -> None:
        with progress_bar("reading") as update:
            assert update is not None
            threads = [threading.Thread(target=update, args=(i, 100)) for i in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stumble()
    assert len(drawn) == 1
    assert not drawn[0].live.is_started
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("value", "meaning"), [(None, "auto"), (True, True), (False, False)])
def test_header_option(value: bool | None, meaning: bool | str) -> None:
    assert header_option(value) == meaning


def test_one_or_many() -> None:
    assert one_or_many(("a",)) == "a"
    assert one_or_many(("a", "b")) == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "flags", "names"),
    [("1,2\n3,4\n", ["--no-header"], ["_c0", "_c1"]), ("1,2\n3,4\n", ["--header"], ["1", "2"])],
)
def test_header_reaches_the_reader(
    run: Callable[..., Any], world: Path, text: str, flags: list[str], names: list[str]
) -> None:
    (world / "plain.csv").write_text(text)
    assert run("baseline", "plain.csv", "-o", "out", *flags).code == 0
    shown = run("show", "out").out
    assert [line.split()[0] for line in shown.splitlines()[2:4]] == names


def test_format_reaches_the_reader(run: Callable[..., Any], world: Path) -> None:
    (world / "lines.txt").write_text('{"a": 1}\n{"a": 2}\n')
    assert run("baseline", "lines.txt", "-o", "out", "--format", "jsonl").code == 0
    assert "2 rows, 1 column" in run("show", "out").out


def test_many_files(run: Callable[..., Any]) -> None:
    done = run("baseline", "clean.parquet", "drift.parquet", "-o", "out")
    assert (done.code, done.err) == (0, "")
    assert "1,600 rows" in done.out
