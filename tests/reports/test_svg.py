"""Charts as SVG."""

from __future__ import annotations

import math
import re
import time
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.reports.report import ColumnView
from driftline.reports.svg import MAX_BINS, MAX_CATEGORIES, THEMES, categories, chart, histogram, sparkline

if TYPE_CHECKING:
    from driftline.reports.report import Report

NS = "{http://www.w3.org/2000/svg}"
COUNTS = st.lists(st.floats(0, 1e308) | st.just(math.inf), min_size=1, max_size=90)


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in parsed(svg).iter(f"{NS}text")]


def test_it_says_what_it_shows(churn_report: Report) -> None:
    svg = chart(churn_report.columns[3])
    root = parsed(svg)
    assert root.get("role") == "img"
    assert root[0].tag == f"{NS}title"
    assert root[0].text == "Distribution of Day Mins: values of baseline 2,353 and current 339"


def test_the_axis_carries_the_edges() -> None:
    svg = histogram([0.0, 10.0, 20.0, 30.0, 40.0], [1, 2, 3, 4], [4, 3, 2, 1], title="t")
    assert texts(svg) == ["40%", "0", "20", "40"]


def test_open_ends_are_marked() -> None:
    svg = histogram([-math.inf, 1.5, 2.5, math.inf], [1, 2, 1], [1, 1, 1], title="t")
    assert texts(svg) == ["50%", "< 1.5", "", "> 2.5"]


def test_times_are_dates() -> None:
    day = 86_400_000_000.0
    svg = histogram([20_000 * day + i * day for i in range(5)], [1] * 4, [1] * 4, title="t", kind="time")
    assert texts(svg) == ["25%", "2024-10-04", "2024-10-06", "2024-10-08"]
    far = histogram([-1e300, 0, 1e300], [1, 1], [], title="t", kind="time")
    assert texts(far)[1:] == ["−1e300", "", "1e300"]


def test_the_baseline_is_filled_and_the_current_a_line() -> None:
    paths = list(parsed(histogram([0, 1, 2], [1, 2], [2, 1], title="t")).iter(f"{NS}path"))
    assert [path.get("fill") for path in paths] == ["#c9d3e3", "none"]
    assert paths[0].get("d", "").endswith("Z")


def test_heights_are_shares_of_each_side() -> None:
    small = histogram([0, 1, 2], [1, 3], [2, 6], title="t")
    big = histogram([0, 1, 2], [100, 300], [2, 6], title="t")
    assert small == big


@pytest.mark.parametrize("theme", THEMES)
def test_colours_follow_the_page_or_are_fixed(theme: str) -> None:
    charts = [
        histogram([0, 1, 2], [1, 2], [2, 1], title="t", theme=theme),
        categories(["a", "b"], [1, 2], [2, 1], title="t", theme=theme),
        sparkline([1, 2], [2, 1], title="t", theme=theme),
    ]
    for svg in charts:
        assert ("light-dark(" in svg) == (theme == "auto")
        assert ("#fb923c" in svg) == (theme != "light")
        assert ("#c2410c" in svg) == (theme != "dark")


def test_many_bins_are_added_up() -> None:
    svg = histogram(list(range(1001)), [1] * 1000, [1] * 1000, title="t")
    assert svg.count("V") <= 2 * (MAX_BINS + 2)
    assert texts(svg)[1:] == ["0", "493", "1,000"]


def test_many_categories_become_the_largest_and_the_rest() -> None:
    labels = [f"c{i}" for i in range(20)] + ["…"]
    svg = categories(labels, [*range(20), 100], [*range(20), 100], title="t")
    shown = texts(svg)[:MAX_CATEGORIES]
    assert shown == [f"c{i}" for i in range(13, 20)] + ["14 others"]


def test_shares_stand_beside_the_bars() -> None:
    svg = categories(["yes", "no"], [1, 3], [1, 1], title="t")
    assert texts(svg) == ["yes", "no", "25% → 50%", "75% → 50%"]
    assert texts(categories(["yes", "no"], [], [9999, 1], title="t"))[2:] == [">99.9%", "<0.1%"]


@pytest.mark.parametrize(
    "svg",
    [
        histogram([0, 1], [0], [0], title="t"),
        histogram([0, 1], [], [], title="t"),
        categories([], [], [], title="t"),
        categories(["a"], [0], [], title="t"),
        sparkline([], [], title="t"),
        chart(ColumnView("a", "other", "Unknown")),
        chart(ColumnView("a", "text", "String", labels=("a",), baseline_counts=(0.0,))),
    ],
)
def test_nothing_to_draw_is_no_picture(svg: str) -> None:
    assert svg == ""


@given(COUNTS, COUNTS, st.booleans())
def test_any_counts_give_sound_markup(before: list[float], now: list[float], labelled: bool) -> None:
    n = min(len(before), len(now))
    shape: dict[str, Any] = (
        {"labels": tuple(f"<{i}>" for i in range(n))}
        if labelled
        else {"edges": tuple(map(float, range(n + 1)))}
    )
    view = ColumnView(
        "<&>", "number", "Integral", baseline_counts=tuple(before[:n]), current_counts=tuple(now[:n]), **shape
    )
    svg = chart(view)
    assert "nan" not in svg
    assert "inf" not in svg
    if svg:
        root = parsed(svg)
        low, top, width, height = map(float, (root.get("viewBox") or "").split())
        assert (low, top) == (0, 0)
        for path in root.iter(f"{NS}path"):
            numbers = [float(x) for x in re.findall(r"-?[\d.]+", path.get("d") or "")]
            assert all(0 <= x <= max(width, height) + 1 for x in numbers)


def test_hostile_labels_are_text(hostile_report: Report) -> None:
    for view in hostile_report.columns:
        root = parsed(chart(view))
        assert {element.tag.removeprefix(NS) for element in root.iter()} <= {
            "svg",
            "title",
            "path",
            "line",
            "g",
            "text",
        }


def test_a_chart_takes_a_fraction_of_a_millisecond(wide_report: Report) -> None:
    best = math.inf
    for _ in range(3):
        start = time.process_time()
        for view in wide_report.columns:
            chart(view)
        best = min(best, (time.process_time() - start) / len(wide_report.columns))
    assert best < 0.3e-3
