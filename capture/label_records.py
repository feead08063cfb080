"""Label records: labels that come one object at a time, as SageMaker writes them, or as they are sent."""

from __future__ import annotations

import base64
import binascii
import csv
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from driftline.capture.arrays import text_array
from driftline.capture.event import MAX_ID
from driftline.capture.labels import FIRST, IDS, KEYS, LAST, Piece, Refused, told_moment
from driftline.capture.values import BadValueError, as_column, final_type, finished
from driftline.documents import decode
from driftline.errors import DocumentError, SourceError, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from driftline.capture.labels import Named
    from driftline.capture.source import Place

__all__ = ["pieces_of_records"]

_WHOLE = re.compile(r"-?(?:0|[1-9]\d{0,17})")
_DECIMAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?")
_FOLDER = re.compile(r"/(\d{4})/(\d\d)/(\d\d)/(\d\d)/[^/]*$")
_AT_ONCE = 65_536
_LEAST = 10**14


def pieces_of_records(
    records: Iterable[tuple[Place, Any]], by: str | None = None, named: Named | None = None
) -> Iterator[Piece]:
    """Read labels record by record.

    Parameters
    ----------
    records : iterable of (Place, mapping)
        SageMaker's ground truth, or driftline's own form: ``id``, ``event_id`` or ``inference_id``; ``label``, which is
        a value, a list with one for each row of the event, or a mapping of names to values; perhaps ``row`` and ``time``.
    by : str, optional
        What ``id`` is.
    named : Named, optional
        Other names for these keys.
    """
    held: list[_Label] = []
    refused: list[Refused] = []
    for place, record in records:
        try:
            held += _labels(place, record, by, named)
        except (SourceError, BadValueError) as error:
            reason = error.message if isinstance(error, SourceError) else str(error)
            key = _known_key(record, named)
            refused.append(Refused(place.file, place.line, printable(reason), key, printable(record, 500)))
        if len(held) + len(refused) >= _AT_ONCE:
            yield from _gathered(held, refused)
            held, refused = [], []
    if held or refused:
        yield from _gathered(held, refused)


@dataclass(slots=True)
class _Label:
    key: str
    way: str
    position: int | None
    of: int | None
    time: int | None
    values: dict[str, Any]


def _gathered(labels: Sequence[_Label], refused: Sequence[Refused]) -> Iterator[Piece]:
    if not labels:
        yield Piece(None, tuple(refused))
        return
    names = dict.fromkeys(name for label in labels for name in label.values)
    arrays = [
        text_array([label.key for label in labels]),
        text_array([label.way for label in labels]),
        pa.array([label.position for label in labels], pa.int32()),
        pa.array([label.of for label in labels], pa.int32()),
        pa.array([label.time for label in labels], pa.int64()).cast(pa.timestamp("us", "UTC")),
    ]
    for name in names:
        kinds, array = as_column([label.values.get(name) for label in labels])
        arrays.append(finished(array, final_type(kinds)[0]))
    yield Piece(pa.table(arrays, names=[*KEYS.names, *names]), tuple(refused))


def _bad(message: str) -> SourceError:
    return SourceError(message, code="E-LABEL")


def _known_key(record: Any, named: Named | None) -> str | None:
    if not isinstance(record, dict):
        return None
    if isinstance(record.get("eventMetadata"), dict):
        record = record["eventMetadata"]
    found = [
        record.get(name) for name in ((named.id,) if named else IDS) if isinstance(record.get(name), str)
    ]
    return found[0][:MAX_ID] if found else None


def _labels(place: Place, record: Any, by: str | None, named: Named | None) -> Iterator[_Label]:
    if not isinstance(record, dict):
        raise _bad("is no object")
    if "groundTruthData" in record:
        yield from _sagemaker(place, record, by)
        return
    if named is None:
        ids = [name for name in IDS if record.get(name) is not None]
        if len(ids) != 1:
            raise _bad("has no id" if not ids else f"has the ids {' and '.join(ids)}, expected one")
        name_id, way = ids[0], (by if by is not None and ids[0] == "id" else IDS[ids[0]])
        label, time, row = record.get("label"), record.get("time"), record.get("row")
    else:
        name_id, way = named.id, named.way
        found = {stored: record.get(name) for stored, name in zip(named.stored, named.labels, strict=True)}
        label = found["label"] if len(found) == 1 else {s.removeprefix("label_"): v for s, v in found.items()}
        time, row = (record.get(name) if name is not None else None for name in (named.time, named.row))
        if named.time is not None and time is None:
            raise _bad("has no time")
    if row is not None and (isinstance(row, bool) or not isinstance(row, int) or not 0 <= row < 1 << 31):
        raise _bad("has a row that is no whole number from 0")
    yield from _spread_out(_key(record.get(name_id)), way, row, _told(time), label)


def _key(value: Any) -> str:
    key = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(key, str) or not key:
        raise _bad("has no id" if key is None or key == "" else "has an id that is no text")
    if len(key) > MAX_ID:
        raise _bad(f"has an id of more than {MAX_ID} characters")
    as_column([key])  # refuses what is not Unicode
    return key


def _told(time: Any) -> int | None:
    if time is None:
        return None
    # Whole numbers are microseconds, as everywhere; ones as small as these were meant to be seconds or milliseconds.
    moment = None if isinstance(time, int) and abs(time) < _LEAST else told_moment(time)
    if moment is None:
        raise _bad("has a time that is not like 2026-11-23T07:00:00Z")
    if not FIRST <= moment <= LAST:
        raise _bad("has a time outside the years 1 to 9999")
    return moment


def _spread_out(key: str, way: str, row: int | None, time: int | None, label: Any) -> Iterator[_Label]:
    if isinstance(label, list):
        if row is not None:
            raise _bad("has a row and a list of labels, which is for all rows")
        if not label:
            raise _bad("has an empty list of labels")
        for position, item in enumerate(label):
            if _checked(item):
                yield _Label(key, way, position, len(label), time, {"label": item})
        return
    if isinstance(label, dict):
        values = {f"label_{name}": value for name, value in label.items() if _checked(value)}
    else:
        values = {"label": label} if _checked(label) else {}
    if not values:
        raise _bad("has no label")
    yield _Label(key, way, row, None, time, values)


def _checked(value: Any) -> bool:
    """Tell whether there is a value; refuse what cannot be one."""
    if value is None or (isinstance(value, float) and value != value):
        return False
    as_column([value])
    return True


def _sagemaker(place: Place, record: Mapping[str, Any], by: str | None) -> Iterator[_Label]:
    truth, about = record["groundTruthData"], record.get("eventMetadata")
    if not isinstance(truth, dict) or not isinstance(truth.get("data"), str):
        raise _bad("has groundTruthData without data")
    if not isinstance(about, dict):
        raise _bad("has no eventMetadata")
    hour = _FOLDER.search(place.file)
    time = None
    if hour is not None:
        time = told_moment(f"{hour[1]}-{hour[2]}-{hour[3]}T{hour[4]}:00:00Z")
    label = _decoded(truth["data"], truth.get("encoding", "CSV"))
    yield from _spread_out(_key(about.get("eventId")), by or "auto", None, time, label)


def _decoded(data: str, encoding: Any) -> Any:
    if encoding == "BASE64":
        try:
            data = base64.b64decode(data, validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            raise _bad("has data that are no text in base64") from None
    elif encoding == "JSON":
        try:
            return decode(data)
        except DocumentError as error:
            raise _bad(error.message) from None
    elif encoding != "CSV":
        raise _bad(f"has the encoding {encoding!r}, expected CSV")
    try:
        lines = [line for line in csv.reader(io.StringIO(data, newline=""), strict=True) if line]
    except csv.Error as error:
        raise _bad(f"has data that are no CSV: {error}") from None
    if len(lines) > 1 and any(len(line) != 1 for line in lines):
        raise _bad("has several lines of several labels, expected one label for each row of the event")
    cells = [_number(cell) for line in lines for cell in line]
    return cells[0] if len(cells) == 1 else cells


def _number(text: str) -> Any:
    """Read a CSV field as a number where it is one; a number does not begin with a zero."""
    text = text.strip()
    if _WHOLE.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text) and not (len(text) > 1 and text[0] == "0" and text.isdigit()):
        return float(text)
    return text or None
