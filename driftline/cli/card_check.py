"""``driftline card check``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from driftline.cli.cards import named, version_argument
from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, print_document, table, workspace_option

if TYPE_CHECKING:
    from driftline.cards.completeness import Completeness

__all__ = ["command"]


@click.command(name="check")
@version_argument
@click.option(
    "--profile",
    metavar="NAME|FILE.toml",
    default="eu-annex-iv",
    show_default=True,
    help="eu-annex-iv, nist-ai-rmf, or a file of your own.",
)
@click.option("--missing", is_flag=True, help="Only what is not filled.")
@click.option("--strict", is_flag=True, help="Leave with 1 where anything is missing.")
@workspace_option
@as_json
def command(name: str, profile: str, missing: bool, strict: bool, workspace: str | None, json_: bool) -> int:
    """List what a regulation asks for, and what of it is missing.

    Each row is filled, filled in part, missing or not applicable. It says what is written where, by people, records or
    monitors, and what to add. It is no legal advice, and no card complies with anything because of it.

    \b
      driftline card check churn-card
      driftline card check churn-card@approved --profile nist-ai-rmf --missing --strict
    """
    card, which = named(name)
    with opened(workspace) as ws:
        found = ws.cards.check(card, profile, which)
    if json_:
        print_document(found.to_document())
    else:
        _show(found, missing)
    counts = found.counts
    return int(strict and counts["missing"] + counts["partial"] > 0)


def _show(found: Completeness, missing: bool) -> None:
    from driftline.errors import printable

    click.echo(printable(found.title, 300))
    click.echo()
    rows = [row for row in found.table() if not missing or row[2] in ("missing", "partial")]
    table(
        ("row", "what", "state", "to add"),
        ((row[0], row[1], row[2], row[4]) for row in rows),
        fold="to add",
        empty="nothing is missing",
    )
    click.echo()
    for one in found.problems:
        click.echo(f"to be looked at: {printable(one.path, 200)}: {printable(one.what, 600)}")
    click.echo(found.headline)
    click.echo(printable(found.disclaimer, 1000))
