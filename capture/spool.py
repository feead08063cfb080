"""Spool: arrays that are needed later, in memory while they are few and in an unnamed file after that."""

from __future__ import annotations

import os
import tempfile
import threading
import weakref
from typing import TypeAlias

import pyarrow as pa

from driftline.errors import SourceError

__all__ = ["Slot", "Spool"]

Slot: TypeAlias = "pa.Array | tuple[int, int, pa.Schema]"
"""Where an array is: itself, or begin, length and schema in the file."""

_IN_MEMORY = 64 << 20


class Spool:
    """A place to put arrays and get them back, in any order and from any thread.

    Parameters
    ----------
    in_memory : int
        Bytes of arrays that are kept in memory; what comes later goes to a file without a name in the folder
        for temporary files, which vanishes with the process however it ends.
    """

    def __init__(self, in_memory: int = _IN_MEMORY) -> None:
        self._room = in_memory
        self._file: int | None = None
        self._end = 0
        self._lock = threading.Lock()

    def put(self, array: pa.Array) -> Slot:
        """Keep an array.

        Raises
        ------
        SourceError
            If the temporary file cannot be written.
        """
        with self._lock:
            if array.nbytes <= self._room:
                self._room -= array.nbytes
                return array
            schema = pa.schema([pa.field("", array.type)])
            data = pa.RecordBatch.from_arrays([array], schema=schema).serialize()
            try:
                if self._file is None:
                    self._file = self._opened()
                _write_all(self._file, data)
            except OSError as error:
                raise SourceError(
                    f"the temporary file cannot be written: {error.strerror or error}",
                    code="E-SPOOL",
                    file=tempfile.gettempdir(),
                    fix="make room, or set TMPDIR to a folder with more",
                ) from None
            slot = (self._end, data.size, schema)
            self._end += data.size
            return slot

    def _opened(self) -> int:
        with tempfile.TemporaryFile(prefix="driftline-", buffering=0) as file:
            descriptor = os.dup(file.fileno())
        weakref.finalize(self, os.close, descriptor)
        return descriptor

    def get(self, slot: Slot) -> pa.Array:
        """Return the array that :meth:`put` kept."""
        if not isinstance(slot, tuple):
            return slot
        begin, size, schema = slot
        if self._file is None:
            raise AssertionError("a slot of another spool")
        data = os.pread(self._file, size, begin)
        return pa.ipc.read_record_batch(pa.py_buffer(data), schema).column(0)


def _write_all(descriptor: int, data: pa.Buffer) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
