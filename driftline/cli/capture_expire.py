"""``driftline capture expire``."""

from __future__ import annotations

import json

import click

from driftline.cli.options import as_json
from driftline.cli.stores import counted, existing, state_option
from driftline.cli.streams import print_json

__all__ = ["command"]


@click.command(name="expire")
@click.argument("captures", metavar="CAPTURES")
@click.option(
    "--days", type=click.IntRange(1, 100_000), help="Remove hours that ended more than this many days ago."
)
@click.option(
    "--before", metavar="TIME", help="Remove hours that ended before this time, such as 2026-01-01."
)
@click.option("--endpoint", metavar="NAME", help="Expire one endpoint only.")
@state_option
@as_json
def command(
    captures: str, days: int | None, before: str | None, endpoint: str | None, state: str | None, json_: bool
) -> int:
    """Remove what is older than it should be, by whole hours of event time.

    \b
      driftline capture expire captures/ --days 365
    """
    if (days is None) == (before is None):
        raise click.UsageError("give either --days or --before")
    from driftline.capture.event import now
    from driftline.capture.truth import expire_labels
    from driftline.capture.upkeep import expire
    from driftline.capture.window import moment_of

    end = moment_of(before) if before is not None else now() - (days or 0) * 86_400_000_000
    archive = existing(captures, state)
    n = expire(archive, before=end, endpoint=endpoint)
    expire_labels(archive, before=end, endpoint=endpoint)
    if json_:
        print_json(json.dumps({"expired": n}))
    else:
        click.echo(f"{counted(n, 'event')} removed")
    return 0
