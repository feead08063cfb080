"""Files appear whole or not at all.

Everything driftline writes goes through here: bytes land under a temporary name in the target's own folder,
are flushed to the disk, and are renamed. A reader sees the old content or the new, never half of either. All
of it is closed to others (files 0600, folders 0700, whatever the umask): it was made from somebody's data.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
import stat
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from driftline.errors import InputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["digest", "make_folder", "read_regular", "write_folder", "write_whole"]

_TEMPORARY = ".driftline-"
_STAGING = ".driftline-staging-"


def digest(data: bytes) -> str:
    """Return ``"sha256:<hex>"`` of `data`."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def write_whole(target: str | os.PathLike[str], data: bytes | memoryview) -> None:
    """Write `data` to `target` atomically and durably.

    Parameters
    ----------
    target : path
        Missing folders above it are made. Where it is a symbolic link to a file, that file is replaced.
    data : bytes

    Raises
    ------
    UsageError
        If `target` is no name for a file, or cannot be written; nothing is left behind then.
    """
    try:
        path = Path(os.path.realpath(_given(target)))
        # A rename puts a file in the place of anything: run by root, in the place of /dev/null. (What stands
        # behind /dev/stdout may have no name of its own, so that the resolved path leads nowhere.)
        if Path(target).exists() and not path.is_file():
            raise _refused(target, "is not a regular file", "name another file")
        with _folders(path.parent):
            descriptor, temporary = tempfile.mkstemp(prefix=_TEMPORARY, dir=path.parent)
            try:
                _write(descriptor, data)
                Path(temporary).replace(path)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise
        _sync_folder(path.parent)
    except OSError as error:
        raise _failed(target, error) from None


def write_folder(target: str | os.PathLike[str], files: Mapping[str, bytes]) -> None:
    """Write `files` into the folder `target` so that they appear together.

    A folder that does not exist yet is prepared beside its place and renamed, so it appears complete. One
    that exists keeps its other files: every new file is written out in full first, and only then are they
    renamed, one right after the other, in the order given. So a full disk changes nothing, and a reader that
    starts from the last file (``baseline.json``, ``report.json``) never meets a new index over old parts. Two
    writers take turns.

    Parameters
    ----------
    target : path
        Missing folders above it are made.
    files : mapping of str to bytes
        Contents by name; the index comes last.

    Raises
    ------
    UsageError
        If `target` is no name for a folder, or cannot be written.
    """
    folder = Path(_given(target))
    try:
        if folder.exists() and not folder.is_dir():
            raise _refused(target, "is a file, expected a folder", "choose another folder with -o")
        if folder.exists() or not _appear(folder, files):
            _replace_in(folder, files)
    except OSError as error:
        raise _failed(target, error) from None


def read_regular(source: str | os.PathLike[str], *, max_bytes: int) -> bytes:
    """Read a regular file of at most `max_bytes`.

    Raises
    ------
    InputError
        If it is missing, not a regular file (a pipe or a device would hang), too large or unreadable.
    """
    try:
        # Opened without waiting, then looked at: a pipe cannot hang us, nor take the file's place in between.
        descriptor = os.open(source, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            info = os.fstat(descriptor)
            if not stat.S_ISREG(info.st_mode):
                raise InputError("is not a regular file", code="E-FILE", file=source)
            size, data = info.st_size, b""
            if size <= max_bytes:
                with os.fdopen(descriptor, "rb", closefd=False) as stream:
                    data = stream.read(size + 1)
                    if len(data) > size:
                        data += stream.read(max_bytes)
                size = len(data)
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        raise InputError("does not exist", code="E-FILE", file=source, fix="check the path") from None
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        message = f"cannot be read: {getattr(error, 'strerror', None) or error}"
        raise InputError(message, code="E-FILE", file=source) from None
    if size > max_bytes:
        message = f"has {size:,} bytes, more than the limit of {max_bytes:,}"
        raise InputError(message, code="E-FILE", file=source)
    return data


def _given(target: str | os.PathLike[str]) -> str:
    name = os.fspath(target)
    # "" is what an unset variable of a shell gives, and would mean the current folder.
    if not name or "\0" in name:
        raise _refused(
            target, "is not a name that a file can have", "say where to write, for example -o report/"
        )
    return name


def _refused(target: object, message: str, fix: str) -> UsageError:
    return UsageError(message, code="E-WRITE", file=target, fix=fix)


def _failed(target: object, error: OSError) -> UsageError:
    return _refused(
        target, f"cannot be written: {error.strerror or error}", "choose another place or make room"
    )


def make_folder(folder: str | os.PathLike[str]) -> None:
    """Make a folder and those above it, closed to others; one that is there is left as it is.

    Raises
    ------
    OSError
        If that cannot be; nothing is left behind then.
    """
    with _folders(Path(folder)):
        if not Path(folder).is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), os.fspath(folder))


@contextmanager
def _folders(folder: Path) -> Iterator[None]:
    """Make a folder and those above it, and take the new ones away again if what they were made for fails.

    They are closed to others; ``mkdir(parents=True)`` leaves those above open.
    """
    missing, made = [], []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    try:
        for new in reversed(missing):
            try:
                new.mkdir(mode=0o700)
                made.append(new)
            except FileExistsError:
                if not new.is_dir():
                    raise
        yield
    except BaseException:
        with suppress(OSError):  # somebody else has put something there in the meantime
            for new in reversed(made):
                new.rmdir()
        raise


def _write(descriptor: int, data: bytes | memoryview) -> None:
    """Write `data`, see it to the disk, and close the file."""
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def _write_all(staging: Path, files: Mapping[str, bytes]) -> None:
    for name, data in files.items():
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        _write(os.open(staging / name, flags, 0o600), data)
    _sync_folder(staging)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _appear(folder: Path, files: Mapping[str, bytes]) -> bool:
    """Make the whole folder at once; return False if somebody else made it first."""
    with _folders(folder.parent):
        staging = Path(tempfile.mkdtemp(prefix=_STAGING, dir=folder.parent))
        try:
            _write_all(staging, files)
            try:
                staging.rename(folder)
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST) or not folder.is_dir():
                    raise
                return False
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    _sync_folder(folder.parent)
    return True


def _replace_in(folder: Path, files: Mapping[str, bytes]) -> None:
    with _turn(folder) as alone:
        if alone:
            # Left by a writer that was killed: a living one would hold the lock.
            for stale in folder.glob(_STAGING + "*"):
                shutil.rmtree(stale, ignore_errors=True)
        staging = Path(tempfile.mkdtemp(prefix=_STAGING, dir=folder))
        try:
            _write_all(staging, files)
            for name in files:
                (staging / name).replace(folder / name)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        _sync_folder(folder)


@contextmanager
def _turn(folder: Path) -> Iterator[bool]:
    """Wait for other writers to this folder; gives False where the file system keeps no locks."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            locked = True
        except OSError:
            # Some network file systems: each file still appears whole.
            locked = False
        yield locked
    finally:
        os.close(descriptor)
