"""The sink as a user has it: a process that listens on the loopback interface, and plain sockets to speak to it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from driftline.capture.captures import Captures
from driftline.capture.window import window

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = [
    "EVER",
    "NDJSON",
    "Answer",
    "Server",
    "exchange",
    "ids",
    "ndjson",
    "post",
    "read_answer",
    "rec",
    "request",
    "sealed",
    "wait_for",
]

EVER = ("1970-01-01", "2200-01-01")
NDJSON = {"content-type": "application/x-ndjson"}


@dataclass(frozen=True)
class Answer:
    """A response."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str | None:
        return self.json["error"]["code"]


class Server:
    """``driftline capture sink``."""

    def __init__(self, folder: Path, *options: str, port: int = 0, limits: str = "") -> None:
        self.folder = folder
        command = [sys.executable, "-W", "error", "-m", "driftline", "capture", "sink", str(folder)]
        command += ["--port", str(port), *options]
        if limits:
            command = ["/bin/bash", "-c", f'{limits}; exec "$@"', "bash", *command]
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        assert self.process.stdout is not None
        self.said = self.process.stdout.readline().decode()
        if not self.said:
            raise RuntimeError(self.process.communicate()[1].decode())
        self.address = ("127.0.0.1", int(self.said.partition(",")[0].rpartition(":")[2]))

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate(timeout=30)

    def stop(self) -> tuple[int, str]:
        """End it gracefully; returns its exit status and all that it printed."""
        self.process.send_signal(signal.SIGTERM)
        out, err = self.process.communicate(timeout=30)
        return self.process.returncode, self.said + out.decode() + err.decode()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=30)

    def rss(self) -> int:
        """Return the largest resident set so far, in bytes."""
        with open(f"/proc/{self.process.pid}/status") as status:  # noqa: PTH123
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))

    def post(self, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> Answer:
        return post(self.address, path, body, headers)

    def send(self, path: str, records: Sequence[Any], **headers: str) -> Answer:
        """Post records as JSON Lines."""
        return post(self.address, path, ndjson(records), {**NDJSON, **headers})

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        return exchange(self.address, request("GET", path, b"", headers))


def ndjson(records: Sequence[Any]) -> bytes:
    return b"\n".join(json.dumps(record).encode() for record in records)


def request(method: str, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "host: sink"]
    given = {"content-length": str(len(body)), **(headers or {})} if method == "POST" else dict(headers or {})
    lines += [f"{name}: {value}" for name, value in given.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def post(
    address: tuple[str, int], path: str, body: bytes, headers: Mapping[str, str] | None = None
) -> Answer:
    return exchange(address, request("POST", path, body, headers))


def exchange(address: tuple[str, int], data: bytes, timeout: float = 20.0) -> Answer:
    """Send bytes on a connection of their own and read one answer."""
    with socket.create_connection(address, timeout=timeout) as connection:
        # The answer may come before all was sent.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(data)
        return read_answer(connection)


def read_answer(connection: socket.socket) -> Answer:
    """Read one answer; status 0 where the other side hangs up without one."""
    got = b""
    while b"\r\n\r\n" not in got:
        piece = _received(connection)
        if not piece:
            return Answer(0)
        got += piece
    head, _, body = got.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    length = int(headers.get("content-length", 0))
    while len(body) < length:
        piece = _received(connection)
        if not piece:
            break
        body += piece
    return Answer(int(first.split()[1]), headers, body[:length])


def _received(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except ConnectionResetError:
        return b""


def rec(name: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "time": "2026-11-23T07:00:00Z", "input": {"x": 1}, "output": {"y": 0.5}, **more}


def ids(folder: Path, endpoint: str = "churn") -> list[str]:
    return window(folder, endpoint, *EVER).table()["_event_id"].to_pylist()


def sealed(folder: Path) -> None:
    """Seal whatever lies there, as the next start would."""
    with Captures(folder, seal_in="thread") as captures:
        # What a sink that was stopped or killed had begun to seal goes on in a process of its own.
        wait_for(lambda: captures.recover() and captures.stats().waiting == 0)
        assert captures.stats().balance == 0


def wait_for(met: Any, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < end, "waited in vain"
