"""m of n: the published tables, and the definition itself."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.errors import UsageError
from driftline.registry.alert_rule import (
    ALLOWANCE,
    AlertStatus,
    Run,
    alert_states,
    check_numbers,
    clean_runs,
    data_points,
    is_silent,
    state_of,
)

STATUS = {"V": "CompletedWithViolations", "C": "Completed", "F": "Failed"}
STATUS |= {"N": "NoData", "S": "Stopped", "K": "Skipped", "P": "InProgress"}


def series(letters: str) -> list[Run]:
    return [
        Run(f"e{i}", i, i + 1, status=STATUS[letter], ended=None if letter == "P" else 100 + i)
        for i, letter in enumerate(letters)
    ]


def flags(runs: list[Run], **given: object) -> str:
    return "".join("V" if p.is_failing else "C" for p in data_points(runs, **given))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("letters", "m", "n", "expected"),
    [
        # model-dashboard 2.3, first, second and third vector; model-monitor 6.2
        ("VVCVCCVV", 2, 3, "-AAA---A"),
        ("VCVVC", 1, 1, "A-AA-"),
        ("VFV", 2, 2, "-A"),
        ("VVCCVCV", 2, 3, "-AA---A"),
    ],
)
def test_the_published_tables(letters: str, m: int, n: int, expected: str) -> None:
    points = data_points(series(letters))
    states = alert_states((p.is_failing for p in points), datapoints_to_alert=m, evaluation_period=n)
    assert "".join("A" if s is AlertStatus.IN_ALERT else "-" for s in states) == expected


@given(st.lists(st.booleans(), max_size=40), st.integers(1, 12), st.integers(1, 12))
def test_states_are_what_the_definition_says(failures: list[bool], a: int, b: int) -> None:
    m, n = min(a, b), max(a, b)
    naive = [
        AlertStatus.IN_ALERT if sum(failures[max(0, i - n + 1) : i + 1]) >= m else AlertStatus.OK
        for i in range(len(failures))
    ]
    assert alert_states(failures, datapoints_to_alert=m, evaluation_period=n) == naive
    if failures:
        assert state_of(failures, m, n) == naive[-1]


@given(st.lists(st.booleans(), max_size=40), st.integers(1, 6), st.integers(1, 6), st.integers(1, 6))
def test_clean_runs_need_only_the_newest_points(failures: list[bool], a: int, b: int, k: int) -> None:
    m, n = min(a, b), max(a, b)
    states = alert_states(failures, datapoints_to_alert=m, evaluation_period=n)
    naive = 0
    for failed, state in zip(failures[::-1], states[::-1], strict=True):
        if failed or state is AlertStatus.IN_ALERT:
            break
        naive += 1
    assert clean_runs(failures, m, n) == naive
    assert min(clean_runs(failures[-(n + k) :], m, n), k) == min(naive, k)


@pytest.mark.parametrize(
    ("m", "n"), [(0, 1), (1, 0), (101, 101), (1, 101), (2, 1), (-1, 1), (1.0, 1), (True, 1), ("1", 1)]
)
def test_numbers_that_make_no_rule_are_refused(m: object, n: object) -> None:
    with pytest.raises(UsageError) as caught:
        check_numbers(m, n)
    assert caught.value.code == "E-ALERT"


@pytest.mark.parametrize("keep", [-1, 101])
def test_keep_firing_has_bounds(keep: int) -> None:
    with pytest.raises(UsageError, match="keep_firing"):
        check_numbers(1, 1, keep)


def test_the_largest_numbers_are_taken() -> None:
    check_numbers(100, 100, 100)


def test_what_is_a_data_point() -> None:
    assert flags(series("VFSNKPC")) == "VC"
    assert flags(series("VFSNKPC"), count_failed_runs=True) == "VVC"


def test_points_are_in_the_order_of_their_windows() -> None:
    runs = series("VCV")
    assert [p.execution for p in data_points(runs[::-1])] == ["e0", "e1", "e2"]


def test_runs_before_a_restart_do_not_count() -> None:
    assert flags(series("VVC"), restarted=101) == "C"


def test_less_severe_violations_do_not_count() -> None:
    runs = [replace(r, severity=s) for r, s in zip(series("VVV"), ("warning", "critical", None), strict=True)]
    assert flags(runs, min_severity="critical") == "CVV"
    assert flags(runs) == "VVV"


def test_the_newest_revision_that_judged_speaks() -> None:
    first = Run("a", 0, 1, 1, status="CompletedWithViolations", ended=5)
    for status, expected in (
        ("Completed", "C"),
        ("CompletedWithViolations", "V"),
        ("Failed", "V"),
        ("Stopped", "V"),
        ("NoData", "V"),
        ("InProgress", "V"),
    ):
        second = Run("b", 0, 1, 2, "late-data", status, None if status == "InProgress" else 6)
        assert flags([first, second]) == flags([second, first]) == expected
        assert flags([second, first], count_failed_runs=True) == expected


def test_a_window_that_only_somebody_ran_by_hand_is_no_data_point() -> None:
    by_hand = Run("m", 0, 1, 1, "manual", "CompletedWithViolations", 5)
    assert flags([by_hand]) == ""
    late = Run("l", 0, 1, 2, "late-data", "CompletedWithViolations", 6)
    assert flags([by_hand, late]) == ""
    # Where the schedule skipped it, a run by hand stands in.
    skipped = Run("s", 0, 1, 1, "catch-up", "Skipped", 4)
    assert flags([skipped, replace(by_hand, revision=2)]) == "V"


def test_silence_begins_after_two_periods_and_twenty_minutes() -> None:
    period = 3_600_000_000
    edge = 1_000 + 2 * period + ALLOWANCE
    assert not is_silent(edge, 1_000, 0, period)
    assert is_silent(edge + 1, 1_000, 0, period)
    assert not is_silent(edge + 1, 1_000, 1_001, period)  # started since
    assert is_silent(edge + 1, None, 1_000, period)
    assert not is_silent(0, 1_000, 0, period)  # a clock that went back
