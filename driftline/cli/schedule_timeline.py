"""``driftline schedule timeline``."""

from __future__ import annotations

import sys

import click

from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, print_document, short_time, workspace_option

__all__ = ["SCHEMA", "command"]

SCHEMA = "driftline.timeline/v1"
"""Name and version of the document that ``--json`` prints."""


@click.command(name="timeline")
@click.argument("name", metavar="SCHEDULE")
@click.option(
    "--metric", metavar="NAME", help="Such as recall, dpl or ks; by default the six that matter most."
)
@click.option(
    "--feature", metavar="NAME", help="Only of this column, group, feature or segment, such as sex=Female."
)
@click.option(
    "--last",
    type=click.IntRange(1, 10_000),
    default=60,
    show_default=True,
    help="How many windows at most, the newest.",
)
@click.option("--html", "html_", metavar="FILE", help="Write one HTML page with the time lines.")
@workspace_option
@as_json
def command(
    name: str,
    metric: str | None,
    feature: str | None,
    last: int,
    html_: str | None,
    workspace: str | None,
    json_: bool,
) -> int:
    """Show metrics of a schedule over its windows, each with its bound.

    \b
      driftline schedule timeline churn-quality
      driftline schedule timeline income-quality --metric recall --html recall.html
    """
    with opened(workspace) as ws:
        found = ws.schedules.timeline(name, metric, feature, last=last)
        kind = ws.schedules.get(name).kind
        with ws.registry.read() as tx:
            now = tx.now
    if html_ is not None:
        from driftline import __version__
        from driftline.files import write_whole
        from driftline.reports.timeline_page import to_html

        page = to_html(found, schedule=name, kind=kind, created=f"{short_time(now)} UTC", version=__version__)
        write_whole(html_, page.encode("utf-8", "surrogatepass"))
    if json_:
        print_document(
            {
                "schema": SCHEMA,
                "schedule": name,
                "kind": kind,
                "timelines": [one.to_document() for one in found],
            }
        )
    elif html_ is not None:
        from driftline.errors import printable

        click.echo(printable(html_, 300))
    elif found:
        from driftline.reports.timeline_terminal import print_timelines

        print_timelines(found, sys.stdout)
    else:
        click.echo("nothing has been measured yet")
    return 0
