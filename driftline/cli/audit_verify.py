"""``driftline audit verify``."""

from __future__ import annotations

import re

import click

from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, print_document, workspace_option

__all__ = ["command", "read_checkpoint"]


@click.command(name="verify")
@click.option(
    "--checkpoint",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="What `driftline audit checkpoint` printed earlier.",
)
@workspace_option
@as_json
def command(checkpoint: str | None, workspace: str | None, json_: bool) -> int:
    """Verify the chain of hashes. Leaves with 2 where it is broken, naming the first bad entry.

    \b
      driftline audit verify --checkpoint /elsewhere/checkpoint
    """
    from driftline.registry import audit_check

    known = None if checkpoint is None else read_checkpoint(checkpoint)
    with opened(workspace) as ws, ws.registry.read() as tx:
        found = audit_check.check(tx, checkpoint=known)
    if json_:
        print_document(
            {
                "entries": found.entries,
                "head": found.head,
                "erased": list(found.erased),
                "bad": found.bad,
                "why": found.why,
            }
        )
    elif found.why is None:
        click.echo(f"{found.entries:,} entries, all as they were written" + (_erased(len(found.erased))))
        if known is None:
            click.echo(
                "without a checkpoint nobody can tell whether the log was cut off or replaced as a whole"
            )
    else:
        at = "" if found.bad is None else f"entry {found.bad:,}: "
        click.echo(f"driftline: E-AUDIT: {at}{found.why}", err=True)
    return 0 if found.why is None else 2


def _erased(n: int) -> str:
    return f"; of {n:,} what changed was erased on purpose" if n else ""


def read_checkpoint(file: str) -> tuple[int, str]:
    """Read what ``driftline audit checkpoint`` printed.

    Raises
    ------
    InputError
        ``E-CHECKPOINT``.
    """
    from driftline.errors import InputError
    from driftline.files import read_regular

    text = read_regular(file, max_bytes=4096).decode("utf-8", "replace")
    match = re.fullmatch(r"\s*([0-9]{1,18}) ([0-9a-f]{64})\s*", text)
    if match is None:
        raise InputError(
            "is no checkpoint",
            code="E-CHECKPOINT",
            file=file,
            fix="write one with `driftline audit checkpoint`",
        )
    return int(match[1]), match[2]
