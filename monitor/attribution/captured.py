"""Captured: attributions that the service itself computed, and wrote beside its predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from driftline.errors import SchemaError
from driftline.monitor.attribution.explaining import Explained, grouped, players_of
from driftline.monitor.attribution.sample import doubles_of, is_number, is_text, plain_array

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from driftline.capture.source import Source
    from driftline.monitor.attribution.settings import Settings

__all__ = ["captured_columns", "captured_values"]


def captured_columns(source: Source, settings: Settings) -> tuple[str, ...]:
    """Return the columns that hold attributions.

    Raises
    ------
    SchemaError
        ``E-COLUMN`` if no column begins with the prefix.
    """
    model = settings.model
    assert model is not None
    if model.columns:
        return model.columns
    prefix = model.prefix or ""
    if settings.features is not None:
        labels = settings.label_headers
        ends = [f"_{label}" for label in labels] if len(labels) > 1 else [""]
        return tuple(f"{prefix}{name}{end}" for end in ends for name in settings.features)
    found = tuple(
        field.name for field in source.fields if field.name.startswith(prefix) and field.name != prefix
    )
    if not found:
        raise SchemaError(
            f"no column begins with {prefix!r}",
            code="E-COLUMN",
            file=source.label,
            field="model.prefix",
            fix="say what the names of the captured attributions begin with, or name them under columns",
        )
    return found


def captured_values(
    table: pa.Table, settings: Settings, columns: tuple[str, ...]
) -> tuple[Explained, tuple[str, ...]]:
    """Return the attributions of the rows of a table.

    With several labels, the columns of a label end in ``_<label>``; rows without an attribution for every feature are left
    out, and that is noted.

    Raises
    ------
    SchemaError
        ``E-COLUMN`` if a column holds no numbers, or the labels do not have the same features.
    """
    features, values = _split(table, settings, columns)
    whole = np.isfinite(values).all(axis=(1, 2))
    notes: tuple[str, ...] = ()
    if not whole.all():
        n_left = int((~whole).sum())
        notes = (
            f"{n_left:,} of {whole.shape[0]:,} rows have no attribution for some feature and were left out",
        )
    model = settings.model
    assert model is not None
    expected = None if model.expected_value is None else (model.expected_value,) * values.shape[2]
    players = players_of(features, settings.groups)
    return Explained(players.names, grouped(values[whole], players), expected), notes


def _split(
    table: pa.Table, settings: Settings, columns: tuple[str, ...]
) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    model = settings.model
    assert model is not None
    labels = settings.label_headers if len(settings.label_headers) > 1 else ("",)
    prefix = model.prefix or ""
    by_label: dict[str, dict[str, NDArray[np.float64]]] = {label: {} for label in labels}
    for position, column in enumerate(columns):
        label = next((one for one in labels if one and column.endswith(f"_{one}")), labels[0])
        if labels[0] and not column.endswith(f"_{label}"):
            raise SchemaError(
                "belongs to none of the labels",
                code="E-COLUMN",
                field=column,
                fix=f"with several labels, names end in one of {', '.join('_' + one for one in labels)}",
            )
        name = column.removeprefix(prefix)
        name = name.removesuffix(f"_{label}") if label else name
        if model.columns and settings.features is not None and len(labels) == 1:
            if len(settings.features) != len(columns):
                raise SchemaError(
                    f"names {len(columns)} columns for {len(settings.features)} features",
                    code="E-COLUMN",
                    field="model.columns",
                    fix="name one column for each feature, in the same order",
                )
            name = settings.features[position]
        by_label[label][name] = _numbers(table, column)
    first = tuple(by_label[labels[0]])
    for label, found in by_label.items():
        if set(found) != set(first):
            raise SchemaError(
                f"the labels {labels[0]!r} and {label!r} do not have the same features",
                code="E-COLUMN",
                field=sorted(set(found) ^ set(first))[0],
            )
    stacked = [np.column_stack([by_label[label][name] for name in first]) for label in labels]
    return first, np.stack(stacked, axis=2)


def _numbers(table: pa.Table, column: str) -> NDArray[np.float64]:
    import pyarrow as pa
    import pyarrow.compute as pc

    array = plain_array(table.column(column).combine_chunks())
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks)
    if is_text(array.type):
        try:
            array = pc.cast(pc.if_else(pc.equal(array, ""), None, array), pa.float64())
        except pa.ArrowInvalid:
            raise _no_numbers(column) from None
    if not is_number(array.type) and not pa.types.is_null(array.type):
        raise _no_numbers(column)
    return doubles_of(array)


def _no_numbers(column: str) -> SchemaError:
    return SchemaError(
        "holds no numbers, and an attribution is one",
        code="E-COLUMN",
        field=column,
        fix="name the columns with attributions under [model] columns",
    )
