"""Charts as drawings and as SVG."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.cards.render.blocks import Bars, Curve, own
from driftline.cards.render.charts import (
    MOST_BARS,
    MOST_DRAWN,
    SIZE,
    WIDTH,
    Drawing,
    Label,
    Line,
    Rect,
    bars,
    curve,
    left_out,
    sampled,
    shortened,
    svg,
    wrapped,
)
from driftline.cards.render.fonts import bundled

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


def inside(drawing: Drawing) -> None:
    """Check that all of a drawing lies within it."""
    for shape in drawing.shapes:
        if isinstance(shape, Line):
            assert all(
                -1 <= x <= drawing.width + 1 and -1 <= y <= drawing.height + 1 for x, y in shape.points
            )
        elif isinstance(shape, Rect):
            assert -2 <= shape.x <= shape.x + shape.width <= drawing.width + 2
            assert -2 <= shape.y <= shape.y + shape.height <= drawing.height + 2
        elif shape.role in ("label", "value", "name"):
            wide = bundled().width(shape.text, SIZE)
            left = shape.x - {"start": 0, "middle": wide / 2, "end": wide}[shape.anchor]
            assert -1 <= left <= left + wide <= drawing.width + 1, shape


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=60))
def test_lines_stay_within_their_chart(points: list[tuple[float, float]]) -> None:
    inside(curve(Curve(own("c"), tuple(points), "x" * 63, "y" * 63)))


@given(st.lists(st.tuples(st.text(max_size=63), NUMBERS), min_size=1, max_size=60))
def test_bars_stay_within_their_chart(pairs: list[tuple[str, float]]) -> None:
    labels, values = zip(*pairs, strict=True)
    inside(bars(Bars(own("c"), labels, values, "y" * 63)))


def test_a_line_goes_where_its_points_are() -> None:
    drawing = curve(Curve(own("c"), ((0.0, 0.0), (0.5, 1.0), (1.0, 0.0)), "x", "y"))
    [line] = [shape for shape in drawing.shapes if isinstance(shape, Line) and shape.role == "line"]
    (x0, y0), (x1, y1), (x2, y2) = line.points
    assert (y0, x1 - x0) == (y2, pytest.approx(x2 - x1))
    assert y1 < y0
    assert {shape.text for shape in drawing.shapes if isinstance(shape, Label)} >= {"x", "y", "0", "0.5", "1"}


def test_many_points_keep_lows_and_highs() -> None:
    points = [(float(i), math.sin(i / 50)) for i in range(10_000)]
    points[4321] = (4321.0, 9.0)
    points[8765] = (8765.0, -9.0)
    drawing = curve(Curve(own("c"), tuple(points)))
    [line] = [shape for shape in drawing.shapes if isinstance(shape, Line) and shape.role == "line"]
    assert len(line.points) <= MOST_DRAWN + 4
    ys = [y for _, y in line.points]
    assert max(ys) - min(ys) > 100
    assert "10,000 points" in drawing.description
    assert "lowest 8,765, −9; highest 4,321, 9." in drawing.description


def test_negative_bars_go_to_the_left_of_zero() -> None:
    drawing = bars(Bars(own("c"), ("a", "b"), (1.0, -1.0)))
    up, down = [shape for shape in drawing.shapes if isinstance(shape, Rect)]
    assert (up.role, down.role) == ("bar", "bar-below")
    assert down.x + down.width == pytest.approx(up.x)
    assert up.width == pytest.approx(down.width)


def test_of_many_bars_the_longest_are_drawn_in_their_order() -> None:
    values = tuple(float(i % 100) for i in range(1_000))
    block = Bars(own("c"), tuple(f"label {i}" for i in range(1_000)), values)
    drawn = [shape.text for shape in bars(block).shapes if isinstance(shape, Label) and shape.role == "label"]
    assert len(drawn) == MOST_BARS
    assert left_out(block) == 960
    numbers = [int(text.split()[1]) for text in drawn]
    assert numbers == sorted(numbers)
    assert min(values[n] for n in numbers) == 96.0


def test_sampled_keeps_first_and_last() -> None:
    points = [(float(i), 0.0) for i in range(101)]
    assert [x for x, _ in sampled(points, 5)] == [0, 25, 50, 75, 100]
    assert sampled(points[:3], 5) == points[:3]


@given(st.text(max_size=80), st.floats(20, 200))
def test_shortened_text_fits(text: str, room: float) -> None:
    assert bundled().width(shortened(text, room), SIZE) <= room


@given(st.text(max_size=80), st.floats(30, 200))
def test_wrapped_text_fits(text: str, room: float) -> None:
    lines = wrapped(text, room)
    assert 1 <= len(lines) <= 3
    assert all(bundled().width(line, SIZE) <= room for line in lines)


def test_wrapped_text_breaks_between_words() -> None:
    assert wrapped("number of complaints within the last ninety days", 90) == [
        "number of complaints within",
        "the last ninety days",
    ]


def test_svg_is_xml_with_title_and_description() -> None:
    drawing = curve(Curve(own('<b> & "c"'), ((0.0, 1.0), (1.0, 2.0)), "<x>", "&y"))
    root = ET.fromstring(svg(drawing, "n"))
    assert [child.tag for child in root][:2] == ["title", "desc"]
    assert root[0].text == '<b> & "c"'
    assert root.attrib["aria-labelledby"] == "n-t n-d"
    assert drawing.width == WIDTH
