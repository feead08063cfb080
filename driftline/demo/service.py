"""The demo's service: two models behind HTTP, as any team would have them, with capture around each."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from driftline.demo.census import prediction_of
from driftline.demo.scoring import FEATURES
from driftline.documents import encode

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping, Sequence

    from driftline.demo.model import Logistic
    from driftline.demo.scoring import Scoring

    Scope = MutableMapping[str, Any]
    Application = Callable[[Scope, Any, Any], Awaitable[None]]

__all__ = ["Asker", "by_path", "estimation", "prediction", "served"]

_START_SECONDS = 30.0
_IDLE_SECONDS = 600
"""Nobody asks while the scheduler looks, which on a busy machine takes longer than connections are kept by default."""


def prediction(model: Logistic) -> Application:
    """Return an ASGI application that answers rows of CSV with a line of 0 or 1 each."""

    async def application(scope: Scope, receive: Any, send: Any) -> None:
        body = await _body(scope, receive)
        rows = np.array([line.split(",") for line in body.decode("ascii").split()], np.float64)
        answers = (model.probability(rows) > 0.5).astype(int)
        await _answer(send, "text/csv", b"".join(b"%d\n" % answer for answer in answers))

    return application


def estimation(model: Scoring) -> Application:
    """Return an ASGI application that answers ``instances`` in JSON with ``probability`` and ``prediction`` of each."""

    async def application(scope: Scope, receive: Any, send: Any) -> None:
        instances = json.loads(await _body(scope, receive))["instances"]
        columns = {name: [instance[name] for instance in instances] for name in FEATURES}
        answers = [
            {"probability": p, "prediction": prediction_of(p)} for p in model.probability(columns).tolist()
        ]
        await _answer(send, "application/json", encode({"predictions": answers}).encode("ascii"))

    return application


def by_path(applications: Mapping[str, Application]) -> Application:
    """Return an ASGI application that passes requests on by their path."""

    async def application(scope: Scope, receive: Any, send: Any) -> None:
        await applications[scope["path"]](scope, receive, send)

    return application


async def _body(scope: Scope, receive: Any) -> bytes:
    assert scope["type"] == "http"
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


async def _answer(send: Any, content_type: str, body: bytes) -> None:
    headers = [(b"content-type", content_type.encode("ascii"))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@contextlib.contextmanager
def served(application: Any) -> Iterator[int]:
    """Serve an ASGI application over HTTP on this machine's loopback; gives the port."""
    import uvicorn

    config = uvicorn.Config(
        application,
        host="127.0.0.1",
        port=0,
        log_level="error",
        lifespan="off",
        timeout_keep_alive=_IDLE_SECONDS,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="driftline-demo", daemon=True)
    thread.start()
    end = time.monotonic() + _START_SECONDS
    while not server.started:
        if not thread.is_alive() or time.monotonic() > end:
            raise OSError("the demo's service does not start")
        time.sleep(0.005)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()


class Asker:
    """Somebody who asks the service, over one connection.

    Parameters
    ----------
    port : int
    """

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def ask(
        self, path: str, bodies: Sequence[bytes], content_type: str = "text/csv", ids: Sequence[str] = ()
    ) -> None:
        """Send each body as a request of its own.

        Parameters
        ----------
        path : str
        bodies : sequence of bytes
        content_type : str
        ids : sequence of str
            Of the requests, where they have any.

        Raises
        ------
        OSError
            If the service does not answer, or not with 200.
        """
        for number, body in enumerate(bodies):
            headers = {"Content-Type": content_type}
            if ids:
                headers["X-Inference-Id"] = ids[number]
            self._connection.request("POST", path, body, headers)
            answer = self._connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise OSError(f"the demo's service answers {answer.status}")

    def __enter__(self) -> Asker:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()
