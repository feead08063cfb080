"""Text files as bytes in pieces and as lines: decompressed, without a byte order mark, free of NUL bytes."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from driftline.capture.failure import reading
from driftline.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from driftline.capture.blob import Blob

__all__ = ["MAX_LINE", "Lines", "kind_of", "lines", "text_chunks"]

MAX_LINE = 64 << 20
"""Longest line in bytes. A captured request of SageMaker has at most 6 MiB on each side."""

_GZIP = b"\x1f\x8b"
_UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_CHUNK = 1 << 20

_BEGINNINGS = {
    b"PAR1": "a Parquet file",
    b"ARROW1": "an Arrow file",
    b"FEA1": "a Feather file",
    b"PK\x03\x04": "a zip archive or an Excel file",
    b"\xd0\xcf\x11\xe0": "an old Excel file",
    b"Obj\x01": "an Avro file",
    b"ORC": "an ORC file",
    b"SQLite": "a database",
    b"\x1f\x8b": "a gzip archive",
    b"\xfd7zXZ": "an xz archive",
    b"BZh": "a bzip2 archive",
    b"\x28\xb5\x2f\xfd": "a zstd archive",
    b"\x89HDF": "an HDF5 file",
    b"\x80\x02": "a pickle",
    b"\x80\x03": "a pickle",
    b"\x80\x04": "a pickle",
    b"\x80\x05": "a pickle",
}


def kind_of(head: bytes) -> str | None:
    """Tell what sort of file begins like this, in words, or None for what may be text."""
    return next((name for magic, name in _BEGINNINGS.items() if head.startswith(magic)), None)


def text_chunks(blob: Blob, chunks: Iterable[bytes] | None = None) -> Iterator[bytes]:
    """Give the text of a file in pieces of any size, none empty.

    Gzip is recognised by its first two bytes, whatever the file is called, and a UTF-8 byte order mark is
    left out.

    Parameters
    ----------
    blob : Blob
    chunks : iterable of bytes, optional
        Its bytes, where somebody has them already.

    Raises
    ------
    SourceError
        For damaged or truncated gzip data, UTF-16, and NUL bytes (with the line).
    """
    position = 0
    for chunk in _plain(blob, blob.chunks() if chunks is None else chunks):
        if b"\0" in chunk:
            binary = None if position else kind_of(chunk)
            if binary is not None:
                raise SourceError(
                    f"is {binary}, not text",
                    code="E-ENCODING",
                    file=blob.name,
                    fix="name it by what it is, or give its format"
                    if chunk.startswith(b"PAR1")
                    else "unpack it, or convert it to Parquet",
                )
            raise SourceError(
                "holds a NUL byte, so it is not text",
                code="E-ENCODING",
                file=blob.name,
                line=_line_at(blob, position + chunk.index(b"\0")),
                fix="write the file again as UTF-8 text",
            )
        position += len(chunk)
        yield chunk


def _line_at(blob: Blob, position: int) -> int:
    """Count lines in a second reading: only faulty files pay for it."""
    line = 1
    for chunk in _plain(blob, blob.chunks()):
        line += chunk.count(b"\n", 0, position)
        position -= len(chunk)
        if position <= 0:
            break
    return line


def _plain(blob: Blob, chunks: Iterable[bytes]) -> Iterator[bytes]:
    return _without_mark(blob.name, _unzipped(blob.name, chunks))


def _without_mark(file: str, chunks: Iterator[bytes]) -> Iterator[bytes]:
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= len(_UTF8_MARK):
            break
    if head.startswith(_UTF16_MARKS):
        raise SourceError(
            "is UTF-16 or UTF-32 text", code="E-ENCODING", file=file, line=1, fix="save the file as UTF-8"
        )
    head = head.removeprefix(_UTF8_MARK)
    if head:
        yield head
    yield from chunks


def _unzipped(file: str, chunks: Iterable[bytes]) -> Iterator[bytes]:
    stream = iter(chunks)
    head = b""
    for chunk in stream:
        head += chunk
        if len(head) >= len(_GZIP):
            break
    if not head.startswith(_GZIP):
        if head:
            yield head
        yield from stream
        return
    member = zlib.decompressobj(wbits=31)
    data = head
    with reading(file, "cannot be decompressed"):
        while True:
            # The limit keeps a bomb from unfolding in memory; what is left waits in unconsumed_tail.
            out = member.decompress(data, _CHUNK)
            if out:
                yield out
            if member.eof:
                # Files may hold several members, and zeros up to a block's end after the last.
                data = member.unused_data.lstrip(b"\0")
                while not data:
                    more = next(stream, None)
                    if more is None:
                        return
                    data = more.lstrip(b"\0")
                member = zlib.decompressobj(wbits=31)
                continue
            data = member.unconsumed_tail
            if not data and len(out) < _CHUNK:
                more = next(stream, None)
                if more is None:
                    raise SourceError(
                        "ends in the middle of its gzip data",
                        code="E-GZIP",
                        file=file,
                        fix="copy the file again",
                    )
                data = more


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of one file that follow each other.

    Attributes
    ----------
    file : str
    first : int
        1-based number of the first one.
    count : int
    data : bytes
        The lines; each ends in a line feed, also the last one of the file.
    """

    file: str
    first: int
    count: int
    data: bytes

    def each(self) -> Iterator[tuple[int, bytes]]:
        """Give the lines with their numbers; lines of white space are counted and left out."""
        for number, line in enumerate(self.data.split(b"\n"), start=self.first):
            if line and not line.isspace():
                yield number, line


def lines(file: str, chunks: Iterable[bytes]) -> Iterator[Lines]:
    """Cut the text of a file into pieces of whole lines, as large as the chunks are.

    Raises
    ------
    SourceError
        ``E-LINE`` for a line longer than :data:`MAX_LINE`.
    """
    first = 1
    rest: list[bytes] = []
    waiting = 0
    for chunk in chunks:
        end = chunk.rfind(b"\n") + 1
        if end:
            data = b"".join((*rest, chunk[:end]))
            count = data.count(b"\n")
            yield Lines(file, first, count, data)
            first += count
            rest, waiting = [], 0
        if end < len(chunk):
            rest.append(chunk[end:])
            waiting += len(chunk) - end
        if waiting > MAX_LINE:
            raise SourceError(
                f"the line is longer than {MAX_LINE >> 20} MiB",
                code="E-LINE",
                file=file,
                line=first,
                fix="check that this is a file of lines",
            )
    if rest:
        yield Lines(file, first, 1, b"".join((*rest, b"\n")))
