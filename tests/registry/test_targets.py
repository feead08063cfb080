"""Targets of notifications, and dead letters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from driftline.errors import UsageError
from driftline.registry import audit, outbox, targets
from driftline.registry.database import RegistryError
from driftline.registry.tables import deliveries

if TYPE_CHECKING:
    from driftline.registry.store import Registry, Tx

HOOK: dict[str, Any] = {"url": "https://example.com/hook", "secret_env": "HOOK", "events": ["thing.*"]}


def fail(tx: Tx, n: int = 1) -> None:
    for _ in range(n):
        tx.emit("thing.made", "things/1", {"n": n})
    for delivery in outbox.claim(tx, "p", limit=100):
        outbox.settle(tx, delivery, error="410 Gone")


def test_declaring_again_changes_and_records_nothing(registry: Registry) -> None:
    with registry.write("ann") as tx:
        assert targets.declare(tx, "hook", kind="webhook", config=HOOK)
        assert not targets.declare(tx, "hook", kind="webhook", config=dict(HOOK))
        assert targets.declare(tx, "hook", kind="webhook", config=HOOK, enabled=False)
        assert targets.archive(tx, "hook")
        assert not targets.archive(tx, "hook")
        assert targets.list_targets(tx) == []
        assert targets.declare(tx, "hook", kind="webhook", config=HOOK)
        assert [t.enabled for t in targets.list_targets(tx)] == [True]
        told = [e.action for e in audit.entries(tx)]
    assert told == [
        "target.created",
        "target.changed",
        "target.archived",
        "target.restored",
        "target.changed",
    ]


def test_a_target_hears_of_what_happens_from_then_on(registry: Registry) -> None:
    with registry.write("ann") as tx:
        tx.emit("thing.made", "things/0", {})
        targets.declare(tx, "hook", kind="webhook", config=HOOK)
        tx.emit("thing.made", "things/1", {})
        targets.archive(tx, "hook")
        tx.emit("thing.made", "things/2", {})
        assert tx.all(sa.select(deliveries.c.state, deliveries.c.error)) == [
            ("dead", "the target was archived")
        ]
        with pytest.raises(RegistryError, match="E-ARCHIVED"):
            targets.redeliver(tx, targets.dead_letters(tx)[0].event.id, "hook")


@pytest.mark.parametrize(
    "config",
    [
        {"secret": "hunter2"},
        {"password": "hunter2"},
        {"auth": {"Token": "hunter2"}},
        {"headers": [{"Authorization": "Bearer hunter2"}]},
        {"apiKey": "hunter2"},
        {"url": "https://ann:hunter2@example.com/"},
        {"url": "https://example.com?token=hunter2"},
    ],
)
def test_secrets_are_refused_and_not_shown(registry: Registry, config: dict[str, Any]) -> None:
    with registry.write("ann") as tx:
        with pytest.raises(UsageError, match="E-SECRET") as caught:
            targets.declare(tx, "hook", kind="webhook", config=config)
        assert "hunter2" not in str(caught.value)
        assert targets.list_targets(tx) == []


@pytest.mark.parametrize(
    "config",
    [
        {
            "token_file": "run/token",
            "password_env": "P",
            "tokenizer": "x",
            "secret": "",
            "verify_signature": True,
        },
        {"url": "https://ann@example.com/a?b=c#d", "to": ["a@b.c"]},
    ],
)
def test_places_of_secrets_are_kept(registry: Registry, config: dict[str, Any]) -> None:
    with registry.write("ann") as tx:
        assert targets.declare(tx, "hook", kind="webhook", config=config)
        assert targets.get(tx, "hook").config == config


@pytest.mark.parametrize("name", ["", "a\0b", "\ud800", "x" * 10_240, "x'; --"])
def test_bad_names_are_refused(registry: Registry, name: str) -> None:
    with registry.write("ann") as tx:
        with pytest.raises(UsageError, match="E-NAME"):
            targets.declare(tx, name, kind="log", config={})
        with pytest.raises(UsageError, match="E-NAME"):
            targets.declare(tx, "log", kind=name, config={})
        with pytest.raises(UsageError, match="E-NAME"):
            targets.dead_letters(tx, target=name)


def test_dead_letters_are_seen_and_sent_again(registry: Registry) -> None:
    with registry.write("ann") as tx:
        for name in ("a", "b"):
            targets.declare(tx, name, kind="webhook", config=HOOK)
        fail(tx, 2)
        letters = targets.dead_letters(tx)
        assert [(one.event.seq, one.target, one.error, one.attempts) for one in letters] == [
            (3, "a", "410 Gone", 1),
            (3, "b", "410 Gone", 1),
            (4, "a", "410 Gone", 1),
            (4, "b", "410 Gone", 1),
        ]
        assert [one.target for one in targets.dead_letters(tx, target="b", after=3)] == ["b"]
        assert len(targets.dead_letters(tx, limit=3)) == 3
    with registry.write("eve", "receiver is back") as tx:
        event = letters[0].event.id
        assert targets.redeliver(tx, event, "a")
        assert not targets.redeliver(tx, event, "a")
        (again,) = outbox.claim(tx, "p")
        assert (again.event.id, again.target, again.attempts, again.created) == (event, "a", 1, tx.now)
        assert again.token > 1
        assert outbox.settle(tx, again)
        with pytest.raises(RegistryError, match="E-SENT"):
            targets.redeliver(tx, event, "a")
        with pytest.raises(RegistryError, match="E-NO-DELIVERY"):
            targets.redeliver(tx, "x'; --", "a")
        with pytest.raises(RegistryError, match="E-NO-TARGET"):
            targets.redeliver(tx, event, "c")
        assert [e.action for e in audit.entries(tx)][-1] == "delivery.redelivered"


def test_stats_count_what_became_of_each(registry: Registry) -> None:
    with registry.write("ann") as tx:
        targets.declare(tx, "a", kind="webhook", config=HOOK)
        targets.declare(tx, "idle", kind="webhook", config={"events": ["none"]})
        fail(tx)
        tx.emit("thing.made", "things/2", {})
        (one,) = outbox.claim(tx, "p")
        outbox.settle(tx, one)
        tx.emit("thing.made", "things/3", {})
        tx.execute(sa.update(deliveries).where(deliveries.c.state == "waiting").values(created=tx.now - 5))
        assert targets.delivery_stats(tx) == [
            targets.DeliveryStats("a", 1, 1, 1, 5),
            targets.DeliveryStats("idle", 0, 0, 0, None),
        ]
