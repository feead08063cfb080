from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


def speak(program: str, redirection: str = "", **variables: str) -> subprocess.CompletedProcess[bytes]:
    """Run a program that begins with streams made fit."""
    start = "import os, sys\nfrom driftline.cli.streams import *\nopen_standard_streams()\n"
    return subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {redirection}', "sh", sys.executable, "-W", "error", "-c",
         start + textwrap.dedent(program)],
        env={**os.environ, **variables},
        capture_output=True,
        check=False,
    )  # fmt: skip


def test_json_is_utf8_whatever_the_locale() -> None:
    program = "print('é'); print_json('{\"é\": \"\\ud800\"}'); print('ok')"
    done = speak(program, PYTHONIOENCODING="ascii")
    assert done.stderr == b""
    assert done.stdout == b'\\xe9\n{"\xc3\xa9": "\xed\xa0\x80"}\nok\n'


def test_json_ends_in_one_newline() -> None:
    assert speak("print_json('{}'); print_json('{}\\n')").stdout == b"{}\n{}\n"


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_descriptors_are_occupied(closed: str, tmp_path: Path) -> None:
    target = tmp_path / "file"
    program = f"""
        file = open({str(target)!r}, "w")
        print("number", file.fileno() > 2, file=file)
        try:
            print("out", flush=True)
        except OSError as error:
            print("refused", error.filename, file=file)
            silence()
        print("err", file=sys.stderr, flush=True)
        file.close()
    """
    speak(program, closed)
    lines = target.read_text().splitlines()
    assert lines[0] == "number True"
    assert lines[1:] == (["refused standard output"] if ">&-" in closed.replace("2>&-", "") else [])


def test_a_reader_who_leaves_is_not_missed() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    program = (
        "from driftline.cli.streams import *; open_standard_streams()\n"
        "for _ in range(9): print('x' * 9999)\n"
        "raise SystemExit(7)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], stdout=writer, stderr=subprocess.PIPE, check=False
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (7, b"")


def test_standard_output_is_still_a_terminal_if_it_was() -> None:
    ours, theirs = os.openpty()
    subprocess.run(
        [
            *(sys.executable, "-c"),
            "from driftline.cli.streams import *; open_standard_streams(); import sys; print(sys.stdout.isatty())",
        ],
        stdout=theirs,
        check=True,
    )
    assert os.read(ours, 100).strip() == b"True"
    os.close(ours)
    os.close(theirs)
