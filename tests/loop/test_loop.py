from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from loop.rigs import RIGS
from loop.table import PAGE, inserted, kept, table

ROOT = Path(__file__).parents[2]


def _examined(tmp_path: Path, *words: str) -> dict[str, Any]:
    """Run rigs in a process that has no other thread, since they fork."""
    results = tmp_path / "results.json"
    done = subprocess.run(
        [sys.executable, "-m", "loop", "--results", str(results), *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT / "tests"), str(ROOT)))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    document: dict[str, Any] = json.loads(results.read_text())
    return document


@pytest.mark.parametrize("rig", [name for name, rig in RIGS.items() if rig.is_possible])
def test_sample_of_each_rig_finds_nothing_wrong(rig: str, tmp_path: Path) -> None:
    document = _examined(tmp_path, "--only", rig)
    assert sum(found["tries"] for found in document["verdicts"]) > 0
    assert not document["missing"]
    assert not [found for found in document["verdicts"] if found["failures"]]


@pytest.mark.exam
def test_long_examination_finds_nothing_wrong(tmp_path: Path) -> None:
    document = _examined(tmp_path, "--minutes", "8", "--seed", "2")
    assert not [found for found in document["verdicts"] if found["failures"]]


@pytest.mark.exam
def test_ten_thousand_that_are_due_at_once_are_done(tmp_path: Path) -> None:
    document = _examined(tmp_path, "--only", "crowd", "--minutes", "0.01")
    assert document["verdicts"][0]["tries"] > 10_000


def test_page_is_what_the_results_give() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == inserted(page, kept()), "run `PYTHONPATH=tests python -m loop --render`"


def test_recorded_examination_is_whole() -> None:
    document = kept()
    assert not document["missing"]
    assert document["machine"].keys() >= {"processor", "processors_used", "system"}
    covered = {word for found in document["verdicts"] for word in found["id"].split()}
    assert covered >= {
        *("S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8", "S10", "S11", "S12"),
        *("D1", "D3", "D4", "D5", "D6", "D12", "A1", "A2", "A3", "C4", "N1", "N9"),
    }
    assert all(found["tries"] for found in document["verdicts"])


def test_table_shows_what_is_wrong() -> None:
    document = copy.deepcopy(kept())
    document["verdicts"][0]["failures"] = 7
    document["missing"] = {"traced": "strace"}
    text = table(document)
    assert "| **7** |" in text
    assert "`traced` did not run: it needs strace." in text
