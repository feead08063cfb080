"""Upkeep of labels: many files made one, labels forgotten, old ones removed, all checked."""

from __future__ import annotations

import hashlib
import json
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from driftline.capture.label_files import FOLDER, REFUSED, replace, set_aside
from driftline.capture.labels import Refused
from driftline.capture.layout import STATE
from driftline.capture.tables import HOUR, one_table
from driftline.errors import SourceError
from driftline.files import read_regular

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from driftline.capture.archive import Archive
    from driftline.capture.manifest import Segment

__all__ = ["check_labels", "compact_labels", "erase_labels", "expire_labels", "refused_labels"]

_EVER = 1 << 62


def compact_labels(archive: Archive, *, endpoint: str | None = None, least: int = 2) -> int:
    """Make the label files of every hour one, where there are at least `least`; returns how many files went.

    Every label stays, with its moment of import.

    Raises
    ------
    SourceError, UsageError
    """
    hours: dict[tuple[str, str, int], list[Segment]] = {}
    for segment in archive.manifest.segments("labels", endpoint=endpoint):
        hours.setdefault((segment.endpoint, segment.variant, segment.hour), []).append(segment)
    n = 0
    with archive.upkeep():
        for key, segments in hours.items():
            if len(segments) < max(2, least):
                continue
            table = one_table([archive.read(s) for s in segments])
            if replace(archive, key, segments, table.sort_by("_imported")):
                n += len(segments) - 1
    archive.publish()
    return n


def erase_labels(
    archive: Archive,
    *,
    event_ids: Collection[str] = (),
    inference_ids: Collection[str] = (),
    failures: list[SourceError] | None = None,
) -> int:
    """Forget the labels of events, at once; to be called before the events themselves are erased.

    A label is forgotten where its id is one of these, or the other id of a captured event that has one of these.

    Parameters
    ----------
    archive : Archive
    event_ids, inference_ids : collection of str
    failures : list, optional
        Takes what is wrong with files that cannot be read, and the others are gone through; otherwise the first one is
        raised.

    Returns
    -------
    int
        How many labels were forgotten.

    Raises
    ------
    SourceError, UsageError, OSError
    """
    if failures is None:
        archive.seal_logs()
    with archive.upkeep():
        n = _erased(archive, set(event_ids), set(inference_ids), failures)
    archive.publish()
    return n


def _readable(
    archive: Archive, kind: str, columns: list[str], failures: list[SourceError] | None
) -> Iterator[tuple[Segment, pa.Table]]:
    for segment in archive.manifest.segments(kind):
        try:
            table = archive.read(segment, columns)
        except SourceError as error:
            if failures is None:
                raise
            failures.append(error)
        else:
            yield segment, table


def _erased(
    archive: Archive, event_ids: set[str], inference_ids: set[str], failures: list[SourceError] | None
) -> int:
    events, callers = _both_ids(archive, event_ids, inference_ids, failures)
    wanted = {
        "event_id": pa.array(sorted(events), pa.string()),
        "inference_id": pa.array(sorted(callers), pa.string()),
        "auto": pa.array(sorted(events | callers), pa.string()),
    }
    n = 0
    for segment, told in _readable(archive, "labels", ["_key"], failures):
        hit = pc.is_in(told["_key"], wanted[segment.variant])
        gone = pc.sum(hit).as_py() or 0
        if not gone:
            continue
        key = (segment.endpoint, segment.variant, segment.hour)
        counts = {(segment.endpoint, "", "labels erased", ""): gone}
        if replace(archive, key, [segment], archive.read(segment).filter(pc.invert(hit)), counts):
            n += gone
    n += _erase_refused(archive, events | callers)
    # What was erased may also lie in files that are only kept for those who have just been told of them.
    with archive.alone():
        for kind, path in archive.manifest.superseded(_EVER):
            if kind == "labels":
                archive.target.remove(path)
                archive.manifest.forget([path])
    _remove_stray(archive)
    return n


def _remove_stray(archive: Archive) -> None:
    """Remove the label files that a crash has left, from a folder that belongs to this state alone."""
    if not archive.target.is_local or archive.state != Path(archive.target.name) / STATE:
        return
    # Whoever writes labels is alone until they are in the manifest, or keeps others from upkeep.
    with archive.alone():
        known = archive.manifest.known()
        for path in archive.target.paths(FOLDER):
            if path not in known:
                archive.target.remove(path)
        for file in archive.quarantine.glob("*" + REFUSED):
            if file.name not in known:
                file.unlink(missing_ok=True)


def _both_ids(
    archive: Archive, event_ids: set[str], inference_ids: set[str], failures: list[SourceError] | None
) -> tuple[set[str], set[str]]:
    events, callers = pa.array(sorted(event_ids), pa.string()), pa.array(sorted(inference_ids), pa.string())
    # What cannot be read is told once, by whoever erases the events.
    unread: list[SourceError] | None = None if failures is None else []
    for _, told in _readable(archive, "events", ["_event_id", "_inference_id"], unread):
        hit = pc.or_(
            pc.is_in(told["_event_id"], events),
            pc.fill_null(pc.is_in(told["_inference_id"], callers, skip_nulls=True), False),
        )
        found = told.filter(hit)
        event_ids |= set(found["_event_id"].to_pylist())
        inference_ids |= set(found["_inference_id"].drop_null().to_pylist())
    return event_ids, inference_ids


def _erase_refused(archive: Archive, ids: set[str]) -> int:
    n = 0
    for segment in archive.manifest.segments("refused labels"):
        data = read_regular(archive.quarantine / segment.path, max_bytes=1 << 40)
        lines = data.decode().splitlines()
        kept = [line for line in lines if json.loads(line)["key"] not in ids]
        gone = len(lines) - len(kept)
        if not gone:
            continue
        name = uuid.uuid4().hex + REFUSED
        add = [set_aside(archive, name, kept, segment.endpoint)] if kept else []
        counts = {(segment.endpoint, "", "labels erased", ""): gone}
        with archive.alone():
            done = archive.manifest.commit(add=add, supersede=[segment], counts=counts, now=archive.clock())
        if done:
            n += gone
            (archive.quarantine / segment.path).unlink(missing_ok=True)
            archive.manifest.forget([segment.path])
    return n


def expire_labels(archive: Archive, *, before: int, endpoint: str | None = None) -> int:
    """Remove the hours of labels that end before a time, in microseconds since 1970-01-01 UTC; returns how many went."""
    n = 0
    for segment in archive.manifest.segments("labels", endpoint=endpoint):
        if (segment.hour + 1) * HOUR <= before:
            counts = {(segment.endpoint, "", "labels expired", ""): segment.rows}
            with archive.alone():
                done = archive.manifest.commit(supersede=[segment], counts=counts, now=archive.clock())
            n += segment.rows if done else 0
    archive.publish()
    return n


def refused_labels(archive: Archive, endpoint: str | None = None) -> Iterator[Refused]:
    """List the labels that cannot be read."""
    for segment in archive.manifest.segments("refused labels", endpoint=endpoint):
        data = read_regular(archive.quarantine / segment.path, max_bytes=1 << 40)
        for line in data.decode().splitlines():
            held = json.loads(line)
            del held["endpoint"]
            yield Refused(**held)


def check_labels(archive: Archive) -> list[tuple[str, str]]:
    """Verify every file of labels and of refused labels; returns files and what is wrong with them."""
    faults = []
    for segment in archive.manifest.segments("labels"):
        try:
            table = archive.read(segment)
            table.validate(full=True)
            if table.num_rows != segment.rows:
                faults.append((archive.target.shown(segment.path), "has other rows than the manifest says"))
        except (SourceError, pa.ArrowException) as error:
            message = error.message if isinstance(error, SourceError) else str(error)
            faults.append((archive.target.shown(segment.path), message))
    for segment in archive.manifest.segments("refused labels"):
        path = archive.quarantine / segment.path
        if not path.exists():
            faults.append((str(path), "is in the manifest and not there"))
        elif hashlib.sha256(path.read_bytes()).hexdigest() != segment.sha256:
            faults.append((str(path), "is not what was written: its digest is another"))
    return faults
