"""Tables of captured rows: split by hour, joined into one, in the order in which they are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from driftline.capture.arrays import mask_array, numbers_of, numpy_array, text_array
from driftline.capture.schema import join
from driftline.capture.values import text_of
from driftline.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = [
    "HOUR",
    "META",
    "TEXTUAL",
    "as_type",
    "by_hour",
    "checked",
    "is_textual",
    "n_events_in",
    "one_table",
    "starts_of",
    "with_names_first",
]

HOUR = 3_600_000_000
"""Microseconds of an hour."""

META = pa.schema(
    [
        pa.field("_event_id", pa.string(), nullable=False),
        pa.field("_row", pa.int32(), nullable=False),
        pa.field("_time", pa.timestamp("us", "UTC"), nullable=False),
        pa.field("_received", pa.timestamp("us", "UTC"), nullable=False),
        pa.field("_side", pa.string(), nullable=False),
        pa.field("_inference_id", pa.string()),
        pa.field("_model_version", pa.string()),
        pa.field("_attributes", pa.map_(pa.string(), pa.string())),
    ],
    metadata={b"driftline.capture": b"1"},
)
"""The columns that every table of captured rows begins with."""

TEXTUAL = {b"driftline.textual": b"1"}
"""Marks a column of text whose values were of several kinds, so that each is to be read from its text."""


def is_textual(field: pa.Field) -> bool:
    """Tell whether a column is marked as :data:`TEXTUAL`."""
    return bool(field.metadata) and b"driftline.textual" in field.metadata


def by_hour(table: pa.Table) -> Iterator[tuple[int, pa.Table]]:
    """Split a table by the hour of ``_time``, in order; rows keep their order within an hour."""
    hours = numbers_of(table["_time"].cast(pa.int64())) // HOUR
    distinct = np.unique(hours)
    if len(distinct) == 1:
        yield int(distinct[0]), table
        return
    for hour in distinct:
        yield int(hour), table.filter(mask_array(hours == hour))


def one_table(tables: Sequence[pa.Table]) -> pa.Table:
    """Put tables one after the other, keeping every column of any of them.

    A column that is of several types becomes of the type that holds all of them; where there is none, text that is marked
    as :data:`TEXTUAL`. Where a table lacks a column it is null.
    """
    if len(tables) == 1:
        return tables[0]
    types: dict[str, pa.DataType] = {}
    textual: set[str] = set()
    for table in tables:
        for field in table.schema:
            held = types.get(field.name)
            kind = field.type if held is None else join(held, field.type)
            if kind is None:
                kind = pa.string()
                textual.add(field.name)
            types[field.name] = kind
            if is_textual(field):
                textual.add(field.name)
    fields = []
    for name, kind in types.items():
        known = META.field(name) if name in META.names else None
        fields.append(known or pa.field(name, kind, metadata=TEXTUAL if name in textual else None))
    schema = pa.schema(fields, META.metadata)
    pieces = []
    for table in tables:
        here = set(table.column_names)
        columns = [
            as_type(table[f.name], f.type) if f.name in here else pa.nulls(table.num_rows, f.type)
            for f in fields
        ]
        pieces.append(pa.table(columns, schema=schema))
    return pa.concat_tables(pieces)


def as_type(values: pa.ChunkedArray | pa.Array, kind: pa.DataType) -> pa.ChunkedArray | pa.Array:
    """Turn values into a type that holds them, numbers into text where that is the type."""
    if values.type == kind:
        return values
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if pa.types.is_string(kind) and pa.types.is_floating(values.type):
        # Not Array.cast, which writes 1.0 as 1.
        return text_array([None if v is None else text_of(v) for v in values.to_pylist()])
    return values.cast(kind, safe=not pa.types.is_floating(kind))


def checked(table: pa.Table) -> pa.Table:
    """Return a table of captured rows with the columns of :data:`META` first, exactly of their types.

    Raises
    ------
    UsageError
        ``E-TABLE`` where it lacks one, or the rows of an event do not stand together, numbered from 0.
    """
    lacking = [name for name in META.names if name not in table.column_names]
    if lacking or len(set(table.column_names)) != table.num_columns:
        raise _no_rows(f"lacks the column {lacking[0]}" if lacking else "has two columns of one name")
    table = with_names_first(table)
    try:
        fields = [*META, *list(table.schema)[len(META) :]]
        table = table.cast(pa.schema(fields, META.metadata))
        table.validate()
    except (ValueError, pa.ArrowException) as error:
        raise _no_rows(f"has columns of other types: {error}") from None
    if any(table[field.name].null_count for field in META if not field.nullable):
        raise _no_rows("has nulls where each row has a value")
    import pyarrow.compute as pc

    rows, times = numbers_of(table["_row"]), numbers_of(table["_time"].cast(pa.int64()))
    ids = table["_event_id"]
    same = numbers_of(pc.equal(ids.slice(1), ids.slice(0, max(0, len(ids) - 1))).cast(pa.uint8())) == 1
    later = rows[1:] != 0
    follows = (rows[1:] == rows[:-1] + 1) & same & (times[1:] == times[:-1])
    if rows.size and (rows[0] != 0 or not follows[later].all()):
        raise _no_rows("has an event whose rows do not stand together at one time, numbered from 0")
    return table


def _no_rows(message: str) -> UsageError:
    return UsageError(
        f"the table {message}", code="E-TABLE", fix="make it as driftline.capture.tables.META says"
    )


def with_names_first(table: pa.Table) -> pa.Table:
    """Put the columns of :data:`META` first."""
    rest = [name for name in table.column_names if name not in META.names]
    return table.select([*META.names, *rest]).replace_schema_metadata(META.metadata)


def starts_of(table: pa.Table) -> pa.Array:
    """Return the positions at which an event begins."""
    return numpy_array(np.flatnonzero(numbers_of(table["_row"]) == 0), pa.int64(), nan_is_null=False)


def n_events_in(table: pa.Table) -> int:
    """Count the events of a table."""
    return len(starts_of(table))
