"""``driftline card schema``."""

from __future__ import annotations

import json

import click

from driftline.cli.options import as_json
from driftline.cli.streams import print_json

__all__ = ["command"]


@click.command(name="schema")
@click.option("--extensions", is_flag=True, help="Of what SageMaker has no place for.")
@as_json
def command(extensions: bool, json_: bool) -> int:  # noqa: ARG001 - it is JSON in any case
    """Print the JSON schema of a card's content.

    \b
      driftline card schema > model-card.schema.json
    """
    if extensions:
        from driftline.cards.extensions import schema
    else:
        from driftline.cards.json_schema import schema
    print_json(json.dumps(schema(), indent=2, ensure_ascii=False))
    return 0
