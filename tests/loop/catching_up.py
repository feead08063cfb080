"""Schedules after a time in which nothing ran, beside ones that fail, by the thousand, and changed while they run."""

from __future__ import annotations

import os
import random
import signal
import time
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from exam import forks

from driftline.monitor.expression import Expression
from driftline.registry import executions, schedules
from driftline.registry.executions import Finding
from driftline.registry.tables import executions as execution_rows
from loop.race import Herd, _size
from loop.verdict import Verdict
from loop.world import HOUR, LEASE, NOON, POLL, Clock, World, engines, worlds

if TYPE_CHECKING:
    from collections.abc import Callable

    from exam.verdict import Effort

    from driftline.registry.executions import Execution

__all__ = ["changes", "crowd", "downtime", "poison", "sudden"]

MINUTE = 60_000_000
_DAY = 24 * HOUR


def downtime(effort: Effort) -> list[Verdict]:
    """S3: nothing ran for a day and more; each policy accounts for every fire."""
    rows = {
        policy: Verdict(
            f"S3 {policy}",
            f"after a day without schedulers every fire is run or recorded as skipped, as `{policy}` says",
            "expressions, delays and lengths of the outage by chance; on SQLite and PostgreSQL",
        )
        for policy in ("all", "latest", "skip")
    }
    with engines("sqlite", "postgresql") as made:
        for number in effort.each():
            rng = random.Random(effort.seed * 1000 + number)
            for policy, verdict in rows.items():
                with worlds(made[list(made)[number % 2]]) as world:
                    _down(verdict, world, policy, rng)
    return list(rows.values())


def _down(verdict: Verdict, world: World, policy: str, rng: random.Random) -> None:
    assert isinstance(world.clock, Clock)
    text = rng.choice(
        ("cron(0 * ? * * *)", "cron(0/15 * ? * * *)", "cron(0 0/6 ? * * *)", "cron(30 4 ? * * *)")
    )
    expression = Expression.parse(text, "UTC")
    delay = rng.choice((0, 0, HOUR, 5 * MINUTE))
    world.fill(1, schedule=text, catch_up=policy, delay=f"PT{delay // 1_000_000}S")
    before = rng.randrange(3)
    for _ in range(before):
        world.clock.set(world.clock() + HOUR)
        _drained(world)
    down = world.clock()
    now = down + _DAY + rng.randrange(0, 30 * HOUR)
    world.clock.set(now)
    _drained(world)
    fires = list(expression.between(NOON, now - delay, 10_000))
    with world.open() as registry, registry.read() as tx:
        rows = list(reversed(executions.history(tx, schedule=world.names[0], limit=10_000)))
        order = [
            row.subject
            for row in tx.execute(
                sa.text("SELECT subject FROM events WHERE type LIKE '%execution.started%' ORDER BY seq")
            )
        ]
    what = f"{text} {policy} delay {delay // MINUTE} min, down for {(now - down) / HOUR:.1f} h"
    verdict.check(
        [r.scheduled for r in rows] == fires, f"{what}: {len(rows)} executions of {len(fires)} fires"
    )
    missed = [r for r in rows if r.scheduled + delay > down]
    ran = [r for r in missed if r.status != "Skipped"]
    skipped = [r for r in missed if r.status == "Skipped"]
    verdict.notes["fires run"] += len(ran)
    verdict.notes["fires skipped"] += len(skipped)
    verdict.check(all(r.has_ended for r in rows), f"{what}: not all have ended")
    if policy == "all":
        verdict.check(not skipped, f"{what}: {len(skipped)} skipped")
    else:
        newest = missed[-1] if missed else None
        grace = max(MINUTE, expression.period_at(newest.scheduled) // 2) if newest else 0
        wanted = newest is not None and (policy == "latest" or now - delay - newest.scheduled < grace)
        verdict.check(ran == ([newest] if wanted else []), f"{what}: ran {len(ran)} of {len(missed)}")
    verdict.check(all("catch_up" in str(r.message) for r in skipped), f"{what}: skipped without a reason")
    mine = {f"executions/{r.id}": r.window_end for r in rows}
    ends = [mine[subject] for subject in order if subject in mine]
    verdict.check(ends == sorted(ends), f"{what}: windows were run out of order")


def _drained(world: World) -> None:
    with world.open():
        world.scheduler().drain()


def poison(effort: Effort) -> list[Verdict]:
    """S8: schedules that cannot run, beside others that can."""
    verdict = Verdict(
        "S8",
        "schedules that fail each time keep no other waiting, and are set aside with a reason",
        "runs that fail or raise, configurations that make no sense, beside 4 good schedules; delay of these at most "
        "a poll and what a run takes on a busy machine (1.5 s)",
    )
    bad: dict[str, dict[str, Any]] = {
        "fails": {},
        "raises": {},
        "cron": {"schedule": "cron(0 0 ? * 31 2 *)"},
        "none": {"schedule": None},
        "delay": {"delay": "soon"},
        "policy": {"catch_up": "never"},
        "offsets": {"start_offset": "-PT1H", "end_offset": "-PT2H"},
        "late": {"revise_for": "P1Y"},
        "runtime": {"max_runtime": "an hour"},
    }

    def run(world: World) -> Callable[..., Finding]:
        def act(execution: Execution, *given: Any, **named: Any) -> Finding:
            if execution.schedule == "fails":
                return Finding("Failed", "no such column", "E-SCHEMA")
            if execution.schedule == "raises":
                raise ZeroDivisionError("a fault")
            return world._pretend(execution, *given, **named)

        return act

    with engines("sqlite", "postgresql") as made:
        for number in effort.each():
            hours = 12
            with worlds(made[list(made)[number % 2]], pause=0.001) as world:
                assert isinstance(world.clock, Clock)
                world.fill(4)
                with world.open() as registry, registry.write("ann") as tx:
                    for name, config in bad.items():
                        config = {"schedule": "cron(0 * ? * * *)", "catch_up": "all"} | config
                        config = {key: value for key, value in config.items() if value is not None}
                        schedules.declare(
                            tx, name, endpoint="prod", kind="data-quality", config=config, since=NOON
                        )
                pid = world.start(runner=run(world), late_every=200_000)
                steps = {}
                try:
                    for hour in range(1, hours + 1):
                        steps[NOON + hour * HOUR] = time.monotonic()
                        world.clock.set(NOON + hour * HOUR)
                        time.sleep(0.6)
                    world.wait(4 * hours + hours, 20)
                    verdict.check(os.waitpid(pid, os.WNOHANG) == (0, 0), "the scheduler died")
                finally:
                    forks.kill(pid)
                began = {line[2]: float(line[1]) for line in world.lines() if line[0] == "began"}
                with world.open() as registry, registry.read() as tx:
                    for name in world.names:
                        rows = executions.history(tx, schedule=name, limit=1000)
                        done = sum(r.has_ended for r in rows)
                        verdict.check(done == hours, f"{name}: {done} of {hours} windows were run")
                        for row in rows:
                            if row.id in began:
                                late = began[row.id] - steps[row.scheduled]
                                verdict.check(late <= POLL / 1e6 + 1.5, f"{name} was begun {late:.2f} s late")
                                verdict.most("longest seconds that others waited", late)
                    for name in bad:
                        found = schedules.get(tx, name)
                        is_aside = found.status == "Failed" and found.failure_reason
                        verdict.check(is_aside, f"{name} is {found.status}: {found.failure_reason}")
    return [verdict]


def sudden(effort: Effort) -> list[Verdict]:
    """S6: who claims a run dies before its first heartbeat."""
    verdict = Verdict(
        "S6",
        "a run whose process dies before its first heartbeat is taken over after one lease",
        "SIGKILL as soon as the run is claimed; due: lease + poll + 2 s for a busy machine",
    )

    def die(*_: Any, **__: Any) -> Finding:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError

    with engines("sqlite", "postgresql") as made:
        for number in effort.each():
            with worlds(made[list(made)[number % 2]]) as world:
                assert isinstance(world.clock, Clock)
                world.fill(1)
                world.clock.set(NOON + HOUR)
                forks.wait(world.start(runner=die), 30)
                died = time.monotonic()
                pid = world.start()
                try:
                    is_done = world.wait(1, 30)
                finally:
                    forks.kill(pid)
                took = time.monotonic() - died
                verdict.check(is_done and took <= (LEASE + POLL) / 1e6 + 2, f"taken over after {took:.2f} s")
                verdict.most("longest seconds", took)
                tries, wrong = world.judge(world.expected(NOON + HOUR))
                verdict.tries += tries
                for one in wrong:
                    verdict.wrong(one)
    return [verdict]


def changes(effort: Effort) -> list[Verdict]:
    """S11: schedules are edited, stopped, started and removed while they run."""
    verdict = Verdict(
        "S11",
        "a run keeps the configuration it was planned with, whatever becomes of its schedule",
        "declared anew with another edition, stopped, started and archived at random under 3 schedulers",
    )
    with engines("sqlite", "postgresql") as made:
        for number in effort.each():
            rng = random.Random(effort.seed * 1000 + number)
            n, steps = _size(effort, (3, 30), (8, 150))
            with worlds(made[list(made)[number % 2]]) as world:
                assert isinstance(world.clock, Clock)
                world.fill(n, edition=0)
                herd = Herd(world, 3, rng)
                try:
                    for step in range(steps):
                        name = rng.choice(world.names)
                        with world.open() as registry:
                            verdict.notes[registry.act(_edit(name, step, rng.random()), who="ann")] += 1
                        if step % 3 == 0:
                            world.clock.set(world.clock() + HOUR)
                        time.sleep(0.03)
                    is_done = world.wait(0, 60)
                    verdict.check(is_done, "runs are left")
                finally:
                    herd.end()
                with world.open() as registry, registry.read() as tx:
                    rows = tx.all(sa.select(execution_rows).where(execution_rows.c.schedule.in_(world.names)))
                    endings = list(
                        tx.execute(
                            sa.text(
                                "SELECT subject FROM events WHERE type IN ('io.driftline.execution.completed.v1', "
                                "'io.driftline.execution.violated.v1', 'io.driftline.execution.no_data.v1')"
                            )
                        )
                    )
                verdict.check(len({e.subject for e in endings}) == len(endings), "an execution ended twice")
                for row in rows:
                    is_kept = schedules.digest_of(row.config) == row.config_digest
                    is_used = (
                        row.result is None or row.result.get("config", row.config_digest) == row.config_digest
                    )
                    verdict.check(
                        is_kept and is_used, f"{row.id} of edition {row.config.get('edition')} is mixed"
                    )
                windows = [(row.schedule, row.window_start, row.window_end) for row in rows]
                verdict.check(len(windows) == len(set(windows)), "a window was planned twice")
    return [verdict]


def _edit(name: str, edition: int, chance: float) -> Callable[[Any], str]:
    def act(tx: Any) -> str:
        if chance < 0.6:
            config = {"schedule": "cron(0 * ? * * *)", "catch_up": "all", "edition": edition}
            schedules.declare(tx, name, endpoint="prod", kind="data-quality", config=config)
            return "edited"
        found = schedules.find(tx, name)
        if found is None or found.archived is not None:
            return "left"
        if chance < 0.75:
            schedules.stop(tx, name)
            return "stopped"
        if chance < 0.9:
            schedules.start(tx, name)
            return "started"
        schedules.archive(tx, name)
        return "archived"

    return act


def crowd(effort: Effort) -> list[Verdict]:
    """S10: thousands are due at one instant."""
    verdict = Verdict(
        "S10",
        "10,000 schedules that are due in one second are all done within 10 minutes, and reading stays quick",
        "SQLite, 2 schedulers; meanwhile lists of schedules and executions are read as the API reads them: "
        "99th percentile at most 1 s",
    )
    with engines("sqlite") as made:
        for _ in effort.each():
            n = 10_000 if effort.seconds < 1e8 else 60
            with worlds(made["sqlite"], pause=0.0) as world:
                assert isinstance(world.clock, Clock)
                world.fill(n)
                world.clock.set(NOON + HOUR)
                pids = [world.start(workers=4, lease=20_000_000, chores_every=15_000_000) for _ in range(2)]
                began, took, ended = time.monotonic(), [], 0
                try:
                    while time.monotonic() < began + 900 and ended < n:
                        with world.open() as registry, registry.read() as tx:
                            for _ in range(20):
                                start = time.monotonic()
                                executions.history(tx, limit=100)
                                schedules.list_schedules(tx, limit=100)
                                took.append(time.monotonic() - start)
                                time.sleep(0.02)
                        ended = world.ended()
                finally:
                    for pid in pids:
                        forks.kill(pid)
                seconds = time.monotonic() - began
                verdict.check(ended >= n, f"{ended} of {n} were done", n)
                verdict.check(seconds <= 600, f"took {seconds:.0f} s")
                slow = sorted(took)[int(len(took) * 0.99)]
                verdict.check(slow <= 1.0, f"99th percentile of reading {slow:.2f} s")
                verdict.most("seconds until all were done", seconds)
                verdict.most("ms of reading at the 99th percentile", slow * 1000)
    return [verdict]
