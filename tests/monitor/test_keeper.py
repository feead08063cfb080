"""Keeper: what was kept comes back as it was, or not at all."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from driftline.capture.open import open_source
from driftline.capture.target import target_of
from driftline.errors import UsageError
from driftline.monitor import keeper as keeping
from driftline.monitor.keeper import FolderKeeper, Origin, Piece, files_digest, origin_of, packed, unpacked
from driftline.monitor.scan import scan

KEY = "ab" * 32
ORIGIN = Origin("churn", "AllTraffic", 7, 6, files_digest(["aa", "bb"]))


@pytest.fixture(scope="module")
def piece() -> Piece:
    data = pa.table({"x": [1.5, None, 3.0], "c": ["a", "b", "a"], "é\n": [True, False, None]})
    profile = scan(open_source(data), threads=1, compiled=False)
    return Piece(profile, (b"schema", b"\xff\x00"), (0, 1, 0))


def test_what_is_read_back_is_what_was_written(piece: Piece) -> None:
    data = packed(KEY, piece, ORIGIN)
    found = unpacked(KEY, data)
    assert found is not None
    assert found.profile.digest == piece.profile.digest
    assert (found.schemas, found.shape, found.profile.sources) == (piece.schemas, piece.shape, ())
    assert packed(KEY, found, ORIGIN) == data
    assert unpacked(KEY, memoryview(pa.py_buffer(data))) is not None


def test_any_reader_of_arrow_can_look_inside(piece: Piece) -> None:
    with pa.ipc.open_stream(pa.py_buffer(packed(KEY, piece, ORIGIN))) as reader:
        assert reader.read_all()["column"].to_pylist() == ["x", "c", "é\n"]


def test_no_changed_byte_goes_unseen(piece: Piece) -> None:
    data = packed(KEY, piece, ORIGIN)
    for at in range(0, len(data), 7):
        assert unpacked(KEY, data[:at] + bytes([data[at] ^ 0x20]) + data[at + 1 :]) is None
    for end in (0, 1, 31, 32, 33, len(data) // 2, len(data) - 1):
        assert unpacked(KEY, data[:end]) is None
    assert unpacked(KEY, data + b"x") is None


def test_what_lies_under_another_key_is_none(piece: Piece) -> None:
    assert unpacked("cd" * 32, packed(KEY, piece, ORIGIN)) is None


def test_other_forms_are_none_even_if_their_digest_is_right(
    piece: Piece, monkeypatch: pytest.MonkeyPatch
) -> None:
    import hashlib

    for content in (b"", b"not Arrow", piece.profile.to_bytes()):
        assert unpacked(KEY, content + hashlib.sha256(content).digest()) is None
    monkeypatch.setattr(keeping, "FORMAT", "driftline.kept/v0")
    old = packed(KEY, piece, ORIGIN)
    monkeypatch.undo()
    assert unpacked(KEY, old) is None


def test_a_folder_keeps(tmp_path: Path) -> None:
    keeper = FolderKeeper(target_of(tmp_path))
    assert keeper.get(KEY) is None
    for data in (b"one", b"two"):
        keeper.put(KEY, data)
        assert bytes(keeper.get(KEY) or b"") == data
    assert [p.relative_to(tmp_path) for p in tmp_path.rglob("*.arrows")] == [
        Path(f"profiles/ab/{KEY}.arrows")
    ]


def test_what_cannot_be_read_is_not_there(tmp_path: Path) -> None:
    keeper = FolderKeeper(target_of(tmp_path))
    (tmp_path / "profiles/ab" / f"{KEY}.arrows").mkdir(parents=True)
    assert keeper.get(KEY) is None
    with pytest.raises(UsageError) as caught:
        keeper.put(KEY, b"")
    assert caught.value.code == "E-WRITE"


def test_what_is_not_wanted_is_forgotten_and_so_is_what_nobody_can_read(tmp_path: Path, piece: Piece) -> None:
    data = packed(KEY, piece, ORIGIN)
    assert origin_of(data) == ORIGIN
    assert origin_of(b"x" * 99) is None
    keeper = FolderKeeper(target_of(tmp_path))
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "note.txt").write_text("not ours")
    for key, content in (("aa", data), ("bb", b"damaged"), ("cc", data)):
        keeper.put(key, content)
    assert keeper.forget(lambda origin: origin == ORIGIN) == 1
    assert [keeper.get(key) is None for key in ("aa", "bb", "cc")] == [False, True, False]
    assert keeper.forget(lambda origin: origin.span != ORIGIN.span) == 2
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["note.txt"]
