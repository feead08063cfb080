"""Estimates: what was expected is held against what came."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from scored import BINARY, MULTICLASS, binary, many

from driftline.capture.open import open_source
from driftline.monitor.quality.estimates import ESTIMATED, Pair, calibration_of, estimate_of, score_estimates
from driftline.monitor.quality.figures import figures_of
from driftline.monitor.quality.fold import Folded, fold
from driftline.monitor.quality.settings import read_settings

if TYPE_CHECKING:
    import pyarrow as pa

SETTINGS = read_settings(BINARY)


def folded(table: pa.Table) -> Folded:
    return fold(open_source(table), SETTINGS)


def test_estimates_hold_what_they_promise() -> None:
    """Of 60 windows whose labels came later, the realised value lies in the 95% interval in nine of ten or more."""
    calibration = calibration_of(folded(binary(10_000, 0)), SETTINGS)
    pairs: dict[str, list[Pair]] = {name: [] for name in ESTIMATED}
    for seed in range(1, 61):
        expected = estimate_of(folded(binary(400, seed, unlabelled=1.1)), calibration, SETTINGS)
        assert expected is not None
        realised = figures_of(folded(binary(400, seed)), SETTINGS, seed=1).metrics
        for name in ESTIMATED:
            one, truth = expected.metrics.get(name), realised[name]
            if one is not None and None not in (one.value, one.low, one.high, truth.value):
                pairs[name].append(
                    Pair(str(seed), one.value, (one.low, one.high), truth.value, truth.interval)
                )  # type: ignore[arg-type]
    for name in ("accuracy", "recall", "precision", "false_positive_rate", "f1", "auc"):
        score = score_estimates(pairs[name])
        assert score.n == 60
        assert score.coverage is not None
        assert score.coverage >= 0.88, name
        assert score.mean_error is not None
        assert abs(score.mean_error) < 0.02, name
        assert score.overlap == 1.0, name


def test_without_pairs_there_is_no_score() -> None:
    assert score_estimates([]) == score_estimates(iter(()))
    assert score_estimates([]).coverage is None
    alone = score_estimates([Pair("1", 0.5, (0.4, 0.6), 0.7)])
    assert (alone.coverage, alone.overlap, alone.mean_error) == (0.0, None, pytest.approx(-0.2))
    assert alone.mean_absolute_error == pytest.approx(0.2)


def test_what_cannot_be_estimated_is_not() -> None:
    calibration = calibration_of(folded(binary(500, 1)), SETTINGS)
    assert estimate_of(folded(binary(500, 1)), calibration, SETTINGS) is None  # all labelled
    assert estimate_of(folded(binary(500, 1, unlabelled=1.1)), None, SETTINGS) is None
    settings = read_settings(MULTICLASS)
    assert calibration_of(fold(open_source(many(50, 1)), settings), settings) is None
