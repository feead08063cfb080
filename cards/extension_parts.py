"""Parts of which the table of the extensions is written: names, lists of texts, groups, files that are elsewhere."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from driftline.cards.extension_kinds import Digest, Group, ListOf, Text, Uri

if TYPE_CHECKING:
    from driftline.cards.extension_kinds import Field

__all__ = ["SHORT", "file", "group", "name", "texts"]

SHORT: Final = 255
"""Longest name, in characters."""


def name(meaning: str) -> Text:
    """Return a short text."""
    return Text(meaning, SHORT)


def texts(meaning: str, most: int = 50) -> ListOf:
    """Return a list of texts."""
    return ListOf(meaning, Text("one of them", 1024), most)


def group(meaning: str, *needs: str, **fields: Field) -> Group:
    """Return an object, with the names of the fields that it needs."""
    return Group(meaning, MappingProxyType(fields), needs)


def file(meaning: str, **more: Field) -> Group:
    """Return a file that is elsewhere: where, and which bytes."""
    return group(meaning, **more, uri=Uri("where it is"), digest=Digest())
