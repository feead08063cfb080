"""``driftline endpoint history``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, print_document, short_time, table, workspace_option

if TYPE_CHECKING:
    from driftline.registry.endpoints import Deployment

__all__ = ["command", "document"]


@click.command(name="history")
@click.argument("name", metavar="ENDPOINT")
@workspace_option
@as_json
def command(name: str, workspace: str | None, json_: bool) -> int:
    """List all that an endpoint ever served.

    The newest stands first.

    \b
      driftline endpoint history churn-prod
    """
    from driftline.registry import endpoints

    with opened(workspace) as ws, ws.registry.read() as tx:
        found = list(reversed(endpoints.history(tx, name)))
    if json_:
        print_document({"endpoint": name, "deployments": [document(one) for one in found]})
    else:
        rows = [
            (
                short_time(one.since),
                short_time(one.until) or "now",
                one.variant,
                f"{one.model} {one.version}",
                "" if one.weight is None else f"{one.weight:g}",
            )
            for one in found
        ]
        table(("since", "until", "variant", "model", "weight"), rows, empty=f"{name} never served anything")
    return 0


def document(one: Deployment) -> dict[str, Any]:
    """Return a deployment as JSON has it."""
    from driftline.registry.moments import shown

    return {
        "endpoint": one.endpoint,
        "variant": one.variant,
        "model": one.model,
        "version": one.version,
        "weight": one.weight,
        "since": shown(one.since),
        "until": shown(one.until),
    }
