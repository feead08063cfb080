"""The way SageMaker Model Monitor lays out its JSON files, byte for byte.

Two spaces per level, a blank on both sides of the colon, lists that open and close on the line of their
elements (``[ {`` … ``} ]``, ``[ 1.0, 2.0 ]``), ``[ ]`` and ``{ }`` for nothing, no new line at the end, and
doubles as Java prints them (``1.318537244E9``). Files written like this can be compared with the originals by
``diff``.
"""

from __future__ import annotations

import json
import math
import re
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["COMPACT_FROM", "encode_features", "encode_sagemaker", "java_double"]

COMPACT_FROM = 500
"""Columns from which documents are written on one line: the layout would cost more time than the monitoring."""

_json = json.JSONEncoder(ensure_ascii=False).encode
_SURROGATE = re.compile("[\ud800-\udfff]")


def _text(value: str | bool | None) -> str:
    text = _json(value)
    if text.isascii():
        return text
    # Half a surrogate pair may come out of a JSON escape, and UTF-8 cannot hold it: escape it again.
    return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def java_double(value: float) -> str:
    """Spell a finite double the way ``java.lang.Double.toString`` does.

    Parameters
    ----------
    value : float
        Finite.

    Returns
    -------
    str
        Plain decimals for 0 and for magnitudes in [0.001, 10,000,000), else ``d.dddE±n``; at least one digit
        follows the point. The digits are the fewest that read back as the same double.

    Raises
    ------
    ValueError
        If `value` is NaN or infinite, which JSON cannot hold.

    Examples
    --------
    >>> java_double(1318537244.0), java_double(0.1), java_double(0.00025)
    ('1.318537244E9', '0.1', '2.5E-4')
    """
    if not math.isfinite(value):
        raise ValueError(f"{value} is not a JSON number")
    shortest = float.__repr__(value)
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return shortest
    sign, digits, exponent = Decimal(shortest).normalize().as_tuple()
    assert isinstance(exponent, int)
    text = "".join(map(str, digits))
    return f"{'-' if sign else ''}{text[0]}.{text[1:] or '0'}E{exponent + len(text) - 1}"


def encode_sagemaker(value: Any) -> str:
    """Encode a value in the layout of SageMaker's files.

    Parameters
    ----------
    value : object
        dict with text keys, list, tuple, str, int, float, bool or None, nested. Keys keep their order.

    Returns
    -------
    str
        JSON without a new line at the end.

    Raises
    ------
    ValueError
        If a float is not finite.
    TypeError
        If something else than the types above occurs.

    Examples
    --------
    >>> print(encode_sagemaker({"violations": [{"feature_name": "tax"}]}))
    {
      "violations" : [ {
        "feature_name" : "tax"
      } ]
    }
    """
    return _encode(value, "\n")


def encode_features(document: Mapping[str, Any]) -> str:
    """Encode a document with a list of ``features``, in SageMaker's layout unless they are :data:`COMPACT_FROM` or more.

    Raises
    ------
    ValueError
        If a float is not finite.
    """
    if len(document["features"]) < COMPACT_FROM:
        return encode_sagemaker(document)
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text if text.isascii() else _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _encode(value: Any, newline: str) -> str:
    # `newline` is a line break and the indentation of the enclosing object: lists add none of their own.
    kind = type(value)
    if kind is float:
        size = -value if value < 0 else value
        return float.__repr__(value) if 1e-3 <= size < 1e7 or size == 0 else java_double(value)
    if kind is str:
        return _text(value)
    if kind is int:
        return int.__repr__(value)
    if value is None or kind is bool:
        return _text(value)
    if isinstance(value, dict):
        return _object(value, newline)
    if isinstance(value, (list, tuple)):
        return _list(value, newline)
    if isinstance(value, (str, float, int)):  # subclasses: enumerations, numpy.float64
        base = next(base for base in (str, float, int) if isinstance(value, base))
        return _encode(base.__str__(value) if base is str else base(value), newline)
    raise TypeError(f"{kind.__name__} cannot be written as JSON")


@lru_cache(maxsize=1024)
def _key(text: str) -> str:
    return _text(text) + " : "


def _object(value: Mapping[str, Any], newline: str) -> str:
    if not value:
        return "{ }"
    inner = newline + "  "
    members = ("," + inner).join([_key(key) + _encode(item, inner) for key, item in value.items()])
    return f"{{{inner}{members}{newline}}}"


def _list(value: Sequence[Any], newline: str) -> str:
    if not value:
        return "[ ]"
    return f"[ {', '.join([_encode(item, newline) for item in value])} ]"
