"""Manifests of SageMaker's batch jobs: a JSON list of a prefix and the names below it.

::

    [{"prefix": "s3://bucket/input/"}, "part-0.csv", "part-1.csv"]

Batch Transform writes one for its inputs and one for its outputs, below ``input/yyyy/mm/dd/hh/`` and
``output/yyyy/mm/dd/hh/``; the time is that of the start of the job. A prefix without a scheme is a folder, beside the
manifest where it is relative. Names stay below their prefix, and a manifest on an object store names objects only.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from driftline.capture.blob import Blob, local_blob
from driftline.capture.failure import reading
from driftline.capture.find import shown
from driftline.documents import decode
from driftline.errors import DocumentError, InputError, SourceError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Member", "hour_of", "is_output", "members", "other_side"]

_MAX = 64 << 20
_HOUR = re.compile(r"(?:^|/)(?:(input|output)/)?(\d{4})/(\d\d)/(\d\d)/(\d\d)(?:/[^/]*)?$")
_SIDE = re.compile(r"(.*(?:^|/)|)input/(\d{4}/\d\d/\d\d/\d\d)(?:/[^/?]*)?(?:\?.*)?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Member:
    """A file of a batch job.

    Attributes
    ----------
    blob : Blob
    key : str
        Its name below the folder, prefix or manifest that it was found by; pairs inputs with outputs.
    """

    blob: Blob
    key: str


def hour_of(path: str) -> int | None:
    """Return the hour that a path ends in, in microseconds since 1970-01-01 UTC, or None."""
    found = _HOUR.search(path)
    if found is None:
        return None
    try:
        moment = datetime(*(int(part) for part in found.groups()[1:]), tzinfo=UTC)  # type: ignore[arg-type,misc]
    except ValueError:
        return None
    return int(moment.timestamp()) * 1_000_000


def is_output(path: str) -> bool:
    """Tell whether a path lies in ``output/yyyy/mm/dd/hh``."""
    found = _HOUR.search(path)
    return found is not None and found[1] == "output"


def other_side(path: str) -> str | None:
    """Return where the manifests of the outputs would be, of those of inputs; None where the path does not tell."""
    found = _SIDE.fullmatch(path)
    return None if found is None else f"{found[1]}output/{found[2]}/"


def members(blob: Blob, options: str = "") -> list[Member] | None:
    """Return the files that a manifest names, or None where the file is no manifest.

    Parameters
    ----------
    blob : Blob
    options : str
        Options of object stores, as they stand behind ``?`` in a URL.

    Raises
    ------
    SourceError
        ``E-BATCH-MANIFEST`` for a manifest that is malformed, names what is not there, or leaves its prefix.
    """
    if blob.size > _MAX:
        return None
    head = next(blob.chunks(256), b"")
    if not head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"["):
        return None
    try:
        listed = decode(b"".join(blob.chunks()), file=blob.name)
    except DocumentError:
        return None
    if not isinstance(listed, list) or not listed or not _is_prefix(listed[0]):
        return None
    prefix = listed[0]["prefix"]
    names = listed[1:]
    for name in names:
        if not isinstance(name, str) or not _stays_below(name):
            raise _refused(blob, f"names {name!r}, which is not the name of a file below its prefix")
    if not names:
        raise _refused(blob, "names no file")
    if "://" in prefix and not prefix.startswith("file://"):
        return _remote(blob, prefix, names, options)
    if blob.remote:
        raise _refused(blob, f"lies on an object store, but its prefix {prefix!r} does not")
    folder = os.path.join(os.path.dirname(os.path.abspath(blob.path)), prefix.removeprefix("file://"))  # noqa: PTH100, PTH118, PTH120
    found = []
    for name in names:
        try:
            found.append(Member(local_blob(os.path.join(folder, name)), name))  # noqa: PTH118
        except InputError as error:
            raise _refused(blob, f"names {error.file}, which {error.message}") from None
    return found


def _is_prefix(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("prefix"), str)


def _stays_below(name: str) -> bool:
    parts = name.split("/")
    return bool(name) and "\0" not in name and "\\" not in name and not {"", ".", ".."} & set(parts)


def _remote(blob: Blob, prefix: str, names: Sequence[str], options: str) -> list[Member]:
    from pyarrow import fs

    from driftline.capture.store import opened_store

    url = prefix.rstrip("/") + ("" if "?" in prefix or not options else f"?{options}")
    store, base, place = opened_store(url)
    paths = [f"{base}/{name}" for name in names]
    with reading(shown(prefix), code="E-STORE"):
        infos = store.get_file_info(paths)
    found = []
    for name, info in zip(names, infos, strict=True):
        if info.type != fs.FileType.File:
            raise _refused(blob, f"names {place}/{name}, which does not exist")
        found.append(Member(Blob(f"{place}/{name}", info.path, info.size, store), name))
    return found


def _refused(blob: Blob, message: str) -> SourceError:
    return SourceError(
        message,
        code="E-BATCH-MANIFEST",
        file=blob.name,
        fix="give the files themselves, or write the manifest again",
    )
