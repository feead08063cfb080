"""MLflow: a real store of it, in SQLite, read through its own client."""

from __future__ import annotations

import json
import sys
import warnings
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from driftline.errors import UsageError
from driftline.files import digest
from driftline.registry import audit, endpoints, lineage, models
from driftline.registry.database import RegistryError
from driftline.registry.importing.mlflow import from_mlflow
from driftline.registry.tables import edges, nodes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from driftline.registry.store import Registry


class Store:
    """A store of MLflow in a folder."""

    def __init__(self, folder: Path) -> None:
        from mlflow import MlflowClient

        self.folder = folder
        self.uri = f"sqlite:///{folder}/mlflow.db"
        self.client: Any = MlflowClient(self.uri, self.uri)
        self.experiments: dict[str, str] = {}

    def run(self, model: str, content: bytes, **tags: str) -> tuple[str, str]:
        """Train: one file, parameters, metrics and two data sets are logged."""
        from mlflow.entities import Dataset, DatasetInput, InputTag

        if model not in self.experiments:
            self.experiments[model] = self.client.create_experiment(
                model, artifact_location=str(self.folder / model)
            )
        made = self.client.create_run(
            self.experiments[model], tags={"mlflow.user": "ann", **tags}
        ).info.run_id
        self.client.log_param(made, "depth", 3)
        self.client.log_param(made, "api_token", "hunter2")
        self.client.log_metric(made, "auc", 0.9)
        self.client.log_metric(made, "loss", float("nan"))
        for name, source, role in (
            ("train", '{"uri": "s3://key:secret@data/train.csv"}', "training"),
            ("inline", "not JSON", "eval"),
        ):
            data = Dataset(name, f"{name}0001", "local", source, schema="{}", profile='{"num_rows": 12}')
            self.client.log_inputs(made, [DatasetInput(data, [InputTag("mlflow.data.context", role)])])
        folder = self.folder / model / made / "artifacts" / "model"
        (folder / "data").mkdir(parents=True)
        (folder / "MLmodel").write_bytes(b"flavors: {}\n")
        (folder / "data" / "model.onnx").write_bytes(content)
        self.client.set_terminated(made)
        return made, str(folder)

    def version(self, model: str, content: bytes, **tags: str) -> str:
        run, folder = self.run(model, content, **tags)
        return str(self.client.create_model_version(model, folder, run, tags={"stage": "prod"}).version)


@pytest.fixture(scope="session")
def mlflow_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")
        patch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
        patch.setenv("DO_NOT_TRACK", "true")
        made = Store(tmp_path_factory.mktemp("mlflow"))
        # MLflow looks there for logged models, whatever its client was given.
        patch.setenv("MLFLOW_TRACKING_URI", made.uri)
        yield made


_number = iter(range(1_000_000))


@pytest.fixture
def model(mlflow_store: Store) -> str:
    """A registered model with a name of its own, one version and an alias."""
    name = f"churn-{next(_number)}"
    mlflow_store.client.create_registered_model(
        name, tags={"owner": "ann", "area": "crm"}, description="Who leaves"
    )
    mlflow_store.version(
        name,
        b"one",
        **{
            "mlflow.source.git.commit": "abc123",
            "mlflow.source.git.repoURL": "https://me:pass@git.example/churn",
            "mlflow.docker.image.name": "trainer:1",
            "mlflow.log-model.history": json.dumps(
                [
                    {
                        "flavors": {"python_function": {}, "onnx": {}},
                        "signature": {"inputs": '[{"name": "age", "type": "double"}]', "outputs": None},
                    }
                ]
            ),
        },
    )
    mlflow_store.client.set_registered_model_alias(name, "champion", 1)
    return name


def test_all_that_mlflow_knows_is_filled_in(registry: Registry, mlflow_store: Store, model: str) -> None:
    imported = from_mlflow(registry, mlflow_store.client, model)
    assert imported.changed
    assert imported.missing == ()
    assert set(imported.filled) >= {"owner", "artifacts.digest", "training.data", "training.code", "aliases"}
    assert imported.notes == ("the parameter api_token was left out: it may be a secret",)
    with registry.read() as tx:
        found, version = models.get(tx, model), models.version(tx, model, "champion")
    assert (found.owner, found.description) == ("ann", "Who leaves")
    assert found.tags == {"area": "crm", "owner": "ann"}
    assert (version.version, version.aliases) == ("1", ("champion",))
    assert version.tags == {"framework": "onnx", "stage": "prod"}
    assert [(a["name"], a["size"], a["digest"]) for a in version.artifacts] == [
        ("MLmodel", 12, digest(b"flavors: {}\n")),
        ("data/model.onnx", 3, digest(b"one")),
    ]
    training = version.training
    assert training["experiment"] == model
    assert training["parameters"] == {"depth": "3"}
    assert training["metrics"] == {"auc": 0.9, "loss": "nan"}
    assert (training["user"], training["status"], training["image"]) == ("ann", "FINISHED", "trainer:1")
    assert training["code"] == "https://git.example/churn@abc123"
    assert training["data"] == [
        {"name": "inline", "digest": "mlflow:inline0001", "rows": 12, "role": "eval"},
        {
            "name": "train",
            "uri": "s3://data/train.csv",
            "digest": "mlflow:train0001",
            "rows": 12,
            "role": "training",
        },
    ]
    assert training["started"] <= training["ended"]
    assert version.origin is not None
    assert (version.origin["system"], version.origin["run"]) == ("mlflow", training["job"])
    assert abs(version.created - version.modified) < 60_000_000


def test_the_lineage_reaches_data_code_and_image(registry: Registry, mlflow_store: Store, model: str) -> None:
    from_mlflow(registry, mlflow_store.client, model, version="champion", endpoint="churn-prod")
    with registry.read() as tx:
        graph = lineage.ascendants(tx, "endpoints/churn-prod")
        trained = lineage.models_trained_on(tx, "s3://data/train.csv")
        serving = endpoints.serving(tx, "churn-prod")
    assert [node.name for node in trained] == [f"models/{model}/1"]
    assert {node.name for node in graph.of_kind("DataSet", "Code", "Image")} == {
        "s3://data/train.csv",
        "inline",
        "https://git.example/churn@abc123",
        "trainer:1",
    }
    (job,) = graph.of_kind("TrainingJob")
    assert (job.properties["experiment"], job.properties["user"]) == (model, "ann")
    assert [(one.model, one.version) for one in serving] == [(model, "1")]


def state(registry: Registry) -> tuple[Any, ...]:
    with registry.read() as tx:
        return (
            audit.head(tx),
            tx.all(sa.select(nodes).order_by(nodes.c.id)),
            tx.all(sa.select(edges).order_by(edges.c.source, edges.c.target)),
        )


def test_importing_again_changes_nothing(registry: Registry, mlflow_store: Store, model: str) -> None:
    first = from_mlflow(registry, mlflow_store.client, model)
    before = state(registry)
    again = from_mlflow(registry, mlflow_store.client, model)
    assert not again.changed
    assert again.filled == first.filled
    assert state(registry) == before
    with registry.write("ann") as tx:
        assert not from_mlflow(tx, mlflow_store.client, model, version=1).changed
    assert state(registry) == before


def test_new_versions_appear_and_aliases_move(registry: Registry, mlflow_store: Store, model: str) -> None:
    from_mlflow(registry, mlflow_store.client, model)
    with registry.write("ann") as tx:
        models.set_alias(tx, model, "ours", "1")
    mlflow_store.version(model, b"two")
    mlflow_store.client.set_registered_model_alias(model, "champion", 2)
    imported = from_mlflow(registry, mlflow_store.client, model)
    assert [(one.version, one.changed) for one in imported.versions] == [("1", True), ("2", True)]
    with registry.read() as tx:
        assert [(v.version, v.aliases) for v in models.versions(tx, model)] == [
            ("1", ("ours",)),
            ("2", ("champion",)),
        ]
        assert models.version(tx, model, "champion").version == "2"
        moved = [
            e.change
            for e in audit.entries(tx)
            if e.action == "model.alias_moved" and e.change["after"]["alias"] == "champion"
        ]
    assert moved[-1]["after"]["version"] == "2"
    mlflow_store.client.delete_registered_model_alias(model, "champion")
    from_mlflow(registry, mlflow_store.client, model)
    with registry.read() as tx:
        assert [v.aliases for v in models.versions(tx, model)] == [("ours",), ()]


def test_one_version_is_taken_by_number_or_alias(registry: Registry, mlflow_store: Store, model: str) -> None:
    mlflow_store.version(model, b"two")
    assert [v.version for v in from_mlflow(registry, mlflow_store.client, model, version=2).versions] == ["2"]
    assert [
        v.version for v in from_mlflow(registry, mlflow_store.client, model, version="champion").versions
    ] == ["1"]


def test_what_people_said_here_stays(registry: Registry, mlflow_store: Store, model: str) -> None:
    with registry.write("ann") as tx:
        models.declare(tx, model, owner="bob", description="Ours", risk_rating="high", tags={"mine": "1"})
    imported = from_mlflow(registry, mlflow_store.client, model)
    with registry.read() as tx:
        found = models.get(tx, model)
    assert (found.owner, found.description, found.risk_rating) == ("bob", "Ours", "high")
    assert found.tags == {"mine": "1", "area": "crm", "owner": "ann"}
    assert {"owner stays as it is here", "description stays as it is here"} <= set(imported.notes)


def test_files_that_changed_under_a_version_are_refused(
    registry: Registry, mlflow_store: Store, model: str
) -> None:
    from_mlflow(registry, mlflow_store.client, model)
    source = mlflow_store.client.get_model_version(model, "1").source
    from pathlib import Path

    before = state(registry)
    (Path(source) / "data" / "model.onnx").write_bytes(b"changed")
    with pytest.raises(RegistryError) as caught:
        from_mlflow(registry, mlflow_store.client, model)
    assert caught.value.code == "E-VERSION-CHANGED"
    assert state(registry) == before


def test_files_that_are_gone_make_nothing_less_known(
    registry: Registry, mlflow_store: Store, model: str
) -> None:
    import shutil

    from_mlflow(registry, mlflow_store.client, model)
    before = state(registry)
    shutil.rmtree(mlflow_store.client.get_model_version(model, "1").source)
    imported = from_mlflow(registry, mlflow_store.client, model)
    assert "version 1: artifacts stay as they are here" in imported.notes
    assert state(registry) == before


def test_a_version_elsewhere_without_a_run_says_what_is_missing(
    registry: Registry, mlflow_store: Store, model: str
) -> None:
    mlflow_store.client.create_model_version(model, "s3://bucket/churn/model")
    imported = from_mlflow(registry, mlflow_store.client, model, version=2)
    (one,) = imported.versions
    assert {"training.job", "training.data", "artifacts.digest", "aliases"} <= set(one.missing)
    assert "owner" in one.filled
    assert "version 2 names no run, so nothing says how it was trained" in imported.notes
    assert "missing: aliases, framework, artifacts.digest" in str(imported)
    with registry.read() as tx:
        assert models.version(tx, model, "2").artifacts == (
            {"name": "model", "uri": "s3://bucket/churn/model", "digest": None, "size": None},
        )


def test_a_logged_model_is_found_where_the_store_says_it_lies(
    registry: Registry, mlflow_store: Store, model: str
) -> None:
    from pathlib import Path

    run, _ = mlflow_store.run(model, b"x")
    logged = mlflow_store.client.create_logged_model(
        mlflow_store.experiments[model], name="clf", source_run_id=run
    )
    Path(logged.artifact_location).mkdir(parents=True)
    (Path(logged.artifact_location) / "model.bin").write_bytes(b"three")
    mlflow_store.client.create_model_version(
        model, f"models:/{logged.model_id}", run, model_id=logged.model_id
    )
    from_mlflow(registry, mlflow_store.client, model, version=2)
    with registry.read() as tx:
        assert [a["digest"] for a in models.version(tx, model, "2").artifacts] == [digest(b"three")]


def test_a_uri_will_do(registry: Registry, mlflow_store: Store, model: str) -> None:
    assert from_mlflow(registry, mlflow_store.uri, model).changed
    with registry.read() as tx:
        origin = models.version(tx, model, "1").origin
    assert origin is not None
    assert origin["store"] == mlflow_store.uri


def test_a_store_that_is_not_there_is_not_made(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no store of MLflow"):
        from_mlflow(registry, f"sqlite:///{tmp_path}/mlflow.db", "churn")
    assert not (tmp_path / "mlflow.db").exists()


def test_a_process_whose_warnings_are_errors_can_import(
    mlflow_store: Store, model: str, tmp_path: Path
) -> None:
    import subprocess

    code = (
        "import sys\n"
        "from driftline.registry.importing.mlflow import from_mlflow\n"
        "from driftline.registry.store import Registry\n"
        "with Registry.create('registry.db') as registry:\n"
        "    print(from_mlflow(registry, sys.argv[1], sys.argv[2]).versions[0].version)\n"
    )
    command = [sys.executable, "-W", "error", "-c", code, mlflow_store.uri, model]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr


def test_many_versions_are_read_page_by_page(registry: Registry, mlflow_store: Store, model: str) -> None:
    for _ in range(4):
        mlflow_store.client.create_model_version(model, "s3://bucket/m")

    class Narrow:
        def __getattr__(self, name: str) -> Any:
            return getattr(mlflow_store.client, name)

        def search_model_versions(self, filter_string: str, **given: Any) -> Any:
            return mlflow_store.client.search_model_versions(filter_string, **(given | {"max_results": 2}))

    imported = from_mlflow(registry, Narrow(), model)
    assert [one.version for one in imported.versions] == ["1", "2", "3", "4", "5"]


def test_another_name_here(registry: Registry, mlflow_store: Store, model: str) -> None:
    odd = f"Who's leaving {model}"
    mlflow_store.client.create_registered_model(odd)
    mlflow_store.client.create_model_version(odd, "s3://bucket/m")
    with pytest.raises(UsageError) as caught:
        from_mlflow(registry, mlflow_store.client, odd)
    assert caught.value.code == "E-NAME"
    assert from_mlflow(registry, mlflow_store.client, odd, name="leaving").model == "leaving"
    with registry.read() as tx:
        origin = models.version(tx, "leaving", "1").origin
    assert origin is not None
    assert origin["model"] == odd


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"model_name": "nothing"}, "refused the model 'nothing'"),
        ({"version": "99"}, "refused version '99'"),
        ({"version": "challenger"}, "refused version 'challenger'"),
        ({"endpoint": "prod"}, "an endpoint serves one version"),
    ],
)
def test_what_is_not_there_is_one_line(
    registry: Registry, mlflow_store: Store, model: str, given: dict[str, str], message: str
) -> None:
    before = state(registry)
    with pytest.raises(UsageError, match=message) as caught:
        from_mlflow(registry, mlflow_store.client, **{"model_name": model, **given})  # type: ignore[arg-type]
    assert caught.value.code == "E-MLFLOW"
    assert state(registry) == before


def test_a_server_that_is_not_there_is_one_line_without_passwords(
    registry: Registry, mlflow_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(UsageError) as caught:
        from_mlflow(registry, "http://me:hunter2@127.0.0.1:9", "churn")
    assert caught.value.code == "E-MLFLOW"
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_without_the_client_the_error_says_what_to_install(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(UsageError, match=r"pip install 'driftline\[mlflow\]'") as caught:
        from_mlflow(registry, "http://127.0.0.1:9", "churn")
    assert caught.value.code == "E-EXTRA"


def test_importing_the_importer_imports_no_mlflow() -> None:
    import subprocess

    code = "import sys, driftline.registry.importing.mlflow; sys.exit('mlflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_anything_with_the_methods_will_do(registry: Registry) -> None:
    class Client:
        """Whose run was deleted."""

        def get_registered_model(self, name: str) -> Any:
            return SimpleNamespace(aliases={"not a name!": "7"}, tags={"x": "y" * 300}, description=None)

        def search_model_versions(self, filter_string: str, **_: Any) -> Any:
            version = SimpleNamespace(
                version=7, run_id="r", source="", tags=None, description="", user_id="eve"
            )
            version.creation_timestamp = None
            return [version]

        def get_run(self, run_id: str) -> Any:
            raise KeyError(run_id)

    imported = from_mlflow(registry, Client(), "churn")  # type: ignore[arg-type]
    assert [one.version for one in imported.versions] == ["7"]
    assert "owner" in imported.filled
    assert any(note.startswith("version 7: its run cannot be read") for note in imported.notes)
    assert any("the tag x was left out" in note for note in imported.notes)
    assert any("an alias was left out" in note for note in imported.notes)


def test_the_signature_is_kept(registry: Registry, mlflow_store: Store, model: str) -> None:
    from_mlflow(registry, mlflow_store.client, model)
    with registry.read() as tx:
        origin = models.version(tx, model, "1").origin
    assert origin is not None
    assert origin["schema"] == {"inputs": [{"name": "age", "type": "double"}]}
