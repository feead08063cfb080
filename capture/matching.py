"""Matching: which label holds for which row of a window, as :mod:`driftline.capture.labelled` says.

DuckDB joins the key columns and sorts what matches by row and by time; of the labels of a row, which then stand together,
the last holds. It gives them in the order of the rows, which are streamed past.
"""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from driftline.capture.duck import opened, quoted, reading_files
from driftline.capture.labels import WAYS
from driftline.capture.tables import HOUR, META, as_type, one_table
from driftline.capture.window import segments_of
from driftline.errors import InternalError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from driftline.capture.duck import Duck
    from driftline.capture.labelled import Labelled
    from driftline.capture.manifest import Segment
    from driftline.capture.target import Target

__all__ = ["ALWAYS", "Coverage", "Join", "hours_of", "joining"]

ALWAYS = (-(1 << 40), 1 << 40)
"""Hours, all there are."""

_MICROSECONDS = 1_000_000
_SHIFT = 32
_BATCH = 65_536


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of a window is labelled, and how late the labels came.

    Attributes
    ----------
    rows, labelled : int
        Rows of the window, and those that have a label.
    lag_p50, lag_p90, lag_max : float or None
        Seconds from the event to the time of the label that holds, over the labelled rows, in whole seconds; None where
        there are none. The quantiles are values that occur: the least that so large a share does not exceed.
    corrected : int
        Labels of these rows that a later one with another value replaced.
    duplicates : int
        Labels of these rows that say what the one before them said.
    misfits : int
        Labels for an event of the window, but not for any row of it.
    unmatched : int or None
        Labels of the endpoint whose id no captured event has, in whatever window; None where it was not asked for.
    """

    rows: int
    labelled: int
    lag_p50: float | None = None
    lag_p90: float | None = None
    lag_max: float | None = None
    corrected: int = 0
    duplicates: int = 0
    misfits: int = 0
    unmatched: int | None = None

    @property
    def share(self) -> float | None:
        """Labelled rows out of all, from 0 to 1; None where there is no row."""
        return self.labelled / self.rows if self.rows else None


_KEY = {
    "auto": "coalesce(e._inference_id, e._event_id)",
    "event_id": "e._event_id",
    "inference_id": "e._inference_id",
}


def _by_way(segments: Sequence[Segment]) -> dict[str, list[Segment]]:
    found: dict[str, list[Segment]] = {}
    for way in WAYS:
        mine = [s for s in segments if s.variant == way]
        if mine:
            found[way] = mine
    return found


class Join:
    """One join of a window, see the module."""

    def __init__(self, asked: Labelled, duck: Duck, columns: Sequence[str] | None) -> None:
        self.asked = asked
        self.duck = duck
        self.window = asked.window
        self.files = duck.local(self.window.target, self.window.segments)
        self.ways = _by_way(asked.labels)
        self.labels = {way: duck.local(self.window.target, s) for way, s in self.ways.items()}
        self.is_cut = [s.first < self.window.start or s.last >= self.window.end for s in self.window.segments]
        self.values = self._values()
        self.schema = self._schema(columns)

    def _values(self) -> pa.Schema:
        """Return the columns of the labels, with the type that holds the values of all files."""
        files = [file for files in self.labels.values() for file in files]
        if not files:
            return pa.schema([pa.field("label", pa.null())])
        with self.duck.failing():
            query = f"SELECT * FROM {reading_files(files, 'union_by_name = true')} LIMIT 0"
            schema = self.duck.ask(query).schema
        names = [name for name in schema.names if not name.startswith("_")]
        return pa.schema([pa.field(name, _arrow(schema.field(name).type)) for name in names])

    def _schema(self, columns: Sequence[str] | None) -> pa.Schema:
        import pyarrow.parquet as pq

        distinct: dict[str, pa.Schema] = {}
        for file in self.files:
            schema = pq.read_schema(file)
            distinct.setdefault(str(schema) + str(schema.metadata), schema)
        empty = [schema.empty_table() for schema in distinct.values()]
        events = one_table(empty).schema if empty else META
        if columns is not None:
            events = pa.schema(
                [events.field(name) for name in columns if name in events.names], events.metadata
            )
        fields = list(events)
        names = {field.name for field in fields}
        for name, kind in [
            ("_label_time", pa.timestamp("us", "UTC")),
            *((f.name, f.type) for f in self.values),
        ]:
            while name in names:
                name += "_"
            names.add(name)
            fields.append(pa.field(name, kind))
        return pa.schema(fields)

    # --- queries ---

    def _events(self) -> str:
        """Return the events of the window: position, ids, row, rows of the event, time."""
        # Where every event is one row, as the manifest knows, nobody need count them.
        n_rows = "1" if self._one_row_each else "count(*) OVER (PARTITION BY file_index, _event_id)"
        where = ""
        if any(self.is_cut):
            time = "epoch_us(_time)"
            where = f"WHERE {time} >= {self.window.start} AND {time} < {self.window.end}"
        return (
            f"SELECT file_index::BIGINT * {1 << _SHIFT} + file_row_number AS at, _event_id, _inference_id, _row, "
            f"{n_rows} AS n, epoch_us(_time) AS t "
            f"FROM {reading_files(self.files, 'file_row_number = true')} {where}"
        )

    @property
    def _one_row_each(self) -> bool:
        return all(s.rows == s.events for s in self.window.segments)

    def _known(self, way: str) -> str:
        """Return the labels that are known at the time in question."""
        where = "" if self.asked.as_of is None else f" WHERE epoch_us(_imported) <= {self.asked.as_of}"
        return f"(SELECT * FROM {reading_files(self.labels[way], 'union_by_name = true')}{where})"

    @property
    def _fits(self) -> str:
        if self._one_row_each:
            return "coalesce(l._position, 0) = 0 AND coalesce(l._of, 1) = 1"
        return (
            "CASE WHEN l._position IS NULL THEN e.n = 1 "
            "ELSE l._position = e._row AND (l._of IS NULL OR l._of = e.n) END"
        )

    def _matches(self, values: Sequence[pa.Field]) -> str:
        """Return a query for all labels of all rows: the rows in order, and the labels of a row in theirs."""
        parts = []
        for way, segments in self.ways.items():
            here = self._columns_of(self.labels[way]) if len(self.ways) > 1 or len(segments) > 1 else None
            cells = [f"CAST({_cell(f.name, here)} AS {_sql(f.type)}) AS {quoted(f.name)}" for f in values]
            parts.append(
                f"SELECT e.at, e.t, epoch_us(l._label_time) AS lt, epoch_us(l._imported) AS li"
                f"{''.join(', ' + cell for cell in cells)} "
                f"FROM e JOIN {self._known(way)} l ON l._key = {_KEY[way]} AND {self._fits}"
            )
        # Moments of import are distinct but for those of several machines: then the values decide, so that it is certain.
        return f"WITH e AS NOT MATERIALIZED ({self._events()}) {' UNION ALL '.join(parts)} ORDER BY ALL"

    def _columns_of(self, files: Sequence[str]) -> set[str]:
        return set(
            self.duck.ask(
                f"SELECT * FROM {reading_files(files, 'union_by_name = true')} LIMIT 0"
            ).schema.names
        )

    def winners(self) -> Iterator[_Winners]:
        """Give the label that holds of each labelled row, in order."""
        if not self.files or not self.labels:
            return
        reader = self.duck.ask(self._matches(list(self.values)))
        left: pa.Table | None = None
        while True:
            with self.duck.failing():
                batch = next(reader, None)
            if batch is None:
                break
            table = pa.Table.from_batches([batch])
            if left is not None:
                table = pa.concat_tables([left, table]).combine_chunks()
            if not table.num_rows:
                continue
            at = table["at"].to_numpy()
            is_last = np.append(at[:-1] != at[1:], False)
            left = table.slice(table.num_rows - 1)
            yield _won(table, is_last, self.values)
        if left is not None:
            yield _won(left, np.ones(1, np.bool_), self.values)

    # --- answers ---

    def rows(self) -> Iterator[pa.RecordBatch]:
        """Give the rows of the window with their labels."""
        import pyarrow.parquet as pq

        labels = _Ahead(self.winners(), self.values)
        for number, (file, is_cut) in enumerate(zip(self.files, self.is_cut, strict=True)):
            parquet = pq.ParquetFile(file, page_checksum_verification=True)
            here = set(parquet.schema_arrow.names)
            wanted = [f.name for f in self._captured if f.name in here]
            columns = wanted if "_time" in wanted or not is_cut else [*wanted, "_time"]
            row = 0
            for batch in parquet.iter_batches(
                _BATCH, columns=columns, use_threads=self.asked.resources.threads > 1
            ):
                at = np.arange(row, row + batch.num_rows, dtype=np.int64) + (number << _SHIFT)
                row += batch.num_rows
                table = pa.Table.from_batches([batch])
                if is_cut:
                    times = table["_time"].cast(pa.int64()).to_numpy()
                    inside = (times >= self.window.start) & (times < self.window.end)
                    table, at = table.filter(pa.array(inside)), at[inside]
                if not len(at):
                    continue
                arrays = [
                    as_type(table[f.name], f.type) if f.name in here else pa.nulls(len(at), f.type)
                    for f in self._captured
                ]
                arrays += labels.of(at)
                joined = pa.Table.from_arrays(arrays, schema=self.schema).combine_chunks()
                yield from joined.to_batches()
        labels.check_done()

    @property
    def _captured(self) -> list[pa.Field]:
        return list(self.schema)[: len(self.schema) - 1 - len(self.values)]

    def coverage(self, unmatched: bool) -> Coverage:
        """Count, see :class:`Coverage`."""
        n_rows = sum(s.rows for s in self.window.segments)
        if any(self.is_cut):
            n_rows = self.duck.number(f"SELECT count(*) FROM ({self._events()})")
        n = duplicates = corrected = 0
        lags: Counter[int] = Counter()
        for won in self.winners():
            n += won.at.size
            duplicates += won.duplicates
            corrected += won.corrected
            seconds, counts = np.unique(won.lag // _MICROSECONDS, return_counts=True)
            lags.update(dict(zip(seconds.tolist(), counts.tolist(), strict=True)))
        p50, p90, most = _quantiles(lags, (0.5, 0.9, 1.0))
        misfits = sum(self._misfits(way) for way in self.ways) if self.files else 0
        lost = sum(self._unmatched(way) for way in self.ways) if unmatched else None
        return Coverage(n_rows, n, p50, p90, most, corrected, duplicates, misfits, lost)

    def _misfits(self, way: str) -> int:
        matched = f"SELECT 1 FROM e WHERE l._key = {_KEY[way]}"
        odd = "coalesce(l._position, 0) != 0 OR coalesce(l._of, 1) != 1" if self._one_row_each else "true"
        return self.duck.number(
            f"WITH e AS NOT MATERIALIZED ({self._events()}) SELECT count(*) FROM {self._known(way)} l WHERE ({odd}) "
            f"AND EXISTS ({matched}) AND NOT EXISTS ({matched} AND {self._fits})"
        )

    def _unmatched(self, way: str) -> int:
        target, endpoint = self.window.target, self.window.endpoint
        segments = segments_of(target, endpoint, None, ALWAYS)
        known = f"SELECT count(*) FROM {self._known(way)} l"
        if not segments:
            return self.duck.number(known)
        told = reading_files(self.duck.local(target, segments))
        key = _KEY[way]
        return self.duck.number(f"{known} ANTI JOIN (SELECT {key} AS k FROM {told} e) ids ON ids.k = l._key")


def hours_of(duck: Duck, target: Target, events: Sequence[Segment], labels: Sequence[Segment]) -> set[int]:
    """Return the hours of the events for which there are labels, since 1970-01-01 UTC."""
    if not events or not labels:
        return set()
    told = reading_files(duck.local(target, events))
    hours: set[int] = set()
    for way, segments in _by_way(labels).items():
        query = (
            f"SELECT DISTINCT epoch_us(e._time) // {HOUR} AS hour FROM {told} e "
            f"WHERE {_KEY[way]} IN (SELECT _key FROM {reading_files(duck.local(target, segments))})"
        )
        hours |= {int(hour) for batch in duck.ask(query) for hour in batch.column(0).to_pylist()}
    return hours


@contextmanager
def joining(asked: Labelled, columns: Sequence[str] | None) -> Iterator[Join]:
    """Open the join of a window and close what it takes."""
    with opened(asked.resources) as duck:
        yield Join(asked, duck, columns)


def _cell(name: str, here: set[str] | None) -> str:
    return f"l.{quoted(name)}" if here is None or name in here else "NULL"


def _arrow(kind: pa.DataType) -> pa.DataType:
    return pa.string() if pa.types.is_large_string(kind) or pa.types.is_string_view(kind) else kind


_SQL = {
    pa.bool_(): "BOOLEAN",
    pa.string(): "VARCHAR",
    pa.float64(): "DOUBLE",
    pa.float32(): "FLOAT",
    pa.date32(): "DATE",
}
_SQL |= {
    getattr(pa, f"int{bits}")(): name
    for bits, name in ((8, "TINYINT"), (16, "SMALLINT"), (32, "INTEGER"), (64, "BIGINT"))
}
_SQL |= {
    getattr(pa, f"uint{bits}")(): f"U{name}"
    for bits, name in ((8, "TINYINT"), (16, "SMALLINT"), (32, "INTEGER"), (64, "BIGINT"))
}


def _sql(kind: pa.DataType) -> str:
    if pa.types.is_timestamp(kind):
        return (
            "TIMESTAMPTZ"
            if kind.tz
            else {"s": "TIMESTAMP_S", "ms": "TIMESTAMP_MS", "ns": "TIMESTAMP_NS"}.get(kind.unit, "TIMESTAMP")
        )
    return _SQL.get(kind, "VARCHAR")


@dataclass(frozen=True, slots=True)
class _Winners:
    """Labels that hold, by the position of their rows, and what else was there."""

    at: np.ndarray[Any, np.dtype[np.int64]]
    lag: np.ndarray[Any, np.dtype[np.int64]]
    columns: list[pa.Array]
    duplicates: int
    corrected: int


def _won(table: pa.Table, is_last: np.ndarray[Any, np.dtype[np.bool_]], values: pa.Schema) -> _Winners:
    # The last row of the table but one that is followed by another of its own is judged when it comes first in the next.
    others = ~is_last[:-1]
    duplicates = corrected = 0
    if others.any():
        same = np.ones(len(is_last) - 1, np.bool_)
        for f in values:
            column = table[f.name].combine_chunks()
            before, after = column.slice(0, len(column) - 1), column.slice(1)
            equal = pc.fill_null(pc.equal(before, after), False)
            same &= pc.or_(equal, pc.and_(pc.is_null(before), pc.is_null(after))).to_numpy(
                zero_copy_only=False
            )
        duplicates = int((others & same).sum())
        corrected = int((others & ~same).sum())
    kept = table.filter(pa.array(is_last))
    times = kept["lt"].to_numpy()
    columns = [pa.array(times, pa.int64()).cast(pa.timestamp("us", "UTC"))]
    columns += [kept[f.name].combine_chunks().cast(f.type) for f in values]
    return _Winners(kept["at"].to_numpy(), times - kept["t"].to_numpy(), columns, duplicates, corrected)


class _Ahead:
    """Labels in the order of the rows, a little ahead of them."""

    def __init__(self, winners: Iterator[_Winners], values: pa.Schema) -> None:
        self._winners = winners
        self._types = [pa.timestamp("us", "UTC"), *(f.type for f in values)]
        self._at = np.empty(0, np.int64)
        self._columns = [pa.nulls(0, kind) for kind in self._types]
        self._left = 0

    def of(self, at: np.ndarray[Any, np.dtype[np.int64]]) -> list[pa.Array]:
        """Return the labels of the rows at these positions, null where there are none."""
        while not self._at.size or self._at[-1] < at[-1]:
            more = next(self._winners, None)
            if more is None:
                break
            self._at = np.concatenate((self._at, more.at))
            self._columns = [pa.concat_arrays(pair) for pair in zip(self._columns, more.columns, strict=True)]
        if not self._at.size:
            return [pa.nulls(len(at), kind) for kind in self._types]
        index = np.searchsorted(self._at, at)
        hit = index < self._at.size
        hit[hit] = self._at[index[hit]] == at[hit]
        taken = pa.array(index, mask=~hit)
        out = [column.take(taken) for column in self._columns]
        done = int(np.searchsorted(self._at, at[-1], side="right"))
        self._left += done - int(hit.sum())
        self._at = self._at[done:]
        self._columns = [column.slice(done) for column in self._columns]
        return out

    def check_done(self) -> None:
        """Refuse to end with labels that found no row."""
        if self._left or self._at.size or next(self._winners, None) is not None:
            raise InternalError("labels were joined to rows that are not there")


def _quantiles(counts: Counter[int], shares: Sequence[float]) -> list[float | None]:
    if not counts:
        return [None for _ in shares]
    values = np.array(sorted(counts))
    sums = np.cumsum([counts[int(value)] for value in values])
    return [float(values[np.searchsorted(sums, share * sums[-1])]) for share in shares]
