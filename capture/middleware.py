"""Middleware: capture around any ASGI service, in one line, at no risk to it.

::

    app = Middleware(app, "captures/", endpoint="churn")

Bodies pass through as they come, chunk by chunk; a copy of what passed is handed over when the answer has been sent. There
is no error of capture that a request could notice: whatever fails is counted, and told to the log once a minute.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import threading
import time
import weakref
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import translate
from typing import TYPE_CHECKING, Any, Literal, Protocol

from driftline.capture.event import DEFAULT_VARIANT, check_name
from driftline.capture.exchange import INFERENCE_ID, MODEL_VERSION, OF_BODIES, Exchange, event_of
from driftline.capture.keeper import Keeper
from driftline.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping, Sequence

    from driftline.capture.captures import Captures

    Message = MutableMapping[str, Any]
    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    Application = Callable[[Scope, Receive, Send], Awaitable[None]]

__all__ = ["Middleware", "Requests", "is_sampled"]

_LOG = logging.getLogger("driftline.capture")
_MINUTE = 60.0
_START_SECONDS = 2.0
_INFERENCE_ID = ("X-Driftline-Inference-Id", "X-Inference-Id", "X-Amzn-SageMaker-Inference-Id")
_CUSTOM = b"x-amzn-sagemaker-custom-attributes"
_SMALL = 64 << 10
"""Bodies up to this are not held to account: a server keeps as much for every connection."""
_MOST_BODY = 16 << 20
"""Twice this and the rest of an event fit a record of the log."""


@dataclass(frozen=True, slots=True)
class Requests:
    """What became of the requests of this process that a middleware is meant for.

    Attributes
    ----------
    seen : int
        All of them, also those that are on their way.
    captured : int
        Handed over to the store; what became of them there is told by ``Captures.stats``.
    sampled_out : int
        Left out by chance, as asked.
    not_successful : int
        Left out since the status was not 200 to 299.
    dropped : mapping of str to int
        Not captured though they should have been, by reason: ``no room`` in the queue or the disk budget, ``no store`` that
        could be opened, ``memory``, ``no answer``, ``sent from a file`` by the server itself, ``error``.
    errors : int
        Faults of capture.
    """

    seen: int = 0
    captured: int = 0
    sampled_out: int = 0
    not_successful: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    errors: int = 0

    @property
    def waiting(self) -> int:
        """Requests that are on their way."""
        told = self.captured + self.sampled_out + self.not_successful + sum(self.dropped.values())
        return self.seen - told


def is_sampled(event_id: str, percentage: float) -> bool:
    """Tell whether an event belongs to a sample; the same for the same id, and more for a higher percentage.

    Parameters
    ----------
    event_id : str
        A random UUID, of which the first 48 bits decide.
    percentage : float
    """
    return int(event_id[:8] + event_id[9:13], 16) < percentage / 100 * (1 << 48)


class Workspace(Protocol):
    """Something that knows where the captures of an endpoint lie."""

    def captures_for(self, endpoint: str) -> str:
        """Return a path or URL."""


def _place(
    captures: Captures | str | os.PathLike[str] | None,
    workspace: Workspace | str | os.PathLike[str] | None,
    endpoint: str,
) -> Captures | str | os.PathLike[str]:
    if (captures is None) == (workspace is None):
        raise UsageError("where to capture is said twice, or not at all", fix="give captures or workspace")
    if captures is not None:
        return captures
    if isinstance(workspace, (str, os.PathLike)):
        return os.fspath(workspace).rstrip("/") + "/captures"
    assert workspace is not None
    return workspace.captures_for(endpoint)


class Middleware:
    """An ASGI application that captures what another one sees and answers.

    Parameters
    ----------
    app : ASGI application
    captures : Captures, path or URL
        A path or URL is opened by the process that serves, at its start or first request, so that a server may fork.
    endpoint : str
    workspace : Workspace, path or URL, optional
        In place of `captures`: a workspace, whose captures are then written; of a path, those in its folder ``captures``.
    variant : str
    state : path, optional
        See :class:`driftline.capture.captures.Captures`; needed for a URL.
    paths : str or sequence of str, optional
        Patterns of the paths to capture, such as ``"/predict"`` or ``"/v1/models/*"``; all by default.
    methods : sequence of str
    sampling : float
        Percentage of the requests to capture. It is decided by the event id, before anything is read.
    sides : {"both", "input", "output"}
    max_body : int
        Most bytes of a body that are kept, at most 16 MiB. Of a longer one nothing can be put in a table, so the event is
        quarantined.
    max_held : int
        Most bytes of all bodies on their way that are larger than 64 KiB; requests beyond are dropped and counted.
    only_success : bool
        Leave out requests that are not answered with a status from 200 to 299.
    inference_id : sequence of str
        Headers that hold the caller's own id, of at most 128 characters.
    model_version : str, optional
    model_version_header : str, optional
        A header of the answer, or else of the request, that tells it.
    attributes : mapping of str to str, or sequence of str, optional
        Name of an attribute by the name of the request header that it is taken from. The header
        ``X-Amzn-SageMaker-Custom-Attributes`` becomes the attribute ``customAttributes`` in any case.
    tell_id : bool
        Add the header ``X-Driftline-Event-Id`` to the answers that are captured, so that the caller can name the event
        when its outcome is known.
    options
        Further arguments for :class:`~driftline.capture.captures.Captures` where it is opened here.

    Raises
    ------
    UsageError
        ``E-NAME`` or ``E-USAGE`` for arguments that cannot be. Nothing is raised later.
    """

    def __init__(
        self,
        app: Application,
        captures: Captures | str | os.PathLike[str] | None = None,
        endpoint: str = "",
        *,
        workspace: Workspace | str | os.PathLike[str] | None = None,
        variant: str = DEFAULT_VARIANT,
        state: str | os.PathLike[str] | None = None,
        paths: str | Sequence[str] | None = None,
        methods: Sequence[str] = ("POST",),
        sampling: float = 100.0,
        sides: Literal["both", "input", "output"] = "both",
        max_body: int = 6 << 20,
        max_held: int = 64 << 20,
        only_success: bool = True,
        inference_id: Sequence[str] = _INFERENCE_ID,
        model_version: str | None = None,
        model_version_header: str | None = None,
        attributes: Mapping[str, str] | Sequence[str] = (),
        tell_id: bool = False,
        **options: Any,
    ) -> None:
        if not 0 <= sampling <= 100:
            raise UsageError(f"sampling is {sampling:g}, which is no percentage", fix="give 0 to 100")
        if sides not in ("both", "input", "output"):
            raise UsageError(f"sides is {sides!r}", fix="give 'both', 'input' or 'output'")
        if not 0 < max_body <= _MOST_BODY:
            raise UsageError(f"max_body is {max_body}", fix=f"give 1 to {_MOST_BODY} bytes")
        if isinstance(methods, str) or isinstance(inference_id, str) or isinstance(attributes, str):
            raise UsageError("methods, inference_id and attributes are lists", fix="give ('POST',)")
        self.app = app
        self.endpoint = check_name("an endpoint", endpoint)
        self.variant = check_name("a variant", variant)
        self.max_body = max_body
        self.least_held = min(max_body, _SMALL)
        self.wants_input = sides != "output"
        self.wants_output = sides != "input"
        self.only_success = only_success
        self.tell_id = tell_id
        self.model_version = model_version
        named = attributes if isinstance(attributes, Mapping) else {name: name for name in attributes}
        self.wanted: dict[bytes, int | str] = {_CUSTOM: "customAttributes"}
        self.wanted |= {_header(header): str(name).strip() for header, name in named.items()}
        self.wanted |= {_header(name): INFERENCE_ID for name in inference_id}
        if model_version_header is not None:
            self.wanted[_header(model_version_header)] = MODEL_VERSION
        self.wanted |= {name: at for at, name in enumerate(OF_BODIES)}
        self._methods = frozenset(method.upper() for method in methods)
        self._is_ours = None if paths is None else _pattern((paths,) if isinstance(paths, str) else paths)
        self._sampling = sampling
        self._max_held = max_held
        self._keeper = Keeper(
            _place(captures, workspace, self.endpoint),
            self.endpoint,
            self.variant,
            self._lose,
            state=state,
            **options,
        )
        self._fresh()
        _all.add(self)

    def _fresh(self) -> None:
        """Begin to count: at the start, and in a child."""
        self._guard = threading.Lock()
        self._held = 0
        self._counts: Counter[str] = Counter()
        self._dropped: Counter[str] = Counter()
        self._told = float("-inf")

    @property
    def stats(self) -> Requests:
        """What became of the requests of this process."""
        with self._guard:
            counts, dropped = dict(self._counts), dict(sorted(self._dropped.items()))
        return Requests(
            counts.get("seen", 0),
            counts.get("captured", 0),
            counts.get("sampled out", 0),
            counts.get("not successful", 0),
            dropped,
            counts.get("errors", 0),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection of any kind; only HTTP requests are looked at."""
        kind = scope["type"]
        if kind == "lifespan":
            await self._lifespan(scope, receive, send)
            return
        exchange = None
        if kind == "http":
            try:
                exchange = self._begin(scope, receive, send)
            except Exception as error:  # whatever it is, the service goes on
                self.fail(None, error)
        if exchange is None:
            await self.app(scope, receive, send)
            return
        try:
            await self.app(scope, exchange.receive, exchange.send)
        finally:
            exchange.end()

    def _begin(self, scope: Scope, receive: Receive, send: Send) -> Exchange | None:
        if scope["method"] not in self._methods:
            return None
        if self._is_ours is not None and not self._is_ours(scope["path"]):
            return None
        exchange = Exchange(self, scope["headers"], receive, send)
        if self._sampling < 100 and not is_sampled(exchange.id, self._sampling):
            self._count("seen", "sampled out")
            return None
        self._count("seen")
        return exchange

    # --- what exchanges ask and tell --------------------------------------------------------------------------------

    def hold(self, n_bytes: int) -> bool:
        """Ask for room for a part of a copy."""
        with self._guard:
            if self._held + n_bytes > self._max_held:
                return False
            self._held += n_bytes
        return True

    def free(self, n_bytes: int) -> None:
        """Give room back."""
        with self._guard:
            self._held -= n_bytes

    def take(self, exchange: Exchange) -> None:
        """Hand over an exchange that has been answered."""
        reason = self._keeper.put(event_of(exchange, self))
        if reason is None:
            self._count("captured")
        else:
            self._drop(reason)
        exchange.release()

    def leave(self, exchange: Exchange, what: str, reason: str = "") -> None:
        """Let an exchange pass without capture; what is dropped is told to the store as well."""
        if reason:
            self._drop(reason)
        else:
            self._count(what)
        exchange.release()
        if reason:
            self._keeper.drop(reason)

    def fail(self, exchange: Exchange | None, error: Exception) -> None:
        """Count a fault of capture and tell it once a minute; never raises."""
        try:
            is_open = exchange is not None and not exchange.is_over
            if exchange is not None:
                exchange.is_over = True
            self._count("errors")
            if is_open:
                self._drop("error")
            if exchange is not None:
                exchange.release()
            if time.monotonic() - self._told >= _MINUTE:
                self._told = time.monotonic()
                _LOG.warning("capture of %s failed: %s: %s", self.endpoint, type(error).__name__, error)
            if is_open:
                self._keeper.drop("error")
        except Exception:  # noqa: S110  what cannot even be counted must not reach the service
            pass

    def _count(self, *what: str) -> None:
        with self._guard:
            for name in what:
                self._counts[name] += 1

    def _drop(self, reason: str) -> None:
        with self._guard:
            self._dropped[reason] += 1

    def _lose(self, n: int) -> None:
        """Be told that events which waited for the store to open are lost."""
        with self._guard:
            self._counts["captured"] -= n
            self._dropped["no store"] += n

    # --- start and end ----------------------------------------------------------------------------------------------

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] in ("lifespan.shutdown.complete", "lifespan.shutdown.failed"):
                await self.aclose()
            await send(message)

        try:
            await _beside(self._keeper.begin, _START_SECONDS)
        except Exception as error:  # whatever it is, the service goes on
            self.fail(None, error)
        await self.app(scope, receive, sending)

    async def aclose(self, timeout: float = 5.0) -> None:
        """Put on the disk what was captured, and seal it as far as that goes in `timeout` seconds; never raises.

        A store that was given is not closed.
        """
        try:
            await _beside(self._keeper.close, timeout)
        except Exception as error:  # whatever it is, the service goes on
            self.fail(None, error)


def _header(name: str) -> bytes:
    return name.strip().lower().encode("latin-1")


def _pattern(paths: Sequence[str]) -> Callable[[str], object]:
    return re.compile("|".join(map(translate, paths)) or "(?!)").match


async def _beside(work: Callable[[float], None], seconds: float) -> None:
    """Wait for what would hold up the loop.

    In a thread of its own: the loop's own executor would have to be shut down with the loop, which takes one more.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:  # another framework's
        work(seconds)
        return
    done = loop.create_future()

    def told(error: Exception | None) -> None:
        if done.done():
            return
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)

    def run() -> None:
        failure = None
        try:
            work(seconds)
        except Exception as error:  # whatever it is, the service goes on
            failure = error
        with contextlib.suppress(RuntimeError):  # the loop may have been closed
            loop.call_soon_threadsafe(told, failure)

    threading.Thread(target=run, name="driftline-wait", daemon=True).start()
    await done


_all: weakref.WeakSet[Middleware] = weakref.WeakSet()


def _in_child() -> None:
    for middleware in list(_all):
        middleware._fresh()


os.register_at_fork(after_in_child=_in_child)
