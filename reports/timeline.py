"""Timeline: one metric of a monitor over its windows, with its bound, and what became of each window.

A window that was not measured is never a number and never joined with its neighbours as if it were: that nothing was
captured, that the run failed or was skipped, and that the metric could not be judged are told apart. Estimates of model
quality for windows whose labels had not come stand beside what was measured when they had.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from driftline.baselines.constraint import CHECKS, DRIFT_CHECKS
from driftline.baselines.metrics import METRICS
from driftline.reports.scale import finite, span

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = [
    "MEASURED",
    "STATES",
    "Estimate",
    "Mark",
    "Point",
    "Score",
    "Timeline",
    "allowed",
    "drawn_ends",
    "is_joined",
    "is_near",
    "moment",
    "score",
    "worse",
]

STATES: Final[Mapping[str, str]] = {
    "passed": "passed",
    "violated": "violated",
    "undetermined": "could not be judged",
    "no data": "no data",
    "failed": "the run failed",
    "skipped": "skipped",
    "stopped": "the run was stopped",
    "waiting": "not run yet",
    "not measured": "another version of the monitor, which did not measure it",
}
"""What can become of a window, and how it is told."""

MEASURED: Final = ("passed", "violated")
"""States in which the value is one that was judged."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a metric was expected to be before the labels came.

    Attributes
    ----------
    value : float
    low, high : float or None
        95 % interval.
    """

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """A metric in one window.

    Attributes
    ----------
    window_start, window_end : int
        Microseconds since 1970-01-01 UTC; the end is not part of it.
    state : str
        A key of :data:`STATES`.
    value : float or None
        As measured; None where it was not, or is not finite.
    low, high : float or None
        95 % interval of the value.
    bound : float or None
        The value beyond which it was a violation.
    bound_low, bound_high : float or None
        The allowed range, for metrics that have one.
    baseline : float or None
        The metric's value in the baseline that it was held to.
    estimate : Estimate or None
        What the window was first expected to come to, before its labels came.
    severity : str or None
        Of a violation.
    revision : int
        The how-many-th look at the window speaks here.
    execution : str
        Its id; empty where unknown.
    message : str or None
        What the run said.
    """

    window_start: int
    window_end: int
    state: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    bound: float | None = None
    bound_low: float | None = None
    bound_high: float | None = None
    baseline: float | None = None
    estimate: Estimate | None = None
    severity: str | None = None
    revision: int = 1
    execution: str = ""
    message: str | None = None

    @property
    def middle(self) -> float:
        """The middle of the window, in microseconds."""
        return self.window_start / 2 + self.window_end / 2


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened to the model or its monitor.

    Attributes
    ----------
    moment : int
        Microseconds since 1970-01-01 UTC.
    label : str
        Such as ``churn 7``.
    kind : str
        ``deployment`` or ``baseline``.
    """

    moment: int
    label: str
    kind: str = "deployment"


@dataclass(frozen=True, slots=True)
class Score:
    """How good the estimates were, where the truth has come.

    Attributes
    ----------
    n : int
        Windows with an estimate whose metric was measured later.
    mean_error : float or None
        Mean of estimate minus measurement: above 0 the estimates were too high.
    mean_absolute_error : float or None
    n_intervals : int
        Of the `n` windows, those whose estimate has an interval.
    inside : float or None
        Share of these in which the measured value lies inside it; 0.95 is what it promises.
    """

    n: int
    mean_error: float | None = None
    mean_absolute_error: float | None = None
    n_intervals: int = 0
    inside: float | None = None


@dataclass(frozen=True)
class Timeline:
    """One metric of a monitor over its windows.

    Attributes
    ----------
    schedule : str
    kind : str
        Recipe of the monitor, such as ``model-quality``.
    check : str
        Key of the check or metric.
    feature : str or None
        The column, group, feature or segment that it is of; None for all rows.
    points : tuple of Point
        One for each window, in the order of time.
    marks : tuple of Mark
        In the order of time.
    """

    schedule: str
    kind: str
    check: str
    feature: str | None
    points: tuple[Point, ...]
    marks: tuple[Mark, ...] = field(default=())

    @property
    def unit(self) -> str:
        """Unit of the values."""
        info = CHECKS.get(self.check) or METRICS.get(self.check)
        return info.unit if info else ""

    @cached_property
    def spacing(self) -> float:
        """The usual distance of two windows in microseconds; 0 where there are not two."""
        gaps = sorted(
            b.window_start - a.window_start for a, b in zip(self.points, self.points[1:], strict=False)
        )
        return float(gaps[len(gaps) // 2]) if gaps else 0.0

    @property
    def last(self) -> Point | None:
        """The newest window with a value."""
        return next((point for point in reversed(self.points) if point.value is not None), None)

    def to_document(self) -> dict[str, Any]:
        """Return the time line as JSON values."""
        from driftline.reports.timeline_words import story, title

        found = score(self.points)
        return {
            "check": self.check,
            "title": title(self),
            "feature": self.feature,
            "unit": self.unit,
            "story": story(self),
            "points": [_point(point) for point in self.points],
            "marks": [{"at": moment(m.moment), "label": m.label, "kind": m.kind} for m in self.marks],
            "estimates": None
            if not found.n
            else {
                "windows": found.n,
                "mean_error": found.mean_error,
                "mean_absolute_error": found.mean_absolute_error,
                "inside_interval": found.inside,
            },
        }


def _point(point: Point) -> dict[str, Any]:
    estimate = point.estimate
    return {
        "window_start": moment(point.window_start),
        "window_end": moment(point.window_end),
        "state": point.state,
        "value": point.value,
        "interval": None if point.low is None or point.high is None else [point.low, point.high],
        "bound": point.bound,
        "allowed": None
        if point.bound_low is None and point.bound_high is None
        else [point.bound_low, point.bound_high],
        "baseline": point.baseline,
        "estimate": None
        if estimate is None
        else {
            "value": estimate.value,
            "interval": None
            if estimate.low is None or estimate.high is None
            else [estimate.low, estimate.high],
        },
        "revision": point.revision,
        "execution": point.execution or None,
        "message": point.message,
    }


def moment(at: float) -> str:
    """Spell microseconds since 1970-01-01 UTC in RFC 3339."""
    try:
        return (_EPOCH + timedelta(microseconds=int(at))).isoformat().replace("+00:00", "Z")
    except OverflowError:
        return f"{int(at)} µs"


def worse(check: str) -> str:
    """Return the direction in which a number gets worse: ``higher``, ``lower`` or ``either``."""
    if check in METRICS:
        return METRICS[check].worse
    return "higher" if check in (*DRIFT_CHECKS, "missing_column", "extra_column", "freshness") else "lower"


def allowed(timeline: Timeline, point: Point) -> tuple[float | None, float | None]:
    """Return the ends of what was allowed in a window; None for an end that is open."""
    if point.bound_low is not None or point.bound_high is not None:
        return point.bound_low, point.bound_high
    if point.bound is None:
        return None, None
    way = worse(timeline.check)
    if way == "either":
        return -abs(point.bound), abs(point.bound)
    return (None, point.bound) if way == "higher" else (point.bound, None)


def drawn_ends(timeline: Timeline, points: Sequence[Point]) -> tuple[float, float]:
    """Return ends of a scale for what was measured, with the bounds and intervals as far as they leave it readable.

    A bound that lies far away, or the interval of a very small window, may not flatten everything else.
    """
    core: list[float] = []
    for point in points:
        core += finite(
            (point.value, point.baseline, None if point.estimate is None else point.estimate.value)
        )
    bounds = [end for point in points for end in finite(allowed(timeline, point))]
    if not core:
        return span(bounds)
    low, high = min(core), max(core)
    room = 2 * max(high / 2 - low / 2, abs(high) * 0.05, abs(low) * 0.05)
    near = [end for end in bounds if low - 2 * room <= end <= high + 2 * room]
    low, high = min([low, *near]), max([high, *near])
    outer: list[float] = []
    for point in points:
        estimate = point.estimate
        outer += finite((point.low, point.high))
        outer += [] if estimate is None else finite((estimate.low, estimate.high))
    room = max(high / 2 - low / 2, room / 2)
    return span([low, high, *(min(max(x, low - room), high + room) for x in outer)])


def is_joined(timeline: Timeline, before: Point, after: Point) -> bool:
    """Tell whether two windows that follow each other may be joined by a line.

    Both must have been measured and judged, and no stretch of time between them be left out.
    """
    if before.state not in MEASURED or after.state not in MEASURED:
        return False
    if before.value is None or after.value is None:
        return False
    return is_near(timeline, before, after)


def is_near(timeline: Timeline, before: Point, after: Point) -> bool:
    """Tell whether nothing lies between two windows that follow each other: they touch, or stand as near as usual."""
    if after.window_start <= before.window_end:
        return True
    return after.window_start - before.window_start <= 1.5 * timeline.spacing


def score(points: Iterable[Point]) -> Score:
    """Hold estimates against what was measured when the labels had come.

    Examples
    --------
    >>> score([Point(0, 1, "passed", 0.5, estimate=Estimate(0.6, 0.4, 0.7)), Point(1, 2, "passed", 0.5)])
    Score(n=1, mean_error=0.09999999999999998, mean_absolute_error=0.09999999999999998, n_intervals=1, inside=1.0)
    """
    pairs = [(p.estimate, p.value) for p in points if p.estimate is not None and p.value is not None]
    if not pairs:
        return Score(0)
    errors = [estimate.value - value for estimate, value in pairs]
    inside = [e.low <= value <= e.high for e, value in pairs if e.low is not None and e.high is not None]
    n = len(pairs)
    return Score(
        n,
        math.fsum(errors) / n,
        math.fsum(map(abs, errors)) / n,
        len(inside),
        sum(inside) / len(inside) if inside else None,
    )
