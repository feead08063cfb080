"""``driftline apply``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from driftline.cli.options import as_json, progress_bar
from driftline.cli.workspaces import print_document, reason_option, workspace_option

if TYPE_CHECKING:
    from driftline.plan import Plan

__all__ = ["command"]


@click.command(name="apply")
@click.argument("file", required=False)
@click.option("--yes", "-y", is_flag=True, help="Do it without asking.")
@click.option("--plan-only", is_flag=True, help="Show the plan, and change nothing.")
@click.option("--prune", is_flag=True, help="Archive what the file does not mention.")
@click.option(
    "--accept-baselines",
    is_flag=True,
    help="Let new versions of baselines count at once, rather than wait to be looked at.",
)
@reason_option
@workspace_option
@as_json
def command(
    file: str | None,
    yes: bool,
    plan_only: bool,
    prune: bool,
    accept_baselines: bool,
    reason: str,
    workspace: str | None,
    json_: bool,
) -> int:
    """Declare in one file what should be; shows a plan first.

    FILE is driftline.toml in the workspace by default; a FILE elsewhere is for the workspace in its folder, where there is
    one. All that the plan shows is done, or, where anything is refused, nothing. Applying a file again changes nothing.

    \b
      driftline apply driftline.toml
      driftline apply driftline.toml --yes --reason "version 4 goes live"
    """
    from driftline.workspace import Workspace, root_for

    with Workspace(root_for(file, workspace)) as ws:
        with progress_bar("reading", quiet=json_) as progress:
            plan = ws.plan(file, prune=prune, accept_baselines=accept_baselines, progress=progress)
        if not json_:
            click.echo(str(plan))
        applied = bool(plan) and not plan_only and _agreed(plan, yes=yes, json_=json_)
        if applied:
            plan.apply(reason=reason)
    if json_:
        print_document({**plan.document(), "applied": applied})
    elif applied:
        click.echo("applied")
    elif plan and not plan_only:
        click.echo("nothing was changed")
    return 0


def _agreed(plan: Plan, *, yes: bool, json_: bool) -> bool:
    """Ask whether to do it; where there is nobody to ask, it must have been said before."""
    if yes:
        return True
    if json_ or not (sys.stdin.isatty() and sys.stdout.isatty()):
        from driftline.errors import UsageError

        raise UsageError(
            f"nobody can be asked whether to do this: {plan.summary}",
            code="E-PLAN",
            fix="say --yes to do it, or --plan-only to look at it",
        )
    return click.confirm("Do this?", default=False)
