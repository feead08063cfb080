"""The demo's clock, which plays a week in seconds, and a store of captures that goes by it."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from driftline.capture.captures import Captures
from driftline.capture.event import now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from driftline.capture.event import Event

__all__ = ["HOUR", "Clock", "TimedCaptures"]

HOUR = 3_600_000_000
"""In microseconds."""

_WAIT_SECONDS = 30.0


class Clock:
    """A clock that is set by hand; called, it gives microseconds since 1970-01-01 UTC.

    Parameters
    ----------
    days : int
        It begins so many days before the last midnight, UTC.
    """

    def __init__(self, days: int) -> None:
        midnight = datetime.fromtimestamp(now() / 1e6, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        self.began = int((midnight - timedelta(days=days)).timestamp()) * 1_000_000
        self._moment = self.began

    def __call__(self) -> int:
        """Return the time."""
        return self._moment

    def set(self, moment: int) -> None:
        """Go to a moment."""
        self._moment = moment

    def at(self, day: int, hour: float) -> int:
        """Return the moment of an hour of a day; day 1 is the first."""
        return self.began + round(((day - 1) * 24 + hour) * HOUR)

    def day_of(self, moment: int) -> tuple[int, int]:
        """Return day and hour of a moment, as :meth:`at` takes them."""
        day, hour = divmod((moment - self.began) // HOUR, 24)
        return day + 1, hour


class TimedCaptures(Captures):
    """Captures in which events have the times that were set for them, rather than those at which they were played.

    Events come from one connection, so they come in the order of the requests.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._times: deque[int] = deque()
        self._are_all_here = threading.Event()
        self._are_all_here.set()

    def __enter__(self) -> TimedCaptures:
        return self

    def expect(self, times: Iterable[int]) -> None:
        """Set the times of the events that come next."""
        coming = list(times)
        if coming:
            self._are_all_here.clear()
            self._times.extend(coming)

    def put(self, events: Sequence[Event], done: Callable[[OSError | None], None] | None = None) -> bool:
        """Queue events, see :meth:`Captures.put`."""
        timed = [replace(event, received=self._times.popleft()) for event in events]
        is_taken = super().put(timed, done)
        if not self._times:
            self._are_all_here.set()
        return is_taken

    def wait(self) -> None:
        """Wait until all events are here that were expected: an answer is sent before its event is put.

        Raises
        ------
        TimeoutError
        """
        if not self._are_all_here.wait(_WAIT_SECONDS):
            raise TimeoutError("the demo's events are not captured")
