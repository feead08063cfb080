"""Tokens: who may write to which endpoint.

A token file has a line for each token, and the endpoints that it may write to, ``*`` for all::

    # the churn team
    4f0c…9a  churn,churn-canary
    b71d…02  *
"""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import TYPE_CHECKING

from driftline.capture.event import check_name
from driftline.errors import UsageError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Collection, Mapping

__all__ = ["ALL", "LEAST", "Tokens", "read_tokens"]

ALL = "*"
"""Stands for every endpoint."""

LEAST = 16
"""Least number of characters of a token."""

_SIZE = 1 << 20


class Tokens:
    """Tokens by their digest, so that to look one up takes as long as to look up another.

    Parameters
    ----------
    allowed : mapping of str to collection of str, optional
        Endpoints by token.
    file : path, optional
        A token file instead; it is read again when it changes, so that a token is revoked by removing its line.
    monotonic : callable, optional
        Seconds; the file is looked at once a second.

    Raises
    ------
    UsageError
        ``E-TOKEN-FILE``, ``E-TOKEN``.
    """

    def __init__(
        self,
        allowed: Mapping[str, Collection[str]] | None = None,
        *,
        file: str | os.PathLike[str] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._file = None if file is None else Path(file)
        self._monotonic = monotonic
        self._looked = monotonic()
        self._stamp: tuple[int, int, int] | None = None
        self._allowed: dict[bytes, frozenset[str]] = {}
        if self._file is not None:
            self._stamp = _stamp(self._file)
            allowed = read_tokens(self._file)
        self._take(allowed or {})

    def __len__(self) -> int:
        return len(self._allowed)

    def __repr__(self) -> str:
        return f"<Tokens: {len(self)}>"

    def _take(self, allowed: Mapping[str, Collection[str]]) -> None:
        for token, endpoints in allowed.items():
            if len(token) < LEAST or not token.isascii() or not token.isprintable() or " " in token:
                raise UsageError(
                    f"a token has at least {LEAST} printable ASCII characters and no blank",
                    code="E-TOKEN",
                    file=self._file,
                    fix="make one with: openssl rand -hex 32",
                )
            for endpoint in endpoints:
                if endpoint != ALL:
                    check_name("an endpoint", endpoint)
        self._allowed = {_digest(token): frozenset(endpoints) for token, endpoints in allowed.items()}

    def endpoints(self, token: str) -> frozenset[str] | None:
        """Return the endpoints that a token may write to; None where it is no token."""
        self._look()
        return self._allowed.get(_digest(token))

    def _look(self) -> None:
        """Read the file again where it has changed; while it cannot be read, nobody is let in."""
        if self._file is None or self._monotonic() - self._looked < 1.0:
            return
        self._looked = self._monotonic()
        stamp = _stamp(self._file)
        if stamp == self._stamp and stamp is not None:
            return
        try:
            self._take(read_tokens(self._file))
            self._stamp = stamp
        except UsageError:
            self._allowed = {}
            self._stamp = None


def _stamp(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def read_tokens(file: str | os.PathLike[str]) -> dict[str, list[str]]:
    """Read a token file; no error repeats what stands in it.

    Raises
    ------
    UsageError
        ``E-TOKEN-FILE``.
    """
    path = Path(file)
    try:
        with path.open("rb") as opened:
            data = opened.read(_SIZE + 1)
    except OSError as error:
        raise _no_file(path, f"cannot be read: {error.strerror or error}") from None
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError:
        raise _no_file(path, "is not ASCII text") from None
    if len(data) > _SIZE:
        raise _no_file(path, "is longer than 1 MiB")
    found: dict[str, list[str]] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        endpoints = [name for word in words[1:] for name in word.split(",") if name]
        if not endpoints:
            raise _no_file(path, "names no endpoint for its token", number)
        if words[0] in found:
            raise _no_file(path, "has a token that stands above already", number)
        found[words[0]] = endpoints
    if not found:
        raise _no_file(path, "holds no token")
    return found


def _no_file(path: Path, message: str, line: int | None = None) -> UsageError:
    return UsageError(
        message,
        code="E-TOKEN-FILE",
        file=path,
        line=line,
        fix="write a line for each: TOKEN ENDPOINT,ENDPOINT or TOKEN *",
    )
