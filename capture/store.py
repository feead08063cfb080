"""Object stores: which objects a URL means.

``s3://bucket/key``, ``gs://bucket/key`` and whatever else pyarrow was built with. Options stand in the query
string as pyarrow spells them, for example ``?endpoint_override=127.0.0.1:9000&scheme=http``; ``?`` is
therefore no pattern character in a URL, while ``*``, ``**`` and ``[…]`` are. Keys are taken literally:
``%20`` is three characters. Credentials come from the environment as the store's own tools read them. They
may stand in the URL, but are never shown.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from driftline.capture.blob import Blob
from driftline.capture.find import hidden
from driftline.errors import DriftlineError, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["opened_store", "remote"]

_PATTERN = re.compile(r"[*\[]")


def remote(url: str) -> tuple[bool, list[Blob]]:
    """List what `url` means.

    Returns
    -------
    asked_for : bool
        True where the URL names one object outright.
    blobs : list of Blob

    Raises
    ------
    SourceError
        ``E-STORE`` where the store cannot be reached, refuses, or does not know the bucket.
    """
    import pyarrow.fs as pafs

    store, root, key, shown, secrets, folder_asked = _parsed(url)
    scheme = shown.partition("://")[0]
    with _asking(shown, secrets):
        target = f"{root}/{key}" if key else root
        (info,) = store.get_file_info([target])
        if info.type == pafs.FileType.File and not folder_asked:
            return True, [Blob(shown, info.path, info.size, store)]
        pattern = None
        if info.type == pafs.FileType.NotFound and _PATTERN.search(key):
            pattern = _compiled(key)
            fixed = key[: _PATTERN.search(key).start()]  # type: ignore[union-attr]
            folder = fixed.rpartition("/")[0]
            target = f"{root}/{folder}" if folder else root
        blobs = list(_below(store, target, f"{scheme}://", pattern, len(root) + 1))
    if not blobs:
        _check_bucket(store, root.partition("/")[0], shown)
    for blob in blobs:
        _check_key(blob.name)
    return False, blobs


def opened_store(url: str) -> tuple[Any, str, str]:
    """Open the store of a URL for reading and writing below it.

    Returns
    -------
    store : pyarrow.fs.FileSystem
    base : str
        What stands before every path: the bucket and the key.
    shown : str
        The URL without credentials and options.

    Raises
    ------
    SourceError
        ``E-STORE``, as :func:`remote`.
    """
    store, root, key, shown, _, _ = _parsed(url)
    return store, f"{root}/{key}".rstrip("/"), shown


def _parsed(url: str) -> tuple[Any, str, str, str, list[str], bool]:
    import pyarrow.fs as pafs

    scheme, _, rest = url.partition("://")
    rest, _, query = rest.partition("?")
    authority, _, key = rest.partition("/")
    bucket = authority.rpartition("@")[2]
    folder_asked = key.endswith("/")
    key = key.strip("/")
    shown = f"{scheme}://{bucket}/{key}".rstrip("/")
    if not bucket:
        raise SourceError("names no bucket", code="E-STORE", file=shown, fix="write s3://bucket/key")
    options = f"?{query}" if query else ""
    _check_key(shown)
    secrets = [part for part in (authority.rpartition("@")[0], query) if part]
    with _asking(shown, secrets):
        store, base = pafs.FileSystem.from_uri(f"{scheme}://{authority}{options}")
    return store, base.rstrip("/"), key, shown, secrets, folder_asked


def _check_bucket(store: Any, bucket: str, shown: str) -> None:
    import pyarrow.fs as pafs

    try:
        (info,) = store.get_file_info([bucket])
    except OSError:
        return  # Keys may be readable where the bucket may not be asked about.
    if info.type == pafs.FileType.NotFound:
        raise SourceError("the bucket does not exist", code="E-STORE", file=shown, fix="check the URL")


def _check_key(name: str) -> None:
    if "//" in name.partition("://")[2]:
        raise SourceError(
            "the key has a folder without a name (//), which pyarrow cannot read",
            code="E-STORE",
            file=name,
            fix="copy the objects to a prefix without the double slash",
        )


def _below(
    store: Any, folder: str, prefix: str, pattern: re.Pattern[str] | None, start: int
) -> Iterator[Blob]:
    import pyarrow.fs as pafs

    selector = pafs.FileSelector(folder, recursive=True, allow_not_found=True)
    for info in store.get_file_info(selector):
        if info.type != pafs.FileType.File or hidden(info.path[len(folder) :]):
            continue
        if info.path.rpartition("/")[2].startswith("_"):
            continue
        if pattern is None or pattern.fullmatch(info.path[start:]):
            yield Blob(prefix + info.path, info.path, info.size, store)


def _compiled(pattern: str) -> re.Pattern[str]:
    """Turn a pattern into an expression over whole keys; a matching folder takes what is below it."""
    out = []
    parts = pattern.split("/")
    for position, part in enumerate(parts):
        last = position == len(parts) - 1
        if part == "**":
            out.append(".*" if last else "(?:[^/]+/)*")
            continue
        out.append(_component(part) + ("(?:/.*)?" if last else "/"))
    return re.compile("".join(out), re.DOTALL)


def _component(part: str) -> str:
    out = []
    position = 0
    while position < len(part):
        ch = part[position]
        closing = part.find("]", position + 2)
        if ch == "*":
            out.append("[^/]*")
        elif ch == "[" and closing != -1:
            inside = part[position + 1 : closing].replace("\\", r"\\").replace("[", r"\[")
            out.append(f"[{'^' + inside[1:] if inside.startswith('!') else inside}]")
            position = closing
        else:
            out.append(re.escape(ch))
        position += 1
    return "".join(out)


@contextmanager
def _asking(shown: str, secrets: Sequence[str]) -> Iterator[None]:
    try:
        yield
    except DriftlineError:
        raise
    except (pa.ArrowException, OSError, ValueError) as error:
        text = " ".join(str(error).split())
        for secret in secrets:
            text = text.replace(secret, "***")
        raise SourceError(
            f"the store cannot be read: {text[:300]}",
            code="E-STORE",
            file=shown,
            fix="check the URL, the credentials in the environment and the network",
        ) from None
