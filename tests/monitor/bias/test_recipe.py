"""What follows from the metrics of a run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.kernels.fairness import Coded, FairnessState
from driftline.monitor.bias.binary import Kind, Rule
from driftline.monitor.bias.counting import Counted
from driftline.monitor.bias.fields import POST, PRE
from driftline.monitor.bias.frozen import Axis, Frozen
from driftline.monitor.bias.numbers import Numbers, numbers_of
from driftline.monitor.bias.recipe import Verdicts, judge
from driftline.monitor.bias.settings import Settings, read_settings
from driftline.monitor.overrides import Overrides, read_overrides
from driftline.reports.outcome import Status

if TYPE_CHECKING:
    from driftline.reports.outcome import Outcome

CODES = [code for code in (*PRE, *POST) if code not in ("FT", "CDDL", "CDDPL")]
GIVEN = {
    "label": "y",
    "positive": [1],
    "prediction": "p",
    "facets": [{"column": "sex", "values": ["Female"], "name": "women", "others": "men"}],
    "metrics": CODES,
}
SETTINGS = read_settings(GIVEN)
IS_POSITIVE = Rule("y", Kind.CATEGORICAL, (1,), None, "1")
FROZEN = Frozen(
    IS_POSITIVE,
    replace(IS_POSITIVE, column="p"),
    (
        Axis(
            ("sex",),
            ((Rule("sex", Kind.CATEGORICAL, ("Female",), None, "Female"),),),
            (("women", "men"),),
            (("Female", "Male"),),
        ),
    ),
)
MEN = (5000, 800, 600, 3600)
WOMEN = (3000, 400, 500, 1100)


def side(men: tuple[int, ...], women: tuple[int, ...], settings: Settings = SETTINGS) -> Numbers:
    """Measure a side of which the cells TN, FP, FN, TP of men and women are given."""
    cells = [(*divmod(i, 2), n) for i, n in enumerate(men)], [(*divmod(i, 2), n) for i, n in enumerate(women)]
    facet, label, prediction = [], [], []
    for code, people in enumerate(cells):
        for y, p, n in people:
            facet += [code] * n
            label += [y] * n
            prediction += [p] * n
    state = FairnessState().update(
        Coded(("(other)", "Female"), np.array(facet, np.int64)),
        None,
        np.array(label, np.int8),
        np.array(prediction, np.int8),
    )
    return numbers_of(Counted((state,), (), sum(men) + sum(women)), FROZEN, settings)


BEFORE = side(MEN, WOMEN)


def judged(now: Numbers, overrides: dict[str, Any] | None = None, **more: Any) -> Verdicts:
    decided = read_overrides(overrides, recipe="bias") if overrides else Overrides()
    return judge(now, BEFORE, FROZEN, SETTINGS, decided, **more)


def by_check(verdicts: Verdicts) -> dict[str, Outcome]:
    return {outcome.constraint.check: outcome for outcome in verdicts.outcomes}


HARMED = side(MEN, (3300, 100, 1200, 400))


def test_the_same_people_treated_the_same_pass() -> None:
    verdicts = judged(BEFORE)
    assert {outcome.status for outcome in verdicts.outcomes} == {Status.PASSED}
    assert verdicts.incidents == ()


def test_a_group_treated_worse_is_one_incident_led_by_the_most_telling_metric() -> None:
    verdicts = judged(HARMED)
    violated = {o.constraint.check for o in verdicts.outcomes if o.is_violation}
    assert {"bias_di", "bias_dppl", "bias_rd"} <= violated
    assert "bias_dpl" not in violated
    everybody = [one for one in verdicts.incidents if not one.columns]
    (women,) = [one for one in verdicts.incidents if one.columns]
    assert women.columns == ("sex=Female",)
    assert women.title == "sex=Female: Disparate impact (DI) is 0.227, in the baseline 0.682"
    assert women.detail.startswith(
        "Women now receive a positive prediction 0.227 times as often as men; in the baseline 0.682 times. "
        "DI: the group's share of positive predictions over the others'. Also outside of what is allowed: DPPL"
    )
    assert len(everybody) == ("bias_ge" in violated)
    covered = sorted(at for one in verdicts.incidents for at in one.outcomes)
    assert covered == [at for at, o in enumerate(verdicts.outcomes) if o.is_violation]


def test_a_violation_says_value_interval_and_range() -> None:
    outcome = by_check(judged(HARMED))["bias_di"]
    measurement = outcome.measurement
    assert measurement.baseline == pytest.approx(0.6818, abs=1e-4)
    assert measurement.interval is not None
    assert outcome.constraint.low is not None
    assert measurement.interval[1] < outcome.constraint.low
    assert outcome.q_value is not None
    assert outcome.q_value <= 0.01
    assert "(95 % interval 0." in outcome.reason
    assert outcome.reason.endswith(" is allowed.")
    assert outcome.constraint.why.startswith("as far from parity as the baseline was, and ")


def test_the_other_direction_is_allowed_as_far_as_the_first() -> None:
    swapped = side(WOMEN, MEN)
    outcomes = by_check(judged(swapped))
    assert outcomes["bias_dppl"].status is Status.PASSED
    assert outcomes["bias_di"].status is Status.PASSED


def test_composition_is_told_apart() -> None:
    verdicts = judged(side(MEN, tuple(n // 4 for n in WOMEN)))
    violated = [o.constraint.check for o in verdicts.outcomes if o.is_violation]
    assert violated == ["bias_ci"]
    (incident,) = verdicts.incidents
    assert "are now 11.1 % of all rows; in the baseline 33.3 %" in incident.detail
    assert "not about how the model treats them" in incident.detail


def test_an_absent_group_is_never_passed() -> None:
    verdicts = judged(side(MEN, (0, 0, 0, 0)))
    told = [o for o in verdicts.outcomes if o.constraint.column == "sex=Female"]
    assert {o.status for o in told} == {Status.UNDETERMINED}
    assert {o.reason.split(": ", 1)[1] for o in told} == {"in the current data there is no row of women."}


def test_few_rows_prove_nothing() -> None:
    verdicts = judged(side((50, 8, 6, 36), (10, 0, 4, 0)))
    assert not any(o.is_violation for o in verdicts.outcomes)


def test_what_says_the_same_counts_once() -> None:
    worse = side(MEN, (3400, 600, 200, 800))
    verdicts = judged(worse)
    outcomes = by_check(verdicts)
    for code in ("tvd", "ks", "lp", "kl", "js"):
        assert outcomes[f"bias_{code}"].q_value == outcomes["bias_dpl"].q_value
        assert outcomes[f"bias_{code}"].status is outcomes["bias_dpl"].status
    assert verdicts.n_tests == len(CODES) - 5


def test_overrides_decide() -> None:
    off = judged(HARMED, {"checks": {"bias_di": {"enabled": False}}})
    assert "bias_di" not in by_check(off)
    wide = by_check(judged(HARMED, {"checks": {"bias_di": {"low": 0.1, "high": 10}}}))["bias_di"]
    assert (wide.constraint.low, wide.constraint.high) == (0.1, 10.0)
    assert wide.status is Status.PASSED
    assert wide.constraint.why == "set by the user"
    group = judged(HARMED, {"columns": {"sex=Female": {"ignore": True}}})
    assert {o.constraint.column for o in group.outcomes} == {None}
    loud = judged(HARMED, {"columns": {"sex=Female": {"checks": {"bias_di": {"severity": "critical"}}}}})
    assert loud.incidents[0].severity == "critical"
    roomy = by_check(judged(HARMED, {"checks": {"bias_dppl": {"tolerance": 0.9}}}))["bias_dppl"]
    assert roomy.status is Status.PASSED
    strict = judged(HARMED, {"alpha": 1e-300})
    assert not any(o.is_violation for o in strict.outcomes)
    assert strict.alpha == 1e-300


def test_least_rows_can_be_asked_for() -> None:
    outcome = by_check(judged(HARMED, {"checks": {"bias_di": {"min_rows": 100_000}}}))["bias_di"]
    assert outcome.status is Status.UNDETERMINED
    assert "fewer than 100,000" in outcome.reason


def test_without_evidence_a_point_is_enough() -> None:
    few = side((50, 8, 6, 36), (38, 2, 10, 6))
    asked = {"checks": {"bias_dppl": {"evidence": False, "low": -0.05, "high": 0.05}}}
    assert by_check(judged(few, asked))["bias_dppl"].status is Status.VIOLATED
    del asked["checks"]["bias_dppl"]["evidence"]
    assert by_check(judged(BEFORE, asked))["bias_dppl"].status is Status.VIOLATED


def test_what_people_wrote_into_the_analysis_holds_as_it_stands() -> None:
    key = ("sex=Female", "DPPL")
    narrow = by_check(judged(BEFORE, edited={key: 0.02}))["bias_dppl"]
    assert (narrow.constraint.low, narrow.constraint.high) == (-0.02, 0.02)
    assert narrow.status is Status.VIOLATED
    assert narrow.constraint.why == "set by hand in analysis.json"
    assert "bias_dppl" not in by_check(judged(BEFORE, edited={key: None}))


def test_ranges_of_the_settings_hold() -> None:
    settings = replace(SETTINGS, ranges={"DI": (0.8, 1.25)})
    verdicts = judge(BEFORE, BEFORE, FROZEN, settings, Overrides())
    outcome = by_check(verdicts)["bias_di"]
    assert outcome.status is Status.VIOLATED
    assert (outcome.constraint.low, outcome.constraint.high) == (0.8, 1.25)


counts = st.tuples(*[st.integers(0, 3000)] * 4)


@given(counts, counts)
def test_a_violation_is_always_sure_and_disjoint(men: tuple[int, ...], women: tuple[int, ...]) -> None:
    quick = replace(SETTINGS, replicates=100)
    verdicts = judge(side(men, women, quick), BEFORE, FROZEN, quick, Overrides())
    for outcome in verdicts.outcomes:
        if not outcome.is_violation:
            continue
        assert outcome.q_value is not None
        assert outcome.q_value <= 0.01
        ends, constraint = outcome.measurement.interval, outcome.constraint
        assert ends is not None
        assert constraint.low is not None
        assert constraint.high is not None
        assert ends[1] < constraint.low or ends[0] > constraint.high
    places = sorted(at for one in verdicts.incidents for at in one.outcomes)
    assert places == [at for at, o in enumerate(verdicts.outcomes) if o.is_violation]
    assert len(verdicts.incidents) <= 2
