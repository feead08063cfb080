"""References: what the registry has already need not be declared, and versions are found or asked for."""

from __future__ import annotations

import pytest

from driftline.configuration import ConfigurationError, read_configuration

MONITOR = b'[monitors.m]\nendpoint = "prod"\nbaseline = "churn"\n'


def problem(text: str, known: dict[str, list[str]]) -> str:
    with pytest.raises(ConfigurationError) as refused:
        read_configuration(text.encode(), known=known)
    (found,) = refused.value.problems
    return f"{found.field}: {found.message}; {found.fix}"


def test_what_is_known_need_not_be_declared() -> None:
    known = {"endpoints": ["prod"], "baselines": ["churn"]}
    assert read_configuration(MONITOR, known=known).monitors["m"].endpoint == "prod"
    known["endpoints"] = ["production"]
    assert problem(MONITOR.decode(), known) == (
        "monitors.m.endpoint: there is no endpoint called 'prod'; did you mean 'production'?"
    )


def version(text: str, known: dict[str, list[str]]) -> str | None:
    (variant,) = read_configuration(text.encode(), known=known).endpoints["e"].variants
    return variant.version


ENDPOINT = '[endpoints.e]\nmodel = "churn"\n'


def test_the_only_version_of_a_model_need_not_be_said() -> None:
    here = '[[models.churn.versions]]\nversion = "3"\n'
    assert version(here + ENDPOINT, {}) == "3"
    assert version(ENDPOINT, {"models": ["churn"], "versions": ["churn/7", "other/1"]}) == "7"
    assert version(here + ENDPOINT, {"models": ["churn"], "versions": ["churn/3"]}) == "3"
    both = {"models": ["churn"], "versions": ["churn/2"]}
    assert problem(here + ENDPOINT, both) == (
        "endpoints.e.version: model 'churn' has 2 versions: 3, 2; say which: version = \"2\""
    )


def test_versions_of_a_model_elsewhere_are_checked_where_they_are_known() -> None:
    asked = ENDPOINT + 'version = "4"\n'
    assert version(asked, {"models": ["churn"]}) == "4"
    assert version(ENDPOINT, {"models": ["churn"]}) is None
    assert version(asked, {"models": ["churn"], "versions": ["churn/4"]}) == "4"
    assert "has no version '4'" in problem(asked, {"models": ["churn"], "versions": ["churn/5"]})


def test_patterns_may_match_what_is_yet_to_come() -> None:
    text = b'[targets.t]\nkind = "log"\nendpoints = ["new-*"]\nmodels = "churn"\n'
    read = read_configuration(text, known={"models": ["churn"]})
    assert read.targets["t"].endpoints == ("new-*",)
    assert read.targets["t"].models == ("churn",)


def test_one_mistake_is_told_once() -> None:
    """An endpoint that cannot be read is there all the same: nobody asks where it is."""
    text = (
        '[[models.churn.versions]]\nversion = "1"\n'
        + ENDPOINT
        + "captures = 3\n[baselines.b]\nfolder = 'b'\n"
    )
    text += '[monitors.m]\nendpoint = "e"\nbaseline = "b"\n'
    assert problem(text, {}).startswith("endpoints.e.captures: expected text")
