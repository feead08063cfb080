"""Parquet: the format to keep data in. One column of one row group is read without touching the rest.

A part is a row group, or a few small ones of one file. Text is read as a dictionary where the file holds it
as one and that is the cheaper way. Footers are checked against what comes out; page checksums are verified
where the writer left any. Nothing outside the file itself is ever opened.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from driftline.capture.failure import reading
from driftline.capture.schema import unite
from driftline.capture.source import Batch, Field, OpenedSource
from driftline.capture.stored import CAPTURE
from driftline.capture.tables import is_textual
from driftline.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from driftline.capture.blob import Blob

__all__ = ["open_parquet"]

_PART_ROWS = 131_072
# What is larger than this, in rows or bytes, is streamed page by page, which costs no time.
_WHOLE_ROWS = 1 << 18
_WHOLE_BYTES = 64 << 20
# Column chunks larger than this on average are not loaded at once.
_BIG_CHUNK = 4 << 20
_BUFFER = 1 << 20
# A dictionary pays while it has at most this share of the rows. Writers give it up at 1 MiB.
_DISTINCT_SHARE = 0.1
_DICTIONARY_BYTES = 512 << 10
_SAMPLE_ROWS = 256
_OPEN_FILES = 8
_KEPT_FOOTERS = 64
_WORKERS = 8
# Magic at both ends, and the length of the footer between them.
_LEAST_BYTES = 12


@dataclass(frozen=True, slots=True)
class _Group:
    """Row groups of one file that are read together."""

    ids: tuple[int, ...]
    n_rows: int
    first_row: int
    n_bytes: int


@dataclass(frozen=True, slots=True)
class _Footer:
    """What one file says about itself."""

    schema: pa.Schema
    groups: tuple[_Group, ...]
    big: bool


def open_parquet(
    blobs: Sequence[Blob], *, label: str, batch_rows: int, notes: Sequence[str] = ()
) -> OpenedSource:
    """Read the footers; the data are read later, column by column.

    Parameters
    ----------
    blobs : sequence of Blob
    label : str
    batch_rows : int
        Most rows of one batch.
    notes : sequence of str

    Raises
    ------
    SourceError
        ``E-PARQUET`` for a file that is damaged or no Parquet.
    SchemaError
        For no columns, repeated names, and types that differ between files and cannot be joined.
    """
    footers = _footers(blobs)
    captured = all(CAPTURE in (footer.schema.metadata or {}) for footer in footers)
    union = unite([(b.name, f.schema) for b, f in zip(blobs, footers, strict=True)], mix=captured)
    textual = _textual(footers) | union.mixed if captured else frozenset()
    coded = _coded(blobs, footers) - textual
    files = _Files(tuple(blobs), tuple(footer.big for footer in footers))
    types = tuple(
        pa.dictionary(pa.int32(), _dictionary_value(kind)) if name in coded else kind
        for name, kind in zip(union.names, union.types, strict=True)
    )
    schemas = dict(zip(union.shape, (footer.schema for footer in footers), strict=True))
    layouts = [
        _Layout(
            union.names,
            types,
            positions,
            _leaves(schemas[shape]),
            tuple(_width(field.type) for field in schemas[shape]),
            _coded_here(schemas[shape], coded),
        )
        for shape, positions in enumerate(union.positions)
    ]
    parts = tuple(
        _ParquetPart(blob, ordinal, group, layouts[shape], files, batch_rows)
        for ordinal, (blob, footer, shape) in enumerate(zip(blobs, footers, union.shape, strict=True))
        for group in footer.groups
    )
    fields = tuple(Field(name, kind, name in textual) for name, kind in zip(union.names, types, strict=True))
    sources = tuple(blob.name for blob in blobs)
    return OpenedSource(label, fields, True, True, sources, parts, (*notes, *union.notes), captured)


def _textual(footers: Sequence[_Footer]) -> frozenset[str]:
    """Return the columns of text that are marked to be read value by value."""
    return frozenset(field.name for footer in footers for field in footer.schema if is_textual(field))


def _footers(blobs: Sequence[Blob]) -> list[_Footer]:
    if len(blobs) > 1 and any(blob.remote for blob in blobs):
        with ThreadPoolExecutor(_WORKERS) as pool:
            return list(pool.map(_footer, blobs))
    return [_footer(blob) for blob in blobs]


def _footer(blob: Blob) -> _Footer:
    if not blob.size:
        raise SourceError("is empty", code="E-PARQUET", file=blob.name, fix="check what writes it")
    try:
        return _read_footer(blob)
    except SourceError as error:
        raise _in_plain_words(blob, error) from None


def _in_plain_words(blob: Blob, error: SourceError) -> SourceError:
    """Say what pyarrow could not: whether this is no Parquet, half of a file, or an encrypted one."""
    if error.code != "E-PARQUET":
        return error
    with reading(blob.name), blob.random() as stream:
        head = stream.read(16)
        stream.seek(max(0, blob.size - 4))
        tail = stream.read(4)
    message, fix = error.message, "write or copy the file again"
    if b"PARE" in (head[:4], tail):
        message, fix = "is encrypted, which driftline does not read", "write it without encryption"
    elif not head.startswith(b"PAR1") and tail != b"PAR1":
        message = f"is not a readable Parquet file: it begins with {ascii(head)[1:]}"
        fix = "name it by what it is, or check what writes it"
    elif tail != b"PAR1" or blob.size < _LEAST_BYTES:
        message = "is not a readable Parquet file: its end is missing"
    return SourceError(message, code=error.code, file=error.file, fix=fix)


def _read_footer(blob: Blob) -> _Footer:
    with reading(blob.name, "is not a readable Parquet file", code="E-PARQUET"), blob.random() as stream:
        file = pq.ParquetFile(stream, pre_buffer=False)
        metadata, schema = file.metadata, file.schema_arrow
        if sum(count for _, count in _leaves(schema)) != metadata.num_columns:
            raise SourceError("has a schema that its footer contradicts", code="E-PARQUET", file=blob.name)
        for field in schema:
            getattr(field.type, "tz", None)  # Raises where a damaged name is not UTF-8.
        # Never metadata.row_group(i).column(j): on a damaged footer that call ends the process.
        sizes = [
            (index, group.num_rows, group.total_byte_size)
            for index, group in enumerate(map(metadata.row_group, range(metadata.num_row_groups)))
        ]
        if any(n_rows < 0 for _, n_rows, _ in sizes):
            raise SourceError("has a negative number of rows", code="E-PARQUET", file=blob.name)
        big = any(n_bytes > _BIG_CHUNK * metadata.num_columns for _, _, n_bytes in sizes)
    return _Footer(schema, tuple(_grouped(sizes)), big)


def _grouped(sizes: Sequence[tuple[int, int, int]]) -> Iterator[_Group]:
    """Put small row groups together; empty ones are left out."""
    first_row = 0
    pending: list[tuple[int, int, int]] = []
    rows = 0
    for size in [*sizes, None]:
        if pending and (size is None or rows + size[1] > _PART_ROWS):
            yield _Group(
                tuple(index for index, _, _ in pending), rows, first_row, sum(n for _, _, n in pending)
            )
            first_row += rows
            pending, rows = [], 0
        if size is not None and size[1]:
            pending.append(size)
            rows += size[1]


def _dictionary_value(kind: pa.DataType) -> pa.DataType | None:
    """Give the value type under which pyarrow reads a text type as a dictionary, or None."""
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind):
        return pa.binary()
    return None


def _coded(blobs: Sequence[Blob], footers: Sequence[_Footer]) -> frozenset[str]:
    """Choose the text columns to read as dictionaries, by a look at the first rows of each.

    pyarrow gives the whole dictionary of a column chunk with its first batch, so a few rows show how many
    distinct values the row group has. Reading mostly distinct text as a dictionary costs two to six times as
    much as reading it as text, most of all where the writer gave its dictionary up half way.
    """
    chosen: set[str] = set()
    seen: set[str] = set()
    for blob, footer in zip(blobs, footers, strict=True):
        if not footer.groups:
            continue
        fields = zip(footer.schema, _leaves(footer.schema), strict=True)
        texts = {
            field.name: leaf
            for field, (leaf, _) in fields
            if field.name not in seen and _dictionary_value(field.type) is not None
        }
        if not texts:
            continue
        seen.update(texts)
        group = footer.groups[0]
        try:
            with blob.random() as stream:
                file = pq.ParquetFile(
                    stream, pre_buffer=False, buffer_size=_BUFFER, read_dictionary=list(texts)
                )
                chosen.update(name for name, leaf in texts.items() if _pays(file, group.ids[0], leaf))
        except (pa.ArrowException, OSError, SourceError):
            continue  # The reading proper meets the damage again and says where it is.
    return frozenset(chosen)


def _pays(file: Any, group: int, leaf: int) -> bool:
    n_rows: int = file.metadata.row_group(group).num_rows
    batches = file.reader.iter_batches(
        _SAMPLE_ROWS, row_groups=[group], column_indices=[leaf], use_threads=False
    )
    first, second = next(batches, None), next(batches, None)
    if first is None:
        return False
    sample = first.column(0)
    distinct: int = len(sample.dictionary)
    if sample.dictionary.nbytes > _DICTIONARY_BYTES:
        return False
    whole = distinct > len(sample) or second is None or second.column(0).dictionary.equals(sample.dictionary)
    if not whole:
        # No dictionary in the file: pyarrow made one for each batch.
        return distinct <= len(sample) * _DISTINCT_SHARE
    return distinct <= n_rows * _DISTINCT_SHARE


def _coded_here(schema: pa.Schema, coded: frozenset[str]) -> tuple[str, ...]:
    return tuple(
        field.name for field in schema if field.name in coded and _dictionary_value(field.type) is not None
    )


def _leaves(schema: pa.Schema) -> tuple[tuple[int, int], ...]:
    """Give the first Parquet column and the number of Parquet columns of each Arrow column."""
    out = []
    start = 0
    for field in schema:
        count = _leaf_count(field.type)
        out.append((start, count))
        start += count
    return tuple(out)


def _width(kind: pa.DataType) -> float | None:
    """Give the bytes of a value, None where they vary."""
    if pa.types.is_primitive(kind) or pa.types.is_decimal(kind) or pa.types.is_fixed_size_binary(kind):
        return float(kind.bit_width) / 8
    return 0.0 if pa.types.is_null(kind) else None


def _leaf_count(kind: pa.DataType) -> int:
    if isinstance(kind, pa.BaseExtensionType):
        return _leaf_count(kind.storage_type)
    if pa.types.is_dictionary(kind) or not kind.num_fields:
        return 1
    if pa.types.is_map(kind):
        return _leaf_count(kind.key_type) + _leaf_count(kind.item_type)
    return sum(_leaf_count(kind.field(index).type) for index in range(kind.num_fields))


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where the columns of the source stand in the files of one schema."""

    names: tuple[str, ...]
    types: tuple[pa.DataType, ...]
    positions: tuple[int | None, ...]
    leaves: tuple[tuple[int, int], ...]
    widths: tuple[float | None, ...]
    coded: tuple[str, ...]


class _Files:
    """Open files, a few per thread, since a pyarrow reader serves one thread at a time."""

    def __init__(self, blobs: tuple[Blob, ...], big: tuple[bool, ...]) -> None:
        self._blobs = blobs
        self._big = big
        self._local = threading.local()
        self._footers: OrderedDict[int, Any] = OrderedDict()
        self._lock = threading.Lock()

    def open(self, ordinal: int, layout: _Layout) -> Any:
        """Give this thread's ``pyarrow.parquet.ParquetFile`` for a file."""
        readers: OrderedDict[int, Any] | None = getattr(self._local, "readers", None)
        if readers is None:
            readers = self._local.readers = OrderedDict()
        if ordinal in readers:
            readers.move_to_end(ordinal)
            return readers[ordinal]
        blob = self._blobs[ordinal]
        with self._lock:
            metadata = self._footers.get(ordinal)
        stream = blob.random()
        if metadata is None:
            metadata = pq.ParquetFile(stream, pre_buffer=False).metadata
            with self._lock:
                self._footers[ordinal] = metadata
                if len(self._footers) > _KEPT_FOOTERS:
                    self._footers.popitem(last=False)
        file = pq.ParquetFile(
            stream,
            metadata=metadata,
            read_dictionary=layout.coded or None,
            buffer_size=_BUFFER if self._big[ordinal] else 0,
            pre_buffer=blob.remote,
            page_checksum_verification=True,
        )
        readers[ordinal] = file
        if len(readers) > _OPEN_FILES:
            readers.popitem(last=False)
        return file


@dataclass(frozen=True, slots=True)
class _ParquetPart:
    blob: Blob
    ordinal: int
    group: _Group
    layout: _Layout
    files: _Files
    batch_rows: int

    @property
    def source(self) -> str:
        return self.blob.name

    @property
    def n_rows(self) -> int:
        return self.group.n_rows

    def read(self, columns: Sequence[int]) -> Iterator[Batch]:
        try:
            yield from self._read(columns)
        except SourceError as error:
            if error.code == "E-PARQUET":
                error.field = self._culprit(columns)
                error.fix = "write or copy the file again"
            raise

    def _culprit(self, columns: Sequence[int]) -> str | None:
        for column in columns:
            try:
                for _ in self._read((column,)):
                    pass
            except SourceError:
                return self.layout.names[column]
        return None

    def _read(self, columns: Sequence[int]) -> Iterator[Batch]:
        layout = self.layout
        wanted = [layout.positions[column] for column in columns]
        present = sorted({position for position in wanted if position is not None})
        order = [None if position is None else present.index(position) for position in wanted]
        types = [layout.types[column] for column in columns]
        first_row = self.group.first_row
        with reading(self.blob.name, f"row group {self._shown} cannot be decoded", code="E-PARQUET"):
            for n_rows, pieces in self._pieces(present):
                arrays = tuple(
                    pa.nulls(n_rows, kind) if index is None else _as(pieces[index], kind)
                    for index, kind in zip(order, types, strict=True)
                )
                yield Batch(arrays, first_row)
                first_row += n_rows
        if first_row != self.group.first_row + self.group.n_rows:
            raise SourceError(
                f"row group {self._shown} has {first_row - self.group.first_row:,} rows and its footer says "
                f"{self.group.n_rows:,}",
                code="E-PARQUET",
                file=self.blob.name,
            )

    @property
    def _shown(self) -> str:
        ids = self.group.ids
        return str(ids[0]) if len(ids) == 1 else f"{ids[0]} to {ids[-1]}"

    def _rows_at_once(self, present: Sequence[int]) -> int:
        """Give how many rows to decode together; all of them where that is little."""
        group = self.group
        row_bytes = 0.0
        for position in present:
            width = self.layout.widths[position]
            # Text may be any part of the row.
            row_bytes += group.n_bytes / max(1, group.n_rows) if width is None else width
        if group.n_rows <= _WHOLE_ROWS and group.n_rows * row_bytes <= _WHOLE_BYTES:
            return group.n_rows
        return max(1, min(self.batch_rows, int(_WHOLE_BYTES / max(1.0, row_bytes))))

    def _pieces(self, present: Sequence[int]) -> Iterator[tuple[int, list[pa.Array]]]:
        group = self.group
        if not present:
            for start in range(0, group.n_rows, self.batch_rows):
                yield min(self.batch_rows, group.n_rows - start), []
            return
        leaves: list[int] = []
        for position in present:
            start, count = self.layout.leaves[position]
            leaves.extend(range(start, start + count))
        file = self.files.open(self.ordinal, self.layout)
        rows = self._rows_at_once(present)
        if rows < group.n_rows:
            batches = file.reader.iter_batches(
                rows, row_groups=group.ids, column_indices=leaves, use_threads=False
            )
        else:
            table = file.reader.read_row_groups(group.ids, column_indices=leaves, use_threads=False)
            batches = table.to_batches(max_chunksize=self.batch_rows)
        for batch in batches:
            arrays = batch.columns
            if len(arrays) != len(present):
                raise SourceError(
                    "gives other columns than its schema has", code="E-PARQUET", file=self.blob.name
                )
            for array in arrays:
                # Text that is not UTF-8 and codes beyond their dictionary would surface much later.
                if not pa.types.is_primitive(array.type):
                    array.validate(full=True)
            yield batch.num_rows, arrays


def _as(array: pa.Array, kind: pa.DataType) -> pa.Array:
    """Bring an array to the type that all files of the source agreed on."""
    if array.type == kind:
        return array
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_dictionary(kind):
        return array.cast(kind.value_type).dictionary_encode()
    # Whole numbers above 2^53 may lose digits on the way to float64: see driftline.capture.schema.join.
    return array.cast(kind, safe=not pa.types.is_floating(kind))
