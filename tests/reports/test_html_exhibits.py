"""Exhibits on the page."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from metric_reports import odd_exhibits

from driftline.reports.exhibit import Exhibit
from driftline.reports.html_exhibits import anchors, cell, exhibits, figure

HEADS = ("metric", "baseline", "current", "low", "high", "from", "to", "status")


def text(markup: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", markup).split())


def test_nothing_gives_nothing() -> None:
    assert exhibits(()) == ""


@pytest.mark.parametrize("made", odd_exhibits(), ids=lambda one: one.name)
def test_the_odd_ones_are_drawn_without_a_number_that_is_none(made: Exhibit) -> None:
    markup = figure(made, 0)
    assert made.title.partition("<")[0] in text(markup)
    assert "<script>" not in markup
    for drawn in re.findall(r"<svg.*?</svg>", markup, re.DOTALL):
        coordinates = re.sub(r"<(title|desc|text).*?</\1>", "", drawn, flags=re.DOTALL)
        assert not re.search(r"\b(nan|inf|None)\b", coordinates)


def test_a_table_spells_its_units_and_sorts_by_numbers() -> None:
    made = Exhibit("t", "table", "T", "C", ("slice", "rows", "share"), (("a", 1234, 0.5), ("b", None, None), ("c", 1, 1)),
                   ("text", "rows", "share"))  # fmt: skip
    markup = figure(made, 3)
    assert 'id="x3"' in markup
    assert "data-sortable" in markup
    assert '<td class="num" data-v="1234.0">1,234</td><td class="num" data-v="0.5">50%</td>' in markup
    assert '<td class="num" data-v="">–</td>' in markup


def test_a_matrix_shows_counts_and_shares_of_the_row_and_marks_what_is_right() -> None:
    made = Exhibit("m", "matrix", "M", "", ("actual \\ predicted", "no", "yes"), (("no", 90, 10), ("yes", 0, 0)),
                   ("text", "rows", "rows"))  # fmt: skip
    markup = figure(made, 0)
    assert '<td class="num heat right" style="--heat:100%">90<small>90%</small></td>' in markup
    assert '<td class="num heat" style="--heat:11%">10<small>10%</small></td>' in markup
    assert '<td class="num heat right">0</td>' in markup


def test_shares_are_not_told_twice() -> None:
    made = Exhibit("m", "matrix", "M", "", ("a", "x", "y"), (("r", 0.25, 0.75),), ("text", "share", "share"))
    assert "<small>" not in figure(made, 0)


def test_a_curve_has_a_title_a_description_and_its_points_in_figures() -> None:
    rows = tuple(("current", i / 100, i / 100) for i in range(101))
    made = Exhibit("c", "curve", "Curve", "", ("side", "x", "y"), rows, ("text", "share", "share"))
    markup = figure(made, 0)
    assert (
        "<title>Curve</title><desc>y over x. current: 101 points from (0%, 0%) to (100%, 100%).</desc>"
        in markup
    )
    assert "The points in figures, thinned to 60" in markup
    points = re.findall(r'<th scope="row">.*?</th><td class="num">(.*?)</td>', markup)
    assert points[0] == "0%"
    assert points[-1] == "100%"
    assert len(points) == 51


def test_intervals_tell_in_words_what_the_picture_shows() -> None:
    rows_given = (
        ("Recall", 0.6, 0.4, 0.35, 0.45, 0.5, None, "violated"),
        ("Error", 0.1, 0.1, 0.0, 0.2, None, 0.3, "passed"),
        ("AUC", 0.8, None, None, None, 0.7, 0.9, "undetermined"),
    )
    made = Exhibit("i", "intervals", "I", "", HEADS, rows_given, ("text", *["share"] * 6, "text"))
    rows = [text(row) for row in re.findall(r"<tr>(.*?)</tr>", figure(made, 0), re.DOTALL)][1:]
    assert rows == [
        "Recall 60% 40% 35% to 45% at least 50% Violated",
        "Error 10% 10% 0% to 20% at most 30% Passed",
        "AUC 80% – – 70% to 90% Not judged",
    ]


def test_bars_tell_the_change() -> None:
    made = Exhibit("b", "bars", "B", "", ("feature", "baseline", "current"), (("a", 0.25, 0.3), ("b", 0.3, None)),
                   ("text", "share", "share"))  # fmt: skip
    rows = [text(row) for row in re.findall(r"<tr>(.*?)</tr>", figure(made, 0), re.DOTALL)][1:]
    assert rows == ["a 25% 30% +5 points", "b 30% – –"]
    plain = replace(made, units=())
    assert "+0.05" in figure(plain, 0)


def test_families_are_folded_but_for_what_is_violated() -> None:
    def member(i: int, status: str) -> Exhibit:
        return Exhibit(f"bias:g{i}", "intervals", f"G{i}", "", HEADS, (("m", 0, 1, 0, 2, -1, 1, status),))

    few = exhibits([member(i, "passed") for i in range(6)])
    assert "<details" not in few
    many = exhibits([member(i, "violated" if i == 7 else "passed") for i in range(9)])
    assert many.index("G7") < many.index("8 more like these without violations") < many.index("G0")
    quiet = exhibits([member(i, "passed") for i in range(9)])
    assert quiet.index("G5") < quiet.index("3 more like these") < quiet.index("G6")


def test_what_does_not_fit_is_counted() -> None:
    made = [Exhibit(f"t{i}", "table", f"T{i}", "", ("a",), (("x" * 100,),)) for i in range(50)]
    markup = exhibits(made, 4_000)
    shown = markup.count("<figure")
    assert 0 < shown < 50
    assert f"{50 - shown} more not shown here; the JSON report has them all." in markup


def test_a_long_table_is_cut_with_a_count() -> None:
    rows = tuple((f"row {i} " + "x" * 100, i) for i in range(5_000))
    markup = figure(Exhibit("t", "table", "T", "", ("a", "n"), rows), 0)
    assert len(markup) < 400_000
    assert re.search(r"[\d,]+ more rows in the JSON report", markup)


def test_groups_have_a_place() -> None:
    made = [Exhibit(name, "table", "T", "", ("a",), ()) for name in ("facets", "bias:sex=a:b", "bias:c")]
    assert anchors(made) == {"sex=a:b": "x1", "c": "x2"}


def test_cells_are_escaped() -> None:
    assert cell("<b>", "text") == "&lt;b&gt;"
