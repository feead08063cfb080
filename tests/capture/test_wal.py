from __future__ import annotations

import errno
import fcntl
import os
import threading
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from driftline.capture import wal
from driftline.capture.wal import MAGIC, MAX_FRAME, Log, frame, read_log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PAYLOADS = [
    b"first",
    b"",
    b"x" * 40,
    MAGIC,
    b"a" + MAGIC + b"\x00\x00\x00\x00" + b"z" * 9,
    frame(b"inner"),
    b"last",
]
HEAD = len(frame(b""))


def ends(payloads: list[bytes]) -> list[tuple[int, int]]:
    at, out = 0, []
    for payload in payloads:
        out.append((at, at + HEAD + len(payload)))
        at += HEAD + len(payload)
    return out


# --- frames and damage


@given(st.lists(st.binary(max_size=50)))
def test_frames_survive(payloads: list[bytes]) -> None:
    read = read_log(b"".join(map(frame, payloads)))
    assert (read.payloads, read.damaged, read.torn) == (payloads, 0, 0)


def _untouched(changed: range, data: bytes, damaged: bytes) -> list[bytes]:
    """Payloads of the frames whose bytes are all as they were."""
    del changed
    return [
        payload
        for payload, (start, end) in zip(PAYLOADS, ends(PAYLOADS), strict=True)
        if damaged[start:end] == data[start:end] and len(damaged) >= end
    ]


def _check(damaged: bytes, data: bytes) -> None:
    kept = _untouched(range(0), data, damaged)
    read = read_log(damaged)
    found = list(read.payloads)
    # A frame may hold another; when the outer one is damaged, the inner one shows, and nothing else may.
    for payload in kept:
        assert payload in found
        found.remove(payload)
    assert found in ([], [b"inner"])
    shown = sum(HEAD + len(p) for p in read.payloads)
    assert read.damaged + read.torn == len(damaged) - shown


def test_a_flipped_bit_costs_only_its_frame() -> None:
    data = b"".join(map(frame, PAYLOADS))
    for at in range(len(data)):
        for bit in range(8):
            damaged = bytearray(data)
            damaged[at] ^= 1 << bit
            _check(bytes(damaged), data)


def test_every_length_of_a_cut_log_is_read() -> None:
    data = b"".join(map(frame, PAYLOADS))
    for size in range(len(data)):
        read = read_log(data[:size])
        whole = [p for p, (_, end) in zip(PAYLOADS, ends(PAYLOADS), strict=True) if end <= size]
        rest = read.payloads[len(whole) :]
        assert read.payloads[: len(whole)] == whole
        assert rest in ([], [b"inner"])
        assert read.damaged + read.torn == size - sum(HEAD + len(p) for p in read.payloads)


def test_zeroed_blocks_cost_only_the_frames_they_touch() -> None:
    payloads = [bytes([n]) * (n * 13 % 200) for n in range(1, 60)]
    data = b"".join(map(frame, payloads))
    for start in range(0, len(data), 64):
        damaged = data[:start] + bytes(min(512, len(data) - start)) + data[start + 512 :]
        kept = [
            p for p, (a, b) in zip(payloads, ends(payloads), strict=True) if b <= start or a >= start + 512
        ]
        read = read_log(damaged)
        assert read.payloads == kept
        assert read.damaged + read.torn == len(data) - sum(HEAD + len(p) for p in kept)


@given(st.binary(max_size=200))
@example(MAGIC * 20)
@example(MAGIC + b"\xff" * 8)
def test_noise_holds_no_frame_that_was_not_written(noise: bytes) -> None:
    read = read_log(noise)
    assert read.damaged + read.torn == len(noise) - sum(HEAD + len(p) for p in read.payloads)
    for payload in read.payloads:
        assert (
            zlib.crc32(payload, zlib.crc32(len(payload).to_bytes(4, "little"))).to_bytes(4, "little") in noise
        )


def test_noise_between_frames_is_told() -> None:
    read = read_log(frame(b"a") + b"noise" + MAGIC + frame(b"b") + b"torn")
    assert read == wal.Read([b"a", b"b"], 9, 4)


def test_a_log_of_zeros_is_read_quickly() -> None:
    assert read_log(bytes(8 << 20)) == wal.Read([], 0, 8 << 20)


def test_a_frame_is_not_larger_than_a_reader_believes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_FRAME == 64 << 20
    monkeypatch.setattr(wal, "MAX_FRAME", 10)
    assert read_log(frame(b"x" * 10)).payloads == [b"x" * 10]
    with pytest.raises(ValueError, match="11 bytes"):
        frame(b"x" * 11)


# --- the writer


class Disk:
    """Stands between a log and the file system, notes the order of calls, and fails on demand."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.calls: list[str] = []
        self.fail: list[tuple[str, int]] = []
        for name in ("write", "fdatasync", "ftruncate", "fsync"):
            patch.setattr(wal.os, name, self._wrapped(name, getattr(os, name)))

    def _wrapped(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            if threading.current_thread().name != "driftline-log":
                return real(*args)
            self.calls.append(name)
            for item in self.fail:
                if item[0] == name:
                    self.fail.remove(item)
                    raise OSError(item[1], os.strerror(item[1]))
            return real(*args)

        return call


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


@pytest.fixture
def closed() -> list[Path]:
    return []


@pytest.fixture
def log(tmp_path: Path, closed: list[Path]) -> Iterator[Log]:
    made = Log(tmp_path / "log", closed.append, group_seconds=0.0)
    yield made
    assert made.close()


def content(*paths: Path) -> list[bytes]:
    return [p for path in paths for p in read_log(path.read_bytes()).payloads]


def appended(log: Log, *payloads: bytes) -> OSError | None:
    """Append and wait for what is told."""
    told: list[OSError | None] = []
    reached = threading.Event()

    def done(error: OSError | None) -> None:
        told.append(error)
        reached.set()

    assert log.append([frame(p) for p in payloads], done)
    assert reached.wait(10)
    assert len(told) == 1
    return told[0]


def test_what_is_told_is_on_the_disk(log: Log, disk: Disk, tmp_path: Path) -> None:
    at: list[list[str]] = []
    assert log.append([frame(b"a")], lambda _: at.append(list(disk.calls)))
    assert log.flush(10)
    assert at == [["fsync", "write", "fdatasync"]]
    assert content(*(tmp_path / "log").iterdir()) == [b"a"]


def test_a_group_is_synced_once(tmp_path: Path, disk: Disk) -> None:
    log = Log(tmp_path, lambda _: None, group_seconds=60.0)
    told: list[object] = []
    for n in range(100):
        assert log.append([frame(b"%d" % n)], told.append)
    assert log.flush(10)
    assert told == [None] * 100
    assert disk.calls.count("fdatasync") == 1
    assert log.close()


def test_payloads_keep_their_order(log: Log, closed: list[Path]) -> None:
    for n in range(200):
        assert log.append([frame(b"%d" % n), frame(b"-%d" % n)])
    assert log.rotate(10)
    assert content(*closed) == [p for n in range(200) for p in (b"%d" % n, b"-%d" % n)]


@pytest.mark.parametrize("call", ["write", "fdatasync"])
@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC])
def test_after_one_failure_the_records_go_to_a_new_file(
    log: Log, disk: Disk, closed: list[Path], call: str, code: int
) -> None:
    assert appended(log, b"before") is None
    disk.fail = [(call, code)]
    assert appended(log, b"after") is None
    assert log.rotate(10)
    assert len(closed) == 2
    assert [content(path) for path in closed] == [[b"before"], [b"after"]]
    assert [read_log(path.read_bytes()).torn for path in closed] == [0, 0]


@pytest.mark.parametrize("call", ["write", "fdatasync", "fsync"])
def test_what_fails_twice_is_told_and_not_kept(
    log: Log, disk: Disk, closed: list[Path], call: str, tmp_path: Path
) -> None:
    disk.fail = [(call, errno.ENOSPC)] * 2
    error = appended(log, b"lost")
    assert error is not None
    assert error.errno == errno.ENOSPC
    assert closed == []
    assert list((tmp_path / "log").iterdir()) == []
    assert appended(log, b"again") is None
    assert log.rotate(10)
    assert content(*closed) == [b"again"]


def test_a_file_that_failed_is_not_synced_again(log: Log, disk: Disk) -> None:
    assert appended(log, b"before") is None
    disk.calls.clear()
    disk.fail = [("fdatasync", errno.EIO)]
    assert appended(log, b"after") is None
    assert disk.calls == ["write", "fdatasync", "ftruncate", "fsync", "write", "fdatasync"]


def test_a_failed_cut_leaves_what_was_on_the_disk(log: Log, disk: Disk, closed: list[Path]) -> None:
    assert appended(log, b"before") is None
    disk.fail = [("fdatasync", errno.EIO), ("ftruncate", errno.EIO)]
    assert appended(log, b"after") is None
    assert log.rotate(10)
    # The record may stand in both; its id makes it one again.
    assert content(*closed) == [b"before", b"after", b"after"]


def test_short_writes_are_gone_on_with(log: Log, closed: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(
        wal.os,
        "write",
        lambda fd, data: real(fd, data[:3] if threading.current_thread().name == "driftline-log" else data),
    )
    assert appended(log, b"a long payload", b"another") is None
    assert log.rotate(10)
    assert content(*closed) == [b"a long payload", b"another"]


def test_a_folder_that_went_away_is_made_again(log: Log, closed: list[Path], tmp_path: Path) -> None:
    (tmp_path / "log").rmdir() if (tmp_path / "log").exists() else None
    assert appended(log, b"a") is None
    assert log.rotate(10)
    assert content(*closed) == [b"a"]


def test_files_are_complete_when_they_are_large(tmp_path: Path, closed: list[Path]) -> None:
    log = Log(tmp_path, closed.append, max_bytes=100, group_seconds=0.0)
    for n in range(10):
        assert appended(log, bytes([n]) * 60) is None
    assert log.close()
    assert len(closed) == 5
    assert content(*closed) == [bytes([n]) * 60 for n in range(10)]


def test_files_are_complete_when_they_are_old(
    tmp_path: Path, closed: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    at = [1000.0]
    monkeypatch.setattr(wal.time, "monotonic", lambda: at[0])
    reached = threading.Event()

    def complete(path: Path) -> None:
        closed.append(path)
        reached.set()

    log = Log(tmp_path, complete, max_seconds=1e-3, group_seconds=0.0)
    monkeypatch.setattr(wal._File, "__init__", _aged(wal._File.__init__, at))
    assert appended(log, b"a") is None
    at[0] += 1.0
    assert log.append([frame(b"b")])
    assert reached.wait(10)
    assert log.close()
    assert content(*closed) == [b"a", b"b"]


def _aged(real: Callable[..., None], at: list[float]) -> Callable[..., None]:
    def begin(self: Any, *args: Any) -> None:
        real(self, *args)
        self.began = at[0]

    return begin


def test_an_old_file_is_completed_although_nothing_comes(tmp_path: Path) -> None:
    reached = threading.Event()
    log = Log(tmp_path, lambda _: reached.set(), max_seconds=0.05, group_seconds=0.0)
    assert log.append([frame(b"a")])
    assert reached.wait(10)
    assert log.close()


def test_a_living_file_is_locked_and_a_complete_one_is_not(
    log: Log, closed: list[Path], tmp_path: Path
) -> None:
    assert appended(log, b"a") is None
    (path,) = (tmp_path / "log").iterdir()
    with path.open("rb") as file:
        with pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert log.rotate(10)
        assert closed == [path]
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert path.stat().st_mode & 0o777 == 0o600


def test_too_much_waiting_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hold, inside = threading.Event(), threading.Event()
    real = os.fdatasync

    def slow(descriptor: int) -> None:
        inside.set()
        hold.wait(30)
        real(descriptor)

    monkeypatch.setattr(wal.os, "fdatasync", slow)
    log = Log(tmp_path, lambda _: None, max_waiting=100, group_seconds=0.0)
    told: list[object] = []
    assert log.append([b"x" * 80], told.append)
    assert inside.wait(10)
    assert log.append([b"y" * 80], told.append)
    assert not log.append([b"z" * 80], told.append)
    assert log.waiting == 80
    assert log.append([b"z" * 20], told.append)
    hold.set()
    assert log.close()
    assert told == [None] * 3
    assert log.waiting == 0


def test_one_that_is_too_large_may_wait_alone(tmp_path: Path) -> None:
    log = Log(tmp_path, lambda _: None, max_waiting=10, group_seconds=0.0)
    assert appended(log, b"x" * 1000) is None
    assert log.close()


def test_close_drains(tmp_path: Path, closed: list[Path]) -> None:
    log = Log(tmp_path, closed.append, group_seconds=60.0)
    told: list[object] = []
    for n in range(50):
        assert log.append([frame(b"%d" % n)], told.append)
    assert log.close(30)
    assert told == [None] * 50
    assert content(*closed) == [b"%d" % n for n in range(50)]


def test_after_close_nothing_is_taken_and_nothing_waits(log: Log, closed: list[Path]) -> None:
    assert appended(log, b"a") is None
    assert log.close(10)
    assert not log.is_open
    assert not log.append([frame(b"b")])
    assert log.flush(0)
    assert log.rotate(0)
    assert log.close(0)
    assert content(*closed) == [b"a"]


def test_nothing_is_made_before_there_is_something(log: Log, tmp_path: Path) -> None:
    assert log.flush(0)
    assert log.rotate(0)
    assert not (tmp_path / "log").exists()


def test_a_full_machine_starts_no_thread(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", fail)
        assert not log.append([frame(b"a")])
        assert log.waiting == 0
    assert appended(log, b"b") is None


def test_whoever_is_told_cannot_stop_the_log(tmp_path: Path, closed: list[Path]) -> None:
    def fail(_: object) -> None:
        raise KeyError("of the caller")

    log = Log(tmp_path, fail, group_seconds=0.0)
    assert log.append([frame(b"a")], fail)
    assert log.rotate(10)
    assert appended(log, b"b") is None
    assert log.close()


def test_a_file_that_was_sealed_before_it_was_locked_is_not_written_to(
    log: Log, closed: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    real, first = fcntl.flock, [True]

    def flock(descriptor: int, how: int) -> None:
        if first and how & fcntl.LOCK_NB:
            first.clear()
            os.unlink(os.readlink(f"/proc/self/fd/{descriptor}"))  # noqa: PTH108, PTH115
        real(descriptor, how)

    monkeypatch.setattr(wal.fcntl, "flock", flock)
    assert appended(log, b"a") is None
    assert log.rotate(10)
    assert content(*closed) == [b"a"]


def test_no_descriptor_is_left(tmp_path: Path, disk: Disk) -> None:
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    threads = set(threading.enumerate())
    for _ in range(5):
        log = Log(tmp_path, lambda _: None, group_seconds=0.0)
        disk.fail = [("fdatasync", errno.EIO)] * 2
        assert appended(log, b"a") is not None
        assert appended(log, b"b") is None
        assert log.close()
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208
    assert set(threading.enumerate()) <= threads


# --- forks


def _in_child(action: Callable[[], None]) -> int:
    """Run in a forked child; returns its exit status, 0 where all was well."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            action()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_child_writes_its_own_files(tmp_path: Path) -> None:
    log = Log(tmp_path, lambda _: None, group_seconds=0.0)
    assert appended(log, b"parent") is None

    def child() -> None:
        assert appended(log, b"child") is None
        assert log.close()

    for _ in range(5):
        assert _in_child(child) == 0
    assert appended(log, b"parent again") is None
    assert log.close()
    files = [content(path) for path in tmp_path.iterdir()]
    assert sorted(files) == [[b"child"]] * 5 + [[b"parent", b"parent again"]]


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_forking_while_the_log_is_busy(tmp_path: Path) -> None:
    log = Log(tmp_path, lambda _: None, group_seconds=0.0)
    stop = threading.Event()
    n = [0]

    def busy() -> None:
        while not stop.is_set():
            assert appended(log, b"p%d" % n[0]) is None
            n[0] += 1

    thread = threading.Thread(target=busy)
    thread.start()

    def child() -> None:
        assert appended(log, b"c") is None
        assert log.close()

    try:
        statuses = [_in_child(child) for _ in range(20)]
    finally:
        stop.set()
        thread.join()
    assert statuses == [0] * 20
    assert log.close()
    found = sorted(content(*tmp_path.iterdir()))
    assert found == sorted([b"c"] * 20 + [b"p%d" % k for k in range(n[0])])
