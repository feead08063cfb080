"""Judgement: a violation needs the effect and, where asked, the evidence; what cannot be told is never passed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.baselines.constraint import CHECKS, DRIFT_CHECKS, Constraint
from driftline.kernels.evidence import benjamini_hochberg
from driftline.monitor.judgement import judge
from driftline.reports.outcome import Measurement, Outcome, Status

PASSED, VIOLATED, UNDETERMINED = Status.PASSED, Status.VIOLATED, Status.UNDETERMINED
SHARES = ("data_type", "completeness", "categorical_values", "non_negative", "numeric_range", "uniqueness")
ALPHA = 0.001


def one(rule: Constraint, found: Measurement) -> Outcome:
    outcomes, _ = judge([(rule, found, None)], ALPHA)
    return outcomes[0]


def drift(
    value: float | None,
    *,
    check: str = "ks",
    p: float | None = 1e-9,
    detectable: float = 0.02,
    error: float = 0.0,
    n: int = 5_000,
    m: int = 5_000,
    evidence: bool = True,
    **rule: Any,
) -> Outcome:
    found = Measurement(check, value, "distance", m, n, sketch_error=error, p_value=p, detectable=detectable)
    return one(Constraint(check, "x", 0.1, evidence=evidence, **rule), found)


def share(
    n_bad: int,
    n: int,
    bound: float,
    *,
    check: str = "completeness",
    p: float | None = None,
    evidence: bool = False,
    error: float = 0.0,
    **rule: Any,
) -> Outcome:
    found = Measurement(check, (n - n_bad) / n, "share", n, n_bad=n_bad, p_value=p, sketch_error=error)
    return one(Constraint(check, "x", bound, evidence=evidence, **rule), found)


@pytest.mark.parametrize("check", DRIFT_CHECKS)
def test_drift_in_all_three_states(check: str) -> None:
    assert drift(0.3, check=check).status is VIOLATED
    assert drift(0.05, check=check).status is PASSED
    assert drift(0.05, check=check, detectable=0.2).status is UNDETERMINED
    assert drift(None, check=check).status is UNDETERMINED
    assert drift(float("nan"), check=check).status is UNDETERMINED


def test_effect_without_evidence_is_no_violation() -> None:
    found = drift(0.3, p=0.01)
    assert found.status is UNDETERMINED
    assert "evidence" in found.reason


def test_evidence_without_effect_is_no_violation() -> None:
    found = drift(0.09, p=1e-300)
    assert found.status is PASSED
    assert found.reason == "Kolmogorov–Smirnov 0.09 is within 0.1."


def test_effect_on_the_bound_passes() -> None:
    assert drift(0.1).status is PASSED


def test_without_a_call_for_evidence_the_effect_is_enough() -> None:
    assert drift(0.3, p=0.5, evidence=False).status is VIOLATED
    assert drift(0.3, p=0.5, evidence=False).q_value is None


def test_an_effect_that_the_sketch_may_have_added_is_undetermined() -> None:
    found = drift(0.11, error=0.02)
    assert found.status is UNDETERMINED
    assert "summarising the data may account for 0.02" in found.reason
    assert drift(0.13, error=0.02).status is VIOLATED


@pytest.mark.parametrize(
    ("n", "m", "needed"), [(5_000, 100, True), (150, 10_000, False), (10_000, 150, True)]
)
def test_too_few_rows_say_how_many_are_needed(n: int, m: int, needed: bool) -> None:
    detectable = 1.3581 / np.sqrt(n * m / (n + m))
    found = drift(0.05, n=n, m=m, detectable=detectable)
    assert found.status is UNDETERMINED
    if not needed:
        assert "the baseline itself is too small" in found.reason
        return
    told = int(found.reason.split("about ")[1].split(" ")[0].replace(",", ""))
    assert (
        1.3581 / np.sqrt(n * told / (n + told)) <= 0.1 < 1.3581 / np.sqrt(n * (told - 11) / (n + told - 11))
    )


@pytest.mark.parametrize("check", SHARES)
def test_shares_in_all_three_states(check: str) -> None:
    assert share(0, 50, 1.0, check=check).status is PASSED
    assert share(1, 50, 1.0, check=check).status is VIOLATED
    nothing = one(Constraint(check, "x", 1.0), Measurement(check, None, "share", 0, note="there are no rows"))
    assert nothing.status is UNDETERMINED
    assert nothing.reason == f"{CHECKS[check].title}: there are no rows."
    few = share(0, 5, 1.0, check=check, min_rows=10)
    assert few.status is UNDETERMINED
    assert "fewer than the 10 asked for" in few.reason


@pytest.mark.parametrize("check", [c for c in SHARES if c != "numeric_range"])
def test_a_share_below_its_bound_by_chance_is_no_violation(check: str) -> None:
    found = share(6, 50, 0.9, check=check, p=0.3, evidence=True)
    assert found.status is PASSED
    assert "Chance brings as many" in found.reason
    assert share(30, 50, 0.9, check=check, p=1e-12, evidence=True).status is VIOLATED
    assert share(5, 50, 0.9, check=check, p=1.0, evidence=True).status is PASSED


@pytest.mark.parametrize("check", [c for c in SHARES if c != "numeric_range"])
def test_a_share_of_a_few_values_that_could_show_nothing_is_undetermined(check: str) -> None:
    found = share(2, 8, 0.9, check=check, p=0.2, evidence=True)
    assert found.status is UNDETERMINED
    assert "too few to tell it from chance" in found.reason
    assert share(8, 8, 0.9, check=check, p=1e-8, evidence=True).status is VIOLATED


@pytest.mark.parametrize("check", ["completeness", "categorical_values", "non_negative"])
def test_what_the_baseline_never_had_is_no_alarm_while_chance_explains_it(check: str) -> None:
    found = share(1, 500, 1.0, check=check, p=0.4, evidence=True)
    assert found.status is UNDETERMINED
    assert "chance may bring as many (corrected p = 0.4)" in found.reason
    assert share(9, 500, 1.0, check=check, p=1e-9, evidence=True).status is VIOLATED


def test_noise_in_total_variation_is_no_effect() -> None:
    """sqrt(0.3² − 0.28²) = 0.108; sqrt(0.29² − 0.28²) = 0.075."""
    assert drift(0.3, check="total_variation", detectable=0.28).status is VIOLATED
    assert drift(0.29, check="total_variation", detectable=0.28).status is UNDETERMINED
    found = drift(0.11, check="total_variation", detectable=0.09)
    assert found.status is UNDETERMINED
    assert found.reason.endswith("is beyond the bound of 0.1, but chance alone reaches 0.09.")


def test_new_extremes_by_chance_are_what_clean_data_brings() -> None:
    assert share(1, 500, 1.0, check="numeric_range", p=0.4, evidence=True).status is PASSED
    assert share(60, 500, 1.0, check="numeric_range", p=1e-12, evidence=True).status is VIOLATED


def test_estimated_uniqueness_is_given_the_benefit_of_the_doubt() -> None:
    assert share(1, 100, 1.0, check="uniqueness", error=0.02).status is UNDETERMINED
    assert share(5, 100, 1.0, check="uniqueness", error=0.02).status is VIOLATED
    # For a range only certain values are counted as bad, so there is no doubt about them.
    assert share(1, 100, 1.0, check="numeric_range", error=0.02).status is VIOLATED


@pytest.mark.parametrize(
    ("low", "high", "value", "status"),
    [
        (10, None, 9, VIOLATED),
        (10, None, 10, PASSED),
        (None, 10, 11, VIOLATED),
        (None, 10, 0, PASSED),
        (1, None, 0, VIOLATED),
    ],
)
def test_row_volume(low: float | None, high: float | None, value: float, status: Status) -> None:
    rule = Constraint("row_volume", None, None, low=low, high=high, min_rows=0)
    assert one(rule, Measurement("row_volume", float(value), "rows", value)).status is status


def test_row_volume_without_a_number_is_undetermined() -> None:
    rule = Constraint("row_volume", None, None, low=30.0)
    found = one(rule, Measurement("row_volume", None, "rows", 5, note="only 5 rows"))
    assert (found.status, found.reason) == (UNDETERMINED, "Row volume: only 5 rows.")


@pytest.mark.parametrize(
    ("age", "status"),
    [(59.0, PASSED), (60.0, PASSED), (61.0, VIOLATED), (-5.0, PASSED), (None, UNDETERMINED)],
)
def test_freshness(age: float | None, status: Status) -> None:
    rule = Constraint("freshness", "x", 60.0)
    assert (
        one(rule, Measurement("freshness", age, "seconds", 3, note=None if age is not None else "no")).status
        is status
    )


def test_corrections_are_over_the_whole_run() -> None:
    """One p-value of 5e-4 among 100 unsurprising ones is nothing to speak of; alone it is."""

    def pair(i: int, p: float) -> tuple[Constraint, Measurement, str | None]:
        return (
            Constraint("ks", f"c{i}", 0.1, evidence=True),
            Measurement("ks", 0.5, "distance", 5_000, 5_000, p_value=p, detectable=0.02),
            "s=1" if i % 2 else None,
        )

    pairs = [pair(i, 0.5) for i in range(100)]
    alone, n_alone = judge([pair(0, 5e-4)], ALPHA)
    among, n_among = judge([*pairs, pair(100, 5e-4)], ALPHA)
    assert (n_alone, n_among) == (1, 101)
    assert alone[0].status is VIOLATED
    assert among[-1].status is UNDETERMINED
    assert among[-1].q_value == pytest.approx(5e-4 * 101)
    assert [o.segment for o in among[:2]] == [None, "s=1"]


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans(), st.booleans()), max_size=20))
def test_only_evidence_backed_measurements_are_corrected(entries: list[tuple[float, bool, bool]]) -> None:
    pairs = [
        (
            Constraint("ks", f"c{i}", 0.1, evidence=evidence),
            Measurement("ks", 0.5 if is_measured else None, "distance", 9, 9, p_value=p, detectable=0.01),
            None,
        )
        for i, (p, evidence, is_measured) in enumerate(entries)
    ]
    outcomes, n_tests = judge(pairs, ALPHA)
    tested = [i for i, (_, evidence, is_measured) in enumerate(entries) if evidence and is_measured]
    assert n_tests == len(tested)
    assert [outcomes[i].q_value for i in tested] == benjamini_hochberg([entries[i][0] for i in tested])
    assert all(outcomes[i].q_value is None for i in range(len(entries)) if i not in tested)
    assert [o.constraint.column for o in outcomes] == [f"c{i}" for i in range(len(entries))]


def test_reasons_are_sentences_with_the_numbers() -> None:
    assert (
        share(3, 50, 0.98, evidence=False).reason == "3 of 50 rows lack a value (94% complete, expected 98%)."
    )
    assert share(0, 50, 1.0, check="data_type", expected="Integral").reason == "All 50 values are Integral."
    assert (
        share(2, 50, 1.0, check="numeric_range", low=0.0, high=None).reason
        == "2 of 50 numbers are outside 0 to ∞."
    )
    assert "below 1e-12" in drift(0.3, p=1e-40).reason
    assert "just below 100%" in share(1, 10, 0.999999999).reason
    assert one(
        Constraint("freshness", "x", 7200.0), Measurement("freshness", 86_400.0 * 3, "seconds", 1)
    ).reason == ("The newest time stamp is 3.0 days old; at most 2.0 hours is allowed.")


@given(st.data())
def test_every_outcome_has_a_reason(data: st.DataObject) -> None:
    check = data.draw(st.sampled_from(sorted(CHECKS)))
    value = data.draw(st.one_of(st.none(), st.floats(0, 1), st.just(float("nan"))))
    found = Measurement(
        check,
        value,
        CHECKS[check].unit,
        data.draw(st.integers(1, 9_999)),
        data.draw(st.integers(1, 9_999)),
        sketch_error=data.draw(st.floats(0, 0.2)),
        p_value=data.draw(st.one_of(st.none(), st.floats(0, 1))),
        detectable=data.draw(st.floats(0, 1)),
        n_bad=data.draw(st.integers(0, 1)),
    )
    evidence = data.draw(st.booleans()) and not (check in DRIFT_CHECKS and found.p_value is None)
    rule = Constraint(
        check,
        "x",
        data.draw(st.floats(0, 1)),
        low=1.0,
        evidence=evidence,
        min_rows=data.draw(st.integers(0, 50)),
    )
    outcome = one(rule, found)
    assert outcome.reason.endswith(".")
    if value is None or value != value:
        assert outcome.status is UNDETERMINED
