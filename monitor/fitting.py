"""Fitting: columns folded from some files, as if they had been read together with others.

Files of one window may differ: a column comes later, is whole numbers here and fractions there, or text. Read together they
have one schema, which :mod:`driftline.capture.schema` finds from theirs, and so does this, without reading them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from driftline.baselines.column import Column, ColumnFold, Limits
from driftline.capture.open import open_source
from driftline.capture.schema import unite
from driftline.capture.source import Field, OpenedSource
from driftline.capture.stored import CAPTURE
from driftline.capture.tables import TEXTUAL, is_textual
from driftline.errors import SchemaError
from driftline.kernels.numbers import LOSSLESS
from driftline.kernels.tally import N_PLACES, NOWHERE, Sort, Tally
from driftline.monitor.scan import ROW_BITS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from driftline.baselines.profile import Profile

__all__ = ["Readings", "empty_column", "fitted", "is_as", "merged_column", "written"]


def empty_column(wanted: Field, limits: Limits) -> Column:
    """Return a column without rows."""
    fold = ColumnFold(wanted.name, wanted.type, textual=wanted.textual, limits=limits, compiled=False)
    return fold.close()


def is_as(column: Column, empty: Column) -> bool:
    """Tell whether a column was read as the type of another."""
    return (column.family, column.declared) == (empty.family, empty.declared)


def fitted(column: Column, held: Field | None, wanted: Field, limits: Limits) -> Column | None:
    """Return a column as if its values had been read as another type.

    Parameters
    ----------
    column : Column
    held : Field or None
        What it was read as.
    wanted : Field
    limits : Limits

    Returns
    -------
    Column or None
        None where only the rows can tell.
    """
    empty = empty_column(wanted, limits)
    if is_as(column, empty):
        return column
    if held is None:
        return None
    if pa.types.is_null(held.type):
        return replace(empty, tally=column.tally)
    numbers = column.numbers
    if numbers is None or wanted.textual or not (_is_number(held.type) and _is_number(wanted.type)):
        return None
    if pa.types.is_floating(wanted.type) and not pa.types.is_floating(held.type):
        low, high = numbers.moments.low, numbers.moments.high
        if low is not None and high is not None:
            # Beyond, whole numbers would have lost digits on the way.
            if low < -LOSSLESS or high > LOSSLESS:
                return None
            numbers = replace(numbers, moments=replace(numbers.moments, low=float(low), high=float(high)))
    return replace(column, declared=empty.declared, numbers=numbers)


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def merged_column(
    empty: Column, parts: Sequence[tuple[tuple[int, ...], Profile]], rows: Sequence[int]
) -> Column:
    """Merge one column of several profiles; those without it have no value in any row.

    Parameters
    ----------
    empty : Column
        Its name and type.
    parts : sequence of (tuple of int, Profile)
        Positions of the files of each profile among all, ascending; the rows of a profile count its own files.
    rows : sequence of int
        Rows of every file.
    """
    columns = [empty]
    gaps: list[int] = []
    for files, profile in parts:
        column = profile.column(empty.name)
        if column is None:
            gaps += files
        else:
            columns.append(_placed(column, files))
    merged = Column.merge_many(columns)
    if gaps:
        missing = _missing([(i, rows[i]) for i in sorted(gaps)])
        merged = replace(merged, tally=Tally.merge_many([merged.tally, missing]))
    return merged


def _missing(files: Sequence[tuple[int, int]]) -> Tally:
    """Return the tally of files, given as (position, rows), that have no value anywhere."""
    places: list[int] = []
    for position, n in files:
        places += [(position << ROW_BITS) + row for row in range(min(n, N_PLACES - len(places)))]
        if len(places) == N_PLACES:
            break
    return Tally().with_counts(Sort.NULL, sum(n for _, n in files), np.array(places, np.int64))


def _placed(column: Column, files: Sequence[int]) -> Column:
    """Return a column whose row numbers, which count its own files, count those of the window."""
    if files[0] == 0 and files[-1] == len(files) - 1:
        return column
    base = np.array(files, np.int64) << ROW_BITS
    within = np.int64((1 << ROW_BITS) - 1)

    def put_right(rows: NDArray[np.int64]) -> NDArray[np.int64]:
        somewhere = rows != NOWHERE
        position = np.where(somewhere, rows >> ROW_BITS, 0)
        return np.where(somewhere, base[position] + (rows & within), rows)

    categories = column.categories
    if categories is not None and categories.first.shape[0]:
        categories = replace(categories, first=put_right(categories.first))
    tally = Tally(column.tally.counts, put_right(column.tally.places))
    return replace(column, tally=tally, categories=categories)


def written(fields: Iterable[Field]) -> bytes:
    """Return a schema, as bytes, that says how columns are to be read."""
    listed = [
        pa.field(f.name, f.type, metadata=TEXTUAL if f.textual else None)
        for f in sorted(fields, key=lambda f: f.name)
    ]
    return bytes(pa.schema(listed, metadata={CAPTURE: b"1"}).serialize().to_pybytes())


@dataclass(slots=True)
class Readings:
    """What files are read as together, by their schemas.

    Attributes
    ----------
    label : str
        Name for people.
    keep : tuple of str
        Columns about the event that are read too.
    columns : sequence of str or None
        Columns to read, where not all are.
    """

    label: str
    keep: tuple[str, ...] = ()
    columns: Sequence[str] | None = None
    _schemas: dict[bytes, pa.Schema] = field(default_factory=dict)
    _fields: dict[tuple[bytes, ...], Mapping[str, Field]] = field(default_factory=dict)

    def known(self, schema: pa.Schema) -> bytes:
        """Return a schema as bytes."""
        data = bytes(schema.serialize().to_pybytes())
        self._schemas.setdefault(data, schema)
        return data

    def schema(self, data: bytes) -> pa.Schema:
        """Return the schema that the bytes stand for."""
        schema = self._schemas.get(data)
        if schema is None:
            schema = self._schemas.setdefault(data, pa.ipc.read_schema(pa.py_buffer(data)))
        return schema

    def fields(self, schemas: Iterable[bytes]) -> Mapping[str, Field]:
        """Return the columns that files of these schemas have together, by name and in order.

        Raises
        ------
        SchemaError
            Where they have none; the files are not named.
        """
        distinct = tuple(dict.fromkeys(schemas))
        found = self._fields.get(distinct)
        if found is None:
            united = self._united([(str(i), schema) for i, schema in enumerate(distinct)])
            found = self._fields[distinct] = {f.name: f for f in united.fields}
        return found

    def features(self, schemas: Iterable[bytes]) -> tuple[Field, ...]:
        """Return those that are read; there may be none."""
        fields = tuple(self.fields(schemas).values())
        source = self.chosen(OpenedSource(self.label, fields, True, True, (), (), (), True))
        return () if source is None else source.fields

    def source(self, files: Iterable[tuple[str, bytes]]) -> OpenedSource:
        """Return a source without rows that is otherwise that of `files`, given as (name, schema).

        Raises
        ------
        SchemaError, UsageError
            As :func:`driftline.capture.open.open_source`.
        """
        source = open_source(self._united(files), columns=self.columns, keep=self.keep)
        assert isinstance(source, OpenedSource)
        return source

    def chosen(self, opened: OpenedSource) -> OpenedSource | None:
        """Return a source with the columns that are read, None where it has none of them."""
        columns = self.columns
        if columns is not None:
            here = {f.name for f in opened.fields}
            columns = [name for name in columns if name in here]
            if not columns:
                return None
        try:
            source = open_source(opened, columns=columns, keep=self.keep)
        except SchemaError as error:
            if error.code == "E-NO-COLUMNS":
                return None
            raise
        assert isinstance(source, OpenedSource)
        return source

    def _united(self, files: Iterable[tuple[str, bytes]]) -> OpenedSource:
        """Do as :func:`driftline.capture.formats.parquet.open_parquet` does."""
        listed = [(name, self.schema(schema)) for name, schema in files]
        distinct = {id(schema): schema for _, schema in listed}
        union = unite(listed, mix=True)
        textual = {f.name for schema in distinct.values() for f in schema if is_textual(f)} | union.mixed
        fields = tuple(
            Field(name, kind, name in textual) for name, kind in zip(union.names, union.types, strict=True)
        )
        names = tuple(name for name, _ in listed)
        return OpenedSource(self.label, fields, True, True, names, (), union.notes, True)
