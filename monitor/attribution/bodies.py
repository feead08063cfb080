"""Bodies: rows as the body of a request, and the predictions in the body of its answer."""

from __future__ import annotations

import csv
import io
import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from driftline.documents import decode, encode, nearest
from driftline.errors import DocumentError, printable
from driftline.monitor.attribution.failure import ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from driftline.monitor.attribution.encoding import Encoding

__all__ = ["CONTENT_TYPES", "predictions_of", "request_body"]

CONTENT_TYPES: Final = {"csv": "text/csv", "json": "application/json", "v2": "application/json"}
"""Media types by format."""

_V2_TYPES: Final = {"number": "FP64", "integer": "INT64", "boolean": "BOOL", "text": "BYTES"}


def request_body(matrix: NDArray[np.float64], encoding: Encoding, form: str, *, as_matrix: bool) -> bytes:
    """Write rows as the body of a request.

    Parameters
    ----------
    matrix : ndarray of float64, shape (n, n_features)
    encoding : Encoding
    form : {"csv", "json", "v2"}
        CSV without a header, a missing value being nothing; ``{"instances": [[…], …]}``, a missing value being null; or the
        Open Inference Protocol.
    as_matrix : bool
        Send the numbers of the matrix as they are, instead of texts and booleans; in ``v2``, one tensor instead of one for
        each column.

    Raises
    ------
    ModelError
        ``E-MODEL-BODY`` for a missing value in ``v2``, which has none.
    """
    if form == "v2":
        return _v2(matrix, encoding, as_matrix=as_matrix)
    rows = _numbers(matrix) if as_matrix else encoding.rows(matrix)
    if form == "json":
        return encode({"instances": [[_finite(cell) for cell in row] for row in rows]}).encode()
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([[_csv_cell(cell) for cell in row] for row in rows])
    return out.getvalue().encode()


def predictions_of(
    body: bytes, n_rows: int, form: str, content_type: str, path: str | None, output: str | None
) -> Any:
    """Return the predictions in an answer, one number or one list of numbers for each row.

    Parameters
    ----------
    body : bytes
    n_rows : int
        Rows that were asked for.
    form : {"csv", "json", "v2"}
        Of the request. An answer to CSV may be CSV or JSON.
    content_type : str
        Of the answer; empty where it says none.
    path : str or None
        Where the predictions are in a JSON answer: keys and positions with dots between them. From the first list
        with as many items as there are rows on, what is left holds for every item. None: ``predictions``, or the list
        that the answer is.
    output : str or None
        Name of the output, for ``v2``.

    Raises
    ------
    ModelError
        ``E-MODEL-ANSWER``, naming what was expected and what is there.
    """
    if form == "v2":
        return _v2_output(_json(body), n_rows, output)
    if path is None and form == "csv" and "json" not in content_type.lower():
        return _csv_predictions(body, n_rows)
    document = _json(body)
    if path is None:
        if isinstance(document, dict) and "predictions" not in document and len(document) == 1:
            path = next(iter(document))
        else:
            path = "" if isinstance(document, list) else "predictions"
    return _at(document, path.split(".") if path else [], n_rows, path)


def _numbers(matrix: NDArray[np.float64]) -> list[list[Any]]:
    return [
        [
            None if cell != cell else int(cell) if cell.is_integer() and abs(cell) < 2**53 else cell
            for cell in row
        ]
        for row in matrix.tolist()
    ]


def _finite(cell: Any) -> Any:
    return None if isinstance(cell, float) and not math.isfinite(cell) else cell


def _csv_cell(cell: Any) -> Any:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return repr(cell) if isinstance(cell, float) else cell


def _v2(matrix: NDArray[np.float64], encoding: Encoding, *, as_matrix: bool) -> bytes:
    gaps = ~np.isfinite(matrix).all(axis=0)
    if gaps.any():
        name = encoding.names[int(np.argmax(gaps))]
        raise ModelError(
            "has missing values, for which the Open Inference Protocol has no spelling",
            code="E-MODEL-BODY",
            field=name,
            fix="use format = csv or json, or leave out rows without a value",
        )
    n = matrix.shape[0]
    if as_matrix:
        tensor = {
            "name": "input-0",
            "shape": [n, matrix.shape[1]],
            "datatype": "FP64",
            "data": matrix.ravel().tolist(),
        }
        return encode({"inputs": [tensor]}).encode()
    inputs = []
    for code, values in zip(encoding.features, encoding.columns(matrix).values(), strict=True):
        kind = code.kind if code.kind != "integer" or values.dtype == np.int64 else "number"
        inputs.append(
            {"name": code.name, "shape": [n, 1], "datatype": _V2_TYPES[kind], "data": values.tolist()}
        )
    return encode({"inputs": inputs}).encode()


def _json(body: bytes) -> Any:
    try:
        return decode(body, file="the model's answer")
    except DocumentError as error:
        begins = printable(body[:80].decode("utf-8", "replace"), 80)
        raise ModelError(
            f"the answer is no JSON: {error.message}; it begins with {begins!r}",
            code="E-MODEL-ANSWER",
        ) from None


def _csv_predictions(body: bytes, n_rows: int) -> list[list[float]]:
    text = body.decode("utf-8", "replace").strip()
    lines = [line for line in text.splitlines() if line.strip()]
    try:
        cells = [[float(cell) for cell in next(csv.reader([line]))] for line in lines]
    except (ValueError, csv.Error, StopIteration):
        raise ModelError(
            f"the answer is no CSV of numbers: it begins with {printable(text, 80)!r}",
            code="E-MODEL-ANSWER",
            fix='say response = "…" where the answer is JSON',
        ) from None
    if len(cells) == 1 and n_rows > 1 and len(cells[0]) == n_rows:
        # Some servers answer many rows with one line.
        return [[value] for value in cells[0]]
    if len(cells) != n_rows or len({len(row) for row in cells}) > 1:
        raise _count(len(cells), n_rows)
    return cells


def _count(found: int, n_rows: int) -> ModelError:
    return ModelError(
        f"the answer holds {found:,} predictions for {n_rows:,} rows",
        code="E-MODEL-ANSWER",
        fix="check that the server takes several rows in a request, or say batch = 1",
    )


def _at(value: Any, parts: list[str], n_rows: int, path: str) -> Any:
    for i, part in enumerate(parts):
        if isinstance(value, list) and len(value) == n_rows:
            return [_one(item, parts[i:], path) for item in value]
        value = _step(value, part, path)
    if not isinstance(value, list):
        if n_rows != 1:
            raise _missing(path, f"no list but {_kind(value)}")
        value = [value]
    if len(value) != n_rows:
        raise _count(len(value), n_rows)
    return [_one(item, [], path) for item in value]


def _one(value: Any, parts: list[str], path: str) -> Any:
    for part in parts:
        value = _step(value, part, path)
    if isinstance(value, dict):
        raise ModelError(
            f"what is at {path or 'the top'!r} of the answer are objects, not numbers",
            code="E-MODEL-ANSWER",
            field="model.response",
            fix=f"add the key: one of {', '.join(printable(key, 40) for key in list(value)[:8])}",
        )
    if isinstance(value, bool | str | None):
        raise _missing(path, _kind(value))
    return value


def _step(value: Any, part: str, path: str) -> Any:
    if isinstance(value, dict):
        if part in value:
            return value[part]
        close = nearest(part, value)
        raise ModelError(
            f"the answer has no {part!r} where {path!r} leads",
            code="E-MODEL-ANSWER",
            field="model.response",
            fix=f"did you mean {close!r}?"
            if close
            else f"it has {', '.join(printable(k, 40) for k in list(value)[:8])}",
        )
    if isinstance(value, list) and part.isdigit():
        if int(part) < len(value):
            return value[int(part)]
        raise _missing(path, f"a list of {len(value)}")
    raise _missing(path, _kind(value))


def _missing(path: str, found: str) -> ModelError:
    return ModelError(
        f"expected predictions at {path or 'the top'!r} of the answer, found {found}",
        code="E-MODEL-ANSWER",
        field="model.response",
        fix="say response with the path of the probabilities in the answer",
    )


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "a boolean", type(None): "nothing"}
    return names.get(type(value), "a number")


def _v2_output(document: Any, n_rows: int, name: str | None) -> Any:
    outputs = document.get("outputs") if isinstance(document, dict) else None
    if not isinstance(outputs, list) or not outputs or not all(isinstance(one, dict) for one in outputs):
        raise ModelError(
            "the answer has no outputs, which the Open Inference Protocol asks for", code="E-MODEL-ANSWER"
        )
    names = [str(one.get("name")) for one in outputs]
    if name is None and len(outputs) > 1:
        raise ModelError(
            f"the answer has {len(outputs)} outputs",
            code="E-MODEL-ANSWER",
            field="model.output_name",
            fix=f"say output_name: one of {', '.join(printable(n, 40) for n in names)}",
        )
    if name is not None and name not in names:
        raise ModelError(
            f"the answer has no output called {name!r}",
            code="E-MODEL-ANSWER",
            field="model.output_name",
            fix=f"use one of {', '.join(printable(n, 40) for n in names)}",
        )
    one = outputs[0 if name is None else names.index(name)]
    data, shape = one.get("data"), one.get("shape")
    if not isinstance(data, list) or not isinstance(shape, list) or not shape or shape[0] != n_rows:
        raise ModelError(
            f"an output of shape {printable(shape, 60)} does not hold the predictions of {n_rows:,} rows",
            code="E-MODEL-ANSWER",
        )
    flat = [item for part in data for item in part] if data and isinstance(data[0], list) else data
    if len(flat) % n_rows or not flat:
        raise _count(len(flat), n_rows)
    width = len(flat) // n_rows
    return [flat[i * width : (i + 1) * width] for i in range(n_rows)]
