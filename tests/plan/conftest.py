"""A workspace on both engines, and the files that a declaration speaks of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from declared import Site, made_site
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
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "registry.db"
    Registry.create(path).close()
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def site(request: pytest.FixtureRequest, tmp_path: Path, template: Path) -> Iterator[Site]:
    """A workspace on either engine."""
    url = None
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres").database()
        Registry.create(url, root=tmp_path).close()
    made = made_site(tmp_path / "ws", template, url)
    with made.workspace:
        yield made


@pytest.fixture
def local(tmp_path: Path, template: Path) -> Iterator[Site]:
    """A workspace on SQLite, for what does not depend on the engine."""
    made = made_site(tmp_path / "ws", template)
    with made.workspace:
        yield made
