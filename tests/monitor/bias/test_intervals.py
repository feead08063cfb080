"""How sure a metric of bias is, and what is allowed."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.kernels import fairness_metrics
from driftline.kernels.special import normal_quantile
from driftline.monitor.bias.intervals import (
    Estimate,
    Needs,
    allowed_by_baseline,
    allowed_by_range,
    detectable,
    estimates,
    excess,
    interval,
    p_value,
    scaled,
    unscaled,
)

COUNTED = [code for code in fairness_metrics.COUNTED if code not in ("CDDL", "CDDPL", "GE")]


def table(others: tuple[int, int, int, int], group: tuple[int, int, int, int]) -> np.ndarray:
    """Make a table of the cells TN, FP, FN, TP of either side, without a group variable."""
    result = np.zeros((2, 1, 3, 3), np.int64)
    result[0, 0, :2, :2] = np.array(others).reshape(2, 2)
    result[1, 0, :2, :2] = np.array(group).reshape(2, 2)
    return result


PLAIN = table((500, 80, 60, 360), (300, 40, 50, 110))


def test_every_metric_of_plenty_of_rows_is_known() -> None:
    found = estimates(PLAIN, COUNTED, Needs())
    for code, estimate in found.items():
        assert estimate.reason is None, code
        ends = interval(estimate, 0.95)
        assert ends is not None
        assert estimate.value is not None
        assert ends[0] < estimate.value < ends[1], code


def test_the_error_of_a_difference_of_shares_is_the_textbook_one() -> None:
    for code, counts in (
        ("DPPL", (440, 1000, 150, 500)),
        ("DPL", (420, 1000, 160, 500)),
        ("RD", (360, 420, 110, 160)),
    ):
        x_a, n_a, x_d, n_d = counts
        expected = math.sqrt(x_a / n_a * (1 - x_a / n_a) / n_a + x_d / n_d * (1 - x_d / n_d) / n_d)
        found = estimates(PLAIN, [code], Needs(replicates=4000))[code].error
        assert found == pytest.approx(expected, rel=0.06)


def test_the_error_of_the_impact_is_that_of_a_log_ratio() -> None:
    expected = math.sqrt(1 / 150 - 1 / 500 + 1 / 440 - 1 / 1000)
    assert estimates(PLAIN, ["DI"], Needs(replicates=4000))["DI"].error == pytest.approx(expected, rel=0.06)


def test_intervals_hold_what_they_promise() -> None:
    shares = np.array([[0.5, 0.08, 0.06, 0.36], [0.6, 0.08, 0.1, 0.22]])
    truth = fairness_metrics.metrics(table(*(tuple((shares * 1e6).astype(int).tolist()))), COUNTED)
    rng = np.random.default_rng(7)
    held = dict.fromkeys(COUNTED, 0)
    trials = 300
    for trial in range(trials):
        drawn = table(
            *(tuple(rng.multinomial(n, share).tolist()) for n, share in zip((600, 300), shares, strict=True))
        )
        for code, estimate in estimates(drawn, COUNTED, Needs(replicates=200, seed=trial)).items():
            ends = interval(estimate, 0.95)
            assert ends is not None
            held[code] += ends[0] <= float(truth[code]) <= ends[1]
    del held["CI"]  # the sizes of the sides are no chance here
    for code, count in held.items():
        assert 0.91 <= count / trials <= 0.99, (code, count / trials)


def test_a_group_without_events_is_not_certain() -> None:
    none = estimates(table((500, 80, 60, 360), (300, 40, 40, 0)), ["RD", "DI"], Needs())
    assert none["RD"].error > 0.02
    ends = interval(estimates(table((500, 80, 60, 360), (400, 0, 50, 0)), ["DI"], Needs())["DI"], 0.95)
    assert ends is not None
    assert ends[0] == 0.0  # the value itself
    assert 0.0 < ends[1] < 0.1


@pytest.mark.parametrize(
    ("counts", "code", "reason"),
    [
        (table((500, 80, 60, 360), (0, 0, 0, 0)), "DPL", "there is no row of the group"),
        (table((0, 0, 0, 0), (500, 80, 60, 360)), "DI", "there is no row of the others"),
        (
            table((500, 80, 60, 360), (10, 5, 5, 5)),
            "AD",
            "there are only 25 rows of the group that it can use, fewer than 30",
        ),
        (
            table((500, 80, 60, 360), (300, 40, 2, 2)),
            "RD",
            "there are only 4 positive labels of the group, fewer than 5",
        ),
        (
            table((500, 80, 60, 360), (300, 1, 20, 0)),
            "DAR",
            "there is only 1 of the positive predictions of the group, fewer than 5",
        ),
        (
            table((500, 80, 60, 360), (300, 0, 20, 50)),
            "TE",
            "infinite, because there are no false positives of the group",
        ),
    ],
)
def test_too_little_is_said_in_words(counts: np.ndarray, code: str, reason: str) -> None:
    estimate = estimates(counts, [code], Needs())[code]
    assert estimate.reason == reason
    assert estimate.scaled is None
    assert interval(estimate, 0.95) is None


def test_an_infinite_value_is_kept_beside_its_reason() -> None:
    estimate = estimates(table((500, 80, 60, 360), (300, 0, 20, 50)), ["TE"], Needs())["TE"]
    assert estimate.value == math.inf


def test_resamples_without_a_value_are_told() -> None:
    counts = table((500, 80, 60, 360), (300, 1, 20, 50))
    estimate = estimates(counts, ["TE"], Needs(min_events=0))["TE"]
    assert estimate.scaled is None
    assert estimate.reason is not None
    assert (
        "of 500 resamples of the rows: there are too few of the events that it divides by" in estimate.reason
    )


finite = st.floats(-0.9, 0.9).filter(lambda x: abs(x) > 1e-9)


@given(finite, st.floats(0.0, 0.2))
def test_the_allowed_range_is_symmetric_and_holds_the_baseline(value: float, error: float) -> None:
    allowed = allowed_by_baseline(Estimate("DPL", value, value, error, 100), 0.95)
    assert allowed is not None
    assert allowed.low == -allowed.high
    assert allowed.high >= abs(value) + max(0.02, 1.95 * error)
    mirrored = allowed_by_baseline(Estimate("DPL", -value, -value, error, 100), 0.95)
    assert mirrored == allowed


@given(st.floats(0.01, 50.0), st.floats(0.0, 0.5))
def test_the_allowed_ratios_are_symmetric_about_one(value: float, error: float) -> None:
    allowed = allowed_by_baseline(Estimate("DI", value, math.log(value), error, 100), 0.95)
    assert allowed is not None
    assert allowed.low * allowed.high == pytest.approx(1.0)
    assert allowed.low <= min(value, 1 / value) / 1.0499
    assert allowed.high >= max(value, 1 / value) * 1.0499


def test_a_baseline_at_parity_leaves_some_room() -> None:
    allowed = allowed_by_baseline(Estimate("DPL", 0.0, 0.0, 0.0, 100), 0.95)
    ratio = allowed_by_baseline(Estimate("DI", 1.0, 0.0, 0.0, 100), 0.95)
    assert allowed is not None
    assert ratio is not None
    assert (allowed.low, allowed.high) == (-0.02, 0.02)
    assert (ratio.low, ratio.high) == pytest.approx((1 / 1.05, 1.05))


def test_a_tolerance_can_be_set() -> None:
    allowed = allowed_by_baseline(Estimate("DPL", 0.1, 0.1, 0.0, 100), 0.95, 0.3)
    assert allowed is not None
    assert allowed.high == pytest.approx(0.4)


def test_a_baseline_without_a_value_allows_nothing_to_be_said() -> None:
    assert allowed_by_baseline(Estimate("TE", math.inf, None, 0.0, 100, "infinite"), 0.95) is None


@given(st.sampled_from(["DI", "KL", "JS", "DPL", "GE"]), st.floats(1e-6, 20.0))
def test_scales_are_undone(code: str, value: float) -> None:
    assert unscaled(code, scaled(code, value)) == pytest.approx(value)


@given(
    st.tuples(*[st.integers(30, 400)] * 4),
    st.tuples(*[st.integers(30, 400)] * 4),
    st.tuples(*[st.integers(30, 400)] * 8),
)
def test_what_is_the_same_as_dpl_is_judged_as_it_is(
    others: tuple[int, ...], group: tuple[int, ...], before: tuple[int, ...]
) -> None:
    codes = ["DPL", "TVD", "KS", "LP"]
    now = estimates(table(others, group), codes, Needs(replicates=100))  # type: ignore[arg-type]
    then = estimates(table(before[:4], before[4:]), codes, Needs(replicates=100))  # type: ignore[arg-type]
    said = []
    for code in codes:
        allowed = allowed_by_baseline(then[code], 0.95)
        assert allowed is not None
        beyond, disjoint = excess(now[code], allowed, 0.95)
        assert beyond is not None
        said.append((beyond > 0, disjoint, p_value(now[code], allowed)))
    assert [s[:2] for s in said] == [said[0][:2]] * 4
    assert [s[2] for s in said] == pytest.approx([said[0][2]] * 4, abs=1e-9)


@given(st.floats(-0.5, 0.5), st.floats(0.001, 0.1), st.floats(0.001, 0.1))
def test_farther_from_parity_is_less_likely_chance(value: float, error: float, of_baseline: float) -> None:
    allowed = allowed_by_baseline(Estimate("DPL", 0.1, 0.1, of_baseline, 100), 0.95)
    assert allowed is not None
    near = p_value(Estimate("DPL", value, value, error, 100), allowed)
    far_value = value + math.copysign(0.05, value)
    far = p_value(Estimate("DPL", far_value, far_value, error, 100), allowed)
    assert near is not None
    assert far is not None
    assert far <= near


def test_the_p_value_counts_both_samples() -> None:
    allowed = allowed_by_baseline(Estimate("DPL", 0.1, 0.1, 0.03, 100), 0.95)
    assert allowed is not None
    found = p_value(Estimate("DPL", 0.2, 0.2, 0.04, 100), allowed)
    assert found == pytest.approx(0.022750, abs=1e-5)  # normal tail at (0.20 - 0.10) / 0.05 = 2


def test_what_looks_certain_is_weighed_as_if_nothing_had_changed() -> None:
    before = estimates(table((4000, 400, 300, 900), (360, 40, 30, 90)), ["SD"], Needs())["SD"]
    now = estimates(table((2000, 300, 150, 450), (36, 0, 3, 9)), ["SD"], Needs())["SD"]
    allowed = allowed_by_baseline(before, 0.95)
    assert allowed is not None
    found = p_value(now, allowed)
    assert found is not None
    # 36 rows without a false positive, of which one in ten had been one: 0.9**36 is 0.02.
    assert found > 0.005
    naive = p_value(replace(now, sides=(0, 0)), replace(allowed, error=0.0))
    assert naive is not None
    assert naive < found


def test_a_set_range_has_no_error_of_its_own() -> None:
    allowed = allowed_by_range("DI", 0.8, 1.25)
    low = Estimate("DI", 0.5, math.log(0.5), 0.1, 100)
    assert excess(low, allowed, 0.95) == (pytest.approx(math.log(0.8 / 0.5)), True)
    found = p_value(low, allowed)
    assert found is not None
    assert found < 1e-5
    inside = Estimate("DI", 1.0, 0.0, 0.1, 100)
    beyond, disjoint = excess(inside, allowed, 0.95)
    assert beyond is not None
    assert beyond < 0
    assert not disjoint


@pytest.mark.parametrize(("code", "value"), [("TVD", 0.3), ("KL", 0.09), ("LP", 0.3)])
def test_a_range_of_what_has_no_sign(code: str, value: float) -> None:
    allowed = allowed_by_range(code, None, value)
    t = -0.5
    beyond, disjoint = excess(Estimate(code, unscaled(code, 0.5), t, 0.01, 100), allowed, 0.95)
    assert disjoint
    assert beyond == pytest.approx(0.2)


def test_an_open_end_is_open() -> None:
    allowed = allowed_by_range("RD", None, 0.1)
    assert excess(Estimate("RD", -0.9, -0.9, 0.01, 100), allowed, 0.95)[0] == pytest.approx(-1.0)


def test_what_cannot_be_told_is_not_told() -> None:
    allowed = allowed_by_range("RD", None, 0.1)
    nothing = Estimate("RD", None, None, 0.0, 3, "too few")
    assert excess(nothing, allowed, 0.95) == (None, False)
    assert p_value(nothing, allowed) is None
    assert detectable(nothing, allowed, 0.95) is None


def test_detectable_counts_both_sides() -> None:
    allowed = allowed_by_baseline(Estimate("DPL", 0.1, 0.1, 0.05, 100), 0.95)
    assert allowed is not None
    found = detectable(Estimate("DPL", 0.1, 0.1, 0.05, 100), allowed, 0.95)
    assert found == pytest.approx(2 * normal_quantile(0.975) * 0.05 - 0.02)


def test_the_same_counts_give_the_same_numbers() -> None:
    assert estimates(PLAIN, COUNTED, Needs()) == estimates(PLAIN.copy(), COUNTED, Needs())


def test_more_rows_are_surer() -> None:
    few, many = (estimates(PLAIN * factor, COUNTED, Needs()) for factor in (1, 100))
    for code in COUNTED:
        assert many[code].value == pytest.approx(few[code].value)
        assert many[code].error == pytest.approx(few[code].error / 10, rel=0.15)


def test_entropy_is_about_all_rows() -> None:
    counts = PLAIN.copy()
    counts[0] = 0
    found = estimates(counts, ["GE"], Needs())["GE"]
    assert found.reason is None
    counts = np.zeros_like(counts)
    counts[1, 0, 1, 1] = 12
    few = estimates(counts, ["GE"], Needs())["GE"]
    assert few.reason == "there are 12 rows with label and prediction, fewer than 30"


sides = st.tuples(*[st.integers(10, 300)] * 4)


@given(sides, sides)
def test_exchanging_the_sides_turns_metrics_round(others: tuple[int, ...], group: tuple[int, ...]) -> None:
    needs = Needs(replicates=100)
    one = estimates(table(others, group), COUNTED, needs)  # type: ignore[arg-type]
    two = estimates(table(group, others), COUNTED, needs)  # type: ignore[arg-type]
    for code in COUNTED:
        left, right = one[code].value, two[code].value
        assert left is not None
        assert right is not None
        if code == "DI":
            assert left * right == pytest.approx(1.0)
        elif code in ("TVD", "KS", "LP", "JS"):
            assert left == pytest.approx(right)
        elif code != "KL":
            assert left == pytest.approx(-right)


@given(sides, sides, st.integers(2, 9))
def test_repeated_rows_change_no_value(others: tuple[int, ...], group: tuple[int, ...], times: int) -> None:
    needs = Needs(replicates=100)
    one = estimates(table(others, group), COUNTED, needs)  # type: ignore[arg-type]
    many = estimates(table(others, group) * times, COUNTED, needs)  # type: ignore[arg-type]
    for code in COUNTED:
        assert many[code].value == pytest.approx(one[code].value)


@given(sides, sides)
def test_differences_of_shares_are_at_most_one(others: tuple[int, ...], group: tuple[int, ...]) -> None:
    codes = ["CI", "DPL", "DPPL", "RD", "SD", "DAR", "DRR", "AD"]
    for estimate in estimates(table(others, group), codes, Needs(replicates=100)).values():  # type: ignore[arg-type]
        assert estimate.value is not None
        assert -1.0 <= estimate.value <= 1.0
