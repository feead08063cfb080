"""Many captured records at once: the plain case, one row of CSV on each side, by way of pyarrow's parsers.

Anything else in a block (JSON, base64, several rows, quotes, a missing side in some records) gives None, and
its records are taken apart one by one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from driftline.capture.formats.json_block import read_lines
from driftline.capture.values import Kinds

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["CsvBlock", "csv_block", "csv_columns"]

_SIDE = pa.struct([("data", pa.string()), ("encoding", pa.string())])
_NAMES = ("endpointOutput", "endpointInput")
_SCHEMA = pa.schema([("captureData", pa.struct([(name, _SIDE) for name in _NAMES]))])


@dataclass(frozen=True, slots=True)
class CsvBlock:
    """The rows of a block.

    Attributes
    ----------
    n_rows : int
        Also the number of records.
    merged : int
        Records that hold ground truth.
    outputs, inputs : tuple of (Kinds, pyarrow.Array)
        Columns of each side; empty for a side that no record has.
    """

    n_rows: int
    merged: int
    outputs: tuple[tuple[Kinds, pa.Array], ...]
    inputs: tuple[tuple[Kinds, pa.Array], ...]


def csv_block(block: Sequence[Any]) -> CsvBlock | None:
    """Take the records of a block apart, or give None where that needs a closer look."""
    table = read_lines(block, _SCHEMA)
    if table is None:
        return None
    capture = _whole(table.column("captureData"))
    if capture is None or capture.null_count or capture.type.num_fields != len(_NAMES):
        return None
    merged = 0
    if "groundTruthData" in table.column_names:
        truth = table.column("groundTruthData")
        if truth.null_count:
            return None  # A null and an absent one are told apart only in the record itself.
        merged = table.num_rows
    sides = [_columns(capture.field(name)) for name in _NAMES]
    outputs, inputs = sides
    if outputs is None or inputs is None or not (outputs or inputs):
        return None
    return CsvBlock(table.num_rows, merged, outputs, inputs)


def _whole(column: pa.ChunkedArray) -> pa.Array | None:
    return column.chunk(0) if column.num_chunks == 1 else None


def _columns(side: pa.StructArray) -> tuple[tuple[Kinds, pa.Array], ...] | None:
    if side.null_count == len(side):
        return ()
    data = side.field("data")
    if side.null_count or data.null_count or set(side.field("encoding").to_pylist()) != {"CSV"}:
        return None
    return csv_columns(data.to_pylist())


def csv_columns(payloads: Sequence[str]) -> tuple[tuple[Kinds, pa.Array], ...] | None:
    """Split payloads of one line each into columns of text, or give None where they need a closer look."""
    text = "\n".join([payload.removesuffix("\n") for payload in payloads])
    first = payloads[0].removesuffix("\n")
    if '"' in text or "\r" in text or not first or text.count("\n") != len(payloads) - 1 or "\n\n" in text:
        return None
    import pyarrow.csv as pacsv

    labels = [str(position) for position in range(first.count(",") + 1)]
    raw = text.encode()
    try:
        table = pacsv.read_csv(
            pa.BufferReader(raw),
            read_options=pacsv.ReadOptions(use_threads=False, column_names=labels, block_size=len(raw) + 1),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(labels, pa.string()), null_values=[""], strings_can_be_null=True
            ),
        )
    except pa.ArrowException:
        return None
    if table.num_rows != len(payloads):
        return None
    out = []
    for column in table.columns:
        array = _whole(column)
        if array is None:
            return None
        out.append((Kinds.NONE if array.null_count == len(array) else Kinds.TEXT, array))
    return tuple(out)
