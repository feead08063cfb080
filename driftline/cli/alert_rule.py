"""``driftline alert rule``."""

from __future__ import annotations

from typing import Any

import click

from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, print_document, reason_option, workspace_option

__all__ = ["command"]


@click.command(name="rule")
@click.argument("schedule", metavar="SCHEDULE")
@click.option("--name", default="default", show_default=True, metavar="NAME", help="Of the rule.")
@click.option("--datapoints-to-alert", "-m", type=int, help="So many violating runs raise it, ...")
@click.option("--evaluation-period", "-n", type=int, help="... of the last so many.")
@click.option("--keep-firing", type=int, help="Clean runs in a row before an alert is resolved.")
@reason_option
@workspace_option
@as_json
def command(
    schedule: str,
    name: str,
    datapoints_to_alert: int | None,
    evaluation_period: int | None,
    keep_firing: int | None,
    reason: str,
    workspace: str | None,
    json_: bool,
) -> int:
    """Change how many runs make an alert; the runs so far are judged anew at once.

    \b
      driftline alert rule churn-quality -m 2 -n 3
    """
    from driftline.registry import alerts

    given: dict[str, Any] = {
        key: value
        for key, value in (
            ("datapoints_to_alert", datapoints_to_alert),
            ("evaluation_period", evaluation_period),
            ("keep_firing", keep_firing),
        )
        if value is not None
    }
    if not given:
        raise click.UsageError("say what to change: -m, -n or --keep-firing")
    with opened(workspace) as ws:
        ws.registry.act(lambda tx: alerts.update_rule(tx, schedule, name, **given), reason=reason)
        with ws.registry.read() as tx:
            rule = alerts.get_rule(tx, schedule, name)
    if json_:
        print_document(rule.to_sagemaker())
    else:
        click.echo(
            f"{schedule}, {name}: {rule.datapoints_to_alert} of the last {rule.evaluation_period} runs; "
            f"now {rule.status}"
        )
    return 0
