"""``driftline lineage down``."""

from __future__ import annotations

import click

from driftline.cli.graphs import print_graph, walk_options
from driftline.cli.workspaces import opened, workspace_option

__all__ = ["command"]


@click.command(name="down")
@click.argument("ref", metavar="WHAT")
@walk_options
@workspace_option
def command(
    ref: str, depth: int | None, kinds: tuple[str, ...], limit: int, form: str, workspace: str | None
) -> int:
    """Show what something led to: models, deployments, runs, reports, alerts.

    \b
      driftline lineage down models/churn/3 --kind Alert
    """
    from driftline.registry import lineage

    with opened(workspace) as ws, ws.registry.read() as tx:
        graph = lineage.descendants(
            tx, lineage.find(tx, ref).id, max_depth=depth or 10, kinds=kinds or None, limit=limit
        )
        print_graph(tx, graph, form)
    return 0
