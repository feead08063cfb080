"""Locks on files, held by a process and not by its children.

An ``flock`` belongs to the open file, and a forked child shares it: a lock that a server held while it forked its workers
would stay held for as long as any of them lives. So every descriptor with a lock is noted here, and closed in the child.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["locked", "opened", "released", "unforked", "whole"]

_guard = threading.Lock()
_whole = threading.RLock()
_held: set[int] = set()


def _in_child() -> None:
    global _guard, _whole
    _guard = threading.Lock()
    _whole = threading.RLock()
    for descriptor in _held:
        with contextlib.suppress(OSError):
            os.close(descriptor)
    _held.clear()


def _before() -> None:
    _whole.acquire()
    _guard.acquire()


def _in_parent() -> None:
    _guard.release()
    _whole.release()


os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)


def opened(path: Path, flags: int, mode: int = 0o600) -> int:
    """Open a file that is closed in every child; give it back to :func:`released`."""
    with _guard:
        descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW, mode)
        _held.add(descriptor)
    return descriptor


def released(descriptor: int) -> None:
    """Close what :func:`opened` gave."""
    with _guard:
        if descriptor in _held:
            _held.remove(descriptor)
            os.close(descriptor)


@contextlib.contextmanager
def unforked() -> Iterator[None]:
    """Keep this process from being forked meanwhile, by whatever thread."""
    with _guard:
        yield


@contextlib.contextmanager
def whole() -> Iterator[None]:
    """Do something that must not be cut in two by a fork: the child would find it begun and nobody to end it.

    That is so for the import of a module, and for whatever SQLite and PyArrow keep locks for. Threads take turns; the same
    thread may begin again. Locks of files may be taken meanwhile.
    """
    with _whole:
        yield


@contextlib.contextmanager
def locked(path: Path, *, wait: bool) -> Iterator[bool]:
    """Hold the lock of a file that exists; gives False where somebody else holds it and `wait` is false."""
    descriptor = opened(path, os.O_RDWR)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        released(descriptor)
