"""Shapes: what is too long is shortened and stays different, and a thinned line keeps its ends."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from driftline.cards.shapes import confusion, fitted, metric, thinned


@given(st.text(max_size=200), st.text(max_size=200), st.integers(24, 120))
def test_names_fit_and_stay_different(one: str, other: str, limit: int) -> None:
    a, b = fitted(one, limit), fitted(other, limit)
    assert len(a) <= limit
    assert (a == b) == (one == other)


@given(st.integers(0, 5000), st.integers(2, 1000))
def test_thinned_points_are_spread_evenly(n: int, limit: int) -> None:
    points, note = thinned(range(n), limit)
    assert len(points) == min(n, limit)
    assert (note is None) == (n <= limit)
    if n:
        assert (points[0], points[-1]) == (0, n - 1)
    gaps = [b - a for a, b in zip(points, points[1:], strict=False)]
    assert not gaps or max(gaps) - min(gaps) <= 1


@given(
    st.dictionaries(
        st.text(max_size=2), st.dictionaries(st.text(max_size=2), st.integers(0, 9), max_size=30), max_size=30
    )
)
def test_a_matrix_keeps_its_sum_and_fits(counts: dict[str, dict[str, int]]) -> None:
    rows, actual, predicted, _ = confusion(counts)
    assert len(rows) == len(actual) <= 20
    assert all(len(row) == len(predicted) <= 20 for row in rows)
    assert sum(map(sum, rows)) == sum(sum(row.values()) for row in counts.values())
    assert len(set(actual)) == len(actual)
    assert len(set(predicted)) == len(predicted)


def test_keys_are_in_the_order_of_the_sdk() -> None:
    made = metric("a" * 300, "bar_chart", [1], notes="n" * 2000, x=["b" * 70], y="c" * 70)
    assert list(made) == ["name", "type", "value", "notes", "x_axis_name", "y_axis_name"]
    assert (len(made["name"]), len(made["notes"])) == (255, 1024)
    assert (len(made["x_axis_name"][0]), len(made["y_axis_name"])) == (63, 63)
