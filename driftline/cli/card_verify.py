"""``driftline card verify``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, print_document, workspace_option

if TYPE_CHECKING:
    from driftline.registry.card_types import Break

__all__ = ["command"]

_ALL = 1 << 30
_MOST_BYTES = 256 << 20


@click.command(name="verify")
@click.argument("name", metavar="[CARD]", required=False)
@click.option(
    "--document",
    "file",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="An exported JSON document in place of the workspace.",
)
@workspace_option
@as_json
def command(name: str | None, file: str | None, workspace: str | None, json_: bool) -> int:
    """Verify the chain of hashes, of a card, of all, or of an exported one. Leaves with 1 where it is broken.

    It trusts nothing that is stored: contents are hashed anew, and every record with the one before it. A document that
    `driftline card export --format json` wrote is verified without any workspace.

    \b
      driftline card verify churn-card
      driftline card verify --document churn-card-v3.json
    """
    from driftline.errors import printable

    if file is not None:
        if name is not None or workspace is not None:
            raise click.UsageError("--document is verified by itself: leave CARD and --workspace out")
        told, found = _document(file)
    else:
        told, found = _stored(name, workspace)
    if json_:
        print_document({"verified": told, "breaks": [_plain(one) for one in found]})
    else:
        for one in found:
            at = "".join(
                f", {head} {value}"
                for head, value in (("version", one.version), ("record", one.record))
                if value is not None
            )
            click.echo(f"{printable(one.card or file or '', 300)}{at}: {printable(one.what, 600)}")
        if not found:
            click.echo(_all_well(told))
    return int(bool(found))


def _stored(name: str | None, workspace: str | None) -> tuple[list[dict[str, Any]], list[Break]]:
    with opened(workspace) as ws:
        found = ws.cards.verify(name)
        cards = ws.cards.list(limit=_ALL) if name is None else [ws.cards.get(name)]
    told = [
        {"card": card.name, "versions": card.version, "records": card.records, "head": card.head}
        for card in cards
    ]
    return told, found


def _document(file: str) -> tuple[list[dict[str, Any]], list[Break]]:
    from driftline.cards.render.document import check
    from driftline.documents import decode
    from driftline.files import read_regular

    document = decode(read_regular(file, max_bytes=_MOST_BYTES), file=file, max_bytes=_MOST_BYTES)
    found = check(document)
    if found:
        return [], found
    # What was checked is of this form.
    chain = document["chain"]
    versions = document["version"]["version"]
    records = len(chain["records"])
    return [
        {"card": chain["card"]["name"], "versions": versions, "records": records, "head": chain["head"]}
    ], []


def _plain(one: Break) -> dict[str, Any]:
    return {"card": one.card, "version": one.version, "record": one.record, "what": one.what}


def _all_well(told: list[dict[str, Any]]) -> str:
    from driftline.reports.wording import plural

    if len(told) != 1:
        return f"{plural(len(told), 'card')}, all as they were written"
    one = told[0]
    return (
        f"{one['card']}: {plural(one['versions'], 'version')}, {plural(one['records'], 'record')}, "
        f"all as they were written; head {one['head']}"
    )
