"""Bring your own: a model that lies in files, told of by whoever has it."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from driftline.registry import models
from driftline.registry.importing.found import Found, found_in
from driftline.registry.importing.imported import Draft, Imported, declare, serve

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping, Sequence

    from driftline.registry.store import Tx

__all__ = ["FRAMEWORKS", "bring_your_own"]

FRAMEWORKS = {
    ".bst": "xgboost",
    ".cbm": "catboost",
    ".gguf": "gguf",
    ".keras": "keras",
    ".lgb": "lightgbm",
    ".onnx": "onnx",
    ".pmml": "pmml",
    ".pt": "pytorch",
    ".pth": "pytorch",
    ".safetensors": "safetensors",
    ".skops": "scikit-learn",
    ".tflite": "tensorflow-lite",
    ".ubj": "xgboost",
    ".xgb": "xgboost",
}
"""What the end of an artifact's name says it was made with. Nothing is opened; endings that several share are left out."""


def bring_your_own(
    tx: Tx,
    *,
    model: str,
    version: str | None = None,
    artifacts: Iterable[str | os.PathLike[str] | Mapping[str, Any]] = (),
    training_data: Iterable[str | os.PathLike[str] | Mapping[str, Any]] = (),
    owner: str | None = None,
    description: str | None = None,
    risk_rating: str | None = None,
    tags: Mapping[str, str] | None = None,
    aliases: Sequence[str] | None = None,
    job: str | None = None,
    code: str | None = None,
    image: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    metrics: Mapping[str, float] | None = None,
    created: int | None = None,
    endpoint: str | None = None,
) -> Imported:
    """Write down a version of a model from what you have, and fill in the rest.

    Parameters
    ----------
    model : str
        Declared where it is not there.
    version : str, optional
        Without it, that which has these artifacts already, or else the next whole number.
    artifacts, training_data : iterable of path, URI or mapping
        Local files and folders are read for sizes and digests; of URIs such as ``s3://…`` only the text is kept, or what a
        mapping (``uri``, ``name``, ``digest``, ``size``) says.
    owner, description, risk_rating, tags, aliases
        As in :func:`driftline.registry.models.declare` and :func:`~driftline.registry.models.declare_version`; tags are
        the version's.
    job, code, image, parameters, metrics
        How it was trained.
    created : int, optional
        Microseconds since 1970-01-01 UTC; that of the newest artifact where not given.
    endpoint : str, optional
        What serves this version from now on.

    Returns
    -------
    Imported

    Raises
    ------
    InputError
        ``E-FILE``.
    RegistryError
        ``E-VERSION-CHANGED``: the version has other artifacts.
    UsageError
    """
    files, data = found_in(artifacts, "artifacts"), found_in(training_data, "training_data")
    said: dict[str, Any] = {
        "job": job,
        "code": code,
        "image": image,
        "parameters": dict(parameters or {}),
        "metrics": dict(metrics or {}),
        "data": [{key: value for key, value in one.document().items() if value is not None} for one in data],
    }
    training = {key: value for key, value in said.items() if value}
    draft = Draft(
        version or _version_with(tx, model, files),
        artifacts=[file.document() for file in files],
        training=training,
        aliases=None if aliases is None else list(aliases),
        tags=dict(tags or {}),
        created=max((file.modified for file in files if file.modified is not None), default=None)
        if created is None
        else created,
        given={f"training.{key}" for key in training} | {"artifacts"},
    )
    framework = _framework(files)
    if framework and "framework" not in draft.tags:
        draft.tags["framework"] = framework
    given = {
        name
        for name, value in (
            ("owner", owner),
            ("description", description),
            ("tags", tags),
            ("aliases", aliases),
        )
        if value
    }
    if "framework" in (tags or {}):
        given.add("framework")
    if version is not None:
        given.add("version")
    if created is not None:
        given.add("created")
    imported = declare(
        tx,
        model,
        [draft],
        owner=owner,
        description=description,
        risk_rating=risk_rating,
        given=frozenset(given),
    )
    if endpoint is not None:
        changed = serve(tx, endpoint, model, draft.version)
        return Imported(imported.model, imported.versions, imported.changed or changed, imported.notes)
    return imported


def _version_with(tx: Tx, model: str, files: Sequence[Found]) -> str:
    """Return the version that has these files, or the next whole number."""
    if models.find(tx, model) is None:
        return "1"
    there = models.versions(tx, model)
    digests = sorted((file.name, file.digest or "") for file in files)
    if digests and all(digest for _, digest in digests):
        for one in reversed(there):
            if sorted((a["name"], a["digest"] or "") for a in one.artifacts) == digests:
                return one.version
    return str(1 + max((int(one.version) for one in there if one.version.isdecimal()), default=0))


def _framework(files: Sequence[Found]) -> str | None:
    found = {FRAMEWORKS.get(PurePosixPath(file.name).suffix.lower()) for file in files} - {None}
    return found.pop() if len(found) == 1 else None
