"""The page on the file has every key, with the default that is true."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from driftline.configuration import ConfigurationError, HeartbeatSpec, read_configuration

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "configuration.md").read_text("utf-8")

# The head of a table of the page; a file with a key there that nobody knows; what is filled in where it is left out.
VERSION = '[[models.m.versions]]\nversion = "1"\n'
TABLES: dict[str, tuple[str, list[Any]]] = {
    "`[workspace]`": ("[workspace]\n", ["workspace"]),
    "`[models.NAME]`": ("[models.m]\n", ["models", "m"]),
    "`[[models.NAME.versions]]`": (VERSION, ["models", "m", "versions", 0]),
    "`trained`": (VERSION + "[models.m.versions.trained]\n", ["models", "m", "versions", 0, "trained"]),
    "`[endpoints.NAME]`": (VERSION + '[endpoints.e]\nmodel = "m"\n', ["endpoints", "e"]),
    "`[[endpoints.NAME.variants]]`": (
        VERSION + '[[endpoints.e.variants]]\nmodel = "m"\nname = "a"\n',
        ["endpoints", "e", "variants", 0],
    ),
    "`[baselines.NAME]`": ('[baselines.b]\nfolder = "b/"\n', ["baselines", "b"]),
    "`[monitors.NAME]`": ('[monitors.m]\nendpoint = "e"\nbaseline = "b"\n', ["monitors", "m"]),
    "`[monitors.NAME.alert]`": (
        '[monitors.m]\nendpoint = "e"\nbaseline = "b"\n[monitors.m.alert]\n',
        ["monitors", "m", "alerts", 0],
    ),
    "`[targets.NAME]`": ('[targets.t]\nkind = "log"\n', ["targets", "t"]),
    "`[scheduler]`": ("[scheduler]\n", ["scheduler"]),
    "`[scheduler.heartbeat]`": ('[scheduler.heartbeat]\nurl_env = "A"\n', ["scheduler", "heartbeat"]),
}
KNOWN = {"endpoints": ["e"], "baselines": ["b"]}


def documented(head: str) -> dict[str, str]:
    """Return the default column of a table by key."""
    _, found, rest = PAGE.partition(f"| key of {head} | default | meaning |\n|---|---|---|\n")
    assert found, head
    rows = rest.partition("\n\n")[0].split("\n")
    return {
        cells[1].strip().strip("`"): cells[2].strip()
        for cells in (row.split(" | ") for row in map("| ".__add__, rows))
    }


@pytest.mark.parametrize("head", TABLES)
def test_every_key_has_a_row(head: str) -> None:
    text, _ = TABLES[head]
    with pytest.raises(ConfigurationError) as refused:
        read_configuration((text + "zzzzzz = 1\n").encode(), known=KNOWN)
    (problem,) = refused.value.problems
    fix = problem.fix or ""
    assert fix.startswith("use one of ")
    assert list(documented(head)) == fix.removeprefix("use one of ").split(", ")


@pytest.mark.parametrize("head", TABLES)
def test_the_defaults_are_those_of_the_program(head: str) -> None:
    text, path = TABLES[head]
    found: Any = read_configuration(text.encode(), known=KNOWN).canonical()
    for part in path:
        found = found[part]
    if head.endswith("heartbeat]`"):
        assert found == HeartbeatSpec(url_env="A").canonical()
    for key, cell in documented(head).items():
        default = re.fullmatch(r"`(.+)`", cell)
        if default:
            assert tomllib.loads(f"x = {default[1]}")["x"] == found.get(key, {}), key
        elif cell == "none" and key not in ("folder", "variants", "versions", "url_env", "alerts"):
            assert not found.get({"digest": "artifact_digest"}.get(key, key)), key


def test_every_section_is_on_the_page() -> None:
    assert len(re.findall(r"^\| key of ", PAGE, flags=re.MULTILINE)) == len(TABLES)
