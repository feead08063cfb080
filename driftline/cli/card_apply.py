"""``driftline card apply``."""

from __future__ import annotations

import click

from driftline.cli.cards import asked
from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, print_document, reason_option, workspace_option

__all__ = ["command"]


@click.command(name="apply")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--yes", "-y", is_flag=True, help="Do it without asking.")
@click.option(
    "--plan-only", "--dry-run", "plan_only", is_flag=True, help="Show the plan, and change nothing."
)
@reason_option
@workspace_option
@as_json
def command(
    files: tuple[str, ...], yes: bool, plan_only: bool, reason: str, workspace: str | None, json_: bool
) -> int:
    """Make cards as files in git say; shows a plan first.

    A FILE is what `driftline card export` wrote as toml, json or md. All that the plan shows is done, or, where anything is
    refused, nothing; applying a file again changes nothing. A file goes out from a version: where somebody has changed the
    stored card since, by other means than this file, it is refused.

    \b
      driftline card apply cards/*.toml
      driftline card apply cards/churn-card.md --yes --reason "merge request 17"
    """
    with opened(workspace) as ws:
        plan = ws.cards.plan(*files)
        if not json_:
            click.echo(str(plan))
        applied = False
        if plan and not plan_only:
            fix = "say --yes to do it, or --plan-only to look at it"
            applied = yes or asked("Do this?", what=plan.summary, fix=fix, json_=json_)
        if applied:
            plan.apply(reason)
    if json_:
        print_document({**plan.document(), "applied": applied})
    elif applied:
        click.echo("applied")
    elif plan and not plan_only:
        click.echo("nothing was changed")
    return 0
