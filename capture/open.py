"""The one way in: whatever somebody calls data becomes a source.

::

    open_source("train.parquet")                 a file
    open_source("captures/2026/11/")             a folder, with everything below it
    open_source("captures/**/*.jsonl.gz")        a pattern
    open_source(["a.csv", "b.csv"])              a list of these
    open_source("s3://bucket/captures/")         an object store, by way of pyarrow
    open_source(frame)                           pandas, polars, Arrow, DuckDB, anything with an Arrow stream
    open_source({"age": [31, 40], "city": […]})  columns
    open_source([{"age": 31}, {"age": 40}])      rows
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, cast

import pyarrow as pa

from driftline.capture.failure import reading
from driftline.capture.source import Batch, OpenedSource, Place
from driftline.documents import nearest
from driftline.errors import InternalError, SchemaError, SourceError, UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from driftline.capture.find import Found
    from driftline.capture.source import Part, Record, RecordHandler, RecordSource, Source

__all__ = ["BATCH_ROWS", "open_found", "open_records", "open_source"]

BATCH_ROWS = 131_072
"""Most rows of one batch, unless the caller says otherwise."""

_INDEX = re.compile(r"__index_level_\d+__")
_ALIASES = {"json": "jsonl", "ndjson": "jsonl", "tsv": "csv", "capture": "sagemaker"}


def open_source(
    data: Any,
    *,
    format: str | None = None,  # noqa: A002
    header: bool | Literal["auto"] = "auto",
    batch_rows: int = BATCH_ROWS,
    columns: Sequence[str] | None = None,
    keep: Collection[str] = (),
    record_handler: RecordHandler | None = None,
    strict_encoding: bool = False,
) -> Source:
    """Open data for reading, column by column where the form allows it.

    Parameters
    ----------
    data : object
        A path, folder, pattern or URL; a list of them; a frame of pandas or polars; a pyarrow table, record
        batch, reader or dataset; anything with ``__arrow_c_stream__`` or ``__arrow_c_array__``; a mapping of
        names to arrays; a list of mappings; or a source, which is given back.
    format : {"parquet", "csv", "jsonl", "sagemaker"}, optional
        Format of files. Without it the end of the name tells, and for other names the content.
    header : bool or "auto"
        Whether CSV files begin with names. ``"auto"`` takes the first line for a header unless every field of
        it is a number or empty.
    batch_rows : int
        Most rows of one batch.
    columns : sequence of str, optional
        Columns to keep, in this order.
    keep : collection of str
        Columns about the event, such as ``_model_version``, to keep where the data are captures: these are left out
        otherwise, unless `columns` names them.
    record_handler : callable, optional
        Stands between the records and the rows, see :data:`~driftline.capture.source.RecordHandler`.
    strict_encoding : bool
        True refuses captured records whose input and output have different encodings, as SageMaker does.

    Returns
    -------
    Source
        Its ``notes`` say what a reader of the result should know: columns missing in some files, files left
        out.

    Raises
    ------
    SourceError
        If the data are missing, damaged or of an unknown kind; ``E-NO-DATA`` where a folder or pattern has no
        file.
    SchemaError
        If columns are missing, repeated, or of types that cannot be joined.
    UsageError
        If an argument makes no sense.
    """
    if batch_rows < 1:
        raise UsageError(f"batch_rows is {batch_rows}, expected at least 1")
    kind = _known_format(format)
    if record_handler is not None:
        from driftline.capture.rows import from_rows

        records = open_records(data, format=kind, header=header)
        source = from_rows(
            record_handler(records.records()),
            label=records.label,
            sources=records.sources,
            batch_rows=batch_rows,
            notes=records.notes,
        )
    else:
        source = _opened(data, kind, header, batch_rows, strict_encoding)
    source = _without_index(source)
    return _features(source, keep) if columns is None else _chosen(source, columns)


def open_records(
    data: Any,
    *,
    format: str | None = None,  # noqa: A002
    header: bool | Literal["auto"] = "auto",
) -> RecordSource:
    """Open the same data one record after the other, for a preprocessor.

    Parameters
    ----------
    data, format, header
        As for :func:`open_source`.

    Returns
    -------
    RecordSource
        Records are captured objects, objects of JSON files, lines of CSV files, or rows as mappings.

    Raises
    ------
    SourceError, SchemaError, UsageError
        As for :func:`open_source`.
    """
    kind = _known_format(format)
    paths = _paths(data)
    if paths is not None:
        found = _found(paths, kind)
        notes = found.notes
        if found.format in ("jsonl", "sagemaker"):
            from driftline.capture.formats.jsonl import JsonRecords

            return JsonRecords(_label(paths), found.blobs, notes)
        if found.format == "csv":
            from driftline.capture.formats.csv import CsvRecords

            return CsvRecords(_label(paths), found.blobs, header, notes)
    return _RowRecords(open_source(data, format=kind, header=header, batch_rows=8192))


def _known_format(name: str | None) -> str | None:
    from driftline.capture.find import FORMATS

    if name is None:
        return None
    kind = _ALIASES.get(name, name)
    if kind not in FORMATS:
        close = nearest(name, FORMATS)
        raise UsageError(
            f"unknown format {name!r}",
            code="E-FORMAT",
            fix=f"did you mean {close!r}?" if close else f"use one of {', '.join(FORMATS)}",
        )
    return kind


def _paths(data: Any) -> list[str] | None:
    if isinstance(data, str | os.PathLike):
        data = [data]
    if not isinstance(data, Sequence) or isinstance(data, bytes | bytearray):
        return None
    if not data or not all(isinstance(item, str | os.PathLike) for item in data):
        return None
    paths = [os.fspath(item) for item in data]
    return [os.fsdecode(path) for path in paths]


def _label(paths: Sequence[str]) -> str:
    from driftline.capture.find import shown

    first = shown(paths[0])
    return first if len(paths) == 1 else f"{first} and {len(paths) - 1} more"


def _found(paths: Sequence[str], kind: str | None) -> Found:
    from driftline.capture.find import find
    from driftline.capture.sniff import settled

    return settled(find(paths, kind))


def _opened(
    data: Any, kind: str | None, header: bool | Literal["auto"], batch_rows: int, strict_encoding: bool
) -> Source:
    paths = _paths(data)
    if paths is None:
        return _in_memory(data, batch_rows)
    found = _found(paths, kind)
    return open_found(
        found,
        label=_label(paths),
        header=header,
        batch_rows=batch_rows,
        strict_encoding=strict_encoding,
    )


def open_found(
    found: Found,
    *,
    label: str,
    header: bool | Literal["auto"] = "auto",
    batch_rows: int = BATCH_ROWS,
    strict_encoding: bool = False,
) -> Source:
    """Open files that were found, and whose format is known.

    Raises
    ------
    SourceError, SchemaError
        As :func:`open_source`.
    """
    blobs, notes = found.blobs, found.notes
    if found.format == "parquet":
        from driftline.capture.formats.parquet import open_parquet

        return open_parquet(blobs, label=label, batch_rows=batch_rows, notes=notes)
    if found.format == "csv":
        from driftline.capture.formats.csv import open_csv

        return open_csv(blobs, label=label, batch_rows=batch_rows, header=header, notes=notes)
    if found.format == "sagemaker":
        from driftline.capture.formats.sagemaker import open_sagemaker

        return open_sagemaker(
            blobs, label=label, batch_rows=batch_rows, strict_encoding=strict_encoding, notes=notes
        )
    if found.format == "jsonl":
        from driftline.capture.formats.jsonl import open_jsonl

        return open_jsonl(blobs, label=label, batch_rows=batch_rows, notes=notes)
    raise InternalError(f"no room for the format {found.format!r}")


def _in_memory(data: Any, batch_rows: int) -> Source:
    kinds = {(cls.__module__.partition(".")[0], cls.__name__) for cls in type(data).__mro__}
    label = type(data).__name__
    if all(hasattr(data, name) for name in ("fields", "parts", "columnar", "named")):
        return cast("Source", data)
    if ("pandas", "DataFrame") in kinds:
        from driftline.capture.formats.frame import open_pandas

        return open_pandas(data, label=label, batch_rows=batch_rows)
    if ("polars", "LazyFrame") in kinds:
        return _in_memory(data.collect(), batch_rows)
    from driftline.capture.formats import arrow

    if isinstance(data, pa.Table | pa.RecordBatch):
        return arrow.open_table(data, label=label, batch_rows=batch_rows)
    if ("polars", "DataFrame") in kinds:
        # Not pa.table(data), which imports pandas to ask what this is.
        table = pa.RecordBatchReader.from_stream(data).read_all()
        return arrow.open_table(table, label=label, batch_rows=batch_rows)
    if ("pyarrow", "Dataset") in kinds:
        return arrow.open_dataset(data, label=label, batch_rows=batch_rows)
    if isinstance(data, pa.RecordBatchReader) or hasattr(data, "__arrow_c_stream__"):
        return arrow.open_stream(data, label=label, batch_rows=batch_rows)
    if hasattr(data, "__arrow_c_array__"):
        return arrow.open_array(data, label=label, batch_rows=batch_rows)
    if isinstance(data, Mapping):
        from driftline.capture.formats.frame import open_mapping

        return open_mapping(data, label="columns", batch_rows=batch_rows)
    if isinstance(data, Sequence) and data and all(isinstance(row, Mapping) for row in data):
        from driftline.capture.formats.jsonl import flat
        from driftline.capture.rows import from_rows

        places = (Place("", number) for number in range(1, len(data) + 1))
        rows = ((place, flat(row, place)) for place, row in zip(places, data, strict=True))
        return from_rows(rows, batch_rows=batch_rows)
    if isinstance(data, Sequence) and not isinstance(data, str | bytes) and not data:
        raise SourceError("an empty list holds no data", code="E-NO-DATA", fix="name at least one file")
    raise UsageError(
        f"an object of type {label} is no data that driftline can open",
        code="E-DATA",
        fix="give a path, a frame, an Arrow table, a mapping of columns, or a list of rows",
    )


def _without_index(source: Source) -> Source:
    """Leave out the column in which pandas keeps an index without a name."""
    kept = [i for i, field in enumerate(source.fields) if not _INDEX.fullmatch(field.name)]
    if len(kept) == len(source.fields) or not kept:
        return source
    return _subset(source, kept, ("the index that pandas stored with the data is no column",))


def _features(source: Source, keep: Collection[str]) -> Source:
    """Leave out the columns about the event, where the source is captures."""
    if not getattr(source, "captured", False):
        return source
    from driftline.capture.stored import features

    kept, named = features(source.fields, keep)
    if not kept:
        raise SchemaError(
            "the captured events have no values",
            code="E-NO-COLUMNS",
            file=source.label,
            fix="check what the endpoint is sent",
        )
    return replace(_subset(source, kept), named=named, captured=False)


def _chosen(source: Source, columns: Sequence[str]) -> Source:
    known = {field.name: position for position, field in enumerate(source.fields)}
    if isinstance(columns, str) or not columns:
        raise UsageError("columns is not a list of names", code="E-COLUMNS")
    if len(set(columns)) < len(columns):
        raise UsageError("columns names a column twice", code="E-COLUMNS")
    for name in columns:
        if name not in known:
            close = nearest(name, known)
            raise SchemaError(
                "there is no such column",
                code="E-COLUMNS",
                file=source.label,
                field=name,
                fix=f"did you mean {close!r}?" if close else "check the name",
            )
    return _subset(source, [known[name] for name in columns])


def _subset(source: Source, kept: Sequence[int], notes: Sequence[str] = ()) -> OpenedSource:
    return OpenedSource(
        source.label,
        tuple(source.fields[position] for position in kept),
        source.named,
        source.columnar,
        source.sources,
        tuple(_SubsetPart(part, tuple(kept)) for part in source.parts),
        (*source.notes, *notes),
        getattr(source, "captured", False),
    )


@dataclass(frozen=True, slots=True)
class _SubsetPart:
    part: Part
    kept: tuple[int, ...]

    @property
    def source(self) -> str:
        return self.part.source

    @property
    def ordinal(self) -> int:
        return self.part.ordinal

    @property
    def n_rows(self) -> int | None:
        return self.part.n_rows

    def read(self, columns: Sequence[int]) -> Iterator[Batch]:
        return self.part.read([self.kept[column] for column in columns])


@dataclass(frozen=True, slots=True)
class _RowRecords:
    """Rows of a source as mappings."""

    table: Source

    @property
    def label(self) -> str:
        return self.table.label

    @property
    def sources(self) -> tuple[str, ...]:
        return self.table.sources

    @property
    def notes(self) -> tuple[str, ...]:
        return self.table.notes

    def records(self) -> Iterator[tuple[Place, Record]]:
        names = [field.name for field in self.table.fields]
        for part in self.table.parts:
            for batch in part.read(range(len(names))):
                with reading(part.source or self.label, "cannot be shown as Python values"):
                    values = list(zip(*(array.to_pylist() for array in batch.arrays), strict=True))
                for number, row in enumerate(values, start=batch.first_row + 1):
                    yield Place(part.source, number), dict(zip(names, row, strict=True))
