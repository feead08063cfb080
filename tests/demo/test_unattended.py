"""The file that the demo writes is all that another process needs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from driftline.demo.clock import HOUR, Clock
from driftline.registry import alerts, executions
from driftline.registry.moments import shown
from driftline.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

    from driftline.demo import Story


FILES = (
    *("driftline.toml", "training.csv", "model.json"),
    *("income-training.parquet", "income-validation.parquet", "income.py"),
)
"""What the demo writes for its ``driftline.toml``."""


@pytest.fixture
def place(story: Story, tmp_path: Path) -> Path:
    """A copy of the demo's folder."""
    return shutil.copytree(story.folder, tmp_path / "demo")


def driftline(*arguments: str, cwd: Path) -> str:
    variables = {name: value for name, value in os.environ.items() if not name.startswith("DRIFTLINE_")}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "driftline", *arguments],
        cwd=cwd,
        env=variables,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_apply_and_scheduler_in_a_new_workspace(story: Story, place: Path, tmp_path: Path) -> None:
    """Nothing of the demo's registry is needed: its file, its data and its captures are."""
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    for name in FILES:
        shutil.copy(place / name, fresh)
    shutil.copytree(place / "captures", fresh / "captures")
    driftline("init", "fresh", cwd=tmp_path)
    assert "19 to create" in driftline("apply", "fresh/driftline.toml", "--yes", cwd=tmp_path)
    again = json.loads(driftline("apply", "fresh/driftline.toml", "--yes", "--json", cwd=tmp_path))
    assert (again["applied"], {step["action"] for step in again["steps"]}) == (False, {"none"})
    driftline("scheduler", "--once", "-w", "fresh", cwd=tmp_path)
    # A schedule looks at what comes after it was made, so its first time is still to come; here it has.
    with Workspace(fresh, clock=lambda: Clock(0).began + 30 * HOUR) as ws:
        ws.scheduler().drain()
        with ws.registry.read() as tx:
            assert executions.history(tx, schedule="churn-quality")
    drifted = story.cells[-1].execution
    window = f"{shown(drifted.window_start)}/{shown(drifted.window_end)}"
    found = driftline(
        *("monitor", "run", "churn-quality", "--window", window, "--exit-zero", "-w", "fresh"), cwd=tmp_path
    )
    assert found.startswith("CompletedWithViolations: 2 violations in 2 incidents: Day Mins has drifted\n")


def test_the_scheduler_goes_on_where_the_demo_ended(place: Path, tmp_path: Path) -> None:
    driftline("scheduler", "--once", "-w", str(place), cwd=tmp_path)
    with Workspace(place) as ws, ws.registry.read() as tx:
        newer = executions.history(tx, schedule="churn-quality", status="NoData", limit=100)
        due = [Clock(0).began + n * 6 * HOUR for n in range(1, 5)]
        since = [e for e in newer if e.window_end > Clock(0).began]
        assert [e.window_end for e in since] == sorted((d for d in due if d <= tx.now), reverse=True)
        (alert,) = [a for a in alerts.list_alerts(tx) if a.schedule == "churn-quality"]
        assert (alert.state, alert.n_windows) == ("open", 15)
    driftline("fsck", "-w", str(place), cwd=tmp_path)


def test_applying_the_file_again_changes_nothing(place: Path, tmp_path: Path) -> None:
    for _ in range(2):
        told = driftline("apply", str(place / "driftline.toml"), cwd=tmp_path)
        assert told == "0 to create, 0 to change, 0 to remove, 19 unchanged\n"
