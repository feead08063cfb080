"""``driftline schedule start``."""

from __future__ import annotations

import json

import click

from driftline.cli.options import as_json
from driftline.cli.streams import print_json
from driftline.cli.workspaces import opened, reason_option, workspace_option

__all__ = ["command"]


@click.command(name="start")
@click.argument("name", metavar="SCHEDULE")
@reason_option
@workspace_option
@as_json
def command(name: str, reason: str, workspace: str | None, json_: bool) -> int:
    """Activate a schedule.

    Its next run is at its next time, and earlier runs no longer count for its alerts.

    \b
      driftline schedule start churn-quality --reason "the pipeline is repaired"
    """
    from driftline.registry import schedules

    with opened(workspace) as ws:
        changed = ws.registry.act(lambda tx: schedules.start(tx, name), reason=reason)
    if json_:
        print_json(json.dumps({"schedule": name, "status": "Scheduled", "changed": changed}))
    else:
        click.echo(f"{name} is {'' if changed else 'already '}Scheduled")
    return 0
