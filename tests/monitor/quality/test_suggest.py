"""Suggestions: how much worse is no alarm."""

from __future__ import annotations

import pytest
from scored import BINARY, binary

from driftline.baselines.metrics import QUALITY
from driftline.baselines.quality_documents import SAGEMAKER
from driftline.monitor.quality.job import make_baseline
from driftline.monitor.quality.settings import read_settings
from driftline.monitor.quality.suggest import DERIVED, JUDGED, OWN, tolerance_of


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("accuracy", 0.8, 0.02),
        ("accuracy", 0.99, 0.005),
        ("false_positive_rate", 0.01, 0.005),
        ("precision", 0.03, 0.015),
        ("precision", 1.0, 0.001),
        ("auc", 0.9, 0.02),
        ("calibration_error", 0.0, 0.02),
        ("mae", 4.0, 0.2),
        ("mse", 4.0, 0.4),
        ("brier", 0.2, 0.01),
        ("r2", 0.9, 0.02),
        ("r2", -7.0, 0.4),
    ],
)
def test_tolerances_follow_the_rule(name: str, value: float, expected: float) -> None:
    assert tolerance_of(name, value, read_settings(BINARY))[0] == pytest.approx(expected)


def test_tolerances_are_decided() -> None:
    settings = read_settings(BINARY | {"tolerance": {"recall": 0.1, "brier": "20 %"}})
    assert tolerance_of("recall", 0.99, settings) == (0.1, "0.1 by the settings")
    assert tolerance_of("brier", 0.2, settings)[0] == pytest.approx(0.04)
    baseline = make_baseline(binary(300, 1), settings)
    assert baseline.constraints.metrics["recall"].tolerance == 0.1


def test_every_metric_is_judged_or_has_a_reason() -> None:
    for problem, judged in JUDGED.items():
        for name in SAGEMAKER[problem]:
            assert (name in judged) != (name in DERIVED), name
    for name in OWN:
        assert (name in JUDGED["binary"]) != (name in DERIVED), name
    assert set(DERIVED) <= set(QUALITY)
