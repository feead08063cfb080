"""Kinds of fields that the extensions of a card are made of: what each takes, what it says of what it does not take.

A field checks a value and tells of itself as JSON Schema, so the table in :mod:`driftline.cards.extension_table` is the
only place where a rule stands. Nothing here follows a value deeper, or longer, than its field allows. Fields of one value
are in :mod:`driftline.cards.extension_values`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from driftline.cards.extension_values import (
    MOST_SAFE,
    Choice,
    Date,
    Digest,
    Field,
    Flag,
    Number,
    Text,
    Uri,
    Whole,
    is_finite,
    join,
    refuse_kind,
    unholdable,
)
from driftline.cards.validation import Problem
from driftline.documents import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "Choice",
    "Date",
    "Digest",
    "Field",
    "Flag",
    "Group",
    "Json",
    "ListOf",
    "Number",
    "Text",
    "Uri",
    "Whole",
]

MOST_UNKNOWN: Final = 20
"""So many unknown keys of one object are named; the others are counted."""


@dataclass(frozen=True, slots=True)
class Json:
    """Any JSON value, such as a schema of columns that another program wrote.

    Attributes
    ----------
    meaning : str
    most : int
        Characters of the value as JSON.
    deep : int
        Levels of objects and lists.
    """

    meaning: str
    most: int = 20_000
    deep: int = 16

    @property
    def limit(self) -> str:
        """The rule, for people."""
        return f"any JSON, at most {self.most:,} characters and {self.deep} levels"

    def look(self, value: Any, path: str, found: list[Problem]) -> None:
        """Add what is wrong with a value to `found`."""
        n = len(found)
        size = self._size(value, path, found, self.deep, self.most)
        if len(found) == n and size > self.most:
            found.append(Problem(path, f"is longer than {self.most:,} characters as JSON", "shorten it"))

    def _size(self, value: Any, path: str, found: list[Problem], deep: int, left: int) -> int:
        """Return how many characters the value has as JSON, or some number above `left` where it is longer."""
        if value is None or isinstance(value, bool):
            return 5
        if isinstance(value, str):
            for what in unholdable(value):
                found.append(Problem(path, what, "leave it out"))
            return len(value) + 2
        if isinstance(value, (int, float)):
            if not is_finite(value) or (isinstance(value, int) and abs(value) > MOST_SAFE):
                found.append(Problem(path, "expected a finite number that a double can hold", None))
                return 1
            return len(repr(value))
        if not isinstance(value, (dict, list)):
            refuse_kind("JSON", value, path, found)
            return 1
        if deep == 0:
            found.append(Problem(path, f"nests deeper than {self.deep} levels", "flatten it"))
            return 1
        total = 2
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in pairs:
            if total > left:
                return total
            here = join(path, key)
            if isinstance(value, dict):
                if not isinstance(key, str):
                    refuse_kind("text as a key", key, here, found)
                    continue
                for what in unholdable(key):
                    found.append(Problem(here, "the key " + what, "leave it out"))
                total += len(key) + 3
            total += 1 + self._size(inner, here, found, deep - 1, left - total)
            if len(found) > MOST_UNKNOWN:
                return total
        return total

    def schema(self) -> dict[str, Any]:
        """Return the rule as JSON Schema."""
        return {"description": self.meaning}


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list.

    Attributes
    ----------
    meaning : str
    item : Field
    most : int
        Items.
    key : tuple of str
        Fields that no two items may agree in: what an item is known by.
    """

    meaning: str
    item: Field
    most: int = 100
    key: tuple[str, ...] = ()

    @property
    def limit(self) -> str:
        """The rule, for people."""
        rule = f"list, at most {self.most:,} items"
        return rule + (f"; no two with the same {', '.join(self.key)}" if self.key else "")

    def look(self, value: Any, path: str, found: list[Problem]) -> None:
        """Add what is wrong with a value to `found`."""
        if not isinstance(value, list):
            fix = "write it in square brackets" if isinstance(value, (str, dict)) else None
            refuse_kind("a list", value, path, found, fix)
            return
        if len(value) > self.most:
            found.append(
                Problem(
                    path, f"has {len(value):,} items, at most {self.most:,} are allowed", "leave some out"
                )
            )
        seen: dict[tuple[str, ...], int] = {}
        for place, inner in enumerate(value[: self.most]):
            here = join(path, place)
            self.item.look(inner, here, found)
            if self.key and isinstance(inner, dict):
                known = tuple(repr(inner.get(name)) for name in self.key)
                first = seen.setdefault(known, place)
                if first != place:
                    what = f"has the same {', '.join(self.key)} as item {first}"
                    found.append(Problem(here, what, "write both as one"))

    def schema(self) -> dict[str, Any]:
        """Return the rule as JSON Schema."""
        return {
            "type": "array",
            "maxItems": self.most,
            "items": self.item.schema(),
            "description": self.meaning,
        }


@dataclass(frozen=True, slots=True)
class Group:
    """An object with named fields, and no others.

    Attributes
    ----------
    meaning : str
    fields : mapping of str to Field
    needs : tuple of str
        Fields that must be there, and say something.
    """

    meaning: str
    fields: Mapping[str, Field]
    needs: tuple[str, ...] = ()

    @property
    def limit(self) -> str:
        """The rule, for people."""
        return "object" + (f"; {', '.join(self.needs)} must be there" if self.needs else "")

    def look(self, value: Any, path: str, found: list[Problem]) -> None:
        """Add what is wrong with a value to `found`."""
        if not isinstance(value, dict):
            refuse_kind("an object", value, path, found)
            return
        unknown = [key for key in value if key not in self.fields]
        for key in unknown[:MOST_UNKNOWN]:
            close = nearest(key[:100], self.fields) if isinstance(key, str) else None
            fix = f"did you mean {close!r}?" if close else "use one of " + ", ".join(self.fields)
            found.append(Problem(join(path, key), "unknown field", fix))
        if len(unknown) > MOST_UNKNOWN:
            more = len(unknown) - MOST_UNKNOWN
            found.append(Problem(path, f"{more:,} more fields are unknown", "remove them"))
        for name in self.needs:
            inner = value.get(name)
            if name not in value or (isinstance(inner, str) and not inner.strip()):
                found.append(Problem(join(path, name), "this field is required and missing", None))
        for name, field in self.fields.items():
            inner = value.get(name)
            blank = name in self.needs and isinstance(inner, str) and not inner.strip()
            if name in value and not blank:
                field.look(inner, join(path, name), found)

    def schema(self) -> dict[str, Any]:
        """Return the rule as JSON Schema."""
        inside = {name: field.schema() for name, field in self.fields.items()}
        for name in self.needs:
            if inside[name].get("type") == "string" and "pattern" not in inside[name]:
                inside[name]["pattern"] = r"\S"
        made: dict[str, Any] = {"type": "object", "properties": inside, "additionalProperties": False}
        if self.needs:
            made["required"] = list(self.needs)
        return {**made, "description": self.meaning}
