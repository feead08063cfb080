"""Reader: the columns of a source by the names that the settings use."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from driftline.errors import InputError, SchemaError
from driftline.monitor.bias.column import Column, column_of
from driftline.monitor.rows import column_of as position_of
from driftline.monitor.rows import rows_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from driftline.capture.source import Source
    from driftline.monitor.bias.settings import Settings

    Progress = Callable[[int, int], None]

__all__ = ["Reader", "SpeakingOf", "columns_named", "whole_columns"]


_POSITION: Final = re.compile(r"_c\d+")
"""Names of columns without names; others that begin so are about the event."""


class Reader:
    """The columns of a source by the names that the settings use."""

    def __init__(self, source: Source, settings: Settings, names: tuple[str, ...]) -> None:
        self.source = source
        self.settings = settings
        self.names = names

    @classmethod
    def of(cls, source: Source, settings: Settings) -> Reader:
        """Match settings and source: headers name columns without names, and positions become names."""
        names = tuple(field.name for field in source.fields)
        if not source.named and settings.headers is not None:
            if len(settings.headers) != len(names):
                raise SchemaError(
                    f"the settings name {len(settings.headers):,} columns, and the data have {len(names):,}",
                    code="E-COLUMNS",
                    file=source.label,
                    field="headers",
                    fix="give a name for every column",
                )
            names = settings.headers
        reader = cls(source, settings, names)

        def named(column: str | None) -> str | None:
            if column is None or column in names or not (column.isascii() and column.isdigit()):
                return column
            return names[int(column)] if int(column) < len(names) else column

        def every(columns: Sequence[str]) -> tuple[str, ...]:
            return tuple(named(column) or column for column in columns)

        reader.settings = replace(
            settings,
            label=named(settings.label),
            prediction=named(settings.prediction),
            probability=named(settings.probability),
            group=named(settings.group),
            facets=tuple(replace(facet, column=named(facet.column) or "") for facet in settings.facets),
            intersections=tuple(every(columns) for columns in settings.intersections),
            features=None if settings.features is None else every(settings.features),
            exclude=every(settings.exclude),
        )
        return reader

    def place(self, name: str) -> str:
        """Return what the source calls the column `name`."""
        if name in self.names and self.source.fields[self.names.index(name)].name != name:
            return self.source.fields[self.names.index(name)].name
        return name

    def needed(self, *, whole: bool) -> tuple[str, ...]:
        """Return the columns to read for a baseline."""
        wanted = dict.fromkeys(columns_named(self.settings))
        if whole or (self.settings.features is None and "FT" in self.settings.codes):
            wanted.update(dict.fromkeys(self.candidates(whole=whole)))
        for name in (*self.settings.exclude, *((self.settings.probability,) if whole else ())):
            if name is not None and name not in columns_named(self.settings):
                wanted.pop(name, None)
        return tuple(wanted)

    def candidates(self, *, whole: bool) -> tuple[str, ...]:
        """Return the columns that can be features: numbers, and text that may spell numbers; whole: all plain ones.

        What capture knows about an event, such as its time, is none; nor are lists and bytes.
        """
        import pyarrow as pa

        found = []
        for name, field in zip(self.names, self.source.fields, strict=True):
            kind = field.type
            is_number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)
            is_number |= pa.types.is_decimal(kind)
            is_other = pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind)
            if name.startswith("_") and not _POSITION.fullmatch(name):
                continue
            if is_number or (not is_other and (whole or field.textual)):
                found.append(name)
        return tuple(found)

    def batches(self, names: Sequence[str], progress: Progress | None) -> Iterator[dict[str, Column]]:
        """Read columns, every row once."""
        roles = _roles(self.settings)
        places = {name: self.place(name) for name in names}
        for name, place in places.items():
            position_of(self.source, place, role=roles.get(name, "column"))
        parts = list(self.source.parts)
        done: set[int] = set()
        for rows in rows_of(self.source, places.values()):
            yield {
                name: column_of(name, rows.columns[place], textual=place in rows.textual)
                for name, place in places.items()
            }
            if progress is not None:
                done.add(id(rows.part))
                progress(min(len(done), len(parts)), max(len(parts), 1))


def columns_named(settings: Settings) -> tuple[str, ...]:
    """Return the columns that the settings name, each once."""
    crossed = [column for columns in settings.intersections for column in columns]
    names = [settings.label, settings.prediction, settings.probability, settings.group]
    if settings.prediction is not None:
        names[2] = None  # Only the label of the two is used.
    features = settings.features or () if "FT" in settings.codes else ()
    found = [*names, *(facet.column for facet in settings.facets), *crossed, *features]
    return tuple(dict.fromkeys(name for name in found if name is not None))


def _roles(settings: Settings) -> dict[str, str]:
    roles = {facet.column: "facet" for facet in settings.facets}
    roles |= {column: "facet" for columns in settings.intersections for column in columns}
    for role in ("group", "probability", "prediction", "label"):
        name = getattr(settings, role)
        if name is not None:
            roles[name] = role
    return roles


def whole_columns(reader: Reader, names: Sequence[str], progress: Progress | None) -> dict[str, Column]:
    """Read columns whole."""
    import pyarrow as pa

    roles = _roles(reader.settings)
    places = {name: reader.place(name) for name in names}
    for name, place in places.items():
        position_of(reader.source, place, role=roles.get(name, "column"))
    pieces: dict[str, list[Any]] = {name: [] for name in names}
    textual: set[str] = set()
    n_parts, done = max(len(reader.source.parts), 1), set()
    for rows in rows_of(reader.source, places.values()):
        for name, place in places.items():
            pieces[name].append(rows.columns[place])
        textual.update(name for name, place in places.items() if place in rows.textual)
        done.add(id(rows.part))
        if progress is not None:
            progress(min(len(done), n_parts), n_parts)
    if not names or not pieces[names[0]]:
        raise InputError(
            "has no rows, so there is nothing to compare with",
            code="E-NO-DATA",
            file=reader.source.label,
            fix="give data with rows in it",
        )
    columns = {}
    for name in names:
        arrays = pieces[name]
        kinds = {array.type for array in arrays}
        if len(kinds) > 1:  # One file has whole numbers where another has fractions.
            arrays = pa.chunked_array([pa.array(one) for one in _unified(arrays)])
        else:
            arrays = pa.chunked_array(arrays)
        with SpeakingOf(reader.source.label):
            columns[name] = column_of(name, arrays, textual=name in textual)
    return columns


def _unified(arrays: list[Any]) -> list[Any]:
    import pyarrow as pa

    numeric = all(
        pa.types.is_integer(a.type) or pa.types.is_floating(a.type) or pa.types.is_null(a.type)
        for a in arrays
    )
    target = pa.float64() if numeric else pa.string()
    return [array.cast(target) for array in arrays]


class SpeakingOf:
    """Lets errors that know only the column name the data, too."""

    def __init__(self, file: str) -> None:
        self.file = file

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, InputError) and error.file is None:
            error.file = self.file
