"""``driftline card add-evaluation``."""

from __future__ import annotations

import click

from driftline.cli.cards import card_document, name_argument, say
from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, print_document, reason_option, workspace_option

__all__ = ["command"]


@click.command(name="add-evaluation")
@name_argument
@click.argument("reports", metavar="REPORT...", nargs=-1, required=True)
@click.option("--name", "called", metavar="NAME", help="What to call it; told from the report by default.")
@click.option("--observation", metavar="TEXT", help="What you have to say about it.")
@click.option("--dataset", "datasets", multiple=True, metavar="URI", help="What the model was evaluated on.")
@reason_option
@workspace_option
@as_json
def command(
    name: str,
    reports: tuple[str, ...],
    called: str | None,
    observation: str | None,
    datasets: tuple[str, ...],
    reason: str,
    workspace: str | None,
    json_: bool,
) -> int:
    """Add evaluation reports to a card; that makes a new version, which is a draft.

    A REPORT is a folder that `driftline check -o` or `driftline baseline -o` wrote, or the JSON of SageMaker Clarify (bias,
    explainability), of a model-quality job, or with metric_groups; a path or a URL. An evaluation of the same name is
    replaced.

    \b
      driftline card add-evaluation churn-card report/
      driftline card add-evaluation churn-card analysis.json --name "Bias before launch" --dataset s3://bucket/test.csv
    """
    if called is not None and len(reports) > 1:
        raise click.UsageError("--name is for one report")
    with opened(workspace) as ws:
        card, changed = ws.cards.add_evaluation(
            name, *reports, called=called, observation=observation, datasets=datasets, reason=reason
        )
    if json_:
        print_document({**card_document(card), "changed": changed})
    else:
        click.echo(say(card) if changed else "nothing was changed")
    return 0
