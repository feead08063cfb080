"""Segments: the same profile, per value of one column."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from driftline.baselines.column import ColumnFold, Limits
from driftline.baselines.profile import Profile
from driftline.documents import nearest
from driftline.errors import SchemaError
from driftline.monitor.scan import ROW_BITS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from driftline.capture.source import Source

__all__ = ["scan_segments", "segment_label", "segment_values"]

MISSING = "(missing)"
"""How the segment of rows whose segment column has no value is shown; its value is None."""


def segment_label(by: str, value: str | None) -> str:
    """Name a segment for people, such that no two of a run are called the same.

    Examples
    --------
    >>> segment_label("country", "DE"), segment_label("country", None), segment_label("country", "(missing)")
    ('country=DE', 'country=(missing)', 'country="(missing)"')
    """
    shown = MISSING if value is None else value
    if value is not None and value.strip('"') == MISSING:
        shown = f'"{value}"'
    return f"{by}={shown}"


def segment_values(profile: Profile, by: str, most: int) -> tuple[list[str | None], int]:
    """Return the values of a column that are segments of their own, most frequent first.

    Parameters
    ----------
    profile : Profile
    by : str
    most : int

    Returns
    -------
    values : list of str or None
        At most `most`; None, the rows without a value, comes last.
    n_left_out : int
        How many rarer values there are.

    Raises
    ------
    SchemaError
        If there is no such column, or it is not made of texts, booleans or few numbers.
    """
    column = profile.column(by)
    if column is None:
        close = nearest(by, [c.name for c in profile.columns])
        raise SchemaError(
            "there is no such column to segment by",
            code="E-SEGMENTS",
            field=by,
            fix=f"did you mean {close!r}?" if close else "use the name of a column",
        )
    values: list[str | None] = []
    n_distinct = 0
    if column.categories is not None:
        values = [t.decode("utf-8", "backslashreplace") for t, _ in column.categories.top(most)]
        n_distinct = int(column.categories.n_distinct)
    elif column.numbers is not None and column.kind == "number":
        distribution = column.numbers.distribution
        n_distinct = int(column.numbers.n_distinct)
        if distribution.is_exact and n_distinct <= most:
            order = np.argsort(-distribution.counts, kind="stable")[:most]
            values = [_spelled(float(v)) for v in distribution.midpoints()[order]]
    elif column.n_present:
        raise SchemaError(
            "holds neither texts, booleans nor numbers, so its values are no segments",
            code="E-SEGMENTS",
            field=by,
            fix="segment by a column of categories",
        )
    if n_distinct and (not values or (column.kind == "number" and n_distinct > most)):
        raise SchemaError(
            f"has {n_distinct:,} different numbers, too many to be segments",
            code="E-SEGMENTS",
            field=by,
            fix="segment by a column of categories",
        )
    if column.n_missing:
        values = values[: most - 1]
    n_left_out = max(0, n_distinct - len(values))
    return [*values, None] if column.n_missing else values, n_left_out


def _spelled(value: float) -> str:
    """Spell a number by its value: the ints of one month may be doubles in the next."""
    return str(int(value)) if value.is_integer() else repr(value)


def scan_segments(
    source: Source, by: str, values: Sequence[str | None], *, limits: Limits
) -> dict[str | None, Profile]:
    """Fold the rows of each of `values` into a profile of its own, in one pass.

    Parameters
    ----------
    source : Source
    by : str
        The segment column.
    values : sequence of str or None
        As :func:`segment_values` gave them; other rows are left out.
    limits : Limits

    Returns
    -------
    dict of str or None to Profile
        For the values that occur.
    """
    import pyarrow.compute as pc

    fields = source.fields
    at = [f.name for f in fields].index(by)
    everything = range(len(fields))
    folds: dict[str | None, list[ColumnFold]] = {}
    counts: dict[str | None, int] = {}
    for part in source.parts:
        for batch in part.read(everything):
            base = (part.ordinal << ROW_BITS) + batch.first_row
            keys = batch.arrays[at]
            if pa.types.is_dictionary(keys.type):
                keys = keys.dictionary_decode()
            texts = _as_texts(keys, textual=fields[at].textual)
            present = set(pc.unique(texts).to_pylist())
            for value in values:
                if value not in present:
                    continue
                mask = pc.is_null(texts) if value is None else pc.equal(texts, value)
                index = pc.indices_nonzero(pc.fill_null(mask, False))
                mine = folds.get(value)
                if mine is None:
                    mine = folds[value] = [
                        ColumnFold(f.name, f.type, textual=f.textual, limits=limits, compiled=False)
                        for f in fields
                    ]
                for fold, array in zip(mine, batch.arrays, strict=True):
                    fold.add(array.take(index), base)
                counts[value] = counts.get(value, 0) + len(index)
    return {
        value: Profile(tuple(fold.close() for fold in mine), counts[value], limits, ())
        for value, mine in folds.items()
    }


def _as_texts(keys: pa.Array, *, textual: bool) -> pa.Array:
    """Spell keys as :func:`segment_values` does; what counts as missing becomes null."""
    import pyarrow.compute as pc

    if pa.types.is_floating(keys.type) or pa.types.is_decimal(keys.type):
        numbers = (None if v is None else float(v) for v in keys.to_pylist())
        return pa.array([None if v is None or v != v else _spelled(v) for v in numbers], pa.string())
    texts = keys.cast(pa.string())
    if textual:
        no_number = pc.match_substring_regex(texts, r"^[ \t\r\n]*[-+]? ?nan[ \t\r\n]*$", ignore_case=True)
        texts = pc.if_else(pc.or_(pc.equal(texts, ""), no_number), None, texts)
    return texts
