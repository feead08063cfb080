"""Rows become a source: mappings in, columns out, in bounded memory.

Used by every format whose columns are known only after the last record: JSON Lines, SageMaker capture, and
whatever a preprocessor gives back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from driftline.capture.source import MAX_COLUMNS, Batch, Field, OpenedSource, Place, Run, check_names
from driftline.capture.spool import Spool
from driftline.capture.values import BadValueError, Kinds, as_column, final_type, finished
from driftline.errors import SchemaError, SourceError

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence

    from driftline.capture.source import Source
    from driftline.capture.spool import Slot

__all__ = ["RowTable", "from_rows"]

_PART_ROWS = 131_072
_BLOCK_ROWS = 8_192
_BLOCK_CELLS = 1 << 18
_LEAST_ROWS = 256
_BLOCK_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class _Block:
    rows: int
    runs: tuple[Run, ...]
    slots: Mapping[Hashable, Slot]


@dataclass(slots=True)
class RowTable:
    """Rows on their way to a source.

    Keys may be anything hashable; :meth:`finish` is told the order and the names.

    Parameters
    ----------
    batch_rows : int
        Most rows of one batch later.
    kinds : dict
        Every key so far, in order of appearance, and the kinds of value it had.
    empty_is_null : set
        Keys whose empty text is null; to be told before the rows come.
    """

    batch_rows: int = _PART_ROWS
    kinds: dict[Hashable, Kinds] = field(default_factory=dict)
    empty_is_null: set[Hashable] = field(default_factory=set)
    _blocks: list[_Block] = field(default_factory=list)
    _spool: Spool = field(default_factory=Spool)
    _rows: list[tuple[tuple[Any, ...], Collection[Any]]] = field(default_factory=list)
    _keys: tuple[Any, ...] | None = None
    _alike: bool = True
    _places: list[Place] = field(default_factory=list)
    _file: str | None = None
    _row_in_file: int = 0
    _runs: list[Run] = field(default_factory=list)
    _limit: int = _BLOCK_ROWS
    _bytes: int = 0

    def add(self, place: Place, row: Mapping[Any, Any]) -> None:
        """Take one row.

        Raises
        ------
        SourceError
            ``E-VALUE``, with the place, when a value can stand in no column; it may be raised some rows
            later.
        SchemaError
            For more than :data:`MAX_COLUMNS` columns.
        """
        self.add_values(place, tuple(row), row.values())

    def add_values(self, place: Place, keys: tuple[Any, ...], values: Collection[Any]) -> None:
        """Take one row as distinct keys and their values, see :meth:`add`.

        Rows with the same keys in the same order are the quickest, above all where `keys` is the same object.
        """
        if keys is not self._keys and keys != self._keys:
            self._new_keys(place, keys)
        if place.file != self._file:
            self._file, self._row_in_file = place.file, 0
            self._runs.append(Run(len(self._rows), place.file, 0))
        elif not self._rows:
            self._runs.append(Run(0, place.file, self._row_in_file))
        self._rows.append((keys, values))
        self._places.append(place)
        self._row_in_file += 1
        self._bytes += place.n_bytes
        if len(self._rows) >= self._limit or self._bytes > _BLOCK_BYTES:
            self._close_block()

    def _new_keys(self, place: Place, keys: tuple[Any, ...]) -> None:
        self._alike = not self._rows
        self._keys = keys
        for key in keys:
            self.kinds.setdefault(key, Kinds.NONE)
        if len(self.kinds) > MAX_COLUMNS:
            raise SchemaError(
                f"has more than {MAX_COLUMNS:,} different columns by here",
                code="E-NO-COLUMNS",
                file=place.file or None,
                line=place.line,
                fix="shape the records with a preprocessor",
            )
        by_cells = _BLOCK_CELLS // max(1, len(self.kinds))
        self._limit = min(self.batch_rows, max(_LEAST_ROWS, min(_BLOCK_ROWS, by_cells)))

    def add_block(
        self, stretches: Sequence[tuple[str, int]], columns: Mapping[Any, tuple[Kinds, pa.Array]]
    ) -> None:
        """Take many rows at once.

        Parameters
        ----------
        stretches : sequence of (file, rows)
        columns : mapping
            What :func:`~driftline.capture.values.as_column` would have made of each column.
        """
        self._close_block()
        runs = []
        n_rows = 0
        for file, count in stretches:
            if file != self._file:
                self._file, self._row_in_file = file, 0
            runs.append(Run(n_rows, file, self._row_in_file))
            self._row_in_file += count
            n_rows += count
        slots: dict[Hashable, Slot] = {}
        for key, (kinds, array) in columns.items():
            self.kinds[key] = self.kinds.get(key, Kinds.NONE) | kinds
            if kinds:
                slots[key] = self._spool.put(array)
        self._blocks.append(_Block(n_rows, tuple(runs), slots))

    @property
    def needs_spelling(self) -> bool:
        """Tell whether a column is text after all, of which some numbers are known by their value only."""
        return any(kinds & Kinds.NUMBER and final_type(kinds)[1] for kinds in self.kinds.values())

    @property
    def n_rows(self) -> int:
        """Rows taken so far."""
        return sum(block.rows for block in self._blocks) + len(self._rows)

    def _close_block(self) -> None:
        rows = self._rows
        if not rows:
            return
        slots: dict[Hashable, Slot] = {}
        for key, values in self._columns():
            before = self.kinds[key]
            try:
                kinds, array = as_column(values)
            except BadValueError as error:
                place = self._places[error.index]
                raise SourceError(
                    str(error),
                    code="E-VALUE",
                    file=place.file or None,
                    line=place.line,
                    field=_shown(key),
                    fix="convert it with a preprocessor",
                ) from None
            if kinds:
                self.kinds[key] = before | kinds
                slots[key] = self._spool.put(array)
        self._blocks.append(_Block(len(rows), tuple(self._runs), slots))
        self._rows, self._places, self._runs, self._bytes = [], [], [], 0
        self._alike = True

    def _columns(self) -> Iterator[tuple[Hashable, Sequence[Any]]]:
        if self._alike:
            columns: Iterable[Sequence[Any]] = zip(*(values for _, values in self._rows), strict=True)
            keys: Iterable[Hashable] = self._keys or ()
        else:
            rows = [dict(zip(keys, values, strict=True)) for keys, values in self._rows]
            columns = ([row.get(key) for row in rows] for key in self.kinds)
            keys = list(self.kinds)
        for key, values in zip(keys, columns, strict=True):
            if key in self.empty_is_null and "" in values:
                values = [value or None if value == "" else value for value in values]
            yield key, values

    def finish(
        self,
        names: Mapping[Hashable, str],
        *,
        label: str,
        sources: Sequence[str],
        named: bool,
        notes: Iterable[str] = (),
        written: Collection[Hashable] = (),
    ) -> OpenedSource:
        """Close the table.

        Parameters
        ----------
        names : mapping
            Name of each key, in the order of the columns.
        label, sources, named, notes
            As in :class:`~driftline.capture.source.Source`.
        written : collection
            Keys whose text was born as text, because the format has no types.

        Raises
        ------
        SourceError, SchemaError
            As :meth:`add`; also for no columns and names that occur twice.
        """
        self._close_block()
        file = sources[0] if len(sources) == 1 else label
        check_names(tuple(names.values()), file)
        extra = list(notes)
        fields = []
        for key, name in names.items():
            kinds = self.kinds[key]
            kind, textual = final_type(kinds | Kinds.TEXT if key in written else kinds)
            fields.append(Field(name, kind, textual or key in written))
            if kinds & Kinds.BIG and pa.types.is_floating(kind):
                extra.append(f"column {name!r} holds whole numbers beyond int64 and is read as float64")
        ordinals = {source: position for position, source in enumerate(sources)}
        parts: list[_RowPart] = []
        group: list[_Block] = []
        for block in [*self._blocks, None]:
            if group and (block is None or sum(b.rows for b in group) + block.rows > _PART_ROWS):
                first = group[0].runs[0].source
                parts.append(
                    _RowPart(
                        first,
                        ordinals.get(first, 0),
                        sum(b.rows for b in group),
                        tuple(group),
                        tuple(names),
                        tuple(fields),
                        self._spool,
                        self.batch_rows,
                    )
                )
                group = []
            if block is not None:
                group.append(block)
        return OpenedSource(label, tuple(fields), named, True, tuple(sources), tuple(parts), tuple(extra))


def _shown(key: Hashable) -> str:
    return ".".join(str(part) for part in key) if isinstance(key, tuple) else str(key)


@dataclass(frozen=True, slots=True)
class _RowPart:
    source: str
    ordinal: int
    n_rows: int
    blocks: tuple[_Block, ...]
    keys: tuple[Hashable, ...]
    fields: tuple[Field, ...]
    spool: Spool
    batch_rows: int

    def read(self, columns: Sequence[int]) -> Iterator[Batch]:
        group: list[_Block] = []
        for block in [*self.blocks, None]:
            full = block is not None and sum(b.rows for b in group) + block.rows > self.batch_rows
            if group and (block is None or full):
                yield from _cut(self._joined(group, columns), self.batch_rows, self.source)
                group = []
            if block is not None:
                group.append(block)

    def _joined(self, blocks: Sequence[_Block], columns: Sequence[int]) -> Batch:
        arrays = []
        for column in columns:
            key, kind = self.keys[column], self.fields[column].type
            pieces = [
                finished(self.spool.get(block.slots[key]), kind)
                if key in block.slots
                else pa.nulls(block.rows, kind)
                for block in blocks
            ]
            arrays.append(pieces[0] if len(pieces) == 1 else pa.concat_arrays(pieces))
        runs: list[Run] = []
        start = 0
        for block in blocks:
            for run in block.runs:
                if not runs or run.source != runs[-1].source:
                    runs.append(Run(start + run.start, run.source, run.first_row))
            start += block.rows
        return Batch(tuple(arrays), runs[0].first_row, tuple(runs))


def _cut(batch: Batch, batch_rows: int, source: str) -> Iterator[Batch]:
    """Cut a batch to the size asked for; runs are kept where the rows are not all in `source`."""
    n_rows = len(batch.arrays[0]) if batch.arrays else 0
    for start in range(0, n_rows, batch_rows):
        stop = min(start + batch_rows, n_rows)
        runs = []
        for run, after in zip(batch.runs, (*batch.runs[1:], None), strict=True):
            end = n_rows if after is None else after.start
            if run.start < stop and end > start:
                skipped = max(0, start - run.start)
                runs.append(Run(max(0, run.start - start), run.source, run.first_row + skipped))
        arrays = batch.arrays
        if stop - start < n_rows:
            arrays = tuple(array.slice(start, stop - start) for array in arrays)
        one_file = len(runs) == 1 and runs[0].source == source
        yield Batch(arrays, runs[0].first_row, () if one_file else tuple(runs))


def from_rows(
    rows: Iterable[tuple[Place, Mapping[str, Any]]],
    *,
    label: str = "rows",
    sources: Sequence[str] = (),
    batch_rows: int = _PART_ROWS,
    notes: Iterable[str] = (),
) -> Source:
    """Make a source of rows.

    Parameters
    ----------
    rows : iterable of (Place, mapping)
        Mappings of column names to bool, int, float, str or None. A key that is absent is null. Columns stand
        in the order of their first appearance. All rows of one file follow each other.
    label, sources, notes
        As in :class:`~driftline.capture.source.Source`.
    batch_rows : int
        Most rows of one batch.

    Returns
    -------
    Source
        Columnar; the rows are kept in memory while they are few, and in a temporary file after that.

    Raises
    ------
    SourceError
        ``E-VALUE`` for a value that is none of these, ``E-NO-DATA`` for no rows at all.
    SchemaError
        For rows without any key, and for a key that is not text.
    """
    table = RowTable(batch_rows)
    for place, row in rows:
        table.add(place, row)
    if not table.n_rows:
        raise SourceError(
            "has no rows", code="E-NO-DATA", file=label, fix="check the records and the preprocessor"
        )
    for key in table.kinds:
        if not isinstance(key, str):
            raise SchemaError(f"a column name is {key!r}, expected text", file=label)
    names = {key: str(key) for key in table.kinds}
    return table.finish(names, label=label, sources=sources, named=True, notes=notes)
