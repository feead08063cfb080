"""``driftline alert comment``."""

from __future__ import annotations

import click

from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, print_document, workspace_option

__all__ = ["command"]


@click.command(name="comment")
@click.argument("alert", metavar="ALERT")
@click.argument("text", metavar="TEXT")
@workspace_option
@as_json
def command(alert: str, text: str, workspace: str | None, json_: bool) -> int:
    """Note something about it.

    \b
      driftline alert comment 01M84FKA02Y6BGCZQ5ET6Y0DK9 "asked the data team"
    """
    from driftline.cli.alert_list import document
    from driftline.registry import alerts

    with opened(workspace) as ws:
        found = ws.registry.act(lambda tx: alerts.comment(tx, alert, text), reason=text)
    if json_:
        print_document(document(found))
    else:
        click.echo(f"{found.id} is {found.state}")
    return 0
