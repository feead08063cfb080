"""``driftline card delete``."""

from __future__ import annotations

import click

from driftline.cli.cards import asked, name_argument
from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, print_document, reason_option, workspace_option

__all__ = ["command"]


@click.command(name="delete")
@name_argument
@click.option("--yes", "-y", is_flag=True, help="Do it without asking.")
@click.option("--force", is_flag=True, help="Even if it was approved once.")
@reason_option
@workspace_option
@as_json
def command(name: str, yes: bool, force: bool, reason: str, workspace: str | None, json_: bool) -> int:
    """Remove all that a card says; its chain of hashes stays.

    All of its versions go, its evidence and its exports. A card that was ever approved is kept unless --force is said:
    the EU asks for the papers of a high-risk system for ten years.

    \b
      driftline card delete churn-card --reason "made by mistake"
    """
    from driftline.errors import printable
    from driftline.reports.wording import plural

    with opened(workspace) as ws:
        card = ws.cards.get(name)
        what = f"delete {printable(name, 80)}, {plural(card.version, 'version')}"
        if not yes and not asked(f"{what.capitalize()}?", what=what, fix="say --yes to do it", json_=json_):
            click.echo("nothing was changed")
            return 0
        ws.cards.delete(name, force=force, reason=reason)
    if json_:
        print_document({"name": card.name, "deleted": True, "versions": card.version, "head": card.head})
    else:
        click.echo(f"{card.name} is deleted")
    return 0
