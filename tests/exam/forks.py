"""Forks: children that do one thing, and may be killed while they do it."""

from __future__ import annotations

import json
import mmap
import os
import select
import signal
import sys
import time
import traceback
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Acks", "ChildError", "answer", "kill", "start", "wait"]


class ChildError(Exception):
    """A child raised, died or hung."""


class Acks:
    """Which events were sent and which acknowledged, in memory that outlives a killed process and needs no call."""

    def __init__(self, size: int = 1 << 16) -> None:
        self.size = size
        self._sent = mmap.mmap(-1, size)
        self._told = mmap.mmap(-1, size)
        self._gone = mmap.mmap(-1, size)

    def send(self, number: int) -> None:
        """Note that an event is about to be sent."""
        self._sent[number] = 1

    def tell(self, number: int) -> None:
        """Note that an event was acknowledged."""
        self._told[number] = 1

    def erase(self, number: int) -> None:
        """Note that somebody began to erase an event."""
        self._gone[number] = 1

    @property
    def sent(self) -> set[int]:
        """Numbers of the events that were sent."""
        return _set(self._sent)

    @property
    def told(self) -> set[int]:
        """Numbers of the events that were acknowledged."""
        return _set(self._told)

    @property
    def gone(self) -> set[int]:
        """Numbers of the events that somebody began to erase."""
        return _set(self._gone)

    def close(self) -> None:
        """Give the memory back."""
        for held in (self._sent, self._told, self._gone):
            held.close()


def _set(flags: mmap.mmap) -> set[int]:
    data, found, at = flags[:], set(), -1
    while (at := data.find(1, at + 1)) >= 0:
        found.add(at)
    return found


def start(action: Callable[[], Any]) -> int:
    """Start a child that does `action` and ends; returns its process id."""
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if not pid:
        _do(action)
    return pid


def _do(action: Callable[[], Any]) -> NoReturn:
    code = 1
    try:
        action()
        code = 0
    except BaseException:  # noqa: BLE001  a child must never go on where its parent was
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def kill(pid: int) -> None:
    """Kill a child, and wait for its end."""
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def wait(pid: int, seconds: float = 60.0) -> int | None:
    """Wait for the end of a child; None, and it is killed, where that takes too long."""
    descriptor = os.pidfd_open(pid)
    try:
        ended, _, _ = select.select([descriptor], [], [], seconds)
    finally:
        os.close(descriptor)
    if ended:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    kill(pid)
    return None


def answer(action: Callable[[], Any], seconds: float = 120.0) -> Any:
    """Return what `action` returns in a child, by way of JSON.

    Raises
    ------
    ChildError
        If it raised, died or took too long.
    """
    reader, writer = os.pipe()

    def act() -> None:
        os.close(reader)
        try:
            said = json.dumps({"answer": action()})
        except BaseException as error:  # noqa: BLE001  it is told to the parent
            where = traceback.format_exception(error)
            said = json.dumps({"error": f"{type(error).__name__}: {error}", "where": "".join(where)[-1500:]})
        with os.fdopen(writer, "w") as pipe:
            pipe.write(said)

    pid = start(act)
    os.close(writer)
    end, pieces = time.monotonic() + seconds, []
    with os.fdopen(reader, "rb") as pipe:
        while True:
            ready, _, _ = select.select([pipe], [], [], max(0.0, end - time.monotonic()))
            if not ready:
                kill(pid)
                raise ChildError(f"hung for {seconds:g} seconds")
            piece = os.read(pipe.fileno(), 1 << 16)
            if not piece:
                break
            pieces.append(piece)
    wait(pid)
    if not pieces:
        raise ChildError("died without an answer")
    said = json.loads(b"".join(pieces))
    if "error" in said:
        raise ChildError(f"{said['error']} {said['where']}")
    return said["answer"]
