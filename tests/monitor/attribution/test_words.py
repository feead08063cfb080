"""What is said can be understood without knowing what a Shapley value is, and SageMaker's words are SageMaker's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from driftline.monitor.attribution.measuring import Moved, Number
from driftline.monitor.attribution.words import compat_reason, share, told_change, told_ranks

if TYPE_CHECKING:
    from pathlib import Path


def moved(before: list[float], now: list[float]) -> Moved:
    names = tuple("abcdefgh"[: len(before)])
    a, b = np.array(before), np.array(now)
    changes = tuple(Number(float(v)) for v in (b - a) / np.abs(a).sum())
    return Moved(names, a, b, None, None, None, changes)


def test_the_words_of_sagemaker(data: Path) -> None:
    text = (data / "clarify/shap/weather_drift_violations.json").read_text()
    description = json.loads(text)["violations"][0]["description"]
    assert compat_reason(0.860173572903856, 0.9, is_violated=True) == description


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.12, "12 %"), (0.0251, "2.5 %"), (-0.00001, "0.0 %"), (0.0999, "10 %"), (1.0, "100 %")],
)
def test_shares(value: float, text: str) -> None:
    assert share(value) == text


@pytest.mark.parametrize(
    ("before", "now", "words"),
    [
        ([98, 2], [88, 12], "The model now leans on b: 12 % of all attribution, 2.0 % in the baseline."),
        ([80, 20], [70, 30], "The model leans more on b: 30 % of all attribution, 20 % in the baseline."),
        ([80, 20], [90, 10], "The model leans less on b: 10 % of all attribution, 20 % in the baseline."),
        (
            [80, 20],
            [80, 20.5],
            "The model leans on b about as before: 20 % of all attribution, 20 % in the baseline.",
        ),
        ([80, 20], [90, 20], "The model leans on b as before: 18 % of all attribution."),
    ],
)
def test_changes(before: list[float], now: list[float], words: str) -> None:
    assert told_change(moved(before, now), 1) == words


def test_ranks() -> None:
    assert told_ranks(moved([3, 2, 1], [1, 2, 3])) == " c from rank 3 to 1 and a from rank 1 to 3."
    assert told_ranks(moved([3, 2, 1], [3, 2, 1])) == ""
