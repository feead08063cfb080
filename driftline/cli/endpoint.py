"""``driftline endpoint``: a group of commands."""

from __future__ import annotations

import click

from driftline.cli.application import Lazy

__all__ = ["COMMANDS", "command"]

COMMANDS = {
    "list": ("driftline.cli.endpoint_list", "List endpoints and batch jobs, and what they serve."),
    "show": ("driftline.cli.endpoint_show", "Show one endpoint: what it serves, and who watches it."),
    "deploy": ("driftline.cli.endpoint_deploy", "Say that an endpoint serves a version from now on."),
    "history": ("driftline.cli.endpoint_history", "List all that an endpoint ever served."),
}


@click.command(name="endpoint", cls=Lazy, commands_at=COMMANDS)
def command() -> None:
    """List endpoints and what they serve; deploy.

    \b
      driftline endpoint list
      driftline endpoint deploy churn-prod churn 4
    """
