"""``driftline schedule``: a group of commands."""

from __future__ import annotations

import click

from driftline.cli.application import Lazy

__all__ = ["COMMANDS", "command"]

COMMANDS = {
    "list": ("driftline.cli.schedule_list", "List schedules: state, next run, last run."),
    "show": ("driftline.cli.schedule_show", "Show one schedule: when it runs, on what, its alerts."),
    "start": ("driftline.cli.schedule_start", "Activate a schedule."),
    "stop": ("driftline.cli.schedule_stop", "Deactivate a schedule."),
    "history": ("driftline.cli.schedule_history", "List what ran, the newest first."),
    "timeline": (
        "driftline.cli.schedule_timeline",
        "Show metrics of a schedule over its windows, each with its bound.",
    ),
}


@click.command(name="schedule", cls=Lazy, commands_at=COMMANDS)
def command() -> None:
    """List, start and stop schedules; see what ran.

    \b
      driftline schedule list
      driftline schedule history churn-quality
    """
