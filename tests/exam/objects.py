"""R8, the object store: moto behind a layer that fails before or after the effect, cuts and changes bodies, or waits."""

from __future__ import annotations

import logging
import os
import random
import threading
import time
from typing import TYPE_CHECKING, Any

from driftline.capture.window import window
from driftline.errors import DriftlineError
from exam import forks
from exam.judge import ENDPOINT, Seen, event, halves, judge, opened, read
from exam.kills import place
from exam.verdict import Effort, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

__all__ = ["objects"]

BUCKET = "bucket"
_MODES = {
    "flip": (
        "O5 flip",
        "a body that is read has a wrong bit",
        "3 of 10 bodies with a bit flipped",
    ),
    "killed": (
        "R8 kill",
        "the process is killed while it writes to the store",
        "SIGKILL after 0.1 to 1 s, and requests that fail",
    ),
    "before": (
        "O1",
        "the store fails before it does anything",
        "503 and 500 for 3 of 10 requests",
    ),
    "cut": (
        "O5 cut",
        "a body that is read ends early",
        "3 of 10 bodies cut in the middle",
    ),
    "slow": (
        "O8",
        "the store is slow",
        "0.2 s more for every request",
    ),
    "after": (
        "O2",
        "the store fails after it has done it",
        "500, or the connection cut, after 3 of 10 requests took effect",
    ),
}


def _serve(port: int, ready: int, folder: Path) -> None:
    """Serve until killed; the mode is what the file ``mode`` says."""
    import boto3
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    inner = DomainDispatcherApplication(create_backend_app)
    dice = random.Random(1)
    guard = threading.Lock()

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        mode = (folder / "mode").read_text()
        with guard:
            chance, which, where = dice.random() < 0.3, dice.random(), dice.random()
        if mode == "slow":
            time.sleep(0.2)
        if mode in ("before", "killed") and chance:
            start_response(
                "503 Slow Down" if which < 0.5 else "500 Internal Server Error", [("Content-Length", "0")]
            )
            return [b""]
        answer: list[Any] = []
        body = b"".join(
            inner(environ, lambda status, headers, info=None: answer.append((status, list(headers))))
        )
        status, headers = answer[-1]
        if mode == "after" and chance:
            if which < 0.5:
                raise ConnectionAbortedError
            start_response("500 Internal Server Error", [("Content-Length", "0")])
            return [b""]
        if chance and environ["REQUEST_METHOD"] == "GET" and len(body) > 1:
            at = int(where * len(body))
            if mode == "cut":
                body = body[:at]
            elif mode == "flip":
                body = body[:at] + bytes([body[at] ^ (1 << int(which * 8))]) + body[at + 1 :]
        start_response(status, headers)
        return [body]

    class Quiet(WSGIRequestHandler):
        def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002
            pass

    (folder / "mode").write_text("well")
    server = make_server("127.0.0.1", port, app, threaded=True, request_handler=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.port}"
    boto3.client("s3", endpoint_url=url, region_name="us-east-1").create_bucket(Bucket=BUCKET)
    os.write(ready, str(server.port).encode())
    threading.Event().wait()


def objects(effort: Effort) -> list[Verdict]:
    """Capture into a store that fails, and read from it."""
    os.environ |= {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    verdicts = {mode: Verdict(*words) for mode, words in _MODES.items()}
    reader, writer = os.pipe()
    with place(in_memory=True) as folder:
        server = forks.start(lambda: _silent(lambda: _serve(0, writer, folder)))
        os.close(writer)
        port = int(os.read(reader, 16) or 0)
        try:
            for number in effort.each():
                mode = list(_MODES)[number % len(_MODES)]
                url = (
                    f"s3://{BUCKET}/c{number}?endpoint_override=127.0.0.1:{port}&scheme=http&region=us-east-1"
                )
                _round(verdicts[mode], folder, url, mode, number, random.Random(effort.seed * 1000 + number))
        finally:
            os.close(reader)
            forks.kill(server)
    return list(verdicts.values())


def _silent(action: Callable[[], Any]) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    action()


def _round(verdict: Verdict, folder: Path, url: str, mode: str, number: int, dice: random.Random) -> None:
    acks = forks.Acks(4096)
    state = folder / f"state{number}"
    what = f"round {number} {mode}"

    def act() -> None:
        captures = opened(url, state=state)
        for first in range(0, 20, 10):
            numbers = list(range(first, first + 10))
            for one in numbers:
                acks.send(one)
            captures.write([event(one) for one in numbers if one % 5])
            captures.write([half for one in numbers if not one % 5 for half in halves(one)])
            captures.write([event(numbers[1])])
            for one in numbers:
                acks.tell(one)
            captures.seal(30.0)
        captures.close(30.0)

    (folder / "mode").write_text(mode)
    pid = forks.start(act)
    if mode == "killed":
        time.sleep(dice.uniform(0.1, 1.0))
        forks.kill(pid)
    else:
        code = forks.wait(pid, 120.0)
        verdict.wrong("failed", int(code != 0), f"{what}: ended with {code}")
    verdict.times += 1
    verdict.acknowledged += len(acks.told)
    if mode in ("cut", "flip"):
        _read_badly(verdict, url, what)
    (folder / "mode").write_text("well")
    judge(verdict, url, acks, what, state=state)
    acks.close()


def _read_badly(verdict: Verdict, url: str, what: str) -> None:
    """Read while bodies are damaged: what comes is right and whole, or there is a documented error."""

    def act() -> list[int]:
        outcomes = [0, 0, 0]
        whole = None
        for _ in range(10):
            seen = Seen()
            try:
                listed = sum(s.events for s in window(url, ENDPOINT, 0, 2**52).segments)
                read(url, seen)
            except DriftlineError:
                outcomes[1] += 1
                continue
            is_right = not seen.wrong and not seen.twice and len(seen.numbers) == listed
            whole = len(seen.numbers) if whole is None else whole
            outcomes[0 if is_right and whole == len(seen.numbers) else 2] += 1
        return outcomes

    try:
        right, refused, wrong = forks.answer(act)
    except forks.ChildError as error:
        verdict.wrong("failed", 1, f"{what}: {error}")
        return
    verdict.notes["readings that were right"] += right
    verdict.notes["readings refused with E-DIGEST, E-MANIFEST or E-STORE"] += refused
    verdict.wrong("silent", wrong, f"{what}: read something else")
