"""``driftline card reject``."""

from __future__ import annotations

import click

from driftline.cli.cards import card_document, name_argument, say
from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, print_document, workspace_option

__all__ = ["command"]


@click.command(name="reject")
@name_argument
@click.option("--reason", required=True, metavar="TEXT", help="What must be done first.")
@workspace_option
@as_json
def command(name: str, reason: str, workspace: str | None, json_: bool) -> int:
    """Give a card back to those who write it; its newest version is a draft again.

    \b
      driftline card reject churn-card --reason "says nothing about customers under 25"
    """
    with opened(workspace) as ws:
        card = ws.cards.reject(name, reason=reason)
    if json_:
        print_document(card_document(card))
    else:
        click.echo(say(card))
    return 0
