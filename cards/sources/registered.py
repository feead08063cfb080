"""Registered: facts from what the registry knows of a model, wherever it was imported from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import driftline.cards.sources.sagemaker as sagemaker
from driftline.cards.sources.facts import JOB, Facts
from driftline.registry.moments import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from driftline.registry.models import Model, Version
    from driftline.registry.store import Tx

__all__ = ["Named", "facts_of", "find_job", "find_model", "find_package", "training_facts", "with_artifact"]

Named = tuple["Model", "Version | None"]
"""A model and, where it has any, the version that is meant."""

_MOST_FOUND = 200


def find_model(tx: Tx, name: str) -> Named | None:
    """Find a model.

    Parameters
    ----------
    name : str
        Its name here, for the newest version; ``name/version``; or the name or ARN that it has in SageMaker, or the name it
        has in MLflow.

    Returns
    -------
    tuple of Model and Version, or None
        The version is None for a model without any.
    """
    from driftline.registry import models

    plain, slash, version = name.partition("/")
    found = _known(tx, plain) if not name.startswith("arn:") else None
    if found is not None:
        there = models.versions(tx, plain)
        if not slash:
            return found, there[-1] if there else None
        chosen = [v for v in there if v.version == version] or [v for v in there if version in v.aliases]
        if chosen:
            return found, chosen[0]
        return None
    elsewhere = _by_origin(tx, lambda o: name in (o.get("arn"), o.get("model")), name)
    return None if elsewhere is None else (models.get(tx, elsewhere.model), elsewhere)


def _known(tx: Tx, name: str) -> Model | None:
    from driftline.capture.event import check_name
    from driftline.errors import UsageError
    from driftline.registry import models

    try:
        check_name("a model", name)
    except UsageError:
        return None  # no name of ours; SageMaker or MLflow may have it
    found = models.find(tx, name)
    return found if found is not None and found.archived is None else None


def find_package(tx: Tx, arn: str) -> Version | None:
    """Return the version that was imported from a model package of SageMaker, or None."""
    return _by_origin(tx, lambda o: (o.get("ModelPackage") or {}).get("ModelPackageArn") == arn, arn)


def find_job(tx: Tx, name: str) -> Version | None:
    """Return the newest version that a training job made, by the job's name, id or ARN; None where there is none."""

    def is_it(version: Version) -> bool:
        job = version.training.get("job")
        said = [job, *job.values()] if isinstance(job, dict) else [job]
        return name in (*said, version.training.get("name"))

    found = [v for v in _holding(tx, "training", name) if is_it(v)]
    return found[-1] if found else None


def with_artifact(tx: Tx, uri: str) -> list[Version]:
    """Return the versions that have an artifact at a place, and of which it is known how they were trained."""
    found = _holding(tx, "artifacts", uri)
    return [v for v in found if v.training and uri in (a["uri"] for a in v.artifacts)]


def _by_origin(tx: Tx, is_it: Any, text: str) -> Version | None:
    found = [v for v in _holding(tx, "origin", text) if v.origin and is_it(v.origin)]
    return found[-1] if found else None


def _holding(tx: Tx, column: str, text: str) -> list[Version]:
    """Return versions, the newest last, in one of whose documents a text stands as a value."""
    import sqlalchemy as sa

    from driftline.registry import models
    from driftline.registry.tables import model_versions

    spelled = json.dumps(text, ensure_ascii=True)
    for special in ("\\", "%", "_"):
        spelled = spelled.replace(special, "\\" + special)
    held = sa.type_coerce(model_versions.c[column], sa.Text)
    query = (
        sa.select(model_versions.c.model, model_versions.c.version)
        .where(held.like(f"%{spelled}%", escape="\\"))
        .order_by(model_versions.c.created.desc(), model_versions.c.model, model_versions.c.version)
        .limit(_MOST_FOUND)
    )
    return [models.version(tx, row.model, row.version) for row in reversed(tx.all(query))]


# --- facts ----------------------------------------------------------------------------------------------------------


def facts_of(tx: Tx, model: Model, version: Version | None, *, name: str | None = None) -> Facts:
    """Return all that is known of a model, with the training of one version.

    Parameters
    ----------
    model, version : Model, Version
    name : str, optional
        How the model was asked for; its name here where not given.
    """
    here = f"models/{model.name}" + (f"/{version.version}" if version is not None else "")
    facts = Facts(str(shown(tx.now)), model=model.name, version=None if version is None else version.version)
    origin = (version.origin if version is not None else None) or {}
    asked = (
        (name or model.name).partition("/")[0] if not (name or "").startswith("arn:") else origin.get("model")
    )
    is_sagemaker = origin.get("system") == "sagemaker"
    facts.put("model_overview.model_name", asked or model.name, here)
    if is_sagemaker:
        sagemaker.of_model(facts, origin, here)
    # A package is no model: its card is tied to the package.
    if "model_overview.model_id" not in facts.values:
        facts.put("model_overview.model_id", model.name, here)
    facts.put(
        "model_overview.model_description",
        model.description or (version.description if version is not None else None),
        here,
    )
    if version is not None:
        source = _source(origin, here)
        if not is_sagemaker:
            facts.put("model_overview.model_version", _number(version.version), source)
            facts.put("model_overview.model_artifact", [a["uri"] for a in version.artifacts], source)
        facts.put("model_overview.model_creator", version.training.get("user"), source)
        _put_extensions(facts, version, source)
    facts.put("model_overview.model_owner", model.owner, here)
    if model.risk_rating is not None:
        facts.put("intended_uses.risk_rating", model.risk_rating.capitalize(), here)
    if version is not None:
        training_facts(facts, version)
    return facts


def _source(origin: Mapping[str, Any], here: str) -> str:
    if origin.get("system") == "mlflow":
        return f"mlflow:{origin.get('model')}/{origin.get('version')}"
    return here


def training_facts(facts: Facts, version: Version) -> None:
    """Add how a version was trained."""
    origin, training = version.origin or {}, version.training
    if origin.get("system") == "sagemaker" and origin.get("TrainingJob"):
        sagemaker.of_job(facts, origin["TrainingJob"])
        return
    here = f"models/{version.model}/{version.version}"
    run = origin.get("run")
    source = f"mlflow:runs/{run}" if origin.get("system") == "mlflow" and run else here
    data = training.get("data") or ()
    facts.put(f"{JOB}.training_arn", _place(training.get("job")), source)
    facts.put(
        f"{JOB}.training_datasets",
        list(dict.fromkeys(place for item in data if (place := _place(item)))),
        source,
    )
    image = _place(training.get("image"))
    facts.put(f"{JOB}.training_environment.container_image", [image] if image else [], source)
    # MLflow's NaN is a text here; it is told of, and left out.
    metrics = dict(training.get("metrics") or {})
    facts.put(f"{JOB}.training_metrics", [{"name": k, "value": v} for k, v in metrics.items()], source)
    parameters = dict(training.get("parameters") or {})
    facts.put(
        f"{JOB}.hyper_parameters", [{"name": k, "value": _spelled(v)} for k, v in parameters.items()], source
    )
    for key, name in (
        ("training code", "code"),
        ("training started", "started"),
        ("training ended", "ended"),
        ("training experiment", "experiment"),
        ("training dependencies", "environment"),
        ("training instances", "instances"),
        ("billable seconds", "billable_seconds"),
    ):
        facts.put(f"additional_information.custom_details.{key}", _place(training.get(name)), source)


def _put_extensions(facts: Facts, version: Version, source: str) -> None:
    signature = (version.origin or {}).get("schema")
    if isinstance(signature, dict) and len(json.dumps(signature)) <= 20_000:
        facts.put("extensions.io.signature", signature, source)
    sets = []
    for item in version.training.get("data") or ():
        if not isinstance(item, dict) or not (item.get("name") or item.get("uri")):
            continue
        one = {
            "name": str(item.get("name") or item["uri"])[:255],
            "uri": item.get("uri"),
            "digest": item["digest"] if str(item.get("digest") or "").startswith("sha256:") else None,
            "split": str(item["role"])[:255] if item.get("role") else None,
            "n_rows": item["rows"] if isinstance(item.get("rows"), int) else None,
        }
        sets.append({key: value for key, value in one.items() if value is not None})
    facts.put("extensions.data", sets[:50], source)


def _place(item: Any) -> str | None:
    """Return how a person finds a thing: its URI, or its name."""
    if isinstance(item, dict):
        item = item.get("uri") or item.get("arn") or item.get("name") or item.get("id") or item.get("commit")
    return None if item in (None, "") else _spelled(item)


def _spelled(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _number(version: str) -> int | float | None:
    """Return a version that is a number, and is spelt as the number is: 1.10 is not 1.1."""
    if not version.isascii():
        return None
    if version.isdecimal():
        return int(version) if str(int(version)) == version and 1 <= int(version) < 1 << 53 else None
    try:
        number = float(version)
    except ValueError:
        return None
    return number if repr(number) == version and 1 <= number < 1 << 53 else None
