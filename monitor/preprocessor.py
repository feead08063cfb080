"""Preprocessor: runs a user's Python file over records, in a process that can fail without harm.

The file defines ``preprocess_handler(inference_record)`` or ``preprocess_handler(inference_record,
logger)``, as for SageMaker Model Monitor. The handler is called once per record. A captured record (an
object with ``captureData``) arrives as an object with the attributes ``event_metadata`` (``event_id``,
``event_time``, ``custom_attribute``), ``endpoint_input``, ``endpoint_output``, ``batch_transform_output``
and ``ground_truth`` (``encoding``, ``data``, ``observedContentType``, ``mode``, or None where the record
has no such side), ``event_version``, ``event_dict`` and ``as_dict()``; a CSV line arrives as text, a row of
a JSON or Parquet file as a dict.

============================== =========================================================
returned                       effect
============================== =========================================================
dict of key to scalar          one row; number, text, True, False, None; NaN is a float
``[]``                         the record is dropped, and counted
list of dicts                  several rows
captured record or CSV line    what the ``unpack`` argument makes of it
anything else, None included   an error that names the record
============================== =========================================================

What is limited: the time of each record and of the whole run, the processor time, the memory, the number of
open files and the size of a written one. New processes are refused by the kernel where it can (Linux on
x86-64 and ARM64, see :attr:`Preprocessor.confined`), and the whole process group is killed at the end in
any case. The process sees none of the caller's environment variables, works in an empty folder that is
removed afterwards, and what it prints is drained and cut to a tail. Installed packages can be imported;
files beside the user's file cannot.

What is **not** promised: this is a fence against accidents, not against malice. The code runs as the same
user, so it may read and write that user's files, fill the disk, signal that user's processes, and use the
network. Run files that you do not trust in a container of their own.
"""

from __future__ import annotations

import itertools
import json
import math
import os
import signal
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from driftline.errors import InputError, PreprocessorError, UsageError, printable
from driftline.files import read_regular
from driftline.monitor.preprocessor_process import GarbledError, Process, StalledError, system_call_filter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from driftline.reports.outcome import Place

__all__ = ["Preprocessor"]

MIB = 1024 * 1024
MAX_SOURCE_BYTES = MIB
MAX_RECORD_BYTES = 256 * MIB
MIN_MEMORY_BYTES = 64 * MIB

# A batch is small enough for two of them to wait in the kernel while the caller is busy with rows.
BATCH_RECORDS = 512
BATCH_BYTES = 128 * 1024
BATCHES_AHEAD = 2

_SCALARS = frozenset({int, float, str, bool, type(None)})


class Preprocessor:
    """Turns records into rows with a user's handler; a context manager.

    Parameters
    ----------
    path : str or path-like
        The user's Python file, UTF-8, at most 1 MiB.
    timeout_seconds : float, default 60
        Longest time for one record, and for loading the file. Found out within a quarter more.
    max_seconds : float, default 3600
        Longest time that the caller waits for the handler in all, and the most processor time that it may
        use. Time in which the caller is busy with the rows does not count.
    memory_bytes : int, default 1 GiB
        Most address space of the process (libraries included: pandas takes about 330 MiB).
    sort_keys : bool, default False
        Sort the keys of each row as text, as SageMaker does, so that ``_c10`` comes before ``_c2``;
        otherwise they keep the order in which the handler inserted them.
    unpack : callable, optional
        Makes rows of a record that the handler hands back whole: a captured record (as a dict) or a CSV
        line (as text). Without it, such a return value is an error.
    allow_processes : bool, default False
        Let the handler start processes. Limits then hold for each of them, not for all together.

    Attributes
    ----------
    n_records : int
        Records that the handler has finished.
    n_dropped : int
        Those of them that gave no row.

    Raises
    ------
    UsageError
        If a limit makes no sense.
    InputError
        On entering, if the file is missing, not UTF-8, too large or not a regular file.
    PreprocessorError
        On entering, if the file cannot be loaded or has no fitting handler.

    Examples
    --------
    >>> with Preprocessor("preprocessor.py") as preprocessor:      # doctest: +SKIP
    ...     for place, row in preprocessor.rows(records):
    ...         print(place.row, row)
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        timeout_seconds: float = 60.0,
        max_seconds: float = 3600.0,
        memory_bytes: int = 1024 * MIB,
        sort_keys: bool = False,
        unpack: Callable[[dict[str, Any] | str], Iterable[Mapping[str, object]]] | None = None,
        allow_processes: bool = False,
    ) -> None:
        for name, seconds in (("timeout_seconds", timeout_seconds), ("max_seconds", max_seconds)):
            if not 0 < seconds < math.inf:
                raise UsageError(f"expected a positive number of seconds, found {seconds}", field=name)
        if memory_bytes < MIN_MEMORY_BYTES:
            raise UsageError(
                f"expected at least {MIN_MEMORY_BYTES:,} bytes, found {memory_bytes:,}", field="memory_bytes"
            )
        self.n_records = 0
        self.n_dropped = 0
        self._path = Path(path)
        self._timeout_seconds = timeout_seconds
        self._max_seconds = max_seconds
        self._memory_bytes = memory_bytes
        self._unpack = unpack
        self._settings = {
            "path": str(self._path.absolute()),
            "memory_bytes": memory_bytes,
            "cpu_seconds": math.ceil(max_seconds),
            "sort_keys": sort_keys,
            "filter": system_call_filter(os.uname().machine, allow_processes=allow_processes).hex(),
            "whole": unpack is not None,
        }
        self._process: Process | None = None
        self._confined = False
        self._busy = False
        self._n_sent = 0
        self._pending: deque[_Batch] = deque()

    def __enter__(self) -> Self:
        if self._process is not None:
            raise UsageError("a preprocessor is entered once", fix="make a new Preprocessor")
        if not hasattr(os, "memfd_create"):
            raise PreprocessorError(
                "a preprocessor runs on Linux only", code="E-PREPROCESSOR-START", file=self._path
            )
        data = read_regular(self._path, max_bytes=MAX_SOURCE_BYTES)
        try:
            source = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise InputError(
                f"byte {error.start:,} is not valid UTF-8",
                code="E-FILE",
                file=self._path,
                line=data.count(b"\n", 0, error.start) + 1,
                fix="save the file as UTF-8",
            ) from None
        try:
            self._process = Process(self._timeout_seconds, self._max_seconds)
        except OSError as error:
            raise PreprocessorError(
                f"no process could be started for it: {error.strerror or error}",
                code="E-PREPROCESSOR-START",
                file=self._path,
                fix="check the memory, processes and temporary folder of this machine",
            ) from None
        try:
            self._process.send(b"C", json.dumps({**self._settings, "source": source}).encode("ascii"))
            content = self._receive(b"H")
            self._confined = content == b'{"confined": true}'
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Kill the process and all it started, and remove its folder. May be called again."""
        if self._process is not None:
            self._process.close()

    @property
    def confined(self) -> bool:
        """Tell whether the kernel refuses what `allow_processes` describes; False where it cannot."""
        return self._confined

    @property
    def log_tail(self) -> tuple[str, ...]:
        """The last 20 lines that the user's code printed, safe to print, each cut to 500 characters."""
        if self._process is None:
            return ()
        return self._process.log_tail()

    def rows(
        self, records: Iterable[tuple[Place, dict[str, Any] | str]]
    ) -> Iterator[tuple[Place, dict[str, object]]]:
        """Give the rows that the handler makes of `records`, in order, in bounded memory.

        Parameters
        ----------
        records : iterable of (Place, dict or str)
            Where a record stands, and the record: a captured record, a row as a dict, or a CSV line. In
            a dict, dates and times arrive as ISO 8601 text and decimals as floats.

        Yields
        ------
        Place
            That of the record.
        dict of str to int, float, str, bool or None
            One row.

        Raises
        ------
        UsageError
            If the preprocessor is not entered, or closed, or busy with other records.
        PreprocessorError
            If the handler raises, hangs, dies, meets a limit or returns what is not a row; the error names
            the record. The process is gone then.

        Notes
        -----
        Several calls one after the other share the process, so the handler may keep state. A call that is not
        exhausted closes the preprocessor.
        """
        process = self._process
        if process is None or process.closed:
            raise UsageError("the preprocessor is not open", fix="use it in a with statement")
        if self._busy:
            raise UsageError("the preprocessor is busy with other records", fix="exhaust rows() first")
        self._busy = True
        try:
            batches = self._batches(records)
            while True:
                for batch in itertools.islice(batches, BATCHES_AHEAD - len(self._pending)):
                    self._pending.append(batch)
                    process.send(b"B", b"[" + b",".join(batch.encoded) + b"]")
                    batch.encoded.clear()
                if not self._pending:
                    break
                yield from self._accept(self._receive(b"R"))
            self._busy = False
        finally:
            if self._busy:
                self.close()

    def _batches(self, records: Iterable[tuple[Place, dict[str, Any] | str]]) -> Iterator[_Batch]:
        batch = _Batch(self._n_sent)
        n_bytes = 0
        for place, record in records:
            batch.places.append(place)
            try:
                encoded = _ENCODER.encode(record).encode("ascii")
            except (TypeError, ValueError, RecursionError) as error:
                raise self._unsendable(batch, record, error) from None
            if len(encoded) > MAX_RECORD_BYTES:
                raise self._error(
                    "E-PREPROCESSOR-RECORD",
                    f"has {len(encoded):,} bytes as JSON, more than the limit of {MAX_RECORD_BYTES:,}",
                    (batch, len(batch.places) - 1),
                )
            batch.encoded.append(encoded)
            n_bytes += len(encoded)
            if len(batch.places) >= BATCH_RECORDS or n_bytes >= BATCH_BYTES:
                self._n_sent += len(batch.places)
                yield batch
                batch = _Batch(self._n_sent)
                n_bytes = 0
        if batch.places:
            self._n_sent += len(batch.places)
            yield batch

    def _unsendable(self, batch: _Batch, record: object, error: Exception) -> PreprocessorError:
        key = None
        if isinstance(record, dict):
            key = next((key for key, value in record.items() if not _encodes(value)), None)
        return self._error(
            "E-PREPROCESSOR-RECORD",
            f"cannot be handed to a preprocessor ({error})",
            (batch, len(batch.places) - 1),
            field=None if key is None else str(key),
            fix="drop or convert this column beforehand",
        )

    def _receive(self, expected: bytes) -> bytes:
        process = self._process
        assert process is not None
        try:
            frame = process.receive()
        except StalledError as stalled:
            at = self._at(process.progress)
            what = "the handler was not done with it" if at else "its process did not answer"
            if not self._n_sent:
                what = "the file was not loaded"
            if stalled.total:
                raise self._fail(
                    "E-PREPROCESSOR-TIMEOUT",
                    f"{what} when the run had taken {self._max_seconds:g} seconds in all",
                    at,
                    fix="make the handler faster or raise max_seconds",
                ) from None
            raise self._fail(
                "E-PREPROCESSOR-TIMEOUT",
                f"{what} after {self._timeout_seconds:g} seconds",
                at,
                fix="look for an endless loop, or raise timeout_seconds",
            ) from None
        except GarbledError:
            raise self._garbled() from None
        if frame is None:
            raise self._died(process)
        kind, content = frame
        if kind == b"E":
            raise self._reported(content)
        if kind != expected:
            raise self._garbled()
        return content

    def _accept(self, content: bytes) -> Iterator[tuple[Place, dict[str, object]]]:
        batch = self._pending[0]
        try:
            finished, offsets, rows = json.loads(content)
            pairs = list(zip(offsets, rows, strict=True))
            sound = type(finished) is bool and all(type(offset) is int for offset in offsets)
        except (ValueError, TypeError, RecursionError):
            raise self._garbled() from None
        if not sound:
            raise self._garbled()
        for offset, row in pairs:
            if not batch.last <= offset < len(batch.places) or offset < 0:
                raise self._garbled()
            if offset != batch.last:
                batch.n_kept += 1
                batch.last = offset
            place = batch.places[offset]
            if type(row) is dict and _SCALARS.issuperset(map(type, row.values())):
                yield place, row
            elif self._unpack is not None and type(row) in {dict, str}:
                for part in self._unpack(row):
                    yield place, dict(part)
            else:
                raise self._garbled()
        if finished:
            self._pending.popleft()
            self.n_records += len(batch.places)
            self.n_dropped += len(batch.places) - batch.n_kept

    def _at(self, number: int) -> tuple[_Batch, int] | None:
        """Find the batch and offset of the record with this 1-based `number`."""
        for batch in self._pending:
            if 0 <= number - 1 - batch.first < len(batch.places):
                return batch, number - 1 - batch.first
        return None

    def _error(
        self, code: str, message: str, at: tuple[_Batch, int] | None, **facts: Any
    ) -> PreprocessorError:
        if at is not None:
            batch, offset = at
            place = batch.places[offset]
            source = f" of {printable(place.source)}" if place.source else ""
            message = f"record {batch.first + offset + 1:,} (row {place.row:,}{source}): {message}"
        return PreprocessorError(message, code=code, file=self._path, **facts)

    def _fail(
        self, code: str, message: str, at: tuple[_Batch, int] | None, **facts: Any
    ) -> PreprocessorError:
        self.close()
        return self._error(code, message, at, **facts)

    def _garbled(self) -> PreprocessorError:
        return self._fail(
            "E-PREPROCESSOR-PROTOCOL",
            "its process gave an answer that driftline does not understand",
            None,
            fix="do not write to or close file descriptors that the file did not open",
        )

    def _reported(self, content: bytes) -> PreprocessorError:
        try:
            report = json.loads(content)
            code, message, offset = str(report["code"]), str(report["message"]), report["offset"]
            line, name, fix = report.get("line"), report.get("field"), report.get("fix")
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return self._garbled()
        at = None
        if type(offset) is int and self._pending and 0 <= offset < len(self._pending[0].places):
            at = self._pending[0], offset
        return self._fail(
            code if code.startswith("E-PREPROCESSOR-") else "E-PREPROCESSOR",
            message,
            at,
            line=line if type(line) is int else None,
            field=None if name is None else str(name),
            fix=None if fix is None else str(fix),
        )

    def _died(self, process: Process) -> PreprocessorError:
        ending = process.ending()
        at = self._at(process.progress)
        when = "" if self._n_sent else " before the file was loaded"
        process.close()
        lines = self.log_tail
        printed = f"; it last printed: {lines[-1]}" if lines else ""
        code, fix = "E-PREPROCESSOR-DIED", None
        if ending is None:
            message = "its process closed the connection to driftline"
        elif ending >= 0:
            message = f"its process ended itself with exit status {ending}"
            fix = "raise an exception with a message instead"
        elif ending == -signal.SIGXCPU:
            code = "E-PREPROCESSOR-TIMEOUT"
            message = f"its process used more than {math.ceil(self._max_seconds):,} seconds of processor time"
            fix = "make the handler faster or raise max_seconds"
        elif ending == -signal.SIGKILL:
            message = "its process was killed, perhaps because the machine ran out of memory"
        else:
            name = signal.Signals(-ending).name if -ending in set(signal.Signals) else f"signal {-ending}"
            message = f"its process crashed ({name})"
            fix = f"native code may have met the limit of {self._memory_bytes // MIB:,} MiB of memory"
        return self._fail(code, message + when + printed, at, fix=fix)


@dataclass(slots=True)
class _Batch:
    """Records on their way: how many went before, where they stand, and what came back so far."""

    first: int
    places: list[Place] = field(default_factory=list)
    encoded: list[bytes] = field(default_factory=list)
    n_kept: int = 0
    last: int = -1


def _plain(value: Any) -> Any:
    if callable(getattr(value, "isoformat", None)):
        return value.isoformat()
    if getattr(value, "shape", None) == () and callable(getattr(value, "item", None)):
        return value.item()
    from decimal import Decimal

    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"a value of type {type(value).__name__} is neither number, text, time nor null")


_ENCODER = json.JSONEncoder(separators=(",", ":"), default=_plain)


def _encodes(value: object) -> bool:
    try:
        _ENCODER.encode(value)
    except (TypeError, ValueError, RecursionError):
        return False
    return True
