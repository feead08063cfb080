"""Mutated files: whatever is in them, the ending is one of those that are documented."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from bad_input.fuzz import TARGETS, mutate, write
from bad_input.judging import check_line, strict_json
from bad_input.processes import Circumstances, Forks
from bad_input.world import good_files

if TYPE_CHECKING:
    from pathlib import Path

N_QUICK, N_EXAM = 12, 1000


def _ends_well(target: str, seeds: range, tmp_path: Path) -> None:
    _, arguments = TARGETS[target]
    with Forks() as forks:
        good = good_files(tmp_path / "good", forks)
        for seed in seeds:
            folder = tmp_path / "w"
            shutil.copytree(good, folder)
            path = write(target, folder)
            path.write_bytes(mutate(path.read_bytes(), seed))
            ended = forks.run(arguments, folder, Circumstances(seconds=60.0))
            told = f"{target}, seed {seed}: exit {ended.code}\n{ended.err[:2000]}"
            assert ended.code in (0, 1, 2, 4), told
            assert ended.peak_mib < 700, told
            if ended.code == 2:
                check_line(ended)
            else:
                assert ended.err == "", told
                if "--json" in arguments:
                    status = strict_json(ended.out)["status"]
                    assert (status == "violated") == (ended.code == 1), told
            shutil.rmtree(folder)


@pytest.mark.parametrize("target", TARGETS)
def test_mutated_files_end_well(target: str, tmp_path: Path) -> None:
    _ends_well(target, range(N_QUICK), tmp_path)


@pytest.mark.exam
@pytest.mark.parametrize("target", TARGETS)
def test_many_mutated_files_end_well(target: str, tmp_path: Path) -> None:
    _ends_well(target, range(N_QUICK, N_EXAM), tmp_path)
