"""Found: the files that a path, a URI or a description stands for, with sizes and digests where they can be read."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from driftline.errors import InputError, UsageError, printable
from driftline.registry.artifacts import MOST_ARTIFACTS, artifact_of
from driftline.registry.given import check_no_secrets

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Found", "file_of", "files_of", "found_in", "local_path", "without_password"]


@dataclass(frozen=True, slots=True)
class Found:
    """A file, as far as it is known.

    Attributes
    ----------
    name, uri : str
    digest : str or None
    size : int or None
        Bytes.
    modified : int or None
        Microseconds since 1970-01-01 UTC.
    """

    name: str
    uri: str
    digest: str | None = None
    size: int | None = None
    modified: int | None = None

    def document(self) -> dict[str, Any]:
        """Return it as an artifact of the registry."""
        return {"name": self.name, "uri": self.uri, "digest": self.digest, "size": self.size}


def local_path(uri: str) -> Path | None:
    """Return the path that a URI of this machine stands for, or None."""
    if "://" not in uri:
        return Path(uri[5:] if uri.startswith("file:/") else uri)
    parts = urlsplit(uri)
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        return Path(unquote(parts.path))
    return None


def found_in(items: Iterable[str | os.PathLike[str] | Mapping[str, Any]], what: str) -> list[Found]:
    """Return the files that paths, URIs and descriptions stand for.

    Parameters
    ----------
    items : iterable
        Paths of files and folders, which are read; URIs, of which only the text is kept; mappings with ``uri``, ``name``,
        ``digest`` and ``size``.
    what : str
        What they are, for messages.

    Raises
    ------
    InputError
        ``E-FILE``.
    UsageError
        ``E-ARTIFACT``.
    """
    if isinstance(items, str | os.PathLike | Mapping):
        raise UsageError("expected a list", code="E-ARTIFACT", field=what, fix="write [ and ] around it")
    made: list[Found] = []
    for item in items:
        if isinstance(item, Mapping):
            made.append(_described(item, what))
            continue
        given = os.fspath(item)
        path = local_path(given)
        if path is None:
            made.append(Found(given.rstrip("/").rpartition("/")[2] or given, given))
        elif path.is_dir():
            made += files_of(path, str(path.absolute()))
        else:
            made.append(file_of(path, path.name, str(path.absolute())))
    return made


def _described(item: Mapping[str, Any], what: str) -> Found:
    uri = item.get("uri")
    unknown = sorted(set(item) - {"name", "uri", "digest", "size"})
    if not isinstance(uri, str) or not uri or unknown:
        raise UsageError(
            f"unknown key {printable(repr(unknown[0]), 60)}" if unknown else "has no uri",
            code="E-ARTIFACT",
            field=what,
            fix="give uri, and where known name, digest and size",
        )
    name = item.get("name") or uri.rstrip("/").rpartition("/")[2]
    return Found(str(name), uri, item.get("digest"), item.get("size"))


def files_of(folder: Path, uri: str) -> list[Found]:
    """Return the files in a folder by their paths below it.

    Raises
    ------
    InputError
        ``E-FILE``: one cannot be read, or there are none, or more than 1,000.
    """
    paths = sorted(
        path
        for place, _, names in os.walk(folder)
        for path in (Path(place) / name for name in names)
        if path.is_file()
    )
    if not paths or len(paths) > MOST_ARTIFACTS:
        raise InputError(
            "holds no files" if not paths else f"holds {len(paths):,} files",
            code="E-FILE",
            file=folder,
            fix=f"name a folder with 1 to {MOST_ARTIFACTS:,} files, or the archive that holds them",
        )
    return [
        file_of(path, below, f"{uri.rstrip('/')}/{below}")
        for path in paths
        for below in (path.relative_to(folder).as_posix(),)
    ]


def file_of(path: Path, name: str, uri: str) -> Found:
    """Return a file with its size and digest.

    Raises
    ------
    InputError
        ``E-FILE``.
    """
    described = artifact_of(path, name=name, uri=uri)
    try:
        modified = path.stat().st_mtime_ns // 1000
    except OSError:
        modified = None
    return Found(name, uri, described["digest"], described["size"], modified)


def without_password(uri: str) -> str:
    """Return a URI without who logs in, and without what follows ``?`` where that holds a key."""
    scheme, separator, rest = uri.partition("://")
    if not separator:
        return uri
    authority, slash, path = rest.partition("/")
    bare = f"{scheme}://{authority.rpartition('@')[2]}{slash}{path}"
    try:
        check_no_secrets("uri", bare)
    except UsageError:
        return bare.partition("?")[0]
    return bare
