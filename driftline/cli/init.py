"""``driftline init``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from driftline.cli.options import as_json
from driftline.cli.workspaces import print_document

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["command"]


@click.command(name="init")
@click.argument("folder", metavar="DIR", required=False)
@click.option(
    "--database",
    metavar="URL",
    help="PostgreSQL database in place of a file in DIR, without its password.",
)
@as_json
def command(folder: str | None, database: str | None, json_: bool) -> int:
    """Make a workspace.

    DIR is a folder, driftline-workspace by default. It gets a registry, and a driftline.toml in which everything is
    explained and nothing is switched on. Doing it again changes nothing, and brings the registry of an older driftline
    up to date.

    \b
      driftline init
      driftline init /srv/driftline --database postgresql://db.example.com/driftline
    """
    from pathlib import Path

    from driftline.workspace import CONFIGURATION, Workspace, find_root

    root = find_root(folder)
    is_local = "://" not in root
    file = Path(root) / CONFIGURATION
    if database is not None:
        _refuse_database(database, file if is_local else None)
    state = _state(root, database)
    with Workspace.create(root, database=database) as ws:
        place, name = ws.root, ws.registry.database.name
    wrote = is_local and not file.exists()
    if wrote:
        _write(file, database)
    if json_:
        print_document(
            {
                "workspace": place,
                "database": name,
                "registry": state,
                "configuration": str(Path(place) / CONFIGURATION) if is_local else None,
                "wrote_configuration": wrote,
            }
        )
        return 0
    click.echo(f"workspace {root}: {_WORDS[state]}")
    if not is_local:
        click.echo("declare models and monitors in a file, then: driftline apply FILE")
    elif wrote:
        click.echo(f"declare models and monitors in {file}, then: driftline apply {file}")
    else:
        click.echo(f"{file} is as it was; next: driftline apply {file}")
    return 0


_WORDS = {
    "made": "the registry is made",
    "updated": "the registry is brought up to date",
    "there": "the registry is there",
}


def _state(root: str, database: str | None) -> str:
    """Tell what will have become of the registry."""
    from driftline.registry.database import RegistryError
    from driftline.workspace import Workspace

    try:
        Workspace(root, database=database).close()
    except RegistryError as error:
        if error.code == "E-NO-REGISTRY":
            return "made"
        if error.code == "E-REGISTRY-VERSION":
            return "updated"
        raise
    return "there"


def _refuse_database(database: str, file: Path | None) -> None:
    """Refuse what could not be found again, or must not be written down."""
    from driftline.configuration import read_configuration
    from driftline.configuration.reading import read_workspace
    from driftline.documents import encode
    from driftline.errors import DocumentError, UsageError

    try:
        read_configuration(f"[workspace]\ndatabase = {encode(database)}\n".encode(), "--database")
    except DocumentError as error:
        raise UsageError(
            error.message,
            code="E-DATABASE",
            field="--database",
            fix="give postgresql://host/name; set DRIFTLINE_DATABASE to a URL that holds a password",
        ) from None
    if file is not None and file.exists() and read_workspace(file).database != database:
        raise UsageError(
            "names another database",
            code="E-DATABASE",
            file=file,
            field="workspace.database",
            fix=f"write database = {encode(database)} under [workspace] there",
        )


def _write(file: Path, database: str | None) -> None:
    from driftline.configuration import TEMPLATE
    from driftline.documents import encode
    from driftline.files import write_whole

    text = TEMPLATE
    if database is not None:
        head, mark, rest = text.partition("#[workspace]\n")
        text = f"{head}[workspace]\ndatabase = {encode(database)}\n{rest}" if mark else text
    write_whole(file, text.encode("utf-8"))
