from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from captured import HOUR, NOON, Clock, csv, event, halves, seen
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from driftline.capture import accounts, wal
from driftline.capture import captures as module
from driftline.capture.archive import Archive
from driftline.capture.captures import Captures, Limits, Stats, stats_of
from driftline.capture.event import now
from driftline.capture.seal import tables_of
from driftline.capture.upkeep import check, compact, erase, expire, quarantined, replay
from driftline.capture.wal import Log
from driftline.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from driftline.capture.event import Event

FORK = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
FAST = Limits(seal_seconds=30.0)


@pytest.fixture
def captures(tmp_path: Path) -> Iterator[Captures]:
    made = Captures(tmp_path / "captures", seal_in="thread", limits=FAST)
    yield made
    made.close()


def threads_of_capture() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("driftline")]


# --- in and out


def test_what_was_written_is_seen_once_it_is_sealed(captures: Captures) -> None:
    captures.write([event("a"), event("b")])
    stats = captures.stats()
    assert (stats.received, stats.waiting, stats.stored, stats.balance) == (2, 2, 0, 0)
    assert captures.seal()
    assert seen(captures.archive.target.name) == {"a": 1, "b": 1}
    stats = captures.stats()
    assert (stats.received, stats.waiting, stats.stored, stats.balance) == (2, 0, 2, 0)
    assert captures.failures == ()


def test_put_tells_when_it_is_on_the_disk(captures: Captures) -> None:
    told: list[object] = []
    assert captures.put([event("a")], told.append)
    assert captures.put([], told.append)
    assert captures.flush()
    assert told == [None, None]
    held = [p for path in captures.archive.logs.iterdir() for p in wal.read_log(path.read_bytes()).payloads]
    assert len(held) == 1


def test_drops_are_counted(captures: Captures) -> None:
    captures.drop("churn", "AllTraffic", "sampled", 3)
    captures.drop("other", "AllTraffic", "too large")
    assert captures.stats().dropped == {"sampled": 3, "too large": 1}
    assert captures.stats("churn").dropped == {"sampled": 3}
    assert captures.seal()
    stats = captures.stats()
    assert (stats.dropped, stats.received, stats.balance) == ({"sampled": 3, "too large": 1}, 4, 0)


def test_tables_are_stored(captures: Captures) -> None:
    ((table,),) = tables_of([event("a", input=csv("1\n2")), event("b")])[0].values()
    captures.write_table("churn", "AllTraffic", table)
    assert captures.stats().waiting == 2
    assert captures.seal()
    assert seen(captures.archive.target.name) == {"a": 1, "b": 1}


def test_odd_tables_are_refused_at_once(captures: Captures) -> None:
    ((table,),) = tables_of([event("a")])[0].values()
    for endpoint, made, code in (
        ("churn", pa.table({"a": [1]}), "E-TABLE"),
        ("é", table, "E-NAME"),
        ("a b", table, "E-NAME"),
        ("churn", table.set_column(1, "_row", pa.array([5], pa.int32())), "E-TABLE"),
    ):
        with pytest.raises(UsageError) as info:
            captures.put_table(endpoint, "AllTraffic", made)
        assert info.value.code == code
    assert captures.stats() == Stats()


def test_large_tables_are_logged_in_pieces(captures: Captures, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LARGEST", 20_000)
    events = [event(f"e{n:04}", input=csv("1\n2\n3")) for n in range(500)]
    ((table,),) = tables_of(events)[0].values()
    captures.write_table("churn", "AllTraffic", table)
    assert captures.stats().waiting == 500
    assert captures.seal()
    stats = captures.stats()
    assert (stats.stored, stats.rows, stats.balance) == (500, 1500, 0)


def test_what_is_too_large_is_dropped(captures: Captures, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LARGEST", 1000)
    assert not captures.put([event("a", input=csv("x" * 1000)), event("b")])
    assert captures.put([event("c", input=csv("x" * 100))])
    stats = captures.stats()
    assert (stats.dropped, stats.waiting, stats.balance) == ({"too large": 2}, 1, 0)


def test_an_event_of_the_largest_size_survives_quarantine(
    captures: Captures, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert module._LARGEST == wal.MAX_FRAME - 8192
    monkeypatch.setattr(wal, "MAX_FRAME", 100_000)
    monkeypatch.setattr(module, "_LARGEST", 100_000 - 8192)
    size = module._LARGEST - 400
    assert captures.put([event("a", input=csv('"' + "x" * size))])
    assert captures.seal()
    assert captures.failures == ()
    assert captures.stats().quarantine == {"E-PAYLOAD": 1}


# --- several processes


def test_stats_from_another_process(captures: Captures) -> None:
    captures.write([event("a"), event("bad", input=csv('"'))])
    captures.drop("churn", "AllTraffic", "sampled")
    assert captures.seal()
    captures.write([event("c")])
    code = (
        "import sys; from driftline.capture.archive import Archive\n"
        "from driftline.capture.captures import stats_of\n"
        "s = stats_of(Archive(sys.argv[1]))\n"
        "print(s.received, s.stored, s.quarantined, s.waiting, dict(s.dropped), s.balance)"
    )
    said = subprocess.run(
        [sys.executable, "-c", code, captures.archive.target.name], capture_output=True, check=True, text=True
    )
    assert said.stdout.strip() == "4 1 1 1 {'sampled': 1} 0"


def test_stats_do_not_wait_for_who_seals(captures: Captures) -> None:
    captures.write([event("a")])
    with captures.archive.alone():
        assert captures.stats().waiting == 1


def test_a_seal_between_two_looks_changes_no_count(
    captures: Captures, monkeypatch: pytest.MonkeyPatch
) -> None:
    captures.write([event("a"), *halves("h", at=now())[:1]])
    real, done = accounts.held_in, []

    def held(*args: Any) -> Any:
        if not done:
            done.append(True)
            assert captures.seal()
        return real(*args)

    monkeypatch.setattr(accounts, "held_in", held)
    stats = stats_of(captures.archive)
    assert (stats.received, stats.stored, stats.waiting, stats.balance) == (2, 1, 1, 0)


@FORK
def test_after_a_fork_both_go_on(captures: Captures) -> None:
    captures.write([event("before")])
    captures.drop("churn", "AllTraffic", "parent's")
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            captures.write([event("child")])
            captures.drop("churn", "AllTraffic", "child's")
            status = 0 if captures.seal() and captures.close() else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    captures.write([event("after")])
    assert captures.seal()
    assert seen(captures.archive.target.name) == {"before": 1, "child": 1, "after": 1}
    stats = captures.stats()
    assert (stats.dropped, stats.balance) == ({"child's": 1, "parent's": 1}, 0)


@FORK
def test_a_child_that_dies_loses_nothing_that_was_acknowledged(captures: Captures) -> None:
    captures.write([event("parent")])
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            captures.write([event("child")])
            os.write(writing, b"x")
            signal.pause()
        finally:
            os._exit(1)
    assert os.read(reading, 1) == b"x"
    assert captures.recover()
    assert captures.stats().waiting == 2
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(reading)
    os.close(writing)
    assert captures.recover()
    assert seen(captures.archive.target.name) == {"child": 1}
    assert captures.stats().balance == 0


def _writer(root: Path, number: int, acks: int, stop: int) -> None:
    """Write for ever, and tell of each event only after it was acknowledged."""
    captures = Captures(root, seal_in="thread", limits=Limits(seal_bytes=4000, seal_seconds=0.2))
    n = 0
    while n < stop:
        captures.write([event(f"{number}-{n}"), event(f"{number}-{n}-x", time=None, at=now())])
        os.write(acks, f"{number}-{n}\n{number}-{n}-x\n".encode())
        if n % 7 == 0:
            captures.drop("churn", "AllTraffic", "sampled")
            captures.write([event(f"{number}-{n}")])
        n += 1
    captures.close()


def _kill_some(root: Path, *, rounds: int, workers: int, seed: int) -> None:
    chance = random.Random(seed)
    acked: set[str] = set()
    for turn in range(rounds):
        reading, writing = os.pipe()
        pids = []
        for k in range(workers):
            pid = os.fork()
            if pid == 0:
                try:
                    os.close(reading)
                    _writer(root, turn * workers + k, writing, 10**9 if k else 5)
                finally:
                    os._exit(0)
            pids.append(pid)
        os.close(writing)
        data = b""
        least = chance.randrange(300, 3000)
        while len(data) < least:
            data += os.read(reading, 65536)
        for pid in pids[1:]:
            os.kill(pid, signal.SIGKILL)
        while piece := os.read(reading, 65536):
            data += piece
        os.close(reading)
        assert os.waitstatus_to_exitcode(os.waitpid(pids[0], 0)[1]) == 0
        for pid in pids[1:]:
            os.waitpid(pid, 0)
        # The last line may be cut in two.
        acked |= set(data.decode().rpartition("\n")[0].split("\n"))
        stats = stats_of(Archive(root))
        assert stats.balance == 0
        if turn % 2:
            continue
        with Captures(root, seal_in="thread") as captures:
            assert captures.seal(), captures.failures
    with Captures(root, seal_in="thread") as captures:
        assert captures.seal(), captures.failures
        stats = captures.stats()
    found = seen(root)
    assert acked <= set(found)
    assert set(found.values()) == {1}
    assert stats.balance == 0
    assert stats.waiting == 0
    assert stats.stored == len(found)
    assert [f for f in check(Archive(root)) if f.is_damage] == []


@FORK
def test_processes_that_are_killed_lose_nothing_acknowledged(tmp_path: Path) -> None:
    _kill_some(tmp_path, rounds=2, workers=3, seed=1)


@FORK
@pytest.mark.exam
def test_many_processes_that_are_killed_lose_nothing_acknowledged(tmp_path: Path) -> None:
    for seed in range(40):
        _kill_some(tmp_path / str(seed), rounds=6, workers=4, seed=seed)


# --- recovery


def _leave(root: Path, *names: str) -> None:
    """Leave a log behind, as a writer does that was killed."""
    folder = root / ".driftline" / "log"
    archive = Archive(root)
    log = Log(archive.logs, lambda _: None)
    assert log.append([wal.frame(module.event_payload(event(name))) for name in names])
    assert log.close()
    assert list(folder.iterdir())


def test_to_open_a_store_is_to_recover_it(tmp_path: Path) -> None:
    _leave(tmp_path, "a", "b")
    captures = Captures(tmp_path, seal_in="thread")
    # It is done beside; who asks waits for it.
    assert captures.recover(30)
    assert seen(tmp_path) == {"a": 1, "b": 1}
    assert captures.close()


def test_opening_does_not_wait_for_recovery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _leave(tmp_path, "a")
    begun, go_on = threading.Event(), threading.Event()

    def slow(self: Captures) -> None:
        begun.set()
        go_on.wait(30)

    monkeypatch.setattr(Captures, "_seal_here", slow)
    captures = Captures(tmp_path, seal_in="thread")
    assert begun.wait(30)
    go_on.set()
    assert captures.close()


def test_where_there_is_nothing_to_recover_no_thread_is_started(tmp_path: Path) -> None:
    other = Captures(tmp_path, seal_in="thread")
    other.write([event("a")])
    before = threads_of_capture()
    captures = Captures(tmp_path, seal_in="thread")
    assert threads_of_capture() == before
    assert captures.close()
    assert other.close()


def test_after_close_nothing_is_taken_and_nothing_hangs(tmp_path: Path) -> None:
    captures = Captures(tmp_path, seal_in="thread")
    captures.write([event("a")])
    assert captures.close()
    assert captures.close()
    assert not captures.put([event("b")])
    with pytest.raises(UsageError) as info:
        captures.write([event("c")])
    assert (info.value.code, info.value.message) == ("E-WRITE", "is closed")
    assert captures.flush(0)
    stats = captures.stats()
    assert (stats.stored, stats.dropped, stats.balance) == (1, {"overload": 2}, 0)
    assert captures.seal(10)
    assert captures.recover(10)


def test_threads_end_with_close(tmp_path: Path) -> None:
    before = threads_of_capture()
    descriptors = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    for n in range(3):
        with Captures(tmp_path, seal_in="thread") as captures:
            captures.write([event(f"e{n}")])
            assert captures.seal()
            captures.stats()
    assert threads_of_capture() == before
    assert len(os.listdir("/proc/self/fd")) == descriptors  # noqa: PTH208


def test_what_was_put_before_an_orderly_end_is_on_the_disk(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom driftline.capture.captures import Captures\n"
        "from driftline.capture.event import Event, Payload\n"
        "captures = Captures(sys.argv[1], seal_in=sys.argv[2])\n"
        "for n in range(50):\n"
        "    captures.put([Event(f'e{n}', 'churn', 'AllTraffic', 5, None, Payload('text/csv', b'1'))])\n"
        "captures.drop('churn', 'AllTraffic', 'sampled')\n"
        "if sys.argv[3] == 'raise': raise SystemExit(3)\n"
    )
    for n, how in enumerate(("end", "raise")):
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path), "thread", how], capture_output=True, check=False
        )
        assert (done.returncode, done.stderr) == (3 if how == "raise" else 0, b"")
        stats = stats_of(Archive(tmp_path))
        assert (stats.received, stats.dropped) == (51 * (n + 1), {"sampled": n + 1})


# --- errors of the disk


class BadDisk:
    """Fails as often as asked where a log is synced."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.left = 0
        real = os.fdatasync

        def sync(descriptor: int) -> None:
            if self.left:
                self.left -= 1
                raise OSError(errno.ENOSPC, "No space left on device")
            real(descriptor)

        patch.setattr(wal.os, "fdatasync", sync)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> BadDisk:
    return BadDisk(monkeypatch)


def test_what_the_disk_does_not_take_is_dropped_and_told(captures: Captures, disk: BadDisk) -> None:
    captures.write([event("a")])
    disk.left = 2
    with pytest.raises(UsageError, match="No space left") as info:
        captures.write([event("b"), event("c")])
    assert info.value.code == "E-WRITE"
    captures.write([event("d")])
    stats = captures.stats()
    assert (stats.waiting + stats.stored, stats.dropped, stats.balance) == (2, {"disk": 2}, 0)
    assert captures.seal()
    assert seen(captures.archive.target.name) == {"a": 1, "d": 1}
    assert captures.stats().dropped == {"disk": 2}


def test_drops_are_told_although_the_disk_is_full(captures: Captures, disk: BadDisk) -> None:
    disk.left = 10**6
    for n in range(5):
        captures.put([event(f"e{n}")])
        assert captures.flush()
    stats = captures.stats()
    assert (stats.received, stats.dropped, stats.balance) == (5, {"disk": 5}, 0)
    disk.left = 0
    assert captures.seal()
    assert stats_of(captures.archive).dropped == {"disk": 5}
    assert captures.stats().dropped == {"disk": 5}


def test_a_slow_disk_is_told_in_time(captures: Captures, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()
    real = os.fdatasync
    monkeypatch.setattr(wal.os, "fdatasync", lambda fd: go_on.wait(30) and real(fd))
    with pytest.raises(UsageError, match=r"within 0\.01 seconds") as info:
        captures.write([event("a")], timeout=0.01)
    assert info.value.code == "E-WRITE"
    go_on.set()
    assert captures.stats().waiting == 1


def test_overload_is_bounded_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on, inside = threading.Event(), threading.Event()
    real = os.fdatasync

    def slow(descriptor: int) -> None:
        inside.set()
        go_on.wait(30)
        real(descriptor)

    monkeypatch.setattr(wal.os, "fdatasync", slow)
    captures = Captures(tmp_path, seal_in="thread", limits=Limits(waiting_bytes=10_000))
    assert captures.put([event("first")])
    assert inside.wait(10)
    taken = sum(captures.put([event(f"e{n}", input=csv("x" * 900))]) for n in range(100))
    assert 5 < taken < 12
    with pytest.raises(UsageError) as info:
        captures.write([event("last", input=csv("x" * 9_000))])
    assert info.value.code == "E-CAPTURE-FULL"
    go_on.set()
    stats = captures.stats()
    assert (stats.received, stats.waiting, stats.balance) == (102, 1 + taken, 0)
    assert stats.dropped == {"overload": 101 - taken}
    assert captures.close()


def test_a_failed_seal_is_told_and_tried_again(captures: Captures, monkeypatch: pytest.MonkeyPatch) -> None:
    captures.write([event("a")])
    with monkeypatch.context() as patch:
        patch.setattr(Archive, "written", lambda *_: (_ for _ in ()).throw(KeyError("odd")))
        for _ in range(30):
            assert not captures.seal()
        assert 0 < len(captures.failures) <= 20
    assert captures.stats().waiting == 1
    assert captures.seal()
    assert captures.stats().stored == 1


# --- the disk budget


def bulk(n: int, prefix: str, at: int = NOON) -> list[Any]:
    return [event(f"{prefix}{k}", at=at, input=csv(os.urandom(300).hex())) for k in range(n)]


def test_a_used_up_budget_refuses(tmp_path: Path) -> None:
    captures = Captures(tmp_path, seal_in="thread", limits=Limits(disk_bytes=200_000))
    taken = sum(captures.put([made]) for made in bulk(600, "e"))
    assert captures.seal()
    stats = captures.stats()
    assert 150 < taken < 600
    assert (stats.stored, stats.dropped, stats.balance) == (taken, {"disk budget": 600 - taken}, 0)
    assert captures.close()


def test_a_refusal_ends_when_there_is_room(tmp_path: Path) -> None:
    captures = Captures(tmp_path, seal_in="thread", limits=Limits(disk_bytes=100_000))
    while captures.put(bulk(20, os.urandom(4).hex())):
        captures.flush()
    assert captures.seal()
    while captures.put(bulk(50, os.urandom(4).hex())):
        assert captures.seal()
    assert captures.is_full
    assert expire(captures.archive, before=NOON + HOUR) > 0
    captures.archive.manifest.commit(now=now())
    for kind, path in captures.archive.manifest.superseded(2**62):
        assert kind == "events"
        captures.archive.target.remove(path)
        captures.archive.manifest.forget([path])
    assert captures.recover()
    assert not captures.is_full
    captures.write([event("again")])
    assert captures.stats().balance == 0
    assert captures.close()


def test_a_store_that_is_full_when_it_is_opened_refuses(tmp_path: Path) -> None:
    with Captures(tmp_path, seal_in="thread") as captures:
        captures.write(bulk(100, "e"))
    captures = Captures(tmp_path, seal_in="thread", limits=Limits(disk_bytes=1000))
    assert not captures.put([event("a")])
    assert captures.close()


def test_a_used_up_budget_makes_room(tmp_path: Path) -> None:
    limits = Limits(disk_bytes=150_000, when_full="expire")
    captures = Captures(tmp_path, seal_in="thread", limits=limits)
    for hour in range(6):
        captures.write(bulk(100, f"{hour}-", at=NOON + hour * HOUR))
        assert captures.seal()
    stats = captures.stats()
    assert (stats.received, stats.stored, stats.dropped, stats.balance) == (600, 600, {}, 0)
    assert stats.expired > 0
    assert stats.rows == 600 - stats.expired
    # The oldest went.
    hours = {name.partition("-")[0] for name in seen(tmp_path)}
    assert hours == {str(h) for h in range(6 - len(hours), 6)}
    assert module.size_of(captures.archive) <= 150_000
    assert [f for f in check(captures.archive) if f.is_damage] == []
    assert captures.close()


# --- everything at once


class Everything(RuleBasedStateMachine):
    """Whatever is done in whatever order, every event is accounted for."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.patch = pytest.MonkeyPatch()
        self.clock = Clock()
        self.n = self.put = 0
        self.times: dict[str, int] = {}
        self.left: list[Captures] = []

    @initialize()
    def begin(self) -> None:
        self.disk = BadDisk(self.patch)
        self._open()

    def _open(self) -> None:
        self.captures = Captures(self.folder.name, seal_in="thread", limits=FAST, clock=self.clock)

    def _new(self, at: int, **more: Any) -> Event:
        self.n += 1
        self.times[f"e{self.n}"] = at
        return event(f"e{self.n}", at=at, **more)

    @rule(n=st.integers(1, 5), hours=st.integers(-2, 2))
    def put_new(self, n: int, hours: int) -> None:
        self.captures.put([self._new(self.clock.at + hours * HOUR) for _ in range(n)])
        self.put += n

    @rule(data=st.data())
    @precondition(lambda self: self.times)
    def put_again(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.times)))
        self.captures.put([event(name, at=self.times[name])])
        self.put += 1

    @rule(n=st.integers(1, 3))
    def put_bad(self, n: int) -> None:
        odd = [csv('"'), csv("1\n2,3"), csv("1")]
        self.captures.put(
            [self._new(NOON, input=odd[k], endpoint="a/b" if k == 2 else "churn") for k in range(n)]
        )
        self.put += n

    @rule()
    def drop(self) -> None:
        self.captures.drop("churn", "AllTraffic", "sampled", 2)
        self.put += 2

    @rule(fails=st.integers(1, 4))
    def disk_fails(self, fails: int) -> None:
        self.captures.flush()
        self.disk.left = fails
        self.captures.put([self._new(self.clock.at) for _ in range(2)])
        self.put += 2
        self.captures.flush()
        self.disk.left = 0

    @rule()
    def seal(self) -> None:
        assert self.captures.seal(), self.captures.failures

    @rule()
    def seal_fails(self) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Archive, "_set_aside", lambda *_: (_ for _ in ()).throw(OSError("no room")))
            self.captures.seal()

    @rule(closed=st.booleans())
    def reopen(self, closed: bool) -> None:
        if closed:
            assert self.captures.close()
        else:
            # As if it had been killed: the log stays for the next.
            self.captures.flush()
            self.captures._log._closed = lambda _: None
            assert self.captures._log.close()
            self.put -= self.captures._dropped.total()
            self.left.append(self.captures)
        self._open()

    @rule(hours=st.integers(0, 2))
    def time_passes(self, hours: int) -> None:
        self.clock.at += hours * HOUR

    @rule()
    def compact(self) -> None:
        before = seen(self.folder.name)
        compact(self.captures.archive)
        assert seen(self.folder.name) == before

    @rule()
    def replay(self) -> None:
        replay(self.captures.archive)

    @rule(data=st.data())
    @precondition(lambda self: self.times)
    def erase(self, data: st.DataObject) -> None:
        ids = data.draw(st.sets(st.sampled_from(sorted(self.times)), max_size=4))
        assert self.captures.seal()
        erase(self.captures.archive, event_ids=ids)
        assert ids.isdisjoint(seen(self.folder.name))

    @rule(hours=st.integers(0, 3))
    def expire(self, hours: int) -> None:
        expire(self.captures.archive, before=self.clock.at - hours * HOUR)

    @invariant()
    def all_are_accounted_for(self) -> None:
        if not hasattr(self, "captures"):
            return
        stats = self.captures.stats()
        assert stats.balance == 0, stats
        assert stats.received == self.put, stats
        assert stats_of(self.captures.archive).balance == 0

    def teardown(self) -> None:
        try:
            if hasattr(self, "captures"):
                self._finish()
        finally:
            self.patch.undo()
            self.folder.cleanup()

    def _finish(self) -> None:
        try:
            assert self.captures.seal(), self.captures.failures
            stats = self.captures.stats()
            found = seen(self.folder.name)
            assert stats.waiting == 0
            set_aside = sum(1 for _ in quarantined(self.captures.archive))
            assert stats.stored + stats.quarantined == len(found) + set_aside + stats.erased + stats.expired
            assert [f for f in check(self.captures.archive) if f.is_damage] == []
        finally:
            for captures in (*self.left, self.captures):
                captures.close()


TestEverything = Everything.TestCase
TestEverything.settings = settings(max_examples=12, stateful_step_count=15)


@pytest.mark.exam
class TestEverythingAtLength(Everything.TestCase):
    settings = settings(max_examples=100, stateful_step_count=30)
