"""The workspace in Python."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from declared import DECLARED, Site, training

import driftline as dl
from driftline.errors import DriftlineError, UsageError
from driftline.workspace import Workspace, find_root, root_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WINDOW = "2026-11-22T07:00Z/2026-11-22T08:00Z"


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DRIFTLINE_WORKSPACE", "DRIFTLINE_DATABASE", "DRIFTLINE_USER"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Workspace.create(tmp_path / "ws") as workspace:
        yield Site(workspace, tmp_path / "ws")


def capture(ws: Workspace, mean: float, when: str = "2026-11-22T07:30:00Z") -> None:
    rng = np.random.default_rng(7)
    n = 400
    columns = {"amount": rng.normal(mean, 2.0, n), "kind": rng.choice(["a", "b", "c"], n)}
    with dl.capture.Recorder(ws.captures_for("churn-prod"), "churn-prod", seal_in="thread") as recorder:
        recorder.log(columns, rng.random(n), [f"{when}-{i}" for i in range(n)], times=when)


def test_declare_run_and_read_the_report(site: Site) -> None:
    ws = site.workspace
    (site.folder / "driftline.toml").write_text(DECLARED)
    plan = ws.apply(reason="go")
    assert len(plan.changes) == 7
    assert not ws.apply()
    capture(ws, 30.0)
    execution = ws.schedules.run("churn-quality", WINDOW, reason="to see")
    assert execution.status == "CompletedWithViolations"
    assert ws.executions.get(execution.id) == execution
    assert ws.executions.latest("churn-quality") == execution
    report = ws.reports.latest("churn-quality")
    assert {v.constraint.column for v in report.violations} >= {"amount"}
    assert ws.reports.load(execution.id).to_json() == report.to_json()
    assert "baselines/churn/1" in ws.lineage.up(f"executions/{execution.id}")
    kinds = [event.short for event in ws.events.list(kinds=["execution.*"])]
    assert kinds[-1] == "execution.violated"


def test_a_report_that_was_changed_is_refused(site: Site) -> None:
    ws = site.workspace
    site.apply()
    capture(ws, 30.0)
    execution = ws.schedules.run("churn-quality", WINDOW)
    assert execution.report is not None
    file = site.folder / execution.report / "report.json"
    file.write_text(file.read_text().replace("amount", "amounT", 1))
    with pytest.raises(DriftlineError) as caught:
        ws.reports.latest("churn-quality")
    assert caught.value.code == "E-DIGEST"


def test_runs_without_a_report(site: Site) -> None:
    ws = site.workspace
    site.apply()
    with pytest.raises(DriftlineError, match="driftline monitor run churn-quality") as caught:
        ws.reports.latest("churn-quality")
    assert caught.value.code == "E-NO-REPORT"
    assert ws.executions.latest("churn-quality") is None
    execution = ws.schedules.run("churn-quality", WINDOW)
    assert execution.status == "NoData"
    with pytest.raises(DriftlineError, match="it is NoData"):
        ws.reports.load(execution.id)


def test_run_takes_windows_in_several_forms(site: Site) -> None:
    ws = site.workspace
    site.apply()
    one = ws.schedules.run("churn-quality", wait=False)
    assert one.status == "Pending"
    hour = 3_600_000_000
    assert one.window_end - one.window_start == hour
    again = ws.schedules.run("churn-quality", (one.window_start, one.window_end), wait=False)
    assert again.id == one.id
    for wrong in ("2026-11-22", "2026-11-22T08:00Z/2026-11-22T07:00Z"):
        with pytest.raises(UsageError) as caught:
            ws.schedules.run("churn-quality", wrong)
        assert caught.value.code == "E-TIME"
    with pytest.raises(DriftlineError, match="did you mean 'churn-quality'"):
        ws.schedules.run("churn-qualty")


def test_schedules_start_and_stop(site: Site) -> None:
    ws = site.workspace
    site.apply()
    assert ws.schedules.stop("churn-quality", reason="holiday")
    assert not ws.schedules.stop("churn-quality")
    assert ws.schedules.get("churn-quality").status == "Stopped"
    assert [s.name for s in ws.schedules.list(status="Stopped")] == ["churn-quality"]
    assert ws.schedules.start("churn-quality")
    assert ws.schedules.archive("churn-quality")
    assert ws.schedules.list() == []


def test_alerts(site: Site) -> None:
    from driftline.registry import executions
    from driftline.registry.executions import Finding

    ws = site.workspace
    site.apply(DECLARED.replace("datapoints_to_alert = 2", "datapoints_to_alert = 1"))
    found = ws.schedules.get("churn-quality")
    incident = {
        "fingerprint": "f",
        "kind": "drift",
        "title": "amount has drifted",
        "detail": "",
        "columns": ["amount"],
        "n_columns": 1,
        "severity": "warning",
    }

    def act(tx: Any) -> None:
        hour = 3_600_000_000
        at = tx.now // hour * hour
        executions.plan(tx, found, at - hour, at, scheduled=at)
        (held,) = executions.claim(tx, "me", lease=60_000_000)
        result = {"counts": {"passed": 0, "violated": 1, "undetermined": 0}, "severity": "warning"}
        executions.finish(
            tx,
            held,
            Finding("CompletedWithViolations", "1 violation", result={**result, "incidents": [incident]}),
        )

    ws.registry.act(act)
    (alert,) = ws.alerts.list(open_only=True)
    assert ws.alerts.acknowledge(alert.id, "looking").state == "acknowledged"
    assert ws.alerts.comment(alert.id, "found it").id == alert.id
    assert ws.alerts.snooze(alert.id, timedelta(hours=1), "repaired tomorrow").state == "snoozed"
    assert ws.alerts.unsnooze(alert.id).state == "open"
    assert ws.alerts.resolve(alert.id, "done").state == "resolved"
    assert ws.alerts.list(open_only=True) == []
    assert ws.alerts.get(alert.id).state == "resolved"
    assert {"acknowledged", "commented", "snoozed", "resolved"} <= {e.what for e in ws.alerts.log(alert.id)}
    rule = ws.alerts.update_rule("churn-quality", evaluation_period=5, reason="calmer")
    assert ws.alerts.rules("churn-quality") == [rule]


def test_models_and_endpoints(site: Site) -> None:
    ws = site.workspace
    assert ws.models.declare("m", owner="ann", reason="new")
    assert not ws.models.declare("m", owner="ann")
    assert ws.models.declare_version("m", "1", training={"data": ["s3://b/train"]}, aliases=["champion"])
    assert ws.models.version("m", "champion").version == "1"
    assert ws.models.declare_version("m", "2")
    assert ws.models.set_alias("m", "champion", "2")
    assert [v.version for v in ws.models.versions("m")] == ["1", "2"]
    assert ws.endpoints.declare("e")
    assert ws.endpoints.deploy("e", "m", "1")
    assert ws.endpoints.deploy("e", "m", "champion")
    assert [d.version for d in ws.endpoints.history("e")] == ["1", "2"]
    assert [d.version for d in ws.endpoints.serving("e")] == ["2"]
    assert {n.name for n in ws.lineage.models_trained_on("s3://b/train")} == {"models/m/1"}
    assert "endpoints/e" in ws.lineage.down("models/m/2")
    assert ws.lineage.find("endpoints/e").kind == "Endpoint"
    assert "models/m/2" in ws.lineage.around("endpoints/e")
    assert ws.endpoints.undeploy("e")
    assert ws.endpoints.archive("e")
    assert ws.models.archive("m")
    assert ws.models.list() == []
    assert ws.models.restore("m")
    assert [m.name for m in ws.models.list(owner="ann")] == ["m"]
    (site.folder / "x.onnx").write_bytes(b"x")
    imported = ws.models.bring("x", artifacts=[site.folder / "x.onnx"])
    assert imported.changed
    assert ws.models.get("x").name == "x"


def test_baselines(site: Site) -> None:
    ws = site.workspace
    made = dl.baseline(site.folder / "train.csv")
    first = ws.baselines.propose("b", made)
    assert (first.version, first.state) == (1, "current")
    assert ws.baselines.propose("b", made) == first
    (site.folder / "train.csv").write_text(training(seed=3, mean=20))
    second = ws.baselines.propose("b", dl.baseline(site.folder / "train.csv"), reason="newer")
    assert (second.version, second.state) == (2, "proposed")
    assert [p.version for p in ws.baselines.proposals()] == [2]
    assert ws.baselines.load("b").digest == made.digest
    assert ws.baselines.load("b", 2).digest != made.digest
    assert ws.baselines.accept("b", 2).state == "current"
    assert ws.baselines.get("b").version == 2
    assert [b.name for b in ws.baselines.list()] == ["b"]
    third = ws.baselines.propose("b", made)
    assert ws.baselines.reject("b", third.version, reason="no").state == "rejected"
    assert [b.state for b in ws.baselines.versions("b")] == ["superseded", "current", "rejected"]


def test_a_baseline_that_lost_its_files(site: Site) -> None:
    ws = site.workspace
    first = ws.baselines.propose("b", dl.baseline(site.folder / "train.csv"))
    (site.folder / first.path / "constraints.json").write_text("{}")
    with pytest.raises(DriftlineError) as caught:
        ws.baselines.load("b")
    assert caught.value.code == "E-DIGEST"


# --- where it is


def test_where_the_workspace_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_root() == "driftline-workspace"
    assert find_root("x") == "x"
    Workspace.create(".").close()
    assert find_root() == "."
    monkeypatch.setenv("DRIFTLINE_WORKSPACE", "/srv/ws")
    assert find_root() == "/srv/ws"
    with pytest.raises(UsageError):
        find_root("")


def test_for_which_workspace_a_file_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    team = tmp_path / "team"
    team.mkdir()
    file = team / "driftline.toml"
    file.write_text("")
    # Nothing is there: the file's folder, so that the error speaks of it.
    assert root_for(file) == str(team)
    Workspace.create("driftline-workspace").close()
    assert root_for(file) == "driftline-workspace"
    file.write_text('[workspace]\ndatabase_env = "MY_DATABASE"\n')
    assert root_for(file) == str(team)
    file.write_text("")
    Workspace.create(team).close()
    assert root_for(file) == str(team)
    assert root_for(file, "given") == "given"
    monkeypatch.setenv("DRIFTLINE_WORKSPACE", "/srv/ws")
    assert root_for(file) == "/srv/ws"


def test_the_database_is_found_though_the_file_speaks_of_what_is_not_declared(tmp_path: Path) -> None:
    (tmp_path / "driftline.toml").write_text(
        '[workspace]\ndatabase_env = "MY_DATABASE"\n[monitors.m]\nendpoint = "elsewhere"\nbaseline = "b"\n'
    )
    with pytest.raises(DriftlineError, match="MY_DATABASE is not set") as caught:
        Workspace(tmp_path)
    assert caught.value.code == "E-DATABASE"


def test_a_database_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "url").write_text(f"sqlite:///{tmp_path}/elsewhere.db\n")
    (tmp_path / "driftline.toml").write_text('[workspace]\ndatabase_file = "url"\n')
    with Workspace.create(tmp_path) as ws:
        assert ws.registry.database.name == f"{tmp_path}/elsewhere.db"


def test_a_file_that_speaks_of_another_database(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTHER", f"sqlite:///{tmp_path}/other.db")
    file = tmp_path / "ours.toml"
    file.write_text('[workspace]\ndatabase_env = "OTHER"\n')
    with pytest.raises(UsageError, match="names another database") as caught:
        site.workspace.apply(file)
    assert caught.value.code == "E-DATABASE"
    monkeypatch.setenv("OTHER", str(site.folder / "registry.db"))
    site.workspace.apply(file)


def test_apply_from_the_front_door(site: Site) -> None:
    (site.folder / "driftline.toml").write_text(DECLARED)
    plan = dl.apply(site.folder / "driftline.toml", reason="go")
    assert len(plan.changes) == 7
    assert not dl.apply(workspace=site.folder)
    assert dl.Workspace is Workspace


def test_a_service_captures_into_the_workspace(site: Site, tmp_path: Path) -> None:
    from driftline.capture import Middleware

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError

    site.apply()
    assert Middleware(app, workspace=site.workspace, endpoint="churn-prod")._keeper._place == str(
        site.folder / "captures"
    )
    assert Middleware(app, workspace=site.folder, endpoint="x")._keeper._place == str(
        site.folder / "captures"
    )
    assert (
        Middleware(app, workspace="s3://b/ws", endpoint="x", state=tmp_path)._keeper._place
        == "s3://b/ws/captures"
    )
    for given in ({}, {"captures": "a", "workspace": "b"}):
        with pytest.raises(UsageError, match="said twice, or not at all"):
            Middleware(app, endpoint="x", **given)


def test_rooms_say_whose_they_are(site: Site) -> None:
    assert repr(site.workspace.models) == f"<Models of <Workspace {site.folder}>>"


def test_the_python_page_has_every_room_and_call() -> None:
    import re
    from pathlib import Path

    from driftline import rooms

    page = (Path(__file__).parents[1] / "docs" / "python.md").read_text("utf-8")
    section = page.partition("## class `Workspace`")[2].partition("\n## ")[0]
    told = {
        room: set(re.findall(r"`(\w+)`", calls))
        for room, calls in re.findall(r"^\| `(\w+)` \| (.*) \|$", section, re.M)
    }
    there = {
        name.lower(): {call for call in dir(getattr(rooms, name)) if not call.startswith("_")}
        for name in rooms.__all__
        if name != "House"
    }
    assert told == there


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A bucket in a store that speaks S3, on the loopback interface."""
    import logging
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import boto3
        from moto.server import ThreadedMotoServer

        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        for name, value in {
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_DEFAULT_REGION": "us-east-1",
        }.items():
            monkeypatch.setenv(name, value)
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        boto3.client("s3").create_bucket(Bucket="bucket")
        yield "s3://bucket"
        server.stop()


def test_a_workspace_on_an_object_store(bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="DRIFTLINE_DATABASE"):
        Workspace.create(f"{bucket}/ws")
    monkeypatch.setenv("DRIFTLINE_DATABASE", str(tmp_path / "registry.db"))
    with Workspace.create(f"{bucket}/ws") as ws:
        site = Site(ws, tmp_path)
        (tmp_path / "pre.py").write_text(
            "def preprocess_handler(record):\n    return {**record, 'amount': float(record['amount']) + 100}\n"
        )
        text = DECLARED.replace('schedule = "', 'preprocessor = "pre.py"\nschedule = "')
        site.apply(text)
        assert not site.plan(text)
        columns = {"amount": np.full(200, 10.0), "kind": ["a", "b"] * 100}
        captures = ws.captures_for("churn-prod")
        assert captures == f"{bucket}/ws/captures"
        with dl.capture.Recorder(
            captures, "churn-prod", seal_in="thread", state=tmp_path / "state"
        ) as recorder:
            recorder.log(columns, [0.5] * 200, times="2026-11-22T07:30:00Z")
        (tmp_path / "pre.py").unlink()
        assert ws.schedules.run("churn-quality", WINDOW).status == "CompletedWithViolations"
        columns_seen = {v.constraint.column for v in ws.reports.latest("churn-quality").violations}
        assert "amount" in columns_seen
        with pytest.raises(UsageError, match="name the file"):
            ws.apply()
