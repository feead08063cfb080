"""``driftline model``, ``endpoint`` and ``baselines``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from driftline.cli.application import application
from driftline.errors import DriftlineError
from driftline.workspace import Workspace


@pytest.fixture(autouse=True)
def here(world: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(world)
    for name in ("DRIFTLINE_WORKSPACE", "DRIFTLINE_DATABASE"):
        monkeypatch.delenv(name, raising=False)
    return world


def said(*arguments: str) -> str:
    done = CliRunner().invoke(application, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def told(*arguments: str) -> Any:
    return json.loads(said(*arguments, "--json"))


def test_models() -> None:
    assert said("model", "list").splitlines()[1].split() == ["churn", "3", "growth", "unknown", "churn-prod"]
    assert said("model", "list", "nothing-like-it").startswith("no models")
    (one,) = told("model", "list", "--owner", "growth")["models"]
    assert (one["versions"], one["endpoints"]) == (["3"], ["churn-prod"])
    shown = said("model", "show", "churn")
    assert "serves churn-prod  version 3, variant AllTraffic" in shown
    assert "train.csv (sha256:" in shown
    document = told("model", "show", "churn")
    assert document["serving"][0]["endpoint"] == "churn-prod"
    assert document["versions"][0]["training"]["job"] == "train-42"
    assert told("model", "versions", "churn")["versions"] == document["versions"]
    assert "churn.bin" in said("model", "versions", "churn")


def test_a_model_that_is_not_there() -> None:
    with pytest.raises(DriftlineError, match="did you mean 'churn'") as caught:
        said("model", "show", "chrun")
    assert caught.value.code == "E-NO-MODEL"


def test_import_from_files(here: Path) -> None:
    (here / "fraud.onnx").write_bytes(b"onnx")
    arguments = ("model", "import", "fraud", "--artifact", "fraud.onnx", "--data", "train.parquet")
    first = told(
        *arguments, "--owner", "ann", "--tag", "stage=test", "--endpoint", "fraud-prod", "--reason", "new"
    )
    assert first["changed"] is True
    assert "framework" in first["versions"][0]["filled"]
    assert told(*arguments)["changed"] is False
    assert "filled in: " in said(*arguments)
    with Workspace() as ws:
        assert ws.models.get("fraud").owner == "ann"
        assert [d.version for d in ws.endpoints.serving("fraud-prod")] == ["1"]
        assert ws.lineage.up("endpoints/fraud-prod").of_kind("DataSet")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["fraud"], "nothing says what to import"),
        (["fraud", "--version", "1", "--tag", "x"], "has no value"),
        (["fraud", "--version", "1", "--as", "y"], "--as is for --mlflow"),
        (["fraud", "--mlflow", "x", "--owner", "ann"], "--owner stands beside --mlflow"),
        (["fraud", "--mlflow", "x", "--endpoint", "e"], "name it with --version"),
        (["fraud", "stray.json"], "unexpected argument 'stray.json'"),
        (["fraud", "--sagemaker", "x", "--mlflow", "y"], "stand side by side"),
        (["fraud", "--sagemaker", "x", "--code", "y"], "--code stands beside --sagemaker"),
        (["fraud", "--sagemaker", "x", "--as", "y"], "--as stands beside --sagemaker"),
        (["fraud", "--sagemaker", "nothing.json"], "E-FILE: nothing.json: does not exist"),
    ],
)
def test_imports_that_make_no_sense(arguments: list[str], words: str) -> None:
    done = CliRunner().invoke(application, ["model", "import", *arguments])
    assert done.exit_code != 0
    assert words in (done.output + str(done.exception))
    with Workspace() as ws:
        assert [m.name for m in ws.models.list()] == ["churn"]


def test_import_from_sagemaker() -> None:
    folder = Path(__file__).parents[1] / "data" / "cards" / "sagemaker"
    files = [str(folder / "describe_model.json"), str(folder / "describe_training_job.json")]
    arguments = ("model", "import", "leads", "--sagemaker", *files, "--owner", "ann", "--tag", "stage=test")
    first = told(*arguments)
    assert first["changed"] is True
    assert {"training.job", "training.metrics"} <= set(first["versions"][0]["filled"])
    assert told(*arguments)["changed"] is False
    with Workspace() as ws:
        version = ws.models.version("leads", "1")
        assert version.tags == {"stage": "test"}
        assert (version.origin or {})["model"] == "model-card-test-model"
        assert ws.models.from_sagemaker(files, "leads").changed is False


def test_import_from_mlflow(monkeypatch: pytest.MonkeyPatch) -> None:
    from driftline.registry.importing import mlflow
    from driftline.registry.importing.imported import Imported

    asked: list[Any] = []

    def read(_: object, *given: Any, **named: Any) -> Imported:
        asked.append((given, named))
        return Imported("fraud", (), changed=True)

    monkeypatch.setattr(mlflow, "from_mlflow", read)
    said(
        "model",
        "import",
        "Fraud",
        "--mlflow",
        "http://m",
        "--version",
        "champion",
        "--as",
        "fraud",
        "--reason",
        "r",
    )
    assert asked == [
        (("http://m", "Fraud"), {"version": "champion", "endpoint": None, "name": "fraud", "reason": "r"})
    ]


def test_endpoints() -> None:
    assert said("endpoint", "list").splitlines()[1].split() == [
        "churn-prod",
        "endpoint",
        "InService",
        "churn",
        "3",
    ]
    assert said("endpoint", "list", "--kind", "batch").startswith("no endpoints")
    (one,) = told("endpoint", "list", "--model", "churn")["endpoints"]
    assert one["serving"][0]["version"] == "3"
    shown = said("endpoint", "show", "churn-prod")
    assert "schedule churn-quality" in shown
    document = told("endpoint", "show", "churn-prod")
    assert document["captures"].endswith("/driftline-workspace/captures")
    assert document["schedules"] == [{"name": "churn-quality", "status": "Scheduled"}]


def test_deploy_and_history(here: Path) -> None:
    from driftline.registry import audit

    said("model", "import", "churn", "--version", "4", "--data", "train.parquet")
    assert said("endpoint", "deploy", "churn-prod", "churn", "4", "--reason", "better") == (
        "churn-prod serves churn 4\n"
    )
    assert said("endpoint", "deploy", "churn-prod", "churn", "4") == "churn-prod serves already churn 4\n"
    (now, before) = told("endpoint", "history", "churn-prod")["deployments"]
    assert (now["version"], now["until"]) == ("4", None)
    assert (before["version"], before["until"]) == ("3", now["since"])
    assert said("endpoint", "history", "churn-prod").splitlines()[1].split()[2:5] == [
        "now",
        "AllTraffic",
        "churn",
    ]
    with Workspace() as ws, ws.registry.read() as tx:
        last = [e for e in audit.entries(tx) if e.action == "endpoint.deployed"][-1]
        assert last.reason == "better"
    # The lineage knows both.
    with Workspace() as ws:
        names = {n.name for n in ws.lineage.up("endpoints/churn-prod").nodes}
    assert {"models/churn/3", "models/churn/4"} <= names


def test_baselines() -> None:
    assert said("baselines", "list").splitlines()[1].split()[:4] == ["churn", "1", "churn", "version"]
    (one,) = told("baselines", "list", "--proposed")["baselines"]
    assert (one["version"], one["current"], one["state"]) == (2, 1, "proposed")
    assert "proposed" in said("baselines", "show", "churn")
    assert [v["version"] for v in told("baselines", "show", "churn")["versions"]] == [2, 1]
    diff = said("baselines", "diff", "churn")
    assert diff.startswith("churn version 2, proposed\n  amount ")
    assert told("baselines", "diff", "churn", "1")["diff"]["added"] == ["amount", "kind"]


def test_accept() -> None:
    assert said("baselines", "accept", "churn", "2", "--reason", "prices") == "churn version 2 is current\n"
    assert said("baselines", "list", "--proposed").startswith("nothing waits")
    assert told("baselines", "accept", "churn", "2")["state"] == "current"
    with pytest.raises(DriftlineError, match="superseded"):
        said("baselines", "reject", "churn", "1")


def test_reject() -> None:
    document = told("baselines", "reject", "churn", "2", "--reason", "test traffic")
    assert (document["state"], document["reason"]) == ("rejected", "test traffic")
    assert said("baselines", "reject", "churn", "2") == "churn version 2 is rejected\n"


def test_propose(here: Path) -> None:
    out = said("baselines", "propose", "churn", "baseline")
    assert out == "churn version 3 waits; look at it with: driftline baselines diff churn\n"
    assert said("baselines", "propose", "churn", "baseline", "--accept") == "churn version 3 is current\n"
    assert told("baselines", "propose", "churn", "baseline")["state"] == "current"
    assert said("baselines", "propose", "new", "baseline") == "new version 1 is current\n"
    with pytest.raises(DriftlineError, match="does not exist"):
        said("baselines", "propose", "churn", "nowhere")
