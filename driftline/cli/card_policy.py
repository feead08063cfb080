"""``driftline card policy``."""

from __future__ import annotations

import click

from driftline.cli.cards import name_argument
from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, print_document, reason_option, workspace_option

__all__ = ["command"]

_MEANING = {
    "evidence": "reports of the model's monitors are noted beside the text",
    "draft": "reports of the model's monitors are noted beside the text, and written into a draft",
    "off": "reports of the model's monitors are left out",
}


@click.command(name="policy")
@name_argument
@click.option(
    "--evaluations", type=click.Choice(list(_MEANING)), help="What becomes of the monitors' reports."
)
@click.option("--every", metavar="TIME", help="The least time between two drafts: 12h, 7d, P1D.")
@reason_option
@workspace_option
@as_json
def command(
    name: str, evaluations: str | None, every: str | None, reason: str, workspace: str | None, json_: bool
) -> int:
    """Say what becomes of the reports of the model's monitors. Without an option, show it.

    \b
      driftline card policy churn-card --evaluations draft --every 7d
    """
    from driftline.configuration.duration import format_duration, parse_duration

    with opened(workspace) as ws:
        card = ws.cards.get(name)
        policy = dict(card.policy)
        if evaluations is not None:
            policy["evaluations"] = evaluations
        if every is not None:
            policy["every"] = format_duration(parse_duration(every))
        if policy != dict(card.policy):
            card = ws.cards.set_policy(name, policy, reason=reason)
    if json_:
        print_document({"name": card.name, "policy": dict(card.policy)})
    else:
        told = str(card.policy.get("evaluations", "evidence"))
        often = (
            f", at most every {card.policy['every']}" if told == "draft" and "every" in card.policy else ""
        )
        click.echo(f"{told}: {_MEANING.get(told, told)}{often}")
    return 0
