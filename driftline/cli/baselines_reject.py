"""``driftline baselines reject``."""

from __future__ import annotations

import click

from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, print_document, reason_option, workspace_option

__all__ = ["command"]


@click.command(name="reject")
@click.argument("name", metavar="BASELINE")
@click.argument("version", type=click.IntRange(1))
@reason_option
@workspace_option
@as_json
def command(name: str, version: int, reason: str, workspace: str | None, json_: bool) -> int:
    """Turn a proposed version down.

    The current version stays, and the same data are not proposed again.

    \b
      driftline baselines reject churn 2 --reason "a week of test traffic"
    """
    from driftline.cli.baselines_list import document

    with opened(workspace) as ws:
        one = ws.baselines.reject(name, version, reason=reason)
    if json_:
        print_document(document(one))
    else:
        click.echo(f"{name} version {version} is {one.state}")
    return 0
