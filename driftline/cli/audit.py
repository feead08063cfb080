"""``driftline audit``: a group of commands."""

from __future__ import annotations

import click

from driftline.cli.application import Lazy

__all__ = ["COMMANDS", "command"]

COMMANDS = {
    "log": ("driftline.cli.audit_log", "List who did what, when and why."),
    "verify": ("driftline.cli.audit_verify", "Verify the chain of hashes."),
    "checkpoint": (
        "driftline.cli.audit_checkpoint",
        "Print the newest entry's number and hash, to be kept elsewhere.",
    ),
}


@click.command(name="audit", cls=Lazy, commands_at=COMMANDS)
def command() -> None:
    """Read and verify the audit log.

    \b
      driftline audit checkpoint > /elsewhere/checkpoint
      driftline audit verify --checkpoint /elsewhere/checkpoint
    """
