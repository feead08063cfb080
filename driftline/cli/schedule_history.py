"""``driftline schedule history``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, page_option, print_document, short_time, table, workspace_option

if TYPE_CHECKING:
    from driftline.registry.executions import Execution

__all__ = ["command", "document", "line"]

_STATES = (
    *("Pending", "InProgress", "Completed", "CompletedWithViolations", "NoData"),
    *("Failed", "Stopping", "Stopped", "Skipped"),
)


@click.command(name="history")
@click.argument("name", metavar="[SCHEDULE]", required=False)
@click.option("--endpoint", metavar="NAME", help="Of one endpoint only.")
@click.option("--status", type=click.Choice(_STATES), multiple=True, help="Only these; may be repeated.")
@click.option(
    "--all-revisions", is_flag=True, help="Also runs that a later look at the same window has replaced."
)
@page_option
@workspace_option
@as_json
def command(
    name: str | None,
    endpoint: str | None,
    status: tuple[str, ...],
    all_revisions: bool,
    limit: int,
    workspace: str | None,
    json_: bool,
) -> int:
    """List what ran, the newest first.

    \b
      driftline schedule history churn-quality --status CompletedWithViolations
    """
    from driftline.registry import executions, schedules

    with opened(workspace) as ws, ws.registry.read() as tx:
        if name is not None and schedules.find(tx, name) is None:
            schedules.get(tx, name)
        found = executions.history(
            tx,
            schedule=name,
            endpoint=endpoint,
            status=status or None,
            newest_only=not all_revisions,
            limit=limit,
        )
    if json_:
        print_document({"executions": [document(one) for one in found]})
    else:
        table(
            ("execution", "schedule", "window (UTC)", "state", "what came of it"),
            (line(one) for one in found),
            fold="what came of it",
            empty="nothing has run yet",
        )
    return 0


def line(execution: Execution) -> tuple[str, str, str, str, str]:
    """Return an execution as a row for people."""
    start, end = execution.window_start, execution.window_end
    until = short_time(end)
    same_day = until[:10] == short_time(start)[:10]
    window = f"{short_time(start)} to {until[11:] if same_day else until}"
    if execution.revision > 1:
        window += f", look {execution.revision}"
    return execution.id, execution.schedule, window, execution.status, execution.message or ""


def document(execution: Execution) -> dict[str, Any]:
    """Return an execution as a JSON document."""
    from driftline.registry.executions import described
    from driftline.registry.moments import shown

    return {
        **described(execution),
        "scheduled": shown(execution.scheduled),
        "created": shown(execution.created),
        "started": shown(execution.started),
        "ended": shown(execution.ended),
        "attempts": execution.attempts,
        "supersedes": execution.supersedes,
        "baseline": execution.baseline,
        "baseline_version": execution.baseline_version,
        "input_digest": execution.input_digest,
    }
