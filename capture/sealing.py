"""Sealing in a process of its own: ``python -m driftline.capture.sealing``, asked by a line of JSON on standard input."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from driftline.capture.archive import Archive
from driftline.capture.carry import carried_on
from driftline.capture.upkeep import keep_within, sweep
from driftline.errors import DriftlineError

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
        with carried_on(archive.logs) as carry:
            archive.seal_logs(carry)
        sweep(archive)
        if asked["limits"]["disk_bytes"] is not None and asked["limits"]["when_full"] == "expire":
            keep_within(archive, asked["limits"]["disk_bytes"])
    except (OSError, DriftlineError) as error:
        sys.stderr.write(" ".join(str(error).split()) + "\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
