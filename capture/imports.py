"""Imports of SageMaker's captured traffic: files become events, events become segments, and nothing is stored twice.

Lines are read in pieces of one file. A piece is named by its content and by how it is read, and the manifest remembers the
name, so that an import that is repeated, or goes on after it was killed, stores only what is new. What of it can still be
there twice, such as a file that has grown, is told by the ids of its events.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driftline.capture.blob import read_ahead
from driftline.capture.event import DEFAULT_VARIANT, ROWS, Payload, check_name
from driftline.capture.formats.capture_event import event_of, holds_truth, unreadable
from driftline.capture.formats.jsonl import pieces
from driftline.capture.manifest import IMPORT
from driftline.capture.records import Rejected
from driftline.capture.seal import tables_of
from driftline.capture.source import Place
from driftline.capture.text import MAX_LINE, Lines
from driftline.documents import decode
from driftline.errors import DocumentError, DriftlineError, SourceError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from driftline.capture.archive import Archive
    from driftline.capture.blob import Blob
    from driftline.capture.captures import Captures
    from driftline.capture.event import Event
    from driftline.capture.source import Record, RecordHandler

__all__ = ["Imported", "Where", "archive_of", "import_sagemaker", "paths_of", "tally", "where_of"]

_PIECE_RECORDS = 4096
_PIECE_BYTES = 4 << 20
_GROUP_RECORDS = 16384
_GROUP_BYTES = 16 << 20
_LAYOUT = re.compile(r"(?:^|/)([^/]+)/([^/]+)/(\d{4})/(\d\d)/(\d\d)/(\d\d)/[^/]+$")
_MOST_NOTES = 20


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of an import: received = stored + duplicate + quarantined + dropped.

    Attributes
    ----------
    files : int
    received, stored, duplicate : int
        Events; what was imported before is a duplicate.
    quarantined, dropped : mapping of str to int
        By code of the error; by reason.
    notes : tuple of str
        What the reader of these numbers should know, a sentence each.
    failures : tuple of DriftlineError
        Files that could not be read, or not to their end. What stands before the fault is stored.
    """

    files: int = 0
    received: int = 0
    stored: int = 0
    duplicate: int = 0
    quarantined: Mapping[str, int] = field(default_factory=dict)
    dropped: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    failures: tuple[DriftlineError, ...] = ()

    @property
    def balance(self) -> int:
        """Events that are unaccounted for: 0, always."""
        told = self.stored + self.duplicate + sum(self.quarantined.values()) + sum(self.dropped.values())
        return self.received - told

    def to_json(self) -> str:
        """Return the numbers as a JSON object."""
        told = {
            "files": self.files,
            "received": self.received,
            "stored": self.stored,
            "duplicate": self.duplicate,
            "quarantined": dict(sorted(self.quarantined.items())),
            "dropped": dict(sorted(self.dropped.items())),
            "notes": list(self.notes),
            "failures": [str(error) for error in self.failures],
        }
        return json.dumps(told, indent=1)


def archive_of(captures: Archive | Captures | Callable[[], Archive]) -> Archive:
    """Return the archive of captures, the archive that is given, or the one that is made now."""
    from driftline.capture.archive import Archive
    from driftline.capture.captures import Captures

    if isinstance(captures, Captures):
        return captures.archive
    return captures if isinstance(captures, Archive) else captures()


def paths_of(source: str | os.PathLike[str] | Sequence[str | os.PathLike[str]]) -> list[str]:
    """Return the paths that somebody gave, one or many."""
    listed = [source] if isinstance(source, str | os.PathLike) else list(source)
    return [os.fspath(path) for path in listed]


def tally(counts: Mapping[tuple[str, str, str, str], int], **about: Any) -> Imported:
    """Sum counts of the manifest up."""
    total: Counter[str] = Counter()
    reasons: dict[str, Counter[str]] = {"quarantined": Counter(), "dropped": Counter()}
    for (_, _, what, reason), n in counts.items():
        total[what] += n
        if what in reasons:
            reasons[what][reason] += n
    return Imported(
        received=total["received"],
        stored=total["stored"],
        duplicate=total["duplicate"],
        quarantined=reasons["quarantined"],
        dropped=reasons["dropped"],
        **about,
    )


@dataclass(frozen=True, slots=True)
class Where:
    """What the path of a captured file says.

    Attributes
    ----------
    endpoint, variant : str or None
    time : int or None
        Begin of the hour, in microseconds since 1970-01-01 UTC.
    """

    endpoint: str | None = None
    variant: str | None = None
    time: int | None = None


def where_of(path: str) -> Where:
    """Read ``<endpoint>/<variant>/yyyy/mm/dd/hh/<file>`` at the end of a path."""
    found = _LAYOUT.search(path)
    if found is None:
        return Where()
    try:
        hour = datetime(*map(int, found.groups()[2:]), tzinfo=UTC)  # type: ignore[arg-type,misc]
    except ValueError:
        return Where()
    return Where(found[1], found[2], int(hour.timestamp()) * 1_000_000)


def import_sagemaker(
    captures: Archive | Captures | Callable[[], Archive],
    source: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    endpoint: str | None = None,
    variant: str | None = None,
    time: int | None = None,
    preprocessor: RecordHandler | None = None,
    preprocessor_digest: str = "",
    progress: Callable[[int, int], None] | None = None,
) -> Imported:
    """Bring in captured traffic in SageMaker's form.

    Parameters
    ----------
    captures : Archive, Captures or callable
        Where to; a callable makes it, once it is clear that there is something to bring in.
    source : path, pattern, URL or a list of these
        Files, folders or prefixes of ``.jsonl`` files, also compressed.
    endpoint, variant : str, optional
        Instead of those that the paths name, ``<endpoint>/<variant>/yyyy/mm/dd/hh/<file>``. Where neither names a
        variant it is ``AllTraffic``.
    time : int, optional
        Microseconds since 1970-01-01 UTC, for records without a time in files that are in no hour's folder.
    preprocessor : callable, optional
        Makes rows of records, see :data:`~driftline.capture.source.RecordHandler`. It is called several times, each time
        with some of the records, and must take all of them.
    preprocessor_digest : str
        Tells one preprocessor from another, so that what one could not read is tried again with the next.
    progress : callable, optional
        Called with bytes done and bytes in all.

    Returns
    -------
    Imported

    Raises
    ------
    SourceError
        ``E-NO-DATA``, ``E-FILE``, ``E-STORE``: nothing to read, or the store refuses.
    UsageError
        ``E-NAME`` where a file has no endpoint, or one that is no name.
    PreprocessorError
        Where the preprocessor fails; what it made before is stored.
    """
    from driftline.capture.find import find

    found = find(paths_of(source), "sagemaker")
    places = [_place(blob, endpoint, variant, time) for blob in found.blobs]
    reader = _Reader(archive_of(captures), preprocessor, preprocessor_digest)
    total = sum(blob.size for blob in found.blobs)
    failures: list[DriftlineError] = []
    done = 0
    for (blob, chunks), place in zip(read_ahead(found.blobs), places, strict=True):
        try:
            for piece in _pieces_of(blob, chunks):
                reader.take(piece, place)
        except SourceError as error:
            if error.code in ("E-STORE", "E-WRITE"):
                raise
            failures.append(error)
        done += blob.size
        if progress is not None:
            progress(done, total)
    reader.flush()
    return tally(
        reader.counts, files=len(found.blobs), notes=(*found.notes, *reader.notes()), failures=tuple(failures)
    )


@dataclass(frozen=True, slots=True)
class _Settled:
    """Where the events of a file go."""

    endpoint: str
    variant: str
    time: int | None


def _place(blob: Blob, endpoint: str | None, variant: str | None, time: int | None) -> _Settled:
    told = where_of(blob.name)
    if told.endpoint is None and not blob.remote:
        told = where_of(str(Path(blob.path).absolute()))
    endpoint = endpoint or told.endpoint
    if endpoint is None:
        raise UsageError(
            "is in no folder <endpoint>/<variant>/yyyy/mm/dd/hh that names its endpoint",
            code="E-NAME",
            file=blob.name,
            fix="name the endpoint, with --endpoint",
        )
    variant = variant or told.variant or DEFAULT_VARIANT
    try:
        check_name("an endpoint", endpoint)
        check_name("a variant", variant)
    except UsageError as error:
        error.file = blob.name
        raise
    return _Settled(endpoint, variant, told.time if told.time is not None else time)


@dataclass(frozen=True, slots=True)
class _Piece:
    """Some lines of one file that follow each other."""

    file: str
    lines: tuple[tuple[int, bytes], ...]


def _pieces_of(blob: Blob, chunks: Iterator[bytes]) -> Iterator[_Piece]:
    """Cut a file where the same file is always cut, whatever the sizes in which it is read."""
    held: list[tuple[int, bytes]] = []
    size = 0
    try:
        for part in pieces(blob, chunks):
            if isinstance(part, Lines):
                numbered = part.each()
            else:
                numbered = ((n, json.dumps(value).encode()) for n, value in enumerate(part.values, start=1))
            for number, line in numbered:
                if not held and number == 1 and line.strip() in (b"{", b"["):
                    raise _several_lines(blob.name)
                held.append((number, line))
                size += len(line)
                if len(held) >= _PIECE_RECORDS or size >= _PIECE_BYTES:
                    yield _Piece(blob.name, tuple(held))
                    held, size = [], 0
    except SourceError:
        # What stands before the fault is whole.
        if held:
            yield _Piece(blob.name, tuple(held))
        raise
    if held:
        yield _Piece(blob.name, tuple(held))


def _several_lines(file: str) -> SourceError:
    return SourceError(
        "is JSON over several lines",
        code="E-JSON",
        file=file,
        line=1,
        fix="write one whole JSON object a line",
    )


class _Reader:
    """Turns pieces into events, and stores them some thousands at a time."""

    def __init__(self, archive: Archive, preprocessor: RecordHandler | None, version: str) -> None:
        self.archive = archive
        self.counts: Counter[tuple[str, str, str, str]] = Counter()
        self._preprocessor = preprocessor
        self._version = "rows " + version if preprocessor is not None else ""
        self._names: dict[str, None] = {}
        self._events: list[Event] = []
        self._rejected: list[Rejected] = []
        self._dropped: Counter[tuple[str, str, str]] = Counter()
        self._known: Counter[tuple[str, str, str, str]] = Counter()
        self._size = 0
        self._truth: Counter[str] = Counter()
        self._merged: Counter[str] = Counter()

    def take(self, piece: _Piece, place: _Settled) -> None:
        """Read a piece, unless it was imported before."""
        name = self._name(piece, place)
        if name in self._names or self.archive.manifest.token_of(name) is not None:
            for what in ("received", "duplicate"):
                self._known[place.endpoint, place.variant, what, ""] += len(piece.lines)
            return
        self._read(piece, place)
        self._names[name] = None
        self._size += sum(len(line) for _, line in piece.lines)
        if len(self._events) >= _GROUP_RECORDS or self._size >= _GROUP_BYTES:
            self.flush()

    def _name(self, piece: _Piece, place: _Settled) -> str:
        told = json.dumps(["sagemaker", place.endpoint, place.variant, place.time, self._version])
        digest = hashlib.sha256(told.encode())
        for _, line in piece.lines:
            digest.update(b"\n" + line)
        return IMPORT + digest.hexdigest()

    def _read(self, piece: _Piece, place: _Settled) -> None:
        received = self.archive.clock()
        readable: list[tuple[int, Mapping[str, Any], Event]] = []
        for number, line in piece.lines:
            spare_id = _spare_id(piece.file, number, line)
            try:
                record = decode(line, file=piece.file, line=number, max_bytes=MAX_LINE)
                if not isinstance(record, dict):
                    raise SourceError("expected an object", code="E-RECORD")  # noqa: TRY301
                if holds_truth(record):
                    self._dropped[place.endpoint, place.variant, "ground truth"] += 1
                    self._truth[piece.file] += 1
                    continue
                event = event_of(
                    record,
                    endpoint=place.endpoint,
                    variant=place.variant,
                    received=received,
                    spare_id=spare_id,
                    spare_time=place.time,
                )
                self._merged[piece.file] += "groundTruthData" in record
                readable.append((number, record, event))
            except (DocumentError, SourceError) as error:
                held = unreadable(
                    line,
                    endpoint=place.endpoint,
                    variant=place.variant,
                    received=received,
                    own_id=spare_id,
                    time=place.time,
                )
                error.file, error.line = piece.file, number
                self._rejected.append(
                    Rejected(
                        held.pack(),
                        held.endpoint,
                        held.variant,
                        error.code,
                        str(error).removeprefix(f"{error.code}: ")[:500],
                    )
                )
        if self._preprocessor is None:
            self._events += [event for _, _, event in readable]
        else:
            self._events += self._made(piece.file, readable)

    def _made(self, file: str, readable: Sequence[tuple[int, Mapping[str, Any], Event]]) -> Iterator[Event]:
        """Give the events with the rows that the preprocessor makes of them in the place of what was captured."""
        assert self._preprocessor is not None
        rows: dict[int | None, list[Mapping[str, Any]]] = {}
        records: Iterator[tuple[Place, Record]] = ((Place(file, n), record) for n, record, _ in readable)
        for place, row in self._preprocessor(records):
            rows.setdefault(place.line, []).append(row)
        for number, _, event in readable:
            if number not in rows:
                self._dropped[event.endpoint, event.variant, "preprocessor"] += 1
                continue
            cells = [
                {name: None if value != value else value for name, value in row.items()}
                for row in rows[number]
            ]
            yield _with_rows(event, cells)

    def flush(self) -> None:
        """Store what was read."""
        names, self._names = self._names, {}
        events, self._events = self._events, []
        rejected, self._rejected = self._rejected, []
        dropped, self._dropped = self._dropped, Counter()
        known, self._known = self._known, Counter()
        self._size = 0
        archive = self.archive
        if known:
            archive.manifest.commit(counts=known, now=archive.clock())
            self.counts.update(known)
        if not names:
            return
        tables, refused = tables_of(
            events, input_names=archive.input_names, output_names=archive.output_names
        )
        counts = archive.store_pieces(list(names), tables, rejected=[*rejected, *refused], dropped=dropped)
        if counts is None:
            raise UsageError(
                "somebody else imports the same files into it",
                code="E-IMPORT",
                file=archive.target.name,
                fix="import again: what is stored is not stored twice",
            )
        self.counts.update(counts)

    def notes(self) -> Iterator[str]:
        """Say what was left out."""
        for found, text in (
            (self._truth, "ground truth: bring it in with driftline truth import"),
            (self._merged, "ground truth beside what was captured, which is left out here"),
        ):
            told = [(file, n) for file, n in sorted(found.items()) if n]
            for file, n in told[:_MOST_NOTES]:
                yield f"{file}: {n:,} {'record holds' if n == 1 else 'records hold'} {text}"
            if len(told) > _MOST_NOTES:
                yield f"and so it is with {len(told) - _MOST_NOTES:,} more files"


def _spare_id(file: str, number: int, line: bytes) -> str:
    """Name a record that names itself not: the same one in the same place, whatever folder the file is in."""
    digest = hashlib.sha256(f"{file.rpartition('/')[2]}\n{number}\n".encode("utf-8", "surrogateescape"))
    digest.update(line)
    return digest.hexdigest()[:32]


def _with_rows(event: Event, rows: Sequence[Mapping[str, Any]]) -> Event:
    """Put rows in the place of what was captured; that a side was captured stays to be seen."""
    body = Payload(ROWS, json.dumps(rows).encode())
    if event.input is None and event.output is not None:
        return replace(event, output=body)
    return replace(event, input=body, output=None if event.output is None else Payload("", b""))
