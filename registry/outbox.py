"""Outbox: events, written in the transaction that made them true, and their way to the targets.

An event is delivered at least once, under the same id each time. What cannot be delivered stays, as a dead letter that
everybody can see and anybody allowed to can send again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from driftline.errors import InternalError
from driftline.registry.ids import new_id
from driftline.registry.tables import deliveries, events, targets

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from driftline.registry.store import Tx

__all__ = [
    "DEFAULT_EVENTS",
    "PREFIX",
    "Delivery",
    "Event",
    "claim",
    "emit",
    "is_wanted",
    "put_back",
    "read_events",
    "settle",
]

PREFIX = "io.driftline."

DEFAULT_EVENTS = ("alert.opened", "alert.escalated", "alert.resolved")
"""What a target is told of where it does not say."""

_KIND = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)+")
_SEVERITIES = {"warning": 1, "critical": 2}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened.

    Attributes
    ----------
    id : str
    type : str
        Such as ``io.driftline.alert.opened.v1``.
    subject : str
        What it happened to, such as ``alerts/01J…``.
    moment : int
        Microseconds since 1970-01-01 UTC.
    data : mapping
    seq : int
        Place in the order of all events.
    """

    id: str
    type: str
    subject: str
    moment: int
    data: Mapping[str, Any]
    seq: int = 0

    @property
    def short(self) -> str:
        """The type without prefix and version, such as ``alert.opened``."""
        return self.type.removeprefix(PREFIX).rpartition(".v")[0]


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event that this process has taken on to deliver.

    Attributes
    ----------
    event : Event
    target : str
    attempts : int
        This one counted.
    created : int
        When the delivery was asked for.
    token : int
        Grows with every claim; only the newest may say what became of it.
    """

    event: Event
    target: str
    attempts: int
    created: int
    token: int


def is_wanted(config: Mapping[str, Any], event: Event) -> bool:
    """Tell whether a target wants to hear of an event.

    Parameters
    ----------
    config : mapping
        ``events``: patterns of short types such as ``alert.*`` (:data:`DEFAULT_EVENTS` where there are none);
        ``severity``: the least; ``models``, ``endpoints``: patterns of names. Events that name no severity, model or
        endpoint pass the filter for it.
    event : Event
    """
    wanted = config.get("events") or DEFAULT_EVENTS
    if not any(fnmatchcase(event.short, pattern) for pattern in wanted):
        return False
    least = _SEVERITIES.get(str(config.get("severity") or "warning"), 1)
    severity = event.data.get("severity")
    if isinstance(severity, str) and _SEVERITIES.get(severity, 2) < least:
        return False
    for key, name in (("models", "model"), ("endpoints", "endpoint")):
        patterns = config.get(key)
        value = event.data.get(name)
        if patterns and isinstance(value, str) and not any(fnmatchcase(value, p) for p in patterns):
            return False
    return True


def emit(tx: Tx, kind: str, subject: str, data: Mapping[str, Any]) -> Event:
    """Add an event, and a delivery for every target that wants it.

    Parameters
    ----------
    kind : str
        The short type, such as ``alert.opened``.
    subject : str
    data : mapping
    """
    if not _KIND.fullmatch(kind):
        raise InternalError(f"{kind!r} is no type of an event: write it as alert_rule.in_alert")
    event = Event(new_id(tx.now), f"{PREFIX}{kind}.v1", subject, tx.now, data)
    tx.insert(events, id=event.id, type=event.type, subject=subject, moment=tx.now, data=dict(data))
    for name, config in tx.targets():
        if is_wanted(config, event):
            tx.insert(
                deliveries,
                event=event.id,
                target=name,
                state="waiting",
                attempts=0,
                created=tx.now,
                next_try=tx.now,
                token=0,
            )
    return event


def read_events(tx: Tx, *, after: int = 0, limit: int = 1000, kinds: Sequence[str] = ()) -> list[Event]:
    """Return events in order.

    Parameters
    ----------
    after : int
        Only those with a greater ``seq``.
    limit : int
    kinds : sequence of str
        Patterns of short types.
    """
    query = sa.select(events).where(events.c.seq > after).order_by(events.c.seq).limit(limit)
    found = [_event(row) for row in tx.execute(query)]
    return [e for e in found if not kinds or any(fnmatchcase(e.short, kind) for kind in kinds)]


def _event(row: Any) -> Event:
    return Event(row.id, row.type, row.subject, row.moment, row.data, row.seq)


def claim(
    tx: Tx, owner: str, *, limit: int = 20, lease: int = 60_000_000, without: Collection[str] = ()
) -> list[Delivery]:
    """Take on deliveries that are due and that nobody else holds.

    Parameters
    ----------
    owner : str
        The process.
    limit : int
    lease : int
        Microseconds after which others may try.
    without : collection of str
        Targets to leave alone.
    """
    epoch, clock = tx.lease_clock()
    free = sa.or_(
        deliveries.c.lease_until.is_(None),
        deliveries.c.lease_until <= clock,
        deliveries.c.lease_epoch != epoch,
    )
    query = (
        sa.select(deliveries.c.event, deliveries.c.target)
        .join_from(deliveries, events)
        .where(
            deliveries.c.state == "waiting",
            deliveries.c.next_try <= tx.now,
            free,
            deliveries.c.target.not_in(sorted(without)),
        )
        .order_by(deliveries.c.next_try, events.c.seq)
        .limit(limit)
    )
    taken = []
    for key in tx.execute(query).all():
        here = sa.and_(deliveries.c.event == key.event, deliveries.c.target == key.target)
        tx.execute(
            sa.update(deliveries)
            .where(here)
            .values(
                owner=owner,
                token=deliveries.c.token + 1,
                attempts=deliveries.c.attempts + 1,
                lease_epoch=epoch,
                lease_until=clock + lease,
            )
        )
        row = tx.execute(
            sa.select(deliveries.c.attempts, deliveries.c.created.label("asked"), deliveries.c.token, events)
            .join_from(deliveries, events)
            .where(here)
        ).one()
        taken.append(Delivery(_event(row), key.target, row.attempts, row.asked, row.token))
    return taken


def put_back(tx: Tx, delivery: Delivery, *, again: int | None = None) -> bool:
    """Give up a delivery that was taken on and not tried: it does not count as a try.

    Parameters
    ----------
    again : int, optional
        When it is due; as before where not given.

    Returns
    -------
    bool
        False where somebody else has taken it on since.
    """
    values: dict[str, Any] = {"owner": None, "lease_epoch": None, "lease_until": None}
    if again is not None:
        values["next_try"] = again
    changed = tx.execute(
        sa.update(deliveries)
        .where(
            deliveries.c.event == delivery.event.id,
            deliveries.c.target == delivery.target,
            deliveries.c.token == delivery.token,
            deliveries.c.owner.is_not(None),
            deliveries.c.state == "waiting",
        )
        .values(attempts=deliveries.c.attempts - 1, **values)
    )
    return bool(changed.rowcount)


def settle(tx: Tx, delivery: Delivery, *, error: str | None = None, again: int | None = None) -> bool:
    """Say what became of a delivery.

    Parameters
    ----------
    error : str, optional
        Why it failed; it was sent where there is none.
    again : int, optional
        When to try again; without it, a failed delivery is a dead letter.

    Returns
    -------
    bool
        False where somebody else has taken it on since: then nothing is changed.
    """
    state = "sent" if error is None else "waiting" if again is not None else "dead"
    values: dict[str, Any] = {
        "state": state,
        "error": error,
        "owner": None,
        "lease_epoch": None,
        "lease_until": None,
    }
    values |= {"next_try": again} if state == "waiting" else {"ended": tx.now}
    changed = tx.execute(
        sa.update(deliveries)
        .where(
            deliveries.c.event == delivery.event.id,
            deliveries.c.target == delivery.target,
            deliveries.c.token == delivery.token,
            deliveries.c.state == "waiting",
        )
        .values(values)
    ).rowcount
    # Of a notification about a dead letter that is dead itself nobody is told: that would go on for ever.
    if changed and state == "dead" and delivery.event.short != "delivery.dead":
        emit(
            tx,
            "delivery.dead",
            f"deliveries/{delivery.event.id}/{delivery.target}",
            {
                "event": delivery.event.id,
                "type": delivery.event.type,
                "target": delivery.target,
                "error": error,
            },
        )
    return bool(changed)


def wanted_targets(tx: Tx) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the names and configurations of targets that are there and enabled."""
    query = (
        sa.select(targets.c.name, targets.c.config)
        .where(targets.c.archived.is_(None), targets.c.enabled == True)  # noqa: E712
        .order_by(targets.c.name)
    )
    return [(row.name, row.config) for row in tx.execute(query)]
