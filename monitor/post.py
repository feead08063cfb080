"""Post: what the outbox holds, brought to the targets.

A delivery is taken on in one transaction, sent outside of any, and settled in another. A process that dies in between has
sent it or not; whoever takes it on next sends it again, under the same id.
"""

from __future__ import annotations

import logging
import random
import time
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from driftline.errors import DriftlineError
from driftline.monitor.notify.backoff import next_try
from driftline.monitor.notify.error import SendError
from driftline.monitor.notify.guard import PRIVATE_NETWORKS, Guard
from driftline.monitor.notify.message import Event
from driftline.monitor.notify.targets import Target, sender
from driftline.registry import outbox
from driftline.registry.ids import new_id
from driftline.registry.store import SYSTEM
from driftline.registry.tables import targets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from driftline.registry.outbox import Delivery
    from driftline.registry.store import Registry, Tx

__all__ = ["Post", "beat", "target_of"]

_log = logging.getLogger("driftline.post")

_AT_ONCE = 50
_LEASE = 120_000_000
_FIELDS = ("url", "url_env", "url_file", "secret_env", "secret_file", "severity")
_LISTS = ("events", "models", "endpoints")


def target_of(name: str, kind: str, config: Mapping[str, Any]) -> Target:
    """Return a target as it was declared.

    Raises
    ------
    UsageError
        ``E-TARGET``, ``E-NAME``.
    """
    given: dict[str, Any] = {key: config[key] for key in _FIELDS if config.get(key) is not None}
    given |= {key: tuple(config.get(key) or ()) for key in _LISTS}
    return Target(name, kind, **given)


def guard_of(config: Mapping[str, Any], **limits: Any) -> Guard:
    """Return the guard of what is sent to a target.

    Its owner may allow it addresses of the private network, and connections in the clear.
    """
    private = PRIVATE_NETWORKS if config.get("allow_private") else ()
    return Guard(allow_private=private, allow_http=bool(config.get("allow_http")), **limits)


class Post:
    """Delivers events.

    Parameters
    ----------
    seed : int, optional
        Of the random waits between tries.
    workers : int
        Deliveries at a time, so that a slow receiver does not keep the others waiting.
    source : str
        Of the events: what tells this workspace from others.
    **limits
        Of the guard, see :class:`~driftline.monitor.notify.guard.Guard`.
    """

    def __init__(
        self, *, seed: int | None = None, workers: int = 8, source: str = "urn:driftline", **limits: Any
    ) -> None:
        self._random = random.Random(seed)  # noqa: S311
        self._workers = workers
        self._source = source
        self._limits = limits
        self._guards: dict[tuple[bool, bool], Guard] = {}
        self._pool: ThreadPoolExecutor | None = None
        self._under_way: dict[str, Future[int]] = {}

    def send_due(self, registry: Registry, owner: str, *, wait: bool = True) -> int:
        """Deliver what is due, and return how many arrived.

        Parameters
        ----------
        registry : Registry
        owner : str
            The process.
        wait : bool, default True
            Until all of it was tried. Without waiting, what is under way goes on in the background, so that a receiver
            that does not answer keeps no other waiting; the count is of what has arrived since the last call.
        """
        with registry.read() as tx:
            is_due = _is_due(tx)
        sent = self._collect()
        if is_due and len(self._under_way) < self._workers:
            self._begin(registry, owner)
        if wait:
            wait_for(self._under_way.values())
            sent += self._collect()
        return sent

    def _collect(self) -> int:
        """Count what has arrived of the batches that are done."""
        sent = 0
        for name in [name for name, batch in self._under_way.items() if batch.done()]:
            try:
                sent += self._under_way.pop(name).result()
            except DriftlineError as error:
                _log.warning("what came of deliveries to %s could not be noted: %s", name, error)
        return sent

    def _begin(self, registry: Registry, owner: str) -> None:
        asked = time.monotonic()
        busy = tuple(self._under_way)
        taken = registry.act(
            lambda tx: outbox.claim(tx, owner, limit=_AT_ONCE, lease=_LEASE, without=busy), who=SYSTEM
        )
        if not taken:
            return
        with registry.read() as tx:
            known = {row.name: row for row in tx.execute(sa.select(targets))}
        by_target: dict[str, list[Delivery]] = {}
        for delivery in taken:
            by_target.setdefault(delivery.target, []).append(delivery)
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._workers, "driftline-post")
        until = asked + _LEASE / 2e6
        for name, waiting in by_target.items():
            self._under_way[name] = self._pool.submit(self._to, registry, known.get(name), waiting, until)

    def _to(self, registry: Registry, row: Any, waiting: list[Delivery], until: float) -> int:
        """Bring events to one target, one after the other, in order, for as long as they are surely ours.

        One that fails is tried again later, and what comes after it goes back untried: a target that does not answer once
        would keep each of them waiting for as long.
        """
        sent = 0
        again: int | None = None
        for delivery in waiting:
            if again is not None or time.monotonic() > until:
                registry.act(lambda tx, d=delivery, a=again: outbox.put_back(tx, d, again=a), who=SYSTEM)  # type: ignore[misc]
                continue
            error: SendError | None = None
            try:
                self._send(row, delivery)
                sent += 1
            except SendError as failed:
                error = failed
            except DriftlineError as failed:
                error = SendError("refused", failed.message, permanent=True)
            except Exception as failed:  # noqa: BLE001
                # A library's fault with one event must not keep the others.
                _log.exception("delivery to %s failed", delivery.target)
                error = SendError("service", type(failed).__name__)
            again = registry.act(lambda tx, d=delivery, e=error: self._settle(tx, d, e), who=SYSTEM)  # type: ignore[misc]
        return sent

    def _send(self, row: Any, delivery: Delivery) -> None:
        if row is None or row.archived is not None or not row.enabled:
            raise SendError("refused", f"target {delivery.target} is there no longer", permanent=True)
        event = delivery.event
        message = Event(event.id, event.type, self._source, event.subject, event.moment, event.data)
        target = target_of(row.name, row.kind, row.config)
        sender(target, self._guard(row.config)).send(message)

    def _guard(self, config: Mapping[str, Any]) -> Guard:
        """Return the guard for what a target's owner allows; to make one takes reading all certificates."""
        key = bool(config.get("allow_private")), bool(config.get("allow_http"))
        if key not in self._guards:
            self._guards[key] = guard_of(config, **self._limits)
        return self._guards[key]

    def _settle(self, tx: Tx, delivery: Delivery, error: SendError | None) -> int | None:
        """Note what became of a delivery; return when it is tried again, None where it is not."""
        if error is None:
            outbox.settle(tx, delivery)
            return None
        again = None
        if not error.permanent:
            again = next_try(delivery.attempts, delivery.created, tx.now, self._random, error.retry_after)
        _log.warning("event %s: %s", delivery.event.id, error.message)
        outbox.settle(tx, delivery, error=error.message, again=again)
        return again


def beat(config: Mapping[str, Any], scheduler: str, source: str = "urn:driftline") -> bool:
    """Send one sign of life.

    Parameters
    ----------
    config : mapping
        ``[scheduler.heartbeat]``.
    scheduler : str
        The process.
    source : str

    Returns
    -------
    bool
        Whether it arrived; where not, the log says why.
    """
    moment = time.time_ns() // 1000
    subject = f"schedulers/{scheduler}"
    kind = f"{outbox.PREFIX}scheduler.heartbeat.v1"
    try:
        target = target_of("heartbeat", "heartbeat", config)
        message = Event(new_id(moment), kind, source, subject, moment, {"scheduler": scheduler})
        sender(target, guard_of(config)).send(message)
    except DriftlineError as error:
        _log.warning("heartbeat: %s", error.message)
        return False
    return True


def _is_due(tx: Tx) -> bool:
    from driftline.registry.tables import deliveries

    query = sa.select(deliveries.c.event).where(
        deliveries.c.state == "waiting", deliveries.c.next_try <= tx.now
    )
    return tx.execute(query.limit(1)).one_or_none() is not None
