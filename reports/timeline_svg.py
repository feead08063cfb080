"""A time line as SVG: what is allowed as a band, what was measured as dots, what was only expected as hollow ones.

Below the plot a lane has one sign for each window, by its shape: passed, violated, not judged, no data, failed, skipped.
Lines join only windows that were measured and follow each other.
"""

from __future__ import annotations

import itertools
import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from driftline.reports import wording
from driftline.reports.markup import safe
from driftline.reports.scale import Scale, span, tick_label, ticks
from driftline.reports.timeline import MEASURED, STATES, allowed, drawn_ends, is_joined, is_near
from driftline.reports.timeline_words import limit, minute, story, title

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from driftline.reports.timeline import Point, Timeline

__all__ = ["SIGNS", "draw", "sign"]

WIDTH: Final = 860
HEIGHT: Final = 250
LEFT: Final = 58
RIGHT: Final = 20
TOP: Final = 30
BOTTOM: Final = 54
LANE: Final = HEIGHT - 40
DENSE: Final = 6.0
"""Windows nearer to each other than this, in pixels, are drawn without dots and with a band for the intervals."""

MOST_MARKS: Final = 12

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_STEPS_SECONDS: Final = (
    60, 300, 900, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 86_400, 2 * 86_400, 7 * 86_400, 14 * 86_400, 30 * 86_400,
    91 * 86_400, 365 * 86_400,
)  # fmt: skip

SIGNS: Final = {
    "passed": '<path class="t-good" d="M-3.4 .2l2.5 2.6L3.6 -2.6"/>',
    "violated": '<path class="t-bad" d="M-3 -3L3 3M3 -3L-3 3"/>',
    "undetermined": '<circle class="t-unsure" r="3.2"/><circle class="t-core" r=".9"/>',
    "no data": '<path class="t-gap" d="M-3.2 3.2L3.2 -3.2"/><circle class="t-gap" r="3.2"/>',
    "failed": '<path class="t-fail" d="M0 -3.8L4 3.2H-4Z"/>',
    "skipped": '<path class="t-gap" d="M-3.4 0H3.4"/>',
    "stopped": '<path class="t-gap" d="M-2.6 -2.6H2.6V2.6H-2.6Z"/>',
    "waiting": '<path class="t-dots" d="M-3 0h.1M0 0h.1M3 0h.1"/>',
    "not measured": '<path class="t-gap" d="M0 -3V3"/>',
}
"""The sign of each state, around the point (0, 0)."""


def sign(state: str) -> str:
    """Draw the sign of a state, for a legend."""
    return f'<svg class="row" aria-hidden="true" viewBox="-6 -6 12 12" width="14" height="14">{SIGNS[state]}</svg>'


def draw(timeline: Timeline) -> str:
    """Draw a time line.

    Returns
    -------
    str
        An ``<svg>`` element with a title and a description, or ``""`` where there is no window.
    """
    points = timeline.points
    if not points:
        return ""
    first, last = points[0].window_start, max(point.window_end for point in points)
    x = Scale(float(first), float(last), LEFT, WIDTH - RIGHT)
    y = Scale(*span(drawn_ends(timeline, points), pad=0.06), HEIGHT - BOTTOM, TOP)
    places = [x.at(point.middle) for point in points]
    distance = min((b - a for a, b in itertools.pairwise(places)), default=float(WIDTH))
    cells = _cells(timeline, x)
    parts = [_band(timeline, cells, y), _axes(timeline, x, y), _marks(timeline, x)]
    parts += [_baseline(timeline, cells, y), _estimates(timeline, places, y, distance)]
    parts += [_measured(timeline, places, y, distance), _lane(points, places, distance)]
    return (
        f'<svg class="time" role="img" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">'
        f"<title>{safe(title(timeline), 300)}</title><desc>{safe(story(timeline), 900)}</desc>{''.join(parts)}</svg>"
    )


def _cells(timeline: Timeline, x: Scale) -> list[tuple[float, float]]:
    """Return the stretch of paper that belongs to each window: its own, or up to half way to its neighbours."""
    points = timeline.points
    half = timeline.spacing / 2
    cells = []
    for point in points:
        start, end = float(point.window_start), float(point.window_end)
        if half and end - start > 2 * half:  # windows that overlap
            start, end = point.middle - half, point.middle + half
        cells.append((x.at(start), x.at(end)))
    return cells


# -- what is behind


def _band(timeline: Timeline, cells: Sequence[tuple[float, float]], y: Scale) -> str:
    rects, lines = [], []
    pairs = list(zip(timeline.points, cells, strict=True))
    for i, (point, (a, b)) in enumerate(pairs):
        low, high = allowed(timeline, point)
        if low is None and high is None:
            continue
        if i + 1 < len(pairs) and is_near(timeline, point, pairs[i + 1][0]):
            b = max(b, pairs[i + 1][1][0])  # no hairline between neighbours
        top = TOP if high is None else y.at(high)
        bottom = HEIGHT - BOTTOM if low is None else y.at(low)
        rects.append(f"M{a:.1f} {top:.1f}H{b:.1f}V{bottom:.1f}H{a:.1f}Z")
        # A bound beyond the paper has no line on it.
        shown = [end for end in (low, high) if end is not None and y.low <= end <= y.high]
        lines += [f"M{a:.1f} {y.at(end):.1f}H{b:.1f}" for end in shown]
    if not rects:
        return ""
    return f'<path class="x-band" d="{"".join(rects)}"/><path class="x-bound" d="{"".join(lines)}"/>'


def _axes(timeline: Timeline, x: Scale, y: Scale) -> str:
    marks = ticks(y.low, y.high, 4)
    step = marks[1] - marks[0] if len(marks) > 1 else 1.0
    grid = [f"M{LEFT} {y.at(mark):.1f}H{WIDTH - RIGHT}" for mark in marks]
    texts = [
        f'<text x="{LEFT - 8}" y="{y.at(mark) + 3.5:.1f}" text-anchor="end">{tick_label(mark, step, timeline.unit)}</text>'
        for mark in marks
    ]
    last = -math.inf
    for moment, label in _dates(x):
        at = x.at(moment)
        if at - last < 64:
            continue
        last = at
        anchor = "start" if at < LEFT + 30 else "end" if at > WIDTH - RIGHT - 30 else "middle"
        grid.append(f"M{at:.1f} {HEIGHT - BOTTOM}v4")
        texts.append(f'<text x="{at:.1f}" y="{HEIGHT - 10}" text-anchor="{anchor}">{label}</text>')
    frame = f'<path class="x-axis" d="M{LEFT} {HEIGHT - BOTTOM}H{WIDTH - RIGHT}"/>'
    return f'<path class="x-grid" d="{"".join(grid)}"/>{frame}<g class="x-text">{"".join(texts)}</g>'


def _dates(x: Scale) -> Iterator[tuple[float, str]]:
    seconds = (x.high - x.low) / 1e6
    step = next((one for one in _STEPS_SECONDS if seconds / one <= 9), _STEPS_SECONDS[-1]) * 1_000_000
    start = math.ceil(x.low / step) * step
    form = "%H:%M" if step < 86_400_000_000 else "%d %b" if step < 365 * 86_400_000_000 else "%Y"
    previous = ""
    for i in range(60):
        moment = start + i * step
        if moment > x.high:
            return
        try:
            at = _EPOCH + timedelta(microseconds=moment)
        except OverflowError:
            return
        day = f"{at:%d %b}"
        label = day if form == "%H:%M" and day != previous else f"{at.strftime(form)}"
        previous = day
        yield float(moment), label.lstrip("0") if form != "%H:%M" or label == day else label


def _marks(timeline: Timeline, x: Scale) -> str:
    lines, texts = [], []
    end = -math.inf
    inside = [mark for mark in timeline.marks if x.low <= mark.moment <= x.high]
    for mark in inside[-MOST_MARKS:]:
        at = x.at(mark.moment)
        lines.append(f"M{at:.1f} {TOP - 12}V{HEIGHT - BOTTOM}")
        label = safe(wording.name(mark.label, 18), 18)
        width = 6.2 * len(mark.label[:18])
        is_last = at + width > WIDTH - 4
        start = at - width if is_last else at
        if start > end:
            anchor = ' text-anchor="end"' if is_last else ""
            texts.append(f'<text x="{at + (-3 if is_last else 3):.1f}" y="{TOP - 14}"{anchor}>{label}</text>')
            end = start + width + 8
    if not lines:
        return ""
    return f'<path class="t-mark" d="{"".join(lines)}"/><g class="x-text">{"".join(texts)}</g>'


def _baseline(timeline: Timeline, cells: Sequence[tuple[float, float]], y: Scale) -> str:
    pieces = [
        f"M{a:.1f} {y.at(point.baseline):.1f}H{b:.1f}"
        for point, (a, b) in zip(timeline.points, cells, strict=True)
        if point.baseline is not None
    ]
    return f'<path class="t-base" d="{"".join(pieces)}"/>' if pieces else ""


# -- what was found


def _estimates(timeline: Timeline, places: Sequence[float], y: Scale, distance: float) -> str:
    line: list[str] = []
    dots: list[str] = []
    before: Point | None = None
    for point, place in zip(timeline.points, places, strict=True):
        estimate = point.estimate
        if estimate is None:
            before = None
            continue
        # Beside what was measured, not below it.
        at = place - 4 if distance >= 3 * DENSE and point.value is not None else place
        top = y.at(estimate.value)
        line.append(
            f"{'L' if before is not None and is_near(timeline, before, point) else 'M'}{at:.1f} {top:.1f}"
        )
        if distance >= DENSE:
            if estimate.low is not None and estimate.high is not None:
                ends = f"M{at:.1f} {y.at(estimate.low):.1f}V{y.at(estimate.high):.1f}"
                dots.append(f'<path class="t-est-bar" d="{ends}"/>')
            dots.append(f'<circle class="t-est" cx="{at:.1f}" cy="{top:.1f}" r="3.6"/>')
        before = point
    return f'<path class="t-est-line" d="{"".join(line)}"/>{"".join(dots)}' if line else ""


def _measured(timeline: Timeline, places: Sequence[float], y: Scale, distance: float) -> str:
    line: list[str] = []
    dots: list[str] = []
    before: Point | None = None
    for point, at in zip(timeline.points, places, strict=True):
        if point.value is None:
            before = None
            continue
        top = y.at(point.value)
        if before is not None and is_joined(timeline, before, point):
            line.append(f"L{at:.1f} {top:.1f}")
        elif point.state in MEASURED:
            line.append(f"M{at:.1f} {top:.1f}")
        before = point
        if distance >= DENSE or point.state != "passed":
            dots.append(_dot(timeline, point, at, top, 1.0 if distance >= DENSE else 0.6))
    joined = f'<path class="t-line" d="{"".join(line)}"/>' if line else ""
    return _spreads(timeline, places, y, distance) + joined + "".join(dots)


def _spreads(timeline: Timeline, places: Sequence[float], y: Scale, distance: float) -> str:
    """Draw the intervals: a bar each, or where windows stand close a band over those that are joined."""
    runs: list[list[tuple[float, float, float]]] = []
    before: Point | None = None
    for point, at in zip(timeline.points, places, strict=True):
        if point.low is None or point.high is None or point.value is None:
            before = None
            continue
        if before is None or not is_joined(timeline, before, point):
            runs.append([])
        runs[-1].append((at, y.at(point.low), y.at(point.high)))
        before = point
    if distance >= DENSE:
        bars = "".join(f"M{at:.1f} {low:.1f}V{high:.1f}" for run in runs for at, low, high in run)
        return f'<path class="t-bar" d="{bars}"/>' if bars else ""
    bands = "".join(
        "M"
        + "L".join(
            [
                *(f"{at:.1f} {high:.1f}" for at, _, high in run),
                *(f"{at:.1f} {low:.1f}" for at, low, _ in run[::-1]),
            ]
        )
        + "Z"
        for run in runs
    )
    return f'<path class="t-spread" d="{bands}"/>' if bands else ""


def _dot(timeline: Timeline, point: Point, at: float, top: float, size: float) -> str:
    said = f"{minute(point.window_start)}: {wording.unit_value(point.value, timeline.unit)}, {STATES[point.state]}"
    allows = limit(timeline, point)
    told = f"<title>{safe(said + (f', {allows} allowed' if allows else ''), 300)}</title>"
    if point.state == "violated":
        r = 5.6 * size
        path = f"M{at:.1f} {top - r:.1f}l{r:.1f} {r:.1f}l{-r:.1f} {r:.1f}l{-r:.1f} {-r:.1f}Z"
        return f'<path class="x-bad" d="{path}">{told}</path>'
    kind, r = ("x-now", 3.6) if point.state == "passed" else ("x-unsure", 4.0)
    return f'<circle class="{kind}" cx="{at:.1f}" cy="{top:.1f}" r="{r * size:g}">{told}</circle>'


def _lane(points: Sequence[Point], places: Sequence[float], distance: float) -> str:
    drawn = []
    last, before = -math.inf, ""
    for point, at in zip(points, places, strict=True):
        # Where windows stand too close for a sign each, those that are well have none, and equal ones share theirs.
        if distance < DENSE and (point.state == "passed" or (point.state == before and at - last < DENSE)):
            continue
        drawn.append(f'<g transform="translate({at:.1f} {LANE})">{SIGNS[point.state]}</g>')
        last, before = at, point.state
    return f'<g class="t-lane">{"".join(drawn)}</g>'
