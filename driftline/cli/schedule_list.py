"""``driftline schedule list``."""

from __future__ import annotations

import click

from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, print_document, short_time, table, workspace_option

__all__ = ["command"]


@click.command(name="list")
@click.option("--endpoint", metavar="NAME", help="Of one endpoint only.")
@click.option(
    "--status", type=click.Choice(["Pending", "Scheduled", "Stopped", "Failed"]), help="In one state only."
)
@workspace_option
@as_json
def command(endpoint: str | None, status: str | None, workspace: str | None, json_: bool) -> int:
    """List schedules: state, next run, last run.

    \b
      driftline schedule list --status Failed
    """
    from driftline.registry import executions, schedules
    from driftline.registry.moments import shown

    rows, documents = [], []
    with opened(workspace) as ws, ws.registry.read() as tx:
        for found in schedules.list_schedules(tx, endpoint=endpoint, status=status):
            last = next(iter(executions.history(tx, schedule=found.name, limit=1)), None)
            told = "" if last is None else f"{last.status} {short_time(last.scheduled, now=tx.now)}"
            state = (
                found.status if found.failure_reason is None else f"{found.status}: {found.failure_reason}"
            )
            following = short_time(found.next_due, now=tx.now) if found.is_active else ""
            rows.append(
                (found.name, found.endpoint, str(found.config.get("schedule", "")), following, told, state)
            )
            documents.append(
                {
                    "name": found.name,
                    "endpoint": found.endpoint,
                    "kind": found.kind,
                    "status": found.status,
                    "failure_reason": found.failure_reason,
                    "schedule": found.config.get("schedule"),
                    "next_due": shown(found.next_due),
                    "last_execution": None if last is None else last.id,
                    "last_status": None if last is None else last.status,
                    "last_scheduled": None if last is None else shown(last.scheduled),
                }
            )
    if json_:
        print_document({"schedules": documents})
    else:
        table(
            ("schedule", "endpoint", "when", "next", "last run", "state"),
            rows,
            fold="state",
            empty="no schedules; declare monitors in driftline.toml and `driftline apply` it",
        )
    return 0
