"""How reports spell values: one text for equal values, and numbers that JSON cannot hold.

The spelling must be exact in both directions and for ever, because the name of a report is the digest of its
text.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from typing import Any, Final

__all__ = ["NON_FINITE", "canonical", "digest", "spell", "spell_value", "unspell_value"]

NON_FINITE: Final = {"Infinity": math.inf, "-Infinity": -math.inf, "NaN": math.nan}
"""The agreed spellings."""

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")).encode
_surrogate = re.compile("[\ud800-\udfff]")


def canonical(value: Any) -> str:
    r"""Encode a value as the one text that all equal values share.

    Keys are sorted by code point, there is no white space, numbers are the shortest that read back the same,
    and text is UTF-8 except for lone surrogates, which UTF-8 cannot hold and which are written as ``\ud800``.

    Parameters
    ----------
    value : object
        dict, list, tuple, str, int, float, bool or None, nested.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If a float is not finite.
    TypeError
        If something else than the types above occurs.
    """
    text = _encode(value)
    if not text.isascii() and _surrogate.search(text):
        text = _surrogate.sub(lambda found: f"\\u{ord(found.group()):04x}", text)
    return text


def digest(text: str) -> str:
    """Return ``"sha256:<hex>"`` of a canonical text in UTF-8."""
    return "sha256:" + hashlib.sha256(text.encode("utf-8")).hexdigest()


def spell(x: float | None, *, nan: bool = True) -> float | str | None:
    """Return `x`, or its agreed spelling where it is not finite.

    Raises
    ------
    ValueError
        If `x` is NaN and `nan` does not allow it.
    """
    if x is None or math.isfinite(x):
        return x
    if x != x:
        if not nan:
            raise ValueError("NaN stands where only a number or an infinity has a meaning")
        return "NaN"
    return "Infinity" if x > 0 else "-Infinity"


def spell_value(value: float | str | None) -> float | str | dict[str, str] | None:
    """Spell a value that is a number or a text; text that looks like a spelling becomes ``{"text": …}``."""
    if isinstance(value, str):
        return {"text": value} if value in NON_FINITE else value
    return spell(value)


def unspell_value(value: Any) -> float | str | None:
    """Undo :func:`spell_value`.

    Raises
    ------
    ValueError
        If `value` is nothing that :func:`spell_value` returns.
    """
    if isinstance(value, str):
        return NON_FINITE.get(value, value)
    if value is None or (isinstance(value, (int, float)) and not isinstance(value, bool)):
        return value
    if isinstance(value, dict) and list(value) == ["text"] and value["text"] in NON_FINITE:
        text: str = value["text"]
        return text
    raise ValueError("expected a number, text or null")
