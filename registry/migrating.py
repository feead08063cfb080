"""Migrating: bringing the tables of a registry up to date, whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alembic.config import Config

    from driftline.registry.database import Database

__all__ = ["configuration", "migrate"]


def configuration() -> Config:
    """Return Alembic's configuration; the migrations lie beside this file."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    made.set_main_option("path_separator", "os")
    return made


def migrate(database: Database, to: str = "head") -> None:
    """Run the migrations that are missing, in one transaction.

    Parameters
    ----------
    database : Database
    to : str
        The migration to stop at.
    """
    from alembic import command

    config = configuration()
    with database.writing() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, to)
