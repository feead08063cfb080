"""Files appear whole or not at all.

Everything driftline writes goes through here: bytes land under a temporary name in the target's own folder, are
flushed to the disk, and are renamed. A reader sees the old content or the new, never half of either.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from driftline.errors import InputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["digest", "read_regular", "write_folder", "write_whole"]


def digest(data: bytes) -> str:
    """Return ``"sha256:<hex>"`` of `data`."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _failed(error: OSError, target: Path) -> UsageError:
    return UsageError(
        f"cannot be written: {error.strerror or error}",
        code="E-WRITE",
        file=target,
        fix="choose another place with -o or make room",
    )


def write_whole(target: str | os.PathLike[str], data: bytes) -> None:
    """Write `data` to `target` atomically and durably.

    Raises
    ------
    UsageError
        If the folder cannot be written; nothing is left behind then.
    """
    path = Path(target)
    temporary: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(prefix=".driftline-", dir=path.parent)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).replace(path)
        temporary = None
        _sync_folder(path.parent)
    except OSError as error:
        raise _failed(error, path) from None
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


def write_folder(target: str | os.PathLike[str], files: Mapping[str, bytes]) -> None:
    """Write `files` into the folder `target` so that they appear together.

    A folder that does not exist yet is prepared beside its place and renamed, so it appears complete. A folder
    that exists keeps its other files; each named file is replaced whole, the last one named last, so a reader
    that starts from the last file (``baseline.json``, ``report.json``) never meets a new index over old parts.

    Raises
    ------
    UsageError
        If `target` is a file, or cannot be written.
    """
    folder = Path(target)
    if folder.exists() and not folder.is_dir():
        raise UsageError(
            "is a file, expected a folder", code="E-WRITE", file=folder, fix="choose another folder with -o"
        )
    if folder.exists():
        for name, data in files.items():
            write_whole(folder / name, data)
        return
    staging: str | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        staging = tempfile.mkdtemp(prefix=".driftline-", dir=folder.parent)
        for name, data in files.items():
            path = Path(staging, name)
            with path.open("wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
        _sync_folder(Path(staging))
        Path(staging).rename(folder)
        staging = None
        _sync_folder(folder.parent)
    except OSError as error:
        raise _failed(error, folder) from None
    finally:
        if staging is not None:
            shutil.rmtree(staging, ignore_errors=True)


def read_regular(source: str | os.PathLike[str], *, max_bytes: int) -> bytes:
    """Read a regular file of at most `max_bytes`.

    Raises
    ------
    InputError
        If it is missing, not a regular file (a pipe or a device would hang), too large or unreadable.
    """
    path = Path(source)
    try:
        info = path.stat()
        if not stat.S_ISREG(info.st_mode):
            raise InputError("is not a regular file", code="E-FILE", file=path)
        if info.st_size > max_bytes:
            raise InputError(
                f"has {info.st_size:,} bytes, more than the limit of {max_bytes:,}", code="E-FILE", file=path
            )
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError("does not exist", code="E-FILE", file=path, fix="check the path") from None
    except OSError as error:
        raise InputError(
            f"cannot be read: {error.strerror or error}", code="E-FILE", file=path
        ) from None
