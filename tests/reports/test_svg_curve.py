"""Curves."""

from __future__ import annotations

import re

from driftline.reports.exhibit import Exhibit
from driftline.reports.svg_curve import HEIGHT, MOST_DRAWN, WIDTH, curve, series_of

Rows = tuple[tuple[str | float | None, ...], ...]


def made(rows: Rows, **options: float | bool) -> Exhibit:
    return Exhibit("c", "curve", "C", "", ("side", "x", "y"), rows, (), options)


def line(drawn: str, paint: str) -> str:
    found = re.search(rf'<path class="x-line {paint}" d="([^"]*)"', drawn)
    assert found is not None
    return found[1]


def test_no_point_no_picture() -> None:
    assert curve(made(())) == ""
    assert curve(made((("a", None, 1.0),))) == ""


def test_a_missing_number_breaks_the_line() -> None:
    rows: Rows = tuple(("current", float(i), None if i == 2 else float(i)) for i in range(5))
    assert len(re.findall("M", line(curve(made(rows)), "x-now"))) == 2
    assert series_of(made(rows))["current"][2] is None


def test_baseline_and_current_have_their_colours_and_others_a_dash_each() -> None:
    rows: Rows = tuple((name, x, x) for name in ("baseline", "Current", "a", "b", "c") for x in (0, 1))
    drawn = curve(made(rows))
    assert line(drawn, "x-base")
    assert line(drawn, "x-now")
    dashes = re.findall(r'<path class="x-line x-s(\d)" d="M\d+ [\d.]+h16"( stroke-dasharray="[^"]*")?', drawn)
    assert len({dash for _, dash in dashes}) == 3
    assert {paint for paint, _ in dashes} == {"0", "1", "2"}


def test_names_stand_apart_inside_the_picture() -> None:
    rows: Rows = tuple((f"series {i}", x, 1.0) for i in range(8) for x in (0, 1))
    places = [float(y) for y in re.findall(r'class="x-label" x="[\d.]+" y="([\d.]+)"', curve(made(rows)))]
    assert len(places) == 8
    assert all(b - a >= 16.9 for a, b in zip(places, places[1:], strict=False))
    assert all(0 < y < HEIGHT for y in places)


def test_many_series_are_not_all_drawn() -> None:
    rows: Rows = tuple((f"series {i}", x, i) for i in range(20) for x in (0, 1))
    assert curve(made(rows)).count('class="x-label"') == MOST_DRAWN


def test_the_axes_can_be_fixed_and_the_diagonal_drawn() -> None:
    drawn = curve(
        made(
            (("current", 0.2, 0.2), ("current", 0.4, 0.3)), x_min=0, x_max=1, y_min=0, y_max=1, diagonal=True
        )
    )
    assert re.findall(r"<text x=[^>]*>([\d.]+)</text>", drawn)[:6] == ["0", "0.2", "0.4", "0.6", "0.8", "1"]
    assert 'class="x-ref"' in drawn


def test_intervals_around_points_are_drawn_as_whiskers_without_a_name() -> None:
    rows: list[tuple[str | float | None, ...]] = [("current", 0.1, 0.2), ("current", 0.5, 0.4)]
    for x, low, high in ((0.1, 0.1, 0.3), (0.5, 0.3, 0.5)):
        rows += [
            ("current, 95% interval", x, low),
            ("current, 95% interval", x, high),
            ("current, 95% interval", None, None),
        ]
    drawn = curve(made(tuple(rows)))
    assert drawn.count('class="x-label"') == 1
    assert '<path class="x-line x-thin x-now"' in drawn


def test_every_coordinate_lies_on_paper() -> None:
    rows: Rows = (("a", -1e308, 1e308), ("a", 1e308, -1e308), ("a", 0, 0))
    for x, y in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", curve(made(rows))):
        assert 0 <= float(x) <= WIDTH
        assert 0 <= float(y) <= HEIGHT
