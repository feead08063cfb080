"""``driftline card archive``."""

from __future__ import annotations

import click

from driftline.cli.cards import card_document, name_argument, say
from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, print_document, reason_option, workspace_option

__all__ = ["command"]


@click.command(name="archive")
@name_argument
@reason_option
@workspace_option
@as_json
def command(name: str, reason: str, workspace: str | None, json_: bool) -> int:
    """Close a card for good: it can be read, exported and cloned, and no longer changed.

    \b
      driftline card archive churn-card --reason "churn 4 has a card of its own"
    """
    with opened(workspace) as ws:
        card = ws.cards.archive(name, reason=reason)
    if json_:
        print_document(card_document(card))
    else:
        click.echo(say(card))
    return 0
