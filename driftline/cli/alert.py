"""``driftline alert``: a group of commands."""

from __future__ import annotations

import click

from driftline.cli.application import Lazy

__all__ = ["COMMANDS", "command"]

COMMANDS = {
    "list": ("driftline.cli.alert_list", "List alerts that are not resolved."),
    "show": ("driftline.cli.alert_show", "Show one alert: causes, runs, and what was done about it."),
    "ack": ("driftline.cli.alert_ack", "Say that somebody looks after it."),
    "snooze": ("driftline.cli.alert_snooze", "Be reminded later."),
    "resolve": ("driftline.cli.alert_resolve", "Say that it is over."),
    "comment": ("driftline.cli.alert_comment", "Note something about it."),
    "history": ("driftline.cli.alert_history", "List when alert rules fired and cleared."),
    "rule": ("driftline.cli.alert_rule", "Change how many runs make an alert."),
    "outbox": ("driftline.cli.alert_outbox", "See notifications that did not arrive; send them again."),
}


@click.command(name="alert", cls=Lazy, commands_at=COMMANDS)
def command() -> None:
    """See and handle alerts.

    \b
      driftline alert list
      driftline alert ack 01M84FKA02Y6BGCZQ5ET6Y0DK9 --reason "rolled back"
    """
