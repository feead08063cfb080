"""PythonModel: ``predict`` of a user's Python file, in a process that can fail without harm.

The process, its limits and its end are those of a preprocessor, see :mod:`driftline.monitor.preprocessor`: a fence against
accidents, not against malice. What goes to and fro are doubles, never objects.
"""

from __future__ import annotations

import json
import math
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from driftline.errors import InputError
from driftline.files import digest, read_regular
from driftline.monitor.attribution.failure import ModelError
from driftline.monitor.attribution.models import Model
from driftline.monitor.preprocessor_process import GarbledError, Process, StalledError, system_call_filter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from driftline.monitor.attribution.encoding import Encoding
    from driftline.monitor.attribution.model_settings import ModelSettings

__all__ = ["PythonModel"]

MIB: Final = 1024 * 1024
MOST_SOURCE: Final = MIB
MOST_OUTPUTS: Final = 1000
_CHILD: Final = Path(__file__).with_name("model_child.py")


class PythonModel(Model):
    """The function of a Python file; ``input`` says whether it takes a matrix (the default), columns or a frame.

    Raises
    ------
    InputError
        If the file is missing, not UTF-8, or too large.
    ModelError
        If it cannot be loaded, or defines no such function.
    """

    def __init__(self, settings: ModelSettings, encoding: Encoding) -> None:
        super().__init__(settings, encoding)
        assert settings.file is not None
        self._path = Path(settings.file)
        data = read_regular(self._path, max_bytes=MOST_SOURCE)
        try:
            source = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise InputError(
                f"byte {error.start:,} is not valid UTF-8",
                code="E-FILE",
                file=settings.file,
                line=data.count(b"\n", 0, error.start) + 1,
                fix="save the file as UTF-8",
            ) from None
        self.version = digest(data)
        if not hasattr(os, "memfd_create"):
            raise ModelError(
                "a model in a Python file runs on Linux only", code="E-MODEL-START", file=settings.file
            )
        try:
            self._process = Process(settings.timeout_seconds, settings.max_seconds, _CHILD)
        except OSError as error:
            raise ModelError(
                f"no process could be started for it: {error.strerror or error}",
                code="E-MODEL-START",
                file=settings.file,
                fix="check the memory, processes and temporary folder of this machine",
            ) from None
        try:
            self._process.send(b"C", json.dumps({**self._told(source)}).encode("ascii"))
            self._received(b"H", "was not loaded")
        except BaseException:
            self.close()
            raise

    def _told(self, source: str) -> dict[str, Any]:
        settings = self.settings
        return {
            "path": str(self._path.absolute()),
            "source": source,
            "function": settings.function,
            "input": settings.input or "matrix",
            "features": self.encoding.document(),
            "memory_bytes": settings.memory_mb * MIB,
            "cpu_seconds": math.ceil(settings.max_seconds),
            "filter": system_call_filter(os.uname().machine, allow_processes=False).hex(),
        }

    def close(self) -> None:
        """Kill the process and all it started, and remove its folder. May be called again."""
        self._process.close()

    def ask(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """Send a batch, and return the answer."""
        n = matrix.shape[0]
        data = np.ascontiguousarray(matrix, "<f8").tobytes()
        self._process.send(b"M", n.to_bytes(8, "little") + data)
        late = f"did not answer for a batch of {n:,} rows"
        shape = self._shape(self._received(b"S", late), n)
        size = math.prod(shape) * 8
        pieces = bytearray()
        while len(pieces) < size:
            piece = self._received(b"D", late)
            if not piece:
                raise self._garbled()
            pieces += piece
        if len(pieces) != size:
            raise self._garbled()
        return np.frombuffer(bytes(pieces), "<f8").reshape(shape).astype(np.float64)

    def _shape(self, content: bytes, n: int) -> tuple[int, ...]:
        try:
            shape = json.loads(content)
        except (ValueError, RecursionError):
            raise self._garbled() from None
        sound = isinstance(shape, list) and 1 <= len(shape) <= 2 and all(type(size) is int for size in shape)
        if not sound or shape[0] != n or not 1 <= math.prod(shape) <= n * MOST_OUTPUTS:
            raise self._garbled()
        return tuple(shape)

    def _received(self, expected: bytes, late: str) -> bytes:
        process = self._process
        try:
            frame = process.receive()
        except StalledError as stalled:
            limit = self.settings.max_seconds if stalled.total else self.settings.timeout_seconds
            name = "max_seconds" if stalled.total else "timeout_seconds"
            raise self._failed(
                "E-MODEL-TIMEOUT",
                f"{late} within {limit:g} seconds" + (" in all" if stalled.total else ""),
                fix=f"make it faster, or raise {name}",
            ) from None
        except GarbledError:
            raise self._garbled() from None
        if frame is None:
            raise self._died()
        kind, content = frame
        if kind == b"E":
            raise self._reported(content)
        if kind != expected:
            raise self._garbled()
        return content

    def _failed(self, code: str, message: str, **facts: Any) -> ModelError:
        self.close()
        return ModelError(message, code=code, file=self.settings.file, **facts)

    def _garbled(self) -> ModelError:
        return self._failed(
            "E-MODEL-ANSWER",
            "its process gave an answer that driftline does not understand",
            fix="do not write to or close file descriptors that the file did not open",
        )

    def _reported(self, content: bytes) -> ModelError:
        try:
            report = json.loads(content)
            code, message = str(report["code"]), str(report["message"])
            line, fix = report.get("line"), report.get("fix")
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return self._garbled()
        return self._failed(
            code if code.startswith("E-MODEL-") else "E-MODEL",
            message,
            line=line if type(line) is int else None,
            fix=None if fix is None else str(fix),
        )

    def _died(self) -> ModelError:
        ending = self._process.ending()
        self.close()
        lines = self._process.log_tail()
        printed = f"; it last printed: {lines[-1]}" if lines else ""
        fix = None
        if ending is None:
            message = "its process closed the connection to driftline"
        elif ending >= 0:
            message = f"its process ended itself with exit status {ending}"
        elif ending == -signal.SIGXCPU:
            message = f"its process used more than {math.ceil(self.settings.max_seconds):,} seconds of processor time"
            fix = "make it faster, or raise max_seconds"
        elif ending == -signal.SIGKILL:
            message = "its process was killed, perhaps because the machine ran out of memory"
        else:
            name = signal.Signals(-ending).name if -ending in set(signal.Signals) else f"signal {-ending}"
            message = f"its process crashed ({name})"
            fix = f"native code may have met the limit of {self.settings.memory_mb:,} MiB: raise memory_mb"
        return self._failed("E-MODEL-DIED", message + printed, fix=fix)
