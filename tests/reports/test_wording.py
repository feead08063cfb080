"""Numbers and verdicts as words."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from metric_reports import metric_outcome

from driftline.baselines.constraint import CHECKS, Constraint
from driftline.baselines.metrics import METRICS
from driftline.reports import wording
from driftline.reports.outcome import Measurement, Outcome, Place

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (None, "–"),
        (0.0, "0"),
        (-0.0, "0"),
        (3, "3"),
        (1977, "1,977"),
        (1234567.0, "1,234,567"),
        (0.30791265775509713, "0.3079"),
        (-0.5, "−0.5"),
        (1234.567, "1,235"),
        (12345.678, "12,346"),
        (9999.96, "10,000"),
        (3.2e-12, "3.2e-12"),
        (0.0001, "0.0001"),
        (1e300, "1e300"),
        (10**20, "1e20"),
        (-(10**400), "−1.000e400"),
        (-5, "−5"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (math.nan, "not a number"),
    ],
)
def test_numbers_are_short_and_separated(x: float | None, text: str) -> None:
    assert wording.number(x) == text


@given(st.floats(-1e308, 1e308))
def test_numbers_are_short_and_close(x: float) -> None:
    text = wording.number(x)
    assert len(text) <= 24
    back = float(text.replace("−", "-").replace(",", ""))
    assert back == pytest.approx(x, rel=5e-4, abs=1e-300)


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (0.9964592817400101, "99.65%"),
        (0.0, "0%"),
        (1.0, "100%"),
        (0.9999996, "99.99996%"),
        (0.0000002, "0.00002%"),
        (0.5, "50%"),
        (1 - 2**-53, "more than 99.999999%"),
        (1e-30, "1e-28%"),
        (-0.25, "−25%"),
        (None, "–"),
        (math.nan, "not a number"),
    ],
)
def test_shares_as_percentages(x: float | None, text: str) -> None:
    assert wording.share(x) == text


@given(st.floats(0, 1))
def test_a_part_never_shows_as_all_or_nothing(x: float) -> None:
    assert (wording.share(x) == "100%") == (x == 1)
    assert (wording.share(x) == "0%") == (x == 0)


@pytest.mark.parametrize(
    ("p", "text"),
    [(None, "–"), (0.0, "< 1e-300"), (3.14e-12, "3.1e-12"), (0.04567, "0.046"), (0.999, "0.999"), (1.0, "1")],
)
def test_probabilities(p: float | None, text: str) -> None:
    assert wording.probability(p) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(5.25, "5.25 s"), (90, "1 min 30 s"), (3600, "1 h"), (90_000, "1 d 1 h"), (-7200, "−2 h"), (None, "–")],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert wording.duration(seconds) == text


@pytest.mark.parametrize(
    ("constraint", "text", "short"),
    [
        (Constraint("completeness", "a", 0.98), "at least 98%", "min 98%"),
        (Constraint("completeness", "a", 1.0), "100%", "100%"),
        (Constraint("ks", "a", 0.1), "at most 0.1", "max 0.1"),
        (Constraint("freshness", None, 3600.0), "at most 1 h", "max 1 h"),
        (Constraint("data_type", "a", 1.0, expected="Integral"), "all Integral", "all Integral"),
        (Constraint("data_type", "a", 0.9, expected="Integral"), "at least 90% Integral", "min 90% Integral"),
        (Constraint("numeric_range", "a", 1.0, low=0.0, high=120.0), "0 to 120", "0 to 120"),
        (Constraint("numeric_range", "a", 0.99, low=0.0), "at least 99% in at least 0", "min 99% in min 0"),
        (Constraint("row_volume", None, None, low=100.0, high=2000.0), "100 to 2,000", "100 to 2,000"),
        (Constraint("row_volume", None, None, high=2000.0), "at most 2,000", "max 2,000"),
        (Constraint("missing_column", "a", 0.0), "none", "none"),
        (Constraint("uniqueness", "a", None), "–", "–"),
    ],
)
def test_bounds(constraint: Constraint, text: str, short: str) -> None:
    assert wording.bound(constraint) == text
    assert wording.short_bound(constraint) == short


def test_every_check_has_a_short_title() -> None:
    assert all(0 < len(wording.short_title(check)) <= 19 for check in CHECKS)


def test_an_unknown_check_shows_its_own_name() -> None:
    assert wording.title("new\ncheck") == "new\\ncheck"


@pytest.mark.parametrize(
    ("items", "text"),
    [
        ([], ""),
        (["a"], "a"),
        (["a", "b"], "a and b"),
        (["a", "b", "c"], "a, b and c"),
        (["a", "b", "c", "d"], "a, b, c and d"),
        (list("abcdef"), "a, b, c and 3 more"),
    ],
)
def test_listings_as_english_has_them(items: list[str], text: str) -> None:
    assert wording.listing(items) == text


def test_places_are_grouped_by_file() -> None:
    rows = (Place("s3://b/a.csv", 1), Place("s3://b/a.csv", 1200), Place("b.csv", 7))
    assert wording.places(rows) == "rows 1 and 1,200 of a.csv; row 7 of b.csv"
    assert wording.places(rows, 10) == "rows 1 and 1,200 of a.csv; row 7 of b.csv and 7 more"
    assert wording.places((Place("", 3),)) == "row 3"
    assert wording.places(()) == ""
    assert wording.place(rows[1]) == "row 1,200 of a.csv"


def test_long_names_keep_their_end() -> None:
    names = {wording.name(f"{'x' * 200}_{i}") for i in range(50)}
    assert len(names) == 50
    assert all(len(text) <= 80 for text in names)


@given(st.text(min_size=1, max_size=300))
def test_names_stay_on_one_printable_line(column: str) -> None:
    assert wording.name(column).isprintable()


def test_names_that_say_nothing() -> None:
    assert wording.name(None) == "whole data set"
    assert wording.name("") == '""'


def test_a_sentence_ends_once() -> None:
    assert wording.sentence(" no end ") == "no end."
    assert wording.sentence("an end!") == "an end!"
    assert wording.sentence("") == ""


def test_evidence_in_a_few_characters(make_outcome: Callable[..., Outcome]) -> None:
    assert wording.evidence(make_outcome("ks", "a", q_value=3.2e-12, p_value=1e-12)) == "q 3.2e-12"
    assert wording.evidence(make_outcome("ks", "a", p_value=0.04)) == "p 0.04"
    assert wording.evidence(make_outcome("data_type", "a", n_bad=1234)) == "1,234 wrong"
    assert wording.evidence(make_outcome("data_type", "a")) == "–"


def test_values_in_their_unit() -> None:
    m = Measurement("ks", 0.25, "distance", 10, interval=(0.2, 0.3))
    assert (wording.value(m), wording.interval(m)) == ("0.25", "0.2 to 0.3")
    m = replace(m, unit="share", interval=None)
    assert (wording.value(m), wording.interval(m)) == ("25%", "–")
    assert wording.value(replace(m, unit="rows", value=1234.0)) == "1,234"
    assert wording.value(replace(m, unit="seconds", value=90.0)) == "1 min 30 s"


@pytest.mark.parametrize(
    ("check", "given", "said"),
    [
        ("recall", {"bound": 0.5512}, "at least 55.12%"),
        ("false_positive_rate", {"bound": 0.085}, "at most 8.5%"),
        ("mae", {"bound": 3.5}, "at most 3.5"),
        ("r2", {"bound": -7.74}, "at least −7.74"),
        ("r2", {"bound": 1.5}, "at least 1.5"),
        ("ndcg", {"bound": 0.9}, "at least 90%"),
        ("attribution_distance", {"bound": 0.1}, "at most 0.1"),
        ("attribution_change", {"bound": 0.05}, "0.05 either way"),
        ("attribution_magnitude", {"low": 0.8, "high": 1.25}, "0.8 to 1.25"),
        ("bias_dpl", {"low": -0.1, "high": 0.1}, "−0.1 to 0.1"),
        ("bias_di", {"low": 0.8, "high": math.inf}, "0.8 to ∞"),
        ("bias_te", {"high": 2.0}, "at most 2"),
        ("bias_te", {}, "–"),
    ],
)
def test_what_a_metric_is_allowed_follows_from_what_is_worse(
    check: str, given: dict[str, float], said: str
) -> None:
    constraint = Constraint(check, None, given.get("bound"), low=given.get("low"), high=given.get("high"))
    assert wording.bound(constraint) == said


def test_a_threshold_that_somebody_turned_round_says_so() -> None:
    assert wording.bound(Constraint("recall", None, 0.5, "GreaterThanThreshold")) == "at most 50%"
    assert wording.bound(Constraint("mae", None, 3.0, "LessThanThreshold")) == "at least 3"


@pytest.mark.parametrize("check", METRICS)
def test_every_metric_has_a_name_that_fits_a_narrow_table(check: str) -> None:
    assert wording.title(check) == METRICS[check].title
    assert 1 < len(wording.short_title(check)) <= 14


def test_a_metric_says_what_it_is_of() -> None:
    assert wording.scope(metric_outcome("recall", 0.5, 0.6)) == "all rows"
    assert wording.scope(metric_outcome("recall", 0.5, 0.6, segment="sex=Female")) == "sex=Female"
    assert wording.scope(metric_outcome("bias_dpl", 0.1, 0.0, column="sex=Female")) == "sex=Female"
    assert wording.scope(metric_outcome("ndcg", 0.9, 1.0)) == "all features"
    assert wording.scope(metric_outcome("ndcg", 0.9, 1.0, segment="label1")) == "label1"
    change = metric_outcome("attribution_change", 0.1, 0.0, column="age", segment="label1")
    assert wording.scope(change) == "age [label1]"


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (None, "share", "–"), ("text", "share", "text"), (0.25, "share", "25%"), (0.25, "", "0.25"),
        (1234, "rows", "1,234"), (1e300, "rows", "1e300"), (math.inf, "rows", "∞"), (3, "text", "3"),
        (math.nan, "number", "not a number"),
    ],
)  # fmt: skip
def test_cells_in_their_unit(value: float | str | None, unit: str, said: str) -> None:
    assert wording.cell(value, unit) == said
