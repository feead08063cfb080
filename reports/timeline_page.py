"""Time lines as one page that needs nothing else, each with its numbers in a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from driftline.reports import wording
from driftline.reports.html import RECIPES, document
from driftline.reports.markup import SYMBOLS, fit, safe
from driftline.reports.timeline import STATES
from driftline.reports.timeline_svg import draw, sign
from driftline.reports.timeline_words import limit, minute, scored, story, title

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from driftline.reports.timeline import Point, Timeline

__all__ = ["to_html"]

TABLE_BYTES: Final = 300_000


def _key(width: int, drawing: str) -> str:
    return f'<svg class="row" aria-hidden="true" viewBox="0 0 {width} 16" width="{width}" height="16">{drawing}</svg>'


_LEGEND: Final = {
    "measured": (
        _key(
            34,
            '<path class="t-bar" d="M17 1V15"/><path class="t-line" d="M1 8H33"/>'
            '<circle class="x-now" cx="17" cy="8" r="3.6"/>',
        ),
        "Measured, with its 95% interval",
    ),
    "violated": (_key(16, '<path class="x-bad" d="M8 2.4l5.6 5.6l-5.6 5.6l-5.6 -5.6Z"/>'), "Violated"),
    "estimate": (
        _key(34, '<path class="t-est-line" d="M1 8H33"/><circle class="t-est" cx="17" cy="8" r="3.6"/>'),
        "Estimated before the labels came",
    ),
    "band": (
        _key(
            28,
            '<rect class="x-band" x="1" y="1" width="26" height="14"/><path class="x-bound" d="M1 15H27"/>',
        ),
        "Allowed",
    ),
    "baseline": (_key(28, '<path class="t-base" d="M1 8H27"/>'), "Baseline"),
    "mark": (_key(8, '<path class="t-mark" d="M4 0V16"/>'), "Deployment, or another version of the baseline"),
}


def to_html(timelines: Sequence[Timeline], *, schedule: str, kind: str, created: str, version: str) -> str:
    """Render time lines as one self-contained HTML page.

    Parameters
    ----------
    timelines : sequence of Timeline
    schedule, kind : str
    created : str
        ISO 8601, shown at the top.
    version : str
        Of driftline.

    Returns
    -------
    str
        An HTML 5 document without a script of its own, all outside text escaped; the same text for the same input.
    """
    recipe = RECIPES.get(kind) or safe(kind, 60)
    links = "".join(f'<a href="#t{i}">{safe(title(one), 80)}</a>' for i, one in enumerate(timelines))
    nav = f'<nav aria-label="Contents">{links}</nav>' if len(timelines) > 1 else ""
    body = "".join(_section(one, i) for i, one in enumerate(timelines))
    return document(
        f"{safe(schedule, 120)} over time – driftline",
        f'<a class="skip" href="#main">Skip to the time lines</a>{SYMBOLS}\n'
        f'<header><div class="brand"><span><b>driftline</b> · {recipe} over time</span>'
        f"<span>{safe(created, 40)}</span></div>"
        f'<div class="title"><h1>{safe(schedule, 120)}</h1><p>{safe(_range(timelines), 300)}</p></div></header>\n'
        f'<main id="main">\n{nav}{_legend(timelines)}\n{body}</main>\n'
        f"<footer>driftline {safe(version, 40)}. This page is complete: it loads nothing from anywhere.</footer>\n",
        exhibits=True,
    )


def _range(timelines: Sequence[Timeline]) -> str:
    points = [point for one in timelines for point in one.points]
    if not points:
        return "No window was looked at yet."
    n = max(len(one.points) for one in timelines)
    start, end = min(p.window_start for p in points), max(p.window_end for p in points)
    metrics = wording.plural(len(timelines), "metric")
    return f"{metrics} over {wording.plural(n, 'window')}, {minute(start)} to {minute(end)}."


def _legend(timelines: Iterable[Timeline]) -> str:
    points = [point for one in timelines for point in one.points]
    if not points:
        return ""
    has = {
        "measured": any(p.value is not None for p in points),
        "violated": any(p.state == "violated" for p in points),
        "estimate": any(p.estimate is not None for p in points),
        "band": any(
            p.bound is not None or p.bound_low is not None or p.bound_high is not None for p in points
        ),
        "baseline": any(p.baseline is not None for p in points),
        "mark": any(one.marks for one in timelines),
    }
    keys = "".join(f"<span>{mark}{words}</span>" for key, (mark, words) in _LEGEND.items() if has[key])
    states = dict.fromkeys(p.state for p in points)
    signs = "".join(
        f"<span>{sign(s)}{STATES[s][:1].upper()}{STATES[s][1:]}</span>" for s in STATES if s in states
    )
    return f'<div class="legend keys">{keys}</div><div class="legend keys"><span>Below, each window:</span>{signs}</div>'


def _section(timeline: Timeline, at: int) -> str:
    estimates = scored(timeline)
    more = f"<p>{safe(estimates, 500)}</p>" if estimates else ""
    drawn = draw(timeline) or '<p class="left">There is nothing to show.</p>'
    return (
        f'<section class="timeline" id="t{at}" aria-labelledby="h-t{at}"><h2 id="h-t{at}">{safe(title(timeline), 200)}</h2>'
        f"<p>{safe(story(timeline), 900)}</p>"
        f'<div class="sideways" role="region" aria-label="{safe(title(timeline))}: time line" tabindex="0">{drawn}</div>'
        f"{more}{_table(timeline)}</section>\n"
    )


def _table(timeline: Timeline) -> str:
    if not timeline.points:
        return ""
    has_estimates = any(point.estimate is not None for point in timeline.points)
    heads = [
        "Window",
        "Value",
        "95% interval",
        "Allowed",
        *(["Estimated"] if has_estimates else []),
        "What became of it",
    ]
    numbers = {"Value", "Estimated"}
    head = "".join(f'<th scope="col"{" class=num" if text in numbers else ""}>{text}</th>' for text in heads)
    rows, left_out = fit(
        (_row(timeline, p, has_estimates=has_estimates) for p in reversed(timeline.points)), TABLE_BYTES
    )
    left = f'<p class="left">{left_out:,} more not shown here.</p>' if left_out else ""
    return (
        "<details><summary>The windows in figures</summary>"
        f'<div class="scroll" role="region" aria-label="{safe(title(timeline))}: windows" tabindex="0">'
        f'<table class="compact"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>{left}</details>'
    )


def _row(timeline: Timeline, point: Point, *, has_estimates: bool) -> str:
    unit = timeline.unit
    interval = wording.NONE
    if point.low is not None and point.high is not None:
        interval = f"{wording.unit_value(point.low, unit)} to {wording.unit_value(point.high, unit)}"
    estimate = ""
    if has_estimates:
        told = wording.NONE if point.estimate is None else wording.unit_value(point.estimate.value, unit)
        estimate = f'<td class="num">{told}</td>'
    look = f" (look {point.revision})" if point.revision > 1 else ""
    said = (
        f'<small class="why">{safe(point.message, 300)}</small>'
        if point.message and point.value is None
        else ""
    )
    return (
        f'<tr><th scope="row">{minute(point.window_start)}<small>to {minute(point.window_end)}</small></th>'
        f'<td class="num">{wording.unit_value(point.value, unit)}</td><td>{interval}</td>'
        f"<td>{safe(limit(timeline, point)) or wording.NONE}</td>{estimate}"
        f'<td class="wrap">{STATES[point.state]}{look}{said}</td></tr>'
    )
