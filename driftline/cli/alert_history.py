"""``driftline alert history``."""

from __future__ import annotations

import click

from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, page_option, print_document, short_time, table, workspace_option

__all__ = ["command"]


@click.command(name="history")
@click.argument("schedule", metavar="[SCHEDULE]", required=False)
@page_option
@workspace_option
@as_json
def command(schedule: str | None, limit: int, workspace: str | None, json_: bool) -> int:
    """List when alert rules fired and cleared, the newest first.

    \b
      driftline alert history churn-quality
    """
    from driftline.registry import alerts, schedules

    with opened(workspace) as ws, ws.registry.read() as tx:
        if schedule is not None and schedules.find(tx, schedule) is None:
            schedules.get(tx, schedule)
        found = alerts.history(tx, schedule=schedule, limit=limit)
    if json_:
        print_document({"MonitoringAlertHistory": [one.to_sagemaker() for one in found]})
    else:
        table(
            ("when (UTC)", "schedule", "rule", "became", "why"),
            ((short_time(one.moment), one.schedule, one.rule, str(one.status), one.reason) for one in found),
            fold="why",
            empty="no alert rule has fired yet",
        )
    return 0
