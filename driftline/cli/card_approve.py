"""``driftline card approve``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from driftline.cli.cards import asked, card_document, facts, name_argument, say
from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, print_document, reason_option, short_time, workspace_option

if TYPE_CHECKING:
    from driftline.registry.card_types import Card, CardVersion
    from driftline.workspace import Workspace

__all__ = ["command"]

_SHORTEST = 12
_MOST_SHOWN = 40


@click.command(name="approve")
@name_argument
@click.option(
    "--hash", "hash_", metavar="HASH", help="Of the text that is approved; at least its first 12 digits."
)
@reason_option
@workspace_option
@as_json
def command(name: str, hash_: str | None, reason: str, workspace: str | None, json_: bool) -> int:
    """Approve the text that was reviewed; never one's own.

    Shows what changed since the version that was approved last, and asks. Where nobody can be asked, --hash says which text
    is meant: should somebody have changed it meanwhile, nothing is approved.

    \b
      driftline card approve churn-card --reason "committee of 2026-11-20"
      driftline card approve churn-card --hash sha256:5e884898da28
    """
    with opened(workspace) as ws:
        card = ws.cards.get(name)
        version = ws.cards.version(name)
        if not json_:
            _show(ws, card, version)
        if hash_ is None:
            fix = f"say --hash {version.content_hash} to approve this text"
            if not asked("Approve this?", what=f"approve {say(card)}", fix=fix, json_=json_):
                click.echo("nothing was changed")
                return 0
        card = ws.cards.approve(name, _meant(hash_, version.content_hash), reason=reason)
    if json_:
        print_document(card_document(card))
    else:
        click.echo(say(card))
    return 0


def _meant(given: str | None, there: str) -> str:
    """Return the whole hash: that which is there where the one that is given is the beginning of it."""
    if given is None:
        return there
    text = "sha256:" + given.strip().lower().removeprefix("sha256:")
    long_enough = len(text) >= len("sha256:") + _SHORTEST
    return there if long_enough and there.startswith(text) else text


def _show(ws: Workspace, card: Card, version: CardVersion) -> None:
    """Say what it is that is approved, and what of it is new."""
    from driftline.cli.card_diff import shown_changes

    about = f"{card.name}, version {version.version}, {version.status}"
    facts(
        {
            "card": about,
            "model": card.model or card.model_id,
            "risk": card.risk_rating,
            "written": f"{short_time(version.created)} by {version.author}"
            + (f": {version.reason}" if version.reason else ""),
            "content": version.content_hash,
        }
    )
    approved = card.approved_version
    if approved is None:
        click.echo("\nNo version was approved before; read it with: driftline card show " + card.name)
    elif approved != version.version:
        click.echo(f"\nsince version {approved}, which is approved:")
        shown_changes(ws.cards.differences(card.name, approved, version.version), most=_MOST_SHOWN)
    click.echo()
