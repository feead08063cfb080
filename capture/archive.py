"""The archive: sealed segments, visible by the manifest, on a folder or an object store.

::

    captures/
        churn/AllTraffic/date=2026-11-23/hour=07/<segment>.parquet     what people and tools read
        .driftline/manifest.db                                         which of them are to be seen, and the counts
        .driftline/log/<writer>-<n>.log                                acknowledged, not yet sealed
        .driftline/quarantine/<log>.log                                events that could not be put in a table

What lies in ``.driftline`` is the *state*. Where the captures are on an object store, the state is a local folder, and
the manifest is told to other machines as ``.driftline/manifest/<endpoint>/<variant>/date=…/<store>.json`` beside them.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import uuid
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from driftline.capture import lock, wal
from driftline.capture.arrays import mask_array
from driftline.capture.erasures import Erasures
from driftline.capture.event import Event, now
from driftline.capture.layout import MANIFESTS, STATE, folder_of, manifest_folder
from driftline.capture.manifest import IMPORT, Manifest, Sealed, Segment, told
from driftline.capture.records import (
    Rejected,
    carried_payload,
    open_payloads,
    rejected_of,
    rejected_payload,
)
from driftline.capture.seal import joined_halves, tables_of
from driftline.capture.tables import HOUR, by_hour, n_events_in, one_table, starts_of, with_names_first
from driftline.capture.target import target_of
from driftline.errors import SourceError, UsageError
from driftline.files import make_folder, write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from driftline.capture.manifest import Counts

__all__ = ["Archive"]

_REMEMBERED = 128 << 20
"""Most bytes of event ids in memory."""


class Archive:
    """Sealed segments and what became of every event.

    Parameters
    ----------
    root : path or URL
    state : path, optional
        Local folder of the state; must be given where `root` is on an object store.
    input_names, output_names : mapping of str to sequence of str, optional
        By endpoint, names for the columns of bodies that have none, such as CSV.
    pair_seconds : float
        How long half an event waits for its other half.
    clock : callable, optional
        Microseconds since 1970-01-01 UTC.

    Raises
    ------
    UsageError
        ``E-WRITE`` if a folder cannot be used, ``E-STATE`` if an object store has no state.
    SourceError
        ``E-MANIFEST`` if the manifest is damaged.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        *,
        state: str | os.PathLike[str] | None = None,
        input_names: Mapping[str, Sequence[str]] | None = None,
        output_names: Mapping[str, Sequence[str]] | None = None,
        pair_seconds: float = 60.0,
        clock: Callable[[], int] = now,
    ) -> None:
        # A server may change its folder later, and the child that seals may start in another.
        self.target = target_of(root if "://" in os.fspath(root) else Path(root).absolute())
        if state is None:
            if not self.target.is_local:
                raise UsageError(
                    "captures on an object store need a local folder for what is not there yet",
                    code="E-STATE",
                    file=self.target.name,
                    fix="name one, such as state='/var/lib/driftline'",
                )
            state = Path(self.target.name) / STATE
        self.state = Path(state).absolute()
        self.input_names = dict(input_names or {})
        self.output_names = dict(output_names or {})
        self.pair_seconds = pair_seconds
        self.clock = clock
        try:
            make_folder(self.state.parent)
            for folder in (self.state, self.logs, self.quarantine):
                folder.mkdir(mode=0o700, exist_ok=True)
            for name in ("lock", "upkeep"):
                (self.state / name).touch(mode=0o600)
        except OSError as error:
            raise UsageError(
                f"cannot be used for captures: {error.strerror or error}",
                code="E-WRITE",
                file=self.state,
                fix="give a folder that may be written",
            ) from None
        self.manifest = Manifest(self.state / "manifest.db")
        self._ids: OrderedDict[str, tuple[pa.Array, pa.Array]] = OrderedDict()
        self._n_remembered = 0

    def __repr__(self) -> str:
        return f"<Archive of {self.target.name}>"

    @property
    def logs(self) -> Path:
        """Folder of the logs."""
        return self.state / "log"

    @property
    def quarantine(self) -> Path:
        """Folder of what could not be put in a table."""
        return self.state / "quarantine"

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Wait for whoever changes what is stored, in whatever process of this machine; not to be nested."""
        with lock.whole(), lock.locked(self.state / "lock", wait=True):
            yield

    @contextlib.contextmanager
    def upkeep(self) -> Iterator[None]:
        """Wait for whoever puts files in the place of others; goes around :meth:`alone`, never inside."""
        with lock.locked(self.state / "upkeep", wait=True):
            yield

    # --- sealing a log ----------------------------------------------------------------------------------------------

    def waiting_logs(self) -> list[Path]:
        """List the logs that are not sealed, of living writers too."""
        return sorted(self.logs.glob("*" + wal.SUFFIX))

    def left_logs(self) -> bool:
        """Tell whether there are logs whose writers are gone."""
        for path in self.waiting_logs():
            with contextlib.suppress(OSError), lock.locked(path, wait=False) as mine:
                if mine:
                    return True
        return False

    def is_behind(self) -> bool:
        """Tell whether there is something to seal, or to tell other machines."""
        return bool(self.waiting_logs()) or (not self.target.is_local and bool(self.manifest.unpublished()))

    def seal_logs(self, carry: Callable[[Sequence[bytes]], bool] | None = None) -> int:
        """Seal the logs that are complete, or whose writers are gone; returns how many.

        A log whose writer lives, in whatever process, is locked, and left alone.

        Raises
        ------
        Exception
            Where a log cannot be sealed now; it stays, and the others are sealed first.
        """
        n = 0
        failure: Exception | None = None
        for path in self.waiting_logs():
            try:
                n += self.seal_log(path, carry)
            except FileNotFoundError:
                continue  # somebody else has just sealed it
            except Exception as error:  # noqa: BLE001  raised below: one log must not keep the others
                failure = error
        self.publish()
        if failure is not None:
            raise failure
        return n

    def seal_log(self, path: Path, carry: Callable[[Sequence[bytes]], bool] | None = None) -> bool:
        """Turn a complete log into segments; False where its writer lives or it was sealed before.

        Parameters
        ----------
        path : path
        carry : callable, optional
            Takes frames into a log that is written to, and tells whether they are on the disk; where it is None, halves
            of events do not wait for their other half.

        Raises
        ------
        OSError, SourceError, UsageError
            Where it cannot be done now; the log stays.
        """
        with lock.locked(path, wait=False) as mine:
            if not mine:
                return False
            name = path.name.removesuffix(wal.SUFFIX)
            if self.manifest.token_of(name) is not None:
                path.unlink(missing_ok=True)
                return False
            data = path.read_bytes()
            # An empty log may be one whose writer has yet to lock it; that it was sealed must stand nowhere.
            if data and not self._seal(name, data, carry):
                return False
            path.unlink(missing_ok=True)
        return True

    def _seal(self, name: str, data: bytes, carry: Callable[[Sequence[bytes]], bool] | None) -> bool:
        read = wal.read_log(data)
        opened = open_payloads(read.payloads)
        # What was carried here counts only if the log it came from was sealed by the attempt that carried it.
        origins = {(log, token): self.manifest.token_of(log) == token for log, token, _ in opened.carried}
        arrived = opened.events + [e for log, token, e in opened.carried if origins[log, token]]
        events = joined_halves(arrived)
        token = uuid.uuid4().hex
        if carry is not None:
            at, span = self.clock(), int(self.pair_seconds * 1e6)
            young = [event for event in events if event.is_half and abs(at - event.received) < span]
            if young and carry([wal.frame(carried_payload(name, token, event)) for event in young]):
                gone = set(map(id, young))
                events = [event for event in events if id(event) not in gone]
            else:
                # Some of it may have reached the other log all the same.
                token = uuid.uuid4().hex
        made = Sealed()
        for event in events:
            made.counts[event.endpoint, event.variant, "received", ""] += 1
        for (endpoint, variant, reason), n in opened.dropped.items():
            made.counts[endpoint, variant, "received", ""] += n
            made.counts[endpoint, variant, "dropped", reason] += n
        made.counts["", "", "damaged bytes", ""] += read.damaged
        made.counts["", "", "torn bytes", ""] += read.torn
        made.counts["", "", "damaged records", ""] += opened.unreadable
        tables, rejected = self._tables(events)
        for endpoint, variant, table in opened.tables:
            made.counts[endpoint, variant, "received", ""] += n_events_in(table)
            for hour, piece in by_hour(table):
                tables.setdefault((endpoint, variant, hour), []).append(piece)
        with self.alone():
            erasures = Erasures(self.manifest.erasures())
            for key in sorted(tables):
                if pieces := erasures.tables(tables[key], *key[:2], made.counts):
                    self._file(name, key, pieces, made)
            self._set_aside(name, erasures.others(rejected, made.counts), made)
            return self.manifest.commit(
                add=made.segments,
                log=(name, token),
                void=[origin for origin, counts in origins.items() if not counts],
                counts=made.counts,
                now=self.clock(),
            )

    def sealed_again(self, segment: Segment, events: Sequence[Event]) -> tuple[bool, int, int]:
        """Try to store what a file of the quarantine holds; what still cannot be stored goes to another such file.

        Returns
        -------
        done : bool
            False, and nothing is changed, where somebody else was faster.
        stored, kept : int
            Events.
        """
        name = f"{segment.path.removesuffix(wal.SUFFIX)[:32]}-{self.clock()}"
        tables, rejected = self._tables(events)
        if len(rejected) == len(events):
            return True, 0, len(rejected)
        made = Sealed()
        with self.alone():
            for key in sorted(tables):
                self._file(name, key, tables[key], made)
            self._set_aside(name, rejected, made)
            for endpoint, variant, code in self._codes(segment):
                made.counts[endpoint, variant, "quarantined", code] -= 1
                made.counts[endpoint, variant, "replayed", ""] += 1
            for item in rejected:
                made.counts[item.endpoint, item.variant, "replayed", ""] -= 1
            done = self.manifest.commit(
                add=made.segments, supersede=[segment], counts=made.counts, now=self.clock()
            )
        return done, len(events) - len(rejected), len(rejected)

    def _codes(self, segment: Segment) -> Iterator[tuple[str, str, str]]:
        for payload in wal.read_log((self.quarantine / segment.path).read_bytes()).payloads:
            held = rejected_of(payload)
            yield held.endpoint, held.variant, held.code

    def _tables(
        self, events: Sequence[Event]
    ) -> tuple[dict[tuple[str, str, int], list[pa.Table]], list[Rejected]]:
        return tables_of(events, input_names=self.input_names, output_names=self.output_names)

    # --- storing tables ---------------------------------------------------------------------------------------------

    def store(self, name: str, tables: Iterator[tuple[str, str, pa.Table]]) -> Counts | None:
        """Store tables that begin with the columns of :data:`driftline.capture.seal.META`, all or nothing.

        Parameters
        ----------
        name : str
            Names the import: the same name is stored once.
        tables : iterator of (str, str, pyarrow.Table)
            Endpoint, variant and rows; the rows of an event stand together. Each table becomes files, so that memory
            holds one at a time.

        Returns
        -------
        dict or None
            Counts of this import; None where it was stored before.

        Raises
        ------
        OSError, SourceError, UsageError
        """
        made = Sealed()
        with self.alone():
            # Asked under the lock: whoever stores the same gives its files the same names.
            if self.manifest.token_of(name) is not None:
                return None
            with self._or_nothing(made):
                for number, (endpoint, variant, table) in enumerate(tables):
                    made.counts[endpoint, variant, "received", ""] += n_events_in(table)
                    for hour, piece in by_hour(table):
                        self._file(f"{name}-{number:05d}", (endpoint, variant, hour), [piece], made)
            if not self.manifest.commit(
                add=made.segments, log=(name, ""), counts=made.counts, now=self.clock()
            ):
                return None
        self.publish()
        return dict(made.counts)

    def store_pieces(
        self,
        names: Sequence[str],
        tables: Mapping[tuple[str, str, int], Sequence[pa.Table]],
        *,
        rejected: Sequence[Rejected] = (),
        dropped: Mapping[tuple[str, str, str], int] | None = None,
    ) -> Counts | None:
        """Store what came of some pieces of an import, all or nothing.

        Parameters
        ----------
        names : sequence of str
            Names of the pieces; each is stored once.
        tables : mapping of (str, str, int) to sequence of pyarrow.Table
            As :func:`driftline.capture.seal.tables_of` gives them.
        rejected : sequence of Rejected
            What goes into quarantine.
        dropped : mapping of (str, str, str) to int, optional
            By endpoint, variant and reason, what is not an event for the store.

        Returns
        -------
        dict or None
            Counts of these pieces; None where one of them was stored before.

        Raises
        ------
        OSError, SourceError, UsageError
        """
        made = Sealed()
        name = IMPORT + hashlib.sha256("\n".join(names).encode()).hexdigest()[:32]
        for item in rejected:
            made.counts[item.endpoint, item.variant, "received", ""] += 1
        for (endpoint, variant, reason), n in (dropped or {}).items():
            made.counts[endpoint, variant, "received", ""] += n
            made.counts[endpoint, variant, "dropped", reason] += n
        with self.alone():
            if any(self.manifest.token_of(piece) is not None for piece in names):
                return None
            with self._or_nothing(made):
                for key in sorted(tables):
                    made.counts[*key[:2], "received", ""] += sum(map(n_events_in, tables[key]))
                    self._file(name, key, tables[key], made)
                self._set_aside(name, rejected, made)
            if not self.manifest.commit(
                add=made.segments, imports=names, counts=made.counts, now=self.clock()
            ):
                return None
        self.publish()
        return dict(made.counts)

    @contextlib.contextmanager
    def _or_nothing(self, made: Sealed) -> Iterator[None]:
        """Remove the files that were written, where what is done in between fails."""
        try:
            yield
        except BaseException:
            for segment in made.segments:
                with contextlib.suppress(OSError, UsageError):
                    if segment.kind == "events":
                        self.target.remove(segment.path)
            raise

    def _file(self, name: str, key: tuple[str, str, int], pieces: Sequence[pa.Table], made: Sealed) -> None:
        """Write the new events of an hour as a file."""
        endpoint, variant, hour = key
        table = one_table(pieces)
        fresh, n_duplicate = self._new_ones(table, key, made.segments)
        made.counts[endpoint, variant, "duplicate", ""] += n_duplicate
        if not fresh.num_rows:
            return
        n_events = n_events_in(fresh)
        made.counts[endpoint, variant, "stored", ""] += n_events
        path = f"{folder_of(endpoint, variant, hour)}/{name}.parquet"
        made.segments.append(self.written(path, fresh, "events", key, n_events))

    def _new_ones(
        self, table: pa.Table, key: tuple[str, str, int], also: Sequence[Segment]
    ) -> tuple[pa.Table, int]:
        """Leave out the events that are stored already, or stand in the table twice."""
        endpoint, variant, hour = key
        ids, sides = table["_event_id"].combine_chunks(), table["_side"].combine_chunks()
        starts = starts_of(table)
        # An event without a time of its own is filed by its arrival, and a second copy may arrive an hour later.
        hours = range(hour - 1, hour + 2)
        known = self.manifest.segments(endpoint=endpoint, variant=variant, hours=(hours.start, hours.stop))
        known += [s for s in also if (s.endpoint, s.variant) == (endpoint, variant) and s.hour in hours]
        seen: dict[str, set[str]] = {}
        event_ids = ids.take(starts)
        for segment in known:
            told, told_sides = self._ids_of(segment)
            hit = pc.is_in(told, event_ids)
            if pc.any(hit).as_py():
                for event_id, side in zip(
                    told.filter(hit).to_pylist(), told_sides.filter(hit).to_pylist(), strict=True
                ):
                    seen.setdefault(event_id, set()).add(side)
        if not seen and pc.count_distinct(event_ids).as_py() == len(event_ids):
            return table, 0
        keep = np.ones(len(starts), np.bool_)
        for at, (event_id, side) in enumerate(
            zip(event_ids.to_pylist(), sides.take(starts).to_pylist(), strict=True)
        ):
            held = seen.setdefault(event_id, set())
            if side in held or "both" in held or (side == "both" and held):
                keep[at] = False
            held.add(side)
        n = int(len(keep) - keep.sum())
        if not n:
            return table, 0
        lengths = np.diff(np.append(np.from_dlpack(starts), table.num_rows))
        return table.filter(mask_array(np.repeat(keep, lengths))), n

    def _ids_of(self, segment: Segment) -> tuple[pa.Array, pa.Array]:
        found = self._ids.get(segment.path)
        if found is None:
            table = self.read(segment, ["_event_id", "_side"])
            found = (table["_event_id"].combine_chunks(), table["_side"].combine_chunks())
            self._remember(segment.path, found)
        return found

    def _remember(self, path: str, ids: tuple[pa.Array, pa.Array]) -> None:
        self._ids[path] = ids
        self._n_remembered += sum(values.nbytes for values in ids)
        while self._n_remembered > _REMEMBERED and len(self._ids) > 1:
            _, gone = self._ids.popitem(last=False)
            self._n_remembered -= sum(values.nbytes for values in gone)

    def read(self, segment: Segment, columns: Sequence[str] | None = None) -> pa.Table:
        """Read a segment, and check that it is what was written.

        Raises
        ------
        SourceError
            ``E-DIGEST`` where it is missing or changed.
        """
        import pyarrow.parquet as pq

        try:
            data = self.target.read(segment.path)
        except FileNotFoundError:
            raise SourceError(
                "is in the manifest and not there",
                code="E-DIGEST",
                file=self.target.shown(segment.path),
                fix="restore it from a backup; what of it is lost is told by driftline capture check",
            ) from None
        if hashlib.sha256(data).hexdigest() != segment.sha256:
            raise SourceError(
                "is not what was written: its digest is another",
                code="E-DIGEST",
                file=self.target.shown(segment.path),
                fix="restore it from a backup",
            )
        # Not read_table(), which imports pandas.
        with pq.ParquetFile(pa.BufferReader(data)) as file:
            return file.read(columns=columns, use_threads=False)

    def written(
        self, path: str, table: pa.Table, kind: str, key: tuple[str, str, int], n_events: int
    ) -> Segment:
        """Write rows as a segment that is not to be seen yet."""
        import pyarrow.parquet as pq

        # Sorting is stable: what happened at one time stays in the order in which it came, an event in one piece.
        table = with_names_first(table).sort_by("_time")
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, compression="zstd", compression_level=1, write_page_checksum=True)
        data = sink.getvalue()
        self.target.write(path, data)
        ends = pc.min_max(table["_time"].cast(pa.int64())).as_py()
        endpoint, variant, hour = key
        sha256 = hashlib.sha256(data).hexdigest()
        return Segment(
            path,
            kind,
            endpoint,
            variant,
            hour,
            table.num_rows,
            n_events,
            data.size,
            sha256,
            ends["min"],
            ends["max"],
        )

    def _set_aside(self, name: str, rejected: Sequence[Rejected], made: Sealed) -> None:
        if not rejected:
            return
        for item in rejected:
            made.counts[item.endpoint, item.variant, "quarantined", item.code] += 1
        data = b"".join(wal.frame(rejected_payload(item)) for item in rejected)
        path = self.quarantine / (name + wal.SUFFIX)
        write_whole(path, data)
        at = self.clock()
        n = len(rejected)
        made.segments.append(
            Segment(
                path.name,
                "quarantine",
                "",
                "",
                at // HOUR,
                n,
                n,
                len(data),
                hashlib.sha256(data).hexdigest(),
                at,
                at,
            )
        )

    def publish(self) -> None:
        """Tell other machines what is to be seen, where the captures are on an object store.

        Raises
        ------
        UsageError
            ``E-STORE``; what could not be told is told the next time.
        """
        if self.target.is_local:
            return
        self.store_id  # noqa: B018 - made before the lock is taken, which it takes itself
        for what in self.manifest.unpublished():
            kind, endpoint, variant, day = what
            # Alone until that is noted: what is committed in between must be told again.
            with self.alone():
                if kind in MANIFESTS:
                    listed = self.manifest.segments(
                        kind, endpoint=endpoint, variant=variant, hours=(24 * day, 24 * day + 24)
                    )
                    path = self.manifest_path(endpoint, variant, day, kind)
                    self.target.write(path, told(listed))
                self.manifest.published(what)

    def manifest_path(self, endpoint: str, variant: str, day: int, kind: str = "events") -> str:
        """Return where the manifest of a day is told to other machines."""
        return f"{manifest_folder(endpoint, variant, day, kind)}/{self.store_id}.json"

    @property
    def store_id(self) -> str:
        """Return what this state is called among those that share an object store."""
        found = self.manifest.noted("store")
        if found is None:
            found = uuid.uuid4().hex
            with self.alone():
                if self.manifest.noted("store") is None:
                    self.manifest.note("store", found)
                found = self.manifest.noted("store")
        return str(found)
