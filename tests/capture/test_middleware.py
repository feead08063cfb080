"""The middleware before applications of all sorts, without a server; with one, see test_serving.py."""

from __future__ import annotations

import asyncio
import gzip
import inspect
import json
import logging
import os
import re
import shutil
import threading
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.capture import exchange as exchange_module
from driftline.capture import keeper as keeper_module
from driftline.capture import middleware as middleware_module
from driftline.capture.captures import Captures, Limits
from driftline.capture.exchange import EVENT_ID, Copy, Exchange
from driftline.capture.keeper import Keeper
from driftline.capture.middleware import Middleware, Requests, is_sampled
from driftline.capture.window import window
from driftline.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

    from driftline.capture.event import Event

Message = dict[str, Any]

ASKED = b'{"age": 31, "city": "Bonn"}'
ANSWERED = b'{"score": 0.25}'
JSON = [(b"content-type", b"application/json")]


def start(status: int = 200, headers: Sequence[tuple[bytes, bytes]] = tuple(JSON)) -> Message:
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


def body(data: bytes = b"", *, more: bool = False) -> Message:
    return {"type": "http.response.body", "body": data, "more_body": more}


def answering(*messages: Message, reads: bool = True) -> Any:
    """An application that reads the request and answers so."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        while reads:
            heard = await receive()
            if heard["type"] != "http.request" or not heard.get("more_body", False):
                break
        for message in messages:
            await send(message)

    return app


MODEL = answering(start(), body(ANSWERED))


def asked(
    app: Any,
    chunks: Sequence[bytes] = (ASKED,),
    *,
    headers: Sequence[tuple[bytes, bytes]] = tuple(JSON),
    method: str = "POST",
    path: str = "/predict",
    ends: Message | None = None,
) -> list[Message]:
    """Ask an application and return what it sends."""
    sent: list[Message] = []
    size = (b"content-length", b"%d" % sum(map(len, chunks)))
    scope = {"type": "http", "method": method, "path": path, "headers": [*headers, size]}
    waiting = [
        {"type": "http.request", "body": chunk, "more_body": at < len(chunks) - 1 or ends is not None}
        for at, chunk in enumerate(chunks)
    ]
    if ends is not None:
        waiting.append(ends)

    async def receive() -> Message:
        return waiting.pop(0) if waiting else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    return sent


@pytest.fixture
def captures(tmp_path: Path) -> Iterator[Captures]:
    with Captures(tmp_path / "captures", seal_in="thread", limits=Limits(group_seconds=0.0)) as opened:
        yield opened


def table(captures: Captures) -> pa.Table:
    assert captures.seal()
    stats = captures.stats()
    assert stats.balance == 0
    assert stats.waiting == 0
    return window(captures.archive.target.name, "churn", 0, 1 << 52).table()


def test_both_sides_are_stored(captures: Captures) -> None:
    app = Middleware(MODEL, captures, "churn", model_version="7")
    headers = [*JSON, (b"x-amzn-sagemaker-inference-id", b"r-1")]
    assert asked(app, headers=headers) == [start(), body(ANSWERED)]
    (row,) = table(captures).to_pylist()
    assert (row["age"], row["city"], row["score"]) == (31, "Bonn", 0.25)
    assert (row["_side"], row["_inference_id"], row["_model_version"]) == ("both", "r-1", "7")
    assert row["_time"] == row["_received"]
    assert app.stats == Requests(seen=1, captured=1)
    assert app.stats.waiting == 0


@pytest.mark.parametrize(("sides", "columns"), [("input", ["age", "city"]), ("output", ["score"])])
def test_one_side_is_stored(captures: Captures, sides: Any, columns: list[str]) -> None:
    app = Middleware(MODEL, captures, "churn", sides=sides)
    asked(app)
    found = table(captures)
    assert found.column_names[8:] == columns
    assert found["_side"].to_pylist() == [sides]


def test_facts_come_from_headers(captures: Captures) -> None:
    app = Middleware(
        answering(start(headers=[*JSON, (b"X-Model", b"9")]), body(ANSWERED)),
        captures,
        "churn",
        inference_id=["X-Request-Id"],
        model_version="7",
        model_version_header="x-model",
        attributes={"X-Tenant": "tenant"},
    )
    asked(
        app,
        headers=[
            *JSON,
            (b"x-tenant", b"north"),
            (b"x-request-id", b"abc"),
            (b"x-amzn-sagemaker-custom-attributes", b"trace=1"),
        ],
    )
    (row,) = table(captures).to_pylist()
    assert row["_inference_id"] == "abc"
    assert row["_model_version"] == "9"
    assert dict(row["_attributes"]) == {"tenant": "north", "customAttributes": "trace=1"}


def test_an_inference_id_that_is_too_long_is_none(captures: Captures) -> None:
    """Half of it would join the wrong truth."""
    app = Middleware(MODEL, captures, "churn")
    asked(app, headers=[*JSON, (b"x-inference-id", b"a" * 128)])
    asked(app, headers=[*JSON, (b"x-inference-id", b"a" * 129)])
    assert sorted(table(captures)["_inference_id"].to_pylist(), key=str) == [None, "a" * 128]


def test_the_event_id_is_told_where_asked(captures: Captures) -> None:
    app = Middleware(MODEL, captures, "churn", tell_id=True)
    first, _ = asked(app)
    told = dict(first["headers"])[EVENT_ID].decode()
    assert table(captures)["_event_id"].to_pylist() == [told]
    assert first["headers"][:-1] == JSON


def test_the_application_keeps_its_headers(captures: Captures) -> None:
    mine = start()
    asked(Middleware(answering(mine, body(ANSWERED)), captures, "churn", tell_id=True))
    assert mine == start()


@pytest.mark.parametrize("tell_id", [False, True])
def test_headers_may_be_any_iterable(captures: Captures, tell_id: bool) -> None:
    one = {"type": "http.response.start", "status": 200, "headers": iter(JSON)}
    first, _ = asked(Middleware(answering(one, body(ANSWERED)), captures, "churn", tell_id=tell_id))
    assert list(first["headers"])[:1] == JSON
    assert table(captures)["score"].to_pylist() == [0.25]


@pytest.mark.parametrize(
    ("paths", "path", "is_captured"),
    [
        (None, "/anything", True),
        ("/predict", "/predict", True),
        (["/predict"], "/predict/", False),
        (["/predict"], "/predict\n", False),
        (["/v1/models/*:predict", "/score"], "/v1/models/churn:predict", True),
        (["/v1/models/*:predict", "/score"], "/v1/models/churn", False),
        (["/a.c"], "/abc", False),
        ([], "/predict", False),
    ],
)
def test_paths_choose(captures: Captures, paths: Any, path: str, is_captured: bool) -> None:
    app = Middleware(MODEL, captures, "churn", paths=paths)
    assert asked(app, path=path) == [start(), body(ANSWERED)]
    assert app.stats == (Requests(1, 1) if is_captured else Requests())


def test_methods_choose(captures: Captures) -> None:
    app = Middleware(MODEL, captures, "churn", methods=["put"])
    asked(app, method="POST")
    asked(app, method="PUT")
    assert app.stats == Requests(1, 1)


def test_only_what_succeeded_is_stored_unless_asked(captures: Captures) -> None:
    refused = answering(start(422), body(b'{"detail": "no"}'))
    app = Middleware(refused, captures, "churn", tell_id=True)
    assert asked(app) == [start(422), body(b'{"detail": "no"}')]
    assert app.stats == Requests(1, not_successful=1)
    asked(Middleware(refused, captures, "churn", only_success=False))
    assert table(captures)["detail"].to_pylist() == ["no"]


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_may_have_no_body(captures: Captures, status: int) -> None:
    app = Middleware(answering(start(status, []), body()), captures, "churn", only_success=False)
    assert asked(app) == [start(status, []), body()]
    assert table(captures)["age"].to_pylist() == [31]


# --- sampling -----------------------------------------------------------------------------------------------------------


def test_sampling_takes_its_share(captures: Captures) -> None:
    app = Middleware(MODEL, captures, "churn", sampling=20)
    for _ in range(400):
        asked(app)
    stats = app.stats
    assert stats.seen == 400
    assert stats.captured + stats.sampled_out == 400
    assert 40 <= stats.captured <= 130  # more than five standard deviations
    assert all(is_sampled(name, 20) for name in table(captures)["_event_id"].to_pylist())


def test_what_is_sampled_out_is_not_touched(captures: Captures) -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.extend((receive, send))

    async def receive() -> Message:
        return {}

    async def send(message: Message) -> None:
        return None

    scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
    asyncio.run(Middleware(app, captures, "churn", sampling=0)(scope, receive, send))
    assert seen == [receive, send]


@given(st.uuids(version=4), st.floats(0, 100), st.floats(0, 100))
def test_a_larger_sample_holds_the_smaller(event_id: Any, one: float, other: float) -> None:
    less, more = sorted((one, other))
    assert is_sampled(str(event_id), less) <= is_sampled(str(event_id), more)
    assert is_sampled(str(event_id), 100)
    assert not is_sampled(str(event_id), 0)


# --- bodies -------------------------------------------------------------------------------------------------------------


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=8), st.lists(st.binary(max_size=40), max_size=8))
def test_bodies_pass_through_in_the_same_chunks(question: list[bytes], answer: list[bytes]) -> None:
    heard: list[bytes] = []
    taken: list[Event] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        more = True
        while more:
            message = await receive()
            heard.append(message["body"])
            more = message["more_body"]
        await send(start())
        for chunk in answer:
            await send(body(chunk, more=True))
        await send(body())

    captured = Middleware(app, _Store(taken), "churn", max_body=64)  # type: ignore[arg-type]
    sent = asked(captured, question)
    assert heard == list(question)
    assert sent == [start(), *(body(chunk, more=True) for chunk in answer), body()]
    (event,) = taken
    for side, whole in ((event.input, b"".join(question)), (event.output, b"".join(answer))):
        assert side is not None
        assert side.data == whole[:64]
        assert side.is_truncated == (len(whole) > 64)


class _Store:
    """Takes events and does nothing else."""

    def __init__(self, taken: list[Event]) -> None:
        self.taken = taken
        self.dropped: list[str] = []

    def put(self, events: Sequence[Event]) -> bool:
        self.taken.extend(events)
        return True

    def drop(self, endpoint: str, variant: str, reason: str, n: int = 1) -> None:
        self.dropped += [reason] * n

    def flush(self, timeout: float) -> bool:
        return True


def test_chunks_are_not_held_back(captures: Captures) -> None:
    """Every part of an answer has gone out before the application makes the next."""
    sent: list[Message] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(start())
        assert len(sent) == 1
        for n in range(2, 5):
            await send(body(b"x", more=True))
            assert len(sent) == n
        await send(body())

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
    asyncio.run(Middleware(app, captures, "churn")(scope, receive, send))
    assert len(sent) == 5


def test_a_body_may_be_changed_after_it_was_sent() -> None:
    taken: list[Event] = []
    buffer = bytearray(b'{"score": 1}')

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(start())
        await send(body(memoryview(buffer), more=True))  # type: ignore[arg-type]
        buffer[:] = b"x" * len(buffer)
        await send(body())

    asked(Middleware(app, _Store(taken), "churn"))  # type: ignore[arg-type]
    assert taken[0].output is not None
    assert taken[0].output.data == b'{"score": 1}'


def test_a_body_beyond_the_limit_is_quarantined(captures: Captures) -> None:
    app = Middleware(MODEL, captures, "churn", max_body=16)
    assert asked(app) == [start(), body(ANSWERED)]
    assert captures.seal()
    stats = captures.stats()
    assert (stats.quarantined, stats.balance) == (1, 0)
    asked(Middleware(MODEL, captures, "churn", max_body=len(ASKED)))
    assert table(captures)["age"].to_pylist() == [31]


def test_memory_for_bodies_is_bounded() -> None:
    """Those of more than 64 KiB are held to account together, whatever becomes of them."""
    large = bytes(100_000)
    store = _Store([])
    model = answering(start(), body(large))
    app = Middleware(model, store, "churn", max_held=199_999)  # type: ignore[arg-type]
    assert asked(app, [large]) == [start(), body(large)]
    assert app.stats == Requests(1, dropped={"memory": 1})
    assert store.dropped == ["memory"]
    assert app._held == 0
    app = Middleware(model, store, "churn", max_held=200_000)  # type: ignore[arg-type]
    for _ in range(3):
        asked(app, [large])
        asked(app, [large], method="PUT")
    asked(Middleware(answering(), store, "churn"), [large])  # type: ignore[arg-type]
    assert app.stats == Requests(3, 3)
    assert app._held == 0


@pytest.mark.parametrize("encoding", [b"gzip", b"GZIP ", b"identity"])
def test_compressed_bodies_are_read_when_they_are_sealed(captures: Captures, encoding: bytes) -> None:
    pack = bytes if encoding == b"identity" else gzip.compress
    coded = [*JSON, (b"content-encoding", encoding)]
    app = Middleware(answering(start(200, coded), body(pack(ANSWERED))), captures, "churn")
    asked(app, [pack(ASKED)], headers=coded)
    (row,) = table(captures).to_pylist()
    assert (row["age"], row["score"]) == (31, 0.25)


def test_a_compressed_bomb_is_quarantined(captures: Captures) -> None:
    coded = [*JSON, (b"content-encoding", b"gzip")]
    asked(Middleware(MODEL, captures, "churn"), [gzip.compress(bytes(70 << 20), 1)], headers=coded)
    assert captures.seal()
    assert captures.stats().quarantined == 1


def test_binary_tensors_are_read(captures: Captures) -> None:
    head = json.dumps(
        {
            "inputs": [
                {"name": "x", "shape": [2, 1], "datatype": "INT32", "parameters": {"binary_data_size": 8}}
            ]
        }
    ).encode()
    data = head + (5).to_bytes(4, "little") + (6).to_bytes(4, "little")
    headers = [
        (b"content-type", b"application/octet-stream"),
        (b"inference-header-content-length", b"%d" % len(head)),
    ]
    asked(Middleware(MODEL, captures, "churn"), [data], headers=headers)
    assert table(captures)["x"].to_pylist() == [5, 6]


HOSTILE = [
    b"",
    b"\xff\xfe\x00",
    b'{"a": NaN, "b": 1e999}',
    b"[" * 100_000,
    b'{"a": "\\ud800"}',
    b'{"a": 1, "a": 2}',
    b'{"a": [1, {"b": [2]}]}',
    b"a,b\n1",
    bytes(6 << 20),
]


@pytest.mark.parametrize("payload", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("kind", [b"application/json", b"text/csv", b"\xff;\x00=", b"x" * 100_000])
def test_hostile_payloads_change_nothing(captures: Captures, payload: bytes, kind: bytes) -> None:
    headers = [
        (b"content-type", kind),
        (b"x-inference-id", b"\xff\x00\n"),
        (b"content-encoding", b"\xe4" * 300),
    ]
    app = Middleware(answering(start(200, headers), body(payload)), captures, "churn")
    assert asked(app, [payload], headers=headers) == [start(200, headers), body(payload)]
    assert app.stats == Requests(1, 1)
    assert captures.seal()
    stats = captures.stats()
    assert stats.balance == 0
    assert stats.received == stats.stored + stats.quarantined == 1


# --- what goes wrong in the service -------------------------------------------------------------------------------------


def test_an_answer_that_breaks_off_is_marked() -> None:
    taken: list[Event] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send(start())
        await send(body(b'{"sco', more=True))
        raise RuntimeError("the model broke")

    captured = Middleware(app, _Store(taken), "churn")  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="the model broke"):
        asked(captured)
    assert [(e.output.data, e.output.is_truncated) for e in taken if e.output] == [(b'{"sco', True)]
    assert captured.stats == Requests(1, 1)


def test_the_error_of_a_connection_is_the_servers() -> None:
    """The model has answered; that the caller had gone is no fault of the answer."""
    taken: list[Event] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": ASKED}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            raise OSError("gone")

    scope = {"type": "http", "method": "POST", "path": "/", "headers": JSON}
    app = Middleware(MODEL, _Store(taken), "churn")  # type: ignore[arg-type]
    with pytest.raises(OSError, match="gone"):
        asyncio.run(app(scope, receive, send))
    assert [(e.output.data, e.output.is_truncated) for e in taken if e.output] == [(ANSWERED, False)]


def test_a_cancelled_request_stays_cancelled() -> None:
    taken: list[Event] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(start())
        await send(body(b"1,2\n", more=True))
        await asyncio.Event().wait()

    async def receive() -> Message:
        return {}

    async def send(message: Message) -> None:
        return None

    async def main(middleware: Middleware) -> None:
        scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
        task = asyncio.create_task(middleware(scope, receive, send))
        await asyncio.sleep(0)
        task.cancel()
        await task

    captured = Middleware(app, _Store(taken), "churn")  # type: ignore[arg-type]
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(main(captured))
    assert [e.output.is_truncated for e in taken if e.output] == [True]


def test_no_answer_is_counted() -> None:
    store = _Store([])
    app = Middleware(answering(), store, "churn")  # type: ignore[arg-type]
    assert asked(app, ends={"type": "http.disconnect"}) == []
    assert app.stats == Requests(1, dropped={"no answer": 1})
    assert store.dropped == ["no answer"]


def test_a_question_that_was_not_read_is_marked() -> None:
    taken: list[Event] = []
    app = Middleware(answering(start(), body(ANSWERED), reads=False), _Store(taken), "churn")  # type: ignore[arg-type]
    asked(app, [b""])
    asked(app, [ASKED])
    assert [e.input.is_truncated for e in taken if e.input] == [False, True]


@pytest.mark.parametrize("kind", ["http.response.pathsend", "http.response.zerocopysend"])
def test_answers_from_files_pass(kind: str) -> None:
    store = _Store([])
    file = {"type": kind, "path": "/tmp/x", "file": 3}
    sent = [start(), file]
    assert asked(Middleware(answering(*sent), store, "churn"), []) == sent  # type: ignore[arg-type]
    assert store.dropped == ["sent from a file"]
    app = Middleware(answering(*sent), store, "churn", sides="input")  # type: ignore[arg-type]
    assert asked(app) == sent
    assert app.stats == Requests(1, 1)
    assert len(store.taken) == 1


def test_trailers_and_unknown_messages_pass(captures: Captures) -> None:
    hints = {"type": "http.response.early_hint", "links": []}
    trailers = {"type": "http.response.trailers", "headers": [(b"x", b"y")]}
    sent = [hints, {**start(), "trailers": True}, body(ANSWERED), trailers]
    assert asked(Middleware(answering(*sent), captures, "churn")) == sent
    assert table(captures)["score"].to_pylist() == [0.25]


@pytest.mark.parametrize("kind", ["websocket", "something.else"])
def test_other_connections_pass_untouched(captures: Captures, kind: str) -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.extend((scope, receive, send))

    scope = {"type": kind, "path": "/ws"}
    captured = Middleware(app, captures, "churn")
    asyncio.run(captured(scope, len, print))  # type: ignore[arg-type]
    assert seen == [scope, len, print]
    assert captured.stats == Requests()


# --- what goes wrong in capture -----------------------------------------------------------------------------------------


def _inner() -> list[tuple[Any, str]]:
    """Every call that capture makes while a request is served."""
    calls: list[tuple[Any, str]] = [
        (Middleware, name) for name in ("_begin", "hold", "free", "take", "leave", "_count", "_drop", "_lose")
    ]
    calls += [
        (Exchange, n) for n in ("__init__", "end", "release", "_finish", "_said", "_keep", "_keep_large")
    ]
    calls = [call for call in calls if call not in ((Exchange, "end"), (Exchange, "_finish"))]
    calls += [(Copy, "__init__"), (Copy, "payload")]
    calls += [(Keeper, name) for name in ("begin", "put", "drop", "close", "_begin", "_queue")]
    calls += [(Keeper, name) for name in ("_opened", "_settle", "_put_late")]
    calls += [(Captures, name) for name in ("put", "_put", "drop", "flush", "_drop")]
    calls += [
        (exchange_module, "now"),
        (exchange_module, "new_id"),
        (exchange_module, "Event"),
        (exchange_module, "Payload"),
        (exchange_module, "_has_body"),
        (middleware_module, "event_of"),
        (middleware_module, "is_sampled"),
        (middleware_module, "Exchange"),
        (keeper_module.threading, "Thread"),
    ]
    return calls


@pytest.mark.parametrize("error", [RuntimeError("broken"), MemoryError(), RecursionError()], ids=type)
@pytest.mark.parametrize(("owner", "name"), _inner(), ids=lambda value: getattr(value, "__name__", value))
@pytest.mark.parametrize("is_given", [True, False])
def test_no_fault_of_capture_reaches_a_request(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    owner: Any,
    name: str,
    error: Exception,
    is_given: bool,
) -> None:
    captures = Captures(tmp_path, seal_in="thread") if is_given else None
    app = Middleware(MODEL, captures or tmp_path, "churn", sampling=99.999999, tell_id=True)
    unsuccessful = Middleware(answering(start(500), body(b"x")), captures or tmp_path, "churn")

    def broken(*_: Any, **__: Any) -> Any:
        raise error

    with monkeypatch.context() as patch, caplog.at_level(logging.CRITICAL + 1):
        patch.setattr(owner, name, broken)
        for _ in range(2):
            assert asked(app)[1:] == [body(ANSWERED)]
            assert asked(unsuccessful) == [start(500), body(b"x")]
        lifespan(app)
        lifespan(unsuccessful)
    if captures is not None:
        assert captures.close()


def test_the_calls_that_are_broken_are_all_there_are() -> None:
    """The outermost guards themselves are left out: what counts a fault, and what calls it."""
    outer = {"__call__", "_lifespan", "aclose", "fail", "stats", "_fresh", "__init__"}
    broken = {(owner.__name__, name) for owner, name in _inner() if inspect.isclass(owner)}
    for owner, besides in (
        (Middleware, outer),
        (Exchange, {"receive", "send", "end", "_finish"}),
        (Keeper, {"_fresh", "__init__", "_open"}),
    ):
        there = {name for name, value in vars(owner).items() if inspect.isfunction(value)}
        assert {(owner.__name__, name) for name in there - besides} <= broken


def test_faults_are_counted_and_told_once_a_minute(
    captures: Captures, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock = 1000.0
    monkeypatch.setattr(middleware_module.time, "monotonic", lambda: clock)

    def broken(*_: Any) -> Any:
        raise RuntimeError("broken")

    monkeypatch.setattr(middleware_module, "event_of", broken)
    app = Middleware(MODEL, captures, "churn")
    for _ in range(50):
        asked(app)
    assert app.stats == Requests(50, dropped={"error": 50}, errors=50)
    assert [record.getMessage() for record in caplog.records] == [
        "capture of churn failed: RuntimeError: broken"
    ]
    clock += 60.0
    asked(app)
    assert len(caplog.records) == 2
    assert app._held == 0
    assert captures.stats().dropped == {"error": 51}


def test_a_log_that_raises_is_no_fault_either(captures: Captures, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("broken")

    monkeypatch.setattr(middleware_module, "event_of", broken)
    monkeypatch.setattr(middleware_module._LOG, "warning", broken)
    assert asked(Middleware(MODEL, captures, "churn")) == [start(), body(ANSWERED)]


def test_what_has_no_room_is_counted(tmp_path: Path) -> None:
    with Captures(tmp_path, seal_in="thread", limits=Limits(disk_bytes=100)) as captures:
        app = Middleware(MODEL, captures, "churn")
        asked(app)
        assert captures.seal()
        for _ in range(2):
            assert asked(app) == [start(), body(ANSWERED)]
        assert app.stats == Requests(3, 1, dropped={"no room": 2})
        stats = captures.stats()
        assert (stats.stored, stats.dropped, stats.balance) == (1, {"disk budget": 2}, 0)


# --- what goes wrong with the place -------------------------------------------------------------------------------------


def _remove(root: Path) -> None:
    shutil.rmtree(root)


def _replace_by_file(root: Path) -> None:
    shutil.rmtree(root)
    root.write_text("no folder")


def _replace_by_dead_link(root: Path) -> None:
    shutil.rmtree(root)
    root.symlink_to(root.parent / "nowhere" / "at all")


def _move_away_for_a_link(root: Path) -> None:
    root.rename(root.parent / "moved")
    (root.parent / "other").mkdir()
    root.symlink_to(root.parent / "other")


def _remove_the_log(root: Path) -> None:
    for path in (root / ".driftline" / "log").iterdir():
        path.unlink()


def _block_the_log(root: Path) -> None:
    shutil.rmtree(root / ".driftline" / "log")
    (root / ".driftline" / "log").write_text("no folder")


PLACES = [
    _remove,
    _replace_by_file,
    _replace_by_dead_link,
    _move_away_for_a_link,
    _remove_the_log,
    _block_the_log,
]


def _repair(root: Path) -> None:
    for path in (root, root / ".driftline" / "log"):
        if path.is_symlink() or path.is_file():
            path.unlink()


@pytest.mark.parametrize("harm", PLACES)
@pytest.mark.parametrize("is_repaired", [False, True])
def test_harm_to_the_place_is_counted_and_mended(
    tmp_path: Path, harm: Callable[[Path], None], is_repaired: bool
) -> None:
    """What was in the place is gone with it; what comes afterwards is kept or counted, and no request notices."""
    root = tmp_path / "captures"
    captures = Captures(root, seal_in="thread", limits=Limits(group_seconds=0.0))
    app = Middleware(MODEL, captures, "churn")
    asked(app)
    assert captures.flush()
    harm(root)
    for _ in range(3):
        assert asked(app) == [start(), body(ANSWERED)]
        captures.flush()
    if is_repaired:
        _repair(root)
    for _ in range(5):
        assert asked(app) == [start(), body(ANSWERED)]
        captures.flush()
    assert app.stats == Requests(9, 9)
    captures.close()
    _repair(root)
    with Captures(root, seal_in="thread", limits=Limits(group_seconds=0.0)) as again:
        assert again.seal()
        stats = again.stats()
    assert stats.balance == 0
    assert set(stats.dropped) <= {"disk"}
    if is_repaired:
        assert stats.stored >= 5
        # What went to the place that the link led to is not here.
        assert stats.received == (5 if harm is _move_away_for_a_link else 8)


def test_a_burst_is_bounded_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk stands still: what waits for it stays within its limit, and the rest is counted."""
    from driftline.capture import wal

    stands, goes_on = threading.Event(), threading.Event()
    sync = os.fdatasync

    def slow(descriptor: int) -> None:
        stands.set()
        goes_on.wait(60)
        sync(descriptor)

    limits = Limits(waiting_bytes=20_000, group_seconds=0.0)
    with Captures(tmp_path, seal_in="thread", limits=limits) as captures:
        monkeypatch.setattr(wal.os, "fdatasync", slow)
        app = Middleware(MODEL, captures, "churn")
        asked(app)
        assert stands.wait(60)
        for _ in range(500):
            assert asked(app) == [start(), body(ANSWERED)]
            assert captures._log.waiting <= 20_000
        stats = app.stats
        goes_on.set()
        assert stats.seen == 501
        assert stats.dropped["no room"] == 501 - stats.captured > 300
        assert table(captures).num_rows == stats.captured
        assert captures.stats().dropped == {"overload": stats.dropped["no room"]}


# --- start and end ------------------------------------------------------------------------------------------------------


def lifespan(app: Any, kinds: Sequence[str] = ("startup", "shutdown")) -> list[str]:
    """Start an application and shut it down."""
    told: list[str] = []
    waiting = [{"type": f"lifespan.{kind}"} for kind in kinds]

    async def receive() -> Message:
        return waiting.pop(0)

    async def send(message: Message) -> None:
        told.append(message["type"])

    asyncio.run(app({"type": "lifespan"}, receive, send))
    return told


async def living(scope: Any, receive: Any, send: Any) -> None:
    """An application that has a start and an end."""
    if scope["type"] != "lifespan":
        await MODEL(scope, receive, send)
        return
    for kind in ("startup", "shutdown"):
        assert (await receive())["type"] == f"lifespan.{kind}"
        await send({"type": f"lifespan.{kind}.complete"})


def test_a_path_is_opened_when_the_service_starts(tmp_path: Path) -> None:
    root = tmp_path / "captures"
    app = Middleware(living, root, "churn", seal_in="thread")
    assert not root.exists()
    waiting = ["startup", "request", "shutdown"]
    told: list[str] = []

    async def receive() -> Message:
        kind = waiting.pop(0)
        if kind == "request":
            assert app._keeper._captures is not None
            await asyncio.to_thread(asked, app)
            kind = waiting.pop(0)
        return {"type": f"lifespan.{kind}"}

    async def send(message: Message) -> None:
        told.append(message["type"])

    asyncio.run(app({"type": "lifespan"}, receive, send))
    assert told == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    # The end has sealed it, so that it is there to be read.
    assert window(root, "churn", 0, 1 << 52).table()["age"].to_pylist() == [31]


def test_a_service_without_start_and_end_captures_too(tmp_path: Path) -> None:
    app = Middleware(MODEL, tmp_path, "churn")
    asked(app)
    asyncio.run(app.aclose())
    assert app.stats == Requests(1, 1)
    with Captures(tmp_path, seal_in="thread") as captures:
        assert captures.recover()
        assert captures.stats().stored == 1


def test_a_store_that_was_given_is_not_closed(captures: Captures) -> None:
    lifespan(Middleware(living, captures, "churn"))
    asked(Middleware(MODEL, captures, "churn"))
    assert table(captures).num_rows == 1


def test_a_store_that_cannot_be_opened_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    root = tmp_path / "captures"
    root.write_text("a file")
    app = Middleware(living, root, "churn", seal_in="thread")

    def ask() -> None:
        assert asked(app) == [start(), body(ANSWERED)]
        opening = app._keeper._opening
        if opening is not None:
            opening.join()

    ask()
    ask()
    assert app.stats == Requests(2, dropped={"no store": 2})
    assert len(caplog.records) == 1
    assert "captures cannot be kept for now: E-WRITE" in caplog.records[0].getMessage()
    root.unlink()
    ask()  # not so soon
    monkeypatch.setattr(keeper_module, "_AGAIN", 0.0)
    ask()
    ask()
    assert app.stats == Requests(5, 2, dropped={"no store": 3})
    asyncio.run(app.aclose())
    with Captures(root, seal_in="thread") as captures:
        stats = captures.stats()
    assert (stats.stored, stats.dropped, stats.balance) == (2, {"no store": 3}, 0)


def test_what_arrives_while_the_store_opens_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper_module, "_MOST_WAITING", 3)
    app = Middleware(MODEL, tmp_path, "churn", seal_in="thread")
    keeper = app._keeper
    opened = keeper._open
    monkeypatch.setattr(keeper, "_open", lambda: None)
    for _ in range(5):
        asked(app)
    assert app.stats == Requests(5, 3, dropped={"no store": 2})
    opened()
    asked(app)
    keeper.close()
    with Captures(tmp_path, seal_in="thread") as captures:
        stats = captures.stats()
    assert (stats.stored, stats.dropped, stats.balance) == (4, {"no store": 2}, 0)


# --- arguments ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"endpoint": "../x"}, "E-NAME"),
        ({"variant": ""}, "E-NAME"),
        ({"sampling": 101}, "no percentage"),
        ({"sampling": float("nan")}, "no percentage"),
        ({"sides": "neither"}, "give 'both', 'input' or 'output'"),
        ({"max_body": 0}, "max_body is 0"),
        ({"max_body": 1 << 30}, "max_body is"),
        ({"methods": "POST"}, "are lists"),
        ({"attributes": "X-A"}, "are lists"),
    ],
)
def test_arguments_that_cannot_be_are_refused_at_the_start(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        Middleware(MODEL, "captures", **{"endpoint": "churn", **options})


def test_importing_is_quick() -> None:
    import subprocess
    import sys

    program = "import sys, driftline as dl; dl.capture.Middleware; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()).isdisjoint({"numpy", "pyarrow", "pandas", "sqlite3", "duckdb"})
