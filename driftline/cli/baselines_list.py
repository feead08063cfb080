"""``driftline baselines list``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from driftline.cli.options import as_json
from driftline.cli.workspaces import (
    opened,
    page_option,
    print_document,
    short_time,
    table,
    workspace_option,
)

if TYPE_CHECKING:
    from driftline.registry.baselines import Baseline

__all__ = ["command", "document"]


@click.command(name="list")
@click.option("--model", metavar="NAME", help="Of one model only.")
@click.option("--proposed", is_flag=True, help="Only what waits to be decided, the oldest first.")
@page_option
@workspace_option
@as_json
def command(model: str | None, proposed: bool, limit: int, workspace: str | None, json_: bool) -> int:
    """List baselines, and what waits to be decided.

    \b
      driftline baselines list --proposed
    """
    from driftline.registry import baselines

    rows, documents = [], []
    with opened(workspace) as ws, ws.registry.read() as tx:
        if proposed:
            found = [one for one in baselines.proposals(tx, limit=limit) if model in (None, one.model)]
        else:
            found = baselines.list_baselines(tx, model=model, limit=limit)
        for one in found:
            current = baselines.find_current(tx, one.name)
            waits = f"version {one.version}, since {short_time(one.proposed)}"
            rows.append(
                (
                    one.name,
                    "none" if current is None else str(current.version),
                    one.model or "",
                    waits if one.state == "proposed" else "",
                )
            )
            documents.append({**document(one), "current": None if current is None else current.version})
    if json_:
        print_document({"baselines": documents})
    else:
        table(
            ("baseline", "version", "model", "waits to be decided"),
            rows,
            empty="nothing waits to be decided"
            if proposed
            else "no baselines; declare them in driftline.toml and `driftline apply` it",
        )
    return 0


def document(one: Baseline) -> dict[str, Any]:
    """Return a version of a baseline as JSON has it."""
    from driftline.registry.moments import shown

    return {
        "name": one.name,
        "version": one.version,
        "kind": one.kind,
        "state": one.state,
        "model": one.model,
        "path": one.path,
        "digest": one.digest,
        "spec": dict(one.spec),
        "proposed": shown(one.proposed),
        "proposed_by": one.proposed_by,
        "decided": shown(one.decided),
        "decided_by": one.decided_by,
        "reason": one.reason,
    }
