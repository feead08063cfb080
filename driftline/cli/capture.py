"""``driftline capture``: a group of commands."""

from __future__ import annotations

import click

from driftline.cli.application import Lazy

__all__ = ["COMMANDS", "command"]

COMMANDS = {
    "import": (
        "driftline.cli.capture_import",
        "Bring in SageMaker's captured traffic, or a batch job's inputs and outputs.",
    ),
    "sink": ("driftline.cli.capture_sink", "Receive captured traffic by HTTP."),
    "stats": ("driftline.cli.capture_stats", "Count what was received and what became of it."),
    "compact": ("driftline.cli.capture_compact", "Make many small files few."),
    "expire": ("driftline.cli.capture_expire", "Remove what is older than it should be."),
    "erase": ("driftline.cli.capture_erase", "Forget events by their id."),
    "replay": ("driftline.cli.capture_replay", "Try again what lies in quarantine."),
    "check": ("driftline.cli.capture_check", "Verify every file, digest and count."),
}


@click.command(name="capture", cls=Lazy, commands_at=COMMANDS)
def command() -> None:
    """Keep what endpoints and batch jobs saw and answered.

    \b
      driftline capture import s3://bucket/data-capture --to captures/
      driftline capture stats captures/
    """
