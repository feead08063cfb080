"""Carrying on: where halves of events wait for their other half when there is no log that is written to."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from driftline.capture import wal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

__all__ = ["carried_on"]


@contextlib.contextmanager
def carried_on(folder: Path) -> Iterator[Callable[[Sequence[bytes]], bool]]:
    """Give a function that takes frames into a log of its own, made with the first, and tells whether they are on the disk.

    The log is complete at the end; whoever seals next finds it.
    """
    logs: list[wal.Log] = []

    def take(frames: Sequence[bytes]) -> bool:
        if not logs:
            logs.append(wal.Log(folder, lambda _: None, group_seconds=0.0))
        reached = threading.Event()
        failures: list[OSError | None] = []

        def told(error: OSError | None) -> None:
            failures.append(error)
            reached.set()

        return logs[0].append(frames, told) and reached.wait(30.0) and failures[0] is None

    try:
        yield take
    finally:
        for log in logs:
            log.close(None)
