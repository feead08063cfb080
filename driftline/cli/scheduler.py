"""``driftline scheduler``."""

from __future__ import annotations

import signal
import sys
from typing import Any, Literal

import click

from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, print_document, workspace_option

__all__ = ["command"]


@click.command(name="scheduler")
@click.option("--once", is_flag=True, help="Do what is due now, then leave: for cron and for pipelines.")
@click.option("--workers", type=click.IntRange(1, 64), help="Runs at a time.")
@click.option(
    "--metrics-port", type=click.IntRange(0, 65535), help="Serve /metrics and /health here, on loopback."
)
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How the log is written.",
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    help="What is worth a line.",
)
@workspace_option
@as_json
def command(
    once: bool,
    workers: int | None,
    metrics_port: int | None,
    log_format: Literal["text", "json"],
    log_level: str,
    workspace: str | None,
    json_: bool,
) -> int:
    """Run what is due, until stopped.

    Any number of schedulers may run on one workspace, on several machines if its registry is in PostgreSQL: each window is
    looked at once. SIGTERM lets runs in progress finish.

    \b
      driftline scheduler --metrics-port 9464
    """
    from dataclasses import asdict, replace

    from driftline.monitor.logs import configure

    configure(format=log_format, level=log_level)
    with opened(workspace) as ws:
        scheduler = ws.scheduler()
        if workers is not None:
            scheduler.settings = replace(scheduler.settings, workers=workers)
        if once:
            done = scheduler.drain()
            if json_:
                print_document(asdict(done))
            else:
                click.echo(f"ran {done.ran}, sent {done.sent}, skipped {done.skipped}")
            return 0

        def stop(number: int, _: Any) -> None:
            if scheduler.is_stopping:
                sys.exit(128 + number)
            scheduler.stop()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        server = None
        if metrics_port is not None:
            from driftline.monitor.telemetry import serve_metrics

            server = serve_metrics(ws.registry, metrics_port, last_turn=lambda: scheduler.turned)
        try:
            scheduler.run_forever()
        finally:
            if server is not None:
                server.close()
    return 0
