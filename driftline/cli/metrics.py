"""``driftline metrics``."""

from __future__ import annotations

from typing import Any

import click

from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, print_document, workspace_option

__all__ = ["command"]


@click.command(name="metrics")
@click.option("--openmetrics", is_flag=True, help="In OpenMetrics' form.")
@workspace_option
@as_json
def command(openmetrics: bool, workspace: str | None, json_: bool) -> int:
    """Print the metrics for Prometheus: for the node exporter's textfile collector, or to look at.

    `driftline scheduler --metrics-port 9464` serves the same.

    \b
      driftline metrics > /var/lib/node_exporter/driftline.prom
    """
    from driftline.monitor.telemetry import metrics_text

    with opened(workspace) as ws, ws.registry.read() as tx:
        text = metrics_text(tx, openmetrics=openmetrics and not json_)
    if json_:
        print_document({"metrics": _samples(text.decode())})
    else:
        click.echo(text, nl=False)
    return 0


def _samples(text: str) -> list[dict[str, Any]]:
    from prometheus_client.parser import text_string_to_metric_families

    return [
        {"name": sample.name, "labels": dict(sample.labels), "value": sample.value}
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    ]
