"""R1, the kill harness: writers are killed at random moments, and so is whoever recovers what they left.

The parent imports everything once and forks; it starts no thread, and what was acknowledged it reads from memory that
it shares with its children.
"""

from __future__ import annotations

import contextlib
import functools
import random
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from driftline.capture import upkeep
from driftline.capture.archive import Archive
from driftline.capture.captures import Captures, Limits
from driftline.errors import DriftlineError
from exam import forks
from exam.judge import event, halves, judge, look, number_of
from exam.verdict import Effort, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from driftline.capture.event import Event
    from exam.forks import Acks

__all__ = ["kills"]

_ROUNDS_A_STORE = 4
_ROOM = 800
_MEMORY = Path("/dev/shm")


@contextlib.contextmanager
def place(*, in_memory: bool = False) -> Iterator[Path]:
    """Give a folder on the disk, or in memory where there is such a file system."""
    above = str(_MEMORY) if in_memory and _MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="exam-", dir=above, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def kills(effort: Effort) -> list[Verdict]:
    """Kill writers, then those who recover; a round is up to four of one kind after another, and then the judge."""
    kinds = {
        "plain": Verdict("W1", "the writing process is killed", "SIGKILL 2 to 50 ms after its start"),
        "several": Verdict(
            "W11", "several processes on one folder are killed", "SIGKILL to three writers at once"
        ),
        "upkeep": Verdict(
            "W1 upkeep", "writer, compaction and erasure are killed", "SIGKILL to both processes at once"
        ),
        "apart": Verdict(
            "W1 sealing", "the writer is killed, its sealing process is not", "SIGKILL after 0.1 to 0.9 s"
        ),
    }
    again = Verdict(
        "W1 recovery", "recovery is killed, and the next one", "SIGKILL 1 to 40 ms into opening the store"
    )
    dice = random.Random(effort.seed)
    rounds = effort.each()
    number = next(rounds, None)
    while number is not None:
        with place(in_memory=bool(dice.getrandbits(1))) as folder:
            acks = forks.Acks()
            at = 0
            for _ in range(_ROUNDS_A_STORE):
                kind = dice.choices(list(kinds), (60, 20, 20, 2))[0]
                verdict = kinds[kind]
                before = len(acks.told)
                for _ in range(1 if kind == "apart" else 4):
                    n, at = _round(folder, acks, at, kind, dice)
                    verdict.times += n
                verdict.acknowledged += len(acks.told) - before
                if number % 10 == 9:
                    verdict = again
                    for _ in range(2):
                        pid = forks.start(lambda: look(folder))
                        time.sleep(dice.uniform(0.001, 0.040))
                        forks.kill(pid)
                        again.times += 1
                judge(verdict, folder, acks, f"seed {effort.seed} round {number} {kind}")
                number = next(rounds, None)
                if number is None:
                    break
            acks.close()
    return [*kinds.values(), again]


def _round(folder: Path, acks: Acks, at: int, kind: str, dice: random.Random) -> tuple[int, int]:
    """Start writers and kill them; returns how many were killed, and the first number that is free again."""
    seeds = [dice.getrandbits(32) for _ in range(3 if kind == "several" else 1)]
    pids = []
    for i, seed in enumerate(seeds):
        first = at + _ROOM * i
        pids.append(forks.start(functools.partial(write, folder, acks, first, seed, apart=kind == "apart")))
    if kind == "upkeep":
        pids.append(forks.start(functools.partial(keep_up, folder, acks, dice.getrandbits(32))))
    time.sleep(dice.uniform(0.1, 0.9) if kind == "apart" else dice.uniform(0.002, 0.050))
    for pid in pids:
        forks.kill(pid)
    return len(pids), at + _ROOM * len(seeds)


def write(folder: Path, acks: Acks, first: int, seed: int, *, apart: bool) -> None:
    """Write events until the end, or until killed; logs are small, so that all the time one is sealed."""
    dice = random.Random(seed)
    limits = Limits(
        seal_seconds=dice.choice((0.005, 0.02, 1.0)),
        seal_bytes=dice.choice((1000, 20_000)),
        pair_seconds=dice.choice((0.0, 0.01, 60.0)),
    )
    captures = Captures(folder, seal_in="process" if apart else "thread", limits=limits)
    known: list[int] = []
    at, end = first, first + _ROOM
    while at < end:
        numbers = list(range(at, min(end, at + dice.choice((1, 1, 2, 20)))))
        at = numbers[-1] + 1
        if dice.random() < 0.1 and known:
            numbers.append(dice.choice(known))  # somebody tries again what was answered long ago
        for number in numbers:
            acks.send(number)
        # Some events come as two halves, the answers after all the requests.
        apart_ones = [n for n in numbers if n % 5 == 0]
        groups = [[event(n) for n in numbers if n % 5]]
        groups += [[halves(n)[side] for n in apart_ones] for side in (0, 1)]
        for group in groups:

            def told(error: OSError | None, group: list[Event] = group) -> None:
                if error is None:
                    for item in group:
                        if item.output is not None:
                            acks.tell(number_of(item.id))

            if group:
                captures.put(group, told)
        known += numbers
        if dice.random() < 0.5:
            captures.flush()
        if dice.random() < 0.05:
            captures.seal()


def keep_up(folder: Path, acks: Acks, seed: int) -> None:
    """Compact, seal and erase until killed."""
    dice = random.Random(seed)
    archive = Archive(folder)
    while True:
        with contextlib.suppress(DriftlineError, OSError):
            choice = dice.random()
            if choice < 0.4:
                upkeep.compact(archive)
            elif choice < 0.7:
                archive.seal_logs()
            else:
                ids = [
                    event_id
                    for segment in archive.manifest.segments()[:1]
                    for event_id in archive.read(segment, ["_event_id"])["_event_id"].to_pylist()
                ]
                chosen = dice.sample(ids, min(2, len(ids)))
                for event_id in chosen:
                    acks.erase(number_of(event_id))
                upkeep.erase(archive, event_ids=chosen)
        time.sleep(0.001)
