"""ONNX: what the head of a model file says, read from its protocol buffers without running or importing anything.

References
----------
ONNX, onnx/onnx.proto3: ModelProto, GraphProto, ValueInfoProto, TensorProto.DataType.
Protocol Buffers, Encoding: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from driftline.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["read_onnx"]

_MOST_FIELDS = 1_000_000
_MOST_PORTS = 1000
_ELEMENTS = {
    1: "float32",
    2: "uint8",
    3: "int8",
    4: "uint16",
    5: "int16",
    6: "int32",
    7: "int64",
    8: "string",
    9: "bool",
    10: "float16",
    11: "float64",
    12: "uint32",
    13: "uint64",
    16: "bfloat16",
}


def read_onnx(data: bytes | memoryview, file: object = None) -> dict[str, Any]:
    """Return the head of an ONNX model.

    Parameters
    ----------
    data : bytes
    file : object, optional
        Name used in errors.

    Returns
    -------
    dict
        Where they are there: ``ir_version``, ``producer_name``, ``producer_version``, ``domain``, ``model_version``,
        ``doc_string``, ``graph``, ``opsets`` (by domain), ``metadata``, ``inputs`` and ``outputs`` (each ``name``,
        ``type``, ``shape``).

    Raises
    ------
    InputError
        ``E-FORMAT``: it is none.
    """
    try:
        return _model(memoryview(data))
    except (TypeError, ValueError, IndexError):
        raise InputError(
            "is no ONNX model", code="E-FORMAT", file=file, fix="name the file that the model was exported to"
        ) from None


def _model(data: memoryview) -> dict[str, Any]:
    made: dict[str, Any] = {}
    texts = {2: "producer_name", 3: "producer_version", 4: "domain", 6: "doc_string"}
    seen = set()
    for number, value in _fields(data):
        seen.add(number)
        if number in texts and isinstance(value, memoryview):
            made[texts[number]] = _text(value)
        elif number in (1, 5) and isinstance(value, int):
            made["ir_version" if number == 1 else "model_version"] = value
        elif number == 7 and isinstance(value, memoryview):
            made |= _graph(value)
        elif number == 8 and isinstance(value, memoryview):
            opset = dict(_fields(value))
            made.setdefault("opsets", {})[_text(opset.get(1, b"")) or "ai.onnx"] = opset.get(2, 0)
        elif number == 14 and isinstance(value, memoryview):
            entry = dict(_fields(value))
            made.setdefault("metadata", {})[_text(entry.get(1, b""))] = _text(entry.get(2, b""))
    if "ir_version" not in made or 7 not in seen:
        raise ValueError("no graph")
    return {key: value for key, value in made.items() if value not in ("", {}, [])}


def _graph(data: memoryview) -> dict[str, Any]:
    made: dict[str, Any] = {"inputs": [], "outputs": []}
    weights = set()
    for number, value in _fields(data):
        if not isinstance(value, memoryview):
            continue
        if number == 2:
            made["graph"] = _text(value)
        elif number == 5:  # a weight; older files list them among the inputs
            weights.add(_text(next((v for n, v in _fields(value) if n == 8), b"")))
        elif number in (11, 12):
            ports = made["inputs" if number == 11 else "outputs"]
            if len(ports) < _MOST_PORTS:
                ports.append(_port(value))
    made["inputs"] = [port for port in made["inputs"] if port.get("name") not in weights]
    return made


def _port(data: memoryview) -> dict[str, Any]:
    fields = dict(_fields(data))
    made: dict[str, Any] = {"name": _text(fields.get(1, b""))}
    kind = dict(_fields(fields[2])) if isinstance(fields.get(2), memoryview) else {}
    tensor = kind.get(1)
    if isinstance(tensor, memoryview):
        inner = dict(_fields(tensor))
        made["type"] = (
            _ELEMENTS.get(int(inner.get(1, 0)), "other") if isinstance(inner.get(1, 0), int) else "other"
        )
        if isinstance(inner.get(2), memoryview):
            made["shape"] = [_dimension(value) for number, value in _fields(inner[2]) if number == 1]
    return made


def _dimension(value: Any) -> int | str | None:
    fields = dict(_fields(value))
    if isinstance(fields.get(1), int):
        return int(fields[1])
    return _text(fields[2]) if 2 in fields else None


def _text(value: Any) -> str:
    if not isinstance(value, memoryview | bytes):
        raise TypeError("no text")
    return bytes(value).decode("utf-8")


def _fields(data: Any) -> Iterator[tuple[int, Any]]:
    """Yield the fields of a message: whole numbers as int, all that has a length as a view of its bytes."""
    if not isinstance(data, memoryview):
        raise TypeError("no message")
    at = 0
    for _ in range(_MOST_FIELDS):
        if at == len(data):
            return
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        if number == 0:
            raise ValueError("no field")
        if wire == 0:
            value, at = _varint(data, at)
            yield number, value
        elif wire in (1, 5):
            at += 8 if wire == 1 else 4
            if at > len(data):
                raise ValueError("cut short")
        elif wire == 2:
            size, at = _varint(data, at)
            if at + size > len(data):
                raise ValueError("cut short")
            yield number, data[at : at + size]
            at += size
        else:
            raise ValueError("unknown wire type")
    raise ValueError("too many fields")


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            # Whole numbers are signed, of 64 bits.
            return (value if value < 1 << 63 else value - (1 << 64)), at
    raise ValueError("too long a number")
