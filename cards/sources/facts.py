"""Facts: values for the fields of a card, each with where it came from and when."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from driftline.cards.limits import RULES, Items, Map, Number, Text
from driftline.cards.training import as_text
from driftline.errors import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["JOB", "Facts", "value_at"]

JOB = "training_details.training_job_details"
"""Path of the training job in a card's content."""

_ORDER = {path: place for place, path in enumerate(RULES)}


@dataclass(slots=True)
class Facts:
    """What is known of a model.

    Attributes
    ----------
    moment : str
        When it was looked up, RFC 3339.
    values : dict
        By dotted path of the content; a list is one value.
    sources : dict of str to str
        By the same paths: what said so.
    extensions : dict
        By dotted path below the extensions.
    notes : list of str
        What was cut or left out because a card has no room for it.
    model, version : str or None
        The registry's.
    """

    moment: str
    values: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    extensions: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    model: str | None = None
    version: str | None = None

    def put(self, path: str, value: Any, source: str) -> None:
        """Add a fact; what is None or empty is no fact, and what is too long is fitted, with a note.

        Parameters
        ----------
        path : str
            Dotted path of the content, or ``extensions.`` and a path there.
        value : object
            Plain JSON value.
        source : str
        """
        if path.startswith("extensions."):
            if value not in (None, "", [], {}):
                self.extensions[path.removeprefix("extensions.")] = value
                self.sources[path] = source
            return
        fitted = self._fitted(path, value)
        if fitted not in (None, "", [], {}):
            self.values[path] = fitted
            self.sources[path] = source

    def _fitted(self, path: str, value: Any) -> Any:
        pattern = (
            path.rpartition(".")[0] + ".*" if isinstance(RULES.get(path.rpartition(".")[0]), Map) else path
        )
        rule = RULES[pattern]
        if value is None:
            return None
        if isinstance(rule, Text):
            return self._text(
                path, str(value), rule.high, is_prose=path.endswith(("description", "observations"))
            )
        if isinstance(rule, Number):
            return value if _is_number(value) and (rule.minimum is None or value >= rule.minimum) else None
        if isinstance(rule, Items):
            return self._list(path, list(value), rule.high)
        return value

    def _text(self, path: str, text: str, limit: int | None, *, is_prose: bool) -> str | None:
        if limit is None or len(text) <= limit:
            return text
        if is_prose or path.endswith(".value"):
            self.notes.append(f"{path}: of {len(text):,} characters the first {limit - 1:,} are kept")
            return text[: limit - 1] + "…"
        # Half an address or a name is none.
        self.notes.append(f"{path}: a value of {len(text):,} characters was left out, at most {limit:,} fit")
        return None

    def _list(self, path: str, items: Sequence[Any], limit: int | None) -> list[Any]:
        made = [fitted for item in items if (fitted := self._item(path, item)) is not None]
        if limit is not None and len(made) > limit:
            self.notes.append(f"{path}: the first {limit} of {len(made):,} are kept")
            made = made[:limit]
        return made

    def _item(self, path: str, item: Any) -> Any:
        if not isinstance(item, dict):
            rule = RULES[f"{path}.*"]
            limit = rule.high if isinstance(rule, Text) else None
            return self._text(path, str(item), limit, is_prose=False)
        made = {}
        for key, value in item.items():
            rule = RULES[f"{path}.*.{key}"]
            if isinstance(rule, Text):
                text = self._text(f"{path}.{key}", str(as_text(value)), rule.high, is_prose=False)
                if text is None or len(text) < rule.low:
                    return None
                made[key] = text
            elif isinstance(rule, Number):
                if not _is_number(value):
                    self.notes.append(f"{path}: {printable(item.get('name', ''), 60)} has no finite value")
                    return None
                made[key] = value
        return made

    def section(self, prefix: str) -> dict[str, Any]:
        """Return the values below a path, nested, in the order of the SDK."""
        made: dict[str, Any] = {}
        # Free keys have no place in the table, and follow as they were found.
        for path in sorted(self.values, key=lambda path: _ORDER.get(path, len(_ORDER))):
            value = self.values[path]
            if path.startswith(prefix + "."):
                at = made
                *parents, last = path.removeprefix(prefix + ".").split(".")
                for key in parents:
                    at = at.setdefault(key, {})
                at[last] = value
        return made

    def extension(self) -> dict[str, Any]:
        """Return the extensions, nested."""
        made: dict[str, Any] = {}
        for path, value in self.extensions.items():
            at = made
            *parents, last = path.split(".")
            for key in parents:
                at = at.setdefault(key, {})
            at[last] = value
        return made

    def provenance(self, content: Mapping[str, Any]) -> dict[str, dict[str, str]]:
        """Return where the fields of a content came from that still say what was found.

        Parameters
        ----------
        content : mapping
            Of a card; extensions may stand in it as ``extensions``.
        """
        made = {}
        for path, source in self.sources.items():
            found = (
                self.extensions[path.removeprefix("extensions.")]
                if path.startswith("extensions.")
                else self.values[path]
            )
            if value_at(content, path) == found:
                made[path] = {"source": source, "moment": self.moment}
        return made


def value_at(content: Mapping[str, Any], path: str) -> Any:
    """Return what a content has at a dotted path, or None.

    Examples
    --------
    >>> value_at({"a": {"b": [1]}}, "a.b"), value_at({"a": 1}, "a.b")
    ([1], None)
    """
    at: Any = content
    for key in path.split("."):
        if not isinstance(at, dict) or key not in at:
            return None
        at = at[key]
    return at


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
