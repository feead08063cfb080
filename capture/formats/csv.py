"""CSV: every value is delivered as the text it was born as.

* The delimiter of ``.tsv`` and ``.tab`` is the tabulator; otherwise it is the one of ``,`` ``;`` tabulator
  ``|`` that occurs most often outside quotes in the first line, the comma where none does.
* With ``header="auto"`` the first line is a header unless every field of it is a number or empty. Without a
  header columns are called ``_c0``, ``_c1``, …; so is a column that a header leaves without a name.
* An empty field is null, quoted or not. Nothing else is: ``NA`` is text.
* Quotes follow RFC 4180: ``""`` is a quote within quotes, and quoted fields may hold line ends. Lines end in
  LF, CRLF or CR. Blank lines are left out. The text is UTF-8, gzip or not.
"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import pyarrow as pa

from driftline.capture.blob import read_ahead
from driftline.capture.failure import reading
from driftline.capture.formats.csv_record import CsvRecord, fault, records, split
from driftline.capture.schema import unite
from driftline.capture.source import Batch, Field, OpenedSource, Place
from driftline.capture.text import text_chunks
from driftline.errors import SchemaError, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from driftline.capture.blob import Blob
    from driftline.capture.source import Source

__all__ = ["CsvRecords", "Header", "open_csv"]

Header: TypeAlias = 'bool | Literal["auto"]'

_BLOCK = 1 << 20
_WIDE_BLOCK = 32 << 20
_BATCH_BYTES = 16 << 20
_DELIMITERS = ",;\t|"
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")
_NOTHING = frozenset(("", "na", "nan", "null", "none", "n/a"))


@dataclass(frozen=True, slots=True)
class _Layout:
    """How one file is written.

    Attributes
    ----------
    delimiter : str
    header : bool
    names : tuple of str
        Of the columns, made up where there is no header.
    skip : int
        Bytes of text before the first record of data.
    widest : int
        Bytes of the first record.
    doubtful : int
        Fields of the header that are numbers.
    """

    delimiter: str
    header: bool
    names: tuple[str, ...]
    skip: int
    widest: int
    doubtful: int


def _layout(file: str, text: Iterator[bytes], header: Header) -> _Layout | None:
    first: CsvRecord | None = next(records(file, text), None)
    if first is None:
        return None
    delimiter = _delimiter(file, first.text)
    fields = split(first.text, delimiter)
    numbers = sum(_NUMBER.fullmatch(value) is not None for value in fields)
    if header == "auto":
        blank = sum(value.strip().lower() in _NOTHING for value in fields)
        has_header = numbers + blank < len(fields) or numbers == 0
    else:
        has_header = header
    made_up = (f"_c{position}" for position in range(len(fields)))
    if not has_header:
        return _Layout(delimiter, False, tuple(made_up), 0, first.end, 0)
    names = tuple(name or instead for name, instead in zip(fields, made_up, strict=True))
    doubtful = numbers if header == "auto" else 0
    return _Layout(delimiter, True, names, first.end, first.end, doubtful)


def _delimiter(file: str, line: str) -> str:
    if file.lower().removesuffix(".gz").endswith((".tsv", ".tab")):
        return "\t"
    outside = "".join(line.split('"')[::2])
    return max(_DELIMITERS, key=outside.count)


def open_csv(
    blobs: Sequence[Blob],
    *,
    label: str,
    batch_rows: int,
    header: Header = "auto",
    notes: Sequence[str] = (),
) -> Source:
    """Look at the first line of each file; the rows are read later, as a stream.

    Parameters
    ----------
    blobs : sequence of Blob
    label : str
    batch_rows : int
    header : bool or "auto"
    notes : sequence of str

    Raises
    ------
    SourceError
        ``E-EMPTY`` where no file holds a line, ``E-ENCODING`` for a first line that is not UTF-8.
    SchemaError
        Where one file has a header and another none, or files without header have different widths.
    """
    layouts: list[tuple[int, Blob, _Layout]] = []
    empty = []
    for ordinal, (blob, chunks) in enumerate(read_ahead(blobs)):
        layout = _layout(blob.name, text_chunks(blob, chunks), header)
        if layout is None:
            empty.append(blob.name)
        else:
            layouts.append((ordinal, blob, layout))
    if not layouts:
        raise SourceError("is empty", code="E-EMPTY", file=empty[0], fix="check what writes it")
    _check_alike([(blob.name, layout) for _, blob, layout in layouts])
    union = unite(
        [
            (blob.name, pa.schema([pa.field(name, pa.string()) for name in layout.names]))
            for _, blob, layout in layouts
        ]
    )
    parts = tuple(
        _CsvPart(blob, ordinal, layout, union.positions[shape], batch_rows, len(layouts) == 1)
        for (ordinal, blob, layout), shape in zip(layouts, union.shape, strict=True)
    )
    more = [*notes, *union.notes]
    first = layouts[0][2]
    if empty:
        more.append(f"{len(empty)} file(s) are empty, such as {empty[0]}")
    if first.doubtful:
        more.append(
            f"the first line of {layouts[0][1].name} was taken for a header although {first.doubtful} of its "
            f"{len(first.names)} fields are numbers; say header=False if it is a row"
        )
    fields = tuple(Field(name, pa.string(), textual=True) for name in union.names)
    sources = tuple(blob.name for blob in blobs)
    return OpenedSource(label, fields, first.header, False, sources, parts, tuple(more))


def _check_alike(files: Sequence[tuple[str, _Layout]]) -> None:
    example, first = files[0]
    for file, layout in files:
        if layout.header != first.header:
            raise SchemaError(
                f"begins with {'a header' if layout.header else 'a row'}, but {example} with "
                f"{'a header' if first.header else 'a row'}",
                code="E-CSV-HEADER",
                file=file,
                line=1,
                fix="say header=True or header=False (--header or --no-header on the command line)",
            )
        if not first.header and len(layout.names) != len(first.names):
            raise SchemaError(
                f"has {len(layout.names)} columns, but {example} has {len(first.names)}, and there is no "
                "header to match them by",
                code="E-CSV-COLUMNS",
                file=file,
                line=1,
                fix="read the files apart, or give them headers",
            )


class _Feed:
    """The text of a file for pyarrow, from the first record of data on.

    Counts quotes on the way: pyarrow takes the rest of a file for one value when a quote is never closed.
    """

    closed = False

    def __init__(self, part: _CsvPart) -> None:
        self._part = part
        self._text = part.text()
        self._rest = memoryview(b"")
        self._quotes = 0
        left = part.layout.skip
        while left:
            chunk = next(self._text, b"")
            self._rest = memoryview(chunk)[left:]
            left -= min(left, len(chunk))
        self.empty = not self._fill()

    def _fill(self) -> bool:
        while not self._rest:
            chunk = next(self._text, None)
            if chunk is None:
                return False
            self._rest = memoryview(chunk)
        return True

    def read(self, size: int) -> bytes:
        # As much as is asked for: pyarrow takes what comes for a whole block.
        pieces = []
        left = size
        while left > 0 and self._fill():
            pieces.append(self._rest[:left])
            self._rest = self._rest[left:]
            left -= len(pieces[-1])
        out = b"".join(pieces)
        self._quotes += out.count(b'"')
        if left and self._quotes % 2:
            self._part.explain_or_pass()
        return out

    def close(self) -> None:
        self.closed = True


@dataclass(frozen=True, slots=True)
class _CsvPart:
    blob: Blob
    ordinal: int
    layout: _Layout
    positions: tuple[int | None, ...]
    batch_rows: int
    alone: bool

    n_rows = None

    @property
    def source(self) -> str:
        return self.blob.name

    def text(self) -> Iterator[bytes]:
        return text_chunks(self.blob)

    def explain_or_pass(self) -> None:
        error = fault(self.blob.name, self.text(), self.layout.delimiter, len(self.layout.names))
        if error is not None:
            raise error

    def read(self, columns: Sequence[int]) -> Iterator[Batch]:
        delivered = 0
        for block in (min(_WIDE_BLOCK, max(_BLOCK, 16 * self.layout.widest)), _WIDE_BLOCK):
            try:
                for batch in self._stream(columns, block):
                    seen = batch.first_row + len(batch.arrays[0])
                    if seen > delivered:
                        new = max(0, delivered - batch.first_row)
                        arrays = tuple(a.slice(new) for a in batch.arrays) if new else batch.arrays
                        yield Batch(arrays, batch.first_row + new)
                        delivered = seen
            except pa.ArrowInvalid as error:
                # A record longer than the block; everything else is a fault of the file.
                if block < _WIDE_BLOCK and "block" in str(error):
                    continue
                self.explain_or_pass()
                with reading(self.blob.name, "is not CSV", code="E-CSV"):
                    raise
            return

    def _stream(self, columns: Sequence[int], block: int) -> Iterator[Batch]:
        import pyarrow.csv as pacsv

        feed = _Feed(self)
        if feed.empty:
            return
        # Positions as names: pyarrow then has no opinion about odd or repeated names.
        labels = [str(position) for position in range(len(self.layout.names))]
        wanted = [self.positions[column] for column in columns]
        present = sorted({position for position in wanted if position is not None}) or [0]
        chosen = [labels[position] for position in present]
        reader = pacsv.open_csv(
            pa.PythonFile(feed, mode="r"),
            read_options=pacsv.ReadOptions(column_names=labels, block_size=block),
            parse_options=pacsv.ParseOptions(delimiter=self.layout.delimiter, newlines_in_values=True),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(chosen, pa.string()),
                include_columns=chosen,
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
            ),
        )
        order = [None if position is None else present.index(position) for position in wanted]
        first_row = 0
        pieces = _gathered(reader, self.batch_rows)
        # Several files keep several readers busy; a single one is parsed while its reader works on what it
        # has.
        for piece in _one_ahead(pieces) if self.alone else pieces:
            arrays = tuple(
                pa.nulls(piece.num_rows, pa.string()) if index is None else piece.column(index)
                for index in order
            )
            yield Batch(arrays, first_row)
            first_row += piece.num_rows


def _gathered(reader: Iterator[pa.RecordBatch], batch_rows: int) -> Iterator[pa.RecordBatch]:
    """Join small batches, which follow the blocks of the file, into large ones."""
    pending: list[pa.RecordBatch] = []
    rows = size = 0
    for piece in reader:
        for start in range(0, piece.num_rows, batch_rows):
            part = piece.slice(start, batch_rows)
            if pending and (rows + part.num_rows > batch_rows or size > _BATCH_BYTES):
                yield _joined(pending)
                pending, rows, size = [], 0, 0
            pending.append(part)
            rows += part.num_rows
            size += part.nbytes
    if pending:
        yield _joined(pending)


def _one_ahead(pieces: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, pieces, None)
        while (piece := coming.result()) is not None:
            coming = pool.submit(next, pieces, None)
            yield piece


def _joined(pieces: list[pa.RecordBatch]) -> pa.RecordBatch:
    return pieces[0] if len(pieces) == 1 else pa.Table.from_batches(pieces).combine_chunks().to_batches()[0]


@dataclass(frozen=True, slots=True)
class CsvRecords:
    """Lines of CSV files after the header, as text, for a preprocessor."""

    label: str
    blobs: tuple[Blob, ...]
    header: Header = "auto"
    notes: tuple[str, ...] = ()

    @property
    def sources(self) -> tuple[str, ...]:
        """Files, sorted."""
        return tuple(blob.name for blob in self.blobs)

    def records(self) -> Iterator[tuple[Place, str]]:
        """Give every record with the line it begins at."""
        for blob, chunks in read_ahead(self.blobs):
            first = True
            for record in records(blob.name, text_chunks(blob, chunks)):
                if first:
                    first = False
                    layout = _layout(blob.name, iter((record.text.encode(),)), self.header)
                    if layout is not None and layout.header:
                        continue
                yield Place(blob.name, record.line), record.text
