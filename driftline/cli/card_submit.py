"""``driftline card submit``."""

from __future__ import annotations

import click

from driftline.cli.cards import card_document, name_argument, say
from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, print_document, reason_option, workspace_option

__all__ = ["command"]


@click.command(name="submit")
@name_argument
@reason_option
@workspace_option
@as_json
def command(name: str, reason: str, workspace: str | None, json_: bool) -> int:
    """Ask for the newest version to be reviewed.

    Somebody who wrote none of it can approve it then.

    \b
      driftline card submit churn-card --reason "for the committee of November"
    """
    with opened(workspace) as ws:
        card = ws.cards.submit(name, reason=reason)
    if json_:
        print_document(card_document(card))
    else:
        click.echo(f"{say(card)}, {card.content_hash}")
    return 0
