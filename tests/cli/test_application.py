from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from driftline import __version__
from driftline.cli.application import COMMANDS, Lazy, application

if TYPE_CHECKING:
    from collections.abc import Callable


def invoke(*arguments: str) -> click.testing.Result:
    return CliRunner().invoke(application, list(arguments), prog_name="driftline")


def test_help_lists_every_command() -> None:
    text = invoke("--help").output
    for name in COMMANDS:
        assert re.search(rf"^  {name} ", text, re.M)


def groups() -> dict[str, Lazy]:
    """Every group, by what is typed before its commands."""
    found = {"": application}
    for name in COMMANDS:
        command = application.get_command(click.Context(application), name)
        if isinstance(command, Lazy):
            found[f"{name} "] = command
    return found


@pytest.mark.parametrize("flag", ["-h", "--help"])
@pytest.mark.parametrize("name", [*application.leaves(), *(name.strip() for name in groups() if name)])
def test_help_of_every_command_has_an_example(name: str, flag: str) -> None:
    text = invoke(*name.split(), flag).output
    assert re.search(rf"^    driftline {name}\b", text, re.M)


@pytest.mark.parametrize(
    ("before", "name"), [(before, name) for before, group in groups().items() for name in group.commands_at]
)
def test_short_help_is_the_first_line_of_the_long(before: str, name: str) -> None:
    group = groups()[before]
    long = group.get_command(click.Context(group), name)
    assert long is not None
    assert long.help is not None
    assert long.name == name
    assert long.help.splitlines()[0].startswith(group.commands_at[name][1].rstrip("."))


@pytest.mark.parametrize("name", application.leaves())
def test_every_option_is_explained(name: str) -> None:
    for parameter in application.leaves()[name].params:
        if isinstance(parameter, click.Option):
            assert parameter.help
            assert parameter.help.endswith(".")


def test_help_tells_the_exit_status() -> None:
    text = " ".join(invoke("--help").output.split())
    for told in (
        "0 nothing violated",
        "1 violations",
        "2 input or usage error",
        "3 internal",
        "4 nothing could",
    ):
        assert told in text


@pytest.mark.parametrize("flag", ["-V", "--version"])
def test_version(flag: str) -> None:
    assert invoke(flag).output == f"driftline {__version__}\n"


@pytest.mark.parametrize(("typed", "hint"), [("chek", "; did you mean 'check'? Try"), ("zzz", "; try")])
def test_unknown_command(run: Callable[..., object], typed: str, hint: str) -> None:
    done = run(typed)
    assert vars(done) == {
        "code": 2,
        "out": "",
        "err": f"driftline: E-USAGE: there is no command {typed!r}{hint} 'driftline --help'\n",
    }
