"""A registry on either engine, empty and filled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from monitor_telemetry import HOUR, World, measured
from postgres import Server, server

from driftline.registry.store import Registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    with server() as made:
        yield made


@pytest.fixture(params=["sqlite", "postgresql"])
def registry(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Registry]:
    """A registry on either engine."""
    url = (
        tmp_path / "registry.db"
        if request.param == "sqlite"
        else request.getfixturevalue("postgres").database()
    )
    with Registry.create(url, root=tmp_path) as made:
        yield made


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Registry]:
    """A registry on SQLite, for what does not depend on the engine."""
    with Registry.create(tmp_path / "registry.db") as made:
        yield made


@pytest.fixture
def world(registry: Registry) -> World:
    return World(registry)


@pytest.fixture
def small_world(small: Registry) -> World:
    return World(small)


@pytest.fixture
def full_world(world: World) -> World:
    """Something of everything."""
    world.schedule("nightly")
    world.execution(
        "nightly", "CompletedWithViolations", measurements=[measured("age", "violated", 0.4), measured("fee")]
    )
    world.schedule("off", status="Stopped", next_due=None)
    world.execution("off", "Failed")
    world.add(
        "alerts",
        id="1" * 26,
        kind="violations",
        schedule="nightly",
        endpoint="churn",
        model="churn-model",
        state="open",
        severity="critical",
        title="age drifted",
        causes=[],
        opened=world.now,
        modified=world.now,
        n_windows=1,
        clean_runs=0,
    )
    world.add(
        "alert_rules",
        schedule="nightly",
        name="default",
        datapoints_to_alert=1,
        evaluation_period=1,
        count_failed_runs=False,
        dashboard_indicator=True,
        keep_firing=1,
        min_severity="warning",
        status="InAlert",
        failing=1,
        restarted=0,
        created=world.now,
        modified=world.now,
    )
    world.add(
        "targets",
        name="pager",
        kind="webhook",
        config={},
        enabled=True,
        created=world.now,
        modified=world.now,
    )
    for n, (state, age) in enumerate((("waiting", 40), ("waiting", 20), ("dead", 900), ("sent", 900))):
        event = f"{n:026d}"
        world.add("events", id=event, type="t", subject="s", moment=world.now, data={})
        world.add(
            "deliveries",
            event=event,
            target="pager",
            state=state,
            attempts=1,
            created=world.now - age * 1_000_000,
            next_try=world.now,
            token=0,
        )
    for n, (seen, stopped) in enumerate(((2, None), (3600, None), (5, 5))):
        world.add(
            "schedulers",
            id=f"host-{n}",
            host="host",
            pid=n,
            started=world.now - HOUR,
            seen=world.now - seen * 1_000_000,
            stopped=None if stopped is None else world.now - stopped * 1_000_000,
        )
    return world
