"""World: a registry with schedules, a clock that the examiner moves, and what the plain definition says must come of it."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import mmap
import os
import random
import shutil
import struct
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa
from exam import forks
from postgres import Server, server

from driftline.monitor.running import Place
from driftline.monitor.scheduler import Scheduler, Settings
from driftline.registry import endpoints, executions, fsck, lineage, outbox, schedules, targets
from driftline.registry.database import RegistryError
from driftline.registry.executions import Finding
from driftline.registry.store import Registry
from driftline.registry.tables import alert_history
from driftline.registry.tables import alerts as alert_rows
from driftline.registry.tables import events as event_rows
from driftline.registry.tables import executions as execution_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from driftline.monitor.keeper import FolderKeeper
    from driftline.registry.executions import Execution
    from driftline.registry.store import Tx

__all__ = ["HOUR", "LEASE", "NOON", "POLL", "Clock", "World", "engines", "place", "worlds"]

HOUR = 3_600_000_000
NOON = 1_700_000_000_000_000 // HOUR * HOUR
WARM = "warm"
LEASE = 1_000_000
POLL = 50_000
ENDINGS = {
    "Completed": "completed",
    "CompletedWithViolations": "violated",
    "NoData": "no_data",
    "Failed": "failed",
    "Stopped": "stopped",
    "Skipped": "skipped",
}
_MEMORY = Path("/dev/shm")
_LOADED = (lineage, outbox)  # a child that was forked must not have to look for modules


class Clock:
    """Microseconds in memory that processes share; they stand still until somebody moves them."""

    def __init__(self, at: int = NOON) -> None:
        self._memory = mmap.mmap(-1, 8)
        self.set(at)

    def __call__(self) -> int:
        return int(struct.unpack("q", self._memory[:8])[0])

    def set(self, at: int) -> None:
        """Move it."""
        self._memory[:8] = struct.pack("q", at)


@contextlib.contextmanager
def place(*, in_memory: bool = True) -> Iterator[Path]:
    """Give a folder in memory, where there is such a file system, or on the disk."""
    above = str(_MEMORY) if in_memory and _MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="loop-", dir=above, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def outcome(execution: Execution) -> str:
    """Return what a pretended look at a window comes to: the same whoever looks."""
    digest = hashlib.sha256(f"{execution.schedule} {execution.window_start}".encode()).digest()
    return ("Completed", "Completed", "CompletedWithViolations", "NoData")[digest[0] % 4]


def finding(execution: Execution) -> Finding:
    """Return what a pretended look at a window gives, and who looked."""
    status = outcome(execution)
    causes = []
    if status == "CompletedWithViolations":
        incident = {
            "fingerprint": "f",
            "kind": "drift",
            "title": "x has drifted",
            "detail": "",
            "columns": ["x"],
        }
        causes = [incident | {"n_columns": 1, "severity": "warning"}]
    result = {
        "judged": True,
        "severity": "warning" if causes else None,
        "incidents": causes,
        "token": execution.token,
        "config": execution.config_digest,
    }
    return Finding(status, "pretended", result=result)


@dataclass
class World:
    """A registry, its clock, and a log of what every process believed.

    Attributes
    ----------
    url : str
    folder : Path
    clock : Clock or None
        None: the database's own.
    names : list of str
        Of the schedules.
    since : int
        Fires after it count.
    """

    url: str
    folder: Path
    clock: Clock | None = field(default_factory=Clock)
    names: list[str] = field(default_factory=list)
    since: int = NOON
    pause: float = 0.004
    steps: int = 3
    _opened: dict[str, Registry] = field(default_factory=dict)

    @property
    def is_sqlite(self) -> bool:
        """Which engine."""
        return self.url.startswith("sqlite")

    @property
    def log(self) -> Path:
        """What every process believed, and when."""
        return self.folder / "log"

    def open(self, url: str | None = None) -> Registry:
        """Open the registry; to be closed before the next fork.

        It is the same one every time, without its connections: what SQLAlchemy has compiled need not be compiled anew in
        every process.
        """
        url = url or self.url
        if url not in self._opened:
            self._opened[url] = Registry.open(url, root=self.folder, clock=self.clock)
        return self._opened[url]

    def fill(self, n: int, **config: Any) -> None:
        """Declare schedules, and a target that everything about them is kept for."""
        config = {"schedule": "cron(0 * ? * * *)", "catch_up": "all"} | config
        self.names = [f"s{number:05d}" for number in range(n)]
        with self.open() as registry:
            with registry.write("ann") as tx:
                wanted = ["execution.*", "alert.*", "alert_rule.*"]
                targets.declare(tx, "kept", kind="log", config={"events": wanted})
                endpoints.declare(tx, "prod")
                self._declare(tx, WARM, config)
            # One window of a schedule of its own is looked at here: those who are forked know all they need then.
            self.scheduler().drain()
            with registry.write("ann") as tx:
                schedules.archive(tx, WARM)
                for name in self.names:
                    self._declare(tx, name, config)
        self.log.unlink(missing_ok=True)

    def _declare(self, tx: Tx, name: str, config: dict[str, Any]) -> None:
        since = self.since - (name == WARM)
        schedules.declare(tx, name, endpoint="prod", kind="data-quality", config=config, since=since)

    def _now(self) -> int:
        return time.time_ns() // 1000 if self.clock is None else self.clock()

    def place(self) -> Place:
        """Return where nothing is captured."""
        return Place(str(self.folder), str(self.folder / "captures"), cast("FolderKeeper", None))

    def scheduler(
        self, url: str | None = None, runner: Callable[..., Finding] | None = None, **settings: int
    ) -> Scheduler:
        """Return a scheduler that is in a hurry; to be made in the process that it runs in."""
        given = {"poll": POLL, "lease": LEASE, "workers": 2, "chores_every": 500_000} | settings
        registry = self.open(url)
        return Scheduler(registry, self.place(), Settings(**given), runner=runner or self._pretend)

    def start(
        self,
        url: str | None = None,
        runner: Callable[..., Finding] | None = None,
        before: Callable[[], Any] = lambda: None,
        **settings: int,
    ) -> int:
        """Start a scheduler in a process of its own, and return its id."""

        def act() -> None:
            logging.disable(logging.CRITICAL)
            before()
            while not self._has_served(url, runner, settings):
                time.sleep(0.1)

        return forks.start(act)

    def _has_served(
        self, url: str | None, runner: Callable[..., Finding] | None, settings: dict[str, int]
    ) -> bool:
        """Run a scheduler; False where its database is away while it starts, when whoever watches over it tries again."""
        try:
            self.scheduler(url, runner, **settings).run_forever()
        except RegistryError as error:
            if error.code not in ("E-REGISTRY", "E-BUSY"):
                self.tell(f"died {error}")
                raise
            return False
        except BaseException as error:
            self.tell(f"died {type(error).__name__}: {error}")
            raise
        return True

    def tell(self, line: str) -> None:
        """Write a line into the log, whole."""
        descriptor = os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line.replace("\n", " ").encode() + b"\n")
        finally:
            os.close(descriptor)

    def _pretend(self, execution: Execution, *_: Any, heartbeat: Callable[[], None], **__: Any) -> Finding:
        """Take a few milliseconds, and note at what moments this process believed to be the holder."""
        self.tell(f"began {time.monotonic():.6f} {execution.id} {execution.token}")
        for _ in range(self.steps):
            time.sleep(random.uniform(0.0, self.pause))
            at = time.monotonic()
            heartbeat()
            self.tell(f"held {at:.6f} {execution.id} {execution.token}")
        return finding(execution)

    def lines(self) -> list[list[str]]:
        """Return the log."""
        return [line.split() for line in self.log.read_text().splitlines()] if self.log.exists() else []

    def overlaps(self) -> list[str]:
        """Return where a process believed to hold what another had begun already."""
        began: dict[tuple[str, int], float] = {}
        for what, *rest in self.lines():
            if what == "began":
                key = rest[1], int(rest[2])
                began[key] = min(float(rest[0]), began.get(key, float("inf")))
        newest: dict[str, list[tuple[int, float]]] = {}
        for (execution, token), at in began.items():
            newest.setdefault(execution, []).append((token, at))
        found = []
        for what, *rest in self.lines():
            if what != "held":
                continue
            at, execution, token = float(rest[0]), rest[1], int(rest[2])
            for other, since in newest.get(execution, ()):
                if other > token and since < at:
                    found.append(
                        f"{execution}: token {token} held at {at:.3f}, token {other} since {since:.3f}"
                    )
        return found

    def count(self, *statuses: str) -> int:
        """Count executions of some statuses, by a connection that is gone before the next fork."""
        with self.open() as registry, registry.read() as tx:
            query = sa.select(sa.func.count()).where(execution_rows.c.schedule != WARM)
            if statuses:
                query = query.where(execution_rows.c.status.in_(statuses))
            return int(tx.execute(query).scalar_one())

    def ended(self) -> int:
        """Count executions that have ended."""
        return self.count(*executions.ENDED)

    def expected(self, until: int, period: int = HOUR) -> list[tuple[int, int]]:
        """Return the windows by the plain definition: one for every full `period` after `since` and up to `until`."""
        fires = range((self.since // period + 1) * period, until + 1, period)
        return [(fire - period, fire) for fire in fires]

    def wait(self, n: int, seconds: float) -> bool:
        """Wait until so many executions have ended, and none is left."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with contextlib.suppress(Exception):
                if self.ended() >= n and not self.count("Pending", *executions.RUNNING):
                    return True
            time.sleep(0.05)
        return False

    # --- the judge ---

    def judge(self, expected: list[tuple[int, int]], names: list[str] | None = None) -> tuple[int, list[str]]:
        """Look at every window; return how many there are, and what is wrong."""
        wrong: list[str] = []
        names = self.names if names is None else names
        with self.open() as registry:
            with registry.read() as tx:
                rows = tx.all(
                    sa.select(execution_rows).order_by(
                        execution_rows.c.schedule, execution_rows.c.window_end, execution_rows.c.revision
                    )
                )
                told: dict[str, list[str]] = {}
                delivered = tx.execute(
                    sa.text("SELECT count(*) FROM deliveries WHERE target = 'kept'")
                ).scalar_one()
                wanted = 0
                for row in tx.execute(sa.select(event_rows.c.type, event_rows.c.subject, event_rows.c.data)):
                    room, _, rest = row.type.removeprefix(outbox.PREFIX).removesuffix(".v1").partition(".")
                    wanted += room in ("execution", "alert", "alert_rule")
                    if room == "execution":
                        told.setdefault(row.subject.removeprefix("executions/"), []).append(rest)
                moved: dict[str, list[str]] = {}
                for row in tx.execute(sa.select(alert_history).order_by(alert_history.c.seq)):
                    moved.setdefault(row.schedule, []).append(row.status)
                unresolved = [
                    row.schedule
                    for row in tx.execute(
                        sa.select(alert_rows.c.schedule).where(
                            alert_rows.c.kind == "violations", alert_rows.c.state != "resolved"
                        )
                    )
                ]
            wrong += [
                f"fsck: {f.where} {f.what}" for f in fsck.fsck(registry, files=False) if f.severity == "error"
            ]
        by_schedule: dict[str, list[Any]] = {name: [] for name in names}
        for row in rows:
            if row.schedule in by_schedule:
                by_schedule[row.schedule].append(row)
        for name, mine in by_schedule.items():
            there = [(row.window_start, row.window_end) for row in mine]
            if there != expected:
                missing, more = sorted(set(expected) - set(there)), sorted(set(there) - set(expected))
                twice = len(there) - len(set(there))
                wrong.append(f"{name}: windows missing {missing[:3]}, too many {more[:3]}, twice {twice}")
            for row in mine:
                wrong += [f"{name} {row.id}: {what}" for what in _odd(row, told.get(row.id, []))]
            wrong += [f"{name}: {what}" for what in _moves(mine, moved.get(name, []))]
        if delivered != wanted:
            wrong.append(f"{wanted} events that a target wants, {delivered} deliveries")
        if len(unresolved) != len(set(unresolved)):
            wrong.append("two open alerts of one schedule")
        return len(expected) * len(names), wrong


def _odd(row: Any, told: list[str]) -> Iterator[str]:
    """Say what is odd about one execution and the events about it."""
    if row.status not in ENDINGS:
        yield f"is {row.status}"
        return
    if row.revision != 1:
        yield f"is revision {row.revision}"
    endings = [word for word in told if word in ENDINGS.values()]
    if endings != [ENDINGS[row.status]]:
        yield f"is {row.status}, and {endings} was told"
    first = "skipped" if row.status == "Skipped" else "planned"
    if told.count(first) != 1:
        yield f"{told.count(first)} times {first}"
    if row.status in executions.FINISHED and row.result["token"] != row.token:
        yield f"the effect is that of token {row.result['token']}, not of {row.token}"


def _moves(mine: list[Any], moved: list[str]) -> Iterator[str]:
    """Compare how an alert rule moved with how its definition moves: one failure of the last one run."""
    status, expected = "OK", []
    for row in mine:
        if row.status in executions.FINISHED:
            now = "InAlert" if row.status == "CompletedWithViolations" else "OK"
            if now != status:
                expected.append(now)
            status = now
    if moved != expected:
        yield f"its alert rule moved {len(moved)} times, expected {len(expected)}"


@contextlib.contextmanager
def engines(*wanted: str) -> Iterator[dict[str, Callable[[Path], str]]]:
    """Give, for each engine, what makes a fresh and migrated database."""
    with contextlib.ExitStack() as stack:
        above = stack.enter_context(place())
        made: dict[str, Callable[[Path], str]] = {}
        if "sqlite" in wanted:
            Registry.create(above / "registry.db").close()

            def sqlite(folder: Path) -> str:
                shutil.copy(above / "registry.db", folder / "registry.db")
                return f"sqlite:///{folder / 'registry.db'}"

            made["sqlite"] = sqlite
        if "postgresql" in wanted:
            running = stack.enter_context(server())
            made["postgresql"] = databases(running, above)
        yield made


def databases(running: Server, root: Path) -> Callable[[Path], str]:
    """Return what makes fresh databases on a server."""
    first = running.database()
    Registry.create(first, root=root).close()
    template = first.rpartition("/")[2]
    return lambda _: running.database(template)


@contextlib.contextmanager
def worlds(make: Callable[[Path], str], **given: Any) -> Iterator[World]:
    """Give a world that is gone afterwards."""
    with place() as folder:
        yield World(make(folder), folder, **given)
