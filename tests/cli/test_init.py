"""``driftline init``."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from driftline.cli.application import application
from driftline.cli.init import _state
from driftline.configuration import TEMPLATE
from driftline.errors import DriftlineError
from driftline.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

    import click


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("DRIFTLINE_WORKSPACE", "DRIFTLINE_DATABASE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def invoke(*arguments: str) -> click.testing.Result:
    return CliRunner().invoke(application, ["init", *arguments], catch_exceptions=False)


def test_it_makes_a_workspace_and_says_what_is_next(place: Path) -> None:
    done = invoke()
    assert done.output == (
        "workspace driftline-workspace: the registry is made\n"
        "declare models and monitors in driftline-workspace/driftline.toml, then: "
        "driftline apply driftline-workspace/driftline.toml\n"
    )
    assert (place / "driftline-workspace" / "driftline.toml").read_text() == TEMPLATE
    Workspace().close()


def test_it_is_closed_to_others(place: Path) -> None:
    old = os.umask(0)
    try:
        invoke("ws")
    finally:
        os.umask(old)
    assert (place / "ws").stat().st_mode & 0o077 == 0
    for entry in (place / "ws").iterdir():
        assert entry.stat().st_mode & 0o077 == 0, entry


def test_again_changes_nothing(place: Path) -> None:
    invoke("ws")
    (place / "ws" / "driftline.toml").write_text("[models.churn]\n")
    done = invoke("ws")
    assert done.output.startswith("workspace ws: the registry is there\nws/driftline.toml is as it was")
    assert (place / "ws" / "driftline.toml").read_text() == "[models.churn]\n"


def test_json(place: Path) -> None:
    first = json.loads(invoke("ws", "--json").output)
    assert first == {
        "workspace": str(place / "ws"),
        "database": str(place / "ws" / "registry.db"),
        "registry": "made",
        "configuration": str(place / "ws" / "driftline.toml"),
        "wrote_configuration": True,
    }
    again = json.loads(invoke("ws", "--json").output)
    assert again == first | {"registry": "there", "wrote_configuration": False}


def test_an_older_registry_is_told_from_none(place: Path) -> None:
    import sqlite3

    invoke("ws")
    with sqlite3.connect(place / "ws" / "registry.db") as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            if not table.startswith("sqlite_"):
                connection.execute(f"DROP TABLE {table}")
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES ('0000')")
    connection.close()
    with pytest.raises(DriftlineError, match="bring it up to date with `driftline init`"):
        Workspace("ws")
    assert _state("ws", None) == "updated"
    assert _state("nowhere", None) == "made"


def test_a_newer_registry_is_left_alone(place: Path) -> None:
    import sqlite3

    invoke("ws")
    with sqlite3.connect(place / "ws" / "registry.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(DriftlineError, match="update driftline"):
        invoke("ws")


def test_a_database_elsewhere_is_written_down(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    class Opened:
        root = "ws"

        class registry:  # noqa: N801
            class database:  # noqa: N801
                name = "postgresql://db.example.com/driftline"

        def __enter__(self) -> Opened:
            return self

        def __exit__(self, *_: object) -> None:
            return

    def create(root: str, *, database: str) -> Opened:
        made.append((root, database))
        return Opened()

    monkeypatch.setattr(Workspace, "create", create)
    monkeypatch.setattr("driftline.cli.init._state", lambda *_: "made")
    (place / "ws").mkdir()
    invoke("ws", "--database", "postgresql://db.example.com/driftline")
    assert made == [("ws", "postgresql://db.example.com/driftline")]
    text = (place / "ws" / "driftline.toml").read_text()
    assert '[workspace]\ndatabase = "postgresql://db.example.com/driftline"\n#captures' in text


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://ann:secret@db/driftline", "DRIFTLINE_DATABASE"),
        ("mysql://db/driftline", "expected sqlite or the URL of a PostgreSQL database"),
        ("", "--database"),
    ],
)
def test_a_database_that_cannot_be(place: Path, url: str, words: str) -> None:
    with pytest.raises(DriftlineError, match=words) as caught:
        invoke("ws", "--database", url)
    assert "secret" not in str(caught.value)
    assert list(place.iterdir()) == []


def test_a_database_other_than_that_of_the_file(place: Path) -> None:
    invoke("ws")
    with pytest.raises(DriftlineError, match=r"write database = .* under \[workspace\]"):
        invoke("ws", "--database", "postgresql://db/driftline")


def test_a_file_where_the_folder_should_be(place: Path) -> None:
    (place / "ws").write_text("a file")
    with pytest.raises((DriftlineError, OSError)):
        invoke("ws")
