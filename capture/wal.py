"""The write-ahead log: what was acknowledged is on the disk before the answer goes out.

A log file belongs to one writer in one process, which holds a lock on it while it lives. It is a sequence of frames::

    magic (4 bytes) | length (u32) | CRC-32 of length and payload (u32) | payload

all little-endian. Frames are appended by a thread that takes whatever is waiting, writes it, syncs once, and then
tells all who waited (group commit). A frame that was torn by a crash fails its checksum; the reader looks for the next
magic and goes on, so that damage costs the frames it touched and no others, and says how many bytes it skipped.

After a failed write or sync nothing more is written to that file: what the kernel has kept of it is unknown. It is cut
back to what was certainly on the disk, and the frames go to a new file.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import struct
import threading
import time
import uuid
import weakref
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from driftline.capture import lock
from driftline.errors import printable
from driftline.files import make_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

__all__ = ["MAGIC", "MAX_FRAME", "SUFFIX", "Log", "Read", "frame", "read_log"]

MAGIC = b"\xd5DL\x01"
SUFFIX = ".log"
_HEAD = struct.Struct("<4sII")
MAX_FRAME = 64 << 20
"""Most bytes of a payload: a reader does not believe in larger ones."""


def frame(payload: bytes) -> bytes:
    """Return `payload` framed.

    Raises
    ------
    ValueError
        For more than :data:`MAX_FRAME` bytes.
    """
    size = len(payload)
    if size > MAX_FRAME:
        raise ValueError(f"a payload of {size} bytes, more than {MAX_FRAME}")
    return _HEAD.pack(MAGIC, size, zlib.crc32(payload, zlib.crc32(size.to_bytes(4, "little")))) + payload


@dataclass(frozen=True, slots=True)
class Read:
    """What a log file holds.

    Attributes
    ----------
    payloads : list of bytes
    damaged : int
        Bytes that belong to no whole frame, without a torn end.
    torn : int
        Bytes after the last whole frame: what a crash left of a frame that was never acknowledged.
    """

    payloads: list[bytes]
    damaged: int
    torn: int


def read_log(data: bytes) -> Read:
    """Take a log apart, past any damage."""
    payloads: list[bytes] = []
    at = damaged = 0
    end = len(data)
    while at < end:
        found = _payload_at(data, at)
        if found is not None:
            payloads.append(found)
            at += _HEAD.size + len(found)
            continue
        # Look for the next frame that is whole; a magic inside a payload does not pass the checksum of a frame.
        start, at = at, at + 1
        while True:
            at = data.find(MAGIC, at)
            if at < 0:
                return Read(payloads, damaged, end - start)
            if _payload_at(data, at) is not None:
                damaged += at - start
                break
            at += 1
    return Read(payloads, damaged, 0)


def _payload_at(data: bytes, at: int) -> bytes | None:
    if at + _HEAD.size > len(data):
        return None
    magic, size, crc = _HEAD.unpack_from(data, at)
    start = at + _HEAD.size
    if magic != MAGIC or size > MAX_FRAME or start + size > len(data):
        return None
    payload = data[start : start + size]
    return payload if zlib.crc32(payload, zlib.crc32(size.to_bytes(4, "little"))) == crc else None


@dataclass(slots=True)
class _Waiting:
    """Frames that belong together, and whom to tell."""

    frames: Sequence[bytes]
    n_bytes: int
    done: Callable[[OSError | None], None] | None


@dataclass(slots=True)
class _File:
    """The file that is written to."""

    path: Path
    descriptor: int
    durable: int = 0
    began: float = field(default_factory=time.monotonic)


class Log:
    """Appends frames durably; safe to use from any thread, and after a fork.

    Parameters
    ----------
    folder : path
    closed : callable
        Told the path of every log file that is complete, with its lock released, from the writing thread.
    max_waiting : int
        Most bytes that may wait for the disk; beyond that :meth:`append` refuses.
    max_bytes, max_seconds : int, float
        A log file is complete when it is this large or this old (by the monotonic clock).
    group_seconds : float
        How long the first frame of a group waits for others.
    """

    def __init__(
        self,
        folder: Path,
        closed: Callable[[Path], None],
        *,
        max_waiting: int = 64 << 20,
        max_bytes: int = 64 << 20,
        max_seconds: float = 60.0,
        group_seconds: float = 0.002,
    ) -> None:
        self.folder = folder
        self._closed = closed
        self._max_waiting = max_waiting
        self._max_bytes = max_bytes
        self._max_seconds = max_seconds
        self._group_seconds = group_seconds
        self._fresh()
        _logs.add(self)

    def _fresh(self) -> None:
        self._id = uuid.uuid4().hex
        self._n = 0
        self._file: _File | None = None
        self._waiting: list[_Waiting] = []
        self._waiting_bytes = 0
        self._wake = threading.Condition()
        self._thread: threading.Thread | None = None
        self._flush = self._stop = self._rotate = False

    @property
    def is_open(self) -> bool:
        """False once it is closed, or being closed."""
        return not self._stop

    def append(self, frames: Sequence[bytes], done: Callable[[OSError | None], None] | None = None) -> bool:
        """Queue frames that belong together.

        Parameters
        ----------
        frames : sequence of bytes
            From :func:`frame`.
        done : callable, optional
            Called from the writing thread with None once all of them are on the disk, or with the error; it must be
            quick and must not raise.

        Returns
        -------
        bool
            False, and nothing is queued, where too much is waiting already, the log is closed, or no thread can be
            started.
        """
        size = sum(map(len, frames))
        with self._wake:
            if self._stop or (self._waiting and self._waiting_bytes + size > self._max_waiting):
                return False
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="driftline-log", daemon=True)
                try:
                    thread.start()  # it waits for the lock that is held here
                except RuntimeError:
                    return False
                self._thread = thread
            self._waiting.append(_Waiting(frames, size, done))
            self._waiting_bytes += size
            if len(self._waiting) == 1:
                self._wake.notify_all()
        return True

    @property
    def waiting(self) -> int:
        """Bytes that wait for the disk."""
        return self._waiting_bytes

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until all that was appended before is on the disk or has failed; False if it took too long."""
        reached = threading.Event()
        with self._wake:
            if self._thread is None:
                return True
            self._waiting.append(_Waiting((), 0, lambda _: reached.set()))
            self._flush = True
            self._wake.notify_all()
        return reached.wait(timeout)

    def rotate(self, timeout: float | None = None) -> bool:
        """Flush, and complete the file that is written to."""
        with self._wake:
            self._rotate = True
        return self.flush(timeout)

    def close(self, timeout: float | None = 5.0) -> bool:
        """Flush, complete the file and end the thread; what is appended later is refused."""
        with self._wake:
            self._stop = True
            self._wake.notify_all()
            thread = self._thread
        if thread is None:
            return True
        thread.join(timeout)
        return not thread.is_alive()

    # --- the writing thread -----------------------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            with self._wake:
                while not self._waiting and not self._stop:
                    left = self._seconds_left()
                    if not self._wake.wait(left) and left is not None:
                        break
                if self._waiting and not self._flush and not self._stop and self._group_seconds:
                    self._wake.wait(self._group_seconds)
                batch, self._waiting = self._waiting, []
                self._waiting_bytes = 0
                rotate, self._rotate = self._rotate, False
                self._flush = False
                stop = self._stop
            if batch:
                self._write(batch)
            file = self._file
            if file is not None and (
                stop
                or rotate
                or file.durable >= self._max_bytes
                or time.monotonic() - file.began >= self._max_seconds
            ):
                self._complete()
            for item in batch:
                if not item.frames:
                    _tell(item.done, None)
            if stop:
                with self._wake:
                    if not self._waiting:
                        self._thread = None
                        return

    def _seconds_left(self) -> float | None:
        if self._file is None:
            return None
        return max(0.0, self._file.began + self._max_seconds - time.monotonic())

    def _write(self, batch: Sequence[_Waiting]) -> None:
        items = [item for item in batch if item.frames]
        if not items:
            return
        error: OSError | None = None
        for _ in range(2):
            try:
                self._append(b"".join(piece for item in items for piece in item.frames))
                error = None
                break
            except OSError as failure:
                error = failure
                self._abandon()
            except MemoryError:
                error = OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
                self._abandon()
        for item in items:
            _tell(item.done, error)

    def _append(self, data: bytes) -> None:
        file = self._file
        if file is None:
            file = self._file = self._open()
        view = memoryview(data)
        while view:
            view = view[os.write(file.descriptor, view) :]
        os.fdatasync(file.descriptor)
        if not os.path.samestat(os.fstat(file.descriptor), file.path.lstat()):
            # Somebody has moved or removed it: what nobody can find is not on the disk.
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(file.path))
        file.durable += len(data)

    def _open(self) -> _File:
        self._n += 1
        make_folder(self.folder)
        path = self.folder / f"{self._id}-{self._n:06d}{SUFFIX}"
        descriptor = lock.opened(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not os.fstat(descriptor).st_nlink:
                # Somebody who seals what nobody holds was here before the lock.
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
            _sync_folder(self.folder)
        except OSError:
            with contextlib.suppress(OSError):
                path.unlink()
            lock.released(descriptor)
            raise
        return _File(path, descriptor)

    def _abandon(self) -> None:
        """Give up a file that failed; what of it is durable will be read, the rest is cut off as far as that goes."""
        file, self._file = self._file, None
        if file is None:
            return
        with contextlib.suppress(OSError):
            os.ftruncate(file.descriptor, file.durable)
        self._release(file)

    def _complete(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            self._release(file)

    def _release(self, file: _File) -> None:
        with contextlib.suppress(OSError):
            if not file.durable:
                file.path.unlink()
        with contextlib.suppress(OSError):
            lock.released(file.descriptor)
        if file.durable:
            _tell(self._closed, file.path)

    def __repr__(self) -> str:
        return f"<Log in {printable(self.folder, 100)}>"


def _tell(told: Callable[[Any], None] | None, what: object) -> None:
    """Call back; whatever goes wrong there must not end the thread that all others wait for."""
    if told is not None:
        try:  # noqa: SIM105  contextlib.suppress takes longer than what it would be put around
            told(what)
        except Exception:  # noqa: BLE001, S110
            pass


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


_logs: weakref.WeakSet[Log] = weakref.WeakSet()


def _in_child() -> None:
    """Leave everything to the parent: its files, its threads, and the frames that they will write."""
    for log in list(_logs):
        log._fresh()


os.register_at_fork(after_in_child=_in_child)
