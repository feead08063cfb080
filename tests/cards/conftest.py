"""A workspace for cards, and people in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from driftline.cards.session import Session
from driftline.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

DATA = Path(__file__).parents[1] / "data" / "cards"


@pytest.fixture
def data() -> Path:
    """Folder of the sample data."""
    return DATA


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.create(tmp_path / "workspace") as made:
        yield made


@pytest.fixture
def ann(workspace: Workspace) -> Session:
    return Session(workspace, who="ann")


@pytest.fixture
def bob(workspace: Workspace) -> Session:
    return Session(workspace, who="bob")
