"""``driftline baselines diff``."""

from __future__ import annotations

import click

from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, print_document, workspace_option

__all__ = ["command"]


@click.command(name="diff")
@click.argument("name", metavar="BASELINE")
@click.argument("version", type=click.IntRange(1), required=False)
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="Most lines.")
@workspace_option
@as_json
def command(name: str, version: int | None, limit: int, workspace: str | None, json_: bool) -> int:
    """Tell what a version changes.

    It is compared with the version that was current when it was proposed. The newest is taken where no VERSION is named.

    \b
      driftline baselines diff churn 2
    """
    from driftline.plan.step import diff_changes

    with opened(workspace) as ws:
        one = ws.baselines.versions(name)[-1] if version is None else ws.baselines.get(name, version)
    if json_:
        print_document({"name": name, "version": one.version, "state": one.state, "diff": one.diff})
        return 0
    changes = diff_changes(one.diff, limit)
    click.echo(f"{name} version {one.version}, {one.state}")
    for change in changes:
        click.echo(f"  {change}")
    if not changes:
        click.echo("  no constraint changes")
    return 0
