"""Running: from the captures of a window to a report; what cannot be looked at is a finding with a reason."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from loop.site import HOUR, START

from driftline.capture.target import target_of
from driftline.errors import InputError
from driftline.monitor import running
from driftline.monitor.keeper import FolderKeeper
from driftline.monitor.running import Place, Stopped, captures_of, report_folder, run
from driftline.registry.executions import Execution
from driftline.registry.folders import folder_digest

if TYPE_CHECKING:
    from driftline.baselines.baseline import Baseline

NOW = START + 5 * HOUR


@pytest.fixture
def place(tmp_path: Path, site_files: Path) -> Place:
    root = tmp_path / "ws"
    shutil.copytree(site_files, root)
    return Place(str(root), str(root / "captures"), FolderKeeper(target_of(str(root))))


@pytest.fixture
def baseline(place: Place) -> Baseline:
    return place.baseline("baselines/churn/v1", None)


def execution(hour: int = 0, hours: int = 1, kind: str = "data-quality", **config: Any) -> Execution:
    given = dict.fromkeys(Execution.__slots__)
    start = START + hour * HOUR
    values = {
        "id": "E",
        "schedule": "q",
        "endpoint": "prod",
        "kind": kind,
        "baseline": "churn",
        "revision": 1,
    }
    times = {"window_start": start, "window_end": start + hours * HOUR, "config": config}
    return Execution(**cast("Any", given | values | times))


def test_a_window_as_trained(place: Place, baseline: Baseline) -> None:
    found = run(execution(), place, baseline, now=NOW)
    assert found.status == "Completed"
    assert found.message.startswith("no violations: ")
    assert found.report is not None
    assert folder_digest(place.files(found.report)) == found.report_digest
    assert set(place.files(found.report)) >= {"report.json", "report.html", "constraint_violations.json"}


def test_a_drifted_window(place: Place, baseline: Baseline) -> None:
    found = run(execution(3), place, baseline, now=NOW)
    assert found.status == "CompletedWithViolations"
    assert found.message == "2 violations in 1 incident: x holds numbers out of range and has drifted"
    assert found.result["severity"] in ("warning", "critical")
    assert [m["status"] for m in found.result["measurements"][:2]] == ["violated", "violated"]
    assert all(m["value"] is None or isinstance(m["value"], float) for m in found.result["measurements"])


def test_nothing_in_the_window(place: Place, baseline: Baseline) -> None:
    found = run(execution(2), place, baseline, now=NOW)
    assert (found.status, found.report) == ("NoData", None)
    assert found.result == {"rows": {"captured": 0, "used": 0}}


def test_no_captures_at_all(place: Place, baseline: Baseline, tmp_path: Path) -> None:
    found = run(execution(), place, baseline, captures=str(tmp_path / "none"), now=NOW)
    assert found.status == "NoData"
    assert not (tmp_path / "none").exists()


def test_the_same_again_is_the_same_report(place: Place, baseline: Baseline) -> None:
    one = run(execution(3), place, baseline, now=NOW)
    other = run(execution(3), place, baseline, now=NOW)
    assert (one.report, one.report_digest, one.input_digest) == (
        other.report,
        other.report_digest,
        other.input_digest,
    )
    assert other.result["profiles"] == {"merged": 1, "folded": 0}


def test_few_rows_are_not_judged(place: Place, baseline: Baseline, tmp_path: Path) -> None:
    from loop.site import capture

    capture(tmp_path, 0, n=2)
    found = run(execution(), place, baseline, captures=str(tmp_path / "captures"), now=NOW)
    assert found.status == "Completed"
    assert found.message == "no violations; 2 checks could not be judged"
    assert found.result["counts"]["undetermined"] == 2


def test_rows_and_profiles_come_to_the_same(place: Place, baseline: Baseline) -> None:
    merged = run(execution(3), place, baseline, now=NOW)
    by_rows = run(execution(3, compat="sagemaker"), place, baseline, now=NOW)
    assert by_rows.status == merged.status == "CompletedWithViolations"
    assert by_rows.result["rows"] == merged.result["rows"]
    assert "constraint_violations.json" in place.files(str(by_rows.report))


def test_overrides_change_what_is_judged(place: Place, baseline: Baseline) -> None:
    overrides = {"columns": {"x": {"ignore": True}}}
    found = run(execution(3, overrides=overrides), place, baseline, now=NOW)
    assert (found.status, found.message) == ("Completed", "no violations: 5 checks passed")
    found = run(execution(3, overrides={"ignore": ["x"]}), place, baseline, now=NOW)
    assert (found.status, found.error_code) == ("Failed", "E-FIELD")
    assert found.message.startswith("E-FIELD: monitors.q: unknown field 'ignore'")


def test_no_baseline(place: Place) -> None:
    found = run(execution(), place, None, now=NOW)
    assert (found.status, found.error_code) == ("Failed", "E-NO-BASELINE")
    assert "there is no accepted baseline 'churn'" in found.message


def test_a_kind_that_cannot_run_yet(place: Place, baseline: Baseline) -> None:
    found = run(execution(kind="bias"), place, baseline, now=NOW)
    assert (found.status, found.error_code) == ("Failed", "E-KIND")


def test_damaged_captures(place: Place, baseline: Baseline) -> None:
    for path in Path(place.captures).rglob("*.parquet"):
        pq.write_table(pa.table({"x": [1.0]}), path)
    found = run(execution(), place, baseline, now=NOW)
    assert found.status == "Failed"
    assert found.error_code == "E-DIGEST"
    assert not found.passing
    assert found.report is None


def test_a_fault_is_a_failed_run(place: Place, baseline: Baseline, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> None:
        raise ZeroDivisionError("a fault")

    monkeypatch.setattr(running, "_look", fails)
    found = run(execution(), place, baseline, now=NOW)
    assert (found.status, found.error_code, found.message) == (
        "Failed",
        "E-INTERNAL",
        "ZeroDivisionError: a fault",
    )


@pytest.mark.parametrize(("code", "passing"), [("E-STORE", True), ("E-WRITE", True), ("E-DIGEST", False)])
def test_which_failures_may_pass(
    place: Place, baseline: Baseline, monkeypatch: pytest.MonkeyPatch, code: str, passing: bool
) -> None:
    def fails(*_: Any) -> None:
        raise InputError("away", code=code)

    monkeypatch.setattr(running, "_look", fails)
    assert run(execution(), place, baseline, now=NOW).passing is passing


def test_too_little_memory(place: Place, baseline: Baseline, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(running, "_look", fails)
    assert run(execution(), place, baseline, now=NOW).error_code == "E-MEMORY"


def test_a_heartbeat_ends_the_run_before_anything_is_written(place: Place, baseline: Baseline) -> None:
    beats = iter(range(1000))

    def heartbeat() -> None:
        if next(beats) == 2:
            raise Stopped("enough")

    with pytest.raises(Stopped, match="enough"):
        run(execution(0, hours=4), place, baseline, now=NOW, heartbeat=heartbeat)
    assert not (Path(place.root) / "reports").exists()


def test_where_a_report_lies() -> None:
    folder = report_folder(execution(3), "sha256:0123456789abcdef")
    assert folder == "reports/prod/q/2026/11/23/06/00-r1-0123456789ab"


@pytest.mark.parametrize(
    ("root", "configured", "expected"),
    [
        ("/ws", None, "/ws/captures"),
        ("/ws", "other", "/ws/other"),
        ("/ws", "/far", "/far"),
        ("/ws", "s3://bucket/c", "s3://bucket/c"),
        ("s3://bucket/ws/", None, "s3://bucket/ws/captures"),
    ],
)
def test_where_captures_lie(root: str, configured: str | None, expected: str) -> None:
    assert captures_of(root, configured) == expected


def test_a_baseline_that_is_not_there(place: Place) -> None:
    with pytest.raises(InputError, match="E-BASELINE"):
        place.baseline("baselines/none/v1", None)
    with pytest.raises(InputError, match="E-DIGEST"):
        place.baseline("baselines/churn/v1", "sha256:0")
