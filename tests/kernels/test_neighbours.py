"""The flip test against scikit-learn, a slow twin, and the rule for ties."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import bias as reference

from driftline.kernels.neighbours import Flips, flip_test, neighbours


def data(n: int, p: int, seed: int, *, whole: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    features = (
        rng.integers(0, 3, (n, p)).astype(float)
        if whole
        else rng.normal(size=(n, p)) * [1e4, *[1.0] * (p - 1)]
    )
    return features, rng.random(n) < 0.4, rng.random(n) < 0.5


@pytest.mark.parametrize("n", [12, 40, 700])
@pytest.mark.parametrize("standardise", [False, True])
def test_untied_rows_agree_with_scikit_learn(n: int, standardise: bool) -> None:
    """KNeighborsClassifier(algorithm="brute"), Euclidean, uniform weights, 5 neighbours."""
    from sklearn.neighbors import KNeighborsClassifier

    features, is_d, predicted = data(n, 4, n, whole=False)
    scaled = features / features.std(axis=0) if standardise else features
    k = 5 if (~is_d).sum() > 9 else 1
    model = KNeighborsClassifier(k, algorithm="brute").fit(scaled[~is_d], predicted[~is_d])
    vote = model.predict(scaled[is_d])
    found = flip_test(features, is_d, predicted, standardise=standardise, block_bytes=1 << 14)
    assert found.k == k
    assert found.to_negative == (predicted[is_d] & ~vote).sum()
    assert found.to_positive == (~predicted[is_d] & vote).sum()
    assert found.value == (found.to_negative - found.to_positive) / is_d.sum()


@given(
    features=st.lists(st.lists(st.integers(-2, 2), min_size=2, max_size=2), min_size=2, max_size=40),
    data=st.data(),
)
def test_ties_are_taken_in_row_order(features: list, data: st.DataObject) -> None:
    n = len(features)
    is_d = data.draw(st.lists(st.booleans(), min_size=n, max_size=n).filter(lambda v: 0 < sum(v) < n))
    predicted = data.draw(st.lists(st.booleans(), min_size=n, max_size=n))
    found = flip_test(np.array(features, float), np.array(is_d), np.array(predicted), block_bytes=256)
    assert found.value == pytest.approx(reference.flip_test(features, is_d, predicted))


@pytest.mark.parametrize("offset", [0.0, 1e9, -3e15])
def test_neighbours_are_exact_far_from_zero(offset: float) -> None:
    """Rounding in the product picks candidates only, so that whole numbers tie and differ as they should."""
    rng = np.random.default_rng(1)
    points, queries = (rng.integers(0, 50, (m, 3)) + offset for m in (500, 60))
    distances = ((points[None] - queries[:, None]) ** 2).sum(axis=2)
    expected = np.argsort(distances, axis=1, kind="stable")[:, :5]
    assert (neighbours(points, queries, 5) == expected).all()


def test_the_size_of_a_block_does_not_show() -> None:
    features, is_d, predicted = data(900, 3, 5, whole=True)
    results = {flip_test(features, is_d, predicted, block_bytes=size) for size in (1, 1 << 12, 1 << 26)}
    assert len(results) == 1


def test_one_neighbour_votes_among_nine_and_five_among_ten() -> None:
    features = np.arange(11.0)[:, None]
    for n_a, k in ((9, 1), (10, 5)):
        is_d = np.arange(n_a + 1) == n_a
        assert flip_test(features[: n_a + 1], is_d, np.ones(n_a + 1, bool)).k == k


def test_sign_is_that_of_the_code() -> None:
    """A group whose members are refused where their neighbours are accepted has a negative value."""
    features = np.array([[0.0], [1.0], [0.0], [1.0]])
    is_d, predicted = np.array([False, False, True, True]), np.array([True, True, False, False])
    assert flip_test(features, is_d, predicted) == Flips(n_d=2, to_negative=0, to_positive=2, n_a=2, k=1)
    assert flip_test(features, is_d, predicted).value == -1


def test_sides_without_rows_have_no_value() -> None:
    features, predicted = np.zeros((3, 1)), np.ones(3, bool)
    for is_d in (np.zeros(3, bool), np.ones(3, bool)):
        assert math.isnan(flip_test(features, is_d, predicted).value)


def test_one_column_decides_unless_standardised() -> None:
    features = np.array([[0, 0], [0, 1000], [1, 999.0]])
    is_d, predicted = np.array([False, False, True]), np.array([True, False, True])
    assert flip_test(features, is_d, predicted).to_negative == 1
    moved = np.array([[0, 0], [10, 499], [0, 500], [10, 1000], [0, 505.0]])
    is_d, predicted = np.arange(5) == 4, np.array([True, False, False, False, False])
    assert flip_test(moved, is_d, predicted) == flip_test(moved, is_d, predicted, standardise=True)
    assert flip_test(moved * [1e6, 1], is_d, predicted).to_positive == 0


def test_a_cap_draws_the_same_rows_for_the_same_seed() -> None:
    features, is_d, predicted = data(500, 3, 2, whole=False)
    capped = flip_test(features, is_d, predicted, most=40, seed=7)
    assert (capped.n_a, capped.n_d) == (40, 40)
    assert capped == flip_test(features, is_d, predicted, most=40, seed=7)
    assert flip_test(features, is_d, predicted, most=10**6) == flip_test(features, is_d, predicted)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        flip_test(np.array([[bad], [0.0]]), np.array([True, False]), np.ones(2, bool))
    with pytest.raises(ValueError, match="rows of features"):
        flip_test(np.zeros((2, 1)), np.array([True]), np.ones(2, bool))
