"""Curves as SVG: several series over shared axes, each named where it ends.

Series that begin with ``baseline`` and ``current`` have the colours that these have everywhere; each further one has a
colour and a dash of its own, so that nothing depends on telling colours apart.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from driftline.reports import wording
from driftline.reports.markup import safe
from driftline.reports.scale import Scale, finite, span, tick_label, ticks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from driftline.reports.exhibit import Exhibit

__all__ = ["curve", "series_of"]

WIDTH: Final = 430
HEIGHT: Final = 300
LEFT: Final = 46
RIGHT: Final = 98
TOP: Final = 22
BOTTOM: Final = 40

MOST_DRAWN: Final = 8
"""Series beyond this many stand in the table only: nobody can follow them in a picture."""

MOST_DOTTED: Final = 40
"""Shorter series show their points, too."""

_DASHES: Final = ("", "7 3", "2 3", "9 3 2 3", "4 2", "12 4", "1 4", "6 2 1 2 1 2")


@dataclass(frozen=True, slots=True)
class _Series:
    name: str
    points: tuple[tuple[float, float] | None, ...]
    paint: str
    dash: str

    @property
    def is_whiskers(self) -> bool:
        """Tell whether these are intervals: pieces of two points one above the other."""
        pieces = [
            [point for point in piece if point is not None]
            for is_gap, piece in itertools.groupby(self.points, key=lambda point: point is None)
            if not is_gap
        ]
        return bool(pieces) and all(len(piece) == 2 and piece[0][0] == piece[1][0] for piece in pieces)


def series_of(exhibit: Exhibit) -> dict[str, list[tuple[float, float] | None]]:
    """Return the points of a curve by series, in the order of drawing; None where the line breaks."""
    found: dict[str, list[tuple[float, float] | None]] = {}
    for name, x, y in exhibit.rows:
        whole = finite((x, y))
        found.setdefault(str(name), []).append((whole[0], whole[1]) if len(whole) == 2 else None)
    return found


def curve(exhibit: Exhibit) -> str:
    """Draw a ``curve`` exhibit.

    Returns
    -------
    str
        An ``<svg>`` element with a title and a description, or ``""`` where there is no point to draw.
    """
    drawn = list(_painted(series_of(exhibit)))
    points = [point for one in drawn for point in one.points if point is not None]
    if not points:
        return ""
    x = Scale(*_ends([p[0] for p in points], exhibit.options, "x"), LEFT, WIDTH - RIGHT)
    y = Scale(*_ends([p[1] for p in points], exhibit.options, "y"), HEIGHT - BOTTOM, TOP)
    parts = [_axes(x, y, exhibit)]
    if exhibit.options.get("diagonal") is True:
        low, high = max(0.0, x.low, y.low), min(1.0, x.high, y.high)
        if low < high:
            parts.append(
                f'<path class="x-ref" d="M{x.at(low):.1f} {y.at(low):.1f}L{x.at(high):.1f} {y.at(high):.1f}"/>'
            )
    parts += [_line(one, x, y) for one in drawn]
    parts.append(_labels(drawn, x, y))
    return (
        f'<svg class="curve" role="img" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">'
        f"<title>{safe(exhibit.title, 300)}</title><desc>{_described(exhibit, drawn)}</desc>{''.join(parts)}</svg>"
    )


def _painted(series: Mapping[str, Sequence[tuple[float, float] | None]]) -> Iterator[_Series]:
    others = 0
    counts = {"base": 0, "now": 0}
    for name, points in itertools.islice(series.items(), MOST_DRAWN):
        lead = name.casefold()
        kind = "base" if lead.startswith("baseline") else "now" if lead.startswith("current") else None
        if kind is None:
            yield _Series(name, tuple(points), f"x-s{others % 6}", _DASHES[others % len(_DASHES)])
            others += 1
        else:
            yield _Series(name, tuple(points), f"x-{kind}", _DASHES[counts[kind] % len(_DASHES)])
            counts[kind] += 1


def _ends(
    values: Sequence[float], options: Mapping[str, str | float | bool], axis: str
) -> tuple[float, float]:
    low, high = span(values, pad=0.04)
    # Shares and counts are read from zero, and shares up to one, where that costs little room.
    if min(values) >= 0 and low < 0.15 * (high - low):
        low = 0.0
    if min(values) >= 0 and max(values) <= 1 and high > 0.85:
        high = 1.0
    given_low, given_high = finite((options.get(f"{axis}_min"),)), finite((options.get(f"{axis}_max"),))
    low, high = given_low[0] if given_low else low, given_high[0] if given_high else high
    return (low, high) if low < high else span([low, high])


def _axes(x: Scale, y: Scale, exhibit: Exhibit) -> str:
    grid, texts = [], []
    for scale, unit, across in ((x, exhibit.unit(1), True), (y, exhibit.unit(2), False)):
        marks = ticks(scale.low, scale.high, 5)
        step = marks[1] - marks[0] if len(marks) > 1 else 1.0
        for mark in marks:
            at, label = scale.at(mark), tick_label(mark, step, unit)
            if across:
                grid.append(f"M{at:.1f} {TOP}V{HEIGHT - BOTTOM}")
                texts.append(
                    f'<text x="{at:.1f}" y="{HEIGHT - BOTTOM + 14}" text-anchor="middle">{label}</text>'
                )
            else:
                grid.append(f"M{LEFT} {at:.1f}H{WIDTH - RIGHT}")
                texts.append(f'<text x="{LEFT - 6}" y="{at + 3.5:.1f}" text-anchor="end">{label}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    texts.append(
        f'<text class="x-name" x="{middle:g}" y="{HEIGHT - 8}" text-anchor="middle">{safe(exhibit.columns[1], 44)}</text>'
    )
    texts.append(f'<text class="x-name" x="2" y="11">{safe(exhibit.columns[2], 48)}</text>')
    frame = f'<path class="x-axis" d="M{LEFT} {TOP}V{HEIGHT - BOTTOM}H{WIDTH - RIGHT}"/>'
    return f'<path class="x-grid" d="{"".join(grid)}"/>{frame}<g class="x-text">{"".join(texts)}</g>'


def _line(series: _Series, x: Scale, y: Scale) -> str:
    path: list[str] = []
    is_pen_down = False
    last = ""
    for point in series.points:
        if point is None:
            is_pen_down = False
            continue
        at = f"{x.at(point[0]):.1f} {y.at(point[1]):.1f}"
        if is_pen_down and at == last:
            continue
        path.append(f"{'L' if is_pen_down else 'M'}{at}")
        is_pen_down, last = True, at
    if series.is_whiskers:
        return f'<path class="x-line x-thin {series.paint}" d="{"".join(path)}"/>'
    dash = f' stroke-dasharray="{series.dash}"' if series.dash else ""
    line = f'<path class="x-line {series.paint}" d="{"".join(path)}"{dash}/>'
    dots = ""
    shown = [point for point in series.points if point is not None]
    if len(shown) <= MOST_DOTTED:
        dots = "".join(f'<circle cx="{x.at(a):.1f}" cy="{y.at(b):.1f}" r="2.6"/>' for a, b in shown)
        dots = f'<g class="x-dots {series.paint}">{dots}</g>'
    return line + dots


def _labels(drawn: Sequence[_Series], x: Scale, y: Scale) -> str:
    ends = []
    for series in drawn:
        shown = [point for point in series.points if point is not None]
        if shown and not series.is_whiskers:
            ends.append((y.at(shown[-1][1]), x.at(shown[-1][0]), series))
    ends.sort(key=lambda end: end[0])
    places = _apart([end[0] for end in ends], TOP + 4, HEIGHT - BOTTOM, 17)
    parts = []
    start = WIDTH - RIGHT + 8
    for place, (at_y, at_x, series) in zip(places, ends, strict=True):
        dash = f' stroke-dasharray="{series.dash}"' if series.dash else ""
        if abs(at_x - (WIDTH - RIGHT)) < 3:  # a thread from the end of the line to its name
            parts.append(f'<path class="x-thread" d="M{at_x:.1f} {at_y:.1f}L{start} {place:.1f}"/>')
        parts.append(
            f'<path class="x-line {series.paint}" d="M{start} {place:.1f}h16"{dash}/>'
            f'<text class="x-label" x="{start + 20}" y="{place + 3.8:.1f}">{safe(wording.name(series.name, 11), 11)}</text>'
        )
    return "".join(parts)


def _apart(places: Sequence[float], top: float, bottom: float, distance: float) -> list[float]:
    """Move sorted places until neighbours are `distance` apart, all of them between `top` and `bottom` where they fit."""
    moved: list[float] = []
    for place in places:
        moved.append(max(place, top, moved[-1] + distance if moved else top))
    limit = bottom
    for i in range(len(moved) - 1, -1, -1):
        moved[i] = min(moved[i], limit)
        limit = moved[i] - distance
    return moved


def _described(exhibit: Exhibit, drawn: Sequence[_Series]) -> str:
    told = []
    for series in drawn:
        shown = [point for point in series.points if point is not None]
        if not shown:
            continue
        ends = " to ".join(
            f"({wording.unit_value(a, exhibit.unit(1))}, {wording.unit_value(b, exhibit.unit(2))})"
            for a, b in (shown[0], shown[-1])
        )
        told.append(f"{wording.name(series.name, 60)}: {wording.plural(len(shown), 'point')} from {ends}")
    axes = f"{exhibit.columns[2]} over {exhibit.columns[1]}"
    return safe(f"{axes}. {'; '.join(told)}.", 1500)
