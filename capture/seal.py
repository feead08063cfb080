"""Sealing: the events of a log become tables, one for each hour of each endpoint's variant.

The columns of a sealed table:

==================  =================================  =================================================================
``_event_id``       string                             the same for all rows of an event
``_row``            int32                              position of the row within its event, from 0
``_time``           timestamp(us, UTC)                 when the model was asked, by the sender; else the time of arrival
``_received``       timestamp(us, UTC)                 when it arrived
``_side``           string                             ``both``, ``input`` or ``output``: what was captured
``_inference_id``   string                             null where the caller gave none
``_model_version``  string
``_attributes``     map<string, string>
*name*              bool, int64, float64 or string     an input, by its name; ``_c0``, ``_c1``, … where it has none
*name*              bool, int64, float64 or string     an answer; ``prediction`` or ``prediction_0``, … where it has none
==================  =================================  =================================================================

An answer that has the name of an input is called ``output.<name>``, an input that has the name of one of the columns
above ``input.<name>``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from driftline.capture.arrays import map_array, numpy_array, text_array
from driftline.capture.columns import MAX_COLUMNS, columns_of
from driftline.capture.event import Event, check_name
from driftline.capture.payloads import Written, paired, rows_of
from driftline.capture.records import Rejected
from driftline.capture.tables import HOUR, META, TEXTUAL
from driftline.capture.values import as_column, final_type, finished
from driftline.errors import InputError, SourceError, UsageError, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from driftline.capture.payloads import Row

__all__ = ["column_of", "decoded", "joined_halves", "side_of", "tables_of"]

_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,18})")
_DECIMAL = re.compile(r"[+-]?(?:(?i:nan|inf|infinity)|[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_FIRST, _LAST = -62_135_596_800_000_000, 253_402_300_799_999_999  # years 1 to 9999
# What is parsed at once, and the fewest events for which that is tried.
_AT_ONCE = 8192
_FEW = 128
# What goes wrong with one odd event, which must not keep the others of its log from being sealed.
_ODD = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    RecursionError,
    pa.ArrowException,
)

Key = tuple[str, str, int]
"""Endpoint, variant, and hours since 1970-01-01 UTC."""


def joined_halves(events: Iterable[Event]) -> list[Event]:
    """Join the two halves of an event where both are here; the request's own facts go before the answer's."""
    whole: list[Event] = []
    waiting: dict[tuple[str, str, str], int] = {}
    for event in events:
        if not event.is_half:
            whole.append(event)
            continue
        key = (event.endpoint, event.variant, event.id)
        at = waiting.get(key)
        other = None if at is None else whole[at]
        if at is None or other is None or (other.input is None) == (event.input is None):
            waiting.setdefault(key, len(whole))
            whole.append(event)
            continue
        ask, answer = (other, event) if other.input is not None else (event, other)
        whole[at] = Event(
            ask.id,
            ask.endpoint,
            ask.variant,
            min(ask.received, answer.received),
            ask.time if ask.time is not None else answer.time,
            ask.input,
            answer.output,
            ask.inference_id or answer.inference_id,
            ask.model_version or answer.model_version,
            {**answer.attributes, **ask.attributes},
        )
        del waiting[key]
    return whole


def side_of(event: Event) -> str:
    """Return which sides of an event there are."""
    return "both" if event.input and event.output else "input" if event.input else "output"


def tables_of(
    events: Sequence[Event],
    *,
    input_names: Mapping[str, Sequence[str]] | None = None,
    output_names: Mapping[str, Sequence[str]] | None = None,
) -> tuple[dict[Key, list[pa.Table]], list[Rejected]]:
    """Turn events into tables, see the module for the columns; what cannot be decoded is rejected.

    Parameters
    ----------
    events : sequence of Event
    input_names, output_names : mapping of str to sequence of str, optional
        By endpoint, names for columns that are positions.

    Returns
    -------
    tables : dict
        By endpoint, variant and hour; their rows are in the order of the events.
    rejected : list of Rejected
    """
    groups: dict[Key, list[Event]] = {}
    rejected: list[Rejected] = []
    for event in events:
        try:
            groups.setdefault(_key(event), []).append(event)
        except InputError as error:
            rejected.append(_rejected(event, error))
    tables = {}
    for key in sorted(groups):
        names = ((input_names or {}).get(key[0], ()), (output_names or {}).get(key[0], ()))
        group = groups[key]
        room = _Room()
        found = [
            table
            for start in range(0, len(group), _AT_ONCE)
            for table in _tables(group[start : start + _AT_ONCE], names, rejected, room)
        ]
        if found:
            tables[key] = found
    return tables, rejected


def _key(event: Event) -> Key:
    """Return where an event belongs.

    Raises
    ------
    SourceError
        ``E-TIME``, ``E-NAME``.
    """
    for what, name in (("an endpoint", event.endpoint), ("a variant", event.variant)):
        try:
            check_name(what, name)
        except UsageError as error:
            raise SourceError(error.message, code="E-NAME", fix=error.fix) from None
    if not (_FIRST <= event.moment <= _LAST and _FIRST <= event.received <= _LAST):
        raise SourceError("has a time outside the years 1 to 9999", code="E-TIME", field="time")
    return event.endpoint, event.variant, event.moment // HOUR


class _Room:
    """The columns of a table so far; a table with ever more of them would fill any memory."""

    def __init__(self) -> None:
        self._taken: set[tuple[int, str | int]] = set()

    def take(self, *sides: Iterable[str | int]) -> bool:
        """Take room for columns of the inputs and of the answers; False, and nothing is taken, where there is none."""
        new = {(side, key) for side, keys in enumerate(sides) for key in keys} - self._taken
        if len(self._taken) + len(new) > MAX_COLUMNS:
            return False
        self._taken |= new
        return True


Names = tuple["Sequence[str]", "Sequence[str]"]
_Pair = tuple[Event, "list[tuple[Row, Row]]"]
Columns = dict["str | int", tuple[pa.Array, bool]]


def _tables(
    events: Sequence[Event], names: Names, rejected: list[Rejected], room: _Room
) -> Iterator[pa.Table]:
    """Parse events at once where they are alike; where that fails, look for those that are odd by halves."""
    if len(events) >= _FEW:
        table = _at_once(events, names, room)
        if table is not None:
            yield table
            return
        if len(events) >= 4 * _FEW and _at_once(events[:_FEW], names, _Room()) is not None:
            middle = len(events) // 2
            yield from _tables(events[:middle], names, rejected, room)
            yield from _tables(events[middle:], names, rejected, room)
            return
    pairs = []
    for event in events:
        try:
            pairs.append((event, decoded(event)))
            if not room.take(*({key for pair in pairs[-1][1] for key in pair[side]} for side in (0, 1))):
                pairs.pop()
                raise SourceError(
                    f"would make a table of more than {MAX_COLUMNS:,} columns",
                    code="E-COLUMNS",
                    fix="name the columns alike in all requests",
                )
        except _ODD as error:
            rejected.append(_rejected(event, error))
    if not pairs:
        return
    try:
        yield _one_by_one(pairs, names)
    except _ODD:
        good = _without_odd(pairs, names, rejected)
        if good:
            yield _one_by_one(good, names)


def _without_odd(pairs: Sequence[_Pair], names: Names, rejected: list[Rejected]) -> Sequence[_Pair]:
    """Find by halves the events that cannot be put in a table, such as one whose text is no Unicode."""
    try:
        _one_by_one(pairs, names)
    except _ODD as error:
        if len(pairs) == 1:
            rejected.append(_rejected(pairs[0][0], error))
            return []
        middle = len(pairs) // 2
        return [
            *_without_odd(pairs[:middle], names, rejected),
            *_without_odd(pairs[middle:], names, rejected),
        ]
    return pairs


def _rejected(event: Event, error: Exception) -> Rejected:
    code = (error.code if isinstance(error, InputError) else None) or "E-VALUE"
    reason = printable(str(error).removeprefix(f"{code}: "), 500)
    return Rejected(event.pack(), event.endpoint, event.variant, code, reason)


def decoded(event: Event) -> list[tuple[Row, Row]]:
    """Return the rows of an event, inputs beside answers.

    Raises
    ------
    InputError, BadValueError
        Where they cannot be put in a table.
    """
    sides = [
        None if side is None else rows_of(side, name)
        for side, name in ((event.input, "input"), (event.output, "output"))
    ]
    rows = paired(*sides)
    if not rows:
        raise SourceError("holds no row", code="E-PAYLOAD", fix="send a row, or do not log the event")
    return rows


def _at_once(events: Sequence[Event], names: Names, room: _Room) -> pa.Table | None:
    sides: list[Columns] = []
    for payloads in ([event.input for event in events], [event.output for event in events]):
        if payloads[0] is None:
            if any(payload is not None for payload in payloads):
                return None
            sides.append({})
            continue
        columns = columns_of(payloads)
        if columns is None:
            return None
        sides.append(columns)
    if not (sides[0] or sides[1]) or not room.take(*sides):
        return None
    try:
        return _assembled(events, np.zeros(len(events), np.int32), sides, names)
    except _ODD:
        return None


def _one_by_one(pairs: Sequence[_Pair], names: Names) -> pa.Table:
    events = [event for event, rows in pairs for _ in rows]
    both = [row for _, rows in pairs for row in rows]
    numbers = np.array([at for _, rows in pairs for at in range(len(rows))], np.int32)
    sides: list[Columns] = []
    for side in (0, 1):
        rows = [pair[side] for pair in both]
        keys: dict[str | int, None] = {}
        for keyset in dict.fromkeys(map(tuple, rows)):
            keys.update(dict.fromkeys(keyset))
        sides.append(
            {key: column_of([row.get(key) for row in rows]) for key in sorted(keys, key=_by_position)}
        )
    return _assembled(events, numbers, sides, names)


def _assembled(
    events: Sequence[Event],
    numbers: np.ndarray[Any, np.dtype[np.int32]],
    sides: Sequence[Mapping[str | int, tuple[pa.Array, bool]]],
    known: Names,
) -> pa.Table:
    """Put the columns about the events before those of both sides, and give these their names."""
    moments = np.fromiter((event.moment for event in events), np.int64, len(events))
    received = np.fromiter((event.received for event in events), np.int64, len(events))
    arrays = [
        text_array([event.id for event in events]),
        numpy_array(numbers, pa.int32(), nan_is_null=False),
        numpy_array(moments, META.field("_time").type, nan_is_null=False),
        numpy_array(received, META.field("_received").type, nan_is_null=False),
        text_array([side_of(event) for event in events]),
        text_array([event.inference_id for event in events]),
        text_array([event.model_version for event in events]),
        map_array([event.attributes for event in events]),
    ]
    fields = list(META)
    names = set(META.names)
    for side, columns in enumerate(sides):
        for key, (array, textual) in columns.items():
            name = _name(key, side, known[side], n_columns=len(columns))
            if name in names:
                name = f"{'output' if side else 'input'}.{name}"
            while name in names:
                name += "_"
            names.add(name)
            arrays.append(array)
            fields.append(pa.field(name, array.type, metadata=TEXTUAL if textual else None))
    return pa.table(arrays, schema=pa.schema(fields, META.metadata))


def _by_position(key: str | int) -> tuple[int, int]:
    return (0, key) if isinstance(key, int) else (1, 0)


def _name(key: str | int, side: int, known: Sequence[str], *, n_columns: int) -> str:
    if isinstance(key, str):
        return key
    if key < len(known):
        return known[key]
    if side == 0:
        return f"_c{key}"
    return "prediction" if n_columns == 1 else f"prediction_{key}"


def column_of(values: list[Any]) -> tuple[pa.Array, bool]:
    """Give a column its type; what is written in a CSV field may be a number.

    Returns
    -------
    array : pyarrow.Array
    textual : bool
        The values are of several kinds and have become text.

    Raises
    ------
    BadValueError
        For a value that has no place in a table.
    """
    mixed = False
    if any(type(value) is Written for value in values):
        values, mixed = _read(values)
    kinds, array = as_column(values)
    kind, textual = final_type(kinds)
    # A column of nulls is one whose type comes later: the reader joins it with any other.
    return finished(array, kind), textual or (mixed and pa.types.is_string(kind))


def _read(values: list[Any]) -> tuple[list[Any], bool]:
    """Read CSV fields as numbers where all of the column are; tell whether only some of them are."""
    texts = [value for value in values if type(value) is Written]
    if all(map(_WHOLE.fullmatch, texts)):
        return [int(value) if type(value) is Written else value for value in values], False
    if all(map(_is_number, texts)):
        return [float(value) if type(value) is Written else value for value in values], False
    return [str(value) if type(value) is Written else value for value in values], any(map(_is_number, texts))


def _is_number(text: str) -> bool:
    return _DECIMAL.fullmatch(text) is not None and not _is_code(text)


def _is_code(text: str) -> bool:
    """Tell whether a text of digits is rather a code: a number does not begin with a zero."""
    return len(text) > 1 and text[0] == "0" and text.isdigit()
