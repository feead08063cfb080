"""``driftline alert ack``."""

from __future__ import annotations

import click

from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, print_document, workspace_option

__all__ = ["command"]


@click.command(name="ack")
@click.argument("alert", metavar="ALERT")
@click.option("--reason", default="", metavar="TEXT", help="What is being done about it.")
@workspace_option
@as_json
def command(alert: str, reason: str, workspace: str | None, json_: bool) -> int:
    """Say that somebody looks after it.

    It stays open until the runs are clean again; should it become critical, it comes back.

    \b
      driftline alert ack 01M84FKA02Y6BGCZQ5ET6Y0DK9 --reason "rolling back"
    """
    from driftline.cli.alert_list import document
    from driftline.registry import alerts

    with opened(workspace) as ws:
        found = ws.registry.act(lambda tx: alerts.acknowledge(tx, alert, reason), reason=reason)
    if json_:
        print_document(document(found))
    else:
        click.echo(f"{found.id} is {found.state}")
    return 0
