"""State: a summary of data that can be merged, and the laws it keeps.

1. Merging with ``empty()`` changes nothing; grouping and order do not matter.
2. Folding two halves and merging equals folding the whole.
3. Writing and reading back gives an equal State that still merges.
4. Nothing in, nothing out: an empty State finalizes to no value, never to 0.

Every State here is exact in this sense: the same rows give the same State, bit for bit, whatever the order of the
rows, the size of the batches, the grouping of the merges and the engine (NumPy or compiled) that did the work.
Where a State summarises (bins, samples), *which* summary it ends in depends on the rows alone.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["Packed", "State", "StateMismatchError", "same_setting", "states"]


class StateMismatchError(ValueError):
    """Two States of different configuration cannot be merged.

    Attributes
    ----------
    setting : str
        The setting that differs.
    """

    def __init__(self, kind: str, setting: str, left: object, right: object) -> None:
        super().__init__(
            f"cannot merge two {kind} States: {setting} is {left} on one side and {right} on the other"
        )
        self.setting = setting


def same_setting(kind: str, setting: str, parts: Sequence[Any]) -> None:
    """Refuse States of different configuration.

    Raises
    ------
    StateMismatchError
    """
    first = getattr(parts[0], setting)
    for part in parts:
        other = getattr(part, setting)
        if other != first:
            raise StateMismatchError(kind, setting, first, other)


@dataclass(frozen=True, slots=True)
class Packed:
    """A State as plain values, ready for a file.

    Attributes
    ----------
    scalars : mapping of str to int, float, str, bool or None
    arrays : mapping of str to ndarray
        One-dimensional, of dtype int64, uint64, float64 or uint8.
    """

    scalars: Mapping[str, Any]
    arrays: Mapping[str, np.ndarray[Any, Any]] = field(default_factory=dict)


class State(ABC):
    """A summary of data that can be merged."""

    kind: ClassVar[str]
    """Name under which the State is written to files."""

    @abstractmethod
    def empty(self) -> Self:
        """Return a State of the same configuration without data."""

    @abstractmethod
    def update(self, *columns: Any) -> Self:
        """Return this State with the values of `columns` folded in."""

    @abstractmethod
    def merge(self, other: Self) -> Self:
        """Return the State of both sides' data.

        Raises
        ------
        StateMismatchError
            If the configurations differ.
        """

    @classmethod
    def merge_many(cls, parts: Sequence[Self]) -> Self:
        """Return the State of the data of all `parts`, at least one: the same as merging them one by one, faster.

        Raises
        ------
        StateMismatchError
            If the configurations differ.
        """
        whole = parts[0]
        for part in parts[1:]:
            whole = whole.merge(part)
        return whole

    @abstractmethod
    def finalize(self) -> Mapping[str, float | None]:
        """Return the numbers people ask for; None where there is no value."""

    @abstractmethod
    def pack(self) -> Packed:
        """Return the State as plain values."""

    @classmethod
    @abstractmethod
    def unpack(cls, packed: Packed) -> Self:
        """Rebuild the State that :meth:`pack` wrote.

        Raises
        ------
        ValueError
            If the values cannot have come from :meth:`pack`.
        """

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other) or not isinstance(other, State):
            return NotImplemented
        mine, theirs = self.pack(), other.pack()
        return (
            dict(mine.scalars) == dict(theirs.scalars)
            and mine.arrays.keys() == theirs.arrays.keys()
            and all(np.array_equal(a, theirs.arrays[name]) for name, a in mine.arrays.items())
        )

    __hash__ = None  # type: ignore[assignment]


def states() -> Iterator[type[State]]:
    """Yield every concrete State class that has been imported."""
    waiting = list(State.__subclasses__())
    while waiting:
        cls = waiting.pop()
        waiting.extend(cls.__subclasses__())
        # A dataclass with slots is made twice; the first make lives on, unnamed, until it is collected.
        is_named = getattr(sys.modules[cls.__module__], cls.__name__, None) is cls
        if is_named and not getattr(cls, "__abstractmethods__", None):
            yield cls
