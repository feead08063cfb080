"""Verdict: what a fault did to the store, how often it was tried, and how much of it was wrong."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Effort", "Verdict"]

FIGURES = ("lost", "unreadable", "duplicates", "failed", "silent", "unbalanced")


@dataclass(slots=True)
class Verdict:
    """One row of the table.

    Attributes
    ----------
    id : str
        Of the rig; rows with the same id are one.
    fault, how : str
        What goes wrong, and how that is brought about.
    times : int
        How often.
    acknowledged : int
        Events of which the host was told that they are stored.
    lost : int
        Of these, events that cannot be read afterwards.
    unreadable : int
        Files to be seen that are damaged, partial or missing.
    duplicates : int
        Rows to be seen that are there twice.
    failed : int
        Calls of the host that hung or raised what is not documented, and stores that could not be opened again.
    silent : int
        Wrong or missing values that nothing reported.
    unbalanced : int
        Stores whose counts do not add up.
    notes : Counter
        What else happened, and how often.
    examples : list of str
        The first things that were wrong.
    """

    id: str
    fault: str
    how: str
    times: int = 0
    acknowledged: int = 0
    lost: int = 0
    unreadable: int = 0
    duplicates: int = 0
    failed: int = 0
    silent: int = 0
    unbalanced: int = 0
    notes: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Nothing was wrong."""
        return not any(getattr(self, figure) for figure in FIGURES)

    def wrong(self, figure: str, n: int, example: str) -> None:
        """Count what is wrong."""
        if n:
            setattr(self, figure, getattr(self, figure) + n)
            if len(self.examples) < 10:
                self.examples.append(f"{figure} {n}: {example}"[:600])

    def to_json(self) -> dict[str, Any]:
        """Return what is recorded."""
        return asdict(self) | {"notes": dict(sorted(self.notes.items()))}


@dataclass(slots=True)
class Effort:
    """How long a rig goes on: for a number of rounds or for some time, whatever ends first.

    Attributes
    ----------
    rounds : int
    seconds : float
    seed : int
    least : int
        Rounds for which there is always time.
    """

    rounds: int
    seconds: float = 1e9
    seed: int = 1
    least: int = 0

    def each(self) -> Iterator[int]:
        """Number the rounds."""
        end = time.monotonic() + self.seconds
        for number in range(self.rounds):
            if time.monotonic() > end and number >= self.least:
                return
            yield number
