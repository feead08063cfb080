"""``driftline capture replay``."""

from __future__ import annotations

import json

import click

from driftline.cli.options import as_json
from driftline.cli.stores import counted, existing, state_option
from driftline.cli.streams import print_json
from driftline.errors import printable

__all__ = ["command"]

_SHOWN = 20


@click.command(name="replay")
@click.argument("captures", metavar="CAPTURES")
@click.option("--dry-run", is_flag=True, help="Only list what lies in quarantine, and why.")
@state_option
@as_json
def command(captures: str, dry_run: bool, state: str | None, json_: bool) -> int:
    """Try again what lies in quarantine, after an upgrade.

    \b
      driftline capture replay captures/ --dry-run
    """
    from driftline.capture.upkeep import quarantined, replay

    archive = existing(captures, state)
    if dry_run:
        held = list(quarantined(archive))
        if json_:
            found = [
                {"id": e.id, "endpoint": e.endpoint, "code": code, "reason": why} for e, code, why in held
            ]
            print_json(json.dumps({"events": found}, indent=2))
        else:
            for event, code, why in held[:_SHOWN]:
                click.echo(f"{event.endpoint}  {printable(event.id, 128)}  {code}: {printable(why, 200)}")
            more = f", the first {_SHOWN} are shown" if len(held) > _SHOWN else ""
            click.echo(f"{counted(len(held), 'event')} in quarantine{more}")
        return 0
    stored, kept = replay(archive)
    if json_:
        print_json(json.dumps({"stored": stored, "kept": kept}))
    else:
        click.echo(f"{counted(stored, 'event')} left the quarantine, {kept:,} still in it")
    return 0
