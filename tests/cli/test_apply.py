"""``driftline apply``."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from declared import DECLARED, training

from driftline.capture import Recorder
from driftline.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def team(world: Path, run: Callable[..., Any]) -> Path:
    """A workspace in which nothing is declared yet, with the files of a team."""
    assert run("init", "team").code == 0
    (world / "team" / "churn.bin").write_bytes(b"model 3")
    (world / "team" / "train.csv").write_text(training())
    (world / "team" / "driftline.toml").write_text(DECLARED)
    return world / "team"


def test_from_a_file_to_a_violation(team: Path, run: Callable[..., Any]) -> None:
    """The whole way, as a user goes it."""
    done = run("apply", "team/driftline.toml", "--yes", "--reason", "first")
    assert (done.code, done.err) == (0, "")
    assert done.out.endswith("7 to create, 0 to change, 0 to remove, 0 unchanged\napplied\n")
    rng = np.random.default_rng(5)
    n = 400
    columns = {"amount": rng.normal(25.0, 2.0, n), "kind": rng.choice(["a", "b", "new"], n)}
    with Recorder(team / "captures", "churn-prod", seal_in="thread") as recorder:
        recorder.log(columns, rng.random(n), [f"e{i}" for i in range(n)], times="2026-11-22T07:30:00Z")
    window = "2026-11-22T07:00Z/2026-11-22T08:00Z"
    done = run("monitor", "run", "churn-quality", "--window", window, "-w", "team")
    assert (done.code, done.err) == (1, "")
    assert done.out.startswith("CompletedWithViolations: ")
    report = done.out.rpartition("report: ")[2].strip()
    assert report.endswith("report.html")
    assert "amount" in run("show", report.removesuffix("report.html")).out
    done = run(
        "monitor", "run", "churn-quality", "--window", "2026-11-21T07:00Z/2026-11-21T08:00Z", "-w", "team"
    )
    assert (done.code, done.out.startswith("NoData")) == (4, True)
    done = run("apply", "team/driftline.toml")
    assert (done.code, done.out) == (0, "0 to create, 0 to change, 0 to remove, 7 unchanged\n")


def test_a_preprocessor_runs_from_its_copy(team: Path, run: Callable[..., Any]) -> None:
    script = (
        "def preprocess_handler(record):\n    return {**record, 'amount': float(record['amount']) + 100}\n"
    )
    (team / "pre.py").write_text(script)
    text = DECLARED.replace('schedule = "', 'preprocessor = "pre.py"\nschedule = "')
    (team / "driftline.toml").write_text(text)
    assert run("apply", "team/driftline.toml", "-y").code == 0
    (team / "pre.py").unlink()
    rng = np.random.default_rng(5)
    n = 400
    columns = {"amount": rng.normal(10.0, 2.0, n), "kind": rng.choice(["a", "b", "c"], n)}
    with Recorder(team / "captures", "churn-prod", seal_in="thread") as recorder:
        recorder.log(columns, rng.random(n), [f"e{i}" for i in range(n)], times="2026-11-22T07:30:00Z")
    window = (
        "monitor",
        "run",
        "churn-quality",
        "--window",
        "2026-11-22T07:00Z/2026-11-22T08:00Z",
        "-w",
        "team",
    )
    done = run(*window)
    assert (done.code, done.err) == (1, "")
    assert "amount" in done.out
    (copy,) = (team / "preprocessors").iterdir()
    copy.write_text(script + "# tampered\n")
    done = run(*window)
    assert done.code == 2
    assert "E-DIGEST" in done.out


def test_without_a_terminal_it_must_be_said(team: Path, run: Callable[..., Any]) -> None:
    done = run("apply", "team/driftline.toml")
    assert done.code == 2
    assert done.err == (
        "driftline: E-PLAN: nobody can be asked whether to do this: 7 to create, 0 to change, 0 to remove, "
        "0 unchanged; say --yes to do it, or --plan-only to look at it\n"
    )
    assert "+ model churn" in done.out
    with Workspace(team) as ws:
        assert ws.models.list() == []


def test_plan_only(team: Path, run: Callable[..., Any]) -> None:
    done = run("apply", "team/driftline.toml", "--plan-only", "--yes")
    assert (done.code, done.err) == (0, "")
    assert "applied" not in done.out
    with Workspace(team) as ws:
        assert ws.models.list() == []


@pytest.mark.parametrize(
    ("answer", "told", "n_models"), [("y\n", "applied", 1), ("n\n", "nothing was changed", 0)]
)
def test_on_a_terminal_it_asks(team: Path, answer: str, told: str, n_models: int) -> None:
    shown = typed(team, answer)
    assert "Do this? [y/N]:" in shown
    assert told in shown
    with Workspace(team) as ws:
        assert len(ws.models.list()) == n_models


def typed(folder: Path, answer: str) -> str:
    """Run it on a terminal of its own, and type an answer."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "driftline", "apply", "driftline.toml"],
        cwd=folder,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "COLUMNS": "100", "TERM": "dumb"},
    )
    os.close(theirs)
    os.write(ours, answer.encode())
    shown = b""
    with suppress(OSError):  # the end of a terminal
        while piece := os.read(ours, 4096):
            shown += piece
    os.close(ours)
    assert process.wait(60) == 0
    return shown.decode().replace("\r\n", "\n")


def test_json(team: Path, run: Callable[..., Any]) -> None:
    done = run("apply", "team/driftline.toml", "--json", "--yes")
    document = json.loads(done.out)
    assert document["applied"] is True
    assert document["summary"] == {"create": 7, "change": 0, "remove": 0, "unchanged": 0}
    again = json.loads(run("apply", "team/driftline.toml", "--json").out)
    assert again["applied"] is False
    assert again["summary"]["unchanged"] == 7
    refused = run("apply", "--json", "--prune", "-w", "team", "/dev/null")
    assert refused.code == 2


def test_the_reason_stands_in_the_audit_log(team: Path, run: Callable[..., Any]) -> None:
    from driftline.registry import audit

    run("apply", "team/driftline.toml", "-y", "--reason", "go live", env={"DRIFTLINE_USER": "bea"})
    with Workspace(team) as ws, ws.registry.read() as tx:
        assert {(e.who, e.reason) for e in audit.entries(tx)} == {("bea", "go live")}


def test_prune(team: Path, run: Callable[..., Any]) -> None:
    run("apply", "team/driftline.toml", "-y")
    (team / "driftline.toml").write_text("# nothing\n")
    left = run("apply", "team/driftline.toml")
    assert "not in the file, left alone: schedule churn-quality" in left.out
    done = run("apply", "team/driftline.toml", "-y", "--prune")
    assert done.out.endswith("0 to create, 0 to change, 4 to remove, 0 unchanged\napplied\n")


# --- which workspace


def test_the_file_of_the_workspace_by_default(team: Path, run: Callable[..., Any]) -> None:
    assert run("apply", "-y", "-w", "team").code == 0
    done = run("apply", env={"DRIFTLINE_WORKSPACE": str(team)})
    assert done.out == "0 to create, 0 to change, 0 to remove, 7 unchanged\n"
    assert run("apply", cwd=team).out == done.out


def test_a_file_elsewhere_is_for_the_usual_workspace(
    world: Path, team: Path, run: Callable[..., Any]
) -> None:
    (world / "ours.toml").write_text("[models.other]\n")
    done = run("apply", "ours.toml", "-y")
    assert done.code == 0
    with Workspace(world / "driftline-workspace") as ws:
        assert ws.models.get("other").name == "other"


def test_a_folder_that_is_no_workspace(tmp_path: Path, run: Callable[..., Any]) -> None:
    folder = tmp_path / "bare"
    folder.mkdir()
    (folder / "driftline.toml").write_text("[models.churn]\n")
    done = run("apply", "driftline.toml", "-y", cwd=folder)
    assert done.code == 2
    assert done.err == (
        f"driftline: E-NO-REGISTRY: {folder}/registry.db: is not there; make a workspace with `driftline init`\n"
    )
    assert [entry.name for entry in folder.iterdir()] == ["driftline.toml"]


def test_a_file_with_mistakes_changes_nothing(team: Path, run: Callable[..., Any]) -> None:
    (team / "driftline.toml").write_text(DECLARED + "[monitor.x]\n")
    done = run("apply", "team/driftline.toml", "-y")
    assert done.code == 2
    assert "did you mean 'monitors'?" in done.err
    with Workspace(team) as ws:
        assert ws.models.list() == []


def test_names_of_the_registry_need_not_be_declared(team: Path, run: Callable[..., Any]) -> None:
    run("apply", "team/driftline.toml", "-y")
    start, end = DECLARED.index("[monitors"), DECLARED.index("[targets")
    (team / "driftline.toml").write_text(DECLARED[start:end].replace("churn-quality", "another"))
    assert run("apply", "team/driftline.toml", "-y").code == 0
    with Workspace(team) as ws:
        assert [s.name for s in ws.schedules.list()] == ["another", "churn-quality"]
