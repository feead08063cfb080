"""Plain values as TOML that people like to read, edit and compare.

Long texts stand over several lines, charts in few, small records in one line each. TOML has no null and no large
integers: such a value stands as ``{ "$json" = "null" }``, and reads back as what it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from driftline.documents import decode, encode

__all__ = ["ESCAPE", "JOINERS", "to_toml", "unescaped"]

ESCAPE: Final = "$json"
"""The one key of a table that stands for a value which TOML does not have, or for such a table itself."""

WIDTH: Final = 100
"""Lines of texts and arrays are broken here, where they can be."""

LARGEST: Final = (1 << 63) - 1

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_WORDS = re.compile(r"^[ \t]*[^ \t]*[ \t]*|[^ \t]+[ \t]*")
_QUOTES = re.compile(r'"{3,}|"\Z')
_ESCAPES: Final = {"\\": "\\\\", "\t": "\\t", "\r": "\\r", "\b": "\\b", "\f": "\\f", "\n": "\\n"}
# Both join letters and emoji in scripts that need them, and neither hides nor reverses anything.
JOINERS: Final = frozenset("\u200c\u200d")


def to_toml(values: Mapping[str, Any], *, one_line: bool = False) -> str:
    """Write a table as TOML that reads back as an equal one, but for the order of its keys.

    Parameters
    ----------
    values : mapping
        JSON values without halves of surrogate pairs and with finite numbers only.
    one_line : bool, default False
        Whether every text stands in one line.

    Returns
    -------
    str
        Ends in a line feed; "" for an empty table.

    Examples
    --------
    >>> print(to_toml({"a": {"text": "one line", "points": [[0, 1], [1, 1.5]], "none": None}}))
    [a]
    text = "one line"
    points = [[0, 1], [1, 1.5]]
    none = { "$json" = "null" }
    <BLANKLINE>
    """
    blocks: list[str] = []
    _emit(blocks, (), values, one_line=one_line)
    return "\n".join(blocks)


def unescaped(value: Any) -> Any:
    """Return what was written: tables that stand for a value which TOML does not have are that value again.

    Raises
    ------
    DocumentError
        If such a table does not hold JSON.
    """
    if isinstance(value, dict):
        if list(value) == [ESCAPE] and isinstance(value[ESCAPE], str):
            return decode(value[ESCAPE])
        return {key: unescaped(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [unescaped(inner) for inner in value]
    return value


def _emit(
    blocks: list[str],
    path: tuple[str, ...],
    table: Mapping[str, Any],
    *,
    one_line: bool,
    element: bool = False,
) -> None:
    below = {key: value for key, value in table.items() if _is_below(value, len(path))}
    plain = [
        f"{_key(key)} = {_long(value, one_line=one_line)}\n"
        for key, value in table.items()
        if key not in below
    ]
    # A table that only holds others needs no head; one that holds nothing says by its head that it is there.
    if path and (plain or element or not below):
        name = ".".join(map(_key, path))
        plain.insert(0, f"[[{name}]]\n" if element else f"[{name}]\n")
    if plain:
        blocks.append("".join(plain))
    for key, value in below.items():
        if isinstance(value, Mapping):
            _emit(blocks, (*path, key), value, one_line=one_line)
        else:
            for one in value:
                _emit(blocks, (*path, key), one, one_line=one_line, element=True)


def _is_below(value: object, depth: int) -> bool:
    """Tell whether a value has a head of its own."""
    if isinstance(value, Mapping):
        return not _is_escaped(value) and (depth == 0 or not _is_short(value, 60))
    if not isinstance(value, list) or not value:
        return False
    if not all(isinstance(one, Mapping) and not _is_escaped(one) for one in value):
        return False
    return not all(_is_short(one, WIDTH) for one in value)


def _is_short(table: Mapping[str, Any], width: int) -> bool:
    """Tell whether a table reads well in one line."""
    if any(isinstance(value, Mapping) and not _is_escaped(value) for value in table.values()):
        return False
    if any(isinstance(value, str) and ("\n" in value or len(value) > width) for value in table.values()):
        return False
    text = _short(table)
    return len(text) <= width and "\n" not in text


def _is_escaped(value: Mapping[str, Any]) -> bool:
    return list(value) == [ESCAPE]


def _key(text: str) -> str:
    return text if _BARE.fullmatch(text) else _quoted(text)


def _long(value: Any, *, one_line: bool) -> str:
    if isinstance(value, str) and not one_line:
        is_long = len(value) > WIDTH - 10 and " " in value.strip()
        if "\n" in value or is_long:
            return _lines(value)
    return _short(value)


def _short(value: Any, indent: str = "") -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _quoted(value)
    if value is None or (isinstance(value, int) and not -LARGEST <= value <= LARGEST):
        return _escaped(value)
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, Mapping):
        if _is_escaped(value):
            return _escaped(value)
        inside = ", ".join(f"{_key(key)} = {_short(inner, indent)}" for key, inner in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    return _array(value, indent)


def _escaped(value: Any) -> str:
    return f'{{ "{ESCAPE}" = {_quoted(encode(value))} }}'


def _array(values: list[Any], indent: str) -> str:
    inner = indent + "    "
    elements = [_short(one, inner) for one in values]
    line = f"[{', '.join(elements)}]"
    if "\n" not in line and (len(line) <= WIDTH or not elements):
        return line
    if any(isinstance(one, (str, Mapping)) for one in values) or any("\n" in one for one in elements):
        return "[\n" + "".join(f"{inner}{one},\n" for one in elements) + f"{indent}]"
    rows = [""]
    for one in elements:
        if rows[-1] and len(inner) + len(rows[-1]) + len(one) + 2 > WIDTH:
            rows.append("")
        rows[-1] += f" {one}," if rows[-1] else f"{one},"
    return "[\n" + "".join(f"{inner}{row}\n" for row in rows) + f"{indent}]"


def _quoted(text: str) -> str:
    return '"' + "".join('\\"' if ch == '"' else _character(ch) for ch in text) + '"'


def _character(ch: str) -> str:
    if ch in _ESCAPES:
        return _ESCAPES[ch]
    if ch.isprintable() or ch in JOINERS:
        return ch
    # Marks that reverse the reading direction and the like would hide what the file says.
    return f"\\u{ord(ch):04x}" if ord(ch) < 0x10000 else f"\\U{ord(ch):08x}"


def _lines(text: str) -> str:
    """Write text over several lines; a line that is too long is broken between words, and one again when it is read."""
    quotes = {at for run in _QUOTES.finditer(text) for at in range(run.start(), run.end())}
    shown: list[str] = []
    at = 0
    for line in text.split("\n"):
        # Editors take spaces from the ends of lines.
        spared = len(line) - 1 if line.endswith(" ") and at + len(line) < len(text) else -1
        rows = [""]
        for words in _WORDS.findall(line):
            escaped = ""
            for ch in words:
                if ch == '"' and at in quotes:
                    escaped += '\\"'
                elif spared == 0:
                    escaped += "\\u0020"
                else:
                    escaped += _character(ch)
                at += 1
                spared -= 1
            if rows[-1] and len(rows[-1]) + len(escaped) > WIDTH:
                rows.append("")
            rows[-1] += escaped
        shown.append("\\\n".join(rows))
        at += 1
    return '"""\n' + "\n".join(shown) + '"""'
