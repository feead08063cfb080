"""``driftline monitor stop``."""

from __future__ import annotations

import json

import click

from driftline.cli.options import as_json
from driftline.cli.streams import print_json
from driftline.cli.workspaces import opened, reason_option, workspace_option

__all__ = ["command"]


@click.command(name="stop")
@click.argument("execution", metavar="EXECUTION")
@reason_option
@workspace_option
@as_json
def command(execution: str, reason: str, workspace: str | None, json_: bool) -> int:
    """Stop a run that waits or is in progress.

    \b
      driftline monitor stop 01M84FK9WJ27GXPN5Y76KA7YAA --reason "wrong window"
    """
    from driftline.registry import executions

    with opened(workspace) as ws:
        stopped = ws.registry.act(lambda tx: executions.request_stop(tx, execution), reason=reason)
    if json_:
        print_json(json.dumps({"execution": execution, "status": stopped.status}))
    else:
        click.echo(f"{execution} is {stopped.status}")
    return 0
