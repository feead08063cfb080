"""Which files a path, folder, pattern, list or URL means.

Rules, in this order:

* ``scheme://…`` is an object store, see :mod:`driftline.capture.store`; ``file://`` is a local path.
* A path that exists is that file or folder, even where its name holds ``*``, ``?`` or ``[``.
* Otherwise such a path is a pattern; ``**`` stands for any folders.
* A folder means the data files below it, recursively. Names that begin with ``.`` or ``_`` are left out
  (unless they are partition folders, ``key=value``, which are entered but give no column), and so are files
  that do not end like data.
* Of captures (a folder with ``.driftline/manifest.db``) only the files that their manifest shows, see
  :mod:`driftline.capture.stored`.
* Files are ordered by name.
"""

from __future__ import annotations

import glob
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from driftline.capture.blob import local_blob
from driftline.capture.failure import reading
from driftline.capture.stored import visible
from driftline.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from driftline.capture.blob import Blob

__all__ = ["ENDINGS", "FORMATS", "Found", "everything", "find", "format_of", "hidden", "shown"]

FORMATS = ("parquet", "csv", "jsonl", "sagemaker")
"""Names of the file formats. Captured traffic ends like JSON Lines and is recognised by its content."""

ENDINGS = {
    ".parquet": "parquet",
    ".parq": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".tsv": "csv",
    ".tab": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
}
"""Format by the end of a name, in lower case and without ``.gz``."""

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_PATTERN = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class Found:
    """Files that were found.

    Attributes
    ----------
    blobs : tuple of Blob
        Distinct and in order of their names; at least one.
    format : str or None
        Format that all names agree on, or the one asked for; None where a name does not tell.
    notes : tuple of str
        What was left out.
    """

    blobs: tuple[Blob, ...]
    format: str | None
    notes: tuple[str, ...]


def format_of(name: str) -> str | None:
    """Tell the format from the end of a file name, or None."""
    lower = name.lower().removesuffix(".gz")
    return ENDINGS.get(os.path.splitext(lower)[1])  # noqa: PTH122


def hidden(relative: str) -> bool:
    """Tell whether a path below a folder or pattern is not meant for readers of data."""
    return any(
        part.startswith(".") or (part.startswith("_") and "=" not in part)
        for part in relative.split("/")
        if part
    )


def find(paths: Sequence[str], kind: str | None = None) -> Found:
    """Find the files that `paths` mean together.

    Parameters
    ----------
    paths : sequence of str
        Files, folders, patterns and URLs.
    kind : str, optional
        One of :data:`FORMATS`. In folders, files whose names say otherwise are then left out; where no name
        says so, those are taken whose names say nothing.

    Raises
    ------
    SourceError
        ``E-NO-DATA`` where nothing matches, ``E-FILE`` for a missing or unreadable path, ``E-MIXED`` where
        the files are of several formats, ``E-STORE`` where an object store refuses.
    """
    asked: list[Blob | str] = []
    listed: list[Blob | str] = []
    for path in paths:
        outright, candidates = _expand(path)
        (asked if outright else listed).extend(candidates)
    taken, skipped = _filtered(listed, "jsonl" if kind == "sagemaker" else kind)
    chosen = [local_blob(item) if isinstance(item, str) else item for item in (*asked, *taken)]
    distinct = {blob.name: blob for blob in chosen}
    if not distinct:
        raise _nothing(paths, skipped)
    notes = []
    if skipped:
        notes.append(
            f"{len(skipped)} file(s) that do not end like data were left out, such as {min(skipped)}"
        )
    if len(distinct) < len(chosen):
        notes.append(f"{len(chosen) - len(distinct)} file(s) named more than once were read once")
    ordered = tuple(distinct[name] for name in sorted(distinct))
    return Found(ordered, kind or _agreed(ordered), tuple(notes))


def everything(paths: Sequence[str]) -> list[tuple[bool, Blob]]:
    """Find the files that `paths` mean, whatever they end in, in order of their names.

    Returns
    -------
    list of (bool, Blob)
        Whether a file was named outright, and the file.

    Raises
    ------
    SourceError
        As :func:`find`; ``E-NO-DATA`` where a folder or pattern has no file.
    """
    found: dict[str, tuple[bool, Blob]] = {}
    for path in paths:
        outright, candidates = _expand(path)
        if not candidates:
            raise _nothing([path], [])
        for item in candidates:
            blob = local_blob(item) if isinstance(item, str) else item
            found.setdefault(blob.name, (outright, blob))
    return [found[name] for name in sorted(found)]


def _filtered(listed: Sequence[Blob | str], wanted: str | None) -> tuple[list[Blob | str], list[str]]:
    """Take what ends like data; where a format is asked for and no name says so, what ends like nothing."""
    endings = [format_of(item if isinstance(item, str) else item.name) for item in listed]
    if wanted is None:
        good = [ending is not None for ending in endings]
    else:
        accepted = wanted if wanted in endings else None
        good = [ending == accepted for ending in endings]
    taken = [item for item, fine in zip(listed, good, strict=True) if fine]
    skipped = [
        item if isinstance(item, str) else item.name
        for item, fine in zip(listed, good, strict=True)
        if not fine
    ]
    return taken, skipped


def _expand(path: str) -> tuple[bool, Sequence[Blob | str]]:
    """Give the files of one path, and whether it named a file outright."""
    if _URL.match(path) and not os.path.lexists(path):
        if not path.lower().startswith("file://"):
            from driftline.capture.store import remote

            outright, blobs = remote(path)
            if not outright:
                from driftline.capture.stored import visible_objects

                blobs = visible_objects(blobs)
            return outright, blobs
        path = _local_path(path)
    with reading(path):
        if "\0" in path:
            raise SourceError("a path cannot hold a NUL character", code="E-FILE", file=path)
        if not path:
            raise SourceError("names no file", code="E-FILE", file=path, fix="say where the data is")
        if os.path.isdir(path):  # noqa: PTH112
            _refuse_documents(path)
            return False, visible(_below(path), path)
        if _is_there(path):
            return True, [path]
        if not _PATTERN.search(path):
            raise SourceError("does not exist", code="E-FILE", file=path, fix="check the path")
        return False, visible(_matching(path))


def _is_there(path: str) -> bool:
    """Tell whether there is anything at `path`; a folder that may not be entered is an error, not an answer."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _refuse_documents(folder: str) -> None:
    """Refuse a baseline or report of ours, whose JSON would otherwise be read as records."""
    here = set(os.listdir(folder))  # noqa: PTH208
    for what, index in (("baseline", "baseline.json"), ("report", "report.json")):
        if {index, "constraints.json"} <= here:
            raise SourceError(
                f"is a {what}, not data", code="E-NO-DATA", file=folder, fix="give the folder with the data"
            )


def _local_path(url: str) -> str:
    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost") or not parts.path:
        raise SourceError(
            "a file URL needs an absolute path", code="E-FILE", file=url, fix="write file:///folder/name"
        )
    return unquote(parts.path)


def _below(folder: str) -> Iterator[str]:
    visited: set[tuple[int, int]] = set()

    def refuse(error: OSError) -> None:
        with reading(error.filename or folder):
            raise error

    for here, folders, names in os.walk(folder, followlinks=True, onerror=refuse):
        info = os.stat(here)  # noqa: PTH116
        if (info.st_dev, info.st_ino) in visited:  # a link back up
            folders.clear()
            continue
        visited.add((info.st_dev, info.st_ino))
        folders[:] = [name for name in folders if not hidden(name)]
        for name in names:
            if not hidden(name) and not name.startswith("_"):
                yield os.path.join(here, name)  # noqa: PTH118


def _matching(pattern: str) -> Iterator[str]:
    explicit = any(part.startswith(("_", ".")) for part in pattern.split("/"))
    fixed = len(os.path.dirname(pattern[: _PATTERN.search(pattern).start()]))  # type: ignore[union-attr] # noqa: PTH120
    for path in glob.glob(pattern, recursive=True):  # noqa: PTH207
        if not explicit and hidden(path[fixed:]):
            continue
        if os.path.isdir(path):  # noqa: PTH112
            # With ** the files below are matched on their own.
            if "**" not in pattern:
                yield from _below(path)
        else:
            yield path


def _nothing(paths: Iterable[str], skipped: Sequence[str]) -> SourceError:
    first = shown(next(iter(paths), ""))
    if skipped:
        return SourceError(
            f"holds no data file, only files such as {os.path.basename(skipped[0])}",  # noqa: PTH119
            code="E-NO-DATA",
            file=first,
            fix=f"give the format ({', '.join(FORMATS)}) or name the files",
        )
    return SourceError(
        "no file matches" if _PATTERN.search(first) else "holds no file",
        code="E-NO-DATA",
        file=first,
        fix="check the path and the time window",
    )


def _agreed(blobs: Sequence[Blob]) -> str | None:
    first = format_of(blobs[0].name)
    for blob in blobs:
        other = format_of(blob.name)
        if other != first:
            raise SourceError(
                f"this is {other or 'of unknown format'} and {os.path.basename(blobs[0].name)} is "  # noqa: PTH119
                f"{first or 'of unknown format'}: the files of one source must have one format",
                code="E-MIXED",
                file=blob.name,
                fix="give the format, or name the files of one format",
            )
    return first


def shown(path: str) -> str:
    """Give a path or URL as people may see it: without credentials and options."""
    if not _URL.match(path) or os.path.lexists(path):
        return path
    scheme, _, rest = path.partition("://")
    authority, slash, key = rest.partition("?")[0].partition("/")
    return f"{scheme}://{authority.rpartition('@')[2]}{slash}{key}"
