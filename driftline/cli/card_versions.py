"""``driftline card versions``."""

from __future__ import annotations

import click

from driftline.cli.cards import name_argument, record_document, version_document
from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, page_option, print_document, short_time, table, workspace_option

__all__ = ["command"]

_SHORT_HASH = 19


@click.command(name="versions")
@name_argument
@click.option(
    "--all", "all_", is_flag=True, help="All that was ever done to the card: the chain of its records."
)
@page_option
@workspace_option
@as_json
def command(name: str, all_: bool, limit: int, workspace: str | None, json_: bool) -> int:
    """List the versions of a card, the newest first: who wrote and who approved which, when and why.

    \b
      driftline card versions churn-card
      driftline card versions churn-card --all
    """
    with opened(workspace) as ws:
        if all_:
            count = ws.cards.get(name).records
            chain = ws.cards.records(name, after=max(0, count - limit), limit=limit)[::-1]
        else:
            versions = ws.cards.versions(name, descending=True, limit=limit)
    if json_ and all_:
        print_document({"records": [record_document(one) for one in chain]})
    elif json_:
        print_document({"versions": [version_document(one, content=False) for one in versions]})
    elif all_:
        table(
            ("no.", "when (UTC)", "who", "what", "version", "hash", "why"),
            (
                (
                    str(one.seq),
                    short_time(one.moment),
                    one.who,
                    f"{one.previous_status} → {one.status}" if one.kind == "status" else one.kind,
                    str(one.version),
                    one.hash[:12],
                    one.reason,
                )
                for one in chain
            ),
            fold="why",
        )
    else:
        table(
            ("version", "status", "written (UTC)", "by", "approved by", "content", "why"),
            (
                (
                    str(one.version),
                    one.status,
                    short_time(one.created),
                    one.author,
                    one.approved_by or "",
                    one.content_hash[:_SHORT_HASH],
                    one.reason,
                )
                for one in versions
            ),
            fold="why",
        )
    return 0
