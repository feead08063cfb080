"""Odd values: whatever stands in the place of a value, the file is read or refused, and nothing else happens."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest

from driftline.configuration import Configuration, ConfigurationError, read_configuration, to_toml

Path = tuple[str | int, ...]


def toml(value: Any, odd: str, at: Path, path: Path = ()) -> str:
    """Write a document in one line, with a text in the place of one of its values."""
    if path == at:
        return odd
    if isinstance(value, dict):
        pairs = [f"{json.dumps(key)} = {toml(one, odd, at, (*path, key))}" for key, one in value.items()]
        return "{ " + ", ".join(pairs) + " }" if path else "\n".join(pairs)
    if isinstance(value, list):
        return "[" + ", ".join(toml(one, odd, at, (*path, n)) for n, one in enumerate(value)) + "]"
    return value.isoformat() if hasattr(value, "isoformat") else json.dumps(value)


def paths(value: Any, path: Path = ()) -> list[Path]:
    """Return the path of every value in a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path for path in [path] if path] + [
        below for key, one in inner for below in paths(one, (*path, key))
    ]


def outcome(text: str) -> Configuration | ConfigurationError:
    """Read a file; what is refused is refused in full."""
    refused = None
    try:
        read = read_configuration(text.encode(), "driftline.toml")
    except ConfigurationError as error:
        refused = error
    if refused is None:
        assert read_configuration(to_toml(read).encode()) == read
        return read
    assert "\n" not in str(refused)
    assert len(str(refused)) < 4000
    for problem in refused.problems:
        assert problem.file == "driftline.toml"
        assert problem.line
        assert problem.field
        assert problem.fix
    return refused


NEVER = ["[[]]", "nan", "-inf", str(2**70), '"a\\u0000b"', "08:00:00", "{ a = [ [ ] ] }"]
PERHAPS = [
    "0",
    "-1",
    "3",
    "1e300",
    "true",
    '""',
    '" "',
    '"x"',
    f'"{"x" * 3000}"',
    "[]",
    "{}",
    "2026-01-01",
    '["a", "a"]',
]


@pytest.mark.parametrize("odd", NEVER)
def test_what_no_key_may_hold(everything: str, odd: str) -> None:
    document = tomllib.loads(everything)
    for path in paths(document):
        refused = outcome(toml(document, odd, path))
        assert isinstance(refused, ConfigurationError), path


@pytest.mark.parametrize("odd", PERHAPS)
def test_what_some_keys_may_hold(everything: str, odd: str) -> None:
    document = tomllib.loads(everything)
    found = [outcome(toml(document, odd, path)) for path in paths(document)]
    assert any(isinstance(one, ConfigurationError) for one in found)


def test_any_one_key_may_be_left_out(everything: str) -> None:
    document = tomllib.loads(everything)
    for path in paths(document):
        *above, last = path
        spoiled = tomllib.loads(everything)
        place: Any = spoiled
        for part in above:
            place = place[part]
        del place[last]
        outcome(toml(spoiled, "", ("nowhere",)))
