"""The three standard streams, when some are closed, full, left early, or speak no UTF-8."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

__all__ = ["STANDARD_OUTPUT", "open_standard_streams", "print_json", "print_whole", "silence"]

STANDARD_OUTPUT = "standard output"
"""What errors call it; it stands where other errors have a file name."""


def open_standard_streams() -> None:
    """Make the standard streams of this process fit for whatever they were connected to.

    A closed descriptor 1 would be handed to the next file that is opened, and what is printed would land in
    it: now it holds a null device that cannot be written to, so printing there fails as it should. Characters
    that the locale cannot spell are escaped.
    """
    for descriptor, flags in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(descriptor)
        except OSError:
            os.dup2(os.open(os.devnull, flags), descriptor)
    encoding = "utf-8" if sys.stdout is None else sys.stdout.encoding
    raw = _Output(1, "w", closefd=False)
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(raw), encoding=encoding, errors="backslashreplace", line_buffering=raw.isatty()
    )
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115


class _Output(io.FileIO):
    """Standard output that a reader may leave early (``| head``): the run goes on, and its verdict stands."""

    def write(self, data: ReadableBuffer) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            silence()
            return memoryview(data).nbytes
        except OSError as error:
            error.filename = STANDARD_OUTPUT
            raise


def silence() -> None:
    """Send whatever is still to be printed nowhere."""
    descriptor = os.open(os.devnull, os.O_WRONLY)
    os.dup2(descriptor, 1)
    os.close(descriptor)


def print_json(text: str) -> None:
    """Print a JSON document, and nothing else, on standard output: always in UTF-8, whatever the locale."""
    print_whole((text if text.endswith("\n") else text + "\n").encode("utf-8", "surrogatepass"))


def print_whole(data: bytes) -> None:
    """Write a file to standard output, byte by byte."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
