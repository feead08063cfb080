"""``driftline card edit``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from driftline.cli.cards import card_document, name_argument, pairs, say
from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, print_document, reason_option, workspace_option

if TYPE_CHECKING:
    from driftline.registry.card_types import Card
    from driftline.rooms.card_draft import Draft
    from driftline.workspace import Workspace

__all__ = ["command"]


@click.command(name="edit")
@name_argument
@click.option(
    "--set", "given", multiple=True, metavar="PATH=VALUE", help="Change one field, without an editor."
)
@click.option("--unset", multiple=True, metavar="PATH", help="Take one field away, without an editor.")
@reason_option
@workspace_option
@as_json
def command(
    name: str, given: tuple[str, ...], unset: tuple[str, ...], reason: str, workspace: str | None, json_: bool
) -> int:
    """Change a card, in your editor or field by field; that makes a new version, which is a draft.

    The editor is the one that VISUAL or EDITOR names, and the text is TOML. What breaks a rule is not stored: the editor
    opens again, and every problem stands at the top of the text. A VALUE is a text, or JSON where the field holds no text.

    \b
      driftline card edit churn-card
      driftline card edit churn-card --set intended_uses.risk_rating=High --reason "as the board decided"
      driftline card edit churn-card --set model_overview.model_version=3 --unset business_details
    """
    with opened(workspace) as ws:
        if given or unset:
            card, changed = ws.cards.set_fields(name, pairs(given, "--set"), unset, reason=reason)
        else:
            card, changed = _edited(ws, name, reason)
    if json_:
        print_document({**card_document(card), "changed": changed})
    else:
        click.echo(say(card) if changed else "nothing was changed")
    return 0


def _edited(ws: Workspace, name: str, reason: str) -> tuple[Card, bool]:
    """Let the person's editor change the card as TOML."""
    from driftline.cards.text import write_card
    from driftline.cli.editing import Pad, editor
    from driftline.errors import DriftlineError
    from driftline.registry.card_life import archived
    from driftline.rooms.card_apply import plan_cards
    from driftline.rooms.card_draft import checked
    from driftline.rooms.card_files import document_of, from_file

    command = editor()
    card, version = ws.cards.get(name), ws.cards.version(name)
    if card.status == "Archived":
        raise archived(card.name)
    pad = Pad(write_card(document_of(card, version), "toml").decode("utf-8"), f"{card.name}.toml")

    def read(data: bytes, file: str) -> Draft:
        draft = checked(from_file(data, file, "toml"), file)
        # Whose card it is, and from which version it goes out, is not for the editor.
        return replace(draft, name=card.name, base_version=version.version, base_hash=version.content_hash)

    draft = pad.edit(command, read)
    if draft is None:
        return card, False
    try:
        changed = plan_cards(ws, [("the editor", draft)]).apply(reason)
    except DriftlineError as error:
        raise pad.keeping(error) from None
    pad.remove()
    return ws.cards.get(name), bool(changed)
