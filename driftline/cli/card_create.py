"""``driftline card create``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from driftline.cli.cards import card_document, pairs, say
from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, print_document, reason_option, workspace_option
from driftline.rooms.card_files import FORMATS

if TYPE_CHECKING:
    from driftline.rooms.card_draft import Draft
    from driftline.workspace import Workspace

__all__ = ["command"]


@click.command(name="create")
@click.argument("name", metavar="CARD")
@click.option(
    "--model",
    metavar="MODEL[/VERSION]",
    help="The registered model that it is about: what is known of it is filled in, and its monitors feed the card.",
)
@click.option(
    "--from",
    "file",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="What to begin with: a card as a file, or what another tool wrote.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(FORMATS),
    help="Of FILE; told from what it says by default.",
)
@click.option(
    "--set",
    "given",
    multiple=True,
    metavar="PATH=VALUE",
    help="A field, such as intended_uses.risk_rating=High.",
)
@click.option(
    "--evaluation",
    "evaluations",
    multiple=True,
    metavar="REPORT",
    help="An evaluation report to add, see `card add-evaluation`.",
)
@click.option("--tag", "tags", multiple=True, metavar="NAME=VALUE", help="A tag of the card.")
@reason_option
@workspace_option
@as_json
def command(
    name: str,
    model: str | None,
    file: str | None,
    reason: str,
    workspace: str | None,
    json_: bool,
    **given: Any,
) -> int:
    """Write a card, from a registered model, a file, or both; it is a draft then.

    FILE may be a card as `driftline card export` writes it (toml, json, md), SageMaker's (content, or what
    describe-model-card answers), a README of Hugging Face, Model Card Toolkit's JSON, or a CycloneDX or SPDX document. What
    it says goes before what is known of the model, and --set before both.

    \b
      driftline card create churn-card --model churn
      driftline card create churn-card --model churn/3 --set intended_uses.risk_rating=High
      driftline card create churn-card --from README.md
    """
    with opened(workspace) as ws:
        draft = _draft(ws, model, file, given)
        card = ws.cards.create_from(name, draft, reason=reason)
    if json_:
        told = {"filled": sorted(draft.provenance), "lost": list(draft.lost), "notes": list(draft.notes)}
        print_document({**card_document(card), **told})
    else:
        click.echo(say(card))
        _tell(draft, model)
    return 0


def _draft(ws: Workspace, model: str | None, file: str | None, given: dict[str, Any]) -> Draft:
    """Gather what the card will say."""
    from driftline.files import read_regular
    from driftline.rooms.card_draft import Draft, checked, from_model, laid_over, with_fields
    from driftline.rooms.card_evaluation import evaluation_of, with_evaluations
    from driftline.rooms.card_files import MOST_BYTES, from_file

    if given["format_"] and file is None:
        raise click.UsageError("--format says what FILE is: name it with --from")
    draft = Draft() if model is None else from_model(ws, model)
    if file is not None:
        said = from_file(read_regular(file, max_bytes=MOST_BYTES), file, given["format_"])
        draft = laid_over(draft, checked(said, file))
    draft = with_fields(draft, pairs(given["given"], "--set").items())
    draft = with_evaluations(draft, [evaluation_of(report) for report in given["evaluations"]])
    return draft.tagged(pairs(given["tags"], "--tag"))


def _tell(draft: Draft, model: str | None) -> None:
    """Say what was filled in, and what was left out."""
    from driftline.errors import printable
    from driftline.reports.wording import plural

    if model is not None:
        click.echo(f"{plural(len(draft.provenance), 'field')} filled in from {printable(model, 80)}")
    for one in draft.notes:
        click.echo(printable(one, 300), err=True)
    for one in draft.lost:
        click.echo(f"left out: {printable(one, 300)}", err=True)
