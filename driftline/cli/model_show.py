"""``driftline model show``."""

from __future__ import annotations

import click

from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, print_document, workspace_option

__all__ = ["command"]


@click.command(name="show")
@click.argument("name", metavar="MODEL")
@workspace_option
@as_json
def command(name: str, workspace: str | None, json_: bool) -> int:
    """Show one model, and where its versions serve.

    \b
      driftline model show churn
    """
    from driftline.cli.endpoint_history import document as deployed
    from driftline.cli.model_versions import document
    from driftline.errors import printable
    from driftline.plan.step import spelled
    from driftline.registry import endpoints, models
    from driftline.registry.moments import shown

    with opened(workspace) as ws, ws.registry.read() as tx:
        one = models.get(tx, name)
        versions = models.versions(tx, name)
        serving = [
            deployment
            for endpoint in endpoints.list_endpoints(tx, model=name, limit=1000)
            for deployment in endpoints.serving(tx, endpoint.name)
            if deployment.model == name
        ]
    if json_:
        print_document(
            {
                "name": one.name,
                "owner": one.owner,
                "description": one.description,
                "risk_rating": one.risk_rating,
                "tags": dict(one.tags),
                "created": shown(one.created),
                "modified": shown(one.modified),
                "archived": shown(one.archived),
                "versions": [document(version) for version in versions],
                "serving": [deployed(deployment) for deployment in serving],
            }
        )
        return 0
    lines = {
        "owner": one.owner,
        "description": one.description,
        "risk": one.risk_rating,
        "tags": spelled(one.tags),
        "versions": ", ".join(v.version for v in versions) or "none",
        "archived": shown(one.archived),
    }
    lines |= {f"serves {d.endpoint}": f"version {d.version}, variant {d.variant}" for d in serving}
    if versions:
        newest = versions[-1]
        lines[f"version {newest.version}"] = spelled(list(newest.artifacts)) or "no artifacts"
        lines |= {f"  {key}": spelled(value) for key, value in sorted(newest.training.items())}
    told = {head: text for head, text in lines.items() if text}
    width = max(map(len, told))
    for head, text in told.items():
        click.echo(f"{head:<{width}}  {printable(text, 300)}")
    return 0
