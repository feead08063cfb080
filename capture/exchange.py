"""Exchange: one request and its answer on their way through the middleware, and a copy of what passed.

Messages are passed on as they come; the copy is made of references to their bodies. Nothing here raises into the service:
whatever fails ends the copy, not the exchange.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from driftline.capture.event import MAX_ATTRIBUTES, MAX_ID, MAX_TEXT, Event, Payload, now
from driftline.capture.ids import new_id

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, MutableMapping

    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    Headers = Iterable[tuple[bytes, bytes]]

__all__ = [
    "EVENT_ID",
    "INFERENCE_ID",
    "MODEL_VERSION",
    "OF_BODIES",
    "Capture",
    "Copy",
    "Exchange",
    "event_of",
]

EVENT_ID = b"x-driftline-event-id"
"""Header of the answer that tells the event id, where that is asked for."""

OF_BODIES = (b"content-type", b"content-encoding", b"inference-header-content-length")
"""Headers that have to be known to take a body apart."""

INFERENCE_ID, MODEL_VERSION = " inference id", " model version"
"""What headers may be beside attributes, whose names they cannot be."""

_LONGEST_TYPE = 256


class Capture(Protocol):
    """Who wants the copies."""

    endpoint: str
    variant: str
    max_body: int
    wants_input: bool
    wants_output: bool
    only_success: bool
    tell_id: bool
    model_version: str | None
    least_held: int
    wanted: dict[bytes, int | str]

    def hold(self, n_bytes: int) -> bool:
        """Ask for room for a part of a copy."""

    def free(self, n_bytes: int) -> None:
        """Give room back."""

    def take(self, exchange: Exchange) -> None:
        """Take an exchange that has been answered."""

    def leave(self, exchange: Exchange, what: str, reason: str = "") -> None:
        """Be told that an exchange is not captured, and why."""

    def fail(self, exchange: Exchange | None, error: Exception) -> None:
        """Be told of a fault of capture; must not raise."""


class Copy:
    """A copy of a body, up to a limit.

    Attributes
    ----------
    chunks : list of bytes
    size : int
        Bytes of them.
    is_cut : bool
        Something is missing at its end.
    """

    __slots__ = ("chunks", "is_cut", "size")

    def __init__(self) -> None:
        self.chunks: list[bytes] = []
        self.size = 0
        self.is_cut = False

    def payload(self, content_type: bytes, encoding: bytes, length: bytes) -> Payload:
        """Return the body with its content type, and what else has to be known to take it apart."""
        kind = content_type[:_LONGEST_TYPE].decode("latin-1")
        if length:
            kind += f"; inference-header-content-length={length.decode('latin-1')[:16]}"
        if encoding:
            encoded = encoding.decode("latin-1").strip().lower()[:64]
            if encoded != "identity":
                kind += f"; content-encoding={encoded}"
        chunks = self.chunks
        return Payload(kind, chunks[0] if len(chunks) == 1 else b"".join(chunks), self.is_cut)


class Exchange:
    """One request and its answer; stands in for the server before the application.

    Parameters
    ----------
    capture : Capture
    headers : iterable of (bytes, bytes)
        Of the request.
    receive, send : callable
        The server's.

    Attributes
    ----------
    id : str
        The event id.
    began : int
        Microseconds since 1970-01-01 UTC when the request came.
    status : int
        Of the answer; 0 before there is one.
    answer_headers : iterable of (bytes, bytes)
    input, output : Copy
    is_over : bool
        It has been taken or left; the rest only passes.
    """

    __slots__ = (
        "_capture",
        "_has_input",
        "_held",
        "_is_last",
        "_receive",
        "_send",
        "answer_headers",
        "began",
        "headers",
        "id",
        "input",
        "is_over",
        "output",
        "status",
    )

    def __init__(self, capture: Capture, headers: Headers, receive: Receive, send: Send) -> None:
        self._capture = capture
        self._receive = receive
        self._send = send
        self._held = 0
        self._has_input = self._is_last = False
        self.id = new_id()
        self.began = now()
        self.headers = headers
        self.answer_headers: Headers = ()
        self.status = 0
        self.input = Copy()
        self.output = Copy()
        self.is_over = False

    async def receive(self) -> Message:
        """Give the application a message of the request."""
        message = await self._receive()
        if not self.is_over:
            try:
                if message["type"] == "http.request":
                    if self._capture.wants_input and (chunk := message.get("body")):
                        self._keep(self.input, chunk)
                    if not message.get("more_body"):
                        self._has_input = True
            except Exception as error:  # noqa: BLE001  a fault of capture is no fault of the service
                self._capture.fail(self, error)
        return message

    async def send(self, message: Message) -> None:
        """Give the server a message of the answer."""
        if not self.is_over:
            try:
                if message["type"] == "http.response.body":
                    if not message.get("more_body"):
                        self._is_last = True
                    if self._capture.wants_output and (chunk := message.get("body")):
                        self._keep(self.output, chunk)
                else:
                    message = self._said(message)
            except Exception as error:  # noqa: BLE001  a fault of capture is no fault of the service
                self._capture.fail(self, error)
        await self._send(message)
        if self._is_last and not self.is_over:
            self._finish()

    def end(self) -> None:
        """Finish an exchange that the application has left; never raises."""
        if self.is_over:
            return
        try:
            if not self.status:
                self._capture.leave(self, "dropped", "no answer")
                return
            if not self._is_last:
                self.output.is_cut = True
        except Exception as error:  # noqa: BLE001  a fault of capture is no fault of the service
            self._capture.fail(self, error)
        else:
            self._finish()

    def release(self) -> None:
        """Let go of the copies."""
        self.is_over = True
        held, self._held = self._held, 0
        self.input = self.output = _NOTHING
        if held:
            self._capture.free(held)

    def _finish(self) -> None:
        try:
            if not self._has_input and _has_body(self.headers):
                self.input.is_cut = True
            self._capture.take(self)
        except Exception as error:  # noqa: BLE001  a fault of capture is no fault of the service
            self._capture.fail(self, error)

    def _said(self, message: Message) -> Message:
        kind = message["type"]
        if kind == "http.response.start":
            self.status = status = message["status"]
            if self._capture.only_success and not 200 <= status < 300:
                self._capture.leave(self, "not successful")
                return message
            headers = message.get("headers", ())
            if type(headers) is not list:  # an iterator is read once
                headers = list(headers)
                message = {**message, "headers": headers}
            self.answer_headers = headers
            if self._capture.tell_id:
                return {**message, "headers": [*headers, (EVENT_ID, self.id.encode("ascii"))]}
        elif kind in ("http.response.pathsend", "http.response.zerocopysend"):
            if self._capture.wants_output:
                self._capture.leave(self, "dropped", "sent from a file")
            elif not message.get("more_body", False):
                self._is_last = True
        return message

    def _keep(self, copy: Copy, chunk: bytes) -> None:
        size = copy.size + len(chunk)
        if size > self._capture.least_held:
            self._keep_large(copy, chunk)
            return
        copy.size = size
        copy.chunks.append(chunk if type(chunk) is bytes else bytes(chunk))

    def _keep_large(self, copy: Copy, chunk: bytes) -> None:
        n = len(chunk)
        room = self._capture.max_body - copy.size
        if n > room:
            copy.is_cut = True
            chunk, n = chunk[:room], room
        if not n:
            return
        if not self._capture.hold(n):
            self._capture.leave(self, "dropped", "memory")
            return
        self._held += n
        copy.size += n
        copy.chunks.append(bytes(chunk))


_NOTHING = Copy()


def _has_body(headers: Headers) -> bool:
    """Tell whether a request says that it has a body."""
    for name, value in headers:
        lower = name.lower()
        if lower == b"transfer-encoding" or (lower == b"content-length" and value.strip() != b"0"):
            return True
    return False


def event_of(exchange: Exchange, capture: Capture) -> Event:
    """Return the event of an exchange that has been answered."""
    inference_id = None
    version = capture.model_version
    attributes: dict[str, str] = {}
    asked = [b"", b"", b""]
    told = [b"", b"", b""]
    wanted = capture.wanted
    for name, value in exchange.headers:
        what = wanted.get(name)
        if what is None:
            continue
        if type(what) is int:
            asked[what] = value
        elif what == INFERENCE_ID:
            # A longer one is none of ours, and a part of it would join the wrong truth.
            inference_id = (value.decode("latin-1") if 0 < len(value) <= MAX_ID else None) or inference_id
        elif what == MODEL_VERSION:
            version = value.decode("latin-1")[:MAX_TEXT]
        elif len(attributes) < MAX_ATTRIBUTES:
            attributes[str(what)] = value.decode("latin-1")[:MAX_TEXT]
    for name, value in exchange.answer_headers:
        what = wanted.get(name) or wanted.get(name.lower())
        if type(what) is int:
            told[what] = value
        elif what == MODEL_VERSION:
            version = value.decode("latin-1")[:MAX_TEXT]
    return Event(
        exchange.id,
        capture.endpoint,
        capture.variant,
        exchange.began,
        None,
        exchange.input.payload(*asked) if capture.wants_input else None,
        exchange.output.payload(*told) if capture.wants_output else None,
        inference_id,
        version,
        attributes,
    )
