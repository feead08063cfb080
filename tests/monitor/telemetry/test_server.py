"""The server tells metrics and health on loopback, to few at a time, and nothing else."""

from __future__ import annotations

import http.client
import logging
import socket
import time
from typing import TYPE_CHECKING

import pytest
from monitor_telemetry import HOUR, World
from prometheus_client.parser import text_string_to_metric_families

from driftline.errors import UsageError
from driftline.monitor.telemetry import OPENMETRICS, PROMETHEUS, MetricsServer, serve_metrics
from driftline.monitor.telemetry import server as module

if TYPE_CHECKING:
    from collections.abc import Iterator

    from driftline.registry.store import Registry


@pytest.fixture
def served(small: Registry) -> Iterator[MetricsServer]:
    with serve_metrics(small, 0) as made:
        yield made


def ask(
    server: MetricsServer, path: str = "/metrics", method: str = "GET", **headers: str
) -> tuple[int, bytes, dict[str, str]]:
    connection = http.client.HTTPConnection(server.host, server.port, timeout=30)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read(), {name.lower(): value for name, value in answer.getheaders()}
    finally:
        connection.close()


def raw(server: MetricsServer, data: bytes) -> bytes:
    with socket.create_connection((server.host, server.port), timeout=30) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_metrics_are_served(served: MetricsServer) -> None:
    status, body, headers = ask(served)
    assert status == 200
    assert headers["content-type"] == PROMETHEUS
    assert headers["cache-control"] == "no-store"
    assert headers["server"] == "driftline"
    assert {f.name for f in text_string_to_metric_families(body.decode())} >= {
        "driftline_info",
        "driftline_schedulers",
    }
    assert ask(served, "/metrics?x=1")[0] == 200


def test_it_is_for_this_machine_only(served: MetricsServer) -> None:
    assert served.host == "127.0.0.1"
    assert served.url == f"http://127.0.0.1:{served.port}/metrics"


def test_openmetrics_where_it_is_asked_for(served: MetricsServer) -> None:
    _, body, headers = ask(served, Accept="application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.2")
    assert headers["content-type"] == OPENMETRICS
    assert body.endswith(b"# EOF\n")


def test_head_gives_the_length_alone(served: MetricsServer) -> None:
    status, body, headers = ask(served, method="HEAD")
    assert (status, body) == (200, b"")
    assert int(headers["content-length"]) > 1000


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "BREW"])
def test_nothing_but_get_and_head(served: MetricsServer, method: str) -> None:
    status, body, headers = ask(served, method=method)
    assert (status, headers["allow"]) == (405, "GET, HEAD")
    assert body == b"GET and HEAD only\n"


@pytest.mark.parametrize("path", ["/", "/metrics/", "/../etc/passwd", "/health/x"])
def test_nothing_else_is_there(served: MetricsServer, path: str) -> None:
    assert ask(served, path)[0] == 404


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\x16\x03\x01 hello\r\n\r\n", b"400"),
        (b"GET /metrics HTTP/9.9\r\n\r\n", b"505"),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.0\r\n\r\n", b"414"),
        (b"GET / HTTP/1.0\r\n" + b"a: b\r\n" * 200 + b"\r\n", b"431"),
        (b"GET / HTTP/1.0\r\na: " + b"x" * 70_000 + b"\r\n\r\n", b"431"),
    ],
)
def test_what_is_no_request_is_refused_without_echo(
    served: MetricsServer, data: bytes, status: bytes
) -> None:
    answer = raw(served, data)
    assert answer.split(b" ", 2)[1] == status
    assert answer.endswith(b"\r\n\r\n")
    assert ask(served)[0] == 200


def test_requests_cannot_write_into_the_log(served: MetricsServer, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "driftline.telemetry"):
        raw(served, b"GET /\x1b[31m\rforged HTTP/1.0\r\n\r\n")
    assert caplog.messages
    assert all(message.isprintable() for message in caplog.messages)


def test_health_is_that_of_the_loop(small: Registry) -> None:
    turned = time.monotonic()
    with serve_metrics(small, 0, last_turn=lambda: turned) as server:
        assert ask(server, "/health")[0] == 200
        turned -= 61
        status, body, _ = ask(server, "/health")
        assert (status, body) == (503, b"last turned 61 seconds ago\n")
    with serve_metrics(small, 0, last_turn=lambda: turned, most_age=600) as server:
        assert ask(server, "/health", "HEAD")[:2] == (200, b"")


def test_health_without_a_loop_is_that_of_any_scheduler(small_world: World) -> None:
    with serve_metrics(small_world.registry, 0) as server:
        assert ask(server, "/health")[:2] == (503, b"no scheduler has run yet\n")
        for n, (age, status) in enumerate(((HOUR, 503), (1_000_000, 200))):
            small_world.add(
                "schedulers", id=f"s{n}", host="h", pid=1, started=0, seen=small_world.now - age, stopped=None
            )
            assert ask(server, "/health")[0] == status


def test_a_registry_that_is_away_is_told_without_its_address(small: Registry, served: MetricsServer) -> None:
    small.database.close()
    with open(small.database.name, "r+b") as file:  # noqa: PTH123
        file.write(b"no database" * 100)
    status, body, _ = ask(served)
    assert status == 503
    assert body in (b"E-REGISTRY\n", b"E-BUSY\n")


def test_few_at_a_time(served: MetricsServer) -> None:
    held = [socket.create_connection((served.host, served.port), timeout=30) for _ in range(module.AT_ONCE)]
    try:
        for one in held:
            one.sendall(b"GET /metrics HTTP/1.0\r\n")
        assert ask(served)[0] == 503
        for one in held:
            one.sendall(b"\r\n")
            assert b"200 OK" in b"".join(iter(lambda one=one: one.recv(65536), b""))
    finally:
        for one in held:
            one.close()
    deadline = time.monotonic() + 30
    while ask(served)[0] != 200:
        assert time.monotonic() < deadline


def test_the_slow_are_cut_off(small: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS", 0.2)
    with (
        serve_metrics(small, 0) as server,
        socket.create_connection((server.host, server.port), timeout=30) as slow,
    ):
        slow.sendall(b"GET /metrics HTT")
        assert slow.recv(100) == b""


def test_a_port_that_is_taken_is_told(served: MetricsServer, small: Registry) -> None:
    with pytest.raises(
        UsageError, match=rf"E-LISTEN: cannot listen on 127.0.0.1 port {served.port}: .*in use"
    ):
        serve_metrics(small, served.port)


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 70_000), ("192.0.2.1", 0), ("no such\nhost", 0)])
def test_an_address_that_cannot_be_had_is_told(small: Registry, host: str, port: int) -> None:
    with pytest.raises(UsageError, match=r"E-LISTEN: cannot listen on [^\n]*$"):
        serve_metrics(small, port, host)


def test_closing_gives_the_port_back(small: Registry) -> None:
    first = serve_metrics(small, 0)
    first.close()
    with pytest.raises(ConnectionRefusedError):
        ask(first)
    serve_metrics(small, first.port).close()


def test_ipv6(small: Registry) -> None:
    with serve_metrics(small, 0, "::1") as server:
        assert server.url == f"http://[::1]:{server.port}/metrics"
        assert ask(server)[0] == 200
