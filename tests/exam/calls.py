"""R3, the sweep of system calls: each call of a scenario fails once, fails from then on, or is where the process dies.

Two rigs. One replaces the functions of :mod:`os` in a forked child and counts their calls through all threads; it needs
nothing. The other lets ``strace`` do it, which reaches SQLite and PyArrow too, and counts the calls of each thread.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import functools
import mmap
import os
import random
import shutil
import signal
import subprocess
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driftline.capture import truth, upkeep
from driftline.errors import DriftlineError, UsageError
from exam import forks
from exam.judge import event, halves, judge, odd, opened
from exam.kills import place
from exam.verdict import Effort, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["calls", "traced_calls"]

_LOADED = (truth,)  # what a child must not have to look for while its calls fail

_FAILURES = (errno.EIO, errno.ENOSPC)
_ONCE = "each call fails once (EIO, ENOSPC)"
_FROM_HERE = "all such calls fail from each one on (EIO, ENOSPC)"
_KILLED = "SIGKILL before each call"
_PATCHED = {
    os: (
        "open",
        "write",
        "fsync",
        "fdatasync",
        "ftruncate",
        "replace",
        "rename",
        "unlink",
        "mkdir",
        "rmdir",
        "fstat",
    ),
    fcntl: ("flock",),
}
TRACED = (
    "openat",
    "write",
    "pwrite64",
    "pread64",
    "fsync",
    "fdatasync",
    "ftruncate",
    "rename",
    "unlink",
    "mkdir",
)


@dataclass(frozen=True, slots=True)
class _Case:
    call: str
    at: int
    failure: int | None = None
    is_from_here: bool = False

    @property
    def what(self) -> str:
        done = "SIGKILL" if self.failure is None else errno.errorcode[self.failure]
        return f"{self.call} {self.at}{'+' if self.is_from_here else ''}: {done}"


def scenario(folder: Path, acks: forks.Acks) -> None:
    """Do what a store does in its life; only errors that are documented are let pass."""
    try:
        captures = opened(folder, pair_seconds=0.0)
    except DriftlineError:
        return
    archive = captures.archive

    def write(numbers: Sequence[int], make: Callable[[int], Any] = event) -> None:
        for number in numbers:
            acks.send(number)
        try:
            captures.write([make(number) for number in numbers], timeout=10.0)
        except UsageError:
            return
        for number in numbers:
            acks.tell(number)

    def upkept(action: Callable[[], Any]) -> None:
        with contextlib.suppress(DriftlineError, OSError):
            action()

    def erased(number: int) -> None:
        acks.erase(number)
        upkept(lambda: upkeep.erase(archive, event_ids=[f"e{number}"]))

    write(range(4))
    write(range(4, 8))
    captures.seal()
    write(range(8, 12))
    write([12, 13], odd)
    acks.send(14)
    with contextlib.suppress(UsageError):
        captures.write(halves(14))
        acks.tell(14)
    captures.seal()
    upkept(lambda: upkeep.compact(archive))
    erased(3)
    erased(13)
    write(range(20, 24))
    captures.seal()
    upkept(lambda: upkeep.replay(archive))
    upkept(lambda: upkeep.check(archive))
    write(range(30, 32))
    captures.close()


def _rows(suffix: str, how: str) -> dict[str, Verdict]:
    return {
        _ONCE: Verdict(f"W6 W7 {suffix}", "a call fails once, wherever it is", f"{how}: {_ONCE}"),
        _FROM_HERE: Verdict(
            f"W5 {suffix}", "from some call on, all of its kind fail", f"{how}: {_FROM_HERE}"
        ),
        _KILLED: Verdict(f"W2 W4 {suffix}", "the process dies between any two calls", f"{how}: {_KILLED}"),
    }


def _kind(case: _Case) -> str:
    return _KILLED if case.failure is None else _FROM_HERE if case.is_from_here else _ONCE


def _cases(counts: Counter[str]) -> list[_Case]:
    return [
        case
        for call, n in sorted(counts.items())
        for at in range(1, n + 1)
        for case in (
            _Case(call, at),
            *(_Case(call, at, failure, again) for failure in _FAILURES for again in (False, True)),
        )
    ]


def _swept(
    effort: Effort,
    cases: list[_Case],
    rows: dict[str, Verdict],
    perform: Callable[[Path, forks.Acks, _Case], Any],
) -> list[Verdict]:
    random.Random(effort.seed).shuffle(cases)
    for number in effort.each():
        if number >= len(cases):
            break
        case = cases[number]
        verdict = rows[_kind(case)]
        with place(in_memory=True) as folder:
            acks = forks.Acks(64)
            perform(folder / "store", acks, case)
            _look(verdict, folder, acks, case)
            acks.close()
    for verdict in rows.values():
        verdict.notes["cases there are"] = sum(rows[_kind(case)] is verdict for case in cases)
    return list(rows.values())


def _look(verdict: Verdict, folder: Path, acks: forks.Acks, case: _Case) -> None:
    verdict.times += 1
    verdict.acknowledged += len(acks.told)
    judge(verdict, folder / "store", acks, case.what)
    shutil.rmtree(folder / "store", ignore_errors=True)


def calls(effort: Effort) -> list[Verdict]:
    """Let each call of Python's own fail."""
    with place(in_memory=True) as folder:
        counts = Counter(forks.answer(lambda: _count(folder / "store")))
    rows = _rows("in Python", "functions of os and fcntl replaced")

    def perform(store: Path, acks: forks.Acks, case: _Case) -> None:
        code = forks.wait(forks.start(functools.partial(_with_fault, store, acks, case)), 30.0)
        _ended(rows[_kind(case)], case, code)

    return _swept(effort, _cases(counts), rows, perform)


def _ended(verdict: Verdict, case: _Case, code: int | None) -> None:
    fine = (0, -signal.SIGKILL) if case.failure is None else (0,)
    if code not in fine:
        verdict.wrong(
            "failed", 1, f"{case.what}: the scenario {'hung' if code is None else f'ended with {code}'}"
        )


def _count(store: Path) -> dict[str, int]:
    counts: Counter[str] = Counter()

    def counted(name: str, inner: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            counts[name] += 1
            return inner(*given, **named)

        return call

    _replace(counted)
    scenario(store, forks.Acks(64))
    return dict(counts)


def _with_fault(store: Path, acks: forks.Acks, case: _Case) -> None:
    guard = threading.Lock()
    n = 0

    def faulty(name: str, inner: Callable[..., Any]) -> Callable[..., Any]:
        if name != case.call:
            return inner

        def call(*given: Any, **named: Any) -> Any:
            nonlocal n
            with guard:
                n += 1
                here = n >= case.at if case.is_from_here else n == case.at
            if here and case.failure is None:
                os.kill(os.getpid(), signal.SIGKILL)
            if here and case.failure is not None:
                raise OSError(case.failure, os.strerror(case.failure))
            return inner(*given, **named)

        return call

    _replace(faulty)
    scenario(store, acks)


def _replace(wrapped: Callable[[str, Callable[..., Any]], Callable[..., Any]]) -> None:
    for module, names in _PATCHED.items():
        for name in names:
            setattr(module, name, wrapped(name, getattr(module, name)))


def traced_calls(effort: Effort) -> list[Verdict]:
    """Let each system call fail, by strace."""
    rows = _rows("by strace", "strace, each thread counted by itself")
    strace = shutil.which("strace")
    if strace is None:
        return []
    with place(in_memory=True) as folder:
        forks.wait(forks.start(lambda: scenario(folder / "warm", forks.Acks(64))))
        words = ["-o", str(folder / "log"), "-e", f"trace={','.join(TRACED)}"]
        _trace(strace, words, functools.partial(scenario, folder / "store", forks.Acks(64)))
        threads: dict[str, Counter[str]] = {}
        for line in (folder / "log").read_text(errors="replace").splitlines():
            pid, _, rest = line.partition(" ")
            name = rest.strip().partition("(")[0]
            if name in TRACED:
                threads.setdefault(pid, Counter())[name] += 1
    most = {name: max(counted[name] for counted in threads.values()) for name in TRACED}

    def perform(store: Path, acks: forks.Acks, case: _Case) -> None:
        done = "signal=KILL" if case.failure is None else f"error={errno.errorcode[case.failure]}"
        words = ["-o", "/dev/null", "-e", f"trace={case.call}"]
        words += ["-e", f"inject={case.call}:{done}:when={case.at}{'+' if case.is_from_here else ''}"]
        _ended(rows[_kind(case)], case, _trace(strace, words, functools.partial(scenario, store, acks)))

    return _swept(effort, _cases(Counter(most)), rows, perform)


def _trace(strace: str, words: Sequence[str], action: Callable[[], Any]) -> int | None:
    """Run `action` in a child that strace looks at."""
    go = mmap.mmap(-1, 1)

    def act() -> None:
        while not go[0]:
            time.sleep(0.001)
        action()

    pid = forks.start(act)
    tracer = subprocess.Popen([strace, "-f", "-q", "-p", str(pid), *words], stderr=subprocess.DEVNULL)
    status = Path(f"/proc/{pid}/status")
    while "TracerPid:\t0" in status.read_text() and tracer.poll() is None:
        time.sleep(0.001)
    go[0] = 1
    code = forks.wait(pid, 30.0)
    tracer.wait()
    go.close()
    return code
