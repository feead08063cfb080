"""Post: what the outbox holds reaches every target that works, and one that does not keeps no other."""

from __future__ import annotations

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from loop import site

from driftline.monitor import post as post_module
from driftline.monitor.notify import signature
from driftline.monitor.post import Post, target_of
from driftline.monitor.scheduler import Scheduler, Settings
from driftline.registry import alerts, outbox, targets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from captured import Clock

    from driftline.registry.store import Registry
    from driftline.workspace import Workspace

SECRET = signature.new_secret()
SECOND = 1_000_000


class Receiver:
    """A server that takes what is sent, and answers as it is told."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.raw: list[bytes] = []
        self.status = 200
        self.extra: dict[str, str] = {}
        self.go_on = threading.Event()
        self.go_on.set()
        me = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                me.raw.append(body)
                me.bodies.append(json.loads(body))
                me.headers.append(dict(self.headers))
                me.go_on.wait(20)
                self.send_response(me.status)
                for name, value in me.extra.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                with contextlib.suppress(OSError):
                    self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()
        self.port = self.server.server_address[1]

    def close(self) -> None:
        self.go_on.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Receiver]]:
    monkeypatch.setenv("LOOP_SECRET", SECRET)
    made: list[Receiver] = []

    def start() -> Receiver:
        made.append(Receiver())
        return made[-1]

    yield start
    for one in made:
        one.close()


@pytest.fixture
def registry(ws: Workspace) -> Registry:
    return ws.registry


def declare(registry: Registry, name: str, port: int, events: str = "thing.*") -> None:
    config = {"url": f"http://127.0.0.1:{port}/hook", "secret_env": "LOOP_SECRET", "events": [events]}
    with registry.write("ann") as tx:
        targets.declare(tx, name, kind="webhook", config=config | {"allow_private": True, "allow_http": True})


def emit(registry: Registry, n: int = 1) -> list[str]:
    with registry.write("ann") as tx:
        return [tx.emit("thing.made", f"things/{k}", {"n": k}).id for k in range(n)]


def states(registry: Registry, target: str) -> list[tuple[str, int]]:
    with registry.read() as tx:
        query = (
            "SELECT state, attempts FROM deliveries JOIN events ON events.id = deliveries.event "
            "WHERE target = :name ORDER BY seq"
        )
        return [tuple(row) for row in tx.execute(sa.text(query).bindparams(name=target))]


def post(**limits: Any) -> Post:
    return Post(seed=1, **{"connect_seconds": 2, "total_seconds": 5} | limits)


def test_sent_once_in_order_and_signed(registry: Registry, receiver: Callable[[], Receiver]) -> None:
    hook = receiver()
    declare(registry, "hook", hook.port)
    ids = emit(registry, 3)
    sender = post()
    assert sender.send_due(registry, "p") == 3
    assert sender.send_due(registry, "p") == 0
    assert [body["id"] for body in hook.bodies] == ids
    for headers, body, name in zip(hook.headers, hook.raw, ids, strict=True):
        stamp = {key.lower(): value for key, value in headers.items()}["webhook-timestamp"]
        assert signature.verify(headers, body, [SECRET], float(stamp)) == name
    assert states(registry, "hook") == [("sent", 1)] * 3


def test_tried_again_later_under_the_same_id(
    registry: Registry, receiver: Callable[[], Receiver], clock: Clock
) -> None:
    hook = receiver()
    declare(registry, "hook", hook.port)
    (name,) = emit(registry)
    hook.status = 500
    sender = post()
    assert sender.send_due(registry, "p") == 0
    assert states(registry, "hook") == [("waiting", 1)]
    assert sender.send_due(registry, "p") == 0
    hook.status = 200
    clock.at += 10 * SECOND
    assert sender.send_due(registry, "p") == 1
    assert [body["id"] for body in hook.bodies] == [name, name]
    assert states(registry, "hook") == [("sent", 2)]


def test_a_receiver_says_how_long_to_wait(
    registry: Registry, receiver: Callable[[], Receiver], clock: Clock
) -> None:
    hook = receiver()
    declare(registry, "hook", hook.port)
    emit(registry)
    hook.status, hook.extra = 429, {"Retry-After": "120"}
    sender = post()
    sender.send_due(registry, "p")
    clock.at += 119 * SECOND
    sender.send_due(registry, "p")
    assert len(hook.bodies) == 1
    clock.at += 2 * SECOND
    sender.send_due(registry, "p")
    assert len(hook.bodies) == 2


def test_what_can_never_arrive_is_a_dead_letter_to_be_seen(
    registry: Registry, receiver: Callable[[], Receiver], clock: Clock
) -> None:
    hook = receiver()
    declare(registry, "hook", hook.port)
    (name,) = emit(registry)
    hook.status = 500
    sender = post()
    for _ in range(40):
        sender.send_due(registry, "p")
        clock.at += 3600 * SECOND
    assert states(registry, "hook")[0][0] == "dead"
    with registry.read() as tx:
        (letter,) = targets.dead_letters(tx)
        told = [e for e in outbox.read_events(tx, limit=1000) if e.short == "delivery.dead"]
    assert letter.event.id == name
    assert [e.data["event"] for e in told] == [name]


def test_after_a_failure_the_others_go_back_untried(
    registry: Registry, receiver: Callable[[], Receiver], clock: Clock
) -> None:
    hook = receiver()
    declare(registry, "hook", hook.port)
    emit(registry, 5)
    hook.status = 503
    post().send_due(registry, "p")
    assert len(hook.bodies) == 1
    assert states(registry, "hook") == [("waiting", 1)] + [("waiting", 0)] * 4
    hook.status = 200
    clock.at += 10 * SECOND
    assert post().send_due(registry, "q") == 5


def test_a_target_that_hangs_keeps_no_other_waiting(
    registry: Registry, receiver: Callable[[], Receiver]
) -> None:
    slow, quick = receiver(), receiver()
    slow.go_on.clear()
    declare(registry, "slow", slow.port)
    declare(registry, "quick", quick.port)
    emit(registry, 2)
    sender = post(total_seconds=10)
    done = threading.Event()
    sent = 0
    sender.send_due(registry, "p", wait=False)
    for _ in range(500):
        sent += sender.send_due(registry, "p", wait=False)
        if sent >= 2:
            break
        done.wait(0.01)
    assert sent == 2
    emit(registry)
    for _ in range(500):
        sent += sender.send_due(registry, "p", wait=False)
        if sent >= 3:
            break
        done.wait(0.01)
    assert sent == 3
    assert len(quick.bodies) == 3
    for _ in range(500):  # the slow server may only now get round to reading
        if slow.bodies:
            break
        done.wait(0.01)
    assert len(slow.bodies) == 1
    slow.go_on.set()
    sender.send_due(registry, "p")
    while sender.send_due(registry, "p"):
        pass
    assert [state for state, _ in states(registry, "slow")] == ["sent"] * 3


def test_what_takes_longer_than_its_lease_goes_back(
    registry: Registry, receiver: Callable[[], Receiver], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(post_module, "_LEASE", 0)
    hook = receiver()
    declare(registry, "hook", hook.port)
    emit(registry, 3)
    post().send_due(registry, "p")
    assert hook.bodies == []
    assert states(registry, "hook") == [("waiting", 0)] * 3


def test_a_target_that_is_gone_is_not_tried(registry: Registry, receiver: Callable[[], Receiver]) -> None:
    hook = receiver()
    declare(registry, "hook", hook.port)
    emit(registry)
    with registry.write("ann") as tx:
        tx.execute(sa.text("UPDATE targets SET enabled = 0"))
    assert post().send_due(registry, "p") == 0
    assert hook.bodies == []
    assert states(registry, "hook") == [("dead", 1)]


def test_a_process_that_died_is_followed_by_another(
    registry: Registry, receiver: Callable[[], Receiver]
) -> None:
    hook = receiver()
    declare(registry, "hook", hook.port)
    (name,) = emit(registry)
    with registry.write("dies") as tx:
        assert [d.event.id for d in outbox.claim(tx, "dies", lease=-1)] == [name]
    assert post().send_due(registry, "p") == 1
    assert states(registry, "hook") == [("sent", 2)]


def test_an_alert_reaches_the_hook(ws: Workspace, receiver: Callable[[], Receiver], clock: Clock) -> None:
    hook = receiver()
    declare(ws.registry, "hook", hook.port, "alert.opened")
    site.declare(ws)
    clock.at += 1
    made = Scheduler(ws.registry, ws.place, Settings(threads=1), post=post().send_due)
    assert made.drain().sent == 1
    (body,) = hook.bodies
    assert body["type"] == "io.driftline.alert.opened.v1"
    with ws.registry.read() as tx:
        (alert,) = alerts.list_alerts(tx)
    assert body["subject"] == f"alerts/{alert.id}"
    assert body["data"]["model"] == "churn"
    assert body["data"]["schedule"] == "q"


def test_a_target_as_it_was_declared() -> None:
    made = target_of(
        "hook", "webhook", {"url": "https://example.com/x", "secret_env": "A", "events": ["alert.*"]}
    )
    assert (made.name, made.url, made.events, made.models) == (
        "hook",
        "https://example.com/x",
        ("alert.*",),
        (),
    )
