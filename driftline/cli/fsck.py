"""``driftline fsck``."""

from __future__ import annotations

import click

from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, print_document, workspace_option

__all__ = ["command"]


@click.command(name="fsck")
@click.option(
    "--no-files", is_flag=True, help="Look at the registry only; reading all reports takes a while."
)
@click.option(
    "--checkpoint",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="What `driftline audit checkpoint` printed earlier.",
)
@workspace_option
@as_json
def command(no_files: bool, checkpoint: str | None, workspace: str | None, json_: bool) -> int:
    """Verify the workspace: registry, audit log, baselines, reports and captures.

    It changes nothing. Leaves with 2 where something is wrong, with 0 where there are only warnings.

    \b
      driftline fsck
    """
    from dataclasses import asdict

    from driftline.cli.audit_verify import read_checkpoint
    from driftline.errors import printable
    from driftline.registry.fsck import fsck

    known = None if checkpoint is None else read_checkpoint(checkpoint)
    with opened(workspace) as ws:
        found = fsck(ws.registry, files=not no_files, checkpoint=known)
    errors = sum(one.severity == "error" for one in found)
    if json_:
        print_document({"errors": errors, "findings": [asdict(one) for one in found]})
    else:
        for one in found:
            fix = f"; {one.fix}" if one.fix else ""
            click.echo(f"{one.severity}: {printable(one.where, 300)}: {printable(one.what, 600)}{fix}")
        click.echo(f"{errors:,} errors, {len(found) - errors:,} other findings" if found else "all is well")
    return 2 if errors else 0
