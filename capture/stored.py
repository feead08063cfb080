"""Reading captures as data: which files of a store are to be seen, and which of their columns are features.

A folder of captures is read by its manifest: files that were replaced by a larger one, or that a crash has left, are not
looked at. Of the columns those about the event (``_event_id``, ``_time``, …) are no features, and are left out unless they
are asked for.
"""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING

from driftline.capture.failure import reading
from driftline.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from driftline.capture.blob import Blob
    from driftline.capture.source import Field

__all__ = ["CAPTURE", "FACTS", "features", "visible", "visible_objects"]

CAPTURE = b"driftline.capture"
"""Key in the metadata of a Parquet file that driftline has written as a segment."""

FACTS = frozenset(
    (
        "_event_id",
        "_row",
        "_time",
        "_received",
        "_side",
        "_inference_id",
        "_model_version",
        "_attributes",
    )
)
"""Columns about the event."""

_STATE = ".driftline"
_SEGMENT = re.compile(r"(.*)/([^/]+)/[^/]+/date=\d{4}-\d\d-\d\d/hour=\d\d/[^/]+\.parquet", re.DOTALL)
_POSITION = re.compile(r"(_c)(\d+)|prediction(?:_(\d+))?")


def visible(files: Iterable[str], folder: str | None = None) -> list[str]:
    """Leave out files of captures that are not to be seen.

    Parameters
    ----------
    files : iterable of str
        Paths; those in no captures are kept.
    folder : str, optional
        Where all below it was asked for, so that what is missing can be told.

    Raises
    ------
    SourceError
        ``E-DIGEST`` where a file that is to be seen is gone, ``E-MANIFEST``.
    """
    roots: dict[str, str | None] = {}
    shown: dict[str, set[str]] = {}
    kept = []
    asked = None if folder is None else _root_of(os.path.abspath(folder), roots)  # noqa: PTH100
    if asked is not None:
        shown[asked] = _shown(asked)
    for file in files:
        path = os.path.abspath(file)  # noqa: PTH100
        root = _root_of(os.path.dirname(path), roots)  # noqa: PTH120
        if root is not None:
            if root not in shown:
                shown[root] = _shown(root)
            if path not in shown[root]:
                continue
        kept.append(file)
    if asked is not None:
        below = os.path.abspath(folder or "") + os.sep  # noqa: PTH100
        there = {os.path.abspath(file) for file in kept}  # noqa: PTH100
        gone = sorted(path for path in shown[asked] if path.startswith(below) and path not in there)
        if gone:
            raise SourceError(
                "is in the manifest and not there",
                code="E-DIGEST",
                file=gone[0],
                fix="restore it from a backup",
            )
    return kept


def _root_of(folder: str, roots: dict[str, str | None]) -> str | None:
    """Find the captures that a folder lies in."""
    found: str | None = None
    passed = []
    while folder not in roots:
        passed.append(folder)
        if os.path.exists(os.path.join(folder, _STATE, "manifest.db")):  # noqa: PTH110, PTH118
            found = folder
            break
        above = os.path.dirname(folder)  # noqa: PTH120
        if above == folder:
            break
        folder = above
    else:
        found = roots[folder]
    roots.update(dict.fromkeys(passed, found))
    return found


def _shown(root: str) -> set[str]:
    from pathlib import Path

    from driftline.capture.manifest import Manifest

    manifest = Manifest(Path(root) / _STATE / "manifest.db")
    return {os.path.join(root, *s.path.split("/")) for s in manifest.segments()}  # noqa: PTH118


def visible_objects(blobs: Sequence[Blob]) -> list[Blob]:
    """Leave out objects of captures that are not to be seen, as the manifests beside them tell.

    Raises
    ------
    SourceError
        ``E-MANIFEST`` for a manifest that is none, ``E-FILE`` or ``E-SOURCE`` where one cannot be read.
    """
    shown: dict[tuple[str, str], set[str] | None] = {}
    kept = []
    for blob in blobs:
        found = _SEGMENT.fullmatch(blob.path)
        if found is not None:
            key = (found[1], found[2])
            if key not in shown:
                shown[key] = _told(blob, *key)
            told = shown[key]
            if told is not None and blob.path not in told:
                continue
        kept.append(blob)
    return kept


def _told(blob: Blob, root: str, endpoint: str) -> set[str] | None:
    """Return the objects of an endpoint that are to be seen, None where no manifest tells."""
    from pyarrow import fs

    below = f"{root}/{_STATE}/manifest/{endpoint}"
    with reading(blob.name):
        infos = blob.store.get_file_info(fs.FileSelector(below, recursive=True, allow_not_found=True))
    paths = sorted(info.path for info in infos if info.type == fs.FileType.File)
    if not paths:
        return None
    told: set[str] = set()
    for path in paths:
        with reading(path), blob.store.open_input_file(path) as file:
            data = file.read()
        try:
            told.update(f"{root}/{segment['path']}" for segment in json.loads(data)["segments"])
        except (ValueError, KeyError, TypeError):
            raise SourceError("is no manifest of driftline", code="E-MANIFEST", file=path) from None
    return told


def features(fields: Sequence[Field], keep: Collection[str] = ()) -> tuple[list[int], bool]:
    """Choose the columns of captures that are features.

    Parameters
    ----------
    fields : sequence of Field
    keep : collection of str
        Columns of :data:`FACTS` to keep; they stand last.

    Returns
    -------
    positions : list of int
        Where no body had names, predictions come first, then inputs, as in SageMaker's own files.
    named : bool
        Whether any body had names.
    """
    chosen = [at for at, field in enumerate(fields) if field.name not in FACTS]
    kept = [at for at, field in enumerate(fields) if field.name in FACTS and field.name in keep]
    places = {at: _POSITION.fullmatch(fields[at].name) for at in chosen}
    unnamed = all(places.values()) and any(place and place[1] for place in places.values())
    if unnamed:
        chosen.sort(key=lambda at: _place(places[at]))
    return chosen + kept, not unnamed


def _place(found: re.Match[str] | None) -> tuple[bool, int]:
    assert found is not None
    return bool(found[1]), int(found[2] or found[3] or 0)
