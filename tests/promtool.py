"""Prometheus's own program, which checks metrics, rules and queries."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

__all__ = ["promtool"]


def promtool(*arguments: str | Path, given: bytes = b"") -> tuple[int, str]:
    """Run it, and return its exit status and what it prints."""
    beside = Path(sys.executable).parent / "promtool"
    program = str(beside) if beside.is_file() else shutil.which("promtool")
    assert program, "promtool is not installed; `make test` fetches it"
    done = subprocess.run(
        [program, *map(str, arguments)],
        input=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout.decode()
