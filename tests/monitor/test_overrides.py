"""Overrides: what is read, what is refused and how, and whose decision wins."""

from __future__ import annotations

from typing import Any

import pytest

from driftline.baselines.constraint import CHECKS, Settings, Severity
from driftline.errors import DocumentError, DriftlineError, UsageError
from driftline.monitor.overrides import ColumnOverrides, Overrides, read_overrides


def settings(text: str) -> Settings:
    (found,) = read_overrides(text.encode()).checks.values()
    return found


def test_the_example_of_the_documentation_is_read() -> None:
    from driftline.monitor import overrides

    _, text, metrics = (overrides.__doc__ or "").split("::\n")
    text = text.partition("Metrics of")[0]
    assert read_overrides(
        metrics.replace("[columns", "#").partition("#")[0].encode(), recipe="model-quality"
    ) == (Overrides(checks={"recall": Settings(enabled=True, why="set by the user", tolerance=0.05)}))
    facet = read_overrides(("[columns" + metrics.partition("[columns")[2]).encode(), recipe="bias")
    assert facet.for_column("sex=Female").checks["bias_di"].low == 0.8
    found = read_overrides(text.encode())
    assert found.alpha == 0.001
    assert found.checks["ks"].bound == 0.15
    assert found.checks["psi"].enabled is True
    assert found.checks["row_volume"].low == 100
    assert found.for_column("Day Mins").checks["ks"].bound == 0.3
    assert found.for_column("created").checks["freshness"].bound == 7200
    assert found.for_column("another") == ColumnOverrides()


def test_a_mapping_is_read_like_toml() -> None:
    given = {"alpha": 0.01, "columns": {"x": {"ignore": True, "role": "identifier"}}}
    found = read_overrides(given)
    assert found == read_overrides(b'alpha = 0.01\n[columns.x]\nignore = true\nrole = "identifier"\n')
    assert found == Overrides(0.01, {}, {"x": ColumnOverrides({}, ignore=True, role="identifier")})


def test_nothing_decides_nothing() -> None:
    assert read_overrides(None) == read_overrides({}) == read_overrides(b"") == Overrides()


def test_every_setting_is_read() -> None:
    found = settings(
        "[checks.ks]\nenabled = false\nbound = 0.2\nevidence = false\nmin_rows = 50\n"
        'severity = "critical"\nwhy = "agreed"\n'
    )
    assert found == Settings(False, 0.2, None, None, False, 50, Severity.CRITICAL, "agreed")


@pytest.mark.parametrize("check", CHECKS)
def test_every_check_can_be_switched(check: str) -> None:
    assert read_overrides({"checks": {check: {"enabled": False}}}).checks[check] == Settings(enabled=False)


def test_giving_a_bound_switches_a_check_on_and_says_who_did() -> None:
    assert settings("[checks.psi]\nbound = 0.3") == Settings(enabled=True, bound=0.3, why="set by the user")
    assert settings("[checks.psi]\nmin_rows = 9") == Settings(min_rows=9)
    assert settings("[checks.psi]\nenabled = false\nbound = 0.3").enabled is False


@pytest.mark.parametrize(
    ("text", "evidence"),
    [
        ("[checks.completeness]\nbound = 0.95", True),  # a share, which a few rows cannot show
        ("[checks.completeness]\nbound = 1.0", False),  # every single row
        ("[checks.completeness]\nbound = 0.95\nevidence = false", False),
        ("[checks.numeric_range]\nlow = 0", False),  # an exact range
        ("[checks.numeric_range]\nlow = 0\nevidence = true", True),
        ("[checks.row_volume]\nlow = 10", False),
        ("[checks.ks]\nbound = 0.2", None),
        ("[checks.completeness]\nmin_rows = 5", None),
    ],
)
def test_when_a_decision_means_every_single_value(text: str, evidence: bool | None) -> None:
    assert settings(text).evidence is evidence


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        (b"alfa = 1", None, "unknown field 'alfa'.*did you mean 'alpha'"),
        (b"[checks.kss]", "checks", "no check called 'kss'.*did you mean 'ks'"),
        (b"[checks.completenes]", "checks", "did you mean 'completeness'"),
        (b"[checks.ks]\nboundd = 1", "checks.ks", "did you mean 'bound'"),
        (b"[columns.x]\nignored = true", "columns.x", "did you mean 'ignore'"),
        (b"[columns.x.checks.zzz]", "columns.x.checks", "no check called 'zzz'.*use one of"),
        (b"alpha = 0", "alpha", "above 0 and below 1"),
        (b"alpha = 1.0", "alpha", "above 0 and below 1"),
        (b"alpha = 2", "alpha", "from 0 to 1"),
        (b"alpha = nan", "alpha", "found nan"),
        (b'alpha = "small"', "alpha", "expected a number"),
        (b"[checks.completeness]\nbound = 1.5", "checks.completeness.bound", "from 0 to 1"),
        (b"[checks.ks]\nbound = -0.1", "checks.ks.bound", "from 0 to 1"),
        (b"[checks.psi]\nbound = -0.1", "checks.psi.bound", "of at least 0"),
        (b"[checks.freshness]\nenabled = true", "checks.freshness.bound", "greatest age in seconds"),
        (b"[checks.row_volume]\nenabled = true", "checks.row_volume.low", "low, high or both"),
        (b"[checks.ks]\nmin_rows = 1.5", "checks.ks.min_rows", "whole number"),
        (b"[checks.ks]\nmin_rows = inf", "checks.ks.min_rows", "whole number"),
        (b"[checks.ks]\nmin_rows = nan", "checks.ks.min_rows", "whole number"),
        (b"[checks.ks]\nmin_rows = -1", "checks.ks.min_rows", "at least 0"),
        (b"[checks.ks]\nlow = 1", "checks.ks.low", "ks has no range"),
        (b"[checks.ks]\nhigh = 1", "checks.ks.high", "ks has no range"),
        (b"[checks.numeric_range]\nlow = 2\nhigh = 1", "checks.numeric_range", "range is empty"),
        (b'[checks.ks]\nseverity = "loud"', "checks.ks.severity", "unknown value 'loud'"),
        (b'[checks.ks]\nenabled = "yes"', "checks.ks.enabled", "true or false"),
        (b'[columns.x]\nrole = "id"', "columns.x.role", "unknown value 'id'"),
        (b"checks = 1", "checks", "expected an object"),
        (b"[[columns]]", "columns", "expected an object"),
        (b"columns.x = 3", "columns.x", "expected an object"),
        (b"a =", None, "not TOML"),
        (b"\xff", None, "not valid UTF-8"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(given: bytes, field: str | None, words: str) -> None:
    with pytest.raises(DocumentError, match=words) as caught:
        read_overrides(given, file="checks.toml")
    assert caught.value.file == "checks.toml"
    assert caught.value.field == field


@pytest.mark.parametrize(
    "given", [{"alpha": None}, {"checks": {"ks": {"bound": None}}}, {"columns": {"x": {}}}]
)
def test_absent_and_null_decide_nothing(given: dict[str, Any]) -> None:
    found = read_overrides(given)
    assert found.alpha is None
    assert all(s == Settings() for s in found.checks.values())


def test_columns_must_exist() -> None:
    decided = read_overrides({"columns": {"Day Min": {"ignore": True}}})
    assert decided.checked(["Day Min"]) is decided
    with pytest.raises(UsageError, match="did you mean 'Day Mins'") as caught:
        decided.checked(["Day Mins", "State"])
    assert caught.value.field == "columns.Day Min"
    with pytest.raises(UsageError, match="remove it"):
        decided.checked(["zzz"])


@pytest.mark.parametrize("text", ["a" * 1_000_000, "a" + " " * 1_000_000, "a." * 90 + "a" * 1_000_000])
def test_a_long_word_takes_no_time(text: str) -> None:
    with pytest.raises(DocumentError, match="not TOML"):
        read_overrides(text.encode())


@pytest.mark.parametrize(
    ("recipe", "given", "said"),
    [
        ("model-quality", {"recal": {"tolerance": 0.1}}, "did you mean 'recall'"),
        ("model-quality", {"ks": {"bound": 0.1}}, "there is no check called 'ks'"),
        ("data-quality", {"recall": {"bound": 0.1}}, "there is no check called 'recall'"),
        ("model-quality", {"recall": {"tolerance": -0.1}}, "tolerance"),
        ("model-quality", {"recall": {"tolerance": 0.1, "bound": 0.5}}, "remove one of them"),
        ("model-quality", {"recall": {"low": 0.1}}, "give a bound or a tolerance"),
        ("bias", {"bias_di": {"bound": 0.8}}, "give low, high or a tolerance"),
        ("bias", {"bias_di": {"low": 0.8, "tolerance": 0.1}}, "remove one of them"),
        ("bias", {"bias_di": {"low": 0.8, "high": 0.7}}, "the range is empty"),
        ("attribution", {"ndcg": {"bond": 0.8}}, "did you mean 'bound'"),
    ],
)
def test_what_a_metric_cannot_be_told_is_refused(recipe: str, given: dict[str, object], said: str) -> None:
    with pytest.raises(DriftlineError, match=said):
        read_overrides({"checks": given}, recipe=recipe)
