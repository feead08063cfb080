"""JCS: the one canonical spelling of a JSON document (RFC 8785), and the hash of a card's text over it.

Anybody can compute the same bytes with another implementation of the RFC: that is what the hashes of model cards are for.
"""

from __future__ import annotations

import hashlib
import json
import math
from typing import TYPE_CHECKING, Any, Final

from driftline.errors import UsageError, printable

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["canonical_json", "content_hash", "digest_of"]

MOST_DEPTH: Final = 128


def canonical_json(value: Any) -> bytes:
    """Return a JSON document in its canonical form, UTF-8.

    Parameters
    ----------
    value : None, bool, int, float, str, list, tuple or mapping of str
        What JSON can hold.

    Returns
    -------
    bytes
        No white space; members in the order of their names' UTF-16 code units; numbers as ECMAScript writes them.

    Raises
    ------
    UsageError
        ``E-VALUE``: a number is not finite, or is a whole number that would be rounded; a name is no text; something is no
        JSON; it nests deeper than 128 levels. ``E-TEXT``: a text holds half of a surrogate pair.

    Notes
    -----
    JSON's numbers are doubles here, as in the RFC: ``1``, ``1.0`` and ``1e0`` have one spelling, and so have ``0`` and
    ``-0.0``. A whole number beyond 2**53 is refused unless it is a double, or what is written for one: a number that
    was meant to differ must not be rounded away. The cost is linear, but for the sorting of names.

    References
    ----------
    A. Rundgren, B. Jordan, S. Erdtman: JSON Canonicalization Scheme (JCS), RFC 8785, section 3.2.

    Examples
    --------
    >>> canonical_json({"b": 1e21, "a": [1.0, -0.0, "é"]}).decode()
    '{"a":[1,0,"é"],"b":1e+21}'
    """
    parts: list[str] = []
    _write(value, parts, 0)
    try:
        return "".join(parts).encode("utf-8")
    except UnicodeEncodeError:
        raise _half() from None


def digest_of(value: Any) -> str:
    """Return ``sha256:`` and 64 hexadecimal digits: the hash of a document's canonical form."""
    return "sha256:" + hashlib.sha256(canonical_json(value)).hexdigest()


def content_hash(content: Mapping[str, Any], extensions: Mapping[str, Any]) -> str:
    """Return the hash of what a version of a card says.

    Parameters
    ----------
    content : mapping
        As SageMaker has it.
    extensions : mapping
        What SageMaker has no place for.

    Returns
    -------
    str
        ``sha256:`` and 64 hexadecimal digits, over the canonical JSON of ``{"content": …, "extensions": …}``.

    Examples
    --------
    >>> content_hash({}, {})
    'sha256:4146b81c7da9e2ee47fa6cc654149b2cab4b6a68f2eb02a3523bafb9f5f349f0'
    """
    return digest_of({"content": content, "extensions": extensions})


def _write(value: Any, parts: list[str], depth: int) -> None:
    if depth > MOST_DEPTH:
        raise UsageError(
            f"a document nests deeper than {MOST_DEPTH} levels", code="E-VALUE", fix="flatten the document"
        )
    if value is None:
        parts.append("null")
    elif value is True:
        parts.append("true")
    elif value is False:
        parts.append("false")
    elif isinstance(value, str):
        parts.append(_text(value))
    elif isinstance(value, int):
        parts.append(_whole(value))
    elif isinstance(value, float):
        parts.append(_number(value))
    elif isinstance(value, list | tuple):
        mark = "["
        for item in value:
            parts.append(mark)
            _write(item, parts, depth + 1)
            mark = ","
        parts.append("]" if value else "[]")
    elif isinstance(value, dict):
        mark = "{"
        for name in sorted(value, key=_place):
            parts.append(mark + _text(name) + ":")
            _write(value[name], parts, depth + 1)
            mark = ","
        parts.append("}" if value else "{}")
    else:
        raise _refused(value, "texts, finite numbers, true, false, null, lists and objects")


def _place(name: object) -> bytes:
    if not isinstance(name, str):
        raise _refused(name, "texts as names")
    try:
        return name.encode("utf-16-be")
    except UnicodeEncodeError:
        raise _half() from None


def _text(value: str) -> str:
    # Python escapes just what the RFC wants escaped, in the same way, where it may keep what is not ASCII.
    return json.dumps(str.__str__(value), ensure_ascii=False)


def _whole(value: int) -> str:
    if -(1 << 53) <= value <= 1 << 53:
        return str(int(value))
    try:
        near = float(value)
    except OverflowError:
        near = math.inf
    # What this function itself writes for a large double is a whole number that is close to it, and is read as such.
    if math.isfinite(near) and (near == value or _number(near) == str(value)):
        return _number(near)
    raise _refused(value, "whole numbers that a double can hold, or write it as a text")


def _number(value: float) -> str:
    """Spell a double as ECMAScript's Number::toString does.

    Python's shortest digits that read back as the same double are ECMAScript's; only where the point and the exponent
    stand differs.
    """
    if not math.isfinite(value):
        raise _refused(value, "finite numbers")
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = repr(abs(float(value))).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    # The value is 0.digits × 10 ** point.
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    if len(digits) <= point <= 21:
        return sign + digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    rest = "." + digits[1:] if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{rest}e{point - 1:+d}"


def _refused(value: object, use: str) -> UsageError:
    shown = printable(type(value).__name__ if not isinstance(value, int | float) else _short(value), 60)
    return UsageError(f"{shown} has no canonical form in JSON", code="E-VALUE", fix=f"use {use}")


def _short(value: float) -> str:
    if isinstance(value, int) and value.bit_length() > 200:
        return f"a whole number of {value.bit_length():,} bits"
    return repr(value)


def _half() -> UsageError:
    return UsageError("a text holds half of a surrogate pair", code="E-TEXT", fix="leave it out")
