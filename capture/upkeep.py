"""Upkeep of a capture store: small files made one, old hours removed, people forgotten, quarantine replayed, all checked.

Each of these makes its change visible in one transaction of the manifest. Files that are no longer to be seen stay for ten
minutes, for those who have just been told of them; those that hold what must be forgotten go at once.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from driftline.capture import wal
from driftline.capture.arrays import text_array
from driftline.capture.erasures import digests
from driftline.capture.event import Event
from driftline.capture.layout import MANIFESTS, STATE, folder_of
from driftline.capture.records import QUARANTINED, rejected_of
from driftline.capture.tables import HOUR, one_table
from driftline.errors import SourceError
from driftline.files import read_regular, write_whole

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from driftline.capture.archive import Archive
    from driftline.capture.manifest import Segment

__all__ = [
    "Compacted",
    "Fault",
    "check",
    "compact",
    "erase",
    "expire",
    "keep_within",
    "quarantined",
    "replay",
    "size_of",
    "sweep",
]

_GRACE = 600 * 1_000_000
_REMEMBERED = 30 * 24 * HOUR
_AT_ONCE = 256 << 20
_EVER = 1 << 62


@dataclass(frozen=True, slots=True)
class Compacted:
    """What :func:`compact` did: how many files became how many, in how many hours of endpoints."""

    hours: int
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Fault:
    """What :func:`check` found.

    Attributes
    ----------
    file : str
    message : str
    is_damage : bool
        False for what is only untidy, such as a file that nobody sees.
    """

    file: str
    message: str
    is_damage: bool = True


def size_of(archive: Archive) -> int:
    """Return the bytes that a store takes, with its logs and quarantine."""
    total = archive.manifest.size()
    for path in archive.waiting_logs():
        with contextlib.suppress(FileNotFoundError):
            total += path.stat().st_size
    return total


def _hours(
    archive: Archive, endpoint: str | None = None
) -> Iterator[tuple[tuple[str, str, int], list[Segment]]]:
    found: dict[tuple[str, str, int], list[Segment]] = {}
    for segment in archive.manifest.segments(endpoint=endpoint):
        found.setdefault((segment.endpoint, segment.variant, segment.hour), []).append(segment)
    yield from found.items()


def compact(archive: Archive, *, endpoint: str | None = None, least: int = 2) -> Compacted:
    """Make the files of every hour one, where there are at least `least`.

    An hour that is larger than 256 MiB becomes several files. The rows, their ids and their order by time stay; columns
    that had several types get the one that holds all.

    Raises
    ------
    SourceError, UsageError
        Where a file cannot be read or written; the hours before are done, that one is as it was.
    """
    hours = before = after = 0
    with archive.upkeep():
        for key, segments in _hours(archive, endpoint):
            if len(segments) < max(2, least):
                continue
            groups = [group for group in _grouped(segments) if len(group) > 1]
            for group in groups:
                if _replace(archive, key, group, one_table([archive.read(s) for s in group])):
                    before += len(group)
                    after += 1
            hours += bool(groups)
    archive.publish()
    return Compacted(hours, before, after)


def _grouped(segments: Sequence[Segment]) -> list[list[Segment]]:
    groups: list[list[Segment]] = [[]]
    size = 0
    for segment in segments:
        if groups[-1] and size + segment.bytes > _AT_ONCE:
            groups.append([])
            size = 0
        groups[-1].append(segment)
        size += segment.bytes
    return groups


def _replace(
    archive: Archive,
    key: tuple[str, str, int],
    old: Sequence[Segment],
    table: pa.Table,
    counts: Counter[tuple[str, str, str, str]] | None = None,
    *,
    at_once: bool = False,
) -> bool:
    """Put a table in the place of segments; False where one of them is gone meanwhile.

    Where it must be done `at_once`, their files go before anybody who seals can look at them again.
    """
    add = []
    if table.num_rows:
        name = hashlib.sha256(
            "\n".join([str(table.num_rows), *(s.sha256 for s in old)]).encode()
        ).hexdigest()[:32]
        n_events = pc.sum(pc.equal(table["_row"], 0)).as_py()
        path = f"{folder_of(*key)}/{name}.parquet"
        if path in archive.manifest.known():
            path = f"{folder_of(*key)}/{name}-{archive.clock()}.parquet"
        add.append(archive.written(path, table, "events", key, n_events))
    with archive.alone():
        done = archive.manifest.commit(add=add, supersede=old, counts=counts, now=archive.clock())
        if done and at_once:
            for segment in old:
                archive.target.remove(segment.path)
            archive.manifest.forget([segment.path for segment in old])
    return done


def erase(archive: Archive, *, event_ids: Collection[str] = (), inference_ids: Collection[str] = ()) -> int:
    """Forget events: what is stored of them, and what lies in quarantine, is rewritten without them, and removed at once.

    So are the labels that came for them.

    Logs are sealed first, so that what is waiting is found too; what a living process has yet to seal is left out, and
    counted as dropped, when it is sealed. A file that cannot be read does not keep the others from being rewritten.
    Files of a folder that nobody sees, such as a crash leaves, go as well.

    Returns
    -------
    int
        How many were forgotten.

    Raises
    ------
    SourceError, UsageError, OSError
    """
    from driftline.capture.label_upkeep import erase_labels

    with archive.alone():
        # Alone, so that what is being sealed either is there below, or learns of this.
        archive.manifest.ask_erasure(digests(event_ids, inference_ids), archive.clock())
    failures: list[SourceError] = []
    try:
        archive.seal_logs()
    except SourceError as error:
        failures.append(error)
    # Before the events, which tell under what other ids their labels came.
    erase_labels(archive, event_ids=event_ids, inference_ids=inference_ids, failures=failures)
    ids, callers = text_array(sorted(event_ids)), text_array(sorted(inference_ids))
    n = 0
    with archive.upkeep():
        for key, segments in _hours(archive):
            for segment in segments:
                try:
                    told = archive.read(segment, ["_event_id", "_inference_id", "_row"])
                except SourceError as error:
                    failures.append(error)
                    continue
                hit = pc.or_(
                    pc.is_in(told["_event_id"], ids),
                    pc.fill_null(pc.is_in(told["_inference_id"], callers, skip_nulls=True), False),
                )
                if not pc.any(hit).as_py():
                    continue
                gone = pc.sum(pc.and_(hit, pc.equal(told["_row"], 0))).as_py()
                counts: Counter[tuple[str, str, str, str]] = Counter({(*key[:2], "erased", ""): gone})
                left = archive.read(segment).filter(pc.invert(hit))
                if _replace(archive, key, [segment], left, counts, at_once=True):
                    n += gone
        n += _erase_quarantine(archive, set(event_ids), set(inference_ids))
        # What was erased may also lie in files that are only kept for those who have just been told of them, whatever
        # the clock said then, and in those that a crash has left.
        _sweep_superseded(archive, _EVER)
        _remove_stray(archive)
    archive.publish()
    if failures:
        first = failures[0]
        more = f", and {len(failures) - 1:,} more" if len(failures) > 1 else ""
        raise SourceError(
            f"{n:,} events were forgotten elsewhere, but not here: {first.message}{more}",
            code=first.code,
            file=first.file,
            fix="restore it, or let its hour expire, and erase again",
        )
    return n


def _erase_quarantine(archive: Archive, event_ids: set[str], inference_ids: set[str]) -> int:
    n = 0
    for segment in archive.manifest.segments("quarantine"):
        path = archive.quarantine / segment.path
        payloads = wal.read_log(read_regular(path, max_bytes=1 << 40)).payloads
        kept, gone = [], Counter[tuple[str, str, str, str]]()
        for payload in payloads:
            held = rejected_of(payload)
            event = Event.unpack(held.event)
            if event.id in event_ids or event.inference_id in inference_ids:
                gone[event.endpoint, event.variant, "erased", ""] += 1
            else:
                kept.append(payload)
        if gone:
            n += gone.total()
            _rewrite_quarantine(archive, segment, kept, gone)
    return n


def _rewrite_quarantine(
    archive: Archive, old: Segment, kept: Sequence[bytes], counts: Counter[tuple[str, str, str, str]]
) -> None:
    add = []
    if kept:
        data = b"".join(map(wal.frame, kept))
        name = f"{old.path.removesuffix(wal.SUFFIX)[:32]}-{archive.clock()}{wal.SUFFIX}"
        write_whole(archive.quarantine / name, data)
        digest = hashlib.sha256(data).hexdigest()
        add.append(
            type(old)(
                name,
                "quarantine",
                "",
                "",
                old.hour,
                len(kept),
                len(kept),
                len(data),
                digest,
                old.first,
                old.last,
            )
        )
    with archive.alone():
        done = archive.manifest.commit(add=add, supersede=[old], counts=counts, now=archive.clock())
    if done:
        (archive.quarantine / old.path).unlink(missing_ok=True)
        archive.manifest.forget([old.path])


def expire(archive: Archive, *, before: int, endpoint: str | None = None) -> int:
    """Remove the hours that end before a time.

    Parameters
    ----------
    archive : Archive
    before : int
        Microseconds since 1970-01-01 UTC.
    endpoint : str, optional

    Returns
    -------
    int
        How many events went.
    """
    n = 0
    with archive.upkeep():
        for key, segments in _hours(archive, endpoint):
            if (key[2] + 1) * HOUR <= before:
                n += _expire(archive, key, segments)
    archive.publish()
    sweep(archive)
    return n


def _expire(archive: Archive, key: tuple[str, str, int], segments: Sequence[Segment]) -> int:
    n = sum(s.events for s in segments)
    with archive.alone():
        done = archive.manifest.commit(
            supersede=segments, counts={(*key[:2], "expired", ""): n}, now=archive.clock()
        )
    return n if done else 0


def keep_within(archive: Archive, budget: int) -> int:
    """Remove the oldest hours until the store takes nine tenths of `budget` bytes; returns how many events went."""
    if size_of(archive) <= budget:
        return 0
    n = 0
    with archive.upkeep():
        _sweep_superseded(archive, _EVER)
        hours = sorted(_hours(archive), key=lambda item: item[0][2])
        for key, segments in hours:
            if size_of(archive) <= budget * 0.9:
                break
            n += _expire(archive, key, segments)
            _sweep_superseded(archive, _EVER)
    archive.publish()
    return n


def replay(archive: Archive) -> tuple[int, int]:
    """Try again what lies in quarantine, after an upgrade or with new names for columns.

    Returns
    -------
    stored : int
        Events that left the quarantine: stored now, or known already.
    kept : int
        Events that still cannot be put in a table.

    Raises
    ------
    SourceError, UsageError, OSError
    """
    stored = kept = 0
    with archive.upkeep():
        for segment in archive.manifest.segments("quarantine"):
            path = archive.quarantine / segment.path
            payloads = wal.read_log(read_regular(path, max_bytes=1 << 40)).payloads
            events = [Event.unpack(rejected_of(payload).event) for payload in payloads]
            done, n_stored, n_kept = archive.sealed_again(segment, events)
            if done:
                stored += n_stored
                kept += n_kept
                if n_stored:
                    path.unlink(missing_ok=True)
                    archive.manifest.forget([segment.path])
    archive.publish()
    return stored, kept


def sweep(archive: Archive) -> None:
    """Remove files that nobody has been told of for ten minutes, and forget which logs were sealed long ago."""
    _sweep_superseded(archive, archive.clock() - _GRACE)
    there = {path.name.removesuffix(wal.SUFFIX) for path in archive.waiting_logs()}
    archive.manifest.forget_erasures(archive.clock() - _REMEMBERED)
    archive.manifest.forget_logs(archive.clock() - _REMEMBERED, there)


def _sweep_superseded(archive: Archive, before: int) -> None:
    gone = archive.manifest.superseded(before)
    if not gone:
        return
    # Alone: a folder that becomes empty goes too, and nobody may be about to write into it.
    with archive.alone():
        for kind, path in gone:
            if kind in MANIFESTS:
                archive.target.remove(path)
            else:
                (archive.quarantine / path).unlink(missing_ok=True)
        archive.manifest.forget([path for _, path in gone])


def _stray(archive: Archive) -> list[str]:
    """List the files of rows that no manifest knows; the caller is alone."""
    known = archive.manifest.known()
    found = [path for path in archive.target.paths("") if path.endswith(".parquet") and path not in known]
    if found and not archive.target.is_local:
        # Other machines write here too.
        for folder in MANIFESTS.values():
            for path in archive.target.paths(folder):
                listed = json.loads(archive.target.read(path).to_pybytes())["segments"]
                known.update(item["path"] for item in listed)
        found = [path for path in found if path not in known]
    return found


def _remove_stray(archive: Archive) -> None:
    """Remove the files that nobody sees from a folder that belongs to this state alone."""
    from driftline.capture.label_files import FOLDER

    if archive.target.is_local and archive.state == Path(archive.target.name) / STATE:
        with archive.alone():
            # Labels have an upkeep of their own.
            for path in _stray(archive):
                if not path.startswith(f"{FOLDER}/"):
                    archive.target.remove(path)
            known = archive.manifest.known()
            for file in archive.quarantine.glob("*" + wal.SUFFIX):
                if file.name not in known:
                    file.unlink(missing_ok=True)


def check(archive: Archive) -> list[Fault]:
    """Verify all that is stored: the manifest, every file and its digest, the quarantine, and the counts.

    Returns
    -------
    list of Fault
        Empty where all is well.
    """
    from driftline.capture.label_upkeep import check_labels

    faults = [Fault(str(archive.manifest.path), message) for message in archive.manifest.check()]
    for segment in archive.manifest.segments():
        try:
            table = archive.read(segment)
            table.validate(full=True)
        except (SourceError, pa.ArrowException) as error:
            message = error.message if isinstance(error, SourceError) else str(error)
            faults.append(Fault(archive.target.shown(segment.path), message))
            continue
        n_events = pc.sum(pc.equal(table["_row"], 0)).as_py() or 0
        if (table.num_rows, n_events) != (segment.rows, segment.events):
            faults.append(Fault(archive.target.shown(segment.path), "has other rows than the manifest says"))
    for segment in archive.manifest.segments("quarantine"):
        path = archive.quarantine / segment.path
        if not path.exists():
            faults.append(Fault(str(path), "is in the manifest and not there"))
        elif hashlib.sha256(path.read_bytes()).hexdigest() != segment.sha256:
            faults.append(Fault(str(path), "is not what was written: its digest is another"))
    with archive.alone():
        stray = _stray(archive)
    faults += [
        Fault(archive.target.shown(path), "is seen by nobody: it is not in the manifest", False)
        for path in stray
    ]
    faults += [Fault(file, message) for file, message in check_labels(archive)]
    faults += _unbalanced(archive)
    return faults


def _unbalanced(archive: Archive) -> list[Fault]:
    totals: dict[tuple[str, str], Counter[str]] = {}
    for (endpoint, variant, what, _), n in archive.manifest.counts().items():
        totals.setdefault((endpoint, variant), Counter())[what] += n
    faults = []
    for (endpoint, variant), total in totals.items():
        told = total["stored"] + total["duplicate"] + total["quarantined"] + total["dropped"]
        if endpoint and told != total["received"]:
            faults.append(
                Fault(
                    str(archive.manifest.path),
                    f"{endpoint}/{variant}: {total['received']} events were received and {told} are accounted for",
                )
            )
    return faults


def quarantined(archive: Archive) -> Iterator[tuple[Event, str, str]]:
    """List what lies in quarantine: the event, the code and the reason."""
    for segment in archive.manifest.segments("quarantine"):
        data = read_regular(archive.quarantine / segment.path, max_bytes=1 << 40)
        for payload in wal.read_log(data).payloads:
            if payload[:1] == QUARANTINED:
                held = rejected_of(payload)
                yield Event.unpack(held.event), held.code, held.reason
