"""``driftline endpoint list``."""

from __future__ import annotations

import click

from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, page_option, print_document, table, workspace_option

__all__ = ["command"]


@click.command(name="list")
@click.argument("text", required=False)
@click.option("--model", metavar="NAME", help="That serve this model now.")
@click.option("--kind", type=click.Choice(["endpoint", "batch"]), help="Of one kind only.")
@click.option("--tag", metavar="NAME[=VALUE]", help="With this tag only.")
@click.option("--archived", is_flag=True, help="Archived ones, too.")
@page_option
@workspace_option
@as_json
def command(
    text: str | None,
    model: str | None,
    kind: str | None,
    tag: str | None,
    archived: bool,
    limit: int,
    workspace: str | None,
    json_: bool,
) -> int:
    """List endpoints and batch jobs, and what they serve.

    TEXT is looked for in names and descriptions.

    \b
      driftline endpoint list --model churn
    """
    from driftline.cli.endpoint_history import document
    from driftline.registry import endpoints

    rows, documents = [], []
    with opened(workspace) as ws, ws.registry.read() as tx:
        found = endpoints.list_endpoints(
            tx, text=text, kind=kind, model=model, tag=tag, limit=limit, archived=archived
        )
        for one in found:
            serving = endpoints.serving(tx, one.name)
            told = ", ".join(f"{d.model} {d.version}" for d in serving)
            rows.append((one.name, one.kind, "archived" if one.archived is not None else one.status, told))
            documents.append(
                {
                    "name": one.name,
                    "kind": one.kind,
                    "status": one.status,
                    "description": one.description,
                    "tags": dict(one.tags),
                    "archived": one.archived is not None,
                    "serving": [document(d) for d in serving],
                }
            )
    if json_:
        print_document({"endpoints": documents})
    else:
        table(
            ("endpoint", "kind", "status", "serves"),
            rows,
            fold="serves",
            empty="no endpoints; declare them in driftline.toml and `driftline apply` it",
        )
    return 0
