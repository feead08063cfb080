"""``driftline monitor``: a group of commands."""

from __future__ import annotations

import click

from driftline.cli.application import Lazy

__all__ = ["COMMANDS", "command"]

COMMANDS = {
    "run": ("driftline.cli.monitor_run", "Run a schedule now, for any window."),
    "stop": ("driftline.cli.monitor_stop", "Stop a run that waits or is in progress."),
}


@click.command(name="monitor", cls=Lazy, commands_at=COMMANDS)
def command() -> None:
    """Run a monitor now, for any window.

    \b
      driftline monitor run churn-quality
      driftline monitor run churn-quality --window 2026-11-22T00:00Z/2026-11-23T00:00Z
    """
