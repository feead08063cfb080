"""How a scheduler works, and what one turn of it did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from driftline.monitor.schedule import duration_us

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = ["SECOND", "Settings", "Tick"]

SECOND = 1_000_000
"""In microseconds."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How a scheduler works; durations in microseconds.

    Attributes
    ----------
    poll : int
        Time between two looks at what is due.
    lease : int
        How long a run belongs to a process that is not heard of.
    workers : int
        Runs at a time.
    late_every : int
        Time between two looks for late data.
    chores_every : int
        Time between two looks for silent monitors and snoozed alerts.
    sweep_every : int
        Time between two looks for kept profiles of what was erased.
    threads : int or None
        Threads of one run.
    stale_after : int
        Periods without a run after which a monitor counts as silent.
    heartbeat : mapping or None
        Where to send signs of life, and how often, as declared.
    """

    poll: int = 5 * SECOND
    lease: int = 60 * SECOND
    workers: int = 1
    late_every: int = 300 * SECOND
    chores_every: int = 15 * SECOND
    sweep_every: int = 900 * SECOND
    threads: int | None = None
    stale_after: int = 2
    heartbeat: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Settings:
        """Return the settings that ``[scheduler]`` in the configuration declares."""
        default = cls()
        return cls(
            poll=duration_us(stored["poll"]) if "poll" in stored else default.poll,
            lease=duration_us(stored["lease"]) if "lease" in stored else default.lease,
            workers=int(stored.get("workers", default.workers)),
            stale_after=int(stored.get("stale_after", default.stale_after)),
            heartbeat=stored.get("heartbeat"),
        )


@dataclass(frozen=True, slots=True)
class Tick:
    """What one look did.

    Attributes
    ----------
    planned, skipped, ran, late : int
        Executions made, recorded as skipped, run, and made anew for late data.
    sent : int
        Notifications delivered.
    fed : int
        Reports and baselines noted on model cards.
    """

    planned: int = 0
    skipped: int = 0
    ran: int = 0
    late: int = 0
    sent: int = 0
    fed: int = 0

    def __bool__(self) -> bool:
        return any((self.planned, self.skipped, self.ran, self.late, self.sent, self.fed))
