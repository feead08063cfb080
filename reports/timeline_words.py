"""What a time line says, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftline.reports import wording
from driftline.reports.timeline import MEASURED, STATES, allowed, moment, score

if TYPE_CHECKING:
    from collections.abc import Sequence

    from driftline.reports.timeline import Point, Timeline

__all__ = ["limit", "minute", "scored", "story", "title"]


def title(timeline: Timeline) -> str:
    """Name a time line: ``Recall``, ``Recall of sex=Female``."""
    name = wording.title(timeline.check)
    return name if timeline.feature is None else f"{name} of {wording.name(timeline.feature, 80)}"


def story(timeline: Timeline) -> str:
    """Tell a time line in a few sentences."""
    points = timeline.points
    if not points:
        return "Nothing has run yet."
    n = {state: sum(point.state == state for point in points) for state in STATES}
    judged = n["passed"] + n["violated"]
    told = []
    if n["violated"]:
        told.append(f"Violated in {n['violated']:,} of {wording.plural(judged, 'window')}{_since(points)}.")
    elif judged:
        told.append(
            f"Within its bound in {'the only window' if judged == 1 else f'all {judged:,} windows'} judged."
        )
    else:
        told.append("No window could be judged.")
    last = timeline.last
    if last is not None:
        allows = limit(timeline, last)
        told.append(
            f"Last {wording.unit_value(last.value, timeline.unit)}{f' ({allows} allowed)' if allows else ''}."
        )
    gaps = [
        f"{n[state]:,} {words}"
        for state, words in (
            ("undetermined", "not judged"),
            ("no data", "without data"),
            ("failed", "failed"),
            ("skipped", "skipped"),
            ("stopped", "stopped"),
            ("waiting", "not run yet"),
            ("not measured", "not measured"),
        )
        if n[state]
    ]
    if gaps:
        told.append(f"Windows without a judgement: {', '.join(gaps)}.")
    return " ".join(told)


def _since(points: Sequence[Point]) -> str:
    """Say since when the newest judged windows are all violated."""
    judged = [point for point in points if point.state in MEASURED]
    run = 0
    while run < len(judged) and judged[-1 - run].state == "violated":
        run += 1
    if not run:
        return ", not in the last one"
    start = judged[-run].window_start
    return f", without a break since {minute(start)}" if run > 1 else ", in the last one"


def minute(at: int) -> str:
    """Spell a moment to the minute: ``2026-11-23 07:00 UTC``."""
    return moment(at)[:16].replace("T", " ") + " UTC"


def limit(timeline: Timeline, point: Point) -> str:
    """Spell what was allowed in a window; empty where nothing was said."""
    low, high = allowed(timeline, point)
    spelled = [None if x is None else wording.unit_value(x, timeline.unit) for x in (low, high)]
    if spelled[0] is not None and spelled[1] is not None:
        return f"{spelled[0]} to {spelled[1]}"
    if spelled[0] is not None:
        return f"at least {spelled[0]}"
    return "" if spelled[1] is None else f"at most {spelled[1]}"


def scored(timeline: Timeline) -> str:
    """Say how good the estimates were; nothing where there are none."""
    waiting = sum(point.estimate is not None and point.value is None for point in timeline.points)
    found = score(timeline.points)
    if not found.n and not waiting:
        return ""
    if not found.n or found.mean_error is None or found.mean_absolute_error is None:
        return f"Estimates without labels: {wording.plural(waiting, 'window')}, none measured yet."
    unit = timeline.unit
    way = "too high" if found.mean_error > 0 else "too low"
    size = _error(abs(found.mean_error), unit)
    mean = f"on average {size} {way}" if found.mean_error else "right on average"
    inside = ""
    if found.inside is not None:
        hits = round(found.inside * found.n_intervals)
        share = f"{hits:,} of {found.n_intervals:,} measured values ({found.inside:.0%})"
        inside = f"; {share} inside the estimated 95% interval"
    more = f" {wording.plural(waiting, 'window')} wait for labels." if waiting else ""
    return (
        f"Estimates without labels, held against what was measured later in {wording.plural(found.n, 'window')}:"
        f" {mean} (mean absolute error {_error(found.mean_absolute_error, unit)}){inside}.{more}"
    )


def _error(x: float, unit: str) -> str:
    return f"{wording.number(x * 100, 2)} points" if unit == "share" else wording.number(x, 2)
