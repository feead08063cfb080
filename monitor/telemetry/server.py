"""Server: ``/metrics`` and ``/health`` of a process, over HTTP."""

from __future__ import annotations

import logging
import socket
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final

from driftline.errors import DriftlineError, UsageError, printable
from driftline.monitor.telemetry.exposition import OPENMETRICS, PROMETHEUS, metrics_text
from driftline.monitor.telemetry.facts import scheduler_age

if TYPE_CHECKING:
    from collections.abc import Callable

    from driftline.monitor.telemetry.cardinality import Cardinality
    from driftline.registry.store import Registry

__all__ = ["MetricsServer", "serve_metrics"]

_log = logging.getLogger("driftline.telemetry")

MOST_AGE: Final = 60.0
AT_ONCE: Final = 4
SECONDS: Final = 30.0

_PLAIN = "text/plain; charset=utf-8"


class MetricsServer:
    """A server that runs in threads of its own; made by :func:`serve_metrics`.

    Attributes
    ----------
    host : str
    port : int
        The one taken, where 0 was asked for.
    """

    def __init__(self, server: _Server) -> None:
        self.host = str(server.server_address[0])
        self.port = int(server.server_address[1])
        self._server = server
        self._thread = threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.1}, name="driftline-metrics", daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        """Where the metrics are."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/metrics"

    def close(self) -> None:
        """Answer no more, and give the port back."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def __enter__(self) -> MetricsServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def serve_metrics(
    registry: Registry,
    port: int,
    host: str = "127.0.0.1",
    *,
    limits: Cardinality | None = None,
    last_turn: Callable[[], float] | None = None,
    most_age: float = MOST_AGE,
) -> MetricsServer:
    """Serve ``/metrics`` and ``/health`` from threads of this process.

    Parameters
    ----------
    registry : Registry
    port : int
        0 for any that is free.
    host : str, default "127.0.0.1"
        Whom to listen to: this machine only, unless another address is given. There are no passwords: behind other
        addresses everybody who reaches the port reads the names of models and features.
    limits : Cardinality, optional
    last_turn : callable, optional
        Returns when the loop of this process last turned, by :func:`time.monotonic`. Where it is left out, it is asked of
        the registry when any scheduler was last heard of.
    most_age : float, default 60
        Seconds after which ``/health`` answers 503.

    Raises
    ------
    UsageError
        ``E-LISTEN`` where the port or the address cannot be had.

    Notes
    -----
    Four requests at a time, each for 30 seconds at most; others are turned away with 503.
    """
    is_ipv6 = ":" in host
    kind = _ServerIPv6 if is_ipv6 else _Server
    try:
        server = kind((host, port), _Handler)
    except (OSError, OverflowError) as error:
        raise UsageError(
            f"cannot listen on {printable(host, 80)} port {port}: {getattr(error, 'strerror', None) or error}",
            code="E-LISTEN",
            fix="name another port, 0 for any that is free",
        ) from None
    server.text = lambda openmetrics: _text(registry, limits, openmetrics=openmetrics)
    server.age = lambda: _age(registry, last_turn)
    server.most_age = most_age
    return MetricsServer(server)


def _text(registry: Registry, limits: Cardinality | None, *, openmetrics: bool) -> bytes:
    with registry.read() as tx:
        return metrics_text(tx, limits=limits, openmetrics=openmetrics)


def _age(registry: Registry, last_turn: Callable[[], float] | None) -> float | None:
    if last_turn is not None:
        return time.monotonic() - last_turn()
    with registry.read() as tx:
        age = scheduler_age(tx)
    return None if age is None else age / 1e6


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 16
    text: Callable[[bool], bytes]
    age: Callable[[], float | None]
    most_age: float

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self._free = threading.BoundedSemaphore(AT_ONCE)
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._free.acquire(blocking=False):
            try:
                super().process_request(request, client_address)
            except RuntimeError:
                # No thread can be started.
                self._free.release()
                self.shutdown_request(request)
            return
        try:
            request.settimeout(1)
            request.sendall(
                b"HTTP/1.0 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"
            )
        except OSError as error:
            _log.debug("cannot turn a request away: %s", error)
        self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        # However slowly somebody sends or reads, the place is free again after this time.
        timer = threading.Timer(SECONDS, _cut, (request,))
        timer.daemon = True
        timer.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            timer.cancel()
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        _log.debug("a request for metrics ended early", exc_info=True)


class _ServerIPv6(_Server):
    address_family = socket.AF_INET6


def _cut(request: socket.socket) -> None:
    try:
        request.shutdown(socket.SHUT_RDWR)
    except OSError as error:
        _log.debug("a request was over already: %s", error)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = SECONDS

    def version_string(self) -> str:
        """Say no more of the server than its name."""
        return "driftline"

    def do_GET(self) -> None:
        self._answer(*self._found())

    def do_HEAD(self) -> None:
        self.do_GET()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse a request: what is no HTTP, and all methods but two."""
        _log.debug("refused: %s", printable(message or explain or code, 200))
        self.close_connection = True
        # Where the first line makes no sense, the answer would be that of HTTP/0.9, without a status.
        self.request_version = self.protocol_version
        if code == HTTPStatus.NOT_IMPLEMENTED:
            self._answer(405, _PLAIN, b"GET and HEAD only\n", Allow="GET, HEAD")
        else:
            self._answer(code, _PLAIN, b"")

    def _found(self) -> tuple[int, str, bytes]:
        path = self.path.partition("?")[0]
        try:
            if path == "/metrics":
                wanted = "application/openmetrics-text" in self.headers.get("Accept", "")
                return 200, OPENMETRICS if wanted else PROMETHEUS, self.server.text(wanted)
            if path == "/health":
                return self._health()
        except DriftlineError as error:
            _log.warning("cannot tell the metrics: %s", error)
            return 503, _PLAIN, f"{error.code}\n".encode()
        return 404, _PLAIN, b"there are /metrics and /health\n"

    def _health(self) -> tuple[int, str, bytes]:
        age = self.server.age()
        if age is None:
            return 503, _PLAIN, b"no scheduler has run yet\n"
        is_well = age <= self.server.most_age
        return 200 if is_well else 503, _PLAIN, f"last turned {max(age, 0.0):.0f} seconds ago\n".encode()

    def _answer(self, status: int, kind: str, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {
            "Content-Type": kind,
            "Content-Length": str(len(body)),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            **headers,
        }.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        _log.debug("%s %s", self.client_address[0], printable(format % args, 200))
