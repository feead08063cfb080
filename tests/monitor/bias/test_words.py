"""What metrics say about people."""

from __future__ import annotations

import math

import pytest

from driftline.baselines.metrics import BIAS
from driftline.monitor.bias import words
from driftline.monitor.bias.fields import POST, PRE
from driftline.monitor.bias.frozen import Group

WOMEN = Group("sex", "Female", "sex=Female", "women", "men")


@pytest.mark.parametrize(
    ("code", "value", "baseline", "said"),
    [
        (
            "DI",
            0.42,
            0.58,
            "Women now receive a positive prediction 0.42 times as often as men; in the baseline 0.58 times",
        ),
        (
            "DPPL",
            0.201,
            -0.02,
            "Women now receive a positive prediction 20.1 percentage points less often than men; in the baseline 2.0 more",
        ),
        (
            "DPL",
            0.1,
            0.1,
            "Women now have a positive label 10.0 percentage points less often than men; in the baseline 10.0 less",
        ),
        (
            "RD",
            0.17,
            0.13,
            "The actual positives among women are now recognised 17.0 percentage points less often than among men; in the "
            "baseline 13.0 less",
        ),
        (
            "SD",
            0.27,
            -0.1,
            "The actual negatives among women are now recognised 27.0 percentage points more often than among men; in the "
            "baseline 10.0 less",
        ),
        (
            "DRR",
            -0.05,
            0.1,
            "Negative predictions for women are now right 5.0 percentage points less often than for men; in the baseline "
            "10.0 more",
        ),
        ("CI", 0.4, 0.2, "Women are now 30.0 % of all rows; in the baseline 40.0 %"),
        (
            "CDDPL",
            0.3,
            0.2,
            "Among rows alike in the group variable, the share of women is now 30.0 percentage points higher in the "
            "negative predictions than in the positive ones; in the baseline 20.0 higher",
        ),
        (
            "FT",
            -0.1,
            0.05,
            "Decided on like their nearest neighbours among men, 10.0 % of women would now gain a positive "
            "prediction; in the baseline 5.0 % would lose one",
        ),
        (
            "TE",
            1.5,
            -0.5,
            "There are now 1.5 more false negatives per false positive among women than among men; in the baseline 0.5 "
            "fewer",
        ),
        (
            "DCA",
            0.5,
            0.1,
            "There are now 0.5 more actual positives per predicted positive among men than among women; in the "
            "baseline 0.1 more",
        ),
        (
            "KL",
            0.3,
            None,
            "The labels of women and of men are now 0.3 apart (Kullback–Leibler divergence (KL)); in the "
            "baseline no value",
        ),
        ("TE", math.inf, 2.9, "Treatment equality (TE) for women is infinite; in the baseline 2.9"),
        (
            "GE",
            0.9,
            0.08,
            "The inequality of the benefits over all rows (generalized entropy) is now 0.9; in the baseline 0.08",
        ),
    ],
)
def test_sentences(code: str, value: float, baseline: float | None, said: str) -> None:
    assert words.sentence(code, WOMEN, value, baseline) == said


@pytest.mark.parametrize("code", [*PRE, *POST])
@pytest.mark.parametrize("value", [None, 0.0, -0.3, 0.3, math.inf, -math.inf, 4000.0])
@pytest.mark.parametrize("baseline", [None, 0.2, math.inf])
def test_every_metric_has_words_for_every_value(
    code: str, value: float | None, baseline: float | None
) -> None:
    said = words.sentence(code, WOMEN, value, baseline)
    assert said[0].isupper()
    assert not {"inf", "nan", "None", "-inf"} & set(said.replace(";", " ").replace(".", " ").split())
    assert words.headline(code, WOMEN, value, baseline).startswith("sex=Female: ")


def test_every_metric_can_lead() -> None:
    assert sorted(words.LEADING) == sorted((*PRE, *POST))
    assert {f"bias_{code.lower()}" for code in words.LEADING} == set(BIAS)


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.8, 1.25, "0.8 to 1.25 is allowed"),
        (-math.inf, 0.1, "up to 0.1 is allowed"),
        (None, 0.1, "up to 0.1 is allowed"),
        (0.8, math.inf, "from 0.8 on is allowed"),
        (-0.02, 0.02, "−0.02 to 0.02 is allowed"),
    ],
)
def test_ranges(low: float | None, high: float | None, said: str) -> None:
    assert words.told_range(low, high) == said


def test_absence_is_told() -> None:
    said = words.absent(WOMEN, 4021)
    assert said == (
        "there is no row of sex=Female, where the baseline has 4,021: nothing can be said about how this group is treated"
    )


def test_composition_is_no_treatment() -> None:
    assert words.composition(WOMEN, 0.4, 0.2).endswith(
        "This is about who is in the data, not about how the model treats them."
    )


def test_names_from_outside_are_printable() -> None:
    group = Group("a", "b", "a=b\x1b[31m", "wom\nen", "men")
    assert "\n" not in words.sentence("DI", group, 0.5, 0.5)
    assert "\x1b" not in words.headline("DI", group, 0.5, 0.5)
