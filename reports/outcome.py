"""Measurement, Outcome: a number with its uncertainty, and the judgement passed on it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from driftline.baselines.constraint import Constraint

__all__ = ["Measurement", "Outcome", "Place", "Status"]


class Status(StrEnum):
    """What can be said about a constraint. "Cannot tell" is an answer and never counts as passed."""

    PASSED = "passed"
    VIOLATED = "violated"
    UNDETERMINED = "undetermined"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A row of the data.

    Attributes
    ----------
    source : str
        File or object the row stands in; empty for data handed over in memory.
    row : int
        1-based row of that source, not counting a header line.
    """

    source: str
    row: int


@dataclass(frozen=True, slots=True)
class Measurement:
    """A measured number and everything needed to weigh it. Never a verdict.

    Attributes
    ----------
    name : str
        The check that measured it.
    value : float or None
        The effect; None where there was nothing to measure.
    unit : str
    n_current : int
        Values on the current side that entered.
    n_baseline : int or None
        Values on the baseline's side; None where the check does not compare.
    interval : tuple of float, or None
        95 % interval of the effect from sampling on both sides, widened by `sketch_error`.
    sketch_error : float
        Largest error that summarising the data can have put into `value`; 0 where the summary is exact.
    p_value : float or None
        Probability of evidence at least this strong if nothing had changed.
    detectable : float or None
        Smallest effect that these sample sizes can tell from none (5 % level).
    n_bad : int or None
        Values that break the rule, for checks that count them.
    where : tuple of Place
        The first rows that break the rule (not more than eight).
    examples : tuple of str
        Offending values, as text.
    note : str or None
        What a reader should know about how the number came about.
    baseline : float or None
        The same number on the baseline's side, where it has a value of its own there.
    """

    name: str
    value: float | None
    unit: str
    n_current: int
    n_baseline: int | None = None
    interval: tuple[float, float] | None = None
    sketch_error: float = 0.0
    p_value: float | None = None
    detectable: float | None = None
    n_bad: int | None = None
    where: tuple[Place, ...] = ()
    examples: tuple[str, ...] = ()
    note: str | None = None
    baseline: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """A constraint, what was measured, and what follows.

    Attributes
    ----------
    constraint : Constraint
    measurement : Measurement
    status : Status
    reason : str
        One sentence for people.
    q_value : float or None
        p-value after the Benjamini–Hochberg correction over all evidence-backed checks of the run.
    segment : str or None
        ``"column=value"`` where only these rows were looked at.
    """

    constraint: Constraint
    measurement: Measurement
    status: Status
    reason: str
    q_value: float | None = None
    segment: str | None = None

    @property
    def is_violation(self) -> bool:
        """Tell whether the constraint is violated."""
        return self.status is Status.VIOLATED
