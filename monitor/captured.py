"""Captured: the rows of a window as a source, and what the window's input is known by.

Files are those that the manifest shows, each verified against its digest before it is read. A row of a file that reaches
beyond the window is left out, and the rows that stay keep the numbers they have in their file.
"""

from __future__ import annotations

import hashlib
import threading
from bisect import bisect_left
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from driftline.capture.arrays import mask_array
from driftline.capture.blob import Blob, local_blob
from driftline.capture.event import check_name
from driftline.capture.failure import reading
from driftline.capture.formats.parquet import open_parquet
from driftline.capture.matching import ALWAYS
from driftline.capture.open import BATCH_ROWS, open_source
from driftline.capture.source import Batch, OpenedSource, Run
from driftline.capture.tables import HOUR
from driftline.capture.target import target_of
from driftline.capture.window import Window, moment_of, segments_of, window
from driftline.errors import SourceError, UsageError

if TYPE_CHECKING:
    import os
    from collections.abc import Collection, Iterator, Sequence

    from driftline.capture.manifest import Segment
    from driftline.capture.source import Part, Source
    from driftline.capture.target import Target

__all__ = [
    "SegmentFiles",
    "captured_source",
    "found",
    "input_digest",
    "input_digests",
    "is_cut",
    "segments_digest",
]

_CACHED_BYTES = 256 << 20


def found(
    root: str | os.PathLike[str], endpoint: str, start: object, end: object, variant: str | None = None
) -> Window:
    """Find the files of a window, in order of their names.

    Raises
    ------
    UsageError, SourceError
        As :func:`driftline.capture.window.window`.
    """
    listed = window(root, endpoint, start, end, variant=variant)
    shown = listed.target.shown
    return replace(listed, segments=tuple(sorted(listed.segments, key=lambda s: shown(s.path))))


def is_cut(segment: Segment, start: int, end: int) -> bool:
    """Tell whether a file also holds rows outside of a window."""
    return segment.first < start or segment.last >= end


def segments_digest(segments: Sequence[Segment], labels: Sequence[Segment] = ()) -> str | None:
    """Return ``sha256:…`` over the digests of files, whatever their order; None where there are no segments."""
    if not segments:
        return None
    parts = [sorted(s.sha256 for s in files) for files in (segments, labels) if files]
    return "sha256:" + hashlib.sha256("\n\n".join("\n".join(part) for part in parts).encode()).hexdigest()


def input_digest(
    root: str | os.PathLike[str],
    endpoint: str,
    start: object,
    end: object,
    variant: str | None = None,
    *,
    labels: bool = False,
) -> str | None:
    """Return what the input of a window is known by; see :func:`input_digests`."""
    return input_digests(root, endpoint, [(start, end)], variant, labels=labels)[0]


def input_digests(
    root: str | os.PathLike[str],
    endpoint: str,
    windows: Sequence[tuple[object, object]],
    variant: str | None = None,
    *,
    labels: bool = False,
) -> list[str | None]:
    """Return what the input of each window is known by; the manifest is asked once, no file is opened.

    Parameters
    ----------
    root : path or URL
        Of the captures.
    endpoint : str
    windows : sequence of (start, end)
        See :func:`driftline.capture.window.moment_of`; an end is not part of its window.
    variant : str, optional
    labels : bool
        Labels count too. A file of labels may be for events of any time, so that all of the endpoint's count in every
        window; :func:`driftline.capture.labelled.changed_since` tells which hours a new one touches.

    Returns
    -------
    list of (str or None)
        The ``segments_digest`` of :func:`driftline.monitor.kept.captured_profile` or, with labels, of
        :func:`~driftline.monitor.kept.labelled_profile`; None where nothing was captured. Late events, erasures and
        compaction change it.

    Raises
    ------
    UsageError
        ``E-TIME``, ``E-NAME``.
    SourceError
        ``E-NO-STORE`` where there are no captures, ``E-STORE``.
    """
    check_name("an endpoint", endpoint)
    spans = [(moment_of(start), moment_of(end)) for start, end in windows]
    for first, last in spans:
        if first >= last:
            raise UsageError(
                "the window ends before it begins", code="E-TIME", fix="give an end after the start"
            )
    if not spans:
        return []
    target = target_of(root)
    hours = min(first for first, _ in spans) // HOUR, max(-(-last // HOUR) for _, last in spans)
    listed = sorted(segments_of(target, endpoint, variant, hours), key=lambda s: s.hour)
    told = segments_of(target, endpoint, None, ALWAYS, "labels") if labels else []
    at = [s.hour for s in listed]
    digests = []
    for first, last in spans:
        near = listed[bisect_left(at, first // HOUR) : bisect_left(at, -(-last // HOUR))]
        digests.append(segments_digest([s for s in near if s.last >= first and s.first < last], told))
    return digests


class _Held:
    """A store of one file system call: bytes by name."""

    def __init__(self, read: Any) -> None:
        self._read = read

    def open_input_file(self, path: str) -> pa.BufferReader:
        return pa.BufferReader(self._read(path))


class SegmentFiles:
    """The files of captures, each verified before it is read; for any number of threads.

    Parameters
    ----------
    target : Target
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self._lock = threading.Lock()
        self._blobs: dict[str, Blob] = {}
        self._segments: dict[str, Segment] = {}
        self._bytes: OrderedDict[str, pa.Buffer] = OrderedDict()
        self._schemas: dict[str, pa.Schema] = {}

    def blob(self, segment: Segment) -> Blob:
        """Return a file whose content is what was written.

        Raises
        ------
        SourceError
            ``E-DIGEST`` where it is missing or is not what was written.
        """
        path = segment.path
        blob = self._blobs.get(path)
        if blob is None:
            blob = self._local(segment) if self.target.is_local else self._distant(segment)
            self._blobs[path] = blob
        return blob

    def blobs(self, segments: Sequence[Segment], threads: int = 1) -> list[Blob]:
        """Return several."""
        if threads == 1 or len(segments) < 2:
            return [self.blob(segment) for segment in segments]
        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(self.blob, segments))

    def schema(self, segment: Segment) -> pa.Schema:
        """Return the schema of a file, with the marks that capture has left in it.

        Raises
        ------
        SourceError
            ``E-PARQUET`` where it has none, ``E-DIGEST``.
        """
        schema = self._schemas.get(segment.path)
        if schema is None:
            blob = self.blob(segment)
            with (
                reading(blob.name, "is not a readable Parquet file", code="E-PARQUET"),
                blob.random() as stream,
            ):
                schema = pq.ParquetFile(stream, pre_buffer=False).schema_arrow
            self._schemas[segment.path] = schema
        return schema

    def _local(self, segment: Segment) -> Blob:
        shown = self.target.shown(segment.path)
        if not Path(shown).exists():
            raise _damaged(shown, "is in the manifest and not there")
        # Looked at first: whoever opens it later sees whether it has changed since.
        blob = local_blob(shown)
        with reading(shown), open(shown, "rb", buffering=0) as file:  # noqa: PTH123
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != segment.sha256:
            raise _damaged(shown, "is not what was written: its digest is another")
        return blob

    def _distant(self, segment: Segment) -> Blob:
        self._segments[segment.path] = segment
        size = self._fetched(segment.path).size
        return Blob(self.target.shown(segment.path), segment.path, size, _Held(self._fetched))

    def _fetched(self, path: str) -> pa.Buffer:
        with self._lock:
            if path in self._bytes:
                self._bytes.move_to_end(path)
                return self._bytes[path]
        shown = self.target.shown(path)
        try:
            data = self.target.read(path)
        except FileNotFoundError:
            raise _damaged(shown, "is in the manifest and not there") from None
        if hashlib.sha256(data).hexdigest() != self._segments[path].sha256:
            raise _damaged(shown, "is not what was written: its digest is another")
        with self._lock:
            self._bytes[path] = data
            while len(self._bytes) > 1 and sum(b.size for b in self._bytes.values()) > _CACHED_BYTES:
                self._bytes.popitem(last=False)
        return data

    def source(
        self,
        segments: Sequence[Segment],
        start: int,
        end: int,
        *,
        label: str,
        read_as: pa.Schema | None = None,
        threads: int = 1,
    ) -> OpenedSource:
        """Open some files as one source of all their columns, with the rows from `start` and before `end`.

        Parameters
        ----------
        segments : sequence of Segment
            At least one.
        start, end : int
            Microseconds since 1970-01-01 UTC.
        label : str
        read_as : pyarrow.Schema, optional
            Types that columns are to be read as, as if another file had them; columns that no file has are null.
        threads : int

        Raises
        ------
        SourceError, SchemaError
            As :func:`driftline.capture.open.open_source`; ``E-DIGEST``.
        """
        blobs = self.blobs(segments, threads)
        if read_as is not None:
            blobs.append(_empty_file(read_as))
        opened = open_parquet(blobs, label=label, batch_rows=BATCH_ROWS)
        cut = {i for i, segment in enumerate(segments) if is_cut(segment, start, end)}
        at = next((i for i, field in enumerate(opened.fields) if field.name == "_time"), 0)
        parts = tuple(
            _CutPart(part, at, start, end) if part.ordinal in cut else part for part in opened.parts
        )
        return replace(opened, parts=parts, sources=opened.sources[: len(segments)])


def _empty_file(schema: pa.Schema) -> Blob:
    """Return a file without rows, which brings nothing but its types."""
    sink = pa.BufferOutputStream()
    pq.write_table(schema.empty_table(), sink)
    data = sink.getvalue()
    return Blob("", "", data.size, _Held(lambda _: data))


def _damaged(file: str, message: str) -> SourceError:
    return SourceError(message, code="E-DIGEST", file=file, fix="restore it from a backup")


@dataclass(frozen=True, slots=True)
class _CutPart:
    """The rows of a part whose time lies in a window."""

    part: Part
    time: int
    start: int
    end: int

    @property
    def source(self) -> str:
        return self.part.source

    @property
    def ordinal(self) -> int:
        return self.part.ordinal

    @property
    def n_rows(self) -> int | None:
        return None

    def read(self, columns: Sequence[int]) -> Iterator[Batch]:
        for batch in self.part.read([*columns, self.time]):
            *arrays, stamps = batch.arrays
            times = np.from_dlpack(stamps.cast(pa.int64()))
            inside = (times >= self.start) & (times < self.end)
            index = np.flatnonzero(inside)
            if not index.shape[0]:
                continue
            first_row = batch.first_row + int(index[0])
            if int(index[-1]) - int(index[0]) == index.shape[0] - 1:
                kept = (array.slice(int(index[0]), index.shape[0]) for array in arrays)
                yield Batch(tuple(kept), first_row)
                continue
            starts = np.flatnonzero(np.diff(index, prepend=-2) != 1)
            runs = tuple(
                Run(int(i), self.part.source, batch.first_row + int(row))
                for i, row in zip(starts, index[starts], strict=True)
            )
            mask = mask_array(inside)
            yield Batch(tuple(array.filter(mask) for array in arrays), first_row, runs)


def captured_source(
    root: str | os.PathLike[str],
    endpoint: str,
    start: object,
    end: object,
    *,
    variant: str | None = None,
    keep: Collection[str] = (),
    columns: Sequence[str] | None = None,
    threads: int = 1,
) -> Source | None:
    """Open what was captured in a window, to be folded row by row.

    Parameters
    ----------
    root, endpoint, start, end, variant
        As for :func:`driftline.capture.window.window`.
    keep : collection of str
        Columns about the event to read too, see :func:`driftline.capture.open.open_source`.
    columns : sequence of str, optional
        Columns to read, in this order.
    threads : int
        For the verification of the files.

    Returns
    -------
    Source or None
        None where nothing was captured.

    Raises
    ------
    UsageError
        ``E-TIME``, ``E-NAME``.
    SourceError, SchemaError
        As :func:`driftline.capture.open.open_source`; ``E-DIGEST`` where a file is missing or is not what was written.
    """
    asked = found(root, endpoint, start, end, variant)
    if not asked.segments:
        return None
    opened = SegmentFiles(asked.target).source(
        asked.segments, asked.start, asked.end, label=endpoint, threads=threads
    )
    return open_source(opened, columns=columns, keep=keep)
