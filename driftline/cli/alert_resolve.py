"""``driftline alert resolve``."""

from __future__ import annotations

import click

from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, print_document, workspace_option

__all__ = ["command"]


@click.command(name="resolve")
@click.argument("alert", metavar="ALERT")
@click.option("--reason", required=True, metavar="TEXT", help="Why it is over.")
@workspace_option
@as_json
def command(alert: str, reason: str, workspace: str | None, json_: bool) -> int:
    """Say that it is over.

    Alerts resolve by themselves once runs are clean; this is for those that never will, or that were none.

    \b
      driftline alert resolve 01M84FKA02Y6BGCZQ5ET6Y0DK9 --reason "the column was renamed"
    """
    from driftline.cli.alert_list import document
    from driftline.registry import alerts

    with opened(workspace) as ws:
        found = ws.registry.act(lambda tx: alerts.resolve(tx, alert, reason), reason=reason)
    if json_:
        print_document(document(found))
    else:
        click.echo(f"{found.id} is {found.state}")
    return 0
