"""The command line as a user has it: a process of its own, a small world of data, warnings are errors."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import driftline
from driftline.capture import Recorder
from driftline.cli.application import application

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from driftline.workspace import Workspace

ARGUMENTS = {
    "capture check": ["store"],
    "capture compact": ["store"],
    "capture erase": ["store", "--event-id", "one"],
    "capture expire": ["store", "--days", "1"],
    "capture import": ["clean.parquet", "--to", "store", "--endpoint", "job"],
    "capture replay": ["store"],
    "capture stats": ["store"],
    "truth import": ["labels.csv", "--to", "store", "--endpoint", "churn"],
    "truth stats": ["store", "--endpoint", "churn"],
    "baseline": ["train.parquet", "-o", "again"],
    "check": ["drift.parquet", "-b", "baseline"],
    "completion": ["bash"],
    "demo": [],
    "diff": ["report-clean", "report-drift"],
    "show": ["report-drift"],
    "init": ["workspace-2"],
    "apply": ["--plan-only"],
    "model list": [],
    "model show": ["churn"],
    "model versions": ["churn"],
    "model import": ["fraud", "--version", "1", "--data", "train.parquet"],
    "card create": ["second-card", "--set", "intended_uses.risk_rating=Low"],
    "card list": [],
    "card show": ["churn-card"],
    "card edit": ["churn-card", "--set", "intended_uses.risk_rating=Low"],
    "card submit": ["churn-card"],
    "card approve": ["churn-card", "--hash", "{card_hash}"],
    "card reject": ["churn-card", "--reason", "says nothing about age"],
    "card archive": ["churn-card"],
    "card clone": ["churn-card", "copy"],
    "card delete": ["churn-card", "--yes"],
    "card versions": ["churn-card"],
    "card diff": ["churn-card"],
    "card export": ["churn-card", "-o", "out.toml"],
    "card apply": ["third-card.toml", "--yes"],
    "card add-evaluation": ["churn-card", "report-drift"],
    "card evidence": ["churn-card"],
    "card policy": ["churn-card"],
    "card rules": [],
    "card check": ["churn-card"],
    "card plan": ["churn-card"],
    "card verify": ["churn-card"],
    "card schema": [],
    "endpoint list": [],
    "endpoint show": ["churn-prod"],
    "endpoint deploy": ["churn-prod", "churn", "3"],
    "endpoint history": ["churn-prod"],
    "baselines list": [],
    "baselines show": ["churn"],
    "baselines diff": ["churn"],
    "baselines propose": ["churn", "baseline"],
    "baselines accept": ["churn", "2"],
    "baselines reject": ["churn", "2"],
    "monitor run": ["churn-quality", "--window", "2026-11-20T07:00Z/2026-11-20T08:00Z"],
    "monitor stop": ["{waiting}", "--reason", "not needed"],
    "schedule list": [],
    "schedule show": ["churn-quality"],
    "schedule start": ["churn-quality"],
    "schedule stop": ["churn-quality", "--reason", "the endpoint is rebuilt"],
    "schedule history": ["churn-quality"],
    "schedule timeline": ["churn-quality"],
    "scheduler": ["--once"],
    "alert list": [],
    "alert show": ["{alert}"],
    "alert ack": ["{alert}", "--reason", "rolling back"],
    "alert snooze": ["{alert}", "--for", "2h", "--reason", "being deployed"],
    "alert resolve": ["{alert}", "--reason", "it was a test"],
    "alert comment": ["{alert}", "asked the data team"],
    "alert history": ["churn-quality"],
    "alert rule": ["churn-quality", "-m", "1"],
    "alert outbox": [],
    "lineage up": ["alerts/{alert}"],
    "lineage down": ["models/churn/3"],
    "lineage around": ["models/churn/3"],
    "lineage data": ["alerts/{alert}"],
    "lineage diff": ["models/churn/3", "models/churn/3"],
    "events": ["--limit", "1"],
    "audit log": [],
    "audit verify": [],
    "audit checkpoint": [],
    "metrics": [],
    "fsck": [],
}
"""A good call of every command that ends by itself, in the folder of the small world."""


def table(seed: int, n: int, *, shift: float = 0.0) -> pa.Table:
    rng = np.random.default_rng(seed)
    columns = {
        "amount": rng.normal(10.0 + shift, 2.0, n),
        "count": rng.integers(0, 9, n),
        "kind": rng.choice(["a", "b", "c"], n),
    }
    return pa.table(columns)


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with train, clean, drift, few and none ``.parquet``, a ``baseline`` and two reports; only to read."""
    folder = tmp_path_factory.mktemp("example")
    for name, seed, n, shift in (
        ("train", 1, 1000, 0.0),
        ("clean", 2, 800, 0.0),
        ("drift", 3, 800, 5.0),
        ("few", 4, 3, 0.0),
        ("none", 5, 0, 0.0),
    ):
        pq.write_table(table(seed, n, shift=shift), folder / f"{name}.parquet")
    baseline = driftline.baseline(folder / "train.parquet", label="train")
    baseline.save(folder / "baseline")
    for name in ("clean", "drift"):
        driftline.check(folder / f"{name}.parquet", baseline).save(folder / f"report-{name}")
    with Recorder(folder / "store", "churn", seal_in="thread") as recorder:
        recorder.log({"amount": [1.0, 2.0]}, [0, 1], ["one", "two"], times="2026-11-23T07:00:00Z")
    (folder / "labels.csv").write_text("id,label\none,1\n")
    (folder / "third-card.toml").write_text('[intended_uses]\nrisk_rating = "Low"\n')
    _make_workspace(folder / "driftline-workspace")
    return folder


def _make_workspace(folder: Path) -> None:
    """Make a workspace in which everything is declared, and a second version of the baseline waits."""
    from declared import DECLARED, Site, training

    from driftline.workspace import Workspace

    with Workspace.create(folder) as workspace:
        site = Site(workspace, folder)
        site.apply()
        (folder / "train.csv").write_text(training(seed=2, mean=30.0))
        site.apply(DECLARED)
        ids = _make_alert(workspace) | _make_card(workspace)
    (folder / "ids.json").write_text(json.dumps(ids))


def _make_alert(workspace: Workspace) -> dict[str, str]:
    """Let two windows of drifted traffic raise an alert, and a third wait; returns the ids."""
    from driftline.capture.window import moment_of
    from driftline.registry import alerts, executions, schedules

    hours = [moment_of(f"2026-11-20T0{hour}:00Z") for hour in (5, 6, 7, 8)]
    rows = {"amount": [90.0] * 100, "kind": ["a"] * 100}
    with Recorder(workspace.captures, "churn-prod", seal_in="thread") as recorder:
        for hour in hours[:3]:
            recorder.log(rows, times=hour + 1)
    scheduler = workspace.scheduler()
    with workspace.registry.write("ann") as tx:
        schedule = schedules.get(tx, "churn-quality")
        for start, end in ((hours[0], hours[1]), (hours[1], hours[2])):
            executions.plan(tx, schedule, start, end, scheduled=end)
    scheduler.drain()
    with workspace.registry.write("ann") as tx:
        never = tx.now + 10**15
        waiting = executions.plan(tx, schedule, hours[2], hours[3], scheduled=hours[3], not_before=never)
        [alert] = alerts.list_alerts(tx)
    assert waiting is not None
    return {"alert": alert.id, "waiting": waiting.id}


def _make_card(workspace: Workspace) -> dict[str, str]:
    """Let ann write a card, change it, and ask for a review."""
    from driftline.rooms import Cards

    room = Cards(workspace, "ann")
    room.create("churn-card", {"intended_uses": {"purpose_of_model": "Lists customers"}}, model="churn")
    room.set_fields("churn-card", {"intended_uses.purpose_of_model": "Ranks customers"}, reason="clearer")
    return {"card_hash": room.submit("churn-card").content_hash}


@pytest.fixture
def world(example: Path, tmp_path: Path) -> Path:
    """A folder of the test's own, in which everything of the example seems to lie."""
    folder = tmp_path / "world"
    folder.mkdir()
    for entry in example.iterdir():
        if entry.name in ("store", "driftline-workspace"):
            shutil.copytree(entry, folder / entry.name)
        else:
            (folder / entry.name).symlink_to(entry)
    return folder


@dataclass(frozen=True)
class Ended:
    """How a process ended."""

    code: int
    out: str
    err: str


def command_line(*arguments: str, python: tuple[str, ...] = ("-W", "error")) -> list[str]:
    return [sys.executable, *python, "-m", "driftline", *arguments]


def environment(changes: Mapping[str, str | None] | None = None) -> dict[str, str]:
    """Return the variables that a process needs, whatever the person who runs the tests has set."""
    kept = {"PATH", "HOME", "TMPDIR", "VIRTUAL_ENV", "DRIFTLINE_CACHE_DIR", "XDG_CACHE_HOME"}
    result = {k: v for k, v in os.environ.items() if k in kept} | {"LANG": "C.UTF-8", "COLUMNS": "100"}
    for name, value in (changes or {}).items():
        result.pop(name, None)
        if value is not None:
            result[name] = value
    return result


@pytest.fixture
def run(world: Path) -> Callable[..., Ended]:
    """Run the command line in the small world."""

    def start(
        *arguments: str,
        env: Mapping[str, str | None] | None = None,
        python: tuple[str, ...] = ("-W", "error"),
        cwd: Path = world,
        umask: int = -1,
    ) -> Ended:
        done = subprocess.run(
            command_line(*arguments, python=python),
            cwd=cwd,
            env=environment(env),
            capture_output=True,
            stdin=subprocess.DEVNULL,
            umask=umask,
            timeout=120,
        )
        return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())

    return start


SIMILAR = {
    *(
        "alert ack",
        "alert comment",
        "alert history",
        "alert list",
        "alert outbox",
        "alert resolve",
        "alert rule",
    ),
    *("card add-evaluation", "card apply", "card approve", "card archive", "card clone", "card create"),
    *("card delete", "card diff", "card edit", "card evidence", "card export", "card list", "card plan"),
    *("card policy", "card reject", "card rules", "card submit", "card verify", "card versions"),
    *("audit checkpoint", "audit verify", "baselines accept", "baselines diff", "baselines propose"),
    *("baselines reject", "baselines show", "endpoint deploy", "endpoint history", "endpoint show"),
    *("lineage around", "lineage data", "lineage diff", "lineage down", "model import", "model show"),
    *("model versions", "monitor stop", "schedule show", "schedule start", "schedule stop"),
}
"""Commands that print as others of their group do."""

ALL = sorted(set(application.leaves()) - {"capture sink"})


def _call(name: str, example: Path) -> tuple[str, ...]:
    ids = json.loads((example / "driftline-workspace" / "ids.json").read_text())
    return (*name.split(), *(word.format(**ids) for word in ARGUMENTS[name]))


@pytest.fixture(params=ALL)
def any_command(request: pytest.FixtureRequest, example: Path) -> tuple[str, ...]:
    """A good call of each command in turn."""
    return _call(request.param, example)


@pytest.fixture(params=[name for name in ALL if name not in SIMILAR and name != "demo"])
def any_printing(request: pytest.FixtureRequest, example: Path) -> tuple[str, ...]:
    """A good call of each way to print; the demo, which takes seconds, prints as the others do."""
    return _call(request.param, example)
