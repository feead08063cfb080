"""R9, the race: schedulers on one registry that are killed and paused at random, or lose their database at a bad moment."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from exam import forks
from postgres import Server, server

from loop.proxy import CUT_AFTER, CUT_ALL, CUT_BEFORE, FORWARD, HOLE, Proxy, proxy
from loop.verdict import Verdict
from loop.world import HOUR, LEASE, NOON, Clock, World, databases, engines, place, worlds

if TYPE_CHECKING:
    from collections.abc import Callable

    from exam.verdict import Effort

__all__ = ["away", "blackhole", "clocks", "commits", "race", "skews"]

_STEP = 0.02
_BEHIND = 40


@dataclass
class Herd:
    """Schedulers, and what is done to them.

    Attributes
    ----------
    world : World
    urls : list of str or None
        By which way each reaches the database.
    before : list of callable
        What each does first, in its process.
    settings : dict
        Of the schedulers.
    """

    world: World
    size: int
    rng: random.Random
    urls: list[str | None] = field(default_factory=list)
    before: list[Callable[[], object]] = field(default_factory=list)
    settings: dict[str, int] = field(default_factory=dict)
    kills: int = 0
    pauses: int = 0
    _pids: list[int] = field(default_factory=list)
    _asleep: dict[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._pids = [self._start(number) for number in range(self.size)]

    def _start(self, number: int) -> int:
        url = self.urls[number % len(self.urls)] if self.urls else None
        before = self.before[number % len(self.before)] if self.before else (lambda: None)
        return self.world.start(url, before=before, **self.settings)

    def hurt(self, kill: float = 0.1, pause: float = 0.2) -> None:
        """Do something to one of them, perhaps; to be called every 20 ms."""
        for pid in [pid for pid, until in self._asleep.items() if time.monotonic() > until]:
            self._wake(pid)
        chance, number = self.rng.random(), self.rng.randrange(self.size)
        pid = self._pids[number]
        if chance < kill:
            self._asleep.pop(pid, None)
            forks.kill(pid)
            self.kills += 1
            self._pids[number] = self._start(number)
        elif chance < kill + pause and pid not in self._asleep:
            os.kill(pid, signal.SIGSTOP)
            self.pauses += 1
            self._asleep[pid] = time.monotonic() + 1.3 * LEASE / 1e6

    def _wake(self, pid: int) -> None:
        self._asleep.pop(pid, None)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)

    def rest(self) -> None:
        """Let all of them work."""
        for pid in list(self._asleep):
            self._wake(pid)

    def kill_all(self) -> None:
        """Kill every one, and start as many."""
        self.end()
        self._pids = [self._start(number) for number in range(self.size)]

    def end(self) -> None:
        """Kill every one."""
        self.rest()
        for pid in self._pids:
            forks.kill(pid)
        self._pids = []

    def dead(self) -> int:
        """Count those that ended by themselves, which none may."""
        gone = 0
        for number, pid in enumerate(self._pids):
            if os.waitpid(pid, os.WNOHANG) != (0, 0):
                gone += 1
                self._pids[number] = self._start(number)
        return gone


def _settled(verdict: Verdict, world: World, herd: Herd, until: int, what: str, period: int = HOUR) -> bool:
    """Let the herd finish in peace, and judge what came of it all."""
    expected = world.expected(until, period)
    herd.rest()
    n = len(expected) * len(world.names)
    done = world.wait(n, 30 + n / 5)
    verdict.check(not herd.dead(), f"{what}: a scheduler ended by itself")
    herd.end()
    if not done:
        world.tell(f"never: {world.ended()} of {n} have ended")
    tries, wrong = world.judge(expected)
    verdict.tries += tries
    for one in wrong:
        verdict.wrong(f"{what}: {one}")
    overlaps = world.overlaps()
    for one in overlaps:
        verdict.wrong(f"{what}: overlap: {one}")
    for line in world.lines():
        if line[0] == "died":
            verdict.wrong(f"{what}: {' '.join(line)}")
    began: dict[str, int] = {}
    for line in world.lines():
        if line[0] == "began":
            began[line[2]] = began.get(line[2], 0) + 1
    verdict.notes["runs begun again"] += sum(n - 1 for n in began.values())
    failed = world.count("Failed")
    verdict.notes["given up after five deaths"] += failed
    return done


def _size(effort: Effort, small: tuple[int, int], large: tuple[int, int]) -> tuple[int, int]:
    return large if effort.seconds < 1e8 else small


def race(effort: Effort) -> list[Verdict]:
    """Let eight schedulers race; then kill all at once and see when the rest is done."""
    found = []
    with engines("sqlite", "postgresql") as made:
        rows = {}
        for engine in made:
            name = "SQLite" if engine == "sqlite" else "PostgreSQL"
            rows[engine] = (
                Verdict(
                    f"S1 S2 S6 {name}",
                    "every window takes effect exactly once, no two believe to hold it at one time",
                    f"8 processes; every {20 if engine == 'sqlite' else 100} ms one is killed (1 of 10) or paused for "
                    "1.3 leases (2 of 10)",
                ),
                Verdict(
                    f"S12 {name}",
                    "after the death of all schedulers the new ones take up what was begun",
                    "SIGKILL to all 8 at once; due: lease + poll + 5 s",
                ),
            )
            found += rows[engine]
        engine_names = list(made)
        for number in effort.each():
            engine = engine_names[number % len(engine_names)]
            small, large = _size(effort, (3, 5), (50, 20) if engine == "sqlite" else (20, 10))
            with worlds(made[engine], pause=0.12) as world:
                _race(*rows[engine], world, small, large, random.Random(effort.seed * 1000 + number))
    return [verdict for verdict in found if verdict.tries]


def _race(verdict: Verdict, deaths: Verdict, world: World, n: int, windows: int, rng: random.Random) -> None:
    assert isinstance(world.clock, Clock)
    world.fill(n)
    herd = Herd(world, 8, rng)
    until = NOON + windows * HOUR
    total, looked, ended = n * windows, 0.0, 0
    give_up = time.monotonic() + 30 + total / 15
    try:
        while time.monotonic() < give_up:
            # A server gives its one lock to those who wait for it in turn, paused or not: time must be left for others.
            if world.is_sqlite or rng.random() < 0.2:
                herd.hurt()
            if time.monotonic() > looked + 0.5:
                looked, ended = time.monotonic(), world.ended()
                if ended >= total * 0.9:
                    break
            # Time goes on, whether they follow or not: but not so far ahead that there is only catching up.
            if (
                world.clock() < until
                and rng.random() < 0.2
                and ended >= n * ((world.clock() - NOON) // HOUR) - 3 * n
            ):
                world.clock.set(world.clock() + HOUR)
            time.sleep(_STEP)
        verdict.notes["kills"] += herd.kills
        verdict.notes["pauses"] += herd.pauses
        world.clock.set(until)
        herd.rest()
        time.sleep(0.1)
        herd.kill_all()
        began = time.monotonic()
        _recovered(deaths, world, began)
        _settled(verdict, world, herd, until, world.url.partition(":")[0])
    finally:
        herd.end()


def _recovered(verdict: Verdict, world: World, began: float) -> None:
    """Wait until nothing is in progress that the dead had begun."""
    with world.open() as registry, registry.read() as tx:
        from driftline.registry import executions

        begun = {e.id for e in executions.history(tx, status="InProgress", limit=1000)}
    while time.monotonic() < began + 60:
        with world.open() as registry, registry.read() as tx:
            left = {
                e.id
                for e in executions.history(tx, status="InProgress", limit=1000)
                if e.id in begun and e.attempts < 2
            }
        if not left:
            break
        time.sleep(0.05)
    took = time.monotonic() - began
    verdict.check(took <= LEASE / 1e6 + 0.05 + 5, f"took {took:.1f} s")
    verdict.notes["runs that the dead had begun"] += len(begun)
    verdict.most("longest seconds", took)


def clocks(effort: Effort) -> list[Verdict]:
    """S4: step the clock by which windows come due, back and forth, while schedulers are killed."""
    verdict = Verdict(
        "S4",
        "no window twice and none left out, however the clock is set",
        "the registry's clock jumps back 2 h and forward 400 d, and returns; 4 schedulers are killed and paused",
    )
    day = 24 * HOUR
    midnight = NOON // day * day
    with engines("sqlite", "postgresql") as made:
        for number in effort.each():
            rng = random.Random(effort.seed * 1000 + number)
            engine = list(made)[number % 2]
            is_far = number % 4 >= 2
            period = day if is_far else HOUR
            start = midnight if is_far else NOON
            schedule = "cron(0 0 ? * * *)" if is_far else "cron(0 * ? * * *)"
            with worlds(made[engine], clock=Clock(start), since=start, pause=0.001) as world:
                assert isinstance(world.clock, Clock)
                world.fill(1 if is_far else 3, schedule=schedule)
                herd = Herd(world, 4, rng)
                most = at = start + 3 * period
                try:
                    for step in range(100 if effort.seconds < 1e8 else 40):
                        at += rng.choice((0, 0, period // 4, period // 2))
                        seen = at
                        if is_far and step == 20:
                            seen = at + 400 * day
                        elif rng.random() < 0.3:
                            seen = at - rng.choice((2 * HOUR, 1_000_000, 59_000_000))
                            verdict.notes["steps back"] += 1
                        world.clock.set(seen)
                        if seen > at:
                            verdict.notes["steps of 400 days"] += 1
                            # Somebody must see it, or it has not been.
                            world.wait(400, 120)
                        most = max(most, seen)
                        herd.hurt(0.05, 0.05)
                        time.sleep(_STEP)
                    world.clock.set(most)
                    verdict.notes["kills"] += herd.kills
                    _settled(verdict, world, herd, most, f"{engine} {number}", period)
                finally:
                    herd.end()
    return [verdict]


def skews(effort: Effort) -> list[Verdict]:
    """S5: two processes whose wall clocks are ten minutes apart, on one server."""
    verdict = Verdict(
        "S5",
        "leases and due times are judged by the server's clock: no overlaps, effects once",
        "PostgreSQL; the processes' own clocks are 10 minutes ahead and 10 minutes behind; one is paused now and then",
    )

    def skewed(seconds: float) -> Callable[[], None]:
        real, real_ns = time.time, time.time_ns

        def apply() -> None:
            time.time = lambda: real() + seconds
            time.time_ns = lambda: real_ns() + int(seconds * 1e9)

        return apply

    with engines("postgresql") as made:
        for number in effort.each():
            rng = random.Random(effort.seed * 1000 + number)
            n, windows = _size(effort, (3, 8), (10, 48))
            now = time.time_ns() // 1000
            since = now // HOUR * HOUR - windows * HOUR
            with worlds(made["postgresql"], clock=None, since=since, pause=0.06) as world:
                world.fill(n)
                herd = Herd(world, 2, rng, before=[skewed(600), skewed(-600)])
                try:
                    end = time.monotonic() + 60
                    while time.monotonic() < end and world.ended() < n * windows * 0.9:
                        for _ in range(20):
                            herd.hurt(0.0, 0.03)
                            time.sleep(_STEP)
                    verdict.notes["pauses"] += herd.pauses
                    # An hour may have ended meanwhile.
                    until = max(now, time.time_ns() // 1000)
                    _settled(verdict, world, herd, until, f"round {number}")
                finally:
                    herd.end()
    return [verdict]


def _through(verdict: Verdict, effort: Effort, turn: Callable[[Proxy, random.Random], None]) -> list[Verdict]:
    """Race with half of the schedulers behind a proxy that is up to something."""
    with server() as running, place() as above:
        make = databases(running, above)
        for number in effort.each():
            rng = random.Random(effort.seed * 1000 + number)
            is_hole = verdict.id == "S7"
            n, windows = _size(effort, (4, 2) if is_hole else (3, 6), (8, 6) if is_hole else (10, 40))
            with (
                worlds(make, pause=0.6 if is_hole else 0.004, steps=8 if is_hole else 3) as world,
                proxy(running.port) as between,
            ):
                assert isinstance(world.clock, Clock)
                world.fill(n)
                behind = world.url.replace(f":{running.port}/", f":{between.port}/")
                urls: list[str | None] = [behind, None] if is_hole else [behind]
                # Who is cut off in the middle of a transaction keeps all others waiting; that is not what is looked for.
                settings = {"poll": 1_000_000} if is_hole else {}
                herd = Herd(world, 4, rng, urls=urls, settings=settings)
                until = NOON + windows * HOUR
                try:
                    for hour in range(windows):
                        world.clock.set(NOON + (hour + 1) * HOUR)
                        turn(between, rng)
                    between.set(FORWARD)
                    verdict.notes["connections cut around a commit"] += between.cuts
                    _settled(verdict, world, herd, until, f"round {number}")
                finally:
                    between.set(FORWARD)
                    herd.end()
    return [verdict]


def blackhole(effort: Effort) -> list[Verdict]:
    """S7: some schedulers hear nothing of their database any more."""
    verdict = Verdict(
        "S7",
        "who cannot reach the database stops before its lease ends; others go on",
        "PostgreSQL; 2 of 4 schedulers behind a proxy that forwards nothing for 2 leases, then cuts",
    )

    def turn(between: Proxy, rng: random.Random) -> None:
        time.sleep(rng.uniform(0.2, 0.8))
        if rng.random() < 0.6:
            between.set(HOLE)
            verdict.notes["times of silence"] += 1
            time.sleep(2 * LEASE / 1e6)
            between.set(CUT_ALL)
            time.sleep(0.05)
            between.set(FORWARD)

    return _through(verdict, effort, turn)


def commits(effort: Effort) -> list[Verdict]:
    """D6: the answer to a commit never comes."""
    verdict = Verdict(
        "D6",
        "a commit whose answer is lost counts once",
        "PostgreSQL behind a proxy that cuts connections just before a COMMIT is sent, or just after it was answered",
    )

    def turn(between: Proxy, rng: random.Random) -> None:
        for _ in range(6):
            between.set(rng.choice((CUT_BEFORE, CUT_AFTER, CUT_AFTER)))
            time.sleep(rng.uniform(0.0, 0.05))

    return _through(verdict, effort, turn)


def away(effort: Effort) -> list[Verdict]:
    """D5: the server crashes under its schedulers, again and again."""
    verdict = Verdict(
        "D5",
        "whole transactions, and every window once, over crashes of the server",
        "PostgreSQL stopped with -m immediate, and started, under 4 schedulers; one backend killed in between",
    )
    with server() as running, place() as above:
        make = databases(running, above)
        for number in effort.each():
            rng = random.Random(effort.seed * 1000 + number)
            n, windows = _size(effort, (3, 3), (10, 20))
            with worlds(make) as world:
                assert isinstance(world.clock, Clock)
                world.fill(n)
                herd = Herd(world, 4, rng)
                try:
                    for hour in range(windows):
                        world.clock.set(NOON + (hour + 1) * HOUR)
                        time.sleep(rng.uniform(0.05, 0.6))
                        if hour % 5 == 4:
                            _kill_a_backend(running, rng)
                            verdict.notes["backends killed"] += 1
                        else:
                            running.stop("immediate")
                            running.start()
                            verdict.notes["crashes"] += 1
                    _settled(verdict, world, herd, NOON + windows * HOUR, f"round {number}")
                finally:
                    herd.end()
    return [verdict]


def _kill_a_backend(running: Server, rng: random.Random) -> None:
    children = []
    for entry in os.listdir("/proc"):  # noqa: PTH208
        if not entry.isdigit():
            continue
        with contextlib.suppress(OSError), open(f"/proc/{entry}/stat") as file:  # noqa: PTH123
            if int(file.read().rpartition(")")[2].split()[1]) == running.process.pid:
                with open(f"/proc/{entry}/cmdline") as line:  # noqa: PTH123
                    if "driftline" in line.read():
                        children.append(int(entry))
    if children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(rng.choice(children), signal.SIGKILL)
    # The server ends all others, and is back by itself.
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with contextlib.suppress(Exception):
            import psycopg

            psycopg.connect(running.url("postgres"), connect_timeout=2).close()
            return
        time.sleep(0.05)
