"""The sink: an ASGI application that takes captured traffic by HTTP and answers when it is on the disk.

======================================================  ==============================================================
``POST /v1/capture[/{endpoint}[/{variant}]]``           records of any protocol, see :mod:`driftline.capture.messages`
``POST /v1/truth/{endpoint}``                           labels, where the sink was given a way to store them
``GET /v1/stats[/{endpoint}]``                          what became of the events
``GET /metrics``                                        the same for Prometheus
``GET /healthz``                                        that it runs
======================================================  ==============================================================

It is plain ASGI: a request costs a tenth of a millisecond less than through a framework, and there is nothing here to
validate or to document that the messages do not do already.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import logging
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from driftline.capture.event import DEFAULT_VARIANT, check_name
from driftline.capture.messages import Message, Taken, events_of
from driftline.capture.metrics import Metrics
from driftline.capture.request import AnswerError, GoneError, Room, busy, headers_of, read_body
from driftline.capture.tokens import ALL, Tokens
from driftline.errors import DriftlineError, InputError, UsageError, printable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping, MutableMapping

    from driftline.capture.captures import Captures
    from driftline.capture.event import Event

    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
    Labels = Callable[[Message], Mapping[str, Any]]

__all__ = ["MOST_BYTES", "Sink", "sink"]

MOST_BYTES = 32 << 20
"""Largest `max_body`: a record of the log must stay well within 64 MiB."""

_TURN = 256
"""Records after which other requests have their turn."""

_AT_ONCE = 1024
"""Events that are handed to the log together."""

_log = logging.getLogger(__name__)

_STATUS = {
    "E-CHARSET": 415,
    "E-FORBIDDEN": 403,
    "E-QUOTA": 403,
    "E-RECORDS": 413,
    "E-TYPE": 415,
}
_JSON = (b"content-type", b"application/json")
_TEXT = (b"content-type", b"text/plain; version=0.0.4; charset=utf-8")
_ALWAYS = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))
_DRAINED = 4 << 20
"""Bytes of a refused body that are read and thrown away, so that the client sees why."""


def sink(captures: Captures, **options: Any) -> Sink:
    """Return the application; see :class:`Sink` for the options."""
    return Sink(captures, **options)


class Sink:
    """An ASGI application that stores what it is sent.

    Parameters
    ----------
    captures : Captures
    tokens : Tokens or mapping of str to collection of str, optional
        Endpoints that each token may write to, ``"*"`` for all. Without tokens everybody may write everywhere: only for a
        loopback interface.
    labels : callable, optional
        Stores the labels of a message to ``POST /v1/truth/{endpoint}``, in a thread, once the sender is known. They are
        durable when it returns what is answered; it raises a :class:`~driftline.errors.DriftlineError` otherwise.
    max_body : int
        Most bytes of a request, compressed or not, up to :data:`MOST_BYTES`.
    max_records : int
        Most records of a request.
    max_endpoints : int
        Most endpoints and variants, those that are stored already included; what would be one more is refused.
    max_waiting : int
        Most bytes of bodies in memory.
    max_requests : int
        Most requests at one time.
    max_delay : float
        Seconds of work that may lie before a request that comes in; more is overload, and is answered with 503.
    body_seconds, store_seconds : float
        Most time for a body to arrive, and for the disk to take the events.

    Raises
    ------
    UsageError
        ``E-LIMIT``, ``E-TOKEN``.
    """

    def __init__(
        self,
        captures: Captures,
        *,
        tokens: Tokens | Mapping[str, Collection[str]] | None = None,
        labels: Labels | None = None,
        max_body: int = 16 << 20,
        max_records: int = 10_000,
        max_endpoints: int = 1000,
        max_waiting: int = 64 << 20,
        max_requests: int = 512,
        max_delay: float = 0.5,
        body_seconds: float = 30.0,
        store_seconds: float = 30.0,
    ) -> None:
        if not 0 < max_body <= min(MOST_BYTES, max_waiting):
            raise UsageError(
                f"a body may have between 1 and {min(MOST_BYTES, max_waiting):,} bytes",
                code="E-LIMIT",
                field="max_body",
            )
        self.captures = captures
        self.tokens = tokens if tokens is None or isinstance(tokens, Tokens) else Tokens(tokens)
        self.labels = labels
        self.max_body = max_body
        self.max_records = max_records
        self.max_endpoints = max_endpoints
        self.max_requests = max_requests
        self.max_delay = max_delay
        self.body_seconds = body_seconds
        self.store_seconds = store_seconds
        self.metrics = Metrics(captures.archive)
        self._room = Room(max_waiting)
        self._queued = 0
        self._rate = 4e6
        self._n_requests = 0
        self._places: set[tuple[str, str]] | None = None
        self._turn = asyncio.Lock()
        self._counting = asyncio.Lock()

    def __repr__(self) -> str:
        return f"<Sink into {self.captures.archive.target.name}>"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, as ASGI has it."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        if scope["type"] != "http":
            raise UsageError("the sink speaks HTTP only", code="E-HTTP")
        self._n_requests += 1
        try:
            await self._answered(scope, receive, send)
        except GoneError:
            self.metrics.answered(499)
        finally:
            self._n_requests -= 1

    async def _answered(self, scope: Scope, receive: Receive, send: Send) -> None:
        close = False
        headers: dict[str, str] = {}
        try:
            status, document = await self._routed(scope, receive)
        except DriftlineError as error:
            status, document = _status(error), {"error": _told(error)}
            if isinstance(error, AnswerError):
                headers = error.headers
            # Something of the body may still come: the connection cannot be used again.
            close = isinstance(error, AnswerError)
            self.metrics.refused(error.code)
        except GoneError:
            raise
        except Exception:  # noqa: BLE001
            # The sender is told in the same form as ever, and nothing of what happened inside.
            _log.exception("a request failed")
            status, close = 500, True
            document = {"error": {"code": "E-INTERNAL", "message": "this is a fault of driftline"}}
            headers = {"retry-after": "5"}
            self.metrics.refused("E-INTERNAL")
        body = document.encode() if isinstance(document, str) else json.dumps(document).encode()
        kind = _TEXT if isinstance(document, str) else _JSON
        raw = [kind, *_ALWAYS, (b"content-length", str(len(body)).encode())]
        raw += [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        if close:
            raw.append((b"connection", b"close"))
        self.metrics.answered(status)
        await send({"type": "http.response.start", "status": status, "headers": raw})
        if close:
            # The answer goes out first; what the client still sends is thrown away for a moment, because a connection
            # that is closed under its hands would hide the answer from it.
            await send({"type": "http.response.body", "body": body, "more_body": True})
            await _drained(receive)
            body = b""
        await send({"type": "http.response.body", "body": body})

    # --- routes -----------------------------------------------------------------------------------------------------

    async def _routed(self, scope: Scope, receive: Receive) -> tuple[int, Any]:
        if self._n_requests > self.max_requests:
            raise busy("too many requests at one time")
        method, path = scope["method"], scope["path"]
        words = path.split("/")[1:]
        if path == "/healthz":
            _allowed(method, "GET", "HEAD")
            return 200, {"status": "ok"}
        if path == "/metrics":
            _allowed(method, "GET", "HEAD")
            self._sender(headers_of(scope["headers"]), ALL)
            return 200, await asyncio.to_thread(self.metrics.exposition)
        if words[:2] == ["v1", "stats"] and len(words) <= 3:
            _allowed(method, "GET", "HEAD")
            endpoint = _named("an endpoint", words, 2)
            self._sender(headers_of(scope["headers"]), endpoint or ALL)
            return 200, await self._stats(endpoint)
        if words[:2] == ["v1", "truth"] and len(words) == 3 and self.labels is not None:
            _allowed(method, "POST")
            return await self._truth(_named("an endpoint", words, 2) or "", scope, receive)
        if words[:2] == ["v1", "capture"] and len(words) <= 4:
            _allowed(method, "POST")
            endpoint, variant = _named("an endpoint", words, 2), _named("a variant", words, 3)
            return await self._capture(endpoint, variant, scope, receive)
        raise AnswerError(
            404,
            f"there is no {printable(path, 100)}",
            code="E-PATH",
            fix="send records to /v1/capture/<endpoint>",
        )

    def _sender(self, headers: Mapping[str, str], endpoint: str | None) -> frozenset[str]:
        """Return the endpoints that the sender may write to.

        Raises
        ------
        AnswerError
            401 ``E-TOKEN``, 403 ``E-FORBIDDEN``.
        """
        if self.tokens is None:
            return frozenset((ALL,))
        allowed = self.tokens.endpoints(_token(headers))
        if allowed is None:
            raise AnswerError(
                401,
                "expected a token that is known here",
                code="E-TOKEN",
                fix="send it as Authorization: Bearer <token>",
                headers={"www-authenticate": "Bearer"},
            )
        if endpoint is not None and endpoint not in allowed and ALL not in allowed:
            raise _forbidden(endpoint)
        return allowed

    async def _stats(self, endpoint: str | None) -> dict[str, Any]:
        from dataclasses import asdict

        async with self._counting:
            found = await asyncio.to_thread(self.captures.stats, endpoint)
        return {**asdict(found), "balance": found.balance}

    async def _truth(self, endpoint: str, scope: Scope, receive: Receive) -> tuple[int, Any]:
        headers = headers_of(scope["headers"])
        self._sender(headers, endpoint)
        assert self.labels is not None
        took = _Taken(self._room)
        try:
            body = await read_body(
                receive, headers, most=self.max_body, seconds=self.body_seconds, take=took.take
            )
            message = Message(headers, body, time.time_ns() // 1000, endpoint)
            return 200, dict(await asyncio.to_thread(self.labels, message))
        finally:
            took.give()

    async def _capture(
        self, endpoint: str | None, variant: str | None, scope: Scope, receive: Receive
    ) -> tuple[int, Any]:
        headers = headers_of(scope["headers"])
        allowed = self._sender(headers, endpoint)
        self._refuse_if_late()
        took = _Taken(self._room)
        try:
            body = await read_body(
                receive, headers, most=self.max_body, seconds=self.body_seconds, take=took.take
            )
            message = Message(
                headers,
                body,
                time.time_ns() // 1000,
                endpoint,
                variant,
                lambda e, v: self._admit(e, v, allowed),
            )
            try:
                found, pending = await self._put_all(message)
            except DriftlineError as error:
                self._refuse(message, error)
                raise
            await self._durable(pending)
        finally:
            took.give()
        return self._told(message, found)

    def _admit(self, endpoint: str, variant: str, allowed: frozenset[str]) -> None:
        """Be sure that the sender may write there, and that the names do not become too many."""
        if endpoint not in allowed and ALL not in allowed:
            raise _forbidden(endpoint)
        if self._places is None:
            counts = self.captures.archive.manifest.counts()
            self._places = {(e, v) for e, v, _, _ in counts if e}
        if (endpoint, variant) not in self._places:
            if len(self._places) >= self.max_endpoints:
                raise AnswerError(
                    403,
                    f"there are {len(self._places):,} endpoints and variants already, and no more are taken",
                    code="E-QUOTA",
                    fix="start the sink with a larger --max-endpoints",
                )
            self._places.add((endpoint, variant))

    # --- storing ----------------------------------------------------------------------------------------------------

    def _refuse_if_late(self) -> None:
        """Refuse now what would have to wait: its sender can come again, and who was here first is served in time."""
        if self._queued / self._rate > self.max_delay:
            raise busy("too much is waiting")

    async def _put_all(self, message: Message) -> tuple[Taken, list[asyncio.Future[OSError | None]]]:
        """Make events of a message and hand them to the log; the futures are done when they are durable."""
        self._refuse_if_late()
        size = len(message.body)
        found = Taken()
        self._queued += size
        try:
            async with self._turn:
                began, waited = time.perf_counter(), 0.0
                for n, _ in enumerate(events_of(message, found, self.max_records), start=1):
                    if n % _TURN == 0:
                        paused = time.perf_counter()
                        await asyncio.sleep(0)
                        waited += time.perf_counter() - paused
                pending = [
                    self._put(found.events[at : at + _AT_ONCE])
                    for at in range(0, len(found.events), _AT_ONCE)
                ]
                if size > 4096:
                    spent = time.perf_counter() - began
                    self._rate += 0.1 * (size / max(spent, 1e-6) - self._rate)
        finally:
            self._queued -= size
        return found, pending

    def _put(self, events: list[Event]) -> asyncio.Future[OSError | None]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[OSError | None] = loop.create_future()

        def settle(error: OSError | None) -> None:
            if not future.done():
                future.set_result(error)

        def done(error: OSError | None) -> None:
            try:
                loop.call_soon_threadsafe(settle, error)
            except RuntimeError:
                return  # the loop is closed: nobody waits any more

        if not self.captures.put(events, done):
            self.metrics.recorded("dropped", len(events))
            if self.captures.is_full:
                future.set_result(OSError(28, "the disk budget is used up"))
            else:
                future.set_result(BlockingIOError(11, "too much is waiting for the disk"))
        return future

    async def _durable(self, pending: list[asyncio.Future[OSError | None]]) -> None:
        """Wait until all is on the disk.

        Raises
        ------
        AnswerError
            503 ``E-BUSY``, 507 ``E-CAPTURE-FULL``.
        """
        try:
            async with asyncio.timeout(self.store_seconds):
                errors = [await future for future in pending]
        except TimeoutError:
            raise busy(f"the disk did not take the events within {self.store_seconds:g} seconds", 5) from None
        error = next((error for error in errors if error is not None), None)
        if isinstance(error, BlockingIOError):
            raise busy("too much is waiting for the disk")
        if error is not None:
            raise AnswerError(
                507,
                f"the events cannot be written: {error.strerror or error}",
                code="E-CAPTURE-FULL",
                fix="make room, and send them again",
                headers={"retry-after": "5"},
            )

    def _refuse(self, message: Message, error: DriftlineError) -> None:
        """Count a request of which nothing can become an event, where it is known whose it would be."""
        place = message.endpoint, message.variant or DEFAULT_VARIANT
        is_known = self._places is not None and place in self._places
        if is_known and message.endpoint is not None and _status(error) in (400, 413, 415):
            self.captures.drop(message.endpoint, place[1], f"refused {error.code}")

    def _told(self, message: Message, found: Taken) -> tuple[int, Any]:
        """Return what the sender is told: how many were stored, and why the others were not."""
        n = len(found.events)
        self.metrics.recorded("accepted", n)
        document: dict[str, Any] = {"accepted": n, "rejected": []}
        if found.named:
            document["ids"] = [{"index": index, "id": name} for index, name in found.named]
        if not found.refused:
            return 200, document
        self.metrics.recorded("rejected", len(found.refused))
        place = message.endpoint, message.variant or DEFAULT_VARIANT
        codes: Counter[str] = Counter(refusal.error.code for refusal in found.refused)
        if self._places is not None and place in self._places and message.endpoint is not None:
            for code, k in codes.items():
                self.captures.drop(message.endpoint, place[1], f"refused {code}", k)
        for code, k in codes.items():
            self.metrics.refused(code, k)
        document["rejected"] = [{"index": r.index, **_told(r.error)} for r in found.refused]
        return 207 if n else _status(found.refused[0].error), document


class _Taken:
    """Room that a request has taken."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._size = 0

    def take(self, size: int) -> None:
        self._room.take(size)
        self._size += size

    def give(self) -> None:
        self._room.used -= self._size
        self._size = 0


def _allowed(method: str, *methods: str) -> None:
    if method not in methods:
        raise AnswerError(
            405, f"expected {methods[0]}", code="E-METHOD", headers={"allow": ", ".join(methods)}
        )


def _named(what: str, words: list[str], at: int) -> str | None:
    if len(words) <= at:
        return None
    try:
        return check_name(what, words[at])
    except UsageError as error:
        raise AnswerError(400, error.message, code=error.code, fix=error.fix) from None


def _token(headers: Mapping[str, str]) -> str:
    """Return the token: of ``Bearer``, or the password of ``Basic``, which is all that a URL can carry."""
    scheme, _, rest = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest.strip(), validate=True).decode("latin-1").partition(":")[2]
        except binascii.Error:
            return ""
    return ""


def _forbidden(endpoint: str) -> AnswerError:
    return AnswerError(
        403,
        f"this token may not do that for {'all endpoints' if endpoint == ALL else endpoint}",
        code="E-FORBIDDEN",
    )


def _status(error: DriftlineError) -> int:
    if isinstance(error, AnswerError):
        return error.status
    if error.code in _STATUS:
        return _STATUS[error.code]
    return 400 if isinstance(error, (InputError, UsageError)) else 500


def _told(error: DriftlineError) -> dict[str, Any]:
    told = {"code": error.code, "message": printable(error.message, 300)}
    if error.field is not None:
        told["field"] = printable(error.field, 100)
    if error.fix is not None:
        told["fix"] = printable(error.fix, 200)
    return told


async def _drained(receive: Receive) -> None:
    left = _DRAINED
    try:
        async with asyncio.timeout(1.0):
            while left > 0:
                message = await receive()
                if message["type"] != "http.request" or not message.get("more_body", False):
                    return
                left -= len(message.get("body", b""))
    except TimeoutError:
        return


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
