from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.capture import text
from driftline.capture.blob import Blob, local_blob
from driftline.capture.text import lines, text_chunks
from driftline.errors import SourceError

if TYPE_CHECKING:
    from pathlib import Path


def _cut(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


def _plain(data: bytes, size: int) -> bytes:
    return b"".join(text_chunks(Blob("f", "f", len(data)), _cut(data, size)))


@given(st.binary().filter(lambda b: b"\0" not in b and b[:2] not in (b"\xff\xfe", b"\xfe\xff", b"\x1f\x8b")))
def test_text_is_the_same_however_it_is_cut(data: bytes) -> None:
    expected = data.removeprefix(b"\xef\xbb\xbf")
    for size in (1, 2, 3, 1000):
        assert _plain(data, size) == expected


@given(st.lists(st.binary().map(lambda b: b.replace(b"\0", b"")), min_size=1), st.integers(1, 50))
def test_gzip_members_are_joined(members: list[bytes], size: int) -> None:
    expected = b"".join(members)
    if expected[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return
    packed = b"".join(gzip.compress(member, mtime=0) for member in members) + b"\0" * 7
    assert _plain(packed, size) == expected.removeprefix(b"\xef\xbb\xbf")


def test_a_large_member_comes_in_pieces() -> None:
    packed = gzip.compress(b"x" * (5 << 20), mtime=0)
    sizes = [len(chunk) for chunk in text_chunks(Blob("f", "f", 0), [packed])]
    assert sum(sizes) == 5 << 20
    assert max(sizes) <= 1 << 20


@pytest.mark.parametrize("keep", [2, 10, 30, -9, -1])
def test_truncated_gzip_is_refused(keep: int) -> None:
    packed = gzip.compress(b"a,b\n1,2\n" * 100, mtime=0)
    with pytest.raises(SourceError, match="gzip") as caught:
        _plain(packed[:keep], 7)
    assert caught.value.code == "E-GZIP"


def test_damaged_gzip_is_refused() -> None:
    packed = bytearray(gzip.compress(b"a,b\n1,2\n" * 100, mtime=0))
    packed[-6] ^= 1
    with pytest.raises(SourceError, match="damaged gzip"):
        _plain(bytes(packed), 1000)


@pytest.mark.parametrize("mark", ["utf-16-le", "utf-16-be"])
def test_utf16_is_named(mark: str) -> None:
    with pytest.raises(SourceError, match="UTF-16"):
        _plain("\ufeffa,b\n".encode(mark), 100)


def test_nul_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"a\nb\n" + b"c" * (3 << 20) + b"\nd\0\n")
    with pytest.raises(SourceError, match="NUL") as caught:
        b"".join(text_chunks(local_blob(str(path))))
    assert caught.value.line == 4


@given(
    st.lists(st.text(st.characters(exclude_characters="\n\0", codec="utf-8")).map(str.encode)),
    st.integers(1, 9),
)
def test_lines_are_numbered_however_they_are_cut(expected: list[bytes], size: int) -> None:
    pieces = list(lines("f", _cut(b"\n".join(expected), size)))
    assert all(piece.data.count(b"\n") == piece.count and piece.file == "f" for piece in pieces)
    found = [line for piece in pieces for line in piece.each()]
    assert found == [(i, line) for i, line in enumerate(expected, start=1) if line and not line.isspace()]


def test_a_line_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "MAX_LINE", 100)
    with pytest.raises(SourceError, match="longer than") as caught:
        list(lines("f", [b"ok\n", *[b"x" * 50] * 3]))
    assert (caught.value.code, caught.value.line) == ("E-LINE", 2)
