"""Ranking: against scikit-learn, against every pair of rows, and by what must not change it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import ranking as obvious
from scipy import stats
from sklearn import metrics as oracle

from driftline.kernels.ranking import (
    Curve,
    au_prc,
    auc,
    auc_deviation,
    auc_interval,
    average_precision,
    precision_recall_curve,
    roc_curve,
    top_k,
)

pairs = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 1)), min_size=1, max_size=60)


def cells(scores: Any, labels: Any) -> tuple[Any, Any, Any]:
    scores, labels = np.asarray(scores, float), np.asarray(labels)
    distinct = np.unique(scores)
    place = np.searchsorted(distinct, scores)
    return (
        distinct,
        np.bincount(place[labels == 1], minlength=distinct.size),
        np.bincount(place[labels == 0], minlength=distinct.size),
    )


def both(labels: Any) -> bool:
    return 0 < sum(labels) < len(labels)


@given(rows=pairs)
def test_auc_against_every_pair_and_scikit_learn(rows: list[tuple[int, int]]) -> None:
    scores, labels = zip(*rows, strict=True)
    _, positives, negatives = cells(scores, labels)
    found = auc(positives, negatives)
    if not both(labels):
        assert np.isnan(found)
        return
    assert found == pytest.approx(obvious.auc(scores, labels), abs=1e-15)
    assert found == pytest.approx(oracle.roc_auc_score(labels, scores), abs=1e-14)


@given(rows=pairs, times=st.integers(2, 5))
def test_what_auc_does_not_see(rows: list[tuple[int, int]], times: int) -> None:
    scores, labels = zip(*rows, strict=True)
    _, positives, negatives = cells(scores, labels)
    if not both(labels):
        return
    found = auc(positives, negatives)
    assert 0.0 <= found <= 1.0
    assert auc(positives * times, negatives * (times + 1)) == pytest.approx(found, abs=1e-15)
    assert auc(positives[::-1], negatives[::-1]) == pytest.approx(1.0 - found, abs=1e-15)
    assert auc(negatives, positives) == pytest.approx(1.0 - found, abs=1e-15)
    weights = auc(positives * 0.5, negatives * 3.0)
    assert weights == pytest.approx(found, abs=1e-14)


def test_auc_of_replicates_at_once() -> None:
    rng = np.random.default_rng(0)
    stack = rng.integers(0, 9, (5, 2, 30))
    found = auc(stack[:, 0], stack[:, 1])
    assert found.tolist() == [float(auc(one[0], one[1])) for one in stack]


def test_auc_of_more_pairs_than_63_bits_hold() -> None:
    positives, negatives = np.array([0, 4_000_000_000]), np.array([3_000_000_000, 1_000_000_000])
    assert auc(positives, negatives) == pytest.approx(0.75 + 0.125, abs=1e-15)


@given(rows=pairs)
def test_average_precision_is_scikit_learns(rows: list[tuple[int, int]]) -> None:
    scores, labels = zip(*rows, strict=True)
    _, positives, negatives = cells(scores, labels)
    if not sum(labels):
        assert np.isnan(average_precision(positives, negatives))
        assert np.isnan(au_prc(positives, negatives))
        return
    expected = oracle.average_precision_score(labels, scores)
    assert average_precision(positives, negatives) == pytest.approx(expected, abs=1e-14)


@given(rows=pairs)
def test_au_prc_is_the_area_under_its_curve(rows: list[tuple[int, int]]) -> None:
    scores, labels = zip(*rows, strict=True)
    distinct, positives, negatives = cells(scores, labels)
    curve = precision_recall_curve(distinct, positives, negatives)
    if curve is None:
        assert not sum(labels)
        return
    assert au_prc(positives, negatives) == pytest.approx(np.trapezoid(curve.y, curve.x), abs=1e-14)
    precision, recall, _ = oracle.precision_recall_curve(labels, scores)
    # scikit-learn ends in (precision 1, recall 0); Spark and SageMaker in the precision of the highest score.
    assert curve.x[1:] == pytest.approx(recall[-2::-1])
    assert curve.y[1:] == pytest.approx(precision[-2::-1])
    assert (curve.x[0], curve.y[0]) == (0.0, curve.y[1])


@given(rows=pairs)
def test_roc_curve_is_scikit_learns_with_its_ends(rows: list[tuple[int, int]]) -> None:
    scores, labels = zip(*rows, strict=True)
    distinct, positives, negatives = cells(scores, labels)
    curve = roc_curve(distinct, positives, negatives)
    if not both(labels):
        assert curve is None
        return
    assert curve is not None
    x, y, _ = oracle.roc_curve(labels, scores, drop_intermediate=False)
    assert curve.x[:-1] == pytest.approx(x)
    assert curve.y[:-1] == pytest.approx(y)
    assert (curve.x[-1], curve.y[-1]) == (1.0, 1.0)
    assert np.trapezoid(curve.y, curve.x) == pytest.approx(auc(positives, negatives), abs=1e-14)


def test_four_scores_give_six_and_five_points() -> None:
    distinct, positives, negatives = cells([0.1, 0.2, 0.7, 0.9], [0, 0, 1, 0])
    roc, pr = (
        roc_curve(distinct, positives, negatives),
        precision_recall_curve(distinct, positives, negatives),
    )
    assert roc is not None
    assert pr is not None
    assert roc.x.size == 6
    assert pr.x.size == 5
    assert roc.scores[1:-1].tolist() == [0.9, 0.7, 0.2, 0.1]


@pytest.mark.parametrize("most", [2, 10, 1000])
def test_long_curves_keep_their_ends_and_their_form(most: int) -> None:
    rng = np.random.default_rng(0)
    labels = rng.random(50_000) < 0.1
    distinct, positives, negatives = cells(rng.normal(size=50_000) + labels, labels)
    for draw in roc_curve, precision_recall_curve:
        whole, short = draw(distinct, positives, negatives, 10**9), draw(distinct, positives, negatives, most)
        assert isinstance(whole, Curve)
        assert isinstance(short, Curve)
        assert short.x.size <= most
        assert (short.x[0], short.y[0]) == (whole.x[0], whole.y[0])
        assert (short.x[-1], short.y[-1]) == (whole.x[-1], whole.y[-1])
        if most == 1000:
            assert np.trapezoid(short.y, short.x) == pytest.approx(np.trapezoid(whole.y, whole.x), abs=3e-4)


def test_deviation_of_auc_is_delongs() -> None:
    rng = np.random.default_rng(3)
    labels = rng.random(300) < 0.3
    scores = np.round(rng.normal(size=300) + labels, 1)
    _, positives, negatives = cells(scores, labels)
    wins = (scores[labels][:, None] > scores[~labels]) + 0.5 * (scores[labels][:, None] == scores[~labels])
    expected = math.sqrt(
        wins.mean(axis=1).var(ddof=1) / labels.sum() + wins.mean(axis=0).var(ddof=1) / (~labels).sum()
    )
    assert auc_deviation(positives, negatives) == pytest.approx(expected, rel=1e-12)
    assert auc_deviation(np.array([1, 0]), np.array([4, 4])) is None


def test_interval_of_auc_by_its_definition() -> None:
    z = stats.norm.ppf(0.975)
    for area, p, n in ((0.8, 20, 30), (0.55, 7, 9), (0.97, 200, 50)):
        for end in auc_interval(area, p, n):
            spread = 1 + ((p + n) / 2 - 1) * ((1 - end) / (2 - end) + end / (1 + end))
            assert abs(area - end) == pytest.approx(
                z * math.sqrt(end * (1 - end) * spread / (p * n)), abs=1e-12
            )
    low, high = auc_interval(1.0, 5, 12)
    assert high == 1.0
    assert 0.5 < low < 0.95
    assert auc_interval(0.0, 5, 12) == (0.0, pytest.approx(1.0 - low))


def test_interval_of_auc_covers_as_often_as_it_says() -> None:
    rng = np.random.default_rng(9)
    truth = stats.norm.cdf(1.2 / math.sqrt(2))
    covered = 0
    for _ in range(1000):
        scores = np.concatenate([rng.normal(1.2, 1, 15), rng.normal(0, 1, 40)])
        _, positives, negatives = cells(scores, np.repeat([1, 0], [15, 40]))
        low, high = auc_interval(float(auc(positives, negatives)), 15, 40)
        covered += low <= truth <= high
    assert 0.93 <= covered / 1000 <= 0.99


@given(
    rows=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1)), min_size=1, max_size=6),
    k=st.integers(1, 7),
)
def test_ties_at_k_are_left_to_chance(rows: list[tuple[int, int]], k: int) -> None:
    scores, labels = zip(*rows, strict=True)
    _, positives, negatives = cells(scores, labels)
    (found,) = top_k(positives, negatives, [k])
    k = min(k, len(rows))
    expected = obvious.precision_at(scores, labels, k)
    assert found.precision == pytest.approx(expected)
    if sum(labels):
        assert found.recall == pytest.approx(expected * k / sum(labels))
        assert found.lift == pytest.approx(expected / (sum(labels) / len(labels)))
    else:
        assert found.recall is None
        assert found.lift is None
    ordered = sorted(scores, reverse=True)
    splits = k < len(rows) and ordered[k - 1] == ordered[k]
    assert found.n_tied == (scores.count(ordered[k - 1]) if splits else 0)


def test_top_k_of_nothing() -> None:
    (found,) = top_k(np.zeros(0, int), np.zeros(0, int), [3])
    assert found == (3, None, None, None, 0)
    with pytest.raises(ValueError, match="1 or more"):
        top_k(np.array([1]), np.array([1]), [0])
