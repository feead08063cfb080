"""What is wrong in a registry is found, and what is right is not."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from tampering import unguarded

from driftline.files import write_folder
from driftline.registry import audit_check, baselines, endpoints, models, outbox, targets
from driftline.registry.folders import folder_digest
from driftline.registry.fsck import fsck
from driftline.registry.store import Registry
from driftline.registry.tables import baselines as baselines_table
from driftline.registry.tables import deliveries, deployments, executions, schedules

if TYPE_CHECKING:
    from pathlib import Path

REPORT = {"report.html": b"<p>", "report.json": b"{}"}


def execution(n: int, **given: Any) -> dict[str, Any]:
    return {
        "id": f"01E{n:023d}",
        "schedule": "churn",
        "window_start": n * 10,
        "window_end": n * 10 + 10,
        "revision": 1,
        "cause": "schedule",
        "scheduled": 0,
        "status": "Completed",
        "endpoint": "prod",
        "kind": "data-quality",
        "config": {},
        "config_digest": "",
        "created": 0,
        "modified": 0,
        "started": 1,
        "ended": 2,
        "attempts": 1,
        "not_before": 0,
        "report": f"reports/{n}",
        "report_digest": folder_digest(REPORT),
        "result": {"counts": {}},
        "token": 1,
    } | given


@pytest.fixture
def full(registry: Registry, tmp_path: Path) -> Registry:
    """A registry with one of everything, and its files."""
    write_folder(tmp_path / "baselines" / "churn" / "v1", {"baseline.json": b"{}"})
    write_folder(tmp_path / "reports" / "1", REPORT)
    with registry.write("ann") as tx:
        models.declare(tx, "churn")
        models.declare_version(tx, "churn", "1")
        models.declare_version(tx, "churn", "2")
        endpoints.declare(tx, "prod")
        endpoints.deploy(tx, "prod", "churn", "1", since=5)
        endpoints.deploy(tx, "prod", "churn", "2", since=9)
        digest = folder_digest({"baseline.json": b"{}"})
        baselines.propose(
            tx, "churn", kind="data-quality", path="baselines/churn/v1", digest=digest, accept=True
        )
        tx.insert(
            schedules,
            name="churn",
            endpoint="prod",
            kind="data-quality",
            status="Scheduled",
            baseline="churn",
            config={},
            config_digest="",
            revision=1,
            since=0,
            cursor=0,
            failures=0,
            created=0,
            modified=0,
        )
        tx.insert(executions, **execution(1, baseline="churn", baseline_version=1))
        waiting = {"report": None, "report_digest": None, "result": None, "ended": None}
        tx.insert(executions, **execution(2, **waiting, status="Pending"))
        epoch, clock = tx.lease_clock()
        held = {"owner": "p", "lease_epoch": epoch, "lease_until": clock + 10**9}
        tx.insert(executions, **execution(3, **waiting, **held, status="InProgress"))
        tx.insert(executions, **execution(4, **waiting | {"ended": 2}, status="NoData"))
        targets.declare(tx, "log", kind="log", config={"events": ["*"]})
        tx.emit("thing.made", "things/1", {})
    return registry


def found(registry: Registry, **given: Any) -> list[tuple[str, str]]:
    return [(one.severity, one.where) for one in fsck(registry, **given)]


def test_nothing_is_wrong_where_all_is_well(full: Registry) -> None:
    assert fsck(full) == []
    with full.read() as tx:
        assert fsck(full, checkpoint=audit_check.checkpoint(tx)) == []


def test_an_empty_registry_is_well(registry: Registry) -> None:
    assert fsck(registry) == []


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ({"status": "Unheard"}, "status that there is not"),
        ({"ended": None}, "nothing says when"),
        ({"status": "Pending"}, "and has not"),
        ({"status": "InProgress", "ended": None}, "nobody has it"),
        ({"result": None}, "without a result"),
        ({"report_digest": None}, "without a digest"),
        ({"window_end": 10}, "ends before it begins"),
        ({"supersedes": "01X"}, "follows an execution"),
        ({"baseline_version": 7}, "version of a baseline"),
    ],
)
def test_executions_that_cannot_be_are_found(full: Registry, values: dict[str, Any], what: str) -> None:
    name = execution(1)["id"]
    with full.write("mallory") as tx:
        tx.execute(sa.update(executions).where(executions.c.id == name).values(**values))
    (one,) = fsck(full)
    assert (one.severity, one.where) == ("error", f"executions/{name}")
    assert what in one.what


def test_a_lease_that_ran_out_is_noted(full: Registry) -> None:
    name = execution(3)["id"]
    for values in ({"lease_until": 0}, {"lease_epoch": "another boot"}):
        with full.write("mallory") as tx:
            tx.execute(sa.update(executions).where(executions.c.id == name).values(**values))
        assert found(full) == [("note", f"executions/{name}")]


def test_baselines_that_cannot_be_are_found(full: Registry) -> None:
    with full.write("mallory") as tx:
        row = dict(tx.one(sa.select(baselines_table))._mapping)
        tx.insert(baselines_table, **row | {"version": 2})
    assert found(full) == [("error", "baselines/churn")]
    with full.write("mallory") as tx:
        tx.execute(sa.update(baselines_table).values(state="superseded"))
    assert found(full) == [("warning", "schedules/churn")]


def test_two_versions_at_one_time_are_found(full: Registry) -> None:
    with full.write("mallory") as tx:
        tx.execute(sa.update(deployments).where(deployments.c.until == 9).values(until=10))
    assert found(full) == [("error", "endpoints/prod")]


def test_dead_and_stranded_notifications_are_found(full: Registry) -> None:
    with full.write("ann") as tx:
        (one,) = outbox.claim(tx, "p", limit=1)
        outbox.settle(tx, one, error="410")
    assert found(full) == [("warning", "targets/log")]
    with full.write("mallory") as tx:
        tx.execute(sa.update(deliveries).values(target="gone"))
    assert found(full) == [("warning", "targets/gone")] * 2


def test_tampering_is_found(full: Registry) -> None:
    with full.read() as tx:
        noted = audit_check.checkpoint(tx)
    unguarded(full)
    with full.write("mallory") as tx:
        tx.execute(sa.text("UPDATE audit SET who = 'bob' WHERE seq = 2"))
    assert found(full) == [("error", "audit"), ("error", "audit/2")]
    assert found(full, checkpoint=(noted[0], "0" * 64))[1] == ("error", "audit/2")


def test_files_that_are_gone_or_others_are_found(full: Registry, tmp_path: Path) -> None:
    name = execution(1)["id"]
    (tmp_path / "reports" / "1" / "report.json").write_bytes(b"[]")
    assert found(full) == [("error", f"executions/{name}")]
    assert found(full, files=False) == []
    shutil.rmtree(tmp_path / "reports")
    shutil.rmtree(tmp_path / "baselines")
    assert found(full) == [("error", "baselines/churn/1"), ("error", f"executions/{name}")]


def test_many_reports_are_looked_at_page_by_page(
    full: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("driftline.registry.fsck._PAGE", 2)
    with full.write("ann") as tx:
        for n in range(5, 10):
            write_folder(tmp_path / "reports" / str(n), REPORT if n != 8 else {"x": b""})
            tx.insert(executions, **execution(n))
    assert found(full) == [("error", f"executions/{execution(8)['id']}")]


def test_paths_that_lead_out_are_not_followed(full: Registry, tmp_path: Path) -> None:
    with full.write("mallory") as tx:
        tx.execute(sa.update(baselines_table).values(path=f"../{tmp_path.name}/baselines/churn/v1"))
    (one,) = fsck(full)
    assert "leads out of the workspace" in one.what


def test_a_broken_reference_is_found(tmp_path: Path) -> None:
    with Registry.create(tmp_path / "r.db") as registry:
        with registry.database.engine.connect() as connection:
            connection.exec_driver_sql("ROLLBACK")
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            connection.exec_driver_sql(
                "INSERT INTO model_versions (model, version, aliases, artifacts, training, tags, created, modified) "
                "VALUES ('gone', '1', '[]', '[]', '{}', '{}', 0, 0)"
            )
        assert found(registry) == [("error", "database/model_versions")]


def test_a_damaged_file_is_found_not_raised(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    with Registry.create(path) as registry, registry.write("ann") as tx:
        for n in range(900):
            models.declare(tx, f"m{n}", description="x" * 500)
    data = bytearray(path.read_bytes())
    for at in range(len(data) // 2, len(data), 997):
        data[at] ^= 0xFF
    path.write_bytes(data)
    with Registry.open(path) as registry:
        made = fsck(registry)
    assert made
    assert {one.severity for one in made} == {"error"}
    assert any("damaged" in one.what for one in made)
