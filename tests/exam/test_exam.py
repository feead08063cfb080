from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from exam.rigs import RIGS
from exam.table import PAGE, inserted, kept, table

ROOT = Path(__file__).parents[2]
FIGURES = ("lost", "unreadable", "duplicates", "failed", "silent", "unbalanced")


def _examined(tmp_path: Path, *words: str) -> dict[str, Any]:
    """Run rigs in a process that has no other thread, since they fork."""
    results = tmp_path / "results.json"
    done = subprocess.run(
        [sys.executable, "-m", "exam", "--results", str(results), *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT / "tests"), str(ROOT)))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    document: dict[str, Any] = json.loads(results.read_text())
    return document


@pytest.mark.parametrize("rig", [name for name, rig in RIGS.items() if not rig.needs])
def test_sample_of_each_rig_finds_nothing_wrong(rig: str, tmp_path: Path) -> None:
    document = _examined(tmp_path, "--only", rig)
    assert sum(found["times"] for found in document["verdicts"]) > 0
    assert not document["missing"]
    assert not [found for found in document["verdicts"] if any(found[name] for name in FIGURES)]


@pytest.mark.exam
def test_long_examination_finds_nothing_wrong(tmp_path: Path) -> None:
    document = _examined(tmp_path, "--minutes", "8", "--seed", "2")
    assert not [found for found in document["verdicts"] if any(found[name] for name in FIGURES)]


def test_page_is_what_the_results_give() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == inserted(page, kept()), "run `PYTHONPATH=tests python -m exam --render`"


def test_recorded_examination_is_whole() -> None:
    document = kept()
    assert not document["missing"]
    assert document["machine"].keys() >= {"processor", "processors_used", "system"}
    assert {found["id"].split()[0] for found in document["verdicts"]} >= {
        *("W1", "W2", "W3", "W5", "W6", "W8", "W9", "W11", "W12", "W14", "W15", "W18", "W20", "W21"),
        *("O1", "O2", "O5", "O8", "O11"),
    }
    assert sum(found["times"] for found in document["verdicts"] if found["id"].startswith("W1")) > 1000


def test_table_shows_what_is_wrong() -> None:
    document = copy.deepcopy(kept())
    document["verdicts"][0]["lost"] = 7
    document["missing"] = {"power": "root"}
    text = table(document)
    assert "| **7** |" in text
    assert "`power` did not run: it needs root." in text
