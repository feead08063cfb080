"""Many writers at once: one chain, and what is done is what is in the log."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from driftline.registry import audit, audit_check, models
from driftline.registry.tables import models as models_table

if TYPE_CHECKING:
    from driftline.registry.store import Registry

WRITERS, EACH = 8, 15

_PROGRAM = """
import sys
from driftline.registry import models
from driftline.registry.store import Registry

url, root, name, most = sys.argv[1:]
with Registry.open(url, root=root) as registry:
    print("ready", flush=True)
    sys.stdin.readline()
    for n in range(int(most)):
        registry.act(lambda tx: models.declare(tx, f"{name}-{n}"), who=name, seconds=120)
        print(n, flush=True)
"""


def start(registry: Registry, url: str, name: str, most: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, url, registry.root, name, str(most)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def assert_one_chain(registry: Registry, entries: int) -> None:
    with registry.read() as tx:
        made = audit_check.check(tx)
        rows = tx.all(sa.text("SELECT previous FROM audit"))
        declared = tx.execute(sa.select(sa.func.count()).select_from(models_table)).scalar_one()
    assert made.is_whole
    assert made.entries == declared == entries
    assert len({row.previous for row in rows}) == entries


def test_threads_write_one_chain(registry: Registry) -> None:
    failed: list[BaseException] = []

    def work(name: str) -> None:
        try:
            for n in range(EACH):
                registry.act(lambda tx, n=n: models.declare(tx, f"{name}-{n}"), who=name, seconds=120)  # type: ignore[misc]
        except BaseException as error:  # noqa: BLE001 - told below
            failed.append(error)

    threads = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert_one_chain(registry, WRITERS * EACH)


def test_processes_write_one_chain(registry: Registry, url: str) -> None:
    writers = [start(registry, url, f"w{n}", EACH) for n in range(WRITERS)]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("\n")
        writer.stdin.flush()
    for writer in writers:
        with writer:
            writer.communicate(timeout=300)
        assert writer.returncode == 0
    assert_one_chain(registry, WRITERS * EACH)


def test_a_killed_writer_leaves_both_or_neither(registry: Registry, url: str) -> None:
    rng = random.Random(7)
    heard = 0
    for n in range(4):
        with start(registry, url, f"k{n}", 1_000_000) as writer:
            assert writer.stdin is not None
            assert writer.stdout is not None
            assert writer.stdout.readline() == "ready\n"
            writer.stdin.write("\n")
            writer.stdin.flush()
            # Killed after so many answers, somewhere in what follows them.
            for _ in range(rng.randint(1, 12)):
                assert writer.stdout.readline()
            os.kill(writer.pid, signal.SIGKILL)
            writer.wait(60)
            with registry.write("after") as tx:
                query = sa.select(sa.func.count()).where(models_table.c.name.like(f"k{n}-%"))
                heard += tx.execute(query).scalar_one()
    with registry.read() as tx:
        total = tx.execute(sa.select(sa.func.count()).select_from(models_table)).scalar_one()
    assert total == heard > 0
    assert_one_chain(registry, total)


def test_what_cannot_be_logged_is_not_done(registry: Registry) -> None:
    with registry.write("ann") as tx:
        models.declare(tx, "first")
        # The next entry's number is taken: the log refuses it.
        tx.execute(
            sa.text(
                "INSERT INTO audit (seq, moment, who, action, subject, reason, previous, hash) "
                "VALUES (2, 0, '', '', '', '', '', '')"
            )
        )
    with pytest.raises(sa.exc.IntegrityError), registry.write("ann") as tx:
        models.declare(tx, "second")
    with registry.read() as tx:
        assert [m.name for m in models.list_models(tx)] == ["first"]
        assert audit.head(tx)[0] == 1
