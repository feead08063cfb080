"""R2, the power cut: a copy of what a file system has sent to its disk, without what is still in memory.

The file system under test lies in an image on XFS, which copies it in milliseconds by reference. Needs root, loop devices
and the programs of xfsprogs and e2fsprogs.
"""

from __future__ import annotations

import contextlib
import random
import shutil
import subprocess
import time
from functools import partial
from typing import TYPE_CHECKING

from exam import forks
from exam.judge import judge
from exam.kills import place, write
from exam.verdict import Effort, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["power"]

_INNER = {
    "ext4": (["mkfs.ext4", "-q", "-F"], "loop,commit=60", "96M"),
    "xfs": (["mkfs.xfs", "-q", "-f"], "loop", "320M"),
}


def _run(*words: str | Path) -> bool:
    return not subprocess.run(list(map(str, words)), capture_output=True, check=False).returncode


@contextlib.contextmanager
def _mounted(image: Path, folder: Path, options: str) -> Iterator[bool]:
    folder.mkdir(exist_ok=True)
    if not _run("mount", "-o", options, image, folder):
        yield False
        return
    try:
        yield True
    finally:
        for _ in range(500):
            if _run("umount", folder):
                break
            time.sleep(0.01)
        else:
            _run("umount", "-l", folder)


def power(effort: Effort) -> list[Verdict]:
    """Cut the power under writers, on ext4 and on XFS."""
    if not all(map(shutil.which, ("mkfs.ext4", "mkfs.xfs", "mount"))):
        return []
    dice = random.Random(effort.seed)
    verdicts = {
        name: Verdict(
            f"W3 {name}",
            f"the power fails, on {name}",
            "copy of the disk without the page cache, then mounted anew",
        )
        for name in _INNER
    }
    with place() as folder:
        outer = folder / "outer.img"
        if not (_run("truncate", "-s", "2G", outer) and _run("mkfs.xfs", "-q", "-m", "reflink=1", outer)):
            return []
        with _mounted(outer, folder / "outer", "loop") as is_there:
            if not is_there:
                return []
            for name, (words, _, size) in _INNER.items():
                image = folder / "outer" / f"{name}.img"
                _run("truncate", "-s", size, image)
                _run(*words, image)
            for number in effort.each():
                name = ("ext4", "xfs")[number % 2]
                _cut(verdicts[name], folder, name, number, dice)
    return list(verdicts.values())


def _cut(verdict: Verdict, folder: Path, name: str, number: int, dice: random.Random) -> None:
    live, cut = (folder / "outer" / f"{word}.img" for word in ("live", "cut"))
    _run("cp", "--reflink=always", folder / "outer" / f"{name}.img", live)
    acks = forks.Acks()
    options = _INNER[name][1]
    with _mounted(live, folder / "live", options) as is_there:
        if not is_there:
            return
        store = folder / "live" / "store"
        pid = forks.start(partial(write, store, acks, 0, dice.getrandbits(32), apart=False))
        time.sleep(dice.uniform(0.02, 0.5))
        told = acks.told
        copied = _run("cp", "--reflink=always", live, cut)
        forks.kill(pid)
    if not copied:
        return
    with _mounted(cut, folder / "cut", options + (",nouuid" if name == "xfs" else "")) as is_there:
        verdict.times += 1
        verdict.wrong("failed", int(not is_there), f"round {number}: the copy cannot be mounted")
        if is_there:
            known = forks.Acks()
            for one in acks.sent:
                known.send(one)
            for one in told:
                known.tell(one)
            verdict.acknowledged += len(told)
            empty = [p.name for p in (folder / "cut").rglob("*.parquet") if not p.stat().st_size]
            verdict.wrong("unreadable", len(empty), f"round {number}: files without content: {empty[:3]}")
            judge(verdict, folder / "cut" / "store", known, f"seed {verdict.id} round {number}")
            known.close()
    acks.close()
