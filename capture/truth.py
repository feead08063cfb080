"""Ground truth: labels kept beside the captures, whenever they come.

::

    captures/
        ground_truth/churn/date=2026-11-23/hour=07/<import>.parquet    labels by the hour of their time
        .driftline/quarantine/<import>.labels.jsonl                    labels that cannot be read

All labels are kept, also those that a later one corrects and those of events that are not captured (yet); which one holds
is decided when they are joined, see :mod:`driftline.capture.labelled`. Like captured events they are to be seen once the
manifest says so, whole imports at a time.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import uuid
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from driftline.capture.archive import Archive
from driftline.capture.event import check_name
from driftline.capture.label_files import FOLDER, REFUSED, by_hour, moments, set_aside, written
from driftline.capture.label_records import pieces_of_records
from driftline.capture.label_upkeep import (
    check_labels,
    compact_labels,
    erase_labels,
    expire_labels,
    refused_labels,
)
from driftline.capture.labels import chosen, named_way, pieces_of_source, read_texts
from driftline.capture.manifest import IMPORT
from driftline.capture.source import Place
from driftline.capture.tables import HOUR, is_textual, one_table
from driftline.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from typing import Literal

    from driftline.capture.blob import Blob
    from driftline.capture.captures import Captures
    from driftline.capture.find import Found
    from driftline.capture.labels import Piece, Refused
    from driftline.capture.manifest import Segment

__all__ = [
    "FOLDER",
    "Imported",
    "check_labels",
    "compact_labels",
    "erase_labels",
    "expire_labels",
    "import_labels",
    "refused_labels",
    "store_labels",
]

_AT_ONCE = 1 << 20
_MOST_REFUSED = 10_000
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of an import.

    Attributes
    ----------
    labels : int
        Stored now.
    repeated : int
        Files that were imported before, and so were left alone.
    refused : int
        Labels that cannot be read; they are in quarantine.
    examples : tuple of Refused
        The first of them.
    """

    labels: int
    repeated: int = 0
    refused: int = 0
    examples: tuple[Refused, ...] = ()


def import_labels(
    captures: str | os.PathLike[str] | Archive | Captures,
    endpoint: str,
    data: Any,
    *,
    id: str | None = None,  # noqa: A002
    label: str | Sequence[str] | None = None,
    time: str | None = None,
    row: str | None = None,
    by: str | None = None,
    format: str | None = None,  # noqa: A002
    header: bool | Literal["auto"] = "auto",
    source: str | None = None,
    strict: bool = False,
    state: str | os.PathLike[str] | None = None,
) -> Imported:
    """Store labels from files or a table, all of them or none.

    Parameters
    ----------
    captures : path, URL, Archive or Captures
    endpoint : str
    data : object
        Whatever :func:`driftline.capture.open.open_source` takes; also SageMaker's ground truth, whose labels get the hour
        of their folder as time.
    id, label, time, row, by
        Which columns mean what, see :func:`driftline.capture.labels.chosen`. A label without a time has that of its
        import.
    format, header
        As for :func:`~driftline.capture.open.open_source`.
    source : str, optional
        What to call the data; the names of the files by default.
    strict : bool
        True refuses everything where a label cannot be read; otherwise such labels go to quarantine.
    state : path, optional
        As for :class:`~driftline.capture.archive.Archive`.

    Returns
    -------
    Imported

    Raises
    ------
    SourceError
        Where the data cannot be read, ``E-LABEL`` where no label can be, or one cannot and `strict` is set, or more than
        10,000; nothing is stored then.
    SchemaError
        ``E-COLUMNS``, ``E-TYPES``.
    UsageError
        ``E-NAME``, ``E-BY``, ``E-WRITE``, ``E-STORE``.

    Notes
    -----
    A file whose bytes were imported before, with the same columns and for the same endpoint, changes nothing, whatever
    it is called; the same holds for a table. Each file of a folder counts for itself, so that a folder that grows
    may be imported again and again.
    """
    check_name("an endpoint", endpoint)
    named_way(by)
    archive = _archive(captures, state)
    options = {"id": id, "label": label, "time": time, "row": row, "by": by}
    asked = json.dumps([endpoint, options, format, header], sort_keys=True, default=str)
    found = _found(data, format)
    writer = _Writer(archive, endpoint, strict)
    if found is None:
        pieces = list(_opened_pieces(data, None, options, format, header))
        names, repeated = [_name(asked, _digest(pieces))], 0
        label_of = source or type(data).__name__
        if archive.manifest.token_of(names[0]) is not None:
            return Imported(0, 1)
        writer.add_all((piece, label_of) for piece in pieces)
    else:
        fresh: dict[str, Blob] = {}
        for blob in found.blobs:
            digest = hashlib.sha256()
            for chunk in blob.chunks():
                digest.update(chunk)
            fresh.setdefault(_name(asked, digest.hexdigest()), blob)
        repeated = len(found.blobs) - len(fresh)
        for name in list(fresh):
            if archive.manifest.token_of(name) is not None:
                del fresh[name]
                repeated += 1
        names = list(fresh)
        if not names:
            return Imported(0, repeated)
        writer.add_all(
            (piece, source or blob.name)
            for blob in fresh.values()
            for piece in _opened_pieces(data, _only(found, blob), options, format, header)
        )
    return writer.finish(names, repeated)


def store_labels(
    captures: Archive | Captures,
    endpoint: str,
    records: Sequence[Mapping[str, Any]],
    *,
    by: str | None = None,
    source: str = "http",
    request: str | None = None,
    strict: bool = False,
) -> Imported:
    """Store labels that somebody sent: when this returns they are on the disk, to be seen, and survive anything.

    Parameters
    ----------
    captures : Archive or Captures
    endpoint : str
    records : sequence of mapping
        ``{"event_id": …, "label": …}``, see :func:`driftline.capture.labels.pieces_of_records`; SageMaker's form too.
    by : str, optional
        What ``id`` is.
    source : str
    request : str, optional
        Names the request: one of the same name is stored once, within 30 days.
    strict : bool
        As for :func:`import_labels`; a server that tells its clients would set it.

    Raises
    ------
    SourceError
        ``E-LABEL``; nothing is stored then.
    UsageError
        ``E-NAME``, ``E-BY``, ``E-WRITE``, ``E-STORE``.
    """
    check_name("an endpoint", endpoint)
    archive = _archive(captures, None)
    names = []
    if request is not None:
        names.append("labels-" + hashlib.sha256(json.dumps([endpoint, request]).encode()).hexdigest()[:32])
        if archive.manifest.token_of(names[0]) is not None:
            return Imported(0, 1)
    writer = _Writer(archive, endpoint, strict)
    placed = ((Place("", number), record) for number, record in enumerate(records, start=1))
    writer.add_all((piece, source) for piece in pieces_of_records(placed, named_way(by)))
    return writer.finish(names, 0)


def _archive(captures: Any, state: Any) -> Archive:
    if isinstance(captures, Archive):
        return captures
    if isinstance(captures, str | os.PathLike):
        return Archive(captures, state=state)
    archive: Archive = captures.archive
    return archive


def _name(asked: str, digest: str) -> str:
    return f"{IMPORT}labels-" + hashlib.sha256(f"{asked}\n{digest}".encode()).hexdigest()[:32]


def _digest(pieces: Sequence[Piece]) -> str:
    tables = [piece.table for piece in pieces if piece.table is not None]
    sink = pa.BufferOutputStream()
    if tables:
        table = one_table(tables).replace_schema_metadata().combine_chunks()
        with pa.ipc.new_stream(sink, table.schema) as stream:
            stream.write_table(table)
    digest = hashlib.sha256(sink.getvalue())
    for piece in pieces:
        for item in piece.refused:
            digest.update(repr(asdict(item)).encode())
    return digest.hexdigest()


# --- reading --------------------------------------------------------------------------------------------------------


def _found(data: Any, kind: str | None) -> Found | None:
    """Find the files that are meant; None for data in memory."""
    many = (
        isinstance(data, list | tuple) and data and all(isinstance(item, str | os.PathLike) for item in data)
    )
    if not (isinstance(data, str | os.PathLike) or many):
        return None
    from driftline.capture.find import find
    from driftline.capture.sniff import settled

    paths = data if many else [data]
    return settled(find([os.fsdecode(os.fspath(path)) for path in paths], kind))


def _only(found: Found, blob: Blob) -> Found:
    return type(found)((blob,), found.format, ())


def _opened_pieces(
    data: Any, found: Found | None, options: dict[str, Any], kind: str | None, header: bool | Literal["auto"]
) -> Iterator[Piece]:
    from driftline.capture.open import BATCH_ROWS, open_source

    if found is None:
        if isinstance(data, list | tuple) and data and all(isinstance(item, dict) for item in data):
            names = list(dict.fromkeys(name for row in data for name in row))
            truth = any("groundTruthData" in row for row in data)
            named = None if truth or _is_own_form(names, options) else chosen(names, "", **options)
            placed = ((Place("", number), row) for number, row in enumerate(data, start=1))
            yield from pieces_of_records(placed, options["by"], named)
            return
        source = open_source(data, format=kind, header=header)
        yield from pieces_of_source(source, chosen([f.name for f in source.fields], source.label, **options))
        return
    (blob,) = found.blobs
    from driftline.capture.formats.jsonl import json_records

    if found.format == "sagemaker":
        yield from pieces_of_records(json_records([blob]), options["by"])
    elif found.format == "jsonl":
        yield from _json_pieces(blob, options)
    elif found.format == "csv":
        from driftline.capture.formats.csv import open_csv

        source = open_csv([blob], label=blob.name, batch_rows=BATCH_ROWS, header=header)
        yield from pieces_of_source(source, chosen([f.name for f in source.fields], blob.name, **options))
    else:
        from driftline.capture.formats.parquet import open_parquet

        source = open_parquet([blob], label=blob.name, batch_rows=BATCH_ROWS)
        yield from pieces_of_source(source, chosen([f.name for f in source.fields], blob.name, **options))


def _is_own_form(names: Collection[str], options: Mapping[str, Any]) -> bool:
    """Tell whether records call everything as :func:`pieces_of_records` does."""
    return "label" in names and all(options[name] is None for name in ("id", "label", "time", "row"))


def _json_pieces(blob: Blob, options: dict[str, Any]) -> Iterator[Piece]:
    from driftline.capture.formats.jsonl import json_records, open_jsonl
    from driftline.capture.open import BATCH_ROWS

    own = all(options[name] is None for name in ("id", "label", "time", "row"))
    first: Mapping[str, Any] = next((record for _, record in json_records([blob])), {})
    if own and "label" in first:
        yield from pieces_of_records(json_records([blob]), options["by"])
        return
    try:
        source = open_jsonl([blob], label=blob.name, batch_rows=BATCH_ROWS)
    except SourceError as error:
        if error.code != "E-NESTED":
            raise
        yield from pieces_of_records(
            json_records([blob]), options["by"], chosen(list(first), blob.name, **options)
        )
        return
    yield from pieces_of_source(source, chosen([f.name for f in source.fields], blob.name, **options))


# --- writing --------------------------------------------------------------------------------------------------------


class _Writer:
    """Gathers labels, writes them by hour, and makes them visible together; to be ended by `finish` or `discard`.

    Files are named at random: two imports of the same file at once must not write over each other.
    """

    def __init__(self, archive: Archive, endpoint: str, strict: bool) -> None:
        self.archive = archive
        self.endpoint = endpoint
        self.strict = strict
        self.name = uuid.uuid4().hex
        self.held: list[pa.Table] = []
        self.n_held = 0
        self.segments: list[Segment] = []
        self.refused: list[Refused] = []
        self.n = 0
        self._upkeep = contextlib.ExitStack()

    def add_all(self, pieces: Iterable[tuple[Piece, str]]) -> None:
        try:
            for piece, source in pieces:
                self.add(piece, source)
        except BaseException:
            self.discard()
            raise

    def add(self, piece: Piece, source: str) -> None:
        self.refused += piece.refused
        if piece.refused and (self.strict or len(self.refused) > _MOST_REFUSED):
            raise _unreadable(self.refused)
        if piece.table is None or not piece.table.num_rows:
            return
        named = pa.repeat(pa.scalar(source), piece.table.num_rows)
        self.held.append(piece.table.add_column(5, pa.field("_source", pa.string(), nullable=False), named))
        self.n_held += piece.table.num_rows
        if self.n_held >= _AT_ONCE:
            if not self.segments:
                # Until they are in the manifest, nobody may look for files that are not.
                self._upkeep.enter_context(self.archive.upkeep())
            with self.archive.alone():
                self._flush()

    def _flush(self) -> None:
        """Write what is held; the caller is alone."""
        if not self.held:
            return
        table = one_table(self.held)
        self.held, self.n_held = [], 0
        first = moments(self.archive, table.num_rows)
        at = pa.array(np.arange(first, first + table.num_rows), pa.int64()).cast(pa.timestamp("us", "UTC"))
        table = table.add_column(5, pa.field("_imported", at.type, nullable=False), at)
        times = pc.coalesce(table["_label_time"], table["_imported"])
        table = table.set_column(4, pa.field("_label_time", at.type, nullable=False), times)
        for i, column in enumerate(table.schema):
            if is_textual(column) and pa.types.is_string(column.type):
                read = read_texts(table.column(i))
                table = table.set_column(i, pa.field(column.name, read.type), read)
        hours = table["_label_time"].cast(pa.int64()).to_numpy() // HOUR
        ways = table["_by"].unique().to_pylist()
        for way in sorted(ways):
            mine = hours if len(ways) == 1 else hours[pc.equal(table["_by"], way).to_numpy()]
            rows = table if len(ways) == 1 else table.filter(pc.equal(table["_by"], way))
            for hour, piece in by_hour(rows, mine):
                name = f"{self.name}-{len(self.segments):05d}"
                self.segments.append(written(self.archive, name, piece, (self.endpoint, way, hour)))
        self.n += table.num_rows

    def finish(self, names: Sequence[str], repeated: int) -> Imported:
        if self.refused and not self.n + self.n_held:
            raise _unreadable(self.refused)
        try:
            with self.archive.alone():
                self._flush()
                segments = [*self.segments, *self._set_aside()]
                counts: Counter[tuple[str, str, str, str]] = Counter()
                counts[self.endpoint, "", "labels", ""] = self.n
                counts[self.endpoint, "", "labels refused", ""] = len(self.refused)
                done = self.archive.manifest.commit(
                    add=segments,
                    log=(names[0], "request") if names and not names[0].startswith(IMPORT) else None,
                    imports=[name for name in names if name.startswith(IMPORT)],
                    counts=counts,
                    now=self.archive.clock(),
                )
        except BaseException:
            self.discard()
            raise
        if not done:  # somebody else has imported one of these files meanwhile
            self.discard()
            return Imported(0, repeated + len(names))
        self._upkeep.close()
        self.archive.publish()
        return Imported(self.n, repeated, len(self.refused), tuple(self.refused[:_SHOWN]))

    def discard(self) -> None:
        """Take away what nobody will see."""
        known = self.archive.manifest.known()
        for segment in self.segments:
            if segment.path not in known:
                self.archive.target.remove(segment.path)
        path = self.archive.quarantine / (self.name + REFUSED)
        if path.name not in known:
            path.unlink(missing_ok=True)
        self._upkeep.close()

    def _set_aside(self) -> Iterator[Segment]:
        if self.refused:
            lines = [json.dumps({"endpoint": self.endpoint, **asdict(item)}) for item in self.refused]
            yield set_aside(self.archive, self.name + REFUSED, lines, self.endpoint)


def _unreadable(refused: Sequence[Refused]) -> SourceError:
    first = refused[0]
    more = f" (and {len(refused) - 1:,} more)" if len(refused) > 1 else ""
    return SourceError(
        f"{first.reason}{more}, so nothing was imported",
        code="E-LABEL",
        file=first.file or None,
        line=first.line,
        fix="repair it, or check which columns are named",
    )
