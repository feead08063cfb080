"""What a converter gives: a card made from another system's document, or such a document made from a card.

Every converter writes what the other format has a place for. Then it reads back what it wrote, compares, and puts the
difference beside it where the format lets programs keep something of their own. So a card that went there and came back
is the same card; and what could not be kept is known exactly, not by a list that somebody maintains.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from driftline.cards import extensions as extension_rules
from driftline.cards import validation
from driftline.cards.convert.patch import Patch, apply, difference, lost_lines, moved, path_of, pointer
from driftline.cards.errors import CardError
from driftline.cards.limits import RULES, SECTIONS, Map, Object, keys
from driftline.documents import decode, encode
from driftline.errors import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "MAX_BYTES",
    "PREFIX",
    "Converted",
    "Meta",
    "Written",
    "completed",
    "decoded_object",
    "digest_of",
    "finished",
    "kept_fields",
    "kept_patch",
    "ordered",
]

PREFIX: Final = "driftline:"
"""How the names of driftline's own fields begin in a document of another system."""

MAX_BYTES: Final = 8 * 1024 * 1024
"""Longest document in bytes that a converter reads."""


@dataclass(frozen=True, slots=True)
class Converted:
    """A card made from another system's document.

    Attributes
    ----------
    content, extensions : dict
        Both valid.
    lost : tuple of str
        What has no place in a card: the place in the document, a colon, and why.
    name : str or None
        What the document calls the model; not always a name that a card may have.
    """

    content: dict[str, Any]
    extensions: dict[str, Any]
    lost: tuple[str, ...] = ()
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """Another system's document made from a card.

    Attributes
    ----------
    data : bytes
    lost : tuple of str
        What of the card is not in it: dotted path, a colon, and why.
    """

    data: bytes
    lost: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Meta:
    """What a document says of the card as such.

    Attributes
    ----------
    name : str
        Of the card.
    version : int or None
        Of the card.
    content_hash : str or None
        Of that version.
    moment : int
        When that version was made: microseconds since 1970-01-01 UTC.
    keep : bool
        Whether what the format has no place for is kept in it as driftline's own fields. A document for the public
        may do better without.
    """

    name: str
    version: int | None = None
    content_hash: str | None = None
    moment: int = 0
    keep: bool = True


def decoded_object(data: bytes, file: str | None, what: str) -> dict[str, Any]:
    """Decode a JSON document of another system.

    Raises
    ------
    DocumentError
        If it is not JSON.
    CardError
        ``E-CARD-DOCUMENT`` if it is not an object.
    """
    value = decode(data, file=file, max_bytes=MAX_BYTES)
    if not isinstance(value, dict):
        raise CardError(
            f"expected {what}, which is an object",
            code="E-CARD-DOCUMENT",
            file=file,
            fix="give the file that the other system wrote",
        )
    return value


def digest_of(value: Any) -> str:
    """Return ``sha256:<hex>`` of what a document says, to see later whether somebody changed it."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def finished(
    content: Mapping[str, Any],
    extensions: Mapping[str, Any],
    *,
    plain: bytes,
    found: Converted,
    embed: Callable[[Patch], bytes] | None,
    system: str,
) -> Written:
    """Finish a document: find what it does not say, and keep it beside, or tell it as lost.

    Parameters
    ----------
    content, extensions : mapping
        The card.
    plain : bytes
        The document with what the format has a place for.
    found : Converted
        That document, read again.
    embed : callable or None
        Makes the document with a patch beside its own fields; None where nothing is to be kept so.
    system : str
        Name of the format, for `Written.lost`.
    """
    original = {"content": dict(content), "extensions": dict(extensions)}
    patch = difference({"content": found.content, "extensions": found.extensions}, original)
    if embed is not None:
        return Written(embed(patch) if patch else plain)
    return Written(plain, tuple(lost_lines(patch, original, system)))


def kept_fields(patch: Patch, digest: str) -> dict[str, str]:
    """Return a patch as names and texts, for formats whose own fields are that; :func:`kept_patch` reads them."""
    put = {f"{PREFIX}put:{pointer(path)}": encode(value) for path, value in patch.put}
    drop = {f"{PREFIX}drop:{pointer(path)}": "" for path in patch.drop}
    return {f"{PREFIX}written": digest, **put, **drop}


def kept_patch(fields: Mapping[str, str], file: str | None) -> tuple[Patch, str | None]:
    """Return the patch and the digest that :func:`kept_fields` wrote.

    Raises
    ------
    CardError
        ``E-CARD-DOCUMENT`` for what it did not write.
    """
    put: list[tuple[tuple[str | int, ...], Any]] = []
    drop: list[tuple[str | int, ...]] = []
    for name, text in fields.items():
        what, _, place = name.removeprefix(PREFIX).partition(":")
        if what == "put":
            put.append((path_of(place), decode(text, file=file)))
        elif what == "drop":
            drop.append(path_of(place))
        elif what != "written":
            raise CardError(
                f"{printable(name, 80)!r} is none of driftline's own fields",
                code="E-CARD-DOCUMENT",
                file=file,
                fix="remove it, or export the card again",
            )
    return Patch(tuple(put), tuple(drop)), fields.get(f"{PREFIX}written")


def completed(
    found: Converted, patch: Patch | None, written: str | None, now: str, file: str | None
) -> Converted:
    """Put back what was kept beside a document's own fields.

    Parameters
    ----------
    found : Converted
        What the document's own fields say.
    patch : Patch or None
        What was kept.
    written, now : str or None
        Digest of the document's own fields when they were written, and as they are now.
    file : str or None

    Raises
    ------
    CardError
        ``E-CARD-DOCUMENT`` if what was kept does not fit, ``E-CARD`` if it makes no valid card.
    """
    if not patch:
        return found
    value = {"content": found.content, "extensions": found.extensions}
    lost = list(found.lost)
    if written != now:
        patch, left = moved(patch, value)
        lost += [f"{one}: the document was changed after driftline wrote it" for one in left]
    try:
        value = apply(patch, value)
    except (KeyError, IndexError, TypeError) as error:
        raise CardError(
            f"what driftline kept in it does not fit the rest: {error}",
            code="E-CARD-DOCUMENT",
            file=file,
            fix="remove what begins with driftline, or export the card again",
        ) from None
    problems = [
        *validation.problems(value.get("content")),
        *extension_rules.problems(value.get("extensions")),
    ]
    validation.refuse(problems, file)
    return Converted(ordered(value["content"]), value["extensions"], tuple(lost), found.name)


def ordered(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return content with its keys in the order in which cards have them."""
    known = {name: content[name] for name in SECTIONS if name in content}
    rest = {name: value for name, value in content.items() if name not in known}
    return {name: _ordered(value, name) for name, value in {**known, **rest}.items()}


def _ordered(value: Any, pattern: str) -> Any:
    if isinstance(value, list):
        return [_ordered(one, f"{pattern}.*") for one in value]
    rule = RULES.get(pattern)
    if not isinstance(value, dict) or isinstance(rule, Map) or not isinstance(rule, Object):
        return value
    names = [key for key in keys(pattern) if key in value] + [
        key for key in value if key not in keys(pattern)
    ]
    return {key: _ordered(value[key], f"{pattern}.{key}") for key in names}
