"""Keeper: where kept Profiles lie, and what they look like there.

A kept Profile is an Arrow IPC stream, compressed, that any Arrow reader can look into; behind it stands its SHA-256. One
that is damaged, cut short or of another key is none, and is made anew: nothing that is kept is ever missed.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Protocol

import pyarrow as pa

from driftline.baselines.profile import Profile
from driftline.documents import decode, encode
from driftline.errors import DriftlineError, SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from driftline.capture.target import Target

__all__ = [
    "FORMAT",
    "FolderKeeper",
    "Keeper",
    "Origin",
    "Piece",
    "files_digest",
    "origin_of",
    "packed",
    "unpacked",
]

FORMAT = "driftline.kept/v1"
"""Part of every key. To be raised whenever the same rows fold into other bytes, or kept Profiles are written otherwise."""

_DIGEST_BYTES = 32


class Keeper(Protocol):
    """Somewhere to keep bytes under keys, which are hexadecimal."""

    def get(self, key: str) -> bytes | memoryview | None:
        """Return what was put there; None where there is nothing, or it cannot be read."""

    def put(self, key: str, data: bytes) -> None:
        """Keep `data`, in place of what was there.

        Raises
        ------
        UsageError
            ``E-WRITE``, ``E-STORE``.
        """


class FolderKeeper:
    """Keeps profiles as files of a target, ``profiles/<first two digits>/<key>.arrows``.

    Parameters
    ----------
    target : Target
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self._origins: dict[str, Origin] = {}

    def path(self, key: str) -> str:
        """Return the path of a kept profile, relative to the target."""
        return f"profiles/{key[:2]}/{key}.arrows"

    def get(self, key: str) -> memoryview | None:
        """Return what was put there; None where there is nothing, or it cannot be read."""
        try:
            return memoryview(self.target.read(self.path(key)))
        except (FileNotFoundError, SourceError):
            return None

    def put(self, key: str, data: bytes) -> None:
        """Write a file, whole.

        Raises
        ------
        UsageError
            ``E-WRITE``, ``E-STORE``.
        """
        self.target.write(self.path(key), data)

    def forget(self, is_wanted: Callable[[Origin], bool]) -> int:
        """Remove what is not wanted any more, and what is damaged; return how many there were.

        Raises
        ------
        SourceError, UsageError
            Where the target cannot be listed, or a file not be removed.
        """
        n = 0
        # What a file follows from is part of its name, so that each is read once and not every quarter of an hour.
        known, self._origins = self._origins, {}
        for path in self.target.paths("profiles"):
            if not path.endswith(".arrows"):
                continue
            origin = known.get(path)
            if origin is None:
                try:
                    origin = origin_of(memoryview(self.target.read(path)))
                except FileNotFoundError:
                    continue
            if origin is None or not is_wanted(origin):
                self.target.remove(path)
                n += 1
            else:
                self._origins[path] = origin
        return n

    def __repr__(self) -> str:
        return f"<FolderKeeper of {self.target.name}>"


@dataclass(frozen=True, slots=True)
class Piece:
    """The Profile of some files, and what the files looked like.

    Attributes
    ----------
    profile : Profile
        Row numbers count the files of the piece from 0.
    schemas : tuple of bytes
        The distinct schemas of the files, as Arrow writes them, in order of appearance.
    shape : tuple of int
        For every file its schema.
    """

    profile: Profile
    schemas: tuple[bytes, ...]
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Origin:
    """What a piece follows from, so that one that nobody will ask for again can be told.

    Attributes
    ----------
    endpoint, variant : str
    first, span : int
        First hour, since 1970-01-01 UTC, and how many.
    files : str
        SHA-256 over the digests of the files, see :func:`files_digest`.
    """

    endpoint: str
    variant: str
    first: int
    span: int
    files: str


def files_digest(digests: Iterable[str]) -> str:
    """Return the SHA-256 over the digests of files, in their order."""
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()


def packed(key: str, piece: Piece, origin: Origin) -> bytes:
    """Return a piece as it is kept."""
    batch = replace(piece.profile, sources=()).to_batch()
    about = {
        "format": FORMAT,
        "key": key,
        "origin": asdict(origin),
        "schemas": [base64.b64encode(schema).decode() for schema in piece.schemas],
        "shape": list(piece.shape),
    }
    metadata = {**batch.schema.metadata, b"driftline.kept": encode(about).encode()}
    batch = batch.replace_schema_metadata(metadata)
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="lz4", use_threads=False)
    with pa.ipc.new_stream(sink, batch.schema, options=options) as writer:
        writer.write_batch(batch)
    data = bytes(sink.getvalue())
    return data + hashlib.sha256(data).digest()


def origin_of(data: bytes | memoryview) -> Origin | None:
    """Return what the piece that :func:`packed` wrote follows from; None where these are other bytes."""
    try:
        with pa.ipc.open_stream(pa.py_buffer(memoryview(data)[:-_DIGEST_BYTES])) as reader:
            about = decode((reader.schema.metadata or {})[b"driftline.kept"])
        return Origin(**about["origin"]) if about["format"] == FORMAT else None
    except (DriftlineError, pa.ArrowException, KeyError, TypeError, ValueError, OSError):
        return None


def unpacked(key: str, data: bytes | memoryview) -> Piece | None:
    """Return the piece that :func:`packed` wrote under `key`; None where these are other bytes."""
    whole = memoryview(data)
    content, digest = whole[:-_DIGEST_BYTES], bytes(whole[-_DIGEST_BYTES:])
    if len(whole) <= _DIGEST_BYTES or hashlib.sha256(content).digest() != digest:
        return None
    try:
        options = pa.ipc.IpcReadOptions(use_threads=False)
        with pa.ipc.open_stream(pa.py_buffer(content), options=options) as reader:
            batch = reader.read_next_batch()
        about = decode((batch.schema.metadata or {})[b"driftline.kept"])
        if about["format"] != FORMAT or about["key"] != key:
            return None
        schemas = tuple(base64.b64decode(text) for text in about["schemas"])
        return Piece(Profile.from_batch(batch), schemas, tuple(int(i) for i in about["shape"]))
    except (DriftlineError, pa.ArrowException, KeyError, TypeError, ValueError, OSError, StopIteration):
        # Written by another release, in spite of the format.
        return None
