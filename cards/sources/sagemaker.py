"""SageMaker: facts from what an import kept of its answers, in its own names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from driftline.cards.sources.facts import JOB
from driftline.registry.importing.sagemaker_answers import place_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from driftline.cards.sources.facts import Facts

__all__ = ["of_job", "of_model", "package_details"]


def of_model(facts: Facts, origin: Mapping[str, Any], source: str) -> None:
    """Add what describe_model said, or of a package without a model, describe_model_package.

    Parameters
    ----------
    origin : mapping
        Of a version that was imported from SageMaker.
    source : str
        Where nothing better is known.
    """
    model, package = origin.get("Model") or {}, origin.get("ModelPackage") or {}
    said = model.get("ModelArn") or package.get("ModelPackageArn") or source
    containers = model.get("Containers") or package.get("InferenceSpecification", {}).get("Containers") or []
    # A model that answered without its ARN is known by its name.
    facts.put("model_overview.model_id", model.get("ModelArn") or model.get("ModelName"), said)
    facts.put(
        "model_overview.model_artifact",
        [c["ModelDataUrl"] for c in containers if c.get("ModelDataUrl")] or _made(origin),
        said,
    )
    facts.put(
        "model_overview.inference_environment.container_image",
        [c["Image"] for c in containers if c.get("Image")],
        said,
    )
    facts.put(
        "model_overview.algorithm_type",
        (origin.get("TrainingJob") or {}).get("AlgorithmSpecification", {}).get("AlgorithmName"),
        said,
    )


def _made(origin: Mapping[str, Any]) -> list[str]:
    place = (origin.get("TrainingJob") or {}).get("ModelArtifacts", {}).get("S3ModelArtifacts")
    return [place] if place else []


def of_job(facts: Facts, job: Mapping[str, Any]) -> None:
    """Add what describe_training_job said."""
    source = job.get("TrainingJobArn") or job["TrainingJobName"]
    image = job.get("AlgorithmSpecification", {}).get("TrainingImage")
    places = (place_of(channel) for channel in job.get("InputDataConfig", ()))
    facts.put(f"{JOB}.training_arn", source, source)
    # Two channels may read the same place.
    facts.put(f"{JOB}.training_datasets", list(dict.fromkeys(place for place in places if place)), source)
    facts.put(f"{JOB}.training_environment.container_image", [image] if image else [], source)
    facts.put(
        f"{JOB}.training_metrics",
        [{"name": m["MetricName"], "value": m["Value"]} for m in job.get("FinalMetricDataList", ())],
        source,
    )
    facts.put(
        f"{JOB}.hyper_parameters",
        [{"name": p["Name"], "value": p["Value"]} for p in job.get("HyperParameters", ())],
        source,
    )
    for key, value in _compute(job):
        facts.put(f"additional_information.custom_details.{key}", value, source)


def _compute(job: Mapping[str, Any]) -> list[tuple[str, str | None]]:
    """Return what a job ran on, and for how long."""
    resources = job.get("ResourceConfig", {})
    groups = resources.get("InstanceGroups") or [resources]
    machines = [
        f"{group.get('InstanceCount', 1)} × {group['InstanceType']}"
        for group in groups
        if group.get("InstanceType")
    ]
    billable = job.get("BillableTimeInSeconds")
    seconds = job.get("TrainingTimeInSeconds")
    return [
        ("training instances", ", ".join(machines) or None),
        ("training started", job.get("TrainingStartTime")),
        ("training ended", job.get("TrainingEndTime")),
        ("training seconds", None if seconds is None else str(seconds)),
        ("billable seconds", None if billable is None else str(billable)),
    ]


def package_details(package: Mapping[str, Any]) -> dict[str, Any]:
    """Return a package's own part of a card, its keys in the order of the SDK; ``model_metrics`` among them.

    Parameters
    ----------
    package : mapping
        What an import kept of describe_model_package.
    """
    containers = package.get("InferenceSpecification", {}).get("Containers", ())
    algorithms = package.get("SourceAlgorithmSpecification", {}).get("SourceAlgorithms", ())
    made: dict[str, Any] = {
        "model_package_arn": package["ModelPackageArn"],
        "model_package_description": package.get("ModelPackageDescription"),
        "model_package_status": package.get("ModelPackageStatus"),
        "approval_description": package.get("ApprovalDescription"),
        "model_approval_status": package.get("ModelApprovalStatus"),
        "model_package_group_name": package.get("ModelPackageGroupName"),
        "model_package_name": package.get("ModelPackageName"),
        "model_package_version": package.get("ModelPackageVersion"),
        "domain": package.get("Domain"),
        "task": package.get("Task"),
        "created_by": _named(user_profile_name=package.get("CreatedBy", {}).get("UserProfileName")),
        "source_algorithms": [
            _named(algorithm_name=a["AlgorithmName"], model_data_url=a.get("ModelDataUrl"))
            for a in algorithms
        ],
        "inference_specification": _named(
            containers=[
                _named(
                    image=c.get("Image"),
                    model_data_url=c.get("ModelDataUrl"),
                    nearest_model_name=c.get("NearestModelName"),
                )
                for c in containers
                if c.get("Image")
            ]
        ),
        "model_metrics": package.get("ModelMetrics"),
    }
    return {key: value for key, value in made.items() if value not in (None, {}, [])}


def _named(**values: Any) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value not in (None, [])}
