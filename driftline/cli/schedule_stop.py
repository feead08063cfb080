"""``driftline schedule stop``."""

from __future__ import annotations

import json

import click

from driftline.cli.options import as_json
from driftline.cli.streams import print_json
from driftline.cli.workspaces import opened, reason_option, workspace_option

__all__ = ["command"]


@click.command(name="stop")
@click.argument("name", metavar="SCHEDULE")
@reason_option
@workspace_option
@as_json
def command(name: str, reason: str, workspace: str | None, json_: bool) -> int:
    """Deactivate a schedule.

    A run in progress is let finish, and raises no alert. What ran stays.

    \b
      driftline schedule stop churn-quality --reason "the endpoint is being rebuilt"
    """
    from driftline.registry import schedules

    with opened(workspace) as ws:
        changed = ws.registry.act(lambda tx: schedules.stop(tx, name), reason=reason)
    if json_:
        print_json(json.dumps({"schedule": name, "status": "Stopped", "changed": changed}))
    else:
        click.echo(f"{name} is {'' if changed else 'already '}Stopped")
    return 0
