"""Shared: the census model of Clarify's example, an encoding of plain numbers, and a model server on this machine."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from monitor_attribution_shared import Census, ModelServer

from driftline.monitor.attribution.encoding import Encoding, FeatureCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def census(data: Path) -> Census:
    folder = data / "fairness"
    model = json.loads((folder / "adult_ll_model.json").read_text())
    return Census(
        model["features"],
        np.array(model["weights"]),
        model["bias"],
        model["shap_baseline_row"],
        str(folder / "adult_ll_baseline_666.csv"),
        str(folder / "adult_ll_live_334.csv"),
    )


@pytest.fixture
def mixed() -> Encoding:
    """A number, a whole number, a boolean and a text."""
    return Encoding(
        (
            FeatureCode("income", "number"),
            FeatureCode("age", "integer"),
            FeatureCode("member", "boolean"),
            FeatureCode("city", "text", ("Bonn", "Köln, am Rhein", "Wien")),
        )
    )


class QuietServer(ThreadingHTTPServer):
    """A server that does not print what clients that hang up do to it, and waits for its threads at the end."""

    daemon_threads = False

    def handle_error(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def serve() -> Iterator[Callable[..., ModelServer]]:
    """Start servers on the loopback interface: give what makes answers of bodies and headers."""
    running: list[QuietServer] = []

    def start(answer: Callable[[bytes, dict[str, str]], tuple[int, dict[str, str], bytes]]) -> ModelServer:
        told = ModelServer(answer)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                told.asked.append((body, headers))
                status, more, content = told.answer(body, headers)
                self.send_response(status)
                for name, value in more.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        server = QuietServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        running.append(server)
        told.url = f"http://127.0.0.1:{server.server_address[1]}/invocations"
        return told

    yield start
    for server in running:
        server.shutdown()
        server.server_close()
