"""``driftline endpoint show``."""

from __future__ import annotations

import click

from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, print_document, short_time, workspace_option

__all__ = ["command"]


@click.command(name="show")
@click.argument("name", metavar="ENDPOINT")
@workspace_option
@as_json
def command(name: str, workspace: str | None, json_: bool) -> int:
    """Show one endpoint: what it serves, and who watches it.

    \b
      driftline endpoint show churn-prod
    """
    from driftline.cli.endpoint_history import document
    from driftline.errors import printable
    from driftline.plan.step import spelled
    from driftline.registry import endpoints, schedules
    from driftline.registry.moments import shown

    with opened(workspace) as ws:
        with ws.registry.read() as tx:
            one = endpoints.get(tx, name)
            serving = endpoints.serving(tx, name)
            watching = schedules.list_schedules(tx, endpoint=name)
        captures = ws.captures_for(name)
    if json_:
        print_document(
            {
                "name": one.name,
                "kind": one.kind,
                "status": one.status,
                "description": one.description,
                "tags": dict(one.tags),
                "captures": captures,
                "created": shown(one.created),
                "modified": shown(one.modified),
                "archived": shown(one.archived),
                "serving": [document(d) for d in serving],
                "schedules": [{"name": s.name, "status": s.status} for s in watching],
            }
        )
        return 0
    lines = {
        "kind": one.kind,
        "status": one.status,
        "description": one.description,
        "tags": spelled(one.tags),
        "captures": captures,
        "archived": shown(one.archived),
    }
    for d in serving:
        weight = "" if d.weight is None else f", weight {d.weight:g}"
        lines[f"variant {d.variant}"] = f"{d.model} {d.version}{weight}, since {short_time(d.since)}"
    lines |= {f"schedule {s.name}": s.status for s in watching}
    told = {head: text for head, text in lines.items() if text}
    width = max(map(len, told))
    for head, text in told.items():
        click.echo(f"{head:<{width}}  {printable(text, 300)}")
    return 0
