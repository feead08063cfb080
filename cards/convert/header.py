"""The YAML header of a Hugging Face card: read strictly, written so that every YAML reader agrees.

YAML can hide things: an alias makes a small file large, a tag builds objects, a duplicate key overrides, ``no`` is a
boolean and ``12:30`` a number for some readers. Here aliases, anchors, tags and duplicate keys are refused, and plain
words mean what JSON means by them (the core schema of YAML 1.2).
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from driftline.cards.errors import CardError
from driftline.errors import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    import yaml

__all__ = ["MAX_BYTES", "MAX_DEPTH", "read_header", "split", "written_header"]

MAX_BYTES: Final = 1 << 20
"""Longest header in bytes."""

MAX_DEPTH: Final = 32
"""Deepest nesting of a header."""

MAX_NODES: Final = 100_000
"""Most values of a header."""

_DASHES: Final = re.compile(r"---[ \t]*")
_NUMBER: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INT: Final = re.compile(r"[-+]?[0-9]+")
_WORDS: Final[dict[str, Any]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


def split(text: str, file: str | None) -> tuple[str | None, str, int]:
    """Split a card into its header and its body.

    Parameters
    ----------
    text : str
        Lines end in a line feed.
    file : str or None

    Returns
    -------
    header : str or None
        None where there is none.
    body : str
    line : int
        Line of the file at which the body begins.

    Raises
    ------
    CardError
        ``E-CARD-DOCUMENT`` for a header that does not end.
    """
    lines = text.split("\n")
    start = next((at for at, line in enumerate(lines) if line.strip()), 0)
    if not _DASHES.fullmatch(lines[start]):
        return None, text, 1
    for at in range(start + 1, len(lines)):
        if _DASHES.fullmatch(lines[at]):
            return "\n".join(lines[start + 1 : at]) + "\n", "\n".join(lines[at + 1 :]), at + 2
    error = CardError(
        "the header is not closed", code="E-CARD-DOCUMENT", file=file, fix="write --- in a line below it"
    )
    error.line = start + 1
    raise error


def read_header(text: str, file: str | None = None, *, above: int = 1) -> dict[str, Any]:
    """Read a header.

    Parameters
    ----------
    text : str
        YAML.
    file : str or None
        Name used in errors.
    above : int
        Lines of the file before the first of `text`.

    Returns
    -------
    dict
        Plain JSON values; a date is the text that stands there.

    Raises
    ------
    CardError
        ``E-CARD-YAML``, with the line: not YAML, or more than a header needs.
    """
    import yaml

    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise _refused(
            f"the header has more than {MAX_BYTES:,} bytes", file, above, "move data into the body"
        )
    parser = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        value = _built(yaml.parse(text, Loader=parser))
    except _Refused as error:
        raise _refused(error.what, file, error.line + above, error.fix) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = str(getattr(error, "problem", None) or getattr(error, "reason", None) or "cannot be read")
        line = above if mark is None else mark.line + 1 + above
        position = getattr(error, "position", None)
        if mark is None and isinstance(position, int):
            line = text.count("\n", 0, position) + 1 + above
        fix = "write texts with colons, brackets or hashes in quotes"
        raise _refused(f"not YAML: {problem}", file, line, fix) from None
    except RecursionError:
        raise _refused(f"nests deeper than {MAX_DEPTH} levels", file, above, "flatten it") from None
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _refused("expected keys and values", file, above + 1, "write 'license: mit'")
    return value


def _refused(what: str, file: str | None, line: int, fix: str) -> CardError:
    error = CardError(what, code="E-CARD-YAML", file=file, fix=fix)
    error.line = line
    return error


class _Refused(Exception):  # noqa: N818
    def __init__(self, what: str, line: int, fix: str) -> None:
        super().__init__(what)
        self.what = what
        self.line = line
        self.fix = fix


class _Open:
    """An object or a list that is being read."""

    __slots__ = ("key", "value")

    def __init__(self, value: dict[str, Any] | list[Any]) -> None:
        self.value = value
        self.key: str | None = None


def _built(events: Iterable[Any]) -> Any:
    """Build the value that the events of a parser say; nothing is built that has no place in JSON."""
    import yaml

    stack: list[_Open] = []
    root: list[Any] = []
    for nodes, event in enumerate(events):
        line = event.start_mark.line + 1
        _look(event, line, nodes)
        made: Any
        if isinstance(event, yaml.ScalarEvent):
            made = event.value if event.style or not event.implicit[0] else _scalar(event.value, line)
            if stack and isinstance(stack[-1].value, dict) and stack[-1].key is None:
                stack[-1].key = _key(event.value, stack[-1].value, line)
                continue
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            if stack and isinstance(stack[-1].value, dict) and stack[-1].key is None:
                raise _Refused("a list or an object is used as a key", line, "use a word")
            made = {} if isinstance(event, yaml.MappingStartEvent) else []
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            stack.pop()
            continue
        elif isinstance(event, yaml.DocumentStartEvent) and root:
            raise _Refused("a second document begins in the header", line, "remove it")
        else:
            continue
        inside = stack[-1] if stack else _Open(root)
        if isinstance(inside.value, list):
            inside.value.append(made)
        elif inside.key is not None:
            inside.value[inside.key] = made
            inside.key = None
        if isinstance(made, (dict, list)) and not isinstance(event, yaml.ScalarEvent):
            stack.append(_Open(made))
            if len(stack) > MAX_DEPTH:
                raise _Refused(f"nests deeper than {MAX_DEPTH} levels", line, "flatten it")
    return root[0] if root else None


def _look(event: Any, line: int, nodes: int) -> None:
    """Refuse what a header does not need."""
    import yaml

    if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
        raise _Refused("an alias or an anchor stands in the header", line, "write the value out")
    tag = getattr(event, "tag", None)
    if tag and tag != "!":
        raise _Refused(
            f"a tag ({printable(tag, 60)}) stands in the header", line, "leave it out, or write in quotes"
        )
    if nodes > MAX_NODES:
        raise _Refused(f"the header has more than {MAX_NODES:,} values", line, "move data into the body")


def _key(text: str, inside: dict[str, Any], line: int) -> str:
    # A key is a word, also where it looks like a number.
    if text in inside:
        raise _Refused(f"the key {printable(text, 60)!r} is there twice", line, "write both as one")
    return text


def _scalar(text: str, line: int) -> Any:
    """Return what a plain word means by the core schema of YAML 1.2."""
    if text in _WORDS:
        return _WORDS[text]
    if not _NUMBER.fullmatch(text):
        return text
    if len(text) > 400:
        raise _Refused("the number is too long", line, "write it in quotes")
    if _INT.fullmatch(text):
        return int(text)
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise _Refused("the number is too large", line, "write it in quotes")
    return value


def written_header(values: dict[str, Any]) -> str:
    """Write a header that :func:`read_header` reads as the same values.

    Texts that any YAML reader could take for something else stand in quotes.
    """
    import yaml

    return str(
        yaml.dump(
            values,
            Dumper=_dumper(),
            sort_keys=False,
            allow_unicode=True,
            default_flow_style=False,
            width=100,
        )
    )


@cache
def _dumper() -> type[yaml.SafeDumper]:
    import yaml

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, _: object) -> bool:
            return True

    # 1e-5 is text for YAML 1.1 and a number for 1.2.
    Dumper.add_implicit_resolver(
        "tag:yaml.org,2002:float", re.compile(f"^(?:{_NUMBER.pattern})$"), list("-+.0123456789")
    )

    def text(dumper: Any, value: str) -> yaml.ScalarNode:
        # Joiners of letters and emoji are written as they are; other marks that hide or reverse are escaped.
        plain = value.isprintable() or all(ch.isprintable() or ch in "\n\u200c\u200d" for ch in value)
        style = None if plain else '"'
        node: yaml.ScalarNode = dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)
        return node

    Dumper.add_representer(str, text)
    return Dumper
