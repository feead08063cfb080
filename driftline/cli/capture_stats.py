"""``driftline capture stats``."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from driftline.cli.options import as_json
from driftline.cli.stores import account, existing, state_option
from driftline.cli.streams import print_json

__all__ = ["command"]


@click.command(name="stats")
@click.argument("captures", metavar="CAPTURES")
@click.option("--endpoint", metavar="NAME", help="Count one endpoint only.")
@state_option
@as_json
def command(captures: str, endpoint: str | None, state: str | None, json_: bool) -> int:
    """Count what was received and what became of it: the numbers add up, always.

    \b
      driftline capture stats captures/
    """
    from driftline.capture.captures import stats_of

    stats = stats_of(existing(captures, state), endpoint)
    if json_:
        print_json(json.dumps({**asdict(stats), "balance": stats.balance}, indent=2))
    else:
        click.echo(account(stats))
    return 0
