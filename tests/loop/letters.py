"""Notifications: receivers that fail in every way, and senders that are killed while they send."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import logging
import os
import random
import signal
import socket
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from exam import forks

from driftline.monitor import post as post_module
from driftline.monitor.notify import chat, signature, webhook
from driftline.monitor.post import Post
from driftline.registry import outbox, targets
from loop.race import _size
from loop.verdict import Verdict
from loop.world import Clock, World, engines, worlds

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from exam.verdict import Effort

__all__ = ["letters", "waiting"]

SECRET = signature.new_secret()
VARIABLE = "DRIFTLINE_LOOP_SECRET"
LIMITS = {"connect_seconds": 0.5, "total_seconds": 0.5}
_LEASE_SECONDS = 3
_LOADED = (chat, webhook)


@dataclass
class Receiver:
    """Takes requests in a process of its own, and writes down which it took and what it said.

    Attributes
    ----------
    port : int
    log : Path
        A line for each request that came whole: how it was answered, its id, whether its signature is right.
    """

    port: int
    log: Path
    pid: int

    def lines(self) -> list[list[str]]:
        """Return what was written down."""
        return [line.split() for line in self.log.read_text().splitlines()] if self.log.exists() else []


@contextlib.contextmanager
def receiver(log: Path, ways: tuple[str, ...], seed: int = 0) -> Iterator[Receiver]:
    """Give a receiver that answers each request in one of some ways, at random."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=200)
    port = int(listener.getsockname()[1])
    pid = forks.start(lambda: _serve(listener, log, ways, seed))
    listener.close()
    try:
        yield Receiver(port, log, pid)
    finally:
        forks.kill(pid)


def _serve(listener: socket.socket, log: Path, ways: tuple[str, ...], seed: int) -> None:
    parent, rng = os.getppid(), random.Random(seed)
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()
    out = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_answer, args=(connection, rng.choice(ways), out), daemon=True).start()


def _answer(connection: socket.socket, way: str, out: int) -> None:
    with contextlib.suppress(OSError), connection:
        connection.settimeout(5)
        if way == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            return
        data = b""
        while b"\r\n\r\n" not in data:
            piece = connection.recv(65536)
            if not piece:
                return
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")[1:]
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        while len(body) < int(headers.get("content-length", 0)):
            piece = connection.recv(65536)
            if not piece:
                return
            body += piece
        is_good = _is_signed(headers, body) and json.loads(body)["id"] == headers["webhook-id"]
        os.write(out, f"{way} {headers['webhook-id']} {int(is_good)} {time.monotonic():.6f}\n".encode())
        if way == "hang":
            time.sleep(2)
            return
        if way == "lost":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            return
        said = {"ok": "200 OK", "error": "500 Oh", "busy": "429 Wait\r\nRetry-After: 2"}[way]
        connection.sendall(f"HTTP/1.1 {said}\r\nContent-Length: 0\r\n\r\n".encode())


def _is_signed(headers: dict[str, str], body: bytes) -> bool:
    """Check a signature by the text of the Standard Webhooks, without driftline's own code."""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    mark = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return f"v1,{mark}" in headers["webhook-signature"].split()


def _declare(world: World, **ports: int) -> None:
    with world.open() as registry, registry.write("ann") as tx:
        for name, port in ports.items():
            config = {"url": f"http://127.0.0.1:{port}/hook", "secret_env": VARIABLE, "events": ["thing.*"]}
            config |= {"allow_private": True, "allow_http": True}
            targets.declare(tx, name, kind="webhook", config=config)


def _start_sender(world: World, seed: int) -> int:
    def act() -> None:
        logging.disable(logging.CRITICAL)
        post_module._LEASE = _LEASE_SECONDS * 1_000_000
        registry = world.open()
        post, owner = Post(seed=seed, **LIMITS), f"sender-{os.getpid()}"
        while True:
            if not post.send_due(registry, owner, wait=False):
                time.sleep(0.02)

    return forks.start(act)


def _emit(world: World, n: int) -> dict[str, float]:
    made = {}
    with world.open() as registry:
        for number in range(n):
            with registry.write("ann") as tx:
                event = tx.emit("thing.made", f"things/{number}", {"n": number})
            made[event.id] = time.monotonic()
    return made


def _left(world: World, name: str) -> int:
    with world.open() as registry, registry.read() as tx:
        query = sa.text("SELECT count(*) FROM deliveries WHERE target = :name AND state = 'waiting'")
        return int(tx.execute(query.bindparams(name=name)).scalar_one())


def letters(effort: Effort) -> list[Verdict]:
    """A1, A2: receivers fail at random, senders are killed."""
    verdict = Verdict(
        "A1 A2",
        "every event arrives, signed and under one id; duplicates only where an answer was lost or a sender killed",
        "receivers answer 200, 500, 429 with Retry-After, reset, hang, or take it and lose the answer; 3 senders are "
        "killed; one target never works: its events are dead letters, to be seen",
    )
    os.environ[VARIABLE] = SECRET
    with engines("sqlite", "postgresql") as made:
        for number in effort.each():
            rng = random.Random(effort.seed * 1000 + number)
            n, _ = _size(effort, (5, 0), (60, 0))
            with worlds(made[list(made)[number % 2]]) as world:
                _letters(verdict, world, n, rng)
    return [verdict]


def _letters(verdict: Verdict, world: World, n: int, rng: random.Random) -> None:
    assert isinstance(world.clock, Clock)
    ways = ("ok", "ok", "ok", "error", "busy", "reset", "hang", "lost")
    names = ("one", "two")
    with contextlib.ExitStack() as stack:
        good = {
            name: stack.enter_context(receiver(world.folder / name, ways, rng.randrange(1 << 30)))
            for name in names
        }
        never = stack.enter_context(receiver(world.folder / "never", ("hang", "error", "reset")))
        _declare(world, **{name: one.port for name, one in good.items()}, never=never.port)
        events = set(_emit(world, n))
        pids = [_start_sender(world, k) for k in range(3)]
        kills, end, looked = 0, time.monotonic() + 60 + n, 0.0
        try:
            while time.monotonic() < end:
                world.clock.set(world.clock() + 10_000_000)
                if rng.random() < 0.03:
                    at = rng.randrange(3)
                    forks.kill(pids[at])
                    pids[at] = _start_sender(world, kills)
                    kills += 1
                if time.monotonic() > looked + 0.3:
                    looked = time.monotonic()
                    if not any(_left(world, name) for name in names):
                        break
                time.sleep(0.02)
            # A day later, what never worked is given up.
            world.clock.set(world.clock() + 90_000_000_000)
            end = time.monotonic() + 30 + n
            while time.monotonic() < end and _left(world, "never"):
                time.sleep(0.1)
        finally:
            for pid in pids:
                forks.kill(pid)
        verdict.notes["kills"] += kills
        for name, one in good.items():
            accepted: dict[str, int] = {}
            lost = 0
            for way, event, is_good, _ in one.lines():
                verdict.check(is_good == "1", f"{name}: {event} is not signed, or has another id")
                verdict.notes[way] += 1
                lost += way in ("lost", "hang")
                if way in ("ok", "lost", "hang"):
                    accepted[event] = accepted.get(event, 0) + 1
            for event in events:
                verdict.check(accepted.get(event), f"{name}: {event} never arrived")
            verdict.check(set(accepted) <= events, f"{name}: ids that no event has")
            twice = sum(accepted.values()) - len(accepted)
            verdict.notes["arrived again"] += twice
            verdict.check(
                twice <= kills + lost, f"{name}: {twice} duplicates, {kills} kills, {lost} lost answers"
            )
        with world.open() as registry, registry.read() as tx:
            dead = [letter for letter in targets.dead_letters(tx, limit=1000) if letter.target == "never"]
            told = [e for e in outbox.read_events(tx, limit=100_000) if e.short == "delivery.dead"]
            never_sent = tx.execute(
                sa.text("SELECT count(*) FROM deliveries WHERE target = 'never' AND state = 'sent'")
            ).scalar_one()
        verdict.check(len(dead) == n, f"{len(dead)} dead letters of {n}")
        verdict.check(
            len([e for e in told if e.data["target"] == "never"]) == n,
            f"{len(told)} dead letters told, of {n}",
        )
        verdict.check(not never_sent, "sent to a target that never works")
        verdict.notes["dead letters"] += len(dead)


def waiting(effort: Effort) -> list[Verdict]:
    """A3: targets that hang, beside one that does not."""
    verdict = Verdict(
        "A3",
        "targets that never answer keep no other waiting for more than a second",
        "one sender; three targets hang until the total deadline (2 s) with 40 events waiting each, one answers",
    )
    os.environ[VARIABLE] = SECRET

    def act(world: World) -> Any:
        logging.disable(logging.CRITICAL)
        registry = world.open()
        post = Post(connect_seconds=2, total_seconds=2)
        while True:
            if not post.send_due(registry, "sender", wait=False):
                time.sleep(0.02)

    with engines("sqlite") as made:
        for number in effort.each():
            with worlds(made["sqlite"], clock=None) as world, contextlib.ExitStack() as stack:
                bad = {
                    f"bad{k}": stack.enter_context(receiver(world.folder / f"bad{k}", ("hang",))).port
                    for k in range(3)
                }
                _declare(world, **bad)
                _emit(world, 40)
                good = stack.enter_context(receiver(world.folder / "good", ("ok",), number))
                pid = forks.start(lambda world=world: act(world))
                delays: list[float] = []
                try:
                    time.sleep(0.5)
                    _declare(world, good=good.port)
                    events = {}
                    for _ in range(20):
                        events |= _emit(world, 1)
                        time.sleep(0.1)
                    end = time.monotonic() + 20
                    while time.monotonic() < end and len(good.lines()) < len(events):
                        time.sleep(0.05)
                finally:
                    forks.kill(pid)
                for _, event, _, at in good.lines():
                    delays.append(float(at) - events[event])
                verdict.check(len(delays) == len(events), f"{len(delays)} of {len(events)} arrived")
                for delay in delays:
                    verdict.check(delay <= 1.0, f"an event came {delay:.2f} s late")
                    verdict.most("longest seconds", delay)
    return [verdict]
