"""``driftline baselines``: a group of commands."""

from __future__ import annotations

import click

from driftline.cli.application import Lazy

__all__ = ["COMMANDS", "command"]

COMMANDS = {
    "list": ("driftline.cli.baselines_list", "List baselines, and what waits to be decided."),
    "show": ("driftline.cli.baselines_show", "Show the versions of a baseline."),
    "diff": ("driftline.cli.baselines_diff", "Tell what a version changes."),
    "propose": ("driftline.cli.baselines_propose", "Propose a baseline as the next version."),
    "accept": ("driftline.cli.baselines_accept", "Let a proposed version count."),
    "reject": ("driftline.cli.baselines_reject", "Turn a proposed version down."),
}


@click.command(name="baselines", cls=Lazy, commands_at=COMMANDS)
def command() -> None:
    """Look at, accept and reject the workspace's baselines.

    A new version of a baseline waits until somebody has looked at what it changes. (One baseline in a folder, without a
    workspace, is made by "driftline baseline".)

    \b
      driftline baselines diff churn 2
      driftline baselines accept churn 2 --reason "prices went up"
    """
