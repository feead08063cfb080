"""Rows become a source: mappings in, columns out, in bounded memory.

Used by every format whose columns are known only after the last record: JSON Lines, SageMaker capture, and
whatever a preprocessor gives back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from driftline.capture.source import Batch, Field, OpenedSource, Place, Run, check_names
from driftline.capture.spool import Spool
from driftline.capture.values import BadValueError, Kinds, as_column, final_type, finished
from driftline.errors import SchemaError, SourceError

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence

    from driftline.capture.source import Source
    from driftline.capture.spool import Slot

__all__ = ["MAX_COLUMNS", "RowTable", "from_rows"]

MAX_COLUMNS = 100_000
"""Most columns that rows may have together."""

_PART_ROWS = 131_072
_BLOCK_ROWS = 8_192
_BLOCK_CELLS = 1 << 18
_LEAST_ROWS = 256


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
    """

    batch_rows: int = _PART_ROWS
    kinds: dict[Hashable, Kinds] = field(default_factory=dict)
    _blocks: list[_Block] = field(default_factory=list)
    _spool: Spool = field(default_factory=Spool)
    _rows: list[Mapping[Any, Any]] = field(default_factory=list)
    _places: list[Place] = field(default_factory=list)
    _file: str | None = None
    _row_in_file: int = 0
    _runs: list[Run] = field(default_factory=list)
    _limit: int = _BLOCK_ROWS

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
        if not row.keys() <= self.kinds.keys():
            for key in row:
                self.kinds.setdefault(key, Kinds.NONE)
            if len(self.kinds) > MAX_COLUMNS:
                raise SchemaError(
                    f"has more than {MAX_COLUMNS:,} different columns by here",
                    code="E-NO-COLUMNS",
                    file=place.file or None,
                    line=place.line,
                    fix="shape the records with a preprocessor",
                )
            self._limit = max(_LEAST_ROWS, min(_BLOCK_ROWS, _BLOCK_CELLS // max(1, len(self.kinds))))
        if place.file != self._file:
            self._file, self._row_in_file = place.file, 0
            self._runs.append(Run(len(self._rows), place.file, 0))
        elif not self._rows:
            self._runs.append(Run(0, place.file, self._row_in_file))
        self._rows.append(row)
        self._places.append(place)
        self._row_in_file += 1
        if len(self._rows) >= min(self._limit, self.batch_rows):
            self._close_block()

    @property
    def n_rows(self) -> int:
        """Rows taken so far."""
        return sum(block.rows for block in self._blocks) + len(self._rows)

    def _close_block(self) -> None:
        rows = self._rows
        if not rows:
            return
        slots: dict[Hashable, Slot] = {}
        for key, before in self.kinds.items():
            values = [row.get(key) for row in rows]
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
        self._rows, self._places, self._runs = [], [], []

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
                yield self._joined(group, columns)
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
        one_file = len(runs) == 1 and runs[0].source == self.source
        return Batch(tuple(arrays), runs[0].first_row, () if one_file else tuple(runs))


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
