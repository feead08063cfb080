"""Data that are in memory already, or come as an Arrow stream.

Tables, record batches and frames are columnar and are cut into parts without a copy. A stream can be read
once, from its begin to its end. A :class:`pyarrow.dataset.Dataset` is scanned as often as columns are asked
for.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa

from driftline.capture.failure import reading
from driftline.capture.source import Batch, Field, OpenedSource, check_names
from driftline.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from driftline.capture.source import Source

__all__ = [
    "Column",
    "WholeColumn",
    "columns_source",
    "open_array",
    "open_dataset",
    "open_stream",
    "open_table",
]

_PART_ROWS = 131_072


class Column(Protocol):
    """A column in memory."""

    @property
    def type(self) -> pa.DataType:
        """Type of what :meth:`take` gives."""

    def __len__(self) -> int: ...

    def take(self, start: int, count: int) -> pa.Array:
        """Give `count` values from `start` on, as one array."""


@dataclass(frozen=True, slots=True)
class WholeColumn:
    """A column that is Arrow already."""

    values: pa.Array | pa.ChunkedArray

    @property
    def type(self) -> pa.DataType:
        """Type of the values."""
        return self.values.type

    def __len__(self) -> int:
        return len(self.values)

    def take(self, start: int, count: int) -> pa.Array:
        """Slice, and copy only where the slice crosses a chunk."""
        piece = self.values.slice(start, count)
        if not isinstance(piece, pa.ChunkedArray):
            return piece
        if piece.num_chunks == 1:
            return piece.chunk(0)
        joined = piece.combine_chunks()
        # Text of more than 2 GiB does not fit one array; chunks of a part are far below that.
        return joined.chunk(0) if isinstance(joined, pa.ChunkedArray) else joined


def columns_source(
    fields: Sequence[Field],
    columns: Sequence[Column],
    *,
    label: str,
    batch_rows: int,
    notes: Sequence[str] = (),
) -> Source:
    """Make a source of columns of one length.

    Raises
    ------
    SchemaError
        For no columns and repeated names.
    """
    check_names([column.name for column in fields], label)
    n_rows = len(columns[0])
    parts = tuple(
        _MemoryPart(tuple(columns), start, min(_PART_ROWS, n_rows - start), batch_rows, label)
        for start in range(0, n_rows, _PART_ROWS)
    )
    return OpenedSource(label, tuple(fields), True, True, (), parts, tuple(notes))


@dataclass(frozen=True, slots=True)
class _MemoryPart:
    columns: tuple[Column, ...]
    start: int
    n_rows: int
    batch_rows: int
    label: str

    source = ""
    ordinal = 0

    def read(self, columns: Sequence[int]) -> Iterator[Batch]:
        for first in range(self.start, self.start + self.n_rows, self.batch_rows):
            count = min(self.batch_rows, self.start + self.n_rows - first)
            with reading(self.label, "cannot be read as Arrow"):
                arrays = tuple(self.columns[column].take(first, count) for column in columns)
            yield Batch(arrays, first)


def open_table(table: Any, *, label: str, batch_rows: int) -> Source:
    """Take a :class:`pyarrow.Table` or :class:`pyarrow.RecordBatch`.

    Raises
    ------
    SchemaError
        For no columns and repeated names.
    """
    fields = [Field(field.name, field.type) for field in table.schema]
    columns = [WholeColumn(column) for column in table.columns]
    return columns_source(fields, columns, label=label, batch_rows=batch_rows)


def open_stream(data: Any, *, label: str, batch_rows: int) -> Source:
    """Take anything with ``__arrow_c_stream__``, or a :class:`pyarrow.RecordBatchReader`.

    Raises
    ------
    SourceError
        ``E-ARROW`` where the object gives no table.
    SchemaError
        For no columns and repeated names.
    """
    with reading(label, "gives no Arrow table", code="E-ARROW"):
        reader = data if isinstance(data, pa.RecordBatchReader) else pa.RecordBatchReader.from_stream(data)
    check_names(reader.schema.names, label)
    fields = tuple(Field(field.name, field.type) for field in reader.schema)
    return OpenedSource(label, fields, True, False, (), (_StreamPart(reader, label, batch_rows),))


@dataclass(slots=True)
class _StreamPart:
    reader: Any
    label: str
    batch_rows: int
    _begun: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    n_rows = None
    source = ""
    ordinal = 0

    def read(self, columns: Sequence[int]) -> Iterator[Batch]:
        with self._lock:
            if self._begun:
                raise SourceError(
                    "is a stream and has been read already",
                    code="E-STREAM",
                    file=self.label,
                    fix="give a table, or open the stream again",
                )
            self._begun = True
        first_row = 0
        with reading(self.label, "breaks off", code="E-ARROW"):
            for whole in self.reader:
                for start in range(0, whole.num_rows, self.batch_rows):
                    piece = whole.slice(start, self.batch_rows)
                    yield Batch(tuple(piece.column(column) for column in columns), first_row)
                    first_row += piece.num_rows


def open_dataset(dataset: Any, *, label: str, batch_rows: int) -> Source:
    """Take a :class:`pyarrow.dataset.Dataset`, with its partition columns and its filter.

    Raises
    ------
    SchemaError
        For no columns and repeated names.
    """
    names = dataset.schema.names
    check_names(names, label)
    fields = tuple(Field(field.name, field.type) for field in dataset.schema)
    files = tuple(sorted(getattr(dataset, "files", ())))
    part = _DatasetPart(dataset, tuple(names), label, batch_rows)
    return OpenedSource(label, fields, True, True, files, (part,))


@dataclass(frozen=True, slots=True)
class _DatasetPart:
    dataset: Any
    names: tuple[str, ...]
    source: str
    batch_rows: int

    n_rows = None
    ordinal = 0

    def read(self, columns: Sequence[int]) -> Iterator[Batch]:
        chosen = [self.names[column] for column in dict.fromkeys(columns)]
        order = [chosen.index(self.names[column]) for column in columns]
        first_row = 0
        with reading(self.source, "cannot be read", code="E-ARROW"):
            for piece in self.dataset.to_batches(columns=chosen, batch_size=self.batch_rows):
                if piece.num_rows:
                    yield Batch(tuple(piece.column(index) for index in order), first_row)
                    first_row += piece.num_rows


def open_array(data: Any, *, label: str, batch_rows: int) -> Source:
    """Take anything with ``__arrow_c_array__`` that is a table, such as a record batch of another library.

    Raises
    ------
    SourceError
        ``E-ARROW`` where the object gives no table.
    SchemaError
        For no columns and repeated names.
    """
    with reading(label, "gives no Arrow table", code="E-ARROW"):
        batch = pa.record_batch(data)
    return open_table(batch, label=label, batch_rows=batch_rows)
