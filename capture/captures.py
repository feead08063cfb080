"""Captures: the store of what endpoints and batch jobs saw and answered.

An event is appended to a log, synced, acknowledged, later sealed into Parquet, made visible by the manifest, and only
then is its log removed. To open a store is to recover it: logs whose writer is gone are sealed.

At any moment *received = stored + quarantined + duplicate + dropped + waiting*, where *waiting* is what lies in logs.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import time
import weakref
from collections import Counter
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from driftline.capture import lock, wal
from driftline.capture.accounts import Limits, Stats, stats_of
from driftline.capture.archive import Archive
from driftline.capture.arrays import numbers_of
from driftline.capture.carry import carried_on
from driftline.capture.event import Event, check_name, now
from driftline.capture.records import dropped_payload, event_payload, table_payload
from driftline.capture.tables import checked
from driftline.capture.upkeep import keep_within, size_of, sweep
from driftline.errors import InputError, SourceError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

__all__ = ["Captures", "Limits", "Stats", "stats_of"]

# What is kept about an event in quarantine, and of where a half came from, comes on top.
_LARGEST = wal.MAX_FRAME - 8192


class _Asked:
    """That logs are sealed, and whether they were."""

    def __init__(self) -> None:
        self.answered = threading.Event()
        self.is_done = False


class Captures:
    """A store of captured events, safe to use from any thread, any number of processes, and after a fork.

    Parameters
    ----------
    root : path or URL
        A folder, made where it is missing, or a prefix of an object store.
    state : path, optional
        Local folder for what is not sealed yet; must be given where `root` is on an object store.
    limits : Limits, optional
    input_names, output_names : mapping of str to sequence of str, optional
        By endpoint, names for the columns of bodies that have none, such as CSV.
    seal_in : {"process", "thread"}
        Where logs are sealed: in a process of its own, so that a server's threads keep the interpreter to themselves, or
        in a thread of this one.
    clock : callable, optional
        Microseconds since 1970-01-01 UTC.

    Raises
    ------
    UsageError
        ``E-WRITE`` if the folder cannot be used, ``E-STATE`` if an object store has no state.
    SourceError
        ``E-MANIFEST`` if its manifest is damaged.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        *,
        state: str | os.PathLike[str] | None = None,
        limits: Limits | None = None,
        input_names: Mapping[str, Sequence[str]] | None = None,
        output_names: Mapping[str, Sequence[str]] | None = None,
        seal_in: Literal["process", "thread"] = "process",
        clock: Callable[[], int] = now,
    ) -> None:
        self.limits = limits or Limits()
        self.archive = Archive(
            root,
            state=state,
            input_names=input_names,
            output_names=output_names,
            pair_seconds=self.limits.pair_seconds,
            clock=clock,
        )
        self._root = os.fspath(root)
        self._clock = clock
        self._seal_in = seal_in
        self._log = wal.Log(
            self.archive.logs,
            self._completed,
            max_waiting=self.limits.waiting_bytes,
            max_bytes=self.limits.seal_bytes,
            max_seconds=self.limits.seal_seconds,
            group_seconds=self.limits.group_seconds,
        )
        self._fresh()
        _open.add(self)
        self._measure(may_expire=False)
        if self._is_full or self.archive.left_logs():
            self._completed(None)

    def _fresh(self) -> None:
        """Begin with nothing in memory: at the start, and in a child, whose parent keeps what it has."""
        self._dropped: Counter[tuple[str, str, str]] = Counter()
        self._guard = threading.Lock()
        self._to_seal: queue.SimpleQueue[_Asked | None] = queue.SimpleQueue()
        self._sealer: threading.Thread | None = None
        self._is_full = False
        self._left: int | None = None
        self._mine: set[Path] = set()
        self._looked = time.monotonic()
        self._failures: list[str] = []

    def __enter__(self) -> Captures:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Captures in {self.archive.target.name}>"

    # --- in ---------------------------------------------------------------------------------------------------------

    def put(self, events: Sequence[Event], done: Callable[[OSError | None], None] | None = None) -> bool:
        """Queue events that belong together; never waits and never raises for want of room.

        Parameters
        ----------
        events : sequence of Event
        done : callable, optional
            Told from another thread None once the events are on the disk, or the error why they are not; it must be
            quick and must not raise. Events that failed are counted as dropped.

        Returns
        -------
        bool
            False, and the events are counted as dropped, where there is no room, or one of them is larger than 64 MiB;
            `done` is not called then.
        """
        return self._put([event_payload(event) for event in events], _tally(events), done)

    def put_table(
        self,
        endpoint: str,
        variant: str,
        table: pa.Table,
        done: Callable[[OSError | None], None] | None = None,
    ) -> bool:
        """Queue rows as :meth:`put` does events; they begin with :data:`driftline.capture.tables.META`.

        Raises
        ------
        UsageError
            ``E-NAME``, or ``E-TABLE`` where it is no such table.
        """
        check_name("an endpoint", endpoint)
        check_name("a variant", variant)
        table = checked(table)
        starts = np.flatnonzero(numbers_of(table["_row"]) == 0)
        return self._put(
            list(_table_payloads(endpoint, variant, table, starts)),
            Counter({(endpoint, variant): len(starts)}),
            done,
        )

    def _put(
        self,
        payloads: Sequence[bytes],
        tally: Mapping[tuple[str, str], int],
        done: Callable[[OSError | None], None] | None,
    ) -> bool:
        if self._is_full:
            self._drop(tally, "disk budget")
            self._look_again()
            return False
        if max(map(len, payloads), default=0) > _LARGEST:
            self._drop(tally, "too large")
            return False
        frames = [wal.frame(payload) for payload in payloads]
        carried: Mapping[tuple[str, str, str], int] = {}
        if self._dropped:
            with self._guard:
                carried, self._dropped = self._dropped, Counter()
            frames.append(wal.frame(dropped_payload(carried)))

        def told(error: OSError | None) -> None:
            if error is not None:
                with self._guard:
                    self._dropped.update(carried)
                self._drop(tally, "disk")
            if done is not None:
                done(error)

        if self._log.append(frames, told):
            if self._left is not None:
                self._take(sum(map(len, frames)))
            return True
        with self._guard:
            self._dropped.update(carried)
        self._drop(tally, "overload")
        return False

    def write(self, events: Sequence[Event], timeout: float = 30.0) -> None:
        """Store events durably: when this returns they are on the disk.

        Raises
        ------
        UsageError
            ``E-CAPTURE-FULL`` or ``E-WRITE`` if they are not; they are counted as dropped.
        """
        self._waited(lambda done: self.put(events, done), timeout)

    def write_table(self, endpoint: str, variant: str, table: pa.Table, timeout: float = 30.0) -> None:
        """Store rows durably, as :meth:`write` does events."""
        self._waited(lambda done: self.put_table(endpoint, variant, table, done), timeout)

    def _waited(self, put: Callable[[Callable[[OSError | None], None]], bool], timeout: float) -> None:
        reached = threading.Event()
        failures: list[OSError | None] = []

        def told(error: OSError | None) -> None:
            failures.append(error)
            reached.set()

        place = self.archive.target.name
        if not put(told):
            if not self._log.is_open:
                raise UsageError("is closed", code="E-WRITE", file=place, fix="open it again")
            raise UsageError(
                "has no room for more events",
                code="E-CAPTURE-FULL",
                file=place,
                fix="make room, or send less",
            )
        if not reached.wait(timeout):
            raise UsageError(
                f"the disk did not take the events within {timeout:g} seconds", code="E-WRITE", file=place
            )
        if failures[0] is not None:
            raise UsageError(
                f"cannot be written: {failures[0].strerror or failures[0]}",
                code="E-WRITE",
                file=place,
                fix="make room or check the disk",
            ) from None

    def _drop(self, tally: Mapping[tuple[str, str], int], reason: str) -> None:
        with self._guard:
            for (endpoint, variant), n in tally.items():
                self._dropped[endpoint, variant, reason] += n

    def drop(self, endpoint: str, variant: str, reason: str, n: int = 1) -> None:
        """Count events that a way in could not take."""
        self._drop({(endpoint, variant): n}, reason)

    def flush(self, timeout: float | None = 30.0) -> bool:
        """Wait until what was put is on the disk, or has failed; False if it took longer than `timeout` seconds."""
        self._tell_dropped()
        return self._log.flush(timeout)

    def seal(self, timeout: float | None = 60.0) -> bool:
        """Make all that was put before visible, and count it; False if it failed or took longer than `timeout` seconds."""
        self._tell_dropped()
        if not self._log.rotate(timeout):
            return False
        return self._sealed(timeout)

    def _sealed(self, timeout: float | None) -> bool:
        asked = _Asked()
        self._to_seal.put(asked)
        return self._start_sealer() and asked.answered.wait(timeout) and asked.is_done

    def recover(self, timeout: float | None = None) -> bool:
        """Seal the logs of writers that are gone; False if it failed or took longer than `timeout` seconds."""
        return self._sealed(timeout)

    def close(self, timeout: float = 10.0) -> bool:
        """Put everything on the disk and seal it, as far as that goes in `timeout` seconds; the rest is for recovery."""
        end = time.monotonic() + timeout
        self._tell_dropped()
        done = self._log.close(timeout)
        sealer = self._sealer
        if sealer is not None:
            self._to_seal.put(None)
            sealer.join(max(0.0, end - time.monotonic()))
            done = done and not sealer.is_alive()
        _open.discard(self)
        return done

    def _tell_dropped(self) -> None:
        with self._guard:
            carried, self._dropped = self._dropped, Counter()
        if not carried:
            return

        def told(error: OSError | None) -> None:
            if error is not None:
                with self._guard:
                    self._dropped.update(carried)

        if not self._log.append([wal.frame(dropped_payload(carried))], told):
            told(OSError())

    # --- sealing ----------------------------------------------------------------------------------------------------

    def _completed(self, path: Path | None) -> None:
        if path is not None:
            with self._guard:
                self._mine.add(path)
        self._to_seal.put(_Asked())
        self._start_sealer()

    def _start_sealer(self) -> bool:
        with self._guard:
            if self._sealer is None:
                thread = threading.Thread(target=self._seal_all, name="driftline-seal", daemon=True)
                try:
                    thread.start()
                except RuntimeError:
                    # There are too many, or the interpreter is about to end: the logs are for recovery.
                    return False
                self._sealer = thread
        return True

    def _seal_all(self) -> None:
        """Seal what is complete, whenever there is something, and once in a while what others have left."""
        while True:
            items: list[_Asked | None] = []
            with contextlib.suppress(queue.Empty):
                items.append(self._to_seal.get(timeout=self.limits.seal_seconds))
                while True:
                    items.append(self._to_seal.get_nowait())
            is_done = self._seal_now(bool(items))
            for item in items:
                if item is not None:
                    item.is_done = is_done
                    item.answered.set()
            with self._guard:
                if (None in items or not self._log.is_open) and self._to_seal.empty():
                    self._sealer = None
                    return

    def _seal_now(self, is_asked: bool) -> bool:
        is_done = True
        try:
            if is_asked or self.archive.is_behind():
                self._seal_once()
            for _ in range(3):
                with self._guard:
                    self._mine = {path for path in self._mine if path.exists()}
                    left = sorted(self._mine)
                if not left:
                    break
                # Somebody else is at it: what was put here is to be seen when this returns.
                for path in left:
                    with contextlib.suppress(OSError), lock.locked(path, wait=True):
                        pass
                self._seal_once()
        except Exception as error:  # noqa: BLE001  this thread must live: others wait for it
            # The logs stay, and are tried again with the next one, and when the store is opened.
            self._failures.append(str(error) or type(error).__name__)
            del self._failures[:-20]
            is_done = False
        with contextlib.suppress(OSError, InputError, UsageError):
            self._measure()
        return is_done

    def _seal_once(self) -> None:
        if self._seal_in == "thread" or not _is_python(sys.executable):
            self._seal_here()
        else:
            self._seal_there()

    def _seal_here(self) -> None:
        with lock.whole(), carried_on(self.archive.logs) as carry:
            self.archive.seal_logs(self._carry if self._log.is_open else carry)
        sweep(self.archive)

    def _seal_there(self) -> None:
        """Seal in a process of its own, which is the less favoured one where there is other work."""
        archive = self.archive
        asked = {
            "root": archive.target.name if archive.target.is_local else self._root,
            "state": str(archive.state),
            "limits": asdict(self.limits),
            "input_names": {key: list(names) for key, names in archive.input_names.items()},
            "output_names": {key: list(names) for key, names in archive.output_names.items()},
        }
        # What this process can import, the other can; not what lies in the current folder.
        paths = os.pathsep.join(path for path in sys.path if path)
        with lock.unforked():  # a forked child would keep the ends of the pipes
            child = subprocess.Popen(
                [sys.executable, "-P", "-m", "driftline.capture.sealing"],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": paths},
                start_new_session=True,
            )
        _, error = child.communicate(json.dumps(asked).encode() + b"\n")
        if child.returncode:
            said = error.decode("utf-8", "replace").strip().splitlines() or ["no reason given"]
            raise SourceError(f"sealing failed: {said[-1][:500]}", code="E-SEAL", file=archive.target.name)

    def _carry(self, frames: Sequence[bytes]) -> bool:
        reached = threading.Event()
        failures: list[OSError | None] = []

        def told(error: OSError | None) -> None:
            failures.append(error)
            reached.set()

        return self._log.append(frames, told) and reached.wait(30.0) and failures[0] is None

    @property
    def is_full(self) -> bool:
        """Whether the disk budget is used up, so that nothing is taken."""
        return self._is_full

    def _look_again(self) -> None:
        """Let the sealing thread see, once in a while, whether somebody has made room."""
        if time.monotonic() - self._looked >= 2.0:
            self._looked = time.monotonic()
            self._completed(None)

    def _measure(self, *, may_expire: bool = True) -> None:
        """Keep within the disk budget."""
        budget = self.limits.disk_bytes
        if budget is None:
            return
        size = size_of(self.archive)
        # The process that seals has done it there: what talks to an object store does not outlive a fork.
        is_mine = self._seal_in == "thread" or self.archive.target.is_local
        if size > budget and self.limits.when_full == "expire" and is_mine and may_expire:
            keep_within(self.archive, budget)
            size = size_of(self.archive)
        self._left = budget - size
        self._is_full = size > budget

    def _take(self, n_bytes: int) -> None:
        """Note what was put since the budget was last measured; when it is used up, seal, which makes it small."""
        with self._guard:
            if self._left is None:
                return
            self._left -= n_bytes
            if self._left > 0:
                return
            self._left = None
            self._is_full = self.limits.when_full == "drop"
        self._log.rotate(0)

    @property
    def failures(self) -> tuple[str, ...]:
        """The latest reasons why logs could not be sealed; they are tried again."""
        return tuple(self._failures)

    # --- out --------------------------------------------------------------------------------------------------------

    def stats(self, endpoint: str | None = None) -> Stats:
        """Count what became of the events, of one endpoint or of all.

        Raises
        ------
        SourceError
            ``E-MANIFEST``.
        """
        self.flush()
        stats = stats_of(self.archive, endpoint)
        dropped = Counter(stats.dropped)
        with self._guard:  # what could not be logged either
            for (name, _, reason), n in self._dropped.items():
                if endpoint in (None, name):
                    dropped[reason] += n
        n = dropped.total() - sum(stats.dropped.values())
        return replace(stats, received=stats.received + n, dropped=dict(sorted(dropped.items())))


def _table_payloads(
    endpoint: str, variant: str, table: pa.Table, starts: np.ndarray[Any, Any]
) -> Iterator[bytes]:
    """Log a table, in pieces of whole events where it is large."""
    payload = table_payload(endpoint, variant, table)
    if len(payload) <= _LARGEST or len(starts) < 2:
        yield payload
        return
    middle = len(starts) // 2
    at = int(starts[middle])
    yield from _table_payloads(endpoint, variant, table.slice(0, at), starts[:middle])
    yield from _table_payloads(endpoint, variant, table.slice(at), starts[middle:] - at)


def _is_python(executable: str | None) -> bool:
    """Tell whether a program is Python itself, not a server that has it inside."""
    return bool(executable) and os.path.basename(executable or "").startswith(("python", "pypy"))  # noqa: PTH119


def _tally(events: Sequence[Event]) -> Mapping[tuple[str, str], int]:
    if len(events) == 1:  # the middleware's, for which a counter takes too long
        return {(events[0].endpoint, events[0].variant): 1}
    return Counter((event.endpoint, event.variant) for event in events)


_open: weakref.WeakSet[Captures] = weakref.WeakSet()


def _in_child() -> None:
    for captures in list(_open):
        captures._fresh()


os.register_at_fork(after_in_child=_in_child)


def _at_exit() -> None:
    """Put on the disk what was put before an orderly end; the logs are sealed when the store is opened again."""
    for captures in list(_open):
        captures.flush(5.0)


atexit.register(_at_exit)
