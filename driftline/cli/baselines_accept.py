"""``driftline baselines accept``."""

from __future__ import annotations

import click

from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, print_document, reason_option, workspace_option

__all__ = ["command"]


@click.command(name="accept")
@click.argument("name", metavar="BASELINE")
@click.argument("version", type=click.IntRange(1))
@reason_option
@workspace_option
@as_json
def command(name: str, version: int, reason: str, workspace: str | None, json_: bool) -> int:
    """Let a proposed version count.

    It takes the place of the current one: runs from now on are held to it. What was found before stays as it is.

    \b
      driftline baselines accept churn 2 --reason "prices went up"
    """
    from driftline.cli.baselines_list import document

    with opened(workspace) as ws:
        one = ws.baselines.accept(name, version, reason=reason)
    if json_:
        print_document(document(one))
    else:
        click.echo(f"{name} version {version} is {one.state}")
    return 0
