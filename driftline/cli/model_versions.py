"""``driftline model versions``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, print_document, short_time, table, workspace_option

if TYPE_CHECKING:
    from driftline.registry.models import Version

__all__ = ["command", "document"]


@click.command(name="versions")
@click.argument("name", metavar="MODEL")
@workspace_option
@as_json
def command(name: str, workspace: str | None, json_: bool) -> int:
    """List the versions of a model.

    \b
      driftline model versions churn
    """
    from driftline.plan.step import spelled
    from driftline.registry import models

    with opened(workspace) as ws, ws.registry.read() as tx:
        found = models.versions(tx, name)
    if json_:
        print_document({"model": name, "versions": [document(one) for one in found]})
    else:
        rows = [
            (
                one.version,
                ", ".join(one.aliases),
                short_time(one.created),
                spelled(list(one.artifacts)) or "",
                spelled(one.training.get("data")) or "",
            )
            for one in found
        ]
        table(
            ("version", "aliases", "created", "artifacts", "trained on"),
            rows,
            fold="artifacts",
            empty=f"{name} has no versions",
        )
    return 0


def document(one: Version) -> dict[str, Any]:
    """Return a version as JSON has it."""
    from driftline.registry.moments import shown

    return {
        "version": one.version,
        "description": one.description,
        "aliases": list(one.aliases),
        "artifacts": [dict(artifact) for artifact in one.artifacts],
        "training": dict(one.training),
        "origin": None if one.origin is None else dict(one.origin),
        "tags": dict(one.tags),
        "created": shown(one.created),
    }
