"""The three standard streams, when some are closed, full, or speak no UTF-8."""

from __future__ import annotations

import io
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["listener", "open_standard_streams", "print_json", "quiet_stdout"]


def open_standard_streams() -> None:
    """Give standard streams that were closed a place, and let any character be printed.

    A closed descriptor 1 would be handed to the next file that is opened, and what is printed would land in
    it. Now it holds a null device that cannot be written to, so printing there fails as it should.
    """
    for descriptor, flags in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(descriptor)
        except OSError:
            os.dup2(os.open(os.devnull, flags), descriptor)
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def print_json(text: str) -> None:
    """Print a JSON document, and nothing else, on standard output: always in UTF-8, whatever the locale."""
    data = (text if text.endswith("\n") else text + "\n").encode("utf-8", "surrogatepass")
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


@contextmanager
def listener() -> Iterator[None]:
    """Let the reader of standard output leave early (``| head``): the run goes on, and its verdict stands."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        quiet_stdout()


def quiet_stdout() -> None:
    """Send whatever is still to be printed nowhere, so that leaving does not fail a second time."""
    descriptor = os.open(os.devnull, os.O_WRONLY)
    os.dup2(descriptor, 1)
    os.close(descriptor)
