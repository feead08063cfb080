"""SageMaker: models, training jobs and packages from what its describe and search calls answered, saved as JSON.

Nothing is asked of AWS. What the answers say is kept twice: as the registry has it for every model, and in SageMaker's own
names in the version's origin, from where a model card is filled.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from driftline.capture.event import check_name
from driftline.errors import UsageError, printable
from driftline.registry import models
from driftline.registry.importing.imported import Draft, Imported, declare, serve
from driftline.registry.importing.sagemaker_answers import Answer, place_of, read_answers
from driftline.registry.store import Registry

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping, Sequence

    from driftline.registry.models import Version
    from driftline.registry.store import Tx

__all__ = ["from_sagemaker"]

_MOST_TAGS = 50


@dataclass(slots=True)
class _Found:
    """What is one version here, by the answers that speak of it."""

    model: dict[str, Any] | None = None
    package: dict[str, Any] | None = None
    jobs: list[dict[str, Any]] = field(default_factory=list)
    endpoints: list[dict[str, Any]] = field(default_factory=list)
    moment: int | None = None
    before: Version | None = None

    @property
    def containers(self) -> list[dict[str, Any]]:
        if self.model is not None and self.model.get("Containers"):
            return list(self.model["Containers"])
        if self.package is not None:
            return list(self.package.get("InferenceSpecification", {}).get("Containers", ()))
        return []

    @property
    def places(self) -> list[str]:
        """Where the artifacts lie, each once, in the order of the containers."""
        said = [c["ModelDataUrl"] for c in self.containers if c.get("ModelDataUrl")]
        said += [] if said else [place for job in self.jobs if (place := _made(job))]
        return list(dict.fromkeys(said))

    @property
    def identities(self) -> set[str]:
        """What the same version is known by, should it be here already."""
        return {
            str(text)
            for text in (
                self.model and (self.model.get("ModelArn") or self.model["ModelName"]),
                self.package and self.package["ModelPackageArn"],
                None if self.model or self.package else self.jobs and _arn(self.jobs[0]),
            )
            if text
        }

    @property
    def name(self) -> str:
        """What people know it by, for messages."""
        if self.model is not None:
            return str(self.model["ModelName"])
        if self.package is not None:
            return str(self.package["ModelPackageArn"])
        return str(self.jobs[0]["TrainingJobName"])


def _made(job: Mapping[str, Any]) -> str | None:
    place = job.get("ModelArtifacts", {}).get("S3ModelArtifacts")
    return None if place is None else str(place)


def _arn(job: Mapping[str, Any]) -> str:
    return str(job.get("TrainingJobArn") or job["TrainingJobName"])


def from_sagemaker(
    tx_or_registry: Tx | Registry,
    answers: Iterable[str | os.PathLike[str] | Mapping[str, Any]],
    name: str,
    *,
    version: str | None = None,
    job: str | None = None,
    owner: str | None = None,
    description: str | None = None,
    risk_rating: str | None = None,
    tags: Mapping[str, str] | None = None,
    endpoint: str | None = None,
    reason: str = "",
) -> Imported:
    """Bring models of SageMaker, and how they were trained, into the registry.

    Parameters
    ----------
    tx_or_registry : Tx or Registry
    answers : iterable of path or mapping
        What ``describe_model``, ``describe_training_job``, ``describe_model_package``, ``describe_endpoint``,
        ``describe_endpoint_config`` or ``search`` answered: JSON files, folders of them, or what boto3 returned.
    name : str
        Of the model here; each model of SageMaker is a version of it.
    version : str, optional
        Of a single model. Otherwise that under which it is here already, the number of its package, or the next number.
    job : str, optional
        Name or ARN of the training job that made a single model whose artifact now lies elsewhere.
    owner, description, risk_rating
        Of the model.
    tags : mapping of str to str, optional
        Of each version.
    endpoint : str, optional
        What serves the version, which must be a single one, from now on.
    reason : str
        Why, for the audit log, where a registry is given; otherwise the transaction has one.

    Returns
    -------
    Imported

    Raises
    ------
    InputError
        ``E-FILE``.
    DocumentError
        ``E-JSON``, ``E-FIELD``, ``E-SAGEMAKER``.
    UsageError
        ``E-SAGEMAKER``: the answers do not belong together. ``E-NAME``.
    RegistryError
        ``E-VERSION-CHANGED``: the artifacts of a version are not those that were imported before.

    Notes
    -----
    A training job belongs to the model that has its artifact. Importing again changes nothing where nothing changed; more
    answers complete what is there.
    """
    check_name("a model", name)
    read = read_answers(answers)
    if not read:
        raise UsageError("nothing was given", code="E-SAGEMAKER", field="sagemaker", fix="name a JSON file")

    def act(tx: Tx) -> Imported:
        found, notes = _together(tx, name, read, job)
        if len(found) > 1 and (version is not None or endpoint is not None):
            raise UsageError(
                f"the answers speak of {len(found)} models, the option of one",
                code="E-SAGEMAKER",
                field="version" if version is not None else "endpoint",
                fix="import them one by one, or leave the option out",
            )
        drafts = _drafts(tx, name, found, version, tags, notes)
        given = {
            key for key, value in (("owner", owner), ("description", description), ("tags", tags)) if value
        } | ({"version"} if version is not None else set())
        imported = declare(
            tx,
            name,
            drafts,
            owner=owner or _creator(found),
            description=description,
            risk_rating=risk_rating,
            given=frozenset(given),
            notes=notes,
            is_from_elsewhere=True,
        )
        if risk_rating is not None:
            models.declare(tx, name, risk_rating=risk_rating)
        changed, more = imported.changed, list(imported.notes)
        for one, draft in zip(found, drafts, strict=True):
            changed |= _serve(tx, name, draft.version, one, endpoint, more)
        return Imported(imported.model, imported.versions, changed, tuple(dict.fromkeys(more)))

    if isinstance(tx_or_registry, Registry):
        return tx_or_registry.act(act, reason=reason or f"imported from SageMaker: {printable(name, 200)}")
    return act(tx_or_registry)


# --- which answers belong together ----------------------------------------------------------------------------------


def _together(tx: Tx, name: str, read: Sequence[Answer], job: str | None) -> tuple[list[_Found], list[str]]:
    notes = [note for answer in read for note in answer.notes]
    of_kind = {kind: _distinct(kind, read) for kind in ("Model", "ModelPackage", "TrainingJob")}
    found = [_Found(model=one.document, moment=one.moment) for one in of_kind["Model"]]
    for answer in of_kind["ModelPackage"]:
        holders = [one for one in found if _is_of_package(one, answer.document)]
        for one in holders:
            one.package = answer.document
        if not holders:
            found.append(_Found(package=answer.document, moment=answer.moment))
    there = models.versions(tx, name) if models.find(tx, name) is not None else []
    for answer in of_kind["TrainingJob"]:
        _give_job(found, there, answer, job)
    if job is not None and not any(_is_job(one.document, job) for one in of_kind["TrainingJob"]):
        raise UsageError(
            f"no answer speaks of the training job {printable(repr(job), 80)}",
            code="E-SAGEMAKER",
            field="job",
            fix="give what describe_training_job says of it",
        )
    for one in found:
        if len(one.jobs) > 1:
            raise UsageError(
                f"{len(one.jobs)} training jobs made the artifact of {printable(one.name, 80)}: "
                + ", ".join(printable(j["TrainingJobName"], 80) for j in one.jobs[:3]),
                code="E-SAGEMAKER",
                field="job",
                fix="give only the one that did",
            )
        if one.before is None:
            one.before = _before(there, one)
    _give_endpoints(found, read, notes)
    if not found:
        raise UsageError(
            "the answers speak of endpoints only",
            code="E-SAGEMAKER",
            field="sagemaker",
            fix="give what describe_model says too",
        )
    # As they were made; what has no time comes last, in the order given.
    found.sort(key=lambda one: (one.moment is None, one.moment or 0))
    return found, notes


def _distinct(kind: str, read: Sequence[Answer]) -> list[Answer]:
    """Return the answers of a kind; the same thing in two files is one, if both say the same."""
    key = {"Model": "ModelName", "ModelPackage": "ModelPackageArn", "TrainingJob": "TrainingJobName"}[kind]
    made: dict[str, Answer] = {}
    for answer in read:
        if answer.kind != kind:
            continue
        named = str(answer.document[key])
        before = made.setdefault(named, answer)
        if before.document != answer.document:
            raise UsageError(
                f"{before.file} says otherwise of {printable(named, 80)}",
                code="E-SAGEMAKER",
                field=answer.file,
                fix="give the newer answer only",
            )
    return list(made.values())


def _is_of_package(one: _Found, package: Mapping[str, Any]) -> bool:
    if one.model is None:
        return False
    containers = one.containers
    if any(c.get("ModelPackageName") == package["ModelPackageArn"] for c in containers):
        return True
    theirs = package.get("InferenceSpecification", {}).get("Containers", ())
    return bool(containers) and [(c.get("Image"), c.get("ModelDataUrl")) for c in containers] == [
        (c.get("Image"), c.get("ModelDataUrl")) for c in theirs
    ]


def _is_job(document: Mapping[str, Any], job: str) -> bool:
    return job in (document["TrainingJobName"], document.get("TrainingJobArn"))


def _give_job(found: list[_Found], there: Sequence[Version], answer: Answer, job: str | None) -> None:
    """Find what a job made: the artifact says so, or the caller."""
    document = answer.document
    described = [one for one in found if one.model is not None or one.package is not None]
    if job is not None and _is_job(document, job):
        if len(described) > 1:
            raise UsageError(
                f"the answers speak of {len(described)} models, and one job is named",
                code="E-SAGEMAKER",
                field="job",
                fix="import them one by one",
            )
        holders = described
    else:
        place = _made(document)
        holders = [one for one in described if place is not None and place in one.places]
        if not holders and place is not None:
            known = [v for v in there if _is_from_sagemaker(v) and place in (a["uri"] for a in v.artifacts)]
            holders = [_Found(before=known[-1], moment=known[-1].created)] if known else []
            found += holders
    if not holders and not described:
        holders = [_Found(moment=answer.moment)]
        found += holders
    if not holders:
        raise UsageError(
            f"the training job {printable(document['TrainingJobName'], 80)} made "
            f"{printable(_made(document) or 'no artifact', 200)}, which no model among the answers has",
            code="E-SAGEMAKER",
            field="job",
            fix="give the model that it made, or name the job (--job) if the artifact was moved",
        )
    for one in holders:
        one.jobs.append(document)


def _is_from_sagemaker(version: Version) -> bool:
    return (version.origin or {}).get("system") == "sagemaker"


def _identities(version: Version) -> set[str]:
    origin = version.origin or {}
    if origin.get("system") != "sagemaker":
        return set()
    model, package, job = (origin.get(key) or {} for key in ("Model", "ModelPackage", "TrainingJob"))
    known = {model.get("ModelArn") or model.get("ModelName"), package.get("ModelPackageArn")}
    if not model and not package:
        known.add(job.get("TrainingJobArn") or job.get("TrainingJobName"))
    return {str(text) for text in known if text}


def _before(there: Sequence[Version], one: _Found) -> Version | None:
    """Return the version that this is: of the same name there, or one that was known by its artifacts only."""
    for version in reversed(there):
        if _identities(version) & one.identities:
            return version
    for version in reversed(there):
        origin = version.origin or {}
        told = "Model" in origin or (one.model is None and "ModelPackage" in origin)
        places = sorted(a["uri"] for a in version.artifacts)
        if _is_from_sagemaker(version) and not told and places and places == sorted(one.places):
            return version
    return None


def _give_endpoints(found: list[_Found], read: Sequence[Answer], notes: list[str]) -> None:
    configs = {a.document["EndpointConfigName"]: a.document for a in read if a.kind == "EndpointConfig"}
    for answer in read:
        if answer.kind != "Endpoint":
            continue
        document = answer.document
        config = configs.get(document.get("EndpointConfigName"))
        if config is None:
            notes.append(
                f"the endpoint {document['EndpointName']}: its configuration is not among the answers, "
                "so nothing says what it serves"
            )
            continue
        names = [variant.get("ModelName") for variant in config["ProductionVariants"]]
        for one in found:
            if one.model is not None and one.model["ModelName"] in names:
                one.endpoints.append({**document, "Variants": len(names)})


# --- what is written ------------------------------------------------------------------------------------------------


def _drafts(
    tx: Tx,
    name: str,
    found: Sequence[_Found],
    version: str | None,
    tags: Mapping[str, str] | None,
    notes: list[str],
) -> list[Draft]:
    there = models.versions(tx, name) if models.find(tx, name) is not None else []
    taken = {one.version for one in there}
    made = []
    for one in found:
        number = version or (one.before.version if one.before is not None else _number(one, taken))
        taken.add(number)
        made.append(_draft(one, number, dict(tags or {}), notes))
    return made


def _number(one: _Found, taken: set[str]) -> str:
    packaged = one.package.get("ModelPackageVersion") if one.package is not None else None
    if packaged is not None and str(packaged) not in taken:
        return str(packaged)
    return str(1 + max((int(v) for v in taken if v.isdecimal() and v.isascii()), default=0))


def _draft(one: _Found, number: str, tags: dict[str, str], notes: list[str]) -> Draft:
    job = one.jobs[0] if one.jobs else None
    origin = dict((one.before.origin if one.before is not None else None) or {})
    origin |= {"system": "sagemaker"}
    if one.model is not None:
        origin |= {"model": one.model["ModelName"], "arn": one.model.get("ModelArn"), "Model": one.model}
    if one.package is not None:
        origin |= {"ModelPackage": one.package}
    if job is not None:
        origin |= {"TrainingJob": job}
    if one.endpoints:
        origin |= {"Endpoints": one.endpoints}
    given = set()
    if tags:
        given.add("tags")
    for tag in (job or {}).get("Tags", ()):
        key, value = tag["Key"], tag["Value"]
        if len(key) > 128 or len(value) > 256 or len(tags) == _MOST_TAGS:
            notes.append(
                f"the tag {printable(key, 60)} was left out: tags are short, and at most {_MOST_TAGS}"
            )
        elif not key.startswith("aws:"):
            tags.setdefault(key, value)
    framework = next((c["Framework"] for c in one.containers if c.get("Framework")), None)
    if framework is not None:
        tags.setdefault("framework", str(framework).lower())
    return Draft(
        number,
        artifacts=_artifacts(one),
        training={} if job is None else _training(job),
        description=one.package.get("ModelPackageDescription") if one.package is not None else None,
        tags=tags,
        origin={key: value for key, value in origin.items() if value is not None},
        created=one.moment,
        given=given,
    )


def _artifacts(one: _Found) -> list[Mapping[str, Any]]:
    hosts = {c.get("ModelDataUrl"): c.get("ContainerHostname") for c in one.containers}
    places = one.places if one.containers or one.before is None else []
    made: list[Mapping[str, Any]] = []
    for number, place in enumerate(places, 1):
        file = place.rstrip("/").rpartition("/")[2] or place
        # Every archive of a pipeline is called model.tar.gz.
        name = file if len(places) == 1 else f"{hosts.get(place) or f'container-{number}'}/{file}"
        made.append({"name": name[-256:], "uri": place, "digest": None, "size": None})
    return made


def _training(job: Mapping[str, Any]) -> dict[str, Any]:
    algorithm = job.get("AlgorithmSpecification", {})
    said: dict[str, Any] = {
        "job": _arn(job),
        "name": job["TrainingJobName"],
        "status": job.get("TrainingJobStatus"),
        "experiment": job.get("ExperimentConfig", {}).get("ExperimentName"),
        "started": job.get("TrainingStartTime"),
        "ended": job.get("TrainingEndTime"),
        "image": algorithm.get("TrainingImage"),
        "parameters": {item["Name"]: item["Value"] for item in job.get("HyperParameters", ())},
        "metrics": {item["MetricName"]: item["Value"] for item in job.get("FinalMetricDataList", ())},
        "data": [data for channel in job.get("InputDataConfig", ()) if (data := _data(channel))],
    }
    return {key: value for key, value in said.items() if value}


def _data(channel: Mapping[str, Any]) -> dict[str, Any] | None:
    uri = place_of(channel)
    return (
        None if uri is None else {"name": channel["ChannelName"], "uri": uri, "role": channel["ChannelName"]}
    )


def _creator(found: Sequence[_Found]) -> str | None:
    named = (one.package.get("CreatedBy", {}).get("UserProfileName") for one in found if one.package)
    return next((str(name) for name in named if name), None)


def _serve(tx: Tx, model: str, version: str, one: _Found, endpoint: str | None, notes: list[str]) -> bool:
    from driftline.registry import endpoints

    if endpoint is not None:
        return serve(tx, endpoint, model, version)
    changed = False
    for said in one.endpoints:
        name = said["EndpointName"]
        if said.get("EndpointStatus", "InService") != "InService":
            notes.append(f"the endpoint {name} is {said['EndpointStatus']}, and was left out")
        elif said["Variants"] > 1:
            notes.append(
                f"the endpoint {name} has {said['Variants']} variants: say what each serves with endpoint deploy"
            )
        elif endpoints.find(tx, name) is None or not endpoints.history(tx, name):
            changed |= serve(tx, name, model, version)
        elif not any((d.model, d.version) == (model, version) for d in endpoints.serving(tx, name)):
            # What is known here may be newer than the answer.
            notes.append(f"the endpoint {name} serves something else here, and was left as it is")
    return changed
