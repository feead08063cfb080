"""Outbox: deliveries are taken in the order of the events, given back untried, and settled by whoever holds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from driftline.errors import UsageError
from driftline.registry import outbox, targets

if TYPE_CHECKING:
    from driftline.registry.store import Registry, Tx


def emit(tx: Tx, n: int, *names: str) -> list[str]:
    for name in names:
        targets.declare(tx, name, kind="log", config={"events": ["thing.*"]})
    return [tx.emit("thing.made", f"things/{k}", {}).id for k in range(n)]


def test_in_the_order_of_the_events(registry: Registry) -> None:
    with registry.write("ann") as tx:
        ids = emit(tx, 30, "log")
        assert [d.event.id for d in outbox.claim(tx, "p", limit=20)] == ids[:20]
        assert [d.event.id for d in outbox.claim(tx, "q", limit=20)] == ids[20:]
        assert outbox.claim(tx, "r") == []


def test_targets_that_are_to_be_left_alone(registry: Registry) -> None:
    with registry.write("ann") as tx:
        emit(tx, 2, "one", "two")
        assert {d.target for d in outbox.claim(tx, "p", without=["one"])} == {"two"}
        assert {d.target for d in outbox.claim(tx, "p")} == {"one"}


def test_what_is_put_back_was_not_tried(registry: Registry) -> None:
    with registry.write("ann") as tx:
        emit(tx, 1, "log")
        (mine,) = outbox.claim(tx, "p")
        assert outbox.put_back(tx, mine)
        assert not outbox.put_back(tx, mine)
        (again,) = outbox.claim(tx, "q")
        assert (again.attempts, again.token) == (1, mine.token + 1)
        # Who held it before can say nothing about it any more.
        assert not outbox.put_back(tx, mine)
        assert not outbox.settle(tx, mine)
        assert outbox.put_back(tx, again, again=tx.now + 60_000_000)
        assert outbox.claim(tx, "r") == []


def test_a_subject_that_no_index_could_hold(registry: Registry) -> None:
    for given in ("k" * 501, "k" * 20_000):
        with registry.write("ann") as tx, pytest.raises(UsageError, match="E-TEXT"):
            tx.emit("thing.made", given, {})
        with registry.write("ann") as tx, pytest.raises(UsageError, match="E-TEXT"):
            tx.record("thing.made", given)
    with registry.write("ann") as tx:
        tx.record("thing.made", "k" * 500)
        assert tx.execute(sa.text("SELECT count(*) FROM events")).scalar_one() == 1
