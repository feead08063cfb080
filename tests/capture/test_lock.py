from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from driftline.capture import lock

if TYPE_CHECKING:
    from pathlib import Path

FORK = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "lock"
    path.touch()
    return path


def free(path: Path) -> bool:
    """Ask another process whether it could have the lock."""
    code = "import fcntl, sys\nfcntl.flock(open(sys.argv[1]), fcntl.LOCK_EX | fcntl.LOCK_NB)"
    return not subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, check=False
    ).returncode


def test_a_lock_is_held_while_it_is_held(file: Path) -> None:
    with lock.locked(file, wait=False) as mine:
        assert mine
        with lock.locked(file, wait=False) as again:
            assert not again
        assert not free(file)
    assert free(file)


def test_a_lock_is_given_back_after_an_error(file: Path) -> None:
    with pytest.raises(KeyError), lock.locked(file, wait=False):
        raise KeyError
    with lock.locked(file, wait=False) as mine:
        assert mine


def test_waiting_for_a_lock(file: Path) -> None:
    order: list[str] = []
    started = threading.Event()

    def other() -> None:
        started.set()
        with lock.locked(file, wait=True) as mine:
            assert mine
            order.append("other")

    with lock.locked(file, wait=True):
        thread = threading.Thread(target=other)
        thread.start()
        started.wait(10)
        order.append("first")
    thread.join(10)
    assert order == ["first", "other"]


def test_a_missing_file_and_a_link_are_not_locked(tmp_path: Path, file: Path) -> None:
    with pytest.raises(FileNotFoundError), lock.locked(tmp_path / "nothing", wait=False):
        pass
    (tmp_path / "link").symlink_to(file)
    with pytest.raises(OSError, match="symbolic"), lock.locked(tmp_path / "link", wait=False):
        pass


@FORK
def test_a_forked_child_does_not_keep_the_lock(file: Path) -> None:
    asked, answered = os.pipe(), os.pipe()
    with lock.locked(file, wait=False) as mine:
        assert mine
        pid = os.fork()
        if pid == 0:
            os.write(answered[1], b"x" if not lock._held else b"?")
            os.read(asked[0], 1)
            os._exit(0)
        assert os.read(answered[0], 1) == b"x"
        assert not free(file)
    # The child lives, and the lock is free all the same.
    assert free(file)
    os.write(asked[1], b"x")
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    for descriptor in (*asked, *answered):
        os.close(descriptor)


@FORK
def test_a_child_may_lock_for_itself(file: Path) -> None:
    with lock.locked(file, wait=False):
        pid = os.fork()
        if pid == 0:
            with lock.locked(file, wait=False) as mine:
                os._exit(int(mine))
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


@FORK
def test_no_fork_while_it_is_forbidden() -> None:
    order: list[str] = []
    started = threading.Event()

    def fork() -> None:
        started.set()
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        order.append("forked")
        os.waitpid(pid, 0)

    with lock.unforked():
        thread = threading.Thread(target=fork)
        thread.start()
        started.wait(10)
        order.append("first")
    thread.join(10)
    assert order == ["first", "forked"]


def test_released_twice_closes_nothing_else(file: Path) -> None:
    descriptor = lock.opened(file, os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    lock.released(descriptor)
    with file.open("rb") as other:
        assert other.fileno() == descriptor
        lock.released(descriptor)
        assert other.read() == b""
