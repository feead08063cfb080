"""Target: where the files of a capture store lie, a local folder or an object store.

Objects appear whole by their nature, files by being renamed; in both, a name is written once with one content, so that
a write that failed after it took effect may simply be repeated.
"""

from __future__ import annotations

import os
import random
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa

from driftline.errors import DriftlineError, SourceError, UsageError
from driftline.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Folder", "Objects", "Target", "target_of"]

_SCHEMES = ("s3", "gs", "gcs", "abfs", "abfss")


class Target(Protocol):
    """A place for files, named by paths with ``/`` relative to it."""

    @property
    def name(self) -> str:
        """What people see: the folder, or the URL without credentials and options."""

    @property
    def is_local(self) -> bool:
        """Tell whether it is a folder of this machine."""

    def write(self, path: str, data: bytes | pa.Buffer) -> None:
        """Write a file, whole and durably.

        Raises
        ------
        UsageError
            ``E-WRITE``.
        """

    def read(self, path: str) -> pa.Buffer:
        """Return a file.

        Raises
        ------
        FileNotFoundError
        SourceError
            ``E-STORE``.
        """

    def remove(self, path: str) -> None:
        """Remove a file; one that is not there is no error."""

    def paths(self, below: str) -> list[str]:
        """List the files below a folder, sorted; none where there is no such folder."""

    def shown(self, path: str) -> str:
        """Return what a reader opens: a path, or a URL."""


class Folder:
    """A local folder, see :class:`Target`."""

    is_local = True

    def __init__(self, root: Path) -> None:
        self.root = root
        self.name = str(root)

    def write(self, path: str, data: bytes | pa.Buffer) -> None:  # noqa: D102
        write_whole(self.root / path, memoryview(data))

    def read(self, path: str) -> pa.Buffer:  # noqa: D102
        try:
            with pa.OSFile(str(self.root / path)) as file:
                return file.read_buffer()
        except FileNotFoundError:
            raise
        except (OSError, pa.ArrowException) as error:
            raise SourceError(f"cannot be read: {error}", code="E-FILE", file=self.root / path) from None

    def remove(self, path: str) -> None:  # noqa: D102
        target = self.root / path
        target.unlink(missing_ok=True)
        for folder in target.parents:
            if folder in (self.root, *self.root.parents):
                break
            try:
                folder.rmdir()
            except OSError:
                break

    def paths(self, below: str) -> list[str]:  # noqa: D102
        start = self.root / below if below else self.root
        return sorted(self._below(start))

    def _below(self, folder: Path) -> Iterator[str]:
        for parent, folders, files in os.walk(folder):
            if Path(parent) == self.root and ".driftline" in folders:
                folders.remove(".driftline")
            for name in files:
                yield (Path(parent) / name).relative_to(self.root).as_posix()

    def shown(self, path: str) -> str:  # noqa: D102
        return str(self.root / path)

    def __repr__(self) -> str:
        return f"<{self.name}>"


class Objects:
    """A prefix of an object store, see :class:`Target`; failed requests are tried again with growing pauses.

    Parameters
    ----------
    url : str
        Such as ``s3://bucket/captures?endpoint_override=127.0.0.1:9000&scheme=http``.
    seconds : float
        How long a request is tried.
    """

    is_local = False

    def __init__(self, url: str, *, seconds: float = 60.0) -> None:
        scheme, _, rest = url.partition("://")
        bucket, _, key = rest.partition("?")[0].rpartition("@")[2].partition("/")
        self.name = f"{scheme}://{bucket}/{key}".rstrip("/")
        if scheme not in _SCHEMES or not bucket:
            raise SourceError(
                "names no bucket"
                if scheme in _SCHEMES
                else f"is of a kind {scheme!r} that captures cannot lie on",
                code="E-STORE",
                file=self.name,
                fix="write s3://bucket/key",
            )
        self._url = url
        self._opened: tuple[Any, str] | None = None
        self._seconds = seconds

    @property
    def _store(self) -> Any:
        return self._open()[0]

    def _path(self, path: str) -> str:
        base = self._open()[1]
        return f"{base}/{path}" if path else base

    def _open(self) -> tuple[Any, str]:
        # When it is first needed: this may ask the network, and what it starts does not outlive a fork.
        if self._opened is None:
            from driftline.capture.store import opened_store

            store, base, _ = opened_store(self._url)
            self._opened = (store, base)
        return self._opened

    def write(self, path: str, data: bytes | pa.Buffer) -> None:  # noqa: D102
        def put() -> None:
            with self._store.open_output_stream(self._path(path), compression=None) as sink:
                sink.write(data)

        self._tried(put, path, writing=True)

    def read(self, path: str) -> pa.Buffer:  # noqa: D102
        def get() -> pa.Buffer:
            with self._store.open_input_file(self._path(path)) as file:
                size = file.size()
                data = file.read_buffer()
            if data.size != size:
                raise OSError(f"{data.size} bytes came instead of {size}")
            return data

        return self._tried(get, path)

    def remove(self, path: str) -> None:  # noqa: D102
        def delete() -> None:
            try:
                self._store.delete_file(self._path(path))
            except FileNotFoundError:
                return

        self._tried(delete, path, writing=True)

    def paths(self, below: str) -> list[str]:  # noqa: D102
        from pyarrow import fs

        def find() -> list[str]:
            selector = fs.FileSelector(self._path(below), recursive=True, allow_not_found=True)
            infos = self._store.get_file_info(selector)
            cut = len(self._path("")) + 1
            return sorted({i.path[cut:] for i in infos if i.type == fs.FileType.File})

        found: list[str] = self._tried(find, below)
        return [path for path in found if below or not path.startswith(".driftline/")]

    def shown(self, path: str) -> str:  # noqa: D102
        return f"{self.name}/{path}"

    def _tried(self, action: Callable[[], Any], path: str, *, writing: bool = False) -> Any:
        """Do it, and again with a random pause that grows, until the time is over."""
        end = time.monotonic() + self._seconds
        pause = 0.1
        while True:
            try:
                return action()
            except (FileNotFoundError, DriftlineError):
                raise
            except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
                text = " ".join(str(error).split())[:300]
                wait = pause * (0.5 + random.random())  # noqa: S311
                if time.monotonic() + wait > end or _is_final(text):
                    kind = UsageError if writing else SourceError
                    raise kind(
                        f"the store cannot be {'written' if writing else 'read'}: {text}",
                        code="E-STORE",
                        file=self.shown(path),
                        fix="check the URL, the credentials in the environment and the network",
                    ) from None
            time.sleep(wait)
            pause = min(2 * pause, 5.0)

    def __repr__(self) -> str:
        return f"<{self.name}>"


def _is_final(text: str) -> bool:
    return any(
        word in text for word in ("ACCESS_DENIED", "AccessDenied", "NO_SUCH_BUCKET", "InvalidAccessKeyId")
    )


def target_of(place: str | os.PathLike[str]) -> Target:
    """Return the target that a path or a URL names."""
    text = os.fspath(place)
    if "://" in text and not text.startswith("file://"):
        return Objects(text)
    return Folder(Path(text.removeprefix("file://")))
