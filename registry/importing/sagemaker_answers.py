"""SageMaker's answers: what describe and search calls said, read strictly, and kept in SageMaker's own names.

AWS adds fields to its answers at any time, so unknown ones are passed over; what is read must have its type. Environment
variables, roles, networks and keys are never kept.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driftline.documents import Node, decode
from driftline.errors import DocumentError, InputError, UsageError, printable
from driftline.files import read_regular
from driftline.registry.importing.found import without_password
from driftline.registry.moments import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["KINDS", "MOST_ANSWERS", "Answer", "place_of", "read_answers"]

KINDS = ("Model", "TrainingJob", "ModelPackage", "EndpointConfig", "Endpoint")
"""What an answer may describe."""

MOST_ANSWERS = 1000
MOST_BYTES = 16 << 20
_MOST_ITEMS = 1000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_SECOND = 253_402_300_799

_LISTS = {
    "Models": "describe_model",
    "TrainingJobSummaries": "describe_training_job",
    "ModelPackageSummaryList": "describe_model_package",
    "EndpointConfigs": "describe_endpoint_config",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """One thing that SageMaker described.

    Attributes
    ----------
    kind : str
        One of :data:`KINDS`.
    document : dict
        What is kept of it, by SageMaker's names; moments in RFC 3339, hyper-parameters as a list of ``Name`` and
        ``Value`` in their order.
    file : str
        Where it was read, for messages.
    moment : int or None
        When it was made; microseconds since 1970-01-01 UTC.
    notes : tuple of str
        What was left out, and why.
    """

    kind: str
    document: dict[str, Any]
    file: str
    moment: int | None = None
    notes: tuple[str, ...] = ()


def read_answers(given: Iterable[str | os.PathLike[str] | Mapping[str, Any] | list[Any]]) -> list[Answer]:
    """Read what SageMaker said.

    Parameters
    ----------
    given : iterable of path, mapping or list of mapping
        Files with one answer or a list of them; folders, of which all ``*.json`` are read; what boto3 returned.

    Returns
    -------
    list of Answer
        In the order given.

    Raises
    ------
    InputError
        ``E-FILE``.
    DocumentError
        ``E-JSON``, ``E-FIELD``: the file, the line or field; ``E-SAGEMAKER``: it is no answer about a model.
    """
    if isinstance(given, str | os.PathLike | Mapping):
        given = [given]
    made: list[Answer] = []
    for number, item in enumerate(given):
        if isinstance(item, str | os.PathLike):
            for path in _files(Path(item)):
                file = str(path)
                value = decode(read_regular(path, max_bytes=MOST_BYTES), file=file)
                made += _answers(Node(value, file))
        else:
            made += _answers(Node(dict(item) if isinstance(item, Mapping) else item, f"answers[{number}]"))
        if len(made) > MOST_ANSWERS:
            raise UsageError(
                f"{len(made):,} answers are too many at once",
                code="E-SAGEMAKER",
                fix=f"give at most {MOST_ANSWERS:,}",
            )
    return made


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(one for one in path.glob("*.json") if one.is_file())
    if not found or len(found) > MOST_ANSWERS:
        raise InputError(
            "holds no *.json" if not found else f"holds {len(found):,} files",
            code="E-FILE",
            file=path,
            fix="name the files",
        )
    return found


def _answers(node: Node) -> list[Answer]:
    if isinstance(node.value, list):
        return [one for item in _items(node) for one in _answers(item)]
    said = node.object()
    if "Results" in said:
        return [one for item in _items(node["Results"]) for one in _answers(item)]
    if isinstance(said.get("Endpoints"), list) and "Model" not in said:
        return [_endpoint(item) for item in _items(node["Endpoints"])]
    for kind in KINDS:
        # A search puts each thing under its kind; a model of the dashboard stands there beside its endpoints.
        if isinstance(said.get(kind), dict):
            return _answers(node[kind])
    for known, reader in _KNOWN:
        if all(any(key in said for key in keys) for keys in known):
            return [reader(node)]
    raise _unknown(node)


def _unknown(node: Node) -> DocumentError:
    said = node.object()
    listed = next((call for key, call in _LISTS.items() if key in said), None)
    if listed is not None:
        what, fix = "lists names only", f"give what {listed} says of each"
    elif "ModelCardArn" in said or "ModelCard" in said:
        what, fix = "is about a model card, not a model", "bring the card's Content in as a card"
    else:
        what = "is no answer of SageMaker about a model, a training job, a model package or an endpoint"
        fix = (
            "give what describe_model, describe_training_job, describe_model_package or search says, as JSON"
        )
    return DocumentError(what, code="E-SAGEMAKER", file=node.file, field=node.path or None, fix=fix)


# --- the kinds ------------------------------------------------------------------------------------------------------


def _model(node: Node) -> Answer:
    primary, listed = node.get("PrimaryContainer"), node.get("Containers")
    containers = [_container(item) for item in _items(listed)] if listed is not None else []
    if not containers and primary is not None:
        containers = [_container(primary)]
    moment = _moment(node, "CreationTime")
    document = {
        "ModelName": node.text("ModelName"),
        "ModelArn": _text(node, "ModelArn"),
        "CreationTime": shown(moment),
        "Containers": containers,
    }
    return Answer("Model", _known(document), str(node.file), moment)


def _container(node: Node) -> dict[str, Any]:
    source = node.get("ModelDataSource")
    place = None if source is None else source.get("S3DataSource")
    url = _uri(node, "ModelDataUrl") or (None if place is None else _uri(place, "S3Uri"))
    texts = (
        "ContainerHostname",
        "Image",
        "ImageDigest",
        "Mode",
        "ModelPackageName",
        "Framework",
        "FrameworkVersion",
        "NearestModelName",
    )
    made: dict[str, Any] = {key: _text(node, key) for key in texts}
    made["ModelDataUrl"] = url
    return _known(made)


def _training_job(node: Node) -> Answer:
    notes: list[str] = []
    artifacts, algorithm = node.get("ModelArtifacts"), node.get("AlgorithmSpecification")
    created, started, ended = (
        _moment(node, key) for key in ("CreationTime", "TrainingStartTime", "TrainingEndTime")
    )
    name = node.text("TrainingJobName")
    document: dict[str, Any] = {
        "TrainingJobName": name,
        "TrainingJobArn": _text(node, "TrainingJobArn"),
        "TrainingJobStatus": _text(node, "TrainingJobStatus"),
        "TuningJobArn": _text(node, "TuningJobArn"),
        "AutoMLJobArn": _text(node, "AutoMLJobArn"),
        "ModelArtifacts": _texts(artifacts, _uri, "S3ModelArtifacts"),
        "AlgorithmSpecification": _texts(
            algorithm, _text, "TrainingImage", "AlgorithmName", "TrainingInputMode"
        ),
        "HyperParameters": _hyper_parameters(node, name, notes),
        "FinalMetricDataList": _metrics(node, name, notes),
        "InputDataConfig": [_channel(item) for item in _items(node.get("InputDataConfig"))],
        "ResourceConfig": _resources(node.get("ResourceConfig")),
        "CreationTime": shown(created),
        "TrainingStartTime": shown(started),
        "TrainingEndTime": shown(ended),
        "TrainingTimeInSeconds": _count(node, "TrainingTimeInSeconds"),
        "BillableTimeInSeconds": _count(node, "BillableTimeInSeconds"),
        "ExperimentConfig": _texts(
            node.get("ExperimentConfig"), _text, "ExperimentName", "TrialName", "RunName"
        ),
        "Tags": _tags(node.get("Tags")),
    }
    if node.has("EnableManagedSpotTraining"):
        document["EnableManagedSpotTraining"] = node.boolean("EnableManagedSpotTraining")
    return Answer("TrainingJob", _known(document), str(node.file), ended or created, tuple(notes))


def _hyper_parameters(node: Node, job: str, notes: list[str]) -> list[dict[str, str]]:
    from driftline.registry.given import check_no_secrets

    held = node.get("HyperParameters")
    if held is None:
        return []
    made = []
    for key, value in _bounded(held, held.object()).items():
        if not isinstance(value, str | int | float):
            raise held.error("expected text", key=key)
        text = (
            value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
        )
        try:
            check_no_secrets("HyperParameters", {key: text})
        except UsageError:
            notes.append(f"{job}: the hyper-parameter {printable(key, 60)} was left out: it may be a secret")
        else:
            made.append({"Name": key, "Value": text})
    return made


def _metrics(node: Node, job: str, notes: list[str]) -> list[dict[str, Any]]:
    made = []
    for item in _items(node.get("FinalMetricDataList")):
        name, value = item.text("MetricName"), item.object().get("Value")
        if value is None or (isinstance(value, float) and not math.isfinite(value)):
            notes.append(f"{job}: the metric {printable(name, 60)} was left out: it has no value")
            continue
        moment = shown(_moment(item, "Timestamp"))
        # A whole number stays one: 100 is not 100.0.
        number = value if type(value) is int and abs(value) < 1 << 63 else item.number("Value")
        made.append(_known({"MetricName": name, "Value": number, "Timestamp": moment}))
    return made


def _channel(node: Node) -> dict[str, Any]:
    source = node.get("DataSource")
    made: dict[str, Any] = {
        "ChannelName": node.text("ChannelName"),
        "ContentType": _text(node, "ContentType"),
    }
    if source is not None:
        held = {
            "S3DataSource": _texts(source.get("S3DataSource"), _uri, "S3Uri", "S3DataType"),
            "FileSystemDataSource": _texts(
                source.get("FileSystemDataSource"), _text, "FileSystemId", "FileSystemType", "DirectoryPath"
            ),
            "DatasetSource": _texts(source.get("DatasetSource"), _text, "DatasetArn"),
        }
        made["DataSource"] = _known(held)
    return _known(made)


def place_of(channel: Mapping[str, Any]) -> str | None:
    """Return where the data of a training job's channel lie: a URI, the id of a file system, the ARN of a data set.

    Examples
    --------
    >>> place_of({"DataSource": {"FileSystemDataSource": {"FileSystemId": "fs-1", "DirectoryPath": "/train"}}})
    'fs-1/train'
    """
    source = channel.get("DataSource", {})
    if source.get("S3DataSource", {}).get("S3Uri"):
        return str(source["S3DataSource"]["S3Uri"])
    system = source.get("FileSystemDataSource", {})
    if system.get("FileSystemId"):
        return f"{system['FileSystemId']}/{system.get('DirectoryPath', '').lstrip('/')}".rstrip("/")
    named = source.get("DatasetSource", {}).get("DatasetArn")
    return None if named is None else str(named)


def _resources(node: Node | None) -> dict[str, Any]:
    if node is None:
        return {}
    made: dict[str, Any] = {
        "InstanceType": _text(node, "InstanceType"),
        "InstanceCount": _count(node, "InstanceCount"),
        "VolumeSizeInGB": _count(node, "VolumeSizeInGB"),
        "InstanceGroups": [
            _known(
                {
                    "InstanceGroupName": _text(item, "InstanceGroupName"),
                    "InstanceType": _text(item, "InstanceType"),
                    "InstanceCount": _count(item, "InstanceCount"),
                }
            )
            for item in _items(node.get("InstanceGroups"))
        ],
    }
    return _known(made)


_OF_PACKAGES = (
    "ModelPackageName",
    "ModelPackageGroupName",
    "ModelPackageArn",
    "ModelPackageDescription",
    "ModelPackageStatus",
    "ModelApprovalStatus",
    "ApprovalDescription",
    "Domain",
    "Task",
)


def _model_package(node: Node) -> Answer:
    specification, source = node.get("InferenceSpecification"), node.get("SourceAlgorithmSpecification")
    containers = (
        [] if specification is None else [_container(x) for x in _items(specification.get("Containers"))]
    )
    algorithms = (
        [] if source is None else [_algorithm(item) for item in _items(source.get("SourceAlgorithms"))]
    )
    moment = _moment(node, "CreationTime")
    document: dict[str, Any] = {key: _text(node, key) for key in _OF_PACKAGES}
    document |= {
        "ModelPackageArn": node.text("ModelPackageArn"),
        "ModelPackageVersion": _count(node, "ModelPackageVersion"),
        "CreationTime": shown(moment),
        "CreatedBy": _texts(node.get("CreatedBy"), _text, "UserProfileName", "UserProfileArn", "DomainId"),
        "InferenceSpecification": _known({"Containers": containers}),
        "SourceAlgorithmSpecification": _known({"SourceAlgorithms": algorithms}),
        "ModelMetrics": _model_metrics(node.get("ModelMetrics")),
    }
    return Answer("ModelPackage", _known(document), str(node.file), moment)


def _algorithm(node: Node) -> dict[str, Any]:
    source = node.get("ModelDataSource")
    place = None if source is None else source.get("S3DataSource")
    url = _uri(node, "ModelDataUrl") or (None if place is None else _uri(place, "S3Uri"))
    return _known({"AlgorithmName": node.text("AlgorithmName"), "ModelDataUrl": url})


def _model_metrics(node: Node | None) -> dict[str, Any]:
    """Return where the reports of a package lie: ``{"Bias": {"Report": {"S3Uri", "ContentType"}}}``."""
    if node is None:
        return {}
    made = {}
    for kind in node.object():
        group = node.get(kind)
        if group is None:
            continue
        reports = {}
        for key in group.object():
            report = group.get(key)
            if report is not None:
                reports[key] = _texts(report, _uri, "S3Uri", "ContentType", "ContentDigest")
        made[kind] = _known(reports)
    return _known(made)


def _endpoint_config(node: Node) -> Answer:
    variants = [
        _known({"VariantName": _text(item, "VariantName"), "ModelName": _text(item, "ModelName")})
        for item in _items(node.get("ProductionVariants"))
    ]
    document = {"EndpointConfigName": node.text("EndpointConfigName"), "ProductionVariants": variants}
    return Answer("EndpointConfig", document, str(node.file), _moment(node, "CreationTime"))


def _endpoint(node: Node) -> Answer:
    moment = _moment(node, "CreationTime")
    document: dict[str, Any] = {
        "EndpointName": node.text("EndpointName"),
        "EndpointArn": _text(node, "EndpointArn"),
        "EndpointConfigName": _text(node, "EndpointConfigName"),
        "EndpointStatus": _text(node, "EndpointStatus"),
        "CreationTime": shown(moment),
    }
    return Answer("Endpoint", _known(document), str(node.file), moment)


_KNOWN: tuple[tuple[tuple[tuple[str, ...], ...], Callable[[Node], Answer]], ...] = (
    ((("TrainingJobName", "TrainingJobArn"),), _training_job),
    ((("ModelPackageArn",),), _model_package),
    ((("ModelName",), ("PrimaryContainer", "Containers", "ModelArn")), _model),
    ((("EndpointName",),), _endpoint),
    ((("EndpointConfigName",), ("ProductionVariants",)), _endpoint_config),
)
"""How an answer is told: one key of each group is there."""


# --- values ---------------------------------------------------------------------------------------------------------


def _known(document: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if value not in (None, "", [], {})}


def _bounded(node: Node, value: Any) -> Any:
    if len(value) > _MOST_ITEMS:
        raise node.error(f"expected at most {_MOST_ITEMS:,} items, found {len(value):,}")
    return value


def _items(node: Node | None) -> list[Node]:
    if node is None:
        return []
    found: list[Node] = _bounded(node, node.items())
    return found


def _text(node: Node, key: str) -> str | None:
    return node.text(key) if node.has(key) else None


def _uri(node: Node, key: str) -> str | None:
    text = _text(node, key)
    return None if text is None else without_password(text)


def _texts(node: Node | None, reader: Callable[[Node, str], str | None], *keys: str) -> dict[str, Any]:
    return {} if node is None else _known({key: reader(node, key) for key in keys})


def _count(node: Node, key: str) -> int | None:
    return node.integer(key) if node.has(key) else None


def _tags(node: Node | None) -> list[dict[str, str]]:
    return [{"Key": item.text("Key"), "Value": item.text("Value", "")} for item in _items(node)]


def _moment(node: Node, key: str) -> int | None:
    """Read an instant as the command line, boto3 and ``json.dumps(default=str)`` spell it; without a zone it is UTC."""
    value = node.object().get(key)
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return round(node.number(key, low=0, high=_LAST_SECOND) * 1_000_000)
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise node.error(
                f"{printable(repr(value), 60)} is no time",
                key=key,
                fix="write it as 2022-09-20T13:04:09Z, or in seconds since 1970",
            ) from None
    if not isinstance(value, datetime):
        raise node.error("expected a time", key=key)
    if value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    moment = (value - _EPOCH) // timedelta(microseconds=1)
    if moment < 0:
        raise node.error("the time is before 1970", key=key)
    return moment
