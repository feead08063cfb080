"""``driftline card evidence``."""

from __future__ import annotations

import click

from driftline.cli.cards import evidence_document, name_argument
from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, page_option, print_document, short_time, table, workspace_option

__all__ = ["command"]


@click.command(name="evidence")
@name_argument
@click.option("--schedule", metavar="NAME", help="Of one schedule only.")
@page_option
@workspace_option
@as_json
def command(name: str, schedule: str | None, limit: int, workspace: str | None, json_: bool) -> int:
    """List the monitors' reports and baselines that stand beside the text, the newest first.

    \b
      driftline card evidence churn-card
    """
    with opened(workspace) as ws:
        found = ws.cards.evidence(name, schedule=schedule, limit=limit)
    if json_:
        print_document({"evidence": [evidence_document(one) for one in found]})
    else:
        table(
            ("noted (UTC)", "source", "schedule", "kind", "status", "what"),
            (
                (short_time(one.moment), one.source, one.schedule or "", one.kind, one.status, one.summary)
                for one in found
            ),
            fold="what",
            empty="no evidence",
        )
    return 0
