"""Verdict: when a metric is violated, when nobody can tell, and that "cannot tell" never passes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.baselines.constraint import Constraint
from driftline.monitor.verdict import Because, Claim, decide
from driftline.reports.outcome import Measurement, Status


def claim(
    excess: float | None,
    p: float | None = None,
    *,
    n: int = 1000,
    value: float | None = 0.5,
    detectable: float | None = None,
    most: float | None = None,
    evidence: bool = True,
) -> Claim:
    rule = Constraint("recall", None, 0.6, evidence=evidence, min_rows=30)
    return Claim(
        rule, Measurement("recall", value, "share", n, p_value=p, detectable=detectable), excess, most
    )


@pytest.mark.parametrize(
    ("one", "status", "because"),
    [
        (claim(0.1, 1e-6), Status.VIOLATED, Because.BEYOND),
        (claim(0.1, 0.3), Status.UNDETERMINED, Because.NOISE),
        (claim(0.1, None), Status.UNDETERMINED, Because.NOISE),
        (claim(0.1, None, evidence=False), Status.VIOLATED, Because.BEYOND),
        (claim(-0.1, 0.9), Status.PASSED, Because.WITHIN),
        (claim(0.0, 0.5), Status.PASSED, Because.WITHIN),
        (claim(-0.1, 0.9, detectable=0.5, most=0.2), Status.UNDETERMINED, Because.BLIND),
        (claim(-0.1, 0.9, detectable=0.1, most=0.2), Status.PASSED, Because.WITHIN),
        (claim(0.1, 1e-9, n=29), Status.UNDETERMINED, Because.UNKNOWN),
        (claim(-0.1, 0.9, n=29), Status.UNDETERMINED, Because.UNKNOWN),
        (claim(None), Status.UNDETERMINED, Because.UNKNOWN),
        (claim(-0.1, value=None), Status.UNDETERMINED, Because.UNKNOWN),
        (claim(math.nan, 1e-9), Status.UNDETERMINED, Because.UNKNOWN),
        (claim(math.inf, 1e-9), Status.VIOLATED, Because.BEYOND),
    ],
)
def test_one_metric(one: Claim, status: Status, because: Because) -> None:
    (verdict,), _ = decide([one], 0.01)
    assert (verdict.status, verdict.because) == (status, because)


def test_what_is_not_known_is_not_counted_as_a_test() -> None:
    verdicts, n_tests = decide([claim(0.1, 0.009), claim(None, 0.5), claim(0.1, 0.5, n=3)], 0.01)
    assert n_tests == 1
    assert verdicts[0].status is Status.VIOLATED
    assert verdicts[0].q_value == 0.009


def test_false_alarms_stay_below_alpha() -> None:
    """All metrics just at their bounds, twenty a window: hardly a window has a violation."""
    random = np.random.default_rng(3)
    n_windows = 2000
    alarmed = 0
    for p_values in random.uniform(size=(n_windows, 20)):
        verdicts, _ = decide([claim(0.1, p) for p in p_values], 0.05)
        alarmed += any(v.status is Status.VIOLATED for v in verdicts)
    assert alarmed / n_windows < 0.05 + 3 * math.sqrt(0.05 * 0.95 / n_windows)


@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(0, 1)), min_size=1, max_size=8), st.randoms())
def test_order_changes_nothing(given_: list[tuple[float, float]], random: object) -> None:
    claims = [claim(excess, p) for excess, p in given_]
    order = list(range(len(claims)))
    random.shuffle(order)  # type: ignore[attr-defined]
    straight, n = decide(claims, 0.05)
    mixed, m = decide([claims[i] for i in order], 0.05)
    assert n == m
    assert [straight[i] for i in order] == mixed
