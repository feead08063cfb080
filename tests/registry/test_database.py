"""Database: whatever it does, what comes out is a typed error that names the file."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from driftline.errors import InputError, UsageError
from driftline.registry import models
from driftline.registry.database import RegistryError
from driftline.registry.store import Registry
from driftline.registry.tables import events

if TYPE_CHECKING:
    from driftline.registry.store import Tx


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("a\0b", "E-TEXT"),
        ("\ud800", "E-TEXT"),
        (float("nan"), "E-VALUE"),
        (object(), "E-VALUE"),
        ({1, 2}, "E-VALUE"),
    ],
)
def test_values_that_the_tables_refuse(registry: Registry, value: Any, code: str) -> None:
    def emit(tx: Tx) -> None:
        tx.insert(
            events,
            id="E",
            type="t",
            subject="s",
            moment=0,
            data={"v": 1} if isinstance(value, str) else value,
        )

    def write(tx: Tx) -> None:
        tx.insert(
            events, id=value if isinstance(value, str) else "E", type="t", subject="s", moment=0, data=value
        )

    for act in (lambda: registry.act(write), lambda: _written(registry, write)):
        with pytest.raises(UsageError) as caught:
            act()
        assert caught.value.code == code
    with registry.read() as tx:
        assert tx.execute(sa.text("SELECT count(*) FROM events")).scalar_one() == 0
    if isinstance(value, str):
        registry.act(emit)


def _written(registry: Registry, action: Any) -> None:
    with registry.write("ann") as tx:
        action(tx)


def test_a_document_that_is_damaged(registry: Registry) -> None:
    with registry.write("ann") as tx:
        tx.execute(
            sa.text(
                "INSERT INTO events (seq, id, type, subject, moment, data) VALUES (9, 'E', 't', 's', 0, '{\"a')"
            )
        )
    with registry.read() as tx, pytest.raises(InputError, match=r"E-REGISTRY: .*damaged"):
        tx.all(sa.select(events))


def test_more_connections_than_there_are(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry.database.engine.pool, "_timeout", 0.01)
    with pytest.raises(RegistryError, match="E-BUSY"):
        _nested(registry, 40)


def _nested(registry: Registry, n: int) -> None:
    if n:
        with registry.read():
            _nested(registry, n - 1)


def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    folder = tmp_path / "ws"
    Registry.create(folder / "registry.db").close()
    said: list[str] = []

    def look() -> None:
        try:
            Registry.open(folder / "registry.db")
        except RegistryError as error:
            said.append(str(error))

    real = Path.is_file

    def refused(path: Path) -> bool:
        if path.name == "registry.db":
            raise PermissionError(13, os.strerror(13), str(path))
        return real(path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "is_file", refused)
        look()
    assert len(said) == 1
    assert said[0].startswith("E-REGISTRY: ")
    assert "cannot be read: Permission denied" in said[0]


def test_a_folder_a_missing_file_and_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "folder.db").mkdir()
    (tmp_path / "empty.db").touch()
    for name in ("folder.db", "missing.db", "empty.db"):
        with pytest.raises(RegistryError, match="E-NO-REGISTRY"):
            Registry.open(tmp_path / name)
    assert not (tmp_path / "missing.db").exists()


def test_damaged_files(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    Registry.create(path).close()
    data = path.read_bytes()
    path.write_bytes(b"x" * 4096 + data[4096:])
    with pytest.raises(RegistryError, match=r"is damaged: file is not a database.*integrity_check"):
        Registry.open(path)
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(RegistryError, match="is damaged"):
        Registry.open(path)


def test_a_lock_that_is_held_is_told_of_in_our_words(tmp_path: Path) -> None:
    registry = Registry.create(tmp_path / "registry.db")
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with registry.write("holder") as tx:
            models.declare(tx, "mine")
            held.set()
            done.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(30)
    try:
        with (
            pytest.raises(RegistryError, match=r"E-BUSY.*another process is writing"),
            registry.write("ann") as tx,
        ):
            models.declare(tx, "a")
    finally:
        done.set()
        thread.join()
    with registry.read() as tx:
        assert [m.name for m in models.list_models(tx)] == ["mine"]
    registry.close()
