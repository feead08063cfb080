from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.baselines.constraint import InferredType
from driftline.baselines.statistics import FeatureStatistics, Sketch, Statistics
from driftline.kernels.kll import KLL


@given(st.lists(st.integers(0, 5), max_size=6))
def test_a_sketch_stands_for_as_many_rows_as_its_kernel_says(sizes: list[int]) -> None:
    sketch = Sketch(tuple((1.0,) * size for size in sizes))
    assert sketch.n_rows == KLL.of_levels(sketch.levels).n_rows == sum(n << h for h, n in enumerate(sizes))


def test_a_feature_is_found_by_name() -> None:
    features = tuple(FeatureStatistics(name, InferredType.UNKNOWN, 0, 1) for name in ("a", "b"))
    statistics = Statistics(1, features)
    assert statistics.feature("b") is features[1]
    assert statistics.feature("c") is None


def test_values_are_frozen() -> None:
    with pytest.raises(AttributeError):
        Statistics(1, ()).item_count = 2  # type: ignore[misc]
