"""``driftline alert list``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, page_option, print_document, short_time, table, workspace_option

if TYPE_CHECKING:
    from driftline.registry.alerts import Alert

__all__ = ["command", "document"]


@click.command(name="list")
@click.option("--all", "all_", is_flag=True, help="Resolved ones, too.")
@click.option("--severity", type=click.Choice(["warning", "critical"]), help="Of one severity only.")
@click.option("--model", metavar="NAME", help="Of one model only.")
@click.option("--endpoint", metavar="NAME", help="Of one endpoint only.")
@click.option("--schedule", metavar="NAME", help="Of one schedule only.")
@page_option
@workspace_option
@as_json
def command(
    all_: bool,
    severity: str | None,
    model: str | None,
    endpoint: str | None,
    schedule: str | None,
    limit: int,
    workspace: str | None,
    json_: bool,
) -> int:
    """List alerts that are not resolved. Leaves with 1 where there are any.

    \b
      driftline alert list --severity critical
    """
    from driftline.registry import alerts

    with opened(workspace) as ws, ws.registry.read() as tx:
        found = alerts.list_alerts(
            tx,
            severity=severity,
            model=model,
            endpoint=endpoint,
            schedule=schedule,
            open_only=not all_,
            limit=limit,
        )
    if json_:
        print_document({"alerts": [document(one) for one in found]})
    else:
        table(
            ("alert", "since", "severity", "state", "what"),
            ((one.id, short_time(one.opened), one.severity, one.state, _what(one)) for one in found),
            fold="what",
            empty="no alerts" if all_ else "no open alerts",
        )
    return int(any(one.is_open for one in found))


def _what(alert: Alert) -> str:
    return f"{alert.title} ({alert.n_windows:,} windows)" if alert.n_windows > 1 else alert.title


def document(alert: Alert) -> dict[str, Any]:
    """Return an alert as a JSON document."""
    from driftline.registry.moments import shown

    moments = ("opened", "modified", "resolved", "snoozed_until")
    plain = {name: getattr(alert, name) for name in type(alert).__slots__ if name not in ("causes", *moments)}
    return {
        **plain,
        **{name: shown(getattr(alert, name)) for name in moments},
        "causes": [cause.document() for cause in alert.causes],
    }
