"""Packing: States, and arrays beside them, as one file."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from driftline.documents import decode, encode
from driftline.errors import DocumentError, DriftlineError
from driftline.kernels.state import Packed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["SCHEMA", "pack", "unpack"]

SCHEMA: Final = "driftline.states/v1"

_DTYPES: Final = ("int64", "uint64", "float64", "uint8")
_SPELLED: Final = {"Infinity": math.inf, "-Infinity": -math.inf, "NaN": math.nan}


def pack(parts: Mapping[str, Packed]) -> bytes:
    """Write packed States under their names; the same States give the same bytes.

    Parameters
    ----------
    parts : mapping of str to Packed
        What :meth:`driftline.kernels.state.State.pack` gave, by a name of the caller's.

    Returns
    -------
    bytes
        An Arrow IPC file of a single row.
    """
    index: dict[str, Any] = {}
    columns: list[pa.Array] = []
    names: list[str] = []
    for name, packed in sorted(parts.items()):
        arrays = []
        for key, array in sorted(packed.arrays.items()):
            if str(array.dtype) not in _DTYPES or array.ndim != 1:
                raise ValueError(f"{name}.{key} is {array.dtype} of {array.ndim} dimensions")
            arrays.append({"name": key, "dtype": str(array.dtype)})
            names.append(f"{name}.{key}")
            columns.append(_binary(np.ascontiguousarray(array).tobytes()))
        scalars = {key: _spelled(value) for key, value in sorted(packed.scalars.items())}
        index[name] = {"scalars": scalars, "arrays": arrays}
    header = encode({"schema": SCHEMA, "states": index}).encode("utf-8", "surrogatepass")
    batch = pa.RecordBatch.from_arrays([_binary(header), *columns], names=["index", *names])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue())


def unpack(data: bytes, *, file: object = None) -> dict[str, Packed]:
    """Read what :func:`pack` wrote.

    Raises
    ------
    DocumentError
        ``E-STATES`` if the bytes are something else, or damaged.
    """
    try:
        with pa.ipc.open_file(pa.py_buffer(data)) as reader:
            batch = reader.get_batch(0)
        batch.validate(full=True)
        header = decode(_bytes(batch.column("index")), file=file)
        _require_schema(header["schema"])
        return {
            str(name): Packed(
                {str(key): _unspelled(value) for key, value in one["scalars"].items()},
                {
                    str(a["name"]): _array(batch.column(f"{name}.{a['name']}"), a["dtype"])
                    for a in one["arrays"]
                },
            )
            for name, one in header["states"].items()
        }
    except DriftlineError:
        raise
    except (pa.ArrowException, KeyError, ValueError, TypeError, IndexError, AttributeError, OSError) as error:
        raise DocumentError(
            f"not what driftline keeps of a baseline, or damaged: {error}",
            code="E-STATES",
            file=file,
            fix="make the baseline again",
        ) from None


def _require_schema(schema: object) -> None:
    if schema != SCHEMA:
        raise ValueError(f"schema {schema!r}, expected {SCHEMA!r}")


def _spelled(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"}
    return value


def _unspelled(value: Any) -> Any:
    return _SPELLED[value["float"]] if isinstance(value, dict) else value


# pyarrow.array() imports pandas, a third of a second, whatever it is given; arrays are built from buffers instead.


def _binary(data: bytes) -> pa.Array:
    offsets = np.array([0, len(data)], np.int64)
    return pa.Array.from_buffers(pa.large_binary(), 1, [None, pa.py_buffer(offsets), pa.py_buffer(data)])


def _bytes(column: pa.Array) -> bytes:
    if not pa.types.is_large_binary(column.type) or len(column) != 1 or column.null_count:
        raise ValueError(f"expected one large_binary, found {column.type}")
    _, offsets, data = column.buffers()
    first, last = np.frombuffer(offsets, np.int64)[column.offset : column.offset + 2]
    return b"" if data is None else data.to_pybytes()[int(first) : int(last)]


def _array(column: pa.Array, dtype: object) -> NDArray[Any]:
    if dtype not in _DTYPES:
        raise ValueError(f"dtype {dtype!r}")
    return np.frombuffer(_bytes(column), str(dtype))
