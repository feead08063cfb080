"""Whatever fails around the sink, what it acknowledged is there, once, and it goes on by itself."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import socket
import subprocess
import threading
import time
from typing import TYPE_CHECKING

import pytest
from sink_server import NDJSON, Answer, Server, exchange, ids, ndjson, post, rec, request, sealed, wait_for

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1 << 20


class _Load:
    """Clients that send numbered records until they are told to stop, and keep what was acknowledged."""

    def __init__(self, n_clients: int, batch: int = 20, retry: bool = False) -> None:
        self.acked: set[str] = set()
        self.statuses: dict[int, int] = {}
        self.bad: list[Answer] = []
        self.first_after: float | None = None
        self.restarted: float | None = None
        self.seconds: list[float] = []
        self.stop = threading.Event()
        self._retry = retry
        self._batch = batch
        self._guard = threading.Lock()
        self._threads = [threading.Thread(target=self._run, args=(n,), daemon=True) for n in range(n_clients)]
        self.address = ("127.0.0.1", 0)

    def start(self, address: tuple[str, int]) -> None:
        self.address = address
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        self.stop.set()
        for thread in self._threads:
            thread.join(60)

    def _run(self, client: int) -> None:
        n = 0
        while not self.stop.is_set():
            names = [f"{client}-{n}-{i}" for i in range(self._batch)]
            n += 1
            body = ndjson([rec(name) for name in names])
            while not self.stop.is_set():
                began = time.monotonic()
                try:
                    answer = post(self.address, "/v1/capture/churn", body, NDJSON)
                except OSError:
                    answer = Answer(0)
                with self._guard:
                    self.statuses[answer.status] = self.statuses.get(answer.status, 0) + 1
                    if answer.status == 200:
                        self.acked.update(names)
                        self.seconds.append(time.monotonic() - began)
                        if self.restarted is not None and self.first_after is None:
                            self.first_after = time.monotonic() - self.restarted
                    elif answer.status >= 500 and "retry-after" not in answer.headers:
                        self.bad.append(answer)
                if answer.status == 200 or not self._retry:
                    break


def killed_under_load(folder: Path, rounds: int, seed: int) -> None:
    """H1, H2, H10: what was acknowledged is there once, however often the sink dies, and clients that retry go on."""
    rng = random.Random(seed)
    load = _Load(3, retry=True)
    port = 0
    for number in range(rounds):
        with Server(folder, "--seal-seconds", "0.3", port=port) as running:
            port = running.address[1]
            if number == 0:
                load.start(running.address)
            else:
                with load._guard:
                    load.restarted, load.first_after = time.monotonic(), None
                wait_for(lambda: load.first_after is not None)
                assert load.first_after is not None
                assert load.first_after < 5
            threading.Event().wait(rng.uniform(0.05, 0.6))
            running.kill()
    load.join()
    sealed(folder)
    found = ids(folder)
    assert len(found) == len(set(found))
    assert load.acked
    assert load.acked <= set(found)
    assert not load.bad


class TestFaults:
    def test_killed_under_load(self, tmp_path: Path) -> None:
        killed_under_load(tmp_path, 4, 1)

    @pytest.mark.exam
    @pytest.mark.parametrize("seed", range(5))
    def test_killed_under_load_often(self, tmp_path: Path, seed: int) -> None:
        killed_under_load(tmp_path, 60, seed)

    def test_the_answer_is_lost(self, tmp_path: Path) -> None:
        """H2: the client never hears of it and sends again."""
        data = request("POST", "/v1/capture/churn", ndjson([rec(str(i)) for i in range(50)]), NDJSON)
        with Server(tmp_path) as running:
            for _ in range(3):
                with socket.create_connection(running.address) as connection:
                    connection.sendall(data)
            answer = exchange(running.address, data)
            assert answer.status == 200
            running.kill()
        sealed(tmp_path)
        assert sorted(map(int, ids(tmp_path))) == list(range(50))

    def test_stops_in_time(self, tmp_path: Path) -> None:
        load = _Load(2)
        with Server(tmp_path) as running, socket.create_connection(running.address) as idle:
            idle.sendall(b"POST /v1/capture/churn HTTP/1.1\r\n")
            load.start(running.address)
            wait_for(lambda: len(load.acked) > 100)
            began = time.monotonic()
            code, printed = running.stop()
            took = time.monotonic() - began
            load.join()
        assert (code, printed.splitlines()[-1]) == (0, "stopped")
        assert took < 6
        sealed(tmp_path)
        assert load.acked <= set(ids(tmp_path))

    def overloaded(self, folder: Path, seconds: float, n_clients: int) -> _Load:
        load = _Load(n_clients, batch=400)
        with Server(folder) as running:
            load.start(running.address)
            load.stop.wait(seconds)
            load.join()
            assert running.rss() < 512 * MIB
            assert running.send("/v1/capture/churn", [rec("after")]).status == 200
            stats = running.get("/v1/stats").json
            assert stats["balance"] == 0
        assert not load.bad
        assert set(load.statuses) <= {200, 503}
        ordered = sorted(load.seconds)
        assert ordered[int(0.99 * len(ordered))] < 5
        return load

    def test_overload(self, tmp_path: Path) -> None:
        """H3."""
        assert self.overloaded(tmp_path, 3, 24).acked

    @pytest.mark.exam
    def test_overload_for_a_minute(self, tmp_path: Path) -> None:
        self.overloaded(tmp_path, 60, 100)

    def test_disk_budget(self, tmp_path: Path) -> None:
        with Server(tmp_path, "--disk-budget", "200kB", "--seal-seconds", "0.2") as running:
            answers = []

            def full() -> bool:
                records = [rec(os.urandom(8).hex(), input={"t": os.urandom(500).hex()}) for _ in range(50)]
                answers.append(running.send("/v1/capture/churn", records))
                return answers[-1].status != 200

            wait_for(full)
            assert (answers[-1].status, answers[-1].code) == (507, "E-CAPTURE-FULL")
            assert "retry-after" in answers[-1].headers
            stats = running.get("/v1/stats").json
            assert stats["balance"] == 0
            assert stats["dropped"]["disk budget"] > 0

    @pytest.mark.exam  # it mounts a disk, which only root may
    def test_full_disk(self, tmp_path: Path) -> None:
        """H11: 507 while there is no room, everything else goes on, and it recovers unaided."""
        place = tmp_path / "small"
        place.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(place)], check=True)
        try:
            with Server(place / "captures") as running:
                acked = []
                assert running.send("/v1/capture/churn", [rec("first")]).status == 200
                filler = place / "filler"
                with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
                    while file.write(bytes(4096)):
                        pass
                answer = None
                for n in range(200):
                    records = [rec(f"{n}-{i}", input={"t": "x" * 500}) for i in range(50)]
                    answer = running.send("/v1/capture/churn", records)
                    if answer.status != 200:
                        break
                    acked += [record["id"] for record in records]
                assert answer is not None
                assert (answer.status, answer.code) == (507, "E-CAPTURE-FULL")
                assert "retry-after" in answer.headers
                assert running.get("/healthz").status == 200
                filler.unlink()
                wait_for(lambda: running.send("/v1/capture/churn", [rec("last")]).status == 200, 5)
                running.stop()
            shutil.copytree(place / "captures", tmp_path / "copy")
        finally:
            subprocess.run(["umount", "-l", str(place)], check=True)
        sealed(tmp_path / "copy")
        found = ids(tmp_path / "copy")
        assert {"first", "last", *acked} <= set(found)
        assert len(found) == len(set(found))

    def test_a_limit_on_files(self, tmp_path: Path) -> None:
        """RLIMIT_FSIZE: a write that comes out short is no acknowledgement."""
        with Server(tmp_path, limits="ulimit -f 256") as running:
            acked = []
            for n in range(40):
                records = [rec(f"{n}-{i}", input={"t": "x" * 800}) for i in range(20)]
                answer = running.send("/v1/capture/churn", records)
                assert answer.status in (200, 507)
                if answer.status == 200:
                    acked += [record["id"] for record in records]
            running.kill()
        assert acked
        sealed(tmp_path)
        assert set(acked) <= set(ids(tmp_path))
