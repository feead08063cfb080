"""Targets: where notifications go, and what became of those that were to go there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from driftline.capture.event import check_name
from driftline.errors import printable
from driftline.registry import models, outbox
from driftline.registry.database import RegistryError
from driftline.registry.given import check_no_secrets, check_page, check_value, check_words, missing
from driftline.registry.tables import deliveries, events, targets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from driftline.registry.store import Tx

__all__ = [
    "DeadLetter",
    "DeliveryStats",
    "Target",
    "archive",
    "dead_letters",
    "declare",
    "delivery_stats",
    "find",
    "get",
    "list_targets",
    "redeliver",
    "restore",
]


@dataclass(frozen=True, slots=True)
class Target:
    """Where notifications go.

    Attributes
    ----------
    name, kind : str
    config : mapping
        What its kind needs, and which events it wants (:func:`driftline.registry.outbox.is_wanted`). Secrets are named
        by ``…_env`` and ``…_file``, and never here.
    enabled : bool
    created, modified : int
    archived : int or None
    """

    name: str
    kind: str
    config: Mapping[str, Any]
    enabled: bool
    created: int
    modified: int
    archived: int | None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A notification that could not be delivered.

    Attributes
    ----------
    event : Event
    target : str
    attempts : int
    created, ended : int
        When it was asked for, and given up.
    error : str
        What went wrong the last time.
    """

    event: outbox.Event
    target: str
    attempts: int
    created: int
    ended: int
    error: str


@dataclass(frozen=True, slots=True)
class DeliveryStats:
    """What became of the notifications to a target.

    Attributes
    ----------
    target : str
    waiting, sent, dead : int
        How many.
    oldest_waiting : int or None
        Age of the oldest that waits, in microseconds.
    """

    target: str
    waiting: int
    sent: int
    dead: int
    oldest_waiting: int | None


def _of(row: Any) -> Target:
    return Target(*(getattr(row, column) for column in Target.__slots__))


def find(tx: Tx, name: str) -> Target | None:
    """Return a target, archived ones too, or None."""
    row = tx.one(sa.select(targets).where(targets.c.name == check_name("a target", name)))
    return None if row is None else _of(row)


def get(tx: Tx, name: str) -> Target:
    """Return a target, archived ones too.

    Raises
    ------
    RegistryError
        ``E-NO-TARGET``.
    """
    found = find(tx, name)
    if found is None:
        raise missing(tx, "target", name, targets.c.name, targets.c.archived.is_(None))
    return found


def declare(tx: Tx, name: str, *, kind: str, config: Mapping[str, Any], enabled: bool = True) -> bool:
    """Say that there is a target for notifications; from the next event on it is told.

    Parameters
    ----------
    name : str
    kind : str
        Such as ``webhook``.
    config : mapping
        Holds no secrets: only names of environment variables and files that do, under keys that end in ``_env`` and
        ``_file``.
    enabled : bool

    Returns
    -------
    bool
        Whether anything changed. What was archived is brought back.

    Raises
    ------
    UsageError
        ``E-NAME``, ``E-SECRET``, ``E-TEXT``, ``E-VALUE``.
    """
    before = find(tx, name)
    check_name("a kind of target", kind)
    given = check_value("config", dict(config))
    check_no_secrets("config", given)
    values: dict[str, Any] = {"kind": kind, "config": given, "enabled": bool(enabled)}
    subject, data = f"targets/{name}", {"target": name, "kind": kind}
    if before is None:
        tx.insert(targets, name=name, **values, created=tx.now, modified=tx.now)
        tx.forget_targets()
        tx.record("target.created", subject, after=values, data=data)
        return True
    back = restore(tx, name)
    old, new = models.changes(before, values)
    if new:
        tx.execute(sa.update(targets).where(targets.c.name == name).values(**new, modified=tx.now))
        tx.forget_targets()
        tx.record("target.changed", subject, before=old, after=new, data=data)
    return back or bool(new)


def archive(tx: Tx, name: str) -> bool:
    """Put a target away: nothing is sent there from now on; what waits becomes a dead letter.

    Returns
    -------
    bool
        False where it was put away before.

    Raises
    ------
    RegistryError
        ``E-NO-TARGET``.
    """
    if get(tx, name).archived is not None:
        return False
    tx.execute(sa.update(targets).where(targets.c.name == name).values(archived=tx.now, modified=tx.now))
    tx.forget_targets()
    dead = tx.execute(
        sa.update(deliveries)
        .where(deliveries.c.target == name, deliveries.c.state == "waiting")
        .values(
            state="dead",
            ended=tx.now,
            error="the target was archived",
            owner=None,
            lease_epoch=None,
            lease_until=None,
        )
    ).rowcount
    tx.record("target.archived", f"targets/{name}", data={"target": name, "dead_letters": dead})
    return True


def restore(tx: Tx, name: str) -> bool:
    """Bring an archived target back; False where it was not archived.

    Raises
    ------
    RegistryError
        ``E-NO-TARGET``.
    """
    if get(tx, name).archived is None:
        return False
    tx.execute(sa.update(targets).where(targets.c.name == name).values(archived=None, modified=tx.now))
    tx.forget_targets()
    tx.record("target.restored", f"targets/{name}", data={"target": name})
    return True


def list_targets(
    tx: Tx, *, after: str | None = None, limit: int = 100, archived: bool = False
) -> list[Target]:
    """Return targets by name."""
    query = sa.select(targets).order_by(targets.c.name).limit(check_page(limit))
    if not archived:
        query = query.where(targets.c.archived.is_(None))
    if after is not None:
        query = query.where(targets.c.name > check_words("after", after))
    return [_of(row) for row in tx.execute(query)]


def dead_letters(tx: Tx, *, target: str | None = None, after: int = 0, limit: int = 100) -> list[DeadLetter]:
    """Return what could not be delivered, in the order of the events.

    Parameters
    ----------
    target : str, optional
    after : int
        Only of events with a greater ``seq``.
    limit : int
    """
    query = (
        sa.select(
            deliveries.c.target,
            deliveries.c.attempts,
            deliveries.c.created.label("asked"),
            deliveries.c.ended,
            deliveries.c.error,
            events,
        )
        .join_from(deliveries, events)
        .where(deliveries.c.state == "dead", events.c.seq > after)
        .order_by(events.c.seq, deliveries.c.target)
        .limit(check_page(limit))
    )
    if target is not None:
        query = query.where(deliveries.c.target == check_name("a target", target))
    return [
        DeadLetter(
            outbox.Event(row.id, row.type, row.subject, row.moment, row.data, row.seq),
            row.target,
            row.attempts,
            row.asked,
            row.ended,
            row.error or "",
        )
        for row in tx.execute(query)
    ]


def redeliver(tx: Tx, event: str, target: str) -> bool:
    """Try a dead letter again, with as much time as a new one.

    Parameters
    ----------
    event : str
        Its id.
    target : str

    Returns
    -------
    bool
        False where it waits to be sent already.

    Raises
    ------
    RegistryError
        ``E-NO-TARGET``, ``E-NO-DELIVERY``; ``E-ARCHIVED``: the target was put away; ``E-SENT``.
    """
    if get(tx, target).archived is not None:
        raise RegistryError(
            f"the target {target!r} is archived", code="E-ARCHIVED", field="target", fix="declare it again"
        )
    here = sa.and_(deliveries.c.event == check_words("event", event, most=64), deliveries.c.target == target)
    row = tx.one(
        sa.select(deliveries.c.state, deliveries.c.attempts, deliveries.c.error, events.c.type)
        .join_from(deliveries, events)
        .where(here)
    )
    if row is None:
        raise RegistryError(
            f"no delivery of the event {printable(repr(event), 60)} to {target!r} was asked for",
            code="E-NO-DELIVERY",
            fix="list the dead letters",
        )
    if row.state == "waiting":
        return False
    if row.state != "dead":
        raise RegistryError("it was sent", code="E-SENT", fix="only dead letters are sent again")
    tx.execute(
        sa.update(deliveries)
        .where(here)
        .values(state="waiting", attempts=0, created=tx.now, next_try=tx.now, ended=None, error=None)
    )
    tx.record(
        "delivery.redelivered",
        f"deliveries/{event}/{target}",
        before={"state": "dead", "attempts": row.attempts, "error": row.error},
        data={"event": event, "type": row.type, "target": target},
    )
    return True


def delivery_stats(tx: Tx) -> list[DeliveryStats]:
    """Return for each target what became of its notifications; archived ones only where some are left."""
    counts: dict[str, dict[str, tuple[int, int]]] = {
        row.name: {} for row in tx.execute(sa.select(targets.c.name).where(targets.c.archived.is_(None)))
    }
    query = sa.select(
        deliveries.c.target,
        deliveries.c.state,
        sa.func.count().label("n"),
        sa.func.min(deliveries.c.created).label("oldest"),
    ).group_by(deliveries.c.target, deliveries.c.state)
    for row in tx.execute(query):
        counts.setdefault(row.target, {})[row.state] = (row.n, row.oldest)
    none = (0, 0)
    return [
        DeliveryStats(
            name,
            states.get("waiting", none)[0],
            states.get("sent", none)[0],
            states.get("dead", none)[0],
            max(0, tx.now - states["waiting"][1]) if "waiting" in states else None,
        )
        for name, states in sorted(counts.items())
    ]
