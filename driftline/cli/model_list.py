"""``driftline model list``."""

from __future__ import annotations

import click

from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, page_option, print_document, table, workspace_option

__all__ = ["command"]


@click.command(name="list")
@click.argument("text", required=False)
@click.option("--owner", metavar="NAME", help="Of one owner only.")
@click.option("--tag", metavar="NAME[=VALUE]", help="With this tag only.")
@click.option("--archived", is_flag=True, help="Archived ones, too.")
@page_option
@workspace_option
@as_json
def command(
    text: str | None,
    owner: str | None,
    tag: str | None,
    archived: bool,
    limit: int,
    workspace: str | None,
    json_: bool,
) -> int:
    """List models.

    TEXT is looked for in names, owners and descriptions.

    \b
      driftline model list --tag team=growth
    """
    from driftline.registry import endpoints, models
    from driftline.registry.moments import shown

    rows, documents = [], []
    with opened(workspace) as ws, ws.registry.read() as tx:
        for one in models.list_models(tx, text=text, owner=owner, tag=tag, limit=limit, archived=archived):
            versions = models.versions(tx, one.name)
            serving = [e.name for e in endpoints.list_endpoints(tx, model=one.name)]
            newest = versions[-1].version if versions else ""
            state = "archived" if one.archived is not None else ", ".join(serving)
            rows.append((one.name, newest, one.owner or "", one.risk_rating or "", state))
            documents.append(
                {
                    "name": one.name,
                    "owner": one.owner,
                    "description": one.description,
                    "risk_rating": one.risk_rating,
                    "tags": dict(one.tags),
                    "versions": [v.version for v in versions],
                    "endpoints": serving,
                    "created": shown(one.created),
                    "archived": shown(one.archived),
                }
            )
    if json_:
        print_document({"models": documents})
    else:
        table(
            ("model", "newest", "owner", "risk", "served by"),
            rows,
            fold="served by",
            empty="no models; declare them in driftline.toml, or `driftline model import` one",
        )
    return 0
