"""The template: nothing switched on, and a whole configuration once it is."""

from __future__ import annotations

import re

import pytest

from driftline.configuration import SECTIONS, TEMPLATE, Configuration, read_configuration

LINES = TEMPLATE.split("\n")


def switched_on(text: str) -> str:
    """Take the "#" away from every line that begins with it directly."""
    return re.sub(r"^#(?=[^ \n])", "", text, flags=re.MULTILINE)


def test_it_declares_nothing_as_it_is() -> None:
    assert read_configuration(TEMPLATE.encode()) == Configuration()
    assert all(not line or line.startswith("#") for line in LINES)


def test_it_is_a_configuration_once_it_is_switched_on() -> None:
    read = read_configuration(switched_on(TEMPLATE).encode())
    assert list(read.models) == ["churn"]
    assert list(read.endpoints) == ["churn-prod"]
    assert list(read.baselines) == ["churn"]
    assert list(read.monitors) == ["churn-quality"]
    assert list(read.targets) == ["ops"]
    assert read.scheduler.heartbeat is not None


def test_it_shows_every_section() -> None:
    for section in SECTIONS:
        assert re.search(rf"^#\[+{section}\b", TEMPLATE, flags=re.MULTILINE), section


def test_lines_fit_a_terminal() -> None:
    assert max(map(len, LINES)) <= 120


@pytest.mark.parametrize("key", ["workspace", "scheduler"])
def test_the_values_shown_there_are_the_defaults(key: str) -> None:
    read = read_configuration(switched_on(TEMPLATE).encode()).canonical()[key]
    read.pop("heartbeat", None)
    default = Configuration().canonical()[key]
    default.pop("heartbeat", None)
    assert read == default
