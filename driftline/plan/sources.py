"""Sources: the files that a declaration speaks of, as they are now: sizes and digests."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from driftline.errors import DriftlineError, InputError
from driftline.files import digest, read_regular

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from driftline.capture.blob import Blob
    from driftline.configuration.specs import Configuration, VersionSpec

__all__ = ["artifacts_of", "data_of", "model_file_of", "script_of", "trained_on"]

MAX_MODEL = 4 << 30
MAX_SCRIPT = 1 << 20
_MOST_FILES = 100_000


def artifacts_of(
    configuration: Configuration, spec: VersionSpec, *, field: str, is_known: bool
) -> list[dict[str, Any]] | None:
    """Describe the artifact of a version.

    Parameters
    ----------
    configuration : Configuration
    spec : VersionSpec
    field : str
        Where it stands in the file, for errors.
    is_known : bool
        Whether the registry has artifacts of this version: then the files need not be here.

    Returns
    -------
    list of dict or None
        ``name``, ``uri``, ``digest``, ``size``; None where nothing is said of it, or it is not here and known.

    Raises
    ------
    InputError
        ``E-FILE``: it is neither here nor known; ``E-DIGEST``: it is not the file that the declaration speaks of.
    """
    from driftline.registry.artifacts import artifact_of
    from driftline.registry.importing.found import files_of, local_path

    if spec.artifact is None:
        return None
    name = spec.artifact.rstrip("/").rpartition("/")[2] or spec.artifact
    path = local_path(configuration.place(spec.artifact))
    declared = {"name": name, "uri": spec.artifact, "digest": spec.artifact_digest, "size": None}
    if path is None:
        return [declared]
    if path.is_dir():
        if spec.artifact_digest is not None:
            raise InputError(
                "is a folder, which has no digest of its own",
                code="E-DIGEST",
                file=path,
                field=f"{field}.digest",
                fix="leave the digest out: those of its files are kept",
            )
        return [one.document() for one in files_of(path, spec.artifact)]
    if not path.exists():
        if spec.artifact_digest is not None:
            return [declared]
        if is_known:
            return None
        raise InputError(
            "does not exist",
            code="E-FILE",
            file=path,
            field=f"{field}.artifact",
            fix="check the path, or declare the artifact's digest",
        )
    found = artifact_of(path, name=name, uri=spec.artifact)
    if spec.artifact_digest not in (None, found["digest"]):
        raise InputError(
            f"is not the file that is declared: its digest is {found['digest']}",
            code="E-DIGEST",
            file=path,
            field=f"{field}.digest",
            fix="correct the digest, or fetch the right file",
        )
    return [found]


def trained_on(configuration: Configuration, data: Iterable[str]) -> list[dict[str, Any]]:
    """Describe training data: with digests where they lie on this machine, by name alone where not."""
    from driftline.capture.find import everything

    made = []
    for text in data:
        place = configuration.place(text)
        if "://" in place:
            made.append({"uri": text})
            continue
        try:
            blobs = [blob for _, blob in everything([place])]
        except DriftlineError:
            # The machine that applies need not have what the model was trained on.
            made.append({"uri": text})
            continue
        made.append(_described(text, blobs, configuration))
    return made


def data_of(configuration: Configuration, data: Sequence[str], kind: str | None) -> list[dict[str, Any]]:
    """Describe the data of a baseline, so that it can be told whether they are still the same.

    Objects of a store count as changed where their names or sizes change: nothing is fetched to find out.

    Raises
    ------
    SourceError
    """
    from driftline.capture.find import find

    return [_described(text, find([configuration.place(text)], kind).blobs, configuration) for text in data]


def _described(text: str, blobs: Sequence[Blob], configuration: Configuration) -> dict[str, Any]:
    from driftline.registry.artifacts import artifact_of

    size = sum(blob.size for blob in blobs)
    if any(blob.remote for blob in blobs):
        listed = hashlib.sha256()
        for blob in sorted(blobs, key=lambda b: b.name):
            listed.update(f"{len(blob.name)}:{blob.name}:{blob.size};".encode("utf-8", "surrogateescape"))
        return {"uri": text, "listing": "sha256:" + listed.hexdigest(), "size": size, "files": len(blobs)}
    if len(blobs) == 1 and Path(configuration.place(text)).is_file():
        found = artifact_of(blobs[0].path)
        return {"uri": text, "digest": found["digest"], "size": found["size"]}
    if len(blobs) > _MOST_FILES:
        raise InputError(
            f"means {len(blobs):,} files", code="E-FILE", file=text, fix=f"name at most {_MOST_FILES:,}"
        )
    folder = Path(configuration.file or ".").absolute().parent
    whole = hashlib.sha256()
    named = {os.path.relpath(blob.path, folder): blob for blob in blobs}
    for name in sorted(named):
        one = artifact_of(named[name].path)["digest"]
        whole.update(f"{len(name)}:{name}:{one};".encode("utf-8", "surrogateescape"))
    return {"uri": text, "digest": "sha256:" + whole.hexdigest(), "size": size, "files": len(blobs)}


def model_file_of(configuration: Configuration, text: str, field: str) -> tuple[str, bytes]:
    """Read the file of a model that is to be explained; as :func:`script_of`."""
    content = _local(configuration, text, field, MAX_MODEL)
    suffix = PurePath(text).suffix.lower()
    known = suffix if re.fullmatch(r"\.[a-z0-9]{1,10}", suffix) else ".model"
    return f"models/{digest(content).removeprefix('sha256:')}{known}", content


def script_of(configuration: Configuration, text: str, field: str) -> tuple[str, bytes]:
    """Read a preprocessor.

    Returns
    -------
    (str, bytes)
        Where the workspace keeps it, by its content, and what it is.
    """
    content = _local(configuration, text, field, MAX_SCRIPT)
    return f"preprocessors/{digest(content).removeprefix('sha256:')}.py", content


def _local(configuration: Configuration, text: str, field: str, most: int) -> bytes:
    place = configuration.place(text)
    if "://" in place:
        raise InputError(
            "is on an object store; code is taken from this machine only",
            code="E-FILE",
            file=place,
            field=field,
            fix="give a path",
        )
    try:
        return read_regular(place, max_bytes=most)
    except InputError as error:
        raise InputError(
            error.message, code=error.code, file=error.file, field=field, fix="check the path"
        ) from None
