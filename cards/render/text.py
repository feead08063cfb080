"""Text from outside, made visible: what cannot be seen is spelled, what can is left as it is."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

__all__ = ["direction", "language", "lines", "one_line", "sentences", "spelled", "visible"]

_JOINERS: Final = "\u200c\u200d"
_NEWLINES: Final = re.compile(r"\r\n|\r|\n")
_SENTENCE: Final = re.compile(r"(?<=[^\W\d][.!?]) (?=[^\W\da-z])")


def spelled(ch: str) -> str:
    r"""Spell a character by its number.

    Examples
    --------
    >>> spelled("\u202e"), spelled("\U0001f600")
    ('[U+202E]', '[U+1F600]')
    """
    return f"[U+{ord(ch):04X}]"


def visible(text: str) -> str:
    r"""Return text in which every character can be seen.

    Control characters, bidirectional marks, lone surrogates, characters of private use and unassigned ones are spelled
    by their number. Line feeds and tabs stay; so do the joiners between letters of scripts that need them.

    Examples
    --------
    >>> visible("a\u202eb\x07")
    'a[U+202E]b[U+0007]'
    """
    if text.isprintable():
        return text
    shown = []
    for at, ch in enumerate(text):
        is_joiner = ch in _JOINERS and _is_joined(text[at - 1 : at]) and _is_joined(text[at + 1 : at + 2])
        if ch.isprintable() or ch in "\n\t" or is_joiner or unicodedata.category(ch) == "Zs":
            shown.append(ch)
        else:
            shown.append(spelled(ch))
    return "".join(shown)


def _is_joined(ch: str) -> bool:
    return bool(ch) and ord(ch) > 0x5FF and unicodedata.category(ch)[0] in "LM"


def lines(text: str) -> list[str]:
    """Return the lines of a text, visible; a carriage return ends a line, too."""
    return [visible(line) for line in _NEWLINES.split(text)]


def one_line(text: str) -> str:
    r"""Return a text on one line, visible; what would break the line is spelled.

    Examples
    --------
    >>> one_line("a\nb")
    'a[U+000A]b'
    """
    if text.isprintable():
        return text
    return "".join(spelled(ch) if ch in "\n\t" else ch for ch in visible(text))


def direction(text: str) -> str:
    """Return the direction of a text: that of its first letter, ``ltr`` or ``rtl``."""
    for ch in text:
        kind = unicodedata.bidirectional(ch)
        if kind in ("R", "AL"):
            return "rtl"
        if kind == "L":
            return "ltr"
    return "ltr"


def language(text: str) -> str:
    """Guess the language of a text that is not in Latin letters from its script; ``""`` where it has none of its own.

    Examples
    --------
    >>> language("モデル"), language("模型"), language("churn")
    ('ja', 'zh', '')
    """
    found = ""
    for ch in text:
        code = ord(ch)
        if code < 0x590:
            continue
        if 0x3040 <= code <= 0x30FF:
            return "ja"
        if 0xAC00 <= code <= 0xD7AF or 0x1100 <= code <= 0x11FF:
            return "ko"
        for low, high, tag in _SCRIPTS:
            if low <= code <= high:
                found = found or tag
    return found


_SCRIPTS: Final = (
    (0x590, 0x5FF, "he"),
    (0x600, 0x6FF, "ar"),
    (0x750, 0x77F, "ar"),
    (0x900, 0x97F, "hi"),
    (0xE00, 0xE7F, "th"),
    (0x3400, 0x9FFF, "zh"),
    (0xF900, 0xFAFF, "zh"),
)


def sentences(text: str) -> list[str]:
    """Split a line after each sentence; joined with spaces, the parts are the line again.

    Examples
    --------
    >>> sentences("It learns. It forgets, e.g. names.")
    ['It learns.', 'It forgets, e.g. names.']
    """
    return _SENTENCE.split(text)
