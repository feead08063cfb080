"""Requests to the sink: headers that are safe to believe, and bodies that end in time and in size."""

from __future__ import annotations

import asyncio
import re
import zlib
from typing import TYPE_CHECKING, Any

from driftline.errors import DriftlineError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping

__all__ = ["AnswerError", "GoneError", "Inflate", "Room", "busy", "headers_of", "read_body", "too_large"]

_LENGTH = re.compile(r"\d{1,15}")
_CHARSET = re.compile(r";\s*charset\s*=\s*\"?([^\s\";]+)", re.IGNORECASE)
_UTF8 = frozenset(("utf-8", "utf8", "us-ascii", "ascii"))
_READ = frozenset(
    (
        "authorization",
        "content-encoding",
        "content-length",
        "content-type",
        "idempotency-key",
        "inference-header-content-length",
        "transfer-encoding",
    )
)


class AnswerError(DriftlineError):
    """A request that is answered with an error.

    Parameters
    ----------
    status : int
        Of HTTP.
    message : str
    headers : mapping of str to str, optional
    **about
        As for every error of driftline.
    """

    default_code = "E-HTTP"

    def __init__(
        self, status: int, message: str, *, headers: Mapping[str, str] | None = None, **about: Any
    ) -> None:
        super().__init__(message, **about)
        self.status = status
        self.headers = dict(headers or {})


class GoneError(Exception):
    """The client has left."""


def headers_of(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return the headers that the sink reads; one of them twice is an error, since who asks is to be sure who is heard.

    Raises
    ------
    AnswerError
        400 ``E-HEADER``.
    """
    found: dict[str, str] = {}
    for name, value in raw:
        key = name.decode("latin-1").lower()
        if key not in _READ and not key.startswith(("ce-", "driftline-")):
            continue
        if key in found:
            raise AnswerError(400, "the header is there twice", code="E-HEADER", field=key)
        if b"\0" in value or b"\r" in value or b"\n" in value:
            raise AnswerError(400, "the header holds a control character", code="E-HEADER", field=key)
        found[key] = value.decode("latin-1")
    if "content-length" in found:
        if "transfer-encoding" in found:
            raise AnswerError(400, "has both a length and a transfer encoding", code="E-HEADER")
        if not _LENGTH.fullmatch(found["content-length"]):
            raise AnswerError(400, "is no length", code="E-HEADER", field="content-length")
    charset = _CHARSET.search(found.get("content-type", ""))
    if charset and charset[1].lower() not in _UTF8:
        raise AnswerError(415, "expected UTF-8", code="E-CHARSET", field="content-type", fix="send UTF-8")
    return found


class Room:
    """Bytes of bodies that may be in memory at one time."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.used = 0

    def take(self, size: int) -> None:
        """Take room, or refuse.

        Raises
        ------
        AnswerError
            503 ``E-BUSY``.
        """
        if self.used + size > self.most:
            raise busy("too much is waiting")
        self.used += size


def busy(message: str, seconds: int = 1) -> AnswerError:
    """Return the answer to who should come again."""
    return AnswerError(
        503, message, code="E-BUSY", fix="send it again later", headers={"retry-after": str(seconds)}
    )


class Inflate:
    """Gzip, a piece at a time, never more than `most` bytes in all."""

    def __init__(self, most: int) -> None:
        self._left = most
        self._member = zlib.decompressobj(wbits=31)
        self._began = False

    def feed(self, data: bytes) -> bytes:
        """Return what a piece unfolds to.

        Raises
        ------
        AnswerError
            413 ``E-SIZE``, 400 ``E-GZIP``.
        """
        out = []
        while data:
            if self._member.eof:
                self._member = zlib.decompressobj(wbits=31)
            self._began = True
            try:
                piece = self._member.decompress(data, self._left + 1)
            except zlib.error:
                raise AnswerError(400, "the body is damaged gzip", code="E-GZIP") from None
            self._left -= len(piece)
            if self._left < 0:
                raise too_large("unfolds to more")
            out.append(piece)
            data = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
        return b"".join(out)

    def end(self) -> None:
        """Be sure that it ended where gzip ends.

        Raises
        ------
        AnswerError
            400 ``E-GZIP``.
        """
        if self._began and not self._member.eof:
            raise AnswerError(400, "the body ends in the middle of its gzip", code="E-GZIP")


def too_large(words: str) -> AnswerError:
    """Return the answer to a body that is too long."""
    return AnswerError(
        413,
        f"the body {words} than is taken in one request",
        code="E-SIZE",
        fix="send fewer records at a time",
    )


async def read_body(
    receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
    headers: Mapping[str, str],
    *,
    most: int,
    seconds: float,
    take: Callable[[int], None],
) -> bytes:
    """Read a body.

    Parameters
    ----------
    receive : callable
        Of ASGI.
    headers : mapping of str to str
        From :func:`headers_of`.
    most : int
        Most bytes, compressed and not.
    seconds : float
        Most time.
    take : callable
        Told of every piece that is kept, before it is kept.

    Raises
    ------
    AnswerError
        408, 413, 415, or what `take` raises.
    GoneError
        Where the client left before the end.
    """
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", "x-gzip"):
        raise AnswerError(
            415, "expected gzip or nothing", code="E-CONTENT-ENCODING", headers={"accept-encoding": "gzip"}
        )
    inflate = None if encoding == "identity" else Inflate(most)
    length = int(headers.get("content-length", 0))
    if length > most:
        raise too_large("is longer")
    pieces: list[bytes] = []
    came = 0
    try:
        async with asyncio.timeout(seconds):
            more = True
            while more:
                message = await receive()
                if message["type"] != "http.request":
                    raise GoneError
                piece: bytes = message.get("body", b"")
                more = message.get("more_body", False)
                came += len(piece)
                if came > most:
                    raise too_large("is longer")
                if inflate is not None:
                    piece = inflate.feed(piece)
                if piece:
                    take(len(piece))
                    pieces.append(piece)
    except TimeoutError:
        raise AnswerError(
            408, f"the body did not come within {seconds:g} seconds", code="E-TIMEOUT", fix="send it again"
        ) from None
    if inflate is not None:
        inflate.end()
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
