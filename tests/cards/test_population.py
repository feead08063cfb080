"""Population: what is known of a model comes into its card, and what is not known is said."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from driftline.cards import ModelCard, ModelOverview, ModelPackage, ObjectiveFunction, TrainingDetails
from driftline.cards.errors import CardModelError
from driftline.cards.population import PopulationWarning, populate
from driftline.errors import UsageError
from driftline.registry import models
from driftline.registry.importing.sagemaker import from_sagemaker

if TYPE_CHECKING:
    from pathlib import Path

    from driftline.workspace import Workspace

PACKAGE = "arn:aws:sagemaker:us-west-2:001234567890:model-package/testmodelgroup/1"


@pytest.fixture
def api(data: Path) -> dict[str, Any]:
    return {path.stem: json.loads(path.read_text("utf-8")) for path in (data / "api").glob("*.json")}


@pytest.fixture
def native(workspace: Workspace) -> Workspace:
    """A model that was trained here, with two versions."""
    with workspace.registry.write("ann") as tx:
        models.declare(tx, "churn", owner="growth", description="Who leaves", risk_rating="high")
        for number, depth in (("1", 2), ("2", 3)):
            models.declare_version(
                tx,
                "churn",
                number,
                artifacts=[{"uri": f"file:///models/{number}.onnx", "digest": "sha256:" + number * 64}],
                training={
                    "job": f"train-{number}",
                    "user": "ann",
                    "image": "registry.example/train:1",
                    "code": "git@abc",
                    "data": [
                        {
                            "name": "train",
                            "uri": "s3://data/train.parquet",
                            "digest": "sha256:" + "a" * 64,
                            "rows": 9,
                        }
                    ],
                    "parameters": {"depth": depth, "eta": 0.1, "loss": "log"},
                    "metrics": {"auc": 0.9, **({"loss": "nan"} if number == "1" else {})},
                },
                aliases=["champion"] if number == "1" else None,
                created=int(number) * 1_000_000,
            )
    return workspace


# --- SageMaker's answers --------------------------------------------------------------------------------------------


def test_from_model_name_and_from_name_are_one(workspace: Workspace, data: Path) -> None:
    from_sagemaker(workspace.registry, [data / "sagemaker"], "churn")
    one = ModelOverview.from_model_name("model-card-test-model", workspace)
    two = ModelOverview.from_name(model_name="model-card-test-model", sagemaker_session=workspace)
    by_arn = ModelOverview.from_name(
        "arn:aws:sagemaker:us-east-1:123456789012:model/model-card-test-model", workspace
    )
    assert one == two == by_arn


def test_the_name_here_finds_it_too(workspace: Workspace, data: Path) -> None:
    from_sagemaker(workspace.registry, [data / "sagemaker"], "churn")
    overview = ModelOverview.from_name("churn", workspace)
    assert overview.model_name == "churn"
    assert overview.model_id == "arn:aws:sagemaker:us-east-1:123456789012:model/model-card-test-model"


def test_a_pipeline_model_has_two_images(workspace: Workspace, api: dict[str, Any]) -> None:
    model = api["describe_model"]
    del model["PrimaryContainer"]
    model["Containers"] = [
        {"Image": "one", "ModelDataUrl": "s3://a/model.tar.gz"},
        {"Image": "two", "ModelDataSource": {"S3DataSource": {"S3Uri": "s3://b/"}}},
        {"Image": "three"},
    ]
    from_sagemaker(workspace.registry, [model], "pipeline")
    overview = ModelOverview.from_name("pipeline", workspace)
    assert overview.inference_environment is not None
    assert overview.inference_environment.container_image == ["one", "two", "three"]
    assert overview.model_artifact == ["s3://a/model.tar.gz", "s3://b/"]


def test_datasets_come_from_the_channels(workspace: Workspace, data: Path) -> None:
    job = json.loads((data / "sagemaker" / "describe_training_job.json").read_text("utf-8"))
    s3 = {"DataSource": {"S3DataSource": {"S3Uri": "s3://data/train/"}}}
    file_system = {"DataSource": {"FileSystemDataSource": {"FileSystemId": "fs-1", "DirectoryPath": "/d"}}}
    job["InputDataConfig"] = [
        {"ChannelName": "train", **s3},
        {"ChannelName": "again", **s3},
        {"ChannelName": "more", **file_system},
    ]
    from_sagemaker(workspace.registry, [data / "sagemaker" / "describe_model.json", job], "churn")
    details = TrainingDetails.from_model_overview(ModelOverview.from_name("churn", workspace), workspace)
    assert details.training_job_details is not None
    assert details.training_job_details.training_datasets == ["s3://data/train/", "fs-1/d"]


def test_the_job_of_an_overview_that_people_wrote_is_told_by_its_artifact(
    workspace: Workspace, api: dict[str, Any]
) -> None:
    from_sagemaker(workspace.registry, [api["search_training_job"]], "churn")
    details = TrainingDetails.from_model_overview(ModelOverview(model_artifact=["s3://example"]), workspace)
    assert details.training_job_details is not None
    assert details.training_job_details.training_arn == "test training job id"
    assert details.training_job_details.hyper_parameters[0].name == "_kfold"
    same = TrainingDetails.from_model_s3_artifacts(["s3://example"], workspace)
    assert same == details
    assert TrainingDetails.from_training_job_name("test_model_name", workspace) == details
    assert TrainingDetails.from_training_job_name("test training job id", workspace) == details


def test_a_job_without_metrics_has_none(workspace: Workspace, api: dict[str, Any]) -> None:
    from_sagemaker(workspace.registry, [api["search_training_job_no_metrics"]], "churn")
    details = TrainingDetails.from_model_s3_artifacts(["s3://example"], workspace)
    assert details.training_job_details is not None
    assert details.training_job_details.training_metrics == []


@pytest.mark.parametrize(
    ("artifacts", "said"),
    [
        ([], "names no artifact"),
        (["s3://a", "s3://b"], "names 2 artifacts"),
        (["s3://nowhere"], "no training job is known that made s3://nowhere"),
    ],
)
def test_a_job_that_cannot_be_told_is_empty_with_a_warning(
    workspace: Workspace, artifacts: list[str], said: str
) -> None:
    with pytest.warns(PopulationWarning, match=said) as warned:
        details = TrainingDetails.from_model_overview(
            ModelOverview(model_artifact=artifacts),
            workspace,
            objective_function=ObjectiveFunction(function=None, notes="why"),
            training_observations="seen",
        )
    assert details.training_job_details is not None
    assert details.training_job_details.training_environment is not None
    assert details.training_job_details.training_environment.container_image == []
    assert (details.training_observations, issubclass(PopulationWarning, UserWarning)) == ("seen", True)
    # It points at whoever asked.
    assert warned[0].filename == __file__


def test_two_jobs_that_made_an_artifact_are_none(workspace: Workspace) -> None:
    with workspace.registry.write("ann") as tx:
        for name in ("one", "two"):
            models.declare(tx, name)
            models.declare_version(tx, name, "1", artifacts=[{"uri": "s3://x/m"}], training={"job": name})
    with pytest.warns(PopulationWarning, match="2 training jobs are known that made s3://x/m"):
        TrainingDetails.from_model_s3_artifacts(["s3://x/m"], workspace)


def test_an_unknown_job_is_refused(workspace: Workspace) -> None:
    with pytest.raises(ValueError, match="Could not find training job 'nobody'"):
        TrainingDetails.from_training_job_name("nobody", workspace)


# --- models of the registry -----------------------------------------------------------------------------------------


def test_a_model_that_was_trained_here(native: Workspace) -> None:
    overview = ModelOverview.from_name(
        "churn", native, problem_type="Binary Classification", model_owner="risk"
    )
    assert overview.to_content() == {
        "model_id": "churn",
        "model_name": "churn",
        "model_description": "Who leaves",
        "model_version": 2,
        "problem_type": "Binary Classification",
        "model_creator": "ann",
        "model_owner": "risk",
        "model_artifact": ["file:///models/2.onnx"],
        "inference_environment": {"container_image": []},
    }
    details = TrainingDetails.from_model_overview(overview, native)
    assert details.to_content() == {
        "training_job_details": {
            "training_arn": "train-2",
            "training_datasets": ["s3://data/train.parquet"],
            "training_environment": {"container_image": ["registry.example/train:1"]},
            "training_metrics": [{"name": "auc", "value": 0.9}],
            "user_provided_training_metrics": [],
            "hyper_parameters": [
                {"name": "depth", "value": "3"},
                {"name": "eta", "value": "0.1"},
                {"name": "loss", "value": "log"},
            ],
            "user_provided_hyper_parameters": [],
        }
    }


@pytest.mark.parametrize(
    ("name", "number", "job"), [("churn/1", 1, "train-1"), ("churn/champion", 1, "train-1")]
)
def test_a_version_or_an_alias_may_be_named(native: Workspace, name: str, number: int, job: str) -> None:
    overview = ModelOverview.from_name(name, native)
    assert (overview.model_id, overview.model_name, overview.model_version) == ("churn", "churn", number)
    with pytest.warns(PopulationWarning, match="training_metrics: loss has no finite value"):
        details = TrainingDetails.from_model_overview(overview, native)
    assert details.training_job_details is not None
    assert details.training_job_details.training_arn == job


@pytest.mark.parametrize(
    ("version", "number"),
    [("3", 3), ("1.5", 1.5), ("1.10", None), ("v3", None), ("0", None), ("03", None), ("1e3", None)],
)
def test_a_version_is_a_number_only_where_it_is_spelt_as_one(
    workspace: Workspace, version: str, number: float | None
) -> None:
    with workspace.registry.write("ann") as tx:
        models.declare(tx, "churn")
        models.declare_version(tx, "churn", version)
    assert ModelOverview.from_name("churn", workspace).model_version == number


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("chrun", "did you mean 'churn'"),
        ("churn/9", "its versions are 1, 2"),
        ("zzz", "driftline model import"),
        ("a model\nof ours", "driftline model import"),
        ("", "driftline model import"),
    ],
)
def test_an_unknown_model_is_refused(native: Workspace, name: str, fix: str) -> None:
    with pytest.raises(UsageError) as caught:
        ModelOverview.from_name(name, native)
    assert isinstance(caught.value, ValueError)
    assert caught.value.message.startswith("Could not find model")
    assert (caught.value.code, fix in str(caught.value.fix)) == ("E-NO-MODEL", True)


def test_a_model_that_has_a_card_is_refused(native: Workspace) -> None:
    ModelCard("first", model_overview=ModelOverview.from_name("churn", native), workspace=native).create()
    with pytest.raises(CardModelError, match="first") as caught:
        ModelOverview.from_name("churn/1", native)
    assert isinstance(caught.value, ValueError)


def test_everything_that_is_known_of_a_model(native: Workspace) -> None:
    found = populate("churn", native)
    assert list(found.content()) == [
        "model_overview",
        "intended_uses",
        "training_details",
        "additional_information",
    ]
    assert found.content()["intended_uses"] == {"risk_rating": "High"}
    assert found.content()["additional_information"] == {"custom_details": {"training code": "git@abc"}}
    assert found.extensions == {
        "data": [
            {"name": "train", "uri": "s3://data/train.parquet", "digest": "sha256:" + "a" * 64, "n_rows": 9}
        ]
    }
    assert found.provenance()["extensions.data"]["source"] == "models/churn/2"
    assert found.provenance()["intended_uses.risk_rating"]["source"] == "models/churn/2"


def test_what_training_ran_on_is_custom_information(workspace: Workspace, data: Path) -> None:
    from_sagemaker(workspace.registry, [data / "sagemaker"], "churn")
    assert populate("churn", workspace).content()["additional_information"]["custom_details"] == {
        "training instances": "1 × ml.m4.xlarge",
        "training started": "2022-11-30T00:01:10Z",
        "training ended": "2022-11-30T00:03:20Z",
        "training seconds": "130",
        "billable seconds": "130",
    }


def test_a_model_without_versions(workspace: Workspace) -> None:
    with workspace.registry.write("ann") as tx:
        models.declare(tx, "churn")
    assert ModelOverview.from_name("churn", workspace).model_id == "churn"
    with pytest.warns(PopulationWarning, match="empty"):
        TrainingDetails.from_model_overview(ModelOverview.from_name("churn", workspace), workspace)


@pytest.mark.parametrize(("n", "kept"), [(50, 50), (51, 50)])
def test_metrics_beyond_the_limit_are_cut_with_a_warning(workspace: Workspace, n: int, kept: int) -> None:
    with workspace.registry.write("ann") as tx:
        models.declare(tx, "churn")
        models.declare_version(
            tx,
            "churn",
            "1",
            training={
                "job": "j",
                "metrics": {f"m{i:03}": i for i in range(n)},
                "parameters": {f"p{i:03}": "x" * 255 for i in range(2 * n)},
            },
        )
    overview = ModelOverview.from_name("churn", workspace)
    if n == kept:
        details = TrainingDetails.from_model_overview(overview, workspace)
    else:
        with pytest.warns(PopulationWarning) as warned:
            details = TrainingDetails.from_model_overview(overview, workspace)
        assert [str(w.message) for w in warned] == [
            "training_details.training_job_details.training_metrics: the first 50 of 51 are kept",
            "training_details.training_job_details.hyper_parameters: the first 100 of 102 are kept",
        ]
    job = details.training_job_details
    assert job is not None
    assert (len(job.training_metrics), len(job.hyper_parameters)) == (kept, 2 * kept)
    ModelCard("churn", model_overview=overview, training_details=details, workspace=workspace).create()


def test_long_values_are_fitted_with_a_warning(workspace: Workspace) -> None:
    with workspace.registry.write("ann") as tx:
        models.declare(tx, "churn", description="d" * 2000)
        models.declare_version(
            tx,
            "churn",
            "1",
            artifacts=[{"uri": "s3://" + "a/" * 600 + "b"}, {"uri": "s3://c"}],
            training={"job": "j", "parameters": {"long": "x" * 300, "n" * 300: "y"}},
        )
    with pytest.warns(PopulationWarning) as warned:
        overview = ModelOverview.from_name("churn", workspace)
    assert len(warned) == 2
    assert (len(overview.model_description or ""), overview.model_artifact) == (1024, ["s3://c"])
    with pytest.warns(PopulationWarning) as warned:
        details = TrainingDetails.from_model_overview(overview, workspace)
    assert details.training_job_details is not None
    (parameter,) = details.training_job_details.hyper_parameters
    assert (parameter.name, len(str(parameter.value)), len(warned)) == ("long", 255, 2)
    ModelCard("churn", model_overview=overview, training_details=details, workspace=workspace).create()


def test_a_model_of_mlflow(workspace: Workspace) -> None:
    run = {
        "job": "r1",
        "experiment": "churn",
        "parameters": {"depth": "3"},
        "metrics": {"auc": 0.9, "loss": "nan"},
        "data": [{"name": "train", "uri": "s3://data/train", "digest": "mlflow:abc", "role": "training"}],
    }
    signature = {"inputs": [{"name": "age", "type": "double"}]}
    origin = {"system": "mlflow", "model": "Churn model", "version": "4", "run": "r1", "schema": signature}
    with workspace.registry.write("ann") as tx:
        models.declare(tx, "churn")
        models.declare_version(tx, "churn", "4", training=run, origin=origin)
    with pytest.warns(PopulationWarning, match="loss has no finite value"):
        found = populate("Churn model", workspace)
    overview = found.content()["model_overview"]
    assert (overview["model_id"], overview["model_name"], overview["model_version"]) == (
        "churn",
        "Churn model",
        4,
    )
    assert found.extensions == {
        "io": {"signature": signature},
        "data": [{"name": "train", "uri": "s3://data/train", "split": "training"}],
    }
    sources = {path: said["source"] for path, said in found.provenance().items()}
    assert sources["training_details.training_job_details.training_metrics"] == "mlflow:runs/r1"
    assert sources["model_overview.model_version"] == "mlflow:Churn model/4"


# --- packages -------------------------------------------------------------------------------------------------------


def test_a_package(workspace: Workspace, api: dict[str, Any]) -> None:
    from_sagemaker(workspace.registry, [api["describe_model_package"]], "churn")
    package = ModelPackage.from_model_package_arn(PACKAGE, workspace)
    assert package.to_content() == {
        "model_package_arn": PACKAGE,
        "model_package_description": "this is test model package",
        "model_package_status": "Pending",
        "model_approval_status": "PendingManualApproval",
        "model_package_group_name": "testmodelgroup",
        "model_package_name": "model_package_name",
        "model_package_version": 1,
        "domain": "domain",
        "task": "task",
        "created_by": {"user_profile_name": "test-user"},
        "source_algorithms": [],
        "inference_specification": {
            "containers": [
                {
                    "image": "test model container image",
                    "model_data_url": "s3://test",
                    "nearest_model_name": "test-model",
                }
            ]
        },
    }


def test_an_unknown_package_is_refused(workspace: Workspace) -> None:
    with pytest.raises(ValueError, match="Could not find model package"):
        ModelPackage.from_model_package_arn(PACKAGE, workspace)


def test_a_package_fills_a_card(workspace: Workspace, api: dict[str, Any], data: Path) -> None:
    package, job = api["describe_model_package"], api["search_training_job"]["Results"][0]["TrainingJob"]
    job["ModelArtifacts"]["S3ModelArtifacts"] = "s3://test"
    package["ModelMetrics"] = {
        "Bias": {"PreTrainingReport": {"S3Uri": str(data / "evaluation" / "clarify_bias.json")}},
        "Explainability": {"Report": {"S3Uri": str(data / "evaluation" / "clarify_explainability.json")}},
        "ModelQuality": {
            "Statistics": {"S3Uri": str(data / "evaluation" / "model_quality_regression.json")},
            "Constraints": {"S3Uri": "s3://not/read"},
        },
    }
    from_sagemaker(workspace.registry, [package, job], "churn")
    older = ModelCard(
        "older",
        business_details={"line_of_business": "Phones"},
        additional_information={"ethical_considerations": "None"},
        model_package_details={"model_package_group_name": "testmodelgroup", "model_package_version": 7},
        workspace=workspace,
    )
    older.create()
    card = ModelCard(
        "newer",
        intended_uses={"risk_rating": "Low"},
        model_package_details=ModelPackage.from_model_package_arn(PACKAGE, workspace),
        workspace=workspace,
    )
    assert card.training_details is not None
    assert card.training_details.training_job_details is not None
    assert card.training_details.training_job_details.training_arn == "test training job id"
    assert [job.name for job in card.evaluation_details] == [
        "Bias PreTrainingReport",
        "Explainability report",
        "Model quality report",
    ]
    assert all(job.metric_groups for job in card.evaluation_details)
    assert card.business_details == older.business_details
    assert card.additional_information == older.additional_information
    assert str(card.intended_uses.risk_rating if card.intended_uses else None) == "Low"
    card.create()
    with pytest.raises(CardModelError, match="newer"):
        ModelPackage.from_model_package_arn(PACKAGE, workspace)


def test_a_report_that_is_not_there_is_left_out_with_a_warning(workspace: Workspace, tmp_path: Path) -> None:
    report = {"Report": {"S3Uri": str(tmp_path / "nothing.json")}}
    with pytest.warns(PopulationWarning, match="nothing.json"):
        card = ModelCard(
            "c",
            model_package_details=ModelPackage(model_metrics={"Explainability": report}),
            workspace=workspace,
        )
    assert card.evaluation_details == []


def test_a_card_about_a_model_takes_no_package(workspace: Workspace) -> None:
    card = ModelCard("c", model_overview={"model_id": "churn"}, workspace=workspace)
    with pytest.raises(ValueError, match="'churn' already"):
        card.model_package_details = ModelPackage(model_package_arn=PACKAGE)


def test_a_package_finds_no_job_where_training_details_are_there(workspace: Workspace) -> None:
    package = ModelPackage(
        inference_specification={"containers": [{"image": "i", "model_data_url": "s3://x"}]}
    )
    with pytest.warns(PopulationWarning, match="no training job is known"):
        card = ModelCard(
            "c",
            training_details={"training_observations": "seen"},
            model_package_details=package,
            workspace=workspace,
        )
    assert card.content()["training_details"] == {"training_observations": "seen"}
