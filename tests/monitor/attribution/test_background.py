"""A few real rows stand for all of them."""

from __future__ import annotations

import numpy as np
from monitor_attribution_shared import numbers

from driftline.monitor.attribution.background import MOST_AUTOMATIC, summarised
from driftline.monitor.attribution.encoding import Encoding, FeatureCode


def three_clouds() -> np.ndarray:
    rng = np.random.default_rng(0)
    centres = np.array([[0.0, 0.0], [100.0, 0.0], [0.0, 1000.0]])
    return np.concatenate(
        [centre + rng.normal(size=(n, 2)) for centre, n in zip(centres, (60, 30, 10), strict=True)]
    )


def test_clouds_are_found_and_rows_are_real() -> None:
    x = three_clouds()
    rows = summarised(x, numbers("a", "b"), 3, 0)
    assert {tuple(row) for row in rows} <= {tuple(row) for row in x}
    assert [int(row[0] > 50) + 2 * int(row[1] > 500) for row in rows] == [0, 1, 2]


def test_the_number_is_chosen() -> None:
    assert summarised(three_clouds(), numbers("a", "b"), None, 0).shape[0] == 3
    noise = np.random.default_rng(1).normal(size=(300, 2))
    assert 1 <= summarised(noise, numbers("a", "b"), None, 0).shape[0] <= MOST_AUTOMATIC


def test_the_same_for_the_same_seed() -> None:
    x = three_clouds()
    np.testing.assert_array_equal(
        summarised(x, numbers("a", "b"), 5, 4), summarised(x, numbers("a", "b"), 5, 4)
    )


def test_no_more_rows_than_there_are_different_ones() -> None:
    assert summarised(np.ones((20, 2)), numbers("a", "b"), 7, 0).shape == (1, 2)


def test_categories_and_gaps() -> None:
    encoding = Encoding((FeatureCode("t", "text", ("a", "b")), FeatureCode("x", "number")))
    x = np.array([[0.0, np.nan]] * 10 + [[1.0, 5.0]] * 10)
    rows = summarised(x, encoding, 2, 0)
    assert sorted(row[0] for row in rows) == [0.0, 1.0]
