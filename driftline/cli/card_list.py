"""``driftline card list``."""

from __future__ import annotations

from typing import Any

import click

from driftline.cli.cards import STATUSES, card_document
from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, page_option, print_document, short_time, table, workspace_option

__all__ = ["command"]

_SORT = {"name": "name", "created": "created", "modified": "modified"}


@click.command(name="list")
@click.argument("contains", metavar="[TEXT]", required=False)
@click.option("--status", type=click.Choice(list(STATUSES)), help="Of the newest version.")
@click.option(
    "--risk", type=click.Choice(["low", "medium", "high", "unknown"]), help="Of one risk rating only."
)
@click.option("--owner", metavar="NAME", help="Of one owner only.")
@click.option("--model", metavar="NAME", help="Of one model only.")
@click.option("--tag", metavar="NAME[=VALUE]", help="With a tag only.")
@click.option(
    "--approved-before", metavar="WHEN", help="Approved last before a day, or so long ago: 2026-01-01, 180d."
)
@click.option("--sort", type=click.Choice(list(_SORT)), default="name", show_default=True, help="By what.")
@page_option
@workspace_option
@as_json
def command(
    contains: str | None,
    status: str | None,
    risk: str | None,
    approved_before: str | None,
    sort: str,
    limit: int,
    workspace: str | None,
    json_: bool,
    **given: Any,
) -> int:
    """List cards; with TEXT, those that have it in their names.

    \b
      driftline card list --status pending
      driftline card list --risk high --approved-before 180d
    """
    with opened(workspace) as ws:
        found = ws.cards.list(
            contains=contains,
            status=STATUSES[status] if status else None,
            risk_rating=risk.capitalize() if risk else None,
            approved_before=None if approved_before is None else _moment(approved_before),
            sort=sort,
            descending=sort != "name",
            limit=limit,
            **given,
        )
    if json_:
        print_document({"cards": [card_document(card) for card in found]})
    else:
        table(
            ("card", "version", "status", "approved", "risk", "model", "owner", "changed (UTC)"),
            (
                (
                    card.name,
                    str(card.version),
                    card.status,
                    "" if card.approved_version is None else f"version {card.approved_version}",
                    card.risk_rating or "",
                    card.model or card.model_id or "",
                    card.owner or "",
                    short_time(card.modified),
                )
                for card in found
            ),
            fold="owner",
            empty="no cards",
        )
    return 0


def _moment(text: str) -> int:
    """Return a moment, or the one that is so long ago."""
    from datetime import timedelta

    from driftline.capture.event import now
    from driftline.capture.window import moment_of
    from driftline.configuration.duration import parse_duration
    from driftline.errors import UsageError

    try:
        ago = parse_duration(text)
    except UsageError:
        return moment_of(text)
    return now() - ago // timedelta(microseconds=1)
