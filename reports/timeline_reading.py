"""From what runs left behind to time lines: which look at a window speaks, and which metrics matter."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from driftline.baselines.constraint import CHECKS
from driftline.baselines.metrics import BIAS, METRICS
from driftline.documents import nearest
from driftline.errors import UsageError
from driftline.reports import wording
from driftline.reports.timeline import Estimate, Mark, Point, Timeline, allowed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from driftline.reports.report import Report

__all__ = ["MOST_CHOSEN", "Look", "estimates_of", "timelines"]

MOST_CHOSEN: Final = 6
"""Time lines shown where nobody says which."""

_FINISHED: Final = ("Completed", "CompletedWithViolations")
_STATES: Final[Mapping[str, str]] = {
    "NoData": "no data",
    "Failed": "failed",
    "Skipped": "skipped",
    "Stopped": "stopped",
    "Stopping": "stopped",
    "Pending": "waiting",
    "InProgress": "waiting",
}
_JUDGED: Final = ("passed", "violated", "undetermined")

Key = tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class Look:
    """One run of a monitor over one window, as far as time lines need it.

    Attributes
    ----------
    window_start, window_end : int
        Microseconds since 1970-01-01 UTC.
    revision : int
    status : str
        Of the execution, such as ``CompletedWithViolations``.
    execution : str
        Its id.
    message : str or None
    measurements : sequence of mapping
        What ``result["measurements"]`` holds: ``check``, ``feature``, ``value``, ``bound``, ``status``, ``severity``; of
        metrics also ``interval``, ``baseline``, ``low``, ``high``, and ``estimated``: the value and the interval that were
        expected of rows without labels, or true where the value itself is such an estimate.
    baseline_version : int or None
    """

    window_start: int
    window_end: int
    revision: int
    status: str
    execution: str = ""
    message: str | None = None
    measurements: Sequence[Mapping[str, Any]] = ()
    baseline_version: int | None = None


def timelines(
    looks: Iterable[Look],
    *,
    schedule: str,
    kind: str,
    check: str | None = None,
    feature: str | None = None,
    marks: Sequence[Mark] = (),
    most: int = MOST_CHOSEN,
) -> tuple[Timeline, ...]:
    """Make time lines of what runs left behind.

    Of each window the newest finished look speaks; the first estimate of any look stays beside it.

    Parameters
    ----------
    looks : iterable of Look
        In any order, of one schedule.
    schedule, kind : str
    check : str, optional
        The metric: ``recall``, ``bias_dpl`` or ``DPL``; where not given, those that matter most are chosen: violated ones
        first, the newest and the gravest before the others, then those nearest to their bound.
    feature : str, optional
        Only of this column, group, feature or segment.
    marks : sequence of Mark
        Deployments; changes of the baseline are found in the looks.
    most : int
        How many at most where `check` is not given.

    Raises
    ------
    UsageError
        ``E-NO-METRIC``, ``E-NO-FEATURE``: no run measured that.
    """
    windows: dict[tuple[int, int], list[Look]] = {}
    for look in looks:
        windows.setdefault((look.window_start, look.window_end), []).append(look)
    ordered = [sorted(windows[at], key=lambda look: look.revision) for at in sorted(windows)]
    speaking = [_speaking(revisions) for revisions in ordered]
    known = _keys(ordered)
    chosen = _wanted(known, check, feature) if check is not None or feature is not None else list(known)
    series = _series(ordered, set(chosen))
    all_marks = tuple(
        sorted([*marks, *_baselines(speaking)], key=lambda mark: (mark.moment, mark.kind, mark.label))
    )
    made = [
        Timeline(schedule, kind, key[0], key[1], _points(ordered, speaking, series[key]), all_marks)
        for key in chosen
    ]
    if check is None:
        ranked = sorted(range(len(made)), key=lambda i: (*_rank(made[i]), i))
        made = [made[i] for i in ranked[:most]]
    return tuple(made)


def estimates_of(report: Report) -> dict[str, list[float | None]]:
    """Return what a report expects of the rows whose labels have not come, by metric.

    Returns
    -------
    dict of str to list
        Value, low and high, as an execution keeps them under ``estimated``; empty where the report has no exhibit
        ``estimate``.
    """
    exhibit = next((one for one in report.exhibits if one.name == "estimate" and one.kind == "table"), None)
    if exhibit is None or not {"metric", "estimated", "low", "high"} <= set(exhibit.columns):
        return {}
    at = [exhibit.columns.index(head) for head in ("metric", "estimated", "low", "high")]
    checks = {info.title: name for name, info in METRICS.items()}
    found: dict[str, list[float | None]] = {}
    for row in exhibit.rows:
        check, value = checks.get(str(row[at[0]])), _number(row[at[1]])
        if check is not None and value is not None:
            found[check] = [value, _number(row[at[2]]), _number(row[at[3]])]
    return found


def _speaking(revisions: Sequence[Look]) -> Look:
    """Return the look that speaks for a window: the newest that finished, else the newest."""
    finished = [look for look in revisions if look.status in _FINISHED or look.status == "NoData"]
    return (finished or revisions)[-1]


def _key(measurement: Mapping[str, Any]) -> Key | None:
    check = measurement.get("check")
    if not isinstance(check, str):
        return None
    segment, feature = measurement.get("segment"), measurement.get("feature")
    of = feature if isinstance(feature, str) else None
    if isinstance(segment, str) and segment != of:
        of = segment if of is None else f"{of} [{segment}]"
    return check, of


def _keys(ordered: Iterable[Sequence[Look]]) -> dict[Key, None]:
    found: dict[Key, None] = {}
    for revisions in reversed(list(ordered)):
        for look in revisions:
            for measurement in look.measurements:
                key = _key(measurement)
                if key is not None:
                    found.setdefault(key)
    return found


def _wanted(known: Iterable[Key], check: str | None, feature: str | None) -> list[Key]:
    keys = list(known)
    if check is not None:
        name = _check_of(check)
        of_check = [key for key in keys if key[0] == name]
        if not of_check:
            measured = list(dict.fromkeys(key[0] for key in keys))
            raise _unknown("E-NO-METRIC", f"no run has measured {check!r}", name, measured)
        keys = of_check
    if feature is not None:
        of_feature = [key for key in keys if key[1] == feature]
        if not of_feature:
            features = list(dict.fromkeys(key[1] for key in keys if key[1] is not None))
            raise _unknown(
                "E-NO-FEATURE", f"no run has measured {check or 'anything'} of {feature!r}", feature, features
            )
        keys = of_feature
    return keys


def _check_of(text: str) -> str:
    folded = text.casefold().replace("-", "_").replace(" ", "_")
    if folded in CHECKS or folded in METRICS:
        return folded
    return f"bias_{folded}" if f"bias_{folded}" in BIAS else folded


def _unknown(code: str, message: str, given: str, known: Sequence[str]) -> UsageError:
    close = nearest(given, known)
    fix = (
        f"did you mean {close!r}?" if close else f"use one of {wording.listing(known, 20)}" if known else None
    )
    return UsageError(message, code=code, fix=fix or "wait until it has run")


def _series(
    ordered: Sequence[Sequence[Look]], wanted: set[Key]
) -> dict[Key, dict[str, list[Mapping[str, Any]]]]:
    """Return the measurements of each wanted metric by execution."""
    found: dict[Key, dict[str, list[Mapping[str, Any]]]] = {key: {} for key in wanted}
    for revisions in ordered:
        for look in revisions:
            for measurement in look.measurements:
                key = _key(measurement)
                if key is not None and key in found:
                    found[key].setdefault(_name(look), []).append(measurement)
    return found


def _name(look: Look) -> str:
    return f"{look.window_start}/{look.window_end}/{look.revision}"


def _points(
    ordered: Sequence[Sequence[Look]],
    speaking: Sequence[Look],
    entries: Mapping[str, Sequence[Mapping[str, Any]]],
) -> tuple[Point, ...]:
    return tuple(
        _point(look, entries.get(_name(look), ()), _estimate(revisions, entries))
        for revisions, look in zip(ordered, speaking, strict=True)
    )


def _point(look: Look, entries: Sequence[Mapping[str, Any]], estimate: Estimate | None) -> Point:
    entry = next((one for one in entries if one.get("estimated") is not True), None)
    state = _STATES.get(look.status, "not measured")
    if look.status in _FINISHED:
        status = None if entry is None else entry.get("status")
        state = status if status in _JUDGED else "undetermined" if entries else "not measured"
    given: Mapping[str, Any] = entry or {}
    low, high = _ends(given.get("interval"))
    return Point(
        look.window_start,
        look.window_end,
        state,
        _number(given.get("value")),
        low,
        high,
        _number(given.get("bound")),
        _number(given.get("low")),
        _number(given.get("high")),
        _number(given.get("baseline")),
        estimate,
        str(given["severity"]) if state == "violated" and given.get("severity") else None,
        look.revision,
        look.execution,
        look.message,
    )


def _estimate(
    revisions: Sequence[Look], entries: Mapping[str, Sequence[Mapping[str, Any]]]
) -> Estimate | None:
    """Return the first estimate that a look at a window made: what was said when labels were still missing."""
    for look in revisions:
        for entry in entries.get(_name(look), ()):
            found = _estimated(entry)
            if found is not None:
                return found
    return None


def _estimated(entry: Mapping[str, Any]) -> Estimate | None:
    given = entry.get("estimated")
    if given is True:
        given = [entry.get("value"), *(entry.get("interval") or (None, None))]
    if isinstance(given, dict):
        given = [given.get("value"), *(given.get("interval") or (given.get("low"), given.get("high")))]
    numbers = [_number(x) for x in given[:3]] if isinstance(given, (list, tuple)) else [_number(given)]
    if not numbers or numbers[0] is None:
        return None
    low, high = numbers[1:] if len(numbers) == 3 else (None, None)
    return Estimate(numbers[0], low, high)


def _ends(given: object) -> tuple[float | None, float | None]:
    if isinstance(given, (list, tuple)) and len(given) == 2:
        return _number(given[0]), _number(given[1])
    return None, None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return float(value)


def _baselines(speaking: Sequence[Look]) -> list[Mark]:
    """Tell from which window on another version of the baseline is held against the data."""
    marks = []
    last: int | None = None
    for look in speaking:
        version = look.baseline_version
        if version is not None and last is not None and version != last:
            marks.append(Mark(look.window_start, f"baseline {version}", "baseline"))
        last = last if version is None else version
    return marks


def _rank(timeline: Timeline) -> tuple[float, ...]:
    """Order time lines: violated in the newest window, gravest, most often, whole before parts, nearest to the bound."""
    states = [point.state for point in timeline.points]
    judged = [point for point in timeline.points if point.state in _JUDGED]
    newest = judged[-1].state if judged else ""
    n_violated = states.count("violated")
    is_critical = any(point.severity == "critical" for point in timeline.points)
    return (
        -(newest == "violated"),
        -(n_violated > 0),
        -is_critical,
        -n_violated,
        -(newest == "undetermined") if timeline.last is not None else 1,
        timeline.feature is not None and timeline.check in METRICS,
        -_closeness(timeline),
    )


def _closeness(timeline: Timeline) -> float:
    """Return how near the newest value is to its bound, 1 at the bound, in parts of what would be allowed."""
    point = timeline.last
    if point is None or point.value is None:
        return -1.0
    low, high = allowed(timeline, point)
    near = []
    for end in (low, high):
        if end is not None:
            start = point.baseline if point.baseline is not None else (1.0 if end == low and end > 0 else 0.0)
            near.append((point.value - start) / (end - start) if end != start else float(point.value == end))
    return max(near, default=-1.0)
