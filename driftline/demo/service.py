"""The demo's service: a model behind HTTP, as any team would have it, with capture around it."""

from __future__ import annotations

import contextlib
import http.client
import threading
import time
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from driftline.demo.model import Logistic

__all__ = ["Asker", "prediction", "served"]

_START_SECONDS = 30.0


def prediction(model: Logistic) -> Callable[..., Awaitable[None]]:
    """Return an ASGI application that answers rows of CSV with a line of 0 or 1 each."""

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        rows = np.array([line.split(",") for line in body.decode("ascii").split()], np.float64)
        answers = (model.probability(rows) > 0.5).astype(int)
        headers = [(b"content-type", b"text/csv")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"".join(b"%d\n" % answer for answer in answers)})

    return application


@contextlib.contextmanager
def served(application: Any) -> Iterator[int]:
    """Serve an ASGI application over HTTP on this machine's loopback; gives the port."""
    import uvicorn

    config = uvicorn.Config(application, host="127.0.0.1", port=0, log_level="error", lifespan="off")
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

    def ask(self, bodies: Sequence[bytes]) -> list[bytes]:
        """Send each body as a request of its own; returns the answers.

        Raises
        ------
        OSError
            If the service does not answer, or not with 200.
        """
        answers = []
        for body in bodies:
            self._connection.request("POST", "/invocations", body, {"Content-Type": "text/csv"})
            answer = self._connection.getresponse()
            answers.append(answer.read())
            if answer.status != 200:
                raise OSError(f"the demo's service answers {answer.status}")
        return answers

    def __enter__(self) -> Asker:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()
