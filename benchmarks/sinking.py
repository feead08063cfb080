"""The sink under load: a process of its own, a client beside it on the same processors, every answer after the disk.

``python -m benchmarks.sinking`` prints one JSON object of rates. The client sends bytes that were made before the clock
starts, over plain sockets, so that what is measured is the sink: records of twenty features as JSON Lines, in batches and
one a request. Sealing goes on beside it, and what it did in that time is told beside the rate; what was left is sealed
when the load is over, which gives the rate of sealing alone.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.pairs import BenchmarkError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Client", "Sink", "batches", "measure", "record"]

FEATURES = 20
BATCH = 500
BATCH_CONNECTIONS = 4
SINGLE_CONNECTIONS = 64
_MARK = b"@@@@@@@@"


def record(rng: random.Random, number: int) -> bytes:
    """Return a record; its id begins with a mark that every request replaces by its own number."""
    features: dict[str, Any] = {
        f"feature_{i}": rng.choice(("monthly", "yearly", "trial"))
        if i % 5 == 4
        else round(rng.gauss(50.0, 20.0), 3)
        for i in range(FEATURES)
    }
    return json.dumps(
        {
            "id": f"{_MARK.decode()}-{number:06d}",
            "time": "2026-11-23T07:00:00Z",
            "input": features,
            "output": {"score": round(rng.random(), 6)},
        }
    ).encode()


def batches(size: int) -> Callable[[int], bytes]:
    """Return what makes the n-th request: `size` records that nobody has sent before."""
    rng = random.Random(7)
    body = b"\n".join(record(rng, number) for number in range(size))
    head = (
        f"POST /v1/capture/churn HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-ndjson\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    ).encode()
    return lambda n: head + body.replace(_MARK, b"%08d" % n)


class Sink:
    """``driftline capture sink`` in a process of its own."""

    def __init__(self, folder: Path, *options: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "driftline", "capture", "sink", str(folder), "--port", "0", *options],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        if "listening on http://" not in said:
            raise BenchmarkError("the sink did not start")
        self.address = ("127.0.0.1", int(said.partition(",")[0].rpartition(":")[2]))

    def __enter__(self) -> Sink:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(30)

    def ask(self, path: str) -> bytes:
        with urllib.request.urlopen(
            f"http://{self.address[0]}:{self.address[1]}{path}", timeout=60
        ) as answer:
            return bytes(answer.read())

    def sample(self, name: str) -> int:
        """Return the sum of a metric."""
        lines = self.ask("/metrics").decode().splitlines()
        return sum(
            int(line.rpartition(" ")[2]) for line in lines if line.partition("{")[0].partition(" ")[0] == name
        )

    def spent(self) -> float:
        """Return the processor time of the sink itself so far, in seconds; sealing has a process of its own."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak(self) -> int:
        """Return the largest resident set so far, in bytes."""
        for line in Path(f"/proc/{self._process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
        raise BenchmarkError("the sink is gone")


@dataclass(slots=True)
class _Connection:
    socket: socket.socket
    began: float = 0.0
    unsent: memoryview = field(default_factory=lambda: memoryview(b""))
    got: bytes = b""


class Client:
    """Keeps a number of connections busy, each with one request at a time."""

    def __init__(self, address: tuple[str, int], request: Callable[[int], bytes], n_connections: int) -> None:
        self._request = request
        self._n = 0
        self.answers: dict[int, int] = {}
        self.seconds: list[float] = []
        self._selector = selectors.DefaultSelector()
        self._connections = []
        for _ in range(n_connections):
            opened = socket.create_connection(address)
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            opened.setblocking(False)
            self._connections.append(_Connection(opened))

    def run(self, seconds: float) -> float:
        """Send for so long, wait for the last answers, and return how long it took."""
        began = time.perf_counter()
        for connection in self._connections:
            self._selector.register(connection.socket, selectors.EVENT_WRITE, connection)
            self._begin(connection)
        busy = len(self._connections)
        while busy:
            for key, events in self._selector.select(60.0):
                connection = key.data
                if events & selectors.EVENT_WRITE:
                    self._send(connection)
                elif self._answered(connection):
                    if time.perf_counter() - began < seconds:
                        self._begin(connection)
                    else:
                        self._selector.unregister(connection.socket)
                        connection.socket.close()
                        busy -= 1
        return time.perf_counter() - began

    def _begin(self, connection: _Connection) -> None:
        self._n += 1
        connection.unsent = memoryview(self._request(self._n))
        connection.began = time.perf_counter()
        self._send(connection)

    def _send(self, connection: _Connection) -> None:
        with contextlib.suppress(BlockingIOError):
            connection.unsent = connection.unsent[connection.socket.send(connection.unsent) :]
        wanted = selectors.EVENT_WRITE if connection.unsent else selectors.EVENT_READ
        self._selector.modify(connection.socket, wanted, connection)

    def _answered(self, connection: _Connection) -> bool:
        data = connection.socket.recv(65536)
        if not data:
            raise BenchmarkError("the sink hung up")
        connection.got += data
        head, found, body = connection.got.partition(b"\r\n\r\n")
        if not found:
            return False
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(body) < length:
            return False
        status = int(head[9:12])
        self.answers[status] = self.answers.get(status, 0) + 1
        self.seconds.append(time.perf_counter() - connection.began)
        connection.got = b""
        return True


def _percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def measure(seconds: float) -> dict[str, float]:
    """Return the rates.

    Parameters
    ----------
    seconds : float
        How long each of the two loads lasts.

    Raises
    ------
    BenchmarkError
        Where the sink refused anything, or stored anything but what it had acknowledged.
    """
    found: dict[str, float] = {}
    for name, size, n_connections in (("batch", BATCH, BATCH_CONNECTIONS), ("single", 1, SINGLE_CONNECTIONS)):
        with (
            tempfile.TemporaryDirectory(prefix="sinking-") as folder,
            Sink(Path(folder), "--seal-seconds", "5") as sink,
        ):
            Client(sink.address, batches(size), n_connections).run(0.5)
            _settled(sink)
            already = sink.sample("driftline_capture_stored_total")
            # Numbers go on after those of the warm-up.
            client = Client(sink.address, _after(batches(size), 10_000_000), n_connections)
            spent = sink.spent()
            took = client.run(seconds)
            spent = sink.spent() - spent
            n = client.answers.get(200, 0) * size
            if set(client.answers) != {200}:
                raise BenchmarkError(f"the sink answered {client.answers}")
            sealed = sink.sample("driftline_capture_stored_total") - already
            began = time.perf_counter()
            _settled(sink)
            rest = time.perf_counter() - began
            stored = sink.sample("driftline_capture_stored_total") - already
            if stored != n:
                raise BenchmarkError(f"{n} records were acknowledged and {stored} are stored")
            found[f"{name}_records_per_second"] = n / took
            found[f"{name}_cpu_microseconds"] = spent / n * 1e6
            found[f"{name}_p99_seconds"] = _percentile(client.seconds, 0.99)
            found[f"{name}_sealed_beside_per_second"] = sealed / took
            if stored - sealed > 20_000:
                found[f"{name}_sealed_after_per_second"] = (stored - sealed) / rest
            found[f"{name}_peak"] = float(sink.peak())
    return {name: round(value, 6) for name, value in found.items()}


def _after(request: Callable[[int], bytes], start: int) -> Callable[[int], bytes]:
    return lambda n: request(start + n)


def _settled(sink: Sink) -> None:
    """Wait until nothing is left to seal."""
    end = time.monotonic() + 300
    while sink.sample("driftline_capture_waiting_bytes"):
        if time.monotonic() > end:
            raise BenchmarkError("sealing does not come to an end")
        time.sleep(0.05)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sinking")
    parser.add_argument("--seconds", type=float, default=10.0)
    asked = parser.parse_args()
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    try:
        print(json.dumps(measure(asked.seconds)))
    except BenchmarkError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
