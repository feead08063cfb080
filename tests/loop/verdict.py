"""Verdict: what was tried, how often, and how often it came out wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["Verdict"]


@dataclass(slots=True)
class Verdict:
    """One row of the table.

    Attributes
    ----------
    id : str
        Of the faults it covers; rows with the same id are one.
    case : str
        What goes wrong, and what must hold then.
    how : str
        How it is brought about.
    tries : int
        How often what must hold was looked at.
    failures : int
        How often it did not.
    notes : Counter
        What else happened, and how often.
    examples : list of str
        The first failures.
    """

    id: str
    case: str
    how: str
    tries: int = 0
    failures: int = 0
    notes: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Nothing was wrong."""
        return not self.failures

    def check(self, holds: object, what: str, n: int = 1) -> bool:
        """Count something that must hold."""
        self.tries += n
        if not holds:
            self.wrong(what, n)
        return bool(holds)

    def wrong(self, what: str, n: int = 1) -> None:
        """Count what is wrong."""
        self.failures += n
        if len(self.examples) < 10:
            self.examples.append(what[:600])

    def most(self, what: str, value: float) -> None:
        """Keep the greatest of some values."""
        self.notes[what] = max(self.notes[what], round(value, 2))  # type: ignore[assignment]

    def to_json(self) -> dict[str, Any]:
        """Return what is recorded."""
        return asdict(self) | {"notes": dict(sorted(self.notes.items()))}
