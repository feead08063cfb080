"""Serving: uvicorn, and what it lacks to stand on a network: limits on time, on headers and on connections.

uvicorn waits for ever for the rest of a header and keeps a header of any length; both are ended here. It is imported by
the command line only.
"""

from __future__ import annotations

import json
import signal
import socket
import time
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from driftline.errors import UsageError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from types import FrameType

    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

__all__ = ["HEAD_BYTES", "HEAD_SECONDS", "MOST_CONNECTIONS", "listening", "serve"]

HEAD_SECONDS = 10.0
"""Longest time from the first byte of a request to the end of its headers."""

HEAD_BYTES = 32 << 10
"""Most bytes of a request line and headers."""

MOST_HEADERS = 100
MOST_CONNECTIONS = 2000
"""Connections at one time; one more is told to come again."""

WRITE_SECONDS = 20.0
"""Longest time for which a client may leave its answer unread."""

IDLE_SECONDS = 15
STOP_SECONDS = 3


class _Connection(HttpToolsProtocol):
    """A connection that ends when it is too slow or says too much."""

    _timer: asyncio.TimerHandle | None = None
    _is_in_head = True
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            self._refuse(503, "E-BUSY", "too many connections")
            return
        self._begin_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_timer()
        super().connection_lost(exc)

    def _begin_head(self) -> None:
        self._is_in_head = True
        self._head_bytes = 0
        self._end_timer()
        self._timer = self.loop.call_later(HEAD_SECONDS, self._too_slow)

    def _end_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self) -> None:
        self._refuse(408, "E-TIMEOUT", "the headers did not come in time")

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        if not self._is_in_head and self._is_idle():
            # Blank lines between two requests are none to the parser, and must not keep a connection open.
            self._begin_head()
        if self._is_in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._is_in_head and self._head_bytes > HEAD_BYTES:
            self._refuse(400, "E-HEADER", "the headers are too long")

    def _is_idle(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._begin_head()

    def on_header(self, name: bytes, value: bytes) -> None:
        # Not to be confused with what other servers read: one request for one and another for the other is how requests
        # are smuggled. What is raised here is answered with 400.
        if len(self.headers) >= MOST_HEADERS or len(name) + len(value) > HEAD_BYTES:
            raise ValueError("too many headers")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        self._end_timer()
        if self.parser.should_upgrade():
            raise ValueError("nothing to upgrade to")
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, "E-HTTP", msg.removesuffix(".").lower())

    def _refuse(self, status: int, code: str, message: str) -> None:
        """Answer without the application, and hang up."""
        self._end_timer()
        if self.transport.is_closing():
            return
        if self._is_idle():
            body = json.dumps({"error": {"code": code, "message": message}}).encode()
            words = {400: "Bad Request", 408: "Request Timeout", 503: "Service Unavailable"}[status]
            again = "retry-after: 1\r\n" if status == 503 else ""
            self.transport.write(
                f"HTTP/1.1 {status} {words}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
                f"{again}connection: close\r\n\r\n".encode()
                + body
            )
        self._hang_up()

    def _hang_up(self) -> None:
        transport = self.transport
        transport.close()
        self.loop.call_later(WRITE_SECONDS, transport.abort)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._end_timer()
        self._timer = self.loop.call_later(WRITE_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._end_timer()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            self.loop.call_later(WRITE_SECONDS, self.transport.abort)

    def timeout_keep_alive_handler(self) -> None:
        if not self.transport.is_closing():
            self._hang_up()


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises
    ------
    UsageError
        ``E-LISTEN``.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        opened = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:
        raise _no_place(host, port, error) from None
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(address)
        opened.listen(2048)
    except OSError as error:
        opened.close()
        raise _no_place(host, port, error) from None
    return opened


def _no_place(host: str, port: int, error: Exception) -> UsageError:
    why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return UsageError(
        f"cannot listen on {host}:{port}: {why}", code="E-LISTEN", fix="choose another --host or --port"
    )


class _Server(uvicorn.Server):
    """Knows when it was asked to stop."""

    asked: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self.asked is None:
            self.asked = time.monotonic()
        super().handle_exit(sig, frame)


def serve(
    application: Any, opened: socket.socket, *, started: Callable[[], None] | None = None
) -> float | None:
    """Serve until SIGTERM or SIGINT; requests that are being answered have three seconds to end.

    Parameters
    ----------
    application : ASGI application
    opened : socket
        From :func:`listening`; closed at the end.
    started : callable, optional
        Called before the first request is taken.

    Returns
    -------
    float or None
        When it was asked to stop, by the monotonic clock.
    """
    config = uvicorn.Config(
        application,
        http=_Connection,
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="critical",
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    server = _Server(config)
    # uvicorn gives a signal that ended it to whoever had it before: here nobody, so that there is time to close.
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        if started is not None:
            started()
        server.run(sockets=[opened])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        opened.close()
    return server.asked
