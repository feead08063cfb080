"""One request and its answer, over an address that was checked, within a deadline that holds.

A timeout of a socket starts anew with every byte, so that a receiver that sends one a second is never late. Here each
read and each write gets what is left of the whole.
"""

from __future__ import annotations

import contextlib
import functools
import http.client
import io
import socket
import ssl
import time
from collections.abc import Mapping  # noqa: TC003  dataclasses read it
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from driftline.monitor.notify.error import SendError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from driftline.monitor.notify.address import Destination

__all__ = ["Answer", "Deadline", "exchange"]

MAX_HEAD: Final = 65536
STEP: Final = 16384
KEPT: Final = ("content-encoding", "content-length", "content-type", "date", "location", "retry-after")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver answered.

    Attributes
    ----------
    status : int
    headers : mapping of str to str
        Those of :data:`KEPT` that came, by name in lower case.
    body : bytes
        As it was sent: what is compressed stays so. Up to the limit.
    seconds : float
        From the look-up of the name to the end.
    is_whole : bool
        False where the body is longer than the limit, or did not come in time. The status holds all the same: a receiver
        that has said that it took a notification must not get it again because it talks on.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float
    is_whole: bool = True


class Deadline:
    """A moment by which something is to be done.

    Parameters
    ----------
    seconds : float
        From now.
    """

    __slots__ = ("_end",)

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds left, more than 0.

        Raises
        ------
        TimeoutError
            If there are none.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        return left


class _TooMuchError(Exception):
    """More came than is read."""


class _Watched(io.RawIOBase):
    """A socket to read from, with a deadline and a limit of bytes."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, deadline: Deadline) -> None:
        super().__init__()
        self._raw = raw
        self._sock = sock
        self._deadline = deadline
        self.budget = MAX_HEAD

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self.budget <= 0:
            raise _TooMuchError
        self._sock.settimeout(self._deadline.left())
        n: int | None = self._raw.readinto(buffer)
        self.budget -= n or 0
        return n

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, deadline: Deadline, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.watched = _Watched(self.fp.detach(), sock, deadline)
        self.fp = io.BufferedReader(self.watched)


class _Connection(http.client.HTTPConnection):
    """HTTP over a socket that is connected already: no name is looked up here, and no proxy asked."""

    auto_open = 0

    def __init__(self, destination: Destination, sock: socket.socket, deadline: Deadline) -> None:
        super().__init__(destination.host, destination.port)
        self.sock = sock
        self._deadline = deadline
        self.response_class = functools.partial(_Response, deadline=deadline)  # type: ignore[assignment]

    def send(self, data: Any) -> None:
        """Send bytes; unlike that of a read, the timeout of :meth:`socket.socket.sendall` is for all of them."""
        self.sock.settimeout(self._deadline.left())
        self.sock.sendall(data)


def exchange(
    destination: Destination,
    addresses: Sequence[str],
    body: bytes,
    headers: Mapping[str, str],
    *,
    context: ssl.SSLContext | None,
    connect: Deadline,
    total: Deadline,
    body_cap: int,
    method: Literal["GET", "POST"] = "POST",
) -> tuple[int, dict[str, str], bytes, bool]:
    """Send a request and read the answer.

    Parameters
    ----------
    destination : Destination
    addresses : sequence of str
        To be tried in turn until one connects. Nothing else is ever connected to.
    body : bytes
    headers : mapping of str to str
    context : ssl.SSLContext or None
        For https.
    connect, total : Deadline
        Until the connection stands, TLS included; until the end.
    body_cap : int
        Bytes of the answer that are read.
    method : {"POST", "GET"}

    Returns
    -------
    status, headers, body, is_whole
        As in :class:`Answer`.

    Raises
    ------
    SendError
        If there is no answer. Redirects are answers.
    """
    host = destination.host
    try:
        with _connected(destination, addresses, context, connect) as sock:
            return _talk(_Connection(destination, sock, total), destination, method, body, headers, body_cap)
    except TimeoutError:
        raise SendError("timeout", f"{host} did not answer in time") from None
    except (http.client.HTTPException, _TooMuchError) as error:
        # A server that hangs up before it answers is no server that answers nonsense.
        if isinstance(error, http.client.RemoteDisconnected):
            raise SendError("network", f"{host} closed the connection without an answer") from None
        raise SendError("answer", f"what {host} answered is no HTTP, or its headers are too long") from None
    except OSError as error:
        raise SendError("network", f"the connection to {host} broke: {_reason(error)}") from None


def _connected(
    destination: Destination, addresses: Sequence[str], context: ssl.SSLContext | None, deadline: Deadline
) -> socket.socket:
    sock: socket.socket | None = None
    reason = "it has no address"
    for position, address in enumerate(addresses):
        try:
            # A share each, so that one that is silent leaves time for the others.
            share = deadline.left() / (len(addresses) - position)
            sock = socket.create_connection((address, destination.port), timeout=share)
            break
        except OSError as error:
            reason = _reason(error)
    if sock is None:
        raise SendError("connect", f"no connection to {destination.host}:{destination.port}: {reason}")
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if destination.scheme == "http":
            return sock
        if context is None:
            raise ValueError("https needs a context")
        sock.settimeout(deadline.left())
        return context.wrap_socket(sock, server_hostname=destination.host)
    except TimeoutError:
        sock.close()
        raise SendError("timeout", f"{destination.host} did not finish the TLS handshake in time") from None
    except ssl.SSLCertVerificationError as error:
        sock.close()
        raise SendError(
            "tls", f"the certificate of {destination.host} is not accepted: {error.verify_message}"
        ) from None
    except OSError as error:
        sock.close()
        raise SendError("tls", f"no TLS with {destination.host}: {_reason(error)}") from None


def _talk(
    connection: _Connection,
    destination: Destination,
    method: str,
    body: bytes,
    headers: Mapping[str, str],
    body_cap: int,
) -> tuple[int, dict[str, str], bytes, bool]:
    sent = {
        "Host": destination.host_header,
        "User-Agent": "driftline",
        "Accept-Encoding": "identity",
        "Connection": "close",
        **headers,
    }
    with contextlib.closing(connection):
        # Who closes while we still send may have said why before, such as 413.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.request(method, destination.target, body=body or None, headers=sent)
        with contextlib.closing(connection.getresponse()) as response:
            assert isinstance(response, _Response)
            kept = {name: value for name in KEPT if (value := response.getheader(name)) is not None}
            return (response.status, kept, *_read_body(response, body_cap))


def _read_body(response: _Response, cap: int) -> tuple[bytes, bool]:
    # Room for the framing of small chunks; what is larger is an attack or no answer to us.
    response.watched.budget = 8 * cap + MAX_HEAD
    body = bytearray()
    try:
        while len(body) <= cap:
            piece = response.read1(min(STEP, cap + 1 - len(body)))
            if not piece:
                return bytes(body), not response.length
            body += piece
    except (OSError, http.client.HTTPException, ValueError, _TooMuchError):
        pass
    return bytes(body[:cap]), False


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__
