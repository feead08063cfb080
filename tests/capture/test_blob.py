from __future__ import annotations

import os
from pathlib import Path

import pytest

from driftline.capture.blob import Blob, local_blob, read_ahead
from driftline.errors import SourceError


def test_bytes_come_back_in_any_pieces(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(bytes(range(256)) * 10)
    blob = local_blob(str(path))
    for size in (1, 100, 2560, 10_000):
        assert b"".join(blob.chunks(size)) == path.read_bytes()
    with blob.random() as stream:
        stream.seek(256)
        assert stream.read(3) == b"\0\1\2"


@pytest.mark.parametrize("how", ["append", "shorten", "replace", "touch", "remove"])
def test_a_file_that_changes_is_noticed(tmp_path: Path, how: str) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"0123456789")
    blob = local_blob(str(path))
    if how == "append":
        path.write_bytes(b"0123456789x")
    elif how == "shorten":
        path.write_bytes(b"01234")
    elif how == "replace":
        (tmp_path / "g").write_bytes(b"9876543210")
        os.utime(tmp_path / "g", ns=(path.stat().st_mtime_ns,) * 2)
        (tmp_path / "g").replace(path)
    elif how == "touch":
        os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))
    else:
        path.unlink()
    for open_it in (lambda: list(blob.chunks()), blob.random):
        with pytest.raises(SourceError, match=r"changed|exist") as caught:
            open_it()
        assert caught.value.file == str(path)


def test_a_change_while_reading_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"0123456789")
    pieces = local_blob(str(path)).chunks(4)
    assert next(pieces) == b"0123"
    path.write_bytes(b"0123456789 and more")
    with pytest.raises(SourceError) as caught:
        list(pieces)
    assert caught.value.code == "E-CHANGED"


def test_a_pipe_is_refused_without_waiting(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(SourceError, match="not a regular file"):
        local_blob(str(path))
    for open_it in (lambda blob: list(blob.chunks()), Blob.random):
        with pytest.raises(SourceError, match="not a regular file"):
            open_it(Blob("pipe", str(path), 10))


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/full", "/", "/nowhere/at/all"])
def test_what_is_no_file_is_refused(path: str) -> None:
    with pytest.raises(SourceError) as caught:
        local_blob(path)
    assert caught.value.code == "E-FILE"


class _SlowStore:
    """Stands for a remote file system; counts how far reading runs ahead."""

    def __init__(self) -> None:
        self.opened: list[str] = []

    def open_input_stream(self, path: str, compression: object) -> object:
        assert compression is None
        self.opened.append(path)
        return Path(path).open("rb")


def test_remote_blobs_are_fetched_ahead_in_order(tmp_path: Path) -> None:
    store = _SlowStore()
    blobs = []
    for number in range(100):
        path = tmp_path / f"{number:03}"
        path.write_bytes(str(number).encode())
        blobs.append(Blob(path.name, str(path), path.stat().st_size, store))
    found = [(blob.name, b"".join(chunks)) for blob, chunks in read_ahead(blobs)]
    assert found == [(f"{n:03}", str(n).encode()) for n in range(100)]


def test_reading_ahead_is_bounded(tmp_path: Path) -> None:
    store = _SlowStore()
    path = tmp_path / "f"
    path.write_bytes(b"x")
    blobs = [Blob(str(n), str(path), 1, store) for n in range(1000)]
    reader = read_ahead(blobs)
    next(reader)
    reader.close()
    assert len(store.opened) <= 32


def test_a_remote_object_of_another_size_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"xyz")
    with pytest.raises(SourceError) as caught:
        list(Blob("f", str(path), 2, _SlowStore()).chunks())
    assert caught.value.code == "E-CHANGED"
