"""``driftline card clone``."""

from __future__ import annotations

import click

from driftline.cli.cards import card_document, named, say, version_argument
from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, print_document, reason_option, workspace_option

__all__ = ["command"]


@click.command(name="clone")
@version_argument
@click.argument("new", metavar="NEW")
@click.option("--model", metavar="NAME", help="The registered model that the new card is about.")
@click.option("--full", is_flag=True, help="All that it says, but what names the model.")
@reason_option
@workspace_option
@as_json
def command(
    name: str, new: str, model: str | None, full: bool, reason: str, workspace: str | None, json_: bool
) -> int:
    """Begin a card with what another one says.

    NEW is the name of the card that is made, a draft. What is said about uses, business, ethics and the objective is
    taken over; what was measured or collected for the old model is not.

    \b
      driftline card clone churn-card@approved churn-eu-card --model churn-eu
    """
    old, which = named(name)
    with opened(workspace) as ws:
        card = ws.cards.clone(old, new, which=which, model=model, full=full, reason=reason)
    if json_:
        print_document(card_document(card))
    else:
        assert card.cloned_from is not None
        click.echo(f"{say(card)}, from {old}, version {card.cloned_from['version']}")
    return 0
