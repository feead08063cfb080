"""``driftline card diff``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from driftline.cli.cards import name_argument, which
from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, print_document, workspace_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from driftline.cards.diff import Change
    from driftline.rooms.cards import Which
    from driftline.workspace import Workspace

__all__ = ["command", "shown_changes"]


@click.command(name="diff")
@name_argument
@click.argument("old", metavar="[OLD]", required=False)
@click.argument("new", metavar="[NEW]", required=False)
@click.option("--text", is_flag=True, help="Of the card as it is read, line by line.")
@workspace_option
@as_json
def command(
    name: str, old: str | None, new: str | None, text: bool, workspace: str | None, json_: bool
) -> int:
    """Show what changed between two versions.

    Without NEW, up to the newest; without OLD, since the one that is approved, or else the one before the newest.

    \b
      driftline card diff churn-card
      driftline card diff churn-card 2 3 --text
    """
    from driftline.cards.diff import diff_document
    from driftline.errors import printable

    with opened(workspace) as ws:
        before, after = _versions(ws, name, old, new)
        changes = ws.cards.differences(name, before, after)
        lines = ws.cards.text_diff(name, before, after).split("\n")[:-1] if text else []
    if json_:
        told = {"card": name, "old": before, "new": after, **diff_document(changes)}
        print_document({**told, "text": lines} if text else told)
    elif text:
        for line in lines or ["they read the same"]:
            click.echo(printable(line, 4000))
    else:
        click.echo(f"{printable(name, 80)}, version {before} → {after}")
        shown_changes(changes)
    return 0


def _versions(ws: Workspace, name: str, old: str | None, new: str | None) -> tuple[int, int]:
    """Return the numbers of the two versions that are meant."""
    after = ws.cards.version(name, "latest" if new is None else which(new)).version
    if old is not None:
        return ws.cards.version(name, which(old)).version, after
    approved = ws.cards.get(name).approved_version
    before: Which = approved if approved is not None and approved < after else max(1, after - 1)
    return ws.cards.version(name, before).version, after


def shown_changes(changes: Sequence[Change], *, most: int = 1000) -> None:
    """Print changes, one a line: the path, what was there and what is."""
    from driftline.cards.diff import worded
    from driftline.reports.wording import plural

    for line in worded(changes[:most]):
        click.echo(f"  {line}")
    if len(changes) > most:
        click.echo(f"  and {plural(len(changes) - most, 'more change')}")
    if not changes:
        click.echo("  nothing changed")
