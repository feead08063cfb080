"""Pictures in the height of a row."""

from __future__ import annotations

import math
import re

from driftline.reports.scale import Scale
from driftline.reports.svg_rows import WIDTH, axis, bars, intervals, scales

Row = tuple[str | float | None, ...]


def row(baseline: float | None, current: float | None, *rest: float | str | None) -> Row:
    given = (*rest, *([None] * (5 - len(rest))))
    return ("m", baseline, current, *given)


def test_rows_of_like_size_share_a_scale() -> None:
    found = scales([row(0.1, 0.2, 0.1, 0.3, -0.2, 0.2), row(0.0, -0.1, -0.2, 0.0, -0.1, 0.1)], 0.0)
    assert found[0] is not None
    assert found == [found[0]] * 2


def test_a_row_of_another_size_has_its_own() -> None:
    rows = [row(0.1, 0.2 + i / 100, 0.1, 0.3, -0.2, 0.2) for i in range(8)]
    found = scales([*rows, row(-0.5, -36.7)])
    assert found[-1] is None
    assert None not in found[:-1]


def test_an_outlier_that_squeezes_the_others_has_its_own() -> None:
    rows = [row(0.1, 0.1, 0.0, 0.2, -0.2, 0.2) for _ in range(8)]
    assert scales([*rows, row(0.82, 0.61, 0.58, 0.64, 0.82, 1.22)])[-1] is None


def test_small_differences_of_large_numbers_are_drawn_each_on_its_own_scale() -> None:
    rows = [row(x, x + 0.001, x, x + 0.002) for x in (0.1, 0.3, 0.5, 0.7, 0.9)]
    assert scales(rows) == [None] * 5


def test_a_row_without_numbers_needs_no_scale() -> None:
    assert scales([row(None, None), row(math.inf, math.nan)]) == [None, None]
    assert scales([]) == []


def test_the_state_is_a_shape() -> None:
    scale = Scale(0.0, 1.0, 0.0, 100.0)
    violated = intervals(("m", 0.5, 0.2, 0.1, 0.3, 0.4, None, "violated"), scale)
    assert '<path class="x-bad"' in violated
    assert intervals(("m", 0.5, 0.2, 0.1, 0.3, 0.4, None, "passed"), scale).count("<circle") == 2
    assert 'class="x-core"' in intervals(("m", 0.5, 0.2, 0.1, 0.3, 0.4, None, "undetermined"), scale)


def test_the_band_is_open_where_nothing_is_said() -> None:
    scale = Scale(0.0, 1.0, 0.0, 100.0)
    at_least = intervals(("m", None, None, None, None, 0.4, None, None), scale)
    assert f'<rect class="x-band" x="40.0" y="3" width="{WIDTH - 40:.1f}"' in at_least
    assert at_least.count("M40.0 3v20") == 1
    assert '<rect class="x-band" x="0.0"' in intervals(("m", None, None, None, None, None, 0.4, None), scale)
    assert "x-band" not in intervals(("m", 0.1, 0.1, None, None, None, None, None), scale)


def test_infinity_points_beyond_the_edge() -> None:
    assert f'd="M{WIDTH - 1:g} 13l-9' in intervals(row(0.5, math.inf), None)
    assert 'd="M1 13l9' in intervals(row(0.5, -math.inf), None)


def test_a_reference_is_marked_where_it_lies_inside() -> None:
    scale = Scale(-1.0, 1.0, 0.0, 100.0)
    assert '<path class="x-ref" d="M50.0' in intervals(row(0.5, 0.5), scale, 0.0)
    assert "x-ref" not in intervals(row(0.5, 0.5), scale, 7.0)


def test_bars_start_at_zero_and_something_small_is_seen() -> None:
    scale = Scale(-1.0, 1.0, 0.0, 100.0)
    drawn = bars(0.5, -0.5, scale)
    assert re.findall(r'class="x-bar-(\w+)" d="M50.0 [\d.]+H([\d.]+)', drawn) == [
        ("base", "75.0"),
        ("now", "25.0"),
    ]
    assert "H50.8v8" in bars(1e-9, None, scale)
    assert "H50.0v8" in bars(0, None, scale)
    assert "x-bar" not in bars(None, math.nan, scale)


def test_an_axis_keeps_its_labels_inside() -> None:
    drawn = axis(Scale(0.0, 1.0, 12.0, WIDTH - 12.0), "share")
    assert re.findall(r"<text[^>]*>(.*?)</text>", drawn) == ["0%", "25%", "50%", "75%", "100%"]


def test_a_bound_that_lies_far_off_does_not_squeeze_the_rest() -> None:
    near = intervals(("DI", 0.33, 0.02, 0.01, 0.08, 0.29, 3.4, "violated"), None)
    assert near.count("v20") == 1  # the near end only
    assert f'width="{WIDTH}' not in near.partition("x-band")[2].partition("/>")[0]
    far = intervals(("a", 0.5, 0.5, 0.5, 0.5, -900.0, 900.0, "passed"), None)
    assert 'x="0.0" y="3" width="300.0"' in far
    assert "v20" not in far
