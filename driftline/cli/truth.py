"""``driftline truth``: a group of commands."""

from __future__ import annotations

import click

from driftline.cli.application import Lazy

__all__ = ["COMMANDS", "command"]

COMMANDS = {
    "import": ("driftline.cli.truth_import", "Bring in labels, by event id or inference id."),
    "stats": (
        "driftline.cli.truth_stats",
        "Say how much of what was captured has a label, and how late it came.",
    ),
}


@click.command(name="truth", cls=Lazy, commands_at=COMMANDS)
def command() -> None:
    """Bring in what turned out to be true.

    \b
      driftline truth import labels.csv --to captures/ --endpoint churn
    """
