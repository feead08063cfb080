"""Draft: a card in the making, from a document that knows nothing of a card's limits.

What does not fit is not cut: it goes whole where there is more room, or it is told as lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from driftline.cards import extensions as extension_rules
from driftline.cards import limits, validation
from driftline.cards.convert.converted import Converted, ordered
from driftline.cards.errors import CardError
from driftline.cards.extension_kinds import Group, ListOf, Text
from driftline.cards.extension_table import TABLE
from driftline.errors import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from driftline.cards.validation import Problem

__all__ = ["Draft"]

Path = tuple[str | int, ...]

ROUNDS: Final = 50
"""So often what is wrong is taken away; what is right then is kept."""

DETAILS: Final = "additional_information.custom_details"

MOST_DETAILS: Final = 200
"""Most custom details that are made."""

MOST_DETAIL: Final = 1024

MOST_ITEMS: Final = 1000
"""Most items of a list that a card has no limit for: with more, a card is too long anyway."""

MOST_LOST: Final = 1000
"""Most lines on what is lost; the others are counted."""

ROOMIER: Final = {
    "model_overview.model_description": "extensions.architecture.description",
    "model_overview.algorithm_type": "extensions.architecture.description",
    "intended_uses.purpose_of_model": "extensions.instructions_for_use.description",
    "intended_uses.intended_uses": "extensions.instructions_for_use.description",
    "intended_uses.factors_affecting_model_efficiency": "extensions.expected_output",
    "training_details.training_observations": "extensions.development",
    "additional_information.ethical_considerations": "extensions.scope.limitations",
    "additional_information.caveats_and_recommendations": "extensions.oversight.measures",
}
"""Where a text goes that is too long for its field."""


class Draft:
    """A card in the making.

    Paths are dotted, list positions as numbers; they begin with a section of the content or with ``extensions``. None
    of the keys used in them holds a dot.
    """

    def __init__(self) -> None:
        self.content: dict[str, Any] = {}
        self.extensions: dict[str, Any] = {}
        self.lost: list[str] = []
        self._from: dict[str, str] = {}

    def put(self, path: str, value: Any, source: str) -> None:
        """Set a field; what is None or empty is not set.

        Parameters
        ----------
        path : str
        value : object
        source : str
            Where it stands in the document, for what is lost.
        """
        if value is None or value in ("", [], {}):
            return
        most = _most(path)
        if isinstance(value, list) and most is not None and len(value) > most:
            self.lost.append(
                f"{source}: has {len(value):,} items; {path} takes {most:,}, the first ones are kept"
            )
            value = value[:most]
        inside, key = self._inside(path)
        inside[key] = value
        self._from[path] = source

    def get(self, path: str) -> Any:
        """Return what is at a path, or None."""
        inside: Any = self._root(path)
        for part in self._parts(path):
            if not isinstance(inside, dict) or part not in inside:
                return None
            inside = inside[part]
        return inside

    def tell(self, path: str, text: str | None, source: str) -> None:
        """Add a text to a field: below what is there, or as another item of a list of texts.

        A text that the field has no room for goes to a field with more room, or is lost as a whole.
        """
        if text is None or not text.strip():
            return
        if _is_texts(path):
            items = [*(self.get(path) or ()), text]
            if len(text) > 1024 or len(items) > 50:
                self.lost.append(
                    f"{source}: has {len(text):,} characters; an item of {path} has at most 1,024, of 50"
                )
            else:
                self.put(path, items, source)
            return
        before = self.get(path)
        whole = f"{before}\n\n{text}" if before else text
        most = _most(path)
        if most is None or len(whole) <= most:
            self.put(path, whole, source)
        elif path in ROOMIER:
            self._tell_elsewhere(ROOMIER[path], text, source)
        else:
            self.lost.append(f"{source}: has {len(text):,} characters, {path} has room for {most:,}")

    def _tell_elsewhere(self, path: str, text: str, source: str) -> None:
        if _is_texts(path):
            parts = [part.strip() for part in text.split("\n\n") if part.strip()]
            if all(len(part) <= 1024 for part in parts):
                for part in parts:
                    self.tell(path, part, source)
                return
        self.tell(path, text, source)

    def add(self, path: str, item: dict[str, Any], source: str) -> None:
        """Add an item to a list; what is None or empty in it is not kept."""
        made = {key: value for key, value in item.items() if value is not None and value not in ("", [], {})}
        inside, key = self._inside(path)
        items = inside.setdefault(key, [])
        most = _most(path) or MOST_ITEMS
        if len(items) >= most:
            self.lost.append(f"{source}: {path} has at most {most:,} items")
            return
        self._from[f"{path}.{len(items)}"] = source
        items.append(made)

    def detail(self, name: str, text: str, source: str) -> None:
        """Keep something that has no field as a custom detail, in several where it is too long for one.

        Parameters
        ----------
        name : str
            A name that is taken gets a number.
        text : str
        source : str
        """
        parts = _parts(text)
        details = self.get(DETAILS) or {}
        if parts is None or len(details) + len(parts) > MOST_DETAILS:
            self.lost.append(f"{source}: has {len(text):,} characters, custom details have no room for it")
            return
        inside, key = self._inside(DETAILS)
        details = inside.setdefault(key, {})
        name = name.strip()[:200] or "notes"
        for part in parts:
            shown, n = name, 1
            while shown in details:
                n += 1
                shown = f"{name} ({n})"
            details[shown] = part
            self._from[f"{DETAILS}.{shown}"] = source

    def _root(self, path: str) -> dict[str, Any]:
        return self.extensions if path.startswith("extensions.") else self.content

    def _parts(self, path: str) -> list[str]:
        parts = path.split(".")
        return parts[1:] if parts[0] == "extensions" else parts

    def _inside(self, path: str) -> tuple[dict[str, Any], str]:
        inside = self._root(path)
        *parts, key = self._parts(path)
        for part in parts:
            inside = inside.setdefault(part, {})
        return inside, key

    def finish(self, lost: Iterable[str], name: str | None) -> Converted:
        """Return the card, without what a card may not have; that is told as lost.

        Parameters
        ----------
        lost : iterable of str
            What the document has beside what was taken.
        name : str or None
        """
        told = [*self.lost, *lost]
        sources = set()
        for _ in range(ROUNDS):
            found = [*validation.problems(self.content), *extension_rules.problems(self.extensions)]
            if not found:
                break
            gone: list[Path] = []
            for problem in reversed(found):
                # Removing an item moves those behind it, so the last comes first, and what is inside goes with it.
                path = self._resolved(problem)
                if path is not None and not any(path[: len(one)] == one for one in gone):
                    source = self._source(path, problem)
                    # What is gone because a part of it is gone was told with that part.
                    if source not in sources or "missing" not in problem.what:
                        told.append(f"{source}: {problem.what}")
                    sources.add(source)
                    _remove(self._pair(path), path)
                    gone.append(path)
        else:
            raise CardError(
                "hardly anything in it fits into a card",
                code="E-CARD-DOCUMENT",
                problems=found,
                fix="write the card by hand",
            )
        self._tidy()
        if len(told) > MOST_LOST:
            told = [*told[:MOST_LOST], f"and {len(told) - MOST_LOST:,} more"]
        return Converted(ordered(self.content), self.extensions, tuple(told), name)

    def _pair(self, path: Path) -> Any:
        return {"extensions": self.extensions} if path[0] == "extensions" else self.content

    def _source(self, path: Path, problem: Problem) -> str:
        dotted = ".".join(str(part) for part in path)
        own = next((self._from[key] for key in _prefixes(dotted) if key in self._from), None)
        return own or problem.path

    def _resolved(self, problem: Problem) -> Path | None:
        """Return the path of what to take away for a problem: the value itself, or what cannot be without it."""
        if not problem.path or problem.path == "extensions":
            largest = self.extensions if problem.path else self.content
            key = max(largest, key=lambda name: len(repr(largest[name])))
            return ("extensions", key) if problem.path else (key,)
        path: list[str | int] = []
        inside: Any = {**self.content, "extensions": self.extensions}
        rest = problem.path
        while rest:
            if isinstance(inside, list):
                part, _, rest = rest.partition(".")
                place = int(part)
                path.append(place)
                inside = inside[place]
                continue
            if not isinstance(inside, dict):
                return None
            # Keys from outside may hold dots, and are named printably.
            known = [
                key
                for key in inside
                if rest == printable(key, 80) or rest.startswith(printable(key, 80) + ".")
            ]
            if not known:
                return tuple(path) or None
            key = max(known, key=len)
            path.append(key)
            inside = inside[key]
            rest = rest[len(printable(key, 80)) + 1 :]
        return tuple(path) or None

    def _tidy(self) -> None:
        """Take away objects that are empty because what was in them is lost."""
        for root in (self.content, self.extensions):
            for key in [key for key, value in root.items() if value in ({}, [])]:
                del root[key]


def _parts(text: str) -> list[str] | None:
    """Return a text in parts that custom details have room for, cut between lines; None where there is no such cut."""
    if len(text) <= MOST_DETAIL:
        return [text]
    parts: list[str] = [""]
    for line in text.split("\n"):
        if len(line) > MOST_DETAIL or len(parts) > 10:
            return None
        if parts[-1] and len(parts[-1]) + len(line) + 1 > MOST_DETAIL:
            parts.append(line)
        else:
            parts[-1] = f"{parts[-1]}\n{line}" if parts[-1] else line
    return [part for part in parts if part.strip()]


def _prefixes(dotted: str) -> list[str]:
    parts = dotted.split(".")
    return [".".join(parts[:n]) for n in range(len(parts), 0, -1)]


def _remove(root: Any, path: Path) -> None:
    inside = root
    for part in path[:-1]:
        inside = inside[part]
    del inside[path[-1]]


def _field(path: str) -> Any:
    field: Any = TABLE
    for part in path.split(".")[1:]:
        while isinstance(field, ListOf):
            field = field.item
        field = field.fields.get(part) if isinstance(field, Group) else None
    return field


def _is_texts(path: str) -> bool:
    if not path.startswith("extensions."):
        return False
    field = _field(path)
    return isinstance(field, ListOf) and isinstance(field.item, Text)


def _most(path: str) -> int | None:
    if path.startswith("extensions."):
        field = _field(path)
        return field.most if isinstance(field, (Text, ListOf)) else None
    return limits.most(path)
