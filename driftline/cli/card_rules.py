"""``driftline card rules``."""

from __future__ import annotations

import click

from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, print_document, reason_option, workspace_option

__all__ = ["command"]


@click.command(name="rules")
@click.option(
    "--reviewer",
    "reviewers",
    multiple=True,
    metavar="NAME",
    help="Somebody who may approve; all of them at once.",
)
@click.option("--everybody", is_flag=True, help="Everybody may approve what they did not write.")
@click.option(
    "--direct/--no-direct",
    "direct",
    default=None,
    help="Whether a draft may be approved that nobody has submitted.",
)
@reason_option
@workspace_option
@as_json
def command(
    reviewers: tuple[str, ...],
    everybody: bool,
    direct: bool | None,
    reason: str,
    workspace: str | None,
    json_: bool,
) -> int:
    """Say who may approve cards in this workspace. Without an option, show it.

    Nobody approves what they wrote, whatever the rules say.

    \b
      driftline card rules --reviewer ann --reviewer bob
    """
    if reviewers and everybody:
        raise click.UsageError("--everybody and --reviewer say different things: use one of them")
    chosen = [*reviewers] if reviewers else [] if everybody else None
    with opened(workspace) as ws:
        if chosen is None and direct is None:
            rules = ws.cards.rules()
        else:
            rules = ws.cards.set_rules(allow_direct_approval=direct, reviewers=chosen, reason=reason)
    if json_:
        print_document(rules.document())
    else:
        from driftline.errors import printable

        told = ", ".join(printable(name, 80) for name in rules.reviewers) or "everybody"
        click.echo(f"may approve what they did not write: {told}")
        click.echo(
            "a draft may be approved directly"
            if rules.allow_direct_approval
            else "a draft must be submitted before it is approved"
        )
    return 0
