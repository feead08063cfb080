"""CardDocument: what a file says of a card; and the two doors, from bytes and to bytes."""

from __future__ import annotations

import datetime as dt
import math
import os
import re
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final, Protocol

from driftline.cards.errors import CardError
from driftline.documents import nearest
from driftline.errors import UsageError, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from driftline.cards.validation import Problem

__all__ = [
    "FORMATS",
    "HEAD_KEYS",
    "MAX_BYTES",
    "MAX_DEPTH",
    "SCHEMA",
    "Base",
    "CardDocument",
    "Parts",
    "dotted",
    "format_of",
    "read_card",
    "refused",
    "write_card",
]

Path = tuple[str | int, ...]

FORMATS: Final = ("toml", "json", "md")
"""Forms of a card's file, by the ending of its name."""

SCHEMA: Final = "driftline.card/v1"
"""What a file may say of itself."""

MAX_BYTES: Final = 4 * 1024 * 1024
"""Longest file in bytes: several times what content and extensions may have."""

MAX_DEPTH: Final = 32
"""Deepest nesting in a file."""

HEAD_KEYS: Final = ("name", "model", "base", "tags", "policy")
"""Keys of the table ``card``."""

_HASH: Final = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Base:
    """The version that a file was exported from; whoever applies it changes that version and no later one.

    Attributes
    ----------
    version : int
        From 1.
    content_hash : str
        ``sha256:<hex>``.
    """

    version: int
    content_hash: str


@dataclass(frozen=True, slots=True)
class CardDocument:
    """What a file says of a card.

    The status is not part of it: a file is edited by one person, and a card is approved by another.

    Attributes
    ----------
    content : mapping
        As SageMaker has it.
    extensions : mapping
        What SageMaker has no place for.
    name : str or None
        Of the card; None where the file does not say.
    tags, policy : mapping or None
        None: the file says nothing of them, and they stay as they are.
    model : str or None
        The registry's model that the card is about.
    base : Base or None
        What it was exported from.
    """

    content: Mapping[str, Any]
    extensions: Mapping[str, Any] = field(default_factory=dict)
    name: str | None = None
    tags: Mapping[str, str] | None = None
    policy: Mapping[str, Any] | None = None
    model: str | None = None
    base: Base | None = None

    def head(self) -> dict[str, Any]:
        """Return what the file says beside content and extensions, as plain values."""
        base = self.base
        found = {
            "name": self.name,
            "model": self.model,
            "base": None if base is None else {"version": base.version, "content_hash": base.content_hash},
            "tags": None if self.tags is None else dict(self.tags),
            "policy": None if self.policy is None else dict(self.policy),
        }
        return {key: value for key, value in found.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Parts:
    """What a form's reader found in the text, not yet checked.

    Attributes
    ----------
    head, content, extensions : object
        As the file has them; None where it has none.
    line : callable
        The line at which a path of the file stands, as far as it is known. Paths begin with ``card``, with a section
        of the content or with ``extensions``.
    """

    head: Any
    content: Any
    extensions: Any
    line: Callable[[Path], int | None]


def format_of(file: str | os.PathLike[str]) -> str | None:
    """Return the form that the name of a file says, or None.

    Examples
    --------
    >>> format_of("cards/churn.toml"), format_of("README.markdown"), format_of("churn")
    ('toml', 'md', None)
    """
    ending = PurePath(file).suffix.casefold().lstrip(".")
    ending = "md" if ending == "markdown" else ending
    return ending if ending in FORMATS else None


def write_card(document: CardDocument, format: str = "toml") -> bytes:  # noqa: A002
    """Write a card as a file.

    Parameters
    ----------
    document : CardDocument
    format : {"toml", "json", "md"}

    Returns
    -------
    bytes
        UTF-8, lines ending in a line feed; the same bytes for the same document.

    Raises
    ------
    CardError
        ``E-CARD-TEXT`` for what no text file can hold: half of a surrogate pair, a number that is not finite.
    UsageError
        For a format that there is not.

    Examples
    --------
    >>> print(write_card(CardDocument({"model_overview": {"model_name": "churn"}}, name="churn")).decode())
    schema = "driftline.card/v1"
    <BLANKLINE>
    [card]
    name = "churn"
    <BLANKLINE>
    [model_overview]
    model_name = "churn"
    <BLANKLINE>
    """
    form = _form(format)
    for part, value in (
        ("card", document.head()),
        ("", document.content),
        ("extensions", document.extensions),
    ):
        for path, what, fix in _unwritable(value, (part,) if part else ()):
            raise CardError(what, code="E-CARD-TEXT", field=dotted(path), fix=fix)
    return form.write(document).encode("utf-8")


def read_card(
    data: bytes,
    file: str | os.PathLike[str] | None = None,
    format: str | None = None,  # noqa: A002
) -> CardDocument:
    r"""Read a card's file, and check all that it says.

    Parameters
    ----------
    data : bytes
    file : path, optional
        Name used in errors; its ending says the form.
    format : {"toml", "json", "md"}, optional
        The form, where the name does not say it; without either, the text itself is looked at.

    Returns
    -------
    CardDocument

    Raises
    ------
    DocumentError
        ``E-CARD-FILE``, ``E-JSON``: not UTF-8, not TOML, JSON or Markdown of a card, too long or too deep.
    CardError
        ``E-CARD``: all that is wrong with what it says, the first with its line.

    Examples
    --------
    >>> read_card(b'[model_overview]\nmodel_name = "churn"').content
    {'model_overview': {'model_name': 'churn'}}
    """
    name = None if file is None else os.fspath(file)
    form = _form(format or (None if name is None else format_of(name)) or _looks_like(data))
    parts = form.parse(data, name)
    found = list(_problems(parts))
    if found:
        raise refused(found, name, parts.line)
    return _document(parts)


class _Form(Protocol):
    def write(self, document: CardDocument) -> str: ...

    def parse(self, data: bytes, file: str | None) -> Parts: ...


def _form(name: str) -> _Form:
    if name not in FORMATS:
        close = nearest(name, FORMATS)
        fix = f"did you mean {close!r}?" if close else "use one of " + ", ".join(FORMATS)
        raise UsageError(f"a card is not written as {printable(name, 40)!r}", field="format", fix=fix)
    from driftline.cards.text import json_form, markdown_form, toml_form

    forms: dict[str, _Form] = {"toml": toml_form, "json": json_form, "md": markdown_form}
    return forms[name]


def _looks_like(data: bytes) -> str:
    begin = data.removeprefix(b"\xef\xbb\xbf").lstrip()[:4]
    if begin.startswith(b"{"):
        return "json"
    return "md" if begin.startswith((b"+++", b"#")) and not _is_toml_comment(data) else "toml"


def _is_toml_comment(data: bytes) -> bool:
    """Tell a comment at the head of a TOML file from a heading: TOML has a key or a table after its comments."""
    for line in data.removeprefix(b"\xef\xbb\xbf").splitlines():
        said = line.strip()
        if said and not said.startswith(b"#"):
            return said.startswith(b"[") or re.match(rb"[\w\"'. -]+=", said) is not None
    return False


def dotted(path: Path) -> str:
    """Return a path as the errors name it: ``evaluation_details.0.name``; keys from outside are shown printably."""
    return ".".join(printable(part, 80) for part in path)


def refused(
    found: Sequence[Problem], file: str | None, line: Callable[[Path], int | None] = lambda _: None
) -> CardError:
    """Build the error that tells all problems; it stands at the line of the first."""
    first = found[0]
    more = f" (and {len(found) - 1:,} more)" if len(found) > 1 else ""
    error = CardError(
        f"{first.what}{more}", problems=found, file=file, field=first.path or None, fix=first.fix
    )
    error.line = line(tuple(int(part) if part.isdecimal() else part for part in first.path.split(".")))
    return error


def _problems(parts: Parts) -> Iterator[Problem]:
    from driftline.cards import extensions, validation
    from driftline.cards.validation import Problem

    plain = True
    for start, value in (
        (("card",), parts.head),
        ((), parts.content),
        (("extensions",), parts.extensions),
    ):
        for path, what, fix in _unwritable(value, start):
            plain = False
            yield Problem(dotted(path), what, fix)
    if not plain:
        return
    yield from (Problem(*one) for one in _head_problems(parts.head))
    yield from validation.problems({} if parts.content is None else parts.content)
    yield from extensions.problems({} if parts.extensions is None else parts.extensions)


def _head_problems(head: Any) -> Iterator[tuple[str, str, str | None]]:
    if head is None:
        return
    if not isinstance(head, dict):
        yield "card", f"expected a table, found {_kind(head)}", "write [card] and its keys below it"
        return
    yield from _unknown(head, HEAD_KEYS, "card")
    for key in ("name", "model"):
        if key in head and not (isinstance(head[key], str) and head[key].strip()):
            yield f"card.{key}", f"expected a name, found {_kind(head[key])}", None
    base = head.get("base")
    if base is not None and not isinstance(base, dict):
        yield "card.base", f"expected a table, found {_kind(base)}", "write version and content_hash"
    elif base is not None:
        yield from _unknown(base, ("version", "content_hash"), "card.base")
        version = base.get("version")
        if isinstance(version, bool) or not isinstance(version, int) or version < 1:
            yield "card.base.version", "expected a version, a whole number from 1", None
        if not (isinstance(base.get("content_hash"), str) and _HASH.fullmatch(base["content_hash"])):
            yield (
                "card.base.content_hash",
                "expected sha256: and 64 hexadecimal digits",
                "export the card again",
            )
    for key in ("tags", "policy"):
        if key in head and not isinstance(head[key], dict):
            yield f"card.{key}", f"expected a table, found {_kind(head[key])}", None
    tags = head.get("tags")
    for key, value in tags.items() if isinstance(tags, dict) else ():
        if not isinstance(value, str):
            fix = "write it in quotes"
            yield f"card.tags.{printable(key, 80)}", f"expected text, found {_kind(value)}", fix


def _unknown(
    table: dict[str, Any], known: tuple[str, ...], path: str
) -> Iterator[tuple[str, str, str | None]]:
    for key in table:
        if key not in known:
            close = nearest(key[:100], known)
            fix = f"did you mean {close!r}?" if close else "use one of " + ", ".join(known)
            yield f"{path}.{printable(key, 80)}", "unknown field", fix


def _document(parts: Parts) -> CardDocument:
    head = parts.head or {}
    base = head.get("base")
    return CardDocument(
        content=parts.content or {},
        extensions=parts.extensions or {},
        name=head.get("name"),
        tags=head.get("tags"),
        policy=head.get("policy"),
        model=head.get("model"),
        base=None if base is None else Base(base["version"], base["content_hash"]),
    )


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    names: dict[type, str] = {dict: "a table", list: "a list", str: "text", type(None): "nothing"}
    if type(value) in names:
        return "blank text" if isinstance(value, str) and not value.strip() else names[type(value)]
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, (dt.date, dt.time)):
        return "a date without quotes"
    return f"a value of type {type(value).__name__}"


def _unwritable(value: object, path: Path) -> Iterator[tuple[Path, str, str | None]]:
    """Yield what is no JSON, or no text of UTF-8."""
    if isinstance(value, str):
        if _has_surrogate(value):
            yield path, "the text holds half of a surrogate pair", "leave it out"
    elif isinstance(value, float):
        if not math.isfinite(value):
            yield path, f"expected a finite number, found {value:g}", "leave it out"
    elif isinstance(value, (list, tuple)):
        for place, inner in enumerate(value):
            yield from _unwritable(inner, (*path, place))
    elif hasattr(value, "items"):
        for key, inner in value.items():
            if not isinstance(key, str) or _has_surrogate(key):
                yield (*path, str(key)), "the key is no text that a file can hold", "leave it out"
            else:
                yield from _unwritable(inner, (*path, key))
    elif value is not None and not isinstance(value, (bool, int)):
        fix = "write it in quotes" if isinstance(value, (dt.date, dt.time)) else None
        yield path, f"expected a value of JSON, found {_kind(value)}", fix


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= ch <= "\udfff" for ch in text)
