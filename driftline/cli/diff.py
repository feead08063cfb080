"""``driftline diff``."""

from __future__ import annotations

import sys

import click

from driftline.cli.options import as_json
from driftline.cli.streams import print_json

__all__ = ["command"]


@click.command(name="diff")
@click.argument("before", metavar="REPORT")
@click.argument("after", metavar="REPORT")
@as_json
def command(before: str, after: str, json_: bool) -> int:
    """Tell what changed between two reports: what is newly violated, what is resolved, what became worse.

    \b
      driftline diff monday/ tuesday/
    """
    from driftline.api import diff

    change = diff(before, after)
    if json_:
        print_json(change.to_json())
    else:
        from driftline.reports.diff import print_diff

        print_diff(change, sys.stdout)
    return 1 if change.newly_violated else 0
