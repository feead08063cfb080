"""R4, the full disk: a small file system in memory, and a limit on the size of files; room comes back in the middle."""

from __future__ import annotations

import contextlib
import resource
import subprocess
import time
from typing import TYPE_CHECKING

from driftline.errors import UsageError
from exam import forks
from exam.judge import event, judge, opened
from exam.kills import place
from exam.verdict import Effort, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["full_disk", "small_files"]

_MIB = 1 << 20


@contextlib.contextmanager
def small_disk(size: str) -> Iterator[Path | None]:
    """Mount a file system in memory; gives None where this process may not."""
    with place() as folder:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)],
            capture_output=True,
            check=False,
        )
        if done.returncode:
            yield None
            return
        try:
            yield folder
        finally:
            while subprocess.run(["umount", str(folder)], capture_output=True, check=False).returncode:
                time.sleep(0.01)


def full_disk(effort: Effort) -> list[Verdict]:
    """Fill an 8 MiB disk while events are written, then make room."""
    verdict = Verdict("W5 W6 disk", "the disk is full, and has room again later", "tmpfs of 8 MiB")
    for number in effort.each():
        with small_disk("8m") as folder:
            if folder is None:
                return []
            filler = folder / "filler"
            filler.write_bytes(bytes((6 * _MIB, 7 * _MIB + 900_000, 7 * _MIB + 500_000)[number % 3]))
            _run(verdict, folder / "store", f"round {number}", filler.unlink)
    return [verdict]


def small_files(effort: Effort) -> list[Verdict]:
    """Let no file grow beyond a limit, as a quota does."""
    verdict = Verdict(
        "W8", "a write is cut short: files may not grow further", "RLIMIT_FSIZE of 44 to 68 KiB, then none"
    )
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    for number in effort.each():
        with place(in_memory=True) as folder:

            def lifted() -> None:
                resource.setrlimit(resource.RLIMIT_FSIZE, before)

            def limited(number: int = number) -> None:
                resource.setrlimit(resource.RLIMIT_FSIZE, ((44 + 6 * (number % 5)) << 10, before[1]))

            _run(verdict, folder / "store", f"round {number}", lifted, limited)
    return [verdict]


def _run(
    verdict: Verdict,
    root: Path,
    what: str,
    room: Callable[[], object],
    begin: Callable[[], object] = lambda: None,
) -> None:
    acks = forks.Acks()

    def act() -> list[float]:
        captures = opened(root, seal_bytes=100_000)
        begin()
        refused, slowest = 0, 0.0

        def write(first: int, rounds: int) -> None:
            nonlocal refused, slowest
            for number in range(first, first + rounds * 25, 25):
                group = range(number, number + 25)
                for one in group:
                    acks.send(one)
                began = time.monotonic()
                try:
                    captures.write([event(one) for one in group] * 8)
                except UsageError:
                    refused += 8 * len(group)
                else:
                    for one in group:
                        acks.tell(one)
                slowest = max(slowest, time.monotonic() - began)
                if number % 300 == 0:
                    captures.seal()

        write(0, 60)
        room()
        while_full = refused
        captures.seal()
        write(30_000, 8)
        captures.seal()
        stats = captures.stats()
        captures.close()
        return [while_full, refused - while_full, sum(stats.dropped.values()), stats.balance, slowest]

    verdict.times += 1
    try:
        while_full, later, dropped, balance, _ = forks.answer(act)
    except forks.ChildError as error:
        verdict.wrong("failed", 1, f"{what}: {error}")
    else:
        verdict.notes["events refused and counted"] += int(while_full)
        verdict.wrong("failed", int(later), f"{what}: refused though there is room")
        off = abs(int(dropped) - int(while_full + later))
        verdict.wrong(
            "unbalanced", int(off or balance), f"{what}: {while_full + later} refused, {dropped} counted"
        )
    verdict.acknowledged += len(acks.told)
    judge(verdict, root, acks, what)
    acks.close()
