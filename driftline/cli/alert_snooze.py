"""``driftline alert snooze``."""

from __future__ import annotations

from datetime import timedelta

import click

from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, print_document, workspace_option

__all__ = ["command"]


@click.command(name="snooze")
@click.argument("alert", metavar="ALERT")
@click.option("--for", "duration", required=True, metavar="TIME", help="For so long: 2h, 3d or PT8H.")
@click.option("--reason", required=True, metavar="TEXT", help="Why it can wait.")
@workspace_option
@as_json
def command(alert: str, duration: str, reason: str, workspace: str | None, json_: bool) -> int:
    """Be reminded later.

    Should it become critical meanwhile, it comes back at once.

    \b
      driftline alert snooze 01M84FKA02Y6BGCZQ5ET6Y0DK9 --for 8h --reason "fix is being deployed"
    """
    from driftline.cli.alert_list import document
    from driftline.configuration.duration import parse_duration
    from driftline.registry import alerts

    wait = parse_duration(duration) // timedelta(microseconds=1)

    with opened(workspace) as ws:
        found = ws.registry.act(lambda tx: alerts.snooze(tx, alert, tx.now + wait, reason), reason=reason)
    if json_:
        print_document(document(found))
    else:
        click.echo(f"{found.id} is {found.state}")
    return 0
