"""``driftline audit log``."""

from __future__ import annotations

import click

from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, page_option, print_document, short_time, table, workspace_option

__all__ = ["command"]


@click.command(name="log")
@click.argument("subject", metavar="[SUBJECT]", required=False)
@click.option(
    "--before",
    type=click.IntRange(1, 1 << 62),
    metavar="NUMBER",
    help="Entries before this one: the next page.",
)
@page_option
@workspace_option
@as_json
def command(subject: str | None, before: int | None, limit: int, workspace: str | None, json_: bool) -> int:
    """List who did what, when and why, the newest first.

    SUBJECT is what it was done to, such as schedules/churn-quality, and all below it.

    \b
      driftline audit log models/churn
    """
    from driftline.registry import audit
    from driftline.registry.moments import shown

    with opened(workspace) as ws, ws.registry.read() as tx:
        entries = list(audit.entries(tx, subject=subject, after=before or 0, limit=limit, newest_first=True))
    if json_:
        names = ("seq", "who", "action", "subject", "reason", "body", "previous", "hash", "change")
        print_document(
            {"entries": [{**{n: getattr(e, n) for n in names}, "moment": shown(e.moment)} for e in entries]}
        )
    else:
        table(
            ("no.", "when (UTC)", "who", "did", "to", "why"),
            ((str(e.seq), short_time(e.moment), e.who, e.action, e.subject, e.reason) for e in entries),
            fold="why",
            empty="nothing was done yet",
        )
    return 0
