"""Every test of the registry runs twice: on SQLite, and on a real PostgreSQL."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from postgres import Server, server

from driftline.registry.store import Registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    with server() as made:
        yield made


@pytest.fixture(scope="session")
def templates() -> dict[str, str]:
    """What was made already: the migrations run once for each engine."""
    return {}


@pytest.fixture(params=["sqlite", "postgresql"])
def url(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    templates: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> str:
    """The URL of a fresh, migrated database."""
    engine = request.param
    if engine == "sqlite":
        if engine not in templates:
            first = tmp_path_factory.mktemp("template") / "registry.db"
            Registry.create(first).close()
            templates[engine] = str(first)
        path = tmp_path / "registry.db"
        shutil.copy(templates[engine], path)
        return f"sqlite:///{path}"
    made: Server = request.getfixturevalue("postgres")
    if engine not in templates:
        first_url = made.database()
        Registry.create(first_url, root=tmp_path).close()
        templates[engine] = first_url.rpartition("/")[2]
    return made.database(templates[engine])


@pytest.fixture
def registry(url: str, tmp_path: Path) -> Iterator[Registry]:
    """A registry on either engine."""
    with Registry.open(url, root=tmp_path) as opened:
        yield opened
