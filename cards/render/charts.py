"""Charts of a card as drawings: lines, areas and words with places, once for all renderers; and as SVG.

The geometry is made here and nowhere else, so a chart on paper is the chart on the screen. Colours are the renderers':
each shape has a role, which is a class in SVG and a style on paper.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from driftline.cards.render.blocks import plain
from driftline.cards.render.fonts import bundled
from driftline.cards.render.text import one_line
from driftline.cards.render.values import number
from driftline.reports import wording
from driftline.reports.scale import Scale, span, tick_label, ticks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from driftline.cards.render.blocks import Bars, Curve

__all__ = ["MOST_BARS", "WIDTH", "Drawing", "Label", "Line", "Rect", "bars", "curve", "sampled", "svg"]

WIDTH: Final = 236.0
"""Of a chart, in points."""

MOST_BARS: Final = 40
"""So many bars are drawn; of more, those that are farthest from zero, in their order."""

MOST_DRAWN: Final = 400
"""Points of a line; of more, lows and highs are kept."""

MOST_DOTTED: Final = 30
"""Lines of no more points show them."""

SIZE: Final = 7.0
"""Of letters, in points."""

Anchor: TypeAlias = Literal["start", "middle", "end"]


@dataclass(frozen=True, slots=True)
class Line:
    """Straight lines from point to point.

    Attributes
    ----------
    role : str
        ``grid``, ``axis`` or ``line``.
    points : tuple of (float, float)
    """

    role: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle, or with ``role`` ``dot`` a circle of that width around its middle."""

    role: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Label:
    """Words; `y` is where they stand, `anchor` which end of them is at `x`.

    The role is ``tick``, ``name``, ``value`` or ``label``.
    """

    role: str
    x: float
    y: float
    text: str
    anchor: Anchor = "start"


@dataclass(frozen=True, slots=True)
class Drawing:
    """A chart.

    Attributes
    ----------
    width, height : float
        In points.
    shapes : tuple
        From back to front.
    title, description : str
        For readers who do not see it; visible text on one line.
    """

    width: float
    height: float
    shapes: tuple[Line | Rect | Label, ...]
    title: str
    description: str


def _width(text: str) -> float:
    return bundled().width(text, SIZE)


def shortened(text: str, room: float) -> str:
    """Return a text that fits into `room` points; of a longer one the middle is left out.

    Examples
    --------
    >>> shortened("false_positive_rate_of_the_model", 60)
    'false_pos…_model'
    """
    text = one_line(text)
    if _width(text) <= room:
        return text
    head, tail = "", ""
    for i in range(len(text)):
        more_head = text[: i + 1]
        more_tail = text[len(text) - (i + 1) * 2 // 3 :] if i else ""
        if _width(more_head + "…" + more_tail) > room:
            break
        head, tail = more_head, more_tail
    return f"{head}…{tail}"


def wrapped(text: str, room: float, most: int = 3) -> list[str]:
    """Break a text into at most `most` lines of `room` points, between words where there are any."""
    rest = one_line(text)
    found: list[str] = []
    while rest and len(found) < most - 1 and _width(rest) > room:
        n = 1
        while n < len(rest) and _width(rest[: n + 1]) <= room:
            n += 1
        cut = max((rest.rfind(mark, 0, n + (mark == " ")) + (mark != " ") for mark in " /_-.,:="), default=0)
        n = cut if cut > n // 3 else n
        found.append(rest[:n].rstrip(" "))
        rest = rest[n:].lstrip(" ")
    return [*found, shortened(rest, room)] if rest or not found else found


# -- lines


def curve(block: Curve) -> Drawing:
    """Draw a line through points over two axes with names.

    Notes
    -----
    Axes begin at zero where that costs little room, and end at one where shares come close to it.
    """
    xs, ys = [x for x, _ in block.points], [y for _, y in block.points]
    (x_low, x_high), (y_low, y_high) = _ends(xs, pad=0.0), _ends(ys, pad=0.05)
    y_marks, x_marks = ticks(y_low, y_high, 4), ticks(x_low, x_high, 4)
    y_texts = _spelled(y_marks)
    left = max(20.0, max((_width(text) for text in y_texts), default=0.0) + 7)
    top, bottom, height, right = 14.0, 26.0 if block.x_name else 15.0, 146.0, WIDTH - 9
    x, y = Scale(x_low, x_high, left, right), Scale(y_low, y_high, height - bottom, top)
    shapes: list[Line | Rect | Label] = []
    for mark, text in zip(y_marks, y_texts, strict=True):
        shapes.append(Line("grid", ((left, y.at(mark)), (right, y.at(mark)))))
        shapes.append(Label("tick", left - 4, y.at(mark) + 2.4, text, "end"))
    for mark, text in zip(x_marks, _spelled(x_marks), strict=True):
        shapes.append(Line("grid", ((x.at(mark), top), (x.at(mark), height - bottom))))
        shapes.append(Label("tick", x.at(mark), height - bottom + 9.5, text, "middle"))
    shapes.append(Line("axis", ((left, top), (left, height - bottom), (right, height - bottom))))
    if block.y_name:
        shapes.append(Label("name", 0, 7, shortened(block.y_name, WIDTH), "start"))
    if block.x_name:
        shapes.append(Label("name", right, height - 3, shortened(block.x_name, WIDTH - 20), "end"))
    drawn = [(x.at(a), y.at(b)) for a, b in _drawn(block.points)]
    shapes.append(Line("line", tuple(drawn)))
    if len(drawn) <= MOST_DOTTED:
        shapes += [Rect("dot", a - 1.5, b - 1.5, 3.0, 3.0) for a, b in drawn]
    return Drawing(WIDTH, height, tuple(shapes), one_line(plain(block.caption)), _told(block))


def _spelled(marks: Sequence[float]) -> list[str]:
    step = marks[1] - marks[0] if len(marks) > 1 else 1.0
    return [tick_label(mark, step) for mark in marks]


def _ends(values: Sequence[float], pad: float) -> tuple[float, float]:
    low, high = span(values, pad=pad)
    if min(values) >= 0 and low < 0.25 * (high - low):
        low = 0.0
    if min(values) >= 0 and max(values) <= 1 and high > 0.85:
        high = 1.0
    return low, high


def _drawn(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Thin a line to what can be seen: of each stretch its first, lowest, highest and last point."""
    if len(points) <= MOST_DRAWN:
        return list(points)
    step = -(-len(points) // (MOST_DRAWN // 4))
    kept: list[tuple[float, float]] = []
    for start in range(0, len(points), step):
        stretch = range(start, min(start + step, len(points)))
        lowest, highest = min(stretch, key=lambda i: points[i][1]), max(stretch, key=lambda i: points[i][1])
        kept += [points[i] for i in sorted({stretch[0], lowest, highest, stretch[-1]})]
    return kept


def sampled(points: Sequence[tuple[float, float]], most: int) -> list[tuple[float, float]]:
    """Return at most `most` of the points, evenly spaced by their places, the first and the last among them."""
    n = len(points)
    return list(points) if n <= most else [points[i * (n - 1) // (most - 1)] for i in range(most)]


def _told(block: Curve) -> str:
    points = block.points
    lowest, highest = min(points, key=lambda p: p[1]), max(points, key=lambda p: p[1])
    x_name, y_name = one_line(block.x_name) or "x", one_line(block.y_name) or "y"
    spell = [f"{number(a)}, {number(b)}" for a, b in (points[0], points[-1], lowest, highest)]
    return (
        f"Line chart of {y_name} over {x_name}, {wording.plural(len(points), 'point')}. First point {spell[0]};"
        f" last {spell[1]}; lowest {spell[2]}; highest {spell[3]}."
    )


# -- bars


def bars(block: Bars, width: float = WIDTH) -> Drawing:
    """Draw a bar for each label, one below the other, with its number; negative ones go to the left of zero."""
    chosen = _chosen(block.values)
    values = [block.values[i] for i in chosen]
    room = width * 0.42
    texts = [wrapped(block.labels[i], room) for i in chosen]
    label = min(room, max((_width(line) for lines in texts for line in lines), default=0.0)) + 6
    figures = [number(value) for value in values]
    low, high = min(0.0, *values), max(0.0, *values)
    if low == high:
        high = 1.0
    figure = max(_width(text) for text in figures) + 5
    x = Scale(low, high, label + (figure if low < 0 else 0.5), width - (figure if high > 0 else 0.5))
    top = 13.0 if block.y_name else 2.0
    shapes: list[Line | Rect | Label] = []
    if block.y_name:
        zero = x.at(0.0)
        room_right, room_left = width - zero, zero
        side: Anchor = "start" if room_right >= room_left else "end"
        shapes.append(Label("name", zero, 7, shortened(block.y_name, max(room_right, room_left)), side))
    y = top
    for lines, value, text in zip(texts, values, figures, strict=True):
        tall = 12.5 + 8.2 * (len(lines) - 1)
        middle = y + tall / 2
        for n, line in enumerate(lines):
            at = middle + 2.5 + 8.2 * (n - (len(lines) - 1) / 2)
            shapes.append(Label("label", label - 5, at, line, "end"))
        start, end = sorted((x.at(0.0), x.at(value)))
        role = "bar" if value >= 0 else "bar-below"
        shapes.append(Rect(role, start, middle - 3.6, max(end - start, 0.4 if value else 0.0), 7.2))
        at_end = x.at(value) + (3 if value >= 0 else -3)
        shapes.append(Label("value", at_end, middle + 2.5, text, "start" if value >= 0 else "end"))
        y += tall
    shapes.append(Line("axis", ((x.at(0.0), top), (x.at(0.0), y))))
    named = [f"{one_line(block.labels[i])} {number(block.values[i])}" for i in chosen[:20]]
    more = f" and {len(block.values) - 20:,} more" if len(block.values) > 20 else ""
    about = f" of {one_line(block.y_name)}" if block.y_name else ""
    told = f"Bar chart{about}, {wording.plural(len(block.values), 'bar')}: {'; '.join(named)}{more}."
    return Drawing(width, y + 2, tuple(shapes), one_line(plain(block.caption)), told)


def _chosen(values: Sequence[float]) -> list[int]:
    if len(values) <= MOST_BARS:
        return list(range(len(values)))
    by_size = sorted(range(len(values)), key=lambda i: (-abs(values[i]), i))
    return sorted(by_size[:MOST_BARS])


def left_out(block: Bars) -> int:
    """Return how many bars are not drawn."""
    return max(0, len(block.values) - MOST_BARS)


# -- SVG


def svg(drawing: Drawing, name: str) -> str:
    """Write a drawing as an ``<svg>`` element with a title and a description; its colours are the page's.

    Parameters
    ----------
    drawing : Drawing
    name : str
        Unique in the page; for the ids of title and description.
    """
    return (
        f'<svg class="chart" role="img" aria-labelledby="{name}-t {name}-d" viewBox="0 0 {_f(drawing.width)}'
        f' {_f(drawing.height)}" width="{_f(drawing.width)}" height="{_f(drawing.height)}">'
        f'<title id="{name}-t">{escape(drawing.title)}</title><desc id="{name}-d">{escape(drawing.description)}</desc>'
        f"{''.join(_shape(shape) for shape in drawing.shapes)}</svg>"
    )


def _shape(shape: Line | Rect | Label) -> str:
    if isinstance(shape, Line):
        path = "L".join(f"{_f(x)} {_f(y)}" for x, y in shape.points)
        return f'<path class="c-{shape.role}" d="M{path}"/>'
    if isinstance(shape, Label):
        anchor = f' text-anchor="{shape.anchor}"' if shape.anchor != "start" else ""
        place = f'x="{_f(shape.x)}" y="{_f(shape.y)}"'
        return f'<text class="c-{shape.role}" {place}{anchor}>{escape(shape.text)}</text>'
    if shape.role == "dot":
        radius = shape.width / 2
        return f'<circle class="c-dot" cx="{_f(shape.x + radius)}" cy="{_f(shape.y + radius)}" r="{_f(radius)}"/>'
    box = f'x="{_f(shape.x)}" y="{_f(shape.y)}" width="{_f(shape.width)}" height="{_f(shape.height)}"'
    return f'<rect class="c-{shape.role}" {box}/>'


def _f(x: float) -> str:
    text = f"{x:.1f}"
    return text.removesuffix(".0") if math.isfinite(x) else "0"


def as_data(drawing: Drawing, spell: Any) -> dict[str, Any]:
    """Return a drawing as plain JSON values, for paper.

    Parameters
    ----------
    drawing : Drawing
    spell : callable
        What is made of each label.
    """
    shapes: list[list[Any]] = []
    for shape in drawing.shapes:
        if isinstance(shape, Line):
            shapes.append(["l", shape.role, [[round(x, 2), round(y, 2)] for x, y in shape.points]])
        elif isinstance(shape, Label):
            shapes.append(
                ["t", shape.role, round(shape.x, 2), round(shape.y, 2), spell(shape.text), shape.anchor]
            )
        else:
            box = [round(n, 2) for n in (shape.x, shape.y, shape.width, shape.height)]
            shapes.append(["r", shape.role, *box])
    return {
        "width": round(drawing.width, 2),
        "height": round(drawing.height, 2),
        "shapes": shapes,
        "alt": f"{drawing.title}. {drawing.description}",
    }
