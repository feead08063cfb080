"""The program that runs a user's ``model.py``, started by :mod:`driftline.monitor.attribution.python_model`.

It runs in a process of its own, with limits, and shares the fence of :mod:`driftline.monitor.preprocessor_child`.
Frames are one byte of kind and four bytes of length (big endian), as there.

==== ========= =================================================================================================
kind direction content
==== ========= =================================================================================================
C    in        settings as JSON: ``path``, ``source``, ``function``, ``input``, ``features``, limits; the first
M    in        a batch: number of rows (8 bytes, little endian), then the matrix of doubles, row by row
H    out       the file is loaded
S    out       the shape of an answer as JSON
D    out       a piece of its doubles; pieces follow until all have come
E    out       a failure as JSON; nothing follows
==== ========= =================================================================================================
"""

from __future__ import annotations

import json
import mmap
import os
import sys
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec, spec_from_file_location
from typing import TYPE_CHECKING, Any, Never

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PIECE_BYTES = 8 * 1024 * 1024
MOST_OUTPUTS = 1000


def _fence() -> Any:
    """Load the program for preprocessors, which this process has beside it but not on its import path."""
    path = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "preprocessor_child.py")  # noqa: PTH100, PTH118, PTH120 - pathlib is slow to import, and this must start quickly
    spec = spec_from_file_location("driftline_fence", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Reporter:
    """Tells the parent what went wrong, and ends the process."""

    def __init__(self, fence: Any, descriptor: int, settings: dict[str, Any]) -> None:
        self._fence = fence
        self._descriptor = descriptor
        self._settings = settings

    def refuse(self, code: str, message: str, **facts: Any) -> Never:
        """Report a fault that is known by its own words."""
        self._fence.flush_output()
        content = json.dumps({"code": code, "message": message, **facts}).encode("ascii")
        self._fence.write_frame(self._descriptor, b"E", content)
        os._exit(1)

    def raised(self, error: BaseException, stage: str) -> Never:
        """Report what the user's code raised, with the line of its own file."""
        self._fence.release_spare_memory()
        path = self._settings["path"]
        line, trace = None, error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == path:
                line = trace.tb_lineno
            trace = trace.tb_next
        if isinstance(error, MemoryError):
            limit = self._settings["memory_bytes"] // 1024**2
            self.refuse(
                "E-MODEL-MEMORY",
                f"needed more than {limit:,} MiB of memory {stage}",
                line=line,
                fix="raise memory_mb under [model]",
            )
        if isinstance(error, SyntaxError) and error.filename == path:
            self.refuse("E-MODEL-FILE", f"is not valid Python: {error.msg}", line=error.lineno)
        try:
            text = str(error)[:500]
        except Exception:  # noqa: BLE001 - the user's __str__ may do anything; the type is still worth telling
            text = "(its message cannot be shown)"
        fix = None
        if isinstance(error, ModuleNotFoundError):
            fix = "install the package in the environment that runs driftline"
        elif isinstance(error, PermissionError) and error.errno == 1:
            fix = "a model may not start processes"
        self.refuse("E-MODEL-RAISED", f"{type(error).__name__}: {text} ({stage})", line=line, fix=fix)


def load(fence: Any, settings: dict[str, Any], reporter: Reporter) -> Callable[[Any], Any]:
    """Run the user's file and return its function."""
    import random

    random.seed(0)
    path = settings["path"]
    loader = fence._GivenSource("user_model", path, settings["source"])
    module = module_from_spec(ModuleSpec("user_model", loader, origin=path))
    module.__file__ = path
    sys.modules["user_model"] = module
    loader.exec_module(module)
    function = getattr(module, settings["function"], None)
    if not callable(function):
        reporter.refuse(
            "E-MODEL-FILE",
            f"defines no function {settings['function']}",
            fix=f"define {settings['function']}(rows), which returns one number for each row",
        )
    found: Callable[[Any], Any] = function
    return found


def columns_of(matrix: Any, features: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the columns that a matrix stands for, as :meth:`Encoding.columns` of the parent does."""
    import numpy as np

    columns: dict[str, Any] = {}
    for j, feature in enumerate(features):
        numbers = np.ascontiguousarray(matrix[:, j])
        gaps = np.isnan(numbers)
        kind = feature["kind"]
        if kind == "text":
            names = np.array([*feature["values"], None], dtype=object)
            columns[feature["name"]] = names[np.where(gaps, len(names) - 1, numbers).astype(np.int64)]
        elif kind == "boolean" and not gaps.any():
            columns[feature["name"]] = numbers != 0.0
        elif kind == "integer" and not gaps.any() and (numbers == np.floor(numbers)).all():
            columns[feature["name"]] = numbers.astype(np.int64)
        else:
            columns[feature["name"]] = numbers
    return columns


def serve(
    fence: Any,
    function: Callable[[Any], Any],
    frames: Iterator[tuple[bytes, bytes]],
    settings: dict[str, Any],
    answer: int,
    progress: memoryview,
    reporter: Reporter,
) -> None:
    """Call the function for each batch until the parent closes the pipe."""
    import numpy as np

    features, form = settings["features"], settings["input"]
    for number, (_, content) in enumerate(frames, start=1):
        progress[0] = number
        n_rows = int.from_bytes(content[:8], "little")
        matrix = np.frombuffer(content, "<f8", offset=8).reshape(n_rows, len(features))
        try:
            batch: Any = matrix.copy()
            if form != "matrix":
                batch = columns_of(batch, features)
            if form == "frame":
                import pandas as pd

                batch = pd.DataFrame(batch)
            told = function(batch)
        except BaseException as error:  # noqa: BLE001 - whatever it is, the parent tells it and the run fails
            reporter.raised(error, f"in {settings['function']}, on a batch of {n_rows:,} rows")
        try:
            result = np.asarray(told, dtype="<f8")
        except (TypeError, ValueError):
            reporter.refuse(
                "E-MODEL-ANSWER",
                f"{settings['function']} returned a {type(told).__name__}, not an array of numbers",
                fix="return one number, or one row of numbers, for each row",
            )
        if result.ndim not in (1, 2) or result.shape[0] != n_rows or result.size > n_rows * MOST_OUTPUTS:
            reporter.refuse(
                "E-MODEL-ANSWER",
                f"{settings['function']} returned an array of shape {result.shape} for {n_rows:,} rows",
                fix="return one number, or one row of numbers, for each row",
            )
        fence.flush_output()
        fence.write_frame(answer, b"S", json.dumps(list(result.shape)).encode("ascii"))
        data = result.tobytes()
        for begin in range(0, len(data), PIECE_BYTES):
            fence.write_frame(answer, b"D", data[begin : begin + PIECE_BYTES])


def main(request: int, reply: int, shared: int) -> None:
    """Load the user's file and answer batches, over the given descriptors."""
    fence = _fence()
    for descriptor in (request, reply, shared):
        os.set_inheritable(descriptor, False)
    progress = memoryview(mmap.mmap(shared, 8)).cast("Q")
    frames = fence.read_frames(request)
    settings = json.loads(next(frames)[1])
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    sys.argv = [settings["path"]]
    reporter = Reporter(fence, reply, settings)
    fence.die_with_parent(request)
    fence.confine(settings)
    try:
        function = load(fence, settings, reporter)
    except BaseException as error:  # noqa: BLE001 - as in serve()
        reporter.raised(error, "while the file was loaded")
    fence.flush_output()
    fence.write_frame(reply, b"H", b"")
    serve(fence, function, frames, settings, reply, progress, reporter)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:4]))
    # Exit handlers and threads of the user's file have had their time.
    os._exit(0)
