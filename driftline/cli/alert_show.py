"""``driftline alert show``."""

from __future__ import annotations

import click

from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, print_document, short_time, workspace_option

__all__ = ["command"]


@click.command(name="show")
@click.argument("alert", metavar="ALERT")
@workspace_option
@as_json
def command(alert: str, workspace: str | None, json_: bool) -> int:
    """Show one alert: causes, runs, and what was done about it.

    \b
      driftline alert show 01M84FKA02Y6BGCZQ5ET6Y0DK9
    """
    from driftline.cli.alert_list import document
    from driftline.errors import printable
    from driftline.registry import alerts, executions
    from driftline.registry.moments import shown
    from driftline.reports.wording import plural

    with opened(workspace) as ws:
        with ws.registry.read() as tx:
            found = alerts.get(tx, alert)
            log = alerts.log(tx, alert)
            last = None if found.last_execution is None else executions.find(tx, found.last_execution)
        report = None if last is None or last.report is None else ws.place.shown(last.report)
    if json_:
        entries = [
            {
                "moment": shown(e.moment),
                "who": e.who,
                "what": e.what,
                "reason": e.reason,
                "execution": e.execution,
            }
            for e in log
        ]
        print_document({**document(found), "report": report, "log": entries})
        return 0
    click.echo(f"{found.severity}, {found.state}: {printable(found.title, 400)}")
    served = f", model {found.model} {found.model_version or ''}".rstrip() if found.model else ""
    click.echo(f"schedule {found.schedule}, endpoint {found.endpoint}{served}")
    if report:
        click.echo(f"last report: {printable(report, 300)}/report.html")
    click.echo()
    for cause in found.causes:
        click.echo(f"- {printable(cause.title, 300)} ({cause.severity}, {plural(cause.windows, 'window')})")
        if cause.detail:
            click.echo(f"  {printable(cause.detail, 600)}")
    click.echo()
    for entry in log:
        said = f": {printable(entry.reason, 300)}" if entry.reason else ""
        click.echo(f"{short_time(entry.moment)}  {printable(entry.who, 60)}  {entry.what}{said}")
    return 0
