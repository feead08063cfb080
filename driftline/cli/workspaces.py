"""What the commands about a workspace share: which one is meant, who acts and why, and how tables and times look."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from driftline.cli.streams import print_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from driftline.workspace import Workspace

__all__ = [
    "opened",
    "page_option",
    "print_document",
    "reason_option",
    "short_time",
    "table",
    "workspace_option",
]


def workspace_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--workspace``."""
    return click.option(
        "--workspace",
        "-w",
        metavar="DIR",
        help="Folder or URL of the workspace; DRIFTLINE_WORKSPACE, the current folder or driftline-workspace by default.",
    )(function)


def reason_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--reason``, for the audit log."""
    return click.option("--reason", default="", metavar="TEXT", help="Why, for the audit log.")(function)


def page_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--limit``."""
    return click.option(
        "--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="Most lines."
    )(function)


def opened(workspace: str | None) -> Workspace:
    """Open the workspace that is meant."""
    from driftline.workspace import Workspace

    return Workspace(workspace)


def print_document(document: Any) -> None:
    """Print a document as JSON."""
    print_json(json.dumps(document, indent=2, allow_nan=False))


def short_time(moment: int | None, *, now: int | None = None) -> str:
    """Spell microseconds for people: ``2026-11-23 07:00``, in UTC; nothing for None."""
    if moment is None:
        return ""
    try:
        at = datetime.fromtimestamp(moment / 1e6, UTC)
    except (OverflowError, ValueError, OSError):
        return f"{moment} µs"
    if (
        now is not None
        and 0 <= now - moment < 86_400_000_000
        and at.date() == datetime.fromtimestamp(now / 1e6, UTC).date()
    ):
        return f"{at:%H:%M}"
    return f"{at:%Y-%m-%d %H:%M}"


def table(
    heads: Sequence[str], rows: Iterable[Sequence[str]], *, fold: str | None = None, empty: str = "nothing"
) -> None:
    """Print a table without lines, as wide as it needs to be; on a terminal, one column folds.

    Parameters
    ----------
    heads : sequence of str
    rows : iterable of sequence of str
    fold : str, optional
        The head of the column that is broken where the terminal is too narrow.
    empty : str
        What is said where there are no rows.
    """
    from driftline.errors import printable

    cells = [[printable(cell, 300) for cell in row] for row in rows]
    if not cells:
        click.echo(empty)
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(file=sys.stdout, highlight=False)
    if not console.is_terminal:
        console.width = 10_000
    made = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for head in heads:
        made.add_column(head, overflow="fold", no_wrap=head != fold)
    for row in cells:
        made.add_row(*(Text(cell) for cell in row))
    # Without a terminal nobody wants the spaces that fill the last column.
    with console.capture() as capture:
        console.print(made)
    for line in capture.get().splitlines():
        click.echo(line.rstrip())
