"""The database itself: locked, damaged, left in the middle of a migration, given odd texts; its audit log tampered with."""

from __future__ import annotations

import itertools
import os
import random
import signal
import sqlite3
import threading
import time
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from exam import forks
from tampering import tamper_trials

from driftline.errors import DriftlineError
from driftline.registry import audit_check, fsck, migrating, models
from driftline.registry.store import Registry
from driftline.registry.tables import metadata
from loop.verdict import Verdict
from loop.world import HOUR, NOON, Clock, engines, place, worlds

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from exam.verdict import Effort

__all__ = ["damage", "locked", "migrations", "tampering", "texts"]

_LOADED = (migrating,)


def locked(effort: Effort) -> list[Verdict]:
    """D1: another process has locked the SQLite file."""
    verdict = Verdict(
        "D1",
        "who meets a locked database waits, and then says so in driftline's words; a scheduler goes on after it",
        "BEGIN EXCLUSIVE by another process for 7 s; meanwhile a scheduler, reads, and writes, tried once or again",
    )
    for _ in effort.each():
        with engines("sqlite") as made, worlds(made["sqlite"]) as world:
            assert isinstance(world.clock, Clock)
            world.fill(1)
            pid = world.start()
            try:
                holder = sqlite3.connect(world.url.removeprefix("sqlite:///"), isolation_level=None)
                holder.execute("BEGIN EXCLUSIVE")
                world.clock.set(NOON + HOUR)
                said: list[str] = []
                with world.open() as registry:

                    def tried(
                        name: str,
                        action: Callable[[Any], Any],
                        registry: Registry = registry,
                        said: list[str] = said,
                    ) -> None:
                        began = time.monotonic()
                        try:
                            action(registry)
                            said.append(f"{name} done")
                        except DriftlineError as error:
                            said.append(f"{name} {error.code}")
                        except Exception as error:  # noqa: BLE001  it is what must not be
                            said.append(f"{name} raised {type(error).__name__}: {error}")
                        verdict.most(f"longest seconds to {name}", time.monotonic() - began)

                    def write(registry: Registry) -> None:
                        with registry.write("ann") as tx:
                            models.declare(tx, "a")

                    def read(registry: Registry) -> None:
                        with registry.read() as tx:
                            tx.one(sa.text("SELECT 1"))

                    actions = {
                        "write": write,
                        "write and try again": lambda r: r.act(lambda tx: models.declare(tx, "b"), who="ann"),
                        "read": read,
                    }
                    threads = [threading.Thread(target=tried, args=(n, a)) for n, a in actions.items()]
                    for thread in threads:
                        thread.start()
                    time.sleep(7)
                    holder.execute("ROLLBACK")
                    holder.close()
                    for thread in threads:
                        thread.join()
                for one in said:
                    verdict.check(
                        one in ("write E-BUSY", "write and try again done", "read done", "read E-BUSY"),
                        f"locked: {one}",
                    )
                verdict.check(len(said) == len(actions), f"only {said}")
                verdict.check(world.wait(1, 20), "the scheduler did not go on")
                verdict.check(os.waitpid(pid, os.WNOHANG) == (0, 0), "the scheduler ended")
            finally:
                forks.kill(pid)
            tries, wrong = world.judge(world.expected(NOON + HOUR))
            verdict.tries += tries
            for one in wrong:
                verdict.wrong(one)
    return [verdict]


# --- damage -----------------------------------------------------------------------------------------------------------

_WAYS = ("flip", "flip", "flip", "cut", "zero", "delete", "folder", "empty", "read-only")


def damage(effort: Effort) -> list[Verdict]:
    """D3: the SQLite file is damaged, or is something else."""
    verdict = Verdict(
        "D3",
        "what is damaged is refused in driftline's words, or shown by fsck; never a new database in its place",
        "one bit flipped, cut, 512 bytes of zeros, deleted, emptied, a folder in its place, or read-only, by chance; "
        "then opened, read whole, checked and written to",
    )
    with engines("sqlite") as made, worlds(made["sqlite"]) as world:
        assert isinstance(world.clock, Clock)
        world.fill(3)
        world.clock.set(NOON + 6 * HOUR)
        with world.open():
            world.scheduler().drain()
        whole = world.folder / "registry.db"
        with world.open() as registry, registry.database.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        before = _contents(world.folder)
        data = whole.read_bytes()
        for number in effort.each():
            rng = random.Random(effort.seed * 1000 + number)
            with place() as folder:
                path = folder / "registry.db"
                way = rng.choice(_WAYS)
                what = _damaged(path, data, way, rng)
                verdict.tries += 1
                try:
                    said = forks.answer(lambda path=path: _looked_at(path), 60)
                except forks.ChildError as error:
                    verdict.wrong(f"{what}: {error}")
                    continue
                state, changed = said["state"], said["contents"] is not None and said["contents"] != before
                verdict.notes[state] += 1
                if way == "delete" and path.exists():
                    verdict.wrong(f"{what}: a new database in its place")
                if state == "accepted" and changed:
                    # SQLite has no checksums: a value of a table without a chain of hashes is another, and looks whole.
                    verdict.notes["values that are others, which nothing can tell"] += 1
                if state == "accepted" and way not in ("flip", "zero", "read-only"):
                    verdict.wrong(f"{what}: accepted")
    return [verdict]


def _damaged(path: Path, data: bytes, way: str, rng: random.Random) -> str:
    at = rng.randrange(len(data))
    if way == "delete":
        return "deleted"
    if way == "folder":
        path.mkdir()
        return "a folder"
    changed = bytearray(data)
    if way == "flip":
        at = rng.randrange(100) if rng.random() < 0.2 else at
        changed[at] ^= 1 << rng.randrange(8)
    elif way == "cut":
        del changed[at:]
    elif way == "empty":
        changed = bytearray()
    elif way == "zero":
        changed[at // 512 * 512 : at // 512 * 512 + 512] = bytes(512)
    path.write_bytes(changed)
    if way == "read-only":
        path.chmod(0o444)
        path.parent.chmod(rng.choice((0o555, 0o500)))  # others may look, or not even that
    return f"{way} at {at}"


def _looked_at(path: Path) -> dict[str, Any]:
    """Open, read, check and write; everything but driftline's own errors is a failure."""
    if path.parent.stat().st_mode & 0o222 == 0:
        os.setgid(65534)
        os.setuid(65534)
    try:
        registry = Registry.open(path)
    except DriftlineError as error:
        return {"state": f"refused with {error.code}", "contents": None}
    with registry:
        if any(f.severity == "error" for f in fsck.fsck(registry, files=False)):
            return {"state": "shown by fsck", "contents": None}
        try:
            contents = _contents(path.parent)
            registry.act(lambda tx: models.declare(tx, "new"), who="ann")
        except DriftlineError as error:
            return {"state": f"refused later with {error.code}", "contents": None}
    return {"state": "accepted", "contents": contents}


def _contents(folder: Path) -> list[Any]:
    with Registry.open(folder / "registry.db") as registry, registry.read() as tx:
        return [
            [
                [str(value) for value in row]
                for row in tx.execute(sa.text(f"SELECT * FROM {t.name} ORDER BY 1, 2"))
            ]
            for t in metadata.sorted_tables
        ]


# --- migrations -------------------------------------------------------------------------------------------------------


def migrations(effort: Effort) -> list[Verdict]:
    """D4: the process dies at each statement of the migration; and a database of a newer version."""
    verdict = Verdict(
        "D4",
        "a migration is done or not, never half; a newer database is refused",
        "SIGKILL at each SQL statement of the migration, on SQLite and PostgreSQL; then once more to the end",
    )
    from loop.world import server

    with server() as running, place() as above:
        urls: dict[str, Callable[[], str]] = {
            "postgresql": running.database,
            "sqlite": lambda: f"sqlite:///{above / f'r{time.monotonic_ns()}.db'}",
        }
        counts = {
            engine: forks.answer(lambda make=make: _migrate(make(), above, 0))
            for engine, make in urls.items()
        }
        cases = [(engine, at) for engine, n in counts.items() for at in range(1, n + 1)]
        verdict.notes["cases there are"] = len(cases)
        random.Random(effort.seed).shuffle(cases)
        for number in effort.each():
            if number >= len(cases):
                break
            engine, at = cases[number]
            url = urls[engine]()
            forks.wait(forks.start(lambda url=url, at=at: _migrate(url, above, at)), 60)
            said = forks.answer(lambda url=url: _after(url, above), 60)
            verdict.check(said in ("E-NO-REGISTRY then whole", "whole"), f"{engine}, statement {at}: {said}")
            verdict.notes["migrated again" if said.startswith("E-") else "was done"] += 1
        for url in [make() for make in urls.values()]:
            with Registry.create(url, root=above) as registry, registry.database.writing() as connection:
                connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
            for action in (Registry.open, Registry.create):
                try:
                    action(url, root=above).close()
                    verdict.check(False, "a newer database was opened")
                except DriftlineError as error:
                    verdict.check(error.code == "E-REGISTRY-VERSION", f"a newer database: {error}")
    return [verdict]


def _migrate(url: str, root: Path, die_at: int) -> int:
    """Make a registry, and die before a statement or a commit; return how many there are."""
    n = 0

    def step(*_: Any) -> None:
        nonlocal n
        n += 1
        if n == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    sa.event.listen(sa.Engine, "before_cursor_execute", step)
    sa.event.listen(sa.Engine, "commit", step)
    Registry.create(url, root=root).close()
    return n


def _after(url: str, root: Path) -> str:
    said = ""
    try:
        Registry.open(url, root=root).close()
    except DriftlineError as error:
        said = f"{error.code} then "
    with Registry.create(url, root=root) as registry:
        with registry.write("ann") as tx:
            models.declare(tx, "a")
        wrong = [f.what for f in fsck.fsck(registry) if f.severity == "error"]
        with registry.read() as tx:
            there = set(sa.inspect(tx.connection).get_table_names())
    if there != {table.name for table in metadata.sorted_tables} | {"alembic_version"}:
        wrong.append("tables are missing")
    return said + ("whole" if not wrong else str(wrong))


# --- texts ------------------------------------------------------------------------------------------------------------

_TEXTS: tuple[Any, ...] = (
    *(
        "",
        " ",
        "a\0b",
        "\0",
        "\ud800",
        "x\udfffy",
        "\ufeff",
        "\u202eabc",
        "e\u0301",
        "é",
        "İ",
        "ß",
        "ﬀ",
        "\U0001f600",
    ),
    *(
        "'; DROP TABLE models; --",
        "%",
        "_",
        "\\",
        "\\u0000",
        '"',
        "`",
        "$1",
        ":name",
        "\n",
        "\r\n",
        "\t",
        "\x7f",
        "\x1b[0m",
    ),
    *("a" * 63, "a" * 64, "k" * 10_000, "x" * (1 << 20), "NaN", "null", "0", "-0", "1e400"),
)
_VALUES: tuple[Any, ...] = (
    *(
        10**30,
        -(10**30),
        2**63,
        2**63 - 1,
        1e308,
        float("inf"),
        float("nan"),
        -0.0,
        5e-324,
        True,
        None,
        [],
        {},
    ),
    *({"k" * 10_000: 1}, {"a\0b": 1}, {"\ud800": 1}, [[[[1]]]], {"b": 1, "a": 2}),
)


def texts(effort: Effort) -> list[Verdict]:
    """D12: odd texts and values, on both engines."""
    verdict = Verdict(
        "D12",
        "odd texts, numbers and documents: the same answer on both engines",
        "NUL, halves of surrogates, 10^30, keys of 10 kB, look-alikes, SQL: as names, owners, tags and data of events",
    )
    with engines("sqlite", "postgresql") as made:
        for number in effort.each():
            seed = effort.seed * 1000 + number
            with place() as folder:
                answers = {}
                for engine, make in made.items():
                    with Registry.open(make(folder), root=folder, clock=lambda: NOON) as registry:
                        answers[engine] = _told(registry, random.Random(seed), number)
                for one, other in itertools.zip_longest(answers["sqlite"], answers["postgresql"]):
                    verdict.check(one == other, f"{one} on SQLite, {other} on PostgreSQL")
    return [verdict]


def _told(registry: Registry, rng: random.Random, round_: int) -> list[str]:
    told = []
    for text in _TEXTS:
        odd = text if not round_ else _mixed(rng)
        for what, action in (
            ("name", lambda tx, odd=odd: models.declare(tx, odd)),
            ("owner", lambda tx, odd=odd: models.declare(tx, "m", owner=odd)),
            ("reason", lambda tx, odd=odd: tx.record("thing.made", f"things/{odd}", data={"text": odd})),
        ):
            told.append(f"{what} {odd[:40]!r}: {_outcome(registry, action, odd if what == 'reason' else '')}")
    for value in _VALUES:
        shown = repr(value)[:40]
        told.append(
            f"tags {shown}: {_outcome(registry, lambda tx, v=value: models.declare(tx, 'm', tags=v))}"
        )
        told.append(
            f"data {shown}: {_outcome(registry, lambda tx, v=value: tx.emit('thing.made', 't/1', {'v': v}))}"
        )
    with registry.read() as tx:
        for table in ("models", "audit", "audit_bodies"):
            for row in tx.execute(sa.text(f"SELECT * FROM {table} ORDER BY 1")):
                told.append(f"{table}: {[str(value) for value in row]}"[:2000])
        for row in tx.execute(sa.text("SELECT type, subject, data FROM events ORDER BY seq")):
            told.append(f"events: {list(row)}"[:2000])
        told.append(f"audit: {audit_check.check(tx).is_whole}")
    return told


def _mixed(rng: random.Random) -> str:
    text = "".join(rng.choice(_TEXTS)[:20] for _ in range(rng.randint(1, 3)))
    return text + chr(rng.randrange(1, 0x110000))


def _outcome(registry: Registry, action: Callable[[Any], Any], reason: str = "") -> str:
    try:
        with registry.write("ann", reason) as tx:
            return f"{type(action(tx)).__name__}"
    except DriftlineError as error:
        return f"{error.code}: {error.message}"


# --- the audit log ----------------------------------------------------------------------------------------------------


def tampering(effort: Effort) -> list[Verdict]:
    """C4: raw statements on the audit log."""
    verdict = Verdict(
        "C4",
        "whatever was done to the audit log by raw statements is found, at the right entry",
        "edited, deleted, inserted, reordered, copied from another log, cut, replaced, numbers and texts changed; with and "
        "without a checkpoint",
    )
    for number in effort.each():
        n = 2000 if effort.seconds < 1e8 else 40
        for row in tamper_trials(n, effort.seed * 1000 + number):
            verdict.tries += row.tries
            if row.failures:
                verdict.wrong(row.case, row.failures)
    return [verdict]
