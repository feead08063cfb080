"""``driftline card export``."""

from __future__ import annotations

import click

from driftline.cli.cards import named, version_argument
from driftline.cli.options import as_json
from driftline.cli.streams import print_whole
from driftline.cli.workspaces import opened, print_document, reason_option, workspace_option
from driftline.rooms.card_export import FORMATS

__all__ = ["command"]


@click.command(name="export")
@version_argument
@click.option(
    "--output",
    "-o",
    metavar="FILE|DIR",
    help="Where to; the current folder by default, - for standard output.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(list(FORMATS)),
    help="Told from the ending of FILE by default; pdf where it has none.",
)
@click.option(
    "--plain",
    is_flag=True,
    help="Of other tools' formats, only what they have a place for; nothing of driftline's own.",
)
@reason_option
@workspace_option
@as_json
def command(
    name: str,
    output: str | None,
    format_: str | None,
    plain: bool,
    reason: str,
    workspace: str | None,
    json_: bool,
) -> int:
    """Write a card to a file: PDF, HTML, and what other tools read.

    pdf and html are to be read; json has the whole chain of hashes, and can be verified anywhere; toml and md are to be
    kept in git and applied again. Of the others, what they have no place for is listed on standard error.

    \b
      driftline card export churn-card@approved -o churn-card.pdf
      driftline card export churn-card -o cards/churn-card.toml
      driftline card export churn-card --format huggingface -o README.md
    """
    from driftline.errors import printable

    card, which = named(name)
    with opened(workspace) as ws:
        if output == "-":
            made, file = ws.cards.render(card, which, format_ or "pdf", plain=plain), "-"
        else:
            made, file = ws.cards.export(
                card, output or ".", which=which, format=format_, plain=plain, reason=reason
            )
    if json_ and output != "-":
        print_document(
            {
                "card": made.card,
                "version": made.version,
                "format": made.format,
                "file": file,
                "digest": made.digest,
                "lost": list(made.lost),
            }
        )
        return 0
    if output == "-":
        print_whole(made.data)
    else:
        click.echo(printable(file, 4000))
    for one in made.lost:
        click.echo(f"left out: {printable(one, 300)}", err=True)
    return 0
