"""Source: an object of another system's document that remembers what was taken from it.

What nobody took is lost, and is told: a converter cannot forget a field.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from driftline.errors import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Source", "number_of"]

NO_PLACE = "a card has no place for it"


class Source:
    """An object from outside.

    Parameters
    ----------
    value : object
        Should be an object; whatever else it is, is left.
    path : str
        Where it stands, dotted.
    """

    def __init__(self, value: Any, path: str = "") -> None:
        self.path = path
        self._value: dict[str, Any] = value if isinstance(value, dict) else {}
        self._strange = value is not None and not isinstance(value, dict)
        self._taken: set[str] = set()
        self._inside: list[Source] = []
        self._said: list[tuple[str, str]] = []

    def join(self, key: object) -> str:
        """Return the dotted path of something below."""
        shown = printable(key, 80)
        return f"{self.path}.{shown}" if self.path else shown

    def leave(self, key: str, why: str) -> None:
        """Note that `key` is taken, and lost for a reason."""
        self._taken.add(key)
        if self._value.get(key) not in (None, "", [], {}):
            self._said.append((self.join(key), why))

    def has(self, key: str) -> bool:
        """Tell whether there is something at a key."""
        return self._value.get(key) is not None

    def keys(self) -> list[str]:
        """Return the keys that nobody took yet."""
        return [key for key in self._value if key not in self._taken]

    def raw(self, key: str) -> Any:
        """Take whatever stands at a key."""
        self._taken.add(key)
        return self._value.get(key)

    def text(self, key: str) -> str | None:
        """Take a text; None where there is none, or only white space."""
        value = self._value.get(key)
        if not isinstance(value, str):
            return None
        self._taken.add(key)
        return value if value.strip() else None

    def number(self, key: str) -> float | int | None:
        """Take a finite number, also one written as text."""
        value = number_of(self._value.get(key))
        if value is not None:
            self._taken.add(key)
        return value

    def texts(self, key: str) -> list[str]:
        """Take the texts of a list, or one text; items of other kinds are lost."""
        value = self._value.get(key)
        if isinstance(value, str):
            value = [value]
        if not isinstance(value, list):
            return []
        self._taken.add(key)
        found = []
        for place, one in enumerate(value):
            if isinstance(one, str):
                found += [one] if one.strip() else []
            elif one is not None:
                self._said.append((f"{self.join(key)}.{place}", "expected text"))
        return found

    def inside(self, key: str) -> Source:
        """Take an object; an empty one where there is none."""
        value = self._value.get(key)
        self._taken.add(key)
        return self._keep(Source(value, self.join(key)))

    def each(self, key: str) -> list[Source]:
        """Take the objects of a list, or one object."""
        value = self._value.get(key)
        if isinstance(value, dict):
            return [self.inside(key)]
        if not isinstance(value, list):
            return []
        return self.given(key, value)

    def given(self, key: str, items: list[Any]) -> list[Source]:
        """Take items in place of what stands at a key."""
        self._taken.add(key)
        return [self._keep(Source(one, f"{self.join(key)}.{place}")) for place, one in enumerate(items)]

    def told(self, key: str, field: str) -> list[tuple[str, str, Source | None]]:
        """Take the items of a list, or one item, that are texts, or objects with a text at `field`.

        Returns
        -------
        list of (place, text, object or None)
        """
        value = self._value.get(key)
        items = value if isinstance(value, list) else [value]
        if not all(isinstance(one, (str, dict)) for one in items):
            return []
        self._taken.add(key)
        found: list[tuple[str, str, Source | None]] = []
        for place, one in enumerate(items):
            where = f"{self.join(key)}.{place}" if isinstance(value, list) else self.join(key)
            if isinstance(one, str):
                found += [(where, one, None)] if one.strip() else []
                continue
            inside = self._keep(Source(one, where))
            text = inside.text(field)
            found += [] if text is None else [(where, text, inside)]
        return found

    def _keep(self, source: Source) -> Source:
        self._inside.append(source)
        return source

    def left(self) -> Iterator[str]:
        """Yield what is lost, as `Converted.lost` has it."""
        if self._strange:
            yield f"{self.path or 'document'}: expected an object"
        for path, why in self._said:
            yield f"{path}: {why}"
        for key in self.keys():
            if self._value[key] not in (None, "", [], {}):
                yield f"{self.join(key)}: {NO_PLACE}"
        for one in self._inside:
            yield from one.left()


def number_of(value: object) -> float | int | None:
    """Return the finite number that a value is, or that its text says.

    Examples
    --------
    >>> number_of("0.50"), number_of("3"), number_of(True), number_of("nan")
    (0.5, 3, None, None)
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        text = value.strip()
        # Python also reads underscores and other digits, which are no numbers anywhere else.
        if not text or len(text) > 40 or not set(text) <= set("0123456789+-.eE"):
            return None
        try:
            value = int(text)
        except ValueError:
            try:
                value = float(text)
            except ValueError:
                return None
    if isinstance(value, int):
        return value if abs(value) <= (1 << 53) - 1 else None
    return value if isinstance(value, float) and math.isfinite(value) else None
