"""``driftline truth import``."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from driftline.cli.options import as_json, header_option, one_or_many
from driftline.cli.stores import existing, state_option
from driftline.cli.streams import print_json

if TYPE_CHECKING:
    from driftline.capture.truth import Imported

__all__ = ["command"]


@click.command(name="import")
@click.argument("data", nargs=-1, required=True)
@click.option(
    "--to", "captures", required=True, metavar="CAPTURES", help="The captures that the labels are for."
)
@click.option("--endpoint", required=True, metavar="NAME", help="The endpoint that they are for.")
@click.option(
    "--id", "id_", metavar="COLUMN", help="The column of ids; id, event_id or inference_id by default."
)
@click.option(
    "--label",
    multiple=True,
    metavar="COLUMN",
    help="The column of labels, label by default; may be repeated.",
)
@click.option(
    "--time", metavar="COLUMN", help="When the labels were found out; the time of import by default."
)
@click.option(
    "--row", metavar="COLUMN", help="The rows within events of several; row by default, if there is one."
)
@click.option(
    "--by",
    metavar="WHAT",
    help="What the ids are: event_id, inference_id, or auto, the inference id of events that have one and the event id of "
    "the others; what the column is called by default.",
)
@click.option("--strict", is_flag=True, help="Import nothing if any label cannot be read.")
@click.option("--header/--no-header", default=None, help="Whether CSV files begin with column names.")
@click.option(
    "--format",
    "format_",
    metavar="FORMAT",
    help="parquet, csv, jsonl or sagemaker; told from the name by default.",
)
@state_option
@as_json
def command(
    data: tuple[str, ...],
    captures: str,
    endpoint: str,
    id_: str | None,
    label: tuple[str, ...],
    time: str | None,
    row: str | None,
    by: str | None,
    strict: bool,
    header: bool | None,
    format_: str | None,
    state: str | None,
    json_: bool,
) -> int:
    """Bring in labels, by event id or inference id, whenever they come. Importing a file again changes nothing.

    \b
      driftline truth import labels.csv --to captures/ --endpoint churn
      driftline truth import s3://bucket/ground-truth --to captures/ --endpoint churn
    """
    from driftline.capture.truth import import_labels

    imported = import_labels(
        existing(captures, state),
        endpoint,
        one_or_many(data),
        id=id_,
        label=(label[0] if len(label) == 1 else label) or None,
        time=time,
        row=row,
        by=by,
        format=format_,
        header=header_option(header),
        strict=strict,
    )
    if json_:
        print_json(json.dumps(asdict(imported), indent=2))
    else:
        _print(imported)
    return 0


def _print(imported: Imported) -> None:
    click.echo(f"{imported.labels:,} labels imported")
    if imported.repeated:
        click.echo(f"{imported.repeated:,} files were imported before and are left alone")
    if imported.refused:
        click.echo(f"{imported.refused:,} labels cannot be read and are in quarantine:")
        for item in imported.examples:
            click.echo(f"  {item}")
        if imported.refused > len(imported.examples):
            click.echo("  […]")
