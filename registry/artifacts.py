"""Artifacts: the files that a version of a model consists of. They never change under its name."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driftline.errors import InputError, UsageError, printable
from driftline.registry.database import RegistryError
from driftline.registry.given import check_digest, check_no_secrets, check_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from driftline.registry.models import Version

__all__ = ["artifact_of", "check_artifacts", "completed"]

MOST_ARTIFACTS = 1000


def artifact_of(
    path: str | os.PathLike[str], *, name: str | None = None, uri: str | None = None
) -> dict[str, Any]:
    """Describe a file that a version consists of; it is read as a stream.

    Parameters
    ----------
    path : path
        A regular file.
    name : str, optional
        Of the artifact; that of the file where not given.
    uri : str, optional
        Where it is to be found; the path as given where not given.

    Returns
    -------
    dict
        ``name``, ``uri``, ``digest``, ``size``.

    Raises
    ------
    InputError
        ``E-FILE``.
    """
    given = os.fspath(path)
    made, size = hashlib.sha256(), 0
    try:
        # Opened without waiting: a pipe must not hang us.
        descriptor = os.open(given, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise InputError("is not a regular file", code="E-FILE", file=given, fix="name a file")
            while block := file.read(1 << 20):
                made.update(block)
                size += len(block)
    except FileNotFoundError:
        raise InputError("does not exist", code="E-FILE", file=given, fix="check the path") from None
    except IsADirectoryError:
        raise InputError("is a folder", code="E-FILE", file=given, fix="name each file in it") from None
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"cannot be read: {getattr(error, 'strerror', None) or error}", code="E-FILE", file=given
        ) from None
    digest = "sha256:" + made.hexdigest()
    return {"name": name or Path(given).name, "uri": uri or given, "digest": digest, "size": size}


def check_artifacts(given: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return artifacts by name, with all four keys.

    Raises
    ------
    UsageError
        ``E-ARTIFACT``, ``E-DIGEST``, ``E-TEXT``, ``E-SECRET``.
    """
    made = [_artifact(one) for one in given]
    if len(made) > MOST_ARTIFACTS:
        raise _bad(f"{len(made):,} artifacts are too many for a version", "name the archive that holds them")
    for key in ("name", "uri"):
        seen: set[str] = set()
        for one in made:
            if one[key] in seen:
                raise _bad(f"two artifacts have the {key} {printable(one[key], 80)!r}", "name each once")
            seen.add(one[key])
    return sorted(made, key=lambda one: str(one["name"]))


def _artifact(given: Mapping[str, Any]) -> dict[str, Any]:
    one = dict(given)
    unknown = sorted(set(one) - {"name", "uri", "digest", "size"})
    if unknown or not one.get("uri"):
        raise _bad(
            f"unknown key {printable(repr(unknown[0]), 60)}" if unknown else "the artifact has no uri",
            "an artifact has uri, name, digest and size",
        )
    uri = check_words("artifacts.uri", one["uri"])
    check_no_secrets("artifacts.uri", uri)
    name = check_words("artifacts.name", one.get("name") or uri.rstrip("/").rpartition("/")[2], most=256)
    digest, size = one.get("digest"), one.get("size")
    if digest is not None:
        check_digest("artifacts.digest", digest)
    if size is not None and (not isinstance(size, int) or isinstance(size, bool) or not 0 <= size < 1 << 62):
        raise _bad(f"{printable(repr(size), 60)} is no size in bytes", "give a whole number")
    return {"name": name, "uri": uri, "digest": digest, "size": size}


def _bad(message: str, fix: str) -> UsageError:
    return UsageError(message, code="E-ARTIFACT", field="artifacts", fix=fix)


def completed(before: Version, wanted: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the artifacts of a version with what is known now.

    Raises
    ------
    RegistryError
        ``E-VERSION-CHANGED``: `wanted` may be other bytes than those of the version.
    """
    result = []
    by_name = {str(one["name"]): one for one in wanted}
    by_uri = {str(one["uri"]): one for one in wanted}
    known = set()
    for old in before.artifacts:
        new = by_name.get(old["name"]) or by_uri.get(old["uri"])
        if new is None or new["name"] in known:
            raise _changed(before, f"{old['name']} is no longer among its artifacts")
        if None not in (old["digest"], new["digest"]):
            if old["digest"] != new["digest"]:
                raise _changed(
                    before, f"{old['name']} has another digest ({new['digest']}, was {old['digest']})"
                )
        elif old["uri"] != new["uri"]:
            raise _changed(before, f"{old['name']} lies elsewhere, and no digest says that it is the same")
        if None not in (old["size"], new["size"]) and old["size"] != new["size"]:
            raise _changed(before, f"{old['name']} has {new['size']:,} bytes, had {old['size']:,}")
        known.add(new["name"])
        facts = {key: old[key] if new[key] is None else new[key] for key in ("digest", "size")}
        result.append({"name": new["name"], "uri": new["uri"], **facts})
    result += [dict(one) for one in wanted if one["name"] not in known]
    return sorted(result, key=lambda one: str(one["name"]))


def _changed(before: Version, why: str) -> RegistryError:
    return RegistryError(
        f"version {before.version} of {before.model} is not what it was: {printable(why, 400)}",
        code="E-VERSION-CHANGED",
        fix="declare a new version: what was served under the old one must stay known",
    )
