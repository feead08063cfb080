"""What capture costs a service: the same small FastAPI model without and with the middleware, under the same load.

``python -m benchmarks.serving`` prints one JSON object. Both servers (uvicorn with httptools, one process each)
live during the whole run and are asked in turn, a stretch of time each, so that a slow second of the machine falls on
both; the order within a pair changes from pair to pair. Two loads:

open
    1,000 requests a second are sent at their times whether or not the earlier ones have been answered; the latency of a
    request counts from the time at which it was due, so that no stall hides those behind it.
closed
    16 connections with one request at a time each, as fast as they go.

The client is one process beside the server on the same two processors, with requests made before the clock starts. Events
are written to the log and sealed into Parquet meanwhile, as in production; all must be in the store afterwards.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.files import data_folder
from benchmarks.pairs import BenchmarkError, pin

__all__ = ["Round", "Service", "bodies", "measure", "percentile"]

RATE = 1000
_clock = time.perf_counter
CLOSED_CONNECTIONS = 16
OPEN_CONNECTIONS = 64


def bodies(n: int = 500) -> list[bytes]:
    """Return requests of customers who differ."""
    rng = random.Random(3)
    made = []
    for _ in range(n):
        body = json.dumps(
            {
                "age": round(rng.gauss(45, 12), 1),
                "tenure": rng.randrange(120),
                "plan": rng.choice(("monthly", "yearly", "trial")),
                "calls": rng.randrange(40),
                "minutes": round(rng.expovariate(0.01), 2),
                "spend": round(rng.expovariate(0.02), 2),
                "complaints": rng.randrange(5),
                "region": rng.choice(("north", "south", "east", "west")),
                "is_new": rng.random() < 0.1,
                "score": round(rng.random(), 6),
            }
        ).encode()
        head = (
            "POST /predict HTTP/1.1\r\nhost: localhost\r\nuser-agent: benchmark\r\naccept: */*\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        made.append(head.encode() + body)
    return made


def percentile(values: list[float], share: float) -> float:
    """Return the value below which a share of the sorted values lies."""
    return values[min(len(values) - 1, math.ceil(share * len(values)) - 1)]


class Service:
    """The model behind uvicorn, in a process of its own."""

    def __init__(self, captures: Path | None) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = free.getsockname()
        words = ["-m", "uvicorn", "benchmarks.served:app", "--port", str(self.address[1])]
        words += ["--log-level", "warning", "--no-access-log", "--loop", "asyncio", "--http", "httptools"]
        environment = {k: v for k, v in os.environ.items() if k != "CAPTURES"}
        if captures is not None:
            environment["CAPTURES"] = str(captures)
        self.process = subprocess.Popen(
            [sys.executable, *words], cwd=Path(__file__).parents[1], env=environment
        )

    def wait(self) -> None:
        """Wait until it listens."""
        end = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(self.address, timeout=1).close()
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise BenchmarkError("the service did not start") from None
                time.sleep(0.05)
            else:
                return

    def cpu(self) -> float:
        """Return the seconds of processor time of the process, without its children."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        """Shut it down in order."""
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait(60) not in (0, -signal.SIGTERM):
            raise BenchmarkError("the service did not end in order")


class _Connection(asyncio.Protocol):
    """One connection; tells when a whole answer has come."""

    def __init__(self, answered: Any) -> None:
        self._answered = answered
        self._got = b""
        self.transport: Any = None
        self.began = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._got += data
        head, blank, body = self._got.partition(b"\r\n\r\n")
        if not blank:
            return
        size = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(body) < size:
            return
        if not head.startswith(b"HTTP/1.1 200"):
            raise BenchmarkError(f"the service answered {head[:60]!r}")
        self._got = b""
        self._answered(self)


async def _connected(address: tuple[str, int], n: int, answered: Any) -> list[_Connection]:
    loop = asyncio.get_running_loop()
    made = []
    for _ in range(n):
        _, connection = await loop.create_connection(lambda: _Connection(answered), *address)
        made.append(connection)
    return made


async def _open_loop(
    service: Service, requests: list[bytes], seconds: float, rate: float
) -> tuple[list[float], float]:
    """Return the sorted latencies of requests that are sent at their times, and how many a second were answered."""
    loop = asyncio.get_running_loop()
    latencies: list[float] = []
    free: list[_Connection] = []
    due: list[float] = []  # of requests that wait for a connection, earliest last
    total = int(seconds * rate)
    finished = loop.create_future()

    def ask(connection: _Connection, at: float) -> None:
        connection.began = at
        connection.transport.write(requests[len(latencies) % len(requests)])

    def answered(connection: _Connection) -> None:
        latencies.append(_clock() - connection.began)
        if due:
            ask(connection, due.pop())
        else:
            free.append(connection)
        if len(latencies) == total:
            finished.set_result(None)

    free += await _connected(service.address, OPEN_CONNECTIONS, answered)
    everyone = list(free)
    began = _clock() + 0.01
    sent = 0
    while sent < total:
        at = began + sent / rate
        pause = at - _clock()
        if pause > 0:
            await asyncio.sleep(pause)
        # All that are due by now, without a pause between them.
        while sent < total and began + sent / rate <= _clock():
            at = began + sent / rate
            sent += 1
            if free:
                ask(free.pop(), at)
            else:
                due.insert(0, at)
    await asyncio.wait_for(finished, 60)
    achieved = total / (_clock() - began)
    for connection in everyone:
        connection.transport.close()
    return sorted(latencies), achieved


async def _closed_loop(service: Service, requests: list[bytes], seconds: float) -> tuple[int, float]:
    """Return how many requests were answered, and how many a second."""
    n = 0
    end = math.inf
    busy = CLOSED_CONNECTIONS
    finished = asyncio.get_running_loop().create_future()

    def answered(connection: _Connection) -> None:
        nonlocal n, busy
        n += 1
        if _clock() < end:
            connection.transport.write(requests[n % len(requests)])
            return
        busy -= 1
        if not busy:
            finished.set_result(None)

    connections = await _connected(service.address, CLOSED_CONNECTIONS, answered)
    began = _clock()
    end = began + seconds
    for connection in connections:
        connection.transport.write(requests[0])
    await finished
    rate = n / (_clock() - began)
    for connection in connections:
        connection.transport.close()
    return n, rate


@dataclass(frozen=True, slots=True)
class Round:
    """What one service did in its turn.

    Attributes
    ----------
    p50, p99, p999 : float
        Seconds from when a request was due to its answer, at 1,000 requests a second.
    cpu : float
        Seconds of the server's processor time a request, at that rate.
    achieved : float
        Requests a second that were answered of those.
    rate : float
        Requests a second at most.
    n : int
        Requests answered.
    """

    p50: float
    p99: float
    p999: float
    cpu: float
    achieved: float
    rate: float
    n: int


def _round(service: Service, requests: list[bytes], seconds: float) -> Round:

    before = service.cpu()
    latencies, achieved = asyncio.run(_open_loop(service, requests, seconds, RATE))
    cpu = (service.cpu() - before) / len(latencies)
    n, rate = asyncio.run(_closed_loop(service, requests, seconds))
    p50, p99, p999 = (percentile(latencies, share) for share in (0.5, 0.99, 0.999))
    return Round(p50, p99, p999, cpu, achieved, rate, n + len(latencies))


def measure(seconds: float, pairs: int) -> dict[str, float]:
    """Return the costs.

    Parameters
    ----------
    seconds : float
        How long each service is asked at a time.
    pairs : int
        How often both are.
    """

    pin()
    requests = bodies()
    place = data_folder()
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="serving-", dir=place) as folder:
        root = Path(folder, "captures")
        services = (Service(None), Service(root))
        both: list[tuple[Round, Round]] = []
        answered = 0
        try:
            for service in services:
                service.wait()
                answered, _ = asyncio.run(_closed_loop(service, requests, min(1.0, seconds)))
            for number in range(pairs):
                order = (0, 1) if number % 2 else (1, 0)
                found = {at: _round(services[at], requests, seconds) for at in order}
                both.append((found[0], found[1]))
                answered += found[1].n
        finally:
            for service in services:
                service.stop()
        stored = _stored(root)
    told = {"answered": float(answered), "stored": float(stored)}
    for name in ("p50", "p99", "p999", "cpu", "achieved", "rate"):
        told[f"plain_{name}"] = median(getattr(plain, name) for plain, _ in both)
        told[f"captured_{name}"] = median(getattr(captured, name) for _, captured in both)
        told[f"added_{name}"] = median(
            getattr(captured, name) - getattr(plain, name) for plain, captured in both
        )
    told["lost_at_rate"] = median(1 - captured.achieved / plain.achieved for plain, captured in both)
    told["lost_at_most"] = median(1 - captured.rate / plain.rate for plain, captured in both)
    return told


def _stored(root: Path) -> int:
    from driftline.capture.captures import Captures

    with Captures(root) as captures:
        if not captures.seal():
            raise BenchmarkError(f"sealing failed: {captures.failures}")
        stats = captures.stats()
    if stats.balance or stats.quarantined or stats.dropped:
        raise BenchmarkError(f"events are missing: {stats}")
    return stats.stored


def main() -> None:
    """Measure once and print what was found."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving")
    parser.add_argument("--seconds", type=float, default=4.0, help="how long each is asked at a time")
    parser.add_argument("--pairs", type=int, default=3, help="how often both are asked")
    asked = parser.parse_args()
    print(json.dumps(measure(asked.seconds, asked.pairs)))


if __name__ == "__main__":
    main()
