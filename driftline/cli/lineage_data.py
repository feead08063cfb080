"""``driftline lineage data``."""

from __future__ import annotations

import click

from driftline.cli.graphs import node_rows
from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, print_document, table, workspace_option

__all__ = ["command"]


@click.command(name="data")
@click.argument("ref", metavar="WHAT")
@workspace_option
@as_json
def command(ref: str, workspace: str | None, json_: bool) -> int:
    """Show the training data behind an alert, a run, a model or an endpoint.

    \b
      driftline lineage data alerts/01M84FKA02Y6BGCZQ5ET6Y0DK9
    """
    from driftline.registry import lineage

    with opened(workspace) as ws, ws.registry.read() as tx:
        node = lineage.find(tx, ref)
        if node.kind == "Alert":
            found = lineage.training_data_of_alert(tx, node.name.partition("/")[2])
        else:
            found = lineage.data_sets_of(tx, node.id)
    if json_:
        print_document({"data_sets": [{"name": n.name, "uri": n.uri, "digest": n.digest} for n in found]})
    else:
        table(("kind", "name", "where"), node_rows(found), fold="where", empty="no data set is known")
    return 0
