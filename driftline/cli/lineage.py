"""``driftline lineage``: a group of commands."""

from __future__ import annotations

import click

from driftline.cli.application import Lazy

__all__ = ["COMMANDS", "command"]

COMMANDS = {
    "up": ("driftline.cli.lineage_up", "Show where something came from."),
    "down": ("driftline.cli.lineage_down", "Show what something led to."),
    "around": ("driftline.cli.lineage_around", "Show what is near, either way."),
    "data": (
        "driftline.cli.lineage_data",
        "Show the training data behind an alert, a run, a model or an endpoint.",
    ),
    "diff": ("driftline.cli.lineage_diff", "Show what two models have in common, and what not."),
}


@click.command(name="lineage", cls=Lazy, commands_at=COMMANDS)
def command() -> None:
    """Ask where something came from, and what it led to.

    Things are named like alerts/01M84F…, models/churn/3, endpoints/churn-prod, by a URI, or by the beginning of a digest.

    \b
      driftline lineage data alerts/01M84FKA02Y6BGCZQ5ET6Y0DK9
      driftline lineage up models/churn/3
    """
