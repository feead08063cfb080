"""Shared by the tests of rooms: a small workspace, in which several people act."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from driftline.rooms import Cards
from driftline.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

As = Callable[[str], Cards]


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """A workspace with one registered model, churn 3."""
    for name in ("DRIFTLINE_WORKSPACE", "DRIFTLINE_DATABASE", "DRIFTLINE_USER"):
        monkeypatch.delenv(name, raising=False)
    with Workspace.create(tmp_path / "ws") as made:
        made.models.declare(
            "churn", owner="growth", risk_rating="high", description="Who leaves", reason="first"
        )
        made.models.declare_version(
            "churn",
            "3",
            artifacts=[{"name": "model", "uri": "s3://models/churn.onnx"}],
            training={"job": "train-42", "parameters": {"depth": 5}, "metrics": {"auc": 0.91}},
        )
        yield made


@pytest.fixture
def acting(workspace: Workspace) -> As:
    """Return the cards of the workspace, for somebody."""
    return lambda who: Cards(workspace, who)
