"""The sink answers when events are on the disk, and whatever it is sent, it goes on."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gzip
import json
import socket
import threading
import time
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from sink_server import (
    EVER,
    NDJSON,
    Answer,
    Server,
    exchange,
    ids,
    ndjson,
    read_answer,
    rec,
    request,
    sealed,
    wait_for,
)

from driftline.capture.captures import Captures
from driftline.capture.sink import sink
from driftline.capture.window import window
from driftline.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MIB = 1 << 20
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One sink for the tests that leave it as it was."""
    with Server(
        tmp_path_factory.mktemp("captures"), "--max-body", "2MiB", "--max-records", "2000"
    ) as running:
        yield running
        assert running.get("/healthz").json == {"status": "ok"}
        assert running.rss() < 300 * MIB


class TestAnswers:
    def test_all_stored(self, server: Server) -> None:
        answer = server.send("/v1/capture/churn", [rec("a1"), rec("a2")])
        assert (answer.status, answer.json) == (200, {"accepted": 2, "rejected": []})

    def test_half_good_batch(self, tmp_path: Path) -> None:
        records: list[Any] = [rec(str(i)) for i in range(1000)]
        for at in range(0, 1000, 100):
            records[at] = {"id": str(at), "wrong": 1}
        with Server(tmp_path) as running:
            answer = running.send("/v1/capture/churn", records)
            assert answer.status == 207
            assert answer.json["accepted"] == 990
            assert [r["index"] for r in answer.json["rejected"]] == list(range(0, 1000, 100))
            assert {r["code"] for r in answer.json["rejected"]} == {"E-FIELD"}
            stats = running.get("/v1/stats").json
            assert (stats["received"], stats["waiting"], stats["balance"]) == (1000, 990, 0)
            assert stats["dropped"] == {"refused E-FIELD": 10}
            running.kill()
        sealed(tmp_path)
        assert sorted(map(int, ids(tmp_path))) == [i for i in range(1000) if i % 100]

    def test_nothing_good(self, server: Server) -> None:
        answer = server.send("/v1/capture/churn", [{"id": "a"}, 7])
        assert (answer.status, answer.json["accepted"]) == (400, 0)
        assert [r["code"] for r in answer.json["rejected"]] == ["E-RECORD", "E-JSON"]

    def test_ids_that_were_made(self, server: Server) -> None:
        answer = server.send("/v1/capture/churn", [{"input": 1}, rec("a")])
        assert [item["index"] for item in answer.json["ids"]] == [0]

    def test_what_cannot_be_tabled_is_in_quarantine(self, tmp_path: Path) -> None:
        with Server(tmp_path, "--seal-seconds", "0.2") as running:
            answer = running.send(
                "/v1/capture/churn", [rec("a"), rec("b", input=[1, 2]), rec("c", input={"x": [[1]]})]
            )
            assert answer.status == 200
            assert running.stop()[0] == 0
        sealed(tmp_path)
        with Captures(tmp_path) as captures:
            stats = captures.stats()
        assert (stats.stored, stats.quarantined, stats.balance) == (1, 2, 0)

    def test_kserve_halves_become_one_event(self, tmp_path: Path) -> None:
        about = {
            "ce-specversion": "1.0",
            "ce-id": "k1",
            "ce-source": "s",
            "ce-inferenceservicename": "iris",
            **JSON,
        }
        with Server(tmp_path, "--pair-seconds", "30") as running:
            for kind, body in (
                ("response", b'{"predictions":[1]}'),
                ("request", b'{"instances":[[5.1,3.5]]}'),
            ):
                headers = {**about, "ce-type": f"org.kubeflow.serving.inference.{kind}"}
                assert running.post("/v1/capture", body, headers).status == 200
            running.stop()
        sealed(tmp_path)
        table = window(tmp_path, "iris", *EVER).table()
        assert table.num_rows == 1
        row = table.to_pylist()[0]
        assert (row["_side"], row["_c0"], row["_c1"], row["prediction"]) == ("both", 5.1, 3.5, 1)

    @pytest.mark.parametrize(
        ("method", "path", "status", "code"),
        [
            ("GET", "/", 404, "E-PATH"),
            ("POST", "/v1/capture/a/b/c", 404, "E-PATH"),
            ("POST", "/v2/capture/a", 404, "E-PATH"),
            ("GET", "/v1/capture/a", 405, "E-METHOD"),
            ("PUT", "/v1/capture/a", 405, "E-METHOD"),
            ("POST", "/healthz", 405, "E-METHOD"),
            ("POST", "/v1/stats", 405, "E-METHOD"),
            ("POST", "/v1/capture/", 400, "E-NAME"),
            ("POST", "/v1/capture//x", 400, "E-NAME"),
            ("POST", "/v1/capture/..%2f..%2fetc", 404, "E-PATH"),
            ("POST", "/v1/capture/%2e%2e", 400, "E-NAME"),
            ("POST", "/v1/capture/a%0d%0ab", 400, "E-NAME"),
            ("POST", "/v1/capture/%00", 400, "E-NAME"),
            ("POST", "/v1/capture/.driftline", 400, "E-NAME"),
            ("POST", "/v1/capture/" + "x" * 64, 400, "E-NAME"),
            ("POST", "/v1/truth/..", 400, "E-NAME"),
        ],
    )
    def test_paths(self, server: Server, method: str, path: str, status: int, code: str) -> None:
        answer = exchange(server.address, request(method, path, b"", {"content-length": "0"}))
        assert (answer.status, answer.code) == (status, code)

    def test_truth(self, tmp_path: Path) -> None:
        with Server(tmp_path) as running:
            running.send("/v1/capture/churn", [rec("a")])
            answer = running.send("/v1/truth/churn", [{"event_id": "a", "label": 1}])
            assert (answer.status, answer.json) == (200, {"accepted": 1, "repeated": False})
            again = [
                running.send("/v1/truth/churn", [{"event_id": "a", "label": 1}], **{"idempotency-key": "k"})
                for _ in "ab"
            ]
            assert [answer.json["repeated"] for answer in again] == [False, True]
            refused = running.send("/v1/truth/churn", [{"event_id": "b", "label": 1}, {"label": 1}])
            assert (refused.status, refused.code) == (400, "E-LABEL")
            assert running.post("/v1/truth/churn", b"1", JSON).code == "E-RECORD"
            assert running.post("/v1/truth/churn", b"1", {"content-type": "text/csv"}).status == 415

    def test_metrics(self, tmp_path: Path) -> None:
        with Server(tmp_path, "--seal-seconds", "0.2") as running:
            running.send("/v1/capture/churn", [rec("a"), rec("a"), rec("b", input=[1]), {"id": "c"}])
            wanted = {
                'driftline_capture_received_total{endpoint="churn",variant="AllTraffic"} 4',
                'driftline_capture_stored_total{endpoint="churn",variant="AllTraffic"} 1',
                'driftline_capture_duplicate_total{endpoint="churn",variant="AllTraffic"} 1',
                'driftline_capture_quarantined{endpoint="churn",variant="AllTraffic",reason="E-PAYLOAD"} 1',
                'driftline_capture_dropped_total{endpoint="churn",variant="AllTraffic",reason="refused E-RECORD"} 1',
                "driftline_capture_waiting 0",
                "driftline_capture_waiting_bytes 0",
                'driftline_sink_records_total{result="accepted"} 3',
                'driftline_sink_records_total{result="rejected"} 1',
                'driftline_sink_responses_total{status="207"} 1',
                'driftline_sink_refused_total{code="E-RECORD"} 1',
            }

            def told() -> bool:
                # What is refused is written down with what comes next.
                running.get("/v1/stats")
                return wanted <= set(running.get("/metrics").body.decode().splitlines())

            wait_for(told)


class TestBodies:
    def test_gzip(self, server: Server) -> None:
        body = gzip.compress(ndjson([rec("g1")])) + gzip.compress(b"\n" + ndjson([rec("g2")]))
        assert (
            server.post("/v1/capture/churn", body, {**NDJSON, "content-encoding": "gzip"}).json["accepted"]
            == 2
        )

    @pytest.mark.parametrize(
        ("body", "headers", "status", "code"),
        [
            (b"x", {"content-encoding": "gzip"}, 400, "E-GZIP"),
            (gzip.compress(b"{}", mtime=0)[:-9], {"content-encoding": "gzip"}, 400, "E-GZIP"),
            (b"{}", {"content-encoding": "br"}, 415, "E-CONTENT-ENCODING"),
            (b"{}", {"content-encoding": "gzip, gzip"}, 415, "E-CONTENT-ENCODING"),
            (b"{}", {"content-type": "application/json; charset=utf-16"}, 415, "E-CHARSET"),
            (b"{}", {"content-type": "application/x-www-form-urlencoded"}, 415, "E-TYPE"),
            (b"", {}, 400, "E-EMPTY"),
            (b"[" * 50_000, {}, 400, "E-JSON-DEPTH"),
            (b'{"input":' + b'{"a":' * 900 + b"1" + b"}" * 901, {"x-kept": "sealing judges"}, 200, None),
            (b"[" + b"1," * 2000 + b"1]", {}, 413, "E-RECORDS"),
            (b"x" * (2 * MIB + 1), {}, 413, "E-SIZE"),
            (gzip.compress(b" " * (2 * MIB + 1), mtime=0), {"content-encoding": "gzip"}, 413, "E-SIZE"),
        ],
    )
    def test_bodies(
        self, server: Server, body: bytes, headers: dict[str, str], status: int, code: str | None
    ) -> None:
        answer = server.post("/v1/capture/churn", body, {**JSON, **headers})
        assert answer.status == status
        assert code is None or answer.code == code

    def test_bombs(self, server: Server) -> None:
        """H5: each is refused within a second, and memory does not grow by 64 MiB."""
        server.post("/v1/capture/churn", b"x" * (2 * MIB + 1), JSON)
        before = server.rss()
        bomb = zlib.compressobj(1, wbits=31)
        data = b"".join(bomb.compress(bytes(16 * MIB)) for _ in range(16)) + bomb.flush()
        began = time.monotonic()
        answer = server.post("/v1/capture/churn", data, {**JSON, "content-encoding": "gzip"})
        assert (answer.status, answer.code) == (413, "E-SIZE")
        head = b"POST /v1/capture/churn HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        assert exchange(server.address, head + b"content-length: 10737418240\r\n\r\n").status == 413
        endless = head + b"transfer-encoding: chunked\r\n\r\n" + b"10000\r\n" + b" " * 65536 + b"\r\n"
        with socket.create_connection(server.address, timeout=10) as connection:
            connection.sendall(endless)
            with contextlib.suppress(OSError):
                for _ in range(200):
                    connection.sendall(b"10000\r\n" + b" " * 65536 + b"\r\n")
            assert read_answer(connection).status in (0, 413)
        assert time.monotonic() - began < 5
        assert server.rss() - before < 64 * MIB


HEAD = b"POST /v1/capture/churn HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
GOOD = b'{"id":"w","input":1}'


class TestWire:
    @pytest.mark.parametrize(
        "data",
        [
            b"NONSENSE\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            HEAD + b"content-length: 20\r\ncontent-length: 21\r\n\r\n" + GOOD,
            HEAD + b"content-length: 20\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            HEAD + b"transfer-encoding: chunked\r\ncontent-length: 20\r\n\r\n0\r\n\r\n",
            HEAD + b"transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n",
            HEAD + b"content-length: -1\r\n\r\n",
            HEAD + b"content-length: +20\r\n\r\n" + GOOD,
            HEAD + b"content-length: 0x14\r\n\r\n" + GOOD,
            HEAD + b"transfer-encoding: chunked\r\n\r\nzz\r\n",
            HEAD + b"transfer-encoding: chunked\r\n\r\n-1\r\n\r\n",
            HEAD + b"transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
            HEAD + b"content-type: text/csv\r\ncontent-length: 20\r\n\r\n" + GOOD,
            HEAD + b"driftline-side: input\r\ndriftline-side: output\r\ncontent-length: 20\r\n\r\n" + GOOD,
            HEAD + b"content-encoding: gzip\r\ncontent-encoding: gzip\r\ncontent-length: 20\r\n\r\n" + GOOD,
            HEAD + b"x-a: " + b"a" * 65536 + b"\r\ncontent-length: 20\r\n\r\n" + GOOD,
            HEAD + b"x: y\r\n" * 2000 + b"content-length: 20\r\n\r\n" + GOOD,
            HEAD + b"x-a: a\0b\r\ncontent-length: 20\r\n\r\n" + GOOD,
            HEAD + b"x-a : b\r\ncontent-length: 20\r\n\r\n" + GOOD,
            HEAD + b" folded: x\r\ncontent-length: 20\r\n\r\n" + GOOD,
            b"POST /v1/capture/a\rb HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n",
            b"POST /v1/capture/\xff HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n",
            b"POST " + b"/a" * 40_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n",
            b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        ],
    )
    def test_bad_requests(self, server: Server, data: bytes) -> None:
        """H7, H12: 400 and the end of the connection."""
        with socket.create_connection(server.address, timeout=10) as connection:
            with contextlib.suppress(OSError):
                connection.sendall(data)
            answer = read_answer(connection)
            assert answer.status in (400, 0), answer
            assert answer.headers.get("connection", "close") == "close"
            with contextlib.suppress(ConnectionResetError):
                assert connection.recv(1024) == b""

    def test_nothing_is_smuggled(self, server: Server) -> None:
        inner = HEAD + b"content-length: 20\r\n\r\n" + GOOD
        outer = HEAD + b"content-length: %d\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n" % (len(inner) + 5)
        before = server.get("/v1/stats").json["received"]
        answer = exchange(server.address, outer + inner)
        assert answer.status == 400
        assert server.get("/v1/stats").json["received"] == before

    def test_pipelining(self, server: Server) -> None:
        one = request("POST", "/v1/capture/churn", GOOD, JSON)
        with socket.create_connection(server.address, timeout=10) as connection:
            connection.sendall(one * 5)
            got = b""
            while got.count(b'"accepted": 1') < 5:
                piece = connection.recv(65536)
                assert piece
                got += piece
        assert got.count(b"HTTP/1.1 200") == 5

    def test_chunked(self, server: Server) -> None:
        body = b"".join(b"%x\r\n%b\r\n" % (1, bytes([c])) for c in GOOD) + b"0\r\n\r\n"
        assert (
            exchange(server.address, HEAD + b"transfer-encoding: chunked\r\n\r\n" + body).json["accepted"]
            == 1
        )

    def test_expect_continue(self, server: Server) -> None:
        with socket.create_connection(server.address, timeout=10) as connection:
            connection.sendall(HEAD + b"expect: 100-continue\r\ncontent-length: 20\r\n\r\n")
            assert connection.recv(1024).startswith(b"HTTP/1.1 100")
            connection.sendall(GOOD)
            assert read_answer(connection).status == 200

    def test_slow_clients_do_not_harm_others(self, server: Server) -> None:
        """H4: many that say half a request."""
        with contextlib.ExitStack() as stack:
            for at in range(300):
                connection = stack.enter_context(socket.create_connection(server.address, timeout=10))
                connection.sendall(HEAD if at % 2 else HEAD + b"content-length: 20\r\n\r\n{")
            began = time.monotonic()
            for i in range(20):
                assert server.send("/v1/capture/churn", [rec(f"slow{i}")]).status == 200
            assert time.monotonic() - began < 5

    @pytest.mark.exam
    def test_slow_clients_are_shown_the_door(self, tmp_path: Path) -> None:
        """H4: headers in 10 seconds, bodies in 30, however slowly they drip."""
        starts = {"headers": HEAD, "body": HEAD + b"content-length: 5000\r\n\r\n", "blank lines": b""}
        ended: dict[str, list[float]] = {kind: [] for kind in starts}
        with Server(tmp_path) as running, contextlib.ExitStack() as stack:
            began = time.monotonic()
            opened = []
            for at in range(300):
                kind = [*starts][at % 3]
                connection = stack.enter_context(socket.create_connection(running.address, timeout=10))
                connection.sendall(starts[kind])
                connection.setblocking(False)
                opened.append((kind, connection))
            slowest = 0.0
            while opened and time.monotonic() - began < 60:
                sent = time.monotonic()
                assert running.send("/v1/capture/churn", [rec(f"{sent}")]).status == 200
                slowest = max(slowest, time.monotonic() - sent)
                threading.Event().wait(0.5)
                for kind, connection in list(opened):
                    try:
                        connection.send(b"\r\n" if kind == "blank lines" else b"x")
                        over = connection.recv(100) is not None
                    except BlockingIOError:
                        over = False
                    except OSError:
                        over = True
                    if over:
                        ended[kind].append(time.monotonic() - began)
                        opened.remove((kind, connection))
        assert not opened
        assert max(ended["headers"]) < 15
        assert max(ended["blank lines"]) < 15
        assert 29 < min(ended["body"]) <= max(ended["body"]) < 36
        assert slowest < 2

    def test_a_client_that_leaves(self, server: Server) -> None:
        with socket.create_connection(server.address) as connection:
            connection.sendall(HEAD + b"content-length: 20\r\n\r\n{")
        assert server.send("/v1/capture/churn", [rec("after")]).status == 200


TEAM, ALL_OF_THEM, FORMER = "team-token-0123456789", "every-token-0123456789", "former-token-0123456789"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("guarded")
    (folder / "tokens").write_text(f"# who\n{TEAM} churn,churn-canary\n{ALL_OF_THEM} *\n{FORMER} churn\n")
    with Server(
        folder / "captures", "--token-file", str(folder / "tokens"), "--max-endpoints", "4"
    ) as running:
        yield running


class TestTokens:
    def bearer(self, token: str) -> dict[str, str]:
        return {"authorization": f"Bearer {token}"}

    @pytest.mark.parametrize(
        ("path", "headers", "status"),
        [
            ("/v1/capture/churn", {}, 401),
            ("/v1/capture/churn", {"authorization": "Bearer"}, 401),
            ("/v1/capture/churn", {"authorization": "Bearer " + "x" * 5000}, 401),
            ("/v1/capture/churn", {"authorization": "Basic !"}, 401),
            (f"/v1/capture/churn?token={TEAM}", {}, 401),
            ("/v1/capture/churn", {"authorization": f"Bearer {TEAM}"}, 200),
            (
                "/v1/capture/churn",
                {"authorization": "Basic " + base64.b64encode(f"x:{TEAM}".encode()).decode()},
                200,
            ),
            ("/v1/capture/fraud", {"authorization": f"Bearer {TEAM}"}, 403),
            ("/v1/capture/fraud", {"authorization": f"Bearer {ALL_OF_THEM}"}, 200),
            ("/v1/truth/fraud", {"authorization": f"Bearer {TEAM}"}, 403),
            ("/v1/truth/churn", {}, 401),
        ],
    )
    def test_matrix(self, guarded: Server, path: str, headers: dict[str, str], status: int) -> None:
        assert guarded.send(path, [rec("t")], **headers).status == status

    @pytest.mark.parametrize(
        ("path", "token", "status"),
        [
            ("/healthz", None, 200),
            ("/metrics", None, 401),
            ("/metrics", TEAM, 403),
            ("/metrics", ALL_OF_THEM, 200),
            ("/v1/stats", TEAM, 403),
            ("/v1/stats/churn", TEAM, 200),
            ("/v1/stats/fraud", TEAM, 403),
        ],
    )
    def test_reading(self, guarded: Server, path: str, token: str | None, status: int) -> None:
        assert guarded.get(path, self.bearer(token) if token else None).status == status

    def test_records_that_name_another_endpoint(self, guarded: Server) -> None:
        records = [rec("t1", endpoint="churn"), rec("t2", endpoint="fraud")]
        answer = guarded.send("/v1/capture", records, **self.bearer(TEAM))
        assert (answer.status, answer.json["accepted"]) == (207, 1)
        assert answer.json["rejected"][0]["code"] == "E-FORBIDDEN"

    def test_many_names(self, guarded: Server) -> None:
        """H8: as many endpoints as the quota allows, whatever is sent."""
        records = [rec("q", endpoint=f"e{i}") for i in range(1000)]
        answer = guarded.send("/v1/capture", records, **self.bearer(ALL_OF_THEM))
        assert {r["code"] for r in answer.json["rejected"]} == {"E-QUOTA"}
        more = [rec("q", endpoint=f"f{i}") for i in range(5)]
        assert guarded.send("/v1/capture", more, **self.bearer(ALL_OF_THEM)).status == 403
        places = guarded.get("/v1/stats", self.bearer(ALL_OF_THEM)).json
        assert places["balance"] == 0

    def test_a_token_is_revoked(self, guarded: Server) -> None:
        assert guarded.send("/v1/capture/churn", [rec("r")], **self.bearer(FORMER)).status == 200
        file = guarded.folder.parent / "tokens"
        file.write_text(f"{TEAM} churn,churn-canary\n{ALL_OF_THEM} *\n")
        wait_for(lambda: guarded.send("/v1/capture/churn", [rec("r")], **self.bearer(FORMER)).status == 401)
        assert guarded.send("/v1/capture/churn", [rec("r")], **self.bearer(TEAM)).status == 200

    def test_tokens_are_never_told(self, tmp_path: Path) -> None:
        (tmp_path / "tokens").write_text(f"{TEAM} churn\n")
        with Server(tmp_path / "captures", "--token-file", str(tmp_path / "tokens")) as running:
            said = [
                running.send(path, [rec("t")], **self.bearer(token))
                for path in ("/v1/capture/churn", f"/v1/capture/churn?token={TEAM}", f"/{TEAM}")
                for token in (TEAM, TEAM[:-1], "wrong-token-0123456789")
            ]
            assert (
                exchange(
                    running.address, b"BAD\r\nauthorization: Bearer " + TEAM.encode() + b"\r\n\r\n"
                ).status
                == 400
            )
            _, printed = running.stop()
        assert TEAM not in printed
        for answer in said[:6]:
            assert TEAM[:-1].encode() not in answer.body
        for path in (tmp_path / "captures").rglob("*"):
            assert not path.is_file() or TEAM.encode() not in path.read_bytes()


def ask(application: Any, body: bytes, path: str = "/v1/capture/churn", n: int = 1) -> list[Answer]:
    """Ask an application in this process, `n` times at once."""

    async def one() -> Answer:
        said: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            said.append(message)

        scope = {
            "type": "http",
            "method": "POST",
            "path": path,
            "headers": [(b"content-type", b"application/json")],
        }
        await application(scope, receive, send)
        headers = {name.decode(): value.decode() for name, value in said[0]["headers"]}
        return Answer(said[0]["status"], headers, b"".join(message.get("body", b"") for message in said[1:]))

    async def all_of_them() -> list[Answer]:
        return await asyncio.gather(*(one() for _ in range(n)))

    return asyncio.run(all_of_them())


class TestInside:
    @pytest.fixture
    def captures(self, tmp_path: Path) -> Iterator[Captures]:
        with Captures(tmp_path, seal_in="thread") as captures:
            yield captures

    def test_too_many_requests(self, captures: Captures) -> None:
        answers = ask(sink(captures, max_requests=2), b'{"input":1}', n=5)
        assert sorted(answer.status for answer in answers) == [200, 200, 503, 503, 503]
        assert {answer.headers.get("retry-after") for answer in answers if answer.status == 503} == {"1"}
        assert captures.stats().waiting == 2

    def test_too_many_bytes(self, captures: Captures) -> None:
        body = b'{"input":"' + b"x" * 600 + b'"}'
        answers = ask(sink(captures, max_body=1000, max_waiting=1500), body, n=4)
        assert sorted(answer.status for answer in answers) == [200, 200, 503, 503]

    def test_too_late(self, captures: Captures) -> None:
        answers = ask(sink(captures, max_delay=1e-9), json.dumps([{"input": 1}] * 600).encode(), n=3)
        assert sorted(answer.status for answer in answers) == [200, 503, 503]

    def test_a_disk_that_does_not_answer(self, captures: Captures, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(captures, "put", lambda events, done: True)
        (answer,) = ask(sink(captures, store_seconds=0.05), b'{"input":1}')
        assert (answer.status, answer.code, answer.headers["retry-after"]) == (503, "E-BUSY", "5")

    def test_a_log_without_room(self, captures: Captures, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(captures, "put", lambda events, done: False)
        (answer,) = ask(sink(captures), b'{"input":1}')
        assert (answer.status, answer.code, answer.headers["retry-after"]) == (503, "E-BUSY", "1")

    def test_a_fault_of_ours(self, captures: Captures, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(captures, "put", lambda events, done: 1 // 0)
        (answer,) = ask(sink(captures), b'{"input":1}')
        assert (answer.status, answer.code) == (500, "E-INTERNAL")
        assert b"ZeroDivision" not in answer.body

    def test_labels_are_optional(self, captures: Captures) -> None:
        assert ask(sink(captures), b"{}", "/v1/truth/churn")[0].status == 404
        (answer,) = ask(
            sink(captures, labels=lambda message: {"endpoint": message.endpoint}), b"{}", "/v1/truth/churn"
        )
        assert answer.json == {"endpoint": "churn"}

    def test_a_body_must_fit_into_the_log(self, captures: Captures) -> None:
        with pytest.raises(UsageError, match="max_body") as caught:
            sink(captures, max_body=1 << 30)
        assert caught.value.code == "E-LIMIT"


class TestNotHttp:
    def test_json_is_ours(self, server: Server) -> None:
        answer = server.get("/nowhere")
        assert answer.headers["content-type"] == "application/json"
        assert set(answer.json["error"]) == {"code", "message", "fix"}
        assert json.loads(answer.body) == answer.json
