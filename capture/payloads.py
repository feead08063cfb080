"""Bodies become rows: CSV, JSON in its many forms, and the tensors of the Open Inference Protocol.

What is understood, by content type and then by content:

==============================  ======================================================================================
``text/csv``                    a row a line; columns are positions
JSON object                     one row; keys of inner objects are joined with dots
JSON list                       rows: objects, or lists of values by position; for a request that is a plain list of values
                                cannot be told from a list of rows of one value, so it is refused
``instances``, ``predictions``  such a list (KServe v1, TensorFlow Serving, SageMaker)
``dataframe_split``             ``columns`` and ``data`` (MLflow)
``dataframe_records``           objects (MLflow)
``inputs``                      MLflow's columns or rows, or the tensors of the Open Inference Protocol
``outputs``                     tensors of the Open Inference Protocol, in JSON or after it in binary
JSON Lines                      one of the above a line
==============================  ======================================================================================
"""

from __future__ import annotations

import csv
import io
import math
import re
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from driftline.capture.event import ROWS
from driftline.capture.formats.jsonl import flat
from driftline.capture.source import Place
from driftline.documents import decode
from driftline.errors import DocumentError, SourceError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from driftline.capture.event import Payload

__all__ = ["Row", "paired", "rows_of"]

Row = dict["str | int", Any]
"""Values by name, or by position where there are no names."""

_CSV = re.compile(r"(text|application)/csv")
_JSON = re.compile(r"application/(.+\+)?json|text/json")
_LINES = re.compile(r"application/(json-?lines|x-jsonlines|x-ndjson|jsonl)")
_HEADER = re.compile(r"(?i)inference-header-content-length=(\d{1,9})")
_ENCODED = re.compile(r"(?i)content-encoding=([\w-]+)")
_NOWHERE = Place("")
MAX_DECODED = 64 << 20
"""Most bytes that a compressed body may become."""
MAX_ROWS = 1_000_000

_DATATYPES: dict[str, np.dtype[Any]] = {
    "BOOL": np.dtype("bool"),
    **{
        f"{sign}INT{bits}": np.dtype(f"{sign.lower()}int{bits}")
        for sign in ("", "U")
        for bits in (8, 16, 32, 64)
    },
    **{f"FP{bits}": np.dtype(f"float{bits}") for bits in (16, 32, 64)},
}


def rows_of(payload: Payload, side: str) -> list[Row]:
    """Return the rows of one side.

    Parameters
    ----------
    payload : Payload
    side : {"input", "output"}

    Raises
    ------
    SourceError
        ``E-PAYLOAD`` or ``E-NESTED`` for what cannot be put in a table.
    """
    if payload.is_truncated:
        raise _refused(side, "is longer than the capture keeps", "raise the limit of the body")
    content_type, _, parameters = payload.content_type.partition(";")
    content_type = content_type.strip().lower()
    encoded = _ENCODED.search(parameters)
    if encoded is not None:
        payload = replace(payload, data=_unpacked(payload.data, encoded.group(1).lower(), side))
    header = _HEADER.search(parameters)
    if header is not None:
        return _binary(payload.data, int(header.group(1)), side)
    try:
        text = payload.data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _refused(side, f"of type {content_type or 'unknown'} is not UTF-8 text") from None
    if not text.strip():
        return []
    if content_type == ROWS:
        rows = _json(text, side)
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise _refused(side, "is no list of objects")
        return [_flat(row) for row in rows]
    if _CSV.fullmatch(content_type):
        return _csv(text, side)
    if _LINES.fullmatch(content_type):
        lines = [line for line in text.split("\n") if line.strip()]
        return [row for line in lines for row in _shape(_json(line, side), side)]
    if _JSON.fullmatch(content_type) or (content_type in ("", "text/plain") and text.lstrip()[:1] in "{["):
        return _shape(_json(text, side), side)
    if content_type in ("", "text/plain"):
        return _csv(text, side)
    raise _refused(side, f"is of type {content_type}, which driftline cannot take apart")


def _unpacked(data: bytes, encoding: str, side: str) -> bytes:
    """Undo a Content-Encoding, but not for ever."""
    bits = {"gzip": 31, "x-gzip": 31, "deflate": 15}.get(encoding)
    if bits is None:
        raise _refused(side, f"is encoded as {encoding}, which driftline does not undo")
    unpacker = zlib.decompressobj(bits)
    try:
        out = unpacker.decompress(data, MAX_DECODED)
    except zlib.error:
        raise _refused(side, f"says that it is encoded as {encoding}, and is not") from None
    if not unpacker.eof:
        more = "is longer than 64 MiB" if unpacker.unconsumed_tail else "ends too early"
        raise _refused(side, f"is encoded as {encoding} and {more}")
    return out


def _flat(record: Mapping[str, Any]) -> Row:
    return cast("Row", dict(flat(record, _NOWHERE)))


def _refused(
    side: str, message: str, fix: str = "send CSV or JSON, or decode it before it is logged"
) -> SourceError:
    return SourceError(message, code="E-PAYLOAD", field=side, fix=fix)


def _json(text: str, side: str) -> Any:
    try:
        return decode(text)
    except DocumentError as error:
        raise _refused(side, error.message) from None


def _csv(text: str, side: str) -> list[Row]:
    if '"' not in text:
        lines = text.replace("\r\n", "\n").rstrip("\n").split("\n")
        table: Sequence[Sequence[str]] = [line.split(",") for line in lines]
    else:
        try:
            table = list(csv.reader(io.StringIO(text, newline=""), strict=True))
        except csv.Error as error:
            raise _refused(side, f"is not CSV: {error}") from None
        while table and not table[-1]:
            table = table[:-1]
    if len({len(row) for row in table}) > 1:
        raise _refused(side, "is CSV whose rows have different numbers of fields")
    return [{at: None if cell == "" else Written(cell) for at, cell in enumerate(row)} for row in table]


class Written(str):
    """Text that may stand for a number: what a CSV field is."""

    __slots__ = ()


def _shape(value: Any, side: str) -> list[Row]:
    """Find the rows in decoded JSON."""
    if isinstance(value, list):
        return _listed(value, side)
    if not isinstance(value, dict):
        return [{0: value}]
    if isinstance(value.get("dataframe_split"), dict):
        return _split(value["dataframe_split"], side)
    if isinstance(value.get("dataframe_records"), list):
        return _listed(value["dataframe_records"], side)
    for key in ("inputs", "outputs"):
        tensors = value.get(key)
        if isinstance(tensors, list) and tensors and all(_is_tensor(t) for t in tensors):
            return _tensors([(t, t.get("data")) for t in tensors], side)
    for key in ("instances", "predictions", "inputs"):
        if isinstance(value.get(key), list):
            return _listed(value[key], side, plain=True, name=None if key != "predictions" else "prediction")
    if isinstance(value.get("inputs"), dict):
        return _columns(value["inputs"], side)
    return [_flat(value)]


def _listed(values: list[Any], side: str, *, plain: bool = False, name: str | None = None) -> list[Row]:
    if values and not any(isinstance(item, (list, dict)) for item in values):
        if side == "input" and not plain:
            raise _refused(
                side, "is a list of values, which may be one row or many", 'send {"instances": [[…], …]}'
            )
        return [{name or 0: item} for item in values]
    rows: list[Row] = []
    for item in values:
        if isinstance(item, dict):
            rows.append(_flat(item))
        elif isinstance(item, list):
            if any(isinstance(cell, (list, dict)) for cell in item):
                raise SourceError(
                    "holds lists in lists",
                    code="E-NESTED",
                    field=side,
                    fix="take them apart before they are logged",
                )
            rows.append(dict(enumerate(item)))
        else:
            rows.append({name or 0: item})
    return rows


def _split(frame: Mapping[str, Any], side: str) -> list[Row]:
    columns, data = frame.get("columns"), frame.get("data")
    if not isinstance(data, list) or not all(isinstance(row, list) for row in data):
        raise _refused(side, "has a dataframe_split without a list of rows as data")
    if columns is None:
        return _listed(data, side)
    if not isinstance(columns, list) or len(set(map(str, columns))) != len(columns):
        raise _refused(side, "has a dataframe_split with odd columns")
    if any(len(row) != len(columns) for row in data):
        raise _refused(side, "has a dataframe_split with a row that is not as long as the columns")
    return [_flat(dict(zip(map(str, columns), row, strict=True))) for row in data]


def _columns(columns: Mapping[str, Any], side: str) -> list[Row]:
    """Take MLflow's ``inputs`` as columns: lists of one length, or single values."""
    lists = {k: v if isinstance(v, list) else [v] for k, v in columns.items()}
    if len({len(v) for v in lists.values()}) > 1:
        raise _refused(side, "has inputs of different lengths")
    return [_flat(dict(zip(lists, cells, strict=True))) for cells in zip(*lists.values(), strict=True)]


def _is_tensor(value: Any) -> bool:
    return isinstance(value, dict) and "shape" in value and "datatype" in value and "name" in value


def _tensors(tensors: Sequence[tuple[Mapping[str, Any], Any]], side: str) -> list[Row]:
    """Rows of tensors: the first dimension counts them, the others are columns."""
    columns: dict[str, list[Any]] = {}
    for head, data in tensors:
        name, shape = head["name"], head["shape"]
        if not isinstance(name, str) or not isinstance(shape, list):
            raise _refused(side, "has a tensor with an odd name or shape")
        if not all(isinstance(d, int) and not isinstance(d, bool) and 0 <= d <= MAX_ROWS for d in shape):
            raise _refused(side, f"has a tensor {name!r} with an odd shape")
        values = _leaves(data)
        size = math.prod(shape)
        if len(values) != size:
            raise _refused(side, f"has a tensor {name!r} of {len(values)} values, but the shape says {size}")
        n = shape[0] if shape else 1
        width = size // n if n else 0
        if width == 1:
            columns[name] = values
        else:
            for at in range(width):
                columns[f"{name}.{at}"] = values[at::width]
    if len({len(v) for v in columns.values()}) > 1:
        raise _refused(side, "has tensors with different numbers of rows")
    return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]


def _leaves(data: Any) -> list[Any]:
    if isinstance(data, np.ndarray):
        return list(data.tolist())
    if not isinstance(data, list):
        return [data]
    if not any(isinstance(item, list) for item in data):
        return data
    out: list[Any] = []
    for item in data:
        out.extend(_leaves(item))
    return out


def _binary(data: bytes, length: int, side: str) -> list[Row]:
    """Take the binary extension apart: JSON first, then the tensors that say ``binary_data_size``, one after the other."""
    if length > len(data):
        raise _refused(side, "is shorter than its Inference-Header-Content-Length")
    try:
        head = _json(data[:length].decode("utf-8"), side)
    except UnicodeDecodeError:
        raise _refused(side, "has a JSON part that is not UTF-8") from None
    tensors = None
    if isinstance(head, dict):
        tensors = head.get("inputs" if side == "input" else "outputs")
    if not isinstance(tensors, list) or not all(_is_tensor(t) for t in tensors):
        raise _refused(side, "has no tensors")
    at = length
    found = []
    for tensor in tensors:
        parameters = tensor.get("parameters")
        size = parameters.get("binary_data_size") if isinstance(parameters, dict) else None
        if size is None:
            found.append((tensor, tensor.get("data")))
            continue
        piece = data[at : at + size] if isinstance(size, int) and 0 <= size <= len(data) - at else None
        if piece is None:
            raise _refused(side, f"has a tensor {tensor['name']!r} that reaches beyond its end")
        at += size
        found.append((tensor, _decoded(piece, tensor, side)))
    return _tensors(found, side)


def _decoded(piece: bytes, tensor: Mapping[str, Any], side: str) -> Any:
    kind = tensor["datatype"]
    if kind == "BYTES":
        out, at = [], 0
        while at + 4 <= len(piece):
            size = int.from_bytes(piece[at : at + 4], "little")
            text = piece[at + 4 : at + 4 + size]
            if len(text) != size:
                break
            try:
                out.append(text.decode("utf-8"))
            except UnicodeDecodeError:
                raise _refused(side, f"has a tensor {tensor['name']!r} with bytes that are no text") from None
            at += 4 + size
        if at != len(piece):
            raise _refused(side, f"has a tensor {tensor['name']!r} of damaged BYTES")
        return out
    dtype = _DATATYPES.get(kind) if isinstance(kind, str) else None
    if dtype is None or len(piece) % dtype.itemsize:
        raise _refused(
            side, f"has a tensor {tensor['name']!r} of datatype {kind!r} that does not fit its size"
        )
    return np.frombuffer(piece, dtype)


def paired(inputs: list[Row] | None, outputs: list[Row] | None) -> list[tuple[Row, Row]]:
    """Put the answers beside the requests.

    Parameters
    ----------
    inputs, outputs : list of dict or None
        None for a side that is not there.

    Returns
    -------
    list of (dict, dict)

    Raises
    ------
    SourceError
        ``E-PAYLOAD`` where neither the rows are as many as the answers nor there is one answer for all.
    """
    if not inputs or not outputs:
        return [(row, {}) for row in inputs or ()] or [({}, row) for row in outputs or ()]
    if len(outputs) == 1 < len(inputs):
        (only,) = outputs
        if list(only) == list(range(len(inputs))):
            # XGBoost's container answers many rows with one line of comma-separated predictions.
            outputs = [{0: value} for value in only.values()]
        else:
            outputs = outputs * len(inputs)
    if len(inputs) != len(outputs):
        raise SourceError(
            f"the request has {len(inputs)} rows and the answer {len(outputs)}",
            code="E-PAYLOAD",
            fix="expected as many answers as rows, or one",
        )
    return list(zip(inputs, outputs, strict=True))
