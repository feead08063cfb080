"""Labels: what turned out to be true, read from whatever holds it and put into one form.

A label says of what it is by an id, and what is true. The columns of a stored label:

==================  =================================  =================================================================
``_key``            string                             the id
``_by``             string                             what the id is, see :data:`WAYS`
``_position``       int32                              row within an event of several; null for an event of one row
``_of``             int32                              of how many labels in a list it is one; null where it came alone
``_label_time``     timestamp(us, UTC)                 when it was found out: as told, or the time of import
``_imported``       timestamp(us, UTC)                 when it was imported; distinct, and in the order of the imports
``_source``         string                             the file, or what the caller said
``label``           bool, number, text or time         the label, where there is one column of labels
``label_`` *name*   likewise                           the labels, where there are several columns
==================  =================================  =================================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from driftline.capture.event import MAX_ID
from driftline.capture.source import place_of
from driftline.capture.tables import TEXTUAL
from driftline.capture.window import moment_of
from driftline.documents import nearest
from driftline.errors import SchemaError, UsageError, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from driftline.capture.source import Batch, Part, Source

__all__ = [
    "FIRST",
    "IDS",
    "KEYS",
    "LAST",
    "WAYS",
    "Named",
    "Piece",
    "Refused",
    "chosen",
    "named_way",
    "pieces_of_source",
    "read_texts",
    "told_moment",
]

WAYS = ("auto", "event_id", "inference_id")
"""What the id of a label is: ``auto`` is the inference id of events that have one and the event id of the others, which is
SageMaker's rule."""

KEYS = pa.schema(
    [
        pa.field("_key", pa.string(), nullable=False),
        pa.field("_by", pa.string(), nullable=False),
        pa.field("_position", pa.int32()),
        pa.field("_of", pa.int32()),
        pa.field("_label_time", pa.timestamp("us", "UTC")),
    ]
)
"""The columns of a label before it is stored; a label time that was not told is null."""

FIRST, LAST = -62_135_596_800_000_000, 253_402_300_799_999_999
"""Years 1 to 9999, in microseconds since 1970-01-01 UTC."""

IDS = {
    "id": "auto",
    "event_id": "event_id",
    "eventId": "event_id",
    "inference_id": "inference_id",
    "inferenceId": "inference_id",
}
"""What a column or key that holds the id may be called, and what it is then."""

_DECIMAL = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?"


@dataclass(frozen=True, slots=True)
class Refused:
    """A label that cannot be read.

    Attributes
    ----------
    file : str
        Empty for data in memory.
    line : int or None
        1-based line of a text file, or number of the record.
    reason : str
    key : str or None
        Its id, where it has one.
    record : str
        What stood there, shortened.
    """

    file: str
    line: int | None
    reason: str
    key: str | None = None
    record: str = ""

    def __str__(self) -> str:
        where = printable(self.file, 300) + (f":{self.line}" if self.line is not None else "")
        return f"{where or 'a label'}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Piece:
    """Some labels: columns of :data:`KEYS`, then those of the labels; and what could not be read."""

    table: pa.Table | None
    refused: tuple[Refused, ...] = ()


@dataclass(frozen=True, slots=True)
class Named:
    """Which columns of a table of labels mean what.

    Attributes
    ----------
    id : str
    labels : tuple of str
    time, row : str or None
    way : str
        One of :data:`WAYS`.
    """

    id: str
    labels: tuple[str, ...]
    time: str | None
    row: str | None
    way: str

    @property
    def stored(self) -> tuple[str, ...]:
        """What the columns of labels are called where they are stored."""
        return ("label",) if len(self.labels) == 1 else tuple(f"label_{name}" for name in self.labels)


def named_way(by: str | None) -> str | None:
    """Check what somebody calls the id.

    Raises
    ------
    UsageError
        ``E-BY``.
    """
    if by is not None and by not in WAYS:
        close = nearest(by, WAYS)
        raise UsageError(
            f"there is no id called {printable(by, 80)!r}",
            code="E-BY",
            fix=f"did you mean {close!r}?" if close else f"use one of {', '.join(WAYS)}",
        )
    return by


def chosen(
    names: Sequence[str],
    where: str,
    *,
    id: str | None = None,  # noqa: A002
    label: str | Sequence[str] | None = None,
    time: str | None = None,
    row: str | None = None,
    by: str | None = None,
) -> Named:
    """Decide which columns of a table mean what.

    Parameters
    ----------
    names : sequence of str
        Its columns.
    where : str
        What errors call it.
    id : str, optional
        By default ``id``, ``event_id``, ``inference_id``, ``eventId`` or ``inferenceId``, the only one of them there is.
    label : str or sequence of str, optional
        By default ``label``.
    time, row : str, optional
        By default no time, and ``row`` where there is such a column.
    by : str, optional
        One of :data:`WAYS`; by default what the column of the id is called, otherwise ``auto``.

    Raises
    ------
    SchemaError
        ``E-COLUMNS`` where a column is missing, or its name cannot be told.
    UsageError
        ``E-BY``.
    """
    way = named_way(by)
    if id is None:
        found = [name for name in IDS if name in names]
        if len(found) != 1:
            what = (
                "has no column that is called like an id"
                if not found
                else f"has the ids {' and '.join(found)}"
            )
            raise SchemaError(
                what, code="E-COLUMNS", file=where or None, fix="name the one to use with id (--id)"
            )
        (id,) = found  # noqa: A001
    labels = ("label",) if label is None else (label,) if isinstance(label, str) else tuple(label)
    if row is None and "row" in names and "row" not in labels and id != "row":
        row = "row"
    roles = [("id", id), *(("label", name) for name in labels), ("time", time), ("row", row)]
    used: set[str] = set()
    for role, name in roles:
        if name is None:
            continue
        if name not in names:
            close = nearest(name, names)
            fix = f"did you mean {close!r}?" if close else f"name the one with the {role} (--{role})"
            raise SchemaError(
                "there is no such column", code="E-COLUMNS", file=where or None, field=name, fix=fix
            )
        if name in used:
            raise SchemaError("is to be two things at once", code="E-COLUMNS", file=where or None, field=name)
        used.add(name)
    if not labels:
        raise SchemaError(
            "no column of labels is named", code="E-COLUMNS", file=where or None, fix="name one (--label)"
        )
    return Named(id, labels, time, row, way or IDS.get(id, "auto"))


# --- columns --------------------------------------------------------------------------------------------------------


def pieces_of_source(source: Source, named: Named) -> Iterator[Piece]:
    """Read labels column by column.

    Raises
    ------
    SourceError, SchemaError
        For data that cannot be read at all; ``E-TYPES`` for a column of a type that no label can have.
    """
    at = {field.name: i for i, field in enumerate(source.fields)}
    wanted = [name for name in (named.id, *named.labels, named.time, named.row) if name is not None]
    textual = {name for name in wanted if source.fields[at[name]].textual}
    header = int(source.named and bool(textual))
    for part in source.parts:
        for batch in part.read([at[name] for name in wanted]):
            arrays = dict(zip(wanted, batch.arrays, strict=True))
            yield _piece(arrays, named, textual, _Where(part, batch, header, source.label))


@dataclass(frozen=True, slots=True)
class _Where:
    part: Part
    batch: Batch
    header: int
    label: str

    def place(self, index: int) -> tuple[str, int]:
        file, row = place_of(self.part, self.batch, index)
        return file or self.label, row + 1 + self.header


def _piece(arrays: Mapping[str, pa.Array], named: Named, textual: set[str], where: _Where) -> Piece:
    keys = _keys(arrays[named.id], named.id, where.label)
    n = len(keys)
    faults = _Faults(n)
    faults.note(pc.fill_null(pc.equal(pc.binary_length(keys), 0), True), "has no id")
    faults.note(
        pc.fill_null(pc.greater(pc.utf8_length(keys), MAX_ID), False),
        f"has an id of more than {MAX_ID} characters",
    )
    if named.time is None:
        times = pa.nulls(n, pa.timestamp("us", "UTC"))
    else:
        times = _times(arrays[named.time], named.time, where.label, faults)
    rows = (
        pa.nulls(n, pa.int32())
        if named.row is None
        else _rows(arrays[named.row], named.row, where.label, faults)
    )
    values = {
        s: _values(arrays[name], name, where.label)
        for s, name in zip(named.stored, named.labels, strict=True)
    }
    missing = np.ones(n, np.bool_)
    for array in values.values():
        missing &= np.asarray(array.is_null(nan_is_null=True).to_numpy(zero_copy_only=False))
    faults.note(missing, "has no label")
    lists = [name for name, array in values.items() if pa.types.is_list(array.type)]
    if lists and (len(values) > 1 or named.row is not None):
        raise SchemaError(
            "a list of labels is for the rows of an event, one after the other",
            code="E-TYPES",
            file=where.label or None,
            field=named.labels[0],
            fix="give one column of labels and no rows",
        )
    if lists:
        faults.note(
            pc.fill_null(pc.equal(pc.list_value_length(values[lists[0]]), 0), False),
            "has an empty list of labels",
        )
    refused = tuple(_refused(faults, arrays, keys, where))
    fields = [
        *KEYS,
        *(
            pa.field(s, array.type, metadata=TEXTUAL if name in textual else None)
            for name, (s, array) in zip(named.labels, values.items(), strict=True)
        ),
    ]
    table = pa.table(
        [keys, pa.repeat(pa.scalar(named.way), n), rows, pa.nulls(n, pa.int32()), times, *values.values()],
        names=[f.name for f in fields],
    )
    if refused:
        table = table.filter(pa.array(faults.good))
    if lists:
        table = _spread(table, lists[0])
        fields[-1] = pa.field(lists[0], table[lists[0]].type)
    return Piece(pa.Table.from_arrays(table.columns, schema=pa.schema(fields)), refused)


class _Faults:
    """The first fault of each row."""

    def __init__(self, n: int) -> None:
        self.good = np.ones(n, np.bool_)
        self.reasons: dict[int, str] = {}

    def note(self, bad: Any, reason: str) -> None:
        flags = bad if isinstance(bad, np.ndarray) else bad.to_numpy(zero_copy_only=False)
        for index in np.flatnonzero(flags & self.good):
            self.reasons[int(index)] = reason
        self.good &= ~flags


def _refused(
    faults: _Faults, arrays: Mapping[str, pa.Array], keys: pa.Array, where: _Where
) -> Iterator[Refused]:
    for index, reason in sorted(faults.reasons.items()):
        file, line = where.place(index)
        record = {name: array[index].as_py() for name, array in arrays.items()}
        yield Refused(file, line, reason, keys[index].as_py() or None, printable(record, 500))


def _plain(array: pa.Array) -> pa.Array:
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    kind = array.type
    if pa.types.is_dictionary(kind):
        array = array.cast(kind.value_type)
    if pa.types.is_large_string(array.type) or pa.types.is_string_view(array.type):
        array = array.cast(pa.string())
    return array


def _keys(array: pa.Array, name: str, where: str) -> pa.Array:
    array = _plain(array)
    if pa.types.is_integer(array.type) or pa.types.is_null(array.type):
        return array.cast(pa.string())
    if not pa.types.is_string(array.type):
        raise SchemaError(
            f"is {array.type}, expected text or whole numbers",
            code="E-TYPES",
            file=where or None,
            field=name,
            fix="write ids as text",
        )
    return array


def _values(array: pa.Array, name: str, where: str) -> pa.Array:
    array = _plain(array)
    kind = array.type
    if pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind) or pa.types.is_list_view(kind):
        array = array.cast(pa.list_(kind.value_type))
        kind = array.type
    inner = kind.value_type if pa.types.is_list(kind) else kind
    if pa.types.is_decimal(inner):
        return array.cast(pa.list_(pa.float64()) if pa.types.is_list(kind) else pa.float64())
    if pa.types.is_nested(inner) or pa.types.is_binary(inner) or pa.types.is_large_binary(inner):
        raise SchemaError(
            f"is {kind}, expected numbers, text, booleans or times, or a list of these",
            code="E-TYPES",
            file=where or None,
            field=name,
            fix="take it apart into columns",
        )
    return array


def _times(array: pa.Array, name: str, where: str, faults: _Faults) -> pa.Array:
    array = _plain(array)
    kind = array.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        times = array.cast(pa.timestamp("us", kind.tz if pa.types.is_timestamp(kind) else None), safe=False)
        if times.type.tz is None:
            times = times.cast(pa.int64()).cast(pa.timestamp("us", "UTC"))
        times = times.cast(pa.timestamp("us", "UTC"))
    elif pa.types.is_string(kind):
        try:
            times = array.cast(pa.timestamp("us", "UTC"))
        except pa.ArrowException:  # some without an offset, or in another form of ISO 8601
            times = pa.array([told_moment(text) for text in array.to_pylist()], pa.int64()).cast(
                pa.timestamp("us", "UTC")
            )
        faults.note(
            pc.and_(pc.is_valid(array), pc.is_null(times)), "has a time that is not like 2026-11-23T07:00:00Z"
        )
    elif pa.types.is_null(kind):
        times = array.cast(pa.timestamp("us", "UTC"))
    else:
        raise SchemaError(
            f"is {kind}, expected times",
            code="E-TYPES",
            file=where or None,
            field=name,
            fix="write times like 2026-11-23T07:00:00Z",
        )
    ticks = times.cast(pa.int64())
    faults.note(pc.is_null(times), "has no time")
    inside = pc.and_(pc.greater_equal(ticks, FIRST), pc.less_equal(ticks, LAST))
    faults.note(pc.invert(pc.fill_null(inside, True)), "has a time outside the years 1 to 9999")
    return times


def told_moment(text: Any) -> int | None:
    """Return microseconds since 1970-01-01 UTC; None for what is no time."""
    if text is None:
        return None
    try:
        return moment_of(text)
    except UsageError:
        return None


def _rows(array: pa.Array, name: str, where: str, faults: _Faults) -> pa.Array:
    array = _plain(array)
    if pa.types.is_string(array.type):
        good = pc.fill_null(pc.match_substring_regex(array, r"^[0-9]{1,9}$"), True)
        faults.note(pc.invert(good), "has a row that is no whole number from 0")
        return pc.if_else(good, array, pa.scalar(None, pa.string())).cast(pa.int32())
    if (
        pa.types.is_floating(array.type)
        and pc.all(pc.fill_null(pc.equal(pc.floor(array), array), True)).as_py()
    ):
        array = array.cast(pa.int64())  # whole numbers among which pandas had a missing one
    if not (pa.types.is_integer(array.type) or pa.types.is_null(array.type)):
        raise SchemaError(
            f"is {array.type}, expected whole numbers", code="E-TYPES", file=where or None, field=name
        )
    wide = array.cast(pa.int64(), safe=False)
    good = pc.fill_null(pc.and_(pc.greater_equal(wide, 0), pc.less(wide, 1 << 31)), True)
    faults.note(pc.invert(good), "has a row that is no whole number from 0")
    return pc.if_else(good, wide, pa.scalar(None, pa.int64())).cast(pa.int32())


def _spread(table: pa.Table, name: str) -> pa.Table:
    """Give each label of a list its row; an element that is null is no label."""
    lists = table[name].combine_chunks()
    parents = pc.list_parent_indices(lists)
    lengths = pc.list_value_length(lists)
    counts = lengths.to_numpy(zero_copy_only=False)
    starts = np.concatenate(([0], np.cumsum(counts)[:-1])) if len(counts) else counts
    positions = np.arange(int(counts.sum()), dtype=np.int64) - np.repeat(starts, counts)
    out = table.drop_columns([name]).take(parents)
    out = out.set_column(2, "_position", pa.array(positions, pa.int32()))
    out = out.set_column(3, "_of", lengths.take(parents).cast(pa.int32()))
    values = pc.list_flatten(lists)
    return out.append_column(name, values).filter(pc.invert(values.is_null(nan_is_null=True)))


def read_texts(array: pa.Array) -> pa.Array:
    """Read a column of CSV fields as numbers where all of it are."""
    texts = pc.drop_null(array)
    if not len(texts):
        return array
    if pc.all(pc.match_substring_regex(texts, r"^-?(0|[1-9][0-9]{0,17})$")).as_py():
        return array.cast(pa.int64())
    codes = pc.match_substring_regex(texts, r"^0[0-9]+$")
    if pc.all(pc.match_substring_regex(texts, rf"^{_DECIMAL}$")).as_py() and not pc.any(codes).as_py():
        return array.cast(pa.float64())
    return array
