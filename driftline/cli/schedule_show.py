"""``driftline schedule show``."""

from __future__ import annotations

import click

from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, print_document, short_time, workspace_option

__all__ = ["command"]


@click.command(name="show")
@click.argument("name", metavar="SCHEDULE")
@workspace_option
@as_json
def command(name: str, workspace: str | None, json_: bool) -> int:
    """Show one schedule: when it runs, on what, its alerts.

    \b
      driftline schedule show churn-quality
    """
    from driftline.errors import printable
    from driftline.monitor.planning import expression_of
    from driftline.registry import rules, schedules
    from driftline.registry.moments import shown

    with opened(workspace) as ws, ws.registry.read() as tx:
        found = schedules.get(tx, name)
        alarms = rules.rules(tx, name)
        now = tx.now
    if json_:
        print_document(
            {
                "name": found.name,
                "endpoint": found.endpoint,
                "kind": found.kind,
                "status": found.status,
                "failure_reason": found.failure_reason,
                "baseline": found.baseline,
                "revision": found.revision,
                "next_due": shown(found.next_due),
                "config": dict(found.config),
                "alerts": [rule.to_sagemaker() for rule in alarms],
            }
        )
        return 0
    lines = {
        "endpoint": found.endpoint,
        "looks at": found.kind,
        "baseline": found.baseline or "none",
        "when": f"{found.config.get('schedule')}: {expression_of(found.config).explain()}",
        "next": short_time(found.next_due, now=now) or "never",
        "state": found.status + (f": {found.failure_reason}" if found.failure_reason else ""),
    }
    for rule in alarms:
        since = f" since {short_time(rule.since, now=now)}" if rule.since else ""
        lines[f"alert {rule.name}"] = (
            f"{rule.datapoints_to_alert} of the last {rule.evaluation_period} runs: {rule.status}{since}"
        )
    width = max(map(len, lines))
    for head, text in lines.items():
        click.echo(f"{head:<{width}}  {printable(text, 300)}")
    return 0
