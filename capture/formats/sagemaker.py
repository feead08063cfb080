"""Captured traffic as Amazon SageMaker stores it: JSON Lines, one request and its answer a line.

The row of a record is the prediction first, then the inputs. CSV payloads have no names, so their columns are
positions (``_c0``, ``_c1``, …) and their values are text; an empty field is null. JSON payloads have names
and types.

What is accepted, beside the plain case:

* several rows in one request, with as many predictions, or one prediction for all of them, or the predictions
  of all rows on one line;
* one side only, in some records or in all; its columns are null or absent;
* the two sides in different encodings, unless the strict mode is asked for;
* base64, where it holds text and the content type says CSV or JSON;
* JSON payloads that are an object, a list of objects or lists, or such a list under ``instances`` or
  ``predictions``;
* requests of different width: what is short is null at the end, with a note;
* ground truth merged into a record, which is left out here, with a note.
"""

from __future__ import annotations

import base64
import binascii
import csv
import io
import re
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from driftline.capture.failure import as_source_error
from driftline.capture.formats.jsonl import flat, has_many_lines, line_blocks, records_of, stretches
from driftline.capture.rows import RowTable
from driftline.capture.source import Place
from driftline.documents import decode
from driftline.errors import DocumentError, SourceError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from driftline.capture.blob import Blob
    from driftline.capture.source import Source

__all__ = ["capture_rows", "is_capture", "open_sagemaker", "unpacked"]

Key: TypeAlias = "tuple[str, int | str]"
"""Side, and position or name."""
Row: TypeAlias = "tuple[tuple[Key, ...], Collection[Any]]"
"""Keys, and a value for each."""

_OUTPUTS = ("endpointOutput", "batchTransformOutput")
_INPUT = "endpointInput"
_OUT, _IN = "output", "input"
_WRAPPERS = ("instances", "predictions")
_BESIDE_WRAPPERS = frozenset(("signature_name",))


def is_capture(record: Mapping[str, Any]) -> bool:
    """Tell whether an object is a captured record, a merged one, or ground truth."""
    return "captureData" in record or "groundTruthData" in record


@dataclass(slots=True)
class _Assembly:
    """What is learnt on the way through the records."""

    strict_encoding: bool
    csv_keys: set[Any] = field(default_factory=set)
    widths: dict[str, Counter[int]] = field(default_factory=lambda: {_OUT: Counter(), _IN: Counter()})
    encodings: Counter[tuple[str, str]] = field(default_factory=Counter)
    merged: int = 0
    empty: int = 0
    joined: int = 0


def capture_rows(
    records: Iterable[tuple[Place, Mapping[str, Any]]], assembly: _Assembly
) -> Iterator[tuple[Place, Row]]:
    """Give the rows of captured records, keyed by side and position or name.

    Empty text of the keys in ``assembly.csv_keys`` is null.

    Raises
    ------
    SourceError
        ``E-CAPTURE`` with file and line for what cannot be put in a table, ``E-GROUND-TRUTH`` for labels
        without captured data, ``E-ENCODING-MISMATCH`` for mixed encodings in the strict mode.
    """
    for place, record in records:
        capture = record.get("captureData")
        if not isinstance(capture, dict):
            raise _no_capture(place, record)
        assembly.merged += "groundTruthData" in record
        outputs: list[Row] = []
        inputs: list[Row] = []
        encodings = ["none", "none"]
        for name in _OUTPUTS:
            if capture.get(name) is not None:
                encodings[1], outputs = _side(_OUT, name, capture[name], place, assembly)
                break
        if capture.get(_INPUT) is not None:
            encodings[0], inputs = _side(_IN, _INPUT, capture[_INPUT], place, assembly)
        assembly.encodings[encodings[0], encodings[1]] += 1
        if assembly.strict_encoding and "none" not in encodings and encodings[0] != encodings[1]:
            raise SourceError(
                f"Encoding mismatch: encoding is {encodings[0]} for endpointInput but {encodings[1]} for "
                "endpointOutput, only equal encodings are supported",
                code="E-ENCODING-MISMATCH",
                file=place.file or None,
                line=place.line,
                fix="leave the strict mode, or decode with a preprocessor",
            )
        for row in _paired(outputs, inputs, place, assembly):
            yield place, row


def unpacked(record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Give the rows of one captured record with the names that a file of such records would have.

    Raises
    ------
    SourceError
        As :func:`capture_rows`.
    """
    assembly = _Assembly(strict_encoding=False)
    rows = [dict(zip(*row, strict=True)) for _, row in capture_rows([(Place(""), record)], assembly)]
    keys = _ordered(dict.fromkeys(key for row in rows for key in row))
    names, _ = _names(keys)
    for row in rows:
        cells = {names[key]: row.get(key) for key in keys}
        yield {
            name: None if value == "" and key in assembly.csv_keys else value
            for key, (name, value) in zip(keys, cells.items(), strict=True)
        }


def _no_capture(place: Place, record: Mapping[str, Any]) -> SourceError:
    if "groundTruthData" in record:
        return SourceError(
            "holds ground truth, not captured traffic",
            code="E-GROUND-TRUTH",
            file=place.file or None,
            line=place.line,
            fix="give the captured files, or the ones that the merge wrote",
        )
    return SourceError(
        "is missing or no object",
        code="E-CAPTURE",
        file=place.file or None,
        line=place.line,
        field="captureData",
        fix="keep captured files apart from other JSON Lines",
    )


def _paired(outputs: list[Row], inputs: list[Row], place: Place, assembly: _Assembly) -> Iterator[Row]:
    if not outputs or not inputs:
        assembly.empty += not outputs and not inputs
        yield from outputs or inputs
        return
    if len(outputs) == 1 < len(inputs):
        ((keys, values),) = outputs
        if keys == _positions(_OUT, len(inputs)):
            # XGBoost's container answers many rows with one line of comma-separated predictions.
            assembly.joined += 1
            assembly.widths[_OUT] -= Counter({len(inputs): 1})
            assembly.widths[_OUT][1] += len(inputs)
            outputs = [(_positions(_OUT, 1), (value,)) for value in values]
        else:
            outputs *= len(inputs)
    if len(outputs) != len(inputs):
        raise SourceError(
            f"the request has {len(inputs)} rows and the answer {len(outputs)}",
            code="E-CAPTURE",
            file=place.file or None,
            line=place.line,
            fix="expected as many answers as rows, or one; pair them with a preprocessor",
        )
    for (out_keys, out_values), (in_keys, in_values) in zip(outputs, inputs, strict=True):
        yield _both(out_keys, in_keys), (*out_values, *in_values)


def _both(out_keys: tuple[Key, ...], in_keys: tuple[Key, ...]) -> tuple[Key, ...]:
    """Join keys; CSV of one shape gives the same object each time, with which the table is quickest."""
    n_out, n_in = len(out_keys), len(in_keys)
    if out_keys is _positions(_OUT, n_out) and in_keys is _positions(_IN, n_in):
        return _joined_positions(n_out, n_in)
    return out_keys + in_keys


@lru_cache(maxsize=256)
def _joined_positions(n_out: int, n_in: int) -> tuple[Key, ...]:
    return _positions(_OUT, n_out) + _positions(_IN, n_in)


def _side(side: str, name: str, payload: Any, place: Place, assembly: _Assembly) -> tuple[str, list[Row]]:
    if not isinstance(payload, dict):
        raise _refused(name, "expected an object", place)
    data, encoding = payload.get("data"), payload.get("encoding")
    if not isinstance(data, str):
        raise _refused(f"{name}.data", "expected text", place)
    encoding = encoding.upper() if isinstance(encoding, str) else encoding
    if encoding == "BASE64":
        encoding, data = _unwrapped(name, data, payload.get("observedContentType"), place)
    if encoding == "CSV":
        rows = _csv_rows(name, data, place)
        widths = assembly.widths[side]
        for row in rows:
            if len(row) not in widths:
                assembly.csv_keys.update(_positions(side, len(row)))
            widths[len(row)] += 1
        return encoding, [(_positions(side, len(row)), row) for row in rows]
    if encoding == "JSON":
        try:
            return encoding, _json_rows(side, name, data, place)
        except SourceError as error:
            if error.code == "E-NESTED":
                error.field = f"captureData.{name}.data: {error.field}"
            raise
    found = "nothing" if encoding is None else repr(encoding)
    raise _refused(f"{name}.encoding", f"expected CSV, JSON or BASE64, found {found}", place)


@lru_cache(maxsize=256)
def _positions(side: str, width: int) -> tuple[Key, ...]:
    return tuple((side, position) for position in range(width))


def _refused(
    path: str, message: str, place: Place, fix: str = "decode it with a preprocessor"
) -> SourceError:
    return SourceError(
        message,
        code="E-CAPTURE",
        file=place.file or None,
        line=place.line,
        field=f"captureData.{path}",
        fix=fix,
    )


_CSV_TYPES = re.compile(r"text/csv|application/csv|text/plain")
_JSON_TYPES = re.compile(r"application/(.+\+)?(json|jsonlines|x-jsonlines|x-ndjson)")


def _unwrapped(name: str, data: str, content_type: Any, place: Place) -> tuple[str, str]:
    media = content_type.partition(";")[0].strip().lower() if isinstance(content_type, str) else ""
    encoding = "CSV" if _CSV_TYPES.fullmatch(media) else "JSON" if _JSON_TYPES.fullmatch(media) else None
    if encoding is None:
        raise _refused(
            name, f"is base64 of content type {media or 'unknown'}, which driftline cannot take apart", place
        )
    try:
        return encoding, base64.b64decode(data, validate=True).decode("utf-8")
    except binascii.Error:
        raise _refused(f"{name}.data", "is not base64", place) from None
    except UnicodeDecodeError:
        raise _refused(
            f"{name}.data", f"is base64 of something that is not the text {media} says", place
        ) from None


def _csv_rows(name: str, data: str, place: Place) -> list[list[str]]:
    if '"' not in data:
        text = data.replace("\r\n", "\n").rstrip("\n")
        return [line.split(",") for line in text.split("\n")] if text else []
    try:
        parsed = list(csv.reader(io.StringIO(data, newline=""), strict=True))
    except csv.Error as error:
        raise _refused(f"{name}.data", f"is not CSV: {error}", place) from None
    while parsed and not parsed[-1]:
        parsed.pop()
    return [row or [""] for row in parsed]


def _json_rows(side: str, name: str, data: str, place: Place) -> list[Row]:
    if not data.strip():
        return []
    values = _decoded(name, data, place)
    column: str | int = 0
    if len(values) == 1:
        (value,) = values
        if isinstance(value, dict):
            for wrapper in _WRAPPERS:
                if isinstance(value.get(wrapper), list) and value.keys() - {wrapper} <= _BESIDE_WRAPPERS:
                    column, values = wrapper, value[wrapper]
        elif isinstance(value, list):
            if side == _IN and not any(isinstance(item, list | dict) for item in value):
                raise _refused(
                    f"{name}.data",
                    "is a list of values, which may be one row or many",
                    place,
                    'send {"instances": [[…], …]}, or take it apart with a preprocessor',
                )
            values = value
    return [_json_row(side, column, value, place) for value in values]


def _decoded(name: str, data: str, place: Place) -> list[Any]:
    try:
        return [decode(data, file=place.file or None, line=place.line)]
    except DocumentError as error:
        lines = [line for line in data.split("\n") if line.strip()]
        if len(lines) < 2:
            raise _refused(f"{name}.data", error.message, place) from None
    try:
        return [decode(line, file=place.file or None, line=place.line) for line in lines]
    except DocumentError as error:
        raise as_source_error(error) from None


def _json_row(side: str, column: int | str, value: Any, place: Place) -> Row:
    if isinstance(value, dict):
        cells = flat(value, place)
        return tuple((side, key) for key in cells), cells.values()
    if isinstance(value, list):
        # flat() says in its own words that a list in a list has no place in a table.
        cells = flat({str(position): item for position, item in enumerate(value)}, place)
        if len(cells) != len(value) or any(isinstance(item, dict) for item in value):
            raise _refused("data", "is a list with objects in it, expected plain values", place)
        return _positions(side, len(value)), value
    return ((side, column),), (value,)


def open_sagemaker(
    blobs: Sequence[Blob],
    *,
    label: str,
    batch_rows: int,
    strict_encoding: bool = False,
    notes: Sequence[str] = (),
) -> Source:
    """Read captured files once and give their rows as columns, predictions first.

    Parameters
    ----------
    blobs : sequence of Blob
    label : str
    batch_rows : int
    strict_encoding : bool
        True refuses records whose two sides have different encodings, as SageMaker does.
    notes : sequence of str

    Raises
    ------
    SourceError
        As :func:`capture_rows`; ``E-NO-DATA`` where there is no row in any record.
    """
    assembly = _Assembly(strict_encoding)
    table = RowTable(batch_rows, empty_is_null=assembly.csv_keys)
    for block in line_blocks(blobs):
        if has_many_lines(block) and _add_block(block, table, assembly):
            continue
        records = (placed for piece in block for placed in records_of(piece))
        for place, (row_keys, values) in capture_rows(records, assembly):
            table.add_values(place, row_keys, values)
    if not table.kinds:
        raise SourceError(
            "the captured records hold no data", code="E-NO-DATA", file=label, fix="check the time window"
        )
    keys = _ordered(table.kinds)
    names, more = _names(keys)
    return table.finish(
        names,
        label=label,
        sources=tuple(blob.name for blob in blobs),
        named=any(isinstance(column, str) for _, column in keys),
        notes=[*notes, *more, *_notes(assembly)],
        written=assembly.csv_keys,
    )


def _add_block(block: Sequence[Any], table: RowTable, assembly: _Assembly) -> bool:
    """Take a block of plain CSV records at once; False where they are anything else."""
    from driftline.capture.formats.capture_block import csv_block

    found = csv_block(block)
    if found is None:
        return False
    columns: dict[Any, Any] = {}
    for side, arrays in ((_OUT, found.outputs), (_IN, found.inputs)):
        keys = _positions(side, len(arrays))
        columns.update(zip(keys, arrays, strict=True))
        assembly.csv_keys.update(keys)
        if arrays:
            assembly.widths[side][len(arrays)] += found.n_rows
    encodings = ("CSV" if found.inputs else "none", "CSV" if found.outputs else "none")
    assembly.encodings[encodings] += found.n_rows
    assembly.merged += found.merged
    table.add_block(stretches(block), columns)
    return True


def _ordered(kinds: Iterable[Any]) -> list[Key]:
    """Order predictions before inputs; positions by number, then names as they appeared."""
    keys: list[Key] = list(kinds)
    out: list[Key] = []
    for side in (_OUT, _IN):
        ours = [key for key in keys if key[0] == side]
        out += sorted((key for key in ours if isinstance(key[1], int)), key=lambda key: int(key[1]))
        out += [key for key in ours if isinstance(key[1], str)]
    return out


def _names(keys: Sequence[Key]) -> tuple[dict[Any, str], list[str]]:
    inputs = {column for side, column in keys if side == _IN}
    names: dict[Any, str] = {}
    notes = []
    for position, (side, column) in enumerate(keys):
        if isinstance(column, int):
            name = f"_c{position}"
        elif side == _OUT and column in inputs:
            # The baseline knows the input by its own name.
            name = f"output.{column}"
            notes.append(
                f"the answer's {column!r} is called {name!r}, because the request has a column of that name"
            )
        else:
            name = column
        names[side, column] = name
    if notes or not names:
        return names, notes
    unnamed = sum(isinstance(column, int) for _, column in keys)
    if 0 < unnamed < len(keys):
        notes.append(f"{unnamed} of {len(keys)} columns have no names, because one side is CSV")
    return names, notes


def _notes(assembly: _Assembly) -> Iterator[str]:
    for side, widths in assembly.widths.items():
        if len(widths) > 1:
            common, count = widths.most_common(1)[0]
            others = sum(widths.values()) - count
            yield (
                f"the {side} rows have {min(widths)} to {max(widths)} fields ({count} have {common} and "
                f"{others} another number); what is missing at the end is null"
            )
    mixed = sum(n for (a, b), n in assembly.encodings.items() if a != b and "none" not in (a, b))
    if mixed:
        yield f"{mixed} record(s) have input and output in different encodings, which SageMaker refuses"
    for index, side in enumerate((_INPUT, _OUTPUTS[0])):
        without = sum(n for pair, n in assembly.encodings.items() if pair[index] == "none")
        if without:
            yield f"{without} record(s) have no {side}"
    if assembly.empty:
        yield f"{assembly.empty} record(s) hold no row"
    if assembly.joined:
        yield f"{assembly.joined} record(s) answer several rows on one line, read as one prediction per row"
    if assembly.merged:
        yield f"{assembly.merged} record(s) hold ground truth, which is not a column here"
