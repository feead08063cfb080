"""Blob: one file or object, as bytes under a name.

Only regular files are opened, so that a pipe or a device cannot hang a run, and each opening checks that the
file is still the one that was found, so that a source is a snapshot.
"""

from __future__ import annotations

import os
import stat
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from driftline.capture.failure import reading
from driftline.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from concurrent.futures import Future

__all__ = ["Blob", "local_blob", "read_ahead"]

_CHUNK = 1 << 20
# Captured traffic is many objects of a few kilobytes; one request at a time would wait for the network.
_SMALL = 8 << 20
_WORKERS = 8
_WINDOW = 32


@dataclass(frozen=True, slots=True)
class Blob:
    """One file or object.

    Attributes
    ----------
    name : str
        What people see: the path, or the URL without credentials and options.
    path : str
        What the file system understands.
    size : int
        Bytes.
    store : pyarrow.fs.FileSystem or None
        None for a local file.
    stamp : tuple of int or None
        Inode and time of change of a local file when it was found.
    """

    name: str
    path: str
    size: int
    store: Any = None
    stamp: tuple[int, int] | None = None

    @property
    def remote(self) -> bool:
        """Tell whether reading goes over a network."""
        return self.store is not None

    def random(self) -> Any:
        """Open for reading at any position.

        Returns
        -------
        pyarrow.NativeFile

        Raises
        ------
        SourceError
            If it is gone, unreadable, not a regular file, or has changed since it was found.
        """
        with reading(self.name):
            if self.store is not None:
                stream = self.store.open_input_file(self.path)
                if stream.size() != self.size:
                    raise self._changed()
                return stream
            self._check(os.stat(self.path))  # noqa: PTH116
            return pa.OSFile(self.path)

    def chunks(self, size: int = _CHUNK) -> Iterator[bytes]:
        """Give the bytes from the first to the last.

        Raises
        ------
        SourceError
            As :meth:`random`, also where the file changes while it is read.
        """
        with reading(self.name):
            if self.store is not None:
                total = 0
                with self.store.open_input_stream(self.path, compression=None) as stream:
                    while chunk := stream.read(size):
                        total += len(chunk)
                        yield chunk
                if total != self.size:
                    raise self._changed()
                return
            # O_NONBLOCK: opening a pipe that took the file's place must not wait for a writer.
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            try:
                self._check(os.fstat(descriptor))
                left = self.size
                while left > 0:
                    chunk = os.read(descriptor, min(size, left))
                    if not chunk:
                        raise self._changed()
                    left -= len(chunk)
                    yield chunk
                self._check(os.fstat(descriptor))
            finally:
                os.close(descriptor)

    def _check(self, info: os.stat_result) -> None:
        if not stat.S_ISREG(info.st_mode):
            raise _irregular(self.name)
        if self.stamp is not None and (info.st_size, *_stamp(info)) != (self.size, *self.stamp):
            raise self._changed()

    def _changed(self) -> SourceError:
        return SourceError(
            "has changed while it was read",
            code="E-CHANGED",
            file=self.name,
            fix="run again when nothing writes to it",
        )


def local_blob(path: str, name: str | None = None) -> Blob:
    """Look at a local file.

    Raises
    ------
    SourceError
        If it is missing, unreadable, or not a regular file.
    """
    shown = path if name is None else name
    try:
        path.encode()
    except UnicodeEncodeError:
        # Arrow opens files by names in UTF-8, and a report could not spell it.
        raise SourceError(
            "has a name that is not UTF-8", code="E-FILE", file=shown, fix="rename it"
        ) from None
    with reading(shown):
        info = os.stat(path)  # noqa: PTH116
    if not stat.S_ISREG(info.st_mode):
        raise _irregular(shown)
    return Blob(shown, path, info.st_size, None, _stamp(info))


def _stamp(info: os.stat_result) -> tuple[int, int]:
    return info.st_ino, info.st_mtime_ns


def _irregular(name: str) -> SourceError:
    return SourceError(
        "is not a regular file", code="E-FILE", file=name, fix="give a file, a folder or a URL"
    )


def read_ahead(blobs: Sequence[Blob]) -> Iterator[tuple[Blob, Iterator[bytes]]]:
    """Give each blob with its bytes, in order; small remote objects are fetched ahead, a few at a time.

    Memory stays below about a window of small objects. Local files are read when their turn comes.
    """
    if not any(blob.remote for blob in blobs):
        for blob in blobs:
            yield blob, blob.chunks()
        return
    waiting: deque[tuple[Blob, Future[bytes] | None]] = deque()
    with ThreadPoolExecutor(_WORKERS) as pool:
        try:
            for blob in blobs:
                small = blob.remote and blob.size <= _SMALL
                waiting.append((blob, pool.submit(_whole, blob) if small else None))
                if len(waiting) >= _WINDOW:
                    yield _next(waiting)
            while waiting:
                yield _next(waiting)
        finally:
            for _, pending in waiting:
                if pending is not None:
                    pending.cancel()


def _next(waiting: deque[tuple[Blob, Future[bytes] | None]]) -> tuple[Blob, Iterator[bytes]]:
    blob, pending = waiting.popleft()
    return blob, blob.chunks() if pending is None else iter((pending.result(),))


def _whole(blob: Blob) -> bytes:
    return b"".join(blob.chunks())
