"""A workspace with a real baseline and real captures, on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from captured import Clock
from loop import site
from postgres import Server, server

from driftline.registry.store import Registry
from driftline.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    with server() as made:
        yield made


@pytest.fixture(scope="session")
def site_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hours 0 and 1 as trained, nothing in hour 2, hour 3 drifted."""
    root = tmp_path_factory.mktemp("site")
    site.files(root, shifts=(0.0, 0.0, None, 5.0))
    return root


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What was made already: the migrations run once for each engine."""
    path = tmp_path_factory.mktemp("registry") / "registry.db"
    Registry.create(path).close()
    return {"sqlite": str(path)}


@pytest.fixture
def clock() -> Clock:
    """Stands at the end of the four hours."""
    return Clock(site.START + 4 * site.HOUR)


@pytest.fixture(params=["sqlite", "postgresql"])
def ws(
    request: pytest.FixtureRequest, tmp_path: Path, clock: Clock, site_files: Path, migrated: dict[str, str]
) -> Iterator[Workspace]:
    """A workspace where nothing is declared yet."""
    root = tmp_path / "ws"
    shutil.copytree(site_files, root)
    database = None
    if request.param == "sqlite":
        shutil.copy(migrated["sqlite"], root / "registry.db")
    else:
        made: Server = request.getfixturevalue("postgres")
        if request.param not in migrated:
            first = made.database()
            Registry.create(first, root=root).close()
            migrated[request.param] = first.rpartition("/")[2]
        database = made.database(migrated[request.param])
    with Workspace(root, database=database, clock=clock) as opened:
        yield opened
