"""The middleware in a real server: FastAPI behind uvicorn, asked over sockets, killed, stopped and forked."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from driftline.capture.captures import Captures
from driftline.capture.window import window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

JSON = {"content-type": "application/json"}

SERVICE = """
import asyncio, os
from fastapi import FastAPI, Request, Response, WebSocket
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
import driftline as dl

class Customer(BaseModel):
    id: str
    age: int

plain = FastAPI()

@plain.post("/predict")
def predict(customer: Customer, response: Response):
    response.headers["x-worker"] = str(os.getpid())
    return {"score": customer.age / 100}

@plain.post("/echo")
async def echo(request: Request):
    heard = [chunk async for chunk in request.stream()]
    async def chunks():
        for chunk in heard:
            yield chunk
    return StreamingResponse(chunks(), media_type="application/json")

@plain.post("/endless")
async def endless():
    async def chunks():
        while True:
            yield b"x" * 1000
            await asyncio.sleep(0.001)
    return StreamingResponse(chunks(), media_type="text/plain")

@plain.api_route("/status/{code}", methods=["POST", "HEAD", "GET"])
def status(code: int):
    return Response(None if code in (204, 304) else b'{"a": 1}', code, media_type="application/json")

@plain.websocket("/ws")
async def ws(socket: WebSocket):
    await socket.accept()
    await socket.send_text((await socket.receive_text())[::-1])
    await socket.close()

app = dl.capture.Middleware(plain, os.environ["CAPTURES"], "churn", methods=["POST", "HEAD", "GET"], only_success=False)
"""


class Server:
    """uvicorn in a process of its own."""

    def __init__(self, folder: Path, name: str = "app", *options: str, program: str | None = None) -> None:
        (folder / "service.py").write_text(SERVICE)
        if program is not None:
            (folder / "program.py").write_text(program)
        self.root = folder / "captures"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = free.getsockname()
        port = str(self.address[1])
        words = ["-m", "uvicorn", f"service:{name}", "--port", port, "--log-level", "warning", *options]
        self.errors = folder / f"{name}.err"
        with self.errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, *(words if program is None else ["program.py", port])],
                cwd=folder,
                env={**os.environ, "CAPTURES": str(self.root)},
                stdout=errors,
                stderr=errors,
            )

    def __enter__(self) -> Server:
        self.ask(b'{"id": "first", "age": 1}')
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()

    @contextlib.contextmanager
    def connected(self, seconds: float = 60.0) -> Iterator[http.client.HTTPConnection]:
        """Connect, when it listens."""
        end = time.monotonic() + seconds
        connection = http.client.HTTPConnection(*self.address, timeout=60)
        while True:
            try:
                connection.connect()
                break
            except OSError:
                assert self.process.poll() is None, self.errors.read_text()
                assert time.monotonic() < end
                threading.Event().wait(0.02)
        try:
            yield connection
        finally:
            connection.close()

    def ask(self, body: bytes, path: str = "/predict") -> tuple[int, bytes]:
        with self.connected() as connection:
            connection.request("POST", path, body, {"content-type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read()

    def stop(self, how: signal.Signals = signal.SIGTERM) -> float:
        """Stop it and return how many seconds that took."""
        began = time.monotonic()
        self.process.send_signal(how)
        self.process.wait(60)
        return time.monotonic() - began


def customer(name: str) -> bytes:
    return json.dumps({"id": name, "age": 31}).encode()


def stored(root: Path) -> list[str]:
    """Recover a store, hold it to account, and return the ids that customers have in it."""
    with Captures(root, seal_in="thread") as captures:
        assert captures.seal()
        stats = captures.stats()
        assert captures.failures == ()
        assert stats.balance == 0
        assert (stats.waiting, stats.damaged_records) == (0, 0)
    found = window(root, "churn", 0, 1 << 52).table(["id", "_event_id"])
    events = found["_event_id"].to_pylist()
    assert len(set(events)) == len(events) == stats.stored
    return sorted(name for name in found["id"].to_pylist() if name is not None)


# --- nothing changes ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Server]]:
    """The same service without and with capture."""
    folder = tmp_path_factory.mktemp("served")
    with Server(folder, "plain") as plain, Server(folder, "app") as captured:
        yield plain, captured


HEAD = b"HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n"


def _chunked(*chunks: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))


REQUESTS = {
    "json": b"POST /predict " + HEAD + b"content-length: 25\r\n\r\n" + b'{"id": "none", "age": 31}',
    "wrong": b"POST /predict " + HEAD + b"content-length: 2\r\n\r\n{}",
    "chunked": b"POST /echo "
    + HEAD
    + b"transfer-encoding: chunked\r\n\r\n"
    + _chunked(b'{"a"', b": 1", b"}"),
    "large": b"POST /echo " + HEAD + b"content-length: 8000000\r\n\r\n" + b"y" * 8_000_000,
    "empty": b"POST /echo " + HEAD + b"content-length: 0\r\n\r\n",
    "expecting": b"POST /echo " + HEAD + b"expect: 100-continue\r\ncontent-length: 2\r\n\r\n{}",
    "204": b"POST /status/204 " + HEAD + b"content-length: 0\r\n\r\n",
    "304": b"GET /status/304 " + HEAD + b"\r\n",
    "HEAD": b"HEAD /status/200 " + HEAD + b"\r\n",
    "missing": b"POST /nothing " + HEAD + b"content-length: 0\r\n\r\n",
    "hostile": b"POST /predict " + HEAD + b"x-inference-id: \xff\x01\r\ncontent-length: 3\r\n\r\n\xff\x00{",
    "no http": b"\x16\x03\x01 hello\r\n\r\n",
}


def raw(server: Server, request: bytes) -> bytes:
    """Send bytes and return all that come back, without what tells time and process."""
    with socket.create_connection(server.address, timeout=20) as connection:
        connection.sendall(request)
        answer = b"".join(iter(lambda: connection.recv(1 << 20), b""))
    return re.sub(rb"(?m)^(date|x-worker): .*\r\n", b"", answer)


def whole(answer: bytes) -> bytes:
    """Return a chunked answer with its body in one piece."""
    head, _, rest = answer.partition(b"\r\n\r\n")
    assert b"transfer-encoding: chunked" in head
    body = b""
    while size := int(rest.partition(b"\r\n")[0], 16):
        rest = rest.partition(b"\r\n")[2]
        body, rest = body + rest[:size], rest[size:].removeprefix(b"\r\n")
    assert rest == b"0\r\n\r\n"
    return head + b"\r\n\r\n" + body


@pytest.mark.parametrize("name", REQUESTS)
def test_answers_are_the_same_byte_for_byte(both: tuple[Server, Server], name: str) -> None:
    plain, captured = (raw(server, REQUESTS[name]) for server in both)
    if name == "large":
        # What is echoed comes in the pieces in which it arrived, and these are up to the network.
        plain, captured = whole(plain), whole(captured)
    assert captured == plain
    assert captured.startswith(b"HTTP/1.1 ")


def test_websockets_pass(both: tuple[Server, Server]) -> None:
    from websockets.sync.client import connect

    host, port = both[1].address
    with connect(f"ws://{host}:{port}/ws") as opened:
        opened.send("driftline")
        assert opened.recv() == "eniltfird"


def test_a_caller_who_leaves_changes_nothing_for_others(both: tuple[Server, Server]) -> None:
    server = both[1]
    for n in range(20):
        with socket.create_connection(server.address, timeout=60) as connection:
            connection.sendall(b"POST /endless " + HEAD + b"content-length: 0\r\n\r\n")
            assert connection.recv(1000)
        with socket.create_connection(server.address, timeout=60) as connection:
            connection.sendall(b"POST /echo " + HEAD + b"content-length: 100\r\n\r\n" + b"x" * (n + 1))
    assert server.ask(customer("after"))[0] == 200


def test_what_was_asked_is_what_is_stored(both: tuple[Server, Server]) -> None:
    """After all of the above: the last test of this server."""
    server = both[1]
    assert server.ask(customer("last"))[0] == 200
    server.stop()
    assert stored(server.root).count("last") == 1
    assert "capture of churn failed" not in server.errors.read_text()


# --- ends ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_server_that_is_stopped_loses_nothing(tmp_path: Path, how: signal.Signals) -> None:
    names = [f"c{n:03d}" for n in range(100)]
    with Server(tmp_path) as server:
        with server.connected() as connection:
            for name in names:
                connection.request("POST", "/predict", customer(name), JSON)
                assert connection.getresponse().read() == b'{"score":0.31}'
        assert server.stop(how) < 15.0
    assert stored(tmp_path / "captures") == [*names, "first"]


ENDS = {
    "sys.exit": "sys.exit(3)",
    "an exception": "raise ValueError('over')",
    "a closed loop": "loop.close(); sys.exit(0)",
}


@pytest.mark.parametrize("end", ENDS)
def test_a_program_that_ends_loses_nothing(tmp_path: Path, end: str) -> None:
    program = f"""
import asyncio, sys
import driftline as dl

async def model(scope, receive, send):
    await receive()
    await send({{"type": "http.response.start", "status": 200, "headers": []}})
    await send({{"type": "http.response.body", "body": b'{{"score": 1}}'}})

async def receive():
    return {{"type": "http.request", "body": b'{{"id": "x"}}'}}

async def send(message):
    pass

app = dl.capture.Middleware(model, sys.argv[1], "churn")
loop = asyncio.new_event_loop()
scope = {{"type": "http", "method": "POST", "path": "/", "headers": [(b"content-type", b"application/json")]}}
for _ in range(50):
    loop.run_until_complete(app(scope, receive, send))
{ENDS[end]}
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore::ResourceWarning", "-c", program, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == {"sys.exit": 3, "an exception": 1, "a closed loop": 0}[end], done.stderr
    assert stored(tmp_path) == ["x"] * 50


def _load(server: Server, names: list[str]) -> dict[str, str]:
    """Ask for all customers, a connection each, and return which process answered whom; what fails is left out."""

    def ask(name: str) -> tuple[str, str] | None:
        try:
            with server.connected() as connection:
                connection.request("POST", "/predict", customer(name), JSON)
                answer = connection.getresponse()
                answer.read()
                return (name, answer.headers["x-worker"]) if answer.status == 200 else None
        except (OSError, http.client.HTTPException):
            return None

    with ThreadPoolExecutor(8) as pool:
        return dict(found for found in pool.map(ask, names) if found is not None)


def _until(is_so: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end
        threading.Event().wait(0.05)


def _received(root: Path) -> int:
    with Captures(root, seal_in="thread") as captures:
        return captures.stats().received


def _check_workers(tmp_path: Path, n: int) -> None:
    names = [f"c{i:05d}" for i in range(n)]
    with Server(tmp_path, "app", "--workers", "4") as server:
        answered = _load(server, names)
        assert sorted(answered) == names
        # All are on the disk now, so that nothing may be lost.
        _until(lambda: _received(server.root) == n + 1)
        for worker in sorted(set(answered.values()))[:2]:
            os.kill(int(worker), signal.SIGKILL)
        later = _load(server, [f"d{i:05d}" for i in range(n)])
        assert server.ask(customer("end"))[0] == 200
        server.stop()
    found = stored(server.root)
    assert set(found) == {*names, *later, "first", "end"} | {name for name in found if name[0] == "d"}
    assert len(set(found)) == len(found)


def test_workers_that_are_killed_lose_nothing_that_was_on_the_disk(tmp_path: Path) -> None:
    _check_workers(tmp_path, 60)


@pytest.mark.exam
@pytest.mark.parametrize("attempt", range(10))
def test_workers_are_killed_again_and_again(tmp_path: Path, attempt: int) -> None:
    _check_workers(tmp_path, 1000)


FORKING = """
import os, signal, socket, sys
import uvicorn
import driftline as dl
import service
from driftline.capture.event import Event, Payload, now

captures = dl.capture.Captures(os.environ["CAPTURES"])
side = Payload("application/json", b'{"id": "parent"}')
captures.write([Event("p", "churn", "AllTraffic", now(), None, side, side)])
app = dl.capture.Middleware(service.plain, captures, "churn")
listening = socket.create_server(("127.0.0.1", int(sys.argv[1])))
children = []
for _ in range(2):
    child = os.fork()
    if not child:
        uvicorn.Server(uvicorn.Config(app, log_level="warning")).run([listening])
        os._exit(0) if "hard" in sys.argv else sys.exit(0)
    children.append(child)

def stop(*_):
    for child in children:
        os.kill(child, signal.SIGTERM)

signal.signal(signal.SIGTERM, stop)
for child in children:
    os.waitpid(child, 0)
captures.close()
"""


def test_a_server_may_fork_with_an_open_store(tmp_path: Path) -> None:
    """The parent has a thread that writes and a file that is locked; the children begin anew."""
    names = [f"c{n:03d}" for n in range(80)]
    with Server(tmp_path, program=FORKING) as server:
        answered = _load(server, names)
        assert sorted(answered) == names
        server.stop()
        assert server.process.returncode == 0, server.errors.read_text()
    assert stored(tmp_path / "captures") == sorted([*names, "first", "parent"])


# --- faults of the place ------------------------------------------------------------------------------------------------

LIMITED = """
import asyncio, errno, json, os, resource, signal, sys
import driftline as dl
from driftline.capture.captures import Captures, Limits

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

async def model(scope, receive, send):
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b'{"score": 1}'})

async def receive():
    return {"type": "http.request", "body": json.dumps({"id": "x" * 1000}).encode()}

answers = 0

async def send(message):
    global answers
    answers += message["type"] == "http.response.body"

captures = Captures(sys.argv[1], seal_in="thread", limits=Limits(group_seconds=0.0))
app = dl.capture.Middleware(model, captures, "churn")
scope = {"type": "http", "method": "POST", "path": "/", "headers": [(b"content-type", b"application/json")]}

def ask(n):
    for _ in range(n):
        asyncio.run(app(scope, receive, send))
        captures.flush()

ask(10)
what = getattr(resource, sys.argv[2])
before = resource.getrlimit(what)
extra = [os.dup(0) for _ in range(5)] if what == resource.RLIMIT_NOFILE else []
if what == resource.RLIMIT_NOFILE:
    loop = asyncio.new_event_loop()
    captures._log.rotate()  # the next event needs a new file
    resource.setrlimit(what, (max(map(int, os.listdir("/proc/self/fd"))), before[1]))
    for _ in range(10):
        loop.run_until_complete(app(scope, receive, send))
        captures.flush()
else:
    resource.setrlimit(what, (512, before[1]))
    ask(10)
resource.setrlimit(what, before)
ask(10)
captures.close()
with Captures(sys.argv[1], seal_in="thread") as again:
    assert again.seal(), again.failures
    stats = again.stats()
print(json.dumps([answers, app.stats.captured, app.stats.errors, stats.stored, stats.dropped, stats.balance]))
"""


@pytest.mark.parametrize("limit", ["RLIMIT_FSIZE", "RLIMIT_NOFILE"])
def test_a_place_without_room_is_counted_and_recovers(tmp_path: Path, limit: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path / "captures"), limit],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    answers, captured, errors, kept, dropped, balance = json.loads(done.stdout)
    assert (answers, captured, errors, balance) == (30, 30, 0, 0)
    assert set(dropped) == {"disk"}
    assert kept + dropped["disk"] == 30
    assert kept >= 20
