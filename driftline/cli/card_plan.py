"""``driftline card plan``."""

from __future__ import annotations

from typing import Any

import click

from driftline.cli.cards import name_argument, say
from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, print_document, reason_option, table, workspace_option

__all__ = ["command"]


@click.command(name="plan")
@name_argument
@click.option("--store", is_flag=True, help="Write it into the card; a new version where it has changed.")
@reason_option
@workspace_option
@as_json
def command(name: str, store: bool, reason: str, workspace: str | None, json_: bool) -> int:
    """Show the post-market monitoring plan; store it in the card.

    It is made from the model's monitors as they are now, and is what Article 72 of the EU's AI Act asks for: which
    monitors run on which schedule, their bounds, who is alerted when, and what nothing watches.

    \b
      driftline card plan churn-card
      driftline card plan churn-card --store --reason "a monitor for bias was added"
    """
    with opened(workspace) as ws:
        plan = ws.cards.post_market_plan(name)
        card, changed = ws.cards.store_plan(name, reason=reason) if store else (ws.cards.get(name), False)
    if json_:
        print_document({"card": card.name, "version": card.version, "stored": changed, "plan": plan})
        return 0
    _show(plan)
    if store:
        click.echo(say(card) if changed else "the card has this plan already")
    return 0


def _show(plan: dict[str, Any]) -> None:
    from driftline.errors import printable

    owners = ", ".join(f"{one['name']} ({one['role']})" for one in plan["owners"])
    click.echo(
        f"model {printable(plan['model'], 80)}" + (f", owned by {printable(owners, 300)}" if owners else "")
    )
    click.echo()
    table(
        ("monitor", "kind", "endpoint", "state", "when", "alert"),
        (
            (
                one["name"],
                one["kind"],
                one["endpoint"],
                one["state"],
                one.get("cron") or "",
                ", ".join(_rule(rule) for rule in one["alerts"]),
            )
            for one in plan["schedules"]
        ),
        fold="when",
        empty="no monitor watches this model",
    )
    click.echo()
    if plan["uncovered"]:
        click.echo("not watched: " + ", ".join(plan["uncovered"]))
    targets = ", ".join(one["name"] for one in plan["targets"])
    click.echo(f"told of alerts: {printable(targets, 300) or 'nobody'}")
    click.echo(printable(plan["retention"], 1000))


def _rule(rule: dict[str, Any]) -> str:
    return f"{rule['datapoints_to_alert']} of {rule['evaluation_period']}"
