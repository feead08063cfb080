"""Files: facts of a model file on this machine. Nothing in it is run: of a pickle only the bytes are counted."""

from __future__ import annotations

import math
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from driftline.cards.sources.facts import Facts
from driftline.documents import decode
from driftline.errors import DocumentError, InputError
from driftline.files import read_regular
from driftline.registry.importing.found import file_of
from driftline.registry.importing.plain import FRAMEWORKS

__all__ = ["facts_of_file"]

MOST_BYTES = 4 << 30
_MOST_HEAD = 64 << 20


def facts_of_file(path: str | os.PathLike[str]) -> Facts:
    """Return what a model file says of itself.

    Parameters
    ----------
    path : path
        Of ``.onnx`` and ``.safetensors`` files the head is read too.

    Returns
    -------
    Facts
        Where it lies, its size and digest; what it was made with; of ONNX also its version, description, inputs and
        outputs.

    Raises
    ------
    InputError
        ``E-FILE``; ``E-FORMAT``: it is not what its name says.
    """
    given = Path(os.fspath(path))
    described = file_of(given, given.name, str(given.absolute()))
    facts = Facts(datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"))
    source = f"file:{described.digest}"
    put = facts.put
    put("model_overview.model_artifact", [described.uri], source)
    put("additional_information.custom_details.artifact digest", described.digest, source)
    put("additional_information.custom_details.artifact bytes", str(described.size), source)
    suffix = given.suffix.lower()
    put("additional_information.custom_details.framework", FRAMEWORKS.get(suffix), source)
    if suffix == ".onnx":
        _onnx(facts, given, source)
    elif suffix == ".safetensors":
        _safetensors(facts, given, source)
    return facts


def _onnx(facts: Facts, path: Path, source: str) -> None:
    from driftline.cards.sources.onnx import read_onnx

    head = read_onnx(read_regular(path, max_bytes=MOST_BYTES), path)
    version = head.get("model_version")
    facts.put("model_overview.model_version", version if version and version > 0 else None, source)
    facts.put("model_overview.model_description", head.get("doc_string"), source)
    facts.put("model_overview.model_name", head.get("graph"), source)
    made_with = f"{head.get('producer_name', '')} {head.get('producer_version', '')}".strip()
    facts.put("additional_information.custom_details.made with", made_with, source)
    facts.put("additional_information.custom_details.onnx ir version", str(head["ir_version"]), source)
    opsets = ", ".join(f"{domain} {version}" for domain, version in sorted(head.get("opsets", {}).items()))
    facts.put("additional_information.custom_details.onnx operator sets", opsets, source)
    for key, value in sorted(head.get("metadata", {}).items()):
        if key:
            facts.put(f"additional_information.custom_details.onnx {_key(key)}", value, source)
    facts.put("extensions.io.input_schema", head.get("inputs"), source)
    facts.put("extensions.io.output_schema", head.get("outputs"), source)


def _key(name: str) -> str:
    # A dot would be taken for a path.
    return name[:200].replace(".", " ")


def _safetensors(facts: Facts, path: Path, source: str) -> None:
    """Read the head: its length in eight bytes, little-endian, then JSON with a key for each tensor."""
    head = _head(path)
    said = head.pop("__metadata__", None)
    for name, text in sorted(said.items()) if isinstance(said, dict) else ():
        if isinstance(text, str) and name:
            facts.put(f"additional_information.custom_details.safetensors {_key(name)}", text, source)
    facts.put("extensions.architecture.n_parameters", sum(map(_size, head.values())) or None, source)


def _size(tensor: Any) -> int:
    shape = tensor.get("shape") if isinstance(tensor, dict) else None
    lengths = shape if isinstance(shape, list) else [0]
    return math.prod(n if isinstance(n, int) and not isinstance(n, bool) and n >= 0 else 0 for n in lengths)


def _head(path: Path) -> dict[str, Any]:
    refused = InputError(
        "is no safetensors file", code="E-FORMAT", file=path, fix="name the file that was saved"
    )
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            if not 2 <= size <= _MOST_HEAD:
                raise refused
            head = file.read(size)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", code="E-FILE", file=path) from None
    if len(head) != size:
        raise refused
    try:
        value = decode(head, file=path)
    except DocumentError:
        raise refused from None
    if not isinstance(value, dict):
        raise refused
    return value
