"""What a file is when its name does not tell, and whether JSON Lines are captured traffic."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from driftline.capture.formats.jsonl import json_records
from driftline.capture.formats.sagemaker import is_capture
from driftline.capture.text import kind_of, text_chunks
from driftline.errors import SourceError

if TYPE_CHECKING:
    from driftline.capture.blob import Blob
    from driftline.capture.find import Found

__all__ = ["settled"]


def settled(found: Found) -> Found:
    """Decide the format of files by their first bytes, where names left it open.

    Raises
    ------
    SourceError
        ``E-EMPTY`` and ``E-FORMAT`` for content that is no data of ours.
    """
    kind = found.format or _of_content(found.blobs[0])
    if kind == "jsonl" and found.format != "sagemaker" and _captured(found.blobs):
        kind = "sagemaker"
    return replace(found, format=kind)


def _of_content(blob: Blob) -> str:
    head = next(blob.chunks(), b"")
    if not head:
        raise SourceError("is empty", code="E-EMPTY", file=blob.name, fix="check what writes it")
    if head.startswith(b"PAR1"):
        return "parquet"
    binary = kind_of(head)
    if binary is not None and not head.startswith(b"\x1f\x8b"):
        raise SourceError(
            f"is {binary}, which driftline does not read",
            code="E-FORMAT",
            file=blob.name,
            fix="convert it to Parquet",
        )
    text = next(text_chunks(blob), b"").lstrip()
    return "jsonl" if text.startswith((b"{", b"[")) else "csv"


def _captured(blobs: tuple[Blob, ...]) -> bool:
    # One file at a time: remote files would otherwise be fetched ahead for nothing.
    for blob in blobs:
        for _, record in json_records([blob]):
            return is_capture(record)
    return False
