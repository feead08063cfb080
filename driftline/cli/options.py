"""Options and habits that commands share: how data are read, what is printed, and the progress bar."""

from __future__ import annotations

import os
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "as_json",
    "header_option",
    "lean_memory",
    "one_or_many",
    "progress_bar",
    "reading_options",
    "small_file",
]

_SMALL = 4 << 20

_PATIENCE_SECONDS = 0.7


def reading_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say how data are read."""
    for option in (
        click.option(
            "--threads",
            type=click.IntRange(1, 1024),
            help="Threads to use; the processors at hand by default.",
        ),
        click.option(
            "--preprocessor",
            type=click.Path(dir_okay=False),
            metavar="FILE.py",
            help="Python file with preprocess_handler, run over every record in a confined process.",
        ),
        click.option(
            "--header/--no-header",
            "header",
            default=None,
            help="Whether CSV files begin with column names; told from the first line by default.",
        ),
        click.option(
            "--format",
            "format_",
            metavar="FORMAT",
            help="parquet, csv, jsonl or sagemaker; told from the name by default.",
        ),
    ):
        function = option(function)
    return function


def as_json(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--json``."""
    return click.option(
        "--json", "json_", is_flag=True, help="Print one JSON object instead of text for people."
    )(function)


def header_option(value: bool | None) -> bool | Literal["auto"]:
    """Return what ``--header/--no-header`` means to the reader."""
    return "auto" if value is None else value


def one_or_many(data: tuple[str, ...]) -> str | list[str]:
    """Return a single path as such."""
    return data[0] if len(data) == 1 else list(data)


def small_file(path: str | None) -> bytes | None:
    """Read a configuration; None where there is no path.

    Raises
    ------
    InputError
    """
    if path is None:
        return None
    from driftline.files import read_regular

    return read_regular(path, max_bytes=_SMALL)


def lean_memory() -> None:
    """Let Arrow give back what it no longer needs: its default allocator keeps some 80 MiB of a large file's pages."""
    import pyarrow as pa

    if "ARROW_DEFAULT_MEMORY_POOL" in os.environ:
        return
    try:
        pa.set_memory_pool(pa.jemalloc_memory_pool())
    except NotImplementedError:
        return


@contextmanager
def progress_bar(what: str, *, quiet: bool = False) -> Iterator[Callable[[int, int], None] | None]:
    """Give a callback that draws a progress bar on a terminal, after a moment's patience; None in a pipe.

    The callback may be called from any thread.
    """
    if quiet or not sys.stderr.isatty():
        yield None
        return
    started = time.monotonic()
    bar: list[Any] = []
    lock = threading.Lock()

    def update(done: int, total: int) -> None:
        with lock:
            if not bar:
                if time.monotonic() - started < _PATIENCE_SECONDS or done >= total:
                    return
                bar.extend(_display(what, total))
            bar[0].update(bar[1], completed=done, total=total)

    try:
        yield update
    finally:
        with lock:
            if bar:
                bar[0].stop()


def _display(what: str, total: int) -> tuple[Any, Any]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    display = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    display.start()
    return display, display.add_task(what, total=total)
