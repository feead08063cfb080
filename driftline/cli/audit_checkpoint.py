"""``driftline audit checkpoint``."""

from __future__ import annotations

import click

from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, print_document, workspace_option

__all__ = ["command"]


@click.command(name="checkpoint")
@workspace_option
@as_json
def command(workspace: str | None, json_: bool) -> int:
    """Print the newest entry's number and hash, to be kept elsewhere.

    Keep it where nobody who can change the registry can change it: with it `driftline audit verify` also finds a log that
    was cut off or replaced as a whole.

    \b
      driftline audit checkpoint
    """
    from driftline.registry import audit_check

    with opened(workspace) as ws, ws.registry.read() as tx:
        number, digest = audit_check.checkpoint(tx)
    if json_:
        print_document({"number": number, "hash": digest})
    else:
        click.echo(f"{number} {digest}")
    return 0
