"""``driftline monitor run``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, print_document, reason_option, workspace_option

if TYPE_CHECKING:
    from driftline.registry.executions import Execution

__all__ = ["command"]


@click.command(name="run")
@click.argument("name", metavar="SCHEDULE")
@click.option(
    "--window",
    metavar="START/END",
    help="Look at this stretch of time; the last whole window of the schedule by default.",
)
@click.option("--later", is_flag=True, help="Leave the run to a scheduler, and do not wait for it.")
@click.option("--exit-zero", is_flag=True, help="Leave with 0 where there are violations, too.")
@reason_option
@workspace_option
@as_json
def command(
    name: str,
    window: str | None,
    later: bool,
    exit_zero: bool,
    reason: str,
    workspace: str | None,
    json_: bool,
) -> int:
    """Run a schedule now, for any window, with the same configuration as its other runs.

    Where the window was looked at before, this is a new revision; the earlier report stays.

    Leaves with 0 where nothing is violated, 1 for violations, 2 where the run failed, 4 where there was no data, or not
    enough to judge.

    \b
      driftline monitor run churn-quality --window 2026-11-22T00:00Z/2026-11-23T00:00Z
    """
    from driftline.cli.schedule_history import document

    with opened(workspace) as ws:
        execution = ws.schedules.run(name, window, wait=not later, reason=reason)
        root = ws.place.shown(execution.report) if execution.report else None
    if json_:
        print_document(document(execution))
    elif later:
        click.echo(f"{execution.id} waits for a scheduler")
    else:
        click.echo(f"{execution.status}: {execution.message}")
        if root:
            click.echo(f"report: {root}/report.html")
    return 0 if later else _status(execution, exit_zero=exit_zero)


def _status(execution: Execution, *, exit_zero: bool) -> int:
    if execution.status == "CompletedWithViolations":
        return 0 if exit_zero else 1
    if execution.status == "Completed":
        return 0 if (execution.result or {}).get("judged", True) else 4
    return 4 if execution.status == "NoData" else 2
