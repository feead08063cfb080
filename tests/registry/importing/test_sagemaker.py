"""SageMaker's answers: which belong together, what is kept of them, and what is refused, with the place."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from driftline.errors import DocumentError, InputError, UsageError
from driftline.registry import audit, endpoints, lineage, models
from driftline.registry.database import RegistryError
from driftline.registry.importing.sagemaker import from_sagemaker

if TYPE_CHECKING:
    from driftline.registry.importing.imported import Imported
    from driftline.registry.store import Registry

CARDS = Path(__file__).parents[2] / "data" / "cards"
API, SEED = CARDS / "api", CARDS / "sagemaker"
ARTIFACT = (
    "s3://sagemaker-us-east-1-123456789012/model-card-sample-notebook/output/"
    "linear-learner-2022-11-30-00-00-00-000/output/model.tar.gz"
)
JOB = "arn:aws:sagemaker:us-east-1:123456789012:training-job/linear-learner-2022-11-30-00-00-00-000"


def read(path: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return value


@pytest.fixture
def model() -> dict[str, Any]:
    return read(SEED / "describe_model.json")


@pytest.fixture
def job() -> dict[str, Any]:
    return read(SEED / "describe_training_job.json")


def version(registry: Registry, name: str, number: str = "1") -> models.Version:
    with registry.read() as tx:
        return models.version(tx, name, number)


def only(imported: Imported) -> str:
    (one,) = imported.versions
    return one.version


def test_a_model_and_its_job_become_a_version(registry: Registry) -> None:
    imported = from_sagemaker(registry, [SEED], "churn")
    assert imported.versions[0].filled == (
        "version",
        "created",
        "artifacts",
        "training.job",
        "training.image",
        "training.parameters",
        "training.metrics",
    )
    made = version(registry, "churn")
    assert made.artifacts == ({"name": "model.tar.gz", "uri": ARTIFACT, "digest": None, "size": None},)
    assert made.created == int(datetime(2022, 11, 30, 8, 30, 0, 250_000, UTC).timestamp() * 1e6)
    assert made.training == {
        "job": JOB,
        "name": "linear-learner-2022-11-30-00-00-00-000",
        "status": "Completed",
        "image": "registry.example/linear-learner:1",
        "started": "2022-11-30T00:01:10Z",
        "ended": "2022-11-30T00:03:20Z",
        "parameters": {"feature_dim": "2", "mini_batch_size": "10", "predictor_type": "binary_classifier"},
        "metrics": {"train:binary_f_beta": 0.9655172, "train:objective_loss": 0.321},
    }
    with registry.read() as tx:
        assert [node.name for node in lineage.training_jobs_of(tx, "models/churn/1")] == [f"jobs/{JOB}"]


def test_sagemakers_own_names_are_kept(registry: Registry) -> None:
    from_sagemaker(registry, [SEED], "churn")
    origin = version(registry, "churn").origin
    assert origin is not None
    assert (origin["system"], origin["model"]) == ("sagemaker", "model-card-test-model")
    assert origin["arn"] == "arn:aws:sagemaker:us-east-1:123456789012:model/model-card-test-model"
    assert origin["Model"]["Containers"] == [
        {"Image": "registry.example/linear-learner:1", "Mode": "SingleModel", "ModelDataUrl": ARTIFACT}
    ]
    kept = origin["TrainingJob"]
    assert kept["HyperParameters"][0] == {"Name": "feature_dim", "Value": "2"}
    assert [m["MetricName"] for m in kept["FinalMetricDataList"]] == [
        "train:binary_f_beta",
        "train:objective_loss",
    ]
    assert kept["ResourceConfig"] == {
        "InstanceType": "ml.m4.xlarge",
        "InstanceCount": 1,
        "VolumeSizeInGB": 30,
    }
    assert (kept["TrainingTimeInSeconds"], kept["BillableTimeInSeconds"]) == (130, 130)


def test_environment_and_roles_are_not_kept(registry: Registry) -> None:
    from_sagemaker(registry, [SEED], "churn")
    with registry.read() as tx:
        everything = str(models.version(tx, "churn", "1")) + str(list(audit.entries(tx)))
    assert "never to be kept" not in everything
    assert "iam" not in everything


def test_again_changes_nothing(registry: Registry) -> None:
    first = from_sagemaker(registry, [SEED], "churn")
    again = from_sagemaker(registry, [SEED], "churn")
    assert (first.changed, again.changed) == (True, False)


def test_what_boto3_returns_will_do(registry: Registry, model: dict[str, Any], job: dict[str, Any]) -> None:
    model["CreationTime"] = datetime.fromisoformat(model["CreationTime"])
    model["ResponseMetadata"] = {"HTTPStatusCode": 200}
    job["TrainingEndTime"] = 1_669_766_600.0
    from_sagemaker(registry, [model, job], "churn")
    assert from_sagemaker(registry, [SEED], "churn").changed is False


def test_search_results_and_lists_are_read(
    registry: Registry, model: dict[str, Any], job: dict[str, Any]
) -> None:
    found = {"Results": [{"TrainingJob": job}, {"Model": {"Model": model, "Endpoints": []}}]}
    assert from_sagemaker(registry, [found], "churn").changed
    assert version(registry, "churn").training["job"] == JOB


def test_a_file_may_hold_several_answers(
    tmp_path: Path, registry: Registry, model: dict[str, Any], job: dict[str, Any]
) -> None:
    (tmp_path / "all.json").write_text(json.dumps([model, job]))
    from_sagemaker(registry, [tmp_path], "churn")
    assert version(registry, "churn").training["job"] == JOB


def test_a_folder_without_answers_is_refused(tmp_path: Path, registry: Registry) -> None:
    with pytest.raises(InputError, match=r"E-FILE: .*holds no \*\.json"):
        from_sagemaker(registry, [tmp_path], "churn")


def test_the_job_may_come_later(registry: Registry, model: dict[str, Any], job: dict[str, Any]) -> None:
    from_sagemaker(registry, [model], "churn")
    assert version(registry, "churn").training == {}
    assert only(from_sagemaker(registry, [job], "churn")) == "1"
    made = version(registry, "churn")
    assert made.training["job"] == JOB
    assert made.origin is not None
    assert {"Model", "TrainingJob"} <= made.origin.keys()


def test_the_model_may_come_later(registry: Registry, model: dict[str, Any], job: dict[str, Any]) -> None:
    from_sagemaker(registry, [job], "churn")
    assert only(from_sagemaker(registry, [model], "churn")) == "1"
    made = version(registry, "churn")
    assert made.origin is not None
    assert {"Model", "TrainingJob"} <= made.origin.keys()


def test_models_become_versions_as_they_were_made(registry: Registry, model: dict[str, Any]) -> None:
    newer = {**model, "ModelName": "b", "ModelArn": "arn:b", "CreationTime": "2023-01-01T00:00:00Z"}
    imported = from_sagemaker(registry, [newer, model], "churn")
    assert [one.version for one in imported.versions] == ["1", "2"]
    assert [(version(registry, "churn", n).origin or {})["model"] for n in ("1", "2")] == [
        "model-card-test-model",
        "b",
    ]


def test_a_pipeline_has_an_artifact_for_each_container_that_names_one(
    registry: Registry, model: dict[str, Any]
) -> None:
    del model["PrimaryContainer"]
    source = {"S3DataSource": {"S3Uri": "s3://b/second/", "S3DataType": "S3Prefix"}}
    model["Containers"] = [
        {"Image": "one", "ModelDataUrl": "s3://a/model.tar.gz"},
        {"Image": "two", "ContainerHostname": "second", "ModelDataSource": source},
        {"Image": "three"},
    ]
    from_sagemaker(registry, [model], "churn")
    made = version(registry, "churn")
    assert [(a["name"], a["uri"]) for a in made.artifacts] == [
        ("container-1/model.tar.gz", "s3://a/model.tar.gz"),
        ("second/second", "s3://b/second/"),
    ]
    assert made.origin is not None
    assert [c["Image"] for c in made.origin["Model"]["Containers"]] == ["one", "two", "three"]


def test_a_package_gives_its_number_description_and_creator(registry: Registry) -> None:
    imported = from_sagemaker(registry, [API / "describe_model_package.json"], "churn")
    assert only(imported) == "1"
    made = version(registry, "churn")
    assert made.description == "this is test model package"
    assert [a["uri"] for a in made.artifacts] == ["s3://test"]
    with registry.read() as tx:
        assert models.get(tx, "churn").owner == "test-user"


def test_a_package_and_its_model_are_one_version(registry: Registry, model: dict[str, Any]) -> None:
    package = read(API / "describe_model_package.json")
    model["PrimaryContainer"] = {"ModelPackageName": package["ModelPackageArn"]}
    from_sagemaker(registry, [model, package], "churn")
    made = version(registry, "churn")
    assert made.origin is not None
    assert {"Model", "ModelPackage"} <= made.origin.keys()


def test_channels_are_training_data(registry: Registry, model: dict[str, Any], job: dict[str, Any]) -> None:
    job["InputDataConfig"] = [
        {"ChannelName": "train", "DataSource": {"S3DataSource": {"S3Uri": "s3://data/train/"}}},
        {
            "ChannelName": "test",
            "DataSource": {
                "FileSystemDataSource": {
                    "FileSystemId": "fs-0123",
                    "FileSystemType": "EFS",
                    "DirectoryPath": "/test",
                }
            },
        },
    ]
    from_sagemaker(registry, [model, job], "churn")
    assert version(registry, "churn").training["data"] == [
        {"name": "train", "uri": "s3://data/train/", "role": "train"},
        {"name": "test", "uri": "fs-0123/test", "role": "test"},
    ]


def test_secrets_are_left_out_with_a_note(
    registry: Registry, model: dict[str, Any], job: dict[str, Any]
) -> None:
    job["HyperParameters"]["api_key"] = "hunter2"
    model["PrimaryContainer"]["ModelDataUrl"] = ARTIFACT.replace("s3://", "https://key:hunter2@")
    job["ModelArtifacts"]["S3ModelArtifacts"] = model["PrimaryContainer"]["ModelDataUrl"]
    imported = from_sagemaker(registry, [model, job], "churn")
    assert "api_key was left out" in imported.notes[0]
    assert "hunter2" not in str(version(registry, "churn"))


def test_a_metric_without_a_value_is_left_out_with_a_note(
    registry: Registry, model: dict[str, Any], job: dict[str, Any]
) -> None:
    job["FinalMetricDataList"][1]["Value"] = float("nan")
    imported = from_sagemaker(registry, [model, job], "churn")
    assert any("train:objective_loss" in note for note in imported.notes)
    assert version(registry, "churn").training["metrics"] == {"train:binary_f_beta": 0.9655172}


def test_a_job_that_made_something_else_is_refused_unless_it_is_named(registry: Registry) -> None:
    given = [API / "describe_model.json", API / "search_training_job.json"]
    with pytest.raises(UsageError, match="made s3://example, which no model among the answers has"):
        from_sagemaker(registry, given, "churn")
    with registry.read() as tx:
        assert models.find(tx, "churn") is None
    from_sagemaker(registry, given, "churn", job="test_model_name")
    assert version(registry, "churn").training["job"] == "test training job id"


def test_an_endpoint_is_deployed_where_its_configuration_says_so(
    registry: Registry, model: dict[str, Any]
) -> None:
    configuration = {
        "EndpointConfigName": "c",
        "ProductionVariants": [{"VariantName": "v", "ModelName": model["ModelName"]}],
    }
    running = {"EndpointName": "churn-prod", "EndpointConfigName": "c", "EndpointStatus": "InService"}
    alone = {"Endpoints": [{"EndpointName": "other", "EndpointStatus": "InService"}]}
    imported = from_sagemaker(registry, [model, configuration, running, alone], "churn")
    assert any("the endpoint other" in note for note in imported.notes)
    with registry.read() as tx:
        assert [(d.model, d.version) for d in endpoints.serving(tx, "churn-prod")] == [("churn", "1")]
        assert endpoints.find(tx, "other") is None
    # An answer that is older than what is known here turns nothing back.
    with registry.write("ann") as tx:
        models.declare_version(tx, "churn", "9")
        endpoints.deploy(tx, "churn-prod", "churn", "9")
    again = from_sagemaker(registry, [model, configuration, running], "churn")
    assert any("left as it is" in note for note in again.notes)
    with registry.read() as tx:
        assert [d.version for d in endpoints.serving(tx, "churn-prod")] == ["9"]


def test_other_artifacts_under_the_same_name_are_refused(registry: Registry, model: dict[str, Any]) -> None:
    from_sagemaker(registry, [model], "churn")
    other = copy.deepcopy(model)
    other["PrimaryContainer"]["ModelDataUrl"] = "s3://elsewhere/model.tar.gz"
    with pytest.raises(RegistryError) as caught:
        from_sagemaker(registry, [other], "churn")
    assert caught.value.code == "E-VERSION-CHANGED"


def test_two_answers_that_differ_are_refused(registry: Registry, model: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="says otherwise of model-card-test-model"):
        from_sagemaker(registry, [model, {**model, "ModelArn": "arn:other"}], "churn")


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        (("ModelName",), 3, "ModelName"),
        (("CreationTime",), "yesterday", "CreationTime"),
        (("CreationTime",), True, "CreationTime"),
        (("CreationTime",), -1, "CreationTime"),
        (("CreationTime",), "1969-12-31T23:59:59Z", "CreationTime"),
        (("PrimaryContainer",), [], "PrimaryContainer"),
        (("PrimaryContainer", "Image"), 3, "PrimaryContainer.Image"),
        (("Containers",), {}, "Containers"),
        (("Containers",), [{}] * 1001, "Containers"),
    ],
)
def test_a_wrong_field_is_named(
    tmp_path: Path, registry: Registry, model: dict[str, Any], path: tuple[str, ...], value: Any, field: str
) -> None:
    at = model
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    file = tmp_path / "model.json"
    file.write_text(json.dumps(model))
    with pytest.raises(DocumentError) as caught:
        from_sagemaker(registry, [file], "churn")
    assert (caught.value.code, caught.value.file, caught.value.field) == ("E-FIELD", str(file), field)


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        (("HyperParameters",), [], "HyperParameters"),
        (("HyperParameters", "feature_dim"), {}, "HyperParameters.feature_dim"),
        (("FinalMetricDataList", 1, "Value"), "0.3", "FinalMetricDataList[1].Value"),
        (("BillableTimeInSeconds",), -1, "BillableTimeInSeconds"),
        (("AlgorithmSpecification", "TrainingImage"), [], "AlgorithmSpecification.TrainingImage"),
        (("InputDataConfig",), [{}], "InputDataConfig[0].ChannelName"),
    ],
)
def test_a_wrong_field_of_a_job_is_named(
    registry: Registry, job: dict[str, Any], path: tuple[Any, ...], value: Any, field: str
) -> None:
    at: Any = job
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    with pytest.raises(DocumentError) as caught:
        from_sagemaker(registry, [{"Results": [{"TrainingJob": job}]}], "churn")
    assert caught.value.field == f"Results[0].TrainingJob.{field}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "E-JSON: .*answer.json:1: "),
        ('{"a": 1, "a": 2}', "E-JSON: .*answer.json:1: .*occurs twice"),
        ("3", "E-FIELD: .*answer.json: expected an object"),
        ("{}", "E-SAGEMAKER: .*answer.json: is no answer of SageMaker"),
        ('{"Models": [{"ModelName": "a"}]}', "lists names only; give what describe_model says"),
        ('{"ModelCardArn": "a"}', "is about a model card"),
        ("[]", "E-SAGEMAKER: sagemaker: nothing was given"),
    ],
)
def test_what_is_no_answer_is_refused(tmp_path: Path, registry: Registry, text: str, said: str) -> None:
    file = tmp_path / "answer.json"
    file.write_text(text)
    with pytest.raises((InputError, UsageError), match=said):
        from_sagemaker(registry, [file], "churn")
    with registry.read() as tx:
        assert models.find(tx, "churn") is None


def test_an_option_about_one_model_needs_one(registry: Registry, model: dict[str, Any]) -> None:
    other = {**model, "ModelName": "b", "ModelArn": "arn:b"}
    with pytest.raises(UsageError, match="2 models"):
        from_sagemaker(registry, [model, other], "churn", version="7")
    with pytest.raises(UsageError, match="no answer speaks of the training job 'x'"):
        from_sagemaker(registry, [model], "churn", job="x")


def test_a_version_tags_and_words_of_the_caller_count(registry: Registry, model: dict[str, Any]) -> None:
    from_sagemaker(
        registry,
        [model],
        "churn",
        version="7",
        owner="ann",
        description="Who leaves",
        risk_rating="high",
        tags={"stage": "live"},
        endpoint="churn-prod",
    )
    made = version(registry, "churn", "7")
    assert made.tags == {"stage": "live"}
    with registry.read() as tx:
        known = models.get(tx, "churn")
        assert (known.owner, known.description, known.risk_rating) == ("ann", "Who leaves", "high")
        assert [d.version for d in endpoints.serving(tx, "churn-prod")] == ["7"]
