"""One strict JSON decoder and encoder for every document driftline reads or writes.

The same text must mean the same thing to the command line, a library call and a server, so nobody calls
:func:`json.loads` directly. Refused: bytes that are not UTF-8, duplicate keys, ``NaN`` and
``Infinity``, numbers that overflow a double, nesting deeper than :data:`MAX_DEPTH`, and text longer than the
caller's limit. Each refusal is a :class:`~driftline.errors.DocumentError` that names file and line.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any, Never

from driftline.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["MAX_BYTES", "MAX_DEPTH", "Node", "decode", "encode", "nearest"]

MAX_BYTES = 256 * 1024 * 1024
"""Longest document in bytes that :func:`decode` reads unless the caller says otherwise."""

MAX_DEPTH = 64
"""Deepest nesting of objects and lists that :func:`decode` accepts."""


class _RefusedError(ValueError):
    pass


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _RefusedError(f"the key {key!r} occurs twice in one object")
            seen.add(key)
    return result


def _constant(name: str) -> Never:
    raise _RefusedError(f"{name} is not JSON; write null, or a string where the field allows one")


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise _RefusedError(f"the number {text[:40]} is larger than a double can hold")
    return value


def _int(text: str) -> int:
    if len(text) > 400:
        raise _RefusedError(f"an integer of {len(text)} digits is larger than driftline reads")
    return int(text)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_constant=_constant, parse_float=_float, parse_int=_int
)


def decode(
    data: bytes | str,
    *,
    file: object = None,
    line: int | None = None,
    max_bytes: int = MAX_BYTES,
    max_depth: int = MAX_DEPTH,
) -> Any:
    """Decode one JSON value strictly.

    Parameters
    ----------
    data : bytes or str
        The whole document.
    file : object, optional
        Name used in errors.
    line : int, optional
        Line of `file` at which `data` stands, for JSON Lines; errors then name this line.
    max_bytes, max_depth : int
        Limits on length and nesting.

    Returns
    -------
    object
        dict, list, str, int, float, bool or None. Every float is finite.

    Raises
    ------
    DocumentError
        With the code ``E-JSON`` and the place, for anything RFC 8259 or the limits forbid.
    """
    if len(data) > max_bytes:
        raise DocumentError(
            f"the document has {len(data):,} bytes, more than the limit of {max_bytes:,}",
            code="E-JSON-SIZE",
            file=file,
            line=line,
        )
    if isinstance(data, bytes):
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise DocumentError(
                f"byte {error.start:,} is not valid UTF-8",
                code="E-JSON-ENCODING",
                file=file,
                line=line if line is not None else data.count(b"\n", 0, error.start) + 1,
                fix="save the file as UTF-8",
            ) from None
    else:
        text = data
    text = text.removeprefix("\ufeff")
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise DocumentError(
            f"not JSON: {error.msg.removesuffix(' at')} at column {error.colno}",
            code="E-JSON",
            file=file,
            line=line if line is not None else error.lineno,
        ) from None
    except RecursionError:
        raise _too_deep(text, file, line, max_depth) from None
    except _RefusedError as error:
        where = line if line is not None else _line(text, len(text))
        raise DocumentError(str(error), code="E-JSON", file=file, line=where) from None
    # Counting brackets is a cheap upper bound, so flat documents never pay for the walk.
    if text.count("[") + text.count("{") > max_depth and _depth_above(value, max_depth):
        raise _too_deep(text, file, line, max_depth)
    return value


def _too_deep(text: str, file: object, line: int | None, max_depth: int) -> DocumentError:
    return DocumentError(
        f"the document nests deeper than {max_depth} levels",
        code="E-JSON-DEPTH",
        file=file,
        line=line if line is not None else _line(text, max_depth),
    )


_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[][{}]|[^][{}",:\s]+')


def _line(text: str, max_depth: int) -> int | None:
    """Return the line of the first thing that is refused in a text that is otherwise JSON.

    The decoder's hooks know no place, so a refused document is read a second time, for its error only.
    """
    keys: list[set[str] | None] = []
    for token in _TOKEN.finditer(text):
        word = token.group()
        if word in "{[":
            keys.append(set() if word == "{" else None)
            refused = len(keys) > max_depth
        elif word in "}]":
            keys.pop()
            refused = False
        elif word[0] != '"':
            refused = _is_refused(word)
        else:
            refused = False
            inside = keys[-1] if keys else None
            if inside is not None and _COLON.match(text, token.end()):
                key = json.loads(word)
                refused = key in inside
                inside.add(key)
        if refused:
            return text.count("\n", 0, token.start()) + 1
    return None


_COLON = re.compile(r"\s*:")


def _is_refused(word: str) -> bool:
    try:
        _DECODER.decode(word)
    except _RefusedError:
        return True
    return False


def _depth_above(value: Any, limit: int) -> bool:
    level: list[Any] = [value]
    for _ in range(limit):
        level = [
            child
            for node in level
            if isinstance(node, (dict, list))
            for child in (node.values() if isinstance(node, dict) else node)
            if isinstance(child, (dict, list))
        ]
        if not level:
            return False
    return True


def encode(value: Any, *, indent: int | None = None) -> str:
    """Encode a value as RFC 8259 JSON, in the key order given.

    Parameters
    ----------
    value : object
        dict, list, tuple, str, int, float, bool or None, nested.
    indent : int, optional
        Spaces per level; without it the text is one line without white space.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If a float is not finite: the caller decides how its document spells such numbers.
    """
    separators = (",", ": ") if indent is not None else (",", ":")
    return json.dumps(value, allow_nan=False, ensure_ascii=False, indent=indent, separators=separators)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name closest in spelling to `name`, or begun by it, whatever the case; None if none is close.

    Examples
    --------
    >>> nearest("amuont", ["amount", "income"]), nearest("nope", ["amount", "income"])
    ('amount', None)
    """
    import difflib

    spelled: dict[str, str] = {}
    for one in known:
        spelled.setdefault(one.casefold(), one)
    # At 0.6, three letters in common would make "income" of "nope".
    close = difflib.get_close_matches(name.casefold(), list(spelled), n=1, cutoff=0.65)
    if close:
        return spelled[close[0]]
    begun = [one for low, one in spelled.items() if len(name) > 3 and low.startswith(name.casefold())]
    return begun[0] if len(begun) == 1 else None


class Node:
    """A place in a decoded document, for readers that must name the field they refuse.

    Parameters
    ----------
    value : object
        What :func:`decode` returned, or a part of it.
    file : object
        Name used in errors.
    path : str
        Dotted path of this place; the root is ``""``.

    Examples
    --------
    >>> Node({"a": {"b": 1}}, "x.json")["a"].integer("b")
    1
    """

    __slots__ = ("file", "path", "value")

    def __init__(self, value: Any, file: object, path: str = "") -> None:
        self.value = value
        self.file = file
        self.path = path

    def error(self, message: str, *, key: str | None = None, fix: str | None = None) -> DocumentError:
        """Build (not raise) the error that speaks of this place, or of `key` below it."""
        field = self.path if key is None else self._join(key)
        return DocumentError(message, code="E-FIELD", file=self.file, field=field or None, fix=fix)

    def _join(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def object(self) -> Mapping[str, Any]:
        """Return the value, which must be an object."""
        if not isinstance(self.value, dict):
            raise self.error(f"expected an object, found {_kind(self.value)}")
        return self.value

    def has(self, key: str) -> bool:
        """Tell whether the object has `key` with a value other than null."""
        return self.object().get(key) is not None

    def __getitem__(self, key: str) -> Node:
        mapping = self.object()
        if key not in mapping:
            raise self.error("this field is required and missing", key=key)
        return Node(mapping[key], self.file, self._join(key))

    def get(self, key: str) -> Node | None:
        """Return the node at `key`, or None where the key is absent or null."""
        return self[key] if self.has(key) else None

    def items(self) -> list[Node]:
        """Return the elements of the value, which must be a list."""
        if not isinstance(self.value, list):
            raise self.error(f"expected a list, found {_kind(self.value)}")
        return [Node(v, self.file, f"{self.path}[{i}]") for i, v in enumerate(self.value)]

    def known(self, *keys: str) -> Node:
        """Refuse any key that is not listed, naming the nearest known one."""
        for key in self.object():
            if key not in keys:
                close = nearest(key, keys)
                raise self.error(
                    f"unknown field {key!r}", fix=f"did you mean {close!r}?" if close else "remove it"
                )
        return self

    def text(self, key: str, default: str | None = None) -> str:
        """Return the string at `key`; with a `default`, absent or null gives it."""
        value = self._at(key, default)
        if not isinstance(value, str):
            raise self.error(f"expected text, found {_kind(value)}", key=key)
        return value

    def integer(
        self, key: str, default: int | None = None, *, low: int = 0, high: int = (1 << 63) - 1
    ) -> int:
        """Return the whole number at `key` (``3.0`` counts as 3), within ``[low, high]``."""
        value = self._at(key, default)
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        if isinstance(value, bool) or not whole:
            raise self.error(f"expected a whole number, found {_kind(value)}", key=key)
        if value < low:
            raise self.error(f"expected at least {low}, found {value}", key=key)
        if value > high:
            raise self.error(f"expected at most {high}, found a larger number", key=key)
        return int(value)

    def number(
        self,
        key: str,
        default: float | None = None,
        *,
        low: float = -math.inf,
        high: float = math.inf,
    ) -> float:
        """Return the finite number at `key`, within ``[low, high]``."""
        value = self._at(key, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self.error(f"expected a number, found {_kind(value)}", key=key)
        try:
            result = float(value)
        except OverflowError:
            raise self.error("the number is larger than a double can hold", key=key) from None
        if not math.isfinite(result):
            raise self.error(f"expected a finite number, found {result:g}", key=key)
        if not low <= result <= high:
            between = f"from {low:g} to {high:g}"
            if math.inf in (-low, high):
                between = f"of at least {low:g}" if high == math.inf else f"of at most {high:g}"
            raise self.error(f"expected a number {between}, found {result:g}", key=key)
        return result

    def boolean(self, key: str, default: bool | None = None) -> bool:
        """Return the boolean at `key`."""
        value = self._at(key, default)
        if not isinstance(value, bool):
            raise self.error(f"expected true or false, found {_kind(value)}", key=key)
        return value

    def choice(self, key: str, known: Iterable[str], default: str | None = None) -> str:
        """Return the string at `key`, which must be one of `known`."""
        value = self.text(key, default)
        options = list(known)
        if value not in options:
            close = nearest(value, options)
            fix = f"did you mean {close!r}?" if close else "use one of " + ", ".join(options)
            raise self.error(f"unknown value {value!r}", key=key, fix=fix)
        return value

    def _at(self, key: str, default: Any) -> Any:
        mapping = self.object()
        value = mapping.get(key)
        if value is None:
            if default is None:
                raise self.error("this field is required and missing", key=key)
            return default
        return value


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "a boolean", type(None): "null"}
    if type(value) in names or isinstance(value, (int, float)):
        return names.get(type(value), "a number")
    # TOML has dates, and a mapping from Python may hold anything.
    return f"a value of type {type(value).__name__}"
