"""JSON Lines: one object a line, or a list of objects as one document.

Objects are flat; an object inside an object becomes columns with a dot in their names (``a.b``). A list has
no place in a table and is refused. A key that is absent is null. Numbers written without a point are whole
numbers.

Lines are read by pyarrow's parser in blocks where that is the same, and by the strict decoder one by one
otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from driftline.capture.blob import read_ahead
from driftline.capture.failure import as_source_error
from driftline.capture.rows import RowTable
from driftline.capture.source import Place
from driftline.capture.text import MAX_LINE, Lines, lines, text_chunks
from driftline.documents import decode
from driftline.errors import DocumentError, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from driftline.capture.blob import Blob
    from driftline.capture.source import Source

__all__ = [
    "JsonRecords",
    "flat",
    "has_many_lines",
    "json_records",
    "line_blocks",
    "open_jsonl",
    "pieces",
    "records_of",
    "stretches",
]

_MAX_DOCUMENT = 32 << 20
_NESTED = frozenset((dict, list))
_BLOCK_BYTES = 1 << 20
# Fewer are read before pyarrow's parsers are imported.
_MANY_LINES = 64


@dataclass(frozen=True, slots=True)
class _Document:
    """A file that is one list of records."""

    file: str
    values: list[Any]


def pieces(blob: Blob, chunks: Iterable[bytes]) -> Iterator[Lines | _Document]:
    """Give a JSON file as stretches of whole lines, or as the one list that it is.

    Raises
    ------
    SourceError
        As :func:`~driftline.capture.text.text_chunks` and :func:`~driftline.capture.text.lines`; ``E-JSON`` for a list
        that is not JSON.
    """
    text = text_chunks(blob, chunks)
    head = b""
    for chunk in text:
        head += chunk
        if head.lstrip():
            break
    whole = chain((head,), text)
    if head.lstrip().startswith(b"["):
        yield _Document(blob.name, _document(blob.name, whole))
    else:
        yield from lines(blob.name, whole)


def _document(file: str, chunks: Iterable[bytes]) -> list[Any]:
    data = bytearray()
    for chunk in chunks:
        data += chunk
        if len(data) > _MAX_DOCUMENT:
            raise SourceError(
                f"is one JSON document of more than {_MAX_DOCUMENT >> 20} MiB",
                code="E-JSON-SIZE",
                file=file,
                fix="write JSON Lines, one object a line",
            )
    try:
        value: list[Any] = decode(bytes(data), file=file)
    except DocumentError as error:
        raise as_source_error(error) from None
    return value


def json_records(blobs: Sequence[Blob]) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Give the objects of JSON files with their places.

    Raises
    ------
    SourceError
        ``E-JSON…`` with file and line for what is not strict JSON, ``E-RECORD`` for a value that is no
        object.
    """
    for blob, chunks in read_ahead(blobs):
        for piece in pieces(blob, chunks):
            yield from records_of(piece)


def records_of(piece: Lines | _Document) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Give the objects of one piece of a file, see :func:`json_records`."""
    if isinstance(piece, _Document):
        for number, value in enumerate(piece.values, start=1):
            yield Place(piece.file, number), _object(value, piece.file, number)
        return
    for number, line in piece.each():
        try:
            value = decode(line, file=piece.file, line=number, max_bytes=MAX_LINE)
        except DocumentError as error:
            if error.message.startswith("not JSON"):
                error.fix = "write one whole JSON object a line"
            raise as_source_error(error) from None
        yield Place(piece.file, number, len(line)), _object(value, piece.file, number)


def _object(value: Any, file: str, number: int) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    names = {list: "a list", str: "text", bool: "a boolean", type(None): "null"}
    found = names.get(type(value), "a number")
    raise SourceError(
        f"expected an object, found {found}",
        code="E-RECORD",
        file=file,
        line=number,
        fix='write one object a line, such as {"age": 31}',
    )


def line_blocks(blobs: Sequence[Blob]) -> Iterator[list[Lines | _Document]]:
    """Give the pieces of JSON files, about a megabyte together; small files share a block.

    Raises
    ------
    SourceError
        As :func:`~driftline.capture.text.text_chunks` and :func:`~driftline.capture.text.lines`.
    """
    block: list[Lines | _Document] = []
    size = 0
    for blob, chunks in read_ahead(blobs):
        for piece in pieces(blob, chunks):
            block.append(piece)
            size += len(piece.data) if isinstance(piece, Lines) else _BLOCK_BYTES
            if size >= _BLOCK_BYTES:
                yield block
                block, size = [], 0
    if block:
        yield block


def has_many_lines(block: Sequence[Lines | _Document]) -> bool:
    """Tell whether a block is worth a parser of its own."""
    return sum(piece.count if isinstance(piece, Lines) else 0 for piece in block) >= _MANY_LINES


def stretches(block: Sequence[Lines | _Document]) -> list[tuple[str, int]]:
    """Give file and number of lines of each piece."""
    return [(piece.file, piece.count) for piece in block if isinstance(piece, Lines)]


def flat(record: Mapping[str, Any], place: Place, prefix: str = "") -> Mapping[str, Any]:
    """Join the keys of inner objects with dots.

    Raises
    ------
    SourceError
        ``E-NESTED`` for a list, or where a joined key occurs twice.
    """
    if not prefix and _NESTED.isdisjoint(map(type, record.values())):
        return record
    out: dict[str, Any] = {}
    for key, value in record.items():
        name = prefix + key
        if isinstance(value, list):
            raise SourceError(
                "a list has no place in a table of one value a cell",
                code="E-NESTED",
                file=place.file or None,
                line=place.line,
                field=name,
                fix="take it apart with a preprocessor",
            )
        inner = flat(value, place, name + ".") if isinstance(value, dict) else {name: value}
        for joined, item in inner.items():
            if joined in out:
                raise SourceError(
                    "occurs twice, once as a key with a dot and once as an inner object",
                    code="E-NESTED",
                    file=place.file or None,
                    line=place.line,
                    field=joined,
                    fix="rename one with a preprocessor",
                )
            out[joined] = item
    return out


@dataclass(frozen=True, slots=True)
class JsonRecords:
    """Records of JSON files, for a preprocessor."""

    label: str
    blobs: tuple[Blob, ...]
    notes: tuple[str, ...] = ()

    @property
    def sources(self) -> tuple[str, ...]:
        """Files, sorted."""
        return tuple(blob.name for blob in self.blobs)

    def records(self) -> Iterator[tuple[Place, Mapping[str, Any]]]:
        """Give every object with its place."""
        return json_records(self.blobs)


def open_jsonl(blobs: Sequence[Blob], *, label: str, batch_rows: int, notes: Sequence[str] = ()) -> Source:
    """Read JSON files once and give their rows as columns.

    Raises
    ------
    SourceError
        As :func:`json_records` and :func:`flat`; ``E-EMPTY`` where no file holds a record.
    """
    table = _table(blobs, batch_rows, in_blocks=True)
    if table.needs_spelling:
        # A column of numbers turned out to hold text too: the spelling of its numbers matters then.
        table = _table(blobs, batch_rows, in_blocks=False)
    if not table.n_rows:
        raise SourceError(
            "holds no record", code="E-EMPTY", file=label, fix="check the path and the time window"
        )
    names = {key: str(key) for key in table.kinds}
    sources = tuple(blob.name for blob in blobs)
    return table.finish(names, label=label, sources=sources, named=True, notes=notes)


def _table(blobs: Sequence[Blob], batch_rows: int, *, in_blocks: bool) -> RowTable:
    table = RowTable(batch_rows)
    texts: set[str] = set()
    for block in line_blocks(blobs):
        if in_blocks and table.needs_spelling:
            break
        if in_blocks and has_many_lines(block):
            from driftline.capture.formats.json_block import parsed

            columns = parsed(block, texts)
            if columns is not None:
                table.add_block(stretches(block), columns)
                continue
        for piece in block:
            for place, record in records_of(piece):
                table.add(place, flat(record, place))
    return table
