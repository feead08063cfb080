"""Event ids are random UUIDs, in whatever process."""

from __future__ import annotations

import os
import uuid
from concurrent.futures import ThreadPoolExecutor

from driftline.capture.ids import new_id, new_ids


def test_ids_are_random_uuids() -> None:
    for name in [new_id(), *new_ids(100)]:
        parsed = uuid.UUID(name)
        assert str(parsed) == name
        assert parsed.version == 4
        assert parsed.variant == uuid.RFC_4122


def test_no_id_comes_twice() -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: new_id(), range(5_000)))
    assert len({*found, *new_ids(5_000)}) == 10_000


def test_a_child_draws_its_own() -> None:
    new_id()
    told, tell = os.pipe()
    child = os.fork()
    if not child:  # pragma: no cover - another process
        os.write(tell, "\n".join(new_id() for _ in range(300)).encode())
        os._exit(0)
    os.close(tell)
    with os.fdopen(told) as said:
        theirs = set(said.read().split("\n"))
    os.waitpid(child, 0)
    assert len(theirs) == 300
    assert theirs.isdisjoint(new_id() for _ in range(600))
