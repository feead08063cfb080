"""``driftline baselines show``."""

from __future__ import annotations

import click

from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, print_document, short_time, table, workspace_option

__all__ = ["command"]


@click.command(name="show")
@click.argument("name", metavar="BASELINE")
@workspace_option
@as_json
def command(name: str, workspace: str | None, json_: bool) -> int:
    """Show the versions of a baseline.

    The newest stands first; "driftline show" on its folder shows what is in it.

    \b
      driftline baselines show churn
    """
    from driftline.cli.baselines_list import document

    with opened(workspace) as ws:
        found = list(reversed(ws.baselines.versions(name)))
        place = ws.place
    if json_:
        print_document({"name": name, "versions": [document(one) for one in found]})
        return 0
    rows = [
        (
            str(one.version),
            one.state,
            f"{short_time(one.proposed)} by {one.proposed_by}",
            "" if one.decided is None else f"{short_time(one.decided)} by {one.decided_by}",
            one.reason or "",
        )
        for one in found
    ]
    table(("version", "state", "proposed", "decided", "why"), rows, fold="why")
    click.echo(f"files: {place.shown(found[0].path)}")
    return 0
