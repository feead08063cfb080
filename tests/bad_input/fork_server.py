"""A process that has driftline imported and forks for every command it is told to run.

Each command is a process of its own, with real streams, limits and exit status, and costs some milliseconds instead of
half a second. One request is one line of JSON on standard input, one answer one line on standard output::

    {"arguments": ["check", "x.csv", "-b", "baseline"], "folder": "/tmp/x", "out": "/tmp/out", "err": "/tmp/err", …}
    {"code": 2, "seconds": 0.01, "peak_kib": 91234}

A command that ended by a signal has the negative number of the signal for its code; one that took too long has None.
"""

from __future__ import annotations

import ctypes
import faulthandler
import gc
import importlib
import json
import os
import resource
import select
import signal
import struct
import sys
import time
from typing import Any

USED = (
    "driftline.api",
    "driftline.baselines.suggestion",
    "driftline.capture.formats.arrow",
    "driftline.capture.formats.csv",
    "driftline.capture.formats.json_block",
    "driftline.capture.formats.jsonl",
    "driftline.capture.formats.parquet",
    "driftline.capture.formats.sagemaker",
    "driftline.cli.application",
    "driftline.cli.baseline",
    "driftline.cli.check",
    "driftline.cli.diff",
    "driftline.cli.show",
    "driftline.cli.shown",
    "driftline.kernels.lexical",
    "driftline.monitor.compat",
    "driftline.monitor.engine",
    "driftline.monitor.preprocessing",
    "driftline.monitor.recipes.sagemaker_judge",
    "driftline.monitor.segment",
    "driftline.reports.diff",
    "driftline.reports.html",
    "driftline.reports.terminal",
    "driftline.reports.violations",
    "pyarrow.compute",
    "pyarrow.csv",
    "pyarrow.json",
    "pyarrow.parquet",
    "rich.console",
    "rich.table",
)
"""What commands import when they run; imported once here. Their names are no secret: a wrong one fails at once."""

_CAPABILITY_VERSION = 0x20080522


def without_powers() -> None:
    """Give up what root may do beyond permissions, so that a closed file is closed; for others nothing changes."""
    header = struct.pack("=Ii", _CAPABILITY_VERSION, 0)
    nothing = bytes(24)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.capset(header, nothing) != 0:
        raise OSError(ctypes.get_errno(), "capset")


def child(request: dict[str, Any]) -> None:
    """Become the process that the request describes, and never come back."""
    os.setpgid(0, 0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    streams = (
        (0, os.devnull, os.O_RDONLY),
        (1, request["out"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
        (2, request["err"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
    )
    for number, path, flags in streams:
        descriptor = os.open(path, flags, 0o600)
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.chdir(request["folder"])
    for name, value in request["environment"].items():
        os.environ[name] = value
    if not request["powers"]:
        without_powers()
    for name, value in request["limits"].items():
        kind = getattr(resource, f"RLIMIT_{name}")
        resource.setrlimit(kind, (value, resource.getrlimit(kind)[1]))
    # What hangs shall say where.
    faulthandler.dump_traceback_later(max(1.0, request["seconds"] - 5.0), file=sys.stderr)
    sys.argv = ["driftline", *request["arguments"]]
    code = 70
    try:
        from driftline.cli import main

        main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
    except BaseException:
        import traceback

        traceback.print_exc()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            code = code or 120
    os._exit(code)


def run(request: dict[str, Any]) -> dict[str, Any]:
    """Fork, wait, and say how it ended."""
    began = time.monotonic()
    number = os.fork()
    if number == 0:
        child(request)
    handle = os.pidfd_open(number)
    try:
        done, _, _ = select.select([handle], [], [], request["seconds"])
        if not done:
            os.kill(number, signal.SIGKILL)
        _, status, usage = os.wait4(number, 0)
    finally:
        os.close(handle)
    code = os.waitstatus_to_exitcode(status) if done else None
    return {"code": code, "seconds": time.monotonic() - began, "peak_kib": usage.ru_maxrss}


def main() -> None:
    """Answer requests until there are no more."""
    for name in USED:
        importlib.import_module(name)
    gc.freeze()
    for line in sys.stdin.buffer:
        answer = run(json.loads(line))
        sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
