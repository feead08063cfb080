"""Labels: the labelled rows of a window as a source, features and labels only.

The join gives its rows in the order of the files, each row once, so that every row is known by its file and its number in
it, as those that are read without labels are.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from driftline.capture.arrays import numbers_of
from driftline.capture.open import open_source
from driftline.capture.source import Batch, Field, OpenedSource, Run
from driftline.capture.tables import is_textual
from driftline.errors import SourceError
from driftline.monitor.captured import is_cut

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from numpy.typing import NDArray

    from driftline.capture.labelled import Labelled
    from driftline.capture.source import Source

__all__ = ["labelled_source"]

_LABEL_TIME = "_label_time"


def labelled_source(joined: Labelled, keep: Collection[str] = ()) -> Source:
    """Open the rows of a labelled window, to be folded once.

    Parameters
    ----------
    joined : Labelled
        With at least one file.
    keep : collection of str
        Columns about the event to read too, see :func:`driftline.capture.open.open_source`, and ``_label_time``.

    Raises
    ------
    SourceError, UsageError
        As the batches of :class:`~driftline.capture.labelled.Labelled`.
    SchemaError
        ``E-NO-COLUMNS``.
    """
    window = joined.window
    names = tuple(window.target.shown(segment.path) for segment in window.segments)
    reader = joined.reader()
    fields = tuple(Field(f.name, f.type, is_textual(f)) for f in reader.schema)
    part = _JoinPart(joined, reader, names)
    source = open_source(
        OpenedSource(window.endpoint, fields, True, False, names, (part,), (), True), keep=keep
    )
    if _LABEL_TIME in keep:
        return source
    columns = [f.name for f in source.fields if f.name != _LABEL_TIME]
    return open_source(source, columns=columns)


@dataclass(slots=True)
class _JoinPart:
    """All rows, as one stream."""

    joined: Labelled
    reader: Any
    names: tuple[str, ...]
    _begun: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    n_rows = None
    ordinal = 0

    @property
    def source(self) -> str:
        return self.names[0]

    def read(self, columns: Sequence[int]) -> Iterator[Batch]:
        with self._lock:
            if self._begun:
                raise SourceError(
                    "is a stream and has been read already",
                    code="E-STREAM",
                    file=self.source,
                    fix="open the window again",
                )
            self._begun = True
        places = _Places(self._stretches())
        for batch in self.reader:
            if batch.num_rows:
                arrays = tuple(batch.column(i) for i in columns)
                yield Batch(arrays, 0, places.next(batch.num_rows))

    def _stretches(self) -> Iterator[tuple[str, int, int]]:
        """Give file, first row and length of rows that stand together, in order."""
        window = self.joined.window
        for name, segment in zip(self.names, window.segments, strict=True):
            if not is_cut(segment, window.start, window.end):
                yield name, 0, segment.rows
                continue
            data = window.target.read(segment.path)
            table = pq.ParquetFile(pa.BufferReader(data)).read(columns=["_time"], use_threads=False)
            times = numbers_of(table["_time"].cast(pa.int64()))
            index: NDArray[np.int64] = np.flatnonzero((times >= window.start) & (times < window.end))
            starts = np.flatnonzero(np.diff(index, prepend=-2) != 1)
            lengths = np.diff(starts, append=index.shape[0])
            for row, length in zip(index[starts].tolist(), lengths.tolist(), strict=True):
                yield name, row, length


class _Places:
    """Where the rows of one batch after the other stand."""

    def __init__(self, stretches: Iterator[tuple[str, int, int]]) -> None:
        self._stretches = stretches
        self._left: tuple[str, int, int] = ("", 0, 0)

    def next(self, n_rows: int) -> tuple[Run, ...]:
        runs = []
        at = 0
        while at < n_rows:
            name, row, length = self._left
            if not length:
                self._left = next(self._stretches)
                continue
            taken = min(length, n_rows - at)
            runs.append(Run(at, name, row))
            self._left = (name, row + taken, length - taken)
            at += taken
        return tuple(runs)
