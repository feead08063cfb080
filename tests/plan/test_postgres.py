"""A workspace whose registry is a real PostgreSQL, as the command line makes and finds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from declared import DECLARED, training

from driftline.cli.application import application
from driftline.errors import DriftlineError
from driftline.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

    from postgres import Server


def test_init_and_apply(postgres: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("DRIFTLINE_WORKSPACE", "DRIFTLINE_DATABASE"):
        monkeypatch.delenv(name, raising=False)

    def said(*arguments: str) -> str:
        done = CliRunner().invoke(application, arguments, catch_exceptions=False)
        assert done.exit_code == 0
        return done.output

    url = postgres.database()
    with pytest.raises(DriftlineError, match="driftline init"):
        Workspace("ws", database=url)
    assert "the registry is made" in said("init", "ws", "--database", url)
    assert "the registry is there" in said("init", "ws", "--database", url)
    assert "the registry is there" in said("init", "ws")
    file = tmp_path / "ws" / "driftline.toml"
    assert f'database = "{url}"' in file.read_text()
    assert not (tmp_path / "ws" / "registry.db").exists()
    (tmp_path / "ws" / "train.csv").write_text(training())
    (tmp_path / "ws" / "churn.bin").write_bytes(b"model")
    file.write_text(f'[workspace]\ndatabase = "{url}"\n{DECLARED}')
    assert said("apply", "ws/driftline.toml", "-y").endswith("applied\n")
    assert said("apply", "ws/driftline.toml") == "0 to create, 0 to change, 0 to remove, 8 unchanged\n"
    # Within the folder, without a file named registry.db, it is found by what driftline.toml says.
    monkeypatch.chdir(tmp_path / "ws")
    assert "churn-prod" in said("endpoint", "list")
    monkeypatch.setenv("DRIFTLINE_DATABASE", postgres.database())
    with pytest.raises(DriftlineError) as caught:
        said("endpoint", "list")
    assert caught.value.code == "E-NO-REGISTRY"
