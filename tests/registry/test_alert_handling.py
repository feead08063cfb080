"""What people do with alerts: each step with who and why, and wrong steps refused."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from alerting import World

from driftline.errors import UsageError
from driftline.registry import alerts, audit, outbox
from driftline.registry.alert_handling import LONGEST_SNOOZE
from driftline.registry.database import RegistryError

if TYPE_CHECKING:
    from collections.abc import Callable

    from driftline.registry.store import Registry, Tx

LATER = 10_000_000_000


@pytest.fixture
def world(registry: Registry) -> World:
    """A world in which an alert is open."""
    made = World(registry)
    made.run("V")
    return made


def alert_of(world: World) -> alerts.Alert:
    (alert,) = world.alerts()
    return alert


def test_from_open_to_resolved(world: World) -> None:
    made = alert_of(world).id
    with world.write("ann") as tx:
        assert alerts.acknowledge(tx, made, "I am looking").acknowledged_by == "ann"
    with world.write("bob") as tx:
        assert alerts.snooze(tx, made, world.now + LATER, "after lunch").state == "snoozed"
        assert alerts.unsnooze(tx, made).state == "open"
        alerts.comment(tx, made, "lunch is over")
        assert alerts.resolve(tx, made, "the feed is repaired").resolved == world.now
    with world.registry.read() as tx:
        told = [(e.who, e.what, e.reason) for e in alerts.log(tx, made)]
        assert told == [
            ("driftline", "opened", None),
            ("ann", "acknowledged", "I am looking"),
            ("bob", "snoozed", "after lunch"),
            ("bob", "woken", None),
            ("bob", "commented", "lunch is over"),
            ("bob", "resolved", "the feed is repaired"),
        ]
        entries = list(audit.entries(tx, subject=f"alerts/{made}"))
        assert [(e.who, e.action) for e in entries] == [(who, f"alert.{what}") for who, what, _ in told]
        assert entries[-1].change["after"]["comment"] == "the feed is repaired"
        assert entries[2].change["after"]["snoozed_until"] == "2026-11-23T09:46:45Z"
        last = outbox.read_events(tx, kinds=("alert.*",))[-1]
        assert (last.data["who"], last.data["reason"]) == ("bob", "the feed is repaired")
    assert world.told() == [f"alert.{what}" for _, what, _ in told]


STEPS: dict[str, Callable[[Tx, str], object]] = {
    "acknowledge": lambda tx, a: alerts.acknowledge(tx, a, "why"),
    "snooze": lambda tx, a: alerts.snooze(tx, a, tx.now + LATER, "why"),
    "unsnooze": lambda tx, a: alerts.unsnooze(tx, a, "why"),
    "comment": lambda tx, a: alerts.comment(tx, a, "why"),
    "resolve": lambda tx, a: alerts.resolve(tx, a, "why"),
}
AFTER = {
    ("open", "acknowledge"): "acknowledged",
    ("open", "snooze"): "snoozed",
    ("open", "unsnooze"): None,
    ("open", "comment"): "open",
    ("open", "resolve"): "resolved",
    ("acknowledged", "acknowledge"): "acknowledged",
    ("acknowledged", "snooze"): "snoozed",
    ("acknowledged", "unsnooze"): None,
    ("acknowledged", "comment"): "acknowledged",
    ("acknowledged", "resolve"): "resolved",
    ("snoozed", "acknowledge"): "acknowledged",
    ("snoozed", "snooze"): "snoozed",
    ("snoozed", "unsnooze"): "open",
    ("snoozed", "comment"): "snoozed",
    ("snoozed", "resolve"): "resolved",
    ("resolved", "acknowledge"): None,
    ("resolved", "snooze"): None,
    ("resolved", "unsnooze"): None,
    ("resolved", "comment"): "resolved",
    ("resolved", "resolve"): None,
}
INTO = {"open": None, "acknowledged": "acknowledge", "snoozed": "snooze", "resolved": "resolve"}


@pytest.mark.parametrize(("state", "step"), AFTER)
def test_every_step_from_every_state(world: World, state: str, step: str) -> None:
    made = alert_of(world).id
    into = INTO[state]
    if into is not None:
        with world.write("ann") as tx:
            STEPS[into](tx, made)
    expected = AFTER[state, step]
    before = world.log(alert_of(world))
    if expected is None:
        with pytest.raises(RegistryError) as caught, world.write("bob") as tx:
            STEPS[step](tx, made)
        assert caught.value.code == "E-ALERT-STATE"
        assert (alert_of(world).state, world.log(alert_of(world))) == (state, before)
        return
    with world.write("bob") as tx:
        STEPS[step](tx, made)
    alert = alert_of(world)
    assert alert.state == expected
    assert (alert.snoozed_until is not None) == (expected == "snoozed")
    assert len(world.log(alert)) == len(before) + 1


def test_acknowledging_twice(world: World) -> None:
    made = alert_of(world).id
    for who, lines in (("ann", 2), ("ann", 2), ("bob", 3)):
        with world.write(who) as tx:
            assert alerts.acknowledge(tx, made).acknowledged_by == "ann"
        assert len(world.log(alert_of(world))) == lines


@pytest.mark.parametrize("ahead", [0, -1, LONGEST_SNOOZE + 1])
def test_snoozes_have_an_end_in_sight(world: World, ahead: int) -> None:
    made = alert_of(world).id
    with pytest.raises(UsageError) as caught, world.write() as tx:
        alerts.snooze(tx, made, tx.now + ahead, "why")
    assert caught.value.code == "E-SNOOZE"
    with world.write() as tx:
        alerts.snooze(tx, made, tx.now + LONGEST_SNOOZE, "why")


@pytest.mark.parametrize("reason", ["", " \n"])
def test_reasons_are_asked_for(world: World, reason: str) -> None:
    made = alert_of(world).id
    acts: list[Callable[[Tx], object]] = [
        lambda tx: alerts.resolve(tx, made, reason),
        lambda tx: alerts.snooze(tx, made, tx.now + LATER, reason),
        lambda tx: alerts.comment(tx, made, reason),
    ]
    for act in acts:
        with pytest.raises(UsageError) as caught, world.write() as tx:
            act(tx)
        assert caught.value.code == "E-REASON"


@pytest.mark.parametrize("text", ["x" * 2001, "a\0b", "\ud800"])
def test_words_that_cannot_be_kept_are_refused(world: World, text: str) -> None:
    made = alert_of(world).id
    with pytest.raises(UsageError) as caught, world.write() as tx:
        alerts.comment(tx, made, text)
    assert caught.value.code == "E-TEXT"


@pytest.mark.parametrize("name", ["", "x", "\0" * 26, "0" * 26, "é" * 26])
def test_alerts_that_are_not_there(world: World, name: str) -> None:
    for step in STEPS.values():
        with pytest.raises(RegistryError) as caught, world.write() as tx:
            step(tx, name)
        assert caught.value.code == "E-NO-ALERT"


def test_snoozed_alerts_wake_when_their_time_is_up(world: World) -> None:
    made = alert_of(world).id
    with world.write("ann") as tx:
        alerts.snooze(tx, made, tx.now + 60_000_000, "a minute")
    with world.write(seconds=59) as tx:
        assert alerts.wake_due(tx) == []
    with world.write() as tx:
        assert [(a.id, a.state, a.snoozed_until) for a in alerts.wake_due(tx)] == [(made, "open", None)]
        assert alerts.wake_due(tx) == []
    assert world.told()[-1] == "alert.woken"
    assert world.log(alert_of(world)) == ["opened", "snoozed", "woken"]


def test_a_clock_that_goes_back_loses_no_snooze(world: World) -> None:
    made = alert_of(world).id
    with world.write("ann") as tx:
        alerts.snooze(tx, made, tx.now + 60_000_000, "a minute")
    with world.write(seconds=-86_400) as tx:
        assert alerts.wake_due(tx) == []
    with world.write(seconds=86_400 + 60) as tx:
        assert len(alerts.wake_due(tx)) == 1


def test_two_people_at_once_are_served_one_after_the_other(world: World) -> None:
    made = alert_of(world).id
    outcomes: list[str] = []

    def act(who: str, step: str) -> None:
        def do(tx: Tx) -> None:
            tx.now = world.now + 1_000_000
            STEPS[step](tx, made)

        try:
            world.registry.act(do, who=who)
            outcomes.append(who)
        except RegistryError as error:
            outcomes.append(f"{who}: {error.code}")

    people = [
        ("ann", "acknowledge"),
        ("bob", "acknowledge"),
        ("cid", "snooze"),
        ("dan", "resolve"),
        ("eve", "resolve"),
    ]
    threads = [threading.Thread(target=act, args=person) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with world.registry.read() as tx:
        done = [e.who for e in alerts.log(tx, made)[1:]]
    assert sorted(done) == sorted(o for o in outcomes if ":" not in o)
    assert {o.partition(": ")[2] for o in outcomes} <= {"", "E-ALERT-STATE"}
    assert done[-1] in ("dan", "eve")  # nothing after it is resolved
    assert sum(o in ("dan", "eve") for o in outcomes) == 1
