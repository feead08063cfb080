"""Many bodies at once: one row each, flat JSON objects or lines of CSV, by way of pyarrow's parsers.

Anything else gives None, and the bodies are taken apart one by one by :mod:`driftline.capture.payloads`; what both can
read they read alike.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from driftline.capture.formats.capture_block import csv_columns
from driftline.capture.formats.json_block import parsed
from driftline.capture.text import Lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from driftline.capture.event import Payload

__all__ = ["MAX_COLUMNS", "columns_of", "read_texts"]

_CSV = re.compile(r"(text|application)/csv *(;.*)?", re.IGNORECASE)
_JSON = re.compile(r"(application/(.+\+)?json|text/json) *(;.*)?", re.IGNORECASE)
_WHOLE = r"^-?(0|[1-9][0-9]{0,18})$"
_DECIMAL = r"^[+-]?((?i:nan|inf|infinity)|[0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?$"
_CODE = r"^0[0-9]+$"
_NAMED = re.compile(rb'"([^"]*)"\s*:')
MAX_COLUMNS = 4096
"""Most columns of what is sealed together, for each hour of an endpoint's variant."""


def columns_of(payloads: Sequence[Payload | None]) -> dict[str | int, tuple[pa.Array, bool]] | None:
    """Parse one side of many events.

    Parameters
    ----------
    payloads : sequence of Payload or None

    Returns
    -------
    dict or None
        By name, or by position where there are no names, the values and whether they are text of several kinds; a row for
        each payload. None where the payloads are to be read one by one.
    """
    kinds = {
        None if payload is None or payload.is_truncated else payload.content_type for payload in payloads
    }
    if len(kinds) != 1:
        return None
    (kind,) = kinds
    if kind is None or "header" in kind.lower():
        return None
    bodies = [payload.data for payload in payloads if payload is not None]
    if _CSV.fullmatch(kind):
        return _csv(bodies)
    if _JSON.fullmatch(kind):
        return _json(bodies)
    return None


def _json(bodies: Sequence[bytes]) -> dict[str | int, tuple[pa.Array, bool]] | None:
    data = b"\n".join(bodies)
    if data.count(b"\n") != len(bodies) - 1:
        bodies = [body.strip() for body in bodies]
        data = b"\n".join(bodies)
        if data.count(b"\n") != len(bodies) - 1:
            return None
    if not _is_narrow(bodies, data):
        return None
    columns = parsed([Lines("", 1, len(bodies), data + b"\n")], set())
    if columns is None:
        return None
    return {name: (array, False) for name, (_, array) in columns.items()}


def _is_narrow(bodies: Sequence[bytes], data: bytes) -> bool:
    """Tell whether there are not too many columns, before the parser makes room for each in every row.

    All names are counted only where some of them show that they differ, since that takes as long as to parse.
    """
    some = bodies[:: max(1, len(bodies) // 256)]
    usual = min(body.count(b":") for body in some)
    is_alike = data.count(b":") - usual * len(bodies) <= MAX_COLUMNS
    if is_alike and len(set(_NAMED.findall(b"\n".join(some)))) <= MAX_COLUMNS // 2:
        return True
    return len(set(_NAMED.findall(data))) <= MAX_COLUMNS


def _csv(bodies: Sequence[bytes]) -> dict[str | int, tuple[pa.Array, bool]] | None:
    try:
        texts = [body.decode("utf-8") for body in bodies]
    except UnicodeDecodeError:
        return None
    if texts[0].count(",") >= MAX_COLUMNS or any(
        text.startswith("\ufeff") or not text.strip() for text in texts
    ):
        return None
    columns = csv_columns(texts)
    if columns is None:
        return None
    try:
        return {at: read_texts(array) for at, (_, array) in enumerate(columns)}
    except pa.ArrowInvalid:
        return None


def read_texts(texts: pa.Array) -> tuple[pa.Array, bool]:
    """Read CSV fields as numbers where all of the column are; tell whether only some of them are."""
    if texts.null_count == len(texts):
        return pa.nulls(len(texts)), False
    if _all(pc.match_substring_regex(texts, _WHOLE)):
        try:
            return texts.cast(pa.int64()), False
        except pa.ArrowInvalid:  # too large for one; a sum with zero makes 0 of -0, as a whole number has it
            return pc.add(texts.cast(pa.float64()), 0.0), False
    numbers = pc.match_substring_regex(texts, _DECIMAL)
    codes = pc.match_substring_regex(texts, _CODE)
    numbers = pc.and_(numbers, pc.invert(codes))
    if _all(numbers):
        return texts.cast(pa.float64()), False
    return texts, bool(pc.any(numbers).as_py())


def _all(flags: pa.Array) -> bool:
    return bool(pc.all(flags).as_py())
