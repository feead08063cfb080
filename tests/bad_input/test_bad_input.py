"""Every case of the manifest, through the real command line: no traceback, no half-written file, no false "passed"."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bad_input.case import Refused
from bad_input.cases import ALL, CLASSES
from bad_input.judging import perform
from bad_input.processes import Forks, fresh
from bad_input.world import clear, good_files, lay_out

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    with Forks() as started:
        yield started


@pytest.fixture(scope="module")
def good(forks: Forks, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return good_files(tmp_path_factory.mktemp("bad-input") / "good", forks)


@pytest.fixture
def folder(good: Path, tmp_path: Path) -> Iterator[Path]:
    made = tmp_path / "w"
    lay_out(good, made)
    yield made
    clear(made)


LONG = ("text/ten-thousand-columns", "jsonl/five-thousand-keys", "values/ten-thousand-null-columns")
"""Minutes of work of which shorter cases show the like: for the long examination."""


@pytest.mark.parametrize("name", [n for n in ALL if n not in LONG])
def test_ends_as_it_must(name: str, forks: Forks, folder: Path) -> None:
    perform(ALL[name], forks.run, folder)


@pytest.mark.exam
@pytest.mark.parametrize("name", LONG)
def test_long_work_ends_as_it_must(name: str, forks: Forks, folder: Path) -> None:
    perform(ALL[name], forks.run, folder)


@pytest.mark.parametrize("kind", CLASSES)
def test_a_process_of_its_own_ends_the_same_way(kind: str, folder: Path) -> None:
    """One of each class without the fork server, so that nothing is owed to what it has imported."""
    wanted = next(
        case
        for name, case in ALL.items()
        if name.startswith(f"{kind}/") and case.runs[0].how == type(case.runs[0].how)()
    )
    perform(wanted, fresh, folder)


def test_the_suite_is_what_it_says() -> None:
    assert len(ALL) >= 400
    assert sum(isinstance(run.ending, Refused) for case in ALL.values() for run in case.runs) >= 400
    assert all(case.runs for case in ALL.values())
    lines = [run.ending.line for case in ALL.values() for run in case.runs if isinstance(run.ending, Refused)]
    assert "?" not in lines
