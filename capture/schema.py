"""One schema for several files: all their columns, each with one type that holds every file's values.

Columns are matched by name and stand in the order of their first appearance. A column that a file lacks is
null there, with a note. Types that differ are joined as :func:`join` says; what cannot be joined is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from driftline.capture.source import check_names
from driftline.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Union", "join", "unite"]

_MOST_NOTES = 20


@dataclass(frozen=True, slots=True)
class Union:
    """The columns of several files together.

    Attributes
    ----------
    names : tuple of str
    types : tuple of pyarrow.DataType
    positions : tuple of (tuple of (int or None))
        For each *distinct* schema, the position in it of each column, None where it lacks the column.
    shape : tuple of int
        For each file, the index of its schema in `positions`.
    notes : tuple of str
        Which columns are missing where, and which types were joined.
    mixed : frozenset of str
        Columns of text and of other types, which became text.
    """

    names: tuple[str, ...]
    types: tuple[pa.DataType, ...]
    positions: tuple[tuple[int | None, ...], ...]
    shape: tuple[int, ...]
    notes: tuple[str, ...]
    mixed: frozenset[str] = frozenset()


def unite(files: Sequence[tuple[str, pa.Schema]], *, mix: bool = False) -> Union:
    """Join the schemas of `files`, given as (name, schema).

    Parameters
    ----------
    files : sequence of (str, pyarrow.Schema)
    mix : bool
        True makes text of what is text here and a number there, as for captured traffic, whose types are read off the
        values; False refuses it.

    Raises
    ------
    SchemaError
        For no columns, a name that occurs twice in one file, or types that cannot be joined; both files are
        named.
    """
    distinct: list[pa.Schema] = []
    example: list[str] = []
    shape: list[int] = []
    for file, schema in files:
        for index, known in enumerate(distinct):
            if schema.equals(known):
                shape.append(index)
                break
        else:
            check_names(schema.names, file)
            shape.append(len(distinct))
            distinct.append(schema)
            example.append(file)
    types: dict[str, pa.DataType] = {}
    origin: dict[str, str] = {}
    joined: set[str] = set()
    mixed: set[str] = set()
    for file, schema in zip(example, distinct, strict=True):
        for field in schema:
            if field.name not in types:
                types[field.name] = field.type
                origin[field.name] = file
                continue
            known = types[field.name]
            if known == field.type:
                continue
            common = join(known, field.type)
            if common is None and mix and _has_text_form(known) and _has_text_form(field.type):
                common = pa.string()
                mixed.add(field.name)
            if common is None:
                raise SchemaError(
                    f"is {field.type} here and {known} in {origin[field.name]}",
                    code="E-TYPES",
                    file=file,
                    field=field.name,
                    fix="write both files with one type",
                )
            types[field.name] = common
            joined.add(field.name)
    positions = []
    for schema in distinct:
        where = {name: position for position, name in enumerate(schema.names)}
        positions.append(tuple(where.get(name) for name in types))
    notes = _missing_notes(tuple(types), positions, shape, [file for file, _ in files])
    notes += [
        f"column {name!r} has several types in different files and is read as {types[name]}"
        for name in types
        if name in joined
    ]
    return Union(
        tuple(types), tuple(types.values()), tuple(positions), tuple(shape), tuple(notes), frozenset(mixed)
    )


def _has_text_form(kind: pa.DataType) -> bool:
    return _is_text(_plain(kind)) or _is_number(kind) or bool(pa.types.is_boolean(kind))


def _missing_notes(
    names: Sequence[str],
    positions: Sequence[tuple[int | None, ...]],
    shape: Sequence[int],
    files: Sequence[str],
) -> list[str]:
    if len(positions) == 1:
        return []
    notes: list[str] = []
    for column, name in enumerate(names):
        if len(notes) == _MOST_NOTES:
            notes.append("more columns are missing in some files")
            break
        lacking = [file for file, s in zip(files, shape, strict=True) if positions[s][column] is None]
        if lacking:
            notes.append(
                f"column {name!r} is missing in {len(lacking)} of {len(files)} files and null there, "
                f"first in {lacking[0]}"
            )
    return notes


def join(a: pa.DataType, b: pa.DataType) -> pa.DataType | None:
    """Give the type that holds the values of both, or None.

    Notes
    -----
    ========================================= =====================
    types                                     joined
    ========================================= =====================
    null, anything                            the other
    text in any form, also dictionaries       string
    binary in any form, also dictionaries     binary
    integers                                  int64, or uint64 if all are unsigned
    int64 with uint64; integers with floats   float64
    floats of two widths                      float64
    decimals                                  decimal with room for both
    decimal with integer or float             float64
    times in two units                        the finer unit
    ========================================= =====================

    Whole numbers above 2^53 lose digits where they become float64.
    """
    if a == b:
        return a
    if pa.types.is_null(a):
        return b
    if pa.types.is_null(b):
        return a
    if pa.types.is_dictionary(a) or pa.types.is_dictionary(b):
        return join(_plain(a), _plain(b))
    if _is_text(a) and _is_text(b):
        return pa.string()
    if _is_binary(a) and _is_binary(b):
        return pa.binary()
    if _is_number(a) and _is_number(b):
        return _number(a, b)
    return _moment(a, b)


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _is_binary(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_binary_view(kind)
        or pa.types.is_fixed_size_binary(kind)
    )


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _number(a: pa.DataType, b: pa.DataType) -> pa.DataType:
    if pa.types.is_integer(a) and pa.types.is_integer(b):
        unsigned = [pa.types.is_unsigned_integer(kind) for kind in (a, b)]
        if all(unsigned):
            return pa.uint64()
        if pa.uint64() in (a, b):
            return pa.float64()
        return pa.int64()
    if pa.types.is_decimal(a) and pa.types.is_decimal(b):
        scale = max(a.scale, b.scale)
        precision = max(a.precision - a.scale, b.precision - b.scale) + scale
        if precision <= 38:
            return pa.decimal128(precision, scale)
        return pa.decimal256(precision, scale) if precision <= 76 else pa.float64()
    return pa.float64()


_UNITS = ("s", "ms", "us", "ns")


def _moment(a: pa.DataType, b: pa.DataType) -> pa.DataType | None:
    if pa.types.is_timestamp(a) and pa.types.is_timestamp(b) and (a.tz is None) == (b.tz is None):
        return pa.timestamp(max(a.unit, b.unit, key=_UNITS.index), a.tz)
    if pa.types.is_duration(a) and pa.types.is_duration(b):
        return pa.duration(max(a.unit, b.unit, key=_UNITS.index))
    if pa.types.is_date(a) and pa.types.is_date(b):
        return pa.date32()
    if pa.types.is_time(a) and pa.types.is_time(b):
        return pa.time64("ns" if "ns" in (a.unit, b.unit) else "us")
    return None
