"""Many JSON lines at once: pyarrow's parser, where it agrees with the strict decoder to the last bit.

pyarrow refuses what :func:`driftline.documents.decode` refuses (repeated keys, bad escapes, control
characters, numbers that overflow), save ``NaN`` and ``Infinity``, which show in the columns. Where anything
is out of the ordinary the answer is None, and the lines are read one by one, which also finds the words for
what is wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from driftline.capture.text import Lines
from driftline.capture.values import Kinds

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["parsed", "read_lines"]

_KINDS = {
    pa.bool_(): Kinds.BOOLEAN,
    pa.int64(): Kinds.INTEGER,
    pa.float64(): Kinds.NUMBER,
    pa.string(): Kinds.TEXT,
}
_WHOLE_LIMIT = float(2**63)


def read_lines(block: Sequence[Any], schema: pa.Schema) -> pa.Table | None:
    """Parse the lines of a block, or give None where they need a closer look.

    Parameters
    ----------
    block : sequence of Lines
        Anything else in it needs a closer look.
    schema : pyarrow.Schema
        Types to hold to; other types are inferred. Columns stand in front that are named here.

    Returns
    -------
    pyarrow.Table or None
        A row for each line.
    """
    if not all(isinstance(piece, Lines) for piece in block):
        return None
    n_lines = sum(piece.count for piece in block)
    data = b"".join(piece.data for piece in block)
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
    # One object a line: it is the number of objects that pyarrow would not check line by line.
    if not data.startswith(b"{") or not data.endswith(b"}\n") or data.count(b"}\n{") != n_lines - 1:
        return None
    import pyarrow.json as pajson

    try:
        data.decode("utf-8")
        table = pajson.read_json(
            pa.BufferReader(data),
            read_options=pajson.ReadOptions(use_threads=False, block_size=len(data) + 1),
            parse_options=pajson.ParseOptions(explicit_schema=schema),
        )
    except (pa.ArrowException, ValueError):
        return None
    return table if table.num_rows == n_lines else None


def parsed(block: Sequence[Any], texts: set[str]) -> dict[str, tuple[Kinds, pa.Array]] | None:
    """Parse the lines of a block into columns.

    Parameters
    ----------
    block : sequence of Lines
    texts : set of str
        Columns of text that pyarrow takes for times; the function adds to it.

    Returns
    -------
    dict or None
        Kinds and array of each column in order of appearance. None where the lines must be read one by one.
    """
    table = read_lines(block, _as_text(texts))
    if table is None or not table.num_columns:
        return None
    times = [field.name for field in table.schema if pa.types.is_timestamp(field.type)]
    if times:
        texts.update(times)
        again = read_lines(block, _as_text(texts))
        if again is None:
            return None
        # The columns named beforehand stand in front; the first reading has the order of the lines.
        table = again.select(table.column_names)
    columns = {}
    for field, column in zip(table.schema, table.columns, strict=True):
        if column.num_chunks != 1:
            return None
        array = column.chunk(0)
        kinds = Kinds.NONE if array.null_count == len(array) else _KINDS.get(field.type)
        if kinds is None or (kinds is Kinds.NUMBER and not _ordinary(array)):
            return None
        if field.name not in texts or kinds:
            columns[field.name] = (kinds, array)
    return columns


def _as_text(names: set[str]) -> pa.Schema:
    return pa.schema([pa.field(name, pa.string()) for name in sorted(names)])


def _ordinary(array: pa.Array) -> bool:
    """Tell whether all numbers are finite, and none may be a whole number without a twin among floats."""
    values = np.frombuffer(array.buffers()[1], dtype=np.float64, count=array.offset + len(array))
    values = values[array.offset :]
    # -0 is a whole number, so 0; pyarrow reads -0.0 where other values of the column have a point.
    minus_zero = np.signbit(values) & (values == 0)
    with np.errstate(invalid="ignore"):
        return bool(np.all(np.abs(values) < _WHOLE_LIMIT)) and not minus_zero.any()
