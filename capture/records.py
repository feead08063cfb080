"""Records: what the payloads of a log say, one byte of kind and then the rest.

====== ============================================================================================
kind   holds
====== ============================================================================================
``E``  an event
``T``  rows that came as a table: endpoint, variant and an Arrow stream
``D``  how many events were not taken, by endpoint, variant and reason
``C``  half an event that was carried on from another log to wait for its other half
``Q``  an event in quarantine, and why (in files of the quarantine only)
====== ============================================================================================
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa

from driftline.capture.event import Event
from driftline.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "CARRIED",
    "DROPPED",
    "EVENT",
    "QUARANTINED",
    "TABLE",
    "Held",
    "Opened",
    "Rejected",
    "carried_payload",
    "dropped_payload",
    "event_payload",
    "held_in",
    "open_payloads",
    "rejected_of",
    "rejected_payload",
    "table_payload",
]

EVENT, TABLE, DROPPED, QUARANTINED, CARRIED = b"E", b"T", b"D", b"Q", b"C"
"""First byte of a payload in a log: what it is."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """An event that cannot be put in a table, and why."""

    event: bytes
    endpoint: str
    variant: str
    code: str
    reason: str


@dataclass(slots=True)
class Opened:
    """What the payloads of a log hold.

    Attributes
    ----------
    events : list of Event
        In the order of the log; the same event may occur more than once.
    dropped : Counter
        By endpoint, variant and reason.
    unreadable : int
        Payloads that are nothing that driftline writes.
    carried : list of (str, str, Event)
        Halves that were carried on from another log: its name, the token of the attempt, the event.
    tables : list of (str, str, pyarrow.Table)
        Endpoint, variant and rows that came as a table.
    """

    events: list[Event] = field(default_factory=list)
    dropped: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    unreadable: int = 0
    carried: list[tuple[str, str, Event]] = field(default_factory=list)
    tables: list[tuple[str, str, pa.Table]] = field(default_factory=list)


@dataclass(slots=True)
class Held:
    """How many events the payloads of a log hold.

    Attributes
    ----------
    events : int
    dropped : Counter
        By reason.
    carried : Counter
        Halves that were carried on from another log, by its name and the token of the attempt.
    """

    events: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    carried: Counter[tuple[str, str]] = field(default_factory=Counter)


def event_payload(event: Event) -> bytes:
    """Return the payload that logs an event."""
    return EVENT + event.pack()


def dropped_payload(dropped: Mapping[tuple[str, str, str], int]) -> bytes:
    """Return the payload that logs how many events were not taken, and why."""
    return DROPPED + json.dumps([[*key, n] for key, n in dropped.items()]).encode("ascii")


def table_payload(endpoint: str, variant: str, table: pa.Table) -> bytes:
    """Return the payload that logs rows which begin with the columns of :data:`driftline.capture.tables.META`."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    head = f"{endpoint} {variant}\n".encode("ascii")
    return b"".join((TABLE, head, sink.getvalue()))


def carried_payload(log: str, token: str, event: Event) -> bytes:
    """Return the payload that carries half an event on from one log to another."""
    return CARRIED + f"{log} {token}\n".encode("ascii") + event.pack()


def rejected_payload(rejected: Rejected) -> bytes:
    """Return the payload that keeps an event in quarantine."""
    head = json.dumps([rejected.endpoint, rejected.variant, rejected.code, rejected.reason])
    return QUARANTINED + head.encode("ascii") + b"\n" + rejected.event


def rejected_of(payload: bytes) -> Rejected:
    """Return what :func:`rejected_payload` kept.

    Raises
    ------
    SourceError
        ``E-LOG`` for other bytes.
    """
    head, _, event = payload[1:].partition(b"\n")
    try:
        endpoint, variant, code, reason = json.loads(head)
        if payload[:1] == QUARANTINED:
            return Rejected(event, endpoint, variant, code, reason)
    except (ValueError, TypeError):
        pass
    raise SourceError("holds a record that is no event in quarantine", code="E-LOG")


def open_payloads(payloads: Iterable[bytes]) -> Opened:
    """Take payloads apart."""
    opened = Opened()
    for payload in payloads:
        try:
            if payload[:1] == EVENT:
                opened.events.append(Event.unpack(payload[1:]))
            elif payload[:1] == CARRIED:
                origin, _, packed = payload[1:].partition(b"\n")
                log, token = origin.decode("ascii").split(" ")
                opened.carried.append((log, token, Event.unpack(packed)))
            elif payload[:1] == TABLE:
                head, _, data = payload[1:].partition(b"\n")
                endpoint, variant = head.decode("ascii").split(" ")
                with pa.ipc.open_stream(data) as stream:
                    opened.tables.append((endpoint, variant, stream.read_all()))
            elif payload[:1] == DROPPED:
                for endpoint, variant, reason, n in json.loads(payload[1:]):
                    opened.dropped[endpoint, variant, reason] += n
            else:
                opened.unreadable += 1
        except (SourceError, ValueError, TypeError, pa.ArrowException):
            opened.unreadable += 1
    return opened


def held_in(payloads: Iterable[bytes], endpoint: str | None = None) -> Held:
    """Count events, of one endpoint or of all, without taking them apart."""
    held = Held()
    for payload in payloads:
        kind, rest = payload[:1], memoryview(payload)[1:]
        try:
            if kind == EVENT:
                held.events += endpoint in (None, _endpoint(rest))
            elif kind == CARRIED:
                origin, _, packed = payload[1:].partition(b"\n")
                log, token = origin.decode("ascii").split(" ")
                held.carried[log, token] += endpoint in (None, _endpoint(memoryview(packed)))
            elif kind == TABLE:
                name, _, data = payload[1:].partition(b"\n")
                if endpoint in (None, name.decode("ascii").partition(" ")[0]):
                    with pa.ipc.open_stream(data) as stream:
                        held.events += sum(row == 0 for row in stream.read_all()["_row"].to_pylist())
            elif kind == DROPPED:
                for name, _, reason, n in json.loads(payload[1:]):
                    held.dropped[reason] += n if endpoint in (None, name) else 0
        except (KeyError, ValueError, TypeError, pa.ArrowException):
            continue  # counted as unreadable when the log is sealed
    return held


def _endpoint(packed: memoryview) -> str:
    head = bytes(packed[:4096])
    if b"\n" not in head:
        head = bytes(packed)
    name: str = json.loads(head.partition(b"\n")[0])["ep"]
    return name
