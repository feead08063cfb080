"""Accounts: what a capture store may take, and what became of every event.

At any moment *received = stored + quarantined + duplicate + dropped + waiting*, where *waiting* is what lies in logs.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from driftline.capture import wal
from driftline.capture.records import held_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from driftline.capture.archive import Archive

__all__ = ["Limits", "Stats", "stats_of"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a store may take.

    Attributes
    ----------
    disk_bytes : int or None
        Most bytes of all its files; None for no limit.
    when_full : {"drop", "expire"}
        ``drop`` refuses new events and counts them as dropped; ``expire`` removes the oldest hours to make room.
    waiting_bytes : int
        Most bytes of events that wait for the disk; what comes beyond is dropped and counted.
    seal_seconds, seal_bytes : float, int
        A log is sealed when it is this old or this large.
    pair_seconds : float
        How long half an event waits for its other half.
    group_seconds : float
        How long the first event of a group waits for others before the disk is asked.
    """

    disk_bytes: int | None = None
    when_full: Literal["drop", "expire"] = "drop"
    waiting_bytes: int = 64 << 20
    seal_seconds: float = 60.0
    seal_bytes: int = 32 << 20
    pair_seconds: float = 60.0
    group_seconds: float = 0.002


@dataclass(frozen=True, slots=True)
class Stats:
    """What became of the events, see :meth:`Captures.stats`.

    Attributes
    ----------
    received, stored, duplicate, quarantined, waiting : int
        Events. `received` is counted where they arrive, the others where they end, so that they check each other.
    dropped, quarantine : mapping of str to int
        Events that were not taken, and those that could not be put in a table, by reason.
    replayed, erased, expired : int
        Events that left the quarantine, or the store, afterwards.
    damaged_bytes, damaged_records : int
        Bytes of logs that no record could be read from; records that say nothing.
    torn_bytes : int
        Bytes at the ends of logs that no record could be read from: what a crash left of events that were never
        acknowledged, or damage to the last that were.
    rows, segments, bytes : int
        What is to be seen now.
    """

    received: int = 0
    stored: int = 0
    duplicate: int = 0
    quarantined: int = 0
    waiting: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    quarantine: Mapping[str, int] = field(default_factory=dict)
    replayed: int = 0
    erased: int = 0
    expired: int = 0
    damaged_bytes: int = 0
    damaged_records: int = 0
    torn_bytes: int = 0
    rows: int = 0
    segments: int = 0
    bytes: int = 0

    @property
    def balance(self) -> int:
        """Events that are unaccounted for: 0, always."""
        told = self.stored + self.duplicate + self.quarantined + self.waiting + sum(self.dropped.values())
        return self.received - told


def stats_of(archive: Archive, endpoint: str | None = None) -> Stats:
    """Count what became of the events of a store, whoever wrote them."""
    total: Counter[str] = Counter()
    dropped: Counter[str] = Counter()
    quarantine: Counter[str] = Counter()
    # Logs first, then the manifest: what is sealed in between is in the manifest and left out of the logs. Once more where
    # that was the case, because a half may have been carried on to a log that was read before.
    for _ in range(5):
        logs = {}
        for path in archive.waiting_logs():
            with contextlib.suppress(FileNotFoundError):
                logs[path.stem] = held_in(wal.read_log(path.read_bytes()).payloads, endpoint)
        names = {*logs, *(origin for held in logs.values() for origin, _ in held.carried)}
        counts, sealed = archive.manifest.account(names, endpoint)
        if sealed.keys().isdisjoint(logs):
            break
    segments = archive.manifest.segments(endpoint=endpoint)
    for (_, _, what, reason), n in counts.items():
        total[what] += n
        if what == "dropped":
            dropped[reason] += n
        elif what == "quarantined":
            quarantine[reason] += n
    for name, held in logs.items():
        if name not in sealed:
            n = held.events + sum(n for (log, token), n in held.carried.items() if sealed.get(log) == token)
            total["waiting"] += n
            total["received"] += n + held.dropped.total()
            dropped.update(held.dropped)
    return Stats(
        received=total["received"],
        stored=total["stored"],
        duplicate=total["duplicate"],
        quarantined=total["quarantined"],
        waiting=total["waiting"],
        dropped={reason: n for reason, n in sorted(dropped.items()) if n},
        quarantine={code: n for code, n in sorted(quarantine.items()) if n},
        replayed=total["replayed"],
        erased=total["erased"],
        expired=total["expired"],
        damaged_bytes=total["damaged bytes"],
        damaged_records=total["damaged records"],
        torn_bytes=total["torn bytes"],
        rows=sum(s.rows for s in segments),
        segments=len(segments),
        bytes=sum(s.bytes for s in segments),
    )
