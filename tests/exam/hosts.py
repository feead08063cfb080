"""What a host does to its capture: overload, forks, other payloads, folders that go, no descriptors left."""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driftline.capture.event import Event, Payload
from driftline.errors import DriftlineError, UsageError
from exam import forks
from exam.judge import ENDPOINT, event, judge, opened
from exam.kills import place
from exam.verdict import Effort, Verdict

if TYPE_CHECKING:
    from exam.forks import Acks

__all__ = ["descriptors", "folders", "forked", "overload", "payloads"]

_MIB = 1 << 20


def _tried(verdict: Verdict, what: str, action: Any, seconds: float = 60.0) -> Any:
    verdict.times += 1
    try:
        return forks.answer(action, seconds)
    except forks.ChildError as error:
        verdict.wrong("failed", 1, f"{what}: {error}")
        return None


def _write(captures: Any, acks: Acks, numbers: range) -> int:
    """Write events one by one; returns how many were refused."""
    refused = 0
    for number in numbers:
        acks.send(number)
        try:
            captures.write([event(number)])
        except UsageError:
            refused += 1
        else:
            acks.tell(number)
    return refused


def overload(effort: Effort) -> list[Verdict]:
    """Put events as fast as four threads can, into a store that lets 64 KiB wait."""
    verdict = Verdict("W14", "more comes than the disk takes", "4 threads put without pause, 64 KiB may wait")
    for number in effort.each():
        with place() as folder:
            acks = forks.Acks(1 << 17)

            def act(acks: Acks = acks, folder: Path = folder) -> list[int]:
                captures = opened(folder, waiting_bytes=_MIB // 16)
                before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
                refused = [0] * 4

                def burst(part: int) -> None:
                    for at in range(part * 10_000, part * 10_000 + 10_000, 50):
                        group = list(range(at, at + 50))
                        for one in group:
                            acks.send(one)

                        def told(error: OSError | None, group: list[int] = group) -> None:
                            for one in group if error is None else ():
                                acks.tell(one)

                        if not captures.put([event(one) for one in group], told):
                            refused[part] += len(group)

                threads = [threading.Thread(target=burst, args=(part,)) for part in range(4)]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
                captures.flush()
                grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
                captures.seal()
                stats = captures.stats()
                captures.close()
                return [sum(refused), sum(stats.dropped.values()), stats.received, grown >> 10]

            said = _tried(verdict, f"round {number}", act)
            if said:
                refused, dropped, received, grown = said
                verdict.notes["events refused and counted"] += refused
                verdict.notes["most MiB that memory grew"] = max(
                    verdict.notes["most MiB that memory grew"], grown
                )
                off = abs(dropped - refused) + abs(received - 40_000)
                verdict.wrong("unbalanced", int(off > 0), f"round {number}: {said}")
            verdict.acknowledged += len(acks.told)
            judge(verdict, folder, acks, f"round {number}")
            acks.close()
    return [verdict]


def forked(effort: Effort) -> list[Verdict]:
    """Fork from a process whose capture is writing and sealing; parent and children go on with the same object."""
    verdict = Verdict(
        "W12",
        "the host forks while capture is at work",
        "8 forks from a process that writes and seals in threads",
    )
    for number in effort.each():
        with place(in_memory=bool(number % 2)) as folder:
            acks = forks.Acks()

            def act(acks: Acks = acks, folder: Path = folder, number: int = number) -> int:
                dice = random.Random(effort.seed + number)
                captures = opened(folder, seal_seconds=0.1)
                is_over = threading.Event()

                def busy() -> None:
                    at = 0
                    while not is_over.is_set() and at < 20_000:
                        _write(captures, acks, range(at, at + 3))
                        at += 3
                        time.sleep(0.005)

                thread = threading.Thread(target=busy)
                thread.start()
                pids = []
                for child in range(8):
                    time.sleep(dice.uniform(0.0, 0.03))

                    def go_on(child: int = child) -> None:
                        first = 30_000 + 100 * child
                        if _write(captures, acks, range(first, first + 10)):
                            raise AssertionError("refused in a child")
                        if not (captures.seal(60.0) and captures.close(60.0)):
                            raise AssertionError(f"not sealed in a child: {captures.failures}")

                    pids.append(forks.start(go_on))
                ends = [forks.wait(pid, 90.0) for pid in pids]
                is_over.set()
                thread.join()
                captures.close()
                return sum(end != 0 for end in ends)

            failed = _tried(verdict, f"round {number}", act, 200.0)
            verdict.wrong("failed", failed or 0, f"round {number}: children hung or failed")
            verdict.acknowledged += len(acks.told)
            judge(verdict, folder, acks, f"seed {effort.seed} round {number}")
            acks.close()
    return [verdict]


_ODD: tuple[Any, ...] = (
    *(
        None,
        True,
        1,
        -1,
        0.5,
        2**63,
        2**200,
        1e308,
        "",
        "x",
        "\x00",
        "ü" * 50,
        [],
        {},
        [1, "a"],
        {"a": {"b": [1]}},
    ),
    *(
        "\ud800",
        [[1], [2, 3]],
        {"": 1},
        {"\ud800": 1},
        {"_event_id": 1},
        {"_time": "x", "_row": []},
        [None],
        [{}, {"v": 1}],
    ),
)
_TYPES = (
    "application/json",
    "text/csv",
    "",
    "application/jsonlines",
    "image/png",
    "application/json; charset=x",
    "\ud800",
)


def payloads(effort: Effort) -> list[Verdict]:
    """Change the columns and their types from event to event, with bodies that no model was meant to see."""
    verdict = Verdict(
        "W15 W19", "payloads change their form, or have none", "random JSON, CSV and bytes among good events"
    )
    for number in effort.each():
        with place(in_memory=True) as folder:
            acks = forks.Acks(4096)

            def act(acks: Acks = acks, folder: Path = folder, number: int = number) -> list[int]:
                dice = random.Random(effort.seed * 7919 + number)
                captures = opened(folder)
                n = 0
                for first in range(0, 300, 30):
                    others = [_odd(dice, first + i) for i in range(10)]
                    n += len(others)
                    captures.write(others)
                    if _write(captures, acks, range(first, first + 5)):
                        raise AssertionError("refused")
                    if not captures.seal():
                        raise AssertionError(f"not sealed: {captures.failures}")
                stats = captures.stats()
                captures.close()
                return [n + 50, stats.received, stats.quarantined, stats.stored, stats.balance]

            said = _tried(verdict, f"seed {effort.seed} round {number}", act)
            if said:
                verdict.notes["events in quarantine"] += said[2]
                verdict.notes["odd events stored"] += said[3] - 50
                verdict.wrong("silent", abs(said[0] - said[1]), f"round {number}: {said}")
                verdict.wrong("unbalanced", int(said[4] != 0), f"round {number}: {said}")
            verdict.acknowledged += len(acks.told)
            judge(verdict, folder, acks, f"seed {effort.seed} round {number}")
            acks.close()
    return [verdict]


def _odd(dice: random.Random, number: int) -> Event:
    def body() -> Payload | None:
        kind = dice.random()
        if kind < 0.1:
            return None
        if kind < 0.2:
            data = dice.randbytes(dice.randrange(200))
        elif kind < 0.4:
            data = ",".join(str(dice.choice(_ODD)) for _ in range(dice.randrange(5))).encode(
                "utf-8", "surrogatepass"
            )
        else:
            held = {dice.choice(("v", "text", "a", "b\x00", "_row", "")): dice.choice(_ODD) for _ in range(3)}
            data = json.dumps(dice.choice((held, [held], dice.choice(_ODD), {"instances": [held]}))).encode()
        return Payload(dice.choice(_TYPES), data)

    good = event(number)
    endpoint = ENDPOINT if dice.random() < 0.0 else "odd"
    return Event(f"o{number}", endpoint, "AllTraffic", good.received, good.time, body(), body())


def folders(effort: Effort) -> list[Verdict]:
    """Take the folder of the store away, or put something else in its place, and bring it back."""
    verdict = Verdict(
        "W20",
        "the folder goes, or is something else",
        "renamed, replaced by a file or a link, and brought back",
    )
    for number in effort.each():
        with place(in_memory=True) as folder:
            acks = forks.Acks()

            def act(acks: Acks = acks, folder: Path = folder, number: int = number) -> list[int]:
                root, away = folder / "store", folder / "away"
                captures = opened(root)
                _write(captures, acks, range(5))
                if number % 2:
                    captures.seal()
                root.rename(away)
                kind = number % 4
                if kind == 1:
                    root.write_text("a file")
                elif kind == 2:
                    root.symlink_to(folder / "nowhere")
                elif kind == 3:
                    root.symlink_to("/dev/null")
                refused = 0
                for at in range(1000, 1010):
                    refused += _write_to_nowhere(captures, at)
                captures.seal(5.0)
                if root.is_symlink() or root.is_file():
                    root.unlink()
                elif root.is_dir():
                    _move_all(root, away)
                away.rename(root)
                later = _write(captures, acks, range(10, 15))
                done = captures.seal()
                captures.close()
                return [refused, later, int(done)]

            said = _tried(verdict, f"round {number}", act)
            if said:
                verdict.notes["events refused and counted"] += said[0]
                verdict.wrong("failed", said[1] + (not said[2]), f"round {number}: after it was back: {said}")
            for at in range(1000, 1010):
                acks.send(at)
            verdict.acknowledged += len(acks.told)
            judge(verdict, folder / "store", acks, f"round {number}")
            acks.close()
    return [verdict]


def _write_to_nowhere(captures: Any, number: int) -> int:
    try:
        captures.write([event(number)], timeout=5.0)
    except DriftlineError:
        return 1
    return 0


def _move_all(source: Path, target: Path) -> None:
    """Bring what was written in the meantime to where it belongs."""
    for path in sorted(source.rglob("*.log")):
        moved = target / path.relative_to(source)
        moved.parent.mkdir(parents=True, exist_ok=True)
        path.rename(moved)
    shutil.rmtree(source)


def descriptors(effort: Effort) -> list[Verdict]:
    """Let the process have no descriptor left, then some again."""
    verdict = Verdict(
        "W21", "no file descriptor is left", "RLIMIT_NOFILE lowered to what is open, then raised again"
    )
    for number in effort.each():
        with place(in_memory=True) as folder:
            acks = forks.Acks()

            def act(acks: Acks = acks, folder: Path = folder, number: int = number) -> list[int]:
                captures = opened(folder)
                _write(captures, acks, range(5))
                if number % 2:
                    captures.seal()
                before = resource.getrlimit(resource.RLIMIT_NOFILE)
                highest = max(int(path.name) for path in Path("/proc/self/fd").iterdir())
                held = [os.open("/dev/null", os.O_RDONLY) for _ in range(highest)]
                resource.setrlimit(resource.RLIMIT_NOFILE, (max(held) + 1 + number % 4, before[1]))
                refused = _write(captures, acks, range(10, 30))
                captures.seal(10.0)
                refused += _write(captures, acks, range(30, 40))
                resource.setrlimit(resource.RLIMIT_NOFILE, before)
                for descriptor in held:
                    os.close(descriptor)
                later = _write(captures, acks, range(40, 45))
                done = captures.seal()
                stats = captures.stats()
                captures.close()
                return [refused, later, int(done), sum(stats.dropped.values())]

            said = _tried(verdict, f"round {number}", act)
            if said:
                verdict.notes["events refused and counted"] += said[0]
                verdict.wrong(
                    "failed", said[1] + (not said[2]), f"round {number}: after there were some: {said}"
                )
                verdict.wrong("unbalanced", int(said[0] != said[3]), f"round {number}: {said}")
            verdict.acknowledged += len(acks.told)
            judge(verdict, folder, acks, f"round {number}")
            acks.close()
    return [verdict]
