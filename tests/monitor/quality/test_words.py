"""Words: a sentence for every metric, both values in it, and never a rounder one than the truth."""

from __future__ import annotations

import pytest

from driftline.baselines.metrics import QUALITY
from driftline.monitor.quality.words import now_and_then, spelled, title_of


@pytest.mark.parametrize("name", QUALITY)
def test_every_metric_has_a_sentence_with_both_values(name: str) -> None:
    told = now_and_then(name, 0.31, 0.25)
    misses = name == "recall"
    assert ("69%" if misses else spelled(name, 0.31)) in told
    assert ("75%" if misses else spelled(name, 0.25)) in told
    assert "{" not in told
    assert "baseline" in told


def test_without_a_baseline_only_the_value_is_told() -> None:
    assert now_and_then("accuracy", 0.8, None) == "The model is now right in 80% of the rows"


def test_a_model_worse_than_the_mean_is_called_so() -> None:
    assert now_and_then("r2", -2.0, 0.5).startswith("Predictions are now worse than always giving the mean")


def test_titles_and_values() -> None:
    assert title_of("f0_5") == "F0.5"
    assert spelled("mae", None) == "–"
    assert (spelled("accuracy", 0.9999999), spelled("mae", 1234.5)) == ("99.99999%", "1,234")
