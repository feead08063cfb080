"""JSON Lines: one object a line, or a list of objects as one document.

Objects are flat; an object inside an object becomes columns with a dot in their names (``a.b``). A list has
no place in a table and is refused. A key that is absent is null. Numbers written without a point are whole
numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from driftline.capture.blob import read_ahead
from driftline.capture.failure import as_source_error
from driftline.capture.rows import RowTable
from driftline.capture.source import Place
from driftline.capture.text import MAX_LINE, lines, text_chunks
from driftline.documents import decode
from driftline.errors import DocumentError, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from driftline.capture.blob import Blob
    from driftline.capture.source import Source

__all__ = ["JsonRecords", "flat", "json_records", "open_jsonl"]

_MAX_DOCUMENT = 32 << 20
_NESTED = frozenset((dict, list))


def json_records(blobs: Sequence[Blob]) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Give the objects of JSON files with their places.

    Raises
    ------
    SourceError
        ``E-JSON…`` with file and line for what is not strict JSON, ``E-RECORD`` for a value that is no
        object.
    """
    for blob, chunks in read_ahead(blobs):
        for number, value in _values(blob.name, text_chunks(blob, chunks)):
            if not isinstance(value, dict):
                raise SourceError(
                    f"expected an object, found {_kind(value)}", code="E-RECORD", file=blob.name, line=number
                )
            yield Place(blob.name, number), value


def _values(file: str, text: Iterator[bytes]) -> Iterator[tuple[int, Any]]:
    head = b""
    for chunk in text:
        head += chunk
        if head.lstrip():
            break
    whole = chain((head,), text)
    if head.lstrip().startswith(b"["):
        yield from enumerate(_document(file, whole), start=1)
        return
    for number, line in lines(file, whole):
        try:
            yield number, decode(line, file=file, line=number, max_bytes=MAX_LINE)
        except DocumentError as error:
            raise as_source_error(error) from None


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
        value = decode(bytes(data), file=file)
    except DocumentError as error:
        raise as_source_error(error) from None
    if not isinstance(value, list):
        raise SourceError(f"expected a list of objects, found {_kind(value)}", code="E-RECORD", file=file)
    return value


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")


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
    table = RowTable(batch_rows)
    for place, record in json_records(blobs):
        table.add(place, flat(record, place))
    if not table.n_rows:
        raise SourceError(
            "holds no record", code="E-EMPTY", file=label, fix="check the path and the time window"
        )
    names = {key: str(key) for key in table.kinds}
    sources = tuple(blob.name for blob in blobs)
    return table.finish(names, label=label, sources=sources, named=True, notes=notes)
