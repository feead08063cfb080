"""Keeper: a store of captures within somebody else's process, opened when there is need, and never in the way.

Opening asks the disk, so it is done by a thread; what arrives meanwhile waits, up to a limit. Where it fails it is tried
again every ten seconds, and what arrives is counted.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
import weakref
from collections import Counter, deque
from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from driftline.capture.captures import Captures
    from driftline.capture.event import Event

__all__ = ["Keeper"]

_LOG = logging.getLogger("driftline.capture")
_AGAIN = 10.0
_MOST_WAITING = 10_000
_MOST_BYTES = 16 << 20
# Nobody waits for the disk, so that it may be asked less often.
_GROUP_SECONDS = 0.05


class Keeper:
    """Puts events of one endpoint into a store that it opens itself, or was given.

    Parameters
    ----------
    captures : Captures, path or URL
    endpoint, variant : str
    lost : callable
        Told how many events that waited for the store could not be kept.
    options
        For :class:`driftline.capture.captures.Captures`, where it is opened here.
    """

    def __init__(
        self,
        captures: Captures | str | os.PathLike[str],
        endpoint: str,
        variant: str,
        lost: Callable[[int], None],
        **options: Any,
    ) -> None:
        # Now rather than beside the first requests, or when the interpreter ends and nothing can be imported any more.
        from driftline.capture.captures import Captures, Limits

        self._open_store, self._limits = Captures, Limits
        is_place = isinstance(captures, (str, os.PathLike))
        self._place = captures if is_place else None
        self._given = None if is_place else captures
        self._endpoint = endpoint
        self._variant = variant
        self._lost = lost
        self._options = options
        self._fresh()
        _keepers.add(self)

    def _fresh(self) -> None:
        """Begin with nothing open: at the start, and in a child."""
        self._captures: Any = self._given
        self._waiting: deque[Event] = deque()
        self._waiting_bytes = 0
        self._guard = threading.Lock()
        self._opening: threading.Thread | None = None
        self._failed_at = float("-inf")
        self._dropped: Counter[str] = Counter()

    def begin(self, timeout: float = 0.0) -> None:
        """Start to open the store, if it is not and has not just failed; wait for it so many seconds."""
        with self._guard:
            self._begin()
            opening = self._opening
        if opening is not None and timeout:
            opening.join(timeout)

    def _begin(self) -> None:
        is_due = self._captures is None and self._opening is None
        if not is_due or time.monotonic() - self._failed_at < _AGAIN:
            return
        thread = threading.Thread(target=self._open, name="driftline-open", daemon=True)
        try:
            thread.start()  # what it does at its end waits for the lock that is held here
        except RuntimeError:
            self._failed_at = time.monotonic()
        else:
            self._opening = thread

    def put(self, event: Event) -> str | None:
        """Hand an event over; returns None, or why it was dropped, which is counted."""
        captures = self._captures
        if captures is None:
            with self._guard:
                captures = self._captures
                if captures is None:
                    return self._queue(event)
        return None if captures.put((event,)) else "no room"

    def _queue(self, event: Event) -> str | None:
        self._begin()
        size = sum(len(side.data) for side in (event.input, event.output) if side is not None)
        has_room = len(self._waiting) < _MOST_WAITING and self._waiting_bytes + size <= _MOST_BYTES
        if self._opening is None or not has_room:
            self._dropped["no store"] += 1
            return "no store"
        self._waiting.append(event)
        self._waiting_bytes += size
        return None

    def drop(self, reason: str) -> None:
        """Count an event that could not be captured."""
        with self._guard:
            if self._captures is None:
                self._dropped[reason] += 1
                return
        self._captures.drop(self._endpoint, self._variant, reason)

    def _open(self) -> None:
        captures: Captures | None = None
        try:
            captures = self._opened()
        except Exception as error:  # noqa: BLE001  whatever it is, the service goes on and it is tried again
            _LOG.warning("captures cannot be kept for now: %s", str(error) or type(error).__name__)
        try:
            self._settle(captures)
        except Exception as error:  # noqa: BLE001  what has been opened stays open
            _LOG.warning("events could not be kept: %s", str(error) or type(error).__name__)

    def _settle(self, captures: Captures | None) -> None:
        """Put in what has waited, or count it."""
        with self._guard:
            self._opening = None
            waiting = list(self._waiting)
            self._waiting.clear()
            self._waiting_bytes = 0
            if captures is None:
                self._failed_at = time.monotonic()
                self._dropped["no store"] += len(waiting)
                self._lost(len(waiting))
                return
            self._captures = captures
            dropped, self._dropped = self._dropped, Counter()
            for reason, n in dropped.items():
                captures.drop(self._endpoint, self._variant, reason, n)
            for event in waiting:
                self._put_late(captures, event)

    def _opened(self) -> Captures:
        options = dict(self._options)
        options["limits"] = replace(options.get("limits") or self._limits(), group_seconds=_GROUP_SECONDS)
        return self._open_store(self._place, **options)  # type: ignore[arg-type]

    def _put_late(self, captures: Captures, event: Event) -> None:
        try:
            is_in = captures.put((event,))
        except Exception as error:  # noqa: BLE001  the others still wait
            _LOG.warning("an event could not be kept: %s", str(error) or type(error).__name__)
            captures.drop(self._endpoint, self._variant, "error")
            is_in = False
        if not is_in:
            self._lost(1)

    def close(self, timeout: float = 5.0) -> None:
        """Close the store if it was opened here; put everything on the disk if it was given."""
        end = time.monotonic() + timeout
        opening = self._opening
        if opening is not None:
            opening.join(timeout)
        with self._guard:
            captures = self._captures
            if self._given is None:
                self._captures = None
        if captures is None:
            return
        left = max(0.0, end - time.monotonic())
        if self._given is None:
            captures.close(left)
        else:
            captures.flush(left)


_keepers: weakref.WeakSet[Keeper] = weakref.WeakSet()


def _in_child() -> None:
    for keeper in list(_keepers):
        keeper._fresh()


def _at_exit() -> None:
    for keeper in list(_keepers):
        keeper.close()


os.register_at_fork(after_in_child=_in_child)
atexit.register(_at_exit)
