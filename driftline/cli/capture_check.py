"""``driftline capture check``."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from driftline.cli.options import as_json
from driftline.cli.stores import counted, existing, state_option
from driftline.cli.streams import print_json
from driftline.errors import printable

__all__ = ["command"]


@click.command(name="check")
@click.argument("captures", metavar="CAPTURES")
@state_option
@as_json
def command(captures: str, state: str | None, json_: bool) -> int:
    """Verify every file, digest and count; exit status 2 where something is damaged.

    \b
      driftline capture check captures/
    """
    from driftline.capture.upkeep import check

    archive = existing(captures, state)
    faults = check(archive)
    n = len(archive.manifest.segments())
    damaged = [fault for fault in faults if fault.is_damage]
    if json_:
        print_json(json.dumps({"files": n, "faults": [asdict(fault) for fault in faults]}, indent=2))
    else:
        for fault in faults:
            click.echo(
                f"{'damage' if fault.is_damage else 'note'}: {printable(fault.file, 300)} {fault.message}"
            )
        click.echo(
            f"{counted(n, 'file')} checked: {counted(len(damaged), 'fault') if damaged else 'all is well'}"
        )
    return 2 if damaged else 0
