"""Pictures in the height of a table row: a metric with its interval and what is allowed, and a pair of bars.

The baseline is hollow, the current data filled; a violated metric is a diamond, one that cannot be judged a ring with a
dot. So nothing depends on telling colours apart. Numbers stand beside the picture in the table, which is why it is silent
to screen readers.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from driftline.reports.scale import Scale, finite, span, tick_label, ticks

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["WIDTH", "axis", "bars", "intervals", "scales"]

WIDTH: Final = 300
HEIGHT: Final = 26
EDGE: Final = 12.0
"""Left free on both sides, for arrows and for half a dot."""

_READABLE: Final = 0.04
"""A row that would fill less than this of a shared scale needs one of its own."""
_MUCH: Final = 0.6
_FEW: Final = 5
"""Not more than one row in five is set apart only because the others gain room."""

_MOST_TOGETHER: Final = 400

Row = tuple[str | float | None, ...]


def _svg(body: str, height: float = HEIGHT) -> str:
    return (
        f'<svg class="row" aria-hidden="true" viewBox="0 0 {WIDTH} {height:g}" width="{WIDTH}"'
        f' height="{height:g}">{body}</svg>'
    )


def scales(rows: Sequence[Row], reference: float | None = None) -> list[Scale | None]:
    """Find a scale for all rows of an ``intervals`` exhibit together, as far as that leaves each of them readable.

    Returns
    -------
    list of Scale or None
        For each row; None where it needs one of its own. All of them where most would need one.
    """
    extents = [finite(row[1:7]) for row in rows]
    together = [i for i, values in enumerate(extents) if values]
    if len(together) > _MOST_TOGETHER:
        return [None] * len(rows)
    extra = [] if reference is None else [reference]
    for _ in range(len(rows) // _FEW):
        outer = max(together, key=lambda i: (max(abs(x) for x in extents[i]), i), default=None)
        inner = [i for i in together if i != outer]
        whole = [x for i in together for x in extents[i]] + extra
        if not inner or not _is_outlier([x for i in inner for x in extents[i]] + extra, whole):
            break
        together = inner
    low, high = span([x for i in together for x in extents[i]] + extra, pad=0.03)
    if len(together) < 2 or _is_crowded(extents, together, high / 2 - low / 2):
        return [None] * len(rows)
    shared = Scale(low, high, EDGE, WIDTH - EDGE)
    return [shared if i in together else None for i in range(len(rows))]


def _is_crowded(extents: Sequence[Sequence[float]], rows: Sequence[int], whole: float) -> bool:
    """Tell whether more than every fifth row would be too small to read."""
    widths = [max(extents[i]) / 2 - min(extents[i]) / 2 for i in rows]
    return sum(0 < width < _READABLE * whole for width in widths) * 5 > len(rows)


def _is_outlier(others: Sequence[float], whole: Sequence[float]) -> bool:
    """Tell whether the scale without a row would be much shorter."""
    (a, b), (c, d) = span(others), span(whole)
    return b / 2 - a / 2 < _MUCH * (d / 2 - c / 2)


def own_scale(row: Row) -> Scale:
    """Return a scale for one row of an ``intervals`` exhibit; a bound that lies far off does not stretch it."""
    core, bounds = finite(row[1:5]), finite(row[5:7])
    if core:
        low, high = min(core), max(core)
        room = 3 * max(high / 2 - low / 2, abs(low) * 0.02, abs(high) * 0.02)
        bounds = [end for end in bounds if low - 2 * room <= end <= high + 2 * room]
    return Scale(*span([*core, *bounds], pad=0.06), EDGE, WIDTH - EDGE)


def axis(scale: Scale, unit: str) -> str:
    """Draw the marks of a scale that several rows share."""
    marks = ticks(scale.low, scale.high, 4)
    step = marks[1] - marks[0] if len(marks) > 1 else 1.0
    lines = "".join(f'<path d="M{scale.at(x):.1f} 14v5"/>' for x in marks)
    labels = []
    for x in marks:
        at = scale.at(x)
        anchor = "start" if at < 15 else "end" if at > WIDTH - 15 else "middle"
        at = max(1.0, at - 8) if anchor == "start" else min(WIDTH - 1.0, at + 8) if anchor == "end" else at
        labels.append(f'<text x="{at:.1f}" y="10" text-anchor="{anchor}">{tick_label(x, step, unit)}</text>')
    base = f'<path d="M{EDGE:g} 14.5H{WIDTH - EDGE:g}"/>'
    return _svg(f'<g class="x-axis">{base}{lines}</g><g class="x-text">{"".join(labels)}</g>', 19)


def intervals(row: Row, shared: Scale | None, reference: float | None = None) -> str:
    """Draw one row of an ``intervals`` exhibit.

    Parameters
    ----------
    row : tuple
        (name, baseline, current, low, high, allowed low, allowed high, status).
    shared : Scale or None
        The scale of several rows; the row's own where None.
    reference : float, optional
        A value to mark.
    """
    baseline, current, low, high, least, most = (_number(x) for x in row[1:7])
    scale = shared or own_scale(row)
    middle = HEIGHT / 2
    parts = [_band(least, most, scale)]
    if shared is not None:
        parts.append(
            "".join(
                f'<path class="x-grid" d="M{scale.at(x):.1f} 0V{HEIGHT}"/>'
                for x in ticks(scale.low, scale.high, 4)
            )
        )
    if reference is not None and scale.low < reference < scale.high:
        parts.append(f'<path class="x-ref" d="M{scale.at(reference):.1f} 0V{HEIGHT}"/>')
    if low is not None and high is not None:
        a, b = scale.at(low), scale.at(high)
        caps = "".join(
            f"M{at:.1f} {middle - 4:g}v8" if math.isfinite(end) else _arrow(at, end, middle)
            for at, end in ((a, low), (b, high))
        )
        parts.append(f'<path class="x-whisker" d="M{a:.1f} {middle:g}H{b:.1f}{caps}"/>')
    if baseline is not None:
        parts.append(_dot("x-base", baseline, scale, middle))
    if current is not None:
        kind = {"violated": "x-bad", "undetermined": "x-unsure"}.get(str(row[7]), "x-now")
        parts.append(_dot(kind, current, scale, middle))
    return _svg("".join(parts))


def _number(x: float | str | None) -> float | None:
    return float(x) if isinstance(x, (int, float)) and not math.isnan(x) else None


def _band(least: float | None, most: float | None, scale: Scale) -> str:
    if least is None and most is None:
        return ""
    # Where nothing is said, or the bound lies beyond the paper, the band goes on to the edge.
    a = 0.0 if least is None or least < scale.low else scale.at(least)
    b = float(WIDTH) if most is None or most > scale.high else scale.at(most)
    shown = [end for end in (least, most) if end is not None and scale.low <= end <= scale.high]
    ends = "".join(f"M{scale.at(end):.1f} 3v{HEIGHT - 6}" for end in shown)
    return (
        f'<rect class="x-band" x="{a:.1f}" y="3" width="{max(b - a, 1):.1f}" height="{HEIGHT - 6}"/>'
        f'<path class="x-bound" d="{ends}"/>'
    )


def _arrow(at: float, end: float, middle: float) -> str:
    way = 5 if end < 0 else -5
    return f"M{at + way:.1f} {middle - 4:g}L{at:.1f} {middle:g}L{at + way:.1f} {middle + 4:g}"


def _dot(kind: str, x: float, scale: Scale, y: float) -> str:
    at = scale.at(x)
    if math.isinf(x):  # a triangle at the edge, pointing away
        tip, back = (WIDTH - 1.0, -9) if x > 0 else (1.0, 9)
        return f'<path class="{kind}" d="M{tip:g} {y:g}l{back} -5.5v11Z"/>'
    if kind == "x-bad":
        return f'<path class="x-bad" d="M{at:.1f} {y - 6:g}l6 6l-6 6l-6 -6Z"/>'
    inner = f'<circle class="x-core" cx="{at:.1f}" cy="{y:g}" r="1.4"/>' if kind == "x-unsure" else ""
    return (
        f'<circle class="{kind}" cx="{at:.1f}" cy="{y:g}" r="{5.2 if kind == "x-base" else 4.4:g}"/>{inner}'
    )


def bars(baseline: float | str | None, current: float | str | None, scale: Scale) -> str:
    """Draw one row of a ``bars`` exhibit: the baseline above, the current data below.

    Parameters
    ----------
    baseline, current : float or None
    scale : Scale
        Of all rows; it holds 0.
    """
    zero = scale.at(0.0)
    parts = [f'<path class="x-axis" d="M{zero:.1f} 0V{HEIGHT}"/>']
    for kind, value, top in (("x-bar-base", baseline, 4), ("x-bar-now", current, 13.5)):
        x = _number(value)
        if x is None:
            continue
        at = scale.at(x) if math.isfinite(x) else (WIDTH - 1.0 if x > 0 else 1.0)
        if x and abs(at - zero) < 0.8:  # something, however small, is not nothing
            at = zero + math.copysign(0.8, x)
        parts.append(f'<path class="{kind}" d="M{zero:.1f} {top}H{at:.1f}v8H{zero:.1f}Z"/>')
        if math.isinf(x):
            way = -6 if x > 0 else 6
            parts.append(f'<path class="x-core" d="M{at:.1f} {top + 4:g}l{way} -4v8Z"/>')
    return _svg("".join(parts))
