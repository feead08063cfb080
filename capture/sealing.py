"""Sealing in a process of its own: ``python -m driftline.capture.sealing``, asked by a line of JSON on standard input."""

from __future__ import annotations

import json
import os
import sys
import threading
from typing import TYPE_CHECKING, Any

from driftline.capture import wal
from driftline.capture.archive import Archive
from driftline.capture.upkeep import keep_within, sweep
from driftline.errors import DriftlineError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["main"]


def main() -> int:
    """Seal the complete logs of a store; returns 0, or 1 with a line on standard error."""
    # A line, not all there is: a child that the asking process forks meanwhile keeps its end of the pipe open.
    asked: dict[str, Any] = json.loads(sys.stdin.readline())
    os.nice(10)
    try:
        archive = Archive(
            asked["root"],
            state=asked["state"],
            input_names=asked["input_names"],
            output_names=asked["output_names"],
            pair_seconds=asked["limits"]["pair_seconds"],
        )
        carried = _Carried(archive.logs)
        try:
            archive.seal_logs(carried.take if asked["carry"] else None)
        finally:
            carried.close()
        sweep(archive)
        if asked["limits"]["disk_bytes"] is not None and asked["limits"]["when_full"] == "expire":
            keep_within(archive, asked["limits"]["disk_bytes"])
    except (OSError, DriftlineError) as error:
        sys.stderr.write(" ".join(str(error).split()) + "\n")
        return 1
    return 0


class _Carried:
    """The log that halves of events are carried on to; it is made when there is the first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._log: wal.Log | None = None

    def take(self, frames: Sequence[bytes]) -> bool:
        if self._log is None:
            self._log = wal.Log(self._folder, lambda _: None, group_seconds=0.0)
        reached = threading.Event()
        failures: list[OSError | None] = []

        def told(error: OSError | None) -> None:
            failures.append(error)
            reached.set()

        return self._log.append(frames, told) and reached.wait(30.0) and failures[0] is None

    def close(self) -> None:
        if self._log is not None:
            self._log.close(None)


if __name__ == "__main__":
    sys.exit(main())
