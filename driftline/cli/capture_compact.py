"""``driftline capture compact``."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from driftline.cli.options import as_json
from driftline.cli.stores import counted, existing, state_option
from driftline.cli.streams import print_json

__all__ = ["command"]


@click.command(name="compact")
@click.argument("captures", metavar="CAPTURES")
@click.option("--endpoint", metavar="NAME", help="Compact one endpoint only.")
@state_option
@as_json
def command(captures: str, endpoint: str | None, state: str | None, json_: bool) -> int:
    """Make many small files few: one for every hour of an endpoint's variant.

    Those who read meanwhile see the old files or the new one; the old ones go after ten minutes.

    \b
      driftline capture compact captures/
    """
    from driftline.capture.truth import compact_labels
    from driftline.capture.upkeep import compact, sweep

    archive = existing(captures, state)
    # What a writer that is gone has left, halves of events too.
    archive.seal_logs()
    done = compact(archive, endpoint=endpoint)
    compact_labels(archive, endpoint=endpoint)
    sweep(archive)
    if json_:
        print_json(json.dumps(asdict(done)))
    elif done.hours:
        click.echo(
            f"{counted(done.before, 'file')} became {done.after:,}, in {counted(done.hours, 'hour')} of endpoints"
        )
    else:
        click.echo("nothing to compact: every hour is in one file")
    return 0
