"""Evidence: small samples prove little, large ones what they show, and a baseline is no truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from scored import BINARY, binary

from driftline.capture.open import open_source
from driftline.monitor.quality.estimates import calibration_of
from driftline.monitor.quality.evidence import calibration_p, weigh
from driftline.monitor.quality.figures import Figure
from driftline.monitor.quality.fold import fold
from driftline.monitor.quality.settings import read_settings


def share(hits: int, n: int) -> Figure:
    return Figure(hits / n, n, hits=hits)


def test_a_share_against_a_wish_is_binomial() -> None:
    found = weigh("recall", share(70, 100), None, 0.8, -1)
    assert found.p_value == pytest.approx(stats.binomtest(30, 100, 0.2, alternative="greater").pvalue)
    higher = weigh("false_positive_rate", share(30, 100), None, 0.2, 1)
    assert higher.p_value == pytest.approx(found.p_value)


def test_a_share_against_a_baseline_is_fishers_test_at_least() -> None:
    found = weigh("recall", share(12, 20), share(45, 50), 0.9, -1)
    fisher = stats.fisher_exact([[8, 12], [5, 45]], alternative="greater").pvalue
    assert found.p_value is not None
    assert found.p_value >= fisher * (1 - 1e-9)


def test_a_tolerance_takes_more_evidence() -> None:
    strict = weigh("accuracy", share(8800, 10_000), share(9000, 10_000), 0.9, -1).p_value
    wide = weigh("accuracy", share(8800, 10_000), share(9000, 10_000), 0.88, -1).p_value
    assert strict is not None
    assert wide is not None
    assert strict < 1e-5
    assert wide == pytest.approx(0.5, abs=0.01)


def test_a_small_baseline_proves_less() -> None:
    values = [
        weigh("accuracy", share(80, 100), share(round(0.9 * n), n), 0.9, -1).p_value
        for n in (50, 500, 50_000)
    ]
    assert all(v is not None for v in values)
    assert sorted(values, reverse=True) == values  # type: ignore[type-var]


def test_numbers_are_compared_with_both_errors() -> None:
    found = weigh("mae", Figure(1.3, 100, 0.1), Figure(1.0, 100, 0.05), 1.05, 1)
    assert found.p_value == pytest.approx(stats.norm.sf(0.25 / math.hypot(0.1, 0.05)))
    assert found.detectable == pytest.approx(stats.norm.isf(0.05) * math.hypot(0.1, 0.05))
    assert weigh("mae", Figure(1.3, 100, None), None, 1.05, 1).p_value is None


def test_a_baseline_without_errors_varies_as_the_window() -> None:
    found = weigh("mae", Figure(1.3, 100, 0.1), Figure(1.0, 400), 1.05, 1, n_baseline=400)
    assert found.p_value == pytest.approx(stats.norm.sf(0.25 / math.hypot(0.1, 0.05)))


def test_a_perfect_auc_is_not_certain() -> None:
    perfect = Figure(1.0, 20, 0.0, least=8)
    found = weigh("auc", Figure(0.9, 20, 0.07, least=8), perfect, 0.99, -1)
    assert found.p_value is not None
    assert 0.02 < found.p_value < 0.4
    sure = weigh(
        "auc", Figure(0.9, 20_000, 0.002, least=8000), Figure(1.0, 20_000, 0.0, least=8000), 0.99, -1
    )
    assert sure.p_value is not None
    assert sure.p_value < 1e-10


def test_calibration_of_the_same_model_is_no_evidence() -> None:
    """Of windows without a change the p-value is no smaller than it should be."""
    settings = read_settings(BINARY)
    calibration = calibration_of(fold(open_source(binary(20_000, 0)), settings), settings)
    assert calibration is not None
    values = []
    for seed in range(1, 201):
        scores = fold(open_source(binary(60, seed)), settings).scores
        assert scores is not None
        values.append(calibration_p(scores, calibration, replicates=500, seed=seed))
    found = np.array(values, float)
    assert (found < 0.1).mean() < 0.16
    assert (found < 0.01).mean() < 0.03
    turned = fold(open_source(binary(2000, 3, wrong=0.5)), settings).scores
    assert turned is not None
    assert calibration_p(turned, calibration, replicates=500) == pytest.approx(1 / 501)
