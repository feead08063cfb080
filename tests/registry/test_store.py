"""Transactions: done whole or not at all, audited, and told of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from driftline.errors import UsageError
from driftline.registry import audit, outbox
from driftline.registry.store import Registry
from driftline.registry.tables import settings, targets

if TYPE_CHECKING:
    from pathlib import Path


def test_what_fails_leaves_nothing(registry: Registry) -> None:
    def fail() -> None:
        with registry.write("ann") as tx:
            tx.insert(settings, name="a", value=1, modified=tx.now)
            tx.record("setting.changed", "settings/a", after=1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with registry.read() as tx:
        assert tx.all(sa.select(settings)) == []
        assert audit.head(tx) == (0, audit.GENESIS)
        assert outbox.read_events(tx) == []


def test_records_are_chained_and_told(registry: Registry) -> None:
    for n in range(3):
        with registry.write("ann", "because") as tx:
            tx.record("thing.made", f"things/{n}", after={"n": n, "name": "é\u2028"}, data={"n": n})
    with registry.read() as tx:
        entries = list(audit.entries(tx))
        told = outbox.read_events(tx)
    assert [e.seq for e in entries] == [1, 2, 3]
    assert [e.previous for e in entries[1:]] == [e.hash for e in entries[:-1]]
    assert entries[1].change == {"before": None, "after": {"n": 1, "name": "é\u2028"}}
    assert [(e.short, e.subject, e.data["audit"]) for e in told] == [
        ("thing.made", f"things/{n}", n + 1) for n in range(3)
    ]


def test_the_log_cannot_be_changed(registry: Registry) -> None:
    with registry.write("ann") as tx:
        tx.record("thing.made", "things/1")
    for statement in ("UPDATE audit SET who = 'bob'", "DELETE FROM audit"):
        with (
            pytest.raises(sa.exc.DBAPIError, match="never changed"),
            registry.database.engine.connect() as connection,
        ):
            connection.execute(sa.text(statement))


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_text_that_one_engine_refuses_is_refused_by_both(registry: Registry, text: str) -> None:
    with pytest.raises(UsageError, match="E-TEXT"), registry.write("ann") as tx:
        tx.insert(targets, name=text, kind="log", config={}, enabled=True, created=0, modified=0)


def test_documents_hold_what_json_can(registry: Registry) -> None:
    value = {"\0": "\ud800", "z": [1.5, None, True, 10**30]}
    with registry.write("ann") as tx:
        tx.insert(settings, name="a", value=value, modified=0)
        tx.insert(settings, "update", name="a", value=[value], modified=1)
    with registry.read() as tx:
        assert tx.one(sa.select(settings.c.value)).value == [value]


def test_deliveries_are_claimed_once_and_settled_by_their_token(registry: Registry) -> None:
    with registry.write("ann") as tx:
        for name, config in (
            ("all", {"events": ["*"]}),
            ("alerts", {"events": ["alert.*"], "severity": "critical"}),
        ):
            tx.insert(targets, name=name, kind="log", config=config, enabled=True, created=0, modified=0)
        tx.emit("alert.opened", "alerts/1", {"severity": "warning"})
        tx.emit("alert.opened", "alerts/2", {"severity": "critical"})
        tx.emit("thing.made", "things/1", {})
    with registry.write("s") as tx:
        first = outbox.claim(tx, "p1", lease=0)
        assert sorted((d.event.subject, d.target) for d in first) == [
            ("alerts/1", "all"),
            ("alerts/2", "alerts"),
            ("alerts/2", "all"),
            ("things/1", "all"),
        ]
    with registry.write("s") as tx:
        second = outbox.claim(tx, "p2")
        assert len(second) == 4
        assert outbox.claim(tx, "p3") == []
    with registry.write("s") as tx:
        # The first claim had no time: whoever took over may settle, it may not.
        assert not any(outbox.settle(tx, d) for d in first)
        assert outbox.settle(tx, second[0])
        assert outbox.settle(tx, second[1], error="500", again=tx.now)
        assert outbox.settle(tx, second[2], error="410")
        assert outbox.settle(tx, second[3])
    with registry.write("s") as tx:
        assert [d.attempts for d in outbox.claim(tx, "p2")] == [
            3,
            1,
        ]  # again, and the news of the dead letter
        assert [e.short for e in outbox.read_events(tx)][-1] == "delivery.dead"


def test_of_a_dead_letter_about_a_dead_letter_nobody_is_told(registry: Registry) -> None:
    with registry.write("ann") as tx:
        for name in ("one", "two"):
            values = {"kind": "webhook", "config": {"events": ["delivery.*"]}, "enabled": True}
            tx.insert(targets, name=name, **values, created=tx.now, modified=tx.now)
        tx.emit("delivery.dead", "deliveries/x/one", {})
        for _ in range(5):
            for delivery in outbox.claim(tx, "me", limit=10):
                outbox.settle(tx, delivery, error="gone")
        assert len([e for e in outbox.read_events(tx) if e.short == "delivery.dead"]) == 1


def test_what_a_database_is_called_holds_no_password() -> None:
    from driftline.registry.database import Database

    url = "postgresql://ann:canary@db.example/x?password=canary&sslpassword=canary&sslmode=require"
    made = Database(url)
    assert made.name == "postgresql://ann:***@db.example/x?sslmode=require"
    assert "canary" not in repr(made)
    assert made.url.count("canary") == 3


def test_a_url_that_is_none_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no URL of a database"):
        Registry.open("postgresql://ann@db.example:port/x", root=tmp_path)
