"""Folders: what a row says of the files that it points to, and whether they are still so."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from driftline.errors import UsageError, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from driftline.capture.target import Target

__all__ = ["baseline_path", "check_path", "folder_digest", "stored_digest"]

MOST_PATH = 1024


def folder_digest(files: Mapping[str, bytes]) -> str:
    """Return the digest of a folder's files.

    Parameters
    ----------
    files : mapping of str to bytes
        Contents by name, relative to the folder, with ``/`` between folders; in any order.

    Returns
    -------
    str
        ``sha256:`` and 64 hexadecimal digits.

    Notes
    -----
    SHA-256 over, for each file by name in the order of code points: the length of the name in UTF-8 (8 bytes, the
    greatest first), the name, the length of the content (8 bytes), the content. So no two different folders are the
    same bytes.

    Examples
    --------
    >>> folder_digest({})
    'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
    """
    return _digest(files, files.__getitem__)


def stored_digest(target: Target, path: str) -> str | None:
    """Return the digest of a folder that is stored, None where there are no files below it.

    Parameters
    ----------
    target : Target
        The workspace.
    path : str
        Of the folder, relative to the workspace.

    Raises
    ------
    SourceError
        If a file that is there cannot be read.
    """
    prefix = path.rstrip("/") + "/"
    names = [full.removeprefix(prefix) for full in target.paths(path.rstrip("/"))]
    if not names:
        return None
    return _digest(names, lambda name: target.read(prefix + name))


def _digest(names: Iterable[str], read: Callable[[str], bytes]) -> str:
    made = hashlib.sha256()
    for name in sorted(names):
        # A file system may hold names that are no text: they stand for themselves.
        spelled = name.encode("utf-8", "surrogateescape")
        content = memoryview(read(name))
        made.update(len(spelled).to_bytes(8, "big"))
        made.update(spelled)
        made.update(content.nbytes.to_bytes(8, "big"))
        made.update(content)
    return "sha256:" + made.hexdigest()


def baseline_path(name: str, version: int, digest: str) -> str:
    """Return where a version of a baseline lies; the content is part of the name, so that two writers never meet."""
    return f"baselines/{name}/v{version}-{digest.removeprefix('sha256:')[:12]}"


def check_path(path: object) -> str:
    r"""Return a path that lies below the workspace, whatever the workspace is.

    Raises
    ------
    UsageError
        ``E-PATH``: it is absolute, empty, too long, holds ``.``, ``..`` or ``\\`` or a character that is not printed.
    """
    if isinstance(path, str) and 0 < len(path) <= MOST_PATH and path.isprintable() and "\\" not in path:
        parts = path.split("/")
        if not any(part in ("", ".", "..") for part in parts):
            return path
    raise UsageError(
        f"{printable(repr(path), 80)} is no path below the workspace",
        code="E-PATH",
        fix="write one such as baselines/churn/v1",
    )
