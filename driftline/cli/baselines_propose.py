"""``driftline baselines propose``."""

from __future__ import annotations

import click

from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, print_document, reason_option, workspace_option

__all__ = ["command"]


@click.command(name="propose")
@click.argument("name", metavar="BASELINE")
@click.argument("folder", metavar="FOLDER")
@click.option("--model", metavar="NAME", help="The model it belongs to.")
@click.option("--accept", is_flag=True, help="Let it count at once.")
@reason_option
@workspace_option
@as_json
def command(
    name: str,
    folder: str,
    model: str | None,
    accept: bool,
    reason: str,
    workspace: str | None,
    json_: bool,
) -> int:
    """Propose a baseline as the next version.

    FOLDER is what "driftline baseline" wrote, its constraints edited perhaps, or holds SageMaker's files. The first version
    counts at once; others wait to be accepted.

    \b
      driftline baseline train.parquet -o baseline/
      driftline baselines propose churn baseline/ --reason "retrained"
    """
    from driftline.cli.baselines_list import document

    with opened(workspace) as ws:
        one = ws.baselines.propose(name, folder, model=model, accept=accept, reason=reason)
    if json_:
        print_document(document(one))
    elif one.state == "proposed":
        click.echo(f"{name} version {one.version} waits; look at it with: driftline baselines diff {name}")
    else:
        click.echo(f"{name} version {one.version} is {one.state}")
    return 0
