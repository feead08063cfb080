"""Small charts as SVG: two distributions over each other, paired bars of categories, and sparklines.

The baseline is always a filled shape and the current data always a line or the lower bar, so that nothing
depends on telling colours apart; the two colours (grey-blue and orange) are distinct for every common
colour blindness. Heights are shares of the side's own total: sides of different sizes can be compared.
Every bin has the same width on paper, whatever its width in the data, because bins follow the data and
tails would otherwise squeeze the middle to a spike.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from driftline.reports import wording
from driftline.reports.markup import safe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from driftline.reports.report import ColumnView

__all__ = ["THEMES", "categories", "chart", "histogram", "sparkline"]

THEMES: Final = ("auto", "light", "dark")
"""``auto`` follows the colour scheme of the page; the others are fixed, for paper and other renderers."""

MAX_BINS: Final = 60
"""More bins than this are added up in neighbours before drawing."""

MAX_CATEGORIES: Final = 8
"""More categories than this are drawn as the largest ones and one bar for the others."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Paint:
    """Attributes that paint the parts of a chart."""

    fill: str
    edge: str
    line: str
    bar: str
    axis: str
    text: str


def _paint(theme: str) -> _Paint:
    colours = {
        "fill": ("fill", "#c9d3e3", "#34435c"),
        "edge": ("stroke", "#73839c", "#8fa1bf"),
        "line": ("stroke", "#c2410c", "#fb923c"),
        "bar": ("fill", "#c2410c", "#fb923c"),
        "axis": ("stroke", "#8b95a5", "#6b7789"),
        "text": ("fill", "#566173", "#a4afc0"),
    }
    parts = {}
    for part, (attribute, light, dark) in colours.items():
        fixed = dark if theme == "dark" else light
        # Where light-dark() is unknown the declaration is dropped and the attribute holds.
        follow = f' style="{attribute}:light-dark({light},{dark})"' if theme == "auto" else ""
        parts[part] = f'{attribute}="{fixed}"{follow}'
    return _Paint(**parts)


_PAINTS: Final[Mapping[str, _Paint]] = {theme: _paint(theme) for theme in THEMES}


def _svg(width: float, height: float, title: str, body: str, class_: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" class="{class_}"'
        f' viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}">'
        f"<title>{safe(title, 400)}</title>{body}</svg>"
    )


def _shares(counts: Sequence[float]) -> list[float]:
    # Counts can be weights; sums of huge ones can overflow, and then there is nothing sensible to draw.
    total = math.fsum(counts)
    if not total > 0 or not math.isfinite(total):
        return [0.0] * len(counts)
    return [count / total for count in counts]


def _merged(counts: Sequence[float], step: int) -> Sequence[float]:
    return counts if step == 1 else [math.fsum(counts[i : i + step]) for i in range(0, len(counts), step)]


def _steps(heights: Sequence[float], left: float, width: float, bottom: float, scale: float) -> str:
    """Path of a staircase from `bottom` and back to it."""
    slot = width / len(heights)
    path = [f"M{left:.1f} {bottom:.1f}"]
    at = left
    for height in heights:
        at += slot
        path.append(f"V{bottom - height * scale:.1f}H{at:.1f}")
    path.append(f"V{bottom:.1f}")
    return "".join(path)


def _overlay(
    baseline: Sequence[float],
    current: Sequence[float],
    box: tuple[float, float, float, float],
    paint: _Paint,
    stroke: float,
) -> tuple[str, float]:
    left, top, right, bottom = box
    sides = [_shares(baseline), _shares(current)]
    peak = max(max(side, default=0.0) for side in sides)
    if peak == 0:
        return "", 0.0
    scale = (bottom - top) / peak
    parts = []
    if any(sides[0]):
        path = _steps(sides[0], left, right - left, bottom, scale)
        parts.append(f'<path d="{path}Z" stroke-width="{stroke / 2:g}" {_both(paint.fill, paint.edge)}/>')
    if any(sides[1]):
        path = _steps(sides[1], left, right - left, bottom, scale)
        line = f'fill="none" stroke-width="{stroke:g}" stroke-linejoin="round" {paint.line}'
        parts.append(f'<path d="{path}" {line}/>')
    return "".join(parts), peak


def _both(fill: str, edge: str) -> str:
    """Join two paints, whose styles must share one attribute."""
    attributes = [part.partition(' style="') for part in (fill, edge)]
    style = ";".join(styles.rstrip('"') for _, _, styles in attributes if styles)
    return " ".join(plain for plain, _, _ in attributes) + (f' style="{style}"' if style else "")


def histogram(
    edges: Sequence[float],
    baseline: Sequence[float],
    current: Sequence[float],
    *,
    title: str,
    kind: str = "number",
    theme: str = "auto",
    width: float = 300,
    height: float = 100,
) -> str:
    """Draw two distributions over the same bins: the baseline filled, the current data as a line.

    Parameters
    ----------
    edges : sequence of float
        One more than there are bins; the first and last may be infinite.
    baseline, current : sequence of float
        Counts or weights per bin; one of them may be empty.
    title : str
        What the picture shows, for readers who do not see it.
    kind : {"number", "time"}
        ``time`` labels the axis with dates; edges are then microseconds since 1970, UTC.
    theme : {"auto", "light", "dark"}
    width, height : float
        Size in CSS pixels.

    Returns
    -------
    str
        An ``<svg>`` element, or ``""`` where there is nothing to draw.
    """
    n = len(edges) - 1
    step = max(1, -(-n // MAX_BINS))
    if step > 1:
        baseline, current = _merged(baseline, step), _merged(current, step)
        edges = [*edges[:n:step], edges[n]]
        n = len(edges) - 1
    paint = _PAINTS[theme]
    bottom = height - 18
    shapes, peak = _overlay(baseline, current, (0.5, 14, width - 0.5, bottom), paint, 1.75)
    if not shapes:
        return ""
    low, middle, high = _ticks(edges, kind)
    centre = (n // 2) / n * width
    body = (
        f'<line x1="0" y1="{bottom}" x2="{width:g}" y2="{bottom}" stroke-width="1" {paint.axis}/>{shapes}'
        f'<g font-size="10.5" {paint.text}><text x="0" y="9">{_brief(peak)}</text>'
        f'<text x="0" y="{height - 5:g}">{low}</text>'
        f'<text x="{centre:.1f}" y="{height - 5:g}" text-anchor="middle">{middle}</text>'
        f'<text x="{width:g}" y="{height - 5:g}" text-anchor="end">{high}</text></g>'
    )
    return _svg(width, height, title, body, "chart")


def _ticks(edges: Sequence[float], kind: str) -> tuple[str, str, str]:
    n = len(edges) - 1
    spell = _date if kind == "time" else lambda x: wording.number(x, 3)
    low = spell(edges[0]) if math.isfinite(edges[0]) else f"&lt; {spell(edges[1])}"
    high = spell(edges[n]) if math.isfinite(edges[n]) else f"&gt; {spell(edges[n - 1])}"
    return low, spell(edges[n // 2]) if n > 3 else "", high


def _date(microseconds: float) -> str:
    try:
        return f"{_EPOCH + timedelta(microseconds=microseconds):%Y-%m-%d}"
    except (OverflowError, ValueError):  # beyond the years 1 to 9999
        return wording.number(microseconds, 3)


def categories(
    labels: Sequence[str],
    baseline: Sequence[float],
    current: Sequence[float],
    *,
    title: str,
    theme: str = "auto",
    width: float = 300,
) -> str:
    """Draw two bars per category, the baseline above the current data, with both shares in figures.

    Parameters
    ----------
    labels : sequence of str
    baseline, current : sequence of float
        Counts or weights per label; one of them may be empty.
    title : str
        What the picture shows, for readers who do not see it.
    theme : {"auto", "light", "dark"}
    width : float
        Width in CSS pixels; the height follows from the number of bars.

    Returns
    -------
    str
        An ``<svg>`` element, or ``""`` where there is nothing to draw.
    """
    rows = _largest(labels, baseline, current)
    peak = max((max(b or 0, c or 0) for _, b, c in rows), default=0)
    if not peak:
        return ""
    paint = _PAINTS[theme]
    left, right, row_height = width * 0.36, width * 0.7, 17
    scale = (right - left) / peak
    names, bars_baseline, bars_current, figures = [], [], [], []
    for i, (label, b, c) in enumerate(rows):
        y = i * row_height
        names.append(f'<text x="{left - 6:g}" y="{y + 12}" text-anchor="end">{safe(label, 15)}</text>')
        if b is not None:
            bars_baseline.append(f"M{left:g} {y + 3}h{max(b * scale, 0.5 if b else 0):.1f}v5H{left:g}Z")
        if c is not None:
            bars_current.append(f"M{left:g} {y + 9}h{max(c * scale, 0.5 if c else 0):.1f}v5H{left:g}Z")
        both = " → ".join(_brief(x) for x in (b, c) if x is not None)
        figures.append(f'<text x="{width:g}" y="{y + 12}" text-anchor="end">{both}</text>')
    height = len(rows) * row_height + 2
    body = (
        f'<path d="{"".join(bars_baseline)}" stroke-width="0.75" {_both(paint.fill, paint.edge)}/>'
        f'<path d="{"".join(bars_current)}" {paint.bar}/>'
        f'<line x1="{left:g}" y1="0" x2="{left:g}" y2="{height}" stroke-width="1" {paint.axis}/>'
        f'<g font-size="10.5" {paint.text}>{"".join(names)}{"".join(figures)}</g>'
    )
    return _svg(width, height, title, body, "chart")


def _brief(x: float) -> str:
    if x in (0, 1):
        return f"{x:.0%}"
    if x < 0.001:
        return "&lt;0.1%"
    if x > 0.999:
        return "&gt;99.9%"
    return f"{x:.1%}" if x < 0.1 or x > 0.99 else f"{x:.0%}"


def _largest(
    labels: Sequence[str], baseline: Sequence[float], current: Sequence[float]
) -> list[tuple[str, float | None, float | None]]:
    b: list[float | None] = list(_shares(baseline)) if baseline else [None] * len(labels)
    c: list[float | None] = list(_shares(current)) if current else [None] * len(labels)
    rows = list(zip(labels, b, c, strict=False))
    if len(rows) <= MAX_CATEGORIES:
        return rows

    def rank(i: int) -> tuple[bool, float, int]:
        return labels[i] == "…", -max(rows[i][1] or 0, rows[i][2] or 0), i

    by_size = sorted(range(len(rows)), key=rank)
    kept, others = by_size[: MAX_CATEGORIES - 1], by_size[MAX_CATEGORIES - 1 :]
    rest_b = math.fsum(rows[i][1] or 0 for i in others) if baseline else None
    rest_c = math.fsum(rows[i][2] or 0 for i in others) if current else None
    return [*(rows[i] for i in sorted(kept)), (f"{len(others):,} others", rest_b, rest_c)]


def sparkline(
    baseline: Sequence[float],
    current: Sequence[float],
    *,
    title: str,
    theme: str = "auto",
    width: float = 84,
    height: float = 20,
) -> str:
    """Draw two distributions in the height of a line of text, without labels.

    Parameters
    ----------
    baseline, current : sequence of float
        Counts or weights per bin or label; one of them may be empty.
    title : str
        What the picture shows, for readers who do not see it.
    theme : {"auto", "light", "dark"}
    width, height : float
        Size in CSS pixels.

    Returns
    -------
    str
        An ``<svg>`` element, or ``""`` where there is nothing to draw.
    """
    step = max(1, -(-max(len(baseline), len(current)) // int(width // 3)))
    baseline, current = _merged(baseline, step), _merged(current, step)
    shapes, _ = _overlay(baseline, current, (0.5, 1, width - 0.5, height - 0.5), _PAINTS[theme], 1.25)
    return _svg(width, height, title, shapes, "spark") if shapes else ""


def chart(column: ColumnView, *, theme: str = "auto") -> str:
    """Draw both sides of a column in the way that fits what it holds.

    Returns
    -------
    str
        An ``<svg>`` element, or ``""`` where the column has no distribution.
    """
    baseline, current = column.baseline_counts, column.current_counts
    if not baseline and not current:
        return ""
    sides = [
        f"{label} {wording.count(math.fsum(counts))}"
        for label, counts in (("baseline", baseline), ("current", current))
        if counts
    ]
    title = f"Distribution of {wording.name(column.name)}: values of {' and '.join(sides)}"
    if len(column.edges) > 1:
        return histogram(column.edges, baseline, current, title=title, kind=column.kind, theme=theme)
    return categories(column.labels, baseline, current, title=title, theme=theme)
