"""Site: a workspace with a real baseline, real captures and a schedule, small enough to be copied a thousand times."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from driftline.capture.captures import Captures
from driftline.capture.event import Event, Payload
from driftline.monitor.job import make_baseline
from driftline.registry import baselines, endpoints, executions, models, schedules
from driftline.registry.folders import folder_digest
from driftline.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

    from driftline.monitor.scheduler import Scheduler
    from driftline.registry.executions import Execution

__all__ = ["AT", "HOUR", "START", "capture", "declare", "files", "fill", "monitor_run", "opened", "scheduler"]

HOUR = 3_600_000_000
START = 1_795_400_000_000_000 // HOUR * HOUR
"""The beginning of the first captured hour."""
AT = START + 3 * HOUR + 60_000_000
"""When it is looked at."""
ROWS = "application/vnd.driftline.rows+json"


def capture(
    root: Path, hour: int, *, shift: float = 0.0, n: int = 400, minute: int = 10, seed: int = 0
) -> None:
    """Capture rows of one hour; drifted ones where there is a shift."""
    rng = np.random.default_rng(100 + hour + 1000 * seed)
    rows = [
        {"x": float(x) + shift, "c": str(c)}
        for x, c in zip(rng.normal(size=n), rng.choice(["a", "b"], n), strict=True)
    ]
    at = START + hour * HOUR + minute * 60_000_000
    body = Payload(ROWS, json.dumps(rows).encode())
    with Captures(root / "captures", clock=lambda: at) as captures:
        captures.write([Event(f"e{hour}-{minute}-{seed}", "prod", "AllTraffic", at, at, input=body)])
        captures.seal()


def files(root: Path, *, shifts: tuple[float | None, ...] = (0.0, 5.0)) -> None:
    """Make a baseline, and hours of captures, None for one without any."""
    rng = np.random.default_rng(1)
    train = pa.table({"x": rng.normal(size=3000), "c": rng.choice(["a", "b"], 3000)})
    make_baseline(train, label="train").save(root / "baselines/churn/v1")
    for hour, shift in enumerate(shifts):
        if shift is not None:
            capture(root, hour, shift=shift)


def fill(root: Path, *, shifts: tuple[float | None, ...] = (0.0, 5.0), **config: Any) -> None:
    """Make a workspace: a baseline, a schedule, and hours of captures, None for one without any."""
    files(root, shifts=shifts)
    with Workspace.create(root, clock=lambda: START) as ws:
        declare(ws, **config)


def declare(ws: Workspace, *, since: int = START, **config: Any) -> None:
    """Declare the model, its endpoint, the baseline and the schedule."""
    there = ws.place.files("baselines/churn/v1")
    with ws.registry.write("ann") as tx:
        models.declare(tx, "churn", owner="ann")
        models.declare_version(tx, "churn", "1")
        endpoints.declare(tx, "prod")
        endpoints.deploy(tx, "prod", "churn", "1", since=START - HOUR)
        digest = folder_digest(there)
        path = "baselines/churn/v1"
        given: dict[str, Any] = {"kind": "data-quality", "model": "churn", "path": path, "digest": digest}
        baselines.propose(tx, "churn", **given, spec={}, diff=None, accept=True)
        config = {"schedule": "cron(0 * ? * * *)", "catch_up": "all"} | config
        schedules.declare(
            tx, "q", endpoint="prod", kind="data-quality", baseline="churn", config=config, since=since
        )


def opened(root: Path, at: int = AT) -> Workspace:
    """Open the workspace at an instant."""
    return Workspace(root, clock=lambda: at)


def scheduler(ws: Workspace, lease: int = 1_000_000) -> Scheduler:
    """Return a scheduler with one thread and a short lease."""
    made = ws.scheduler(send=False)
    made.settings = replace(made.settings, lease=lease, threads=1)
    return made


def monitor_run(root: Path, hour: int = 1, at: int = AT) -> Execution:
    """Do what ``driftline monitor run`` does."""
    with opened(root, at) as ws:
        start, end = START + hour * HOUR, START + (hour + 1) * HOUR
        with ws.registry.read() as tx:
            found = schedules.get(tx, "q")
        execution = ws.registry.act(
            lambda tx: executions.revise(tx, found, start, end, cause="schedule", scheduled=end), who="ann"
        )
        return scheduler(ws).run_now(execution.id)
